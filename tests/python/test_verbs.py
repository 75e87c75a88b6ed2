"""Copy, delete and referrers, between registries of this process."""

import asyncio
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import chartoci
import pytest
from chartoci.cli import main
from chartoci.testing import Fault, Registry
from chartoci.transport import Failed
from chartoci.transport.urllib3 import Urllib3Transport
from conftest import peer, read_request, serving

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SIGNATURE = "application/vnd.dev.sigstore.bundle.v0.3+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"


@pytest.fixture
def two() -> Iterator[tuple[Registry, Registry]]:
    """A registry for everybody, and one with tokens."""
    with Registry() as open_one, Registry(token=True) as guarded:
        yield open_one, guarded


@pytest.fixture
def anybody(two: tuple[Registry, Registry]) -> Iterator[chartoci.Client]:
    """A client that knows the guarded one's password, and shows it nowhere else."""
    guarded = two[1]

    def credentials(query: Any) -> tuple[str, str] | None:
        return guarded.credentials if query.registry == guarded.host else None

    with chartoci.Client(credentials=credentials, retry=chartoci.RetryPolicy(attempts=2, backoff=0.0)) as client:
        yield client


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def send(registry: Registry, method: str, target: str, kind: str, body: bytes) -> None:
    status, _ = ask(registry, method, target, body, {"content-type": kind})
    assert status == 201, (target, status)


