"""Nasty charts, asked side by side of Helm and of us: accepted and refused alike, the same values, texts and packages.

Helm 4.3.1 judges as a program, of every case: what it accepts, shows, reads and packs. Helm as a library in this process
(helm-python-sdk, 4.2.3) is asked for what the program never prints: the lists of files, templates and charts below, the
config, and what unpacking leaves. Helm 3 is asked about a sample. `NASTY=2000` sets how many, `NASTY_FIRST=17 NASTY=1` asks
one. What differs on purpose stands in docs/fidelity.md.
"""

import concurrent.futures
import ctypes
import gzip
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from typing import Any

import chartoci
import helm
import nasty
import pytest
from chartoci.documents import archive_of
from conftest import SHARED

COUNT = int(os.environ.get("NASTY", "200"))
FIRST = int(os.environ.get("NASTY_FIRST", "0"))
SAMPLE = max(1, COUNT // 10)
SECTIONS = ("all", "chart", "values", "readme", "crds")
# Of files, by turns: a fraction of a second, which Go rounds in a tar header; what octal digits can say, and what they cannot.
MODIFIED = [1_700_000_000.6, 1_700_000_000.5, 0, 8_589_934_591, 8_589_934_592, 10_000_000_000]
# What Helm's library does not list among the files.
DOCUMENTS = {"Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json", "requirements.yaml", "requirements.lock"}


class Refused(str):
    """What one of the two said instead of an answer."""


class Library:
    """Helm as a library."""

    def __init__(self) -> None:
        import helm_python

        self.sdk, self.native = helm_python, helm_python._native

    def call(self, function: str, *words: object) -> str:
        """What a function gives; bytes that are no UTF-8 are kept."""
        out, error = ctypes.c_void_p(), ctypes.c_void_p()
        words = tuple(word.encode() if isinstance(word, str) else word for word in words)
        status = getattr(self.native.lib, function)(*words, ctypes.byref(out), ctypes.byref(error))
        said, why = (ctypes.string_at(one.value).decode("utf-8", "surrogateescape") if one.value else "" for one in (out, error))
        for one in (out, error):
            self.native.lib.helm_free_string(one)
        if status:
            raise self.sdk.HelmError(why)
        return said

    def chart(self, path: pathlib.Path) -> dict[str, Any] | Refused:
        try:
            with self.sdk.Chart.load(path) as chart:
                return self.seen(chart, path)
        except (self.sdk.HelmError, UnicodeDecodeError) as error:  # an error's text need not be UTF-8
            return Refused(error)

    def seen(self, chart: Any, path: pathlib.Path) -> dict[str, Any]:
        options = {section: json.dumps({"format": section}) for section in SECTIONS}
        no_client = self.native.HANDLE(0)
        return {
            "config": self.call("helm_chart_metadata", chart._raw()),
            "values": plain(json.loads(self.call("helm_chart_values", chart._raw()))),
            "files": sorted(file["name"] for file in chart.files if file["name"] not in DOCUMENTS),
            "templates": [file["name"] for file in chart.templates],
            "dependencies": sorted(json.dumps(one, sort_keys=True) for one in chart.dependencies),
            **{f"show {section}": self.call("helm_show", no_client, str(path), said) for section, said in options.items()},
        }

    def package(self, directory: pathlib.Path, destination: pathlib.Path) -> list[Any] | Refused:
        try:
            packed = self.call("helm_package_run", str(directory), json.dumps({"destination": str(destination)}))
            return entries(pathlib.Path(packed).read_bytes())
        except self.sdk.HelmError as error:
            return Refused(error)

    def extract(self, archive: pathlib.Path, directory: pathlib.Path) -> dict[str, bytes] | Refused:
        try:
            self.sdk.chart.expand(directory, archive)
            return files_below(directory)
        except self.sdk.HelmError as error:
            return Refused(error)


@pytest.fixture(autouse=True)
def _without_helms_warnings(capfd):
    yield
    capfd.readouterr()


@pytest.fixture(scope="module")
def library() -> Library:
    """tests/requirements.txt brings it where there is a build of it."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    return Library()


def plain(value: Any) -> Any:
    """The value with floating-point numbers only, as Helm holds them, and with booleans that are no numbers."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case bool():
            return str(value)
        case int() | float():
            return float(value)
        case _:
            return value


def entries(data: bytes) -> list[Any]:
    """What is in a package: in its order, but charts by name, since Helm's order of these changes from run to run."""
    data = gzip.decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = [(entry.name, archive.extractfile(entry).read(), data[entry.offset:entry.offset_data]) for entry in archive]  # type: ignore[union-attr]
    return sorted(map(forgiven, found), key=lambda one: re.match(r"[^/]*(/charts/[^/]*(?=/))*", one[0])[0])  # type: ignore[index]


def forgiven(entry: tuple[str, bytes, bytes]) -> tuple[str, bytes, bytes]:
    """Of a lock, null entries are dropped, and where it bears no time Helm takes the clock's."""
    name, content, header = entry
    if name.endswith("/Chart.lock"):
        mended = content.replace(b"dependencies:\n- null\ndigest", b"dependencies: []\ndigest").replace(b"\n- null\n", b"\n")
        return name, mended, b"" if mended != content or b'generated: "000' in content else header
    return name, content, header


def files_below(directory: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def our_chart(path: pathlib.Path) -> dict[str, Any] | Refused:
    def read() -> dict[str, Any]:
        archive = archive_of(path)
        names = [name for name in archive.files if not name.startswith("templates/") and name not in DOCUMENTS]
        configs = [json.loads(one.metadata.config()) for one in archive.dependencies]
        return {
            "config": archive.metadata.config().decode(),
            "values": values_of(archive),
            "files": sorted(name for name in names if not name.startswith("charts/") or name.endswith(".prov")),
            "templates": archive.templates,
            "dependencies": sorted(json.dumps(config, sort_keys=True) for config in configs),
            # The library's texts end at the first NUL, as in C.
            **{f"show {section}": chartoci.show(archive, section).split("\0")[0] for section in SECTIONS},
        }

    return attempt(read)


def our_package(directory: pathlib.Path) -> list[Any] | Refused:
    return attempt(lambda: entries(chartoci.package(directory).data))


def our_extract(archive: pathlib.Path, directory: pathlib.Path) -> dict[str, bytes] | Refused:
    def extracted() -> dict[str, bytes]:
        chartoci.Archive.read(archive).extract(directory)
        return files_below(directory)

    return attempt(extracted)


def put(case: nasty.Case, directory: pathlib.Path) -> pathlib.Path:
    """The case as a file or a directory."""
    if case.kind == "archive":
        path = directory / "chart.tgz"
        path.write_bytes(case.data)
        return path
    root = directory / "web"
    for turn, (name, content) in enumerate(case.tree.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, nasty.Link):
            path.symlink_to(content.target)
        else:
            path.write_bytes(content)
            os.utime(path, (MODIFIED[turn % len(MODIFIED)],) * 2)
    return root


def differences(what: str, theirs: Any, ours: Any, may: frozenset[str]) -> list[str]:
    """What differs, as text; a refusal of ours with one of the codes in `may` is on purpose."""
    if isinstance(theirs, Refused) and "evaluating symlink" in theirs:
        return []  # Helm follows links that .helmignore names, even those that lead nowhere.
    if isinstance(ours, Refused) or isinstance(theirs, Refused):
        alike = isinstance(ours, Refused) and (isinstance(theirs, Refused) or ours in may)
        return [] if alike else [f"{what}\n    Helm: {short(theirs)}\n    ours: {short(ours)}"]
    if isinstance(theirs, list):
        theirs, ours = ({"names": [one[0] for one in side]} | {one[0]: one for one in side} for side in (theirs, ours))
    keys = sorted(theirs.keys() | ours.keys())
    pairs = [(key, theirs.get(key), ours.get(key)) for key in keys]
    return [f"{what}: {key}\n    Helm: {short(their)}\n    ours: {short(our)}" for key, their, our in pairs if their != our]


def packed_apart(name: str, packed: list[Any] | Refused, directory: pathlib.Path, may: frozenset[str]) -> list[str]:
    """What differs in a directory's package."""
    if isinstance(packed, Refused) and "unsupported value" in packed:
        return []  # Helm shows what it cannot pack.
    ours = our_package(directory)
    if isinstance(packed, list) and isinstance(ours, list):
        unknown = {path for path, _, header in packed if not header}
        ours = [(path, content, b"" if path in unknown else header) for path, content, header in ours]
    return differences(f"{name} packed", packed, ours, may | {"archive.duplicate"})


def short(value: Any) -> str:
    text = f"refused: {str(value)}" if isinstance(value, Refused) else repr(value)
    return text if len(text) < 600 else text[:600] + "…"


def ask(library: Library, name: str, path: pathlib.Path, may: frozenset[str], beside: pathlib.Path) -> list[str]:
    """All that the library can be asked about one chart."""
    theirs, ours = library.chart(path), our_chart(path)
    found = differences(name, theirs, ours, may)
    if path.is_dir():
        found += packed_apart(name, library.package(path, beside), path, may)
    elif isinstance(theirs, dict) and isinstance(ours, dict) and json.loads(theirs["config"]).get("name") == "web":
        # Other names: Helm calls the folder as Chart.yaml does, without cleaning the name.
        trees = [beside / "theirs", beside / "ours"]
        for tree in trees:
            tree.mkdir()
        extracted = library.extract(path, trees[0])
        found += differences(f"{name} extracted", extracted, our_extract(path, trees[1]), frozenset({"files.name"}))
    return found


def test_nasty_charts_are_read_and_packed_as_helm_does(library, asked):
    found = []
    for number in range(FIRST, FIRST + COUNT):
        case = nasty.case(number)
        with tempfile.TemporaryDirectory() as directory:
            beside = pathlib.Path(directory)
            found += ask(library, case.name, put(case, beside), case.may, beside)
        asked["nasty charts"] += 1
    assert not found, f"{len(found)} differences in {COUNT} cases\n" + "\n".join(found)
    assert asked["nasty charts"] == COUNT > 0


def test_real_charts_are_read_shown_and_unpacked_as_helm_does(library, asked, tmp_path):
    if not SHARED.is_dir():
        pytest.skip(f"no real charts in {SHARED}")
    program, found = Program(4, tmp_path), []
    for path in sorted(SHARED.rglob("*.tgz")):
        with tempfile.TemporaryDirectory() as directory:
            found += ask(library, path.name, path, frozenset(), pathlib.Path(directory))
            found += program.differs(path.name, path, frozenset(), pathlib.Path(directory))
        asked["real charts"] += 1
    assert not found, "\n".join(found)
    assert asked["real charts"] >= 70


class Program:
    """Helm as a program: of its answers, and of ours to the same."""

    def __init__(self, major: int, home: pathlib.Path) -> None:
        self.major, self.binary = major, helm.binary(major)
        if not self.binary.exists():
            pytest.skip(f"helm{major} is not there: python tests/tools/helm.py fetches it")
        homes = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        self.surroundings = {**os.environ, "TZ": "UTC", **homes}

    def says(self, *words: object) -> str | Refused:
        done = subprocess.run([self.binary, *words], capture_output=True, env=self.surroundings, timeout=120)
        # Line ends as they are: Python would make newlines of them all.
        said, why = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
        return Refused(why) if done.returncode else said

    def differs(self, name: str, path: pathlib.Path, may: frozenset[str], beside: pathlib.Path) -> list[str]:
        """What the program and we say of this chart, where it is not the same."""

        def compared(what: str, theirs: Any, ours: Any) -> list[str]:
            sides = (side if isinstance(side, Refused) else {what: side} for side in (theirs, ours))
            return differences(name, *sides, may)

        section = "all" if self.major == 4 else "chart"  # Helm 3 shows CRDs in another way.
        theirs = self.says("show", section, path)
        found = compared(f"show {section}", theirs, attempt(lambda: chartoci.show(path, section)))
        if self.major == 3:
            return found
        if not isinstance(theirs, Refused):
            values = printed(self.says("show", "values", "--jsonpath", "{@}", path))
            found += compared("values", values, attempt(lambda: values_of(archive_of(path))))
        if path.is_dir():
            said = self.says("package", path, "-d", beside)
            packed = said if isinstance(said, Refused) else entries(next(beside.glob("*.tgz")).read_bytes())
            found += packed_apart(name, packed, path, may)
        return found


def attempt(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except chartoci.ChartOciError as error:
        return Refused(error.code)


def values_of(archive: chartoci.Archive) -> Any:
    """Where there is no values.yaml Helm has no values, which is not the same to it as none in there."""
    return None if archive.values_yaml is None else plain(archive.values)


def printed(said: str | Refused) -> Any:
    return said if isinstance(said, Refused) else plain(json.loads(said)) if said else None


@pytest.mark.parametrize("major", [4, 3])
def test_nasty_charts_are_accepted_read_shown_and_packed_as_helm_does(major, asked, tmp_path):
    program, count = Program(major, tmp_path), COUNT if major == 4 else SAMPLE
    # Helm 3 reads the first document of values only.
    cases = (case for case in map(nasty.case, range(FIRST, FIRST + count)) if major == 4 or not case.name.startswith("values"))

    def ask_about(case: nasty.Case) -> list[str]:
        with tempfile.TemporaryDirectory() as directory:
            return program.differs(case.name, put(case, pathlib.Path(directory)), case.may, pathlib.Path(directory))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(ask_about, cases))
    found = [difference for differences in answers for difference in differences]
    asked[f"nasty charts with helm {helm.version(program.binary)}"] += len(answers)
    assert not found, f"{len(found)} differences in {len(answers)} cases\n" + "\n".join(found)
    assert len(answers) == count or major == 3


def test_helm_writes_the_digest_of_a_lock_that_we_compute(library, asked, tmp_path):
    for number in range(max(10, COUNT // 10)):
        root = tmp_path / str(number)
        chart_yaml, charts = nasty.depending(number)
        for name, version in charts.items():
            (root / name).mkdir(parents=True)
            (root / name / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
        (root / "web").mkdir(parents=True)
        (root / "web" / "Chart.yaml").write_text(chart_yaml)
        library.sdk._native.call_status("helm_dependency_update", str(root / "web"), None)
        lock = chartoci.Lock.parse((root / "web" / "Chart.lock").read_bytes())
        required = chartoci.Metadata.parse(chart_yaml).dependencies
        assert chartoci.Lock.digest_for(required, lock.dependencies) == lock.digest, chart_yaml
        assert lock.to_yaml() == (root / "web" / "Chart.lock").read_text()
        asked["digests of locks"] += 1
    assert asked["digests of locks"] > 0


def test_helm_reads_lints_and_pushes_what_we_pack(library, asked, tool_of, some_registry, tmp_path):
    helm4, ours = tool_of("helm4"), chartoci.Client(credentials=None)
    for number in range(SAMPLE):
        case = nasty.case(10 * number + 3)
        root = put(case, tmp_path / str(number))
        packed = our_package(root)
        if isinstance(packed, Refused):
            continue
        chart = chartoci.package(root, created=1_700_000_000)
        path = chart.write(tmp_path / str(number))
        assert chart.data == chartoci.package(root, created=1_700_000_000).data == pathlib.Path(path).read_bytes()
        theirs = library.chart(pathlib.Path(path))
        assert isinstance(theirs, dict) and theirs["config"] == chart.metadata.config().decode(), case.name
        assert theirs["show chart"] == chartoci.show(chart, "chart"), case.name
        lint = {str(source): library.sdk.chart.lint(source) for source in (root, path)}
        assert len({json.dumps([len(said["errors"]) for said in lint.values()])}) == 1
        pushed = helm4("push", path, f"oci://{some_registry.host}/packed", registry=some_registry, check=False)
        target = f"oci://{some_registry.host}/packed-by-us"
        if pushed.returncode == 0:
            digest = re.search(r"Digest: (sha256:[0-9a-f]+)", pushed.stdout + pushed.stderr)[1]  # type: ignore[index]
            assert str(ours.push(path, target).digest) == digest, case.name
        else:
            with pytest.raises(chartoci.ChartOciError):
                ours.push(path, target)
        asked["packages of ours"] += 1
    assert asked["packages of ours"] > 0
