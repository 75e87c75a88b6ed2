"""What `--json` prints is what docs/cli.schema.json says, for every verb."""

import json
import pathlib
import signal
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from chartoci.cli import main
from chartoci.cli.completion import table
from chartoci.cli.options import parser
from chartoci.testing import Registry
from test_errors import QUIET, command

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs" / "cli.schema.json").read_text())


def valid(verb: str, *words: object, code: int = 0) -> Any:
    done = command("--json", *words)
    assert done.returncode == code, done.stderr
    return is_document(verb, done.stdout)


def is_document(verb: str, text: str) -> Any:
    document = json.loads(text)
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{verb}"}]}).validate(document)
    assert verb == "error" or "failed" in document or "error" not in document
    return document


def test_every_verb_has_a_document_that_is_published_and_tested() -> None:
    named = {reference["$ref"].removeprefix("#/$defs/") for reference in SCHEMA["anyOf"]}
    made = {path: parser_of(path) for path in (verb.path for verb in table(parser())) if path and path != ("registry",)}
    verbs = {made[path].get_default("verb") for path in made}
    assert named == verbs | {"error", "help", "version"}
    tests = pathlib.Path(__file__).read_text()
    assert [verb for verb in verbs if f'valid("{verb}", ' not in tests and f'is_document("{verb}", ' not in tests] == []


def parser_of(path: tuple[str, ...]) -> Any:
    made: Any = parser()
    for word in path:
        made = next(action for action in made._actions if getattr(action, "choices", None) and word in action.choices)
        made = made.choices[word]
    return made


@pytest.mark.parametrize("path", [verb.path for verb in table(parser())], ids=" ".join)
def test_help_is_a_document_where_one_is_wanted(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert main([*path, *words]) == 0
        return capsys.readouterr().out

    text = said("--help")
    assert is_document("help", said("--help", "--json"))["help"] + "\n" == text
    if path in ((), ("registry",)):
        assert said() == text and is_document("help", said("--json"))["help"] + "\n" == text


def test_documents_about_the_command_line() -> None:
    assert valid("version", "--version")["version"] in command("--version").stdout
    assert valid("version", "version") == valid("version", "--version")
    assert valid("help", "help", "registry", "login") == valid("help", "registry", "login", "--help")
    for shell in ("bash", "zsh", "fish"):
        assert valid("completion", "completion", shell)["script"] == command("completion", shell).stdout


def test_a_registry_that_serves_says_where() -> None:
    words = [sys.executable, "-m", "chartoci", "serve", "--json", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=QUIET)
    assert process.stdout is not None
    assert is_document("serve", process.stdout.readline())["serving"] is None
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10) == ("", "")


def test_one_answer_is_wanted_at_a_time(web: pathlib.Path) -> None:
    error = valid("error", "check", web, "--format", "sarif", code=2)["error"]
    assert error["code"] == "misuse.argument" and "--format sarif" in error["message"]
    assert valid("check", "check", web, "--format", "json")["ok"]
    valid("error", "check", "oci://reg.example/web", "--kind", "values", code=2)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_documents_about_files(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    valid("show", "show", "values", web)
    valid("package", "package", web, "-d", tmp_path)
    valid("package", "package", web, web, "-d", tmp_path)
    valid("explain", "explain", "chart.unquoted")
    valid("explain", "explain", "reference.tag")
    listed = valid("explain", "explain", "reference")["codes"]
    assert valid("explain", "explain", "reference.tag") in listed and len(listed) > 3
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nname: web\nversion: x\nappVersion: 1.10\n")
    said = valid("check", "check", tmp_path / "Chart.yaml", code=1)
    assert any(finding["fix"] for finding in said["diagnostics"]) and any(f["related"] for f in said["diagnostics"])
    valid("check", "check", web, tmp_path / "Chart.yaml", code=1)


def test_documents_about_registries(chart_registry: Registry, tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    host = chart_registry.host
    reference = valid("push", "push", tgz, f"oci://{host}/charts")["reference"]
    valid("pull", "pull", reference, "-d", tmp_path)
    valid("resolve", "resolve", reference)
    valid("versions", "versions", f"oci://{host}/charts/web")
    valid("tags", "tags", f"oci://{host}/charts/web")
    valid("inspect", "inspect", reference)
    valid("copy", "copy", reference, f"oci://{host}/other/web:1.0.0")
    valid("referrers", "referrers", reference)
    for words in (["explain-credentials"], ["credentials"], ["registry", "credentials"]):
        valid("explain-credentials", *words, reference)
    valid("delete", "delete", f"oci://{host}/other/web:1.0.0")


def test_of_several_what_was_done_before_one_failed_is_said(
    chart_registry: Registry, tgz: pathlib.Path, web: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pushed = valid("push", "push", tgz, f"oci://{chart_registry.host}/charts")["reference"]
    missing = f"oci://{chart_registry.host}/charts/web:9.9.9"
    said = valid("pull", "pull", pushed, missing, pushed, "-d", tmp_path, code=4)
    assert [pulled["reference"] for pulled in said["pulled"]] == [pushed]
    assert (said["failed"], said["error"]["kind"]) == (missing, "not_found")
    said = valid("package", "package", web, tmp_path / "nowhere", "-d", tmp_path, code=4)
    assert [packed["filename"] for packed in said["packaged"]] == [tgz.name]
    assert (said["failed"], said["error"]["code"]) == (str(tmp_path / "nowhere"), "files.not_found")
    assert list(valid("error", "pull", missing, code=4)) == ["error"]

    done = command("pull", pushed, missing, "-d", tmp_path)
    assert done.returncode == 4
    assert done.stdout.startswith("Pulled: ") and missing in done.stderr


def test_documents_about_logins(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "config.json"
    with Registry(username="ada", password="secret") as registry:
        flags = ["--registry-config", file, "-u", "ada", "--password", "secret"]
        valid("login", "login", registry.host, *flags)
        valid("logout", "logout", registry.host, "--registry-config", file)


@pytest.mark.parametrize("words", [["show", "chart", "/nowhere"], ["push", "x"], ["explain", "no.code"]])
def test_an_error_is_a_document_too(words: list[str]) -> None:
    done = command("--json", *words)
    assert done.returncode != 0
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": "#/$defs/error"}]}).validate(json.loads(done.stdout))
