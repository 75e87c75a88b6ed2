"""What a client takes from its surroundings: proxies and NO_PROXY, authorities of one's own, client certificates."""

import http.client
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import chartoci
import pytest
from chartoci.serving import Server
from chartoci.testing import Registry
from chartoci.transport.surroundings import proxy_for
from conftest import peer, read_request, serving

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
PROXY_PASSWORD = "se%3A%40cr%C3%A9t%E2%82%AC"
# As curl writes it: `curl -x http://ada:se%3A%40cr%C3%A9t%E2%82%AC@…`.
PROXY_LOGIN = "Basic YWRhOnNlOkBjcsOpdOKCrA=="
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def proxy(port: int) -> Iterator[tuple[str, list[str]]]:
    """A proxy that knows one registry on loopback, whatever name it is asked for; and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def note(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Proxy-Authorization')}")

        def do_CONNECT(self) -> None:
            self.note()
            with socket.create_connection(("127.0.0.1", port)) as there:
                self.send_response(200)
                self.end_headers()
                ways = [(self.connection, there), (there, self.connection)]
                pumps = [threading.Thread(target=pump, args=way, daemon=True) for way in ways]
                for thread in pumps:
                    thread.start()
                for thread in pumps:
                    thread.join()
            self.close_connection = True

        def forward(self) -> None:
            self.note()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            fields = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            there.request(self.command, "/" + self.path.split("/", 3)[3], body, {**fields, "Host": f"127.0.0.1:{port}"})
            answer = there.getresponse()
            data = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data if self.command != "HEAD" else b"")
            there.close()

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = forward

        def log_message(self, *_: object) -> None:
            pass

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    with serving(Handler) as place:
        yield f"127.0.0.1:{place}", asked


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate that signs itself, for registry.test and for clients, and its key."""
    directory = tmp_path_factory.mktemp("certificates")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    names = ["-addext", "subjectAltName=DNS:registry.test,IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=tests"]
    subprocess.run([*command, *files, *names], check=True, capture_output=True)
    return certificate, key


