"""What the command line says of itself: help for every verb, examples that parse, completion in the shell."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from chartoci._native import credential_variable
from chartoci.cli import main, manual
from chartoci.cli.completion import table
from chartoci.cli.options import parse, parser

VERBS = [verb.path for verb in table(parser())]


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_with_examples_and_exit_codes(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert "exit codes:" in text and "environment:" in text and "--json" in text
    description, examples = manual.VERBS[{"fetch": "pull", "credentials": "explain-credentials"}.get(verb, verb) if (verb := " ".join(path[-1:])) else ""]
    assert description.split()[0] in text and f"  {examples[0]}\n" in text
    assert max(map(len, text.splitlines())) <= 120


def test_every_variable_that_is_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    words = set(re.findall(r"[A-Z_]{2,}", capsys.readouterr().out))
    package = Path(manual.__file__).parents[1]
    read = {name for path in package.rglob("*.py") for name in re.findall(r"""environ\b[^\n]*["']([A-Z_]+)["']""", path.read_text())}
    read |= {name for path in package.rglob("*.py") for name in re.findall(r'"([A-Z_]+)" (?:not )?in os\.environ', path.read_text())}
    assert {"NO_COLOR", "SOURCE_DATE_EPOCH", "PATH"} <= read <= words
    assert {word for word in words if credential_variable(word)} >= {"HELM_REGISTRY_CONFIG", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"}
    core = (Path(__file__).parents[2] / "core" / "src" / "auth" / "store.rs").read_text().partition("const NAMES")[2].partition("];")[0]
    assert set(re.findall(r'"?([A-Z_]{5,})"?,', core)) <= words
    assert {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"} <= words


@pytest.mark.parametrize(
    ("path", "told", "kept"),
    [
        (["serve"], ["--cert-file", "--password-stdin"], ["--ca-file", "--plain-http", "--timeout", "HTTPS_PROXY", "DOCKER_CONFIG"]),
        (["package"], ["--created", "SOURCE_DATE_EPOCH"], ["--ca-file", "--username", "HTTPS_PROXY"]),
        (["logout"], ["--registry-config", "HELM_REGISTRY_CONFIG"], ["--plain-http", "HTTPS_PROXY"]),
        (["pull"], ["--ca-file", "HTTPS_PROXY", "SSL_CERT_FILE", "DOCKER_CONFIG", "--verify"], ["SOURCE_DATE_EPOCH"]),
    ],
)
def test_a_verb_tells_of_what_it_uses_alone(
    path: list[str], told: list[str], kept: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*path, "--help"])
    text = capsys.readouterr().out
    assert [word for word in told if word not in text] == []
    assert [word for word in kept if word in text] == []


@pytest.mark.parametrize("origin", ["*", "foo", "https://app.example/", "https://*.example"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--cors-origin", origin]) == 2
    assert "is no origin" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["serve", "--ca-file", "x"], ["--plain-http", "serve"], ["serve", "--timeout", "5"]])
def test_serve_refuses_what_is_for_those_who_call_a_registry(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "serve has no use for --" in capsys.readouterr().err


@pytest.mark.parametrize("example", [example for _, examples in manual.VERBS.values() for example in examples])
def test_every_example_can_be_run(example: str) -> None:
    command = example.partition("<(")[2].rstrip(")") or example.rpartition("| ")[2]
    program, *words = shlex.split(command.partition(" > ")[0])
    assert program == "chartoci"
    assert parse(words).run


# What each shell is told to print what it offers for the last word; of zsh, what the script hands to its functions.
ASK = {
    "bash": 'COMP_WORDS=({line}); COMP_CWORD={last}; _chartoci; printf "%s\\n" "${{COMPREPLY[@]}}"\n',
    "fish": "complete --do-complete {quoted}\n",
    "zsh": """
_files() {{ print files }}
compadd() {{ print -l -- $@ }}
_describe() {{ print -l -- ${{(P)@[-1]}} }}
words=({line}); CURRENT={last}+1; PREFIX=$words[CURRENT]; _chartoci
""",
}


def complete(shell: str, *words: str) -> list[str]:
    """What a shell offers for the last word."""
    script = subprocess.run(
        [sys.executable, "-m", "chartoci", "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    line = " ".join(shlex.quote(word) for word in ("chartoci", *words))
    said = ASK[shell].format(line=line, quoted=shlex.quote(" ".join(("chartoci", *words))), last=len(words))
    before = "compdef() { :; }\n" if shell == "zsh" else ""
    done = subprocess.run([shell, "-c", before + script + said], capture_output=True, text=True, check=True)
    assert not done.stderr
    # Meanings follow a tab in fish and a colon in zsh, which itself leaves out what does not begin so.
    offered = [line.partition("\t")[0] if shell == "fish" else line.partition(":")[0] for line in done.stdout.splitlines()]
    return [word for word in offered if word and word.startswith(words[-1])]


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A shell that is there, in a home of its own."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return name


def test_a_shell_completes_verbs_flags_and_their_values(shell: str) -> None:
    assert sorted(complete(shell, "pu")) == ["pull", "push"]
    assert sorted(complete(shell, "registry", "log")) == ["login", "logout"]
    assert complete(shell, "--json", "registry", "login", "--password-s") == ["--password-stdin"]
    assert sorted(complete(shell, "push", "--if-exists", "")) == ["overwrite", "refuse", "skip-same"]
    assert complete(shell, "show", "v") == ["values"]
    assert complete(shell, "explain-c") == ["explain-credentials"]
    # The same under its other name.
    assert complete(shell, "fet") == ["fetch"] and "--untar" in complete(shell, "fetch", "--unt")


def test_a_shell_offers_paths_where_paths_may_stand_and_nowhere_else(shell: str, tmp_path: Path) -> None:
    (tmp_path / "my ca.pem").touch()
    (tmp_path / "my charts").mkdir()
    both = ["files"] if shell == "zsh" else ["my ca.pem", "my charts"]
    directories = ["files"] if shell == "zsh" else ["my charts"]

    def offered(*words: str) -> list[str]:
        return sorted(word.replace("\\ ", " ").rstrip("/") for word in complete(shell, *words))

    first = "" if shell == "zsh" else "m"
    for words in (["pull", "--ca-file"], ["push"], ["check"], ["show", "values"], ["serve", "--htpasswd"]):
        assert offered(*words, first) == both if shell != "zsh" else "files" in offered(*words, first), words
    for words in (["pull", "-d"], ["package"], ["serve"]):
        assert offered(*words, first) == directories, words
    for words in (["pull", "--timeout"], ["pull"], ["login"], ["tags"], ["pull", "--version"], ["explain"], ["--username"]):
        assert offered(*words, first) == [], words
    if shell == "bash":  # which takes this for three words
        assert offered("pull", "--ca-file", "=", "m") == both and offered("push", "--if-exists", "=", "sk") == ["skip-same"]


def test_a_shell_offers_no_flag_that_the_verb_has_no_use_for(shell: str) -> None:
    assert complete(shell, "serve", "--ca") == complete(shell, "package", "--plain") == []
    assert complete(shell, "push", "--ca") == complete(shell, "--ca") == ["--ca-file"]
    assert complete(shell, "serve", "--cert") == ["--cert-file"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_that_its_shell_can_read(shell: str) -> None:
    done = subprocess.run([sys.executable, "-m", "chartoci", "completion", shell], capture_output=True, text=True, check=True)
    for path in VERBS:
        assert all(word in done.stdout for word in path)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
