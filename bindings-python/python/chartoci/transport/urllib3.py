"""HTTP by urllib3: its connections, through proxies and TLS; none of its pools, retries, redirects or decoding."""

import socket
import ssl
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import chain
from typing import Any, NamedTuple, Unpack
from urllib.parse import urlsplit

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from chartoci.blobs import CHUNK
from chartoci.errors import ChartOciError
from chartoci.transport import Answer, Body, Call, Failed, Headers, _http1, may_repeat
from chartoci.transport.surroundings import Allow, Options, Surroundings, origin, proxy_authorization, proxy_for

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
    def _tunnel(self: Any) -> None:
        """Asks the proxy for a tunnel. Python's own reads an answer that has no end, and keeps its status for itself."""
        host = self._tunnel_host.strip("[]")
        place = f"[{host}]:{self._tunnel_port}" if ":" in host else f"{host}:{self._tunnel_port}"
        fields = {"Host": place, **self._tunnel_headers}
        self.sock.sendall(_http1.head("CONNECT", place, fields.items()))
        answer = _http1.Response(self.sock, "CONNECT")
        try:
            answer.begin()
        except ValueError as error:
            raise Failed("connect", f"the proxy: {error}") from None
        if not 200 <= answer.status < 300:
            raise Failed("proxy", f"{answer.status} {self.host}:{self.port}")


class _Stale(Exception):
    """A connection that stood was closed by the peer before anything came of it: that is no try."""


class _Way(NamedTuple):
    """How an origin is reached: directly or through a proxy. `idle` are connections that stand, the latest last."""

    pool: HTTPConnectionPool
    idle: list[Any]
    absolute: bool = False
    tunnel: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def connection(self) -> Any:
        """One that stands, or else a new one."""
        try:
            while not (connection := self.idle.pop()).is_connected:
                connection.close()
        except IndexError:
            return self.pool._new_conn()
        return connection

    def stands(self) -> bool:
        """The connection that is the next to be taken stands."""
        try:
            return bool(self.idle[-1].is_connected)
        except IndexError:
            return False


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
        # Who forgets to close leaves no open sockets.
        weakref.finalize(self, _hang_up, self._ways)
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
            try:
                place = origin(url)
                way = self._ways.get(place) or self._way(place)
                fields = [("host", place[1]), ("accept-encoding", "identity"), *headers, *way.headers]
                head = _http1.head(method, url if way.absolute else _target(url), fields)
                connection = way.connection()
                try:
                    response = _exchange(way, connection, method, head, body, timeout, call)
                except _Stale:
                    connection.close()
                    response = _exchange(way, connection, method, head, body, timeout, call)
            except Exception as error:
                raise _failed(error) from None
            yield Answer(response.status, response.fields, _chunks(response))
        finally:
            _current.call = None
            call.detach()
            if way is not None and connection is not None:
                again = response is not None and response.is_over and not response.will_close
                if again and len(way.idle) < self._connections and self._ways.get(place) is way:
                    way.idle.append(connection)
                else:
                    connection.close()

    def stands(self, url: str) -> bool:
        way = self._ways.get(origin(url))
        return way is not None and way.stands()

    def close(self) -> None:
        _hang_up(self._ways)

    def _way(self, place: tuple[str, str]) -> _Way:
        with self._lock:
            way = self._ways.get(place) or self._new_way(*place)
            self._ways[place] = way
        return way

    def _new_way(self, scheme: str, authority: str) -> _Way:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
        named: dict[str, Any] = {}
        if scheme == "https":
            named["ssl_context"] = self._tls.context()
            named["assert_hostname"] = None if self._tls.verify else False
        proxy = proxy_for(f"{scheme}://{authority}/", self._proxies)
        if proxy is None:
            return _Way(self._classes[scheme](host, port, **named), [])
        if self._allow is not None and not self._allow(host, "", port or (443 if scheme == "https" else 80)):
            raise Failed("forbidden", f"{authority}, through a proxy")
        fields = proxy_authorization(proxy)
        manager = urllib3.ProxyManager(proxy, proxy_headers=fields, **named)
        manager.pool_classes_by_scheme = self._classes
        pool = manager.connection_from_host(host, port, scheme)
        plain = scheme == "http"
        return _Way(pool, [], absolute=plain, tunnel=not plain, headers=tuple(fields.items()) if plain else ())


def _hang_up(ways: dict[tuple[str, str], _Way]) -> None:
    """Closes what stands idle; what is still in use does not come back."""
    while ways:
        _, way = ways.popitem()
        for connection in way.idle:
            connection.close()


def _target(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _exchange(
    way: _Way, connection: Any, method: str, head: bytes, body: Body, timeout: float | None, call: Call
) -> _http1.Response:
    """Connects if need be, sends, and reads the head of the answer."""
    connected: socket.socket = connection.sock
    again = connected is not None and may_repeat(method, body)
    if connected is None:
        connection.timeout = timeout
        if way.tunnel:
            try:
                way.pool._prepare_proxy(connection)
            except (TimeoutError, ssl.SSLError):
                raise
            except OSError as error:
                raise Failed("connect", _text(error)) from None
        else:
            connection.connect()
        connected = connection.sock
    call.attach(connected)
    _patience(connected, timeout)
    refused = False
    sender = None
    try:
        if body is None or (isinstance(body, bytes) and len(body) <= SMALL):
            connected.sendall(head + body if body else head)
        else:
            sender = _http1.Sender(connected, timeout)
            refused = not sender.send(chain((head,), (body,) if isinstance(body, bytes) else body))
        if not refused and call.thinking is not None:
            _patience(connected, call.thinking)
    except (BrokenPipeError, ssl.SSLEOFError):
        refused = True  # the answer may say why
    except ConnectionError:
        if again and not (sender and sender.early):
            raise _Stale from None
        raise
    response = _http1.Response(connected, method, sender.early if sender else b"")
    try:
        response.begin()
    except (ConnectionError, ssl.SSLEOFError):
        if again and response.is_silent and not (sender and sender.early):
            raise _Stale from None
        raise
    _patience(connected, timeout)
    response.will_close = response.will_close or refused
    return response


def _patience(connected: socket.socket, timeout: float | None) -> None:
    """The silence that is allowed; what it is already takes no call of the system."""
    if connected.gettimeout() != timeout:
        connected.settimeout(timeout)


def _chunks(response: _http1.Response) -> Iterator[bytes]:
    try:
        yield from response.pieces(CHUNK)
    except ssl.SSLError as error:
        # Certificates were judged before: this is damage.
        raise Failed("reset", _text(error)) from None
    except Exception as error:
        raise _failed(error) from None


def _failed(error: Exception) -> Exception:
    """What urllib3 and the system say, in the driver's words."""
    match error:
        case ChartOciError() | Failed():
            return error
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ssl.SSLSyscallError():
            return Failed("reset", _text(error))
        case ssl.SSLError() | exceptions.SSLError():
            return Failed("tls", _text(error))
        case TimeoutError():
            return Failed("timeout", "")
        case ConnectionError():
            return Failed("reset", _text(error))
        case OSError() | ValueError() | HTTPException() | exceptions.HTTPError():
            return Failed("other", _text(error))
    return error


def _text(error: BaseException) -> str:
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return getattr(error, "strerror", None) or str(error)
