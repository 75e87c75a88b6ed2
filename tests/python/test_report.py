"""What comes out of `check`: text, SARIF, and what its fixes make of a document."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import chartoci
import jsonschema
import pytest
from test_errors import QUIET, command

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import nasty  # noqa: E402
from sarif import schema as schema_of_sarif  # noqa: E402

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


def test_what_one_fix_brings_to_light_is_mended_too(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "Chart.yaml"
    path.write_text("apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://x.example/i.png\nappVersoin: 1.10 # soon 2\n")
    done = command("check", path, "--fix")
    assert (done.returncode, done.stderr) == (0, f"mended {path}\n")
    assert path.read_text().endswith('appVersion: "1.10" # soon 2\n')
    before = path.read_bytes()
    assert command("check", path, "--fix").stderr == "" and path.read_bytes() == before


def test_a_fix_that_makes_it_worse_is_none() -> None:
    head = "name: web\nversion: 1.0.0\n"
    for text, fixed in {
        f"apiVersoin: v2\n{head}": f"apiVersion: v2\n{head}",  # and no second one above
        f"apiVersion: v2\n{head}deprecatd: 1\n": None,
        "apiVersion: v2\nname: web\nversion: +1\n": None,
        f"apiVersion: v2\n{head}appVersion: !!float 1\n": None,
        f"apiVersion: v2\n{head}kubeVersion: 1.\n": None,
        f"apiVersion: !\n{head}": None,
    }.items():
        assert chartoci.check(text.encode(), "chart.yaml").fixed().decode() == (fixed or text)


def test_fixes_of_nasty_documents_keep_them_readable_and_come_to_an_end() -> None:
    mended = 0
    for number in range(800):
        case = nasty.case(number)
        text = case.tree.get("Chart.yaml")
        if not isinstance(text, bytes):
            continue
        report = chartoci.check(text, "chart.yaml")
        if any(finding.fix for finding in report):
            mended += 1
            fixed = report.fixed()
            assert not readable(text) or readable(fixed), case.name
            for _ in range(4):
                text, fixed = fixed, chartoci.check(fixed, "chart.yaml").fixed()
            assert text == fixed, case.name
    assert mended > 10


def readable(chart_yaml: bytes) -> bool:
    try:
        return bool(chartoci.Metadata.parse(chart_yaml))
    except chartoci.ChartOciError:
        return False


def test_the_json_is_that_of_every_language() -> None:
    report = chartoci.check('name: web\nversion: 1.0.0\nappVersion: 1.10\n"é\\u2028\\x7f\\"\\b": 1\n'.encode(), "chart.yaml")
    assert report.to_json() == (ROOT / "tests" / "report.json").read_text()
    assert json.loads(report.to_json()) == [finding.to_dict() for finding in report]
    fixes = [finding.fix for finding in report]
    assert [(fix.start, fix.end, fix.replacement) for fix in fixes if fix] == [(0, 0, "apiVersion: v2\n"), (37, 41, '"1.10"')]


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


@pytest.fixture(scope="module")
def sarif() -> Callable[[str], dict[str, Any]]:
    """Reads SARIF, after its schema has judged it."""
    path = schema_of_sarif()
    if not path.exists():
        pytest.skip(f"the schema of SARIF 2.1.0 is not in {path}: python tests/tools/sarif.py fetches it")
    validator = jsonschema.Draft7Validator(json.loads(path.read_text()))

    def read(text: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(text)
        assert not list(validator.iter_errors(document)), text
        return document

    return read


def test_sarif_is_what_its_schema_asks_for(broken: pathlib.Path, sarif: Callable[[str], dict[str, Any]]) -> None:
    sarif(chartoci.check(broken).to_sarif())
    sarif(chartoci.check(b"apiVersion: v2\nname: web\nversion: 1.0.0\nicon: x\n").to_sarif())
    sarif(command("check", "--format", "sarif", broken, broken / "Chart.yaml").stdout)
    with pytest.raises(AssertionError):
        sarif('{"version": "2.1.0"}')


def given_documents() -> Iterator[tuple[str, bytes, str]]:
    """Each document of the vectors and of the hostile cases: its name, its text and its kind."""
    for name in ("vectors/check.json", "hostile/cases.json"):
        for case in json.loads((ROOT / "tests" / name).read_text()):
            given = case["input"]
            if "text" in given:
                yield case["name"], given["text"].encode(), given["kind"]
            elif isinstance(given.get("document"), list):
                yield case["name"], "".join(text * times for text, times in given["document"]).encode(), given["kind"]


def test_sarif_of_every_document_given_is_valid(sarif: Callable[[str], dict[str, Any]]) -> None:
    seen = set()
    for name, text, kind in given_documents():
        report = chartoci.check(text, kind)  # type: ignore[arg-type]
        results = sarif(report.to_sarif())["runs"][0]["results"]
        assert [result["ruleId"] for result in results] == [finding.code for finding in report], name
        seen |= {finding.code for finding in report}
    assert len(seen) > 60


def test_fixes_are_made_once_and_touch_nothing_else() -> None:
    mended = 0
    for name, text, kind in given_documents():
        report = chartoci.check(text, kind)  # type: ignore[arg-type]
        if not any(finding.fix for finding in report):
            continue
        fixed = report.fixed()
        again = chartoci.check(fixed, kind)  # type: ignore[arg-type]
        assert again.fixed() == fixed, name
        assert {finding.code for finding in again.errors} <= {finding.code for finding in report.errors}, name
        # Outside the spans of the fixes there is every byte that was there, in its order.
        at, rest = 0, fixed
        fixes = (finding["fix"]["span"] for finding in json.loads(report.to_json()) if finding["fix"])
        for start, end in sorted({(span["start"], span["end"]) for span in fixes}):
            kept = text[at:start]
            assert kept in rest, name
            rest, at = rest[rest.index(kept) + len(kept) :], max(at, end)
        assert rest.endswith(text[at:]), name
        mended += 1
    assert mended > 10


@pytest.mark.parametrize("name", ["a b#c?", "100%", "\x1b[31mred", "\u202etxt", "é ü", "a'b\"c", "-x", "a:b"])
def test_an_odd_name_is_only_a_name(name: str, tmp_path: pathlib.Path, sarif: Callable[[str], dict[str, Any]]) -> None:
    directory = tmp_path / name
    directory.mkdir()
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.10\n")
    report = chartoci.check(directory)
    for said in (str(report), command("check", directory).stdout):
        assert "Chart.yaml:4:13" in said and all(c == "\n" or c.isprintable() for c in said)
    for written in (report.to_sarif(), command("check", "--format", "sarif", directory).stdout):
        (run,) = sarif(written)["runs"]
        uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
        places = {urllib.parse.unquote(urllib.parse.urlsplit(uri).path) for uri in uris}
        assert str(directory / "Chart.yaml") in places and all(re.fullmatch(r"[!-~]+", uri) for uri in uris), uris
    printed = json.loads(command("check", "--format", "json", directory).stdout)
    assert "Chart.yaml" in json.dumps(printed)


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


def test_a_provenance_is_named_by_its_own_file(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(chartoci.package(web).write(tmp_path))
    signed = f"apiVersion: v2\nname: web\nversion: 9.9.9\n\n...\nfiles:\n  {path.name}: sha256:{'0' * 64}\n"
    message = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{signed}"
    path.with_name(f"{path.name}.prov").write_text(f"{message}-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n")
    said = str(chartoci.check(path))
    assert f"{path}.prov:6:1\n" in said and f"{path}.prov:10:3\n" in said
    assert command("check", "--format", "sarif", path).stdout.count(".tgz.prov") >= 2


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


def test_a_report_names_the_kind_that_was_guessed(tmp_path: pathlib.Path) -> None:
    assert chartoci.check(b"dependencies: []\n").kind == "requirements"
    path = tmp_path / "requirements.yaml"
    path.write_text("dependancies: []\n")
    printed = json.loads(command("check", "--format", "json", path).stdout)
    assert printed["kind"] == "requirements" and printed["diagnostics"][0]["fix"]["replacement"] == "dependencies"


def test_a_fix_ends_its_line_as_the_file_does(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "Chart.yaml"
    path.write_bytes(b"name: web\r\nversion: 1.0.0\r\nappVersion: 1.10\r\n")
    report = chartoci.check(path)
    assert "fix: insert the line apiVersion: v2\n" in str(report)
    assert report.fixed() == b"apiVersion: v2\r\nname: web\r\nversion: 1.0.0\r\nappVersion: \"1.10\"\r\n"
