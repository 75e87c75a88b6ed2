"""The README's examples run as they stand there."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time

import chartoci
import pytest

MANIFEST = """\
[package]
name = "example"
edition = "2024"

[dependencies]
chartoci = {{ path = "{core}" }}

[workspace]
"""


@pytest.fixture(scope="module")
def examples(root):
    """Each language's first block of code under "Use it"."""
    text = (root / "README.md").read_text().split("## Use it")[1].split("## Numbers")[0]
    return dict(re.findall(r"```(\w+)(?:,\w+)*\n(.*?)```", text, re.DOTALL))


@pytest.fixture
def place(root, tmp_path):
    """An empty directory from which the examples' paths lead to the repository's."""
    (tmp_path / "examples").symlink_to(root / "examples")
    return tmp_path


def run(*command, cwd, timeout=60, **environment):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_python(examples, place):
    said = run(sys.executable, "-c", examples["python"], cwd=place)
    assert "sha256:" in said
    assert "name: web" in said
    assert (place / "out" / "web-1.2.0+demo.1.tgz").exists()


def test_javascript(examples, place, root):
    module = root / "bindings-wasm" / "js"
    if not (module / "dist").is_dir():
        pytest.skip("the wasm module is not built: `make build` builds it")
    (place / "node_modules").mkdir()
    (place / "node_modules" / "chartoci").symlink_to(module)
    (place / "example.mjs").write_text(examples["js"])
    said = run("node", "--preserve-symlinks-main", "example.mjs", cwd=place)
    assert "sha256:" in said
    assert said.rstrip().endswith("web")


def test_command_line(examples, place):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    serve, *commands = [line.split("#")[0].strip() for line in examples["sh"].replace("127.0.0.1:5000", address).splitlines()]
    program = [sys.executable, "-m", "chartoci"]
    server = subprocess.Popen([*program, *serve.removesuffix("&").split()[1:]], cwd=place, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(address.rsplit(":", 1)[1]))) == 0:
                    break
            time.sleep(0.05)
        said = [run(*program, *command.split()[1:], cwd=place) for command in commands]
    finally:
        server.terminate()
        server.wait(10)
    assert any("Pushed:" in text and "sha256:" in text for text in said)
    assert (place / "out" / "again" / "web-1.2.0+demo.1.tgz").exists()


def test_rust(examples, place, root):
    """In a crate of its own; the core's documentation compiles it as well."""
    (place / "out").mkdir()
    chartoci.package(root / "examples" / "web").write(place / "out")
    crate = place / "crate"
    (crate / "src").mkdir(parents=True)
    (crate / "src" / "main.rs").write_text(examples["rust"])
    (crate / "Cargo.toml").write_text(MANIFEST.format(core=root / "core"))
    shutil.copy(root / "Cargo.lock", crate)
    target = os.environ.get("CARGO_TARGET_DIR") or str(root / "target")
    command = ["cargo", "run", "--quiet", "--offline", "--manifest-path", str(crate / "Cargo.toml")]
    said = run(*command, cwd=place, CARGO_TARGET_DIR=target, timeout=600).splitlines()
    artifact = chartoci.Artifact.build((place / "out" / "web-1.2.0+demo.1.tgz").read_bytes())
    assert said[0] == str(artifact.digest)
    assert said[1].startswith("POST http://localhost:5000/v2/charts/web/blobs/uploads/")


def test_reports_are_what_check_prints_and_what_is_mended_has_no_errors(root, tmp_path):
    """Each block names its file, or the command whose output it is."""
    section = (root / "README.md").read_text().split("## What a report says")[1].split("## Numbers")[0]
    whole = {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.0\nicon: https://example.org/web.svg\n",
             "templates/a.yaml": "a: 1\n", ".helmignore": ""}
    for name, text in whole.items():
        (tmp_path / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "web" / name).write_text(text)
    shown = 0
    for info, text in re.findall(r"```\w+ ([^\n]*)\n(.*?)```", section, re.DOTALL):
        if info.startswith("chartoci "):
            command = [sys.executable, "-m", *info.split()]
            said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert said.stdout == text
            shown += 1
            continue
        name, _, after = info.partition(", ")
        if after == "after --fix":
            subprocess.run([*command, "--fix"], cwd=tmp_path, capture_output=True, timeout=60)
            assert (tmp_path / name).read_text() == text
        (tmp_path / name).write_text(text)
        if after:
            assert subprocess.run([*command, "--strict"], cwd=tmp_path, capture_output=True, timeout=60).returncode == 0
    assert shown == 3
