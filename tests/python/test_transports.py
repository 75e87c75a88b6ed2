"""What a transport is held to, asked of each: urllib3, aiohttp, and the one that docs/transport.md shows."""

import asyncio
import gc
import gzip
import inspect
import pathlib
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import chartoci
import pytest
from chartoci.adrive import _Patience
from chartoci.testing import Fault, Registry
from chartoci.transport import AsyncAnswer, AsyncTransport, Call, Failed
from chartoci.transport.urllib3 import Urllib3Transport
from conftest import ROOT, peer, read_request

MIB = 1 << 20
NAMES = ("urllib3", "aiohttp", "shown")


def shown() -> Any:
    """The transport of the documentation, as it stands there."""
    pytest.importorskip("httpx")
    page = (ROOT / "docs" / "transport.md").read_text()
    found = re.search(r"```python\n(.*?)```", page, re.S)
    assert found and len(found[1].splitlines()) <= 40
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names["HttpxTransport"]()


class Threaded:
    """A blocking transport, asked from an event loop as the driver would."""

    def __init__(self, transport: Urllib3Transport):
        self.transport = transport

    @asynccontextmanager
    async def open(self, method: str, url: str, headers: Any, body: Any, timeout: float | None) -> AsyncIterator[AsyncAnswer]:
        call = Call()
        pieces = body if body is None or isinstance(body, bytes) else iter([piece async for piece in body])
        opened = self.transport.open(method, url, headers, pieces, timeout, call)
        try:
            answer = await asyncio.to_thread(opened.__enter__)
        except asyncio.CancelledError:
            call.shut_down()
            raise
        try:
            yield AsyncAnswer(answer.status, answer.headers, self._chunks(answer.chunks))
        except asyncio.CancelledError:
            call.shut_down()
            raise
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)

    async def _chunks(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk

    async def aclose(self) -> None:
        self.transport.close()


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)


def make(name: str) -> AsyncTransport:
    if name == "urllib3":
        return Threaded(Urllib3Transport())
    if name == "aiohttp":
        pytest.importorskip("aiohttp")
        from chartoci.transport.aiohttp import AiohttpTransport

        return AiohttpTransport()
    made: AsyncTransport = shown()
    return made


class Seen(NamedTuple):
    """What came of a request."""

    status: int = 0
    headers: list[tuple[str, str]] = []  # noqa: RUF012
    body: bytes = b""
    sizes: list[int] = []  # noqa: RUF012
    failure: str | None = None
    took: float = 0.0


async def ask(
    transport: AsyncTransport,
    host: str,
    method: str = "GET",
    target: str = "/v2/",
    body: Any = None,
    headers: tuple[tuple[str, str], ...] = (),
    timeout: float | None = 5.0,
    keep: bool = True,
) -> Seen:
    began, sizes, parts, status, fields = time.perf_counter(), [], [], 0, []
    failure = None
    try:
        async with transport.open(method, f"http://{host}{target}", [*headers], body, timeout) as answer:
            status, fields = answer.status, [(name.lower(), value) for name, value in answer.headers]
            async for chunk in answer.chunks:
                sizes.append(len(chunk))
                if keep:
                    parts.append(chunk)
    except Failed as failed:
        failure = failed.failure
    return Seen(status, fields, b"".join(parts), sizes, failure, time.perf_counter() - began)


def run(name: str, host: str, *requests: dict[str, Any]) -> list[Seen]:
    """What came of some requests, one after another, by one transport."""

    async def main() -> list[Seen]:
        transport = make(name)
        try:
            return [await ask(transport, host, **request) for request in requests]
        finally:
            await transport.aclose()

    return asyncio.run(main())


def saying(*answers: bytes) -> Callable[[socket.socket], object]:
    """A peer that gives these answers, in turn, to what is asked on a connection."""

    def answer(connection: socket.socket) -> None:
        for data in answers:
            if read_request(connection) is None:
                return
            connection.sendall(data)
        connection.recv(1)

    return answer


