"""Pushes of big charts, which are looked at while their blobs go up."""

import asyncio
import gzip
import io
import os
import pathlib
import random
import socket
import tarfile
import threading
from collections.abc import Callable
from typing import Any

import chartoci
import chartoci.sansio
import pytest
from chartoci.testing import Registry
from conftest import peer, read_request

CHART_YAML = b"apiVersion: v2\nname: web\nversion: 1.2.0\n"
NOISE = random.Random(1).randbytes(1 << 20)


def packed(*files: tuple[str, bytes], level: int = 1) -> bytes:
    """An archive with these entries, in this order."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=level, mtime=0) as stream:
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, content in files:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


BIG = packed(("web/Chart.yaml", CHART_YAML), ("web/noise", NOISE))
HOSTILE = packed(("web/Chart.yaml", CHART_YAML), ("web/noise", NOISE), ("web/../../evil", b"x"))

Push = Callable[[bytes, str], chartoci.Pushed]


@pytest.fixture(params=["held", "in a file"])
def source(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], bytes | pathlib.Path]:
    """What is given for a chart: its bytes, or a file that is large enough to be read piece by piece."""
    if request.param == "held":
        return lambda chart: chart

    def write(chart: bytes) -> pathlib.Path:
        path = tmp_path / "chart.tgz"
        path.write_bytes(chart)
        os.utime(path, (0, 0))
        return path

    monkeypatch.setattr("chartoci.blobs.HELD", 0)
    return write


@pytest.fixture(params=["Client", "AsyncClient", "aiohttp"])
def push(request: pytest.FixtureRequest, source: Callable[[bytes], bytes | pathlib.Path]) -> Push:
    """A push by either client."""
    settings: dict[str, Any] = {"credentials": None, "retry": chartoci.RetryPolicy(attempts=1)}
    if request.param == "Client":
        return lambda chart, target: chartoci.Client(**settings).push(source(chart), target)

    async def main(chart: bytes, target: str) -> chartoci.Pushed:
        transport = None if request.param == "AsyncClient" else request.param
        async with chartoci.AsyncClient(**settings, transport=transport) as client:
            return await client.push(source(chart), target)

    return lambda chart, target: asyncio.run(main(chart, target))


def digests(chart: bytes) -> list[chartoci.Digest]:
    """What a push comes to: of bytes, and of a file, which has a time."""
    archive = chartoci.Archive.read(chart)
    return [chartoci.Artifact.build(archive, created=created).digest for created in (None, 0)]


def test_a_big_chart_has_the_digest_of_a_scanned_one(push: Push) -> None:
    expected = digests(BIG)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        assert push(BIG, f"oci://{registry.host}/charts").digest in expected
        assert client.open(f"oci://{registry.host}/charts/web:1.2.0").metadata.version == "1.2.0"


def test_a_big_hostile_chart_gets_no_tag_and_the_same_error(push: Push) -> None:
    with pytest.raises(chartoci.ChartOciError) as expected:
        chartoci.Archive.read(HOSTILE)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        with pytest.raises(chartoci.ChartOciError) as caught:
            push(HOSTILE, f"oci://{registry.host}/charts")
        assert caught.value.code == expected.value.code
        assert str(caught.value).endswith(str(expected.value))
        with pytest.raises(chartoci.NotFoundError):
            client.resolve(f"oci://{registry.host}/charts/web:1.2.0")


def test_a_scan_that_fails_does_not_wait_for_a_peer_that_never_answers(push: Push) -> None:
    released = threading.Event()
    seen: list[str] = []

    def silent(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            seen.append(request[0])
            released.wait(20)
            return

    with peer(silent) as host:
        with pytest.raises(chartoci.InvalidError):
            push(HOSTILE, f"oci://{host}/charts")
        released.set()
    assert not [line for line in seen if "/manifests/" in line]


@pytest.mark.parametrize("name", ["web/Chart.yaml", "web/./Chart.yaml", "web/templates/../Chart.yaml"])
def test_a_second_chart_yaml_behind_a_big_file_gets_no_tag(push: Push, name: str) -> None:
    evil = CHART_YAML.replace(b"1.2.0", b"6.6.6")
    chart = packed(("web/Chart.yaml", CHART_YAML), ("web/noise", NOISE), (name, evil))
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        with pytest.raises(chartoci.ChartOciError) as caught:
            push(chart, f"oci://{registry.host}/charts")
        assert caught.value.code == "archive.duplicate"
        for version in ("1.2.0", "6.6.6"):
            with pytest.raises(chartoci.NotFoundError):
                client.resolve(f"oci://{registry.host}/charts/web:{version}")


def test_what_the_rest_of_a_big_chart_adds_is_pushed_as_well(push: Push) -> None:
    requirements = b"dependencies:\n- name: db\n  version: 1.0.0\n  repository: ''\n"
    chart = packed(("web/Chart.yaml", CHART_YAML), ("web/noise", NOISE), ("web/requirements.yaml", requirements))
    expected = digests(chart)
    with Registry() as registry:
        assert push(chart, f"oci://{registry.host}/charts").digest in expected


def test_no_tag_is_put_before_the_scan_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    uploaded = threading.Event()

    class Slow:
        """The whole chart has arrived before it says what it found."""

        def __init__(self, *arguments: object) -> None:
            self.scanning = chartoci.sansio.Scanning(*arguments)  # type: ignore[arg-type]

        def promised(self) -> object:
            return self.scanning.promised()

        def finished(self) -> object:
            assert uploaded.wait(20)
            order.append("scanned")
            return self.scanning.finished()

    def heard(event: object) -> None:
        if type(event).__name__ == "Uploaded":
            order.append("uploaded")
            uploaded.set()

    monkeypatch.setattr("chartoci.client.Scanning", Slow)
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        client.push(BIG, f"oci://{registry.host}/charts", progress=heard)
        assert client.tags(f"oci://{registry.host}/charts/web") == ["1.2.0"]
    assert order == ["uploaded", "scanned", "uploaded"]
