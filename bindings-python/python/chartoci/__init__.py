"""Helm charts in OCI registries.

    >>> import chartoci
    >>> str(chartoci.Reference.parse("reg.example:5000/team/web:1.2.3+b1"))
    'oci://reg.example:5000/team/web:1.2.3_b1'

What needs no network is here at once; the client and all that it needs is loaded when it is first named.
"""

from _collections_abc import Mapping  # what `collections.abc` names, without loading `collections`

from chartoci._native import VERSION as __version__
from chartoci._native import (
    Archive,
    Artifact,
    Code,
    Constraint,
    Dependency,
    Descriptor,
    Diagnostic,
    Digest,
    Files,
    Fix,
    Ignore,
    Limits,
    Lock,
    Maintainer,
    Metadata,
    Place,
    Reference,
    Report,
    RetryPolicy,
    Version,
    codes,
    schemas,
)

Mapping.register(Files)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chartoci.aclient import AsyncClient
    from chartoci.client import LOOPBACK, Client
    from chartoci.credentials import DEFAULT
    from chartoci.documents import check, package, show
    from chartoci.errors import (
        AbortedError,
        ChartOciError,
        ConflictError,
        DeniedError,
        IntegrityError,
        InvalidError,
        LimitError,
        MisuseError,
        NotFoundError,
        ProtocolError,
        RegistryError,
        TimeoutError,
        TransportError,
        UnsupportedError,
    )
    from chartoci.model import (
        AskedStore,
        Copied,
        Deleted,
        Downloaded,
        Exists,
        ExplainedCredentials,
        Inspected,
        LoggedIn,
        LoggedOut,
        Notice,
        Packaged,
        Progress,
        Pulled,
        Pushed,
        PushedBlob,
        Referrer,
        Resolved,
        Retrying,
        Token,
        Uploaded,
    )

# Where the names live that are loaded on first use.
_LAZY = {
    "aclient": "AsyncClient",
    "client": "Client LOOPBACK",
    "credentials": "DEFAULT",
    "documents": "check package show",
    "errors": "AbortedError ChartOciError ConflictError DeniedError IntegrityError InvalidError LimitError MisuseError"
    " NotFoundError ProtocolError RegistryError TimeoutError TransportError UnsupportedError",
    "model": "AskedStore Copied Deleted Downloaded Exists ExplainedCredentials Inspected LoggedIn"
    " LoggedOut Notice Packaged Progress Pulled Pushed PushedBlob Referrer Resolved Retrying Token Uploaded",
}
_HOME = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "DEFAULT",
    "LOOPBACK",
    "AbortedError",
    "Archive",
    "Artifact",
    "AskedStore",
    "AsyncClient",
    "ChartOciError",
    "Client",
    "Code",
    "ConflictError",
    "Constraint",
    "Copied",
    "Deleted",
    "DeniedError",
    "Dependency",
    "Descriptor",
    "Diagnostic",
    "Digest",
    "Downloaded",
    "Exists",
    "ExplainedCredentials",
    "Files",
    "Fix",
    "Ignore",
    "Inspected",
    "IntegrityError",
    "InvalidError",
    "LimitError",
    "Limits",
    "Lock",
    "LoggedIn",
    "LoggedOut",
    "Maintainer",
    "Metadata",
    "MisuseError",
    "NotFoundError",
    "Notice",
    "Packaged",
    "Place",
    "Progress",
    "ProtocolError",
    "Pulled",
    "Pushed",
    "PushedBlob",
    "Reference",
    "Referrer",
    "RegistryError",
    "Report",
    "Resolved",
    "Retrying",
    "RetryPolicy",
    "TimeoutError",
    "Token",
    "TransportError",
    "UnsupportedError",
    "Uploaded",
    "Version",
    "check",
    "codes",
    "package",
    "schemas",
    "show",
]


def __getattr__(name: str) -> object:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'chartoci' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"chartoci.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
