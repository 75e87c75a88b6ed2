"""push, pull, versions, tags, resolve, inspect."""

import json
import os
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chartoci._native import Reference, error
from chartoci.cli.output import note, one_by_one, say, underscore, visible, watch
from chartoci.errors import TransportError
from chartoci.model import Event, Notice, plain

Verb = Callable[..., ArgumentParser]

# Helm's words.
NO_PROVENANCE = (
    "manifest does not contain a layer with mediatype application/vnd.cncf.helm.chart.provenance.v1.prov"
)


def add(verb: Verb) -> None:
    """Adds the verbs to the parser."""
    push = verb("push", "Push a chart to a registry, as `helm push`.")
    push.add_argument("chart", metavar="CHART.tgz")
    push.add_argument("target", metavar="oci://HOST/PATH")
    push.add_argument(
        "--if-exists",
        choices=["overwrite", "skip-same", "refuse"],
        default="overwrite",
        help="where the tag is taken: overwrite it (as helm), skip the push if it is this very chart, or refuse it",
    )
    push.set_defaults(run=_push)

    pull = verb("pull", "Pull charts from a registry, as `helm pull`.", ("fetch",))
    pull.add_argument("references", metavar="oci://HOST/PATH[:TAG]", nargs="+")
    version_flags(pull)
    pull.add_argument("-d", "--destination", metavar="DIR", default=".", help="where the file is written")
    pull.add_argument("--untar", action="store_true", help="unpack the chart")
    pull.add_argument("--untardir", metavar="DIR", default=".", help="where it is unpacked, below the destination")
    pull.add_argument(
        "--prov", dest="provenance", action="store_true", help="fetch the provenance file too, without verifying it"
    )
    verify_flags(pull)
    repository_flags(pull)
    pull.set_defaults(run=_pull)

    versions = verb("versions", "List a chart's versions, newest first.")
    versions.add_argument("repository", metavar="oci://HOST/PATH")
    versions.add_argument("constraint", metavar="CONSTRAINT", nargs="?", help="such as '^1.2 || ~3'")
    versions.add_argument("--devel", action="store_true", help="pre-releases too")
    versions.set_defaults(run=_versions)

    tags = verb("tags", "List a repository's tags, as they are.")
    tags.add_argument("repository", metavar="oci://HOST/PATH")
    tags.set_defaults(run=_tags)

    resolve = verb("resolve", "Say which tag and digest a reference or a range means.")
    resolve.add_argument("reference", metavar="oci://HOST/PATH[:TAG]")
    version_flags(resolve)
    resolve.set_defaults(run=_resolve)

    inspect = verb("inspect", "Explain what lies at a reference: manifest and config, never the chart.")
    inspect.add_argument("reference", metavar="oci://HOST/PATH[:TAG]")
    version_flags(inspect)
    inspect.set_defaults(run=_inspect)

    copy = verb("copy", "Copy what lies at a reference to another, in the same or another registry.")
    copy.add_argument("source", metavar="SRC", help="oci://HOST/PATH:TAG, or with a digest")
    copy.add_argument("target", metavar="DST", help="oci://HOST/PATH:TAG")
    copy.add_argument("--referrers", action="store_true", help="signatures and what else refers to it as well")
    copy.add_argument("--upgrade", action="store_true", help="push charts of Helm 3.0 to 3.6 as today's Helm does")
    copy.set_defaults(run=_copy)

    delete = verb("delete", "Delete a tag; or a digest, and with it all of its tags.")
    delete.add_argument("reference", metavar="REF", help="oci://HOST/PATH:TAG, or with a digest")
    delete.set_defaults(run=_delete)

    referrers = verb("referrers", "List what refers to a chart: signatures, attestations, bills of materials.")
    referrers.add_argument("reference", metavar="REF", help="oci://HOST/PATH:TAG, or with a digest")
    referrers.add_argument("--artifact-type", metavar="TYPE", help="of this type only")
    referrers.set_defaults(run=_referrers)


def version_flags(parser: ArgumentParser) -> None:
    """Which version of a chart in a registry is meant."""
    parser.add_argument("--version", metavar="CONSTRAINT", help="a version or a range; the newest if not given")
    parser.add_argument("--devel", action="store_true", help="pre-releases too; ignored where --version is given")


def verify_flags(parser: ArgumentParser) -> None:
    """Whether a signature is to be verified, and by which keys."""
    parser.add_argument("--verify", action="store_true", help="refused for now: `gpg --verify` and `helm verify` judge signatures")
    parser.add_argument("--keyring", metavar="FILE", help="public keys for --verify (~/.gnupg/pubring.gpg)")


def repository_flags(parser: ArgumentParser) -> None:
    """Helm's flags for repositories of its own kind."""
    hint = "Of a chart in a registry, write oci://HOST/PATH; `helm pull --repo` fetches from repositories with an index.yaml."
    not_yet(parser, hint, "--repo", nargs=1)


