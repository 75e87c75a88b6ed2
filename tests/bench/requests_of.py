"""Requests and rounds that each verb costs beside those of Helm, oras and crane, for each kind of authentication.

A proxy before the registry, and the token server, hold every answer back for a while: requests that are out at the same time
are one round, those that wait for one another are several.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest.mock
from collections.abc import Callable

import common  # isort: skip  (it says where the tools are)
import charts
import chartoci
import go
import helm
import oras.client
import registries
from chartoci import drive
from chartoci.testing import Registry

KINDS = ("anonymous", "htpasswd", "token")
VERBS = ("login", "push", "the same again", "pull", "pull ^1", "tags", "resolve", "metadata", "inspect", "referrers",
         "copy", "delete")
DELAY = 0.15  # seconds; more than what a busy machine adds
Calls = dict[str, Callable[[], object]]


def chartoci_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """A process of its own for each verb, as far as connections and tokens go."""
    target = f"oci://{registry.host}/ours"

    def client() -> chartoci.Client:
        return chartoci.Client(credentials=registry.credentials)

    def login() -> None:
        chartoci.Client(credentials=None, registry_config=out / "config.json").login(registry.host, *registry.credentials)

    return {
        **({"login": login} if registry.credentials else {}),
        "push": lambda: client().push(path, target),
        "the same again": lambda: client().push(path, target),
        "pull": lambda: client().pull(f"{target}/typical:1.2.3", out),
        "pull ^1": lambda: client().pull(f"{target}/typical", out, version="^1"),
        "tags": lambda: client().tags(f"{target}/typical"),
        "resolve": lambda: client().resolve(f"{target}/typical:1.2.3"),
        "metadata": lambda: client().metadata(f"{target}/typical:1.2.3"),
        "inspect": lambda: client().inspect(f"{target}/typical:1.2.3"),
        "referrers": lambda: client().referrers(f"{target}/typical:1.2.3"),
        "copy": lambda: client().copy(f"{target}/typical:1.2.3", f"{target}/another:1.2.3"),
        "delete": lambda: client().delete(f"{target}/typical:1.2.3"),
    }


def helm_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """Helm has no verb that lists, copies or deletes; `helm show chart` tells the metadata."""
    target, home = f"oci://{registry.host}/helm", out / "home"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC"}

    def run(*words: object, data: str = "") -> None:
        command = [str(helm.binary(4)), *map(str, words), "--plain-http"]
        subprocess.run(command, env=environment, input=data, text=True, check=True, capture_output=True)

    def login() -> None:
        username, password = registry.credentials
        run("registry", "login", registry.host, "-u", username, "--password-stdin", data=password)

    return {
        **({"login": login} if registry.credentials else {}),
        "push": lambda: run("push", path, target),
        "the same again": lambda: run("push", path, target),
        "pull": lambda: run("pull", f"{target}/typical", "--version", "1.2.3", "-d", out),
        "pull ^1": lambda: run("pull", f"{target}/typical", "--version", "^1", "-d", out),
        "metadata": lambda: run("show", "chart", f"{target}/typical", "--version", "1.2.3"),
    }


def oras_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """PyPI's oras."""
    target = f"{registry.host}/oras/typical:1.2.3"

    def client() -> oras.client.OrasClient:
        made = oras.client.OrasClient(insecure=True, auth_backend="token" if registry.kind == "token" else "basic")
        if registry.credentials:
            made.auth.set_basic_auth(*registry.credentials)
        return made

    def delete() -> None:
        assert client().delete_tags(f"{registry.host}/oras/typical", "1.2.3"), "no tag was deleted"

    return {
        "push": lambda: client().push(target=target, files=[str(path)], disable_path_validation=True),
        "the same again": lambda: client().push(target=target, files=[str(path)], disable_path_validation=True),
        "pull": lambda: client().pull(target=target, outdir=str(out)),
        "tags": lambda: client().get_tags(target),
        "delete": delete,
    }


