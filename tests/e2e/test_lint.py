"""`check` says at least what `helm lint` says, and as seriously: asked about the charts and documents of the vectors."""

import json
import pathlib
import subprocess

import chartoci
import helm
import pytest

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
    files = given.get("files") or {**FILES, NAMES[given["kind"]]: given["text"]}
    directory = tmp_path / "web"
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
