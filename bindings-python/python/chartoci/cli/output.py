"""What is printed: documents, errors, progress."""

import json
import os
import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from chartoci import _native as native
from chartoci.blobs import failure, named
from chartoci.errors import AbortedError, ChartOciError
from chartoci.model import Event, Notice, Progress, Retrying

EXIT_CODES = {
    "misuse": 2,
    "denied": 3,
    "not_found": 4,
    "transport": 5,
    "integrity": 6,
    "invalid": 7,
    "protocol": 8,
    "conflict": 9,
    "limit": 10,
    "unsupported": 11,
    "aborted": 130,
}

# What no message may repeat: what stands before the `@` in the words of this command.
_concealed: list[str] = []


def conceal(words: list[str]) -> None:
    """From here on nothing that is said of a command repeats a user name and a password out of its words."""
    _concealed.clear()
    for word in map(named, words):
        for text in (word, word.partition("=")[2]):
            rest = native.without_userinfo(text)
            if rest != text:
                before = text.removesuffix(rest[1:])
                _concealed.append(before.partition("://")[2] or before)


def concealed(text: str) -> str:
    """The same without what `conceal` was told of."""
    for secret in _concealed:
        text = text.replace(secret, "…")
    return text


CLEAR = "\r\x1b[K"
_bar = False  # stands on the terminal's last line


def say(options: Namespace, text: str, document: dict[str, Any]) -> None:
    """The result: a document with `--json`, text without; nothing with `--quiet`."""
    if options.json or text and not options.quiet:
        answer(text, document, options.json)


def answer(text: str, document: dict[str, Any], as_json: bool) -> None:
    """What was asked for, with `--quiet` as well."""
    write(f"{json.dumps(document, indent=2, ensure_ascii=False) if as_json else text}\n".encode("utf-8", "replace"))


def write(data: bytes) -> None:
    """All that goes to stdout, at once."""
    try:
        sys.stdout.flush()
        out = getattr(sys.stdout, "buffer", None)
        if out is None:  # somebody has put a text of their own in its place
            sys.stdout.write(data.decode("utf-8", "replace"))
        else:
            out.write(data)
        sys.stdout.flush()
    except OSError as failed:
        # What is still held would fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(failed, BrokenPipeError):
            raise
        raise failure(failed, Path("stdout")) from None


def note(options: Namespace, text: str) -> None:
    """Something beside the result."""
    if not options.quiet:
        _complain(text)


def _complain(text: str) -> None:
    """A line on stderr; a bar that stands there makes room."""
    global _bar
    try:
        print(f"{CLEAR if _bar else ''}{visible(concealed(text))}", file=sys.stderr)
    except OSError:
        pass  # nobody reads it, and the answer counts
    _bar = False


# What a verb may end with, besides its exit code.
ENDS = ChartOciError, UnicodeEncodeError, KeyboardInterrupt


def end(ended: BaseException) -> ChartOciError:
    """The error that one of `ENDS` is."""
    if isinstance(ended, ChartOciError):
        return ended
    if isinstance(ended, UnicodeEncodeError):
        hint = "Rename the file, or set a locale whose characters are UTF-8."
        refused: ChartOciError = native.error("misuse.argument", f"{ascii(ended.object)} is no UTF-8", hint=hint)
        return refused
    if sys.stderr.isatty():
        print(file=sys.stderr)  # the terminal shows Ctrl-C as ^C
    return AbortedError("interrupted", kind="aborted", code="exchange.aborted")


def one_by_one(
    options: Namespace, name: str, words: list[str], do: Callable[[str], tuple[str, dict[str, Any]]]
) -> int:
    """Does something for each word, and says what came of it; gives the exit code. The first that fails is the last; with
    `--json` what was done before it is said as well."""
    documents: list[dict[str, Any]] = []
    for word in words:
        try:
            text, document = do(word)
        except ENDS as ended:
            if len(words) == 1:
                raise
            return failed(end(ended), options.json, word, {name: documents, "failed": concealed(named(word))})
        documents.append(document)
        if not options.json:
            say(options, text, {})
    if options.json:
        say(options, "", documents[0] if len(words) == 1 else {name: documents})
    return 0


