"""Requests that each verb costs, by the registry's own log, beside Helm's and oras's, for each kind of authentication."""

import os
import pathlib
import subprocess
import tempfile
from collections.abc import Callable

import charts
import chartoci
import helm
import oras.client
import registries

KINDS = ("anonymous", "htpasswd", "token")
VERBS = ("push", "the same again", "pull", "tags")
Calls = dict[str, Callable[[], object]]


def chartoci_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """A process of its own for each verb, as far as connections and tokens go."""
    target = f"oci://{registry.host}/ours"

    def client() -> chartoci.Client:
        return chartoci.Client(credentials=registry.credentials)

    return {
        "push": lambda: client().push(path, target),
        "the same again": lambda: client().push(path, target),
        "pull": lambda: client().pull(f"{target}/typical:1.2.3", out),
        "tags": lambda: client().tags(f"{target}/typical"),
    }


def helm_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """Helm has no verb that lists."""
    target, home = f"oci://{registry.host}/helm", out / "home"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC"}

    def run(*words: object, data: str = "") -> None:
        command = [str(helm.binary(4)), *map(str, words), "--plain-http"]
        subprocess.run(command, env=environment, input=data, text=True, check=True, capture_output=True)

    if registry.credentials:
        username, password = registry.credentials
        run("registry", "login", registry.host, "-u", username, "--password-stdin", data=password)
    return {
        "push": lambda: run("push", path, target),
        "the same again": lambda: run("push", path, target),
        "pull": lambda: run("pull", f"{target}/typical", "--version", "1.2.3", "-d", out),
    }


def oras_calls(registry: registries.Registry, path: pathlib.Path, out: pathlib.Path) -> Calls:
    """PyPI's oras."""
    target = f"{registry.host}/oras/typical:1.2.3"

    def client() -> oras.client.OrasClient:
        made = oras.client.OrasClient(insecure=True, auth_backend="token" if registry.kind == "token" else "basic")
        if registry.credentials:
            made.auth.set_basic_auth(*registry.credentials)
        return made

    return {
        "push": lambda: client().push(target=target, files=[str(path)], disable_path_validation=True),
        "the same again": lambda: client().push(target=target, files=[str(path)], disable_path_validation=True),
        "pull": lambda: client().pull(target=target, outdir=str(out)),
        "tags": lambda: client().get_tags(target),
    }


TOOLS = {"chartoci": chartoci_calls, "helm": helm_calls, "oras": oras_calls}


def counted(directory: pathlib.Path, kind: str) -> dict[str, dict[str, str]]:
    """Requests of each verb of each tool; `–` where it has no such verb, `fails` where it does."""
    path = directory / "typical-1.2.3.tgz"
    path.write_bytes(charts.typical())
    counts: dict[str, dict[str, str]] = {}
    with registries.Registry(directory / kind, kind) as registry:
        for tool, calls_of in TOOLS.items():
            out = directory / f"{tool}-{kind}"
            out.mkdir()
            calls = calls_of(registry, path, out)
            registry.requests()
            for verb in VERBS:
                if verb not in calls:
                    counts.setdefault(tool, {})[verb] = "–"
                    continue
                try:
                    calls[verb]()
                    counts.setdefault(tool, {})[verb] = str(len(registry.requests()))
                except Exception:
                    registry.requests()
                    counts.setdefault(tool, {})[verb] = "fails"
    return counts


def table() -> list[str]:
    """Markdown: a line for each kind of authentication and verb."""
    lines = ["| requests, each verb on its own | chartoci | `helm` | oras |", "| --- | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as name:
        for kind in KINDS:
            counts = counted(pathlib.Path(name), kind)
            for verb in VERBS:
                lines.append(f"| {kind}: {verb} | " + " | ".join(counts[tool][verb] for tool in TOOLS) + " |")
    return lines
