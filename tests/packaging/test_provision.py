"""`tests/tools/provision.sh` on a machine that has next to nothing, with an apt-get that only writes down what it is asked for."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {
    "docker-registry": "docker-registry",
    "apache2-utils": "htpasswd",
    "openssl": "openssl",
    "nginx-light": "nginx",
    "zsh": "zsh",
    "fish": "fish",
    "chromium": "chromium",
}


def machine(directory: pathlib.Path, brings: bool, root: bool = True) -> pathlib.Path:
    """A directory of programs; its apt-get brings what it is asked for, or fails."""
    directory.mkdir()
    for name in ("bash", "env", "dirname", "find", "wc", "chmod", "cp"):
        (directory / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    cases = "\n".join(f"  *' {package}') cp {directory}/true {directory}/{program} ;;" for package, program in PACKAGES.items())
    programs = {
        "true": "#!/bin/sh\nexit 0\n",
        "id": f"#!/bin/sh\necho {0 if root else 1000}\n",
        "apt-get": f'#!/bin/sh\necho "$*" >>{directory}/asked\n' + (f'case "$*" in\n{cases}\nesac\n' if brings else "exit 100\n"),
    }
    for name, text in programs.items():
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return directory


def provision(programs: pathlib.Path) -> tuple[str, list[str]]:
    """What it said, and the packages that it asked for."""
    command = [programs / "bash", ROOT / "tests/tools/provision.sh", programs / "true"]
    environment = {"PATH": str(programs), "CHARTOCI_CHARTS": "/nowhere"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    asked = (programs / "asked").read_text().splitlines() if (programs / "asked").exists() else []
    return done.stdout, [line.rpartition(" ")[2] for line in asked if " install " in line]


def test_what_is_missing_is_installed_and_nothing_else(tmp_path: pathlib.Path) -> None:
    programs = machine(tmp_path / "bin", brings=True)
    shutil.copy(programs / "true", programs / "openssl")
    said, asked = provision(programs)
    assert asked == ["docker-registry", "apache2-utils", "nginx-light", "zsh", "fish", "chromium"]
    assert [line for line in said.splitlines() if line.startswith("SKIP")] == [
        "SKIP there are no real charts in /nowhere; the generated ones are used"
    ]
    assert provision(programs)[1] == asked, "the second time nothing is asked for"


@pytest.mark.parametrize("root", [True, False])
def test_what_cannot_be_had_is_named_and_no_failure(root: bool, tmp_path: pathlib.Path) -> None:
    programs = machine(tmp_path / "bin", brings=False, root=root)
    said, asked = provision(programs)
    assert asked == (list(PACKAGES) if root else [])
    for program in PACKAGES.values():
        assert f"SKIP {program} is not installed, and apt could not bring it" in said


@pytest.mark.skipif(not shutil.which("apt-get"), reason="there is no apt-get")
def test_apt_knows_the_packages() -> None:
    command = ["apt-get", "--simulate", "--quiet", "--no-install-recommends", "install", *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "LC_ALL": "C"})
    if "Unable to locate package" in done.stderr:
        pytest.skip("apt has no lists: apt-get update")
    assert done.returncode == 0, done.stderr
