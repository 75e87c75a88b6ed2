"""What is made from the core's tables is current, and the table of codes has no dead entries."""

import re
import sys

import chartoci
import pytest


def test_generated_files_are_current(root):
    sys.path.insert(0, str(root / "tests" / "tools"))
    import generate

    for path, text in generate.generated().items():
        assert path.exists() and path.read_text() == text, f"{path.relative_to(root)} is not current: `make generate`"


def test_every_notice_is_on_the_page_of_codes(root):
    sys.path.insert(0, str(root / "tests" / "tools"))
    import generate

    sources = (root / "core" / "src" / "exchange").glob("*.rs")
    told = {code for path in sources for code in re.findall(r'\bNotice \{\s*code: "([a-z_.]+)"', path.read_text())}
    assert told == set(generate.NOTICES)


def test_every_code_has_an_example():
    assert [entry.code for entry in chartoci.codes() if not entry.example] == []


def expectations(root):
    """All that tests expect: the cases and vectors, the tests of each language, and those at the foot of the core's files."""
    for folder, endings in (("tests", (".json", ".py", ".js")), ("core/tests", (".rs",))):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in endings and "node_modules" not in path.parts:
                yield path.read_text()
    for path in sorted((root / "core" / "src").rglob("*.rs")):
        text = path.read_text()
        if path.name in ("tests.rs",) or path.parent.name == "tests":
            yield text
        # A table of codes is no test of them.
        elif path.name not in ("error.rs", "example.rs"):
            yield text.partition("#[cfg(test)]\nmod ")[2] or text.partition("#[cfg(test)]\npub(crate) mod ")[2]


@pytest.fixture(scope="module")
def expected(root):
    return "\n".join(expectations(root))


def test_every_code_is_named_by_a_test(root, expected):
    """By its name or its constant, where tests say what they expect. That it comes about is for those tests to prove."""
    table = (root / "core" / "src" / "error.rs").read_text()
    constants = {name: constant for constant, name in re.findall(r'^    ([A-Z_0-9]+) = "([a-z0-9_.]+)",', table, re.M)}
    named = set(re.findall(r"""["'`]([a-z]+\.[a-z0-9_]+)["'`]""", expected))
    used = set(re.findall(r"\bCode::([A-Z_0-9]+)\b", expected))
    silent = [entry.code for entry in chartoci.codes() if entry.code not in named and constants[entry.code] not in used]
    assert silent == []
