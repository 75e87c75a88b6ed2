"""Flags, before or after the verb."""

import json
import re
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from typing import Any, NoReturn

from chartoci._native import VERSION, RetryPolicy, error
from chartoci.cli import chart, completion, explain, login, manual, registry, serve
from chartoci.client import LOOPBACK, Client


class Parser(ArgumentParser):
    """Says what is wrong as every other error is said."""

    def error(self, message: str) -> NoReturn:
        raise error("misuse.argument", message, hint=self.format_usage().strip())

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What a verb does not know is refused by the verb, with its own usage."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flags = [word for word in unknown if word.startswith("-")]
            self.error(f"unrecognized arguments: {' '.join(flags or unknown)}")
        return namespace, unknown


def _formatter(prog: str) -> RawDescriptionHelpFormatter:
    return RawDescriptionHelpFormatter(prog, max_help_position=32)


def parser(version: str = "") -> Parser:
    """All verbs and their flags; `version` is what `--version` prints."""
    parser = Parser(
        prog="chartoci",
        description="Helm charts in OCI registries.",
        epilog=manual.EXIT_CODES,
        formatter_class=_formatter,
        parents=[_common(SUPPRESS)],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version)
    # What is not known is said before what is missing.
    verbs = parser.add_subparsers(metavar="VERB", parser_class=Parser)

    def verb(name: str, help: str, aliases: tuple[str, ...] = (), under: Any = None) -> ArgumentParser:
        made = (under or verbs).add_parser(
            name,
            help=help,
            description=manual.description(name, help),
            epilog=manual.epilog(name),
            formatter_class=_formatter,
            aliases=aliases,
            parents=[_common(SUPPRESS)],
            allow_abbrev=False,
        )
        made.set_defaults(verb=name)
        return made

    for part in (login, registry, chart, serve, explain, completion):
        part.add(verb)
    return parser


def parse(words: list[str]) -> Namespace:
    """The command that the words stand for: `options.run` runs it."""
    version = json.dumps({"version": VERSION}) if "--json" in words else f"chartoci {VERSION}"
    made = parser(version)
    options = made.parse_args(words, _common(None).parse_args([]))
    if not hasattr(options, "run"):
        made.error("the following arguments are required: VERB")
    return options


def _common(default: Any) -> Parser:
    """Flags of all verbs. `SUPPRESS` keeps what was said before the verb."""
    common = Parser(add_help=False, allow_abbrev=False)
    group = common.add_argument_group("everywhere")

    def flag(name: str, help: str) -> None:
        group.add_argument(name, action="store_true", default=False if default is None else default, help=help)

    def value(name: str, help: str, **named: Any) -> None:
        group.add_argument(name, default=default, help=help, **named)

    flag("--json", "one JSON document on stdout, everything else on stderr")
    flag("--quiet", "print nothing but errors and what was asked for")
    flag("--plain-http", "speak http to the registry")
    flag("--insecure-skip-tls-verify", "believe any certificate")
    flag("--password-stdin", "read the password from stdin")
    flag("--no-progress", "no progress bar, not on a terminal either")
    value("--ca-file", "the certificate authority to believe", metavar="FILE")
    value("--cert-file", "the client's certificate", metavar="FILE")
    value("--key-file", "the key of the client's certificate", metavar="FILE")
    value("--username", "user name", metavar="USER")
    value("--password", "password; seen by everybody on this machine: --password-stdin is safer", metavar="PASSWORD")
    value("--registry-config", "the file with credentials, in place of Helm's", metavar="FILE")
    value("--timeout", "time for the whole command: 30, 30s, 5m", metavar="TIME", type=_duration)
    value("--attempts", "tries of one request, the first included (5)", metavar="N", type=int)
    value("--concurrency", "requests that may be out at once (3)", metavar="N", type=int)
    return common


def _duration(text: str) -> float:
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    if not text or parts is None:
        raise ArgumentTypeError(f"{text!r} is no length of time: write 30, 30s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


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
        raise error("misuse.argument", "user name and password go together", hint="Give both, or neither.")
    return {"credentials": (options.username, secret)}


def password(options: Namespace) -> str | None:
    """The password, from the command line with a warning, or from stdin."""
    if options.password is not None:
        print("WARNING: Using --password via the CLI is insecure. Use --password-stdin.", file=sys.stderr)
    if options.password_stdin:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    secret: str | None = options.password
    return secret
