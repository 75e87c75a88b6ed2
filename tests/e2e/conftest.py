"""Real registries and the real Helm for the tests beside; what this machine lacks is skipped, with the reason."""

import base64
import collections
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import charts  # noqa: E402
import go  # noqa: E402
import helm  # noqa: E402
import registries  # noqa: E402

SHARED = pathlib.Path(os.environ.get("CHARTOCI_CHARTS") or ROOT.parent / "shared" / "charts")

# Whose pages the registries serve: where the tests open one in Chromium, they serve it here.
PAGE = f"http://127.0.0.1:{registries.free_port()}"

# How many manifests were compared with Helm's byte for byte, by who Helm was. None at all is a failure: see below.
BYTES: collections.Counter[str] = collections.Counter()
# How much else was asked side by side, by what it was.
ASKED: collections.Counter[str] = collections.Counter()


def run(*command: object, check: bool = True, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program with a clock in UTC; what it said is in the error if it fails."""
    words = [str(word) for word in command]
    settings = {**os.environ, "TZ": "UTC", **environment}
    done = subprocess.run(words, capture_output=True, text=True, env=settings, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Tool:
    """A program with Helm's verbs, told how to reach a registry."""

    def __init__(self, name: str, command: list[str], home: pathlib.Path):
        self.name, self.command, self.home = name, command, home

    def __call__(self, verb: str, *words: object, registry: object, check: bool = True):
        """Runs `verb words…` with the flags and the credentials that this registry needs."""
        home = self.home / f"{self.name}-{registry.host.replace(':', '-')}"
        home.mkdir(parents=True, exist_ok=True)
        config = home / "config.json"
        auths = {}
        if registry.credentials:
            auths[registry.host] = {"auth": base64.b64encode(":".join(registry.credentials).encode()).decode()}
        config.write_text(json.dumps({"auths": auths}))
        transport = ["--ca-file", registry.ca] if registry.ca else ["--plain-http"]
        homes = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        return run(*self.command, verb, *words, *transport, "--registry-config", config, check=check, **homes)


class Serving:
    """`chartoci serve`, seen as a registry."""

    ca = certificate = None

    def __init__(self, directory: pathlib.Path, kind: str = "serve"):
        self.directory, self.kind, self.host = directory, kind, f"127.0.0.1:{registries.free_port()}"
        closed = kind in ("serve htpasswd", "serve token")
        self.credentials = (registries.USERNAME, registries.PASSWORD) if closed else None
        self.words: list[object] = []
        if closed:
            users = directory.with_name(directory.name + ".htpasswd")
            made = ["htpasswd", "-Bbn", *self.credentials]
            users.write_bytes(subprocess.run(made, capture_output=True, check=True).stdout)
            self.words = ["--htpasswd", users, *(["--token"] if kind == "serve token" else [])]
        if kind == "serve tls":
            scratch = directory.with_name(directory.name + ".tls")
            scratch.mkdir()
            authority = registries.Authority(scratch)
            self.ca, self.certificate = authority.ca, authority.certificate
            self.words = ["--cert-file", authority.certificate, "--key-file", authority.key]

    def __enter__(self) -> "Serving":
        words = ["--listen", self.host, "--cors-origin", PAGE, *self.words]
        command = [sys.executable, "-m", "chartoci", "serve", self.directory, *words]
        log = self.directory.with_name(self.directory.name + ".log")
        with log.open("w") as errors:
            self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=errors)
        deadline = time.monotonic() + 20
        while True:
            try:
                registries.connect(self.host)
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.process.kill()
                    self.process.wait()
                    raise RuntimeError(f"chartoci serve does not start: {log.read_text()}") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)

    def get(self, target: str, accept: str = "*/*") -> tuple[int, bytes]:
        """One request."""
        with contextlib.closing(http.client.HTTPConnection(self.host, timeout=20)) as connection:
            connection.request("GET", target, headers={"Accept": accept})
            response = connection.getresponse()
            return response.status, response.read()

    manifest, blob = registries.Registry.manifest, registries.Registry.blob


