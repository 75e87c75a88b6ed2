"""The asynchronous client: the same verbs, over threads and over aiohttp, and what cancelling leaves behind."""

import asyncio
import concurrent.futures
import inspect
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Ask
from chartoci.testing import Registry
from conftest import ROOT, peer

VERBS = sorted(name for name in vars(chartoci.Client) if not name.startswith("_") and name != "close")


@pytest.fixture(params=["urllib3", "aiohttp"])
def connect(request: pytest.FixtureRequest) -> Callable[..., chartoci.AsyncClient]:
    """A client that does not try twice, over each transport in turn."""
    if request.param == "aiohttp":
        pytest.importorskip("aiohttp")

    def make(**named: Any) -> chartoci.AsyncClient:
        settings = {"credentials": None, "retry": chartoci.RetryPolicy(attempts=1), "transport": request.param, **named}
        return chartoci.AsyncClient(**settings)

    return make


@pytest.mark.parametrize("name", [*VERBS, "close"])
def test_each_verb_is_a_coroutine_with_the_same_signature_and_words(name: str) -> None:
    blocking, awaited = getattr(chartoci.Client, name), getattr(chartoci.AsyncClient, name)
    assert inspect.iscoroutinefunction(awaited) and not inspect.iscoroutinefunction(blocking)
    assert inspect.signature(awaited) == inspect.signature(blocking)
    # The examples, which do not await, are the blocking client's.
    assert inspect.getdoc(awaited) == (inspect.getdoc(blocking) or "").partition("\n\n>>>")[0] != ""
    assert "Generator" not in str(inspect.signature(blocking))


def test_both_clients_are_made_alike_and_have_nothing_more() -> None:
    assert inspect.signature(chartoci.AsyncClient) == inspect.signature(chartoci.Client)
    public = {name for name in dir(chartoci.AsyncClient) if not name.startswith("_")}
    assert public == {name for name in dir(chartoci.Client) if not name.startswith("_")}


def test_the_stub_is_what_the_blocking_client_says() -> None:
    command = [sys.executable, "-c", "import twin; assert twin.STUB.read_text() == twin.stub(), 'run tests/tools/twin.py'"]
    subprocess.run(command, check=True, cwd=ROOT / "tests" / "tools")


