"""What the driver wants of HTTP: one method, and a way to shut a call down from another thread."""

import socket
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import NamedTuple, Protocol, runtime_checkable

# Seconds that an answer's head may take in all, or the silence that is allowed if that is longer: what drips is never silent.
HEAD_PATIENCE = 30.0

Headers = Sequence[tuple[str, str]]
Body = bytes | Iterable[memoryview] | None
AsyncBody = bytes | AsyncIterator[memoryview] | None


class Failed(Exception):
    """A request could not be completed: `connect`, `tls`, `timeout`, `reset`, `storage`, `forbidden` or `other`."""

    def __init__(self, failure: str, text: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text


def may_repeat(method: str, body: object) -> bool:
    """The request may be sent twice, though nobody asked what the registry made of it the first time. What became of a part
    of a blob, or of a deletion, only the core can tell."""
    return method not in ("DELETE", "PATCH") and (body is None or isinstance(body, bytes))


class Answer(NamedTuple):
    """The head of a response, and its body in pieces, as it came over the wire."""

    status: int
    headers: Headers
    chunks: Iterator[bytes]


class AsyncAnswer(NamedTuple):
    """As `Answer`, with pieces that are awaited."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]


class Call:
    """A request under way: knows its socket, so that another thread can shut it down.

    `thinking` is the silence allowed between the last byte that is sent and the answer's head, in seconds, where it is
    another than in the rest of the call: registries think long about a blob.
    """

    def __init__(self, thinking: float | None = None) -> None:
        self.thinking = thinking
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False

    def attach(self, connected: socket.socket) -> None:
        """The call now uses this socket."""
        with self._lock:
            self._socket = connected
            if not self._over:
                return
        raise Failed("other", "the call was cancelled")

    def detach(self) -> None:
        """The socket is somebody else's again."""
        with self._lock:
            self._socket = None

    def shut_down(self) -> None:
        """Ends the call: whoever waits for its socket wakes up."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Transport(Protocol):
    """Sends requests. Nothing is followed, retried or decoded here: the core does all that."""

    def open(
        self, method: str, url: str, headers: Headers, body: Body, timeout: float | None, call: Call
    ) -> AbstractContextManager[Answer]:
        """Sends a request and gives the head of the answer; leaving ends the call.

        Content-Length is among the headers where there is a body. `timeout` is the silence allowed, in seconds; None
        allows any. `call.thinking` stands in its place before the answer's head. Raises `Failed`. Where a
        connection stood and the peer closed it before anything came, that is no failure of what `may_repeat`: it is sent once
        more over another. The socket is attached
        to `call` as soon as there is one.
        """
        ...

    def stands(self, url: str) -> bool:
        """A connection for that address stands idle: the call will look up no name and wait for no handshake."""
        ...

    def close(self) -> None:
        """Closes what stands."""
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """As `Transport`, for an event loop: a call is ended by cancelling its task."""

    def open(
        self, method: str, url: str, headers: Headers, body: AsyncBody, timeout: float | None
    ) -> AbstractAsyncContextManager[AsyncAnswer]:
        """Sends a request and gives the head of the answer; leaving ends the call. As `Transport.open`; but where `body`
        comes in pieces the driver itself sees to it that they are taken and that an answer comes: `timeout` is for
        connecting and for the answer's body.
        """
        ...

    async def aclose(self) -> None:
        """Closes what stands."""
        ...
