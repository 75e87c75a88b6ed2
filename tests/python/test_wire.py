"""What `chartoci serve` makes of bytes on a connection (RFC 9112), as a peer that writes them by hand sees it."""

import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator

import chartoci
import pytest
from chartoci.testing import Registry

ONCE = chartoci.RetryPolicy(attempts=1)
BLOB = b"0123456789" * 10
DIGEST = "sha256:" + hashlib.sha256(BLOB).hexdigest()
POST = f"POST /v2/a/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nHost: localhost\r\n".encode()
GET = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with Registry() as registry:
        host, port = registry.host.split(":")
        yield host, int(port)


def said(address: tuple[str, int], *pieces: bytes) -> list[bytes]:
    """The first lines of all answers to what is sent in these pieces, until the server hangs up or is silent."""
    answers = b""
    with socket.create_connection(address) as connected, contextlib.suppress(TimeoutError):
        connected.settimeout(0.3)
        for piece in pieces:
            connected.sendall(piece)
        while more := connected.recv(65_536):
            answers += more
        answers += b"end"
    return re.findall(rb"HTTP/[^\r]*|end$", answers)


def test_a_body_comes_with_its_length_or_in_chunks_and_in_any_pieces(address: tuple[str, int]) -> None:
    created = [b"HTTP/1.1 201 Created"]
    assert said(address, POST + b"Content-Length: 100\r\n\r\n" + BLOB) == created
    assert said(address, POST, b"content-length: 100\r\n\r\n", BLOB[:30], BLOB[30:]) == created
    chunks = b"1E\r\n" + BLOB[:30] + b"\r\n46;x=y\r\n" + BLOB[30:] + b"\r\n0\r\nX-Trailer: x\r\n\r\n"
    assert said(address, POST + b"Transfer-Encoding: chunked\r\n\r\n", chunks[:40], chunks[40:]) == created
    # Requests one behind the other are answered one behind the other; an empty line between them is no request.
    both = POST + b"Content-Length: 100\r\n\r\n" + BLOB + b"\r\n" + GET
    assert said(address, both) == [*created, b"HTTP/1.1 200 OK"]
    assert said(address, GET.replace(b"\r\n", b"\n")) == [b"HTTP/1.1 200 OK"]


def test_who_waits_for_a_word_before_the_body_gets_it_only_where_the_body_is_wanted(address: tuple[str, int]) -> None:
    expects = b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    assert said(address, POST + expects, BLOB) == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 201 Created"]
    foreign = POST.replace(b"localhost", b"example.com")
    assert said(address, foreign + expects) == [b"HTTP/1.1 421 Misdirected Request", b"end"]


def test_a_connection_ends_where_the_client_says_so(address: tuple[str, int]) -> None:
    assert said(address, GET + GET) == [b"HTTP/1.1 200 OK"] * 2
    closes = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert said(address, closes + GET) == [b"HTTP/1.1 200 OK", b"end"]
    assert said(address, GET.replace(b"1.1", b"1.0")) == [b"HTTP/1.1 200 OK", b"end"]


@pytest.mark.parametrize(("data", "status"), [
    (b"nonsense\r\n\r\n", 400),
    (b"GET /v2/\r\n\r\n", 400),
    (b"GET /v2/ HTTP/2.0\r\n\r\n", 505),
    (b"GET /v2/ x HTTP/1.1\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    (GET[:-2] + b"no colon\r\n\r\n", 400),
    (GET[:-2] + b"space : x\r\n\r\n", 400),
    (GET[:-2] + b"X: a\r\n folded\r\n\r\n", 400),
    (GET[:-2] + b"X: a\rb\r\n\r\n", 400),
    (GET[:-2] + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"x" * 200_000, 431),
    (GET[:-2] + b"X: x\r\n" * 101 + b"\r\n", 431),
    (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (POST + b"Content-Length: -1\r\n\r\n", 400),
    (POST + b"Content-Length: 1_0\r\n\r\n", 400),
    (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400),
])  # fmt: skip
def test_what_is_no_request_is_refused_and_ends_the_connection(address: tuple[str, int], data: bytes, status: int) -> None:
    first, end = said(address, data + GET)
    assert (first.split()[1], end) == (str(status).encode(), b"end")


def test_who_speaks_tls_to_a_plain_port_or_the_reverse_is_told_so() -> None:
    with Registry() as plain, Registry(tls=True) as closed:
        with pytest.raises(chartoci.ChartOciError) as caught, chartoci.Client(plain_http=False, retry=ONCE) as client:
            client.tags(f"{plain.host}/a")
        assert caught.value.code == "transport.tls" and "plain http" in caught.value.hint
        with pytest.raises(chartoci.ChartOciError) as caught, chartoci.Client(retry=ONCE) as client:
            client.tags(f"{closed.host}/a")
        assert caught.value.status == 400 and "speaks TLS" in caught.value.hint and "ca_file" in caught.value.hint


def test_an_alert_of_tls_is_known_for_what_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def alert() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65_536)
                connected.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

        thread = threading.Thread(target=alert)
        thread.start()
        host, port = listening.getsockname()
        with pytest.raises(chartoci.ChartOciError) as caught, chartoci.Client(retry=ONCE) as client:
            client.tags(f"{host}:{port}/a")
        thread.join()
    assert caught.value.code == "transport.other" and "speaks TLS" in caught.value.hint


def test_a_head_that_is_none_is_told_as_all_else_is(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        with connection.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"server:" not in head.lower()
    assert b"content-type: application/json" in head and json.loads(body)["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize(("data", "status"), [
    (GET[:-2] + b"Host: evil.test\r\n\r\n", b"400"),
    (GET.replace(b" /v2/", b" http://localhost/v2/"), b"200"),
    (GET.replace(b" /v2/", b" http://evil.test/v2/"), b"421"),
    (GET.replace(b"GET", b"DELETE"), b"405"),
])  # fmt: skip
def test_a_request_has_one_host(address: tuple[str, int], data: bytes, status: bytes) -> None:
    assert said(address, data)[0].split()[1] == status
