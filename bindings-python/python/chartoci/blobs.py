"""Where bytes come from and where they go: paths, bytes, buffers, files; a file appears whole or not at all."""

import functools
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, FileIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Protocol, Self

from chartoci import files
from chartoci._native import FRONT, Archive, Limits, OpenFile, error, file_error, without_userinfo
from chartoci.errors import ChartOciError, NotFoundError
from chartoci.model import Packaged

CHUNK = 1 << 18
# A chart's file of so many bytes goes up from memory; a larger one is read piece by piece.
HELD = 32 << 20

Bytes = bytes | bytearray | memoryview
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]


def path_of(source: object) -> Path | None:
    """The path that a source is, if it is one."""
    if isinstance(source, str):
        if "\n" in source:
            raise error("misuse.looks_like_content", "a text with line breaks stands where a path is expected")
        return Path(source)
    return Path(source) if isinstance(source, os.PathLike) else None


def load(source: Source, limit: int) -> bytes | bytearray | memoryview:
    """The bytes of a source, at most `limit` (one more, so that the core sees that it is too long)."""
    if isinstance(source, bytes | bytearray | memoryview):
        return source
    path = path_of(source)
    if path is None:
        if not hasattr(source, "read"):
            raise error(
                "misuse.argument",
                f"a source cannot be a {type(source).__name__}",
                hint="Pass a path, bytes, or a file that is open for reading bytes.",
            )
        data = source.read(limit + 1)  # type: ignore[union-attr]
        if not isinstance(data, bytes):
            raise error("misuse.argument", "the file is open for text", hint='Open it for bytes: open(path, "rb").')
        return data
    try:
        # Of a file one read of the known size takes no second buffer, and what grew meanwhile is cut at its old end; what
        # is none, a pipe for one, gives its bytes little by little.
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                return file.read(min(os.fstat(file.fileno()).st_size, limit + 1))
        with open(path, "rb") as stream:
            return stream.read(limit + 1)
    except OSError as failed:
        raise failure(failed, path) from None


def failure(failed: OSError, path: Path, making: bool = False) -> ChartOciError:
    """The error that stands for what the system said about a path; `making`: a directory was to be made there."""
    # It may be an address that was meant for something else.
    return file_error(failed, without_userinfo(named(path)), making)


def named(path: str | os.PathLike[str]) -> str:
    """A path as text, for people: a name may be any bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def make(directory: Path) -> None:
    """Makes a directory and those above it, unless they are there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise failure(failed, directory, making=True) from None


def provenance(source: object, limit: int) -> Bytes | None:
    """What lies beside a path as FILE.prov, as `load` reads it; None where there is none, or the source is no path."""
    path = path_of(source)
    if path is None:
        return None
    try:
        return load(path.with_name(path.name + ".prov"), limit)
    except NotFoundError:
        return None


class ChartSource(NamedTuple):
    """A chart as it goes into a push."""

    data: Bytes | OpenFile
    scanned: Archive | None
    provenance: Bytes | None
    modified: int | None
    path: str | None = None


def packed_bytes(archive: Archive) -> Bytes:
    """The bytes of a chart that was packed by itself."""
    if archive.data is None:
        raise error(
            "misuse.argument",
            "a chart within another has no archive of its own",
            hint="Take the archive or the directory that it lies in, or unpack and package it.",
        )
    return archive.data


def chart(source: "Source | Archive | Packaged", limits: Limits) -> ChartSource:
    """A chart's bytes; a path brings the provenance beside it and the time of its file."""
    if isinstance(source, Archive):
        return ChartSource(packed_bytes(source), source, source.provenance, None)
    if isinstance(source, Packaged):
        return ChartSource(source.data, None, None, None)
    path = path_of(source)
    if path is None or not path.is_file():
        data = load(source, limits.archive)
        modified = None if path is None else int(path.stat().st_mtime)
        return ChartSource(data, None, provenance(source, limits.provenance), modified, None if path is None else named(path))
    try:
        file = OpenFile(path)
        held = file if len(file) > HELD else file.read(0, min(len(file), limits.archive + 1))
    except OSError as failed:
        raise failure(failed, path) from None
    return ChartSource(held, None, provenance(path, limits.provenance), file.modified, named(path))


