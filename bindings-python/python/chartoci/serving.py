"""The core's registry behind a socket: a real HTTP/1.1 server, in this process."""

import json
import os
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, NamedTuple, Protocol

from chartoci import _native as native
from chartoci import files
from chartoci._native import Limits, Receiver
from chartoci.blobs import CHUNK, failure
from chartoci.errors import ChartOciError
from chartoci.wire import Refused, Wire


class Place(Protocol):
    """Where a registry keeps its files."""

    def close(self) -> None: ...
    def execute(self, verb: object) -> files.Answer: ...
    def sink(self, path: str, offset: int) -> AbstractContextManager[Callable[[bytes], None]]: ...
    def part(self, path: str, offset: int, length: int) -> Iterator[bytes]: ...


class Directory:
    """Files in a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as failed:
            message = f"the registry's directory cannot be used: {root}: {failed.strerror}"
            hint = failure(failed, root, making=True).hint
            raise native.error("server.storage", message, [("path", str(root))], hint) from None
        # Two registries would sweep away each other's uploads.
        self._held = os.open(root, os.O_RDONLY) if os.name == "posix" else -1
        if self._held >= 0 and files.hold(self._held) is False:
            self.close()
            hint = "Ask that one, or serve another directory."
            raise native.error("misuse.argument", f"another process serves {root}", [("path", str(root))], hint)

    def close(self) -> None:
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def execute(self, verb: object) -> files.Answer:
        return files.execute(verb, self._root)

    @contextmanager
    def sink(self, path: str, offset: int) -> Iterator[Callable[[bytes], None]]:
        with files.create(self._root, path, offset) as file:
            yield lambda chunk: files.write(file, chunk)

    def part(self, path: str, offset: int, length: int) -> Iterator[bytes]:
        with open(os.path.join(self._root, path), "rb", buffering=0) as file:
            file.seek(offset)
            while length and (chunk := file.read(min(CHUNK, length))):
                length -= len(chunk)
                yield chunk


class Memory:
    """Files in memory: everything is gone when the registry is."""

    def __init__(self) -> None:
        self._files: dict[str, bytearray] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        pass

    def execute(self, verb: object) -> files.Answer:
        with self._lock:
            match verb:
                case native.List(path):
                    return self._list(f"{path}/" if path else "")
                case native.Read(path, offset, limit):
                    data = self._files.get(path)
                    return FileNotFoundError(2, path) if data is None else bytes(data[offset : offset + limit])
                case native.Write(path, offset, data):
                    self._files.setdefault(path, bytearray())[offset:] = data
                case native.Rename(source, target):
                    if source not in self._files:
                        return FileNotFoundError(2, source)
                    self._files[target] = self._files.pop(source)
                case native.Remove(path):
                    for name in [name for name in self._files if name == path or name.startswith(f"{path}/")]:
                        del self._files[name]
            return None

    def _list(self, below: str) -> list[tuple[str, str, int, int]]:
        found: dict[str, tuple[str, str, int, int]] = {}
        for path, data in self._files.items():
            if path.startswith(below):
                name, slash, _ = path.removeprefix(below).partition("/")
                found[name] = (name, "directory", 0, 0) if slash else (name, "file", len(data), 0)
        return list(found.values())

    @contextmanager
    def sink(self, path: str, offset: int) -> Iterator[Callable[[bytes], None]]:
        with self._lock:
            data = self._files.setdefault(path, bytearray())
            del data[offset:]
        yield data.extend

    def part(self, path: str, offset: int, length: int) -> Iterator[bytes]:
        with self._lock:
            data = bytes(memoryview(self._files[path])[offset : offset + length])
        yield data


class Users:
    """Users and passwords from a file as `htpasswd -B` writes it; read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seed = secrets.token_hex()
        self._lock = threading.Lock()
        self._read()

    def _read(self) -> None:
        try:
            self._stamp = self._path.stat().st_mtime_ns
            self._known = native.Htpasswd(self._path.read_text("utf-8", "surrogateescape"), self._seed, str(self._path))
        except OSError as failed:
            raise failure(failed, self._path) from None

    def check(self, username: str, password: str) -> bool:
        """Whether this is the user's password. Where the file cannot be read any more, what was read last counts."""
        with self._lock:
            try:
                if self._path.stat().st_mtime_ns != self._stamp:
                    self._read()
            except (OSError, ChartOciError):
                pass
        return self._known.check(username, password)


