# Written by tests/tools/twin.py from client.py.
import os
from datetime import datetime
from chartoci import blobs
from chartoci._native import Archive, Artifact, Constraint, Metadata, Report, Version
from chartoci.model import Copied, Deleted, ExplainedCredentials, Inspected, LoggedIn, LoggedOut, Packaged, Pulled, Pushed, Referrer, Resolved
from chartoci.adrive import Carrier
from chartoci.client import IfExists, Named, Progress

class AsyncClient(Carrier):
    """`Client` for asyncio. Tasks may share it; connections and tokens are kept between calls.

        async with AsyncClient() as client:
            await client.push("web-1.0.0.tgz", "oci://registry.example/charts")

    Takes what `Client` takes. `credentials` may be a coroutine function. Requests go over urllib3 in threads, unless a
    `transport` is passed or named: `"aiohttp"` (the extra `chartoci[aiohttp]`). Cancelling a task shuts its sockets down;
    no thread is waited for. Charts are read in threads, and so is all that urllib3 sends and fetches; what aiohttp fetches
    is hashed and written in the loop's own, piece by piece, where events come, too.

        >>> import asyncio
        >>> from chartoci.testing import Registry
        >>> async def push(registry):
        ...     async with chartoci.AsyncClient() as client:
        ...         return await client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        >>> with Registry() as registry:
        ...     asyncio.run(push(registry)).tag
        '1.0.0'
    """

    async def push(self, chart: blobs.Source | Archive | Packaged, target: Named, *, provenance: blobs.Source | None=None, created: int | datetime | None=None, if_exists: IfExists='overwrite', progress: Progress | None=None, timeout: float | None=None) -> Pushed:
        """Pushes a chart to `TARGET/NAME:VERSION`, with the very bytes that `helm push` would send.

        A path brings FILE.prov along, and its mtime as `created`; without a path there is no `created` annotation, so
        that the digest is reproducible."""

    async def pull(self, reference: Named, directory: str | os.PathLike[str]='.', *, version: str | Version | None=None, devel: bool=False, provenance: bool=False, verify: str | os.PathLike[str] | None=None, untar: bool=False, check_tag: bool=False, progress: Progress | None=None, timeout: float | None=None) -> Pulled:
        """Pulls a chart into `directory`, as `NAME-VERSION.tgz`; with `untar` as a directory of the chart's name.

        The file has its name only once its bytes are verified. `version` is a version or a range. A config blob that says
        something else than Chart.yaml is a notice; it is asked for only where Helm would have made another of Chart.yaml.
        `verify`, a keyring, is refused before anything is asked for: signatures cannot be verified yet."""

    async def open(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, progress: Progress | None=None, timeout: float | None=None) -> Archive:
        """Pulls a chart into memory, verified and read."""

    async def inspect(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, timeout: float | None=None) -> Inspected:
        """Manifest and config in one go: what lies there, and what a chart's config claims."""

    async def metadata(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, timeout: float | None=None) -> Metadata:
        """What the config blob claims; manifest and config are all that is fetched. Decisions belong on `open`."""

    async def check(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, progress: Progress | None=None, timeout: float | None=None) -> Report:
        """Everything that is wrong with a chart in a registry: manifest, config, chart and provenance, and whether they
        belong together and under this tag."""

    async def artifact(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, timeout: float | None=None) -> Artifact:
        """The manifest, verified and explained."""

    async def resolve(self, reference: Named, *, version: str | Version | None=None, devel: bool=False, timeout: float | None=None) -> Resolved:
        """Which tag and digest a reference or a range means."""

    async def versions(self, repository: Named, constraint: str | Constraint | None=None, *, prerelease: bool=False, timeout: float | None=None) -> list[Version]:
        """The versions in a repository, newest first; pre-releases where they or the constraint ask for them."""

    async def tags(self, repository: Named, *, timeout: float | None=None) -> list[str]:
        """All tags of a repository, as the registry gives them."""

    async def copy(self, source: Named, target: Named, *, referrers: bool=False, upgrade: bool=False, progress: Progress | None=None, timeout: float | None=None) -> Copied:
        """Copies what lies at a full reference to another: its bytes unchanged, its manifest last.

        Within a registry blobs are mounted; across registries they go through memory, piece by piece, never the disk.
        `referrers`: signatures and other things that refer to it as well. `upgrade`: a chart of Helm 3.0 to 3.6 is pushed
        as today's Helm would, and so has another digest."""

    async def delete(self, reference: Named, *, timeout: float | None=None) -> Deleted:
        """Deletes a tag, or a manifest by its digest and with it all of its tags.

        Where a registry cannot delete a tag alone, the manifest is deleted, unless another tag has it, too: then nothing is."""

    async def referrers(self, reference: Named, *, artifact_type: str | None=None, timeout: float | None=None) -> list[Referrer]:
        """What refers to a manifest: signatures, attestations, bills of materials; all of it, or of one type."""

    async def login(self, registry: str, username: str, password: str, *, progress: Progress | None=None, timeout: float | None=None) -> LoggedIn:
        """Shows user and password to a registry and, if it takes them, stores them where Helm does.

        A scheme or a path in the registry's name is taken off. Without a user name the password is an identity token."""

    async def logout(self, registry: str) -> LoggedOut:
        """Removes a registry's credential from where Helm keeps it."""

    async def explain_credentials(self, reference: Named) -> ExplainedCredentials:
        """Where the credential for a reference comes from: who is asked, and who answers. Never the secret."""
