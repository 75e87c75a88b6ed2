"""HTTP by urllib3: its connections and pools, none of its retries, redirects or decoding."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from itertools import chain
from typing import Any, NamedTuple, Unpack
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from chartoci.blobs import CHUNK
from chartoci.errors import ChartOciError
from chartoci.transport import Answer, Body, Call, Failed, Headers, _http1
from chartoci.transport.surroundings import Allow, Options, Surroundings, origin, proxy_for

# Sent in one go: no peer's buffers are smaller.
SMALL = 32 * 1024

_current = threading.local()


class _Connect:
    """Connects by itself, so that the call knows its socket and every address is asked about before it is used."""

    allow: Allow | None = None

    def _new_conn(self: Any) -> socket.socket:
        call: Call = _current.call
        host: str = self._dns_host
        # Whose connection it is, everybody knows; a proxy's name is news.
        place = f"{host}:{self.port}: " if self.proxy is not None else ""
        try:
            addresses = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise Failed("connect", f"{place}{getattr(error, 'strerror', None) or error}") from None
        if self.allow is not None:
            addresses = [one for one in addresses if self.allow(self.host, one[4][0], self.port)]
            if not addresses:
                raise Failed("forbidden", f"{self.host} port {self.port}")
        refused: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            connected = socket.socket(family, kind, protocol)
            try:
                call.attach(connected)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connected.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
                connected.connect(address)
                return connected
            except OSError as error:
                connected.close()
                refused = error
            except Failed:
                connected.close()
                raise
        if isinstance(refused, TimeoutError):
            raise Failed("timeout", f"{host}:{self.port}")
        raise Failed("connect", f"{place}{refused.strerror if refused else 'no address'}")


class _Plain(_Connect, HTTPConnection):
    pass


class _Secure(_Connect, HTTPSConnection):
    pass


class _Way(NamedTuple):
    """How an origin is reached: directly or through a proxy."""

    pool: HTTPConnectionPool
    absolute: bool = False
    tunnel: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class Urllib3Transport(Surroundings):
    """Pools of connections, one for each origin.

    `allow(host, ip, port)` is asked before every connection. Proxies are those of the environment unless `proxies` says
    otherwise (an empty dict: none).
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(options)
        allow = self._allow
        self._ways: dict[tuple[str, str], _Way] = {}
        self._lock = threading.Lock()
        plain = type("_PlainHere", (_Plain,), {"allow": staticmethod(allow) if allow else None})
        secure = type("_SecureHere", (_Secure,), {"allow": plain.__dict__["allow"]})
        self._classes: dict[str, type[HTTPConnectionPool]] = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    @contextmanager
    def open(
        self, method: str, url: str, headers: Headers, body: Body, timeout: float | None, call: Call
    ) -> Iterator[Answer]:
        _current.call = call
        way = connection = response = None
        try:
            with _failures():
                place = origin(url)
                way = self._way(place)
                fields = [("host", place[1]), ("accept-encoding", "identity"), *headers, *way.headers]
                head = _http1.head(method, url if way.absolute else _target(url), fields)
                connection = way.pool._get_conn()
                response = _exchange(way, connection, method, head, body, timeout, call)
            yield Answer(response.status, response.fields, _chunks(response))
        finally:
            _current.call = None
            call.detach()
            if way is not None and connection is not None:
                again = response is not None and response.isclosed() and not response.will_close
                if not again:
                    connection.close()
                    if response is not None:
                        response.close()  # which holds the socket as well
                way.pool._put_conn(connection if again else None)

    def stands(self, url: str) -> bool:
        way = self._ways.get(origin(url))
        pool: Any = way.pool.pool if way is not None else None
        # The last that came back is the next that is taken.
        last = pool.queue[-1:] if pool is not None else []
        return bool(last) and last[0] is not None and last[0].is_connected

    def close(self) -> None:
        with self._lock:
            ways, self._ways = self._ways, {}
        for way in ways.values():
            way.pool.close()

    def _way(self, place: tuple[str, str]) -> _Way:
        way = self._ways.get(place)
        if way is None:
            with self._lock:
                way = self._ways.get(place) or self._new_way(*place)
                self._ways[place] = way
        return way

    def _new_way(self, scheme: str, authority: str) -> _Way:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
        named: dict[str, Any] = {"maxsize": self._connections, "block": False}
        if scheme == "https":
            named["ssl_context"] = self._tls.context()
            named["assert_hostname"] = None if self._tls.verify else False
        proxy = proxy_for(f"{scheme}://{authority}/", self._proxies)
        if proxy is None:
            return _Way(self._classes[scheme](host, port, **named))
        if self._allow is not None and not self._allow(host, "", port or (443 if scheme == "https" else 80)):
            raise Failed("forbidden", f"{authority}, through a proxy")
        user = urlsplit(proxy)
        secret = f"{unquote(user.username)}:{unquote(user.password or '')}" if user.username else None
        fields = urllib3.make_headers(proxy_basic_auth=secret) if secret else {}
        manager = urllib3.ProxyManager(proxy, proxy_headers=fields, **named)
        manager.pool_classes_by_scheme = self._classes
        pool = manager.connection_from_host(host, port, scheme)
        plain = scheme == "http"
        return _Way(pool, absolute=plain, tunnel=not plain, headers=tuple(fields.items()) if plain else ())


def _target(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _exchange(
    way: _Way, connection: Any, method: str, head: bytes, body: Body, timeout: float | None, call: Call
) -> _http1.Response:
    """Connects if need be, sends, and reads the head of the answer."""
    connection.timeout = timeout
    if connection.sock is None:
        if way.tunnel:
            try:
                way.pool._prepare_proxy(connection)
            except (TimeoutError, ssl.SSLError):
                raise
            except OSError as error:
                raise Failed("connect", _text(error)) from None
        else:
            connection.connect()
    call.attach(connection.sock)
    connection.sock.settimeout(timeout)
    refused = False
    source: Any = connection.sock
    try:
        if body is None or (isinstance(body, bytes) and len(body) <= SMALL):
            connection.sock.sendall(head + body if body else head)
        else:
            source = _http1.Sender(connection.sock, timeout)
            refused = not source.send(chain((head,), (body,) if isinstance(body, bytes) else body))
        if not refused:
            connection.sock.settimeout(timeout if call.thinking is None else call.thinking)
    except (BrokenPipeError, ssl.SSLEOFError):
        refused = True  # the answer may say why
    response = _http1.Response(source, method)
    try:
        response.begin()
    except BaseException:
        response.close()
        raise
    connection.sock.settimeout(timeout)
    response.will_close = response.will_close or refused
    return response


def _chunks(response: _http1.Response) -> Iterator[bytes]:
    with _failures():
        yield from _http1.pieces(response, CHUNK)


@contextmanager
def _failures() -> Iterator[None]:
    """What urllib3 and the system say, in the driver's words."""
    try:
        yield
    except ChartOciError:
        raise
    except (ssl.SSLError, exceptions.SSLError) as error:
        raise Failed("tls", _text(error)) from None
    except TimeoutError:
        raise Failed("timeout", "") from None
    except (ConnectionError, IncompleteRead) as error:
        raise Failed("reset", _text(error)) from None
    except (OSError, ValueError, HTTPException, exceptions.HTTPError) as error:
        raise Failed("other", _text(error)) from None


def _text(error: BaseException) -> str:
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return getattr(error, "strerror", None) or str(error)
