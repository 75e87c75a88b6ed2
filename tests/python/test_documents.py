"""What needs no network."""

import gzip
import io
import json
import os
import pathlib
import pickle
import random
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Mapping

import chartoci
import pytest
from chartoci import files, sansio


def test_a_source_may_be_a_path_bytes_a_buffer_or_a_file(tgz: pathlib.Path, chart: bytes) -> None:
    with open(tgz, "rb") as file:
        read = [chartoci.Archive.read(source) for source in (tgz, str(tgz), chart, bytearray(chart), memoryview(chart), file)]
    assert {archive.digest for archive in read} == {chartoci.Digest.of(chart)}
    assert all(archive == read[0] and archive.data == chart for archive in read)


def test_a_pipe_is_read_to_its_end(chart: bytes) -> None:
    begin, end = os.pipe()
    writer = threading.Thread(target=trickle, args=(end, chart))
    writer.start()
    try:
        assert chartoci.Archive.read(f"/dev/fd/{begin}").data == chart
    finally:
        writer.join()
        os.close(begin)


def trickle(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb", buffering=0) as file:
        for start in range(0, len(data), 500):
            file.write(data[start : start + 500])
            time.sleep(0.01)


def test_a_text_with_line_breaks_is_no_path() -> None:
    with pytest.raises(chartoci.MisuseError) as caught:
        chartoci.Archive.read("apiVersion: v2\nname: web\n")
    assert caught.value.code == "misuse.looks_like_content"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("/nowhere/web.tgz", "files.not_found"),
        ("/tmp", "files.is_directory"),
        (b"", "archive.gzip"),
        (b"no archive", "archive.gzip"),
        (io.StringIO("text"), "misuse.argument"),
        (3, "misuse.argument"),
    ],
)
def test_what_is_no_archive_is_refused_with_a_remedy(source: object, code: str) -> None:
    with pytest.raises(chartoci.ChartOciError) as caught:
        chartoci.Archive.read(source)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert caught.value.hint


def test_an_archive_shows_its_parts(web: pathlib.Path, chart: bytes) -> None:
    archive = chartoci.Archive.read(chart)
    assert (archive.metadata.name, archive.metadata.version) == ("web", "1.2.0+demo.1")
    assert isinstance(archive.files, Mapping)
    assert archive.files["values.yaml"] == (web / "values.yaml").read_bytes() == archive.values_yaml
    assert "nothing" not in archive.files and archive.files.get("nothing") is None
    assert len(list(archive.files)) == len(archive.files) == len(dict(archive.files))
    with pytest.raises(KeyError):
        archive.files["nothing"]
    assert isinstance(archive.values, dict)
    assert archive.size == len(chart)
    assert json.dumps(archive.to_dict())


