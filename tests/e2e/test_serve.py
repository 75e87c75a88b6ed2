"""`chartoci serve` on a real file system: killed under load, on a full disk, under many clients; and clients that are killed."""

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time

import chartoci
import pytest
from conftest import ROOT, Serving

ONCE = chartoci.RetryPolicy(attempts=1)


def whole(host: str, repository: str) -> list[str]:
    """The tags of a repository, each of which can be pulled and is what its digest says."""
    with chartoci.Client(credentials=None) as client:
        try:
            tags = client.tags(f"{host}/{repository}/web")
        except chartoci.NotFoundError:
            return []
        for tag in tags:
            assert client.open(f"{host}/{repository}/web:{tag}").metadata.version == tag
        return tags


def finished(directory: pathlib.Path) -> None:
    """Nothing that was under way is left, and every blob is what its name says."""
    assert list((directory / "uploads").glob("*")) == []
    for blob in (directory / "blobs" / "sha256").glob("*"):
        assert str(chartoci.Digest.of(blob.read_bytes())) == f"sha256:{blob.name}"


@pytest.mark.parametrize("enough", [0, 5, 60])
def test_what_was_acknowledged_survives_a_kill_under_twenty_pushes(enough: int, tmp_path: pathlib.Path) -> None:
    directory, acknowledged = tmp_path / "data", set[str]()
    versions = [f"1.{worker}.{number}" for worker in range(20) for number in range(6)]
    packed = {version: chartoci.package(ROOT / "examples" / "web", version=version) for version in versions}

    def push(host: str, worker: int) -> None:
        with chartoci.Client(credentials=None, retry=ONCE) as client, contextlib.suppress(chartoci.ChartOciError):
            for number in range(6):
                version = f"1.{worker}.{number}"
                client.push(chartoci.package(ROOT / "examples" / "web", version=version), f"oci://{host}/killed")
                acknowledged.add(version)

    with Serving(directory) as serving:
        threads = [threading.Thread(target=push, args=(serving.host, worker)) for worker in range(20)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while len(acknowledged) < enough and time.monotonic() < deadline:
            time.sleep(0.001)
        serving.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with Serving(directory) as serving:
        finished(directory)
        assert acknowledged <= set(whole(serving.host, "killed"))
        threads = [threading.Thread(target=push, args=(serving.host, worker)) for worker in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(whole(serving.host, "killed")) == acknowledged == set(packed)


def test_a_client_that_is_killed_in_a_pull_leaves_no_file_under_its_name(tmp_path: pathlib.Path) -> None:
    from chartoci.testing import Fault, Registry

    slow = True

    def faults(method: str, target: str) -> Fault | None:
        return Fault(None, drip=0.5) if slow and method == "GET" and "/blobs/" in target else None

    with Registry(faults=faults) as registry, chartoci.Client(credentials=None) as client:
        packed = chartoci.package(ROOT / "examples" / "web")
        pushed = client.push(packed, f"oci://{registry.host}/charts")
        words = ["pull", str(pushed.reference), "-d", str(tmp_path / "out"), "--quiet"]
        with subprocess.Popen([sys.executable, "-m", "chartoci", *words]) as process:
            deadline = time.monotonic() + 20
            while not list((tmp_path / "out").glob("*")) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.kill()
        assert [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
        slow = False
        pulled = client.pull(pushed.reference, tmp_path / "out")
        assert pulled.path.read_bytes() == packed.data
        assert list((tmp_path / "out").iterdir()) == [pulled.path], "what was left beside it is gone"


@contextlib.contextmanager
def small_disk(directory: pathlib.Path):
    """A file system of one MiB."""
    directory.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"a file system cannot be mounted: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def noise(tmp_path: pathlib.Path, version: str, size: int) -> chartoci.Packaged:
    """A chart that does not become smaller."""
    directory = tmp_path / f"web-{version}"
    directory.mkdir()
    (directory / "Chart.yaml").write_text(f"apiVersion: v2\nname: web\nversion: {version}\n")
    (directory / "noise").write_bytes(os.urandom(size))
    return chartoci.package(directory)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a tmpfs")
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: pathlib.Path) -> None:
    with small_disk(tmp_path / "disk"):
        directory, acknowledged, failure = tmp_path / "disk" / "data", [], None
        with Serving(directory) as serving, chartoci.Client(credentials=None, retry=ONCE) as client:
            for number in range(40):
                try:
                    # Of such a size that there is room for a small one when the next large one does not fit.
                    client.push(noise(tmp_path, f"1.0.{number}", 120_000), f"oci://{serving.host}/full")
                    acknowledged.append(f"1.0.{number}")
                except chartoci.ChartOciError as error:
                    failure = error
                    break
            assert failure is not None and failure.status == 507, failure
            assert set(acknowledged) <= set(whole(serving.host, "full")) and acknowledged
            # What did not fit is gone: a small one fits again.
            client.push(noise(tmp_path, "2.0.0", 100), f"oci://{serving.host}/full")
        with Serving(directory) as serving:
            finished(directory)
            assert set(whole(serving.host, "full")) == {*acknowledged, "2.0.0"}


def test_a_file_that_may_not_grow_is_told_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    directory = tmp_path / "data"
    with Serving(directory) as serving, chartoci.Client(credentials=None, retry=ONCE) as client:
        resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        with pytest.raises(chartoci.ChartOciError) as caught:
            client.push(noise(tmp_path, "1.0.0", 300_000), f"oci://{serving.host}/limited")
        assert caught.value.status == 507, caught.value
        client.push(noise(tmp_path, "1.0.1", 1000), f"oci://{serving.host}/limited")
        assert whole(serving.host, "limited") == ["1.0.1"]
        assert list((directory / "uploads").glob("*")) == []


def test_a_directory_has_one_registry_at_a_time(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "chartoci", "serve", str(tmp_path / "data"), "--listen", "127.0.0.1:0"]
    with Serving(tmp_path / "data") as serving:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and "another process serves" in done.stderr, done
        serving.process.send_signal(signal.SIGKILL)
        serving.process.wait(10)
        # Who is dead holds nothing.
        with Serving(tmp_path / "data") as again:
            assert whole(again.host, "none") == []


def test_fifty_clients_in_their_own_connections_are_served(tmp_path: pathlib.Path) -> None:
    failures: list[BaseException] = []

    def work(host: str, number: int) -> None:
        try:
            with chartoci.Client(credentials=None) as client:
                packed = chartoci.package(ROOT / "examples" / "web", version=f"1.0.{number}")
                pushed = client.push(packed, f"oci://{host}/fifty")
                assert client.open(pushed.reference).data == packed.data
        except BaseException as error:
            failures.append(error)

    with Serving(tmp_path / "data") as serving:
        threads = [threading.Thread(target=work, args=(serving.host, number)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert len(whole(serving.host, "fifty")) == 50
