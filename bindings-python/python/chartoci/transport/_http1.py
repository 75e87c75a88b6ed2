"""HTTP/1.1 on a connection that stands: a request's head out, an answer in.

http.client writes a head field by field, reads one line by line with the parser for mail, and makes a file of the socket for
each answer; with a small chart that takes as long as all else.
"""

import math
import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator

from chartoci import transport

LONGEST_LINE = 65_536
# Seconds for which the small parts of a body are put together.
GATHERING = 0.25
# Of one answer: of its interim heads (1xx) and its own together.
LONGEST_HEAD = 262_144
MOST_LINES = 400
# What is asked of a socket at once, while no more is known to come.
BLOCK = 65_536
# Some end their lines without a carriage return.
_END = re.compile(rb"\n\r?\n")

NO_ANSWER = "the connection was closed before an answer came"
NO_HTTP = "the answer is no HTTP/1.1"
IN_TLS = "the peer answered in TLS"
NO_END = "the answer's head has no end"
NO_CHUNK = "a chunk of the answer's body does not say how long it is"
BROKEN = "the body broke off"


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


class Response:
    """An answer on a socket: `begin` reads its head, `pieces` its body. `early` is what came already.

    `fields` are as they came. `is_over`: all was read. `will_close`: the connection is of no more use then.
    """

    status: int
    fields: list[tuple[str, str]]
    will_close: bool
    is_over = False
    # Nothing has come.
    is_silent = True

    def __init__(self, connected: socket.socket, method: str, early: bytes = b"") -> None:
        self._receive: Callable[[int], bytes] = connected.recv
        self._bodiless = method == "HEAD"
        self._silence = connected.gettimeout()
        # When the head must be there.
        self._until = math.inf
        # What was received, and how much of it was taken.
        self._data = early
        self._at = 0

    def begin(self) -> None:
        """Reads the head, and those before it that are none (1xx). Raises `TimeoutError` where nothing comes for too long, or
        no end does."""
        read = lines = 0
        if self._silence is not None:
            self._until = time.monotonic() + max(transport.HEAD_PATIENCE, self._silence)
        while True:
            head = self._head(LONGEST_HEAD - read)
            read += len(head)
            first, *rest = head.split("\n")
            lines += len(rest) + 1
            if lines > MOST_LINES:
                raise ValueError(NO_END)
            version, _, line = first.partition(" ")
            code = line[:3]
            if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(code) == 3 and code.isascii() and code.isdecimal()):
                raise ValueError(NO_HTTP)
            self.status = int(code)
            if self.status == 101:
                raise ValueError("the server wants to speak another protocol")
            if not 100 <= self.status < 200:
                break
            self._hurry()
        self.fields = fields = _fields(rest)
        known: dict[str, set[str]] = {}
        for name, value in fields:
            name = name.lower()
            if name in ("connection", "transfer-encoding", "content-length"):
                known.setdefault(name, set()).add(value.lower())
        connection = ",".join(known.get("connection", ()))
        coding = known.get("transfer-encoding", set())
        lengths = known.get("content-length", set())
        # Where a body ends must not be a matter of taste (RFC 9112 section 6.3): whoever reads it otherwise reads on.
        if coding - {"chunked"} or len(lengths) > 1 or not all(_is_number(length) for length in lengths):
            raise ValueError("the answer's head does not say where its body ends")
        self._chunked = bool(coding)
        self._length: int | None = None
        if self._bodiless or self.status in (204, 304):
            self._chunked, self._length = False, 0
        elif lengths and not coding:
            self._length = int(lengths.pop())
        self.will_close = "close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection)
        if self._length == 0:
            self._end()

    def pieces(self, size: int) -> Iterator[bytes]:
        """The body, in pieces of at most `size` bytes. Raises `ConnectionResetError` where it breaks off."""
        if self._chunked:
            while left := self._chunk():
                yield from self._exactly(left, size)
                if self._line():
                    raise ValueError(NO_CHUNK)
            for _ in range(MOST_LINES):
                if not self._line():
                    break
            else:
                raise ValueError(NO_END)
            self._end()
        elif self._length is not None:
            yield from self._exactly(self._length, size)
        else:
            self.will_close = True
            while piece := self._take(size):
                yield piece

    def _end(self) -> None:
        self.is_over = True
        # What nobody has asked for is no answer to the next request.
        self.will_close = self.will_close or self._at < len(self._data)

    def _head(self, most: int) -> str:
        """The lines of a head, without what ends the last one."""
        data, start = self._data, self._at
        # Most come whole, at once.
        if start == len(data):
            data, start = self._receive(BLOCK), 0
            if not data:
                raise ConnectionResetError(NO_ANSWER)
            self.is_silent = False
        end = _END.search(data, start)
        if end is None:
            gathered, start = bytearray(data[start:]), 0
            while end is None:
                if not b"HTTP/1.".startswith(gathered[:7]):
                    raise ValueError(IN_TLS if gathered.startswith(b"\x15\x03") else NO_HTTP)  # an alert
                if len(gathered) > most:
                    raise ValueError(NO_END)
                self._hurry()
                piece = self._receive(BLOCK)
                if not piece:
                    raise ConnectionResetError(NO_ANSWER)
                looked = max(0, len(gathered) - 2)
                gathered += piece
                end = _END.search(gathered, looked)
            data = bytes(gathered)
        if end.start() - start > most:
            raise ValueError(NO_END)
        self._data, self._at = data, end.end()
        return data[start : end.start()].decode("latin-1")

    def _hurry(self) -> None:
        if time.monotonic() > self._until:
            raise TimeoutError

    def _take(self, most: int) -> bytes:
        """What comes next, at most so many bytes; none at the end."""
        data, at = self._data, self._at
        if at == len(data):
            return self._receive(most)
        self._at = min(len(data), at + most)
        return data[at : self._at]

    def _exactly(self, left: int, size: int) -> Iterator[bytes]:
        """So many bytes. Small parts are put together, for who takes them, unless they come by drops."""
        while left:
            parts = []
            missing = wanted = min(left, size)
            until = time.monotonic() + GATHERING
            try:
                while missing:
                    part = self._take(missing)
                    if not part:
                        raise ConnectionResetError(BROKEN)
                    parts.append(part)
                    missing -= len(part)
                    if missing and time.monotonic() > until:
                        break
            except OSError:
                if parts:
                    yield b"".join(parts)
                raise
            left -= wanted - missing
            if left == 0 and not self._chunked:
                self._end()
            yield parts[0] if len(parts) == 1 else b"".join(parts)

    def _line(self) -> bytes:
        """The next line of a body in chunks, without its end."""
        while (end := self._data.find(b"\n", self._at)) < 0:
            if len(self._data) - self._at > LONGEST_LINE:
                raise ValueError(NO_END)
            piece = self._receive(BLOCK)
            if not piece:
                raise ConnectionResetError(BROKEN)
            self._data, self._at = self._data[self._at :] + piece, 0
        line = self._data[self._at : end].rstrip(b"\r")
        self._at = end + 1
        return line

    def _chunk(self) -> int:
        """The size of the next chunk; what it is extended by means nothing to us."""
        size = self._line().partition(b";")[0].strip(b" \t")
        if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
            raise ValueError(NO_CHUNK)
        return int(size, 16)


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[0] in " \t" and fields:  # a folded line belongs to the one before
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
        elif colon:
            fields.append((name, value.strip(" \t\r")))
    return fields


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20
