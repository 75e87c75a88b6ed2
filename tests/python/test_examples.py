"""Every public class and function has an example in its documentation, and it runs; every member says what it is for."""

import doctest
import inspect
import io
import pathlib

import chartoci
import pytest

NAMES = [name for name in chartoci.__all__ if inspect.isclass(found := getattr(chartoci, name)) or inspect.isroutine(found)]
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "README.md": "# Web\n",
    "templates/service.yaml": "kind: Service\n",
    "values.yaml": "replicas: 2\n",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_runs(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, content in CHART.items():
        file = tmp_path / "web" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    chartoci.package("web", created=0).write(tmp_path)
    text = inspect.getdoc(getattr(chartoci, name)) or ""
    examples = doctest.DocTestParser().get_doctest(text, {"chartoci": chartoci}, name, None, None)
    assert examples.examples, f"{name} has no example"
    said = io.StringIO()
    assert doctest.DocTestRunner().run(examples, out=said.write).failed == 0, said.getvalue()


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isclass(getattr(chartoci, name))])
def test_every_public_member_says_what_it_is_for(name: str) -> None:
    found = getattr(chartoci, name)
    members = {member: getattr(found, member) for member in vars(found) if not member.startswith("_")}
    told = (inspect.isroutine, inspect.isgetsetdescriptor, lambda value: isinstance(value, property))
    assert [member for member, value in members.items() if any(is_told(value) for is_told in told) and not value.__doc__] == []
