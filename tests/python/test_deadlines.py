"""What takes long beside the requests, and who gives up meanwhile: questions for credentials, helpers, a config nobody needs."""

import asyncio
import base64
import json
import os
import pathlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import chartoci
import chartoci.files
import chartoci.transport
import pytest
from chartoci.testing import Fault, Registry
from conftest import peer, read_request

CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
CONFIG = "application/vnd.cncf.helm.config.v1+json"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(username="ada", password="secret") as registry:
        yield registry


@pytest.fixture
def hanging(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The configuration file of a helper that never answers; beside it, once it runs, the number of its child."""
    child = tmp_path / "child"
    program = tmp_path / "docker-credential-hanging"
    program.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {child}.new\nmv {child}.new {child}\nwait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    config = tmp_path / "config.json"
    config.write_text('{"credsStore": "hanging"}')
    return config


def is_gone(child: pathlib.Path) -> bool:
    """The helper's child runs no more."""
    status, deadline = pathlib.Path(f"/proc/{child.read_text().strip()}/stat"), time.monotonic() + 5
    while status.exists() and status.read_text().split()[2] != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


async def appears(path: pathlib.Path) -> None:
    while not path.exists():
        await asyncio.sleep(0.01)


def test_a_helper_that_hangs_ends_with_the_verbs_time(
    using: Callable[..., Any], registry: Registry, hanging: pathlib.Path
) -> None:
    client = using(credentials=chartoci.DEFAULT, registry_config=hanging)
    began = time.monotonic()
    with pytest.raises(chartoci.TimeoutError, match="the time for the whole exchange is over"):
        client.tags(f"{registry.host}/charts/web", timeout=0.8)
    assert time.monotonic() - began < 3
    assert is_gone(hanging.with_name("child"))


def test_a_callers_function_is_waited_for_no_longer_than_the_verb_may_take(
    using: Callable[..., Any], registry: Registry
) -> None:
    began = time.monotonic()
    with pytest.raises(chartoci.TimeoutError):
        using(credentials=lambda query: time.sleep(5)).tags(f"{registry.host}/charts/web", timeout=0.3)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("transport", ["urllib3", "aiohttp"])
def test_a_coroutine_that_never_answers_is_cancelled_when_the_time_is_over(registry: Registry, transport: Any) -> None:
    ended = []

    async def never(query: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def main() -> None:
        async with chartoci.AsyncClient(credentials=never, transport=transport) as client:
            began = time.monotonic()
            with pytest.raises(chartoci.TimeoutError):
                await client.tags(f"{registry.host}/charts/web", timeout=0.3)
            assert time.monotonic() - began < 2 and ended == [True]
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("transport", ["urllib3", "aiohttp"])
def test_who_cancels_while_a_helper_runs_ends_the_helper(
    registry: Registry, hanging: pathlib.Path, transport: Any
) -> None:
    async def main() -> None:
        async with chartoci.AsyncClient(registry_config=hanging, transport=transport) as client:
            task = asyncio.create_task(client.tags(f"{registry.host}/charts/web"))
            await appears(hanging.with_name("child"))
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 0.5
            assert is_gone(hanging.with_name("child"))

    asyncio.run(main())


def test_who_cancels_a_login_while_a_helper_stores_ends_the_helper(registry: Registry, hanging: pathlib.Path) -> None:
    async def main() -> None:
        async with chartoci.AsyncClient(registry_config=hanging) as client:
            task = asyncio.create_task(client.login(registry.host, "ada", "secret"))
            await appears(hanging.with_name("child"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert is_gone(hanging.with_name("child"))

    asyncio.run(main())


def test_a_helper_that_stores_has_the_time_of_the_login(
    using: Callable[..., Any], registry: Registry, hanging: pathlib.Path
) -> None:
    began = time.monotonic()
    with pytest.raises(chartoci.TransportError, match="docker-credential-hanging") as caught:
        using(registry_config=hanging).login(registry.host, "ada", "secret", timeout=1)
    assert time.monotonic() - began < 3 and caught.value.code == "transport.timeout"
    assert is_gone(hanging.with_name("child"))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system sends no alarm")
def test_control_c_while_a_helper_runs_ends_the_helper(registry: Registry, hanging: pathlib.Path) -> None:
    def interrupt(*_: object) -> None:
        if hanging.with_name("child").exists():
            raise KeyboardInterrupt
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with chartoci.Client(registry_config=hanging) as client, pytest.raises(KeyboardInterrupt):
            client.tags(f"{registry.host}/charts/web")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert is_gone(hanging.with_name("child"))


@pytest.mark.parametrize("raised", [ValueError("mine"), SystemExit(3)])
def test_what_a_callers_function_raises_ends_the_verb_as_it_is(registry: Registry, raised: BaseException) -> None:
    def credentials(query: object) -> None:
        raise raised

    with chartoci.Client(credentials=credentials) as client, pytest.raises(type(raised)) as caught:
        client.tags(f"{registry.host}/charts/web")
    assert caught.value is raised


@pytest.fixture
def foreign(using: Callable[..., Any], chart: bytes) -> Iterator[Callable[..., Any]]:
    """`foreign(fault, **named)`: the pull of a chart whose config is not the one that Helm makes, with that fault when the
    config is asked for; gives the outcome, the requests and the seconds."""
    config = json.dumps({**json.loads(chartoci.Archive.read(chart).metadata.config()), "version": "9.9.9"}).encode()
    digest = str(chartoci.Digest.of(config))
    faults: list[Fault] = []
    with Registry(faults=lambda method, target: faults[0] if faults and method == "GET" and digest in target else None) as at:

        def pull(tmp_path: pathlib.Path, fault: Fault | None = None, **named: Any) -> tuple[Any, list[Any], float]:
            import urllib.request

            def send(method: str, path: str, data: bytes, kind: str = "application/octet-stream") -> None:
                url = f"http://{at.host}/v2/charts/web/{path}"
                asked = urllib.request.Request(url, data, {"content-type": kind}, method=method)
                with urllib.request.urlopen(asked) as answer:
                    assert answer.status == 201

            for blob in (config, chart):
                send("POST", f"blobs/uploads/?digest={chartoci.Digest.of(blob)}", blob)
            described = [
                {"mediaType": kind, "digest": str(chartoci.Digest.of(blob)), "size": len(blob)}
                for kind, blob in ((CONFIG, config), (CHART, chart))
            ]
            manifest = {"schemaVersion": 2, "config": described[0], "layers": described[1:]}
            send("PUT", "manifests/1.0.0", json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
            if fault is not None:
                faults.append(fault)
            at.requests.clear()
            began = time.monotonic()
            retry = chartoci.RetryPolicy(attempts=5, backoff=0.01)
            pulled = using(retry=retry).pull(f"{at.host}/charts/web:1.0.0", tmp_path, **named)
            return pulled, at.requests, time.monotonic() - began

        yield pull


def test_the_config_of_a_pull_costs_one_request(foreign: Callable[..., Any], tmp_path: pathlib.Path) -> None:
    pulled, requests, _ = foreign(tmp_path)
    assert [notice.code for notice in pulled.notices] == ["artifact.config"]
    assert [target.split("/")[4] for _, target, _ in requests] == ["manifests", "blobs", "blobs"]


@pytest.mark.parametrize(
    "fault",
    [Fault(429, (("retry-after", "20"),)), Fault(reset=True), Fault(404), Fault(None, short=10)],
    ids=["busy", "reset", "missing", "short"],
)
def test_a_config_that_does_not_come_is_asked_for_once_and_is_no_notice(
    foreign: Callable[..., Any], tmp_path: pathlib.Path, fault: Fault
) -> None:
    pulled, requests, seconds = foreign(tmp_path, fault)
    assert pulled.path.exists() and pulled.notices == () and seconds < 10
    # A connection that stood and was reset is no try: over another one comes the only one.
    assert len(requests) == (4 if fault.reset else 3)


def test_a_config_has_the_time_that_is_left(foreign: Callable[..., Any], tmp_path: pathlib.Path) -> None:
    pulled, _, seconds = foreign(tmp_path, Fault(delay=20), timeout=1)
    assert pulled.path.exists() and pulled.notices == () and seconds < 10


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nx-", b"HTTP/1.1 102 Processing\r\n\r\n"], ids=["a line", "interim heads"])
def test_a_head_that_drips_has_its_time(
    using: Callable[..., Any], head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chartoci.transport, "HEAD_PATIENCE", 0.5)

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while True:
            time.sleep(0.05)
            connection.sendall(head if head.endswith(b"\r\n\r\n") else b"a")

    with peer(drip) as host:
        began = time.monotonic()
        with pytest.raises(chartoci.TimeoutError):
            using(idle_timeout=0.3, timeout=8.0).tags(f"{host}/charts/web")
        assert time.monotonic() - began < 3


@pytest.mark.skipif(os.name != "posix", reason="pipes have no names here")
def test_a_pipe_with_credentials_into_which_nobody_writes_is_an_error(
    using: Callable[..., Any], registry: Registry, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chartoci.files, "PIPE_PATIENCE", 0.2)
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    with pytest.raises(chartoci.ChartOciError, match="config.json.*nobody writes into this pipe") as caught:
        using(credentials=chartoci.DEFAULT, registry_config=pipe).explain_credentials(f"{registry.host}/charts/web")
    assert caught.value.code == "auth.credentials_file"


@pytest.mark.skipif(os.name != "posix", reason="pipes have no names here")
def test_credentials_may_come_slowly_out_of_a_pipe(
    using: Callable[..., Any], registry: Registry, tmp_path: pathlib.Path
) -> None:
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    auth = base64.b64encode(b"ada:secret").decode()

    def write() -> None:
        time.sleep(0.1)
        with open(pipe, "wb", buffering=0) as file:
            for part in ('{"auths": {"', f'{registry.host}": {{"auth": "{auth}"}}}}}}'):
                time.sleep(0.1)
                file.write(part.encode())

    threading.Thread(target=write, daemon=True).start()
    client = using(credentials=chartoci.DEFAULT, registry_config=pipe)
    assert client.explain_credentials(f"{registry.host}/charts/web").username == "ada"
