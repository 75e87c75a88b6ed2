"""One behaviour, asked of every registry through every driver; and other people's clients against `chartoci serve`."""

import asyncio
import hashlib
import inspect
import json
import pathlib
import subprocess
from typing import Any

import chartoci
import pytest
from conftest import PAGE, ROOT, charts, go, registries, run

REGISTRIES = ("anonymous", "htpasswd", "tls", "token", "behind a proxy", "distribution", "go-containerregistry",
              "serve", "serve htpasswd", "serve token", "serve tls")
VERSIONS = ("1.0.0", "1.10.0", "1.9.0+b1", "2.0.0-rc.1")


@pytest.fixture(scope="session")
def versions(tmp_path_factory) -> list[pathlib.Path]:
    """A chart in some versions."""
    directory = tmp_path_factory.mktemp("versions")
    paths = [directory / f"typical-{version}.tgz" for version in VERSIONS]
    for number, (path, version) in enumerate(zip(paths, VERSIONS, strict=True)):
        path.write_bytes(charts.typical(number, version))
    return paths


def settings(registry) -> dict[str, Any]:
    """What a client is told of a registry."""
    return {"credentials": registry.credentials, **({"ca_file": registry.ca} if registry.ca else {})}


async def behave(client: chartoci.Client | chartoci.AsyncClient, host: str, driver: str, paths: list[pathlib.Path]):
    """What `live.mjs` does as well, by a client of either kind."""

    async def done(value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    target = f"oci://{host}/live/{driver}"
    repository = f"{target}/typical"
    pushed = [await done(client.push(path.read_bytes(), target)) for path in paths]
    again = await done(client.push(paths[0].read_bytes(), target))
    archive = await done(client.open(f"{repository}:1.0.0"))
    try:
        missing = await done(client.open(f"{repository}:9.9.9"))
    except chartoci.ChartOciError as error:
        missing = error
    return {
        "digests": [str(one.digest) for one in pushed],
        "again": [str(again.digest), len([blob for blob in again.blobs if blob.state == "uploaded"])],
        "tags": sorted(await done(client.tags(repository))),
        "versions": list(map(str, await done(client.versions(repository)))),
        "resolved": str((await done(client.resolve(repository, version="^1.0"))).digest),
        "opened": hashlib.sha256(archive.data).hexdigest(),
        "name": (await done(client.metadata(f"{repository}:1.0.0"))).name,
        "missing": missing.kind,
    }


def by_sync(registry, driver: str, paths: list[pathlib.Path]) -> Any:
    with chartoci.Client(**settings(registry)) as client:
        return asyncio.run(behave(client, registry.host, driver, paths))


def by_async(registry, driver: str, paths: list[pathlib.Path]) -> Any:
    async def main() -> Any:
        async with chartoci.AsyncClient(**settings(registry), transport=driver) as client:
            return await behave(client, registry.host, driver, paths)

    return asyncio.run(main())


def by_node(registry, driver: str, paths: list[pathlib.Path]) -> Any:
    if not (ROOT / "bindings-wasm" / "js" / "dist").is_dir():
        pytest.skip("the modules for JavaScript are not built")
    for reason in filter(None, [registries.missing("node")]):
        pytest.skip(reason)
    task = {"host": registry.host, "driver": driver, "credentials": registry.credentials,
            "charts": list(map(str, paths)), "ca": str(registry.ca) if registry.ca else None,
            "certificate": str(registry.certificate) if registry.certificate else None, "port": int(PAGE.rpartition(":")[2])}
    return json.loads(run("node", ROOT / "tests" / "e2e" / "live.mjs", json.dumps(task)).stdout)


def by_chromium(registry, driver: str, paths: list[pathlib.Path]) -> Any:
    for reason in filter(None, [registries.missing("chromium")]):
        pytest.skip(reason)
    if registry.kind == "go-containerregistry":
        pytest.skip("go-containerregistry sends no CORS headers")
    if registry.kind not in ("htpasswd", "token"):
        return by_node(registry, driver, paths)
    with registries.Behind(registry, PAGE) as front:
        return by_node(front, driver, paths)


@pytest.mark.parametrize(("driver", "drive"), [("sync", by_sync), ("urllib3", by_async), ("aiohttp", by_async), ("node", by_node),
                                               ("chromium", by_chromium)])
@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_driver_does_the_same_with_every_registry(kind, driver, drive, registry_of, versions) -> None:
    if driver == "aiohttp":
        pytest.importorskip("aiohttp")
    seen = drive(registry_of(kind), driver, versions)
    digests = seen.pop("digests")
    assert len(set(digests)) == len(VERSIONS)
    # A registry that cannot mount a blob within its own repository is sent it again.
    again, sent = seen.pop("again")
    assert (again, seen.pop("resolved")) == (digests[0], digests[1])
    assert sent == 0 or kind == "go-containerregistry"
    assert seen == {
        "tags": ["1.0.0", "1.10.0", "1.9.0_b1", "2.0.0-rc.1"],
        "versions": ["1.10.0", "1.9.0+b1", "1.0.0"],
        "opened": hashlib.sha256(versions[0].read_bytes()).hexdigest(),
        "name": "typical",
        "missing": "not_found",
    }


@pytest.mark.parametrize("target", ["serve", "anonymous", "distribution", "go-containerregistry"])
@pytest.mark.parametrize("source", ["serve token", "anonymous"])
def test_charts_are_copied_and_deleted(source, target, registry_of, versions) -> None:
    source, target = registry_of(source), registry_of(target)
    with chartoci.Client(credentials=lambda query: (source if query.registry == source.host else target).credentials) as client:
        pushed = client.push(versions[0].read_bytes(), f"oci://{source.host}/copied/from")
        to = f"{target.host}/copied/{source.kind.replace(' ', '-')}"
        copied = client.copy(pushed.reference, f"oci://{to}:1.0.0")
        assert copied.digest == pushed.digest
        assert client.open(f"{to}:1.0.0").data == versions[0].read_bytes()
        assert client.referrers(f"{to}@{pushed.digest}") == []
        client.delete(f"{to}@{pushed.digest}")
        with pytest.raises(chartoci.NotFoundError):
            client.open(f"{to}@{pushed.digest}")
        if target.kind != "go-containerregistry":  # there a tag outlives its manifest
            with pytest.raises(chartoci.NotFoundError):
                client.open(f"{to}:1.0.0")


@pytest.fixture(params=["serve", "serve htpasswd", "serve token"])
def serving(request, registry_of):
    """Our own registry in each guise."""
    return registry_of(request.param)


def other(name: str, home: pathlib.Path, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A program written in Go, with a home of its own."""
    if reason := go.missing(name):
        pytest.skip(reason)
    return run(go.binary(name), *words, check=check, HOME=str(home), DOCKER_CONFIG=str(home / ".docker"))


def test_crane_works_with_serve(serving, versions, tmp_path) -> None:
    if serving.credentials:
        name, password = serving.credentials
        other("crane", tmp_path, "auth", "login", serving.host, "-u", name, "-p", password, "--insecure")
    with chartoci.Client(credentials=serving.credentials) as client:
        pushed = client.push(versions[0].read_bytes(), f"oci://{serving.host}/crane")
        chart = f"{serving.host}/crane/typical"
        assert other("crane", tmp_path, "digest", f"{chart}:1.0.0").stdout.strip() == str(pushed.digest)
        assert other("crane", tmp_path, "ls", chart).stdout.split() == ["1.0.0"]
        assert json.loads(other("crane", tmp_path, "manifest", f"{chart}:1.0.0").stdout)["schemaVersion"] == 2
        other("crane", tmp_path, "tag", f"{chart}:1.0.0", "stable")
        other("crane", tmp_path, "copy", f"{chart}:1.0.0", f"{serving.host}/crane/other:1.0.0")
        assert client.open(f"{serving.host}/crane/other:1.0.0").data == versions[0].read_bytes()
        other("crane", tmp_path, "validate", "--remote", f"{chart}:stable", check=False)
        other("crane", tmp_path, "append", "-t", f"{serving.host}/crane/image:1", "-f", versions[0])
        assert "image" in other("crane", tmp_path, "catalog", serving.host, check=False).stdout or serving.credentials
        other("crane", tmp_path, "delete", f"{chart}@{pushed.digest}")
        assert client.tags(f"{serving.host}/crane/other") == ["1.0.0"]


def test_regctl_works_with_serve(serving, versions, tmp_path) -> None:
    other("regctl", tmp_path, "registry", "set", "--skip-check", "--tls", "disabled", serving.host)
    if serving.credentials:
        name, password = serving.credentials
        other("regctl", tmp_path, "registry", "login", serving.host, "-u", name, "-p", password)
    with chartoci.Client(credentials=serving.credentials) as client:
        pushed = client.push(versions[0].read_bytes(), f"oci://{serving.host}/regctl")
        chart = f"{serving.host}/regctl/typical"
        assert other("regctl", tmp_path, "image", "digest", f"{chart}:1.0.0").stdout.strip() == str(pushed.digest)
        assert other("regctl", tmp_path, "tag", "ls", chart).stdout.split() == ["1.0.0"]
        signature = tmp_path / "signature"
        signature.write_text("signed")
        put = ["artifact", "put", "--artifact-type", "application/x.signature", "-f", signature]
        other("regctl", tmp_path, *put, "--subject", f"{chart}:1.0.0")
        found = client.referrers(f"{chart}:1.0.0")
        assert [one.artifact_type for one in found] == ["application/x.signature"]
        assert str(found[0].digest) in other("regctl", tmp_path, "artifact", "tree", f"{chart}:1.0.0").stdout
        other("regctl", tmp_path, "image", "copy", "--referrers", f"{chart}:1.0.0", f"{serving.host}/regctl/other:1.0.0")
        assert [one.digest for one in client.referrers(f"{serving.host}/regctl/other:1.0.0")] == [found[0].digest]
        other("regctl", tmp_path, "tag", "delete", f"{chart}:1.0.0")
        assert client.tags(chart) == []
