"""What one program pushes, every other pulls: Helm 3, Helm 4 and chartoci, through each kind of registry."""

import pathlib
import shutil

import pytest
from conftest import ROOT

import chartoci

EXAMPLE = ROOT / "examples" / "web"
TOOLS = ("helm3", "helm4", "chartoci")
PAIRS = [(writer, reader) for writer in TOOLS for reader in TOOLS if "chartoci" in (writer, reader)]


@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_a_chart_comes_back_as_it_was_pushed(writer, reader, registry, tool_of, typical, tmp_path):
    push, pull = tool_of(writer), tool_of(reader)
    push("push", typical, f"oci://{registry.host}/{writer}", registry=registry)
    reference = f"oci://{registry.host}/{writer}/typical"
    pull("pull", reference, "--version", "1.2.3", "--prov", "-d", tmp_path, registry=registry)
    assert (tmp_path / typical.name).read_bytes() == typical.read_bytes()
    assert (tmp_path / f"{typical.name}.prov").read_bytes() == typical.with_name(f"{typical.name}.prov").read_bytes()


@pytest.mark.parametrize("kind", ["serve", "serve htpasswd", "serve token", "serve tls"])
@pytest.mark.parametrize("reader", ["helm3", "helm4"])
@pytest.mark.parametrize("writer", ["helm3", "helm4"])
def test_helm_takes_chartoci_serve_for_a_registry(writer, reader, kind, registry_of, tool_of, typical, tmp_path):
    registry, push, pull = registry_of(kind), tool_of(writer), tool_of(reader)
    push("push", typical, f"oci://{registry.host}/helm/{writer}", registry=registry)
    reference = f"oci://{registry.host}/helm/{writer}/typical"
    pull("pull", reference, "--version", "^1.0", "--prov", "-d", tmp_path, registry=registry)
    assert (tmp_path / typical.name).read_bytes() == typical.read_bytes()
    assert "name: typical" in pull("show", "chart", reference, registry=registry).stdout


@pytest.mark.parametrize("reader", TOOLS)
def test_the_newest_version_is_found_without_being_named(reader, registry, tool_of, typical, tmp_path):
    push, pull = tool_of("chartoci"), tool_of(reader)
    push("push", typical, f"oci://{registry.host}/newest", registry=registry)
    pull("pull", f"oci://{registry.host}/newest/typical", "-d", tmp_path, registry=registry)
    assert (tmp_path / typical.name).read_bytes() == typical.read_bytes()


@pytest.mark.parametrize("what", ["chart", "values", "readme", "all"])
def test_show_prints_what_helm_prints(what, registry, tool_of, made):
    helm4, ours = tool_of("helm4"), tool_of("chartoci")
    chart = made[0]
    ours("push", chart, f"oci://{registry.host}/show", registry=registry)
    name = registry_name(ours, chart, registry)
    theirs = helm4("show", what, f"oci://{registry.host}/show/{name}", "--devel", registry=registry)
    mine = ours("show", what, f"oci://{registry.host}/show/{name}", "--devel", registry=registry)
    assert mine.stdout == theirs.stdout


def registry_name(tool, chart, registry) -> str:
    """The chart's name, out of its own words."""
    text = tool("show", "chart", chart, registry=registry).stdout
    return next(line.removeprefix("name: ") for line in text.splitlines() if line.startswith("name: "))


def test_push_pull_and_show_print_what_helm_prints(tool_of, some_registry, typical, tmp_path):
    unsigned = tmp_path / typical.name
    shutil.copy2(typical, unsigned)
    with_plus = pathlib.Path(chartoci.package(EXAMPLE, created=0).write(tmp_path))
    target = f"oci://{some_registry.host}/printed"
    said = {}
    for name in ("helm4", "chartoci"):
        tool = tool_of(name)
        calls = [
            ("push", unsigned, target),
            ("push", with_plus, target),
            ("pull", f"{target}/typical:1.2.3", "--prov"),
            ("pull", f"{target}/typical", "--prov"),
            ("pull", f"{target}/typical:1.2.3", "--prov", "--untar"),
            ("pull", f"{target}/web", "--version", "1.2.0+demo.1"),
            ("show", "chart", f"{target}/web", "--version", "1.2.0+demo.1"),
        ]
        said[name] = []
        for number, (verb, *words) in enumerate(calls):
            destination = tmp_path / f"{name}-{number}"
            destination.mkdir()
            words += ["-d", destination] if verb == "pull" else []
            done = tool(verb, *words, registry=some_registry)
            said[name].append((done.stdout, done.stderr))
    assert said["chartoci"] == said["helm4"]
