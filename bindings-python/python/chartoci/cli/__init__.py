"""The command line: where Helm has the verb, its arguments, flags and output are Helm's."""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code."""
    from chartoci.cli import output
    from chartoci.cli.options import Told, parse, wants_json
    from chartoci.errors import ChartOciError

    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = wants_json(words)
    try:
        options = parse(words)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except Told as told:
        output.answer(told.text, told.document, as_json)
        sys.stdout.flush()
        return 0
    except ChartOciError as error:
        return output.failed(error, as_json)
    except KeyboardInterrupt:
        return output.interrupted(as_json)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
