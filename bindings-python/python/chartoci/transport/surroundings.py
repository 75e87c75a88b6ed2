"""What a transport takes from the machine it runs on: certificates and proxies."""

import os
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict
from urllib.parse import unquote, urlsplit

from chartoci import _native as native
from chartoci.blobs import failure

Allow = Callable[[str, str, int], bool]


class Tls:
    """How certificates are judged and shown; files are read when the first connection wants them."""

    def __init__(self, ca_file: str | None, client_cert: str | tuple[str, str] | None, verify: bool) -> None:
        self.ca_file = ca_file
        self.client_cert = client_cert
        self.verify = verify
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The same one each time."""
        if self._context is None:
            with readable(self.ca_file):
                context = ssl.create_default_context(cafile=self.ca_file)
            if not self.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.client_cert is not None:
                parts = (self.client_cert,) if isinstance(self.client_cert, str) else self.client_cert
                show(context, *parts)
            self._context = context
        return self._context


def show(context: ssl.SSLContext, certificate: str, key: str | None = None) -> None:
    """Has a context show a certificate. Nobody is asked for the key's password."""
    file = key or certificate

    def ask() -> str:
        raise native.error(
            "misuse.argument",
            f"{file}: the key has a password",
            [("path", file)],
            f"Write one without it: openssl pkey -in {file} -out KEY",
        )

    with readable(certificate, key):
        context.load_cert_chain(certificate, key, password=ask)


class Options(TypedDict, total=False):
    """What both transports can be made with."""

    ca_file: str | None
    client_cert: str | tuple[str, str] | None
    verify_tls: bool
    # Asked before every connection: host, ip, port.
    allow: Allow | None
    # By scheme; an empty dict: none. Unless given, those of the environment.
    proxies: dict[str, str] | None
    # Kept for each origin.
    connections: int


class Surroundings:
    """A transport's options, with what goes for those that are not given."""

    def __init__(self, options: Options) -> None:
        self._tls = Tls(options.get("ca_file"), options.get("client_cert"), options.get("verify_tls", True))
        self._allow = options.get("allow")
        self._proxies = options.get("proxies")
        self._connections = options.get("connections", 16)


@contextmanager
def readable(*paths: str | None) -> Iterator[None]:
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


def origin(url: str) -> tuple[str, str]:
    """Scheme and authority."""
    scheme, _, rest = url.partition("://")
    return scheme, rest.partition("/")[0]


def proxy_authorization(proxy: str) -> dict[str, str]:
    """The header that shows a proxy who is calling, if its URL says so; in UTF-8, as curl, Go and Node do."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"proxy-authorization": f"Basic {b64encode(secret).decode()}"}


def proxy_for(url: str, proxies: dict[str, str] | None) -> str | None:
    """The proxy for a URL: the environment decides unless `proxies` is given, as {"https": "http://proxy.example:3128"}."""
    given = proxies and {f"{scheme.upper()}_PROXY": proxy for scheme, proxy in proxies.items()}
    return native.proxy(url, os.environ if given is None else given)
