"""What `chartoci serve` bears, beside docker-registry on the same file system: `python tests/bench/throughput.py`.

Clients that do nothing but send prepared requests push charts of 5 kB and pull them again, each over one kept connection;
the servers take turns, and the best turn counts, since whatever else the machine does only ever slows them down. One blob of
200 MB goes in and comes back after that. Memory is the peak of the server's process (Linux).
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "tools"))

import registries  # noqa: E402

MIB = 1 << 20
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LARGE = 200_000_000


class Wire:
    """One kept connection, with as little around it as there can be."""

    def __init__(self, host: str):
        self.host = host
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(self, method: str, target: str, body: bytes = b"", kind: str = "application/octet-stream") -> tuple[int, str, bytes]:
        """Status, head and body of the answer."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\nAccept: {MANIFEST}\r\n"
        if method in ("POST", "PUT"):
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(f"{head}\r\n".encode() + body)
        return self.answer()

    def answer(self, sink: Callable[[bytes], object] | None = None) -> tuple[int, str, bytes]:
        """Reads one answer; a sink takes its body piece by piece."""
        data = self.rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.more()
        head, body = data[:end].decode("latin-1"), data[end + 4 :]
        found = re.search(r"\r\ncontent-length: *(\d+)", head, re.I)
        length = int(found[1]) if found else 0
        if sink is None:
            while len(body) < length:
                body += self.more()
            self.rest = body[length:]
            return int(head[9:12]), head, body[:length]
        sink(body)
        length -= len(body)
        while length:
            piece = self.more()
            sink(piece)
            length -= len(piece)
        self.rest = b""
        return int(head[9:12]), head, b""

    def more(self) -> bytes:
        """What comes next."""
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server has hung up")
        return piece

    def place(self, repository: str, size: int) -> str:
        """Opens an upload; gives where the blob goes."""
        status, head, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, head
        found = re.search(r"\r\nlocation: *(\S+)", head, re.I)
        assert found
        place = re.sub(r"^https?://[^/]+", "", found[1])
        return f"{place}{'&' if '?' in place else '?'}"


def chart(client: int, number: int) -> tuple[str, str, list[bytes], bytes]:
    """Repository, tag, blobs and manifest of a chart that nobody has pushed before."""
    draw = random.Random(f"{os.getpid()} {client} {number} {time.monotonic_ns()}")
    config, layer = json.dumps({"name": "web", "version": f"1.{client}.{number}", "salt": draw.random()}).encode(), draw.randbytes(5000)
    describe = [{"mediaType": "application/octet-stream", "digest": digest(blob), "size": len(blob)} for blob in (config, layer)]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": describe[0], "layers": describe[1:]}
    return f"load/web{client}", f"1.{client}.{number}", [config, layer], json.dumps(manifest).encode()


def digest(data: bytes) -> str:
    """sha256 of it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def together(clients: int, work: Callable[[int], None]) -> float:
    """Seconds that all clients take, side by side."""
    failures: list[BaseException] = []

    def run(client: int) -> None:
        try:
            work(client)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - began


def turn(host: str, clients: int, count: int) -> tuple[float, float]:
    """Pushes and pulls per second."""
    made = [[chart(client, number) for number in range(count)] for client in range(clients)]
    wires = [Wire(host) for _ in range(clients)]

    def push(client: int) -> None:
        wire = wires[client]
        for repository, tag, blobs, manifest in made[client]:
            places = [wire.place(repository, len(blob)) for blob in blobs]
            for blob, place in zip(blobs, places, strict=True):
                assert wire.ask("PUT", f"{place}digest={digest(blob)}", blob)[0] == 201
            assert wire.ask("PUT", f"/v2/{repository}/manifests/{tag}", manifest, MANIFEST)[0] == 201

    def pull(client: int) -> None:
        wire = wires[client]
        for repository, tag, blobs, manifest in made[client]:
            assert wire.ask("GET", f"/v2/{repository}/manifests/{tag}")[2] == manifest
            assert wire.ask("GET", f"/v2/{repository}/blobs/{digest(blobs[1])}")[2] == blobs[1]

    return clients * count / together(clients, push), clients * count / together(clients, pull)


def large(host: str) -> tuple[float, float]:
    """Seconds to push and to pull one blob of 200 MB."""
    block, wire = random.Random(0).randbytes(1_000_000), Wire(host)
    hashed = hashlib.sha256()
    for _ in range(LARGE // len(block)):
        hashed.update(block)
    name = "sha256:" + hashed.hexdigest()
    began = time.perf_counter()
    place = wire.place("load/large", LARGE)
    head = f"PUT {place}digest={name} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\n"
    wire.socket.sendall(f"{head}Content-Length: {LARGE}\r\n\r\n".encode())
    for _ in range(LARGE // len(block)):
        wire.socket.sendall(block)
    assert wire.answer()[0] == 201
    pushed = time.perf_counter()
    seen = 0

    def count(piece: bytes) -> None:
        nonlocal seen
        seen += len(piece)

    wire.socket.sendall(f"GET /v2/load/large/blobs/{name} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    wire.answer(count)
    assert seen == LARGE
    return pushed - began, time.perf_counter() - pushed


def peak(process: int, name: str = "HWM") -> int:
    """The most memory that a process had at once, in bytes."""
    found = re.search(rf"Vm{name}:\s+(\d+)", pathlib.Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def resting(process: int) -> int:
    """What a process has now; from now on this is the most that it had."""
    pathlib.Path(f"/proc/{process}/clear_refs").write_text("5")
    return peak(process, "RSS")


@contextlib.contextmanager
def serving(directory: pathlib.Path) -> Iterator[tuple[str, int]]:
    """`chartoci serve`: its host, and the number of its process."""
    command = [sys.executable, "-m", "chartoci", "serve", str(directory), "--listen", "127.0.0.1:0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().split("//")[1].strip(), process.pid
        finally:
            process.terminate()


def measure(directory: pathlib.Path, clients: int, count: int, turns: int) -> dict[str, dict[str, float]]:
    """Pushes and pulls per second, peak memory after them, and what the large blob took and added."""
    results: dict[str, dict[str, float]] = {}
    with contextlib.ExitStack() as stack:
        servers = {"chartoci serve": stack.enter_context(serving(directory / "chartoci"))}
        if not registries.missing("docker-registry"):
            registry = stack.enter_context(registries.Registry(directory / "docker"))
            servers["docker-registry"] = (registry.host, registry.process.pid)
        for name in servers:
            results[name] = {"pushes": 0.0, "pulls": 0.0}
        for _ in range(turns):
            for name, (host, _) in servers.items():
                pushes, pulls = turn(host, clients, count)
                best = results[name]
                best["pushes"], best["pulls"] = max(best["pushes"], pushes), max(best["pulls"], pulls)
        for name, (host, process) in servers.items():
            most, before = peak(process), resting(process)
            pushed, pulled = large(host)
            results[name] |= {"peak": most, "large push": pushed, "large pull": pulled, "added": peak(process) - before}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--count", type=int, default=50, help="charts a client and a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--directory", help="where the servers keep their files; a temporary one if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        results = measure(pathlib.Path(name), options.clients, options.count, options.turns)
    for name, numbers in results.items():
        print(
            f"{name:15} {numbers['pushes']:7.0f} pushes/s {numbers['pulls']:7.0f} pulls/s, peak {numbers['peak'] / MIB:.0f} MiB; "
            f"200 MB: push {numbers['large push']:.2f} s, pull {numbers['large pull']:.2f} s, {numbers['added'] / MIB:.0f} MiB more"
        )


if __name__ == "__main__":
    main()
