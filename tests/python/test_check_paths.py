"""`check` of several paths: each is judged, whatever becomes of the others."""

import json
import pathlib

import chartoci
import pytest
from test_cli_documents import is_document
from test_errors import command

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://x.example/i.png\n"


@pytest.fixture
def paths(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path, pathlib.Path]:
    bad, readme = tmp_path / "Chart.yaml", tmp_path / "README.md"
    bad.write_text(CHART.replace("1.0.0", "x"))
    readme.write_text("# web\n")
    return bad, readme, tmp_path / "nope"


def test_a_path_that_cannot_be_judged_keeps_nobody_from_reading_what_is_wrong_elsewhere(
    paths: tuple[pathlib.Path, ...],
) -> None:
    bad, readme, nope = paths
    done = command("check", bad, readme, nope)
    assert done.returncode == 2 and "chart.version" in done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 2 and str(readme) in errors[0] and str(nope) in errors[1]
    assert "`--kind`" in done.stderr
    assert command("check", nope, bad).returncode == 4
    assert command("check", bad, bad).returncode == 1


def test_documents_name_the_paths_that_could_not_be_judged(paths: tuple[pathlib.Path, ...]) -> None:
    bad, readme, nope = paths
    done = command("--json", "check", readme, bad, nope)
    assert done.returncode == 2
    first, second, third = is_document("check", done.stdout)["checked"]
    assert first["path"] == str(readme) and first["error"]["code"] == "misuse.argument"
    assert second["path"] == str(bad) and not second["ok"]
    assert third["error"]["code"] == "files.not_found"
    for given in ([bad, nope], [nope]):
        done = command("check", *given, "--format", "sarif")
        assert done.returncode == 4
        results = json.loads(done.stdout)["runs"][0]["results"]
        assert "files.not_found" in [result["ruleId"] for result in results]
    # Alone it is what every verb prints.
    assert is_document("error", command("--json", "check", nope).stdout)["error"]["code"] == "files.not_found"


def test_a_refusal_shows_its_place(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Chart.yaml").write_text(CHART)
    schema = tmp_path / "web" / "values.schema.json"
    schema.write_text('{"a": 1,\n}')
    assert f"Error: {schema}:2:1: this is no valid JSON\n" in command("package", tmp_path / "web").stderr


def test_a_chart_that_is_read_or_packed_is_checked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Chart.yaml").write_text(CHART[: CHART.index("icon")])
    packed = chartoci.package(tmp_path / "web")
    for source in (packed, chartoci.Archive.read(packed.data)):
        assert "chart.icon" in [finding.code for finding in chartoci.check(source)]


def test_a_limit_is_a_number_of_its_size() -> None:
    for value in (-1, "1", 1 << 70):
        with pytest.raises(chartoci.MisuseError, match="file"):
            chartoci.Limits(file=value)  # type: ignore[arg-type]
