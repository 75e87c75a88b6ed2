"""What the tests share: charts, peers that say exactly what they are told to."""

import asyncio
import pathlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import chartoci
import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def web() -> pathlib.Path:
    """The repository's example chart, a directory."""
    return ROOT / "examples" / "web"


@pytest.fixture(scope="session")
def chart(web: pathlib.Path) -> bytes:
    """The example chart, packed."""
    return chartoci.package(web).data


@pytest.fixture
def tgz(chart: bytes, tmp_path: pathlib.Path) -> pathlib.Path:
    """The example chart, packed, in a directory of its own."""
    path = tmp_path / "charts" / "web-1.2.0+demo.1.tgz"
    path.parent.mkdir()
    path.write_bytes(chart)
    return path


@pytest.fixture
def client() -> Iterator[chartoci.Client]:
    """An anonymous client that does not try twice."""
    with chartoci.Client(credentials=None, retry=chartoci.RetryPolicy(attempts=1)) as client:
        yield client


class Waiting:
    """An `AsyncClient` for tests that await nothing: each verb is a client's and a loop's only one."""

    def __init__(self, **settings: Any):
        self.settings = settings

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def wait(*arguments: Any, **options: Any) -> Any:
            async def main() -> Any:
                async with chartoci.AsyncClient(**self.settings) as client:
                    return await getattr(client, verb)(*arguments, **options)

            return asyncio.run(main())

        return wait


@pytest.fixture(params=["blocking", "urllib3", "aiohttp"])
def using(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`using(**settings)`: a client by each driver in turn; unless they say otherwise, as `client`."""
    if request.param == "aiohttp":
        pytest.importorskip("aiohttp")
    with ExitStack() as open_ones:

        def make(**settings: Any) -> Any:
            settings = {"credentials": None, "retry": chartoci.RetryPolicy(attempts=1), **settings}
            if request.param != "blocking":
                return Waiting(**settings, transport=request.param)
            return open_ones.enter_context(chartoci.Client(**settings))

        yield make


@pytest.fixture
def each_client(using: Callable[..., Any]) -> Any:
    """As `client`, by each driver in turn."""
    return using()


@pytest.fixture
def drive(using: Callable[..., Any]) -> Callable[..., Any]:
    """`drive("pull", reference, **settings)`: a verb by each driver in turn."""
    return lambda verb, *arguments, **settings: getattr(using(**settings), verb)(*arguments)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server of HTTP on loopback; gives its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def peer(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server on loopback that does with each connection what it is told; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection:
                try:
                    answer(connection)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(connection: socket.socket) -> tuple[str, bytes, dict[str, str]] | None:
    """The first line, the body and the fields of a request; None where the other side has hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(fields.get("content-length", "0")):
        body += connection.recv(65536)
    return lines[0], body, fields
