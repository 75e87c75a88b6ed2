"""The command line, as a process of its own: what it prints, where, and with which exit code."""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterator

import chartoci
import pytest
from chartoci._native import VERSION
from chartoci.cli import output
from chartoci.model import Progress, Retrying
from chartoci.testing import Registry
from test_errors import QUIET, command


def run(*words: object) -> str:
    done = command(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def document(*words: object) -> dict[str, object]:
    said: dict[str, object] = json.loads(run("--json", *words))
    return said


def test_push_and_pull_speak_as_helm_does(
    chart_registry: Registry, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    host = chart_registry.host
    lines = run("push", tgz, f"oci://{host}/charts").splitlines()
    assert lines[0] == f"Pushed: {host}/charts/web:1.2.0_demo.1"
    assert re.fullmatch(r"Digest: sha256:[0-9a-f]{64}", lines[1])
    assert lines[2] == f"{host}/charts/web:1.2.0_demo.1 contains an underscore."
    digest = lines[1].removeprefix("Digest: ")

    lines = run("pull", f"oci://{host}/charts/web", "--version", "1.2.0+demo.1", "-d", tmp_path / "out").splitlines()
    assert lines[:2] == [f"Pulled: {host}/charts/web:1.2.0_demo.1", f"Digest: {digest}"]
    assert (tmp_path / "out" / tgz.name).read_bytes() == tgz.read_bytes()

    run("pull", f"oci://{host}/charts/web:1.2.0_demo.1", "--untar", "-d", tmp_path / "out", "--untardir", "below")
    assert (tmp_path / "out" / "below" / "web" / "Chart.yaml").exists()


def test_versions_tags_resolve_and_inspect(chart_registry: Registry, web: pathlib.Path) -> None:
    target = f"oci://{chart_registry.host}/charts"
    with chartoci.Client(credentials=None) as client:
        for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.1+b1"):
            pushed = client.push(chartoci.package(web, version=version), target)
    repository = f"{target}/web"
    assert run("versions", repository).split() == ["1.10.0", "1.9.1+b1", "1.9.0", "1.0.0"]
    assert run("versions", repository, "<1.9", "--devel").split() == ["1.0.0"]
    assert run("versions", repository, "--devel").split()[0] == "2.0.0-rc.1"
    assert document("versions", repository, "^1.9.0") == {
        "repository": repository,
        "versions": ["1.10.0", "1.9.1+b1", "1.9.0"],
    }
    assert set(run("tags", repository).split()) == {"1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.1_b1"}
    said = document("tags", repository)
    assert set(said) == {"repository", "tags"}
    resolved = document("resolve", repository, "--version", "~1.9")
    assert resolved == {
        "reference": f"{repository}:1.9.1_b1@{pushed.digest}",
        "version": "1.9.1+b1",
        "tag": "1.9.1_b1",
        "digest": str(pushed.digest),
    }
    assert str(pushed.digest) in run("resolve", repository, "--version", "~1.9")
    inspected = document("inspect", f"{repository}:1.9.1_b1")
    assert inspected["digest"] == str(pushed.digest)
    assert inspected["metadata"]["version"] == "1.9.1+b1"  # type: ignore[index]
    assert "web" in run("inspect", f"{repository}:1.9.1_b1")


def test_inspect_fetches_manifest_and_config_alone(chart_registry: Registry, tgz: pathlib.Path) -> None:
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    del chart_registry.requests[:]
    run("inspect", f"oci://{chart_registry.host}/charts/web:1.2.0_demo.1")
    assert len(chart_registry.requests) == 2


def test_show_prints_the_same_of_a_directory_a_file_and_a_registry(
    chart_registry: Registry, tgz: pathlib.Path, web: pathlib.Path
) -> None:
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    reference = f"oci://{chart_registry.host}/charts/web:1.2.0_demo.1"
    for section in ("all", "chart", "values", "readme", "crds"):
        assert run("show", section, web) == run("show", section, tgz) == run("show", section, reference)
    assert "Pulled:" in command("show", "chart", reference).stderr
    assert document("show", "values", tgz)["text"] == run("show", "values", tgz)


def test_package_writes_where_it_says(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said = run("package", web, "-d", tmp_path, "--version", "3.0.0", "--created", "2026-01-02T03:04:05Z")
    path = tmp_path / "web-3.0.0.tgz"
    assert said == f"Successfully packaged chart and saved it to: {path}\n"
    assert path.read_bytes() == chartoci.package(web, version="3.0.0", created=1767323045).data
    assert document("package", web, "-d", tmp_path)["path"] == str(tmp_path / "web-1.2.0+demo.1.tgz")


def test_check_says_what_is_wrong_and_where(tmp_path: pathlib.Path, web: pathlib.Path) -> None:
    assert command("check", web).returncode == 0
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\n")
    done = command("check", tmp_path / "Chart.yaml")
    assert done.returncode == 1
    assert str(tmp_path / "Chart.yaml") in done.stdout
    said = json.loads(command("--json", "check", tmp_path / "Chart.yaml").stdout)
    assert said["ok"] is False
    assert all(finding["code"] for finding in said["diagnostics"])


def test_explain_knows_every_code() -> None:
    said = document("explain", "reference.tag")
    assert said["kind"] == "invalid" and said["meaning"] and said["remedy"]
    assert "128" in run("explain", "reference.tag")


def test_flags_stand_before_or_after_the_verb(tgz: pathlib.Path) -> None:
    with Registry(username="ada", password="secret", tls=True) as registry:
        flags = ["--ca-file", registry.ca_file, "--username", "ada", "--password-stdin"]
        for words in (
            [*flags, "push", tgz, f"oci://{registry.host}/charts"],
            ["push", tgz, f"oci://{registry.host}/charts", *flags],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "chartoci", *map(str, words)],
                input="secret\n",
                capture_output=True,
                text=True,
                env=QUIET,
            )
            assert done.returncode == 0, done.stderr
            assert "secret" not in done.stdout + done.stderr


def test_quiet_and_json_keep_to_their_streams(chart_registry: Registry, tgz: pathlib.Path) -> None:
    target = f"oci://{chart_registry.host}/charts"
    assert run("--quiet", "push", tgz, target) == ""
    done = command("push", "--json", tgz, target)
    assert json.loads(done.stdout)["tag"] == "1.2.0_demo.1"
    assert done.stderr == ""


def test_a_progress_bar_is_drawn_on_a_terminal_only(chart_registry: Registry, tgz: pathlib.Path) -> None:
    push = [sys.executable, "-m", "chartoci", "push", str(tgz)]
    for name, settings, coloured in (("colour", {}, True), ("none", {"NO_COLOR": "1"}, False)):
        # Each into a repository of its own: a blob that is there already does not move.
        words = [*push, f"oci://{chart_registry.host}/{name}"]
        ours, theirs = pty.openpty()
        try:
            subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, env=QUIET | settings, check=True)
            said = os.read(ours, 65536)
        finally:
            os.close(ours)
            os.close(theirs)
        assert "━".encode() in said
        assert (b"\x1b[36m" in said) == coloured
    assert "━" not in command(*push[3:], f"oci://{chart_registry.host}/other").stderr


def serve(*words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "chartoci", "serve", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=QUIET,
    )


def test_serve_logs_requests_and_ends_cleanly(tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    process = serve(tmp_path / "registry", "--listen", "127.0.0.1:0")
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        host = first.strip().rpartition("http://")[2]
        run("push", tgz, f"oci://{host}/charts")
        run("pull", f"oci://{host}/charts/web:1.2.0_demo.1", "-d", tmp_path)
        taken = command("serve", "--listen", host)
        assert taken.returncode == 2
        assert f"process {process.pid}" in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        said, wrong = process.communicate(timeout=10)
    assert (process.returncode, wrong) == (0, "")
    assert re.search(r"PUT /v2/charts/web/manifests/1.2.0_demo.1 201 \d+ ms", said)
    for path in (tmp_path / "registry" / "blobs" / "sha256").iterdir():
        assert chartoci.Digest.of(path.read_bytes()).hex == path.name


def test_serve_asks_for_a_password(tgz: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-m", "chartoci", "serve", "--listen", host, "--username", "ada", "--password-stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=QUIET,
    )  # fmt: skip
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("secret")
        process.stdin.close()
        process.stdin = None
        process.stdout.readline()
        assert command("push", tgz, f"oci://{host}/charts").returncode == 3
        run("push", tgz, f"oci://{host}/charts", "--username", "ada", "--password", "secret")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_serve_says_what_it_cannot_start_with(tmp_path: pathlib.Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:secret\n")
    for words, said in [
        (["--listen", "nosuch.invalid:0", "--anonymous"], "cannot listen on nosuch.invalid:0: "),
        (["--htpasswd", str(users)], f"{users}:1: line 1 of the password file"),
        (["--htpasswd", str(users), "--username", "ada", "--password", "x"], "--htpasswd and --username"),
    ]:
        done = command("serve", *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert "Unknown error" not in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_at_once_with_connections_open(number: signal.Signals) -> None:
    process = serve("--listen", "127.0.0.1:0")
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        began = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=10)
        assert time.monotonic() - began < 2
    assert process.returncode == (0 if number == signal.SIGTERM else 130)


def test_the_time_of_a_package_comes_from_its_option_then_from_the_environment(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")

    def times(*words: str, **environment: str) -> set[int]:
        command = [sys.executable, "-m", "chartoci", "package", str(tmp_path / "web"), "-d", str(tmp_path), *words]
        subprocess.run(command, check=True, capture_output=True, env={**QUIET, **environment})
        with tarfile.open(tmp_path / "web-1.0.0.tgz") as archive:
            return {int(entry.mtime) for entry in archive}

    os.utime(tmp_path / "web" / "Chart.yaml", (1_600_000_000, 1_600_000_000))
    assert times() == {1_600_000_000}
    assert times(SOURCE_DATE_EPOCH="1700000000") == {1_700_000_000}
    assert times("--created", "2020-01-02T03:04:05Z", SOURCE_DATE_EPOCH="1700000000") == {1_577_934_245}


def test_a_time_that_is_none_is_called_by_where_it_stands(tmp_path: pathlib.Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    command = [sys.executable, "-m", "chartoci", "package", str(tmp_path), "-d", str(tmp_path)]
    for words, variable, name in [
        ([], "99999999999999999999", "SOURCE_DATE_EPOCH"),
        ([], "-1", "SOURCE_DATE_EPOCH"),
        (["--created", "9" * 30], "", "--created"),
    ]:
        done = subprocess.run([*command, *words], capture_output=True, text=True, env={**QUIET, "SOURCE_DATE_EPOCH": variable})
        assert done.returncode == 2 and done.stderr.startswith(f"Error: {name}: "), done.stderr
    for moment in (1 << 63, -(1 << 64)):
        with pytest.raises(chartoci.MisuseError, match="out of range"):
            chartoci.package(tmp_path, created=moment)


def test_output_that_nobody_reads_is_no_error(tgz: pathlib.Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m chartoci show all {tgz!s} | head -c 1", shell=True, capture_output=True, env=QUIET
    )
    assert done.stderr == b""


def test_the_version_is_a_document_where_one_is_wanted() -> None:
    assert run("--version") == f"chartoci {VERSION}\n"
    for words in (["--json", "--version"], ["--version", "--json"]):
        assert json.loads(run(*words)) == {"version": VERSION}


def test_serve_keeps_stdout_for_one_document(tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    process = serve(tmp_path / "registry", "--listen", "127.0.0.1:0", "--json")
    try:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["serving"] == str(tmp_path / "registry")
        run("push", tgz, f"oci://{first['url'].removeprefix('http://')}/charts")
    finally:
        process.send_signal(signal.SIGTERM)
        said, log = process.communicate(timeout=10)
    assert said == "" and "PUT /v2/charts/web/manifests/" in log


def test_serve_does_not_take_a_file_for_a_port(web: pathlib.Path) -> None:
    done = command("serve", web / "Chart.yaml", "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert str(web / "Chart.yaml") in done.stderr and "a file stands there" in done.stderr
    assert "port" not in done.stderr and "listen" not in done.stderr


@pytest.mark.parametrize(
    ("words", "says", "usage"),
    [
        (["tags", "oci://x/y", "--timeout", "abc"], "'abc' is no length of time: write 30, 30s, 5m or 1h30m", "chartoci tags"),
        (["tags", "oci://x/y", "--timeout", "0s"], "'0s' leaves no time for anything", "chartoci tags"),
        (["push", "web.tgz", "--created", "5", "oci://x/y"], "unrecognized arguments: --created", "chartoci push"),
        (["registry", "login", "x", "--bogus"], "unrecognized arguments: --bogus\n", "chartoci registry login"),
        (["tags", "oci://x/y", "and more"], "unrecognized arguments: and more\n", "chartoci tags"),
        (["--bogus"], "unrecognized arguments: --bogus\n", "chartoci"),
        (["pull", "--versoin", "1", "oci://x/y"], "unrecognized arguments: --versoin; is --version meant?\n", "chartoci pull"),
        (["pul", "oci://x/y"], "'pul' is no VERB; is pull meant?\n", "chartoci"),
        (["help", "pul"], "'pul' is no VERB; is pull meant?\n", "chartoci"),
        (["show", "value", "web"], "'value' is no section; is values meant?\n", "chartoci show"),
        (["pull", "--sign", "oci://x/y"], "unrecognized arguments: --sign\n", "chartoci pull"),
        (["login", "x", "--pasword=secret"], "unrecognized arguments: --pasword; is --password meant?\n", "chartoci login"),
        (["login", "x", "-u", "ada", "secret"], "unrecognized arguments: one too many, which may be a password\n", "chartoci login"),
        (["tags", "oci://x/y", "--username", "ada", "secret"], "unrecognized arguments: one too many,", "chartoci tags"),
        (["tags", "oci://x/y", "-psecret"], "unrecognized arguments: -p\n", "chartoci tags"),
        (["push", "a", "oci://x/y", "--if-exists", "no"], "'no' is no --if-exists; there are overwrite,", "chartoci push"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_the_usage_of_its_verb(words: list[str], says: str, usage: str) -> None:
    done = command(*words)
    assert done.returncode == 2
    assert says in done.stderr and re.search(rf"^usage: {usage}\b.* \[flags\]$", done.stderr, re.MULTILINE)
    assert f"`{usage} --help`" in done.stderr and "secret" not in done.stderr + done.stdout


def test_answers_that_cannot_be_written_say_so_and_closed_streams_are_none(tgz: pathlib.Path, web: pathlib.Path) -> None:
    def shell(line: str) -> "subprocess.CompletedProcess[str]":
        words = f"{sys.executable} -m chartoci"
        return subprocess.run(line.format(chartoci=words, tgz=tgz, web=web), shell=True, capture_output=True, text=True, env=QUIET)

    for verb in ("show all {tgz}", "--help", "check {web}", "check {web} --format sarif", "completion bash"):
        done = shell(f"{{chartoci}} {verb} > /dev/full")
        assert done.returncode == 5, verb
        assert done.stderr == (
            "Error: stdout: No space left on device\n"
            "Check the room on the disk; the system's own words say more. [files.storage]\n"
        )
    done = shell("{chartoci} show all {tgz} >&-; echo $?")
    assert (done.stdout, done.stderr) == ("0\n", "")
    for streams in ("2>&-", "2> /dev/full", "2>&- <&-"):
        done = shell(f"{{chartoci}} show all /nowhere {streams}")
        assert (done.returncode, done.stdout, done.stderr) == (4, "", ""), streams


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are texts")
def test_a_name_that_is_no_utf8_is_no_accident(web: pathlib.Path, tmp_path: pathlib.Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9"

    def ask(*words: str | bytes) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-m", "chartoci", *words], capture_output=True, text=True, env=QUIET)

    done = ask("show", "chart", name)
    assert (done.returncode, done.stderr.partition(":")[0]) == (4, "Error") and "caf\ufffd" in done.stderr
    shutil.copytree(web, os.fsdecode(name))
    assert ask("show", "chart", name).returncode == 0
    for words in (["check", name], ["package", name, "-d", tmp_path], ["tags", b"oci://caf\xe9/x"], ["explain", b"caf\xe9"]):
        done = ask(*words)
        assert "Traceback" not in done.stderr and done.returncode in (0, 2), done.stderr


def test_what_is_meant_is_guessed(chart_registry: Registry, tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert "Is registry.exists meant?" in command("explain", "registry.exits").stderr
    areas = command("explain", "nosuch").stderr.partition("There are: ")[2].partition(".")[0].split(", ")
    assert "reference" in areas and len(areas) == len(set(areas))
    for area in areas:
        codes = [line.partition(":")[0] for line in command("explain", area).stdout.splitlines()]
        assert codes == [entry.code for entry in chartoci.codes() if entry.code.startswith(f"{area}.")]
    assert "Is reference meant?" in command("explain", "refrence").stderr
    assert "write oci://REGISTRY/bitnami/nginx" in command("show", "chart", "bitnami/nginx").stderr
    assert "write oci://reg.example/bitnami/nginx" in command("check", "reg.example/bitnami/nginx").stderr
    assert "oci://" not in command("check", "/nowhere/web").stderr
    done = command("--attempts", "1", "pull", "no-such-host-at-all/nginx")
    assert done.returncode == 5 and "no-such-host-at-all was taken for a registry" in done.stderr
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    reference = f"oci://{chart_registry.host}/charts/web"
    done = command("versions", reference, ">9")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No version fits.\n")
    assert command("referrers", f"{reference}:1.2.0_demo.1").stderr == "Nothing refers to it.\n"
    for code in (0, 9):
        done = command("pull", reference, "--untar", "-d", tmp_path)
        assert done.returncode == code
    assert str(tmp_path / "web") in done.stderr


def test_a_check_in_a_registry_names_it_once_and_misses_no_provenance(chart_registry: Registry, tgz: pathlib.Path) -> None:
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    done = command("check", f"oci://{chart_registry.host}/charts/web")
    assert f" --> oci://{chart_registry.host}/charts/web:1.2.0_demo.1/Chart.yaml" in done.stdout
    assert "oci://oci://" not in done.stdout and done.stderr == ""


def test_without_a_verb_help_is_what_is_said() -> None:
    assert run() == run("--help")
    assert run("registry") == run("registry", "--help")


def test_what_the_core_calls_an_option_is_called_as_the_flag_here(tmp_path: pathlib.Path) -> None:
    for flag, value, most in (
        ("--attempts", "0", 4294967295),
        ("--attempts", "-3", 4294967295),
        ("--attempts", "9" * 30, 4294967295),
        ("--concurrency", "0", 255),
        ("--concurrency", "9999", 255),
    ):
        done = command("--json", "tags", "oci://127.0.0.1:1/x", flag, value)
        error = json.loads(done.stdout)["error"]
        assert (error["message"], error["hint"]) == (f"`{flag}` is {value}", f"Pass a whole number from 1 to {most}.")
        assert done.stderr == f"Error: `{flag}` is {value}\nPass a whole number from 1 to {most}.\n"
    done = command("--json", "tags", "oci://127.0.0.1:1/x", "--timeout", "9" * 30)
    assert json.loads(done.stdout)["error"]["message"].startswith("`--timeout` is ")


def test_an_error_names_its_code_beside_what_to_do() -> None:
    assert command("show", "chart", "/nowhere").stderr.rstrip().endswith(" [files.not_found]")


@pytest.mark.parametrize("words", [["push", "{tgz}", "oci://{host}/charts"], ["login", "{host}"], ["serve"]])
def test_an_empty_password_on_stdin_and_two_of_them_are_refused(
    words: list[str], tgz: pathlib.Path, chart_registry: Registry
) -> None:
    words = [word.format(tgz=tgz, host=chart_registry.host) for word in words]
    for more, stdin, says in (
        ([], "", "there is no password on stdin"),
        ([], "\n", "there is no password on stdin"),
        (["--password", "x"], "y\n", "--password and --password-stdin say it twice"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "chartoci", *words, "--username", "ada", "--password-stdin", *more],
            input=stdin, capture_output=True, text=True, env=QUIET, timeout=30,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "") and says in done.stderr
    assert chart_registry.requests == []


@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape"])
def test_a_password_on_stdin_that_is_no_text_is_refused_and_not_shown(chart_registry: Registry, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chartoci", "login", chart_registry.host, "--username", "ada", "--password-stdin"],
        input=b"secret\xff", capture_output=True, env=QUIET | {"PYTHONIOENCODING": encoding}, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"") and chart_registry.requests == []
    assert done.stderr.startswith(b"Error: --password-stdin: what is on stdin is no UTF-8\n") and b"secret" not in done.stderr


@pytest.mark.parametrize("verb", [["pull"], ["show", "chart"]])
def test_a_signature_that_is_to_be_verified_is_refused_before_any_request(
    verb: list[str], chart_registry: Registry, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    reference = f"oci://{chart_registry.host}/charts/web:1.2.0_demo.1"
    del chart_registry.requests[:]
    place = ["-d", tmp_path / "out"] if verb == ["pull"] else []
    for more in ([], ["--keyring", tmp_path / "keys.gpg"]):
        done = command(*verb, reference, "--verify", *more, *place)
        assert (done.returncode, done.stdout) == (11, "")
        assert "helm verify" in done.stderr and "`--prov`" in done.stderr
    assert chart_registry.requests == [] and not (tmp_path / "out").exists()
    # As Helm: without --verify the keyring is for nobody.
    assert run(*verb, reference, "--keyring", "keys.gpg", *place)


def test_inspect_finds_no_fault_with_what_is_no_chart_by_right(chart_registry: Registry, tgz: pathlib.Path) -> None:
    run("push", tgz, f"oci://{chart_registry.host}/charts")
    host = chart_registry.host
    with chartoci.Client(credentials=None) as client:
        config = client.artifact(f"oci://{host}/charts/web:1.2.0_demo.1").config_descriptor
    assert config is not None
    blob = {"digest": str(config.digest), "size": config.size}
    manifest = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **blob},
        "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", **blob}],
    }
    url = f"http://{host}/v2/charts/web/manifests/sha256-1.sig"
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(manifest).encode(), kind, method="PUT")).close()
    reference = f"oci://{host}/charts/web:sha256-1.sig"
    done = command("inspect", reference)
    assert done.stdout.startswith("signature\n") and "not_a_chart" not in done.stdout and done.stderr == ""
    assert command("check", reference).returncode == 1
    assert "artifact.not_a_chart" in command("pull", reference).stderr


def test_every_flag_says_what_it_does() -> None:
    from argparse import SUPPRESS

    from chartoci.cli.completion import table
    from chartoci.cli.options import parser

    def flags(made: ArgumentParser) -> Iterator[tuple[str, str]]:
        for action in made._actions:
            if isinstance(action, _SubParsersAction):
                for verb in action.choices.values():
                    yield from flags(verb)
            elif action.option_strings and action.help is not SUPPRESS:
                yield f"{made.prog} {action.option_strings[-1]}", action.help or ""

    told = dict(flags(parser()))
    assert len(told) > 100 and len(list(table(parser()))) > 10
    assert [flag for flag, help in told.items() if not help] == []
    assert "127.0.0.1:5000" in told["chartoci serve --listen"]


def test_a_line_does_not_stick_to_the_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    options = Namespace(json=False, quiet=False, no_progress=False)
    tell = output.watch(options)
    tell(Progress("chart", 5, 10))
    tell(Retrying(1.0, "no connection"))
    tell(Retrying(1.0, "no connection"))
    tell(Retrying(1.0, "again"))
    tell(Progress("chart", 7, 10))
    output.failed(chartoci.ChartOciError("gone"), as_json=False)
    said = capsys.readouterr().err
    assert "MB\r\x1b[Ktrying again in 1.0 s: no connection\ntrying again in 1.0 s: again\n\r" in said
    assert said.endswith("MB\r\x1b[KError: gone\n")


def test_control_c_while_it_is_still_starting_is_an_interruption_as_later() -> None:
    program = """
import sys
class Interrupts:
    def find_spec(self, name, *_):
        if name == "chartoci.cli.options":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from chartoci.cli import main
sys.exit(main(["version"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=QUIET)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: interrupted\n")