def test_plain_http_goes_through_the_proxy_by_the_whole_url(
    drive: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Registry() as registry, proxy(int(registry.host.split(":")[1])) as (place, asked):
        monkeypatch.setenv("http_proxy", f"http://ada:{PROXY_PASSWORD}@{place}")
        with pytest.raises(chartoci.NotFoundError):
            drive("tags", "registry.test/charts/web", plain_http=True)
    assert asked == [f"GET http://registry.test/v2/charts/web/tags/list {PROXY_LOGIN}"]


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_the_tunnel_is_asked_once(
    drive: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    asked: list[str] = []

    def refuse(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            asked.append(request[0])
            connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    with peer(refuse) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:secret@{place}")
        with pytest.raises(chartoci.TransportError) as caught:
            drive("tags", "registry.test/charts/web", retry=chartoci.RetryPolicy(attempts=3, backoff=0.01))
    assert caught.value.code == "transport.connect" and place in str(caught.value) and str(status) in str(caught.value)
    assert [line.rpartition(" ")[0] for line in asked] == ["CONNECT registry.test:443"]
    assert "proxy" in caught.value.hint and "secret" not in f"{caught.value!r} {caught.value.to_dict()}"


def test_the_answer_of_a_proxy_has_an_end(drive: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Established\r\n")
        while True:
            connection.sendall(b"X-More: more\r\n" * 1000)
            sent.append(1000)

    with peer(answer) as place:
        monkeypatch.setenv("HTTPS_PROXY", place)
        with pytest.raises(chartoci.TransportError):
            drive("tags", "registry.test/charts/web")
    assert sum(sent) < 1_000_000


def test_a_proxy_that_is_no_url_is_refused_without_its_secret(
    drive: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for given in ["http://ada:SE#CRET@p.test:1", "http://ada:99999/CRET@p.test:1", "http://ada:CRET@p.test:port"]:
        monkeypatch.setenv("HTTPS_PROXY", given)
        with pytest.raises(chartoci.MisuseError) as caught:
            drive("tags", "registry.test/charts/web")
        assert caught.value.code == "misuse.argument" and "%23" in caught.value.hint
        assert "CRET" not in f"{caught.value!r} {caught.value.to_dict()} {caught.value.__context__!r}"


def test_who_hangs_up_in_a_handshake_is_asked_again(drive: Callable[..., Any]) -> None:
    asked: list[bytes] = []

    def hang_up(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))

    with peer(hang_up) as place, pytest.raises(chartoci.TransportError) as caught:
        drive("tags", f"{place}/web", plain_http=False, retry=chartoci.RetryPolicy(attempts=3, backoff=0.01))
    assert len(asked) == 3 and caught.value.code in ("transport.reset", "transport.connect")


@openssl
def test_https_goes_through_a_tunnel(
    drive: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    certificates: tuple[pathlib.Path, pathlib.Path],
    chart: bytes,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates)
    server = Server(("127.0.0.1", 0), None, tls=context, hosts=("registry.test",))
    server.start()
    try:
        with proxy(server.server_address[1]) as (place, asked):
            monkeypatch.setenv("HTTPS_PROXY", f"ada:{PROXY_PASSWORD}@{place}")
            drive("push", chart, "oci://registry.test/charts", ca_file=certificates[0], concurrency=1)
    finally:
        server.stop()
    assert set(asked) == {f"CONNECT registry.test:443 {PROXY_LOGIN}"}


def test_who_is_exempt_from_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def through(host: str, scheme: str = "https", port: str = "") -> str | None:
        return proxy_for(f"{scheme}://{f'[{host}]' if ':' in host else host}{port}/", None)

    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "example.org, .internal,10.0.0.0/8 fd00::/8,not/a/network")
    for host in ("registry.test", "11.0.0.1", "example.organic", "fe00::1", "127.evil.example"):
        assert through(host) == "http://proxy.test:3128", host
    for host in ("localhost", "127.0.0.1", "::1", "example.org", "a.example.org", "reg.internal", "10.1.2.3", "fd12::1"):
        assert through(host) is None, host
    assert through("registry.test", "http") is None
    monkeypatch.setenv("ALL_PROXY", "http://all.test")
    assert through("registry.test", "http") == "http://all.test"
    assert proxy_for("https://registry.test/", {}) is None
    given = {"https": "proxy.test"}
    assert proxy_for("https://example.org/", given) == "http://proxy.test", "what is given asks no NO_PROXY"
    assert proxy_for("https://127.0.0.1/", given) is None
    monkeypatch.setenv("NO_PROXY", "*")
    assert through("registry.test") is None


@openssl
def test_an_authority_is_believed_that_the_environment_names(
    drive: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    certificates: tuple[pathlib.Path, pathlib.Path],
    chart: bytes,
) -> None:
    with Registry(tls=certificates) as registry:
        with pytest.raises(chartoci.TransportError) as caught:
            drive("push", chart, f"oci://{registry.host}/charts", plain_http=False)
        assert caught.value.code == "transport.tls"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates[0]))
        drive("push", chart, f"oci://{registry.host}/charts", plain_http=False)


@openssl
def test_a_client_shows_its_certificate(
    drive: Callable[..., Any], certificates: tuple[pathlib.Path, pathlib.Path], chart: bytes
) -> None:
    certificate, key = map(str, certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    registry = Registry(tls=certificates)
    registry._context = lambda: context  # type: ignore[method-assign]
    with registry:
        target = f"oci://{registry.host}/charts"
        drive("push", chart, target, ca_file=certificate, client_cert=(certificate, key))
        with pytest.raises(chartoci.TransportError) as caught:
            drive("tags", f"{target}/web", ca_file=certificate)
        # TLS 1.3 says so after the handshake; where the connection is gone before it is read nobody can tell.
        assert caught.value.code == "transport.reset" or "certificate of the client" in caught.value.hint


@openssl
def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(
    drive: Callable[..., Any], certificates: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    certificate, key = certificates
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked], check=True)
    with pytest.raises(chartoci.MisuseError, match="locked.pem: the key has a password"):
        drive("tags", "127.0.0.1:1/charts/web", plain_http=False, client_cert=(str(certificate), str(locked)))


@pytest.mark.parametrize("given", [{"ca_file": "/nowhere/ca.pem"}, {"client_cert": ("/nowhere/cert.pem", "/nowhere/key.pem")}])
def test_a_file_that_is_not_there_is_named(given: dict[str, Any], drive: Callable[..., Any]) -> None:
    with pytest.raises(chartoci.NotFoundError) as caught:
        drive("tags", "127.0.0.1:1/charts/web", **given)
    assert caught.value.code == "files.not_found" and "/nowhere/" in str(caught.value)
