"""Who the caller is: what was given to the client, or what Helm and Docker keep in their files."""

import os
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

from chartoci import _native as native
from chartoci import files
from chartoci._native import Ask
from chartoci.model import Token

Credential = tuple[str, str] | str | Token | None


class Default(Enum):
    """Stands for Helm's then Docker's files."""

    FILES = "files"

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final = Default.FILES

Credentials = Default | Credential | Callable[[Ask], Credential]


def answer(credentials: Credentials, query: Ask, repository: str, registry_config: str | None) -> Credential:
    """What to say to a question of the machine."""
    if isinstance(credentials, Default):
        return from_files(query.registry, repository, registry_config)
    return credentials(query) if callable(credentials) else credentials


def from_files(registry: str, repository: str, registry_config: str | None = None) -> Credential:
    """What the files of Helm and Docker hold for a repository."""
    variables = {
        name: value for name, value in os.environ.items() if name.startswith(("HELM_", "XDG_", "DOCKER_", "APPDATA"))
    }
    home = os.path.expanduser("~")
    machine = native.lookup(registry, repository, variables, home, sys.platform, registry_config)
    found: tuple[Credential, str] | None = files.run(machine, Path("/"), links=True)
    return found[0] if found is not None else None
