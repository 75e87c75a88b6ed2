"""The client against a real HTTP server in this process."""

import base64
import json
import os
import pathlib
import threading
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Ask
from chartoci.testing import Registry

WEB = "web-1.2.0+demo.1.tgz"


def files(directory: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_a_chart_goes_in_and_comes_back(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    assert str(pushed.reference) == f"oci://{chart_registry.host}/charts/web:1.2.0_demo.1"
    assert pushed.tag == "1.2.0_demo.1"
    assert str(pushed) == f"Pushed: {chart_registry.host}/charts/web:1.2.0_demo.1\nDigest: {pushed.digest}"
    assert {blob.state for blob in pushed.blobs} == {"uploaded"}
    assert json.dumps(pushed.to_dict())

    pulled = client.pull(pushed.reference, tmp_path / "new" / "place")
    assert pulled.path == tmp_path / "new" / "place" / WEB
    assert pulled.path.read_bytes() == chart
    assert files(pulled.path.parent) == [WEB]
    assert (pulled.digest, pulled.version, pulled.provenance_path) == (pushed.digest, "1.2.0+demo.1", None)
    assert json.dumps(pulled.to_dict())


def test_a_second_push_sends_nothing_twice(client: chartoci.Client, chart_registry: Registry, chart: bytes) -> None:
    first = client.push(chart, f"oci://{chart_registry.host}/charts")
    del chart_registry.requests[:]
    second = client.push(chart, f"oci://{chart_registry.host}/charts")
    assert first.digest == second.digest
    assert "uploaded" not in {blob.state for blob in second.blobs}
    assert len(chart_registry.requests) == 3


def test_every_kind_of_source_is_pushed_alike(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tgz: pathlib.Path
) -> None:
    target = f"oci://{chart_registry.host}/charts"
    with open(tgz, "rb") as file:
        sources: list[Any] = [chart, bytearray(chart), memoryview(chart), file, chartoci.Archive.read(chart)]
        digests = {client.push(source, target).digest for source in sources}
    assert len(digests) == 1
    assert client.push(tgz, target).digest == client.push(str(tgz), target).digest not in digests


def test_a_path_brings_its_time_and_its_provenance(
    client: chartoci.Client, chart_registry: Registry, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    os.utime(tgz, (1_700_000_000, 1_700_000_000))
    tgz.with_name(tgz.name + ".prov").write_bytes(b"signed\n")
    pushed = client.push(tgz, f"oci://{chart_registry.host}/charts")
    artifact = client.artifact(pushed.reference)
    assert artifact.annotations["org.opencontainers.image.created"] == "2023-11-14T22:13:20Z"
    assert artifact.provenance_layer is not None

    pulled = client.pull(pushed.reference, tmp_path, provenance=True)
    assert pulled.provenance_path == tmp_path / f"{WEB}.prov"
    assert pulled.provenance_path.read_bytes() == b"signed\n"
    assert client.pull(pushed.reference, tmp_path / "without").provenance_path is None
    assert files(tmp_path / "without") == [WEB]


def test_a_chart_can_be_read_without_a_file(client: chartoci.Client, chart_registry: Registry, chart: bytes) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    archive = client.open(pushed.reference)
    assert archive == chartoci.Archive.read(chart)
    assert client.metadata(pushed.reference) == archive.metadata
    artifact = client.artifact(pushed.reference)
    assert (artifact.digest, artifact.what) == (pushed.digest, "chart")
    inspected = client.inspect(pushed.reference)
    assert (inspected.artifact, inspected.metadata) == (artifact, archive.metadata)


def test_versions_are_listed_newest_first_and_ranges_resolved(
    client: chartoci.Client, chart_registry: Registry, web: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"):
        client.push(chartoci.package(web, version=version), f"oci://{chart_registry.host}/charts")
    repository = f"{chart_registry.host}/charts/web"
    assert list(map(str, client.versions(repository))) == ["1.10.0", "1.9.0", "1.0.0"]
    assert str(client.versions(repository, prerelease=True)[0]) == "2.0.0-rc.1"
    assert list(map(str, client.versions(repository, "<1.10"))) == ["1.9.0", "1.0.0"]
    assert sorted(client.tags(repository)) == ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]
    resolved = client.resolve(repository, version="^1.0 <1.10")
    assert (resolved.version, resolved.tag) == ("1.9.0", "1.9.0")
    assert resolved.digest == client.artifact(f"{repository}:1.9.0").digest
    assert client.pull(repository, tmp_path).path.name == "web-1.10.0.tgz"
    assert client.pull(repository, tmp_path, devel=True).version == "2.0.0-rc.1"


def test_a_pull_by_digest_takes_its_name_from_the_chart(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    pulled = client.pull(f"oci://{chart_registry.host}/charts/web@{pushed.digest}", tmp_path)
    assert pulled.path.name == WEB
    assert files(tmp_path) == [WEB]


def test_untar_writes_the_charts_directory(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")
    pulled = client.pull(pushed.reference, tmp_path / "out", untar=True)
    assert pulled.path == tmp_path / "out" / "web"
    assert (pulled.path / "Chart.yaml").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["web"]


def test_what_is_there_is_overwritten_kept_or_refused(
    client: chartoci.Client, chart_registry: Registry, web: pathlib.Path
) -> None:
    target = f"oci://{chart_registry.host}/charts"
    one, other = chartoci.package(web, created=1), chartoci.package(web, created=2)
    client.push(one, target)
    assert client.push(one, target, if_exists="skip-same").skipped
    for policy in ("skip-same", "refuse"):
        with pytest.raises(chartoci.ConflictError):
            client.push(other, target, if_exists=policy)
    client.push(other, target)
    assert client.open(f"{target}/web:1.2.0+demo.1").digest == other.digest


@pytest.mark.parametrize("token", [False, True], ids=["Basic", "Bearer"])
def test_credentials_may_be_a_pair_or_a_callable(token: bool, chart: bytes) -> None:
    asked: list[str] = []

    def answer(query: Ask) -> tuple[str, str]:
        asked.append(query.registry)
        return "ada", "secret"

    with Registry(username="ada", password="secret", token=token) as registry:
        for credentials in (("ada", "secret"), answer):
            with chartoci.Client(credentials=credentials) as client:
                pushed = client.push(chart, f"oci://{registry.host}/charts")
                assert client.open(pushed.reference).data == chart
        assert set(asked) == {registry.host}
        for wrong, code in ((None, "auth.required"), (("ada", "wrong"), "auth.refused")):
            with chartoci.Client(credentials=wrong) as client, pytest.raises(chartoci.DeniedError) as caught:
                client.push(chart, f"oci://{registry.host}/charts")
            assert caught.value.code == code
            assert "secret" not in f"{caught.value!r} {caught.value.to_dict()}"


def test_credentials_are_found_where_helm_keeps_them(
    chart: bytes, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Registry(username="ada", password="secret") as registry:
        auth = base64.b64encode(b"ada:secret").decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))
        monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(tmp_path / "config.json"))
        with chartoci.Client() as client:
            client.push(chart, f"oci://{registry.host}/charts")
        monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(tmp_path / "nothing.json"))
        with chartoci.Client() as client, pytest.raises(chartoci.DeniedError):
            client.push(chart, f"oci://{registry.host}/charts")


def test_tls_believes_the_authority_that_is_named(chart: bytes) -> None:
    with Registry(tls=True) as registry:
        target = f"oci://{registry.host}/charts"
        with chartoci.Client(credentials=None, ca_file=registry.ca_file) as client:
            client.push(chart, target)
        with chartoci.Client(credentials=None, verify_tls=False) as client:
            assert client.tags(f"{target}/web") == ["1.2.0_demo.1"]
        stranger = chartoci.Client(credentials=None, plain_http=False, retry=chartoci.RetryPolicy(attempts=1))
        with stranger as client, pytest.raises(chartoci.TransportError) as caught:
            client.tags(f"{target}/web")
        assert caught.value.code == "transport.tls"


def test_progress_tells_of_every_blob(client: chartoci.Client, chart_registry: Registry, chart: bytes) -> None:
    events: list[object] = []
    thread = threading.get_ident()

    def tell(event: object) -> None:
        assert threading.get_ident() == thread
        events.append(event)

    pushed = client.push(chart, f"oci://{chart_registry.host}/charts", progress=tell)
    assert chartoci.Progress("chart", len(chart), len(chart)) in events
    assert len([event for event in events if isinstance(event, chartoci.Uploaded)]) == 2
    del events[:]
    client.open(pushed.reference, progress=tell)
    assert chartoci.Progress("chart", len(chart), len(chart)) in events


def test_an_exception_in_progress_ends_the_verb(
    client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")

    def fail(event: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.pull(pushed.reference, tmp_path, progress=fail)
    assert files(tmp_path) == []


def test_only_hosts_that_are_allowed_are_connected_to(chart_registry: Registry, chart: bytes) -> None:
    asked: list[tuple[str, str, int]] = []

    def refuse(host: str, ip: str, port: int) -> bool:
        asked.append((host, ip, port))
        return False

    for allow in ({"registry.example"}, refuse):
        with chartoci.Client(credentials=None, allow=allow) as client, pytest.raises(chartoci.DeniedError) as caught:
            client.push(chart, f"oci://{chart_registry.host}/charts")
        assert caught.value.code == "transport.forbidden"
    host, port = chart_registry.host.split(":")
    assert asked and set(asked) == {(host, "127.0.0.1", int(port))}
    assert not chart_registry.requests
    with chartoci.Client(credentials=None, allow={chart_registry.host}) as client:
        client.push(chart, f"oci://{chart_registry.host}/charts")


def test_threads_may_share_a_client(client: chartoci.Client, chart_registry: Registry, web: pathlib.Path) -> None:
    packed = [chartoci.package(web, version=f"1.0.{number}") for number in range(8)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            pushed = client.push(packed[number], f"oci://{chart_registry.host}/charts")
            assert client.open(pushed.reference).data == packed[number].data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(client.tags(f"{chart_registry.host}/charts/web")) == 8


def test_a_registry_keeps_its_directory(client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path) -> None:
    with Registry(tmp_path) as registry:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
    with Registry(tmp_path) as registry:
        again = client.pull(f"{registry.host}/charts/web:1.2.0+demo.1", tmp_path / "out")
    assert again.digest == pushed.digest


def test_a_client_survives_a_fork(client: chartoci.Client, chart_registry: Registry, chart: bytes) -> None:
    client.push(chart, f"oci://{chart_registry.host}/charts")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            client.push(chart, f"oci://{chart_registry.host}/charts")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