def pieces(data: Bytes | OpenFile, start: int, end: int) -> Iterator[memoryview]:
    """A range in pieces that a socket takes in one go; those of a file are read when they are asked for."""
    for offset in range(start, end, CHUNK):
        until = min(offset + CHUNK, end)
        if isinstance(data, OpenFile):
            yield memoryview(data.read(offset, until - offset))
        else:
            yield memoryview(data)[offset:until]


class Sink(Protocol):
    """Takes a blob while it is verified."""

    def cut(self, offset: int) -> None: ...
    def write(self, chunk: bytes) -> object: ...


class MemorySink:
    """Keeps a blob in memory."""

    def __init__(self) -> None:
        self._file = BytesIO()

    def cut(self, offset: int) -> None:
        self._file.truncate(offset)
        self._file.seek(offset)

    def write(self, chunk: bytes) -> object:
        return self._file.write(chunk)

    def value(self) -> bytes:
        """All of it."""
        return self._file.getvalue()


_PART = re.compile(r"\.chartoci-[0-9a-f]{16}\.part")


@functools.lru_cache(maxsize=64)
def _sweep(directory: str) -> None:
    """Removes what killed processes have left there, once: those that are killed from now on are for who comes next."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name):
                files.remove_unheld(Path(entry.path))


class FileSink:
    """Keeps a blob in a file beside its place, made on first use; `commit` names it, leaving without that removes it. As long
    as this process lives it holds the file, which nobody else's sweep removes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = ""  # until there is a file
        self._file: Any = None
        self._offset = 0
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._over = True
            if self._file is not None:
                self._file.close()
                with suppress(FileNotFoundError):
                    os.unlink(self._path)

    def _open(self) -> Any:
        with self._lock:
            if self._over:
                # A worker that nobody waited for: what it brings must not make a file any more.
                raise OSError("nobody wants this any more")
            if self._file is None:
                try:
                    try:
                        self._file = self._make()
                    except (FileNotFoundError, NotADirectoryError):
                        make(self.directory)
                        self._file = self._make()
                except OSError as failed:
                    raise failure(failed, self.directory) from None
            return self._file

    def _make(self) -> Any:
        while True:
            self._path = os.path.join(self.directory, f".chartoci-{secrets.token_hex(8)}.part")
            file = FileIO(self._path, "x+")
            # A sweep may have found it before it was held.
            if files.hold(file.fileno()) is not False and os.path.exists(self._path):
                with suppress(OSError):  # a directory that may be written need not be readable
                    _sweep(os.path.abspath(self.directory))
                return file
            file.close()

    @property
    def path(self) -> Path:
        """The file, as long as it has no name."""
        return Path(self._path)

    def cut(self, offset: int) -> None:
        file = self._open()
        if offset != self._offset:
            file.truncate(offset)
            file.seek(offset)
            self._offset = offset

    def write(self, chunk: bytes) -> object:
        file, view = self._open(), memoryview(chunk)
        while view:
            try:
                written = file.write(view)
            except OSError as failed:
                raise OSError(failed.errno, failed.strerror, str(self.directory)) from None
            self._offset += written
            view = view[written:]
        return None

    def front(self) -> bytes:
        """The first bytes of what was taken, in which Chart.yaml is found."""
        file = self._open()
        file.seek(0)
        data: bytes = file.read(min(FRONT, self._offset))
        file.seek(self._offset)
        return data

    def commit(self, name: str) -> Path:
        """Brings the file to the disk and gives it its name; one that is there already is replaced."""
        target = self.directory / name
        try:
            file = self._open()
            os.fsync(file.fileno())
            # It is held until it has its name, where an open file can be renamed.
            if os.name == "nt":
                file.close()
            os.replace(self._path, target)
            file.close()
        except OSError as failed:
            raise failure(failed, target) from None
        self._file = None
        return target
