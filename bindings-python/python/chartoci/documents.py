"""What is done with documents and directories, without a network."""

import codecs
import os
import secrets
import shutil
from datetime import datetime
from pathlib import Path

from chartoci import _native as native
from chartoci import files
from chartoci._native import Archive, Limits, Reference, Report, Version
from chartoci.blobs import Source, failure, load, named, packed_bytes, path_of
from chartoci.blobs import provenance as beside
from chartoci.model import Packaged


def package(
    directory: str | os.PathLike[str],
    *,
    version: str | Version | None = None,
    app_version: str | None = None,
    created: int | datetime | None = None,
    limits: Limits | None = None,
) -> Packaged:
    """Packs a chart's directory as `helm package` does, deterministically.

    `created` is the time of every entry; without it each file's own time is used, as Helm 4 does.

        >>> packaged = chartoci.package("web", version="1.1.0", created=0)
        >>> packaged.filename
        'web-1.1.0.tgz'
    """
    root = path_of(directory)
    if root is None or not root.is_dir():
        raise failure(NotADirectoryError(20, "") if root and root.exists() else FileNotFoundError(2, ""), Path(directory))
    packed = files.run(native.package(version, app_version, seconds(created), limits, path=named(root)), root)
    assert isinstance(packed, Packaged)
    return packed


def seconds(created: int | datetime | None) -> int | None:
    """A moment in seconds since 1970; a datetime without a zone is local time, as everywhere in Python."""
    if isinstance(created, datetime):
        return int(created.timestamp())
    if created is None or (isinstance(created, int) and abs(created) < 1 << 63):
        return created
    if isinstance(created, int):
        raise native.error(
            "misuse.argument", "created is out of range", hint="Pass seconds since 1970; milliseconds go by 1000."
        )
    raise native.error(
        "misuse.argument",
        f"created cannot be a {type(created).__name__}",
        hint="Pass a datetime, or whole seconds since 1970.",
    )


def archive_of(source: Source | Archive | Packaged, limits: Limits | None = None) -> Archive:
    """The archive that a source is, or the chart in a directory."""
    if isinstance(source, Archive):
        return source
    if isinstance(source, Packaged):
        return Archive.read(source.data, limits)
    path = path_of(source)
    if path is not None and path.is_dir():
        archive = files.run(native.directory(limits, named(path)), path)
        assert isinstance(archive, Archive)
        return archive
    return Archive.read(source, limits)


def show(source: Source | Archive | Packaged, section: str = "all", *, limits: Limits | None = None) -> str:
    """The very text that `helm show` prints; bytes that are no UTF-8 are kept as surrogates.

    `section` is one of all, chart, values, readme, crds.

        >>> print(chartoci.show("web-1.0.0.tgz", "chart"), end="")
        apiVersion: v2
        name: web
        version: 1.0.0
        <BLANKLINE>
    """
    path = None if isinstance(source, Archive | Packaged) else path_of(source)
    if section == "chart" and path is not None and not path.is_dir():
        # Nothing but the metadata is wanted: what else is in the archive is looked at, and not kept.
        shown = native.show_chart(native.Scan.read(path, limits))
    else:
        shown = native.show(archive_of(source, limits), section)
    return shown.decode("utf-8", "surrogateescape")


def check(
    source: Source | Archive | Packaged,
    kind: str | None = None,
    *,
    filename: str | None = None,
    provenance: Source | None = None,
    manifest: bytes | str | None = None,
    config: bytes | str | None = None,
    reference: Reference | str | None = None,
    limits: Limits | None = None,
) -> Report:
    """Everything that is wrong with a document, at once; of a chart's directory, with its files as they are.

    `kind` is guessed, or one of: chart chart.yaml chart.lock requirements values schema index manifest config provenance.
    `filename` is what the report calls what has no path. A packed chart may be given with what belongs to it, and is
    compared with that; a path brings FILE.prov along.

        >>> report = chartoci.check("web")
        >>> report.ok
        True
        >>> [finding.code for finding in chartoci.check(b"{", kind="manifest").errors]
        ['json.syntax']
    """
    if isinstance(source, Archive):
        provenance = source.provenance if provenance is None else provenance
        source = packed_bytes(source)
    elif isinstance(source, Packaged):
        source = source.data
    path = path_of(source)
    if path is not None and path.is_dir():
        report = files.run(native.check_directory(filename or named(path), limits), path)
        assert isinstance(report, Report)
        return report
    bounds = native.bounds(limits)
    name = filename or (named(path) if path is not None else None)
    data = load(source, bounds.archive)
    if kind not in (None, "chart"):
        return native.check(data, kind, name, limits)
    signed = load(provenance, bounds.provenance) if provenance is not None else None
    if signed is None and path is not None and path.suffix == ".tgz":
        signed = beside(path, bounds.provenance)
    if (signed, manifest, config, reference) == (None,) * 4:
        return native.check(data, kind, name, limits)
    return native.check_parts(
        chart=data,
        filename=name,
        provenance=signed,
        manifest=manifest,
        config=config,
        reference=reference,
        limits=limits,
    )


def mend(path: Path, report: Report) -> list[Path]:
    """Writes what the report's fixes make of its documents, each beside the file first; gives those that changed.

    `path` is the one document's, or the chart's directory.
    """
    changed = []
    for document in report.documents:
        # A link stays a link.
        file = (path / document if path.is_dir() else path).resolve()
        text, fixed = file.read_bytes(), report.fixed(document)
        # The files of a chart are read without byte order marks.
        if text.startswith(codecs.BOM_UTF8) and not fixed.startswith(codecs.BOM_UTF8):
            fixed = codecs.BOM_UTF8 + fixed
        if fixed == text:
            continue
        beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            with open(beside, "xb") as out:
                out.write(fixed)
                out.flush()
                os.fsync(out.fileno())
            shutil.copymode(file, beside)
            os.replace(beside, file)
        except OSError as problem:
            raise failure(problem, file) from None
        finally:
            beside.unlink(missing_ok=True)
        changed.append(file)
    return changed
