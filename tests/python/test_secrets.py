"""Where secrets go: to the registry and the token server that it may name, to nobody else, and into no message."""

import base64
import functools
import json
import logging
import os
import pathlib
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import chartoci
import pytest
from chartoci.cli import main
from chartoci.testing import Fault, Registry
from conftest import serving

USER, SECRET, TOKEN, SIGNATURE = "ada", "hunter2-password", "t0ken-of-the-server", "s1gned-by-the-store"
BASIC = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
SECRETS = (SECRET, BASIC, BASIC.rstrip("="), TOKEN, SIGNATURE)


class Seen(NamedTuple):
    """A request, as an origin saw it."""

    method: str
    path: str
    authorization: str | None


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def origin(answer: Callable[[str, str], Answer]) -> Iterator[tuple[int, list[Seen]]]:
    """An origin of its own on loopback: its port, and what it sees."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(Seen(self.command, self.path, self.headers.get("Authorization")))
            assert self.headers.get("Cookie") is None
            status, fields, body = answer(self.command, self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **fields}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = respond

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        yield port, seen


@pytest.fixture
def drive(drive: Callable[..., Any]) -> Callable[..., Any]:
    """With user and password, unless it is told otherwise."""
    return functools.partial(drive, credentials=(USER, SECRET))


# T-CRED-1: redirects


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["another port", "another name"])
def test_t_cred_1_a_redirect_to_another_origin_takes_no_credential_along(
    host: str, drive: Callable[..., Any], chart: bytes
) -> None:
    with origin(lambda method, path: (200, {}, chart)) as (port, seen):
        away = Fault(307, (("Location", f"http://{host}:{port}/store/blob?signature={SIGNATURE}"),))
        layer = chartoci.Artifact.build(chartoci.Archive.read(chart)).chart_layer
        assert layer is not None

        def faults(method: str, target: str) -> Fault | None:
            return away if method == "GET" and str(layer.digest) in target else None

        with Registry(username=USER, password=SECRET, faults=faults) as registry:
            drive("push", chart, f"oci://{registry.host}/charts")
            assert drive("open", f"{registry.host}/charts/web:1.2.0+demo.1").data == chart
    assert [(request.method, request.authorization) for request in seen] == [("GET", None)]


def test_t_cred_1_a_redirect_on_the_same_origin_keeps_the_credential(drive: Callable[..., Any]) -> None:
    def answer(method: str, path: str) -> Answer:
        if path == "/v2/web/tags/list":
            return 307, {"Location": "/v2/other/tags/list"}, b""
        return 200, {}, b'{"tags": ["1.0.0"]}'

    with origin(answer) as (port, seen):
        challenge = (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")
        first = iter([challenge])
        with origin(lambda method, path: next(first, None) or answer(method, path)) as (port, seen):
            assert drive("tags", f"127.0.0.1:{port}/web") == ["1.0.0"]
    assert [request.authorization for request in seen] == [None, f"Basic {BASIC}", f"Basic {BASIC}"]


def test_t_cred_1_a_login_that_a_redirect_leads_to_gets_no_credential(drive: Callable[..., Any]) -> None:
    with origin(lambda method, path: (401, {"WWW-Authenticate": 'Basic realm="mine"'}, b"")) as (there, seen):
        to = {"Location": f"http://127.0.0.1:{there}/v2/web/tags/list"}
        with origin(lambda method, path: (307, to, b"")) as (here, _), pytest.raises(chartoci.DeniedError) as caught:
            drive("tags", f"127.0.0.1:{here}/web")
    assert caught.value.code == "auth.foreign"
    assert seen and all(request.authorization is None for request in seen)


# T-CRED-2: uploads


def test_t_cred_2_an_upload_to_another_origin_takes_no_credential_along(drive: Callable[..., Any], chart: bytes) -> None:
    with origin(lambda method, path: (201, {}, b"")) as (port, seen):
        away = Fault(202, (("Location", f"http://127.0.0.1:{port}/upload?signature={SIGNATURE}"),))
        faults = {"POST": away, "PUT": Fault(201, ())}
        challenged: list[str] = []

        def fault(method: str, target: str) -> Fault | None:
            if not challenged:
                challenged.append(target)
                return Fault(401, (("WWW-Authenticate", 'Basic realm="x"'),))
            return faults.get(method)

        with Registry(faults=fault) as registry:
            drive("push", chart, f"oci://{registry.host}/charts")
    assert {request.method for request in seen} == {"PUT"}
    assert all(request.authorization is None for request in seen)


# T-CRED-3: token servers


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/latest/token",
        "http://10.0.0.1/token",
        "http://user:pw@127.0.0.1:PORT/token",
        "http://[::ffff:127.0.0.1]:PORT/token",
        "http://localhost.:PORT/token",
        "http://2130706433:PORT/token",
        "http://0.0.0.0:PORT/token",
        "ftp://127.0.0.1:PORT/token",
        "//127.0.0.1:PORT/token",
    ],
)
def test_t_cred_3_a_token_server_where_none_may_be_is_never_asked(realm: str, drive: Callable[..., Any]) -> None:
    with origin(lambda method, path: (200, {}, b"{}")) as (there, seen):
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm.replace("PORT", str(there))}",service="x"'}
        with origin(lambda method, path: (401, challenge, b"")) as (here, asked):
            with pytest.raises(chartoci.ProtocolError) as caught:
                drive("tags", f"127.0.0.1:{here}/web")
    assert caught.value.code == "auth.realm"
    assert not seen and [request.authorization for request in asked] == [None]
    assert "pw@" not in f"{caught.value!r} {caught.value.to_dict()}"


def test_t_cred_3_a_registry_that_speaks_https_names_no_token_server_that_does_not(drive: Callable[..., Any]) -> None:
    with origin(lambda method, path: (200, {}, b"{}")) as (there, seen):
        challenge = Fault(401, (("WWW-Authenticate", f'Bearer realm="http://127.0.0.1:{there}/token"'),))
        with Registry(tls=True, faults=lambda method, target: challenge) as registry:
            with pytest.raises(chartoci.ProtocolError) as caught:
                drive("tags", f"{registry.host}/web", ca_file=registry.ca_file)
    assert caught.value.code == "auth.realm" and not seen


def test_t_cred_3_the_password_goes_to_the_token_server_and_the_token_to_the_registry(drive: Callable[..., Any]) -> None:
    token = json.dumps({"token": TOKEN}).encode()
    with origin(lambda method, path: (200, {}, token)) as (there, seen):
        realm = {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{there}/token",service="x"'}
        replies = iter([(401, realm, b"")])
        with origin(lambda method, path: next(replies, (200, {}, b'{"tags": []}'))) as (here, asked):
            assert drive("tags", f"127.0.0.1:{here}/web") == []
    assert [request.authorization for request in seen] == [f"Basic {BASIC}"]
    assert [request.authorization for request in asked] == [None, f"Bearer {TOKEN}"]


def test_t_cred_3_a_token_server_that_redirects_hands_nothing_on(drive: Callable[..., Any]) -> None:
    token = json.dumps({"token": TOKEN}).encode()
    with origin(lambda method, path: (200, {}, token)) as (third, seen):
        to = {"Location": f"http://127.0.0.1:{third}/token"}
        with origin(lambda method, path: (307, to, b"")) as (second, _):
            realm = {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{second}/token"'}
            replies = iter([(401, realm, b"")])
            with origin(lambda method, path: next(replies, (200, {}, b'{"tags": []}'))) as (first, _):
                drive("tags", f"127.0.0.1:{first}/web")
    assert [request.authorization for request in seen] == [None]


# T-CRED-4: hosts are compared whole


def auths(*hosts: str) -> str:
    return json.dumps({"auths": {host: {"auth": BASIC} for host in hosts}})


def test_t_cred_4_nobody_who_is_only_named_alike_gets_a_secret(
    drive: Callable[..., Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text(auths("azurecr.io", "registry.example", "127.0.0.1", "localhost:1", "1"))
    monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nowhere"))
    with origin(lambda method, path: (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")) as (port, seen):
        with pytest.raises(chartoci.DeniedError):
            drive("tags", f"127.0.0.1:{port}/web", credentials=chartoci.DEFAULT)
    assert seen and all(request.authorization is None for request in seen)
    with chartoci.Client() as client:
        for host in (
            "evil.azurecr.io.attacker.com",
            "evil.azurecr.io",
            "azurecr.io.attacker.com",
            "azurecr.io:444",
            "registry.example.evil.test",
            "evil-registry.example",
            "a.registry.example",
            "registry.exampl",
        ):
            assert client.explain_credentials(f"{host}/web").username is None, host
        assert client.explain_credentials("registry.example/web").username == USER


def test_t_cred_4_a_pair_is_for_the_target_of_a_copy_alone(drive: Callable[..., Any]) -> None:
    with Registry() as target, origin(lambda method, path: (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")) as (port, seen):
        with pytest.raises(chartoci.DeniedError):
            drive("copy", f"127.0.0.1:{port}/web:1.0.0", f"{target.host}/web:1.0.0")
    assert seen and all(request.authorization is None for request in seen)


# T-CRED-5: a broken file never leads to another's secret


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": []}', '{"auths": {"HOST": "x"}}', '{"auths": {"HOST": {"auth": "%"}}}'])
def test_t_cred_5_a_broken_file_never_falls_through(
    text: str, drive: Callable[..., Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with origin(lambda method, path: (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")) as (port, seen):
        host = f"127.0.0.1:{port}"
        (tmp_path / "helm.json").write_text(text.replace("HOST", host))
        (tmp_path / "config.json").write_text(auths(host))
        monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(tmp_path / "helm.json"))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(chartoci.InvalidError) as caught:
            drive("tags", f"{host}/web", credentials=chartoci.DEFAULT)
    assert caught.value.code == "auth.credentials_file"
    assert seen and all(request.authorization is None for request in seen)


# T-TLS-1: one policy for registries, token servers and redirects


def test_t_tls_1_who_is_believed_is_the_same_everywhere(drive: Callable[..., Any]) -> None:
    with Registry(tls=True) as stranger, origin(lambda method, path: (200, {}, b"{}")) as (port, seen):
        for fault, code in [
            (Fault(401, (("WWW-Authenticate", f'Bearer realm="https://{stranger.host}/token"'),)), "transport.tls"),
            (Fault(307, (("Location", f"https://{stranger.host}/v2/web/tags/list"),)), "transport.tls"),
            (Fault(307, (("Location", f"http://127.0.0.1:{port}/v2/web/tags/list"),)), "protocol.redirect"),
            (Fault(401, (("WWW-Authenticate", f'Bearer realm="http://127.0.0.1:{port}/token"'),)), "auth.realm"),
        ]:
            with Registry(tls=True, faults=lambda method, target, fault=fault: fault) as registry:
                with pytest.raises(chartoci.ChartOciError) as caught:
                    drive("tags", f"{registry.host}/web", ca_file=registry.ca_file)
            assert caught.value.code == code
        assert not seen and not stranger.requests


# T-SECRET-1: nothing that a run says holds a secret


def told(error: BaseException) -> str:
    """All that a program could print of an error."""
    text = [repr(error), str(error), *traceback.format_exception(error)]
    if isinstance(error, chartoci.ChartOciError):
        text += [json.dumps(error.to_dict()), repr(vars(error)), repr(error.__reduce__())]
    return "\n".join(text)


@pytest.mark.parametrize("token", [False, True], ids=["Basic", "Bearer"])
def test_t_secret_1_nothing_that_a_client_says_holds_a_secret(
    token: bool, drive: Callable[..., Any], chart: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    faults: dict[str, Fault] = {}
    location = ("Location", f"http://127.0.0.1:1/store?signature={SIGNATURE}")

    def fault(method: str, target: str) -> Fault | None:
        return next((found for start, found in faults.items() if f"{method} {target}".startswith(start)), None)

    with Registry(username=USER, password=SECRET, token=token, faults=fault) as registry:
        target = f"oci://{registry.host}/charts"
        said.append(repr(drive("push", chart, target)))
        for broken in [
            {},
            {"GET /v2/charts/web/tags": Fault(500, (), f"wrong: {SIGNATURE}".encode()[:7])},
            {"GET /v2/charts/web/tags": Fault(307, (location,))},
            {"GET /v2/charts/web/tags": Fault(reset=True)},
            {"GET /v2/charts/web/tags": Fault(403, (), b"no")},
            {"GET /token": Fault(500, (), b"<html>")},
            {"GET /token": Fault(200, (), json.dumps({"token": f"{TOKEN}\r\n"}).encode())},
            {"GET /token": Fault(200, (), json.dumps({"token": TOKEN}).encode())},
            {"GET /token": Fault(307, (location,))},
        ]:
            faults.clear()
            faults.update(broken)
            try:
                said.append(repr(drive("tags", f"{target}/web")))
            except chartoci.ChartOciError as error:
                said.append(told(error))
        faults.clear()
        for wrong in [(USER, SECRET + "x"), SECRET, chartoci.Token(SECRET, "identity"), (USER, "", SECRET)]:
            try:
                said.append(repr(drive("push", chart, target, credentials=wrong)))
            except (chartoci.ChartOciError, TypeError) as error:
                said.append(told(error))
        client = chartoci.Client(credentials=(USER, SECRET))
        said += [repr(client), repr(chartoci.Token(SECRET)), repr(client._session)]
    said.append(caplog.text)
    for secret in SECRETS:
        assert secret not in "\n".join(said), secret


PAIR = f"{USER}:{SECRET}@reg.example/x"
ADDRESSES = [f"https://{PAIR}", f"oci://{PAIR}", PAIR, f"oci://{TOKEN}@reg.example/x"]


@pytest.mark.parametrize("address", ADDRESSES, ids=["https", "oci", "bare", "token"])
def test_t_secret_1_a_password_in_an_address_is_repeated_by_no_verb(
    address: str, tgz: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no directory")
    words = [
        *([verb, address] for verb in ("login", "logout", "tags", "versions", "resolve", "inspect", "delete", "referrers", "pull")),
        *([verb, address] for verb in ("check", "package", "explain", "credentials", "completion", "help")),
        ["check", "--format", "sarif", address, tgz],
        ["push", tgz, address],
        ["push", address, "oci://reg.example/x"],
        ["show", "chart", address],
        ["show", address, tgz],
        ["copy", address, "oci://reg.example/y:1"],
        ["copy", "oci://reg.example/y:1", address],
        ["pull", "oci://reg.example/x", address],
        ["pull", "oci://127.0.0.1:1/x", "-d", f"file/{address}", "--attempts", "1"],
        ["tags", "oci://127.0.0.1:1/x", address],
        ["tags", "oci://127.0.0.1:1/x", "--attempts", "1", "--ca-file", address],
        ["tags", "oci://127.0.0.1:1/x", "--attempts", "1", "--registry-config", address],
        ["tags", "oci://127.0.0.1:1/x", "--timeout", address],
        ["tags", "oci://127.0.0.1:1/x", f"--attempts={address}"],
        ["versions", "oci://127.0.0.1:1/x", address],
        ["package", tmp_path, "--created", address],
        ["package", tmp_path, "--version", address],
        ["serve", "--listen", address],
        ["serve", "--cors-origin", address],
        ["serve", "--htpasswd", address, "--listen", "127.0.0.1:0"],
        ["serve", f"file/{address}", "--listen", "127.0.0.1:0"],
        [address],
    ]
    for form in ([], ["--json"]):
        for line in words:
            code = main([*form, *map(str, line)])
            said = "".join(capfd.readouterr())
            assert code != 0 and SECRET not in said and TOKEN not in said, (line, said)
    main(["push", str(tgz), address])
    assert f"[reference.{'scheme' if address.startswith('https') else 'userinfo'}]" in capfd.readouterr().err


@pytest.mark.parametrize("address", ADDRESSES[:3], ids=["https", "oci", "bare"])
def test_t_secret_1_a_password_in_an_address_is_repeated_by_no_function(
    address: str, client: chartoci.Client, tgz: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: client.push(tgz, address),
        lambda: client.push(address, "oci://reg.example/x"),
        lambda: client.pull(address, tmp_path),
        lambda: client.open(address),
        lambda: client.copy(address, "oci://reg.example/x:1"),
        lambda: client.login(address, USER, "x"),
        lambda: client.explain_credentials(address),
        lambda: client.tags(address),
        lambda: chartoci.Client(ca_file=address).tags("oci://reg.example/x"),
        lambda: chartoci.Archive.read(address),
        lambda: chartoci.Metadata.peek(address),
        lambda: chartoci.Artifact.build(address),
        lambda: chartoci.check(address),
        lambda: chartoci.check(address, "values"),
        lambda: chartoci.show(address),
        lambda: chartoci.package(address),
        lambda: chartoci.Reference.parse(address),
    ]
    for call in calls:
        with pytest.raises(chartoci.ChartOciError) as caught:
            call()
        assert SECRET not in told(caught.value), told(caught.value)


def test_t_secret_1_nothing_that_the_command_line_says_holds_a_secret(tgz: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONDEVMODE": "1"}
    for name in ("HELM_REGISTRY_CONFIG", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        environment.pop(name, None)

    def run(*words: object, stdin: str = "") -> None:
        command = [sys.executable, "-m", "chartoci", *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=60)
        said.append(f"{words} {done.returncode}\n{done.stdout}\n{done.stderr}")

    for token in (False, True):
        with Registry(username=USER, password=SECRET, token=token) as registry:
            target = f"oci://{registry.host}/charts"
            for json_flag in [["--json"] if token else []]:
                run(*json_flag, "login", registry.host, "-u", USER, "--password-stdin", stdin=SECRET)
                run(*json_flag, "login", registry.host, "-u", USER, "--password-stdin", stdin=SECRET + "x")
                run(*json_flag, "login", f"{USER}:pw@{registry.host}")
                run(*json_flag, "push", tgz, target)
                run(*json_flag, "tags", f"{target}/web")
                run(*json_flag, "tags", f"{target}/nothing")
                run(*json_flag, "pull", f"{target}/web:9.9.9", "-d", tmp_path)
                run(*json_flag, "registry", "credentials", f"{target}/web")
                run(*json_flag, "logout", registry.host)
                run(*json_flag, "push", tgz, target, "--username", USER, "--password-stdin", stdin=SECRET)
                run(*json_flag, "push", tgz, target)
    for broken in ('{"auths": {"127.0.0.1:1": {"auth": "%s"}' % BASIC, '{"auths": {"127.0.0.1:1": "%s"}}' % SECRET):
        (tmp_path / "broken.json").write_text(broken)
        run("--json", "registry", "credentials", "127.0.0.1:1/x", "--registry-config", tmp_path / "broken.json")
    everything = "\n".join(said)
    assert "Login Succeeded" in everything and "auth.refused" in everything and "auth.credentials_file" in everything
    for secret in (*SECRETS, ":pw@"):
        assert secret not in everything.replace(f"'{USER}:pw@", ""), secret
