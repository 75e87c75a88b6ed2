"""A pipe within an event loop; by itself, since who has none need not load asyncio."""

import asyncio
from collections.abc import AsyncIterator

from chartoci.pipe import ROOM, Pipe


class AsyncPipe(Pipe):
    """A pipe within one event loop: nobody blocks, both ends wait for `changed`."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self._changed = asyncio.Event()

    def write(self, chunk: bytes) -> None:
        self.take(chunk)
        self._changed.set()

    async def room(self) -> None:
        """Waits until more may come."""
        while self._waiting > ROOM and not self._closed:
            await self._next_change()

    def finish(self, error: BaseException | None = None) -> None:
        super().finish(error)
        self._changed.set()

    def close(self) -> None:
        super().close()
        self._changed.set()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        try:
            while (piece := self.next()) is not None:
                if piece:
                    self._changed.set()
                    yield memoryview(piece)
                elif self._closed:
                    return
                else:
                    await self._next_change()
        finally:
            self.close()
