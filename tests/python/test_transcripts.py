"""Conversations with registries, replayed: tests/transcripts/*.jsonl."""

import base64
import json
import pathlib
import subprocess
import sys
from typing import Any

import chartoci
import pytest
from chartoci.sansio import Ask, Cancel, Done, Exchange, Notify, Push, Send, Session, Wait
from chartoci.testing import Registry
from conftest import ROOT

FILES = sorted((ROOT / "tests" / "transcripts").glob("*.jsonl"))


def begin(session: Session, asked: dict[str, Any]) -> Exchange:
    verb = asked["verb"]
    if verb == "push":
        artifact = chartoci.Artifact.build(base64.b64decode(asked["chart"]) + bytes(asked.get("padding", 0)))
        return Exchange.push(session, Push.chart(artifact, asked["target"]))
    if verb == "copy":
        return Exchange.copy(session, asked["source"], asked["target"], asked.get("referrers", False), asked.get("upgrade", False))
    given = {name: asked[name] for name in ("version", "artifact_type") if name in asked}
    made: Exchange = getattr(Exchange, verb)(session, asked["reference"], **given)
    return made


def session_of(options: dict[str, Any]) -> Session:
    retry = chartoci.RetryPolicy(**options["retry"]) if "retry" in options else None
    concurrency, known = options.get("concurrency", 3), options.get("has_credentials", False)
    return Session(concurrency=concurrency, retry=retry, has_credentials=known)


def shown(output: Any) -> dict[str, Any]:
    """An output as a transcript writes it."""
    match output:
        case Send(request):
            sent = {"id": request.id, "method": request.method, "url": request.url, "headers": dict(request.headers)}
            sent |= {"blob": list(request.blob)} if request.blob else {"body": (request.body or b"").decode()}
            return {"send": sent}
        case Cancel(id):
            return {"cancel": id}
        case Ask() as query:
            names = ("id", "registry", "realm", "service", "scope", "refused")
            return {"ask": {name: getattr(query, name) for name in names}}
        case Wait(until):
            return {"wait": {"until": until}}
        case Done(outcome, error):
            return {"done": {"error": error.code} if error is not None else {"outcome": achieved(outcome)}}
    raise AssertionError(output)


def achieved(outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, list):
        named = [str(item.digest) if isinstance(item, chartoci.Referrer) else item for item in outcome]
        return {"tags": named, "referrers": named}
    return {"digest": None if outcome.digest is None else str(outcome.digest)}


def fits(expected: Any, actual: Any) -> bool:
    """All that is expected is there; None means that nothing is."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(fits(value, actual.get(name)) for name, value in expected.items())
    return bool(expected == actual)


def give(exchange: Exchange, given: dict[str, Any]) -> None:
    if "credential" in given:
        named = (given["username"], given["password"]) if "username" in given else None
        token = chartoci.Token(given["identity"], "identity") if "identity" in given else given.get("token")
        return exchange.handle_credential(given["credential"], named or token)
    if "failure" in given:
        return exchange.handle_failure(given["failure"], given["kind"])
    headers = [(name, value) for name, value in given["headers"]]
    receiver = exchange.handle_response(given["response"], given["status"], headers)
    receiver.write(base64.b64decode(given["base64"]) if "base64" in given else given.get("body", "").encode())
    if "broken" in given:
        return exchange.handle_failure(given["response"], given["broken"], "", receiver)
    return exchange.handle_end(given["response"], receiver)


def replay(lines: list[dict[str, Any]]) -> int:
    """Replays conversations; gives how many there were."""
    session, exchange, count, why = session_of({}), None, 0, ""
    for number, line in enumerate(lines, 1):
        if "begin" in line:
            options = line.get("session", {})
            session = session if options == "same" else session_of(options)
            exchange, why, count = begin(session, line["exchange"]), line["begin"], count + 1
            continue
        assert exchange is not None
        if "give" in line:
            give(exchange, line["give"])
            continue
        while isinstance(output := exchange.poll(line["now"]), Notify):
            pass
        actual = shown(output)
        assert fits(line["expect"], actual), f"line {number}, {why}: expected {line['expect']}, got {actual}"
    return count


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_transcript_is_replayed_to_the_letter(path: pathlib.Path) -> None:
    assert replay([json.loads(line) for line in path.read_text().splitlines()]) > 0


def test_what_is_recorded_can_be_replayed_and_holds_no_secret(tmp_path: pathlib.Path, tgz: pathlib.Path) -> None:
    recorder = ROOT / "tests" / "tools" / "record.py"
    with Registry(token=True, username="ada", password="correct-horse") as registry:
        target = f"oci://{registry.host}/charts"
        program = "import getpass, runpy; getpass.getpass = lambda **_: 'correct-horse'; "
        program += f"runpy.run_path({str(recorder)!r}, run_name='__main__')"
        for words in (["push", str(tgz), target], ["pull", f"{target}/web:1.2.0_demo.1"], ["tags", f"{target}/web"]):
            command = [sys.executable, "-c", program, *words, "--user", "ada"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            assert replay([json.loads(line) for line in done.stdout.splitlines()]) == 1
            for secret in ("correct-horse", base64.b64encode(b"ada:correct-horse").decode()):
                assert secret not in done.stdout
