"""completion: scripts for bash, zsh and fish, made from the parser's own table of verbs and flags."""

import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterator
from shlex import quote
from typing import NamedTuple


def add(verb: Callable[..., ArgumentParser]) -> None:
    """Adds the verb to the parser."""
    completion = verb("completion", "Print a script that completes verbs and flags in a shell.")
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.set_defaults(run=_completion)


class Flag(NamedTuple):
    """An option, what it means, and what may follow it: a choice, anything (an empty tuple), or nothing (None)."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] | None


class Verb(NamedTuple):
    """A verb by the words that lead to it: what may follow them."""

    path: tuple[str, ...]
    verbs: tuple[tuple[str, str], ...]
    flags: tuple[Flag, ...]
    choices: tuple[str, ...]


def table(parser: ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Verb]:
    """A parser's verbs, itself first."""
    verbs: list[tuple[str, str]] = []
    below: list[tuple[str, ArgumentParser]] = []
    flags: dict[str, Flag] = {}
    choices: list[str] = []
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            verbs += [(choice.dest, choice.help or "") for choice in action._choices_actions]
            below += list(action.choices.items())
        elif not action.option_strings:
            choices += map(str, action.choices or ())
        else:
            values = None if action.nargs == 0 else tuple(map(str, action.choices or ()))
            flag = Flag(tuple(action.option_strings), (action.help or "").replace("%%", "%"), values)
            flags[action.option_strings[0]] = flag
    yield Verb(path, tuple(verbs), tuple(flags.values()), tuple(choices))
    for name, parser_below in below:
        yield from table(parser_below, (*path, name))


def _completion(options: Namespace) -> int:
    from chartoci.cli.options import parser

    verbs = list(table(parser()))
    sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[options.shell](verbs))
    return 0


def _words(verb: Verb) -> str:
    return " ".join([*(name for name, _ in verb.verbs), *verb.choices, *(name for f in verb.flags for name in f.names)])


def _find(verbs: list[Verb], words: str, indent: str) -> list[str]:
    """The shell's search for the verb among the words before the cursor."""
    paths = [" ".join(verb.path) for verb in verbs if verb.path]
    lines = [f"{indent}for word in {words}; do", f'{indent}  case "$verb $word" in']
    lines += [f'{indent}    " {path}") verb=" {path}" ;;' for path in paths]
    return [*lines, f"{indent}  esac", f"{indent}done"]


def _values(verbs: list[Verb]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each flag with a value: a pattern of `verb|flag`, and the choices."""
    seen = set()
    for verb in verbs:
        for flag in verb.flags:
            for name in flag.names if flag.values is not None else ():
                path = " ".join(("", *verb.path))
                pattern = f'"{path}|{name}"' if flag.values else f'*"|{name}"'
                if pattern not in seen:
                    seen.add(pattern)
                    yield pattern, flag.values or ()


def _walk(
    verbs: list[Verb], before: str, previous: str, offer: Callable[[tuple[str, ...]], str], known: Callable[[Verb], str]
) -> list[str]:
    """The body that bash and zsh share: finds the verb, offers the values of the flag before the cursor, or else `known`."""
    lines = [*_find(verbs, before, "  "), f'  case "$verb|{previous}" in']
    lines += [f"    {pattern}) {offer(values)}return ;;" for pattern, values in _values(verbs)]
    lines += ["  esac", '  case "$verb" in']
    lines += [f'    "{" ".join(["", *verb.path])}") {known(verb)} ;;' for verb in verbs]
    return [*lines, "  esac"]


def bash(verbs: list[Verb]) -> str:
    """A script for bash."""

    def offer(words: str) -> str:
        return f'COMPREPLY=($(compgen -W {quote(words)} -- "$current"))'

    return "\n".join(
        [
            "# bash completion for chartoci: source <(chartoci completion bash)",
            "_chartoci() {",
            '  local word verb="" current="${COMP_WORDS[COMP_CWORD]}"',
            # An empty answer leaves files to bash itself.
            "  COMPREPLY=()",
            *_walk(
                verbs,
                '"${COMP_WORDS[@]:1:COMP_CWORD-1}"',
                "${COMP_WORDS[COMP_CWORD-1]}",
                lambda values: f"{offer(' '.join(values))}; " if values else "",
                lambda verb: offer(_words(verb)),
            ),
            "}",
            "complete -o default -F _chartoci chartoci",
            "",
        ]
    )


def zsh(verbs: list[Verb]) -> str:
    """A script for zsh."""

    def entry(name: str, help: str) -> str:
        return quote(f"{name}:{help}".replace("\n", " "))

    def known(verb: Verb) -> str:
        entries = " ".join([*(entry(*below) for below in verb.verbs), *map(quote, verb.choices)])
        flags = " ".join(entry(name, flag.help) for flag in verb.flags for name in flag.names)
        return f"verbs=({entries}); flags=({flags})"

    return "\n".join(
        [
            "#compdef chartoci",
            "_chartoci() {",
            '  local word verb=""',
            "  local -a verbs flags",
            *_walk(
                verbs,
                '"${(@)words[2,CURRENT-1]}"',
                "${words[CURRENT-1]}",
                lambda values: f"compadd {' '.join(values)}; " if values else "_files; ",
                known,
            ),
            "  if [[ $PREFIX == -* ]]; then",
            "    _describe -o flag flags",
            "  else",
            "    (( $#verbs )) && _describe verb verbs || _files",
            "  fi",
            "}",
            # The file may lie in a directory of $fpath, or be sourced.
            'if [[ $funcstack[1] == _chartoci ]]; then _chartoci "$@"; else compdef _chartoci chartoci; fi',
            "",
        ]
    )


def fish(verbs: list[Verb]) -> str:
    """A script for fish."""
    seen = "__fish_seen_subcommand_from"
    lines = ["# fish completion for chartoci"]
    for verb in verbs:
        here = [f"{seen} {word}" for word in verb.path]
        known = " ".join(name for name, _ in verb.verbs)
        where = quote("; and ".join([*here, *([f"not {seen} {known}"] if known else [])]) or "true")
        for name, help in verb.verbs:
            lines.append(f"complete -c chartoci -f -n {where} -a {quote(name)} -d {quote(help)}")
        if verb.choices:
            lines.append(f"complete -c chartoci -f -n {where} -a {quote(' '.join(verb.choices))}")
        # Flags of all verbs are said once.
        common = {flag.names for flag in verbs[0].flags} if verb.path else set()
        for flag in verb.flags:
            if flag.names in common and flag.names != ("-h", "--help"):
                continue
            names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names]
            value = [] if flag.values is None else [f"-x -a {quote(' '.join(flag.values))}" if flag.values else "-r"]
            condition = [f"-n {quote('; and '.join(here))}"] if here else []
            lines.append(" ".join(["complete -c chartoci", *condition, *names, *value, f"-d {quote(flag.help)}"]))
    return "\n".join([*lines, ""])
