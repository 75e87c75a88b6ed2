"""Flags, before or after the verb."""

import re
import sys
from argparse import (
    SUPPRESS,
    Action,
    ArgumentError,
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
    _SubParsersAction,
)
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

from chartoci._native import VERSION, RetryPolicy, error, nearest
from chartoci.cli import chart, completion, explain, login, manual, registry, serve
from chartoci.client import LOOPBACK, Client


class Formatter(RawDescriptionHelpFormatter):
    """Leaves flags to their own list."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=manual.COLUMN, width=manual.WIDTH)

    def add_usage(self, usage: Any, actions: Iterable[Action], groups: Any, prefix: str | None = None) -> None:
        words = [_word(action) for action in actions if not action.option_strings]
        super().add_usage(" ".join(["%(prog)s", *words, "[flags]"]), [], [], prefix)


def _word(action: Action) -> str:
    word = str(action.metavar or "|".join(map(str, action.choices or ())))
    return {"?": f"[{word}]", "+": f"{word}...", "*": f"[{word}...]"}.get(str(action.nargs), word)


class Parser(ArgumentParser):
    """Says what is wrong as every other error is said."""

    def __init__(self, **named: Any) -> None:
        super().__init__(formatter_class=Formatter, allow_abbrev=False, **named)

    def error(self, message: str) -> NoReturn:
        raise error("misuse.argument", message, hint=f"{self.format_usage().strip()}\n`{self.prog} --help` tells more.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What a verb does not know is refused by the verb, with its own usage."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            # What follows a flag, as in --pasword=secret, may be a secret.
            flags = [re.split("=|(?<=^-p)", word)[0] for word in unknown if word.startswith("-")]
            known = [name for name, action in self._option_string_actions.items() if action.help is not SUPPRESS]
            # So may a word of its own, where somebody says who they are.
            is_secret = getattr(namespace, "verb", "") == "login" or getattr(namespace, "username", None) is not None
            words = flags or (["one too many, which may be a password"] if is_secret else unknown)
            self.error(f"unrecognized arguments: {' '.join(words)}{_meant(flags[:1], known)}")
        return namespace, unknown

    def _get_value(self, action: Action, word: str) -> Any:
        """Text, save where a file's name may stand, which may be any bytes."""
        if not completion.place_of(action) and not isinstance(action, _SubParsersAction):
            try:
                word.encode()
            except UnicodeEncodeError:
                raise ArgumentError(action, "this is no UTF-8") from None  # it may be a password
        return super()._get_value(action, word)

    def _check_value(self, action: Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
            there = f"; there are {', '.join(map(str, action.choices))}"
            raise ArgumentError(None, f"{value!r} is no {what}{_meant([str(value)], map(str, action.choices)) or there}")


def _meant(words: list[str], known: Iterable[str]) -> str:
    near = [nearest(word, list(known)) for word in words]
    return f"; is {near[0]} meant?" if near and near[0] else ""


class Told(Exception):
    """Somebody asked for nothing but this."""

    text: str
    document: dict[str, Any]

    def __init__(self, text: str, document: dict[str, Any]) -> None:
        self.text, self.document = text, document


class _Help(Action):
    def __call__(self, parser: ArgumentParser, *arguments: Any) -> None:
        raise help_of(parser)


class _Version(Action):
    def __call__(self, *arguments: Any) -> None:
        raise Told(f"chartoci {VERSION}", {"version": VERSION})


def help_of(parser: ArgumentParser) -> Told:
    """What `--help` says."""
    text = parser.format_help().rstrip("\n")
    return Told(text, {"help": text})


def ask_for_a_verb(parser: ArgumentParser) -> None:
    """Without one, help is what is wanted."""

    def run(options: Namespace) -> NoReturn:
        raise help_of(parser)

    parser.set_defaults(run=run)


def parser() -> Parser:
    """All verbs and their flags."""
    parser = _parser("", "Helm charts in OCI registries.", prog="chartoci")
    parser.add_argument("--version", action=_Version, nargs=0, default=SUPPRESS, help="print chartoci's version")
    ask_for_a_verb(parser)
    # What is not known is said before what is missing.
    verbs = parser.add_subparsers(metavar="VERB", parser_class=Parser, prog=parser.prog)

    def verb(name: str, help: str, aliases: tuple[str, ...] = (), under: Any = None) -> ArgumentParser:
        made: Parser = _parser(name, help, under or verbs, aliases=aliases, help=help)
        made.set_defaults(verb=name)
        return made

    for part in (login, registry, chart, serve, explain, completion):
        part.add(verb)
    verb("version", "Print chartoci's version.").set_defaults(run=_version)
    helping = verb("help", "Say how a verb is used.")
    helping.add_argument("words", metavar="VERB", nargs="*", help="the verb; all of them are listed if it is not given")
    helping.set_defaults(run=_help)
    return parser


def _version(options: Namespace) -> int:
    return int(parse(["--version"]).run(options))


def _help(options: Namespace) -> int:
    return int(parse([*options.words, "--help"]).run(options))


def _parser(name: str, brief: str, under: Any = None, **named: Any) -> Parser:
    make: Callable[..., Parser] = Parser if under is None else partial(under.add_parser, name)
    made = make(
        description=manual.description(name, brief),
        epilog=manual.epilog(name),
        parents=[_common(SUPPRESS, name)],
        add_help=False,
        **named,
    )
    made.add_argument("-h", "--help", action=_Help, nargs=0, default=SUPPRESS, help="say this")
    return made


def parse(words: list[str]) -> Namespace:
    """The command that the words stand for: `options.run` runs it. `Told` is raised where they ask for help alone."""
    options = parser().parse_args(words, _common(None).parse_args([]))
    if getattr(options, "verb", "") == "serve":
        _refuse_what_serve_has_no_use_for(options)
    if getattr(options, "verify", False):
        raise error("provenance.unverified", "signatures cannot be verified yet")
    return options


def flags() -> dict[str, str]:
    """Each option's name in other languages, and the flag that stands for it."""
    parsers: list[ArgumentParser] = [parser()]
    found = {}
    for made in parsers:
        for action in made._actions:
            if isinstance(action, _SubParsersAction):
                parsers += action.choices.values()
            elif action.option_strings:
                found[action.dest] = action.option_strings[-1]
    return found


def wants_json(words: list[str]) -> bool:
    """`--json` is among the flags."""
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def _refuse_what_serve_has_no_use_for(options: Namespace) -> None:
    for action in _common(None, "serve")._actions:
        if action.help is SUPPRESS and getattr(options, action.dest) not in (None, False):
            raise error(
                "misuse.argument",
                f"serve has no use for {action.option_strings[0]}",
                hint="Leave it out: it is for those who call a registry.\n`chartoci serve --help` tells more.",
            )


def _common(default: Any, verb: str = "") -> Parser:
    """Flags of all verbs; those that the verb has no use for are not shown. `SUPPRESS` keeps what was said before the verb."""
    common = Parser(add_help=False)
    groups = {
        "": common.add_argument_group("everywhere"),
        manual.NETWORK: common.add_argument_group("registries and credentials"),
    }

    def add(topics: tuple[str, ...], name: str, help: str, named: dict[str, Any]) -> None:
        used = not (verb and topics) or any(topic in manual.TOPICS.get(verb, ()) for topic in topics)
        groups[manual.NETWORK if topics else ""].add_argument(name, help=help if used else SUPPRESS, **named)

    def flag(name: str, help: str, *topics: str) -> None:
        add(topics, name, help, {"action": "store_true", "default": False if default is None else default})

    def value(name: str, help: str, *topics: str, **named: Any) -> None:
        add(topics, name, help, {"default": default, **named})

    network, stores, serving = manual.NETWORK, manual.STORES, manual.SERVING
    flag("--json", "one JSON document on stdout, everything else on stderr")
    flag("--quiet", "print nothing but errors and what was asked for")
    flag("--plain-http", "speak http to the registry; loopback is spoken to by http unless a flag about TLS is given", network)
    value("--ca-file", "the certificate authority to believe", network, metavar="FILE")
    value("--cert-file", "the certificate to show", network, serving, metavar="FILE")
    value("--key-file", "the key of this certificate", network, serving, metavar="FILE")
    flag("--insecure-skip-tls-verify", "believe any certificate", network)
    value("--username", "user name", network, serving, metavar="USER")
    value(
        "--password", "password; seen by everybody on this machine: --password-stdin is safer",
        network, serving, metavar="PASSWORD",
    )  # fmt: skip
    flag("--password-stdin", "read the password from stdin", network, serving)
    value("--registry-config", "the file with credentials, in place of Helm's", network, stores, metavar="FILE")
    value("--timeout", "time for the whole command: 30, 30s, 5m", network, metavar="TIME", type=_duration)
    value("--attempts", "tries of one request, the first included (5)", network, metavar="N", type=int)
    value("--concurrency", "requests that may be out at once (3)", network, metavar="N", type=int)
    flag("--no-progress", "no progress bar, not on a terminal either", network)
    return common


def _duration(text: str) -> float:
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    if not text or parts is None:
        raise ArgumentTypeError(f"{text!r} is no length of time: write 30, 30s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    whole = hours * 3600 + minutes * 60 + seconds
    if not whole:
        raise ArgumentTypeError(f"{text!r} leaves no time for anything: leave --timeout out for no bound")
    return whole


def client(options: Namespace) -> Client:
    """A client as the flags want it."""
    if bool(options.cert_file) != bool(options.key_file):
        raise error("misuse.argument", "--cert-file and --key-file go together", hint="Give both, or neither.")
    return Client(
        **credentials(options),
        plain_http=True if options.plain_http else LOOPBACK,
        ca_file=options.ca_file,
        client_cert=(options.cert_file, options.key_file) if options.cert_file else None,
        verify_tls=not options.insecure_skip_tls_verify,
        timeout=options.timeout,
        registry_config=options.registry_config,
        retry=RetryPolicy(options.attempts) if options.attempts is not None else None,
        **({"concurrency": options.concurrency} if options.concurrency is not None else {}),
    )


def credentials(options: Namespace) -> dict[str, Any]:
    """User and password, if they are given."""
    secret = password(options)
    if not options.username and not secret:
        return {}
    if not options.username or not secret:
        hint = "Give --username and --password-stdin, or neither, for what a login has stored."
        raise error("misuse.argument", "user name and password go together", hint=hint)
    return {"credentials": (options.username, secret)}


def password(options: Namespace) -> str | None:
    """The password, from the command line with a warning, or from stdin."""
    if not options.password_stdin:
        if options.password is not None:
            print("WARNING: Using --password via the CLI is insecure. Use --password-stdin.", file=sys.stderr)
        secret: str | None = options.password
        return secret
    if options.password is not None:
        raise error("misuse.argument", "--password and --password-stdin say it twice", hint="Leave one of them out.")
    try:
        said = sys.stdin.read().removesuffix("\n").removesuffix("\r")
        said.encode()
    except UnicodeError:  # which would show what was read
        raise error("misuse.argument", "--password-stdin: what is on stdin is no UTF-8", hint="Pipe it in as UTF-8.") from None
    if not said:
        hint = 'Pipe it in: echo "$PASSWORD" | chartoci … --password-stdin'
        raise error("misuse.argument", "--password-stdin: there is no password on stdin", hint=hint)
    return said
