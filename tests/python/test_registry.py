"""The registry as it is hosted in Python: who may use it, what it does wrong on request, many at once."""

import asyncio
import base64
import http.client
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Receiver
from chartoci.serving import Server
from chartoci.testing import Fault, Registry

# "correct horse", by `htpasswd -bnBC 4`.
ADA = "ada:$2y$04$RUrZ0yGK1jjKeJv.yic20.LY6O1Q6m5PAvA7K1Bedt4vC2uzFOi96"
QUICK = chartoci.RetryPolicy(attempts=3, backoff=0.01, backoff_max=0.02)


def get(host: str, target: str, **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(host, timeout=10)) as connection:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@contextmanager
def served(**named: Any) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), **named)
    server.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.stop()


def test_users_of_a_password_file_are_known_and_no_others(tmp_path: pathlib.Path) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(f"# people\n\n{ADA}\n")
    with served(htpasswd=users) as host:
        assert get(host, "/v2/")[0] == 401
        for _ in range(2):
            assert get(host, "/v2/", Authorization=basic("ada", "correct horse"))[0] == 200
        for name, password in (("ada", "wrong"), ("ada", ""), ("eve", "correct horse"), ("", "")):
            assert get(host, "/v2/", Authorization=basic(name, password))[0] == 401


def test_a_password_file_that_changes_is_read_again(tmp_path: pathlib.Path) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(ADA)
    with served(htpasswd=users) as host:
        assert get(host, "/v2/", Authorization=basic("ada", "correct horse"))[0] == 200
        users.write_text(ADA.replace("ada:", "eve:"))
        os.utime(users, (1, 1))
        assert get(host, "/v2/", Authorization=basic("ada", "correct horse"))[0] == 401
        assert get(host, "/v2/", Authorization=basic("eve", "correct horse"))[0] == 200


@pytest.mark.skipif(not shutil.which("htpasswd"), reason="htpasswd is not installed")
def test_what_htpasswd_writes_is_read(tmp_path: pathlib.Path, chart: bytes) -> None:
    made = subprocess.run(["htpasswd", "-Bbn", "ada", "pässwörd"], capture_output=True, check=True).stdout
    (tmp_path / "htpasswd").write_bytes(made)
    for token in (False, True):
        with served(htpasswd=tmp_path / "htpasswd", token=token) as host:
            with chartoci.Client(credentials=("ada", "pässwörd")) as client:
                client.push(chart, f"oci://{host}/charts")
            with chartoci.Client(credentials=("ada", "password")) as client, pytest.raises(chartoci.DeniedError):
                client.push(chart, f"oci://{host}/charts")


@pytest.mark.parametrize("line", ["ada:$apr1$x$y", "ada:{SHA}AAAA", "ada", "ada:plain"])
def test_hashes_that_are_too_weak_are_refused_at_the_start(line: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "htpasswd").write_text(f"{ADA}\n{line}\n")
    with pytest.raises(chartoci.MisuseError) as caught:
        Server(("127.0.0.1", 0), htpasswd=tmp_path / "htpasswd")
    assert caught.value.context["line"] == "2" and "htpasswd -B" in caught.value.hint


