"""explain."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from chartoci._native import codes, error, nearest
from chartoci.cli.output import say


def add(verb: Callable[..., ArgumentParser]) -> None:
    """Adds the verb to the parser."""
    explain = verb("explain", "Explain a code of an error or a finding: what it means, what to do, an example.")
    explain.add_argument("code", metavar="CODE", help="a code, or the area before its dot: all of its codes are listed")
    explain.set_defaults(run=_explain)


def _explain(options: Namespace) -> int:
    known = {entry.code: entry for entry in codes()}
    entry = known.get(options.code)
    if entry is None:
        area = options.code.partition(".")[0]
        there = [entry for name, entry in known.items() if name.partition(".")[0] == area]
        if there and options.code == area:
            lines = [f"{entry.code}: {entry.meaning}" for entry in there]
            say(options, "\n".join(lines), {"codes": [entry.to_dict() for entry in there]})
            return 0
        areas = list(dict.fromkeys(name.partition(".")[0] for name in known))
        near = nearest(options.code, [*known, *areas])
        names = [entry.code for entry in there] or areas
        hint = f"Is {near} meant?" if near else f"There are: {', '.join(names)}."
        raise error("misuse.argument", f"there is no code {options.code!r}", hint=hint)
    what = f"an error of kind {entry.kind}" if entry.kind else f"a finding: {entry.severity}"
    example = "\n".join(f"    {line}" for line in entry.example.splitlines())
    say(options, f"{entry.code} ({what})\n{entry.meaning}\n{entry.remedy}\n\n{example}", entry.to_dict())
    return 0
