"""Who may know whom inside the core: the arrows of ARCHITECTURE.md, checked against every `use crate::`."""

import re

# The bottom layer, which everybody may use, and what each other part may use beyond it.
BOTTOM = {"error", "diagnostic", "limits", "time", "files", "printable", "decimal", "order", "slots"}
MAY_USE = {
    "json": set(),
    "yaml": {"json"},
    "oci": {"json"},
    "version": {"oci"},
    "http": {"oci"},
    "chart": {"json", "yaml", "version", "oci"},
    "artifact": {"json", "version", "oci", "chart"},
    "check": {"schema", "json", "yaml", "version", "oci", "http", "chart", "artifact"},
    "schema": {"json", "version", "http"},
    "auth": {"json", "oci", "http"},
    "exchange": {"json", "version", "oci", "http", "chart", "artifact", "auth"},
    "server": {"json", "oci", "http"},
}
USES = re.compile(r"\bcrate::(?:\{([^}]*)\}|(\w+))")
WORLD = re.compile(r"\bstd::(?:fs|env|thread|process)\b|\bstd::net::(?!Ip)|\bstd::time::(?:Instant|SystemTime)\b")


def parts_of(root):
    """Yields each source file with the part of the core that it belongs to."""
    source = root / "core" / "src"
    for path in sorted(source.rglob("*.rs")):
        part = path.relative_to(source).parts[0].removesuffix(".rs")
        if part != "lib":
            # Tests at the foot of a file may use what they like.
            yield part, path, path.read_text().split("#[cfg(test)]\nmod ")[0]


def test_arrows_only_point_down(root):
    wrong = []
    for part, path, text in parts_of(root):
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
        for several, one in USES.findall(code):
            for used in [name.strip().split("::")[0] for name in several.split(",")] if several else [one]:
                lower = used == used.lower() and used not in ("", part)
                if lower and used not in BOTTOM | MAY_USE.get(part, set()):
                    wrong.append(f"{path.relative_to(root)} uses {used}")
    assert not wrong, "\n".join(wrong)


def test_every_part_has_its_place(root):
    assert {part for part, _, _ in parts_of(root)} <= BOTTOM | set(MAY_USE)


def test_the_core_opens_no_file_and_no_socket_and_reads_no_clock(root):
    wrong = [str(path.relative_to(root)) for _, path, text in parts_of(root) if WORLD.search(text)]
    assert not wrong, wrong
