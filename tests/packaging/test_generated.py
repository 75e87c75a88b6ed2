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


def test_every_code_is_produced_by_a_case(root):
    codes = {entry.code for entry in chartoci.codes()}
    assert sorted(codes - set(compared_by_cases(root))) == []
