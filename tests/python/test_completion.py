"""What the command line says of itself: help for every verb, examples that parse, completion in the shell."""

import shlex
import shutil
import subprocess
import sys

import pytest
from chartoci.cli import manual
from chartoci.cli.completion import table
from chartoci.cli.options import parse, parser

VERBS = [verb.path for verb in table(parser())]


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_with_examples_and_exit_codes(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*path, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "exit codes:" in text and "--json" in text
    if path and path != ("fetch",):
        description, examples = manual.VERBS[path[-1]]
        assert description.split()[0] in text and f"  {examples[0]}\n" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("example", [example for _, examples in manual.VERBS.values() for example in examples])
def test_every_example_can_be_run(example: str) -> None:
    command = example.partition("<(")[2].rstrip(")") or example.rpartition("| ")[2]
    program, *words = shlex.split(command.partition(" > ")[0])
    assert program == "chartoci"
    assert parse(words).run


def complete(*words: str) -> list[str]:
    """What bash offers for the last word."""
    script = subprocess.run(
        [sys.executable, "-m", "chartoci", "completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    line = " ".join(shlex.quote(word) for word in ("chartoci", *words))
    script += f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _chartoci; printf "%s\\n" "${{COMPREPLY[@]}}"\n'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_verbs_flags_and_their_values() -> None:
    assert complete("pu") == ["push", "pull"]
    assert complete("registry", "log") == ["login", "logout"]
    assert complete("--json", "registry", "login", "--password-s") == ["--password-stdin"]
    assert complete("push", "--if-exists", "") == ["overwrite", "skip-same", "refuse"]
    assert complete("show", "v") == ["values"]
    assert complete("pull", "--ca-file", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_that_its_shell_can_read(shell: str) -> None:
    done = subprocess.run([sys.executable, "-m", "chartoci", "completion", shell], capture_output=True, text=True, check=True)
    for path in VERBS:
        assert all(word in done.stdout for word in path)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
