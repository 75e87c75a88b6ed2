"""Results and events: plain data with `==`, `repr` and `to_dict()`."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from chartoci._native import Archive, Artifact, Descriptor, Digest, Metadata, Reference, Version


def plain(value: object) -> Any:
    """A value as JSON knows it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Reference() | Digest() | Version() | Path():
            return str(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value.to_dict()  # type: ignore[attr-defined]


class Data:
    """What all results and events can do."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields that are shown, as JSON knows them."""
        return {item.name: plain(getattr(self, item.name)) for item in fields(self) if item.repr}  # type: ignore[arg-type]


# Results


@dataclass(frozen=True, slots=True)
class PushedBlob(Data):
    """A blob of a push, and what became of it."""

    descriptor: Descriptor
    state: Literal["uploaded", "mounted", "existed"]


@dataclass(frozen=True, slots=True)
class Pushed(Data):
    """What was pushed. `size` is manifest and blobs; `skipped`: the tag had this very chart, nothing was written."""

    reference: Reference
    tag: str
    digest: Digest
    size: int
    blobs: tuple[PushedBlob, ...]
    skipped: bool = False

    def __str__(self) -> str:
        return f"Pushed: {_bare(self.reference)}\nDigest: {self.digest}"


@dataclass(frozen=True, slots=True)
class Pulled(Data):
    """What was pulled, and where it lies: the archive, or the chart's directory with `untar`."""

    path: Path
    reference: Reference
    version: str | None
    digest: Digest
    provenance_path: Path | None = None
    # What the config blob claims otherwise than Chart.yaml.
    notices: "tuple[Notice, ...]" = ()

    def __str__(self) -> str:
        return f"Pulled: {_bare(self.reference)}\nDigest: {self.digest}"


@dataclass(frozen=True, slots=True)
class Resolved(Data):
    """Which tag and digest a reference or a range means."""

    reference: Reference
    version: str | None
    tag: str | None
    digest: Digest


@dataclass(frozen=True, slots=True)
class Copied(Data):
    """What was copied. `size` is manifests and blobs; `upgraded`: its manifest is another than the source's."""

    reference: Reference
    digest: Digest
    size: int
    blobs: tuple[PushedBlob, ...]
    referrers: tuple[Digest, ...]
    upgraded: bool = False

    def __str__(self) -> str:
        return f"Copied: {_bare(self.reference)}\nDigest: {self.digest}"


@dataclass(frozen=True, slots=True)
class Deleted(Data):
    """What was deleted: `digest` is the manifest's, if that was deleted and not its tag alone."""

    reference: Reference
    digest: Digest | None

    def __str__(self) -> str:
        return f"Deleted: {_bare(self.reference)}"


@dataclass(frozen=True, slots=True)
class Referrer(Data):
    """What refers to a manifest."""

    digest: Digest
    media_type: str
    size: int
    artifact_type: str | None
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fetched(Data):
    """A chart that was pulled into memory, and where it came from."""

    archive: Archive
    reference: Reference
    version: str | None
    digest: Digest


@dataclass(frozen=True, slots=True)
class Inspected(Data):
    """What lies at a reference; `metadata` is what a chart's config claims."""

    reference: Reference
    artifact: Artifact
    metadata: Metadata | None


@dataclass(frozen=True, slots=True)
class Parts(Data):
    """What the machine of a pull gives: the layers are in the host's sinks, verified."""

    reference: Reference
    version: str | None
    digest: Digest
    manifest: bytes
    config: bytes | None
    chart: Descriptor | None
    provenance: Descriptor | None
    filename: str | None


@dataclass(frozen=True, slots=True)
class Packaged(Data):
    """A packed chart."""

    filename: str
    data: bytes = field(repr=False)
    digest: Digest
    metadata: Metadata

    def write(self, directory: "str | Path" = ".") -> Path:
        """Writes `directory/filename`, whole or not at all, and gives its path. A missing directory is made."""
        from chartoci.blobs import FileSink, failure

        with FileSink(Path(directory)) as sink:
            try:
                sink.write(self.data)
            except OSError as failed:
                raise failure(failed, Path(directory)) from None
            return sink.commit(self.filename)


# Credentials


@dataclass(frozen=True, slots=True)
class Token:
    """A token: `bearer` is sent as it is, `identity` is exchanged by the token server."""

    value: str = field(repr=False)
    kind: Literal["bearer", "identity"] = "bearer"


@dataclass(frozen=True, slots=True)
class LoggedIn(Data):
    """A registry took a credential, and it is stored: in the file `path`, or by the helper that this file names.

    `registry` is what it stands under there. Not `checked`: the registry asks nobody who is calling.
    """

    registry: str
    path: Path
    helper: str | None
    checked: bool

    def __str__(self) -> str:
        return "Login Succeeded"


@dataclass(frozen=True, slots=True)
class LoggedOut(Data):
    """A registry's credential is gone from the file `path`, or from the helper. Not `removed`: there was none."""

    registry: str
    path: Path
    helper: str | None
    removed: bool

    def __str__(self) -> str:
        return f"Removing login credentials for {self.registry}"


@dataclass(frozen=True, slots=True)
class AskedStore(Data):
    """A file (or variable) that was asked for a credential, the helper that it names, the key under which it has one."""

    store: str
    helper: str | None
    entry: str | None
    exists: bool

    def __str__(self) -> str:
        if not self.exists:
            return f"{self.store}: not there"
        if self.helper is not None:
            return f"{self.store}: names {self.helper}"
        return f"{self.store}: {'nothing' if self.entry is None else f'entry {self.entry}'}"


@dataclass(frozen=True, slots=True)
class ExplainedCredentials(Data):
    """Where the credential for a repository comes from, never the secret.

    `source`: `given` to the client, a `callable`, a `store` (the last one of `asked`), or None: nobody has one. `kind` is
    basic, identity or bearer.
    """

    registry: str
    repository: str
    source: Literal["given", "callable", "store"] | None
    kind: str | None
    username: str | None
    asked: tuple[AskedStore, ...] = ()

    def __str__(self) -> str:
        what = f"{self.kind} credential" if self.kind else "credential"
        who = f" of {self.username}" if self.username else ""
        where = {"given": "given to the client", "callable": "what the callable says"}
        last = self.asked[-1].store if self.asked else ""
        found = f"{what}{who}, {where.get(self.source or '', f'found in {last}')}"
        lines = [f"{self.registry}/{self.repository}: {found if self.source else 'no credential'}"]
        return "\n".join(lines + [f"  {store}" for store in self.asked])


# Events


@dataclass(frozen=True, slots=True)
class Progress(Data):
    """Bytes of an item have moved: `chart` or `provenance`."""

    item: str
    transferred: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Exists(Data):
    """A blob was already there."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Uploaded(Data):
    """A blob is there now."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Downloaded(Data):
    """A blob has arrived and is what its digest says."""

    blob: int
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Retrying(Data):
    """A request is tried again, after that many seconds."""

    after: float
    why: str


@dataclass(frozen=True, slots=True)
class Notice(Data):
    """The registry or the library has something to say."""

    code: str
    text: str


Event = Progress | Exists | Uploaded | Downloaded | Retrying | Notice
Chart = Archive | Packaged


def _bare(reference: Reference) -> str:
    """As Helm prints it: without `oci://`."""
    return str(reference).removeprefix("oci://")
