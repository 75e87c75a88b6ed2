"""login, logout, explain-credentials; and the same below `registry`."""

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from chartoci._native import error
from chartoci.cli.output import note, say, watch

Verb = Callable[..., ArgumentParser]


def add(verb: Verb) -> None:
    """Adds the verbs to the parser."""
    _add(verb, None)
    group = verb("registry", "Log in to registries and out, as `helm registry`.")
    from chartoci.cli.options import ask_for_a_verb

    ask_for_a_verb(group)
    _add(verb, group.add_subparsers(metavar="VERB", prog=group.prog))


def _add(verb: Verb, under: Any) -> None:
    login = verb("login", "Log in to a registry, as `helm registry login`.", under=under)
    login.add_argument("host", metavar="HOST", help="a scheme and a path are taken off")
    login.add_argument("-u", dest="username", metavar="USER", default=SUPPRESS, help="as --username; asked for if missing")
    login.add_argument("-p", dest="password", metavar="PASSWORD", default=SUPPRESS, help="as --password")
    login.add_argument(
        "--insecure",
        dest="insecure_skip_tls_verify",
        action="store_true",
        default=SUPPRESS,
        help="believe any certificate, as --insecure-skip-tls-verify",
    )
    login.set_defaults(run=_login)

    logout = verb("logout", "Forget the credentials of a registry, as `helm registry logout`.", under=under)
    logout.add_argument("host", metavar="HOST", help="a scheme and a path are taken off")
    logout.set_defaults(run=_logout)

    brief = "Say where the credentials for a repository come from."
    credentials = verb("explain-credentials", brief, ("credentials",), under)
    credentials.add_argument("reference", metavar="oci://HOST/PATH")
    credentials.set_defaults(run=_credentials)


def _login(options: Namespace) -> int:
    from chartoci.cli.options import client, password

    secret = password(options)
    username = options.username
    if not secret:  # Helm asks as well where it is empty
        username, secret = _ask(options, username)
    elif not username:
        raise error("misuse.argument", "a user name is missing", hint="Give --username beside the password.")
    # What is shown to the registry comes with the login, not with the client.
    options.username = options.password = None
    options.password_stdin = False
    with client(options) as registry:
        done = registry.login(options.host, username or "", secret, progress=watch(options))
    say(options, str(done), done.to_dict())
    note(options, f"Stored for {done.registry} {_place(done.path, done.helper)}")
    return 0


def _logout(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        done = registry.logout(options.host)
    say(options, f"Removing login credentials for {options.host}", done.to_dict())
    if not done.removed:
        note(options, f"Nothing was stored for {done.registry} {_place(done.path, done.helper)}")
    return 0


def _credentials(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.explain_credentials(options.reference)
    say(options, str(found), found.to_dict())
    return 0


def _place(path: object, helper: str | None) -> str:
    return f"in {path}" if helper is None else f"by {helper}, which {path} names"


def _ask(options: Namespace, username: str | None) -> tuple[str, str]:
    """At the terminal, as Helm does; what is typed as a password is not shown."""
    from getpass import getpass

    if not sys.stdin.isatty():
        raise error("misuse.argument", "there is no terminal to ask for the password", hint="Use --password-stdin.")
    out = sys.stderr if options.json else sys.stdout
    if username is None:
        print("Username: ", end="", file=out, flush=True)
        line = sys.stdin.readline()
        if not line:  # Ctrl-D
            raise error("misuse.argument", "user name required", hint="Type the user name, or use --username.")
        username = line.strip()
    what = "Password" if username else "Token"
    try:
        secret = getpass(f"{what}: ", out)
    except EOFError:
        secret = ""
    if not secret:
        raise error("misuse.argument", f"{what.lower()} required", hint=f"Type the {what.lower()}, or use --password-stdin.")
    return username, secret
