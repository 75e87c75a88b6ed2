"""From one registry into another: what a fetch stores is what an upload sends, without a file in between."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

# Bytes that wait to be sent, at most: one chunk may come on top.
ROOM = 1 << 20


class Pipe:
    """A sink whose bytes come out of its other end, from `start` to `end` of a blob.

    The last piece is held back until the fetch is over, so that a blob that turns out to be another is never sent whole.
    """

    def __init__(self, start: int, end: int) -> None:
        self._taken = start
        self._end = end
        self._at = 0
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._over = False
        self._closed = False
        self._error: BaseException | None = None
        self._change = threading.Condition()
        self.stop: Callable[[], object] = lambda: None

    def cut(self, offset: int) -> None:
        """What comes next stands there in the blob; what went on already is skipped."""
        if offset > self._taken:
            raise OSError("a part of the blob is missing")
        self._at = offset

    def take(self, chunk: bytes) -> bool:
        """Keeps what is new of a chunk. True: there is room for more."""
        new = chunk[max(0, self._taken - self._at) :][: self._end - self._taken]
        self._at += len(chunk)
        if self._closed:
            raise BrokenPipeError("nobody wants the rest of the blob")
        if new:
            self._taken += len(new)
            self._waiting += len(new)
            self._pieces.append(new)
        return self._waiting <= ROOM

    def write(self, chunk: bytes) -> None:
        """Takes a chunk; waits until there is room."""
        with self._change:
            has_room = self.take(chunk)
            self._change.notify_all()
            while not has_room and not self._closed:
                self._change.wait()
                has_room = self._waiting <= ROOM

    def finish(self, error: BaseException | None = None) -> None:
        """The fetch is over."""
        with self._change:
            self._over, self._error = True, error
            self._change.notify_all()

    def close(self) -> None:
        """Nobody reads any more."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self.stop()

    def next(self) -> bytes | None:
        """A piece that may be sent; empty where none is there yet, None at the end."""
        if self._over and self._error is not None:
            raise self._error
        if len(self._pieces) > (0 if self._over else 1):
            piece = self._pieces.popleft()
            self._waiting -= len(piece)
            return piece
        return None if self._over else b""

    def __iter__(self) -> Iterator[memoryview]:
        try:
            while True:
                with self._change:
                    while (piece := self.next()) == b"" and not self._closed:
                        self._change.wait()
                    self._change.notify_all()
                if not piece:
                    return
                yield memoryview(piece)
        finally:
            self.close()
