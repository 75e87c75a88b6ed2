"""completion: scripts for bash, zsh and fish, made from the parser's own table of verbs and flags."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterator
from shlex import quote
from typing import Literal, NamedTuple

from chartoci.cli.output import answer


def add(verb: Callable[..., ArgumentParser]) -> None:
    """Adds the verb to the parser."""
    completion = verb("completion", "Print a script that completes verbs and flags in a shell.")
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.set_defaults(run=_completion)


Place = Literal["", "file", "directory"]


class Values(NamedTuple):
    """What may stand somewhere: these words, and paths of this kind; or what no shell knows."""

    words: tuple[str, ...]
    place: Place


class Flag(NamedTuple):
    """An option, what it means, and what may follow it, if anything must."""

    names: tuple[str, ...]
    help: str
    values: Values | None


class Verb(NamedTuple):
    """A verb by the words that lead to it: what may follow them."""

    path: tuple[str, ...]
    verbs: tuple[tuple[str, str], ...]
    flags: tuple[Flag, ...]
    values: Values


def table(parser: ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Verb]:
    """A parser's verbs, itself first; aliases are verbs."""
    verbs: list[tuple[str, str]] = []
    below: list[tuple[str, ArgumentParser]] = []
    flags: list[Flag] = []
    words: list[str] = []
    named: Place = ""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            briefs = {action.choices[choice.dest]: choice.help or "" for choice in action._choices_actions}
            verbs += [(name, briefs[made]) for name, made in action.choices.items()]
            below += action.choices.items()
        elif not action.option_strings:
            words += map(str, action.choices or ())
            named = place_of(action) or named
        elif action.help is not SUPPRESS:
            values = None if action.nargs == 0 else Values(tuple(map(str, action.choices or ())), place_of(action))
            flags.append(Flag(tuple(action.option_strings), (action.help or "").replace("%%", "%"), values))
    yield Verb(path, tuple(verbs), tuple(flags), Values(tuple(words), named))
    for name, parser_below in below:
        yield from table(parser_below, (*path, name))


def place_of(action: Action) -> Place:
    """Which names may be its values, or nothing where none may."""
    places: dict[object, Place] = {"FILE": "file", "PATH": "file", "CHART": "file", "CHART.tgz": "file", "DIR": "directory"}
    return places.get(action.metavar, "")


def _completion(options: Namespace) -> int:
    from chartoci.cli.options import parser

    script = {"bash": bash, "zsh": zsh, "fish": fish}[options.shell](list(table(parser())))
    answer(script.rstrip("\n"), {"shell": options.shell, "script": script}, options.json)
    return 0


def _find(verbs: list[Verb], words: str, indent: str) -> list[str]:
    """The shell's search for the verb among the words before the cursor."""
    paths = [" ".join(verb.path) for verb in verbs if verb.path]
    lines = [f"{indent}for word in {words}; do", f'{indent}  case "$verb $word" in']
    lines += [f'{indent}    " {path}") verb=" {path}" ;;' for path in paths]
    return [*lines, f"{indent}  esac", f"{indent}done"]


def _values(verbs: list[Verb]) -> Iterator[tuple[str, Values]]:
    """For each flag with a value: a pattern of `verb|flag`, and what may follow."""
    seen = set()
    for verb in verbs:
        for flag in verb.flags:
            for name in flag.names if flag.values is not None else ():
                path = " ".join(("", *verb.path))
                values = flag.values or Values((), "")
                # `-d` and others mean the same wherever they are; choices are a verb's own.
                pattern = f'"{path}|{name}"' if values.words else f'*"|{name}"'
                if pattern not in seen:
                    seen.add(pattern)
                    yield pattern, values


def _walk(verbs: list[Verb], before: str, previous: str, offer: Callable[[Values], str], known: Callable[[Verb], str]) -> list[str]:
    """The body that bash and zsh share: finds the verb, offers the values of the flag before the cursor, or else `known`."""
    lines = [*_find(verbs, before, "  "), f'  case "$verb|{previous}" in']
    lines += [f"    {pattern}) {offer(values)}return ;;" for pattern, values in _values(verbs)]
    lines += ["  esac", '  case "$verb" in']
    lines += [f'    "{" ".join(["", *verb.path])}") {known(verb)} ;;' for verb in verbs]
    return [*lines, "  esac"]