def test_serve_speaks_tls_and_knows_the_users_of_a_file(tmp_path: pathlib.Path, chart: bytes) -> None:
    (tmp_path / "htpasswd").write_text(ADA)
    with Registry(tls=True) as other:
        assert other.ca_file is not None
        pair = ["--cert-file", other.ca_file, "--key-file", other.ca_file.with_name("key.pem")]
        words = ["serve", tmp_path / "data", "--listen", "127.0.0.1:0", "--quiet", "--token", "--htpasswd", tmp_path / "htpasswd"]
        command = [sys.executable, "-m", "chartoci", *map(str, [*words, *pair])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            host = process.stdout.readline().split("https://")[1].strip()
            with chartoci.Client(credentials=("ada", "correct horse"), ca_file=other.ca_file) as client:
                pushed = client.push(chart, f"oci://{host}/charts")
                assert client.open(pushed.reference).data == chart
            process.terminate()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--token"], "--htpasswd"),
        (["--cert-file", "x"], "both"),
        (["--listen", "0.0.0.0:0"], "--anonymous"),
        (["--htpasswd", "/nowhere"], ""),
        (["--cert-file", "/nowhere", "--key-file", "/nowhere"], ""),
    ],
)
def test_serve_says_what_is_missing(words: list[str], hint: str) -> None:
    command = [sys.executable, "-m", "chartoci", "serve", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and hint in done.stderr and "Traceback" not in done.stderr


def faulty(method: str, part: str, fault: Fault, times: int = 1) -> tuple[list[int], Any]:
    """A fault that strikes the first requests of a kind; and how often it did."""
    struck = [0]

    def faults(asked: str, target: str) -> Fault | None:
        if asked == method and part in target and struck[0] < times:
            struck[0] += 1
            return fault
        return None

    return struck, faults


@pytest.mark.parametrize(
    ("method", "part", "fault"),
    [
        ("GET", "/blobs/", Fault(503)),
        ("GET", "/blobs/", Fault(500, body=b"<html>oops</html>", headers=(("content-type", "text/html"),))),
        ("GET", "/manifests/", Fault(429, headers=(("retry-after", "0.01"),))),
        ("GET", "/blobs/", Fault(reset=True)),
        ("GET", "/blobs/", Fault(None, short=100)),
        ("GET", "/blobs/", Fault(None, drip=0.001)),
        ("GET", "/manifests/", Fault(None, headers=(("docker-content-digest", ""),))),
        ("POST", "/uploads/", Fault(502, body=b"")),
        ("POST", "/uploads/", Fault(reset=True)),
        ("POST", "/uploads/", Fault(None, reset=True)),
        ("PUT", "/uploads/", Fault(None, reset=True)),
        ("PUT", "/uploads/", Fault(503)),
        ("PUT", "/manifests/", Fault(None, reset=True)),
        ("PUT", "/manifests/", Fault(504, delay=0.01)),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_what_goes_wrong_once_is_mended(method: str, part: str, fault: Fault, chart: bytes) -> None:
    struck, faults = faulty(method, part, fault)
    with Registry(faults=faults) as registry, chartoci.Client(credentials=None, retry=QUICK) as client:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
        assert client.open(pushed.reference).data == chart
    assert struck == [1]


@pytest.mark.parametrize(
    ("part", "fault", "error"),
    [
        ("/manifests/", Fault(None, flip=True), chartoci.ChartOciError),
        ("/blobs/", Fault(None, flip=True), chartoci.IntegrityError),
        ("/manifests/", Fault(None, (("docker-content-digest", f"sha256:{'0' * 64}"),)), chartoci.IntegrityError),
        ("/manifests/", Fault(200, (("content-type", "text/html"),), b"<html>log in</html>"), chartoci.ChartOciError),
        ("/blobs/", Fault(403), chartoci.DeniedError),
        ("/manifests/", Fault(404), chartoci.NotFoundError),
    ],
    ids=["manifest", "blob", "header", "html", "denied", "not found"],
)
def test_what_stays_wrong_is_said(part: str, fault: Fault, error: type[Exception], chart: bytes) -> None:
    _, faults = faulty("GET", part, fault, times=100)
    with Registry(faults=faults) as registry, chartoci.Client(credentials=None, retry=QUICK) as client:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
        with pytest.raises(error):
            client.open(pushed.reference)


def test_a_pull_goes_on_where_a_registry_ignores_ranges(chart: bytes) -> None:
    faults = iter([Fault(None, short=1000), Fault(None, ignore=("range",))])

    def strike(method: str, target: str) -> Fault | None:
        return next(faults, None) if method == "GET" and "/blobs/" in target else None

    with Registry(faults=strike) as registry, chartoci.Client(credentials=None, retry=QUICK) as client:
        assert client.open(client.push(chart, f"oci://{registry.host}/charts").reference).data == chart
        assert [status for method, target, status in registry.requests if method == "GET" and "/blobs/" in target] == [200, 200]
    assert next(faults, None) is None


def test_what_is_too_large_for_a_registry_goes_up_in_pieces(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    shutil.copytree(web, tmp_path / "web")
    (tmp_path / "web" / "noise").write_bytes(os.urandom(200_000))
    packed = chartoci.package(tmp_path / "web")

    def faults(method: str, target: str) -> Fault | None:
        return Fault(413, above=65_536) if method in ("PUT", "PATCH", "POST") and "/uploads/" in target else None

    with Registry(faults=faults) as registry, chartoci.Client(credentials=None, retry=QUICK) as client:
        pushed = client.push(packed, f"oci://{registry.host}/charts")
        assert client.open(pushed.reference).data == packed.data
        assert "PATCH" in {method for method, _, status in registry.requests if status == 202}


def test_a_token_that_expires_is_asked_for_again(chart: bytes) -> None:
    with Registry(token=True, token_lifetime=1) as registry, chartoci.Client(credentials=registry.credentials) as client:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
        time.sleep(1.1)
        assert client.open(pushed.reference).data == chart
        assert len([target for _, target, _ in registry.requests if target.startswith("/token")]) >= 2


def test_fifty_clients_at_once(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    packed = [chartoci.package(web, version=f"1.0.{number}") for number in range(50)]
    failures: list[BaseException] = []

    def work(host: str, number: int) -> None:
        try:
            with chartoci.Client(credentials=None) as client:
                pushed = client.push(packed[number], f"oci://{host}/charts")
                assert client.open(pushed.reference).data == packed[number].data
        except BaseException as error:
            failures.append(error)

    with Registry(tmp_path) as registry:
        threads = [threading.Thread(target=work, args=(registry.host, number)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        with chartoci.Client(credentials=None) as client:
            assert len(client.tags(f"{registry.host}/charts/web")) == 50


def test_a_receiver_bears_many_threads() -> None:
    """Whoever writes, nothing crashes, and every byte is counted once."""
    from chartoci.sansio import Exchange, Send, Session

    exchange = Exchange.tags(Session(seed=1), "127.0.0.1:1/charts/web")
    while not isinstance(output := exchange.poll(0), Send):
        pass
    receiver: Receiver = exchange.handle_response(output.request.id, 200, [])
    piece, sizes = b" " * 100, []

    def write() -> None:
        for _ in range(200):
            receiver.write(piece)
            sizes.append(receiver.seen)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.seen == max(sizes) == 8 * 200 * 100
    exchange.handle_end(output.request.id, receiver)
    for refused in (lambda: receiver.write(piece), lambda: exchange.handle_end(output.request.id, receiver)):
        with pytest.raises((ValueError, RuntimeError, TypeError)):
            refused()


def test_a_server_that_stops_leaves_no_thread_and_no_file(chart: bytes, tmp_path: pathlib.Path) -> None:
    async def use(host: str) -> None:
        async with chartoci.AsyncClient(credentials=None) as client:
            await asyncio.gather(*(client.tags(f"{host}/charts/web") for _ in range(20)))

    def count() -> tuple[int, int]:
        named = [thread for thread in threading.enumerate() if thread.name != "chartoci"]
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0, len(named)

    before = count()
    for _ in range(3):
        with Registry(tmp_path) as registry:
            with chartoci.Client(credentials=None) as client:
                client.push(chart, f"oci://{registry.host}/charts")
            asyncio.run(use(registry.host))
    deadline = time.monotonic() + 5
    while any(now > then for now, then in zip(count(), before, strict=True)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(now <= then for now, then in zip(count(), before, strict=True)), (before, count())


@pytest.mark.parametrize("origin", ["*", "null", "a.com", "https://a.com/page", ""])
def test_an_origin_that_is_none_is_refused_before_anything_is_served(origin: str, tmp_path: pathlib.Path) -> None:
    for _ in range(2):  # and the directory is free again
        with pytest.raises(chartoci.MisuseError) as caught:
            Server(("127.0.0.1", 0), tmp_path, cors_origins=(origin,))
        assert caught.value.code == "misuse.argument" and "https://charts.example:8443" in caught.value.hint
    with pytest.raises(chartoci.MisuseError, match="is no host"):
        Server(("127.0.0.1", 0), tmp_path, hosts=("http://a.com",))


def test_an_origin_is_known_however_it_is_written() -> None:
    server = Server(("127.0.0.1", 0), cors_origins=("https://App.Example:443/",))
    server.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/v2/"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"origin": "https://app.example"})) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://app.example"
    finally:
        server.stop()
