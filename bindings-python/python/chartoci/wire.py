"""HTTP/1.1 on a connection that was accepted: requests in, responses out.

http.server reads a head with the parser for mail; with a small chart that takes as long as all else.
"""

import re
import socket
from collections.abc import Iterator
from http import HTTPStatus

from chartoci.blobs import CHUNK

LONGEST_HEAD = 65_536
MOST_FIELDS = 100
LONGEST_LINE = 1024  # of those that a body in chunks has
_END = re.compile(rb"\r?\n\r?\n")
_START = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s\0]+) (HTTP/\d\.\d)")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\0]*?)[ \t]*")
_REASONS = {int(status): status.phrase for status in HTTPStatus}


class Refused(Exception):
    """A head that is none; `args[0]` is the status that says so."""


class Wire:
    """One connection, and the request on it that was read last."""

    method: str = ""
    target: str = ""
    fields: list[tuple[str, str]]
    # Bytes of the body that are still to come; what comes in chunks has no length before its end.
    remaining: int = 0
    chunked: bool = False
    closes: bool = False

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        connected.settimeout(timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connected = connected
        self._rest = b""
        self._continues = False

    def next(self) -> bool:
        """Reads the head of the next request. False: there is none. Raises `Refused`."""
        data = self._rest.lstrip(b"\r\n")
        while (end := _END.search(data)) is None:
            if len(data) > LONGEST_HEAD:
                raise Refused(431)
            if data.startswith(b"\x16\x03"):  # TLS: who speaks it waits for an answer, and there is no line's end in it
                raise Refused(400)
            more = self.connected.recv(LONGEST_HEAD)
            if not more:
                return False
            data = (data + more).lstrip(b"\r\n")
        self._rest = data[end.end() :]
        if end.start() > LONGEST_HEAD:
            raise Refused(431)
        first, *lines = data[: end.start()].decode("latin-1").replace("\r\n", "\n").split("\n")
        start = _START.fullmatch(first)
        if start is None:
            raise Refused(400)
        self.method, self.target, version = start.groups()
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise Refused(505)
        if len(lines) > MOST_FIELDS:
            raise Refused(431)
        found = [_FIELD.fullmatch(line) for line in lines]
        self.fields = [(field[1], field[2]) for field in found if field is not None]
        if len(self.fields) < len(lines):
            raise Refused(400)
        self._frame(is_old=version == "HTTP/1.0")
        return True

    def _frame(self, is_old: bool) -> None:
        """Where the body ends, which must not be a matter of taste (RFC 9112, 6.3), and the connection."""
        lengths, codings, words = set[str](), list[str](), list[str]()
        self._continues = False
        for name, value in self.fields:
            match name.lower():
                case "content-length":
                    lengths.add(value)
                case "transfer-encoding":
                    codings.append(value.lower())
                case "connection":
                    words += [word.strip() for word in value.lower().split(",")]
                case "expect":
                    self._continues = not is_old and value.lower() == "100-continue"
        self.closes = "close" in words or (is_old and "keep-alive" not in words)
        self.chunked = codings == ["chunked"]
        if (codings and not self.chunked) or (self.chunked and lengths) or len(lengths) > 1:
            raise Refused(400)
        self.remaining = _number(lengths.pop(), 10) if lengths else 0
        if self.remaining < 0:
            raise Refused(400)

    @property
    def is_unread(self) -> bool:
        """There is a body, of which not all was read."""
        return self.remaining != 0 or self.chunked

    def body(self) -> Iterator[bytes]:
        """The pieces of the body. Raises `EOFError` where it breaks off."""
        if self._continues:
            self._continues = False
            self.connected.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.chunked:
            size = _number(self._line().split(b";")[0].strip().decode("latin-1"), 16)
            if size < 0:
                raise EOFError("the length of a chunk is no number")
            if size == 0:
                self._trailer()
                self.chunked = False
                return
            while size:
                piece = self._read(size)
                size -= len(piece)
                yield piece
            if self._line().strip():
                raise EOFError("a chunk is longer than its length")
        while self.remaining:
            piece = self._read(self.remaining)
            self.remaining -= len(piece)
            yield piece

    def _trailer(self) -> None:
        for _ in range(MOST_FIELDS):
            if not self._line().strip():
                return
        raise EOFError("the trailer has no end")

    def _read(self, most: int) -> bytes:
        if self._rest:
            data, self._rest = self._rest[:most], self._rest[most:]
        else:
            data = self.connected.recv(min(most, CHUNK))
        if not data:
            raise EOFError("the body is short")
        return data

    def _line(self) -> bytes:
        while (end := self._rest.find(b"\n")) < 0:
            if len(self._rest) > LONGEST_LINE:
                raise EOFError("a line of the body has no end")
            more = self.connected.recv(LONGEST_LINE)
            if not more:
                raise EOFError("the body is short")
            self._rest += more
        line, self._rest = self._rest[:end], self._rest[end + 1 :]
        return line

    def respond(self, status: int, fields: list[tuple[str, str]], pieces: Iterator[bytes]) -> None:
        """Sends an answer; its head and the first piece of its body in one packet."""
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", *(f"{name}: {value}" for name, value in fields)]
        if self.closes:
            lines.append("connection: close")
        lines += ("", "")
        bodiless = self.method == "HEAD"
        first = b"" if bodiless else next(pieces, b"")
        self.connected.sendall("\r\n".join(lines).encode("latin-1") + first)
        if not bodiless:
            for piece in pieces:
                self.connected.sendall(piece)


def _number(text: str, base: int) -> int:
    """A length, or -1 for what is none."""
    digits = "0123456789abcdef"[:base]
    return int(text, base) if text and len(text) < 16 and all(c in digits for c in text.lower()) else -1
