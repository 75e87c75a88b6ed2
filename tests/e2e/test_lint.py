"""`check` says at least what `helm lint` says, and as seriously: asked about the vectors, and about nasty charts."""

import json
import os
import pathlib
import re
import subprocess

import chartoci
import helm
import nasty
import pytest
from test_differential import COUNT, FIRST, put

ROOT = pathlib.Path(__file__).resolve().parents[2]
RANKS = ["", "info", "warning", "error"]
FILES = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://x.example/i.png\n",
    "values.yaml": "a: 1\n",
    ".helmignore": "*.tgz\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n",
}
NAMES = {"chart.yaml": "Chart.yaml", "values": "values.yaml", "chart.lock": "Chart.lock"}
VECTORS = [
    vector
    for vector in json.loads((ROOT / "tests" / "vectors" / "check.json").read_text())
    if "files" in vector["input"] or vector["input"].get("kind") in NAMES
]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_as_much_is_said_as_helm_lint_says(vector, tmp_path):
    if not helm.binary(4).exists():
        pytest.skip("Helm 4 is not there: python tests/tools/helm.py fetches it")
    given = vector["input"]
    files = given["files"] if "files" in given else {**FILES, NAMES[given["kind"]]: given["text"]}
    directory = tmp_path / "web"
    directory.mkdir()
    for path, text in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # A template that renders to a good manifest: rendering is not compared.
        file.write_bytes((FILES[path] if path == "templates/a.yaml" else text).encode())
    done = subprocess.run([helm.binary(4), "lint", str(directory)], capture_output=True, text=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "linted" not in line]
    said = ["error" if line.startswith("Error") else line[1:].partition("]")[0].lower() for line in lines]
    worst = max((RANKS.index(rank) for rank in said if rank in RANKS), default=0)
    ours = max((RANKS.index(finding.severity) for finding in chartoci.check(directory)), default=0)
    assert ours >= worst, "\n".join(lines)


def test_nasty_charts_are_found_as_bad_as_helm_lint_finds_them(asked, tmp_path):
    """One process lints them all. What it says of templates is left out: rendering is not compared."""
    if not helm.binary(4).exists():
        pytest.skip("Helm 4 is not there: python tests/tools/helm.py fetches it")
    paths = {}
    for number in range(FIRST, FIRST + COUNT):
        directory = tmp_path / str(number)
        directory.mkdir()
        case = nasty.case(number)
        paths[str(put(case, directory))] = case.name
    done = subprocess.run([helm.binary(4), "lint", *paths], capture_output=True, env={**os.environ, "TZ": "UTC"})
    _, *parts = re.split(rf"(?m)^==> Linting ({re.escape(str(tmp_path))}/\S+)\n", done.stdout.decode("utf-8", "replace"))
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    assert said.keys() == paths.keys()
    found = []
    for path, lines in said.items():
        if "evaluating symlink" in lines:
            continue  # Helm follows links that .helmignore names, even those that lead nowhere.
        report = chartoci.check(pathlib.Path(path))
        # Helm looks at the values.yaml of a directory even where .helmignore leaves it out of the chart.
        unread = "values.yaml" if any(finding.code == "values.missing" for finding in report) else "templates"
        their = [line for line in re.findall(r"(?m)^\[([A-Z]+)\] (\S+?)(?::|/|$)", lines) if line[1] not in ("templates", unread)]
        worst = max((RANKS.index(rank.lower()) for rank, _ in their), default=0)
        ours = max((RANKS.index(finding.severity) for finding in report), default=0)
        if ours < worst:
            found.append(f"{paths[path]}\n{lines}    ours: {[finding.code for finding in report]}")
        asked["nasty charts, linted"] += 1
    assert not found, "\n".join(found)
