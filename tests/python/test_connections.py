"""Connections that stand, that die, and that lead through what is no proxy."""

import http.client
import pathlib
import socket
import time
from collections.abc import Callable
from typing import Any

import chartoci
import pytest
from chartoci.testing import Registry
from chartoci.transport import may_repeat
from conftest import peer, read_request

PAGE = b'{"name":"web","tags":["1.0.0"]}'


def test_a_connection_that_the_peer_closed_costs_no_try(using: Callable[..., Any]) -> None:
    asked: list[str] = []

    def once(connection: socket.socket) -> None:
        """Answers one request; hangs up on the next without a word."""
        request = read_request(connection)
        assert request is not None
        asked.append(request[0].split()[1])
        number = len(asked)
        link = b"" if number == 4 else b"link: </v2/web/tags/list?last=%d>; rel=next\r\n" % number
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s" % (link, len(PAGE), PAGE))
        connection.recv(1)

    with peer(once) as host:
        assert using().tags(f"{host}/web") == ["1.0.0"]
    assert len(asked) == 4


def test_a_new_connection_that_dies_is_a_try(using: Callable[..., Any]) -> None:
    asked = []

    def never(connection: socket.socket) -> None:
        asked.append(connection.recv(1))

    with peer(never) as host, pytest.raises(chartoci.TransportError) as caught:
        using().tags(f"{host}/web")
    assert caught.value.code == "transport.reset" and len(asked) == 1


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", b"x"), ("PUT", iter([b"x"]))])
def test_what_only_the_core_can_judge_is_not_sent_twice(method: str, body: Any) -> None:
    assert not may_repeat(method, body)
    assert may_repeat("GET", None) and may_repeat("POST", None) and may_repeat("PUT", b"x")


def test_a_push_by_one_try_goes_over_connections_that_the_peer_closed(chart: bytes, tmp_path: pathlib.Path) -> None:
    with Registry() as registry:

        def once(connection: socket.socket) -> None:
            request = read_request(connection)
            if request is None:
                return
            (method, target, _), body, fields = request[0].split(), request[1], request[2]
            inner = http.client.HTTPConnection(registry.host)
            inner.request(method, target, body, {**fields, "host": registry.host})
            answer = inner.getresponse()
            data = answer.read()
            inner.close()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("transfer-encoding", "connection")]
            lines = [f"HTTP/1.1 {answer.status} x", *(f"{name}: {value}" for name, value in kept), "", ""]
            # The answer and the end come at once: who has the one sees the other.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.sendall("\r\n".join(lines).encode() + data)

        with peer(once) as host:
            once_only = chartoci.RetryPolicy(attempts=1)
            with chartoci.Client(credentials=None, retry=once_only, concurrency=1) as client:
                pushed = client.push(chart, f"oci://{host}/charts")
                assert client.pull(pushed.reference, tmp_path).path.read_bytes() == chart


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_speaks_no_http_is_refused_before_anything_is_said_to_it(
    using: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    said: list[bytes] = []
    for other in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.upper(), raising=False)
    with peer(lambda connection: said.append(connection.recv(1))) as host:
        monkeypatch.setenv(name, f"socks5://ada:secret@{host}")
        client = using(plain_http=name != "HTTPS_PROXY", retry=None)
        began = time.monotonic()
        with pytest.raises(chartoci.MisuseError, match="neither of http nor of https") as caught:
            client.tags("registry.test/web")
    assert caught.value.code == "misuse.argument" and "SOCKS" in caught.value.hint and "secret" not in repr(caught.value)
    assert said == [] and time.monotonic() - began < 2


def test_a_proxy_that_wants_to_know_who_asks_is_no_connection(using: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")

    with peer(refuse) as host:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{host}")
        with pytest.raises(chartoci.TransportError, match="407") as caught:
            using(plain_http=False).tags("registry.test/web")
    assert caught.value.code == "transport.connect"


def test_the_lines_of_a_head_may_end_without_a_return(using: Callable[..., Any]) -> None:
    def bare(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\ncontent-type: application/json\ncontent-length: %d\n\n%s" % (len(PAGE), PAGE))

    with peer(bare) as host:
        assert using().tags(f"{host}/web") == ["1.0.0"]


def test_a_certificate_that_is_not_believed_is_told_in_the_systems_words(using: Callable[..., Any]) -> None:
    with Registry(tls=True) as registry, pytest.raises(chartoci.TransportError) as caught:
        using(plain_http=False).tags(f"{registry.host}/charts/web")
    assert caught.value.code == "transport.tls"
    assert "certificate verify failed" in str(caught.value) and " object at 0x" not in str(caught.value)
