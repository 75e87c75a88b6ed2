"""The JSON Schemas of documents take what the reader takes, and refuse what it refuses."""

import io
import json
import os
import pathlib
import tarfile
from typing import Any

import chartoci
import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHARTS = pathlib.Path(os.environ.get("CHARTOCI_CHARTS", ROOT.parent / "shared" / "charts"))
VECTORS = json.loads((ROOT / "tests" / "vectors" / "metadata.json").read_text())

# What no schema can say: a text that is empty once it is sanitised, two entries of one name, a document beside this one,
# what a field in another spelling holds.
BEYOND = {"name is dropped by sanitising"}


def values(text: str) -> object:
    """A document as Helm reads it."""
    return chartoci.Archive.read(packed({"Chart.yaml": b"name: x\nversion: 1.0.0\n", "values.yaml": text.encode()})).values


def errors(document: str, value: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(chartoci.schemas()[document])
    return [error.message for error in validator.iter_errors(value)]


def test_the_schemas_are_schemas() -> None:
    assert list(chartoci.schemas()) == ["Chart.yaml", "Chart.lock", "index.yaml"]
    for schema in chartoci.schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_real_charts_are_valid() -> None:
    charts = sorted(CHARTS.rglob("*.tgz"))
    if not charts:
        pytest.skip(f"there are no real charts in {CHARTS}")
    for path in charts:
        try:
            archive = chartoci.Archive.read(path)
        except chartoci.ChartOciError:
            continue
        for name in archive.files:
            if name.rpartition("/")[2] in ("Chart.yaml", "Chart.lock"):
                document = name.rpartition("/")[2]
                assert errors(document, values(archive.files[name].decode())) == [], (path.name, name)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS])
def test_vectors_are_valid_as_the_reader_says(case: dict[str, dict[str, str]]) -> None:
    text, code = case["input"]["chart_yaml"], case["expect"].get("error")
    if case["input"]["requirements_yaml"] is not None or case["name"] in BEYOND or code == "chart.duplicate_dependency":
        pytest.skip("no schema can say this")
    try:
        value = values(text)
    except chartoci.ChartOciError:
        pytest.skip("values cannot hold it, and no schema sees it")
    assert bool(errors("Chart.yaml", value)) is (code is not None), code


SPELLED = ["Name: web\nVERSION: 1.0.0", "name: web\nver\u017fion: 1.0.0", "naMe: web\nversion: 1.0.0", "Name: web\nname: ~\nversion: 1.0.0"]


@pytest.mark.parametrize("given", SPELLED)
def test_a_field_may_be_spelled_in_any_case(given: str) -> None:
    assert chartoci.Metadata.parse(given).name == "web"
    assert errors("Chart.yaml", values(given)) == []
    line = given.splitlines()[0]
    assert errors("Chart.yaml", values(given.replace(line, "nam: web")))


def test_an_index_is_valid_and_its_entries_have_the_fields_of_charts() -> None:
    entry = {"name": "web", "version": "1.0.0", "urls": ["web-1.0.0.tgz"], "created": "2026-01-02T03:04:05Z", "digest": "00"}
    assert errors("index.yaml", {"apiVersion": "v1", "entries": {"web": [entry]}, "generated": "2026-01-02T03:04:05Z"}) == []
    assert errors("index.yaml", {"APIVERSION": "v1", "entries": {}}) == []
    for broken in ({"entries": {}}, {"apiVersion": "v1", "entries": {"web": [{**entry, "urls": "x"}]}}):
        assert errors("index.yaml", broken)


def test_an_entry_that_helm_leaves_out_spoils_no_index() -> None:
    entry = {"name": "web", "version": "1.0.0", "urls": ["web-1.0.0.tgz"]}
    for odd in ({**entry, "version": "latest"}, {"version": "1.0.0"}, {**entry, "type": "other"}, None):
        assert errors("index.yaml", {"apiVersion": "v1", "entries": {"web": [odd, entry]}}) == []


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"x/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


JUDGED = json.loads((ROOT / "tests" / "vectors" / "schema.json").read_text())


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in JUDGED])
def test_defaults_are_judged_by_their_schema(case: Any, tmp_path: pathlib.Path) -> None:
    files = {
        "Chart.yaml": b"apiVersion: v2\nname: x\nversion: 1.0.0\n",
        "values.yaml": case["input"]["values_yaml"].encode(),
        "values.schema.json": case["input"]["schema"].encode(),
    }
    directory = tmp_path / "x"
    directory.mkdir()
    for name, data in files.items():
        (directory / name).write_bytes(data)
    for source in (packed(files), directory):
        found = [
            [finding.code, finding.document, finding.pointer, finding.line]
            for finding in chartoci.check(source)
            if finding.code in ("values.schema", "schema.invalid", "schema.remote", "limit.schema")
        ]
        for got, expected in zip(found, case["expect"], strict=True):
            wild = [None if value in ("*", None) else got[at] for at, value in enumerate(expected)]
            assert wild == [None if value == "*" else value for value in expected], found
