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


def page_of_codes() -> str:
    """docs/codes.md."""
    parts, area = [HEAD], ""
    for entry in sorted(chartoci.codes(), key=lambda entry: entry.code.partition(".")[0]):
        if area != (area := entry.code.partition(".")[0]):
            parts.append(f"## {area}\n")
        what = f"error, kind `{entry.kind}`" if entry.kind else f"finding: {entry.severity}"
        parts.append(f"### {entry.code}\n\n*{what}.* {entry.meaning}\n{entry.remedy}\n\n```text\n{entry.example}\n```\n")
    return "\n".join(parts)


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
