"""Carries out the verbs of the core's file machines below a root, and decides nothing."""

import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Any

from chartoci import _native as native
from chartoci._native import Archive, Machine

_PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}

Answer = None | bytes | list[tuple[str, str, int, int]] | OSError


def run(machine: Machine, root: Path, *, links: bool = False) -> Any:
    """Carries out what a machine says until it has finished; gives its last word. `links`: what is read may be one."""
    while True:
        match machine.poll():
            case native.Finished(value):
                return value
            case verb:
                machine.handle(execute(verb, root, links))


def execute(verb: object, root: Path, links: bool = False) -> Answer:
    """Does one thing; what the system refuses is an answer too."""
    try:
        return _execute(verb, root, links)
    except OSError as error:
        return error


def _execute(verb: object, root: Path, links: bool) -> Answer:
    match verb:
        case native.List(path):
            with os.scandir(root / path) as entries:
                return [_entry(entry) for entry in entries]
        case native.Read(path, offset, limit):
            with open(os.open(root / path, os.O_RDONLY | _PLAIN | (0 if links else _NO_LINK)), "rb", buffering=0) as file:
                file.seek(offset)
                return _read(file, limit)
        case native.MakeDirectory(path):
            (root / path).mkdir(parents=True, exist_ok=True)
        case native.Write(path, offset, data):
            with open(os.open(root / path, os.O_WRONLY | os.O_CREAT | _PLAIN | _NO_LINK, 0o644), "wb") as file:
                file.truncate(offset)
                file.seek(offset)
                file.write(data)
        case native.Sync(path):
            for name in (root / path, (root / path).parent):
                descriptor = os.open(name, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        case native.Rename(source, target):
            if (root / source).is_dir() and os.path.lexists(root / target):
                raise FileExistsError(target)
            os.replace(root / source, root / target)
        case native.Remove(path):
            name = root / path
            if name.is_dir() and not name.is_symlink():
                shutil.rmtree(name)
            else:
                name.unlink(missing_ok=True)
        case _:
            raise TypeError(f"no verb: {verb!r}")
    return None


def _entry(entry: "os.DirEntry[str]") -> tuple[str, str, int, int]:
    status = entry.stat(follow_symlinks=False)
    modified = (status.st_mtime_ns + 500_000_000) // 1_000_000_000  # the nearest second
    return entry.name, _KINDS.get(stat.S_IFMT(status.st_mode), "other"), status.st_size, modified


def _read(file: Any, limit: int) -> bytes:
    """At most `limit` bytes; no more memory than the file has, whatever the limit."""
    parts = bytearray()
    while len(parts) < limit and (part := file.read(min(1 << 20, limit - len(parts)))):
        parts += part
    return bytes(parts)


def extract(archive: Archive, directory: "str | os.PathLike[str]") -> Path:
    """Writes `directory/<chart name>`, whole or not at all, and gives its path. A missing directory is made."""
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    name: str = run(native.extract(archive, secrets.randbits(64)), root)
    return root / name
