"""The vectors that every language runs: `tests/vectors/*.json`, explained in the README beside them."""

import base64
import gzip
import hashlib
import io
import json
import pathlib
import re
import tarfile
import tempfile
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Done, Exchange, Push, Send, Session

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"


def reference(text: str) -> Any:
    found = chartoci.Reference.parse(text)
    return {
        "registry": found.registry,
        "repository": found.repository,
        "tag": found.tag,
        "digest": str(found.digest) if found.digest else None,
        "version": found.version,
        "text": str(found),
    }


def digest(text: str) -> Any:
    found = chartoci.Digest.parse(text)
    return {"algorithm": found.algorithm, "hex": found.hex}


def digest_of(given: Any) -> Any:
    return {"digest": str(chartoci.Digest.of(given["data"].encode(), given["algorithm"]))}


def version(text: str) -> Any:
    found = chartoci.Version.parse(text)
    try:
        chartoci.Version.parse(text, strict=True)
        strict = True
    except chartoci.InvalidError:
        strict = False
    numbers = {"major": str(found.major), "minor": str(found.minor), "patch": str(found.patch)}
    return numbers | {"prerelease": found.prerelease, "build": found.build, "strict": strict, "tag": found.tag}


def version_order(texts: list[str]) -> Any:
    return [str(found) for found in sorted(map(chartoci.Version.parse, texts))]


def constraint(given: Any) -> Any:
    wanted = chartoci.Constraint.parse(given["constraint"])
    return {"matches": [text for text in given["versions"] if wanted.matches(text)]}


def artifact(given: Any) -> Any:
    built = chartoci.Artifact.build(
        base64.b64decode(given["archive"]), provenance=given["provenance"], created=given["created"]
    )
    assert built.config is not None
    return {"config": built.config.decode(), "manifest": built.manifest.decode(), "digest": str(built.digest)}


def package(given: Any) -> Any:
    with tempfile.TemporaryDirectory() as name:
        for path, content in given["files"].items():
            file = pathlib.Path(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else content["text"] * content["times"]
            file.write_bytes(text.encode())
        packed = chartoci.package(
            pathlib.Path(name), version=given["version"], app_version=given["app_version"], created=given["created"]
        )
    tar = hashlib.sha256(gzip.decompress(packed.data)).hexdigest()
    return {"filename": packed.filename, "tar": f"sha256:{tar}", "digest": str(packed.digest)}


def check(given: Any) -> Any:
    if "files" in given:
        with tempfile.TemporaryDirectory() as name:
            for path, text in given["files"].items():
                file = pathlib.Path(name) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text.encode())
            report = chartoci.check(pathlib.Path(name))
    elif "kind" in given:
        report = chartoci.check(given["text"].encode(), given["kind"])
    else:
        given = {name: text.encode() if name == "provenance" else text for name, text in given.items()}
        report = chartoci.check(base64.b64decode(given.pop("chart")), "chart", **given)
    places = [None if found.line is None else [found.line, found.column] for found in report]
    return [
        [found.code, found.document, found.pointer, place, found.fix and found.fix.replacement]
        for found, place in zip(report, places, strict=True)
    ]


def tag(version: str) -> Any:
    return chartoci.Version.parse(version).tag


def manifest(text: str) -> Any:
    found = chartoci.Artifact.parse(text)
    layers = {"chart": found.chart_layer, "provenance": found.provenance_layer}
    digests = {name: str(layer.digest) if layer else None for name, layer in layers.items()}
    return {"what": found.what, **digests, "findings": [[one.code, one.pointer] for one in found.report]}


def metadata(given: Any) -> Any:
    if given["requirements_yaml"] is None:
        found = chartoci.Metadata.parse(given["chart_yaml"])
    else:
        files = {"Chart.yaml": given["chart_yaml"], "requirements.yaml": given["requirements_yaml"]}
        found = chartoci.Archive.read(packed(files)).metadata
    return {"config": found.config().decode(), "yaml": found.to_yaml()}


def ignore(given: Any) -> Any:
    rules, path = chartoci.Ignore.parse(given["patterns"]), given["path"]
    above = [path[:at] for at, character in enumerate(path) if character == "/"]
    return {"ignored": any(rules.matches(one, is_dir=True) for one in above) or rules.matches(path)}


def lock(text: str) -> Any:
    return {"yaml": chartoci.Lock.parse(text).to_yaml()}


def lock_digest(given: Any) -> Any:
    required, locked = chartoci.Metadata.parse(given["chart_yaml"]), chartoci.Lock.parse(given["chart_lock"])
    return {"digest": chartoci.Lock.digest_for(required.dependencies, locked.dependencies)}


def show(given: Any) -> Any:
    archive = base64.b64decode(given["archive"])
    return {section: chartoci.show(archive, section) for section in ("all", "chart", "values", "readme", "crds")}


