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
    """A blob of a push, and what became of it.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     config, chart = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts").blobs
        >>> chart.state, chart.descriptor.digest == chartoci.Archive.read("web-1.0.0.tgz").digest
        ('uploaded', True)
    """

    descriptor: Descriptor
    state: Literal["uploaded", "mounted", "existed"]


@dataclass(frozen=True, slots=True)
class Pushed(Data):
    """What was pushed. `size` is manifest and blobs; `skipped`: the tag had this very chart, nothing was written.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     again = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", if_exists="skip-same")
        >>> pushed.tag, [blob.state for blob in pushed.blobs], again.skipped
        ('1.0.0', ['uploaded', 'uploaded'], True)
    """

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
    """What was pulled, and where it lies: the archive, or the chart's directory with `untar`.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts").tag
        ...     pulled = client.pull(f"oci://{registry.host}/charts/web", version="^1", untar=True, directory="pulled")
        '1.0.0'
        >>> pulled.path.name, pulled.version, pulled.provenance_path
        ('web', '1.0.0', None)
    """

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
    """Which tag and digest a reference or a range means.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     resolved = client.resolve(f"oci://{registry.host}/charts/web", version=">=0.9")
        >>> resolved.tag, resolved.digest == pushed.digest
        ('1.0.0', True)
    """

    reference: Reference
    version: str | None
    tag: str | None
    digest: Digest


@dataclass(frozen=True, slots=True)
class Copied(Data):
    """What was copied. `size` is manifests and blobs; `upgraded`: its manifest is another than the source's.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     copied = client.copy(pushed.reference, f"oci://{registry.host}/stable/web:1.0.0")
        >>> copied.reference.repository, copied.digest == pushed.digest
        ('stable/web', True)
    """

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
    """What was deleted: `digest` is the manifest's, if that was deleted and not its tag alone.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     deleted = client.delete(pushed.reference)
        >>> deleted.reference.tag, deleted.digest
        ('1.0.0', None)
    """

    reference: Reference
    digest: Digest | None

    def __str__(self) -> str:
        return f"Deleted: {_bare(self.reference)}"


@dataclass(frozen=True, slots=True)
class Referrer(Data):
    """What refers to a manifest.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     client.referrers(pushed.reference)
        []
    """

    digest: Digest
    media_type: str
    size: int
    artifact_type: str | None
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Inspected(Data):
    """What lies at a reference; `metadata` is what a chart's config claims.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     inspected = client.inspect(pushed.reference)
        >>> inspected.metadata.name, inspected.artifact.digest == pushed.digest
        ('web', True)
    """

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
    """A packed chart.

        >>> packaged = chartoci.package("web", created=0)
        >>> packaged.write("dist").name
        'web-1.0.0.tgz'
        >>> packaged.digest == chartoci.Digest.of(packaged.data)
        True
    """

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
    """A token: `bearer` is sent as it is, `identity` is exchanged by the token server.

        >>> chartoci.Token("secret", kind="identity")
        Token(kind='identity')
    """

    value: str = field(repr=False)
    kind: Literal["bearer", "identity"] = "bearer"


@dataclass(frozen=True, slots=True)
class LoggedIn(Data):
    """A registry took a credential, and it is stored: in the file `path`, or by the helper that this file names.

    `registry` is what it stands under there. Not `checked`: the registry asks nobody who is calling.

        >>> from chartoci.testing import Registry
        >>> client = chartoci.Client(registry_config="config.json")
        >>> with client, Registry(username="ada", password="secret") as registry:
        ...     logged_in = client.login(registry.host, "ada", "secret")
        >>> logged_in.checked, logged_in.path.name
        (True, 'config.json')
    """

    registry: str
    path: Path
    helper: str | None
    checked: bool

    def __str__(self) -> str:
        return "Login Succeeded"


@dataclass(frozen=True, slots=True)
class LoggedOut(Data):
    """A registry's credential is gone from the file `path`, or from the helper. Not `removed`: there was none.

        >>> with chartoci.Client(registry_config="config.json") as client:
        ...     client.logout("registry.example").removed
        False
    """

    registry: str
    path: Path
    helper: str | None
    removed: bool

    def __str__(self) -> str:
        return f"Removing login credentials for {self.registry}"


@dataclass(frozen=True, slots=True)
class AskedStore(Data):
    """A file (or variable) that was asked for a credential, the helper that it names, the key under which it has one.

        >>> explained = chartoci.Client().explain_credentials("oci://registry.example/charts/web")
        >>> all(store.exists or store.entry is None for store in explained.asked)
        True
    """

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

        >>> with chartoci.Client(credentials=("ada", "secret")) as client:
        ...     explained = client.explain_credentials("oci://registry.example/charts/web")
        >>> explained.source, explained.kind, explained.username
        ('given', 'basic', 'ada')
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
    """Bytes of an item have moved: `chart` or `provenance`.

        >>> from chartoci.testing import Registry
        >>> events = []
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", progress=events.append)
        >>> moved = [event for event in events if isinstance(event, chartoci.Progress)]
        >>> moved[-1].item, moved[-1].transferred == moved[-1].total
        ('chart', True)
    """

    item: str
    transferred: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Exists(Data):
    """A blob was already there.

        >>> from chartoci.testing import Registry
        >>> events = []
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     for _ in range(2):
        ...         pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", progress=events.append)
        >>> len([event for event in events if isinstance(event, chartoci.Exists)])
        2
    """

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Uploaded(Data):
    """A blob is there now.

        >>> from chartoci.testing import Registry
        >>> events = []
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", progress=events.append)
        >>> uploaded = {event.descriptor for event in events if isinstance(event, chartoci.Uploaded)}
        >>> uploaded == {blob.descriptor for blob in pushed.blobs}
        True
    """

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Downloaded(Data):
    """A blob has arrived and is what its digest says.

        >>> from chartoci.testing import Registry
        >>> events = []
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     pulled = client.pull(pushed.reference, "pulled", progress=events.append)
        >>> downloaded = [event.descriptor.size for event in events if isinstance(event, chartoci.Downloaded)]
        >>> downloaded == [pulled.path.stat().st_size]
        True
    """

    blob: int
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Retrying(Data):
    """A request is tried again, after that many seconds.

        >>> from chartoci.testing import Fault, Registry
        >>> faults, events = [], []
        >>> broken = lambda method, target: faults.pop() if faults else None
        >>> with Registry(faults=broken) as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     faults.append(Fault(503))
        ...     pulled = client.pull(pushed.reference, "pulled", progress=events.append)
        >>> [event.after <= 0.2 for event in events if isinstance(event, chartoci.Retrying)]
        [True]
    """

    after: float
    why: str


@dataclass(frozen=True, slots=True)
class Notice(Data):
    """The registry or the library has something to say.

        >>> notice = chartoci.Notice("artifact.config", "the config's version is 2.0.0, and 1.0.0 in Chart.yaml")
        >>> notice.to_dict()["code"]
        'artifact.config'
    """

    code: str
    text: str


Event = Progress | Exists | Uploaded | Downloaded | Retrying | Notice
Chart = Archive | Packaged


def _bare(reference: Reference) -> str:
    """As Helm prints it: without `oci://`."""
    return str(reference).removeprefix("oci://")
