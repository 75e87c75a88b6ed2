"""Every public class and function has an example in its documentation, and it runs; every member says what it is for."""

import doctest
import inspect
import io
import pathlib

import chartoci
import pytest
from chartoci.testing import Registry

NAMES = [name for name in chartoci.__all__ if inspect.isclass(found := getattr(chartoci, name)) or inspect.isroutine(found)]
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "README.md": "# Web\n",
    "templates/service.yaml": "kind: Service\n",
    "values.yaml": "replicas: 2\n",
}


def place(directory: pathlib.Path) -> None:
    """Puts a chart there, and its archive."""
    for path, content in CHART.items():
        file = directory / "web" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    chartoci.package(directory / "web", created=0).write(directory)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_runs(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place(tmp_path)
    run(getattr(chartoci, name), {"chartoci": chartoci})


def run(shown: object, names: dict[str, object]) -> None:
    text = inspect.getdoc(shown) or ""
    examples = doctest.DocTestParser().get_doctest(text, names, str(shown), None, None)
    assert examples.examples, f"{shown} has no example"
    said = io.StringIO()
    assert doctest.DocTestRunner().run(examples, out=said.write).failed == 0, said.getvalue()


@pytest.mark.parametrize("verb", [name for name, found in vars(chartoci.Client).items() if name[0] != "_" and hasattr(found, "__wrapped__")])
def test_every_verb_has_an_example_that_runs(verb: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    users = {"username": "ada", "password": "secret"} if verb == "login" else {}
    with Registry(**users) as registry, chartoci.Client(credentials=None) as client:
        place(tmp_path)
        if verb != "login":
            client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        run(getattr(chartoci.Client, verb), {"chartoci": chartoci, "client": client, "registry": registry})


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isclass(getattr(chartoci, name))])
def test_every_public_member_says_what_it_is_for(name: str) -> None:
    found = getattr(chartoci, name)
    members = {member: getattr(found, member) for member in vars(found) if not member.startswith("_")}
    told = (inspect.isroutine, inspect.isgetsetdescriptor, lambda value: isinstance(value, property))
    assert [member for member, value in members.items() if any(is_told(value) for is_told in told) and not value.__doc__] == []
