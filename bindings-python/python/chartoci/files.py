"""Carries out the verbs of the core's file machines below a root, and decides nothing."""

import errno
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from chartoci import _native as native
from chartoci._native import Archive, Machine
from chartoci.over import Over

if sys.platform != "win32":
    import fcntl

_PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_SYNC = getattr(os, "fdatasync", os.fsync)  # the size is data, times are not
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}

# Seconds that a pipe with credentials may give nothing.
PIPE_PATIENCE = 30.0

# Locks that are held, by their paths: their descriptors.
Locks = dict[str, int]
Answer = None | bytes | list[tuple[str, str, int, int]] | tuple[int | None, bytes] | OSError


def run(machine: Machine, root: Path, *, credentials: bool = False, over: Over | None = None) -> Any:
    """Carries out what a machine says until it has finished; gives its last word. For credentials what is read may be a
    link, and what is written is a lock that was made before: if it is lost, no other file takes its place. Programs end when
    it is `over`."""
    locks: Locks | None = {} if credentials else None
    try:
        while True:
            match machine.poll():
                case native.Finished(value):
                    return value
                case verb:
                    machine.handle(execute(verb, root, locks, over))
    finally:
        for descriptor in (locks or {}).values():
            os.close(descriptor)


def execute(verb: object, root: Path, locks: Locks | None = None, over: Over | None = None) -> Answer:
    """Does one thing; what the system refuses is an answer too. `locks` are held until they are closed."""
    try:
        return _execute(verb, root, locks, over)
    except OSError as error:
        return error


def _execute(verb: object, root: Path, locks: Locks | None, over: Over | None) -> Answer:
    match verb:
        case native.List(path):
            with os.scandir(root / path) as entries:
                return [_entry(entry) for entry in entries]
        case native.Read(path, offset, limit):
            # A chart may have thousands of files: no more is done for each than must be.
            flags = os.O_RDONLY | _PLAIN | (_NO_LINK if locks is None else _NO_WAIT)
            descriptor = os.open(os.path.join(root, path), flags)
            try:
                return _read(descriptor, offset, limit)
            finally:
                os.close(descriptor)
        case native.MakeDirectory(path):
            (root / path).mkdir(parents=True, exist_ok=True)
        case native.Write(path, offset, data):
            held = _held(locks, root, path)
            with create(root, path, offset, os.O_CREAT) if held is None else _again(held, offset) as file:
                write(file, data)
        case native.Sync(path):
            held = _held(locks, root, path)
            descriptor = os.open(os.path.join(root, path), os.O_RDONLY | _PLAIN) if held is None else held
            try:
                _SYNC(descriptor)
            finally:
                if held is None:
                    os.close(descriptor)
        case native.Rename(source, target):
            begin, end = os.path.join(root, source), os.path.join(root, target)
            if _held(locks, root, source) is not None and sys.platform == "win32":
                os.close(locks.pop(source))  # what is open cannot be moved there
            if locks is not None and os.path.exists(end) and not os.path.isfile(end):
                raise OSError(errno.EINVAL, "a device or a pipe is there, and no file", target)
            if os.path.isdir(begin) and os.path.lexists(end):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
            os.replace(begin, end)
        case native.Remove(path):
            if _held(locks, root, path) is not None and sys.platform == "win32":
                os.close(locks.pop(path))
            name = os.path.join(root, path)
            if os.path.isdir(name) and not os.path.islink(name):
                shutil.rmtree(name)
            elif os.path.lexists(name):
                os.unlink(name)
        case native.Resolve(path):
            return os.path.realpath(root / path).encode()
        case native.LockFile(path, patience):
            descriptor = _lock(root / path, patience)
            if locks is None:
                os.close(descriptor)
            else:
                locks[path] = descriptor
        case native.Find(program):
            _find(program)
        case native.Run(program, arguments, data, timeout, limit):
            return _run(_find(program), arguments, data, timeout, limit, over or Over())
        case _:
            raise TypeError(f"no verb: {verb!r}")
    return None


def create(root: Path, path: str, offset: int, flags: int = os.O_CREAT) -> FileIO:
    """Opens a file to be written from that offset on, where it ends now."""
    flags |= os.O_WRONLY | _PLAIN | _NO_LINK | (0 if offset else os.O_TRUNC)
    file = open(os.open(os.path.join(root, path), flags, 0o644), "wb", buffering=0)
    if not offset:
        return file
    try:
        file.truncate(offset)
        file.seek(offset)
    except OSError:
        file.close()
        raise
    return file


