"""What chartoci does, from Python: package, push, versions, show, pull, verify. `python examples/demo.py [CHART]`."""

import pathlib
import sys
import tempfile

import chartoci
from chartoci.testing import Fault, Registry


def say(title: str, *lines: object) -> None:
    """A step and what came of it."""
    print(f"\n{title}")
    for line in lines:
        print(f"    {line}")


def main(source: pathlib.Path) -> None:
    print(f"chartoci from Python, with the chart {source} and a registry inside this very process")

    # A directory becomes an archive; the same files, with their times, always give the same bytes.
    if source.is_dir():
        packaged = chartoci.package(source)
        archive = chartoci.Archive.read(packaged.data)
        say("package: files in, one archive out", f"{packaged.filename}, {len(packaged.data)} bytes", packaged.digest)
    else:
        archive = chartoci.Archive.read(source)
        say("read: an archive that is packed already", f"{source.name}, {archive.size} bytes", archive.digest)
    metadata = archive.metadata

    damaging = False
    faulty = Registry(faults=lambda method, target: Fault(None, flip=True) if damaging and "/blobs/" in target else None)
    with faulty as registry, chartoci.Client() as client, tempfile.TemporaryDirectory() as directory:
        charts = f"oci://{registry.host}/charts"
        web = f"{charts}/{metadata.name}"

        # The blobs go up side by side, then the manifest, straight to its tag.
        pushed = client.push(archive, charts)
        say("push: into the registry", pushed.reference, pushed.digest)

        # A tag cannot hold a `+`: Helm writes `_` instead, and so do we.
        found = client.versions(web, prerelease=True)
        say("versions: what is there, newest first", *(f"{version} (tag {version.tag})" for version in found))

        # The manifest is what a registry stores under the tag: what belongs together, each thing by its digest.
        say("the manifest, explained", *client.artifact(pushed.reference).explain().rstrip().splitlines())

        # `show` reads the chart in the registry as it reads a file or a directory: the words are Helm's.
        say("show: the chart's own words", *chartoci.show(client.open(pushed.reference), "chart").rstrip().splitlines())

        # Every byte is hashed on its way in; the file gets its name only when all of it has been proven.
        pulled = client.pull(web, directory, version=metadata.version)
        say("pull: back out of the registry", pulled.path.name, pulled.digest)

        again = chartoci.Archive.read(pulled.path)
        if again.digest != archive.digest or pulled.digest != pushed.digest:
            sys.exit("what came back is not what was pushed")
        say("verify: what came back is what was pushed", f"{again.digest} twice, {len(again.files)} files")

        # The chart's first byte changes on its way: it is refused, and nothing is written.
        damaging = True
        try:
            client.pull(web, pathlib.Path(directory) / "damaged", version=metadata.version)
        except chartoci.ChartOciError as error:
            say("and a damaged one is refused", error.code, error)
        else:
            sys.exit("a damaged chart was taken")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "web"))
    except chartoci.ChartOciError as error:
        sys.exit(f"{error}\n{error.hint}")
