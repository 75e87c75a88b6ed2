"""Records a conversation with a registry as a transcript, without its secrets.

    python tests/tools/record.py pull oci://registry.example/charts/web:1.2.3 [--user USER] > report.jsonl
    python tests/tools/record.py push web-1.2.3.tgz oci://registry.example/charts

The password is asked for at the terminal. What is secret is replaced by stand-ins before it is written: user, password,
tokens, and the queries of URLs of other hosts. Cut away by hand what else nobody should see, then move the file to
tests/transcripts/.
"""

import argparse
import base64
import getpass
import http.client
import json
import pathlib
import ssl
import sys
import time
import urllib.parse
from typing import Any

import chartoci
from chartoci.sansio import Ask, Cancel, Done, Exchange, Push, Send, Session, Wait

VERBS = ("pull", "push", "resolve", "tags", "delete", "referrers")
# What a transcript names of a request.
SHOWN = ("authorization", "content-type", "content-range", "range", "accept-encoding")


class Recorder:
    """One conversation: the machine, a connection for each request, and the lines."""

    def __init__(self, login: tuple[str, str] | None, blobs: dict[int, bytes]) -> None:
        self.login, self.blobs = login, blobs
        self.lines: list[dict[str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.began = time.monotonic_ns()
        if login is not None:
            self.hide(base64.b64encode(":".join(login).encode()).decode(), base64.b64encode(b"user:password").decode())
            self.hide(login[1], "password")
            self.hide(f"account={urllib.parse.quote(login[0])}", "account=user")

    def hide(self, secret: str, stand_in: str) -> None:
        """Writes the stand-in wherever the secret stands."""
        for spelled in {secret, urllib.parse.quote(secret, safe="")}:
            if spelled:
                self.secrets[spelled] = stand_in

    def clean(self, text: str) -> str:
        """A text without secrets."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, self.secrets[secret])
        return text

    def now(self) -> int:
        """Milliseconds since the beginning."""
        return (time.monotonic_ns() - self.began) // 1_000_000

    def expect(self, now: int, output: dict[str, Any]) -> None:
        """An output of the machine."""
        self.lines.append({"now": now, "expect": output})

    def run(self, exchange: Exchange) -> None:
        """Drives the exchange to its end, one request after the other."""
        waiting: list[Any] = []
        while True:
            now = self.now()
            match exchange.poll(now):
                case Send(request):
                    named = [(name, value) for name, value in request.headers if name in SHOWN]
                    sent = {"id": request.id, "method": request.method, "url": self.clean(request.url)}
                    sent["headers"] = {name: self.clean(value) for name, value in named}
                    if request.blob is not None:
                        sent["blob"] = list(request.blob)
                    self.expect(now, {"send": sent})
                    waiting.append(request)
                case Ask() as query:
                    self.expect(now, {"ask": {"id": query.id, "registry": query.registry, "refused": query.refused}})
                    known = self.login if not query.refused else None
                    stand_in = {"username": "user", "password": "password"} if known else {}
                    self.lines.append({"give": {"credential": query.id, **stand_in}})
                    exchange.handle_credential(query.id, known)
                case Cancel(id):
                    self.expect(now, {"cancel": id})
                    waiting = [request for request in waiting if request.id != id]
                case Wait(until):
                    self.expect(now, {"wait": {}})
                    if waiting:
                        self.answer(exchange, waiting.pop(0))
                    elif until is not None:
                        time.sleep(max(0, until - self.now()) / 1000)
                case Done(_, error):
                    self.expect(now, {"done": {"error": error.code} if error is not None else {"outcome": {}}})
                    return

    def answer(self, exchange: Exchange, request: Any) -> None:
        """Sends one request, and gives the machine what comes."""
        parts = urllib.parse.urlsplit(request.url)
        secure = parts.scheme == "https"
        kind: Any = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=30, **({"context": ssl.create_default_context()} if secure else {}))
        body = request.body
        if request.blob is not None:
            blob, start, end = request.blob
            body = self.blobs[blob][start:end]
        try:
            target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
            connection.request(request.method, target, body, dict(request.headers))
            answer = connection.getresponse()
            data = answer.read()
        except OSError as failed:
            self.lines.append({"give": {"failure": request.id, "kind": "reset"}})
            return exchange.handle_failure(request.id, "reset", str(failed))
        finally:
            connection.close()
        receiver = exchange.handle_response(request.id, answer.status, answer.getheaders())
        receiver.write(data)
        exchange.handle_end(request.id, receiver)
        self.lines.append({"give": self.given(request.id, answer, data)})

    def given(self, id: int, answer: http.client.HTTPResponse, data: bytes) -> dict[str, Any]:
        """An answer as a transcript holds it."""
        try:
            document = json.loads(data)
        except ValueError:
            document = None
        if isinstance(document, dict):
            for name in ("token", "access_token", "refresh_token"):
                if isinstance(document.get(name), str) and document[name]:
                    self.hide(document[name], f"token-{len(self.secrets)}")
        for name, value in answer.getheaders():
            if name.lower() == "location" and "?" in value:
                query = value.partition("?")[2]
                self.hide(query, f"state={len(self.secrets)}")
        # A token's stand-in has another length.
        left_out = ("set-cookie", "content-length") if document is not None else ("set-cookie",)
        named = [[name, self.clean(value)] for name, value in answer.getheaders() if name.lower() not in left_out]
        given: dict[str, Any] = {"response": id, "status": answer.status, "headers": named}
        try:
            given["body"] = self.clean(data.decode())
        except UnicodeDecodeError:
            given["base64"] = base64.b64encode(data).decode()
        return given


def main() -> None:
    """Reads the arguments, records, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("words", nargs="+", metavar="REFERENCE")
    parser.add_argument("--user")
    parser.add_argument("--why", default="what was seen")
    options = parser.parse_args()
    login = (options.user, getpass.getpass(stream=sys.stderr)) if options.user else None
    session, blobs, reference = Session(concurrency=1, has_credentials=login is not None), {}, options.words[-1]
    asked: dict[str, Any] = {"verb": options.verb}
    if options.verb == "push":
        data = pathlib.Path(options.words[0]).read_bytes()
        blobs[1] = data
        exchange = Exchange.push(session, Push.chart(chartoci.Artifact.build(data), reference))
        asked |= {"chart": base64.b64encode(data).decode(), "target": reference}
    else:
        exchange = getattr(Exchange, options.verb)(session, reference)
        asked["reference"] = reference
    recorder = Recorder(login, blobs)
    head = {"begin": options.why, "exchange": asked, "session": {"concurrency": 1, "has_credentials": login is not None}}
    recorder.run(exchange)
    for line in [head, *recorder.lines]:
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