def failed(error: ChartOciError, as_json: bool, path: str = "", beside: dict[str, Any] | None = None) -> int:
    """Says what went wrong, with its place, and what to do; gives the exit code. `path` is what it is about, if the error may
    not say so; `beside` is what stands beside it in a document."""
    document = told(error)
    message, hint = document["message"], document["hint"]
    _complain(f"Error: {_placed(message, path, error.context)}")
    if error.report is not None:
        for diagnostic in error.report.errors:
            _complain(f"  {diagnostic}")
    if hint:
        # Of a word that is not known the usage tells more than its code would.
        _complain(hint if error.code == "misuse.argument" else f"{hint} [{error.code}]")
    if as_json:
        with suppress(ChartOciError, BrokenPipeError):  # the exit code is what is left to say
            answer("", {"error": document, **(beside or {})}, as_json)
    return EXIT_CODES.get(error.kind, 2)


def told(error: ChartOciError) -> dict[str, Any]:
    """An error as a document."""
    said = {"message": concealed(spoken(error.message)), "hint": concealed(spoken(error.hint))}
    return error.to_dict() | said | {"context": {name: concealed(fact) for name, fact in error.context.items()}}


def _placed(message: str, path: str, context: dict[str, str]) -> str:
    """PATH:LINE:COLUMN before what is wrong there, as far as they are known."""
    path = context.get("path", named(path))
    before, colon, after = message.partition(f"{path}: ")
    is_named = path != "" and colon != "" and before == ""
    place = ":".join(part for part in (path, context.get("line", ""), context.get("column", "")) if part)
    if not context.get("line"):
        return message if path in message else f"{path}: {message}"
    return f"{place}: {after if is_named else message}"


def spoken(text: str) -> str:
    """Options, which the core names as `plain_http`, as they are written here."""
    if "`" not in text:
        return text
    from chartoci.cli.options import flags

    return re.sub("`([a-z_]+)`", lambda found: f"`{flags().get(found[1], found[1])}`", text)


def visible(text: str) -> str:
    """Without what steers a terminal: names and messages come from strangers."""
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def underscore(reference: str) -> str:
    """What Helm adds, word for word, where a tag stands for a version with a plus sign: programs read its output."""
    return (
        f"{reference} contains an underscore.\n\n"
        "OCI artifact references (e.g. tags) do not support the plus sign (+). To support\n"
        "storing semantic versions, Helm adopts the convention of changing plus (+) to\n"
        "an underscore (_) in chart version tags when pushing to a registry and back to\n"
        "a plus (+) when pulling from a registry.\n"
    )


def watch(options: Namespace) -> Callable[[Event], object]:
    """Tells people how far things are: a bar on a terminal, plain lines for what matters elsewhere."""
    bar = sys.stderr.isatty() and not (options.quiet or options.no_progress or options.json)
    color = "NO_COLOR" not in os.environ

    told: dict[str, float] = {}

    def draw(line: str, end: str) -> None:
        global _bar
        print(f"\r{line}{end}", end="", file=sys.stderr, flush=True)
        _bar = not end

    def tell(event: Event) -> None:
        match event:
            case Progress(item, transferred, total) if bar and total:
                filled = 24 * min(transferred, total) // total
                line = "━" * filled if not color else f"\x1b[36m{'━' * filled}\x1b[0m"
                end = CLEAR if transferred >= total else ""
                megabytes = f"{transferred / 1e6:.1f}/{total / 1e6:.1f} MB"
                draw(f"{item:10} {line}{'─' * (24 - filled)} {megabytes}", end)
            case Retrying(after, why) if time.monotonic() - told.get(why, -1.0) >= 1.0:
                # Of what goes out side by side each would say the same.
                told[why] = time.monotonic()
                note(options, f"trying again in {after:.1f} s: {why}")
            case Notice(_, text):
                note(options, f"Warning: {text}")

    return tell