def ok(body: bytes = b"", head: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


PACKED = gzip.compress(b"text")

# What a peer says, and what is seen of it.
ANSWERS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a redirect is not followed": (
        b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        {"status": 307, "location": ["http://127.0.0.1:1/"]},
    ),
    "repeated headers are kept apart": (
        b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=a\r\nwww-authenticate: Bearer realm=b\r\ncontent-length: 0\r\n\r\n",
        {"status": 401, "www-authenticate": ["Basic realm=a", "Bearer realm=b"]},
    ),
    "a packed answer is not unpacked": (ok(PACKED, "content-encoding: gzip\r\n"), {"status": 200, "body": PACKED}),
    "what comes before the answer is skipped": (
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok(b"real"),
        {"status": 200, "body": b"real", "link": []},
    ),
    "a body in pieces is put together": (
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\n\r\n",
        {"status": 200, "body": b"abcdefg"},
    ),
    "204 has no body": (b"HTTP/1.1 204 X\r\nlocation: /a\r\n\r\n", {"status": 204, "body": b"", "location": ["/a"]}),
    "cookies are nobody's business": (ok(b"", "set-cookie: a=b\r\n"), {"status": 200}),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_are_passed_on_as_they_came(case: str, name: str) -> None:
    said, wanted = ANSWERS[case]
    with peer(saying(said, ok(b"next"))) as host:
        seen, after = run(name, host, {}, {})
    assert seen.failure is None
    for field, value in wanted.items():
        if field in ("status", "body"):
            assert getattr(seen, field) == value
        else:
            assert [found for header, found in seen.headers if header == field] == value
    assert after.body == b"next"


def test_requests_go_out_as_they_were_made(name: str) -> None:
    heads: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        for _ in range(4):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.I)
            while length and len(body) < int(length[1]):
                body += connection.recv(65536)
            heads.append(head + b"\r\n\r\n" + body)
            connection.sendall(ok(b"", "set-cookie: session=1\r\n"))

    async def pieces() -> AsyncIterator[memoryview]:
        for piece in (b"abc", b"def"):
            yield memoryview(piece)

    odd = "/v2/a/blobs/uploads/x?_state=a%3D%3d+b%2F&n=1&n=2&empty=&digest=sha256%3Aab"
    length = (("content-length", "6"), ("content-type", "application/octet-stream"))
    with peer(answer) as host:
        run(
            name,
            host,
            {"target": odd, "headers": (("accept", "a/b"), ("authorization", "Basic x"))},
            {"method": "PUT", "target": odd, "body": b"abcdef", "headers": length},
            {"method": "PATCH", "body": pieces(), "headers": length},
            {"method": "POST", "body": b"", "headers": (("content-length", "0"),)},
        )
    text = [head.decode("latin-1") for head in heads]
    assert [one.split("\r\n")[0] for one in text[:2]] == [f"GET {odd} HTTP/1.1", f"PUT {odd} HTTP/1.1"]
    for one in text:
        lines = [line.partition(": ") for line in one.partition("\r\n\r\n")[0].split("\r\n")[1:]]
        fields = [(field.lower(), value) for field, _, value in lines]
        assert [value for field, value in fields if field == "host"] == [host]
        assert [value for field, value in fields if field == "accept-encoding"] == ["identity"]
        assert not {"transfer-encoding", "expect", "cookie"} & {field for field, _ in fields}
    assert "authorization: Basic x" in text[0] or "Authorization: Basic x" in text[0]
    for one in text[1:3]:
        assert one.endswith("\r\n\r\nabcdef") and len(re.findall(r"(?i)\r\ncontent-length: 6", one)) == 1
    assert len(re.findall(r"(?i)\r\ncontent-length: 0", text[3])) == 1


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def breaking(data: bytes) -> Callable[[socket.socket], object]:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    return answer