def test_a_chart_goes_in_and_comes_back(
    connect: Callable[..., chartoci.AsyncClient], chart: bytes, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    async def main(host: str) -> None:
        thread, events = threading.get_ident(), list[object]()

        def tell(event: object) -> None:
            assert threading.get_ident() == thread
            events.append(event)

        async with connect() as client:
            pushed = await client.push(tgz, f"oci://{host}/charts", progress=tell)
            assert chartoci.Progress("chart", len(chart), len(chart)) in events
            pulled = await client.pull(pushed.reference, tmp_path / "out", progress=tell)
            assert pulled.path.read_bytes() == chart and pulled.digest == pushed.digest
            assert os.listdir(tmp_path / "out") == [pulled.path.name]
            unpacked = await client.pull(pushed.reference, tmp_path / "dir", untar=True)
            assert (unpacked.path / "Chart.yaml").exists()
            archive = await client.open(pushed.reference)
            assert archive.data == chart
            assert await client.metadata(pushed.reference) == archive.metadata
            assert (await client.inspect(pushed.reference)).artifact.digest == pushed.digest
            assert (await client.resolve(pushed.reference)).digest == pushed.digest
            repository = f"{host}/charts/web"
            assert await client.tags(repository) == ["1.2.0_demo.1"]
            assert list(map(str, await client.versions(repository))) == ["1.2.0+demo.1"]

    with Registry() as registry:
        asyncio.run(main(registry.host))


@pytest.mark.parametrize("token", [False, True], ids=["Basic", "Bearer"])
def test_credentials_may_be_a_coroutine_function(
    token: bool, connect: Callable[..., chartoci.AsyncClient], chart: bytes
) -> None:
    async def find(query: Ask) -> tuple[str, str]:
        await asyncio.sleep(0)
        return "ada", "secret"

    async def main(host: str) -> None:
        for credentials in (find, lambda query: ("ada", "secret"), ("ada", "secret")):
            async with connect(credentials=credentials) as client:
                await client.push(chart, f"oci://{host}/charts")
        async with connect(credentials=("ada", "wrong")) as client:
            with pytest.raises(chartoci.DeniedError):
                await client.push(chart, f"oci://{host}/charts")

    with Registry(username="ada", password="secret", token=token) as registry:
        asyncio.run(main(registry.host))


def test_many_verbs_share_a_client(connect: Callable[..., chartoci.AsyncClient], web: pathlib.Path) -> None:
    packed = [chartoci.package(web, version=f"1.0.{number}") for number in range(8)]

    async def main(host: str) -> None:
        async with connect() as client:
            await asyncio.gather(*(client.push(one, f"oci://{host}/charts") for one in packed))
            archives = [client.open(f"{host}/charts/web:1.0.{number}") for number in range(8)]
            assert [one.data for one in await asyncio.gather(*archives)] == [one.data for one in packed]

    with Registry() as registry:
        asyncio.run(main(registry.host))


def test_a_client_outlives_its_event_loop(connect: Callable[..., chartoci.AsyncClient], chart: bytes) -> None:
    async def main(client: chartoci.AsyncClient, host: str) -> None:
        async with client:
            await client.push(chart, f"oci://{host}/charts")

    with Registry() as registry:
        client = connect()
        asyncio.run(main(client, registry.host))
        asyncio.run(main(client, registry.host))
        manifests = [request for request in registry.requests if request[0] == "PUT" and "/manifests/" in request[1]]
    assert [request[2] for request in manifests] == [201, 201]


def test_tls_and_addresses_are_judged_as_in_the_other_client(
    connect: Callable[..., chartoci.AsyncClient], chart: bytes
) -> None:
    asked: list[tuple[str, str, int]] = []

    def refuse(host: str, ip: str, port: int) -> bool:
        asked.append((host, ip, port))
        return False

    async def main(registry: Registry) -> None:
        host, port = registry.host.split(":")
        async with connect(ca_file=registry.ca_file) as client:
            await client.push(chart, f"oci://{registry.host}/charts")
        async with connect(plain_http=False) as client:
            with pytest.raises(chartoci.TransportError) as caught:
                await client.tags(f"{registry.host}/charts/web")
            assert caught.value.code == "transport.tls"
        for name in (host, "localhost"):
            async with connect(ca_file=registry.ca_file, allow=refuse) as client:
                with pytest.raises(chartoci.DeniedError) as denied:
                    await client.tags(f"{name}:{port}/charts/web")
                assert denied.value.code == "transport.forbidden"
            assert asked and all(one[0] == name and one[2] == int(port) for one in asked)
            del asked[:]
        async with connect(ca_file=registry.ca_file, allow={registry.host}) as client:
            assert await client.tags(f"{registry.host}/charts/web")

    with Registry(tls=True) as registry:
        asyncio.run(main(registry))


def test_cancelling_ends_at_once_though_the_peer_never_answers(
    connect: Callable[..., chartoci.AsyncClient], tmp_path: pathlib.Path
) -> None:
    hung_up = threading.Event()

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass
        hung_up.set()

    async def main(host: str) -> float:
        async with connect(retry=None) as client:
            task = asyncio.create_task(client.pull(f"{host}/charts/web:1.0.0", tmp_path))
            await asyncio.sleep(0.2)
            began = time.perf_counter()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            took = time.perf_counter() - began
            assert await asyncio.to_thread(hung_up.wait, 2), "the socket was not shut down"
            return took

    with peer(silent) as host:
        assert asyncio.run(main(host)) < 0.1
    assert os.listdir(tmp_path) == []


def test_a_deadline_of_the_loop_counts_too(connect: Callable[..., chartoci.AsyncClient]) -> None:
    async def main(host: str) -> None:
        async with connect() as client:
            with pytest.raises(chartoci.TimeoutError):
                await client.tags(f"{host}/charts/web", timeout=0.1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.tags(f"{host}/charts/web")

    with peer(lambda connection: connection.recv(1) and time.sleep(2)) as host:
        asyncio.run(main(host))


def test_two_hundred_cancelled_pulls_leave_nothing_behind(
    connect: Callable[..., chartoci.AsyncClient], tmp_path: pathlib.Path
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        connection.recv(1)

    def count() -> tuple[int, int]:
        files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        return files, len([thread for thread in threading.enumerate() if thread.name == "chartoci"])

    async def main(host: str) -> None:
        async with connect(concurrency=8) as client:
            client._workers._idle = 0.1
            for _ in range(20):
                pulls = [client.pull(f"{host}/charts/web:1.0.{number}", tmp_path) for number in range(10)]
                tasks = [asyncio.create_task(pull) for pull in pulls]
                await asyncio.sleep(0.02)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                assert all(task.cancelled() for task in tasks)
        await asyncio.sleep(0.1)
        assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()

    with peer(drip) as host:
        before = count()
        asyncio.run(main(host))
        deadline = time.monotonic() + 10
        while any(now > then for now, then in zip(count(), before, strict=True)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert all(now <= then for now, then in zip(count(), before, strict=True)), (before, count())
    assert os.listdir(tmp_path) == []


def test_loops_of_several_threads_share_a_client(chart: bytes) -> None:
    pytest.importorskip("aiohttp")
    shared = chartoci.AsyncClient(credentials=None, transport="aiohttp")

    async def resolve() -> str:
        found = {str((await shared.resolve(str(pushed.reference))).digest) for _ in range(20)}
        await shared.close()
        return found.pop()

    with concurrent.futures.ThreadPoolExecutor(4) as threads, Registry() as registry:
        with chartoci.Client(credentials=None) as client:
            pushed = client.push(chart, f"oci://{registry.host}/charts")
        found = [threads.submit(asyncio.run, resolve()) for _ in range(4)]
        assert {one.result(timeout=60) for one in found} == {str(pushed.digest)}
