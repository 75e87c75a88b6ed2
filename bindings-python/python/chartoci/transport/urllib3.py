"""HTTP by urllib3: its connections and pools, none of its retries, redirects or decoding."""

import os
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from chartoci import _native as native
from chartoci.blobs import CHUNK, failure
from chartoci.errors import ChartOciError
from chartoci.transport import Answer, Body, Call, Failed, Headers

Allow = Callable[[str, str, int], bool]

_current = threading.local()


class _Connect:
    """Connects by itself, so that the call knows its socket and every address is asked about before it is used."""

    allow: Allow | None = None

    def _new_conn(self: Any) -> socket.socket:
        call: Call = _current.call
        host: str = self._dns_host
        try:
            addresses = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise Failed("connect", f"{host}: {getattr(error, 'strerror', None) or error}") from None
        refused: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            if self.allow is not None and not self.allow(self.host, address[0], self.port):
                raise Failed("forbidden", f"{self.host} ({address[0]}) port {self.port}")
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
        raise Failed("connect", f"{host}:{self.port}: {refused.strerror if refused else 'no address'}")

    def request(self: Any, *arguments: Any, **named: Any) -> None:
        if self.sock is not None:
            _current.call.attach(self.sock)
        super().request(*arguments, **named)  # type: ignore[misc]


class _Plain(_Connect, HTTPConnection):
    pass


class _Secure(_Connect, HTTPSConnection):
    verify = True

    def connect(self) -> None:
        super().connect()
        if not self.verify:
            # The caller said so: no warning at each connection.
            self.is_verified = True


class _Way(NamedTuple):
    """How an origin is reached: directly or through a proxy."""

    pool: HTTPConnectionPool
    absolute: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class Urllib3Transport:
    """Pools of connections, one for each origin.

    `allow(host, ip, port)` is asked before every connection. Proxies are those of the environment unless `proxies` says
    otherwise (an empty dict: none).
    """

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        client_cert: str | tuple[str, str] | None = None,
        verify_tls: bool = True,
        allow: Allow | None = None,
        proxies: dict[str, str] | None = None,
        connections: int = 16,
    ) -> None:
        self._ca_file = ca_file
        self._client_cert = client_cert
        self._verify_tls = verify_tls
        self._context: ssl.SSLContext | None = None
        self._connections = connections
        self._proxies = proxies
        self._allow = allow
        self._ways: dict[tuple[str, str], _Way] = {}
        self._lock = threading.Lock()
        plain = type("_PlainHere", (_Plain,), {"allow": staticmethod(allow) if allow else None})
        secure = type("_SecureHere", (_Secure,), {"allow": plain.__dict__["allow"], "verify": verify_tls})
        self._classes: dict[str, type[HTTPConnectionPool]] = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    @contextmanager
    def open(
        self, method: str, url: str, headers: Headers, body: Body, timeout: float | None, call: Call
    ) -> Iterator[Answer]:
        streamed = body is not None and not isinstance(body, bytes)
        _current.call = call
        response: Any = None
        try:
            with _failures():
                way = self._way(url)
                response = way.pool.urlopen(
                    method,
                    url if way.absolute else _target(url),
                    body=body,  # type: ignore[arg-type]
                    headers=urllib3.HTTPHeaderDict([*headers, ("accept-encoding", "identity"), *way.headers]),
                    retries=False,
                    redirect=False,
                    assert_same_host=False,
                    preload_content=False,
                    decode_content=False,
                    # Registries think long about a blob that is complete: then only the caller's own deadline counts.
                    timeout=urllib3.Timeout(connect=timeout, read=None if streamed else timeout),
                )
            yield Answer(response.status, list(response.headers.items()), _chunks(response))
        finally:
            _current.call = None
            call.detach()
            if response is not None:
                _release(response)

    def stands(self, url: str) -> bool:
        way = self._ways.get(_origin(url))
        pool: Any = way.pool.pool if way is not None else None
        # The last that came back is the next that is taken.
        last = pool.queue[-1:] if pool is not None else []
        return bool(last) and last[0] is not None and last[0].is_connected

    def close(self) -> None:
        with self._lock:
            ways, self._ways = self._ways, {}
        for way in ways.values():
            way.pool.close()

    def _way(self, url: str) -> _Way:
        origin = _origin(url)
        way = self._ways.get(origin)
        if way is None:
            with self._lock:
                way = self._ways.get(origin) or self._new_way(*origin)
                self._ways[origin] = way
        return way

    def _new_way(self, scheme: str, authority: str) -> _Way:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
        named: dict[str, Any] = {"maxsize": self._connections, "block": False}
        if scheme == "https":
            named["ssl_context"] = self._ssl()
            named["assert_hostname"] = None if self._verify_tls else False
        proxy = self._proxy(scheme, host, authority)
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
        return _Way(pool, absolute=plain, headers=tuple(fields.items()) if plain else ())

    def _proxy(self, scheme: str, host: str, authority: str) -> str | None:
        """As Go does it: the environment decides, and loopback is never asked of a proxy."""
        if host == "localhost" or host.startswith("127.") or host == "::1":
            return None
        if self._proxies is not None:
            return self._proxies.get(scheme)
        found = urllib.request.getproxies()
        return None if urllib.request.proxy_bypass(authority) else found.get(scheme, found.get("all"))

    def _ssl(self) -> ssl.SSLContext:
        if self._context is None:
            with _readable(self._ca_file):
                context = ssl.create_default_context(cafile=self._ca_file)
            if not self._verify_tls:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self._client_cert is not None:
                parts = (self._client_cert,) if isinstance(self._client_cert, str) else self._client_cert
                with _readable(*parts):
                    context.load_cert_chain(*parts)
            self._context = context
        return self._context


