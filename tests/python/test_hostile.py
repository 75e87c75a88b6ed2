"""Archives and documents that attack their reader: `tests/hostile/cases.json`, explained in generate.py beside it."""

import base64
import json
import pathlib
from typing import Any

import chartoci
import pytest

CASES = json.loads((pathlib.Path(__file__).parent.parent / "hostile" / "cases.json").read_text())


def outcome(given: Any, directory: pathlib.Path) -> Any:
    if "document" in given:
        report = chartoci.check(given["document"].encode(), given["kind"])
        return {"error": next(finding.code for finding in report.errors)}
    try:
        archive = chartoci.Archive.read(base64.b64decode(given["archive"]), limits=chartoci.Limits(**given["limits"]))
    except chartoci.ChartOciError as error:
        return {"error": error.code}
    got: dict[str, Any] = {"paths": list(archive.files)}
    try:
        archive.extract(directory)
    except chartoci.ChartOciError as error:
        got["extract"] = error.code
        assert not any(directory.iterdir())
    return got


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_case_comes_out_as_it_must(case: Any, tmp_path: pathlib.Path) -> None:
    assert outcome(case["input"], tmp_path) == case["expect"], case["why"]
