"""The one loop that drives an exchange: poll, send, hand back.

A request that is out alone on a connection that stands is sent from the calling thread; others go to daemon threads that
nobody ever waits for. Giving up, by Ctrl-C, an error or a deadline, shuts the sockets down.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from chartoci import _native as native
from chartoci._native import Ask, Exchange, Receiver, Request
from chartoci.blobs import Sink, pieces
from chartoci.model import Event, Progress
from chartoci.transport import Call, Failed, Transport

Bytes = bytes | bytearray | memoryview


class Workers:
    """Daemon threads, started as needed; one that has nothing to do for a while ends."""

    def __init__(self, idle: float = 10.0) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._idle = idle
        self.process: int = os.getpid()

    def start(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._waiting -= 1
            needed = self._waiting < 0
        self._jobs.put(job)
        if needed:
            threading.Thread(target=self._work, name="chartoci", daemon=True).start()

    def _work(self) -> None:
        with self._lock:
            self._waiting += 1
        while True:
            try:
                self._jobs.get(timeout=self._idle)()
            except queue.Empty:
                with self._lock:
                    if self._waiting > 0:
                        self._waiting -= 1
                        return
                continue
            with self._lock:
                self._waiting += 1


class Drive:
    """One exchange under way."""

    def __init__(
        self,
        exchange: Exchange,
        transport: Transport,
        workers: Workers,
        *,
        sources: Sequence[tuple[str, Bytes] | None] = (),
        sinks: Sequence[tuple[str, Sink] | None] = (),
        credentials: Callable[[Ask], Any] = lambda query: None,
        progress: Callable[[Event], object] | None = None,
    ) -> None:
        self._exchange = exchange
        self._transport = transport
        self._workers = workers
        self._sources = sources
        self._sinks = sinks
        self._credentials = credentials
        self._progress = progress
        self._calls: dict[int, Call] = {}
        self._news: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

    def run(self) -> Any:
        """The outcome; raises what ended the exchange."""
        try:
            return self._loop()
        except BaseException:
            self._exchange.abort()
            for call in list(self._calls.values()):
                call.shut_down()
            raise

    def _loop(self) -> Any:
        exchange = self._exchange
        sends: list[Request] = []
        while True:
            match exchange.poll(_now()):
                case native.Send(request):
                    sends.append(request)
                case native.Wait(until):
                    if self._alone(sends, until):
                        self._transact(sends.pop())
                        continue
                    for request in sends:
                        self._calls[request.id] = call = Call()
                        self._workers.start(partial(self._work, request, call))
                    sends.clear()
                    self._wait(until)
                case native.Notify(event):
                    self._tell(event)
                case native.Ask() as query:
                    exchange.handle_credential(query.id, self._credentials(query))
                case native.Cancel(id):
                    cancelled = self._calls.pop(id, None)
                    if cancelled is not None:
                        cancelled.shut_down()
                case native.Done(outcome, error):
                    for call in list(self._calls.values()):
                        call.shut_down()
                    if error is not None:
                        raise error
                    return outcome

    def _alone(self, sends: list[Request], until: int | None) -> bool:
        """Nothing else can happen before the one request has its answer."""
        return len(sends) == 1 and not self._calls and until is None and self._transport.stands(sends[0].url)

    def _wait(self, until: int | None) -> None:
        """Until there is news, or that time; passes on all events that are there."""
        timeout = None if until is None else max(0, until - _now()) / 1000
        try:
            news = self._news.get(timeout=timeout)
            while True:
                if isinstance(news, BaseException):
                    raise news
                if news is not None:
                    self._tell(news)
                news = self._news.get_nowait()
        except queue.Empty:
            pass

    def _tell(self, event: Event) -> None:
        if self._progress is not None:
            self._progress(event)

    def _work(self, request: Request, call: Call) -> None:
        """On a worker: one request, then word of it."""
        news: BaseException | None = None
        try:
            self._transact(request, call, self._news.put)
        except BaseException as error:
            news = error
        if self._calls.pop(request.id, None) is not None:
            self._news.put(news)

    def _transact(
        self, request: Request, call: Call | None = None, tell: Callable[[Event], object] | None = None
    ) -> None:
        """Sends a request and feeds its answer to the machine."""
        exchange, id = self._exchange, request.id
        call = call or Call()
        tell = (tell or self._tell) if self._progress is not None else None
        receiver: Receiver | None = None
        try:
            method, url, headers = request.method, request.url, request.headers
            if method in ("POST", "PUT", "PATCH"):
                headers.append(("content-length", str(request.length)))
            with self._transport.open(method, url, headers, self._body(request, tell), request.timeout, call) as answer:
                receiver = exchange.handle_response(id, answer.status, answer.headers)
                self._receive(request, receiver, answer.chunks, tell)
        except Failed as failed:
            exchange.handle_failure(id, failed.failure, failed.text, receiver)
        else:
            exchange.handle_end(id, receiver)

    def _receive(
        self,
        request: Request,
        receiver: Receiver,
        chunks: Iterator[bytes],
        tell: Callable[[Event], object] | None,
    ) -> None:
        if request.sink is None or not receiver.stores:
            for chunk in chunks:
                if not receiver.write(chunk):
                    return
            return
        found = self._sinks[request.sink]
        assert found is not None
        item, sink = found
        with _storage():
            sink.cut(receiver.offset)
        for chunk in chunks:
            more = receiver.write(chunk)
            with _storage():
                sink.write(chunk)
            if tell is not None:
                tell(Progress(item, receiver.seen, receiver.expected))
            if not more:
                return

    def _body(self, request: Request, tell: Callable[[Event], object] | None) -> bytes | Iterator[memoryview] | None:
        if request.blob is None:
            return request.body
        blob, start, end = request.blob
        found = self._sources[blob]
        assert found is not None
        item, data = found
        return self._upload(item, data, start, end, tell)

    def _upload(
        self, item: str, data: Bytes, start: int, end: int, tell: Callable[[Event], object] | None
    ) -> Iterator[memoryview]:
        sent = start
        for piece in pieces(data, start, end):
            yield piece
            sent += len(piece)
            if tell is not None:
                tell(Progress(item, sent, len(data)))


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        raise Failed("storage", failed.strerror or str(failed)) from None


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
