"""What goes in, in every form that it may have; what does not is refused by its argument's name; what comes out can be shown."""

import io
import json
import pathlib
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import chartoci
import pytest
from chartoci import sansio
from chartoci.testing import Registry


@pytest.fixture
def documents(web: pathlib.Path, chart: bytes, tmp_path: pathlib.Path) -> dict[str, pathlib.Path]:
    """Documents in files, by what reads them."""
    artifact = chartoci.Artifact.build(chart)
    assert artifact.config is not None
    contents = {
        "Metadata.parse": (web / "Chart.yaml").read_bytes(),
        "Metadata.from_config": artifact.config,
        "Lock.parse": b"dependencies: []\ndigest: sha256:x\ngenerated: '2026-01-01T00:00:00Z'\n",
        "Artifact.parse": artifact.manifest,
        "Ignore.parse": b"*.tmp\n/build/\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in contents}


@pytest.mark.parametrize("name", ["Metadata.parse", "Metadata.from_config", "Lock.parse", "Artifact.parse", "Ignore.parse"])
def test_a_document_may_be_a_text_bytes_a_buffer_a_path_or_a_file(name: str, documents: dict[str, pathlib.Path]) -> None:
    owner, method = name.split(".")
    parse: Callable[[Any], Any] = getattr(getattr(chartoci, owner), method)
    path, content = documents[name], documents[name].read_bytes()
    parsed = parse(content)
    with open(path, "rb") as file:
        for source in (content.decode(), bytearray(content), memoryview(content), path, file, io.BytesIO(content)):
            assert parse(source) == parsed, type(source)
    for source, code in ((path.with_name("nothing"), "files.not_found"), (path.parent, "files.is_directory")):
        with pytest.raises(chartoci.ChartOciError) as caught:
            parse(source)
        assert (caught.value.code, caught.value.context["path"]) == (code, str(source))
    for wrong in (5, io.StringIO("text")):
        with pytest.raises(chartoci.MisuseError, match="cannot be a int|open for text"):
            parse(wrong)


def test_a_text_that_is_no_utf_8_is_refused_as_any_other_argument() -> None:
    for parse in (chartoci.Ignore.parse, chartoci.Metadata.parse, chartoci.Lock.parse):
        with pytest.raises(chartoci.MisuseError, match="surrogate") as caught:
            parse("x\n\udcff")
        assert caught.value.code == "misuse.argument"


def test_patterns_are_the_same_only_if_they_say_the_same() -> None:
    assert chartoci.Ignore.parse("# all\n*.tmp\n") == chartoci.Ignore.parse(b"*.tmp")
    assert chartoci.Ignore.parse("*.tmp") != chartoci.Ignore.parse("*.tmp/")
    assert repr(chartoci.Ignore.parse("*.tmp\n")) == "<Ignore: 2 patterns>"  # one is built in


def test_an_artifact_is_built_with_what_a_push_takes(tgz: pathlib.Path) -> None:
    prov = tgz.with_name("signed.prov")
    prov.write_bytes(b"signed")
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    built = chartoci.Artifact.build(tgz, provenance=prov, created=moment)
    assert built == chartoci.Artifact.build(tgz, provenance=b"signed", created=int(moment.timestamp()))
    assert built.annotations["org.opencontainers.image.created"] == "2026-01-31T12:00:00Z"
    assert built.provenance_layer is not None and built.provenance_layer.digest == chartoci.Digest.of(b"signed")
    with pytest.raises(chartoci.MisuseError, match="created cannot be a str"):
        chartoci.Artifact.build(tgz, created="2026")  # type: ignore[arg-type]


def test_references_and_versions_stand_for_their_texts(
    client: chartoci.Client, chart_registry: Registry, web: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    version = chartoci.Version.parse("3.1.4+b1")
    packed = chartoci.package(web, version=version)
    pushed = client.push(packed, chartoci.Reference.parse(f"{chart_registry.host}/charts"))
    assert pushed.tag == version.tag == "3.1.4_b1"
    repository = chartoci.Reference.parse(f"{chart_registry.host}/charts/web")
    assert client.pull(repository, tmp_path, version=version).digest == pushed.digest
    assert client.resolve(repository, version=version).digest == pushed.digest
    with pytest.raises(chartoci.MisuseError) as caught:
        client.push(packed, pushed.reference)
    assert caught.value.code == "reference.push_target"


def test_small_values_have_their_parts_as_json() -> None:
    reference = chartoci.Reference.parse("reg.example:5000/team/web:1.2.3+b1")
    assert reference.to_dict() == {
        "reference": "oci://reg.example:5000/team/web:1.2.3_b1",
        "registry": "reg.example:5000",
        "repository": "team/web",
        "tag": "1.2.3_b1",
        "digest": None,
        "version": "1.2.3+b1",
    }
    digest = chartoci.Digest.of(b"")
    assert digest.to_dict() == {"digest": str(digest), "algorithm": "sha256", "hex": digest.hex}
    version = chartoci.Version.parse("v1.2.3-rc.1+b1").to_dict()
    assert (version["major"], version["minor"], version["patch"]) == (1, 2, 3)
    assert (version["prerelease"], version["build"], version["tag"]) == ("rc.1", "b1", chartoci.Version.parse(version["version"]).tag)
    policy = chartoci.RetryPolicy(2, backoff=0.5)
    assert policy.to_dict() == {"attempts": 2, "backoff": 0.5, "backoff_max": 10.0, "retry_after_max": 60.0}
    assert json.loads(json.dumps(policy.to_dict())) == policy.to_dict()


def test_what_a_machine_says_is_shown_without_secrets() -> None:
    exchange = sansio.Exchange.tags(sansio.Session(), "localhost:1/web")
    send, wait = exchange.poll(0), exchange.poll(0)
    assert repr(send) == "Send(request=<Request 1 GET http://localhost:1/v2/web/tags/list>)"
    assert repr(wait).startswith("Wait(until=") and "why='" in repr(wait)
    ask = sansio.Ask(1, "reg.example", "web", None, None, "repository:web:pull", False, True)
    assert "registry='reg.example'" in repr(ask) and "scope='repository:web:pull'" in repr(ask)
    exchange.abort()
    outputs = [exchange.poll(0) for _ in range(2)]
    assert repr(outputs[0]) == "Cancel(id=1)" and repr(outputs[1]).startswith("Done(outcome=None, error=AbortedError(")
    assert repr(sansio.package().poll()) == "List(path='')"
    assert repr(sansio.Write("config.json", 0, b"secret")) == "Write(path='config.json', offset=0, data=<6 bytes>)"
    assert repr(sansio.Run("helper", ["get"], b"secret", 1.0, 9)).endswith("input=<6 bytes>, timeout=1.0, limit=9)")
    assert repr(sansio.Finished(("ada", "secret"))) == "Finished(value=<tuple>)"


class Opens:
    """Enough of a transport to be taken for one."""

    def open(self) -> None: ...


class Awaits(Opens):
    """The same for event loops."""

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("make", [chartoci.Client, chartoci.AsyncClient])
@pytest.mark.parametrize(
    "settings",
    [
        {"transport": "httpx"},
        {"transport": object()},
        {"credentials": 5},
        {"credentials": ("ada", None)},
        {"credentials": {"ada": "secret"}},
        {"idle_timeout": 0},
        {"idle_timeout": -1},
        {"timeout": float("nan")},
        {"concurrency": 0},
        {"concurrency": 256},
        {"concurrency": 10**30},
        {"concurrency": -1},
        {"retry": lambda: chartoci.RetryPolicy(attempts=0)},
        {"retry": lambda: chartoci.RetryPolicy(attempts=-1)},
        {"retry": lambda: chartoci.RetryPolicy(attempts=1 << 32)},
        {"retry": lambda: chartoci.RetryPolicy(backoff=-1)},
        {"retry": lambda: chartoci.RetryPolicy(backoff="soon")},
        {"retry": lambda: chartoci.RetryPolicy(attempts="5")},
        {"retry": 3},
        {"limits": {"archive": 1}},
        {"timeout": "5"},
        {"idle_timeout": "5"},
        {"allow": 5},
        {"allow": "registry.example"},
    ],
    ids=lambda settings: str(settings)[:40],
)
def test_a_client_refuses_what_it_cannot_be_made_from_and_says_which(make: Any, settings: dict[str, Any]) -> None:
    ((name, value),) = settings.items()
    with pytest.raises(chartoci.MisuseError) as caught:
        make(**{name: value() if callable(value) else value})
    error = caught.value
    named = str(error).split()[0].strip("`")
    assert named == name or (name == "retry" and named in ("attempts", "backoff"))
    assert error.code == "misuse.argument" and "documentation" not in error.hint
    if named in ("attempts", "concurrency"):
        assert re.fullmatch(r"Pass a whole number from 1 to \d+\.", error.hint)
    assert "secret" not in f"{error} {error.hint} {error.context}"


def test_transports_of_ones_own_are_taken_where_they_fit() -> None:
    chartoci.Client(transport=Opens())  # type: ignore[arg-type]
    chartoci.AsyncClient(transport=Awaits())  # type: ignore[arg-type]
    with pytest.raises(chartoci.MisuseError, match="event loops"):
        chartoci.Client(transport=Awaits())  # type: ignore[arg-type]


def test_a_transport_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "chartoci.transport.aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(chartoci.MisuseError, match="^transport is 'aiohttp'") as caught:
        chartoci.AsyncClient(transport="aiohttp")
    assert "chartoci[aiohttp]" in caught.value.hint


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_where_a_directory_is_wanted_is_named(
    place: str, client: chartoci.Client, chart_registry: Registry, web: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    packed = chartoci.package(web)
    pushed = client.push(packed, f"oci://{chart_registry.host}/charts")
    (tmp_path / "file").write_text("mine")
    verbs: list[Callable[[pathlib.Path], object]] = [
        lambda out: client.pull(pushed.reference, out),
        lambda out: client.pull(pushed.reference, out, untar=True),
        chartoci.Archive.read(packed.data).extract,
        packed.write,
    ]
    for verb in verbs:
        with pytest.raises(chartoci.MisuseError) as caught:
            verb(tmp_path / place)
        assert (caught.value.code, caught.value.context["path"]) == ("files.not_directory", str(tmp_path / place))
        assert "a file stands there" in caught.value.hint
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("cut", [0, 300], ids=["no archive", "cut short"])
def test_an_archive_that_is_none_is_named(
    cut: int, client: chartoci.Client, chart_registry: Registry, chart: bytes, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "web.tgz"
    path.write_bytes(chart[:cut] or b"no archive")
    reads = (chartoci.Archive.read, chartoci.show, lambda source: client.push(source, f"oci://{chart_registry.host}/charts"))
    for read in reads:
        for source, named in ((path, True), (str(path), True), (path.read_bytes(), False)):
            with pytest.raises(chartoci.InvalidError) as caught:
                read(source)
            assert caught.value.code == ("archive.truncated" if cut else "archive.gzip")
            assert str(caught.value).startswith(f"{path}: ") == named == ("path" in caught.value.context)


def test_a_value_of_another_type_is_refused_like_any_other_that_is_not_taken(
    client: chartoci.Client, tgz: pathlib.Path, web: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    reference: Any = "oci://127.0.0.1:1/web"
    wrong: Any
    for wrong in (1.2, {"archive": 1}, object()):
        calls: list[tuple[str, Callable[[], object]]] = [
            ("`version`", lambda: client.pull(reference, tmp_path, version=wrong)),
            ("`version`", lambda: client.open(reference, version=wrong)),
            ("`version`", lambda: client.resolve(reference, version=wrong)),
            ("`version`", lambda: chartoci.package(web, version=wrong)),
            ("`version`", lambda: chartoci.Constraint.parse("*").matches(wrong)),
            ("a text", lambda: chartoci.Constraint.parse(wrong)),
            ("a text", lambda: chartoci.Version.parse(wrong)),
            ("a text", lambda: chartoci.Digest.parse(wrong)),
            ("a text", lambda: client.pull(wrong)),
            ("a reference", lambda: client.push(tgz, wrong)),
            ("`limits`", lambda: chartoci.Archive.read(tgz, wrong)),
            ("`limits`", lambda: chartoci.check(tgz, limits=wrong)),
            ("`limits`", lambda: chartoci.package(web, limits=wrong)),
            ("`progress`", lambda: client.push(tgz, reference, progress=wrong)),
        ]
        if not isinstance(wrong, float):
            calls.append(("`timeout`", lambda: client.tags(reference, timeout=wrong)))
        for name, call in calls:
            with pytest.raises(chartoci.MisuseError) as caught:
                call()
            error = caught.value
            assert (str(error), error.code) == (f"{name} cannot be a {type(wrong).__name__}", "misuse.argument")
            assert error.hint.startswith("Pass ")


def test_a_file_in_place_of_a_reference_is_seen(
    client: chartoci.Client, tgz: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tgz.parent.parent)
    for path in (str(tgz), tgz.name, f"{tgz.parent.name}/{tgz.name}"):
        monkeypatch.chdir(tgz.parent if path == tgz.name else tgz.parent.parent)
        with pytest.raises(chartoci.ChartOciError) as caught:
            client.open(path, timeout=5)
        assert "`Archive.read`" in caught.value.hint


def test_what_is_parsed_is_data() -> None:
    assert chartoci.Constraint.parse("^1.2 || ~3").to_dict() == {"constraint": "^1.2 || ~3"}
