"""A registry for tests: real HTTP on loopback, in this process, on a free port.

    with Registry() as registry:
        client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
"""

import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from chartoci._native import error
from chartoci.serving import Fault, Faults, Server

__all__ = ["Fault", "Faults", "Registry"]


class Registry:
    """Open to everybody, or with Basic (`username`, `password`) or Bearer (`token=True`) authentication.

    Contents live in memory, or in `directory`. `tls=True` makes a certificate authority of its own by the `openssl`
    program: `ca_file` is what a client needs; `tls=(certfile, keyfile)` takes what there is. `token_lifetime` is in seconds;
    300 if nothing is said.

    `faults` is asked about every request, as `(method, target)`, and may answer with a `Fault`:

        Fault(503, headers=(("retry-after", "1"),))           # refuses, without doing anything
        Fault(429, body=b"slow down")                         # … with a body
        Fault(reset=True)                                     # hangs up before it did anything
        Fault(None, reset=True)                               # … when it has done everything
        Fault(None, short=100), Fault(None, drip=0.1)         # the body breaks off, or comes slowly
        Fault(None, flip=True)                                # the body is not what its digest says
        Fault(None, ignore=("range",))                        # the whole blob where a part was wanted
        Fault(413, above=65_536)                              # refuses larger bodies
        Fault(416, below=65_536)                              # … or smaller ones
        Fault(None, headers=(("location", "/elsewhere"),))    # an odd place for an upload
        Fault(None, headers=(("docker-content-digest", ""),)) # a header is missing
        Fault(200, (("content-type", "text/html"),), b"<html>")
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: bool = False,
        token_lifetime: float | None = None,
        tls: bool | tuple[str | os.PathLike[str], str | os.PathLike[str]] = False,
        faults: Faults | None = None,
    ) -> None:
        self.username: str | None = username or ("user" if token else None)
        self.password: str | None = password or ("password" if self.username is not None else None)
        self.requests: list[tuple[str, str, int]] = []
        self.ca_file: Path | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._directory = Path(directory) if directory is not None else None
        self._token = token
        self._token_lifetime = token_lifetime
        self._tls = tls
        self._faults = faults
        self._server: Server | None = None

    def start(self) -> Self:
        """Begins to listen."""
        self._server = Server(
            ("127.0.0.1", 0),
            self._directory,
            username=self.username,
            password=self.password,
            token=self._token,
            token_lifetime=self._token_lifetime,
            tls=self._context(),
            faults=self._faults,
            log=lambda method, target, status, _: self.requests.append((method, target, status)),
        )
        self._server.start()
        return self

    def stop(self) -> None:
        """Ends every connection; contents in memory are gone."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    @property
    def host(self) -> str:
        """Host and port, as they stand in a reference."""
        assert self._server is not None, "the registry is not started"
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    @property
    def credentials(self) -> tuple[str, str] | None:
        """What the client needs, if anything."""
        return (self.username, self.password) if self.username is not None and self.password is not None else None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _context(self) -> ssl.SSLContext | None:
        if not self._tls:
            return None
        certificate, key = self._certificate() if self._tls is True else self._tls  # type: ignore[misc]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _certificate(self) -> tuple[Path, Path]:
        """A certificate that signs itself and names the loopback addresses."""
        if shutil.which("openssl") is None:
            raise error(
                "misuse.argument",
                "tls=True needs the program openssl",
                hint="Install openssl, or pass tls=(certfile, keyfile).",
            )
        self._scratch = tempfile.TemporaryDirectory(prefix="chartoci-")
        certificate, key = Path(self._scratch.name) / "certificate.pem", Path(self._scratch.name) / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = ["-subj", "/CN=chartoci test", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
        made = subprocess.run(
            [*command, "-days", "2", "-keyout", str(key), "-out", str(certificate), *names],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise error("misuse.argument", f"openssl made no certificate: {made.stderr.strip()}")
        self.ca_file = certificate
        return certificate, key
