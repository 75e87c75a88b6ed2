"""show, package, check."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from chartoci import _native as native
from chartoci._native import Archive, Report, error
from chartoci.blobs import named
from chartoci.cli.output import answer, concealed, end, failed, note, one_by_one, say, told, underscore, watch, write
from chartoci.cli.registry import is_host, is_unsigned, not_yet, repository_flags, verify_flags, version_flags
from chartoci.documents import archive_of, check, mend, package
from chartoci.errors import AbortedError, ChartOciError, NotFoundError

Verb = Callable[..., ArgumentParser]


def add(verb: Verb) -> None:
    """Adds the verbs to the parser."""
    show = verb("show", "Show a chart, or a part of it, as `helm show`.")
    show.add_argument("section", choices=["all", "chart", "values", "readme", "crds"])
    show.add_argument("chart", metavar="CHART", help="a file, a directory, or oci://…")
    version_flags(show)
    verify_flags(show)
    repository_flags(show)
    not_yet(show, "Filter what is printed: chartoci show values CHART | yq EXPRESSION", "--jsonpath", nargs=1)
    show.set_defaults(run=_show)

    pack = verb("package", "Pack charts' directories, as `helm package`, deterministically.")
    pack.add_argument("directories", metavar="DIR", nargs="+")
    pack.add_argument("-d", "--destination", metavar="DIR", default=".", help="where the archive is written")
    pack.add_argument("--version", metavar="VERSION", help="in place of Chart.yaml's version")
    pack.add_argument("--app-version", metavar="VERSION", help="in place of Chart.yaml's appVersion")
    pack.add_argument(
        "--created", metavar="TIME", help="time of every entry: RFC 3339, or seconds since 1970 ($SOURCE_DATE_EPOCH)"
    )
    not_yet(pack, "`helm package --sign` writes the archive and signs it; push both with `chartoci push`.", "--sign")
    hint = "Run `helm dependency update DIR` first: what lies in charts/ is packed."
    not_yet(pack, hint, "--dependency-update", "-u")
    pack.set_defaults(run=_package)

    examine = verb("check", "List everything that is wrong with documents and charts.")
    examine.add_argument("paths", metavar="PATH", nargs="+", help="a file, a directory, or oci://…")
    examine.add_argument(
        "--kind",
        choices=native.kinds(),
        help="what the documents are; guessed if not given",
    )
    examine.add_argument(
        "--format", choices=["text", "json", "sarif"], help="text (the default), JSON, or SARIF for CI"
    )
    examine.add_argument("--fix", action="store_true", help="make the changes that are safe, in place")
    examine.add_argument("--strict", action="store_true", help="warnings count as errors")
    examine.set_defaults(run=_check)


def _chart(options: Namespace, source: str) -> Archive:
    if not source.startswith("oci://"):
        with elsewhere(source):
            return archive_of(source)
    from chartoci.cli.options import client

    with client(options) as registry:
        archive, found = registry._opened(source, options.version, options.devel, watch(options))
    bare = str(found.reference).removeprefix("oci://")
    extra = underscore(bare) if "_" in bare else ""
    note(options, f"Pulled: {bare}\nDigest: {found.digest}\n{extra}".rstrip("\n"))
    return archive


@contextmanager
def elsewhere(path: str) -> Iterator[None]:
    """Says what a path may be meant for where nothing is."""
    try:
        yield
    except NotFoundError as error:
        first, slash, _ = path.partition("/")
        if slash and first not in ("", ".", "..") and not os.path.lexists(first):
            bare = native.without_userinfo(path).removeprefix("…@")
            place = bare if is_host(first) else f"REGISTRY/{bare}"
            error.hint += f" Of a chart in a registry, write oci://{place}"
        raise


def _show(options: Namespace) -> int:
    text = native.show(_chart(options, options.chart), options.section)
    if options.json:
        say(options, "", {"section": options.section, "text": text.decode("utf-8", "replace")})
    else:
        write(text)  # the very bytes, whatever they are
    return 0


def _package(options: Namespace) -> int:
    name = "--created" if options.created else "SOURCE_DATE_EPOCH"
    created = _moment(name, options.created or os.environ.get("SOURCE_DATE_EPOCH"))

    def pack(directory: str) -> tuple[str, dict[str, Any]]:
        packed = package(directory, version=options.version, app_version=options.app_version, created=created)
        path = packed.write(options.destination)
        shown = path if os.path.normpath(options.destination) != "." else Path.cwd() / path
        name = named(shown)
        return f"Successfully packaged chart and saved it to: {name}", {"path": name, **packed.to_dict()}

    return one_by_one(options, "packaged", options.directories, pack)


def _moment(name: str, text: str | None) -> int | None:
    if not text:
        return None
    if text.isdecimal() and len(text) < 16:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return int(moment.timestamp())
    except ValueError:
        pass
    raise error("misuse.argument", f"{name}: {text!r} is no moment", hint="Write 2026-01-31T12:00:00Z, or seconds since 1970.")


def _check(options: Namespace) -> int:
    if options.json and options.format not in (None, "json"):
        hint = f"Leave --json out for {options.format}, or --format for JSON."
        raise error("misuse.argument", f"--json and --format {options.format} want two answers", hint=hint)
    if options.kind and any(path.startswith("oci://") for path in options.paths):
        hint = "Leave --kind out: what lies in a registry says itself what it is."
        raise error("misuse.argument", "--kind is for files", hint=hint)
    found: list[tuple[str, Report | ChartOciError]] = []
    for path in options.paths:
        try:
            found.append((path, _report(options, path)))
        except AbortedError:
            raise
        except (ChartOciError, UnicodeEncodeError) as refused:
            # The others are judged all the same.
            found.append((path, end(refused)))
    as_json, color = options.json or options.format == "json", sys.stdout.isatty() and "NO_COLOR" not in os.environ
    if as_json and len(found) == 1 and isinstance(found[0][1], ChartOciError):
        return failed(found[0][1], as_json)
    code, documents, reports = 0, [], []
    for path, outcome in found:
        name = named(path)
        if isinstance(outcome, Report):
            is_bad = not outcome.ok or options.strict and outcome.warnings
            code = code or int(bool(is_bad))
            documents.append({"path": name, **outcome.to_dict()})
            reports.append(outcome)
            if not (as_json or options.format == "sarif" or options.quiet):
                write(outcome.to_text(color=color).encode("utf-8", "replace"))
            continue
        said = failed(outcome, as_json=False, path=name)
        code = code if code > 1 else said
        documents.append({"path": concealed(name), "error": told(outcome)})
        reports.append(native.unjudged(outcome, concealed(name)))
    if as_json:
        answer("", documents[0] if len(documents) == 1 else {"checked": documents}, as_json=True)
    elif options.format == "sarif":
        write(native.sarif(reports).encode())
    return code


# What one fix brings to light, the next pass mends.
PASSES = 5


def _report(options: Namespace, path: str) -> Report:
    remote = path.startswith("oci://")
    if remote:
        from chartoci.cli.options import client

        tell = watch(options)
        with client(options) as registry:
            report = registry.check(path, progress=lambda event: None if is_unsigned(event) else tell(event))
    else:
        with elsewhere(path):
            report = check(path, options.kind)
    if not options.fix or all(finding.fix is None for finding in report):
        return report
    if remote or report.is_chart and not os.path.isdir(path):
        hint = "Mend the chart's directory, and package it again."
        raise error("misuse.argument", f"{path} is packed: it cannot be mended in place", hint=hint)
    mended: dict[Path, None] = {}
    for _ in range(PASSES):
        mended |= dict.fromkeys(mend(Path(path), report))
        report = check(path, options.kind)
        if all(finding.fix is None for finding in report):
            break
    for changed in mended:
        note(options, f"mended {changed}")
    return report
