"""The table of docs/trust.md against the tests: each family of advisories, by each driver that is said to have it."""

import json
import re

# `everyDriver` runs in Chromium, too, unless its own list of drivers stands at its end.
JAVASCRIPT = re.compile(
    r'^ *(everyDriver|everyNode|test)\(\s*[`"](T-[A-Z]+-\d)(.*?)^ *\}(?:,\s*\[([^]]*)\],?\s*)?\);$', re.M | re.S
)
PYTHON = re.compile(r"^def test_(t_[a-z]+_\d)_\w+\(([^)]*)\)", re.M)


def families(root):
    """Which driver is asked about which family."""
    found = {name: set() for name in ("Python", "Python, async", "Node", "Chromium")}
    for case in json.loads((root / "tests" / "errors" / "cases.json").read_text()):
        if family := re.match(r"T-[A-Z]+-\d", case["name"]):
            for known in found.values():
                known.add(family[0])
    for path in (root / "tests" / "python").glob("test_*.py"):
        for family, arguments in PYTHON.findall(path.read_text()):
            family = family.upper().replace("_", "-")
            found["Python"].add(family)
            if re.search(r"\b(drive|client):", arguments):
                found["Python, async"].add(family)
    for path in (root / "tests" / "js").glob("*.test.js"):
        for how, family, _, drivers in JAVASCRIPT.findall(path.read_text()):
            if how == "everyDriver" and (not drivers or "Chromium" in drivers):
                found["Chromium"].add(family)
            if not drivers or "node" in drivers:
                found["Node"].add(family)
    return found


def test_every_family_is_asked_of_every_driver_that_the_table_names(root):
    page = (root / "docs" / "trust.md").read_text()
    table = page[page.index("| family |") :].split("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    found = families(root)
    assert len(rows) == 18
    for name, *cells in rows:
        family = name.split(":")[0]
        for driver, cell in zip(head[1:], cells, strict=True):
            assert (family in found[driver]) == (not cell.startswith("–")), (family, driver)
