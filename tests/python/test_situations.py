"""Situations that a document or an answer alone does not make: tests/errors/situations.json, each with the code that comes of it."""

import json
import os
import pathlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Done, Exchange, Session
from chartoci.testing import Registry
from conftest import peer, read_request
from test_errors import command, says_what_to_do
from test_hostile_registries import MANIFEST, manifest_of, registry, tags_of

SITUATIONS = json.loads((pathlib.Path(__file__).parent.parent / "errors" / "situations.json").read_text())
OURS = [situation for situation in SITUATIONS if "python" in situation["languages"]]
WORDS = [situation for situation in SITUATIONS if "command line" in situation["languages"]]


class Setting:
    """A client of nobody's, a chart, a directory, an environment without credentials; each function makes a situation."""

    def __init__(
        self, client: chartoci.Client, chart: bytes, directory: pathlib.Path, environment: pytest.MonkeyPatch
    ) -> None:
        self.client, self.chart, self.directory, self.environment = client, chart, directory, environment
        for name in ("HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE"):
            environment.delenv(name, raising=False)
        environment.setenv("HOME", str(directory))

    def a_text_in_place_of_an_archive(self) -> None:
        (self.directory / "notes.txt").write_text("no archive\n")
        self.client.push(self.directory / "notes.txt", "oci://127.0.0.1:1/charts")

    def a_target_that_begins_with_http(self) -> None:
        self.client.push(self.chart, "http://127.0.0.1:1/charts")

    def a_version_that_is_not_there(self) -> None:
        with Registry() as served:
            pushed = self.client.push(self.chart, f"oci://{served.host}/charts")
            self.client.pull(f"oci://{served.host}/{pushed.reference.repository}", self.directory, version="9.9.9")

    def a_host_at_which_nobody_answers(self) -> None:
        self.client.push(self.chart, "oci://127.0.0.1:1/charts")

    def a_text_with_line_breaks_where_a_path_stands(self) -> None:
        chartoci.check("name: web\nversion: 1.0.0\n")

    def a_section_that_no_chart_has(self) -> None:
        chartoci.show(self.chart, "notes")  # type: ignore[arg-type]

    def a_tag_and_another_version_beside_it(self) -> None:
        self.client.resolve("oci://127.0.0.1:1/web:1.0.0", version="2.0.0")

    def a_password_that_the_registry_does_not_take(self) -> None:
        with Registry(username="ada", password="right") as served, chartoci.Client(credentials=("ada", "wrong")) as client:
            client.push(self.chart, f"oci://{served.host}/charts")

    def a_password_that_the_registry_does_not_take_for_reading(self) -> None:
        with Registry(username="ada", password="right") as served, chartoci.Client(credentials=("ada", "wrong")) as client:
            client.tags(f"oci://{served.host}/charts/web")

    def stored(self, text: str) -> None:
        (self.directory / "config.json").write_text(text)
        self.environment.setenv("HELM_REGISTRY_CONFIG", str(self.directory / "config.json"))
        with Registry(username="ada", password="right") as served, chartoci.Client() as client:
            client.push(self.chart, f"oci://{served.host}/charts")

    def a_file_of_credentials_that_is_cut_off(self) -> None:
        self.stored('{"auths": {')

    def a_credential_helper_that_fails(self) -> None:
        program = self.directory / "docker-credential-locked"
        program.write_text("#!/bin/sh\necho locked; exit 1\n")
        program.chmod(0o755)
        self.environment.setenv("PATH", f"{self.directory}:{os.environ['PATH']}")
        self.stored('{"credsStore": "locked"}')

    def a_credential_helper_that_is_not_there(self) -> None:
        self.stored('{"credsStore": "nowhere"}')

    def a_signature_that_is_to_be_verified(self) -> None:
        with registry(tags_of(lambda number: [], 1)) as (host, asked):
            try:
                self.client.pull(f"{host}/web", self.directory, verify="keys.gpg")
            finally:
                assert not asked

    def a_range_that_no_version_satisfies(self) -> None:
        with Registry() as served:
            pushed = self.client.push(self.chart, f"oci://{served.host}/charts")
            self.client.resolve(f"oci://{served.host}/{pushed.reference.repository}", version=">9")

    def a_manifest_whose_chart_is_gone(self) -> None:
        def answer(line: str) -> tuple[int, dict[str, str], bytes]:
            return (404, {}, b"") if "/blobs/" in line else (200, {"Content-Type": MANIFEST}, manifest_of(b"gone"))

        with registry(answer) as (host, _):
            self.client.open(f"{host}/web:1.0.0")

    def a_push_to_a_tag_that_is_taken(self) -> None:
        with Registry() as served:
            for created in (1, 2):
                self.client.push(self.chart, f"oci://{served.host}/charts", created=created, if_exists="refuse")

    def a_tag_that_was_moved_after_it_was_resolved(self) -> None:
        with Registry() as served:
            first = self.client.push(self.chart, f"oci://{served.host}/charts", created=1)
            self.client.push(self.chart, f"oci://{served.host}/charts", created=2)
            self.client.pull(f"{first.reference}@{first.digest}", self.directory, check_tag=True)

    def an_answer_without_end(self) -> None:
        with registry(lambda line: (200, {"Content-Type": MANIFEST}, b" " * (5 << 20))) as (host, _):
            self.client.artifact(f"{host}/web:1.0.0")

    def a_copy_of_an_index_that_lists_too_much(self) -> None:
        listed = [{"mediaType": MANIFEST, "digest": f"sha256:{number:064x}", "size": 1} for number in range(1_025)]
        kind = "application/vnd.oci.image.index.v1+json"
        index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": listed}).encode()
        with registry(lambda line: (200, {"Content-Type": kind}, index)) as (host, _):
            self.client.copy(f"{host}/web:all", "127.0.0.1:1/web:all")

    def pages_without_end(self) -> None:
        with registry(tags_of(lambda number: [], 10**9)) as (host, _):
            self.client.tags(f"{host}/web")

    def tags_of_a_peer_that(self, does: Callable[[socket.socket], object], **options: Any) -> None:
        with peer(does) as host, chartoci.Client(credentials=None, retry=chartoci.RetryPolicy(attempts=1)) as client:
            client.tags(f"{host}/web", **options)

    def a_connection_that_breaks(self) -> None:
        self.tags_of_a_peer_that(read_request)

    def a_peer_that_says_nothing(self) -> None:
        over = threading.Event()
        try:
            self.tags_of_a_peer_that(lambda connection: over.wait(10), timeout=0.2)
        finally:
            over.set()

    def a_peer_that_speaks_another_protocol(self) -> None:
        self.tags_of_a_peer_that(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))

    def a_host_that_is_not_allowed(self) -> None:
        with chartoci.Client(credentials=None, allow={"registry.example"}) as client:
            client.tags("127.0.0.1:1/web")

    def a_file_of_the_clients_that_cannot_be_written_to_its_end(self) -> None:
        import resource
        import signal

        with Registry() as served:
            pushed = self.client.push(self.chart, f"oci://{served.host}/charts")
            before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[0][1]))
            try:
                self.client.pull(pushed.reference, self.directory)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before[0])
                signal.signal(signal.SIGXFSZ, before[1])

    def an_exchange_that_is_given_up(self) -> None:
        exchange = Exchange.tags(Session(), "localhost:1/web")
        exchange.abort()
        done = exchange.poll(0)
        assert isinstance(done, Done) and done.error
        raise done.error

    def a_path_where_nothing_is(self) -> None:
        chartoci.Archive.read(self.directory / "nothing")

    def a_directory_in_place_of_an_archive(self) -> None:
        chartoci.Archive.read(self.directory)

    def an_archive_in_place_of_a_directory(self) -> None:
        (self.directory / "web.tgz").write_bytes(self.chart)
        chartoci.package(self.directory / "web.tgz")

    def a_file_that_may_not_be_read(self) -> None:
        path = self.directory / "web.tgz"
        path.write_bytes(self.chart)
        path.chmod(0)
        user = os.geteuid()
        if user == 0:  # who may read everything
            os.seteuid(65534)
        try:
            chartoci.Archive.read(path)
        finally:
            os.seteuid(user)

    def a_large_file_that_is_written_to_while_it_goes_up(self) -> None:
        path = self.directory / "web.tgz"
        path.write_bytes(self.chart)
        os.utime(path, (0, 0))
        self.environment.setattr("chartoci.blobs.HELD", 0)

        def pieces(*arguments: Any) -> Iterator[memoryview]:
            path.touch()
            yield from chartoci.blobs.pieces(*arguments)

        self.environment.setattr("chartoci.drive.pieces", pieces)
        with Registry() as served:
            self.client.push(path, f"oci://{served.host}/charts")

    def a_directory_that_is_there_before_unpacking(self) -> None:
        (self.directory / "web").mkdir()
        (self.directory / "web" / "mine").touch()
        chartoci.Archive.read(self.chart).extract(self.directory)

    def a_file_below_a_file(self) -> None:
        chartoci.Archive.read(self.directory / ("long" * 100))

    def web(self) -> pathlib.Path:
        chartoci.Archive.read(self.chart).extract(self.directory)
        return self.directory / "web"

    def a_link_that_leads_out_of_the_directory(self) -> None:
        (self.web() / "passwd").symlink_to("/etc/passwd")
        chartoci.package(self.directory / "web")

    def a_pipe_in_a_directory(self) -> None:
        os.mkfifo(self.web() / "pipe")
        chartoci.package(self.directory / "web")

    def pulled(self, directory: "str | pathlib.Path") -> None:
        with Registry() as served:
            pushed = self.client.push(self.chart, f"oci://{served.host}/charts")
            self.client.pull(str(pushed.reference), directory)

    def a_pull_to_where_a_file_stands(self) -> None:
        (self.directory / "file").touch()
        self.pulled(self.directory / "file")

    def a_pull_to_below_a_file(self) -> None:
        (self.directory / "file").touch()
        self.pulled(self.directory / "file" / "charts")

    def a_pull_to_where_nothing_may_be_made(self) -> None:
        self.pulled("/sys/charts")

    def a_pull_to_where_nothing_can_be_made(self) -> None:
        self.pulled("/proc/charts/new")

    def a_user_agent_that_cannot_stand_in_a_header(self) -> None:
        chartoci.Client(user_agent="tests\r\nX-Mine: 1")

    def a_registrys_directory_in_which_nothing_can_be_made(self) -> None:
        (self.directory / "file").touch()
        with Registry(self.directory / "file"):
            pass


