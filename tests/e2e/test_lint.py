"""`check` says at least what `helm lint` says, and as seriously: asked about the vectors, and about nasty charts."""

import json
import os
import pathlib
import random
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


def value(draw: random.Random, levels: int):
    if levels and draw.random() < 0.5:
        return {draw.choice("abcd"): value(draw, levels - 1) for _ in range(draw.randrange(4))}
    return draw.choice([1, "s", True, None, None, [1], [], {}, 1.5])


def mapping(draw: random.Random, levels: int) -> dict:
    found = value(draw, levels)
    return found if isinstance(found, dict) else {}


def schema(draw: random.Random, levels: int = 2) -> dict:
    kinds = ["string", "integer", "object", "null"]
    wanted = {}
    for _ in range(draw.randrange(1, 3)):
        match draw.choice(["properties", "required", "additionalProperties", "type", "maxProperties"]):
            case "properties":
                names = draw.choices(["a", "b", "c", "d", "global", "s1", "s2"], k=2)
                below = {name: schema(draw, levels - 1) if levels else {"type": draw.choice(kinds)} for name in names}
                wanted["properties"] = below
            case "required":
                wanted["required"] = [draw.choice("abcd")]
            case "additionalProperties":
                wanted["additionalProperties"] = draw.choice([False, {"type": "object"}, True])
            case "type":
                wanted["type"] = draw.choice(["object", ["object", "null"], "string", "integer"])
            case _:
                wanted["maxProperties"] = draw.randrange(1, 5)
    return wanted


def vendored(draw: random.Random, files: dict, above: str, name: str, levels: int, version: str = "1.0.0") -> None:
    """A chart with others in charts/: two versions of one, aliases, conditions, tags, imports, globals."""
    values, dependencies = mapping(draw, 3), []
    for below in ["s1", "s2"]:
        if not levels or draw.random() < 0.35:
            continue
        versions = ["1.0.0", "2.0.0"] if draw.random() < 0.15 else ["1.0.0"]
        for number, one in enumerate(versions):
            vendored(draw, files, f"{above}charts/{below}-{number}/", below, levels - 1, one)
            entry = {"name": below, "version": draw.choice([one, f"^{one}"]), "repository": "https://r.example"}
            if len(versions) > 1 or draw.random() < 0.3:
                entry["alias"] = f"{draw.choice('qr')}{below}{number}"
            key = entry.get("alias", below)
            if draw.random() < 0.3:
                entry["condition"] = draw.choice(["a.b", "a", f"{key}.a", f"x,{key}.a", f"x, {key}.a", f"{key}.a.b"])
            if draw.random() < 0.3:
                entry["tags"] = [draw.choice("ab")]
            if draw.random() < 0.3:
                paths = {"child": draw.choice(["a", "b", "a.b"]), "parent": draw.choice(["a", "b", "c", "a.b", "."])}
                entry["import-values"] = [draw.choice([paths, "a", "b"])]
            if draw.random() < 0.9:
                dependencies.append(entry)
            if draw.random() < 0.15:
                dependencies.append({**entry, "alias": f"{key}x"})
            if draw.random() < 0.5:
                values[key] = value(draw, 2)
    if draw.random() < 0.4:
        values["global"] = value(draw, 2)
    if draw.random() < 0.3:
        values["tags"] = {tag: draw.choice([True, False]) for tag in "ab"}
    if draw.random() < 0.3:
        values["exports"] = {part: value(draw, 2) for part in "ab"}
    second = f"\n---\n{json.dumps(mapping(draw, 3))}" if draw.random() < 0.05 else ""
    files[f"{above}values.yaml"] = json.dumps(values) + second
    if draw.random() < 0.6:
        files[f"{above}values.schema.json"] = json.dumps(schema(draw))
    chart = {"apiVersion": "v2", "name": name, "version": version, "icon": "https://x.example/i.png"}
    files[f"{above}Chart.yaml"] = json.dumps({**chart, "dependencies": dependencies} if dependencies else chart)


def test_charts_in_charts_fit_their_schemas_exactly_where_helm_lint_says_so(asked, tmp_path):
    """Which values do not fit which schema, of all charts together: neither more nor less than Helm says."""
    if not helm.binary(4).exists():
        pytest.skip("Helm 4 is not there: python tests/tools/helm.py fetches it")
    cases = {}
    for number in range(FIRST, FIRST + COUNT):
        draw, files = random.Random(f"umbrella {number}"), {"templates/a.yaml": "", ".helmignore": "*.tgz\n"}
        vendored(draw, files, "", "web", draw.choice([1, 1, 2]))
        for path, text in files.items():
            file = tmp_path / str(number) / "web" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        cases[str(tmp_path / str(number) / "web")] = files
    done = subprocess.run([helm.binary(4), "lint", *cases], capture_output=True, text=True)
    _, *parts = re.split(rf"(?m)^==> Linting ({re.escape(str(tmp_path))}/\S+)\n", done.stdout)
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    assert said.keys() == cases.keys()
    found = []
    for path, lines in said.items():
        ours = set()
        for finding in chartoci.check(pathlib.Path(path)):
            if finding.code == "values.schema":
                place, _, message = finding.message.partition(": ")
                place = "" if place == "the values" else place
                # Helm names the mapping that holds what is not allowed.
                ours.add(place.rpartition("/")[0] if message.startswith("the schema allows no") else place)
        if ours != set(re.findall(r"(?m)at '(.*?)'", lines)):
            found.append(f"{cases[path]}\n{lines}    ours: {ours}")
        asked["charts in charts, linted"] += 1
    assert not found, "\n".join(found)
