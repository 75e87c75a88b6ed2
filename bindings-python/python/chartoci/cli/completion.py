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


def bash(verbs: list[Verb]) -> str:
    """A script for bash."""
    lines = ["# bash completion for chartoci: source <(chartoci completion bash)", "_chartoci() {"]
    lines += ['  local word verb="" current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"']
    lines += _find(verbs, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"', "  ")
    # An empty answer leaves files to bash itself.
    lines += ["  COMPREPLY=()", '  case "$verb|$previous" in']
    for pattern, values in _values(verbs):
        words = f"COMPREPLY=($(compgen -W {quote(' '.join(values))} -- \"$current\")); " if values else ""
        lines.append(f"    {pattern}) {words}return ;;")
    lines += ["  esac", '  case "$verb" in']
    for verb in verbs:
        path = " ".join(["", *verb.path])
        lines.append(f'    "{path}") COMPREPLY=($(compgen -W {quote(_words(verb))} -- "$current")) ;;')
    return "\n".join([*lines, "  esac", "}", "complete -o default -F _chartoci chartoci", ""])


def zsh(verbs: list[Verb]) -> str:
    """A script for zsh."""

    def entry(name: str, help: str) -> str:
        return quote(f"{name}:{help}".replace("\n", " "))

    lines = ["#compdef chartoci", "_chartoci() {", '  local word verb=""', "  local -a verbs flags"]
    lines += _find(verbs, '"${(@)words[2,CURRENT-1]}"', "  ")
    lines += ['  case "$verb|${words[CURRENT-1]}" in']
    for pattern, values in _values(verbs):
        offer = f"compadd {' '.join(values)}" if values else "_files"
        lines.append(f"    {pattern}) {offer}; return ;;")
    lines += ["  esac", '  case "$verb" in']
    for verb in verbs:
        path = " ".join(["", *verb.path])
        entries = " ".join([*(entry(*known) for known in verb.verbs), *map(quote, verb.choices)])
        flags = " ".join(entry(name, flag.help) for flag in verb.flags for name in flag.names)
        lines.append(f'    "{path}") verbs=({entries}); flags=({flags}) ;;')
    lines += ["  esac", "  if [[ $PREFIX == -* ]]; then", "    _describe -o flag flags", "  else"]
    lines += ["    (( $#verbs )) && _describe verb verbs || _files", "  fi", "}"]
    # The file may lie in a directory of $fpath, or be sourced.
    return "\n".join([*lines, 'if [[ $funcstack[1] == _chartoci ]]; then _chartoci "$@"; else compdef _chartoci chartoci; fi', ""])


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
