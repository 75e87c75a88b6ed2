"""Real registries on free ports of loopback: Debian's docker-registry in four guises, and the token server for one of them.

Each is a context manager that starts the program, waits until it answers and stops it again. `requests()` is its access log.
"""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

USERNAME, PASSWORD = "ada", "correct horse"
SERVICE, ISSUER = "tests", "tests-tokens"
ACCESS = re.compile(r'"(?P<method>[A-Z]+) (?P<target>\S+) HTTP/1\.[01]" (?P<status>\d{3})')


def missing(program: str) -> str | None:
    """Why a test cannot run, if the program is not there."""
    return None if shutil.which(program) else f"{program} is not installed"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def connect(host: str) -> None:
    """Raises OSError if nobody listens."""
    name, port = host.split(":")
    socket.create_connection((name, int(port)), timeout=20).close()


def openssl(*arguments: str | pathlib.Path, data: bytes = b"") -> bytes:
    """Runs the program of that name."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


class Authority:
    """A certificate authority of our own, and the certificate for 127.0.0.1 and localhost that it signed."""

    def __init__(self, directory: pathlib.Path):
        self.ca, self.certificate, self.key = directory / "ca.pem", directory / "server.pem", directory / "server.key"
        authority, request, extensions = directory / "ca.key", directory / "server.csr", directory / "extensions"
        new = ["req", "-newkey", "rsa:2048", "-nodes", "-sha256"]
        openssl(*new, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", authority, "-out", self.ca)
        openssl(*new, "-subj", "/CN=localhost", "-keyout", self.key, "-out", request)
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-days", "2", "-sha256", "-in", request, "-extfile", extensions,
                "-CA", self.ca, "-CAkey", authority, "-CAcreateserial", "-out", self.certificate)


def shared(page: str) -> dict[str, str]:
    """The headers that let a page of this origin push and pull."""
    exposed = "Docker-Content-Digest, Location, WWW-Authenticate, Link, Content-Range"
    return {"Access-Control-Allow-Origin": page, "Access-Control-Allow-Methods": "HEAD, GET, OPTIONS, POST, PUT, PATCH",
            "Access-Control-Allow-Headers": "Authorization, Accept, Content-Type, Range",
            "Access-Control-Expose-Headers": exposed}


class TokenServer:
    """Gives bearer tokens that docker-registry believes: anonymous may pull, who knows the password may push too."""

    def __init__(self, directory: pathlib.Path, page: str = ""):
        self.key, self.certificate = directory / "tokens.key", directory / "tokens.pem"
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-x509", "-days", "2", "-subj", "/CN=tokens",
                "-keyout", self.key, "-out", self.certificate)
        der = openssl("x509", "-in", self.certificate, "-outform", "DER")
        self.header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        self.log: list[str] = []
        self.delay, self.spans = 0.0, list[tuple[float, float]]()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                began = time.monotonic()
                time.sleep(outer.delay)
                outer.spans.append((began, time.monotonic()))
                outer.log.append(f"GET {self.path}")
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                self.answer(query.get("scope", []), self.headers.get("Authorization"))

            def do_OPTIONS(self) -> None:
                self.respond(200, {})

            def do_POST(self) -> None:
                outer.log.append(f"POST {self.path}")
                outer.spans.append((time.monotonic(), time.monotonic()))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.respond(404, {"errors": [{"code": "UNSUPPORTED", "message": "only GET here"}]})

            def answer(self, scopes: list[str], authorization: str | None) -> None:
                expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
                if authorization not in (None, expected):
                    return self.respond(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
                self.respond(200, {"token": outer.token(scopes, known=authorization == expected), "expires_in": 300})

            def respond(self, status: int, document: object) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                for name, value in {"Content-Length": str(len(body)), **(shared(page) if page else {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.realm = f"http://127.0.0.1:{self.server.server_port}/token"

    def token(self, scopes: list[str], known: bool) -> str:
        """A JSON Web Token with what was asked for, as far as it is allowed."""
        access = []
        for scope in (scope for several in scopes for scope in several.split()):
            kind, name, actions = scope.split(":", 2)
            allowed = [action for action in actions.split(",") if known or action == "pull"]
            access.append({"type": kind, "name": name, "actions": allowed})
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": USERNAME if known else "", "aud": SERVICE, "iat": now, "nbf": now - 10,
                  "exp": now + 300, "jti": str(time.monotonic_ns()), "access": access}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (self.header, claims))
        return signed + "." + encode(openssl("dgst", "-sha256", "-sign", self.key, data=signed.encode()))

    def __enter__(self) -> "TokenServer":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def encode(data: bytes) -> str:
    """base64url without padding, as in a JWT."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Behind:
    """A reverse proxy on loopback that changes the host, as those do that nobody told about registries.

    The registry takes its own address for the one that was asked for, and says so wherever an upload goes. One that is told
    of a page keeps the host, and answers the browser's questions itself: docker-registry asks those for a password.
    `most` bytes pass in one request; the next `breaks` pieces of blobs break off in their middle.
    """

    def __init__(self, registry: "Registry", page: str = "", most: int | None = None, breaks: int = 0):
        outer, self.registry = self, registry
        self.ca, self.certificate, self.credentials, self.kind = None, None, registry.credentials, "behind"
        self.delay, self.spans = 0.0, list[tuple[float, float]]()
        self.breaks, self.log = breaks, list[str]()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def forward(self) -> None:
                began = time.monotonic()
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if page or name.lower() != "host"}
                if most is not None and len(body) > most:
                    outer.log.append(f"{self.command} {self.path} 413")
                    words = b"<html>413 Request Entity Too Large</html>"
                    self.send_response_only(413)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(words)))
                    self.end_headers()
                    self.wfile.write(words)
                    return
                with contextlib.closing(http.client.HTTPConnection(outer.registry.host, timeout=20)) as connection:
                    if self.command == "PATCH" and outer.breaks > 0:
                        outer.breaks -= 1
                        outer.log.append(f"{self.command} {self.path} broken")
                        connection.putrequest(self.command, self.path, skip_host="Host" in headers)
                        for name, value in headers.items():
                            connection.putheader(name, value)
                        connection.endheaders(body[: len(body) // 2])
                        self.close_connection = True
                        return
                    connection.request(self.command, self.path, body, headers)
                    response = connection.getresponse()
                    data = response.read()
                    time.sleep(outer.delay)
                    outer.spans.append((began, time.monotonic()))
                    outer.log.append(f"{self.command} {self.path} {response.status}")
                    self.send_response_only(response.status)
                    for name, value in response.getheaders():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)

            def do_OPTIONS(self) -> None:
                if not page:
                    return self.forward()
                self.send_response_only(204)
                for name, value in shared(page).items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Behind":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Nginx:
    """nginx before a registry, as people put it there, and as much in one request as it lets pass."""

    def __init__(self, registry: "Registry", directory: pathlib.Path, most: int):
        self.registry, self.directory = registry, directory
        self.ca, self.credentials, self.kind, self.host = None, registry.credentials, "nginx", f"127.0.0.1:{free_port()}"
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.configuration = f"""
            daemon off; pid {directory}/pid; error_log {directory}/error; {"user root;" if os.geteuid() == 0 else ""}
            events {{}}
            http {{
                log_format plain '$request_method $request_uri $status'; access_log {directory}/log plain; {temporary}
                server {{
                    listen {self.host}; client_max_body_size {most};
                    location / {{ proxy_pass http://{registry.host}; proxy_set_header Host $http_host; }}
                }}
            }}"""

    @property
    def log(self) -> list[str]:
        """`METHOD target status` of each request."""
        time.sleep(0.1)  # the log's line comes after the answer
        return (self.directory / "log").read_text().splitlines()

    def __enter__(self) -> "Nginx":
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "nginx.conf").write_text(self.configuration)
        command = ["nginx", "-c", str(self.directory / "nginx.conf"), "-e", str(self.directory / "error")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                connect(self.host)
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError("nginx does not start: " + (self.directory / "error").read_text()) from None
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


class Registry:
    """Debian's docker-registry, or a younger one by the same makers. `kind`: anonymous, htpasswd, tls or token."""

    KINDS = ("anonymous", "htpasswd", "tls", "token")

    def __init__(self, directory: pathlib.Path, kind: str = "anonymous", program: str = "docker-registry", page: str = ""):
        self.directory, self.kind, self.program, self.page = directory, kind, program, page
        self.host = f"127.0.0.1:{free_port()}"
        self.ca: pathlib.Path | None = None
        self.certificate: pathlib.Path | None = None
        self.tokens: TokenServer | None = None
        self.credentials = (USERNAME, PASSWORD) if kind in ("htpasswd", "token") else None
        self.resources = contextlib.ExitStack()
        self.seen = 0

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.ca is not None

    def configuration(self) -> dict[str, object]:
        """What docker-registry reads: YAML, of which JSON is a part."""
        listen: dict[str, object] = {"addr": self.host, "secret": "tests"}
        auth: dict[str, object] = {}
        if self.kind == "htpasswd":
            entry = subprocess.run(["htpasswd", "-Bbn", USERNAME, PASSWORD], capture_output=True, check=True).stdout
            (self.directory / "htpasswd").write_bytes(entry)
            auth = {"htpasswd": {"realm": "tests", "path": str(self.directory / "htpasswd")}}
        if self.kind == "tls":
            authority = Authority(self.directory)
            self.ca, self.certificate = authority.ca, authority.certificate
            listen["tls"] = {"certificate": str(authority.certificate), "key": str(authority.key)}
        if self.kind == "token":
            self.tokens = self.resources.enter_context(TokenServer(self.directory, self.page))
            auth = {"token": {"realm": self.tokens.realm, "service": SERVICE, "issuer": ISSUER,
                              "rootcertbundle": str(self.tokens.certificate)}}
        if self.page:
            listen["headers"] = {name: [value] for name, value in shared(self.page).items()}
        storage = {"filesystem": {"rootdirectory": str(self.directory / "data")}, "delete": {"enabled": True}}
        configuration = {"version": "0.1", "log": {"level": "error"}, "storage": storage, "http": listen}
        return configuration | ({"auth": auth} if auth else {})

    def __enter__(self) -> "Registry":
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.resources as resources:
            configuration = self.directory / "config.yml"
            configuration.write_text(json.dumps(self.configuration()))
            log = resources.enter_context(open(self.directory / "log", "wb"))
            command = self.command(configuration)
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            resources.callback(self.stop)
            self.wait()
            self.resources = resources.pop_all()
        return self

    def command(self, configuration: pathlib.Path) -> list[str]:
        """What starts it."""
        return [self.program, "serve", str(configuration)]

    def __exit__(self, *_: object) -> None:
        self.resources.close()

    def stop(self) -> None:
        """Ends the process."""
        self.process.terminate()
        self.process.wait(10)

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 20
        while True:
            try:
                self.get("/v2/")
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.program} does not start: " + (self.directory / "log").read_text()) from None
                time.sleep(0.02)

    def get(self, target: str, accept: str = "*/*") -> tuple[int, bytes]:
        """One request, by means that are not under test; `target` starts with `/v2/`."""
        if self.secure:
            context = ssl.create_default_context(cafile=str(self.ca))
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(self.host, context=context, timeout=20)
        else:
            connection = http.client.HTTPConnection(self.host, timeout=20)
        headers = {"Accept": accept}
        if self.kind == "htpasswd":
            headers["Authorization"] = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if self.kind == "token" and self.tokens:
            name = re.match(r"/v2/(.*)/(?:manifests|blobs|tags)/", target)
            scopes = [f"repository:{name[1]}:pull"] if name else []
            headers["Authorization"] = "Bearer " + self.tokens.token(scopes, known=True)
        with contextlib.closing(connection):
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()

    def manifest(self, repository: str, reference: str) -> bytes:
        """The stored bytes of a manifest."""
        status, body = self.get(f"/v2/{repository}/manifests/{reference}", "application/vnd.oci.image.manifest.v1+json")
        assert status == 200, (status, body)
        return body

    def blob(self, repository: str, digest: str) -> bytes:
        """The stored bytes of a blob."""
        status, body = self.get(f"/v2/{repository}/blobs/{digest}")
        assert status == 200, (status, body)
        return body

    def requests(self) -> list[str]:
        """`METHOD target status` of each request since the last call; those to the token server come last."""
        time.sleep(0.1)  # the log's line comes after the answer
        text = (self.directory / "log").read_text(errors="replace")
        found = [" ".join(match.group("method", "target", "status")) for match in ACCESS.finditer(text)]
        fresh, self.seen = found[self.seen :], len(found)
        if self.tokens:
            fresh += self.tokens.log
            self.tokens.log.clear()
        return fresh


class InMemory(Registry):
    """go-containerregistry's registry: in memory, without authentication."""

    def __init__(self, directory: pathlib.Path, program: str):
        super().__init__(directory, program=program)
        self.kind = "go-containerregistry"

    def command(self, configuration: pathlib.Path) -> list[str]:
        return [self.program, "-port", self.host.rpartition(":")[2]]
