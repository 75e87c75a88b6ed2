"""What comes out of `check`: text, SARIF, and what its fixes make of a document."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import chartoci
import jsonschema
import pytest
from test_errors import QUIET, command

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = pathlib.Path(os.environ.get("SARIF_SCHEMA", ROOT / ".cache" / "sarif-schema-2.1.0.json"))

CHART = """\
# Ours.
apiVersion: v2
name: web
version: 1.2
appVersion: 1.10   # soon 2.0
desciption: A site   # misspelt
maintainers:
- name: Ada
  name: Grace
"""


@pytest.fixture
def broken(web: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    directory = tmp_path / "broken"
    shutil.copytree(web, directory)
    (directory / "Chart.yaml").write_text(CHART)
    return directory


def test_a_report_reads_as_a_compiler_prints_it() -> None:
    said = str(chartoci.check(CHART.encode(), "chart.yaml"))
    assert (
        "error[chart.unquoted]: appVersion 1.10 is a number, not a text\n"
        " --> Chart.yaml:5:13\n"
        "  |\n"
        "5 | appVersion: 1.10   # soon 2.0\n"
        "  |             ^^^^\n"
        "  |\n"
        "  = help: Put it in quotes.\n"
        '  = fix: write "1.10"\n'
    ) in said
    repeated = said[said.index("yaml.duplicate_key") :]
    assert repeated.index("8 | - name: Ada") < repeated.index("9 |   name: Grace") < repeated.index("= help")
    assert "\x1b" not in said
    assert "\x1b[" in chartoci.check(CHART.encode(), "chart.yaml").to_text(color=True)


def test_what_is_fixed_keeps_every_other_byte() -> None:
    report = chartoci.check(CHART.encode(), "chart.yaml")
    expected = CHART.replace("version: 1.2\n", 'version: "1.2"\n').replace(": 1.10 ", ': "1.10" ')
    assert report.fixed().decode() == expected.replace("desciption", "description")
    clean = chartoci.check(report.fixed(), "chart.yaml")
    assert all(finding.fix is None for finding in clean)
    assert clean.fixed("Chart.yaml") == report.fixed()


def test_of_several_documents_one_is_named(broken: pathlib.Path) -> None:
    (broken / "values.yaml").write_text("a: 1\na: 2\n")
    report = chartoci.check(broken)
    assert report.documents == ["Chart.yaml", "values.yaml"]
    with pytest.raises(chartoci.MisuseError) as caught:
        report.fixed()
    assert "Chart.yaml, values.yaml" in caught.value.hint
    assert report.fixed("values.yaml") == b"a: 1\na: 2\n"


def test_a_second_place_is_data() -> None:
    report = chartoci.check(b"a: 1\na: 2\n", "values")
    (place,) = next(iter(report)).related
    assert (place.line, place.column, place.end_column) == (2, 1, 2)
    assert json.loads(report.to_json())[0]["related"][0]["span"]["line"] == 2


def test_a_place_has_bytes_as_well_as_lines() -> None:
    text = "# \u00e9\nname: web\nversion: 1.0.0\nappVersion: 1.10\n".encode()
    (finding,) = [finding for finding in chartoci.check(text, "chart.yaml") if finding.pointer == "/appVersion"]
    assert text[finding.start : finding.end] == b"1.10"
    (whole,) = [finding for finding in chartoci.check(text, "chart.yaml") if finding.code == "chart.api_version_missing"]
    assert (whole.start, whole.end) == (None, None)


def test_nothing_in_a_document_steers_the_terminal() -> None:
    report = chartoci.check("name: \"\x1b]0;owned\x07\u202e\"\nversion: '\x9b2J'\n\u2066odd: 1\n".encode(), "chart.yaml")
    assert all(c == "\n" or c.isprintable() for c in str(report))


def test_sarif_is_what_its_schema_asks_for(broken: pathlib.Path) -> None:
    if not SCHEMA.exists():
        pytest.skip(f"the schema of SARIF 2.1.0 is not in {SCHEMA}: OASIS publishes it, $SARIF_SCHEMA names a copy")
    validator = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))
    validator.validate(json.loads(chartoci.check(broken).to_sarif()))
    validator.validate(json.loads(chartoci.check(b"apiVersion: v2\nname: web\nversion: 1.0.0\nicon: x\n").to_sarif()))
    validator.validate(json.loads(command("check", "--format", "sarif", broken, broken / "Chart.yaml").stdout))


def test_sarif_names_rules_and_places_below_the_chart(broken: pathlib.Path) -> None:
    document = json.loads(chartoci.check(broken).to_sarif())
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    results = {result["ruleId"]: result for result in run["results"]}
    place = results["chart.unquoted"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("broken/Chart.yaml")
    assert results["yaml.duplicate_key"]["relatedLocations"]
    assert results["chart.unknown_key"]["fixes"][0]["artifactChanges"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_command_line_writes_one_sarif_document_of_relative_paths(broken: pathlib.Path) -> None:
    words = [sys.executable, "-m", "chartoci", "check", "--format", "sarif", "broken", "broken/Chart.yaml"]
    done = subprocess.run(words, cwd=broken.parent, env=QUIET, capture_output=True, text=True)
    assert done.returncode == 1
    results = json.loads(done.stdout)["runs"][0]["results"]
    found = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert set(found) == {"broken/Chart.yaml"} and len(found) > 6


def test_fix_mends_a_directory_in_place_and_says_what_is_left(broken: pathlib.Path) -> None:
    os.chmod(broken / "Chart.yaml", 0o640)
    done = command("check", broken, "--fix")
    assert "mended" in done.stderr
    assert 'appVersion: "1.10"   # soon 2.0\ndescription: A site   # misspelt' in (broken / "Chart.yaml").read_text()
    assert (broken / "Chart.yaml").stat().st_mode & 0o777 == 0o640
    assert "chart.unquoted" not in done.stdout and "yaml.duplicate_key" in done.stdout
    assert not [path for path in broken.iterdir() if path.name.startswith(".Chart")]


def test_fix_follows_a_link_and_keeps_a_byte_order_mark(tmp_path: pathlib.Path) -> None:
    (tmp_path / "Chart.yaml").write_text("\ufeffapiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10\n")
    (tmp_path / "link.yaml").symlink_to("Chart.yaml")
    assert command("check", tmp_path / "link.yaml", "--kind", "chart.yaml", "--fix").returncode == 0
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "Chart.yaml").read_text() == '\ufeffapiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: "1.10"\n'


def test_fix_refuses_what_is_packed(tmp_path: pathlib.Path) -> None:
    import io
    import tarfile

    with tarfile.open(tmp_path / "web.tgz", "w:gz") as archive:
        text = b"apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10\n"
        entry = tarfile.TarInfo("web/Chart.yaml")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    before = (tmp_path / "web.tgz").read_bytes()
    done = command("check", tmp_path / "web.tgz", "--fix")
    assert done.returncode == 2
    assert "package it again" in done.stderr
    assert (tmp_path / "web.tgz").read_bytes() == before


def test_colours_are_for_terminals(broken: pathlib.Path) -> None:
    import pty

    for environment, colored in (({}, True), ({"NO_COLOR": "1"}, False)):
        reader, writer = pty.openpty()
        words = [sys.executable, "-m", "chartoci", "check", str(broken)]
        done = subprocess.Popen(words, stdout=writer, env={**QUIET, **environment})
        os.close(writer)
        said = b""
        try:
            while part := os.read(reader, 65536):
                said += part
        except OSError:
            pass
        done.wait(10)
        os.close(reader)
        assert (b"\x1b[" in said) is colored
