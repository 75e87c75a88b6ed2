"""The machine itself; many threads; no leaks; the fixture for pytest."""

import gc
import http.client
import pathlib
import subprocess
import sys
import threading
import weakref

import chartoci
import pytest
from chartoci.sansio import (
    Ask,
    Done,
    Exchange,
    Finished,
    List,
    Push,
    Read,
    Receiver,
    Send,
    Session,
    Wait,
    extract,
    package,
)
from chartoci.testing import Registry


def drive(exchange: Exchange, host: str, blobs: dict[int, bytes]) -> Done:
    """Ten lines that drive an exchange with http.client."""
    connection = http.client.HTTPConnection(host)
    while not isinstance(output := exchange.poll(0), Done):
        match output:
            case Send(request):
                body = blobs[request.blob[0]] if request.blob else request.body
                connection.request(request.method, request.url.partition(host)[2], body, dict(request.headers))
                answer = connection.getresponse()
                receiver = exchange.handle_response(request.id, answer.status, answer.getheaders())
                data = answer.read()
                receiver.write(data)
                if request.sink is not None:
                    blobs[request.sink] = data
                exchange.handle_end(request.id, receiver)
            case Ask(id):
                exchange.handle_credential(id, None)
            case Wait():
                raise AssertionError(output.why)
    connection.close()
    return output


def test_an_exchange_can_be_driven_by_anybody(chart_registry: Registry, chart: bytes) -> None:
    session = Session()
    push = Push.chart(chartoci.Artifact.build(chart), f"oci://{chart_registry.host}/charts")
    done = drive(Exchange.push(session, push), chart_registry.host, {1: chart})
    assert done.error is None
    assert done.outcome.reference == push.target
    pulled: dict[int, bytes] = {}
    done = drive(Exchange.pull(session, push.target), chart_registry.host, pulled)
    assert done.error is None
    assert pulled == {0: chart}


def test_an_aborted_exchange_says_so() -> None:
    exchange = Exchange.tags(Session(), "localhost:1/x")
    exchange.abort()
    done = exchange.poll(0)
    assert isinstance(done, Done)
    assert isinstance(done.error, chartoci.AbortedError)


def test_late_and_spurious_answers_are_harmless() -> None:
    exchange = Exchange.tags(Session(), "localhost:1/x")
    sent = exchange.poll(0)
    assert isinstance(sent, Send)
    receiver = exchange.handle_response(77, 200, [])
    receiver.write(b"x")
    exchange.handle_end(77, receiver)
    exchange.handle_failure(78, "reset")
    with pytest.raises(RuntimeError):
        exchange.handle_end(77, receiver)
    with pytest.raises(RuntimeError):
        receiver.write(b"x")
    assert isinstance(exchange.poll(0), Wait)


def test_threads_may_hammer_a_receiver() -> None:
    exchange = Exchange.tags(Session(), "localhost:1/x")
    sent = exchange.poll(0)
    assert isinstance(sent, Send)
    receiver: Receiver = exchange.handle_response(sent.request.id, 200, [])
    chunk = b"x" * 10_000

    def write() -> None:
        for _ in range(20):
            receiver.write(chunk)
            receiver.seen  # noqa: B018

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.seen == 8 * 20 * len(chunk)


def test_file_machines_name_what_is_to_be_done(web: pathlib.Path, chart: bytes) -> None:
    first = package().poll()
    assert isinstance(first, List | Read)
    verbs = []
    machine = extract(chartoci.Archive.read(chart), 7)
    while not isinstance(verb := machine.poll(), Finished):
        verbs.append(type(verb).__name__)
        machine.handle([] if isinstance(verb, List) else FileNotFoundError(2, "") if verbs[-1] == "Read" else None)
        assert len(verbs) < 1000
    assert {"MakeDirectory", "Write", "Rename"} <= set(verbs)


def test_nothing_is_kept_alive(chart: bytes) -> None:
    gone = weakref.ref(chartoci.Client(credentials=None))
    # Bytes of its own: what other tests leave behind must not count.
    data = bytes(bytearray(chart))
    archive = chartoci.Archive.read(data)
    held = sys.getrefcount(data)
    files = archive.files
    del archive
    assert files["Chart.yaml"]
    del files
    gc.collect()
    given_back = sys.getrefcount(data)
    assert (gone(), given_back) == (None, held - 1)


def test_many_rounds_need_no_more_memory(chart_registry: Registry, client: chartoci.Client, chart: bytes) -> None:
    def resident() -> int:
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

    pushed = client.push(chart, f"oci://{chart_registry.host}/charts")

    def rounds() -> None:
        for _ in range(60):
            client.open(pushed.reference).values  # noqa: B018
        gc.collect()

    rounds()
    before = resident()
    rounds()
    assert resident() - before < 4 << 20


def test_the_fixture_comes_with_the_package(tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import chartoci\n"
        "def test_it(chart_registry):\n"
        "    with chartoci.Client() as client, __import__('pytest').raises(chartoci.NotFoundError):\n"
        "        client.tags(f'{chart_registry.host}/charts/web')\n"
    )
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", str(tmp_path)], capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout
