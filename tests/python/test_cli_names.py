"""Names that are no UTF-8, on the command line."""

import json
import os
import pathlib
import sys

import pytest
from test_errors import command

if sys.platform in ("darwin", "win32"):
    pytest.skip("names are text there", allow_module_level=True)

BAD = os.fsdecode(b"b\xff.yaml")
SHOWN = "b\ufffd.yaml"


@pytest.fixture
def here(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("good.yaml", BAD):
        (tmp_path / name).write_text("apiVersion: v2\nname: web\nversion: x\n")
    chart = tmp_path / os.fsdecode(b"d\xff")
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    return tmp_path


def test_a_document_of_such_a_name_is_judged_like_any_other(here: pathlib.Path) -> None:
    words = ("check", "--kind", "chart.yaml", here / BAD, here / "none.yaml", here / "good.yaml")
    done = command(*words)
    assert done.returncode == 4, done.stderr
    assert SHOWN in done.stdout and "good.yaml" in done.stdout and "none.yaml" in done.stderr
    first, second, third = json.loads(command("--json", *words).stdout)["checked"]
    assert first["path"] == str(here / SHOWN)
    assert second["error"]["code"] == "files.not_found"
    assert first["diagnostics"] == third["diagnostics"] != []
    assert "b%EF%BF%BD.yaml" in command(*words, "--format", "sarif").stdout


def test_what_names_such_a_file_without_being_one_does_not_end_the_others(here: pathlib.Path) -> None:
    words = ("check", f"oci://h/{BAD}", here / "good.yaml", here / f"no-{BAD}")
    checked = json.loads(command("--json", *words).stdout)["checked"]
    assert [found["error"]["code"] for found in checked if "error" in found] == ["misuse.argument", "files.not_found"]
    assert checked[1]["diagnostics"]
    done = command(*words)
    assert "is no UTF-8" in done.stderr and "good.yaml" in done.stdout


def test_a_chart_in_such_a_directory_is_packed_there(here: pathlib.Path) -> None:
    directory = here / os.fsdecode(b"d\xff")
    said = json.loads(command("--json", "package", directory, "-d", directory).stdout)
    assert said["path"] == str(here / "d\ufffd" / "web-1.0.0.tgz")
    assert (directory / "web-1.0.0.tgz").exists()
    assert "d\ufffd" in command("package", directory, "-d", directory).stdout
    assert command("show", "chart", directory).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["push", "x.tgz", f"oci://h/{BAD}"],
        ["pull", f"oci://h/{BAD}"],
        ["show", "chart", f"oci://h/{BAD}"],
        ["versions", "oci://h/x", BAD],
        ["resolve", "oci://h/x", "--version", BAD],
        ["login", "h", "--username", "ada", "--password", BAD],
        ["explain", BAD],
        [BAD],
    ],
    ids=lambda words: words[0],
)
def test_where_no_file_is_named_text_is_wanted(words: list[str]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("Error: ") and "Traceback" not in done.stderr
    assert json.loads(command("--json", *words).stdout)["error"]["code"] == "misuse.argument"
    if "--password" in words:
        assert "b\\udcff" not in done.stderr


def test_a_chart_of_such_a_name_is_refused_by_its_name(here: pathlib.Path) -> None:
    error = json.loads(command("--json", "push", here / BAD, "oci://localhost:1/x").stdout)["error"]
    assert error["code"] == "archive.gzip" and SHOWN in error["message"]
