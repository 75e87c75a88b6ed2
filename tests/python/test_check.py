"""`check` of what belongs together: an archive and its provenance, and all parts of a chart in a registry."""

import hashlib
import pathlib

import chartoci
import pytest
from chartoci.testing import Registry
from test_errors import command

PROVENANCE = """\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

{metadata}
...
files:
  {name}: sha256:{digest}
-----BEGIN PGP SIGNATURE-----

wsBz
-----END PGP SIGNATURE-----
"""


def codes(report: chartoci.Report) -> set[str]:
    return {finding.code for finding in report}


def signed(chart: bytes, name: str) -> str:
    metadata = chartoci.Metadata.peek(chart).to_yaml()
    return PROVENANCE.format(metadata=metadata, name=name, digest=hashlib.sha256(chart).hexdigest())


def test_what_was_only_peeked_at_is_marked(chart: bytes) -> None:
    peeked, read = chartoci.Metadata.peek(chart), chartoci.Archive.read(chart).metadata
    assert peeked == read
    assert (peeked.unverified, read.unverified) == (True, False)


def test_a_provenance_beside_the_archive_comes_along(chart: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / chartoci.Archive.read(chart).metadata.name
    path = path.with_name(f"{path.name}-{chartoci.Metadata.peek(chart).version}.tgz")
    path.write_bytes(chart)
    beside = path.with_name(path.name + ".prov")
    beside.write_text(signed(chart, path.name))
    assert not {code for code in codes(chartoci.check(path)) if code.startswith("provenance.")}
    beside.write_text(signed(chart + b"x", path.name))
    assert "provenance.digest" in codes(chartoci.check(path))
    assert "provenance.digest" in codes(chartoci.check(chart, provenance=signed(chart + b"x", path.name).encode()))
    assert command("check", path).returncode == 1


def test_a_chart_in_a_registry_is_checked_with_all_its_parts(chart: bytes) -> None:
    with Registry() as registry, chartoci.Client() as client:
        pushed = client.push(chart, f"oci://{registry.host}/charts")
        report = client.check(str(pushed.reference))
        assert report.ok and not {code for code in codes(report) if code.startswith("artifact.")}
        moved = f"{registry.host}/charts/web:9.9.9"
        client.copy(str(pushed.reference), moved)
        assert "artifact.tag" in codes(client.check(moved))
        done = command("check", f"oci://{moved}")
        assert done.returncode == 0 and "artifact.tag" in done.stdout


@pytest.mark.parametrize("text", [b"", b"\x1f\x8b", b"{", b"\xff"])
@pytest.mark.parametrize("kind", "chart chart.yaml chart.lock requirements values schema index manifest config provenance".split())
def test_what_is_nothing_at_all_is_a_report(text: bytes, kind: str) -> None:
    assert isinstance(chartoci.check(text, kind), chartoci.Report)
