"""Answers as they come over a socket, cut anywhere: what is read of them, and whether the connection is of use after that."""

from typing import Any

import pytest

from chartoci.transport._http1 import Response


class Wire:
    """A socket that gives these parts, and then has hung up."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def gettimeout(self) -> None:
        return None

    def recv(self, most: int) -> bytes:
        if not self.parts:
            return b""
        part = self.parts.pop(0)
        if len(part) > most:
            self.parts.insert(0, part[most:])
        return part[:most]


def read(*parts: bytes, method: str = "GET", size: int = 4) -> tuple[int, list[bytes], bool]:
    """Status, body in pieces, and whether the connection can be used again."""
    wire: Any = Wire(*parts)
    response = Response(wire, method)
    response.begin()
    pieces = list(response.pieces(size))
    return response.status, pieces, response.is_over and not response.will_close


WHOLE: dict[str, tuple[bytes, tuple[int, bytes, bool]]] = {
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef", (200, b"abcdef", True)),
    "no body": (b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n", (404, b"", True)),
    "lines that end without a carriage return": (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nab", (200, b"ab", True)),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nx: y\r\n\r\n",
        (200, b"abc0123456789", True),
    ),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nabcdef", (200, b"abcdef", False)),
    "a server that closes": (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\na", (200, b"a", False)),
    "heads before the head": (
        b"HTTP/1.1 103 X\r\nlink: </a>\r\n\r\nHTTP/1.1 100 X\r\n\r\nHTTP/1.1 201 X\r\ncontent-length: 0\r\n\r\n",
        (201, b"", True),
    ),
}


@pytest.mark.parametrize("case", WHOLE)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_an_answer_is_the_same_wherever_it_is_cut(case: str, step: int) -> None:
    data, (status, body, again) = WHOLE[case]
    seen = read(*(data[at : at + step] for at in range(0, len(data), step)))
    assert (seen[0], b"".join(seen[1]), seen[2]) == (status, body, again)
    assert all(len(piece) <= 4 for piece in seen[1])


def test_a_connection_with_more_than_was_asked_for_is_not_used_again() -> None:
    assert read(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200") == (200, [b"a"], False)


def test_small_parts_are_put_together() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
    assert read(head, *(bytes([byte]) for byte in b"abcdef"))[1] == [b"abcd", b"ef"]


def test_what_came_before_the_body_broke_off_is_not_lost() -> None:
    wire: Any = Wire(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", b"c")
    response, seen = Response(wire, "GET"), []
    response.begin()
    with pytest.raises(ConnectionResetError):
        for piece in response.pieces(100):
            seen.append(piece)
    assert seen == [b"abc"] and not response.is_over


def test_the_answer_to_head_has_no_body_whatever_it_says() -> None:
    for field in (b"content-length: 99", b"transfer-encoding: chunked"):
        assert read(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n", method="HEAD") == (200, [], True)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 101 X\r\nupgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        *(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + size + b"\r\na\r\n0\r\n\r\n"
            for size in (b"", b"+1", b"-1", b"0x1", b"1_0", b"1 1", b"g", b"f" * 17)
        ),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 300_000,
        b"HTTP/1.1 100 X\r\n\r\n" * 500,
    ],
    ids=lambda data: repr(data[:70]),
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read(data)