class Fault(NamedTuple):
    """What a registry does wrong with one request.

    With a `status` it gives that answer, with `body` and `headers`, and does nothing of what was asked. With `status=None` it
    does what was asked, and spoils its answer: `headers` replace those of the same name (an empty value: the header is
    missing), `body` replaces its body, `flip` changes the body's first byte, `ignore` keeps request headers from being seen
    (`("range",)`: the whole blob comes).

    Both kinds: `delay` seconds pass first; `drip` seconds pass between the pieces of the body, some 16 of them; after
    `short` bytes of the body, or before the first byte of the answer with `reset`, the connection breaks.
    `above` and `below`: only requests whose bodies have more or fewer bytes than that suffer.
    """

    status: int | None = 503
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    delay: float = 0.0
    reset: bool = False
    short: int | None = None
    drip: float = 0.0
    flip: bool = False
    ignore: tuple[str, ...] = ()
    above: int | None = None
    below: int | None = None

    def strikes(self, length: int) -> bool:
        """Whether a request with a body of that length suffers from it."""
        return (self.above is None or length > self.above) and (self.below is None or length < self.below)

    def spoil(self, headers: list[tuple[str, str]], body: bytes) -> tuple[list[tuple[str, str]], bytes]:
        """The answer as it goes out."""
        if self.body is not None:
            body = self.body
        if self.flip and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        given = {name.lower() for name, _ in self.headers}
        kept = [(name, value) for name, value in headers if name not in given]
        if self.body is not None and "content-length" not in given:
            kept = [(name, value) for name, value in kept if name != "content-length"]
            kept.append(("content-length", str(len(body))))
        return [*kept, *((name, value) for name, value in self.headers if value)], body

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """The body as it goes out, in its own time."""
        end = len(body) if self.short is None else min(self.short, len(body))
        step = max(1, end // 16) if self.drip else max(1, end)
        for start in range(0, end, step):
            if start:
                time.sleep(self.drip)
            yield body[start : min(start + step, end)]


# Seconds that a client may be silent.
PATIENCE = 60
Faults = Callable[[str, str], Fault | None]
Log = Callable[[str, str, int, float], object]


class _Handler(BaseRequestHandler):
    """Serves the requests of one connection, one after the other."""

    server: "Server"

    def handle(self) -> None:
        self.server.connections.add(self.request)
        try:
            self._began = time.monotonic()
            self._wire = Wire(self.request, PATIENCE)
            while not self._wire.closes and self._wire.next():
                self.server.is_quiet = False
                self._serve()
        except Refused as refused:
            self._wire.closes = True
            message = "the request's head cannot be read"
            body = json.dumps({"errors": [{"code": "UNSUPPORTED", "message": message}]}).encode()
            fields = [("content-type", "application/json"), ("content-length", str(len(body)))]
            self._respond(refused.args[0], fields, iter((body,)))
            self._read_away()
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._answer_plainly()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self.server.connections.discard(self.request)

    def _answer_plainly(self) -> None:
        """Tells who speaks no TLS so, in the words that clients know of Go's servers."""
        words = b"Client sent an HTTP request to an HTTPS server.\n"
        head = b"HTTP/1.0 400 Bad Request\r\ncontent-length: %d\r\n\r\n" % len(words)
        with suppress(OSError):
            socket.socket.sendall(self.request, head + words)  # past TLS

    def _serve(self) -> None:
        wire = self._wire
        fault = self.server.faults(wire.method, wire.target) if self.server.faults is not None else None
        self._began = time.monotonic()
        self._fault = fault if fault is not None and fault.strikes(wire.remaining) else None
        if self._fault is None:
            self._answer()
            return
        time.sleep(self._fault.delay)
        if self._fault.status is not None:
            wire.closes = True
            self._spoil(self._fault, self._fault.status, [("content-length", "0")], b"")
        else:
            self._answer()

    def _spoil(self, fault: Fault, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answers as a fault wants it."""
        headers, body = fault.spoil(headers, body)
        cut = fault.reset or (fault.short is not None and fault.short < len(body))
        if cut:
            self._wire.closes = True
        if fault.reset:
            self._tell(0)
        else:
            self._respond(status, headers, fault.pieces(body))
        if cut:
            self.request.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> None:
        wire, place = self._wire, self.server.place
        hidden = self._fault.ignore if self._fault is not None else ()
        headers = [(name, value) for name, value in wire.fields if name.lower() not in hidden] if hidden else wire.fields
        serving = self.server.registry.accept(wire.method, wire.target, headers, time.monotonic_ns() // 1_000_000)
        if serving is None:
            wire.closes = True
            self._respond(405, [("content-length", "0")], iter(()))
            return
        while True:
            match serving.poll():
                case native.Check(username, password):
                    users = self.server.users
                    serving.handle_check(users is not None and users.check(username, password))
                case native.Receive(receiver, path, offset):
                    self._receive(serving, receiver, path, offset)
                case native.Respond(status, headers, body):
                    unread = wire.is_unread
                    if unread:
                        # What was not read would be taken for the next request.
                        wire.closes = True
                    chunks = iter([body]) if isinstance(body, bytes) else place.part(*body)
                    if self._fault is not None:
                        self._spoil(self._fault, status, headers, b"".join(chunks))
                    else:
                        self._respond(status, headers, chunks)
                    if unread:
                        self._read_away()
                    return
                case verb:
                    serving.handle_file(place.execute(verb))

    def _read_away(self) -> None:
        """Takes what still comes, for a while: a connection that is closed before that takes the answer with it."""
        try:
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(1)
            end = time.monotonic() + 5
            while time.monotonic() < end and self.request.recv(CHUNK):
                pass
        except OSError:
            pass

    def _respond(self, status: int, headers: list[tuple[str, str]], chunks: Iterator[bytes]) -> None:
        self._tell(status)
        self._wire.respond(status, headers, chunks)

    def _tell(self, status: int) -> None:
        if self.server.log is not None:
            self.server.log(self._wire.method, self._wire.target, status, time.monotonic() - self._began)

    def _receive(self, serving: native.Serving, receiver: Receiver, path: str | None, offset: int) -> None:
        """Reads the body, and says what became of it."""
        try:
            with nullcontext() if path is None else self.server.place.sink(path, offset) as store:
                for chunk in self._wire.body():
                    if not receiver.write(chunk):
                        break
                    if store is not None:
                        store(chunk)
        except (ConnectionError, TimeoutError, EOFError, ssl.SSLError) as error:
            self._wire.closes = True
            serving.handle_body(receiver, "reset", str(error))
        except OSError as error:
            serving.handle_file(error)
        else:
            serving.handle_body(receiver)


class Server(ThreadingTCPServer):
    """Listens at once; serves between `start` and `stop`. Connections live in daemon threads."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        directory: Path | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        htpasswd: Path | None = None,
        token: bool = False,
        token_lifetime: float | None = None,
        tls: ssl.SSLContext | None = None,
        hosts: tuple[str, ...] = (),
        cors_origins: tuple[str, ...] = (),
        limits: Limits | None = None,
        faults: Faults | None = None,
        log: Log | None = None,
    ) -> None:
        if ":" in address[0]:
            self.address_family: int = socket.AF_INET6
        self.faults = faults
        self.users: Users | None = Users(htpasswd) if htpasswd is not None else None
        self.log = log
        self.connections: set[socket.socket] = set()
        self.is_quiet: bool = True
        self.registry: native.Registry = native.Registry(
            seed=secrets.randbits(64),
            username=username,
            password=password,
            token=token,
            asks=htpasswd is not None,
            token_lifetime=token_lifetime,
            https=tls is not None,
            hosts=list(hosts),
            cors_origins=list(cors_origins),
            limits=limits,
        )
        self.place: Place = Memory() if directory is None else Directory(directory)
        try:
            self._carry_out(self.registry.open())
            super().__init__(address, _Handler)
        except BaseException:
            self.place.close()
            raise
        if tls is not None:
            self.socket: socket.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread: threading.Thread | None = None

    def _carry_out(self, machine: native.Machine) -> None:
        while not isinstance(verb := machine.poll(), native.Finished):
            machine.handle(self.place.execute(verb))

    def service_actions(self) -> None:
        """Now and then: where nobody asked for anything meanwhile, there is time to bring the index up to date."""
        if self.is_quiet and (machine := self.registry.tidy()) is not None:
            self._carry_out(machine)
        self.is_quiet = True

    def start(self) -> None:
        """Serves in a thread of its own."""
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="chartoci-registry", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection and the server."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if (machine := self.registry.tidy()) is not None:
            self._carry_out(machine)
        self.place.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Peers that go away are nobody's error; what the handler itself gets wrong is shown.
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
