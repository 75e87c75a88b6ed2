"""The client: verbs over the core's exchanges.

A verb is written once, as a plan: a generator that yields each exchange that is to be driven and gets its outcome. `Client`
carries plans out in the calling thread, `AsyncClient` in its event loop.
"""

import functools
import inspect
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection, Generator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Final, Generic, Literal, NamedTuple, ParamSpec, Self, TypeVar

from chartoci import _native as native
from chartoci import blobs, files
from chartoci._native import (
    Archive,
    Artifact,
    Ask,
    Constraint,
    Descriptor,
    Exchange,
    Limits,
    Metadata,
    Push,
    Reference,
    Report,
    RetryPolicy,
    Scan,
    Scanning,
    Session,
    Version,
)
from chartoci.credentials import DEFAULT, Credential, Default, answer, explain, keep, keeper
from chartoci.documents import seconds
from chartoci.drive import Drive, Workers
from chartoci.errors import ChartOciError
from chartoci.model import (
    Copied,
    Deleted,
    Event,
    ExplainedCredentials,
    Inspected,
    LoggedIn,
    LoggedOut,
    Notice,
    Packaged,
    Parts,
    Pulled,
    Pushed,
    Referrer,
    Resolved,
    Token,
)
from chartoci.over import Over
from chartoci.transport import AsyncTransport, Transport

LOOPBACK: Final = "loopback"

Progress = Callable[[Event], object]
Allow = Collection[str] | Callable[[str, str, int], bool]
IfExists = Literal["overwrite", "skip-same", "refuse"]
Named = str | Reference

P = ParamSpec("P")
R = TypeVar("R")
CredentialsFrom = TypeVar("CredentialsFrom")
TransportLike = TypeVar("TransportLike")


class Run(NamedTuple):
    """An exchange that a plan wants driven.

    `credential` is what is to be shown in place of the client's. `home` is the registry that the verb is for, where the
    exchange is but a part of it.
    """

    exchange: Exchange
    progress: Progress | None = None
    timeout: float | None = None
    sources: tuple[tuple[str, Any] | None, ...] = ()
    sinks: tuple[tuple[str, blobs.Sink] | None, ...] = ()
    credential: Credential = None
    beside: Callable[[], Push] | None = None
    home: str | None = None


class Aside(NamedTuple):
    """What a plan wants done that may run programs: they end when it is over."""

    job: Callable[[Over], Any]
    timeout: float | None = None

    def do(self, over: Over) -> Any:
        """Does it. What fails once it is over has failed for want of time."""
        try:
            return self.job(over)
        except ChartOciError as failed:
            if not over.told:
                raise
            helper = failed.context.get("helper")
            told = f": {helper} had not answered" if helper else ""
            message = f"the time for the whole verb is over{told}"
            raise native.error("transport.timeout", message, [*failed.context.items()]) from None


Plan = Generator[Run | Aside, Any, R]


def verb(plan: Callable[Concatenate[Any, P], Plan[R]]) -> Callable[Concatenate[Any, P], R]:
    """A plan as a method that carries it out and blocks."""

    def run(self: Any, /, *arguments: P.args, **named: P.kwargs) -> R:
        return self._carry_out(plan(self, *arguments, **named))  # type: ignore[no-any-return]

    return dress(run, plan)


def dress(run: Callable[P, R], plan: Callable[..., Any]) -> Callable[P, R]:
    """Lets a method look like its plan, save that it returns what the plan comes to."""
    functools.update_wrapper(run, plan)
    returned = plan.__annotations__["return"].__args__[-1]
    run.__annotations__ = {**plan.__annotations__, "return": returned}
    run.__signature__ = inspect.signature(plan).replace(return_annotation=returned)  # type: ignore[attr-defined]
    return run


