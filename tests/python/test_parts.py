"""What pulls keep beside their place until it is proven, and what becomes of it when they are killed."""

import pathlib
import subprocess
import sys

import pytest
from chartoci import blobs
from chartoci.blobs import FileSink

HOLD = """
import pathlib, sys
from chartoci.blobs import FileSink
sink = FileSink(pathlib.Path(sys.argv[1]))
sink.write(b"half")
print(sink.path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def fresh() -> None:
    """As in a process that has pulled nothing yet."""
    blobs._sweep.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is removed there")
def test_what_a_killed_process_has_left_is_removed_and_never_what_a_living_one_holds(tmp_path: pathlib.Path) -> None:
    others = [".chartoci-0123456789abcdef.part.txt", ".chartoci-x.part", ".chartoci-12345678-1-0123456789abcdef.part"]
    for name in others:
        (tmp_path / name).touch()
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        part = tmp_path / process.stdout.readline().strip()
        with FileSink(tmp_path) as ours, FileSink(tmp_path) as more:
            ours.write(b"a")
            blobs._sweep.cache_clear()
            more.write(b"b")
            assert part.read_bytes() == b"half"
            assert ours.commit("a").read_bytes() + more.commit("b").read_bytes() == b"ab"
        process.kill()
    assert part.exists()
    blobs._sweep.cache_clear()
    with FileSink(tmp_path) as sink:
        sink.write(b"c")
        assert not part.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", "b", *others])


def test_where_nobody_can_tell_who_holds_a_file_nothing_is_removed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".chartoci-0123456789abcdef.part"
    left.touch()
    monkeypatch.setattr("chartoci.files.hold", lambda descriptor: None)
    with FileSink(tmp_path) as sink:
        sink.write(b"a")
        sink.commit("a")
    assert left.exists()
