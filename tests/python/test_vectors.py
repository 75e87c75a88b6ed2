"""The vectors that every language runs: `tests/vectors/*.json`, explained in the README beside them."""

import base64
import gzip
import hashlib
import json
import pathlib
import tempfile
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Push

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
        [found.code, found.document, found.pointer, place, found.fix] for found, place in zip(report, places, strict=True)
    ]


RUN = [reference, digest, digest_of, version, version_order, constraint, artifact, check, package]
CASES = [
    pytest.param(run, vector, id=f"{run.__name__}: {vector['name']}")
    for run in RUN
    for vector in json.loads((VECTORS / f"{run.__name__}.json").read_text())
]


@pytest.mark.parametrize(("run", "vector"), CASES)
def test_a_vector(run: Any, vector: Any) -> None:
    try:
        got = run(vector["input"])
    except chartoci.ChartOciError as error:
        got = {"error": error.code}
    assert got == vector["expect"], vector["why"]


def test_a_push_names_its_target_as_helm_does(chart: bytes) -> None:
    built = chartoci.Artifact.build(chart)
    assert str(Push.chart(built, "oci://registry.example/charts/").target) == (
        "oci://registry.example/charts/web:1.2.0_demo.1"
    )
