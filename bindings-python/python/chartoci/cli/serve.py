"""serve: the embedded registry."""

import json
import os
import re
import signal
import socket
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from chartoci._native import error, is_loopback
from chartoci.cli.output import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl


def add(verb: Callable[..., ArgumentParser]) -> None:
    """Adds the verb to the parser."""
    serve = verb(
        "serve",
        "Be a registry, for tests, laptops and air gaps.",
    )
    serve.add_argument("directory", metavar="DIR", nargs="?", help="where it keeps its contents; in memory if not given")
    serve.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:5000",
        help="where to listen (127.0.0.1:5000); port 0 is any that is free",
    )
    serve.add_argument("--htpasswd", metavar="FILE", help="users and passwords, as `htpasswd -B` writes them")
    serve.add_argument("--token", action="store_true", help="give tokens for user and password, and ask for those")
    serve.add_argument("--host", metavar="NAME", action="append", default=[], help="a name that it may be called by, besides loopback's; may be given several times")
    serve.add_argument(
        "--cors-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="an origin whose pages may read and write, as https://app.example; may be given several times",
    )
    serve.add_argument("--anonymous", action="store_true", help="beyond loopback, let everybody read and write")
    serve.set_defaults(run=_serve)


def _serve(options: Namespace) -> int:
    from chartoci.cli.options import credentials
    from chartoci.serving import Server

    host, _, port = options.listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise error("misuse.argument", f"{options.listen!r} is no address", hint="Write HOST:PORT, as 127.0.0.1:5000.")
    username, password = credentials(options).get("credentials", (None, None))
    closed = username is not None or options.htpasswd is not None
    if username is not None and options.htpasswd is not None:
        raise error(
            "misuse.argument",
            "--htpasswd and --username both say who may come in",
            hint=f"Add the user to the file: htpasswd -B {options.htpasswd} NAME.",
        )
    if options.token and not closed:
        raise error(
            "misuse.argument", "--token needs users", hint="Give --htpasswd, or --username and --password-stdin."
        )
    if not is_loopback(host) and not closed and not options.anonymous:
        raise error(
            "misuse.argument",
            f"{host} is seen by other machines, and everybody there could write",
            hint="Give --htpasswd, or --username and --password-stdin, or say --anonymous.",
        )
    for origin in options.cors_origin:
        # Browsers send it in this form, and it is compared as it stands.
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s*]+", origin):
            hint = "Write SCHEME://HOST, and :PORT if it has one, with nothing behind it, as https://app.example."
            raise error("misuse.argument", f"{origin!r} is no origin", hint=hint)
    tls = _tls(options.cert_file, options.key_file)
    names = tuple(options.host) if is_loopback(host) else (*options.host, host)
    try:
        server = Server(
            (host, int(port)),
            Path(options.directory) if options.directory else None,
            username=username,
            password=password,
            htpasswd=Path(options.htpasswd) if options.htpasswd else None,
            token=options.token,
            tls=tls,
            hosts=names,
            cors_origins=tuple(options.cors_origin),
            log=None if options.quiet else partial(_log, sys.stderr if options.json else sys.stdout),
        )
    except OSError as failed:
        holder = _holder(int(port))
        unknown = isinstance(failed, socket.gaierror)
        raise error(
            "misuse.argument",
            f"cannot listen on {options.listen}: {failed.strerror or failed}{f' by {holder}' if holder else ''}",
            hint="Name an address of this machine, as 127.0.0.1."
            if unknown
            else "Choose another port: --listen 127.0.0.1:5001, or :0 for any that is free.",
        ) from None

    def stop(number: int, frame: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    place = options.directory or "memory"
    address = f"[{host}]" if ":" in host else host
    url = f"{'https' if tls else 'http'}://{address}:{server.server_address[1]}"
    # The address is what was asked for, with --quiet as well; a line of its own, which can be read while it serves.
    document = json.dumps({"serving": options.directory, "url": url}, ensure_ascii=False)
    print(document if options.json else f"Serving {place} on {url}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except SystemExit:
        pass
    finally:
        server.stop()
    return 0


def _tls(certificate: str | None, key: str | None) -> "ssl.SSLContext | None":
    """What the server shows; both files, or neither."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise error("misuse.argument", "--cert-file and --key-file go together", hint="Give both, or neither.")
    import ssl

    from chartoci.transport.surroundings import show

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    show(context, certificate, key)
    return context


def _log(out: TextIO, method: str, target: str, status: int, seconds: float) -> None:
    line = f"{time.strftime('%H:%M:%S')} {method} {target} {status} {seconds * 1000:.0f} ms"
    try:
        print(visible(line), file=out, flush=True)
    except (OSError, ValueError):
        pass


def _holder(port: int) -> str | None:
    """The process that listens on a port, where the system lets us see (Linux)."""
    try:
        sockets = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    sockets.add(f"socket:[{fields[9]}]")
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                held = os.readlink(link) in sockets
            except OSError:
                continue
            if held:
                process = link.parts[2]
                return f"{Path('/proc', process, 'comm').read_text().strip()} (process {process})"
    except OSError:
        pass
    return None
