"""explain."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from chartoci._native import codes, error
from chartoci.cli.output import say


def add(verb: Callable[..., ArgumentParser]) -> None:
    """Adds the verb to the parser."""
    explain = verb("explain", "Explain a code of an error or a finding: what it means, what to do, an example.")
    explain.add_argument("code", metavar="CODE")
    explain.set_defaults(run=_explain)


def _explain(options: Namespace) -> int:
    known = {entry.code: entry for entry in codes()}
    entry = known.get(options.code)
    if entry is None:
        from difflib import get_close_matches

        area = options.code.partition(".")[0]
        there = [name for name in known if name.partition(".")[0] == area] or sorted({n.partition(".")[0] for n in known})
        near = get_close_matches(options.code, known, 1)
        hint = f"Is {near[0]} meant?" if near else f"There are: {', '.join(there)}."
        raise error("misuse.argument", f"there is no code {options.code!r}", hint=hint)
    what = f"an error of kind {entry.kind}" if entry.kind else f"a finding: {entry.severity}"
    example = "\n".join(f"    {line}" for line in entry.example.splitlines())
    say(options, f"{entry.code} ({what})\n{entry.meaning}\n{entry.remedy}\n\n{example}", entry.to_dict())
    return 0
