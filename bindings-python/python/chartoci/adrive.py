"""The driver's loop in an event loop: requests are tasks, or jobs of daemon threads where the transport blocks."""

import asyncio
import functools
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from weakref import WeakKeyDictionary

from chartoci import _native as native
from chartoci._native import Ask, Descriptor, Exchange, OpenFile, Receiver, Request
from chartoci.apipe import AsyncPipe
from chartoci.client import Aside, Clock, Plan, Run, Settings, prepare, resume
from chartoci.credentials import Credential
from chartoci.blobs import Sink
from chartoci.drive import Drive, News, Workers, fields, left
from chartoci.errors import ChartOciError
from chartoci.model import Progress
from chartoci.over import Over
from chartoci.transport import AsyncTransport, Failed, Transport

R = TypeVar("R")

# How long a transport may take to let go of what was cancelled.
LETTING_GO = 0.05


async def in_thread(workers: Workers, job: Callable[[], R], forget: Callable[[], object] = lambda: None) -> R:
    """Does a job on a worker. Who is cancelled meanwhile does not wait; once the job is done, `forget` is called."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()

    def work() -> None:
        try:
            finish = partial(_settle, future, forget, future.set_result, job())
        except BaseException as error:
            finish = partial(_settle, future, forget, future.set_exception, error)
        try:
            loop.call_soon_threadsafe(finish)
        except RuntimeError:
            # The loop is closed.
            forget()

    workers.start(work)
    return await future


def _settle(future: "asyncio.Future[Any]", forget: Callable[[], object], settle: Callable[[Any], object], value: Any) -> None:
    if future.cancelled():
        forget()
    else:
        settle(value)


class AsyncDrive(Drive):
    """One exchange under way, driven by a task; `credentials` is awaited."""

    def __init__(self, exchange: native.Exchange, transport: Transport | AsyncTransport, workers: Workers, **named: Any):
        awaited = isinstance(transport, AsyncTransport)
        super().__init__(exchange, transport, workers, **named)  # type: ignore[arg-type]
        self._tasks: dict[int, asyncio.Task[None]] | None = {} if awaited else None
        self._answers: list[asyncio.Task[None]] = []
        self._loop_of_task = asyncio.get_running_loop()
        self._heard: list[News] = []
        self._word = asyncio.Event()

    async def arun(self) -> Any:
        """The outcome; raises what ended the exchange."""
        try:
            return await self._aloop()
        except BaseException:
            self._exchange.abort()
            raise
        finally:
            self.shut_down()
            if under_way := self._under_way():
                await asyncio.wait(under_way, timeout=LETTING_GO)

    async def _aloop(self) -> Any:
        self.begin_beside()
        sends: list[Request] = []
        while True:
            match self.advance(sends):
                case native.Wait(until):
                    while sends:
                        self.start(sends.pop(0))
                    await self._await(until)
                case native.Ask() as query:
                    self.ask(query)
                case native.Done(outcome, error):
                    if error is not None:
                        raise error
                    return outcome

    async def _await(self, until: int | None) -> None:
        """Until there is news, or that time; passes on all events that are there."""
        try:
            async with asyncio.timeout(left(until)):
                await self._word.wait()
        except TimeoutError:
            pass
        self._word.clear()
        heard, self._heard = self._heard, []
        for news in heard:
            self.hear(news)

    def post(self, news: News) -> None:
        try:
            self._loop_of_task.call_soon_threadsafe(self._note, news)
        except RuntimeError:
            # The loop is closed: nobody is there to hear it.
            pass

    def _note(self, news: News) -> None:
        self._heard.append(news)
        self._word.set()

    def ask(self, query: Ask) -> None:
        self._answers.append(self._loop_of_task.create_task(self._answer(query)))

    async def _answer(self, query: Ask) -> None:
        news: BaseException | None = None
        try:
            self._exchange.handle_credential(query.id, await self._credentials(query, self._over))
        except BaseException as error:
            news = error
        self._note(news)

    def start(self, request: Request) -> None:
        if self._tasks is None:
            super().start(request)
        else:
            self._tasks[request.id] = self._loop_of_task.create_task(self._perform(request))

    def cancel(self, id: int) -> None:
        super().cancel(id)
        if self._tasks and id in self._tasks:
            self._tasks[id].cancel()

    def shut_down(self) -> None:
        super().shut_down()
        for task in self._under_way():
            task.cancel()

    def _under_way(self) -> list[asyncio.Task[None]]:
        return [*(self._tasks or {}).values(), *self._answers]

    async def _perform(self, request: Request) -> None:
        """One request by an asynchronous transport, then word of it."""
        news: BaseException | None = None
        try:
            await self._exchange_with(request)
        except Exception as error:
            news = error
        self._note(news)

    async def _exchange_with(self, request: Request) -> None:
        exchange, id, transport = self._exchange, request.id, self._transport
        assert isinstance(transport, AsyncTransport)
        receiver: Receiver | None = None
        patience = _Patience(request)
        try:
            body = await self._abody(request)
            if body is None or isinstance(body, bytes):
                silence = request.thinking
            else:
                silence, body = request.timeout, patience.watch(body)
            opened = transport.open(request.method, request.url, fields(request), body, silence)
            async with patience.clock, opened as answer:
                patience.end(answered=True)
                receiver = exchange.handle_response(id, answer.status, answer.headers)
                take = self.taker(request, receiver, self._note)
                pipe = self._sinks[0][1] if self._sinks and self._sinks[0] is not None else None
                async for chunk in answer.chunks:
                    if not take(chunk):
                        break
                    if isinstance(pipe, AsyncPipe):
                        await pipe.room()
        except ChartOciError:
            raise  # of what a copy fetches: that has been tried again
        except TimeoutError:
            exchange.handle_failure(id, "timeout", "", receiver)
        except Failed as failed:
            exchange.handle_failure(id, failed.failure, failed.text, receiver)
        else:
            exchange.handle_end(id, receiver)
        finally:
            patience.end(answered=False)
            self.let_go(id)

    async def _abody(self, request: Request) -> bytes | AsyncIterator[memoryview] | None:
        elsewhere = self._exchange.source(request.blob[0]) if request.blob is not None else None
        if elsewhere is not None and request.blob is not None:
            flow = self._aflow(request.id, *elsewhere, *request.blob[1:])
            return _begun(await anext(flow, None), flow)
        source = self._sources[request.blob[0]] if request.blob is not None else None
        of_file = source is not None and isinstance(source[1], OpenFile)
        body = self.body(request, self.post if of_file else self._note)
        if body is None or isinstance(body, bytes):
            return body
        return self._awaited(body) if of_file else _asynchronous(body)

    async def _awaited(self, pieces: Iterator[memoryview]) -> AsyncIterator[memoryview]:
        """The pieces of a file: who reads may wait for the disk."""
        while (piece := await in_thread(self._workers, partial(next, pieces, None))) is not None:
            yield piece

    async def _aflow(
        self, id: int, repository: str, descriptor: Descriptor, start: int, end: int
    ) -> AsyncIterator[memoryview]:
        """A blob of another registry, on its way from there."""
        assert self._fetch is not None
        pipe = AsyncPipe(start, end)
        drive: AsyncDrive = self._fetch(repository, descriptor, start, end, pipe)

        async def flow() -> None:
            try:
                await drive.arun()
            except BaseException as error:
                pipe.finish(error)
            else:
                pipe.finish()

        task = self._loop_of_task.create_task(flow())
        pipe.stop = task.cancel
        self._pipes[id] = pipe
        sent = start
        async for piece in pipe:
            yield piece
            sent += len(piece)
            if self._progress is not None:
                self._note(Progress(str(descriptor.digest), sent, descriptor.size))


class _Patience:
    """How long a peer may neither take a piece of what is sent nor, when it has all, begin to answer."""

    def __init__(self, request: Request) -> None:
        self.clock = asyncio.timeout(None)
        self._request = request
        self._over = False

    async def watch(self, pieces: AsyncIterator[memoryview]) -> AsyncIterator[memoryview]:
        """The pieces as they are asked for: who asks for the next has taken the one before."""
        async for piece in pieces:
            self._wait(self._request.timeout)
            yield piece
            self._wait(None)
        self._wait(self._request.thinking)

    def end(self, answered: bool) -> None:
        """There is an answer, or none will come."""
        if answered:
            self._wait(None)
        self._over = True

    def _wait(self, silence: float | None) -> None:
        if not self._over and self.clock.when() != (until := _after(silence)):
            self.clock.reschedule(until)


def _after(silence: float | None) -> float | None:
    return None if silence is None else asyncio.get_running_loop().time() + silence


async def _begun(first: memoryview | None, rest: AsyncIterator[memoryview]) -> AsyncIterator[memoryview]:
    if first is not None:
        yield first
    async for piece in rest:
        yield piece


async def _asynchronous(pieces: Iterable[memoryview]) -> AsyncIterator[memoryview]:
    for piece in pieces:
        yield piece


class Carrier(
    Settings[Callable[[Ask], Credential | Awaitable[Credential]], Transport | AsyncTransport | Literal["urllib3", "aiohttp"]]
):
    """Carries out plans in an event loop."""

    @functools.cached_property
    def _transports(self) -> WeakKeyDictionary[asyncio.AbstractEventLoop, Transport | AsyncTransport]:
        """One for each event loop: the connections of an asynchronous one belong to it."""
        return WeakKeyDictionary()

    def _check_transport(self, transport: object) -> None:
        if transport == "aiohttp":
            _aiohttp()
        elif transport != "urllib3":
            super()._check_transport(transport)

    async def close(self) -> None:
        """Closes connections that stand; the client can still be used."""
        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is None or transport is self._given:
            return
        if isinstance(transport, AsyncTransport):
            await transport.aclose()
        else:
            transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _carry_out(self, plan: Plan[R]) -> R:
        # What a plan does between its exchanges reads files and charts: that is for a thread.
        on_thread = partial(in_thread, self._workers, forget=plan.close)
        clock = self._clock()
        run, result = await on_thread(partial(resume, plan))
        while run is not None:
            try:
                outcome = await self._drive(run, clock)
            except Exception as error:
                run, result = await on_thread(partial(resume, plan, error=error))
            except BaseException:
                plan.close()
                raise
            else:
                run, result = await on_thread(partial(resume, plan, outcome))
        return result  # type: ignore[return-value]

    async def _aside(self, aside: Aside, clock: Clock) -> Any:
        over, left = Over(), clock.left(aside.timeout)
        timer = None if left is None else asyncio.get_running_loop().call_later(left, over.tell)
        try:
            return await in_thread(self._workers, partial(aside.do, over))
        finally:
            over.tell()
            if timer is not None:
                timer.cancel()

    async def _drive(self, run: Run | Aside, clock: Clock) -> Any:
        if isinstance(run, Aside):
            return await self._aside(run, clock)
        prepare(run, clock)
        transport = self._carrier()
        return await AsyncDrive(
            run.exchange,
            transport,
            self._workers,
            sources=run.sources,
            sinks=run.sinks,
            credentials=partial(self._aanswer, run),
            progress=run.progress,
            beside=run.beside,
            fetch=partial(self._fetch, run, transport, asyncio.get_running_loop()),
        ).arun()

    def _fetch(
        self,
        copy: Run,
        transport: Transport | AsyncTransport,
        loop: asyncio.AbstractEventLoop,
        repository: str,
        blob: Descriptor,
        start: int,
        end: int,
        sink: Sink,
    ) -> Drive:
        """The drive of a fetch whose bytes go on to another registry: of the kind that the transport is for."""
        exchange = Exchange.fetch(self._session, repository, blob, start, end)
        prepare(copy._replace(exchange=exchange), None)
        aanswer = partial(self._aanswer, copy)
        sinks = ((str(blob.digest), sink),)
        if isinstance(transport, AsyncTransport):
            return AsyncDrive(exchange, transport, self._workers, sinks=sinks, credentials=aanswer)
        # Its own thread asks the loop.
        def wait(query: Ask, over: Over) -> Any:
            asked = asyncio.run_coroutine_threadsafe(aanswer(query, over), loop)
            with over.ending(asked.cancel):
                return asked.result()

        return Drive(exchange, transport, self._workers, sinks=sinks, credentials=wait)

    def _carrier(self) -> Transport | AsyncTransport:
        loop = asyncio.get_running_loop()
        if self._workers.process != os.getpid():
            # Threads and sockets do not survive a fork.
            self._workers = Workers()
            self._transports.clear()
        transport = self._transports.get(loop)
        if transport is None:
            self._transports[loop] = transport = _make(self._given, self._options)
        return transport

    async def _aanswer(self, run: Run, query: Ask, over: Over) -> Any:
        found = await in_thread(self._workers, partial(self._answer, run, query, over))
        return await found if inspect.isawaitable(found) else found


def _make(given: Transport | AsyncTransport | Literal["urllib3", "aiohttp"] | None, options: dict[str, Any]) -> Transport | AsyncTransport:
    match given:
        case None | "urllib3":
            from chartoci.transport.urllib3 import Urllib3Transport

            return Urllib3Transport(**options)
        case "aiohttp":
            made: AsyncTransport = _aiohttp().AiohttpTransport(**options)
            return made
        case _:
            return given


def _aiohttp() -> Any:
    try:
        import chartoci.transport.aiohttp as found
    except ModuleNotFoundError as missing:
        raise native.error(
            "misuse.argument",
            f"transport is 'aiohttp', and {missing.name} is not installed",
            hint='Install the extra: pip install "chartoci[aiohttp]". Or leave `transport` out for urllib3.',
        ) from None
    return found