@pytest.fixture(scope="session")
def registry_of(tmp_path_factory):
    """`registry_of("htpasswd")`: a running registry of that kind, one for the session."""
    with contextlib.ExitStack() as stack:
        running = {}

        def start(kind: str):
            if kind not in running:
                needed = {"htpasswd": ["docker-registry", "htpasswd"], "tls": ["docker-registry", "openssl"],
                          "token": ["docker-registry", "openssl"], "anonymous": ["docker-registry"],
                          "behind a proxy": ["docker-registry"], "serve htpasswd": ["htpasswd"],
                          "serve token": ["htpasswd"], "serve tls": ["openssl"]}.get(kind, [])
                built = [kind] if kind in go.PROGRAMS else []
                for reason in filter(None, [*map(registries.missing, needed), *map(go.missing, built)]):
                    pytest.skip(reason)
                running[kind] = stack.enter_context(make(kind, tmp_path_factory.mktemp(kind.replace(" ", "-"))))
            return running[kind]

        def make(kind: str, directory: pathlib.Path):
            match kind:
                case "serve" | "serve htpasswd" | "serve token" | "serve tls":
                    return Serving(directory, kind)
                case "distribution":
                    return registries.Registry(directory, program=str(go.binary(kind)), page=PAGE)
                case "go-containerregistry":
                    return registries.InMemory(directory, program=str(go.binary(kind)))
                case "behind a proxy":
                    return registries.Behind(start("anonymous"))
                case _:
                    return registries.Registry(directory, kind, page=PAGE)

        yield start


@pytest.fixture(scope="session")
def some_registry(registry_of):
    """Debian's registry if it is here, else our own: bytes can be compared through either."""
    return registry_of("serve" if registries.missing("docker-registry") else "anonymous")


@pytest.fixture(params=[*registries.Registry.KINDS, "serve"])
def registry(request, registry_of):
    """Each kind of registry in turn."""
    return registry_of(request.param)


@pytest.fixture(scope="session")
def tool_of(tmp_path_factory):
    """`tool_of("helm3")`, `tool_of("helm4")`, `tool_of("chartoci")`."""
    home = tmp_path_factory.mktemp("homes")

    def find(name: str) -> Tool:
        if name == "chartoci":
            return Tool(name, [sys.executable, "-m", "chartoci"], home)
        binary = helm.binary(int(name.removeprefix("helm")))
        if not binary.exists():
            pytest.skip(f"{name} is not there: python tests/tools/helm.py fetches it")
        return Tool(name, [str(binary)], home)

    return find


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> list[pathlib.Path]:
    """The generated charts as files, with their provenance files and times."""
    directory = tmp_path_factory.mktemp("made")
    return [write(chart, directory) for chart in charts.small()]


@pytest.fixture(scope="session")
def typical(tmp_path_factory) -> pathlib.Path:
    """A chart of 5 kB with a provenance file."""
    chart = charts.Chart("typical-1.2.3.tgz", charts.typical(), b"signed\n", charts.EPOCH)
    return write(chart, tmp_path_factory.mktemp("typical"))


def write(chart: charts.Chart, directory: pathlib.Path) -> pathlib.Path:
    """The chart as a file; a signature beside it if it has one."""
    path = directory / chart.filename
    path.write_bytes(chart.archive)
    os.utime(path, (chart.modified, chart.modified))
    if chart.provenance is not None:
        path.with_name(path.name + ".prov").write_bytes(chart.provenance)
    return path


@pytest.fixture(scope="session")
def compared():
    """Counts the manifests that were compared with Helm's."""
    return BYTES


@pytest.fixture(scope="session")
def asked():
    """Counts what else Helm and chartoci were asked side by side."""
    return ASKED


def pytest_terminal_summary(terminalreporter) -> None:
    for what, counter in (("manifests and configs that are Helm's byte for byte", BYTES), ("asked side by side", ASKED)):
        if counter:
            counts = ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
            terminalreporter.write_line(f"NOTE {what}: {counts}")


def pytest_sessionfinish(session) -> None:
    """A run that meant to compare bytes with Helm and compared none is red."""
    wanted = any(item.path.name == "test_bytes.py" for item in getattr(session, "items", ()))
    if wanted and not session.config.option.collectonly and not BYTES.total() and session.exitstatus == 0:
        print("\nno manifest was compared with Helm's: neither Helm nor its recorded answers are here")
        session.exitstatus = 1
