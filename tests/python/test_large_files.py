"""Pushes of files that are too large to be held: read piece by piece, once for the scan and once for the registry."""

import asyncio
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import chartoci
import pytest
from chartoci.testing import Registry
from chartoci.transport import Failed
from test_ahead import BIG, CHART_YAML, NOISE, packed

# A push, and how many bytes of memory it added at its peak; a small one went before.
PUSHING = """
import asyncio, sys
import chartoci

kind, small, large, target = sys.argv[1:]
most = 1 << 30
settings = {"credentials": None, "limits": chartoci.Limits(archive=most, unpacked=most, file=most)}

def memory(name):
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(lines["Vm" + name].split()[0]) << 10

if kind == "Client":
    with chartoci.Client(**settings) as client:
        client.push(small, target)
        before = memory("RSS")
        client.push(large, target)
else:
    async def main():
        async with chartoci.AsyncClient(**settings, transport=kind) as client:
            await client.push(small, target)
            before = memory("RSS")
            await client.push(large, target)
        return before
    before = asyncio.run(main())
print(memory("HWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what memory a process had")
@pytest.mark.parametrize("kind", ["Client", "urllib3", "aiohttp"])
def test_a_push_of_a_large_file_holds_pieces_of_it(tmp_path: pathlib.Path, kind: str) -> None:
    small, large = tmp_path / "small.tgz", tmp_path / "large.tgz"
    small.write_bytes(packed(("web/Chart.yaml", CHART_YAML)))
    large.write_bytes(packed(("web/Chart.yaml", CHART_YAML), *((f"web/{number}", NOISE) for number in range(64)), level=0))
    assert large.stat().st_size > chartoci.blobs.HELD
    with Registry() as registry:
        words = (kind, small, large, f"oci://{registry.host}/charts")
        run = subprocess.run([sys.executable, "-c", PUSHING, *words], stdout=subprocess.PIPE, text=True, check=True)
    assert int(run.stdout) <= 16 << 20


def push(kind: Any, path: pathlib.Path, target: str, attempts: int = 1) -> chartoci.Pushed:
    settings: dict[str, Any] = {"credentials": None, "retry": chartoci.RetryPolicy(attempts=attempts)}
    if kind == "Client":
        with chartoci.Client(**settings) as client:
            return client.push(path, target)

    async def main() -> chartoci.Pushed:
        async with chartoci.AsyncClient(**settings, transport=kind) as client:
            return await client.push(path, target)

    return asyncio.run(main())


@pytest.fixture
def file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A chart in a file that counts as large."""
    monkeypatch.setattr("chartoci.blobs.HELD", 0)
    path = tmp_path / "web.tgz"
    path.write_bytes(BIG)
    os.utime(path, (0, 0))
    return path


def meanwhile(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Has that done once a first piece of the file has gone up."""

    def pieces(*arguments: Any) -> Iterator[memoryview]:
        for number, piece in enumerate(chartoci.blobs.pieces(*arguments)):
            yield piece
            if number == 0:
                act()

    patch.setattr("chartoci.drive.pieces", pieces)


@pytest.mark.parametrize("kind", ["Client", "urllib3", "aiohttp"])
@pytest.mark.parametrize("change", ["overwritten", "cut", "longer"])
def test_a_file_that_is_written_to_while_it_goes_up_gets_no_tag(
    file: pathlib.Path, monkeypatch: pytest.MonkeyPatch, kind: str, change: str
) -> None:
    def write() -> None:
        with open(file, "r+b") as writing:
            if change == "cut":
                writing.truncate(1000)
            else:
                writing.seek(0 if change == "longer" else -1, os.SEEK_END)
                writing.write(b"x")

    meanwhile(monkeypatch, write)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        with pytest.raises(chartoci.ConflictError) as caught:
            push(kind, file, f"oci://{registry.host}/charts")
        assert caught.value.code == "files.changed"
        assert caught.value.context["path"] == str(file)
        with pytest.raises(chartoci.NotFoundError):
            client.resolve(f"oci://{registry.host}/charts/web:1.2.0")


def test_another_file_in_the_same_place_changes_nothing(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace() -> None:
        other = file.with_name("other")
        other.write_bytes(b"another")
        os.replace(other, file)

    meanwhile(monkeypatch, replace)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        pushed = push("Client", file, f"oci://{registry.host}/charts")
        reference = f"oci://{registry.host}/charts/web:1.2.0"
        assert client.resolve(reference).digest == pushed.digest
        assert client.open(reference).digest == chartoci.Digest.of(BIG)


@pytest.mark.parametrize("kind", ["Client", "urllib3", "aiohttp"])
def test_a_file_is_read_again_where_a_try_breaks(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def fail() -> None:
        monkeypatch.undo()
        raise Failed("reset", "")

    meanwhile(monkeypatch, fail)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        push(kind, file, f"oci://{registry.host}/charts", attempts=2)
        assert client.open(f"oci://{registry.host}/charts/web:1.2.0").digest == chartoci.Digest.of(BIG)