def crane_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """crane knows no charts: it lists, copies and deletes what Helm has pushed, by its digest. Nothing where it is not built."""
    if go.missing("crane"):
        return {}
    target, environment = f"{registry.host}/helm/typical", {"DOCKER_CONFIG": str(out), "PATH": os.environ["PATH"]}
    if registry.credentials:
        auth = base64.b64encode(":".join(registry.credentials).encode()).decode()
        (out / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))

    def run(*words: str) -> str:
        done = subprocess.run([go.binary("crane"), *words], env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return {
        "tags": lambda: run("ls", target),
        "resolve": lambda: run("digest", f"{target}:1.2.3"),
        "copy": lambda: run("copy", f"{target}:1.2.3", f"{registry.host}/helm/another:1.2.3"),
        "delete": lambda: run("delete", f"{target}@{run('digest', f'{target}:1.2.3')}"),
    }


TOOLS = {"chartoci": chartoci_calls, "helm": helm_calls, "oras": oras_calls, "crane": crane_calls}


def rounds(spans: list[tuple[float, float]]) -> int:
    """The most requests of which each began when the one before had its answer."""
    count, last = 0, 0.0
    for began, ended in sorted(spans, key=lambda span: span[1]):
        if began >= last:
            count, last = count + 1, ended
    return count


def counted(directory: pathlib.Path, kind: str) -> dict[str, dict[str, str]]:
    """Requests and rounds of each verb of each tool; `–` where it has no such verb, `fails` where it does."""
    path = directory / "typical-1.2.3.tgz"
    path.write_bytes(charts.typical())
    counts: dict[str, dict[str, str]] = {}
    with registries.Registry(directory / kind, kind) as registry, registries.Behind(registry, "http://bench") as front:
        seen, front.kind, front.delay = [front.spans], kind, DELAY
        if registry.tokens:
            seen.append(registry.tokens.spans)
            registry.tokens.delay = DELAY
        for tool, calls_of in TOOLS.items():
            out = directory / f"{tool}-{kind}"
            out.mkdir()
            calls = calls_of(front, path, out)
            for verb in VERBS:
                for spans in seen:
                    spans.clear()
                try:
                    if verb in calls:
                        calls[verb]()
                except Exception as error:
                    print(f"{kind}: {tool} {verb}: {getattr(error, 'stderr', None) or error}", file=sys.stderr)
                    counts.setdefault(tool, {})[verb] = "fails"
                    continue
                spans = [span for spans in seen for span in spans]
                counts.setdefault(tool, {})[verb] = f"{len(spans)} in {rounds(spans)}" if verb in calls else "–"
    return counts


def refreshed() -> str:
    """What a verb costs whose token has run out since the last one, by the client's clock."""
    with Registry(token=True, token_lifetime=300) as registry, chartoci.Client(credentials=registry.credentials) as client:
        target = f"oci://{registry.host}/ours"
        client.push(charts.typical(), target)
        registry.requests.clear()
        now = drive.now
        with unittest.mock.patch.object(drive, "now", lambda: now() + 300_000):
            client.tags(f"{target}/typical")
        tokens = [target for _, target, _ in registry.requests if target.startswith("/token")]
        return f"{len(registry.requests)}, of which {len(tokens)} for the token"


def table() -> list[str]:
    """Markdown: a line for each kind of authentication and verb."""
    lines = ["| requests, and in how many rounds, each verb on its own | chartoci | `helm` | oras | crane |",
             "| --- | ---: | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as name:
        for kind in KINDS:
            counts = counted(pathlib.Path(name), kind)
            for verb in VERBS:
                cells = [counts[tool][verb] for tool in TOOLS]
                if set(cells) != {"–"}:
                    lines.append(f"| {kind}: {verb} | " + " | ".join(cells) + " |")
    lines.append(f"| token: tags, the token having run out | {refreshed()} | – | – | – |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