def bash(verbs: list[Verb]) -> str:
    """A script for bash."""
    paths = {"": "", "file": "_chartoci_paths -f; ", "directory": "_chartoci_paths -d; "}

    def offer(values: Values) -> str:
        words = " ".join(values.words)
        return (f'COMPREPLY=($(compgen -W {quote(words)} -- "$current")); ' if words else "") + paths[values.place]

    def known(verb: Verb) -> str:
        words = offer(Values((*(name for name, _ in verb.verbs), *verb.values.words), verb.values.place))
        flags = offer(Values(tuple(name for flag in verb.flags for name in flag.names), ""))
        return f'if [[ $current == -* ]]; then {flags}else {words or ": "}; fi'.replace("; ; fi", "; fi")

    return "\n".join(
        [
            "# bash completion for chartoci: source <(chartoci completion bash)",
            "_chartoci_paths() {",
            "  local IFS=$'\\n'",
            "  compopt -o filenames 2> /dev/null",
            '  COMPREPLY+=($(compgen "$1" -- "$current"))',
            "}",
            "_chartoci() {",
            '  local word verb="" current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
            # bash takes --flag=value for three words.
            '  if [[ $current == "=" ]]; then current=""',
            '  elif [[ $previous == "=" ]]; then previous="${COMP_WORDS[COMP_CWORD-2]}"; fi',
            "  COMPREPLY=()",
            *_walk(verbs, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"', "$previous", offer, known),
            "}",
            "complete -F _chartoci chartoci",
            "",
        ]
    )


def zsh(verbs: list[Verb]) -> str:
    """A script for zsh."""
    paths = {"": "", "file": "_files; ", "directory": "_files -/; "}

    def entry(name: str, help: str) -> str:
        return quote(f"{name}:{help}".replace("\n", " "))

    def offer(values: Values) -> str:
        return (f"compadd {' '.join(values.words)}; " if values.words else "") + paths[values.place]

    def known(verb: Verb) -> str:
        entries = " ".join([*(entry(*below) for below in verb.verbs), *map(quote, verb.values.words)])
        flags = " ".join(entry(name, flag.help) for flag in verb.flags for name in flag.names)
        return f"verbs=({entries}); flags=({flags}); place={verb.values.place}"

    return "\n".join(
        [
            "#compdef chartoci",
            "_chartoci() {",
            '  local word place verb=""',
            "  local -a verbs flags",
            *_walk(verbs, '"${(@)words[2,CURRENT-1]}"', "${words[CURRENT-1]}", offer, known),
            "  if [[ $PREFIX == -* ]]; then",
            "    _describe -o flag flags",
            "  else",
            "    (( $#verbs )) && _describe verb verbs",
            "    case $place in file) _files ;; directory) _files -/ ;; esac",
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
    directories = "(__fish_complete_directories)"
    # Paths are offered only where they may stand.
    lines = ["# fish completion for chartoci", "complete -c chartoci -f"]
    for verb in verbs:
        here = [f"{seen} {word}" for word in verb.path]
        known = " ".join(name for name, _ in verb.verbs)
        where = quote("; and ".join([*here, *([f"not {seen} {known}"] if known else [])]) or "true")
        for name, help in verb.verbs:
            lines.append(f"complete -c chartoci -f -n {where} -a {quote(name)} -d {quote(help)}")
        if verb.values.words:
            lines.append(f"complete -c chartoci -f -n {where} -a {quote(' '.join(verb.values.words))}")
        if verb.values.place == "file":
            lines.append(f"complete -c chartoci -F -n {where}")
        elif verb.values.place:
            lines.append(f"complete -c chartoci -f -n {where} -a {quote(directories)}")
        # Flags of all verbs are said once, for those that show them.
        common = {flag.names for flag in verbs[0].flags} if verb.path else set()
        for flag in verb.flags:
            if flag.names in common and flag.names != ("-h", "--help"):
                continue
            names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names]
            value: list[str] = []
            if flag.values is not None:
                words = [*flag.values.words, *([directories] if flag.values.place == "directory" else [])]
                value = ["-r -F"] if flag.values.place == "file" else ["-x", *([f"-a {quote(' '.join(words))}"] if words else [])]
            without = [v.path[-1] for v in verbs if v.path and not v.verbs and flag.names not in {f.names for f in v.flags}]
            conditions = here if verb.path else [f"not {seen} {' '.join(dict.fromkeys(without))}"] if without else []
            condition = [f"-n {quote('; and '.join(conditions))}"] if conditions else []
            lines.append(" ".join(["complete -c chartoci", *condition, *names, *value, f"-d {quote(flag.help)}"]))
    return "\n".join([*lines, ""])
