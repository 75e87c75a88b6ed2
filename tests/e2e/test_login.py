"""Helm logs in and chartoci is logged in, and the reverse: one file, one helper, one home directory."""

import json
import os
import pathlib
import sys
import time

import pytest
from conftest import run
from registries import PASSWORD, USERNAME

FILE = pathlib.Path(".config/helm/registry/config.json")
OURS = [sys.executable, "-m", "chartoci"]
FORGOTTEN = ("HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")


class Person:
    """Somebody with a home directory, who uses Helm and chartoci by turns."""

    def __init__(self, home: pathlib.Path, helm: list[str]):
        home.mkdir(parents=True)
        self.home, self.helm = home, helm
        self.environment = {"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
        login_help = run(*helm, "registry", "login", "--help").stdout
        # Before Helm 3.18, login spoke plain http by itself where TLS failed.
        self.plain = ["--plain-http"] if "--plain-http" in login_help else []

    def login(self, program: str, host: str, password: str = PASSWORD, check: bool = True):
        words = [*self.helm, "registry", "login", host, *self.plain] if program == "helm" else [*OURS, "login", host]
        command = ["sh", "-c", 'printf "%s\\n" "$SECRET" | "$@"', "sh", *words, "-u", USERNAME, "--password-stdin"]
        return run(*command, check=check, SECRET=password, **self.environment)

    def logout(self, program: str, host: str):
        words = [*self.helm, "registry", "logout"] if program == "helm" else [*OURS, "logout"]
        return run(*words, host, **self.environment)

    def push(self, program: str, chart: pathlib.Path, host: str, check: bool = True):
        words = [*self.helm, "push"] if program == "helm" else [*OURS, "push"]
        # Never to the same place: Helm sends nothing where everything is there.
        target = f"oci://{host}/place-{time.monotonic_ns()}"
        return run(*words, chart, target, "--plain-http", check=check, **self.environment)

    def read(self) -> str:
        return (self.home / FILE).read_text()


@pytest.fixture(params=["helm3", "helm4"])
def helm(request, tool_of, monkeypatch) -> list[str]:
    for name in FORGOTTEN:
        monkeypatch.delenv(name, raising=False)
    return tool_of(request.param).command


@pytest.fixture(params=["htpasswd", "token"])
def guarded(request, registry_of):
    return registry_of(request.param)


@pytest.mark.parametrize(("first", "second"), [("helm", "chartoci"), ("chartoci", "helm")])
def test_who_logs_in_with_one_is_logged_in_with_the_other(first, second, helm, guarded, typical, tmp_path):
    person = Person(tmp_path / "home", helm)
    done = person.login(first, guarded.host)
    assert "Login Succeeded" in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    person.push(second, typical, guarded.host)
    person.logout(second, guarded.host)
    assert json.loads(person.read()) == {"auths": {}}
    assert person.push(first, typical, guarded.host, check=False).returncode != 0


def test_both_write_the_same_file(helm, registry_of, tmp_path):
    registry = registry_of("htpasswd")
    local = registry.host.replace("127.0.0.1", "localhost")
    people = {program: Person(tmp_path / program, helm) for program in ("helm", "chartoci")}
    for step in [("login", local), ("login", registry.host), ("login", local), ("logout", local), ("logout", registry.host)]:
        for program, person in people.items():
            getattr(person, step[0])(program, step[1])
        assert people["chartoci"].read() == people["helm"].read(), step
        modes = {oct((person.home / FILE).stat().st_mode) for person in people.values()}
        assert modes == {"0o100600"}


def test_nobody_stores_a_wrong_password(helm, guarded, tmp_path):
    for program in ("helm", "chartoci"):
        person = Person(tmp_path / program, helm)
        done = person.login(program, guarded.host, "incorrect-horse", check=False)
        assert done.returncode != 0
        assert "incorrect-horse" not in done.stdout + done.stderr
        assert not (person.home / FILE).exists()


def test_both_go_through_the_helper_that_the_file_names(helm, registry_of, typical, tmp_path):
    registry = registry_of("htpasswd")
    for first, second in [("helm", "chartoci"), ("chartoci", "helm")]:
        person = Person(tmp_path / first, helm)
        safe, program = person.home / "safe", person.home / "bin" / "docker-credential-fake"
        program.parent.mkdir()
        program.write_text(f"""#!/bin/sh
case $1 in
store) cat > {safe} ;;
get) test -s {safe} && cat {safe} || {{ echo credentials not found in native keychain; exit 1; }} ;;
erase) rm -f {safe} ;;
esac
""")
        program.chmod(0o755)
        (person.home / FILE).parent.mkdir(parents=True)
        (person.home / FILE).write_text('{"credsStore": "fake"}')
        person.login(first, registry.host)
        stored = json.loads(safe.read_text())
        assert stored == {"ServerURL": registry.host, "Username": USERNAME, "Secret": PASSWORD}
        person.push(second, typical, registry.host)
        # Helm 3.17 notes the host besides, and without that note it does not know that it is logged in.
        person.logout(second if person.plain else "chartoci", registry.host)
        assert not safe.exists()
        assert json.loads(person.read())["credsStore"] == "fake"
        assert PASSWORD not in person.read()
