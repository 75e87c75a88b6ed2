"""Programs written in Go that the live tests talk to, built from their own sources: `python tests/tools/go.py`."""

import os
import pathlib
import shutil
import subprocess
import sys

HOME = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "go"
# Name -> package and version.
PROGRAMS = {
    "distribution": ("github.com/distribution/distribution/v3/cmd/registry", "v3.1.2"),
    "go-containerregistry": ("github.com/google/go-containerregistry/cmd/registry", "v0.22.1"),
    "crane": ("github.com/google/go-containerregistry/cmd/crane", "v0.22.1"),
    "regctl": ("github.com/regclient/regclient/cmd/regctl", "v0.11.7"),
}


def binary(name: str) -> pathlib.Path:
    """Where a program is, if it has been built."""
    return HOME / "bin" / name


def missing(name: str) -> str | None:
    """Why a test cannot run, if the program is not there."""
    return None if binary(name).exists() else f"{name} is not built: python tests/tools/go.py builds it, with Go"


def install(name: str) -> pathlib.Path:
    """Builds a program, once."""
    target = binary(name)
    if not target.exists():
        settings = {**os.environ, "GOPATH": str(HOME), "GOBIN": str(HOME / "new"), "GOFLAGS": "-modcacherw"}
        package, version = PROGRAMS[name]
        subprocess.run(["go", "install", f"{package}@{version}"], env=settings, check=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (HOME / "new" / package.rpartition("/")[2]).rename(target)
    return target


if __name__ == "__main__":
    if not shutil.which("go"):
        print("SKIP the programs written in Go: go is not installed")
        sys.exit(0)
    for program in PROGRAMS:
        print(install(program))
