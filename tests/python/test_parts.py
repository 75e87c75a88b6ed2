"""What pulls keep beside their place until it is proven, what becomes of it when they are killed, and what they hold of it."""

import contextlib
import hashlib
import http.client
import json
import pathlib
import random
import subprocess
import sys

import pytest
from chartoci import blobs
from chartoci.blobs import FileSink
from chartoci.testing import Registry

HOLD = """
import pathlib, sys
from chartoci.blobs import FileSink
sink = FileSink(pathlib.Path(sys.argv[1]))
sink.write(b"half")
print(sink.path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def fresh() -> None:
    """As in a process that has pulled nothing yet."""
    blobs._sweep.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is removed there")
def test_what_a_killed_process_has_left_is_removed_and_never_what_a_living_one_holds(tmp_path: pathlib.Path) -> None:
    others = [".chartoci-0123456789abcdef.part.txt", ".chartoci-x.part", ".chartoci-12345678-1-0123456789abcdef.part"]
    for name in others:
        (tmp_path / name).touch()
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        part = tmp_path / process.stdout.readline().strip()
        with FileSink(tmp_path) as ours, FileSink(tmp_path) as more:
            ours.write(b"a")
            blobs._sweep.cache_clear()
            more.write(b"b")
            assert part.read_bytes() == b"half"
            assert ours.commit("a").read_bytes() + more.commit("b").read_bytes() == b"ab"
        process.kill()
    assert part.exists()
    blobs._sweep.cache_clear()
    with FileSink(tmp_path) as sink:
        sink.write(b"c")
        assert not part.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", "b", *others])


def test_a_directory_that_cannot_be_listed_is_pulled_into(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", denied)
    with FileSink(tmp_path) as sink:
        sink.write(b"chart")
        sink.commit("web-1.0.0.tgz")
    assert [path.name for path in tmp_path.iterdir()] == ["web-1.0.0.tgz"]


def test_where_nobody_can_tell_who_holds_a_file_nothing_is_removed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".chartoci-0123456789abcdef.part"
    left.touch()
    monkeypatch.setattr("chartoci.files.hold", lambda descriptor: None)
    with FileSink(tmp_path) as sink:
        sink.write(b"a")
        sink.commit("a")
    assert left.exists()


PULL = """
import re, sys
import chartoci
_, host, directory = sys.argv
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
with chartoci.Client(credentials=None) as client:
    client.pull(f"oci://{host}/small:1.0.0", directory)
    before = peak()
    pulled = client.pull(f"oci://{host}/large:1.0.0", directory)
    print(peak() - before, pulled.path.stat().st_size)
"""


def put(host: str, name: str, layer: bytes) -> None:
    """Puts there what calls itself a chart."""

    def ask(method: str, target: str, body: bytes = b"", kind: str = "application/octet-stream") -> str:
        with contextlib.closing(http.client.HTTPConnection(host)) as wire:
            wire.request(method, target, body, {"Content-Type": kind})
            answer = wire.getresponse()
            answer.read()
            assert answer.status in (201, 202), answer.status
            return str(answer.headers["Location"])

    def describe(kind: str, blob: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        place = ask("POST", f"/v2/{name}/blobs/uploads/")
        ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", blob)
        return {"mediaType": f"application/vnd.cncf.helm.{kind}", "digest": digest, "size": len(blob)}

    config = describe("config.v1+json", json.dumps({"name": name, "version": "1.0.0", "apiVersion": "v2"}).encode())
    layers = [describe("chart.content.v1.tar+gzip", layer)]
    named = {"org.opencontainers.image.title": name, "org.opencontainers.image.version": "1.0.0"}
    manifest = {"schemaVersion": 2, "config": config, "layers": layers, "annotations": named}
    kind = "application/vnd.oci.image.manifest.v1+json"
    ask("PUT", f"/v2/{name}/manifests/1.0.0", json.dumps(manifest).encode(), kind)


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="the system does not tell a peak")
@pytest.mark.parametrize("first", [b"", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"], ids=["noise", "a broken archive"])
def test_a_pull_holds_little_of_a_large_blob_that_is_no_chart(first: bytes, tmp_path: pathlib.Path) -> None:
    noise = random.Random(1).randbytes(1 << 20)
    large = first + noise * 32
    with Registry() as registry:
        put(registry.host, "small", first + noise[:1000])
        put(registry.host, "large", large)
        words = [sys.executable, "-c", PULL, registry.host, str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    added, size = map(int, done.stdout.split())
    assert size == len(large)
    assert added < 16 << 20, f"{added >> 20} MiB were added for {size >> 20} MiB"
