"""Bad input and bad peers: the code, a remedy, no file under its final name, nothing left beside it."""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import chartoci
import pytest
from chartoci.testing import Registry
from conftest import peer, read_request

CASES = json.loads((pathlib.Path(__file__).parent.parent / "errors" / "cases.json").read_text())
# The hosts' own environment must not decide what a test sees.
QUIET = {**os.environ, "HELM_REGISTRY_CONFIG": "/nowhere/config.json", "DOCKER_CONFIG": "/nowhere"}


def command(*words: object) -> subprocess.CompletedProcess[str]:
    """The command line, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "chartoci", *map(str, words)],
        capture_output=True,
        text=True,
        env=QUIET,
        timeout=60,
    )


def scripted(answers: list[dict[str, Any]]) -> Any:
    """A peer that answers each request as the table says."""

    def answer(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            found = next(answer for answer in answers if request[0].startswith(answer["match"]))
            fields = {"Content-Length": str(len(found["body"].encode()))} | found["headers"]
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            body = "" if request[0].startswith("HEAD") else found["body"]
            connection.sendall(f"HTTP/1.1 {found['status']} X\r\n{head}\r\n{body}".encode())

    return peer(answer)


def says_what_to_do(error: chartoci.ChartOciError, says: list[str]) -> None:
    """The hint has the first of the table's words; the others stand in it or in the message."""
    assert says[0] in error.hint, error.hint
    assert all(words in f"{error} {error.hint}" for words in says), error


def connected(host: str) -> socket.socket:
    name, _, port = host.partition(":")
    return socket.create_connection((name, int(port)))


def do(client: chartoci.Client, verb: str, host: str, chart: bytes, directory: pathlib.Path) -> object:
    match verb:
        case "push":
            return client.push(chart, f"oci://{host}/charts")
        case "pull":
            return client.pull(f"oci://{host}/charts/web:1.0.0", directory)
        case _:
            return client.versions(f"oci://{host}/charts/web")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_bad_answer(case: Any, each_client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path) -> None:
    expect = case["expect"]
    with scripted(case["answers"]) as host, pytest.raises(chartoci.ChartOciError) as caught:
        do(each_client, case["verb"], host, chart, tmp_path / "out")
    error = caught.value
    assert (error.kind, error.code) == (expect["kind"], expect["code"]), error
    says_what_to_do(error, expect["says"])
    assert list(tmp_path.glob("out/*")) == []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_bad_answer_on_the_command_line(case: Any, tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    expect = case["expect"]
    with scripted(case["answers"]) as host:
        verbs: dict[str, list[object]] = {
            "push": ["push", tgz, f"oci://{host}/charts"],
            "pull": ["pull", f"oci://{host}/charts/web:1.0.0", "-d", tmp_path / "out"],
            "versions": ["versions", f"oci://{host}/charts/web"],
        }
        # Retries are tested elsewhere; here nobody waits for them.
        done = command("--json", *verbs[case["verb"]], "--attempts", "1")
    assert done.returncode == expect["exit"], done.stderr
    message, *hint = done.stderr.splitlines()
    assert message.startswith("Error: ") and expect["says"][0] in " ".join(hint)
    assert all(words in done.stderr for words in expect["says"])
    said = json.loads(done.stdout)["error"]
    assert (said["kind"], said["code"]) == (expect["kind"], expect["code"])
    assert set(said) >= {"kind", "code", "message", "hint", "context"}


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["push", "{tgz}", "127.0.0.1:1/x"], "reference.scheme", 7),
        (["push", "{tgz}", "oci://127.0.0.1:1/x:1.0.0"], "reference.push_target", 2),
        (["push", "{tgz}", "oci://user:secret@127.0.0.1:1/x"], "reference.userinfo", 7),
        (["pull", "oci://host.invalid/x:1.0.0"], "transport.connect", 5),
        (["pull", "oci://127.0.0.1:1/X:1.0.0"], "reference.repository", 7),
        (["versions", "oci://127.0.0.1:1/x", "not a range"], "version.constraint", 7),
        (["tags", "oci://127.0.0.1:1/x", "--ca-file", "/nowhere/ca.pem"], "files.not_found", 4),
        (["tags", "oci://127.0.0.1:1/x", "--ca-file", "{text}"], "misuse.argument", 2),
        (["tags", "oci://127.0.0.1:1/x", "--cert-file", "{text}"], "misuse.argument", 2),
        (["show", "chart", "/nowhere"], "files.not_found", 4),
        (["show", "nothing", "{tgz}"], "misuse.argument", 2),
        (["package", "/nowhere"], "files.not_found", 4),
        (["package", "{tgz}"], "files.not_directory", 2),
        (["serve", "--listen", "nowhere"], "misuse.argument", 2),
        (["serve", "--listen", "0.0.0.0:0"], "misuse.argument", 2),
        (["pull"], "misuse.argument", 2),
        (["nothing"], "misuse.argument", 2),
        (["--bogus"], "misuse.argument", 2),
    ],
)
def test_bad_input_on_the_command_line(
    words: list[str], code: str, exit_code: int, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "text").write_text("no archive\n")
    places = {"tgz": tgz, "directory": tmp_path, "text": tmp_path / "text"}
    done = command("--json", "--attempts", "1", *(word.format(**places) for word in words))
    assert done.returncode == exit_code, done.stderr
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) >= 2
    assert json.loads(done.stdout)["error"]["code"] == code
    assert "secret" not in done.stdout + done.stderr


