"""The command line: where Helm has the verb, its arguments, flags and output are Helm's."""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code."""
    _open_streams()
    try:
        return _run(arguments)
    except KeyboardInterrupt:  # before anything was begun
        print("Error: interrupted", file=sys.stderr)
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    from chartoci.cli import output
    from chartoci.cli.options import Told, parse, wants_json

    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = wants_json(words)
    output.conceal(words)
    try:
        try:
            options = parse(words)
            return int(options.run(options))
        except Told as told:
            output.answer(told.text, told.document, as_json)
            return 0
    except output.ENDS as ended:
        return output.failed(output.end(ended), as_json)
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough


def _open_streams() -> None:
    """What was closed before we began leads nowhere: no socket is to be taken for it, and no answer to end up elsewhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
