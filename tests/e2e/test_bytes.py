"""The manifest and the config that chartoci pushes are Helm's, byte for byte."""

import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import SHARED

import chartoci

SHARED_CHARTS = sorted(SHARED.rglob("*.tgz")) if SHARED.is_dir() else []
needs_shared = pytest.mark.skipif(not SHARED_CHARTS, reason=f"no real charts in {SHARED}")

CREATED = "org.opencontainers.image.created"
Stored = collections.namedtuple("Stored", "tag manifest config")


def push_with_helm(tool, chart: pathlib.Path, registry, namespace: str) -> Stored | str:
    """What Helm stored, or what it said when it refused."""
    done = tool("push", chart, f"oci://{registry.host}/{namespace}", registry=registry, check=False)
    if done.returncode != 0:
        return done.stderr
    said = done.stdout + done.stderr
    reference = next(line.split(" ", 1)[1] for line in said.splitlines() if line.startswith("Pushed: "))
    return read_back(registry, reference)


def push_with_chartoci(client, chart: pathlib.Path, registry, namespace: str) -> Stored | str:
    """What chartoci stored, or what it said when it refused."""
    try:
        pushed = client.push(chart, f"oci://{registry.host}/{namespace}")
    except chartoci.ChartOciError as error:
        return str(error)
    return read_back(registry, str(pushed.reference).removeprefix("oci://"))


def read_back(registry, reference: str) -> Stored:
    """The stored bytes, fetched by means that are not under test."""
    repository, tag = reference.split("@")[0].split("/", 1)[1].rsplit(":", 1)
    manifest = registry.manifest(repository, tag)
    return Stored(tag, manifest, registry.blob(repository, json.loads(manifest)["config"]["digest"]))


def compare(charts: list[pathlib.Path], helm_name: str, tool, registry, compared) -> list[str]:
    """Pushes each chart twice; what differs, as text. Charts that both refuse are no difference."""
    differences = []
    with chartoci.Client(credentials=None) as client:
        for number, chart in enumerate(charts):
            theirs = push_with_helm(tool, chart, registry, f"{helm_name}/{number}")
            ours = push_with_chartoci(client, chart, registry, f"ours/{number}")
            if isinstance(theirs, Stored) and isinstance(ours, Stored):
                compared[helm_name] += 1
            elif isinstance(theirs, str) and isinstance(ours, str):
                continue
            if theirs != ours:
                differences.append(f"{chart.name}\n  {helm_name}: {theirs}\n  ours:  {ours}")
    return differences


@pytest.mark.parametrize("helm_name", ["helm3", "helm4"])
def test_generated_charts_are_stored_as_helm_stores_them(helm_name, tool_of, some_registry, made, compared):
    differences = compare(made, helm_name, tool_of(helm_name), some_registry, compared)
    assert not differences, "\n".join(differences)
    assert compared[helm_name] >= 30


@needs_shared
@pytest.mark.parametrize("helm_name", ["helm3", "helm4"])
def test_real_charts_are_stored_as_helm_stores_them(helm_name, tool_of, some_registry, compared):
    differences = compare(SHARED_CHARTS, helm_name, tool_of(helm_name), some_registry, compared)
    assert not differences, "\n".join(differences)


@needs_shared
def test_real_charts_give_the_recorded_answers_of_helm(compared):
    rows = [json.loads(line) for line in (SHARED / "oracle.jsonl").read_text().splitlines()]
    differences = []
    for row in rows:
        path = SHARED / row["file"]
        if "push_error" in row:
            with pytest.raises(chartoci.ChartOciError):
                chartoci.Archive.read(path)
            continue
        beside = path.with_name(path.name + ".prov")
        moment = json.loads(row["manifest"])["annotations"][CREATED]
        created = int(datetime.datetime.fromisoformat(moment).timestamp())
        provenance = beside.read_bytes() if beside.exists() else None
        artifact = chartoci.Artifact.build(chartoci.Archive.read(path), provenance=provenance, created=created)
        if (artifact.manifest, artifact.config) != (row["manifest"].encode(), row["config"].encode()):
            differences.append(f"{row['file']}\n  helm: {row['manifest']}\n  ours: {artifact.manifest.decode()}")
        if chartoci.show(path, "chart") != row["show_chart"]:
            differences.append(f"{row['file']}: show chart differs")
        compared["recorded answers"] += 1
    assert not differences, "\n".join(differences)


def test_a_run_that_compares_no_manifest_is_red():
    nowhere = dict.fromkeys(("CHARTOCI_CHARTS", "CHARTOCI_HELM3", "CHARTOCI_HELM4"), "/nowhere")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "stored_as_helm or recorded"]
    done = subprocess.run(command, env={**os.environ, **nowhere}, capture_output=True, text=True, timeout=120)
    assert "5 skipped" in done.stdout
    assert "no manifest was compared" in done.stdout
    assert done.returncode == 1