def stopping(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nabc")
    silent(connection)


FAILURES: dict[str, tuple[Callable[[socket.socket], object], str]] = {
    "no head comes": (silent, "timeout"),
    "the body stops": (stopping, "timeout"),
    "the connection breaks at once": (breaking(b""), "reset"),
    "the connection breaks in the head": (breaking(b"HTTP/1.1 200 X\r\ncontent-"), "reset"),
    "the connection breaks in the body": (breaking(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nabc"), "reset"),
    "the last piece is missing": (breaking(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"), "reset"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_have_their_name_and_the_next_request_is_well(case: str, name: str) -> None:
    serve, failure = FAILURES[case]
    turns = iter([serve])
    with peer(lambda connection: next(turns, saying(ok(b"next")))(connection)) as host:
        seen, after = run(name, host, {"timeout": 0.3}, {})
    assert seen.failure == failure
    assert seen.took < 2
    assert (after.failure, after.body) == (None, b"next")


def test_what_cannot_be_reached_says_so(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"127.0.0.1:{listener.getsockname()[1]}"
    assert run(name, closed, {})[0].failure == "connect"
    assert run(name, "nowhere.invalid", {})[0].failure == "connect"


def test_slow_is_not_broken(name: str) -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        for byte in ok(b"slowly"):
            connection.sendall(bytes([byte]))
            time.sleep(0.01)

    with peer(drip) as host:
        seen = run(name, host, {"timeout": 0.3})[0]
    assert (seen.failure, seen.body) == (None, b"slowly")
    assert seen.took > 0.3


def test_connections_are_used_again_and_never_where_something_is_left(name: str) -> None:
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        connections.append(connection)
        saying(ok(b"one"), b"HTTP/1.1 404 X\r\ncontent-length: 4\r\n\r\ngone", ok(b"three"), ok(b"x" * 4 * MIB), ok(b"never"))(connection)

    async def main(host: str) -> list[Seen]:
        transport = make(name)
        seen = [await ask(transport, host) for _ in range(3)]
        assert len(connections) == 1
        async with transport.open("GET", f"http://{host}/", [], None, 5.0) as large:
            async for _ in large.chunks:
                break
        seen.append(await ask(transport, host))
        await transport.aclose()
        return seen

    with peer(answer) as host:
        seen = asyncio.run(main(host))
    assert [one.body for one in seen] == [b"one", b"gone", b"three", b"one"]
    assert len(connections) == 2


@pytest.mark.parametrize("reads", [True, False], ids=["and the rest is read", "and nothing more is read"])
def test_a_refused_upload_is_told_why(name: str, reads: bool) -> None:
    if name == "shown" and not reads:
        pytest.skip("httpx sends all before it listens")
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 X\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge")
        if reads:
            silent(connection)
        over.wait(20)

    async def pieces() -> AsyncIterator[memoryview]:
        for _ in range(16):
            yield memoryview(bytes(MIB))

    with peer(answer) as host:
        seen = run(name, host, {"method": "PUT", "body": pieces(), "headers": (("content-length", str(16 * MIB)),)})[0]
        over.set()
        assert (seen.failure, seen.status, seen.body) == (None, 413, b"large")
        assert seen.took < 4
        # What is left open says so, and that is an error.
        gc.collect()


def test_a_registry_may_think_about_an_upload_but_not_for_ever() -> None:
    transport, length = Urllib3Transport(), [("content-length", str(MIB))]
    with peer(silent) as host:
        began = time.perf_counter()
        with pytest.raises(Failed) as caught:
            call = Call(thinking=0.6)
            with transport.open("PUT", f"http://{host}/v2/", length, [memoryview(bytes(MIB))], 0.1, call):
                pass
        assert caught.value.failure == "timeout"
        assert 0.5 < time.perf_counter() - began < 3
    transport.close()


def full(connection: socket.socket) -> None:
    """Takes a little, and then nothing more."""
    connection.recv(1000)
    time.sleep(2)


@pytest.mark.parametrize("carrier", ["aiohttp", "shown"])
@pytest.mark.parametrize("serve", [silent, full], ids=["and says nothing", "and takes nothing more"])
def test_a_peer_that_is_sent_a_blob_is_not_waited_for_for_ever(
    serve: Callable[[socket.socket], object], carrier: str
) -> None:
    class Asked(NamedTuple):
        timeout: float | None = 0.3
        thinking: float | None = 0.6

    async def pieces() -> AsyncIterator[memoryview]:
        for _ in range(32):
            yield memoryview(bytes(MIB))

    async def main(host: str) -> float:
        transport, patience = make(carrier), _Patience(Asked())  # type: ignore[arg-type]
        length, began = [("content-length", str(32 * MIB))], time.perf_counter()
        with pytest.raises(TimeoutError):
            async with patience.clock, transport.open("PUT", f"http://{host}/", length, patience.watch(pieces()), None):
                pass
        patience.end(answered=False)
        await transport.aclose()
        return time.perf_counter() - began

    with peer(serve) as host:
        took = asyncio.run(main(host))
    assert (0.5 if serve is silent else 0.2) < took < 5


@pytest.mark.parametrize("carrier", ["urllib3", "aiohttp"])
def test_of_several_addresses_those_that_are_not_allowed_are_left_out(carrier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *others: Any, **named: Any) -> Any:
        if host != "several.test":
            return real(host, port, *others, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", found)

    async def main(place: str, allow: Any) -> list[str]:
        named: dict[str, Any] = {"credentials": None, "plain_http": True, "allow": allow, "transport": carrier}
        async with chartoci.AsyncClient(**named) as client:
            return list(await client.tags(f"{place}/web"))

    with peer(saying(ok(b'{"tags": ["1.0.0"]}'))) as host:
        place = f"several.test:{host.rpartition(':')[2]}"
        assert asyncio.run(main(place, lambda host, ip, port: ip == "127.0.0.1")) == ["1.0.0"]
        with pytest.raises(chartoci.DeniedError) as caught:
            asyncio.run(main(place, lambda host, ip, port: False))
    assert caught.value.code == "transport.forbidden"


def test_large_bodies_are_never_held(name: str) -> None:
    size = 48 * MIB

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 200 X\r\ncontent-length: {size}\r\n\r\n".encode())
        block = bytes(MIB)
        for _ in range(size // MIB):
            connection.sendall(block)

    with peer(answer) as host:
        tracemalloc.start()
        try:
            seen = run(name, host, {"keep": False, "timeout": 20})[0]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (seen.failure, sum(seen.sizes)) == (None, size)
    assert max(seen.sizes) <= MIB and peak < 8 * MIB


@pytest.mark.parametrize("serve", [silent, stopping, full], ids=["before the head", "in the body", "in an upload"])
def test_cancelling_ends_at_once_and_hangs_up(serve: Callable[[socket.socket], object], name: str) -> None:
    gone = threading.Event()
    length = (("content-length", str(64 * MIB)),)

    async def pieces() -> AsyncIterator[memoryview]:
        for _ in range(64):
            yield memoryview(bytes(MIB))

    def answer(connection: socket.socket) -> None:
        serve(connection)
        gone.set()

    async def main(host: str) -> float:
        transport = make(name)
        upload = {"method": "PUT", "body": pieces(), "headers": length} if serve is full else {}
        task = asyncio.create_task(ask(transport, host, timeout=None, **upload))
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.perf_counter() - began
        # Who reads nothing hears nothing.
        assert serve is full or await asyncio.to_thread(gone.wait, 2)
        await transport.aclose()
        return took

    with peer(answer) as host:
        assert asyncio.run(main(host)) < 0.1


# The client's own business, by each transport: what it makes of the answers.


async def behave(client: chartoci.AsyncClient, host: str, chart: bytes, directory: pathlib.Path) -> None:
    pushed = await client.push(chart, f"oci://{host}/charts")
    assert "uploaded" not in {blob.state for blob in (await client.push(chart, f"oci://{host}/charts")).blobs}
    assert (await client.open(pushed.reference)).data == chart
    pulled = await client.pull(pushed.reference, directory)
    assert pulled.path.read_bytes() == chart


@pytest.mark.parametrize("token", [None, False, True], ids=["anonymous", "Basic", "Bearer"])
def test_a_client_pushes_and_pulls_over_each(token: bool | None, name: str, chart: bytes, tmp_path: pathlib.Path) -> None:
    async def main(registry: Registry) -> None:
        transport = make(name) if name != "urllib3" else "urllib3"
        async with chartoci.AsyncClient(credentials=registry.credentials, transport=transport) as client:
            await behave(client, registry.host, chart, tmp_path)
        if not isinstance(transport, str):
            await transport.aclose()

    with Registry(username=None if token is None else "ada", token=bool(token)) as registry:
        asyncio.run(main(registry))


FAULTS = {
    "resumes": ("GET", "/blobs/", Fault(None, short=1000)),
    "tries again after a reset": ("PUT", "/uploads/", Fault(reset=True)),
    "tries again after a 503": ("GET", "/manifests/", Fault(503)),
    "is told of a lost answer": ("PUT", "/manifests/", Fault(None, reset=True)),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_client_mends_what_breaks_over_each(case: str, name: str, chart: bytes, tmp_path: pathlib.Path) -> None:
    method, part, fault = FAULTS[case]
    struck: list[str] = []

    def faults(asked: str, target: str) -> Fault | None:
        if asked != method or part not in target or struck:
            return None
        struck.append(target)
        return fault

    async def main(host: str) -> None:
        transport = make(name) if name != "urllib3" else "urllib3"
        retry = chartoci.RetryPolicy(attempts=3, backoff=0.01)
        async with chartoci.AsyncClient(credentials=None, retry=retry, transport=transport) as client:
            await behave(client, host, chart, tmp_path)
        if not isinstance(transport, str):
            await transport.aclose()

    with Registry(faults=faults) as registry:
        asyncio.run(main(registry.host))
        if case == "resumes":
            assert 206 in [status for _, target, status in registry.requests if "/blobs/sha256" in target]
    assert struck


def test_the_table_of_the_documentation_has_every_case() -> None:
    page = (ROOT / "docs" / "transport.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page[page.index("| case |") :].split("\n\n")[0].splitlines()[2:]]
    told = {cells[0]: cells[1:4] for cells in rows}
    # Each of these goes through a table of its own.
    groups = {"answers_are_passed_on_as_they_came": ANSWERS, "failures_have_their_name_and_the_next_request_is_well": FAILURES}
    asked: set[str] = set()
    for test, function in globals().items():
        if test.startswith("test_") and "name" in inspect.signature(function).parameters:
            asked |= set(groups.get(test.removeprefix("test_"), {test.removeprefix("test_").replace("_", " "): None}))
    assert set(told) == asked
    assert set(sum(told.values(), [])) == {"yes"}
