"""Archives and documents that attack their reader: `tests/hostile/cases.json`, explained in generate.py beside it."""

import base64
import json
import pathlib
import subprocess
import sys
import unicodedata
from typing import Any

import chartoci
import pytest
from chartoci.testing import Registry

CASES = json.loads((pathlib.Path(__file__).parent.parent / "hostile" / "cases.json").read_text())


FAMILIES = {"T-PATH", "T-LINK", "T-NAME", "T-BOMB", "T-DIFF", "T-TYPE", "T-SIZE", "T-YAML", "T-NULL", "T-SEMVER", "T-SCHEMA", "T-TERM",
            "T-PROTO", "T-LAYOUT", "T-EXIT"}


def outcome(case: Any, directory: pathlib.Path) -> Any:
    given, limits = case["input"], chartoci.Limits(**case["input"].get("limits", {}))
    if "document" in given:
        text = "".join(part * times for part, times in given["document"])
        report = chartoci.check(text.encode(), given["kind"], limits=limits)
        assert neutral(str(report))
        got: dict[str, Any] = {"error": next((finding.code for finding in report.errors), None)}
        return got | ({"warnings": [finding.code for finding in report.warnings]} if "warnings" in case["expect"] else {})
    if "layout" in given:
        for name, text in given["layout"].items():
            (directory / name).write_text(text)
        try:
            with Registry(directory):
                pass
        except chartoci.ChartOciError as error:
            return {"error": error.code}
        return {"error": None}
    data = base64.b64decode(given["archive"])
    if "command" in given:
        fails_on_the_command_line(given["command"], data, directory)
    try:
        archive = chartoci.Archive.read(data, limits=limits)
    except chartoci.ChartOciError as error:
        assert neutral(str(error))
        return {"error": error.code}
    got = {"paths": list(archive.files)}
    if "values" in case["expect"]:
        got["values"] = json.dumps(archive.values, separators=(",", ":"))
    if "check" in case["expect"]:
        codes = {finding.code for finding in chartoci.check(data, "chart", limits=limits).errors}
        got["check"] = case["expect"]["check"] if case["expect"]["check"] in codes else codes
    try:
        archive.extract(directory)
    except chartoci.ChartOciError as error:
        got["extract"] = error.code
        assert not any(directory.iterdir())
    return got


def neutral(text: str) -> bool:
    """Nothing in it steers a terminal or turns text around."""
    return all(unicodedata.category(character) not in ("Cc", "Cf") for character in text.replace("\n", ""))


def fails_on_the_command_line(command: list[str], data: bytes, directory: pathlib.Path) -> None:
    chart = directory / "chart.tgz"
    chart.write_bytes(data)
    words = [str(chart) if word == "{chart}" else word for word in command]
    done = subprocess.run([sys.executable, "-m", "chartoci", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (1, 7), done
    assert "Pushed" not in done.stdout + done.stderr
    assert command[0] == "check" or (done.stdout == "" and done.stderr.startswith("Error: "))
    assert neutral(done.stdout + done.stderr)
    chart.unlink()


def test_no_family_is_missing() -> None:
    assert {case["family"] for case in CASES} == FAMILIES


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_case_comes_out_as_it_must(case: Any, tmp_path: pathlib.Path) -> None:
    assert outcome(case, tmp_path) == case["expect"], case["why"]
