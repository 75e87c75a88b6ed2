"""What is made from the core's tables is current, and the table of codes has no dead entries."""

import json
import re
import sys

import chartoci


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


def compared_by_cases(root):
    """All texts in what cases expect. Who runs a case compares that with what came, so a code in it has really come."""
    folders = [root / "tests" / name for name in ("vectors", "hostile", "errors", "transcripts")]
    paths = [path for folder in folders for path in sorted(folder.glob("*.json*"))]
    for path in paths:
        text = path.read_text()
        cases = map(json.loads, text.splitlines()) if path.suffix == ".jsonl" else json.loads(text)
        for case in cases:
            yield from texts_in(case.get("expect"))


def texts_in(value):
    """Each text in a value of JSON."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in(item)


def code_of_tests(root):
    """The tests of each language, and those at the foot of the core's files."""
    for folder, endings in (("tests", (".py", ".js")), ("core/tests", (".rs",))):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in endings and not {"node_modules", "tools"} & set(path.parts):
                yield path.read_text()
    for path in sorted((root / "core" / "src").rglob("*.rs")):
        text = path.read_text()
        if path.name == "tests.rs" or path.parent.name == "tests":
            yield text
        # A table of codes is no test of them.
        elif path.name not in ("error.rs", "example.rs"):
            yield text.partition("#[cfg(test)]\nmod ")[2] or text.partition("#[cfg(test)]\npub(crate) mod ")[2]


def test_every_code_comes_of_a_case_or_is_named_by_a_test(root):
    """Most codes are proven to come: cases expect them. Of the few others it is only seen that a test's code names them."""
    codes = {entry.code for entry in chartoci.codes()}
    proven = codes & set(compared_by_cases(root))
    assert len(proven) > 0.8 * len(codes)
    tests = "\n".join(code_of_tests(root))
    table = (root / "core" / "src" / "error.rs").read_text()
    constants = {name: constant for constant, name in re.findall(r'^    ([A-Z_0-9]+) = "([a-z0-9_.]+)",', table, re.M)}
    named = set(re.findall(r"""["'`]([a-z]+\.[a-z0-9_]+)["'`]""", tests))
    used = set(re.findall(r"\bCode::([A-Z_0-9]+)\b", tests))
    assert [code for code in sorted(codes - proven) if code not in named and constants[code] not in used] == []