def not_yet(parser: ArgumentParser, hint: str, *flags: str, nargs: int = 0) -> None:
    """Refuses flags that Helm has for this verb."""

    class Refuse(Action):
        def __call__(self, parser: ArgumentParser, *arguments: Any) -> None:
            raise error("misuse.not_yet", f"`{parser.prog.removeprefix('chartoci ')} {flags[0]}` is not there yet", hint=hint)

    parser.add_argument(*flags, action=Refuse, nargs=nargs, dest=SUPPRESS, help=SUPPRESS)


def is_unsigned(event: Event) -> bool:
    """Tells that a chart has no provenance."""
    return isinstance(event, Notice) and event.code == "artifact.no_provenance"


def is_host(name: str) -> bool:
    """Looks like a registry's name: most have a dot or a port."""
    return name == "localhost" or "." in name or ":" in name


def _push(options: Namespace) -> int:
    from chartoci.cli.options import client

    if not options.target.startswith("oci://"):
        Reference.parse(f"{options.target.rstrip('/')}/chart")  # of another scheme, or a password, the core says more
        raise error(
            "reference.scheme",
            f"{options.target}: the target does not begin with oci://",
            hint=f"Write oci://{options.target}",
        )
    with client(options) as registry:
        pushed = registry.push(options.chart, options.target, if_exists=options.if_exists, progress=watch(options))
    extra = underscore(_bare(pushed.reference)) if "_" in pushed.tag else ""
    say(options, f"{pushed}\n{extra}".rstrip("\n"), pushed.to_dict())
    return 0


def _pull(options: Namespace) -> int:
    from chartoci.cli.options import client

    directory = os.path.join(options.destination, options.untardir) if options.untar else options.destination
    unsigned, tell = set(), watch(options)

    def pull(reference: str) -> tuple[str, dict[str, Any]]:
        def hear(event: Event) -> None:
            if is_unsigned(event) and not options.json:
                unsigned.add(reference)  # said below, where Helm says it
            else:
                tell(event)

        with _meant(reference):
            pulled = registry.pull(
                reference,
                directory,
                version=options.version,
                devel=options.devel,
                provenance=options.provenance,
                untar=options.untar,
                progress=hear,
            )
        bare = _bare(pulled.reference)
        lines = [str(pulled), underscore(bare) if "_" in bare else ""]
        if reference in unsigned:
            lines.append(f"WARNING: Verification not found for {visible(reference)}: {NO_PROVENANCE}")
        return "\n".join(line.rstrip("\n") for line in lines if line), pulled.to_dict()

    with client(options) as registry:
        return one_by_one(options, "pulled", options.references, pull)


@contextmanager
def _meant(reference: str) -> Iterator[None]:
    """Whoever comes from `helm pull REPO/NAME` learns what was made of that."""
    try:
        yield
    except TransportError as error:
        host = reference.partition("/")[0]
        if "://" not in reference and not is_host(host):
            error.hint += f" {host} was taken for a registry; what `helm repo add` knows is not known here."
        raise


def _versions(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.versions(options.repository, options.constraint, prerelease=options.devel)
    names = [str(version) for version in found]
    if not names:
        note(options, "No version fits." if options.constraint else "There is no version; --devel lists pre-releases, too.")
    say(options, "\n".join(names), {"repository": options.repository, "versions": names})
    return 0


def _tags(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.tags(options.repository)
    say(options, "\n".join(visible(tag) for tag in found), {"repository": options.repository, "tags": found})
    return 0


def _resolve(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.resolve(options.reference, version=options.version, devel=options.devel)
    lines = [f"Reference: {found.reference}", f"Version: {found.version or ''}", f"Digest: {found.digest}"]
    say(options, "\n".join(lines), found.to_dict())
    return 0


def _inspect(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.inspect(options.reference, version=options.version, devel=options.devel)
    metadata = found.metadata
    text = visible(found.artifact.explain().rstrip("\n"))
    if metadata is not None:
        text += "\n\n" + visible(metadata.to_yaml().rstrip("\n"))
    document = {
        "reference": plain(found.reference),
        "digest": plain(found.artifact.digest),
        "artifact": found.artifact.to_dict(),
        "manifest": json.loads(found.artifact.manifest),
        "metadata": metadata.to_dict() if metadata is not None else None,
    }
    say(options, text, document)
    return 0


def _copy(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        copied = registry.copy(
            options.source,
            options.target,
            referrers=options.referrers,
            upgrade=options.upgrade,
            progress=watch(options),
        )
    say(options, "\n".join([str(copied), *(f"Referrer: {digest}" for digest in copied.referrers)]), copied.to_dict())
    return 0


def _delete(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        deleted = registry.delete(options.reference)
    say(options, str(deleted), deleted.to_dict())
    return 0


def _referrers(options: Namespace) -> int:
    from chartoci.cli.options import client

    with client(options) as registry:
        found = registry.referrers(options.reference, artifact_type=options.artifact_type)
    if not found:
        note(options, "Nothing refers to it.")
    lines = [visible(f"{referrer.digest}  {referrer.artifact_type or referrer.media_type}") for referrer in found]
    document = {"reference": options.reference, "referrers": [referrer.to_dict() for referrer in found]}
    say(options, "\n".join(lines), document)
    return 0


def _bare(reference: object) -> str:
    return str(reference).removeprefix("oci://")
