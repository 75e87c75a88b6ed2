"""Writes what is made from the core's tables: the page of codes, the JSON Schemas of documents. `tests/packaging/test_generated.py` holds them current."""

import json
import pathlib

import chartoci

ROOT = pathlib.Path(__file__).resolve().parents[2]

HEAD = """\
# Codes

What can be wrong, by its stable name. An *error* ends an operation or refuses an input, and has a kind to branch on; a
*finding* is said of a document by `check`, which goes on. `chartoci explain CODE` prints an entry; `codes()` lists them in
every language. This page is generated from the table in `core/src/error.rs`: `make generate`.
"""

# What is told while a call goes on. `tests/packaging/test_generated.py` holds them against the core.
NOTICES = {
    "artifact.no_provenance": "A provenance was asked for, and the chart has none.",
    "auth.anonymous": "The stored credential was refused, or its helper is missing: it is tried without one.",
    "auth.unchecked": "The registry asks nobody who is calling: user and password are stored, but could not be checked.",
    "registry.provenance_kept": "Nothing was pushed, as the tag has this very chart; the provenance that was given is not with it.",
    "registry.referrer_gone": "A list of referrers names a manifest that is not there: it was passed over.",
    "registry.tag_unchecked": "`check_tag` was asked for, and there is no such tag, or the registry does not say which digest it has.",
    "registry.warning": "The registry has sent a `Warning`; the text is its own.",
}
NOTICES_HEAD = """\
## Notices

What is told while a call goes on, as the event `Notice` to whoever gave `progress`; the command line writes it as a warning.
None of them ends a call, so they have no kind, and `codes()` does not list them.

| code | meaning |
| --- | --- |"""


def page_of_codes() -> str:
    """docs/codes.md."""
    parts, area = [HEAD], ""
    for entry in sorted(chartoci.codes(), key=lambda entry: entry.code.partition(".")[0]):
        if area != (area := entry.code.partition(".")[0]):
            parts.append(f"## {area}\n")
        what = f"error, kind `{entry.kind}`" if entry.kind else f"finding: {entry.severity}"
        parts.append(f"### {entry.code}\n\n*{what}.* {entry.meaning}\n{entry.remedy}\n\n```text\n{entry.example}\n```\n")
    return "\n".join([*parts, NOTICES_HEAD, *(f"| `{code}` | {meaning} |" for code, meaning in NOTICES.items())]) + "\n"


def generated() -> dict[pathlib.Path, str]:
    """Each file, and what it must hold."""
    files = {ROOT / "docs" / "codes.md": page_of_codes()}
    for name, schema in chartoci.schemas().items():
        path = ROOT / "bindings-wasm" / "js" / "schemas" / f"{name}.json"
        files[path] = json.dumps(schema, indent=1) + "\n"
    return files


if __name__ == "__main__":
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