def test_an_unknown_version_says_so(client: chartoci.Client, chart_registry: Registry, chart: bytes) -> None:
    client.push(chart, f"oci://{chart_registry.host}/charts")
    for version, code in (("9.9.9", "registry.manifest_unknown"), ("^9", "registry.version_unknown")):
        with pytest.raises(chartoci.NotFoundError) as caught:
            client.resolve(f"{chart_registry.host}/charts/web", version=version)
        assert caught.value.code == code
        assert isinstance(caught.value, LookupError)


DAMAGES: dict[str, tuple[Any, str]] = {
    "a flipped byte": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "integrity.digest_mismatch"),
    "a short body": (lambda data: data[:-1], "integrity.size_mismatch"),
    "an overlong body": (lambda data: data + b"x", "integrity.size_mismatch"),
    "nothing": (lambda data: b"", "integrity.size_mismatch"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_bytes_never_get_a_name(
    name: str, client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path
) -> None:
    damage, code = DAMAGES[name]
    with Registry(tmp_path / "registry") as registry:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
        blob = next((tmp_path / "registry" / "blobs").rglob(chartoci.Digest.of(chart).hex))
        good, bad = chart, damage(chart)

        def serve(connection: socket.socket) -> None:
            while (request := read_request(connection)) is not None:
                with connected(registry.host) as upstream:
                    upstream.sendall(f"{request[0]}\r\nHost: {registry.host}\r\nConnection: close\r\n\r\n".encode())
                    data = b"".join(iter(lambda: upstream.recv(1 << 16), b""))
                head, _, body = data.partition(b"\r\n\r\n")
                if body == good:
                    head = head.replace(b"%d" % len(good), b"%d" % len(bad))
                    body = bad
                connection.sendall(head.replace(b"connection: close\r\n", b"") + b"\r\n\r\n" + body)
                return

        with peer(serve) as host:
            for untar in (False, True):
                with pytest.raises(chartoci.IntegrityError) as caught:
                    client.pull(f"{host}/charts/web:{pushed.tag}", tmp_path / "out", untar=untar)
                assert caught.value.code == code
                assert caught.value.hint
                assert list(tmp_path.glob("out/*")) == []
        assert blob.read_bytes() == good


def test_a_digest_that_differs_from_the_one_asked_for_is_refused(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(chartoci.NotFoundError):
        client.pull(f"{chart_registry.host}/charts/web@{wrong}", tmp_path)
    manifest = client.artifact(pushed.reference).manifest.decode()
    answers = [{"match": "", "status": 200, "body": manifest}]
    answers[0]["headers"] = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    with scripted(answers) as host, pytest.raises(chartoci.IntegrityError) as caught:
        client.pull(f"{host}/charts/web@{wrong}", tmp_path)
    assert caught.value.code == "integrity.digest_mismatch"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_connection_that_breaks_in_the_middle_is_resumed_or_reported(
    attempts: int, chart: bytes, tmp_path: pathlib.Path
) -> None:
    broken = 0
    with Registry() as registry, chartoci.Client(credentials=None) as client:
        pushed = client.push(chart, f"oci://{registry.host}/charts")

        def serve(connection: socket.socket) -> None:
            nonlocal broken
            while (request := read_request(connection)) is not None:
                with connected(registry.host) as upstream:
                    upstream.sendall(f"{request[0]}\r\nHost: {registry.host}\r\nConnection: close\r\n\r\n".encode())
                    data = b"".join(iter(lambda: upstream.recv(1 << 16), b""))
                if chart in data and not broken:
                    broken += 1
                    connection.sendall(data[: -len(chart) // 2])
                    return
                connection.sendall(data)
                return

        policy = chartoci.RetryPolicy(attempts=attempts, backoff=0.01)
        with peer(serve) as host, chartoci.Client(credentials=None, retry=policy) as second:
            if attempts == 1:
                with pytest.raises(chartoci.TransportError) as caught:
                    second.pull(f"{host}/charts/web:{pushed.tag}", tmp_path)
                assert caught.value.code == "transport.reset"
                assert list(tmp_path.iterdir()) == []
            else:
                assert second.pull(f"{host}/charts/web:{pushed.tag}", tmp_path).path.read_bytes() == chart
    assert broken == 1


def test_a_full_disk_is_reported_and_nothing_stays(chart_registry: Registry, client: chartoci.Client, chart: bytes,
                                                   tmp_path: pathlib.Path) -> None:
    client.push(chart, f"oci://{chart_registry.host}/charts")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [sys.executable, "-m", "chartoci", "--json", "pull", f"oci://{chart_registry.host}/charts/web", "--devel",
         "-d", str(tmp_path / "out")],
        capture_output=True, text=True, env=QUIET | {"PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=limit, timeout=60,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "transport.storage"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_directory_that_may_not_be_written_is_reported(
    chart_registry: Registry, client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(chartoci.ChartOciError) as caught:
        client.pull(pushed.reference, tmp_path / "file" / "out")
    assert caught.value.hint
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("silent_from", ["the connection", "the answer", "the body"])
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_control_c_ends_at_once_though_the_peer_never_answers(
    silent_from: str, verb: str, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    reached, over = threading.Event(), threading.Event()

    def answer(connection: socket.socket) -> None:
        if silent_from != "the connection":
            read_request(connection)
        if silent_from == "the body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        reached.set()
        over.wait(30)

    words = {
        "push": ["push", str(tgz), "oci://{host}/charts"],
        "pull": ["pull", "oci://{host}/charts/web:1.0.0", "-d", str(tmp_path / "out")],
    }[verb]
    with peer(answer) as host:
        process = subprocess.Popen(
            [sys.executable, "-m", "chartoci", "--json", *(word.format(host=host) for word in words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=QUIET,
        )  # fmt: skip
        try:
            assert reached.wait(20)
            time.sleep(0.2)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            document, said = process.communicate(timeout=10)
            assert time.monotonic() - began < 1
        finally:
            process.kill()
            over.set()
    assert process.returncode == 130
    assert said == "Error: interrupted\n"
    error = json.loads(document)["error"]
    assert (error["kind"], error["code"], error["message"]) == ("aborted", "exchange.aborted", "interrupted")
    assert list(tmp_path.glob("out/*")) == []


def test_a_time_limit_ends_a_verb_though_the_peer_drips(client: chartoci.Client, tmp_path: pathlib.Path) -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    with peer(drip) as host:
        for patient in (client, chartoci.Client(credentials=None, timeout=0.3)):
            began = time.monotonic()
            with patient, pytest.raises(TimeoutError) as caught:
                patient.pull(f"{host}/charts/web:1.0.0", tmp_path, timeout=0.3)
            assert time.monotonic() - began < 1
            assert isinstance(caught.value, chartoci.TransportError)
            assert caught.value.code == "transport.timeout"
    assert list(tmp_path.iterdir()) == []


def test_silence_ends_an_attempt() -> None:
    with peer(lambda connection: time.sleep(5)) as host:
        policy = chartoci.RetryPolicy(attempts=1)
        with chartoci.Client(credentials=None, idle_timeout=0.2, retry=policy) as client:
            began = time.monotonic()
            with pytest.raises(chartoci.TimeoutError):
                client.tags(f"{host}/charts/web")
            assert time.monotonic() - began < 2


def test_an_exception_of_the_caller_is_not_taken_for_one_of_the_peer(
    client: chartoci.Client, chart_registry: Registry, chart: bytes
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")

    def fail(event: object) -> None:
        raise ConnectionResetError("mine")

    with pytest.raises(ConnectionResetError, match="mine"):
        client.open(pushed.reference, progress=fail)
    with pytest.raises(ConnectionResetError, match="mine"):
        client.push(chart, f"oci://{chart_registry.host}/other", progress=fail)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /v2/x/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v2/x/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v2/x/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ],
)
def test_the_registry_refuses_lengths_that_are_none(chart_registry: Registry, request_head: bytes) -> None:
    with connected(chart_registry.host) as connection:
        connection.settimeout(5)
        connection.sendall(request_head)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400")


def test_requests_go_through_a_proxy_where_one_is_named(chart: bytes) -> None:
    seen: list[str] = []

    def answer(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            seen.append(request[0])
            connection.sendall(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")

    from chartoci.transport.urllib3 import Urllib3Transport

    with peer(answer) as host:
        transport = Urllib3Transport(proxies={"http": f"http://ada:secret@{host}", "https": f"http://{host}"})
        policy = chartoci.RetryPolicy(attempts=1)
        for plain in (True, False):
            with chartoci.Client(credentials=None, plain_http=plain, transport=transport, retry=policy) as client:
                with pytest.raises(chartoci.ChartOciError):
                    client.tags("registry.invalid/charts/web")
        transport.close()
    assert seen[0] == "GET http://registry.invalid/v2/charts/web/tags/list HTTP/1.1"
    assert seen[1].startswith("CONNECT registry.invalid:443 HTTP/1.")


TAGS = b'{"name":"web","tags":["1.0.0"]}'
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(TAGS)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + SIZED + b"\r\n" + TAGS,
        b"HTTP/1.1 200\r\nTransfer-Encoding: CHUNKED\r\n\r\n4;x=y\r\n" + TAGS[:4] + b"\r\n1b\r\n" + TAGS[4:] + b"\r\n0\r\nA: b\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + TAGS,
        b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(TAGS) + TAGS,
        SIZED + b"X-Long: one\r\n two\r\n\tthree\r\nNo field at all\r\n\r\n" + TAGS,
    ],
    ids=["informational", "chunked", "until it closes", "bare line feeds", "folded"],
)  # fmt: skip
def test_every_form_of_an_answer_is_understood(answer: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with peer(serve) as host, chartoci.Client(credentials=None) as client:
        assert client.tags(f"{host}/charts/web") == ["1.0.0"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "transport.reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "transport.reset"),
        (SIZED + b"\r\n" + TAGS[:-3], "transport.reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort", "transport.reset"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "transport.other"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "transport.other"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "transport.other"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", "transport.other"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n" + b" z\r\n" * 1000 + b"\r\n", "transport.other"),
        (b"HTTP/1.1 200 OK\r\n" + b"no field\r\n" * 1000 + b"\r\n", "transport.other"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, "transport.other"),
        (SIZED + b"Content-Length: 5\r\n\r\n" + TAGS, "transport.other"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +31\r\n\r\n" + TAGS, "transport.other"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + TAGS, "transport.other"),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "another protocol", "an upgrade", "fields without end",
         "a line without end", "a fold without end", "lines without end", "hints without end", "two lengths",
         "a length that is no number", "a coding that was not asked for"],
)  # fmt: skip
def test_an_answer_that_is_none_says_so(answer: bytes, code: str) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    policy = chartoci.RetryPolicy(attempts=1)
    with peer(serve) as host, chartoci.Client(credentials=None, retry=policy) as client:
        with pytest.raises(chartoci.TransportError) as caught:
            client.tags(f"{host}/charts/web")
    assert caught.value.code == code


def test_a_refusal_in_the_middle_of_an_upload_is_read(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    body = b'{"errors":[{"code":"SIZE_INVALID","message":"too much"}]}'
    refusal = b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def serve(connection: socket.socket) -> None:
        line = b""
        while not line.endswith(b"\r\n\r\n"):
            line += connection.recv(1)
        if line.startswith(b"POST"):
            connection.sendall(b"HTTP/1.1 202 X\r\nLocation: /up?a=b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):  # so that the system sends no reset
            pass

    big = tmp_path / "big"
    shutil.copytree(web, big)
    (big / "noise.bin").write_bytes(random.Random(1).randbytes(3 << 20))
    with peer(serve) as host, chartoci.Client(credentials=None, retry=chartoci.RetryPolicy(attempts=1)) as client:
        with pytest.raises(chartoci.UnsupportedError) as caught:
            client.push(chartoci.package(big), f"oci://{host}/charts")
    assert (caught.value.code, caught.value.status) == ("registry.too_large", 413)