def ask(registry: Registry, method: str, target: str, body: bytes = b"", fields: Any = None) -> tuple[int, bytes]:
    """One request, by means that are not under test."""
    with contextlib.closing(http.client.HTTPConnection(registry.host)) as connection:
        connection.request(method, target, body, fields or {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def put(registry: Registry, repository: str, tag: str, blobs: dict[str, bytes], manifest: dict[str, Any]) -> str:
    """Puts an artifact there by hand; gives the manifest's digest."""
    for blob in blobs.values():
        place = f"/v2/{repository}/blobs/uploads/?digest={digest(blob)}"
        send(registry, "POST", place, "application/octet-stream", blob)
    body = json.dumps(manifest).encode()
    send(registry, "PUT", f"/v2/{repository}/manifests/{tag or digest(body)}", MANIFEST, body)
    return digest(body)


def described(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(blob), "size": len(blob)}


def sign(registry: Registry, repository: str, pushed: chartoci.Pushed, who: str = "us") -> str:
    subject = {"mediaType": MANIFEST, "digest": str(pushed.digest), "size": 1}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": SIGNATURE,
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [described(SIGNATURE, b"signed")],
        "subject": subject,
        "annotations": {"who": who},
    }
    return put(registry, repository, "", {"config": b"{}", "layer": b"signed"}, manifest)


def test_a_chart_is_copied_between_registries_with_its_bytes_and_its_signature(
    anybody: chartoci.Client, two: tuple[Registry, Registry], chart: bytes
) -> None:
    source, target = two
    pushed = anybody.push(chart, f"oci://{source.host}/charts")
    signature = sign(source, "charts/web", pushed)
    events: list[chartoci.Progress] = []
    watch: Any = events.append
    copied = anybody.copy(pushed.reference, f"oci://{target.host}/mirror/web:1", referrers=True, progress=watch)
    assert (copied.digest, [str(item) for item in copied.referrers]) == (pushed.digest, [signature])
    assert str(copied) == f"Copied: {target.host}/mirror/web:1\nDigest: {pushed.digest}"
    assert anybody.open(f"{target.host}/mirror/web:1").data == chart
    assert [(str(found.digest), found.artifact_type) for found in anybody.referrers(copied.reference)] == [
        (signature, SIGNATURE)
    ]
    assert any(isinstance(event, chartoci.Progress) and event.total == len(chart) for event in events)
    assert json.dumps(copied.to_dict())
    again = anybody.copy(pushed.reference, f"oci://{target.host}/mirror/web:1")
    assert {blob.state for blob in again.blobs} == {"mounted"}


def without_referrers(method: str, target: str) -> Fault:
    """A registry without an API for referrers, that heeds no condition of a PUT, as distribution 2.8."""
    if "/referrers/" in target:
        return Fault(404)
    return Fault(None, headers=(("oci-subject", ""), ("etag", "")), ignore=("if-match", "if-none-match"))


def test_where_a_tag_lists_the_referrers_none_is_lost_and_what_is_deleted_goes_from_it(chart: bytes) -> None:
    with Registry() as source, Registry(faults=without_referrers) as target:
        with chartoci.Client(credentials=None) as client:
            pushed = client.push(chart, f"oci://{source.host}/charts")
            client.copy(pushed.reference, f"{target.host}/charts/web:1.0.0")
            signatures = [sign(source, "charts/web", pushed, str(number)) for number in range(6)]

        async def all_at_once() -> None:
            async with chartoci.AsyncClient(credentials=None) as client:
                places = [f"/charts/web@{signature}" for signature in signatures]
                await asyncio.gather(*[client.copy(source.host + place, target.host + place) for place in places])

        asyncio.run(all_at_once())
        at = f"{target.host}/charts/web"
        with chartoci.Client(credentials=None) as client:

            def listed() -> set[str]:
                return {str(found.digest) for found in client.referrers(f"{at}:1.0.0")}

            assert listed() == set(signatures)
            client.delete(f"{at}@{signatures[0]}")
            assert listed() == set(signatures[1:])
            # Deleted by somebody who leaves it on the list.
            assert ask(target, "DELETE", f"/v2/charts/web/manifests/{signatures[1]}")[0] == 202
            heard: list[Any] = []
            copied = client.copy(f"{at}:1.0.0", f"{at}-copy:1.0.0", referrers=True, progress=heard.append)
            assert {str(item) for item in copied.referrers} == set(signatures[2:])
            codes = [event.code for event in heard if isinstance(event, chartoci.Notice)]
            assert codes == ["registry.referrer_gone"]


@pytest.mark.parametrize("transport", [None, "urllib3", "aiohttp"])
def test_who_gives_up_holds_up_nobody_else(transport: Any, chart: bytes) -> None:
    asked: list[Any] = []
    with Registry(token=True) as registry:

        def credentials(query: Any) -> Any:
            asked.append(query)
            if len(asked) == 1:
                raise RuntimeError("nobody can be asked")
            return registry.credentials

        tags = f"{registry.host}/charts/web"
        if transport is None:
            with chartoci.Client(credentials=credentials, timeout=10) as client:
                # What is raised is kept, and with it, in its traceback, what was given up.
                with pytest.raises(RuntimeError) as kept:
                    client.tags(tags)
                with pytest.raises(chartoci.NotFoundError):
                    client.tags(tags)
        else:

            async def main() -> None:
                async with chartoci.AsyncClient(credentials=credentials, timeout=10, transport=transport) as client:
                    with pytest.raises(RuntimeError) as kept:
                        await client.tags(tags)
                    with pytest.raises(chartoci.NotFoundError):
                        await client.tags(tags)
                    assert kept

            asyncio.run(main())
    assert len(asked) == 2 and (transport or kept)


def test_a_copy_within_a_registry_moves_no_bytes(
    anybody: chartoci.Client, two: tuple[Registry, Registry], chart: bytes
) -> None:
    pushed = anybody.push(chart, f"oci://{two[1].host}/charts")
    del two[1].requests[:]
    copied = anybody.copy(pushed.reference, f"oci://{two[1].host}/other/web:2")
    assert {blob.state for blob in copied.blobs} == {"mounted"}
    assert not [line for line in two[1].requests if line[0] == "PATCH" or (line[0] == "PUT" and "/blobs/" in line[1])]
    anybody.copy(pushed.reference, f"oci://{two[1].host}/charts/web:stable")
    assert anybody.resolve(f"{two[1].host}/charts/web:stable").digest == pushed.digest


def test_a_copy_goes_on_where_a_registry_serves_nobody_while_it_takes_a_blob(drive: Callable[..., Any], chart: bytes) -> None:
    # go-containerregistry's registry, which mounts nothing either.
    alone = threading.Lock()

    class OneByOne(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            with alone:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                target = self.path.partition("?mount=")[0]
                with contextlib.closing(http.client.HTTPConnection(registry.host)) as connection:
                    connection.request(self.command, target, body, {name: self.headers[name] for name in ("content-type",) if name in self.headers})
                    answer = connection.getresponse()
                    data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            pass

    with Registry() as registry, serving(OneByOne) as port:
        pushed = drive("push", chart, f"oci://127.0.0.1:{port}/charts")
        copied = drive("copy", pushed.reference, f"oci://127.0.0.1:{port}/other/web:2")
        assert copied.digest == pushed.digest and {blob.state for blob in copied.blobs} == {"uploaded"}


def answers(connection: Any, bodies: dict[str, bytes], breaks: int = 0) -> None:
    """A registry that serves these by their digests, and for the rest a manifest; so many blobs break off halfway."""
    while request := read_request(connection):
        name = request[0].split()[1].rpartition("/")[2]
        body = bodies.get(name, bodies["manifest"])
        start = int(request[2].get("range", "bytes=0-")[6:].partition("-")[0])
        extra = f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}\r\n" if start else ""
        head = f"HTTP/1.1 {206 if start else 200} OK\r\nContent-Type: {MANIFEST}\r\n{extra}"
        connection.sendall(f"{head}Content-Length: {len(body) - start}\r\n\r\n".encode())
        if "/blobs/" in request[0] and breaks and start < len(body) // 2 and len(body) > 1000:
            connection.sendall(body[start : len(body) // 2])
            return
        connection.sendall(body[start:])


def described_chart(layer: bytes) -> tuple[bytes, bytes]:
    """A config, and a manifest of it and that layer."""
    config = b'{"name":"web","version":"1.0.0","apiVersion":"v2"}'
    layers = [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", layer)]
    return config, json.dumps({"schemaVersion": 2, "config": described(HELM_CONFIG, config), "layers": layers}).encode()


def test_a_big_blob_is_streamed_and_goes_on_where_its_source_broke_off() -> None:
    layer = bytes(range(256)) * 12_000
    config, manifest = described_chart(layer)
    bodies = {"manifest": manifest, digest(config): config, digest(layer): layer}
    with peer(lambda connection: answers(connection, bodies, breaks=1)) as source, Registry() as target:
        with chartoci.Client(credentials=None) as client:
            copied = client.copy(f"{source}/big:1.0.0", f"{target.host}/big:1.0.0")
        assert str(copied.digest) == digest(manifest)
        assert ask(target, "GET", f"/v2/big/blobs/{digest(layer)}") == (200, layer)
        assert len([line for line in target.requests if line[0] == "PUT" and "/blobs/" in line[1]]) == 2


def test_a_source_that_sends_another_blob_never_completes_the_upload() -> None:
    layer = b"a" * 3_000_000
    config, manifest = described_chart(layer)
    bodies = {"manifest": manifest, digest(config): config, digest(layer): layer[:-1] + b"b"}
    with peer(lambda connection: answers(connection, bodies)) as source, Registry() as target:
        with chartoci.Client(credentials=None) as client:
            with pytest.raises(chartoci.IntegrityError) as raised:
                client.copy(f"{source}/web:1.0.0", f"{target.host}/web:1.0.0")
            assert raised.value.code == "integrity.digest_mismatch"
            with pytest.raises(chartoci.NotFoundError):
                client.resolve(f"{target.host}/web:1.0.0")


def test_giving_up_leaves_no_thread_that_waits_for_a_silent_source() -> None:
    silence = threading.Event()
    manifest = described_chart(b"x" * 100_000)[1]

    def answer(connection: Any) -> None:
        while request := read_request(connection):
            if "/blobs/" in request[0]:
                silence.wait(10)
                return
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST}\r\nContent-Length: {len(manifest)}\r\n\r\n"
            connection.sendall(head.encode() + manifest)

    with peer(answer) as source, Registry() as target, chartoci.Client(credentials=None) as client:
        with pytest.raises(chartoci.TransportError):
            client.copy(f"{source}/web:1.0.0", f"{target.host}/web:1.0.0", timeout=0.3)
        silence.set()


def test_what_a_request_never_sends_on_is_fetched_no_further() -> None:
    layer = b"a" * 3_000_000
    config, manifest = described_chart(layer)
    bodies = {"manifest": manifest, digest(config): config}
    silence = threading.Event()

    def answer(connection: Any) -> None:
        while request := read_request(connection):
            body = bodies.get(request[0].split()[1].rpartition("/")[2], bodies["manifest"])
            if digest(layer) in request[0]:
                begun.append(request[0])
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + layer[: 1 << 20])
                silence.wait(10)
                return
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    class Refusing(Urllib3Transport):
        @contextlib.contextmanager
        def open(self, method: str, url: str, headers: Any, body: Any, timeout: Any, call: Any) -> Iterator[Any]:
            if method in ("PUT", "PATCH"):
                raise Failed("connect", "nobody is there")
            with super().open(method, url, headers, body, timeout, call) as answer:
                yield answer

    begun: list[str] = []
    policy = chartoci.RetryPolicy(attempts=2, backoff=0.0)
    with peer(answer) as source, Registry() as target:
        with chartoci.Client(credentials=None, transport=Refusing(), retry=policy) as client:
            began = time.monotonic()
            with pytest.raises(chartoci.TransportError, match="nobody is there"):
                client.copy(f"{source}/web:1.0.0", f"{target.host}/web:1.0.0")
            assert time.monotonic() - began < 5 and begun
        silence.set()


@pytest.mark.parametrize("upgrade", [False, True])
def test_what_was_given_to_the_client_is_for_the_target_of_a_copy_only(
    upgrade: bool, chart: bytes, tmp_path: pathlib.Path
) -> None:
    files = tmp_path / "config.json"
    target = Registry(username="writer", password="target's", token=True)
    with Registry(username="reader", password="source's", token=True) as source, target:
        with chartoci.Client(credentials=source.credentials) as own:
            reference = own.push(chart, f"oci://{source.host}/charts").reference
        with chartoci.Client(credentials=target.credentials, registry_config=files) as client:
            with pytest.raises(chartoci.DeniedError):
                client.copy(reference, f"{target.host}/web:1", upgrade=upgrade)
            auth = base64.b64encode(b"reader:source's").decode()
            files.write_text(json.dumps({"auths": {source.host: {"auth": auth}}}))
            client.copy(reference, f"{target.host}/web:1", upgrade=upgrade)
        with chartoci.Client(credentials=target.credentials) as client:
            assert client.open(f"{target.host}/web:1").data == chart


def test_a_tag_and_a_digest_are_deleted(
    anybody: chartoci.Client, two: tuple[Registry, Registry], chart: bytes
) -> None:
    for registry in two:
        pushed = anybody.push(chart, f"oci://{registry.host}/charts")
        anybody.copy(pushed.reference, f"{registry.host}/charts/web:stable")
        assert anybody.delete(f"{registry.host}/charts/web:stable").digest is None
        assert anybody.tags(f"{registry.host}/charts/web") == ["1.2.0_demo.1"]
        deleted = anybody.delete(f"{registry.host}/charts/web@{pushed.digest}")
        assert deleted.digest == pushed.digest
        with pytest.raises(chartoci.NotFoundError):
            anybody.resolve(pushed.reference)
        with pytest.raises(chartoci.NotFoundError):
            anybody.delete(pushed.reference)


def test_a_config_that_says_something_else_than_the_chart_is_a_notice_of_its_pull(
    chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    claims = json.loads(chartoci.Archive.read(chart).metadata.config())
    kind = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    says = {
        "other": json.dumps({**claims, "version": "9.9.9"}).encode(),
        "spaced": json.dumps(claims, indent=1).encode(),
        "broken": b"[]",
    }
    for tag, config in says.items():
        manifest = {"schemaVersion": 2, "config": described(HELM_CONFIG, config), "layers": [described(kind, chart)]}
        put(chart_registry, "charts/web", tag, {"config": config, "layer": chart}, manifest)
    place, heard = f"{chart_registry.host}/charts/web", []
    with chartoci.Client() as client:
        other = client.pull(f"{place}:other", tmp_path, progress=heard.append)
        assert [notice.code for notice in other.notices] == ["artifact.config"]
        assert 'version is "9.9.9", and "1.2.0+demo.1" in Chart.yaml' in other.notices[0].text
        assert other.notices[0] in heard and other.path.read_bytes() == chart
        assert client.pull(f"{place}:spaced", tmp_path).notices == (), "the same in other bytes"
        assert [notice.code for notice in client.pull(f"{place}:broken", tmp_path, untar=True).notices] != []
        client.push(chart, f"oci://{chart_registry.host}/own")
        assert client.pull(f"{chart_registry.host}/own/web:1.2.0+demo.1", tmp_path).notices == ()
    assert main(["pull", f"oci://{place}:other", "-d", str(tmp_path)]) == 0
    assert 'Warning: the config says something else: version is "9.9.9"' in capfd.readouterr().err


def test_a_chart_of_helm_3_5_is_upgraded_where_that_is_asked_for(
    anybody: chartoci.Client, two: tuple[Registry, Registry], chart: bytes
) -> None:
    source, target = two
    config = chartoci.Archive.read(chart).metadata.config()
    for kind in ["application/tar+gzip", "application/vnd.cncf.helm.chart.content.layer.v1+tar"]:
        manifest = {"schemaVersion": 2, "config": described(HELM_CONFIG, config), "layers": [described(kind, chart)]}
        named = put(source, "old/web", "1.2.0_demo.1", {"config": config, "layer": chart}, manifest)
        artifact = anybody.artifact(f"{source.host}/old/web:1.2.0_demo.1")
        assert (artifact.what, artifact.is_legacy) == ("chart", True)
        kept = anybody.copy(f"{source.host}/old/web:1.2.0_demo.1", f"{target.host}/web:kept")
        assert (str(kept.digest), kept.upgraded) == (named, False)
        new = anybody.copy(f"{source.host}/old/web:1.2.0_demo.1", f"{target.host}/web:new", upgrade=True)
        assert new.upgraded
        assert new.digest == anybody.push(chart, f"oci://{target.host}/again").digest
        assert not anybody.artifact(f"{target.host}/web:new").is_legacy


def test_whatever_lies_at_a_reference_is_called_what_it_is(
    anybody: chartoci.Client, two: tuple[Registry, Registry]
) -> None:
    source = two[0]
    empty = "application/vnd.oci.empty.v1+json"
    image = "application/vnd.oci.image.config.v1+json"
    rows: list[tuple[str, str, list[str], dict[str, Any]]] = [
        ("image", image, ["application/vnd.oci.image.layer.v1.tar+gzip"], {}),
        ("signature", image, ["application/vnd.dev.cosign.simplesigning.v1+json"], {}),
        ("signature", empty, [SIGNATURE], {"artifactType": SIGNATURE}),
        ("signature", "application/vnd.cncf.notary.signature", ["application/jose+json"], {}),
        ("alpha-chart", HELM_CONFIG, ["application/vnd.cncf.helm.chart.meta.layer.v1+json"], {}),
        ("other", "application/vnd.wasm.config.v1+json", ["application/wasm"], {}),
    ]
    for number, (what, config, layers, more) in enumerate(rows):
        manifest = {
            "schemaVersion": 2,
            "config": described(config, b"{}"),
            "layers": [described(kind, b"layer") for kind in layers],
            **more,
        }
        put(source, "things", str(number), {"config": b"{}", "layer": b"layer"}, manifest)
        found = anybody.inspect(f"{source.host}/things:{number}")
        assert found.artifact.what == what, (what, found.artifact.explain())
        assert found.metadata is None


def test_the_command_line_copies_deletes_and_lists(
    two: tuple[Registry, Registry], chart: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    source = two[0]
    with chartoci.Client(credentials=None) as client:
        pushed = client.push(chart, f"oci://{source.host}/charts")
    signature = sign(source, "charts/web", pushed)
    other = f"oci://{source.host}/other/web:1"
    assert main(["copy", str(pushed.reference), other, "--referrers"]) == 0
    assert capsys.readouterr().out == f"Copied: {other[6:]}\nDigest: {pushed.digest}\nReferrer: {signature}\n"
    assert main(["referrers", other]) == 0
    assert capsys.readouterr().out == f"{signature}  {SIGNATURE}\n"
    assert main(["referrers", other, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["referrers"][0]["annotations"] == {"who": "us"}
    assert main(["delete", other]) == 0
    assert capsys.readouterr().out == f"Deleted: {other[6:]}\n"
    assert main(["delete", other]) == 4
    assert "Error:" in capsys.readouterr().err
    assert main(["copy", f"oci://{source.host}/charts/web", other]) == 2


@pytest.mark.parametrize("transport", ["urllib3", "aiohttp"])
def test_tasks_copy_delete_and_list_as_well(transport: Any, chart: bytes) -> None:
    layer = bytes(range(256)) * 12_000
    config, manifest = described_chart(layer)
    bodies = {"manifest": manifest, digest(config): config, digest(layer): layer}

    async def main(source: str, target: Registry) -> None:
        async def credentials(query: Any) -> tuple[str, str] | None:
            return target.credentials if query.registry == target.host else None

        async with chartoci.AsyncClient(credentials=credentials, transport=transport) as client:
            copied = await client.copy(f"{source}/big:1.0.0", f"{target.host}/big:1.0.0")
            assert str(copied.digest) == digest(manifest)
            assert await client.referrers(copied.reference) == []
            assert (await client.delete(copied.reference)).digest is None
            assert await client.tags(f"{target.host}/big") == []

    with peer(lambda connection: answers(connection, bodies, breaks=1)) as source, Registry(token=True) as target:
        asyncio.run(main(source, target))


def test_a_chart_that_is_too_large_for_one_request_goes_up_in_pieces(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "big"
    source.mkdir()
    (source / "Chart.yaml").write_text("apiVersion: v2\nname: big\nversion: 1.0.0\n")
    (source / "noise.bin").write_bytes(os.urandom(700_000))
    data = chartoci.package(source).data
    provenance = os.urandom(70_000).hex().encode()
    large = {hashlib.sha256(blob).hexdigest() for blob in (data, provenance)}
    begun: list[str] = []

    def proxy(method: str, target: str) -> Fault | None:
        # The first whole PUT of what is large: nginx says no with a page of its own. Then the first piece breaks.
        session, digest = target.partition("?")[0], target[-64:]
        if method == "PUT" and digest in large and session not in begun:
            large.remove(digest)
            return Fault(status=413, headers=(("Content-Type", "text/html"),), body=b"<html>413</html>")
        if method == "PATCH":
            begun.append(session)
            return Fault(reset=True) if len(begun) == 1 else None
        return None

    with Registry(faults=proxy) as registry, chartoci.Client(credentials=None) as client:
        pushed = client.push(data, f"oci://{registry.host}/charts", provenance=provenance)
        assert client.open(pushed.reference).data == data
        pieces = [line for line in registry.requests if line[0] == "PATCH"]
        assert len(pieces) >= 3
        assert len([line for line in registry.requests if line[0] == "GET" and "/blobs/uploads/" in line[1]]) == 1
