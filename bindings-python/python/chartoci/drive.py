"""The one loop that drives an exchange: poll, send, hand back.

A request that is out alone on a connection that stands is sent from the calling thread; others go to daemon threads that
nobody ever waits for. Giving up, by Ctrl-C, an error or a deadline, shuts the sockets down.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from chartoci import _native as native
from chartoci._native import Ask, Descriptor, Done, Exchange, OpenFile, Push, Receiver, Request, Wait
from chartoci.blobs import Bytes, Sink, pieces
from chartoci.model import Event, Progress
from chartoci.over import Over
from chartoci.pipe import Pipe
from chartoci.transport import Call, Failed, Transport

T = TypeVar("T")

News = Event | BaseException | None
# Makes the drive of a fetch: from that repository, of that blob, from which byte to which, into that sink.
Fetch = Callable[[str, Descriptor, int, int, Sink], Any]


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
    """One exchange under way, and the loop that drives it in the calling thread."""

    def __init__(
        self,
        exchange: Exchange,
        transport: Transport,
        workers: Workers,
        *,
        sources: Sequence[tuple[str, Bytes | OpenFile] | None] = (),
        sinks: Sequence[tuple[str, Sink] | None] = (),
        credentials: Callable[[Ask, Over], Any] = lambda query, over: None,
        progress: Callable[[Event], object] | None = None,
        beside: Callable[[], Push] | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._exchange = exchange
        self._transport = transport
        self._workers = workers
        self._sources = sources
        self._sinks = sinks
        self._credentials = credentials
        self._progress = progress
        self._beside = beside
        self._fetch = fetch
        # What requests send on from another registry, by their numbers.
        self._pipes: dict[int, Pipe] = {}
        self._calls: dict[int, Call] = {}
        self._questions: set[int] = set()
        self._over = Over()
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()

    def run(self) -> Any:
        """The outcome; raises what ended the exchange."""
        try:
            return self._loop()
        except BaseException:
            self._exchange.abort()
            raise
        finally:
            self.shut_down()

    def _loop(self) -> Any:
        self.begin_beside()
        sends: list[Request] = []
        while True:
            match self.advance(sends):
                case native.Wait(until):
                    if self._alone(sends, until):
                        request = sends.pop()
                        self._transact(request, Call(request.thinking), self.tell)
                        continue
                    while sends:
                        self.start(sends.pop(0))
                    self._wait(until)
                case native.Ask() as query:
                    self.ask(query)
                case native.Done(outcome, error):
                    if error is not None:
                        raise error
                    return outcome

    def advance(self, sends: list[Request]) -> Ask | Done | Wait:
        """Polls until it is the loop's turn; what is to be sent comes into `sends`."""
        while True:
            match self._exchange.poll(now()):
                case native.Send(request):
                    sends.append(request)
                case native.Notify(event):
                    self.tell(event)
                case native.Cancel(id):
                    self.cancel(id)
                case output:
                    return output

    def begin_beside(self) -> None:
        """Has the chart scanned by a worker while its blobs go up. A scan that fails ends the exchange."""
        scan = self._beside
        if scan is None:
            return

        def work() -> None:
            try:
                self._exchange.handle_scanned(scan())
            except BaseException as error:
                self.post(error)
            else:
                self._beside = None
                self.post(None)

        self._workers.start(work)

    def ask(self, query: Ask) -> None:
        """Has a worker answer: who answers may take long, and nobody waits for that longer than the exchange may take."""

        def work() -> None:
            news: BaseException | None = None
            try:
                self._exchange.handle_credential(query.id, self._credentials(query, self._over))
            except BaseException as error:
                news = error
            self._questions.discard(query.id)
            self.post(news)

        self._questions.add(query.id)
        self._workers.start(work)

    def _alone(self, sends: list[Request], until: int | None) -> bool:
        """Nothing else can happen before the one request has its answer."""
        busy = self._calls or self._questions or self._beside or until is not None
        return len(sends) == 1 and not busy and self._transport.stands(sends[0].url)

    def _wait(self, until: int | None) -> None:
        """Until there is news, or that time; passes on all events that are there."""
        try:
            news = self._news.get(timeout=left(until))
            while True:
                self.hear(news)
                news = self._news.get_nowait()
        except queue.Empty:
            pass

    def hear(self, news: News) -> None:
        """Word of a worker: an event, what it failed with, or nothing but that it is done."""
        if isinstance(news, BaseException):
            raise news
        if news is not None:
            self.tell(news)

    def tell(self, event: Event) -> None:
        """Passes on an event to who asked for events."""
        if self._progress is not None:
            self._progress(event)

    def post(self, news: News) -> None:
        """Leaves word for the loop; from any thread."""
        self._news.put(news)

    def start(self, request: Request) -> None:
        """Gives a request to a worker."""
        self._calls[request.id] = call = Call(request.thinking)
        self._workers.start(partial(self._work, request, call))

    def cancel(self, id: int) -> None:
        """Ends one request."""
        call = self._calls.pop(id, None)
        if call is not None:
            call.shut_down()
        self.let_go(id)

    def let_go(self, id: int) -> None:
        """Nothing more is sent with a request: what it would have sent on is not fetched either."""
        pipe = self._pipes.pop(id, None)
        if pipe is not None:
            pipe.close()

    def shut_down(self) -> None:
        """Ends all that is still under way."""
        self._over.tell()
        for call in list(self._calls.values()):
            call.shut_down()
        for id in list(self._pipes):
            self.let_go(id)

    def _work(self, request: Request, call: Call) -> None:
        """On a worker: one request, then word of it."""
        news: BaseException | None = None
        try:
            self._transact(request, call, self.post)
        except BaseException as error:
            news = error
        if self._calls.pop(request.id, None) is not None:
            self.post(news)

    def _transact(self, request: Request, call: Call, tell: Callable[[Event], object]) -> None:
        """Sends a request and feeds its answer to the machine."""
        exchange, id = self._exchange, request.id
        receiver: Receiver | None = None
        try:
            with self._transport.open(
                request.method, request.url, fields(request), self.body(request, tell), request.timeout, call
            ) as answer:
                receiver = exchange.handle_response(id, answer.status, answer.headers)
                take = self.taker(request, receiver, tell)
                for chunk in answer.chunks:
                    if not take(chunk):
                        break
        except Failed as failed:
            exchange.handle_failure(id, failed.failure, failed.text, receiver)
        else:
            exchange.handle_end(id, receiver)
        finally:
            self.let_go(id)

    def taker(
        self, request: Request, receiver: Receiver, tell: Callable[[Event], object]
    ) -> Callable[[bytes], bool]:
        """What takes the pieces of an answer's body, and says whether it wants more."""
        if request.sink is None or not receiver.stores:
            return _hurried(receiver)
        found = self._sinks[request.sink]
        assert found is not None
        item, sink = found
        _store(sink.cut, receiver.offset)

        def take(chunk: bytes) -> bool:
            more = receiver.write(chunk)
            _store(sink.write, chunk)
            if self._progress is not None:
                tell(Progress(item, receiver.seen, receiver.expected))
            return more

        return take

    def body(self, request: Request, tell: Callable[[Event], object]) -> bytes | Iterator[memoryview] | None:
        """What goes out with a request."""
        if request.blob is None:
            return request.body
        blob, start, end = request.blob
        elsewhere = self._exchange.source(blob)
        if elsewhere is not None:
            repository, descriptor = elsewhere
            flow = self._flow(request.id, repository, descriptor, start, end)
            # Some registries serve nobody while they take a blob, and it may come from themselves: first it begins to come.
            flow = chain([piece for piece in (next(flow, None),) if piece], flow)
            return self._upload(str(descriptor.digest), flow, start, descriptor.size, tell)
        found = self._sources[blob]
        assert found is not None
        item, data = found
        return self._upload(item, _read(data, start, end), start, len(data), tell)

    def _flow(self, id: int, repository: str, descriptor: Descriptor, start: int, end: int) -> Iterator[memoryview]:
        """A blob of another registry, on its way from there once the first piece is asked for."""
        assert self._fetch is not None
        pipe = Pipe(start, end)
        drive: Drive = self._fetch(repository, descriptor, start, end, pipe)
        pipe.stop = drive.shut_down

        def flow() -> None:
            try:
                drive.run()
            except BaseException as error:
                pipe.finish(error)
            else:
                pipe.finish()

        self._pipes[id] = pipe
        self._workers.start(flow)
        yield from pipe

    def _upload(
        self, item: str, source: Iterable[memoryview], start: int, total: int, tell: Callable[[Event], object]
    ) -> Iterator[memoryview]:
        sent = start
        for piece in source:
            yield piece
            sent += len(piece)
            if self._progress is not None:
                tell(Progress(item, sent, total))