@contextmanager
def _readable(*paths: str | None) -> Iterator[None]:
    """Says which file with certificates or keys cannot be used."""
    named = [path for path in paths if path is not None]
    try:
        yield
    except ssl.SSLError as error:
        files = " and ".join(named)
        raise native.error(
            "misuse.argument",
            f"{files}: {error.reason or error}",
            [("path", files)],
            "A certificate and a key are wanted in PEM, the key without a password.",
        ) from None
    except OSError as error:
        missing = next((path for path in named if not os.path.exists(path)), named[0] if named else "")
        raise failure(error, Path(missing)) from None


def _origin(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    return scheme, rest.partition("/")[0]


def _target(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _chunks(response: Any) -> Iterator[bytes]:
    with _failures():
        yield from response.stream(CHUNK, decode_content=False)


@contextmanager
def _failures() -> Iterator[None]:
    """What urllib3 and the system say, in the driver's words."""
    try:
        yield
    except ChartOciError:
        raise
    except exceptions.HTTPError as error:
        raise _failed(error) from None
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise Failed("tls", _text(error)) from None
    except TimeoutError:
        raise Failed("timeout", "") from None
    except ConnectionError as error:
        raise Failed("reset", _text(error)) from None
    except (OSError, ValueError, HTTPException) as error:
        raise Failed("other", _text(error)) from None


def _release(response: Any) -> None:
    """Gives the connection back if the body was read to its end; closes it otherwise."""
    if response._fp is None or getattr(response._fp, "closed", True):
        response.release_conn()
    else:
        response.close()


def _failed(error: exceptions.HTTPError) -> Failed:
    cause = error.__cause__ or error.__context__
    match error:
        case exceptions.SSLError():
            return Failed("tls", _text(error))
        case exceptions.TimeoutError():
            return Failed("timeout", "")
        case exceptions.ProxyError() | exceptions.NewConnectionError():
            return Failed("connect", _text(error))
        case exceptions.ProtocolError():
            return Failed("reset", _text(cause if isinstance(cause, OSError) else error))
        case _:
            return Failed("other", _text(error))


def _text(error: BaseException) -> str:
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return getattr(error, "strerror", None) or str(error)