def write(file: FileIO, data: bytes) -> None:
    """Writes all of it."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _entry(entry: "os.DirEntry[str]") -> tuple[str, str, int, int]:
    status = entry.stat(follow_symlinks=False)
    modified = (status.st_mtime_ns + 500_000_000) // 1_000_000_000  # the nearest second
    return entry.name, _KINDS.get(stat.S_IFMT(status.st_mode), "other"), status.st_size, modified


def _read(descriptor: int, offset: int, limit: int) -> bytes:
    """At most `limit` bytes; no more memory than the file has, whatever the limit."""
    status = os.fstat(descriptor)
    left = status.st_size - offset
    take = _take if stat.S_ISFIFO(status.st_mode) else os.read
    # A pipe has no places.
    if offset:
        os.lseek(descriptor, offset, os.SEEK_SET)
    # One more than there should be: then the end is seen as well.
    data = take(descriptor, min(limit, max(left, 0) + 1))
    if len(data) in (left, limit):
        return data
    parts = bytearray(data)
    while len(parts) < limit and (part := take(descriptor, min(1 << 20, limit - len(parts)))):
        parts += part
    return bytes(parts)


def _take(descriptor: int, size: int) -> bytes:
    """What comes next in a pipe, into which perhaps nobody ever writes."""
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        if not selector.select(PIPE_PATIENCE):
            raise TimeoutError(errno.ETIMEDOUT, "nobody writes into this pipe")
    return os.read(descriptor, size)


def _held(locks: Locks | None, root: Path, path: str) -> int | None:
    """The lock of that name, as long as the name is still its own; OSError if it is not, or is none. None: there are no locks
    here at all. Who is late never writes into the file of another, or gives it another name."""
    if locks is None:
        return None
    if path not in locks or not os.path.samestat(os.fstat(locks[path]), os.lstat(os.path.join(root, path))):
        raise FileNotFoundError(errno.ENOENT, "the lock is lost", path)
    return locks[path]


def _again(descriptor: int, offset: int) -> FileIO:
    """A file that is open and stays so, to be written from that offset on, where it ends now."""
    os.ftruncate(descriptor, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return open(descriptor, "wb", buffering=0, closefd=False)


def _lock(path: Path, patience: float) -> int:
    """Makes a lock, and holds it: its descriptor. It is left over if it is old and nobody holds it, who may take all the time
    there is."""
    for directory in reversed([parent for parent in path.parents if not parent.exists()]):
        directory.mkdir(0o700, exist_ok=True)
    end = time.monotonic() + 2 * patience
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _PLAIN | _NO_LINK, 0o600)
            hold(descriptor)
            return descriptor
        except FileExistsError:
            if _remove_left_over(path, patience):
                continue
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def hold(descriptor: int) -> bool | None:
    """Holds a file or directory, until it is closed or the process ends. False: somebody else does. None: the system has no
    such locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def remove_unheld(path: Path) -> None:
    """Removes a file that nobody holds, if that can be told."""
    try:
        descriptor = os.open(path, os.O_RDWR | _PLAIN | _NO_LINK)
        try:
            if hold(descriptor):
                path.unlink()
        finally:
            os.close(descriptor)
    except OSError:
        pass


def _remove_left_over(path: Path, patience: float) -> bool:
    """Removes a lock whose owner is gone. True: there is none of that name any more, or another. Of all who find it the one
    that holds it removes it; on Windows what is open is not removed."""
    try:
        descriptor = os.open(path, os.O_RDWR | _PLAIN | _NO_LINK)
    except FileNotFoundError:
        return True
    try:
        found = os.fstat(descriptor)
        if time.time() - found.st_mtime <= patience or hold(descriptor) is False:
            return False
        if sys.platform == "win32":
            os.close(descriptor)
            descriptor = -1
        if os.path.samestat(found, path.lstat()):
            path.unlink()
        return True
    except FileNotFoundError:
        return True
    except PermissionError:
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _find(program: str) -> str:
    """Where a program is, in a directory of PATH that does not depend on where we are."""
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which(program, path=os.pathsep.join(filter(os.path.isabs, directories)))
    if found is None or not os.path.isabs(found):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return found


def _run(
    path: str, arguments: Sequence[str], data: bytes, timeout: float, limit: int, over: Over
) -> tuple[int | None, bytes]:
    import subprocess
    import threading

    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    # A group of its own, so that it can be killed with all that it has started.
    group = {"process_group": 0} if os.name == "posix" else {}
    process = subprocess.Popen([path, *arguments], stdin=pipe, stdout=pipe, stderr=nothing, bufsize=0, **group)  # type: ignore[call-overload]
    output = bytearray()

    def talk() -> None:
        try:
            with process.stdin as stdin:
                stdin.write(data)
        except OSError:
            pass
        while len(output) <= limit and (part := process.stdout.read(1 << 16)):
            output.extend(part)

    talker = threading.Thread(target=talk, daemon=True)
    status: int | None = None
    end = time.monotonic() + timeout
    try:
        with over.ending(lambda: _kill(process)):
            talker.start()
            talker.join(timeout)
            if not talker.is_alive() and len(output) <= limit:
                status = process.wait(max(0.01, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:
        if status is None:
            _kill(process)
            process.wait()
        talker.join(1)
        process.stdout.close()
    return (status if status is not None and status >= 0 else None), bytes(output)


def _kill(process: Any) -> None:
    if process.returncode is not None:
        return  # its number may be another's
    try:
        if os.name == "posix":
            os.killpg(process.pid, 9)
        else:
            process.kill()
    except OSError:
        pass


def extract(archive: Archive, directory: "str | os.PathLike[str]") -> Path:
    """Writes `directory/<chart name>`, whole or not at all, and gives its path. A missing directory is made."""
    from chartoci.blobs import make, named

    root = Path(directory)
    make(root)
    name: str = run(native.extract(archive, secrets.randbits(64), named(root)), root)
    return root / name
