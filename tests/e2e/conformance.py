"""The distribution specification's own suite against `chartoci serve`: `make conformance`.

The suite is built from `.cache/distribution-spec`, a clone of opencontainers/distribution-spec that is made if it can be; it
judges by the released version of the specification and by the one to come.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from conftest import Serving, go

SOURCE = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "distribution-spec"
CLONE = ["git", "clone", "-q", "--depth", "1", "https://github.com/opencontainers/distribution-spec", str(SOURCE)]
VERSIONS = ("1.1", "dev")
ASKED = [f"OCI_API_{name}" for name in (
    "BLOBS_DIGEST_HEADER", "BLOBS_UPLOAD_CANCEL", "MANIFESTS_DIGEST_HEADER", "MANIFESTS_TAG_PARAM")]  # fmt: skip
# A family of tests, and what became of it.
FAMILY = re.compile(r"^  (.+): (Pass|FAIL|Skip|Disabled|Error)$", re.MULTILINE | re.IGNORECASE)
COUNTS = re.compile(r'<testsuites?\b[^>]*?\btests="(\d+)"[^>]*?\bfailures="(\d+)"')


def skip(reason: str) -> int:
    """Says why nothing was tried."""
    print(f"SKIP the conformance suite: {reason}")
    return 0


def build() -> str | None:
    """Builds the suite once; why not, if it cannot be."""
    if go.binary("conformance").exists():
        return None
    if not shutil.which("go"):
        return "go is not installed"
    if not SOURCE.exists() and subprocess.run(CLONE, check=False).returncode != 0:
        return "its source cannot be fetched"
    go.binary("conformance").parent.mkdir(parents=True, exist_ok=True)
    settings = {**os.environ, "GOPATH": str(go.HOME), "GOFLAGS": "-modcacherw"}
    command = ["go", "build", "-o", str(go.binary("conformance")), "."]
    done = subprocess.run(command, cwd=SOURCE / "conformance", env=settings, check=False)
    return "it does not build" if done.returncode else None


def judge(version: str, serving: Serving, results: pathlib.Path) -> bool:
    """Runs the suite by one version of the specification; whether nothing failed."""
    settings = {
        **os.environ,
        "OCI_REGISTRY": serving.host,
        "OCI_TLS": "disabled",
        "OCI_VERSION": version,
        "OCI_RESULTS_DIR": str(results),
        # What the released version leaves open, and `chartoci serve` does.
        **dict.fromkeys(ASKED, "true"),
    }
    done = subprocess.run([go.binary("conformance")], env=settings, capture_output=True, text=True, check=False)
    counts = COUNTS.search((results / "junit.xml").read_text()) if (results / "junit.xml").exists() else None
    if done.returncode != 0 or not counts:
        print(done.stdout, done.stderr, sep="")
        return False
    families = FAMILY.findall((results / "results.yaml").read_text().partition("\napis:")[2])
    untried = [name for name, outcome in families if outcome.lower() in ("skip", "disabled")]
    print(f"NOTE conformance to {version}: {counts[1]} tests, {counts[2]} failed")
    print(f"NOTE conformance to {version}, not tried by the suite's own defaults: {', '.join(untried) or 'nothing'}")
    return counts[2] == "0"


def main() -> int:
    if reason := build():
        return skip(reason)
    with tempfile.TemporaryDirectory() as name, Serving(pathlib.Path(name) / "data") as serving:
        return 0 if all([judge(version, serving, pathlib.Path(name) / version) for version in VERSIONS]) else 1


if __name__ == "__main__":
    sys.exit(main())