def test_whole_numbers_of_values_stay_exact(tmp_path: pathlib.Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: n\nversion: 1.0.0\n")
    (tmp_path / "values.yaml").write_text("a: 9007199254740993\nb: 18446744073709551615\nc: 1.5\nd: yes\ne:\nf: [1, x]\n")
    values = chartoci.Archive.read(chartoci.package(tmp_path).data).values
    assert values == {"a": 2**53 + 1, "b": 2**64 - 1, "c": 1.5, "d": True, "e": None, "f": [1, "x"]}
    assert type(values["a"]) is int


def test_the_bytes_of_a_package_do_not_depend_on_how_many_threads_there_are(tmp_path: pathlib.Path) -> None:
    draw = random.Random("threads")
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (tmp_path / "noise").write_bytes(draw.randbytes(1_500_000))
    (tmp_path / "text").write_text("".join(f"{draw.getrandbits(20):x}\n" for _ in range(400_000)))
    (tmp_path / "zeros").write_bytes(bytes(1_000_000))
    packed = {
        files.run(sansio.package(created=1_700_000_000, threads=threads), tmp_path).data for threads in (None, 0, 1, 2, 3, 7)
    }
    (data,) = packed
    assert data == chartoci.package(tmp_path, created=1_700_000_000).data
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        unpacked = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    assert unpacked.keys() == {"web/Chart.yaml", "web/noise", "web/text", "web/zeros"}
    assert all(unpacked[f"web/{name}"] == (tmp_path / name).read_bytes() for name in ("noise", "text", "zeros"))


def outcome(action: Callable[[], object]) -> str:
    try:
        return str(action())
    except chartoci.ChartOciError as error:
        return f"{error.code} {error}"


def test_a_large_archive_which_several_threads_read_is_read_as_a_small_one(tmp_path: pathlib.Path) -> None:
    draw = random.Random("large")
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (tmp_path / "noise").write_bytes(draw.randbytes(3_000_001))
    data = chartoci.package(tmp_path).data
    archive = chartoci.Archive.read(data)
    assert dict(archive.files) == {name: (tmp_path / name).read_bytes() for name in ("Chart.yaml", "noise")}
    assert archive.digest == chartoci.Digest.of(data)
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    # The end says how much there is; a lie may be that it is more, less, or nothing.
    lies = [data[:-4] + size.to_bytes(4, "little") for size in (0, 1, 3_000_000, 1 << 31)]
    for other in (bytes(damaged), data[:-9], data + data[:99], data + data, *lies):
        assert outcome(lambda: chartoci.Archive.read(other).digest) == outcome(lambda: sansio.Scan.read(other).digest)
    with pytest.raises(chartoci.LimitError) as caught:
        chartoci.Archive.read(data, chartoci.Limits(unpacked=3_000_000))
    assert caught.value.code == "limit.unpacked"


def test_packing_is_deterministic_and_writes_whole_files(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first, second = chartoci.package(web, created=1_700_000_000), chartoci.package(web, created=1_700_000_000)
    assert first == second
    path = first.write(tmp_path / "new" / "place")
    assert path.name == first.filename == "web-1.2.0+demo.1.tgz"
    assert path.read_bytes() == first.data
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_packing_can_change_the_version(web: pathlib.Path) -> None:
    packed = chartoci.package(web, version="9.0.0", app_version="1.10")
    assert packed.filename == "web-9.0.0.tgz"
    assert packed.metadata.app_version == "1.10"


@pytest.mark.parametrize(("name", "code"), [("nowhere", "files.not_found"), ("file", "files.not_directory")])
def test_only_a_directory_can_be_packed(tmp_path: pathlib.Path, name: str, code: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(chartoci.ChartOciError) as caught:
        chartoci.package(tmp_path / name)
    assert caught.value.code == code


def test_extracting_writes_the_chart_whole_and_nothing_else(chart: bytes, tmp_path: pathlib.Path) -> None:
    archive = chartoci.Archive.read(chart)
    path = archive.extract(tmp_path / "out")
    assert path == tmp_path / "out" / "web"
    written = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert written == dict(archive.files)
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["web"]


TWO_THREADS = """
import pathlib, sys, threading
from chartoci import files, sansio
machine, root = sansio.package(), pathlib.Path(sys.argv[1])
while True:
    verb = machine.poll()
    machine.handle(files.execute(verb, root))
    if isinstance(verb, sansio.Read) and verb.path == "last":
        break
def poll():
    try:
        said.append(type(machine.poll()).__name__)
    except Exception as error:
        said.append(type(error).__name__)
said = []
threads = [threading.Thread(target=poll, daemon=True) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*said)
"""


def test_a_thread_that_waits_for_a_machine_leaves_the_interpreter_to_the_one_at_work(tmp_path: pathlib.Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (tmp_path / "last").write_bytes(random.Random(1).randbytes(1 << 20))
    command = [sys.executable, "-c", TWO_THREADS, str(tmp_path)]
    assert "Finished" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_extracting_over_something_is_refused_and_leaves_it(chart: bytes, tmp_path: pathlib.Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "mine").write_text("mine")
    with pytest.raises(chartoci.ChartOciError) as caught:
        chartoci.Archive.read(chart).extract(tmp_path)
    assert caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["web"]
    assert [entry.name for entry in (tmp_path / "web").iterdir()] == ["mine"]


def test_show_takes_a_directory_a_file_and_bytes(web: pathlib.Path, tgz: pathlib.Path, chart: bytes) -> None:
    shown = {chartoci.show(source, "chart") for source in (web, tgz, chart)}
    assert len(shown) == 1
    assert "name: web" in shown.pop()


def test_check_finds_what_is_wrong(tmp_path: pathlib.Path) -> None:
    report = chartoci.check(b"apiVersion: v2\nname: web\n", "chart.yaml")
    assert not report.ok
    assert report.errors and all(finding.severity == "error" and finding.help for finding in report.errors)
    assert json.loads(report.to_json())
    assert len(report) == len(list(report))


def test_values_of_the_core_can_be_pickled_compared_and_sorted() -> None:
    parsed = [
        chartoci.Version.parse("1.2.3"),
        chartoci.Reference.parse("reg.example/web:1.0.0"),
        chartoci.Digest.of(b"x"),
        chartoci.Constraint.parse("^1"),
    ]
    for value in parsed:
        assert pickle.loads(pickle.dumps(value)) == value
        assert value in {value}
        assert str(value) in repr(value)
    assert max(map(chartoci.Version.parse, ["1.9.0", "1.10.0", "1.10.0-rc.1"])) == chartoci.Version.parse("1.10.0")


def test_errors_say_what_to_do_and_survive_pickling() -> None:
    with pytest.raises(chartoci.InvalidError) as caught:
        chartoci.Reference.parse("http://registry.example/web")
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.kind, error.code) == ("invalid", "reference.scheme")
    assert error.hint in error.__notes__[0]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.hint, str(again)) == (type(error), error.code, error.hint, str(error))


def test_every_code_has_a_meaning_and_a_remedy() -> None:
    entries = chartoci.codes()
    assert len({entry.code for entry in entries}) == len(entries) > 50
    assert all(entry.meaning and entry.remedy and bool(entry.kind) != bool(entry.severity) for entry in entries)


def test_every_kind_has_its_class() -> None:
    from chartoci._native import error

    for entry in chartoci.codes():
        if entry.kind is not None:
            raised = error(entry.code, "x")
            assert type(raised) is not chartoci.ChartOciError
            assert raised.kind == entry.kind


def test_importing_loads_no_http_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, chartoci; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    unwanted = {"urllib3", "http", "http.client", "ssl", "socket", "asyncio", "dataclasses", "typing", "pathlib", "json"}
    assert not unwanted & set(loaded.stdout.split())


def test_a_client_that_blocks_loads_no_event_loop() -> None:
    made = "import sys, chartoci; chartoci.Client(); import chartoci.transport.urllib3; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True)
    assert not {"asyncio", "concurrent.futures", "subprocess"} & set(loaded.stdout.split())


def test_every_public_name_is_there() -> None:
    for name in chartoci.__all__:
        assert getattr(chartoci, name) is not None
    with pytest.raises(AttributeError):
        chartoci.nothing  # noqa: B018


def test_the_library_does_not_read_the_environment_for_a_time(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    before = chartoci.package(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert chartoci.package(tmp_path).data == before.data
    assert chartoci.package(tmp_path, created=1_700_000_000).data != before.data


def test_every_limit_can_be_set_and_read_back() -> None:
    names = chartoci.Limits().to_dict()
    assert len(names) == 18
    for name, value in names.items():
        assert getattr(chartoci.Limits(**{name: value + 1}), name) == value + 1
        assert chartoci.Limits(**{name: value + 1}).to_dict() == names | {name: value + 1}


def test_nothing_is_written_through_a_link(chart: bytes, tmp_path: pathlib.Path) -> None:
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "target"
    elsewhere.mkdir()
    target.mkdir()
    (target / "web").symlink_to(elsewhere)
    with pytest.raises(chartoci.ChartOciError) as error:
        chartoci.Archive.read(chart).extract(target)
    assert error.value.code == "files.exists"
    assert error.value.context["path"] == str(target / "web") and str(target / "web") in str(error.value)
    (target / "web").unlink()
    (target / "web").symlink_to(tmp_path / "nowhere")
    with pytest.raises(chartoci.ChartOciError) as error:
        chartoci.Archive.read(chart).extract(target)
    assert error.value.code == "files.exists"
    assert list(elsewhere.iterdir()) == [] and [path.name for path in target.iterdir()] == ["web"]
    assert not (tmp_path / "nowhere").exists()


def test_the_callers_limits_hold_for_what_is_built(chart: bytes) -> None:
    provenance = bytes(2 << 20)
    with pytest.raises(chartoci.ChartOciError) as caught:
        chartoci.Artifact.build(chartoci.Archive.read(chart), provenance=provenance)
    assert caught.value.code == "limit.document"
    limits = chartoci.Limits(provenance=4 << 20)
    assert len(chartoci.Artifact.build(chartoci.Archive.read(chart), provenance=provenance, limits=limits).layers) == 2


def test_a_provenance_beside_a_chart_is_read_no_further_than_it_may_be_long(tgz: pathlib.Path, client: chartoci.Client) -> None:
    with open(f"{tgz}.prov", "wb") as beside:
        beside.truncate(1 << 33)
    most = chartoci.Limits().provenance
    held = chartoci.Archive.read(tgz).provenance
    assert held is not None and len(held) == most + 1
    with pytest.raises(chartoci.LimitError) as caught:
        client.push(tgz, "oci://127.0.0.1:1/x")
    assert caught.value.context["limit"] == str(most)
    assert caught.value.code in [finding.code for finding in chartoci.check(tgz)]


def test_a_directory_that_cannot_be_packed_is_named_and_so_is_the_file_in_it(tmp_path: pathlib.Path) -> None:
    empty, nothing, bad = (tmp_path / name for name in ("empty", "nothing", "bad"))
    for directory in (empty, nothing, bad):
        directory.mkdir()
    (nothing / "README.md").write_text("no chart")
    (bad / "Chart.yaml").write_text("apiVersion: v2\nname: bad\nversion: 1.0.0\n")
    (bad / "values.yaml").write_text("a: b: c\n")
    for function in (chartoci.package, chartoci.show):
        for directory, code, path in (
            (empty, "chart.missing", empty),
            (nothing, "chart.missing", nothing),
            (bad, "yaml.syntax", bad / "values.yaml"),
        ):
            with pytest.raises(chartoci.InvalidError) as caught:
                function(directory)
            error = caught.value
            assert (error.code, error.context["path"]) == (code, str(path)), error
            assert str(error).startswith(f"{path}: ") and "archive" not in f"{error} {error.hint}"
    (bad / "values.yaml").unlink()
    with pytest.raises(chartoci.InvalidError) as caught:
        chartoci.package(bad, version="x")
    assert caught.value.context["path"] == str(bad)


def test_what_is_compressed_without_being_a_tar_file_is_called_so() -> None:
    for content in (b"apiVersion: v2\n", b"apiVersion: v2\n" * 100):
        with pytest.raises(chartoci.InvalidError) as caught:
            chartoci.Archive.read(gzip.compress(content))
        assert caught.value.code == "archive.tar" and "`package`" in caught.value.hint


def test_an_artifact_is_built_of_what_was_packed(web: pathlib.Path) -> None:
    packed = chartoci.package(web)
    assert chartoci.Artifact.build(packed) == chartoci.Artifact.build(packed.data)


def test_an_archives_files_are_a_mapping(chart: bytes) -> None:
    found = chartoci.Archive.read(chart).files
    assert isinstance(found, Mapping) and found.keys() & {"Chart.yaml", "nothing"} == {"Chart.yaml"}
    assert dict(found.items()) == dict(found) == dict(zip(found, found.values(), strict=True))


def test_a_chart_that_was_never_packed_by_itself_is_no_artifact(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    inner = tmp_path / "outer" / "charts" / "db"
    inner.mkdir(parents=True)
    for directory, name in ((tmp_path / "outer", "outer"), (inner, "db")):
        (directory / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    outer = chartoci.Archive.read(chartoci.package(tmp_path / "outer").data)
    assert chartoci.Artifact.build(outer)
    with pytest.raises(chartoci.MisuseError, match="no archive of its own"):
        chartoci.Artifact.build(outer.dependencies[0])


def test_what_is_wrong_in_a_vendored_chart_is_found_there(tmp_path: pathlib.Path) -> None:
    inner = tmp_path / "charts" / "db"
    inner.mkdir(parents=True)
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    for kind, name, text, line in [
        ("v2", "Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\nmaintainers: [~]\n", 4),
        ("v2", "Chart.lock", "generated: x\n", 1),
        ("v1", "requirements.lock", "generated: x\n", 1),
    ]:
        (inner / "Chart.yaml").write_text(f"apiVersion: {kind}\nname: db\nversion: 1.0.0\n")
        (inner / name).write_text(text)
        with pytest.raises(chartoci.InvalidError) as caught:
            chartoci.package(tmp_path)
        (inner / name).unlink()
        place = f"charts/db/{name}"
        assert caught.value.context["document"] == place
        assert [(finding.document, finding.line) for finding in caught.value.report] == [(place, line)]
