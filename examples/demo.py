"""What chartoci does, from Python: package, push, versions, show, pull, verify. `python examples/demo.py [CHART]`."""

import json
import pathlib
import sys
import tempfile

import chartoci
from chartoci.testing import Registry


def say(title: str, *lines: object) -> None:
    """A step and what came of it."""
    print(f"\n{title}")
    for line in lines:
        print(f"    {line}")


def main(source: pathlib.Path) -> None:
    print(f"chartoci from Python, with the chart {source} and a registry inside this very process")

    # A directory becomes an archive; the same files always give the same bytes.
    if source.is_dir():
        packaged = chartoci.package(source)
        archive = chartoci.Archive.read(packaged.data)
        say("package: files in, one archive out", f"{packaged.filename}, {len(packaged.data)} bytes", packaged.digest)
    else:
        archive = chartoci.Archive.read(source)
        say("read: an archive that is packed already", f"{source.name}, {archive.size} bytes", archive.digest)
    metadata = archive.metadata

    with Registry() as registry, chartoci.Client() as client, tempfile.TemporaryDirectory() as directory:
        charts = f"oci://{registry.host}/charts"
        web = f"{charts}/{metadata.name}"

        # The blobs go up side by side, then the manifest, straight to its tag.
        pushed = client.push(archive, charts)
        say("push: into the registry", pushed.reference, pushed.digest)

        # A tag cannot hold a `+`: Helm writes `_` instead, and so do we.
        found = client.versions(web, prerelease=True)
        say("versions: what is there, newest first", *(f"{version} (tag {version.tag})" for version in found))

        # The manifest is what a registry stores under the tag: what belongs together, each thing by its digest.
        artifact = client.artifact(pushed.reference)
        manifest = json.loads(artifact.manifest)
        say(
            "the manifest, explained",
            f"its own digest     {artifact.digest}: the hash of its {len(artifact.manifest)} bytes, as `helm push` makes them",
            f"config             {manifest['config']['digest']}: Chart.yaml as JSON, {manifest['config']['size']} bytes",
            *(f"layer              {layer['digest']}: {describe(layer)}" for layer in manifest["layers"]),
            *(f"annotation         {key.rsplit('.', 1)[-1]} = {value}" for key, value in manifest["annotations"].items()),
        )

        # `show` reads the chart in the registry as it reads a file or a directory: the words are Helm's.
        say("show: the chart's own words", *chartoci.show(client.open(pushed.reference), "chart").rstrip().splitlines())

        # Every byte is hashed on its way in; the file gets its name only when all of it has been proven.
        pulled = client.pull(web, directory, version=metadata.version)
        say("pull: back out of the registry", pulled.path.name, pulled.digest)

        again = chartoci.Archive.read(pulled.path)
        if again.digest != archive.digest or pulled.digest != pushed.digest:
            sys.exit("what came back is not what was pushed")
        say("verify: what came back is what was pushed", f"{again.digest} twice, {len(again.files)} files")

        # The same digest with one digit changed is refused, and nothing is written.
        digest = str(pushed.digest)
        wrong = digest[:-1] + ("0" if digest[-1] != "0" else "1")
        try:
            client.pull(f"{web}@{wrong}", directory)
        except chartoci.ChartOciError as error:
            say("and a digest that differs is refused", error.code, error)


def describe(layer: dict[str, object]) -> str:
    """A layer's media type, in words."""
    kind = "the signature" if str(layer["mediaType"]).endswith(".prov") else "the chart archive, byte for byte"
    return f"{kind}, {layer['size']} bytes"


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "web"))