def _hurried(receiver: Receiver) -> Callable[[bytes], bool]:
    """What takes a body that is not stored, within its time."""
    patience = receiver.patience
    if patience is None:
        return receiver.write
    end = time.monotonic() + patience

    def take(chunk: bytes) -> bool:
        if time.monotonic() > end:
            raise Failed("timeout", "")
        return receiver.write(chunk)

    return take


def fields(request: Request) -> list[tuple[str, str]]:
    """A request's headers, with the length of what goes out."""
    headers = request.headers
    if request.method in ("POST", "PUT", "PATCH"):
        headers.append(("content-length", str(request.length)))
    return headers


def _store(step: Callable[[T], object], what: T) -> None:
    """Lets a sink do something; what the system refuses ends the request."""
    try:
        step(what)
    except OSError as failed:
        raise _refused(failed) from None


def _read(data: Bytes | OpenFile, start: int, end: int) -> Iterator[memoryview]:
    """A range of what is to be sent; what the system refuses ends the request."""
    try:
        yield from pieces(data, start, end)
    except OSError as failed:
        raise _refused(failed) from None


def _refused(failed: OSError) -> Failed:
    place = f"{failed.filename}: " if failed.filename else ""
    return Failed("storage", f"{place}{failed.strerror or failed}")


def now() -> int:
    """Milliseconds on the clock that the machine is told of."""
    return time.monotonic_ns() // 1_000_000


def left(until: int | None) -> float | None:
    """Seconds until then."""
    return None if until is None else max(0, until - now()) / 1000
