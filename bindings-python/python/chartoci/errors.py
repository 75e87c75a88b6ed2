"""Exceptions: `kind` is what a program branches on, `code` is what documentation names, `hint` says what to do."""

import builtins
from typing import Any, NamedTuple

from chartoci._native import Report


class RegistryError(NamedTuple):
    """One entry of the `errors` list in a registry's answer."""

    code: str
    message: str
    detail: str


class ChartOciError(Exception):
    """The root of the tree. The message is for people and is never parsed."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "misuse",
        code: str = "misuse.argument",
        context: dict[str, str] | None = None,
        hint: str = "",
        report: Report | None = None,
        status: int | None = None,
        registry_errors: tuple[RegistryError, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.code = code
        self.context: dict[str, str] = context if context is not None else {}
        self.hint = hint
        self.report = report
        self.status = status
        self.registry_errors = registry_errors
        if hint:
            self.add_note(f"{hint} [{code}]")

    def to_dict(self) -> dict[str, Any]:
        """As the command line's `--json` shows it, with status, registry's errors and report where there are any."""
        return {
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "context": self.context,
            "status": self.status,
            "registry_errors": [entry._asdict() for entry in self.registry_errors],
            "report": self.report.to_dict()["diagnostics"] if self.report is not None else None,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: getattr(self, name) for name in ("kind", "code", "context", "hint", "status", "registry_errors")}
        return _restore, (type(self), self.message, fields)


class InvalidError(ChartOciError, ValueError):
    """The document, archive or name that was given is wrong."""


class MisuseError(ChartOciError, ValueError):
    """The call itself is wrong."""


class NotFoundError(ChartOciError, LookupError):
    """What was asked for is not there."""


class DeniedError(ChartOciError):
    """The registry or its token server refused."""


class ConflictError(ChartOciError):
    """Something else is already there."""


class UnsupportedError(ChartOciError):
    """The peer cannot do this."""


class ProtocolError(ChartOciError):
    """The peer broke the protocol."""


class IntegrityError(ChartOciError):
    """Bytes are not what their digest or size says."""


class LimitError(ChartOciError):
    """A bound of `Limits` was reached."""


class TransportError(ChartOciError):
    """No answer came: connection, TLS, time."""


class TimeoutError(TransportError, builtins.TimeoutError):
    """No answer came in time."""


class AbortedError(ChartOciError):
    """The caller gave up."""


_CLASSES: dict[str, type[ChartOciError]] = {
    "invalid": InvalidError,
    "misuse": MisuseError,
    "not_found": NotFoundError,
    "denied": DeniedError,
    "conflict": ConflictError,
    "unsupported": UnsupportedError,
    "protocol": ProtocolError,
    "integrity": IntegrityError,
    "limit": LimitError,
    "transport": TransportError,
    "aborted": AbortedError,
    "transport.timeout": TimeoutError,
}


def from_core(
    message: str, *, kind: str, code: str, registry_errors: list[tuple[str, str, str]], **fields: Any
) -> ChartOciError:
    """The exception that stands for an error of the core."""
    found = _CLASSES.get(code) or _CLASSES.get(kind, ChartOciError)
    entries = tuple(RegistryError(*entry) for entry in registry_errors)
    return found(message, kind=kind, code=code, registry_errors=entries, **fields)


def _restore(found: type[ChartOciError], message: str, fields: dict[str, Any]) -> ChartOciError:
    return found(message, **fields)
