"""Word that nobody waits any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Over:
    """Told once, from any thread: ends what is under way for somebody, as a program that was asked for a credential."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: list[Callable[[], object]] = []
        self._told = False

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """Calls `end` if word comes meanwhile; at once if it has come already."""
        with self._lock:
            told = self._told
            self._ends.append(end)
        try:
            if told:
                end()
            yield
        finally:
            with self._lock:
                self._ends.remove(end)

    @property
    def told(self) -> bool:
        """Whether nobody waits any more."""
        return self._told

    def tell(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._told = True
            # Under the lock: what has ended by itself meanwhile is not ended again.
            for end in self._ends:
                end()