@pytest.fixture
def setting(
    client: chartoci.Client, chart: bytes, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setting]:
    yield Setting(client, chart, tmp_path, monkeypatch)


@pytest.mark.parametrize("situation", OURS, ids=[situation["name"] for situation in OURS])
def test_a_situation_has_its_code(situation: Any, setting: Setting) -> None:
    make = getattr(setting, re.sub(r"\W+", "_", situation["name"].replace("'", "")))
    with pytest.raises(chartoci.ChartOciError) as caught:
        make()
    assert caught.value.code == situation["expect"]["code"], caught.value
    says_what_to_do(caught.value, situation["expect"]["says"])


# The same by the command line: `{tgz}` is in the registry `{host}` already; `{nobody}` is no registry's address.
COMMANDS = {
    "a text in place of an archive": "push {text} oci://{nobody}/charts",
    "a flag of Helm's that is not there yet": "package {directory} --sign",
    "a target that begins with http": "push {tgz} http://{nobody}/charts",
    "a version that is not there": "pull oci://{host}/charts/web --version 9.9.9 -d {directory}",
    "a host at which nobody answers": "push {tgz} oci://{nobody}/charts",
    "a text with line breaks where a path stands": "check name:\nweb",
    "a tag, and another version beside it": "resolve oci://{nobody}/web:1.0.0 --version 2.0.0",
    "a password that the registry does not take": "push {tgz} oci://{closed}/charts --username ada --password wrong",
    "a password that the registry does not take for reading": "tags oci://{closed}/web --username ada --password wrong",
    "a signature that is to be verified": "pull oci://{host}/charts/web --verify",
    "a range that no version satisfies": "resolve oci://{host}/charts/web --version >9",
    "a push to a tag that is taken": "push {later} oci://{host}/charts --if-exists refuse",
    "a pull to where a file stands": "pull oci://{host}/charts/web -d {tgz}",
    "a pull to below a file": "pull oci://{host}/charts/web -d {tgz}/charts",
    "a pull to where nothing may be made": "pull oci://{host}/charts/web -d /sys/charts",
    "a pull to where nothing can be made": "pull oci://{host}/charts/web -d /proc/charts/new",
    "a path where nothing is": "push {directory}/nothing.tgz oci://{nobody}/charts",
    "a directory in place of an archive": "push {directory} oci://{nobody}/charts",
    "an archive in place of a directory": "package {tgz}",
}


@pytest.mark.parametrize("situation", WORDS, ids=[situation["name"] for situation in WORDS])
def test_a_situation_has_its_exit_code_and_its_remedy_on_the_command_line(
    situation: Any, client: chartoci.Client, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    expect = situation["expect"]
    (tmp_path / "notes.txt").write_text("no archive\n")
    later = tmp_path / "later.tgz"
    later.write_bytes(tgz.read_bytes())
    os.utime(later, (1, 1))
    with Registry() as served, Registry(username="ada", password="right") as closed:
        client.push(tgz, f"oci://{served.host}/charts")
        places = {"tgz": tgz, "later": later, "text": tmp_path / "notes.txt", "directory": tmp_path, "host": served.host}
        words = [
            word.format(**places, closed=closed.host, nobody="127.0.0.1:1")
            for word in COMMANDS[situation["name"]].split(" ")
        ]
        done = command("--json", "--attempts", "1", *words)
    assert done.returncode == expect["exit"], done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == expect["code"]
    assert expect["says"][0] in error["hint"] and error["hint"] in done.stderr
