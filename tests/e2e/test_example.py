"""The Rust example: a host of a hundred lines, with another HTTP client, against a registry."""

import os

import chartoci
import pytest
from conftest import ROOT, registries, run


@pytest.mark.parametrize("kind", ["serve", "anonymous"])
def test_the_example_with_ureq_pushes_what_the_client_would(kind, registry_of, typical) -> None:
    if reason := registries.missing("cargo"):
        pytest.skip(reason)
    registry = registry_of(kind)
    # `make test` has built it already, as all examples are built with the tests.
    profile = os.environ.get("PROFILE", "ci")
    command = ["cargo", "run", "--locked", "-q", "--profile", profile, "--manifest-path", ROOT / "Cargo.toml"]
    target = f"oci://{registry.host}/example"
    said = run(*command, "-p", "chartoci", "--example", "ureq", "--", typical, target, timeout=1200).stdout
    with chartoci.Client(credentials=None) as client:
        pushed = client.push(typical.read_bytes(), target)
        assert {blob.state for blob in pushed.blobs} == {"mounted"}
        assert said == f"Pushed: oci://{registry.host}/example/typical:1.2.3\nDigest: {pushed.digest}\n"
        assert client.open(pushed.reference).data == typical.read_bytes()
