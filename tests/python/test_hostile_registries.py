"""Registries that mean no good, or are plainly wrong: what a table of bad answers cannot say. Families as T-…"""

import contextlib
import hashlib
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import chartoci
import pytest
from chartoci.testing import Fault, Registry
from conftest import peer, read_request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

Answered = Callable[[str], tuple[int, dict[str, str], bytes]]


@pytest.fixture
def client(each_client: chartoci.Client) -> chartoci.Client:
    """Each driver in turn."""
    return each_client


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def manifest_of(layer: bytes, config: bytes = b"{}") -> bytes:
    def described(kind: str, data: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    layers = [described(CHART, layer)]
    return json.dumps({"schemaVersion": 2, "config": described(CONFIG, config), "layers": layers}).encode()


@contextlib.contextmanager
def registry(answer: Answered) -> Iterator[tuple[str, list[str]]]:
    """A peer that answers each request line as told; its address, and the lines that it saw."""
    seen: list[str] = []

    def serve(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            line = request[0].rpartition(" ")[0]
            seen.append(line)
            status, fields, body = answer(line)
            fields = {"Content-Length": str(len(body))} | fields
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            sent = b"" if line.startswith("HEAD") else body
            connection.sendall(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + sent)

    with peer(serve) as host:
        yield host, seen


def tags_of(page: Callable[[int], list[str]], pages: int) -> Answered:
    def answer(line: str) -> tuple[int, dict[str, str], bytes]:
        number = int(line.rpartition("page=")[2]) if "page=" in line else 0
        link = {"Link": f"</v2/web/tags/list?page={number + 1}>; rel=next"} if number + 1 < pages else {}
        return 200, link, json.dumps({"tags": page(number)}).encode()

    return answer


def test_t_page_1_pages_without_end_end(client: chartoci.Client) -> None:
    with registry(tags_of(lambda number: [], 10**9)) as (host, seen):
        with pytest.raises(chartoci.LimitError) as raised:
            client.tags(f"{host}/web")
        assert (raised.value.code, len(seen)) == ("limit.pages", 1000)
    with registry(tags_of(lambda number: [f"{number:08}"], 10**9)) as (host, seen):
        # Of 40 bytes each, as they are counted.
        limited = chartoci.Client(credentials=None, limits=chartoci.Limits(tags=90))
        with limited, pytest.raises(chartoci.LimitError) as raised:
            limited.tags(f"{host}/web")
        assert (raised.value.code, len(seen)) == ("limit.pages", 3)


def test_t_page_1_what_is_repeated_counts_once_and_what_is_no_version_is_set_aside(client: chartoci.Client) -> None:
    odd = ["latest", "sha256-ab.sig", "1.0.0", "v1.0.1", "1.0", "1.2.0_b1", "1.0.0"]
    with registry(tags_of(lambda number: odd, 3)) as (host, _):
        assert client.tags(f"{host}/web") == odd[:-1]
        assert [str(version) for version in client.versions(f"{host}/web")] == ["1.2.0+b1", "1.0.0"]


def test_t_digest_1_the_digest_in_the_reference_governs(client: chartoci.Client, chart: bytes) -> None:
    with Registry() as served:
        first = client.push(chart, f"oci://{served.host}/charts")
        client.copy(first.reference, f"{served.host}/charts/web:other")
        pinned = f"{served.host}/charts/web:other@{first.digest}"
        assert client.open(pinned).data == chart
        wrong = f"{served.host}/charts/web:other@sha256:{'0' * 64}"
        with pytest.raises(chartoci.NotFoundError):
            client.open(wrong)


def test_t_digest_1_a_manifest_that_is_another_than_was_asked_for_is_refused(client: chartoci.Client) -> None:
    body = manifest_of(b"layer")
    with registry(lambda line: (200, {"Content-Type": MANIFEST}, body)) as (host, _):
        with pytest.raises(chartoci.IntegrityError) as raised:
            client.artifact(f"{host}/web@sha256:{'0' * 64}")
        assert raised.value.context["expected"] == f"sha256:{'0' * 64}"


def test_t_digest_1_bytes_are_verified_behind_a_redirect_as_well(
    client: chartoci.Client, tmp_path: pathlib.Path
) -> None:
    layer = b"ten bytes."
    with registry(lambda line: (200, {}, b"TEN BYTES.")) as (elsewhere, _):

        def answer(line: str) -> tuple[int, dict[str, str], bytes]:
            if "/blobs/" in line:
                return 307, {"Location": f"http://{elsewhere}/blob"}, b""
            return 200, {"Content-Type": MANIFEST}, manifest_of(layer)

        with registry(answer) as (host, _), pytest.raises(chartoci.IntegrityError):
            client.pull(f"{host}/web:1.0.0", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_t_digest_1_sha512_is_verified_by_its_own_algorithm(client: chartoci.Client) -> None:
    body = manifest_of(b"layer")
    named = f"sha512:{hashlib.sha512(body).hexdigest()}"
    with registry(lambda line: (200, {"Content-Type": MANIFEST}, body)) as (host, _):
        assert client.artifact(f"{host}/web@{named}").manifest == body
    with registry(lambda line: (200, {"Content-Type": MANIFEST}, body + b" ")) as (host, _):
        with pytest.raises(chartoci.IntegrityError):
            client.artifact(f"{host}/web@{named}")


def test_t_size_1_a_manifest_without_end_is_not_read_to_its_end(client: chartoci.Client) -> None:
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sent += connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    with peer(endless) as host:
        with pytest.raises(chartoci.LimitError) as raised:
            client.artifact(f"{host}/web:1.0.0")
        assert raised.value.code == "limit.body"
        assert sent < 64 << 20


def test_t_size_1_a_slow_drip_is_given_up_when_the_time_for_the_whole_is_over(client: chartoci.Client) -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b" ")

    with peer(drip) as host:
        began = time.monotonic()
        with pytest.raises(chartoci.TimeoutError):
            client.artifact(f"{host}/web:1.0.0", timeout=0.4)
        assert time.monotonic() - began < 2
        over.set()


def test_t_size_1_what_is_small_by_nature_does_not_drip_for_ever(
    using: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It has 30 seconds, on a clock that runs a hundred times as fast.
    fast = SimpleNamespace(monotonic=lambda: 100 * time.monotonic(), monotonic_ns=time.monotonic_ns)
    monkeypatch.setattr("chartoci.drive.time", fast)
    for status, kind in [("200 OK", chartoci.TimeoutError), ("404 Not Found", chartoci.NotFoundError)]:
        over = threading.Event()

        def drip(connection: socket.socket, status: str = status, over: threading.Event = over) -> None:
            read_request(connection)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 100000\r\n\r\n".encode())
            while not over.wait(0.05):
                connection.sendall(b" ")

        with peer(drip) as host:
            began = time.monotonic()
            with pytest.raises(kind):
                using(idle_timeout=0.2).artifact(f"{host}/web:1.0.0")
            assert time.monotonic() - began < 2
            over.set()


def test_t_sig_2_ten_thousand_referrers_are_too_many(client: chartoci.Client) -> None:
    entries = [{"mediaType": MANIFEST, "digest": digest(str(number).encode()), "size": 1} for number in range(10_000)]
    body = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    with registry(lambda line: (200, {}, body)) as (host, _):
        with pytest.raises(chartoci.LimitError):
            client.referrers(f"{host}/web@sha256:{'0' * 64}")


def test_t_toctou_1_what_was_resolved_is_what_is_pulled_though_the_tag_moves(
    client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path
) -> None:
    with Registry() as served:
        first = client.push(chart, f"oci://{served.host}/charts")
        resolved = client.resolve(first.reference)
        other = client.push(chart, f"oci://{served.host}/charts", created=1_000_000_000)
        assert other.digest != first.digest
        assert client.pull(resolved.reference, tmp_path).digest == first.digest
        with pytest.raises(chartoci.ChartOciError) as raised:
            client.pull(resolved.reference, tmp_path, check_tag=True)
        assert raised.value.code == "integrity.tag_mismatch"


def test_t_push_1_what_is_there_is_left_alone_where_that_was_asked_for(client: chartoci.Client, chart: bytes) -> None:
    with Registry() as served:
        target = f"oci://{served.host}/charts"
        assert not client.push(chart, target, if_exists="refuse").skipped
        for if_exists in ("refuse", "skip-same"):
            if if_exists == "skip-same":
                assert client.push(chart, target, if_exists="skip-same").skipped
            else:
                with pytest.raises(chartoci.ConflictError):
                    client.push(chart, target, if_exists="refuse")
        writes = [line for line in served.requests if line[0] == "PUT" and "/manifests/" in line[1]]
        assert len(writes) == 1


def test_t_push_1_a_push_that_fails_leaves_no_tag(client: chartoci.Client, chart: bytes) -> None:
    def refuses(method: str, target: str) -> Fault | None:
        return Fault(status=403) if method == "PUT" and "/blobs/" in target else None

    with Registry(faults=refuses) as served:
        with pytest.raises(chartoci.DeniedError):
            client.push(chart, f"oci://{served.host}/charts")
        assert not [line for line in served.requests if line[0] == "PUT" and "/manifests/" in line[1]]
        assert [line for line in served.requests if line[0] == "DELETE"], "what was begun is dropped"


def test_t_push_1_pushes_of_one_chart_at_once_leave_it_whole(chart: bytes) -> None:
    with Registry(token=True) as served, chartoci.Client(credentials=served.credentials) as client:
        target = f"oci://{served.host}/charts"
        threads = [threading.Thread(target=client.push, args=(chart, target)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert client.open(f"{served.host}/charts/web:1.2.0_demo.1").data == chart


def test_t_token_1_parallel_pulls_share_one_token_which_is_renewed_once(chart: bytes) -> None:
    with Registry(token=True) as served:
        with chartoci.Client(credentials=served.credentials) as client:
            pushed = client.push(chart, f"oci://{served.host}/charts")
        del served.requests[:]
        asked: list[str] = []

        def credentials(query: Any) -> tuple[str, str]:
            asked.append(query.registry)
            time.sleep(0.2)
            assert served.credentials is not None
            return served.credentials

        with chartoci.Client(credentials=credentials) as client:
            threads = [threading.Thread(target=client.open, args=(pushed.reference,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        tokens = [line for line in served.requests if line[1].startswith("/token")]
        assert (len(tokens), len(asked)) == (1, 1), served.requests


def test_t_token_1_a_token_may_be_anything_that_fits_a_header_and_no_more(client: chartoci.Client) -> None:
    rows: list[tuple[str, str | None]] = [("a" * 8000, None), ("." * 100_000, None)]
    rows += [(token, "auth.token") for token in ("x\r\nEvil: 1", "", "a b")]
    for token, code in rows:

        def answer(line: str, token: str = token) -> tuple[int, dict[str, str], bytes]:
            if "/token" in line:
                return 200, {}, json.dumps({"token": token}).encode()
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'}, b""

        with registry(answer) as (host, seen):
            with pytest.raises(chartoci.ChartOciError) as raised:
                client.tags(f"{host}/web")
            if code is not None:
                assert raised.value.code == code
            assert len(seen) <= 5
            assert not token or token not in str(raised.value)


def test_t_ssrf_1_whoever_is_not_allowed_is_not_connected_to(tmp_path: pathlib.Path) -> None:
    with registry(lambda line: (200, {}, b"secret")) as (inner, seen):
        allowed: list[tuple[str, str, int]] = []

        def allow(host: str, ip: str, port: int) -> bool:
            allowed.append((host, ip, port))
            return f"{host}:{port}" != inner

        def answer(line: str) -> tuple[int, dict[str, str], bytes]:
            if "/blobs/" in line:
                return 307, {"Location": f"http://{inner}/latest/meta-data"}, b""
            return 200, {"Content-Type": MANIFEST}, manifest_of(b"secret")

        with registry(answer) as (host, _), chartoci.Client(credentials=None, allow=allow) as client:
            with pytest.raises(chartoci.DeniedError) as raised:
                client.pull(f"{host}/web:1.0.0", tmp_path)
            assert raised.value.code == "transport.forbidden"
            assert (seen, len(allowed)) == ([], 2)


def test_t_ssrf_1_a_page_of_tags_or_referrers_never_leads_to_another_host(client: chartoci.Client) -> None:
    with registry(lambda line: (200, {}, b"{}")) as (inner, seen):
        link = {"Link": f"<http://{inner}/next>; rel=next"}
        with registry(lambda line: (200, link, b'{"tags":["1.0.0"],"manifests":[]}')) as (host, _):
            for call in (lambda: client.tags(f"{host}/web"), lambda: client.referrers(f"{host}/web@sha256:{'0' * 64}")):
                with pytest.raises(chartoci.ProtocolError):
                    call()
        assert seen == []


def test_t_path_2_a_chart_whose_name_is_a_sibling_of_the_directory_stays_in_it(
    client: chartoci.Client, tmp_path: pathlib.Path, chart: bytes
) -> None:
    with Registry() as served:
        pushed = client.push(chart, f"oci://{served.host}/charts")
        out = tmp_path / "out"
        (tmp_path / "out-evil").mkdir()
        client.pull(pushed.reference, out, untar=True)
        client.pull(pushed.reference, out)
        assert list((tmp_path / "out-evil").iterdir()) == []
        assert {path.name for path in out.iterdir()} == {"web", "web-1.2.0+demo.1.tgz"}
