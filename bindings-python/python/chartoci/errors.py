"""Exceptions: `kind` is what a program branches on, `code` is what documentation names, `hint` says what to do."""

import builtins
from typing import Any, NamedTuple

from chartoci._native import Report


class RegistryError(NamedTuple):
    """One entry of the `errors` list in a registry's answer.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     try:
        ...         client.open(f"oci://{registry.host}/charts/web:1.0.0")
        ...     except chartoci.NotFoundError as error:
        ...         print([entry.code for entry in error.registry_errors])
        ['NAME_UNKNOWN']
    """

    code: str
    message: str
    detail: str


class ChartOciError(Exception):
    """The root of the tree. The message is for people and is never parsed.

        >>> try:
        ...     chartoci.Reference.parse("http://registry.example/web")
        ... except chartoci.ChartOciError as error:
        ...     print(error.kind, error.code)
        invalid reference.scheme
    """

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
    """The document, archive or name that was given is wrong.

        >>> try:
        ...     chartoci.Archive.read(b"no archive")
        ... except chartoci.InvalidError as error:
        ...     print(error.code)
        archive.gzip
    """


class MisuseError(ChartOciError, ValueError):
    r"""The call itself is wrong.

        >>> try:
        ...     chartoci.Archive.read("name: web\nversion: 1.0.0\n")
        ... except chartoci.MisuseError as error:
        ...     print(error.code)
        misuse.looks_like_content
    """


class NotFoundError(ChartOciError, LookupError):
    """What was asked for is not there.

        >>> try:
        ...     chartoci.Archive.read("missing.tgz")
        ... except chartoci.NotFoundError as error:
        ...     print(error.code)
        files.not_found
    """


class DeniedError(ChartOciError):
    """The registry or its token server refused.

        >>> from chartoci.testing import Registry
        >>> with Registry(username="ada", password="secret") as registry, chartoci.Client(credentials=None) as client:
        ...     try:
        ...         client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     except chartoci.DeniedError as error:
        ...         print(error.kind, error.status)
        denied 401
    """


class ConflictError(ChartOciError):
    """Something else is already there.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     try:
        ...         client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", if_exists="refuse")
        ...     except chartoci.ConflictError as error:
        ...         print(error.code)
        registry.exists
    """


class UnsupportedError(ChartOciError):
    """The peer cannot do this.

        >>> try:
        ...     chartoci.Client().pull("oci://registry.example/charts/web:1.0.0", verify="pubring.gpg")
        ... except chartoci.UnsupportedError as error:
        ...     print(error.code)
        provenance.unverified
    """


class ProtocolError(ChartOciError):
    """The peer broke the protocol.

        >>> from chartoci.testing import Fault, Registry
        >>> page = Fault(200, (("content-type", "text/html"),), b"<html>")
        >>> with Registry(faults=lambda method, target: page) as registry, chartoci.Client() as client:
        ...     try:
        ...         client.tags(f"oci://{registry.host}/charts/web")
        ...     except chartoci.ProtocolError as error:
        ...         print(error.code)
        protocol.not_registry
    """


class IntegrityError(ChartOciError):
    """Bytes are not what their digest or size says.

        >>> import pathlib
        >>> data = bytearray(pathlib.Path("web-1.0.0.tgz").read_bytes())
        >>> data[-5] ^= 1
        >>> try:
        ...     chartoci.Archive.read(data)
        ... except chartoci.IntegrityError as error:
        ...     print(error.code)
        archive.checksum
    """


class LimitError(ChartOciError):
    """A bound of `Limits` was reached.

        >>> try:
        ...     chartoci.Archive.read("web-1.0.0.tgz", chartoci.Limits(unpacked=10))
        ... except chartoci.LimitError as error:
        ...     print(error.code)
        limit.unpacked
    """


class TransportError(ChartOciError):
    """No answer came: connection, TLS, time.

        >>> with chartoci.Client(retry=chartoci.RetryPolicy(attempts=1)) as client:
        ...     try:
        ...         client.tags("oci://127.0.0.1:1/charts/web")
        ...     except chartoci.TransportError as error:
        ...         print(error.code)
        transport.connect
    """


class TimeoutError(TransportError, builtins.TimeoutError):
    """No answer came in time.

        >>> from chartoci.testing import Fault, Registry
        >>> slow = Fault(503, headers=(("retry-after", "9"),))
        >>> with Registry(faults=lambda method, target: slow) as registry, chartoci.Client(timeout=0.2) as client:
        ...     try:
        ...         client.tags(f"oci://{registry.host}/charts/web")
        ...     except chartoci.TimeoutError as error:
        ...         print(error.code)
        transport.timeout
    """


class AbortedError(ChartOciError):
    """The caller gave up.

        >>> from chartoci import sansio
        >>> exchange = sansio.Exchange.delete(sansio.Session(), chartoci.Reference.parse("registry.example/web:1.0.0"))
        >>> exchange.abort()
        >>> exchange.poll(0).error
        AbortedError('the exchange was aborted')
    """


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
