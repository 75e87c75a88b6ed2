"""What the command line says of itself: help for every verb, examples that parse, completion in the shell."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_verbs_flags_and_their_values(shell: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sorted(complete(shell, "pu")) == ["pull", "push"]
    assert sorted(complete(shell, "registry", "log")) == ["login", "logout"]
    assert complete(shell, "--json", "registry", "login", "--password-s") == ["--password-stdin"]
    assert sorted(complete(shell, "push", "--if-exists", "")) == ["overwrite", "refuse", "skip-same"]
    assert complete(shell, "show", "v") == ["values"]
    assert complete(shell, "pull", "--ca-file", "") == (["files"] if shell == "zsh" else [])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_that_its_shell_can_read(shell: str) -> None:
    done = subprocess.run([sys.executable, "-m", "chartoci", "completion", shell], capture_output=True, text=True, check=True)
    for path in VERBS:
        assert all(word in done.stdout for word in path)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
