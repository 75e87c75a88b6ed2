"""login, logout, the files and helpers that credentials are kept in: on real files, with real programs."""

import asyncio
import base64
import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import chartoci
import pytest
from chartoci.serving import Server
from chartoci.testing import Fault, Registry
from test_secrets import origin

SECRET = "hunter2-secret"


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A home directory of its own, that nobody has used yet."""
    for name in ("HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def helper(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pathlib.Path]:
    """`helper("pass", "echo …")`: a credential helper in PATH; gives the file in which it writes down its calls."""

    def make(name: str, script: str) -> pathlib.Path:
        programs = home / "bin"
        programs.mkdir(exist_ok=True)
        program, calls = programs / f"docker-credential-{name}", home / f"calls-{name}"
        program.write_text(f'#!/bin/sh\ninput=$(cat)\necho "$1 $input" >> {calls}\n{textwrap.dedent(script)}\n')
        program.chmod(0o755)
        return calls

    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
    return make


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(username="ada", password=SECRET) as registry:
        yield registry


def helm_file(home: pathlib.Path) -> pathlib.Path:
    return home / ".config" / "helm" / "registry" / "config.json"


def write(path: pathlib.Path, document: object) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def auth(user: str = "ada", password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_login_is_stored_as_helm_stores_it(home: pathlib.Path, registry: Registry, chart: bytes) -> None:
    with chartoci.Client() as client:
        with pytest.raises(chartoci.DeniedError):
            client.push(chart, f"oci://{registry.host}/charts")
        done = client.login(f"oci://{registry.host}/some/path", "ada", SECRET)
        assert (done.registry, done.path, done.helper, done.checked) == (registry.host, helm_file(home), None, True)
        assert str(done) == "Login Succeeded"
        text = json.dumps({"auths": {registry.host: auth()}}, indent="\t")
        assert helm_file(home).read_text() == text
        for path in (helm_file(home), *list(helm_file(home).parents)[:3]):
            assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path == helm_file(home) else 0o700)
        client.push(chart, f"oci://{registry.host}/charts")
        assert client.logout(registry.host).removed
        assert helm_file(home).read_text() == '{\n\t"auths": {}\n}'
        assert not client.logout(registry.host).removed
        with pytest.raises(chartoci.DeniedError):
            client.tags(f"{registry.host}/charts/web")
    assert [path.name for path in helm_file(home).parent.iterdir()] == ["config.json"]


def test_a_home_that_is_empty_is_the_one_that_the_system_knows(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pwd

    for value in ("", None):
        monkeypatch.setenv("HOME", "") if value == "" else monkeypatch.delenv("HOME")
        with chartoci.Client() as client:
            found = client.explain_credentials("registry.example/charts")
        known = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir)
        assert [asked.store for asked in found.asked] == [
            str(helm_file(known)),
            str(known / ".docker" / "config.json"),
            str(known / ".config" / "containers" / "auth.json"),
            str(known / ".dockercfg"),
        ]

    def nobody(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with chartoci.Client() as client:
        assert client.explain_credentials("registry.example/charts").asked == ()
        with pytest.raises(chartoci.MisuseError) as caught:
            client.logout("registry.example")
    assert "HELM_REGISTRY_CONFIG" in caught.value.hint


@pytest.mark.parametrize("token", [False, True], ids=["Basic", "Bearer"])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_login_is_checked_before_anything_is_stored(home: pathlib.Path, token: bool, tls: bool) -> None:
    with Registry(username="ada", password=SECRET, token=token, tls=tls) as registry:
        with chartoci.Client(ca_file=registry.ca_file) as client:
            with pytest.raises(chartoci.DeniedError) as caught:
                client.login(registry.host, "ada", "wrong-password")
            assert caught.value.code == "auth.refused"
            assert "password" in caught.value.hint
            assert "wrong-password" not in f"{caught.value!r} {caught.value.to_dict()}"
            assert not helm_file(home).exists()
            assert client.login(registry.host, "ada", SECRET).checked
        assert helm_file(home).exists()


def test_a_registry_that_asks_nobody_is_told_of(home: pathlib.Path, chart_registry: Registry) -> None:
    events: list[object] = []
    with chartoci.Client() as client:
        done = client.login(chart_registry.host, "ada", SECRET, progress=events.append)
    assert not done.checked
    assert [event.code for event in events if isinstance(event, chartoci.Notice)] == ["auth.unchecked"]


@pytest.mark.parametrize("form", [False, True], ids=["GET", "POST"])
def test_a_token_server_that_takes_the_password_is_proof_enough(form: bool, home: pathlib.Path) -> None:
    """Harbor refuses its root to a token that is for no repository; others take passwords in a form alone."""
    right = f"Basic {auth()['auth']}"

    def tokens(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        if method == "GET" and form:
            return 405, {}, b""
        asked = server[-1]
        known = form or asked.authorization == right
        return (200, {}, b'{"token": "t"}') if known else (401, {}, b"")

    with origin(tokens) as (port, server):
        challenge = {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{port}/token",service="x"'}
        with origin(lambda method, path: (401, challenge, b"")) as (here, asked):
            with chartoci.Client() as client:
                assert client.login(f"127.0.0.1:{here}", "ada", SECRET).checked
                if not form:
                    with pytest.raises(chartoci.DeniedError) as caught:
                        client.login(f"127.0.0.1:{here}", "ada", "wrong")
                    assert caught.value.code == "auth.refused"
    assert "scope" not in server[0].path
    assert {request.path for request in asked} == {"/v2/"}


def test_what_is_no_registry_is_no_place_to_log_in(home: pathlib.Path) -> None:
    with chartoci.Client(retry=chartoci.RetryPolicy(attempts=1)) as client:
        for name, code in [
            ("user:pw@127.0.0.1:1", "reference.userinfo"),
            ("a b", "reference.registry"),
            ("", "reference.registry"),
            ("127.0.0.1:1", "transport.connect"),
        ]:
            with pytest.raises(chartoci.ChartOciError) as caught:
                client.login(name, "ada", SECRET)
            assert caught.value.code == code
            assert "pw" not in str(caught.value)
        with pytest.raises(chartoci.MisuseError):
            client.login("127.0.0.1:1", "a:b", SECRET)
    assert not helm_file(home).exists()


def test_what_a_file_holds_besides_survives(home: pathlib.Path, registry: Registry) -> None:
    kept = '"zeta": 1.50, "HttpHeaders": {"x": "<y>"}, "big": 12345678901234567890123'
    target = write(home / "elsewhere.json", f'{{{kept}, "auths": {{"z.example": {{"auth": "YTpi", "x": 1e3}}}}}}')
    target.chmod(0o644)
    helm_file(home).parent.mkdir(parents=True)
    helm_file(home).symlink_to(target)
    before = target.read_text()
    with chartoci.Client() as client:
        client.login(registry.host, "ada", SECRET)
        assert helm_file(home).is_symlink()
        assert kept in target.read_text() and '"z.example": {"auth": "YTpi", "x": 1e3}' in target.read_text()
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        client.logout(registry.host)
    assert target.read_text() == before


@pytest.mark.parametrize("text", ["{", '{"auths": []}', '{"auths": {"HOST": {"auth": "!"}}}', '{"credsStore": 1}'])
def test_a_broken_file_is_an_error_and_hides_the_next(
    text: str, home: pathlib.Path, registry: Registry, chart: bytes
) -> None:
    path = write(helm_file(home), "\n" + text.replace("HOST", registry.host))
    write(home / ".docker" / "config.json", {"auths": {registry.host: auth()}})
    with chartoci.Client() as client, pytest.raises(chartoci.InvalidError) as caught:
        client.push(chart, f"oci://{registry.host}/charts")
    assert caught.value.code == "auth.credentials_file"
    assert caught.value.context["line"] == "2" and str(path) in str(caught.value)
    assert not [request for request in registry.requests if request[2] != 401]


def test_two_logins_at_once_lose_none(home: pathlib.Path) -> None:
    config = home / "config.json"
    hosts = [f"reg{number}.example" for number in range(12)]
    script = (
        "import sys; from chartoci.credentials import keep, keeper\n"
        "for host in sys.argv[2:]: keep(keeper(host, ('ada', 'x'), sys.argv[1]))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(config), *hosts[start::4]]) for start in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    assert sorted(json.loads(config.read_text())["auths"]) == sorted(hosts)
    assert list(home.glob("*.lock")) == []


def test_who_dies_while_writing_leaves_the_old_file(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chartoci import files, sansio
    from chartoci.credentials import keep, keeper

    config = write(home / "config.json", {"auths": {"old.example": auth()}})
    before = config.read_text()
    real = files.execute
    for verb in (sansio.Write, sansio.Sync, sansio.Rename):

        def die(asked: object, *rest: Any, verb: type = verb) -> Any:
            if isinstance(asked, verb):
                raise KeyboardInterrupt
            return real(asked, *rest)

        monkeypatch.setattr(files, "execute", die)
        with pytest.raises(KeyboardInterrupt):
            keep(keeper("new.example", ("ada", SECRET), str(config)))
        assert config.read_text() == before
        # What is left behind is nobody else's to read, and is in the way for some seconds only.
        (lock,) = home.glob("*.lock")
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
        os.utime(lock, (time.time() - 60,) * 2)
    monkeypatch.setattr(files, "execute", real)
    keep(keeper("new.example", ("ada", SECRET), str(config)))
    assert sorted(json.loads(config.read_text())["auths"]) == ["new.example", "old.example"]
    assert list(home.glob("*.lock")) == []


def test_a_lock_that_was_made_while_an_old_one_is_removed_stays(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chartoci import files
    from chartoci.sansio import LockFile

    lock = write(home / "config.json.lock", {"left": "behind"})
    os.utime(lock, (time.time() - 60,) * 2)
    real = files.hold

    def late(descriptor: int) -> bool:
        # Somebody else was faster: the old lock is gone, and theirs is in its place.
        monkeypatch.setattr(files, "hold", real)
        lock.unlink()
        lock.write_text("theirs")
        os.utime(lock, (time.time() + 60,) * 2)  # as fresh as they come, for as long as this takes
        return real(descriptor)

    monkeypatch.setattr(files, "hold", late)
    assert isinstance(files.execute(LockFile("config.json.lock", 0.2), home, {}), FileExistsError)
    assert lock.read_text() == "theirs"
    assert [path.name for path in home.iterdir()] == ["config.json.lock"]


def test_a_lock_that_is_held_is_not_taken_however_old_it_is(home: pathlib.Path) -> None:
    from chartoci import files
    from chartoci.sansio import LockFile, Remove, Rename, Sync, Write

    lock, ours, theirs = home / "config.json.lock", dict[str, int](), dict[str, int]()
    assert files.execute(LockFile("config.json.lock", 0.1), home, ours) is None
    os.utime(lock, (time.time() - 60,) * 2)
    assert isinstance(files.execute(LockFile("config.json.lock", 0.1), home, theirs), FileExistsError)
    assert files.execute(Write("config.json.lock", 0, b"ours"), home, ours) is None
    # By hand it can be removed, and made again by another: then who was late changes nothing any more.
    lock.unlink()
    assert files.execute(LockFile("config.json.lock", 0.1), home, theirs) is None
    for verb in (
        Write("config.json.lock", 0, b"late"), Sync("config.json.lock"), Rename("config.json.lock", "config.json"),
        Remove("config.json.lock"),
    ):
        assert isinstance(files.execute(verb, home, ours), FileNotFoundError), verb
    assert files.execute(Write("config.json.lock", 0, b"theirs"), home, theirs) is None
    assert files.execute(Rename("config.json.lock", "config.json"), home, theirs) is None
    assert [(path.name, path.read_text()) for path in home.iterdir()] == [("config.json", "theirs")]
    for descriptor in (*ours.values(), *theirs.values()):
        os.close(descriptor)


def test_a_lost_lock_is_not_made_again_by_what_is_written(home: pathlib.Path) -> None:
    from chartoci import files
    from chartoci.sansio import Write

    answer = files.execute(Write("config.json.lock", 0, b"secret"), home, {})
    assert isinstance(answer, FileNotFoundError)
    assert list(home.iterdir()) == []


# Where credentials are found


def test_helms_file_comes_before_dockers_and_that_before_podmans(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(helm_file(home), {"auths": {"a.example": auth("helm")}})
    write(home / ".docker" / "config.json", {"auths": {host: auth("docker") for host in ("a.example", "b.example")}})
    podman = {"auths": {host: auth("podman") for host in ("a.example", "b.example", "c.example", "c.example/team")}}
    podman["auths"]["c.example/team"] = auth("team")
    write(home / "run" / "containers" / "auth.json", podman)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    write(home / ".dockercfg", {f"https://{host}/v1/": auth("old") for host in ("a.example", "d.example")})
    with chartoci.Client() as client:
        for reference, user, asked in [
            ("a.example/x", "helm", 1),
            ("b.example/x", "docker", 2),
            ("c.example/x", "podman", 3),
            ("c.example/team/x", "team", 3),
            ("d.example/x", "old", 5),
            ("e.example/x", None, 5),
        ]:
            found = client.explain_credentials(reference)
            assert (found.username, len(found.asked)) == (user, asked)
            assert found.source == ("store" if user else None)
            assert SECRET not in f"{found!r} {found} {found.to_dict()}"
            assert json.dumps(found.to_dict())
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"b.example": auth("variable")}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(write(home / "p.json", {"auths": {"d.example": auth("named")}})))
    with chartoci.Client() as client:
        assert client.explain_credentials("b.example/x").username == "variable"
        assert client.explain_credentials("d.example/x").asked[-1].store == str(home / "p.json")
    with chartoci.Client(registry_config=home / "p.json") as client:
        assert client.explain_credentials("d.example/x").asked[0].entry == "d.example"


def test_credentials_that_were_given_are_explained_without_asking_anybody() -> None:
    for given, source, kind in [
        (("ada", SECRET), "given", "basic"),
        (SECRET, "given", "bearer"),
        (chartoci.Token(SECRET, "identity"), "given", "identity"),
        (None, None, None),
        (lambda query: ("ada", SECRET), "callable", None),
    ]:
        with chartoci.Client(credentials=given) as client:  # type: ignore[arg-type]
            found = client.explain_credentials("reg.example/x")
        assert (found.source, found.kind, found.asked) == (source, kind, ())
        assert SECRET not in f"{found!r} {found}"


# Helpers


def test_a_helper_is_asked_for_its_host_alone(
    home: pathlib.Path, helper: Callable[..., pathlib.Path], registry: Registry, chart: bytes
) -> None:
    calls = helper("fake", f"""echo '{{"ServerURL":"x","Username":"ada","Secret":"{SECRET}"}}'""")
    write(home / ".docker" / "config.json", {"credHelpers": {registry.host: "fake", "reg.example": "fake"}})
    with chartoci.Client() as client:
        client.push(chart, f"oci://{registry.host}/charts")
        assert calls.read_text() == f"get {registry.host}\n"
        found = client.explain_credentials(f"{registry.host}/x")
        assert (found.username, found.asked[-1].helper) == ("ada", "docker-credential-fake")
        calls.unlink()
        for other in ("evil.example", "reg.example.evil.example", "evil-reg.example", "reg.example:443", "127.0.0.1:1"):
            assert client.explain_credentials(f"{other}/x").source is None
    assert not calls.exists()


def test_login_and_logout_go_through_the_helper(
    home: pathlib.Path, helper: Callable[..., pathlib.Path], registry: Registry
) -> None:
    calls = helper("fake", "")
    config = write(helm_file(home), '{"credsStore": "fake"}')
    with chartoci.Client() as client:
        done = client.login(registry.host, "ada", SECRET)
        assert (done.helper, done.path) == ("docker-credential-fake", config)
        assert client.logout(registry.host).helper == "docker-credential-fake"
    stored = f'store {{"ServerURL":"{registry.host}","Username":"ada","Secret":"{SECRET}"}}'
    assert calls.read_text().splitlines() == [stored, f"erase {registry.host}"]
    assert config.read_text() == '{"credsStore": "fake"}'


def test_the_platforms_own_store_is_taken_where_a_file_says_nothing(
    home: pathlib.Path, helper: Callable[..., pathlib.Path], registry: Registry
) -> None:
    calls = helper("secretservice", "")
    with chartoci.Client() as client:
        client.login(registry.host, "ada", SECRET)
    assert json.loads(helm_file(home).read_text()) == {"auths": {}, "credsStore": "secretservice"}
    assert SECRET in calls.read_text()


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ("echo 'the keychain is locked'; exit 1", "auth.helper", "the keychain is locked"),
        (f"echo '{SECRET}'", "auth.helper", "no JSON"),
        (f"echo '{{\"Secret\": \"{SECRET}\"'; exit 3", "auth.helper", "status 3"),
        ("yes | head -c 2000000", "auth.helper", "more than"),
        ("kill -9 $$", "auth.helper", "killed"),
        (None, "auth.helper_missing", "docker-credential-fake"),
    ],
    ids=["fails", "no JSON", "broken JSON", "huge", "dies", "missing"],
)
def test_a_helper_that_fails_ends_the_search(
    script: str | None,
    code: str,
    says: str,
    home: pathlib.Path,
    helper: Callable[..., pathlib.Path],
    registry: Registry,
    chart: bytes,
) -> None:
    if script is not None:
        helper("fake", script)
    write(helm_file(home), {"credsStore": "fake"})
    write(home / ".docker" / "config.json", {"auths": {registry.host: auth()}})
    with chartoci.Client() as client, pytest.raises(chartoci.ChartOciError) as caught:
        client.push(chart, f"oci://{registry.host}/charts")
    assert caught.value.code == code
    assert says in str(caught.value) and caught.value.hint
    assert SECRET not in f"{caught.value!r} {caught.value.to_dict()}"
    assert caught.value.context["helper"] == "docker-credential-fake"


@pytest.mark.parametrize("driver", ["blocking", "asynchronous"])
def test_what_everybody_may_read_is_read_though_a_helper_is_missing(
    driver: str, home: pathlib.Path, registry: Registry, chart: bytes
) -> None:
    write(home / ".docker" / "config.json", {"credsStore": "desktop"})
    events: list[object] = []

    def pull(host: str) -> object:
        if driver == "blocking":
            with chartoci.Client() as client:
                return client.open(f"{host}/charts/web:1.2.0+demo.1", progress=events.append).data

        async def main() -> object:
            async with chartoci.AsyncClient() as client:
                archive = await client.open(f"{host}/charts/web:1.2.0+demo.1", progress=events.append)
                return archive.data

        return asyncio.run(main())

    public = Registry(username="ada", password=SECRET, token=True)
    tokens: list[str] = []

    def anonymous(method: str, target: str) -> Fault | None:
        if target.startswith("/token") and "account" not in target:
            tokens.append(target)
            return Fault(200, (), json.dumps({"token": "free"}).encode())
        if tokens and target.startswith("/v2/charts/web/"):
            digest = target.rpartition("/")[2]
            return next((Fault(200, kind, body) for name, kind, body in parts if name == digest), None)
        return None

    artifact = chartoci.Artifact.build(chartoci.Archive.read(chart))
    layer = artifact.chart_layer
    assert layer is not None
    kind = (("Content-Type", "application/vnd.oci.image.manifest.v1+json"),)
    parts = [("1.2.0_demo.1", kind, artifact.manifest), (str(layer.digest), (), chart)]
    public._faults = anonymous
    with public:
        assert pull(public.host) == chart
        notices = [event.text for event in events if isinstance(event, chartoci.Notice)]
        assert "docker-credential-desktop is not there" in notices[0]
    with pytest.raises(chartoci.MisuseError) as caught:
        pull(registry.host)
    assert caught.value.code == "auth.helper_missing" and "PATH" in caught.value.hint


def test_a_helper_that_knows_nothing_lets_the_next_store_answer(
    home: pathlib.Path, helper: Callable[..., pathlib.Path]
) -> None:
    helper("fake", "echo 'credentials not found in native keychain'; exit 1")
    write(helm_file(home), {"credsStore": "fake"})
    write(home / ".docker" / "config.json", {"auths": {"a.example": auth("docker")}})
    with chartoci.Client() as client:
        assert client.explain_credentials("a.example/x").username == "docker"


def test_an_identity_token_comes_from_a_helper(home: pathlib.Path, helper: Callable[..., pathlib.Path]) -> None:
    helper("fake", f"""echo '{{"Username":"<token>","Secret":"{SECRET}"}}'""")
    write(helm_file(home), {"credsStore": "fake"})
    with chartoci.Client() as client:
        found = client.explain_credentials("a.example/x")
    assert (found.kind, found.username) == ("identity", None)


def test_a_helper_that_takes_too_long_is_killed_with_all_that_it_started(
    home: pathlib.Path, helper: Callable[..., pathlib.Path]
) -> None:
    from chartoci import files
    from chartoci.sansio import Run

    helper("slow", f"sleep 60 &\necho $! > {home}/child\nwait")
    begun = time.monotonic()
    answer = files.execute(Run("docker-credential-slow", ["get"], b"x", 0.5, 100), pathlib.Path("/"))
    assert answer == (None, b"") and time.monotonic() - begun < 5
    child = int((home / "child").read_text())
    deadline = time.monotonic() + 5
    while pathlib.Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        if pathlib.Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not pathlib.Path(f"/proc/{child}").exists()


def test_no_program_is_taken_from_where_we_are(
    home: pathlib.Path, helper: Callable[..., pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = helper("fake", "echo '{}'")
    write(helm_file(home), {"credsStore": "fake"})
    monkeypatch.chdir(home / "bin")
    monkeypatch.setenv("PATH", f".::bin:{os.defpath}")
    with chartoci.Client() as client, pytest.raises(chartoci.MisuseError) as caught:
        client.explain_credentials("a.example/x")
    assert caught.value.code == "auth.helper_missing"
    assert not calls.exists()


# A callable


def test_a_callable_is_asked_again_after_a_refusal_and_never_twice_for_the_same_secret(chart: bytes) -> None:
    with Registry(username="ada", password=SECRET) as registry:
        asked: list[bool] = []

        def fresh(query: Any) -> tuple[str, str]:
            asked.append(query.refused)
            return ("ada", SECRET if query.refused else "expired")

        with chartoci.Client(credentials=fresh) as client:
            client.push(chart, f"oci://{registry.host}/charts")
        assert asked == [False, True]

        del registry.requests[:]
        asked.clear()

        def same(query: Any) -> tuple[str, str]:
            asked.append(query.refused)
            return ("ada", "expired")

        with chartoci.Client(credentials=same) as client, pytest.raises(chartoci.DeniedError):
            client.push(chart, f"oci://{registry.host}/charts")
        assert asked == [False, True]
        # Without, and with the secret that is refused, by both that were under way.
        assert {request[2] for request in registry.requests} == {401} and len(registry.requests) <= 3


def test_a_secret_that_expires_between_two_verbs_is_asked_for_anew(chart: bytes) -> None:
    answers = iter([("ada", SECRET), ("ada", "new")])
    with chartoci.Client(credentials=lambda query: next(answers)) as client:
        with Registry(username="ada", password=SECRET) as registry:
            host = registry.host
            client.push(chart, f"oci://{host}/charts")
        server = Server(("127.0.0.1", int(host.split(":")[1])), None, username="ada", password="new")
        server.start()
        try:
            # Of two secrets each is shown once: the first, that was earned, is refused, and the next is asked for.
            again = client.push(chart, f"oci://{host}/charts")
            assert client.open(again.reference).data == chart
            assert next(answers, None) is None
        finally:
            server.stop()


# The command line


def run(*words: object, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chartoci", *map(str, words)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("prefix", [[], ["registry"]], ids=["login", "registry login"])
def test_the_command_line_speaks_as_helm_does(
    prefix: list[str], home: pathlib.Path, registry: Registry, tgz: pathlib.Path
) -> None:
    done = run(*prefix, "login", registry.host, "-u", "ada", "--password-stdin", stdin=f"{SECRET}\r\n")
    assert (done.returncode, done.stdout) == (0, "Login Succeeded\n"), done.stderr
    assert done.stderr == f"Stored for {registry.host} in {helm_file(home)}\n"
    assert run("push", tgz, f"oci://{registry.host}/charts").returncode == 0
    done = run(*prefix, "logout", f"https://{registry.host}")
    assert (done.returncode, done.stdout) == (0, f"Removing login credentials for https://{registry.host}\n")
    done = run(*prefix, "logout", registry.host)
    assert done.returncode == 0 and "Nothing was stored" in done.stderr
    assert run("push", tgz, f"oci://{registry.host}/charts").returncode == 3


def test_a_wrong_password_on_the_command_line(home: pathlib.Path, registry: Registry) -> None:
    done = run("--json", "login", registry.host, "-u", "ada", "-p", "wrong-password")
    assert done.returncode == 3
    assert done.stderr.startswith("WARNING: Using --password via the CLI is insecure. Use --password-stdin.\nError: ")
    assert json.loads(done.stdout)["error"]["code"] == "auth.refused"
    assert "wrong-password" not in done.stdout + done.stderr
    for words in (["login", registry.host], ["login", registry.host, "--password-stdin"]):
        done = run(*words, stdin="x\n" if "--password-stdin" in words else None)
        assert done.returncode == 2, done.stderr
    assert not helm_file(home).exists()


def test_the_file_can_be_named(home: pathlib.Path, registry: Registry, tgz: pathlib.Path) -> None:
    named = home / "new" / "place.json"
    words = ["login", registry.host, "-u", "ada", "--password-stdin"]
    assert run(*words, "--registry-config", named, stdin=SECRET).returncode == 0
    assert run("push", tgz, f"oci://{registry.host}/charts", "--registry-config", named).returncode == 0
    for name in ("HELM_REGISTRY_CONFIG", "REGISTRY_AUTH_FILE"):
        assert run("push", tgz, f"oci://{registry.host}/charts", **{name: str(named)}).returncode == 0
    assert not helm_file(home).exists()
    done = run("--json", "registry", "credentials", f"{registry.host}/x", HELM_REGISTRY_CONFIG=str(named))
    assert json.loads(done.stdout)["username"] == "ada"
    assert SECRET not in done.stdout
    done = run(*words, stdin=SECRET, HELM_REGISTRY_CONFIG="")
    assert done.returncode == 2 and "HELM_REGISTRY_CONFIG" in done.stderr


def test_a_file_is_named_from_where_we_are(
    home: pathlib.Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with chartoci.Client(registry_config="named.json") as client:
        done = client.login(registry.host, "ada", SECRET)
        assert done.path == tmp_path / "here" / "named.json" and done.path.exists()
        assert client.explain_credentials(f"{registry.host}/x").username == "ada"
    for name, file in (("HELM_REGISTRY_CONFIG", "named.json"), ("DOCKER_CONFIG", "../here"), ("REGISTRY_AUTH_FILE", "./named.json")):
        (tmp_path / "here" / "config.json").write_bytes((tmp_path / "here" / "named.json").read_bytes())
        with monkeypatch.context() as context:
            context.setenv(name, file)
            with chartoci.Client() as client:
                assert client.explain_credentials(f"{registry.host}/x").username == "ada", name
    with chartoci.Client(registry_config="named.json") as client:
        assert client.logout(registry.host).removed


class Terminal:
    """A login at a terminal of its own: `until` waits for what it says, `type` answers."""

    def __init__(self, host: str) -> None:
        self.said = b""
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.execv(sys.executable, [sys.executable, "-m", "chartoci", "login", host])

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._terminal)
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)

    def until(self, text: bytes) -> None:
        deadline = time.monotonic() + 30
        while text not in self.said and time.monotonic() < deadline:
            try:
                self.said += os.read(self._terminal, 4096)
            except OSError:
                break
        assert text in self.said, self.said

    def type(self, text: bytes) -> None:
        os.write(self._terminal, text)


def test_the_password_is_asked_for_at_the_terminal_without_showing_it(home: pathlib.Path, registry: Registry) -> None:
    with Terminal(registry.host) as login:
        login.until(b"Username: ")
        login.type(b"ada\n")
        login.until(b"Password: ")
        login.type(SECRET.encode() + b"\n")
        login.until(b"Login Succeeded")
        assert SECRET.encode() not in login.said
    assert helm_file(home).exists()


def test_who_ends_the_input_in_place_of_an_answer_is_told_what_is_missing(home: pathlib.Path, registry: Registry) -> None:
    with Terminal(registry.host) as login:
        login.until(b"Username: ")
        login.type(b"\x04")
        login.until(b"Error: user name required")
    with Terminal(registry.host) as login:
        login.until(b"Username: ")
        login.type(b"ada\n")
        login.until(b"Password: ")
        login.type(b"\x04")
        login.until(b"Error: password required")
        assert b"Traceback" not in login.said
    assert not helm_file(home).exists()


@pytest.mark.skipif(os.name != "posix", reason="pipes have no names here")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: pathlib.Path) -> None:
    from chartoci import files
    from chartoci.sansio import LockFile, Rename

    # As /dev/null would be, by root.
    os.mkfifo(tmp_path / "config.json")
    locks: dict[str, int] = {}
    assert files.execute(LockFile("config.json.lock", 0.1), tmp_path, locks) is None
    answer = files.execute(Rename("config.json.lock", "config.json"), tmp_path, locks)
    assert isinstance(answer, OSError) and "no file" in str(answer) and (tmp_path / "config.json").is_fifo()
    os.close(locks["config.json.lock"])
