"""What `--json` prints is what docs/cli.schema.json says, for every verb."""

import json
import pathlib
from typing import Any

import jsonschema
import pytest
from chartoci.testing import Registry
from test_errors import command

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs" / "cli.schema.json").read_text())


def valid(verb: str, *words: object, code: int = 0) -> Any:
    done = command("--json", *words)
    assert done.returncode == code, done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{verb}"}]}).validate(document)
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_documents_about_files(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    valid("show", "show", "values", web)
    valid("package", "package", web, "-d", tmp_path)
    valid("package", "package", web, web, "-d", tmp_path)
    valid("explain", "explain", "chart.unquoted")
    valid("explain", "explain", "reference.tag")
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
    valid("credentials", "registry", "credentials", reference)
    valid("delete", "delete", f"oci://{host}/other/web:1.0.0")


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
