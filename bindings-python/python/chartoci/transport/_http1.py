"""HTTP/1.1 on a connection that stands: the head of a request out, the head of a response in.

http.client writes a head field by field and reads one with the parser for mail; with a small chart that takes as long as all
else. Bodies are read by http.client.
"""

import http.client
import io
import selectors
import socket
import ssl
from collections.abc import Iterable, Iterator

LONGEST_LINE = 65_536
# Of one answer: of its interim heads (1xx) and its own together.
LONGEST_HEAD = 262_144
MOST_LINES = 400


def head(method: str, target: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """The first bytes of a request. Raises `ValueError` where a field holds more than a field."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a line break stands in a header field")
    return text.encode("latin-1")


class Sender:
    """Sends the body of a request, and listens meanwhile: who refuses it early may neither read on nor hang up."""

    def __init__(self, connected: socket.socket, timeout: float | None) -> None:
        self._socket = connected
        self._timeout = timeout
        # What came of an answer.
        self.early = b""

    def send(self, pieces: Iterable[bytes | memoryview]) -> bool:
        """False where an answer comes before all is sent. Raises `TimeoutError` where nothing moves for too long."""
        self._socket.settimeout(0)
        try:
            return all(self._send(memoryview(piece)) for piece in pieces)
        finally:
            self._socket.settimeout(self._timeout)

    def _send(self, rest: memoryview) -> bool:
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
                continue
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
                ready = selector.select(self._timeout)
            if not ready:
                raise TimeoutError
            if ready[0][1] & selectors.EVENT_READ and self._is_answered():
                return False
        return True

    def _is_answered(self) -> bool:
        try:
            data = self._socket.recv(LONGEST_LINE)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False  # of TLS, and no answer
        self.early += data
        # An interim answer (1xx) asks for the rest.
        return not data or (len(self.early) > 9 and self.early[9:10] != b"1")

    def makefile(self, mode: str) -> io.BufferedReader:
        """What came, and then what comes."""
        return io.BufferedReader(_Rest(self.early, self._socket)) if self.early else self._socket.makefile("rb")


class _Rest(io.RawIOBase):
    def __init__(self, early: bytes, connected: socket.socket) -> None:
        self._early = early
        self._file = connected.makefile("rb", 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        if not self._early:
            return self._file.readinto(buffer)
        count = min(len(buffer), len(self._early))
        buffer[:count], self._early = self._early[:count], self._early[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class Response(http.client.HTTPResponse):
    """A response whose head is a list of fields, as they came."""

    fields: list[tuple[str, str]]

    def __init__(self, connected: socket.socket | Sender, method: str) -> None:
        super().__init__(connected, method=method)  # type: ignore[arg-type]
        self.bodiless = method == "HEAD"
        self._lines = self._bytes = 0

    def begin(self) -> None:
        self._status()
        self.fields = self._fields()
        while 100 <= self.status < 200:
            if self.status == 101:
                raise http.client.HTTPException("the server wants to speak another protocol")
            self._status()
            self.fields = self._fields()
        known: dict[str, set[str]] = {}
        for name, value in self.fields:
            known.setdefault(name.lower(), set()).add(value.lower())
        connection = ",".join(known.get("connection", ()))
        self.will_close = "close" in connection or (self.version == 10 and "keep-alive" not in connection)
        coding = known.get("transfer-encoding", set())
        lengths = known.get("content-length", set())
        # Where a body ends must not be a matter of taste (RFC 9112 section 6.3): whoever reads it otherwise reads on.
        if coding - {"chunked"} or len(lengths) > 1 or not all(_is_number(length) for length in lengths):
            raise http.client.HTTPException("the answer's head does not say where its body ends")
        self.chunked = bool(coding)
        self.chunk_left = None
        if self.bodiless or self.status in (204, 304):
            self.length = 0
        elif self.chunked or not lengths:
            self.length = None
        else:
            self.length = int(lengths.pop())
        self.will_close = self.will_close or (self.length is None and not self.chunked)

    def _line(self) -> str:
        line: bytes = self.fp.readline(LONGEST_LINE + 1)
        self._lines += 1
        self._bytes += len(line)
        if len(line) > LONGEST_LINE or self._bytes > LONGEST_HEAD or self._lines > MOST_LINES:
            raise http.client.HTTPException("the answer's head has no end")
        if line.startswith(b"\x15\x03"):  # an alert
            raise http.client.HTTPException("the peer answered in TLS")
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the connection was closed before an answer came")
        return line.decode("latin-1").rstrip("\r\n")

    def _status(self) -> None:
        line = self._line()
        version, _, rest = line.partition(" ")
        code = rest[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(code) == 3 and code.isascii() and code.isdecimal()):
            raise http.client.HTTPException("the answer is no HTTP/1.1")
        self.version, self.status, self.reason = 10 if version == "HTTP/1.0" else 11, int(code), rest[4:]

    def _fields(self) -> list[tuple[str, str]]:
        fields: list[tuple[str, str]] = []
        while line := self._line():
            name, colon, value = line.partition(":")
            if line[0] in " \t" and fields:  # a folded line belongs to the one before
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
            elif colon:
                fields.append((name, value.strip(" \t")))
        return fields


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20


def pieces(response: Response, size: int) -> Iterator[bytes]:
    """The body. Raises `ConnectionResetError` where it breaks off."""
    while piece := response.read(size):
        yield piece
    if response.length:
        raise ConnectionResetError("the body broke off")