def resume(plan: Plan[R], outcome: Any = None, error: BaseException | None = None) -> tuple[Run | Aside | None, R | None]:
    """Goes on with a plan: the next exchange, or else what the plan comes to."""
    try:
        return plan.send(outcome) if error is None else plan.throw(error), None
    except StopIteration as finished:
        return None, finished.value


class Clock:
    """How long a verb has been under way, whose exchanges share its time."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._began = time.monotonic()

    def set(self, run: Run) -> None:
        """Allows an exchange what is left."""
        run.exchange.set_timeout(self._timeout if run.timeout is None else run.timeout)  # which refuses what is no time
        run.exchange.set_timeout(self.left(run.timeout))

    def left(self, timeout: float | None) -> float | None:
        """Seconds that are left of a verb's own time, or else of the client's; None: any."""
        allowed = self._timeout if timeout is None else timeout
        return None if allowed is None else max(0.0, allowed - (time.monotonic() - self._began))


def prepare(run: Run, clock: Clock | None) -> None:
    """Tells the exchange what the plan wants of it; refuses what could not be called later."""
    if run.progress is not None and not callable(run.progress):
        raise native.error(
            "misuse.argument",
            f"`progress` cannot be a {type(run.progress).__name__}",
            hint="Pass a function that takes an event, as `progress=print`.",
        )
    if clock is not None:
        clock.set(run)
    if run.home is not None:
        run.exchange.on_behalf_of(run.home)


class Settings(Generic[CredentialsFrom, TransportLike]):
    """What both clients are made from."""

    def __init__(
        self,
        *,
        credentials: Default | Credential | CredentialsFrom = DEFAULT,
        plain_http: bool | str | Collection[str] = LOOPBACK,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        verify_tls: bool = True,
        idle_timeout: float | None = 30.0,
        timeout: float | None = None,
        concurrency: int = 3,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        allow: Allow | None = None,
        transport: TransportLike | None = None,
        user_agent: str | None = None,
        registry_config: str | os.PathLike[str] | None = None,
    ) -> None:
        if not (credentials is DEFAULT or callable(credentials)):
            native.credential_kind(credentials)  # type: ignore[arg-type]  # refuses what is none
        self._check_transport(transport)
        self._credentials = credentials
        self._registry_config = os.fspath(registry_config) if registry_config is not None else None
        self._limits = native.bounds(limits)
        self._policy: dict[str, Any] = {
            "user_agent": user_agent,
            "limits": self._limits,
            "retry": retry,
            "concurrency": concurrency,
            "plain_http": plain_http,
            "tls_options": ca_file is not None or client_cert is not None or not verify_tls,
            "idle_timeout": idle_timeout,
            "timeout": timeout,
            "has_credentials": credentials is not DEFAULT and credentials is not None,
        }
        self._session = self._fresh()
        self._options: dict[str, Any] = {
            "ca_file": os.fspath(ca_file) if ca_file is not None else None,
            "client_cert": client_cert,
            "verify_tls": verify_tls,
            "allow": _allow(allow),
            "connections": max(16, concurrency + 1),
        }
        self._given = transport
        self._workers = Workers()

    def _check_transport(self, transport: object) -> None:
        """Refuses what cannot send requests, before anything is asked of it."""
        if transport is not None and not callable(getattr(transport, "open", None)):
            what = repr(transport) if isinstance(transport, str) else f"of the class {type(transport).__name__}"
            raise native.error(
                "misuse.argument",
                f"transport cannot be {what}",
                hint="Leave `transport` out for urllib3; AsyncClient takes \"aiohttp\" as well. Or pass an object with the"
                " methods of chartoci.transport.Transport or AsyncTransport.",
            )

    def _fresh(self, **policy: Any) -> Session:
        """A session in which nothing was learned yet, and nothing earned."""
        return Session(seed=secrets.randbits(64), **self._policy | policy)

    def _clock(self) -> Clock:
        return Clock(self._policy["timeout"])

    def _answer(self, run: "Run", query: Ask, over: Over) -> Any:
        """What to say to a question of the machine; may take its time."""
        if run.credential is not None:
            return run.credential
        credentials: Any = self._credentials
        return answer(credentials, query, self._registry_config, over)


class Client(Settings[Callable[[Ask], Credential], Transport]):
    """Talks to registries. Threads may share it; connections and tokens are kept between calls.

        with Client() as client:
            client.push("web-1.0.0.tgz", "oci://registry.example/charts")

    `credentials`: DEFAULT (what Helm, Docker and Podman keep), None (anonymous), (user, password), a token, or a callable.
    `plain_http`: LOOPBACK (http for loopback names only, and not where TLS options are given), True, False, or a set of
    hosts. `idle_timeout` bounds the silence of one attempt, `timeout` a whole verb, both in seconds. `allow` is a set of
    hosts or a callable `(host, ip, port) -> bool`, asked before every connection. A callable for `credentials` is called on a
    thread; where it takes longer than `timeout` allows it runs on, and nobody waits for it.

        >>> from chartoci.testing import Registry
        >>> with Registry() as registry, chartoci.Client() as client:
        ...     pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        ...     pulled = client.pull(pushed.reference, "pulled")
        ...     versions = client.versions(f"oci://{registry.host}/charts/web")
        >>> pulled.path.name, pulled.digest == pushed.digest, [str(version) for version in versions]
        ('web-1.0.0.tgz', True, ['1.0.0'])
    """

    _transport: Transport | None = None

    def _check_transport(self, transport: object) -> None:
        super()._check_transport(transport)
        if isinstance(transport, AsyncTransport):
            raise native.error(
                "misuse.argument",
                f"transport cannot be of the class {type(transport).__name__}: that is for event loops",
                hint="Pass it to AsyncClient, or leave `transport` out.",
            )

    @verb
    def push(
        self,
        chart: blobs.Source | Archive | Packaged,
        target: Named,
        *,
        provenance: blobs.Source | None = None,
        created: int | datetime | None = None,
        if_exists: IfExists = "overwrite",
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[Pushed]:
        """Pushes a chart to `TARGET/NAME:VERSION`, with the very bytes that `helm push` would send.

        A path brings FILE.prov along, and its mtime as `created`; without a path there is no `created` annotation, so
        that the digest is reproducible.

        >>> pushed = client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        >>> pushed.tag, client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts", if_exists="skip-same").skipped
        ('1.0.0', True)
        """
        source = blobs.chart(chart, self._limits)
        signed = source.provenance if provenance is None else blobs.load(provenance, self._limits.provenance)
        moment = source.modified if created is None else seconds(created)
        def push(scan: Scan | Archive) -> Push:
            artifact = Artifact.build(scan, provenance=signed, created=moment, limits=self._limits)
            return Push.chart(artifact, target, if_exists)

        beside = None
        if source.scanned is not None:
            exchange = Exchange.push(self._session, push(source.scanned))
        else:
            scanning = Scanning(source.data, self._limits, source.path)
            if promised := scanning.promised():
                exchange = Exchange.push_ahead(self._session, push(promised))
                beside = lambda: push(scanning.finished())  # noqa: E731
            else:
                exchange = Exchange.push(self._session, push(scanning.finished()))
        sources = (None, ("chart", source.data), ("provenance", signed) if signed is not None else None)
        pushed: Pushed = yield Run(exchange, progress, timeout, sources, beside=beside)
        return pushed

    @verb
    def pull(
        self,
        reference: Named,
        directory: str | os.PathLike[str] = ".",
        *,
        version: str | Version | None = None,
        devel: bool = False,
        provenance: bool = False,
        verify: str | os.PathLike[str] | None = None,
        untar: bool = False,
        check_tag: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[Pulled]:
        """Pulls a chart into `directory`, as `NAME-VERSION.tgz`; with `untar` as a directory of the chart's name.

        The file has its name only once its bytes are verified. `version` is a version or a range. A config blob that says
        something else than Chart.yaml is a notice; it is asked for only where Helm would have made another of Chart.yaml.
        `verify`, a keyring, is refused before anything is asked for: signatures cannot be verified yet.

        >>> client.pull(f"oci://{registry.host}/charts/web", "pulled", version="^1").path.name
        'web-1.0.0.tgz'
        >>> client.pull(f"oci://{registry.host}/charts/web:1.0.0", "unpacked", untar=True).path.name
        'web'
        """
        wanted, place = _reference(reference), Path(directory)
        with blobs.FileSink(place) as chart, blobs.FileSink(place) as signed:
            parts_wanted = {"provenance": provenance, "check_tag": check_tag, "verify": verify is not None}
            exchange = Exchange.pull(self._session, wanted, version=version, devel=devel, **parts_wanted)
            sinks = (("chart", chart), ("provenance", signed))
            parts: Parts = yield Run(exchange, progress, timeout, sinks=sinks)
            notices = yield from _doubts(self, parts, chart.front(), progress, timeout)
            if untar:
                path = files.extract(Archive.read(chart.path, self._limits), place)
                return Pulled(path, parts.reference, parts.version, parts.digest, None, notices)
            filename = parts.filename or Scan.read(chart.path, self._limits).filename
            path = chart.commit(filename)
            signed_path = signed.commit(f"{filename}.prov") if parts.provenance is not None else None
            return Pulled(path, parts.reference, parts.version, parts.digest, signed_path, notices)

    @verb
    def open(
        self,
        reference: Named,
        *,
        version: str | Version | None = None,
        devel: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[Archive]:
        """Pulls a chart into memory, verified and read.

        >>> client.open(f"oci://{registry.host}/charts/web", version="^1").values
        {'replicas': 2}
        """
        return (yield from _open(self, reference, version, devel, progress, timeout))[0]

    @verb
    def _opened(
        self, reference: Named, version: str | None, devel: bool, progress: Progress
    ) -> Plan[tuple[Archive, Parts]]:
        """As `open`, and where it came from."""
        return (yield from _open(self, reference, version, devel, progress, None))

    @verb
    def inspect(
        self, reference: Named, *, version: str | Version | None = None, devel: bool = False, timeout: float | None = None
    ) -> Plan[Inspected]:
        """Manifest and config in one go: what lies there, and what a chart's config claims.

        >>> found = client.inspect(f"oci://{registry.host}/charts/web:1.0.0")
        >>> found.artifact.what, found.metadata.name
        ('chart', 'web')
        """
        parts = yield from _describe(self, _reference(reference), version, devel, timeout, config=True, anything=True)
        artifact = Artifact.parse(parts.manifest, self._limits)
        chart = artifact.what == "chart" and parts.config is not None
        metadata = Metadata.from_config(parts.config or b"", self._limits) if chart else None
        return Inspected(parts.reference, artifact, metadata)

    @verb
    def metadata(
        self, reference: Named, *, version: str | Version | None = None, devel: bool = False, timeout: float | None = None
    ) -> Plan[Metadata]:
        """What the config blob claims; manifest and config are all that is fetched. Decisions belong on `open`.

        >>> str(client.metadata(f"oci://{registry.host}/charts/web:1.0.0").version)
        '1.0.0'
        """
        parts = yield from _describe(self, _reference(reference), version, devel, timeout, config=True)
        return Metadata.from_config(parts.config or b"", self._limits)

    @verb
    def check(
        self,
        reference: Named,
        *,
        version: str | Version | None = None,
        devel: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[Report]:
        """Everything that is wrong with a chart in a registry: manifest, config, chart and provenance, and whether they
        belong together and under this tag.

        >>> client.check(f"oci://{registry.host}/charts/web:1.0.0").ok
        True
        """
        wanted = _reference(reference)
        chart, signed = blobs.MemorySink(), blobs.MemorySink()
        exchange = Exchange.pull(
            self._session, wanted, version=version, devel=devel, config=True, provenance=True, anything=True
        )
        sinks = (("chart", chart), ("provenance", signed))
        parts: Parts = yield Run(exchange, progress, timeout, sinks=sinks)
        return native.check_parts(
            reference=parts.reference,
            manifest=parts.manifest,
            config=parts.config,
            chart=chart.value() if parts.chart is not None else None,
            provenance=signed.value() if parts.provenance is not None else None,
            limits=self._limits,
        )

    @verb
    def artifact(
        self, reference: Named, *, version: str | Version | None = None, devel: bool = False, timeout: float | None = None
    ) -> Plan[Artifact]:
        """The manifest, verified and explained.

        >>> client.artifact(f"oci://{registry.host}/charts/web:1.0.0").what
        'chart'
        """
        parts = yield from _describe(self, _reference(reference), version, devel, timeout)
        return Artifact.parse(parts.manifest, self._limits)

    @verb
    def resolve(
        self, reference: Named, *, version: str | Version | None = None, devel: bool = False, timeout: float | None = None
    ) -> Plan[Resolved]:
        """Which tag and digest a reference or a range means.

        >>> client.resolve(f"oci://{registry.host}/charts/web", version="^1").tag
        '1.0.0'
        """
        wanted = _reference(reference)
        exchange = Exchange.resolve(self._session, wanted, version=version, devel=devel)
        resolved: Resolved = yield Run(exchange, timeout=timeout)
        return resolved

    @verb
    def versions(
        self,
        repository: Named,
        constraint: str | Constraint | None = None,
        *,
        prerelease: bool = False,
        timeout: float | None = None,
    ) -> Plan[list[Version]]:
        """The versions in a repository, newest first; pre-releases where they or the constraint ask for them.

        >>> [str(version) for version in client.versions(f"oci://{registry.host}/charts/web", ">=1")]
        ['1.0.0']
        """
        wanted = Constraint.parse(constraint) if isinstance(constraint, str) else constraint
        exchange = Exchange.versions(self._session, str(repository), wanted, prerelease)
        versions: list[Version] = yield Run(exchange, timeout=timeout)
        return versions

    @verb
    def tags(self, repository: Named, *, timeout: float | None = None) -> Plan[list[str]]:
        """All tags of a repository, as the registry gives them.

        >>> client.tags(f"oci://{registry.host}/charts/web")
        ['1.0.0']
        """
        exchange = Exchange.tags(self._session, str(repository))
        tags: list[str] = yield Run(exchange, timeout=timeout)
        return tags

    @verb
    def copy(
        self,
        source: Named,
        target: Named,
        *,
        referrers: bool = False,
        upgrade: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[Copied]:
        """Copies what lies at a full reference to another: its bytes unchanged, its manifest last.

        Within a registry blobs are mounted; across registries they go through memory, piece by piece, never the disk.
        `referrers`: signatures and other things that refer to it as well. `upgrade`: a chart of Helm 3.0 to 3.6 is pushed
        as today's Helm would, and so has another digest.

        >>> source, target = (f"oci://{registry.host}/{place}/web:1.0.0" for place in ("charts", "mirror"))
        >>> client.copy(source, target).digest == client.resolve(source).digest
        True
        """
        wanted, place = _reference(source), _reference(target)
        chart = blobs.MemorySink()
        exchange = Exchange.copy(self._session, wanted, place, referrers, upgrade)
        copied = yield Run(exchange, progress, timeout, sinks=(("chart", chart),), home=place.registry)
        if isinstance(copied, Copied):
            return copied
        # The chart has been fetched, to be pushed anew.
        data = chart.value()
        push = Push.to(Artifact.build(Scan.read(data, self._limits), limits=self._limits), place)
        exchange = Exchange.push(self._session, push)
        pushed: Pushed = yield Run(exchange, progress, timeout, (None, ("chart", data)))
        return Copied(pushed.reference, pushed.digest, pushed.size, pushed.blobs, (), True)

    @verb
    def delete(self, reference: Named, *, timeout: float | None = None) -> Plan[Deleted]:
        """Deletes a tag, or a manifest by its digest and with it all of its tags.

        Where a registry cannot delete a tag alone, the manifest is deleted, unless another tag has it, too: then nothing is.

        >>> reference = f"oci://{registry.host}/charts/web:1.0.0"
        >>> client.delete(reference).reference.tag
        '1.0.0'
        """
        wanted = _reference(reference)
        deleted: Deleted = yield Run(Exchange.delete(self._session, wanted), timeout=timeout)
        return deleted

    @verb
    def referrers(
        self, reference: Named, *, artifact_type: str | None = None, timeout: float | None = None
    ) -> Plan[list[Referrer]]:
        """What refers to a manifest: signatures, attestations, bills of materials; all of it, or of one type.

        >>> client.referrers(f"oci://{registry.host}/charts/web:1.0.0")
        []
        """
        wanted = _reference(reference)
        exchange = Exchange.referrers(self._session, wanted, artifact_type)
        found: list[Referrer] = yield Run(exchange, timeout=timeout)
        return found

    @verb
    def login(
        self,
        registry: str,
        username: str,
        password: str,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Plan[LoggedIn]:
        """Shows user and password to a registry and, if it takes them, stores them where Helm does.

        A scheme or a path in the registry's name is taken off. Without a user name the password is an identity token.

        >>> with chartoci.Client(registry_config="config.json") as client:
        ...     client.login(registry.host, "ada", "secret").path.name
        'config.json'
        """
        credential = (username, password) if username else Token(password, "identity")
        machine = keeper(registry, credential, self._registry_config)
        exchange = Exchange.login(self._fresh(has_credentials=True), registry)
        checked: bool = yield Run(exchange, progress, timeout, credential=credential)
        entry, path, helper, _ = yield Aside(functools.partial(keep, machine), timeout)
        self._session = self._fresh()
        return LoggedIn(entry, Path(path), helper, checked)

    @verb
    def logout(self, registry: str) -> Plan[LoggedOut]:
        """Removes a registry's credential from where Helm keeps it.

        >>> with chartoci.Client(registry_config="config.json") as client:
        ...     client.logout(registry.host).removed
        False
        """
        machine = keeper(registry, None, self._registry_config)
        entry, path, helper, removed = yield Aside(functools.partial(keep, machine))
        self._session = self._fresh()
        return LoggedOut(entry, Path(path), helper, removed)

    @verb
    def explain_credentials(self, reference: Named) -> Plan[ExplainedCredentials]:
        """Where the credential for a reference comes from: who is asked, and who answers. Never the secret.

        >>> with chartoci.Client(credentials=("ada", "secret")) as client:
        ...     client.explain_credentials(f"oci://{registry.host}/charts/web").username
        'ada'
        """
        wanted = _reference(reference)
        asked = self._credentials, wanted.registry, wanted.repository, self._registry_config
        explained: ExplainedCredentials = yield Aside(functools.partial(explain, *asked))
        return explained

    def close(self) -> None:
        """Closes connections that stand; the client can still be used."""
        if self._given is None and self._transport is not None:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry_out(self, plan: Plan[R]) -> R:
        clock = self._clock()
        run, result = resume(plan)
        while run is not None:
            try:
                outcome = self._drive(run, clock)
            except BaseException as error:
                run, result = resume(plan, error=error)
            else:
                run, result = resume(plan, outcome)
        return result  # type: ignore[return-value]

    def _aside(self, aside: Aside, clock: Clock) -> Any:
        over, left = Over(), clock.left(aside.timeout)
        if left is None:
            return aside.do(over)
        timer = threading.Timer(left, over.tell)
        timer.daemon = True
        timer.start()
        try:
            return aside.do(over)
        finally:
            timer.cancel()

    def _drive(self, run: Run | Aside, clock: Clock) -> Any:
        if isinstance(run, Aside):
            return self._aside(run, clock)
        if self._transport is None or self._workers.process != os.getpid():
            from chartoci.transport.urllib3 import Urllib3Transport

            # Threads and sockets do not survive a fork.
            self._transport = self._given or Urllib3Transport(**self._options)
            self._workers = Workers()
        prepare(run, clock)
        return Drive(
            run.exchange,
            self._transport,
            self._workers,
            sources=run.sources,
            sinks=run.sinks,
            credentials=functools.partial(self._answer, run),
            progress=run.progress,
            beside=run.beside,
            fetch=functools.partial(self._fetch, run),
        ).run()

    def _fetch(self, copy: Run, repository: str, blob: Descriptor, start: int, end: int, sink: blobs.Sink) -> Drive:
        """The drive of a fetch whose bytes go on to another registry."""
        assert self._transport is not None
        exchange = Exchange.fetch(self._session, repository, blob, start, end)
        prepare(copy._replace(exchange=exchange), None)
        return Drive(
            exchange,
            self._transport,
            self._workers,
            sinks=((str(blob.digest), sink),),
            credentials=functools.partial(self._answer, copy),
        )


def _describe(
    client: Settings[Any, Any],
    wanted: Reference,
    version: str | Version | None,
    devel: bool,
    timeout: float | None,
    **parts: bool,
) -> Plan[Parts]:
    """The manifest, and what else is wanted; not the chart."""
    exchange = Exchange.pull(client._session, wanted, version=version, devel=devel, chart=False, **parts)
    described: Parts = yield Run(exchange, timeout=timeout)
    return described


def _doubts(
    client: Settings[Any, Any], parts: Parts, front: bytes, progress: Progress | None, timeout: float | None
) -> Plan[tuple[Notice, ...]]:
    """What the config blob of a chart that was pulled claims otherwise than its Chart.yaml."""
    # Chart.yaml stands in front; no more of the chart is held, however large it is.
    doubt = native.Doubt.of(parts.manifest, front, client._limits)
    if doubt is None:
        return ()
    claimed, place = blobs.MemorySink(), f"{parts.reference.registry}/{parts.reference.repository}"
    try:
        yield Run(Exchange.config(client._session, place, doubt.config), timeout=timeout, sinks=(("config", claimed),))
        found = doubt.settle(claimed.value())
    except ChartOciError as error:
        found = doubt.settle(error)
    notices = () if found is None else (Notice(*found),)
    for notice in notices:
        if progress is not None:
            progress(notice)
    return notices


def _open(
    client: Settings[Any, Any],
    reference: Named,
    version: str | Version | None,
    devel: bool,
    progress: Progress | None,
    timeout: float | None,
) -> Plan[tuple[Archive, Parts]]:
    chart = blobs.MemorySink()
    try:
        exchange = Exchange.pull(client._session, _reference(reference), version=version, devel=devel)
        parts: Parts = yield Run(exchange, progress, timeout, sinks=(("chart", chart),))
    except ChartOciError as error:
        if isinstance(reference, str) and error.kind in ("invalid", "transport") and os.path.isfile(reference):
            error.hint = "A file is called so, which `Archive.read` reads; references begin with oci://."
        raise
    return Archive.read(chart.value(), client._limits), parts


def _reference(reference: Named) -> Reference:
    return reference if isinstance(reference, Reference) else Reference.parse(reference)


def _allow(allow: Allow | None) -> Callable[[str, str, int], bool] | None:
    if allow is None or callable(allow):
        return allow
    if not isinstance(allow, Collection) or isinstance(allow, str):
        hint = "Pass a set of hosts, or a function (host, ip, port) -> bool."
        raise native.error("misuse.argument", f"`allow` cannot be a {type(allow).__name__}", hint=hint)
    hosts = frozenset(allow)
    return lambda host, ip, port: native.host_matches(hosts, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
