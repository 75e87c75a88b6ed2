"""The wheel as a user meets it: in a clean environment, with one dependency, small and quick to import."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

LARGEST = 3_000_000

# Imports with nothing loaded beforehand; which modules came along, and what the package says of itself.
LOOK = """
import sys
before = set(sys.modules)
import chartoci
loaded = {name.split(".")[0] for name in set(sys.modules) - before}
import importlib.metadata, json
print(json.dumps({"loaded": sorted(loaded), "version": importlib.metadata.version("chartoci"),
                  "requires": importlib.metadata.requires("chartoci"), "codes": len(chartoci.codes())}))
"""


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A clean virtual environment with the wheel and what it asks for."""
    directory = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    python = directory / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", wheel], check=True)
    return python


def test_the_wheel_is_small_and_fits_every_python_from_3_11_on(wheel):
    assert wheel.stat().st_size <= LARGEST, f"{wheel.name} has {wheel.stat().st_size} bytes"
    assert "-cp311-abi3-" in wheel.name


def test_the_wheel_holds_its_types_its_licence_and_nothing_foreign(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "chartoci/py.typed" in names
    assert "chartoci/_native.pyi" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"chartoci"}


def test_the_wheel_describes_itself_at_length(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    fields, _, description = archive.read(name).decode().partition("\n\n")
    assert "Description-Content-Type: text/markdown" in fields
    assert description.startswith("# chartoci\n") and "\n## Use it\n" in description


def test_a_clean_environment_imports_it_without_loading_an_http_library(environment, tmp_path):
    answer = subprocess.run([environment, "-I", "-c", LOOK], cwd=tmp_path, capture_output=True, text=True, check=True)
    seen = json.loads(answer.stdout)
    assert not {"urllib3", "http", "ssl", "asyncio", "httpx", "aiohttp"} & set(seen["loaded"]), seen["loaded"]
    assert [need.split(";")[0].split(">")[0].strip() for need in seen["requires"] if "extra" not in need] == ["urllib3"]
    assert seen["codes"] > 50


def test_the_command_line_runs_as_a_script_and_as_a_module(environment, root, tmp_path):
    script = environment.with_name("chartoci")
    settings = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for command in ([script], [environment, "-m", "chartoci"]):
        done = subprocess.run([*command, "show", "chart", root / "examples" / "web"], cwd=tmp_path, env=settings,
                              capture_output=True, text=True, check=True)
        assert "name: web" in done.stdout