def values(given: Any) -> Any:
    return {"json": chartoci.Archive.read(base64.b64decode(given["archive"])).values}


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"web/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def yaml_scalar(text: str) -> Any:
    """As values.yaml of a chart."""
    archive = packed({"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "values.yaml": text})
    return told(chartoci.Archive.read(archive).values)


def fits_values(vector: Any) -> bool:
    """values.yaml holds a mapping; of its documents all count, and their last lines are ended."""
    text, expect = vector["input"], vector["expect"]
    documents = re.search(r"^(---|\.\.\.|%)", text, re.M) or re.search(r"[|>][-+0-9]*\n.*[^\n]\Z", text, re.S)
    return not documents and (isinstance(expect, dict) or expect.startswith("{"))


def told(value: Any) -> Any:
    """The value with booleans that no number equals."""
    match value:
        case dict():
            return {key: told(item) for key, item in value.items()}
        case list():
            return [told(item) for item in value]
        case bool():
            return str(value)
        case int() if abs(value) >= 1 << 63:
            return float(value)
        case _:
            return value


def push_target(given: Any) -> Any:
    chart_yaml = json.dumps({"apiVersion": "v2", "name": given["name"], "version": given["version"]})
    built = chartoci.Artifact.build(packed({"Chart.yaml": chart_yaml}))
    return {"reference": str(Push.chart(built, given["target"]).target)}


def selector(given: Any) -> Any:
    """Which manifest is asked for, of a registry that has these tags."""
    version, devel = given["version"], given["devel"]
    exchange = Exchange.resolve(Session(), "oci://registry.example/charts/web", version=version, devel=devel)
    listed = False
    while True:
        match exchange.poll(0):
            case Send(request) if request.url.partition("?")[0].endswith("/tags/list"):
                listed = True
                receiver = exchange.handle_response(request.id, 200, [("content-type", "application/json")])
                receiver.write(json.dumps({"name": "charts/web", "tags": given["tags"]}))
                exchange.handle_end(request.id, receiver)
            case Send(request):
                return {"tag": request.url.rpartition("/")[2], "listed": listed}
            case Done(error=chartoci.ChartOciError(code="registry.version_unknown")):
                return {"tag": None, "listed": listed}
            case Done(error=error) if error is not None:
                raise error
            case other:
                raise AssertionError(other)


def limits(given: Any) -> Any:
    bounds = chartoci.Limits(**given["limits"])
    if "archive" in given:
        chartoci.Archive.read(base64.b64decode(given["archive"]), limits=bounds)
        return {"error": None}
    report = chartoci.check(given["document"].encode(), given["kind"], limits=bounds)
    return {"error": next((finding.code for finding in report.errors), None)}


def within(value: Any) -> chartoci.Metadata:
    """A chart's metadata with the value in it: import-values takes any. JSON is YAML."""
    dependency = {"name": "x", "version": "1.0.0", "import-values": [value]}
    chart_yaml = {"apiVersion": "v2", "name": "x", "version": "1.0.0", "dependencies": [dependency]}
    # Save that YAML knows no surrogates.
    pair = r"\\ud[89ab]..\\ud[c-f].."
    chart_json = re.sub(pair, lambda found: f"\\U{ord(json.loads(chr(34) + found[0] + chr(34))):08x}", json.dumps(chart_yaml))
    return chartoci.Metadata.parse(chart_json)


def json_(value: Any) -> Any:
    written = within(value).config().decode()
    return written[written.index('"import-values":[') + len('"import-values":[') : written.rindex("]}]")]


def yaml_emit(value: Any) -> Any:
    written = within(value).to_yaml()
    return written[written.index("import-values:\n  - ") + len("import-values:\n  - ") : written.index("\n  name: x\n") + 1]


RUN = [
    reference, digest, digest_of, version, version_order, constraint, artifact, check, package, tag, manifest, metadata, ignore, lock,
    lock_digest, show, values, limits, yaml_scalar, push_target, selector,
    json_, yaml_emit,
]
FITS = {yaml_scalar: fits_values}
CASES = [
    pytest.param(run, vector, id=f"{run.__name__}: {vector['name']}")
    for run in RUN
    for vector in json.loads((VECTORS / f"{run.__name__.rstrip('_')}.json").read_text())
    if run not in FITS or FITS[run](vector)
]


@pytest.mark.parametrize(("run", "vector"), CASES)
def test_a_vector(run: Any, vector: Any) -> None:
    try:
        got = run(vector["input"])
    except chartoci.ChartOciError as error:
        got = {"error": error.code}
    if isinstance(vector["expect"], dict) and "json" in vector["expect"]:
        vector["expect"] = {"json": json.loads(vector["expect"]["json"])}
    if run is yaml_scalar and isinstance(vector["expect"], str):
        vector["expect"] = told(json.loads(vector["expect"]))
    if run is yaml_emit:
        vector["expect"] = vector.get("item") or re.sub("([\n\u2028])(?=[^\n])", r"\1    ", vector["expect"])
    assert got == vector["expect"], vector["why"]


def test_a_push_names_its_target_as_helm_does(chart: bytes) -> None:
    built = chartoci.Artifact.build(chart)
    assert str(Push.chart(built, "oci://registry.example/charts/").target) == (
        "oci://registry.example/charts/web:1.2.0_demo.1"
    )
