"""Who the caller is: what was given to the client, or what Helm, Docker and Podman keep in files and behind helpers."""

import os
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

from chartoci import _native as native
from chartoci import files
from chartoci._native import Ask
from chartoci.errors import ChartOciError
from chartoci.model import AskedStore, ExplainedCredentials, Token
from chartoci.over import Over

Credential = tuple[str, str] | str | Token | None


class Default(Enum):
    """Stands for the files of Helm, Docker and Podman, and the helpers that they name."""

    FILES = "files"

    def __repr__(self) -> str:
        return "DEFAULT"


# Whoever names a file names it from where we are.
HERE: Final = Path()

DEFAULT: Final = Default.FILES

Credentials = Default | Credential | Callable[[Ask], Credential]


def answer(credentials: Credentials, query: Ask, registry_config: str | None, over: Over) -> Credential | ChartOciError:
    """What to say to a question of the machine, which also decides what comes of a search that failed.

    Who else asks than the registry that the verb is for, as the source of a copy does, gets what the files hold. Helpers end
    when it is `over`; a function of the caller's is not waited for, and runs on.
    """
    if callable(credentials):
        return credentials(query)
    if credentials is not None and (isinstance(credentials, Default) or not query.own):
        try:
            return from_files(query.registry, query.repository, registry_config, over)
        except ChartOciError as error:
            return error
    return credentials


def from_files(
    registry: str, repository: str, registry_config: str | None = None, over: Over | None = None
) -> Credential:
    """What the files of Helm, Docker and Podman hold for a repository, or the helpers that they name."""
    credential: Credential = search(registry, repository, registry_config, over)[0]
    return credential


def explain(
    credentials: Credentials, registry: str, repository: str, registry_config: str | None, over: Over
) -> ExplainedCredentials:
    """Who would be asked for a credential, and who answers; the secret itself stays where it is."""
    asked: list[tuple[str, str | None, str | None, bool]] = []
    source: Literal["given", "callable", "store"] | None = "given"
    kind: str | None = None
    username: str | None = None
    match credentials:
        case Default():
            _, kind, username, asked = search(registry, repository, registry_config, over)
            source = "store" if kind is not None else None
        case None:
            source = None
        case (str(user), str()):
            kind, username = "basic", user
        case str():
            kind = "bearer"
        case Token():
            kind = credentials.kind
        case _:
            source = "callable"
    stores = tuple(AskedStore(*store) for store in asked)
    return ExplainedCredentials(registry, repository, source, kind, username, stores)


def keeper(registry: str, credential: Credential, registry_config: str | None) -> native.Machine:
    """Will store a registry's credential, or remove it (None)."""
    return native.keep(registry, credential, _surroundings(), registry_config)


def keep(machine: native.Machine, over: Over | None = None) -> tuple[str, str, str | None, bool]:
    """Lets it do so: entry, file, helper, and whether anything was changed."""
    kept: tuple[str, str, str | None, bool] = files.run(machine, HERE, credentials=True, over=over)
    return kept


def search(registry: str, repository: str, registry_config: str | None, over: Over | None = None) -> Any:
    """Credential, kind, user, and who was asked."""
    machine = native.lookup(registry, repository, _surroundings(), registry_config)
    return files.run(machine, HERE, credentials=True, over=over)


def _surroundings() -> tuple[dict[str, str], str, str]:
    variables = {name: value for name, value in os.environ.items() if native.credential_variable(name)}
    return variables, _home(), sys.platform


def _home() -> str:
    """The user's directory, or nothing where nobody knows it. A variable that is empty says as little as none."""
    if os.name != "posix" or os.environ.get("HOME"):
        return os.path.expanduser("~")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""
