"""HTTP by aiohttp: its connections and pools, none of its redirects, cookies or decoding.

Of the asynchronous clients it is the one that reads an answer while it still sends, leaves URLs as they are, and has a public
place where addresses can be judged between look-up and connection.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Unpack
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from chartoci import transport as carrying
from chartoci.blobs import CHUNK
from chartoci.errors import ChartOciError
from chartoci.transport import AsyncAnswer, AsyncBody, Failed, Headers, may_repeat
from chartoci.transport.surroundings import Allow, Options, Surroundings, origin, proxy_authorization, proxy_for


class _Use:
    """Which connections a request uses; `new`: the last was made for it."""

    def __init__(self, silence: float | None) -> None:
        self.transports: list[asyncio.Transport | None] = []
        self.new = True
        self.clock = asyncio.timeout(None)
        self._silence = silence

    def begins(self, transport: asyncio.Transport | None) -> None:
        """A request goes out on this connection, and its answer's head has its time."""
        self.transports.append(transport)
        if self._silence is not None:
            self.clock.reschedule(asyncio.get_running_loop().time() + max(carrying.HEAD_PATIENCE, self._silence))


_used: ContextVar[_Use] = ContextVar("_used")


class _Connector(aiohttp.TCPConnector):
    """Notes which connection a request uses, so that it can be ended though nobody takes what was sent."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        connection = await super().connect(req, traces, timeout)
        _used.get().begins(connection.transport)
        return connection


def _trace() -> aiohttp.TraceConfig:
    """Tells connections that are made from those that stood."""
    trace = aiohttp.TraceConfig()

    async def made(*_: object) -> None:
        _used.get().new = True

    async def reused(*_: object) -> None:
        _used.get().new = False

    trace.on_connection_create_start.append(made)
    trace.on_connection_reuseconn.append(reused)
    return trace


class _Resolver(AbstractResolver):
    """Looks names up as the system does, and leaves out what is not allowed."""

    def __init__(self, allow: Allow) -> None:
        self._allow = allow
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        allowed = [one for one in found if self._allow(host, one["host"], port)]
        if not allowed:
            raise Failed("forbidden", f"{host} port {port}")
        return allowed

    async def close(self) -> None:
        await self._system.close()


class AiohttpTransport(Surroundings):
    """A session of aiohttp, made on first use: it belongs to the event loop that first uses it.

    `allow(host, ip, port)` is asked before every connection. Proxies are those of the environment unless `proxies` says
    otherwise (an empty dict: none). With a `session` of the caller's, its connector decides about addresses and TLS, and it
    is the caller's to close.
    """

    def __init__(self, *, session: aiohttp.ClientSession | None = None, **options: Unpack[Options]) -> None:
        super().__init__(options)
        self._given = session
        self._session = session

    @asynccontextmanager
    async def open(
        self, method: str, url: str, headers: Headers, body: AsyncBody, timeout: float | None
    ) -> AsyncIterator[AsyncAnswer]:
        # The driver sees to it that pieces are taken and that an answer comes.
        silence = timeout if body is None or isinstance(body, bytes) else None
        use = _Use(silence)
        _used.set(use)
        proxy = self._proxy(url)
        login = proxy_authorization(proxy) if proxy is not None else {}
        in_clear = login if not url.startswith("https:") else {}
        with _ended(use.transports), _failures(proxy):

            def send() -> Any:
                return self._ready().request(
                    method,
                    URL(url, encoded=True),
                    headers=[*headers, ("accept-encoding", "identity"), *in_clear.items()],
                    data=body,
                    allow_redirects=False,
                    proxy=URL(proxy).with_user(None) if proxy is not None else None,
                    proxy_headers=login or None,
                    ssl=self._tls.context() if self._given is None and url.startswith("https:") else True,
                    skip_auto_headers=("user-agent", "accept", "content-type"),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=silence),
                )

            async with use.clock:
                try:
                    answered = await send()
                except (aiohttp.ServerDisconnectedError, ConnectionError, aiohttp.ClientOSError):
                    # The peer closed what stood: that is no try.
                    if use.new or not may_repeat(method, body):
                        raise
                    answered = await send()
            async with answered as response:
                fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
                yield AsyncAnswer(response.status, fields, _chunks(response))

    async def aclose(self) -> None:
        if self._given is None and self._session is not None:
            session, self._session = self._session, None
            await session.close()
            # Sockets are closed when the loop comes round.
            await asyncio.sleep(0)

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = _Resolver(self._allow) if self._allow is not None else None
            connector = _Connector(limit_per_host=self._connections, resolver=resolver)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trace_configs=[_trace()],
            )
            # What is tried again is the core's decision. There is no public word for it.
            self._session._retry_connection = False
        return self._session

    def _proxy(self, url: str) -> str | None:
        """The proxy for an address; an address that needs no look-up is judged here."""
        scheme, authority = origin(url)
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port or (443 if scheme == "https" else 80)
        proxy = proxy_for(url, self._proxies)
        if self._allow is not None and (proxy is not None or _is_address(host)):
            if not self._allow(host, "" if proxy is not None else host, port):
                raise Failed("forbidden", f"{authority}{', through a proxy' if proxy is not None else ''}")
        return proxy


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    with _failures(answered=True):
        async for chunk in response.content.iter_chunked(CHUNK):
            yield chunk


@contextmanager
def _ended(used: list[asyncio.Transport | None]) -> Iterator[None]:
    """Ends the connections of a request that failed, was cancelled or was answered early, whatever still waits to be sent."""
    failed = True
    try:
        yield
        failed = False
    finally:
        for transport in filter(None, used):
            # One that closes would first send what it holds, to a peer that may never take it.
            if failed or transport.is_closing():
                transport.abort()


@contextmanager
def _failures(proxy: str | None = None, *, answered: bool = False) -> Iterator[None]:
    """What aiohttp and the system say, in the driver's words."""
    try:
        yield
    except (ChartOciError, Failed):
        raise
    except aiohttp.ServerFingerprintMismatch as error:
        raise Failed("tls", str(error)) from None
    except aiohttp.ClientSSLError as error:
        raise Failed("tls", str(error.os_error.strerror or error.os_error)) from None
    except aiohttp.ClientHttpProxyError as error:
        raise Failed("proxy", f"{error.status} {urlsplit(proxy or '').netloc.rpartition('@')[2]}") from None
    except aiohttp.ClientConnectorError as error:
        raise Failed("connect", str(error.os_error.strerror or error.os_error)) from None
    except (aiohttp.ServerTimeoutError, asyncio.TimeoutError):
        raise Failed("timeout", "") from None
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError) as error:
        if isinstance(error.__cause__, ChartOciError | Failed):
            raise error.__cause__ from None  # what the body ended with
        # Once an answer is there certificates were judged: then it is damage. An end is no alert.
        is_alert = type(error.__cause__) is ssl.SSLError
        raise Failed("tls" if is_alert and not answered else "reset", str(getattr(error, "strerror", None) or error)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Failed("other", str(error)) from None


