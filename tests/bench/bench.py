"""Speed and memory, side by side with the peers in one run: `make bench`.

Every program talks to the same docker-registry on loopback, in a process of its own; with the small chart they take turns,
so that a busy moment hits all alike, and the median counts. `--write FILE` puts the table between the marks
`<!-- bench -->` and `<!-- /bench -->` of that file.
"""

import argparse
import contextlib
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile

from common import MIB, ROOT, Worker, row, run_helm  # isort: skip  (it says where the tools are)
import charts
import helm
import offline
import registries
import requests_of
import throughput

BURST = 5  # what one program does in a row before the next has its turn
TOOLS = ("chartoci", "helm-python-sdk", "oras", "floor")


def small(host: str, directory: pathlib.Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds of a push and a pull of the 5 kB chart, new bytes each time, all processes warm."""
    times: dict[str, dict[str, list[float]]] = {"push": {}, "pull": {}}
    with contextlib.ExitStack() as stack:
        workers = {}
        for tool in TOOLS:
            workers[tool] = Worker(tool, host)
            stack.callback(workers[tool].close)
        for turn in range(rounds + 1):
            burst = [f"1.{turn}.{number}" for number in range(BURST)]
            paths = {version: directory / f"typical-{version}.tgz" for version in burst}
            for number, (version, path) in enumerate(paths.items()):
                path.write_bytes(charts.typical(turn * BURST + number, version))
            # Who comes first finds the registry cold: each is, in turn.
            first = turn % len(TOOLS)
            for verb in ("push", "pull"):
                for tool in (*TOOLS[first:], *TOOLS[:first]):
                    worker = workers[tool]
                    taken = [worker(verb, *((path, "typical") if verb == "push" else ("typical", version)))
                             for version, path in paths.items()]
                    if turn > 0:  # the first one warms up
                        times[verb].setdefault(tool, []).extend(taken)
            if 0 < turn <= 10:
                path, version = paths[burst[0]], burst[0]
                times["push"].setdefault("helm", []).append(run_helm("push", path, f"oci://{host}/helm")[0])
                pull = ("pull", f"oci://{host}/helm/typical", "--version", version, "-d", directory)
                times["pull"].setdefault("helm", []).append(run_helm(*pull)[0])
    return {verb: {tool: statistics.median(several) for tool, several in by.items()} for verb, by in times.items()}


def large(host: str, directory: pathlib.Path) -> dict[str, dict[str, tuple[float, int, int]]]:
    """Seconds, peak bytes and bytes over those at rest of a push and a pull of the big chart, warm; the best of three."""
    results: dict[str, dict[str, list[tuple[float, int, int]]]] = {"push": {}, "pull": {}}
    warm = directory / "typical-0.0.1.tgz"
    warm.write_bytes(charts.typical(0, "0.0.1"))
    for number in range(3):
        path = directory / f"big-1.0.{number}.tgz"
        path.write_bytes(charts.big(number, f"1.0.{number}"))
        for verb in ("push", "pull"):
            for tool in TOOLS:
                worker = Worker(tool, host)
                worker("push", warm, "typical")
                worker("pull", "typical", "0.0.1")
                resting = worker("memory")["now"]
                seconds = worker("push", path, "big") if verb == "push" else worker("pull", "big", f"1.0.{number}")
                peak = worker("memory")["peak"]
                worker.close()
                results[verb].setdefault(tool, []).append((seconds, peak, peak - resting))
        seconds, peak = run_helm("push", path, f"oci://{host}/helm")
        results["push"].setdefault("helm", []).append((seconds, peak, 0))
        seconds, peak = run_helm("pull", f"oci://{host}/helm/big", "--version", f"1.0.{number}", "-d", directory)
        results["pull"].setdefault("helm", []).append((seconds, peak, 0))
    return {verb: {tool: min(several) for tool, several in by.items()} for verb, by in results.items()}


def importing() -> tuple[float, int]:
    """Seconds that `import chartoci` takes, and the bytes that it adds to a bare Python."""
    look = ("import time, re; began = time.perf_counter(); {}; took = time.perf_counter() - began;"
            "text = open('/proc/self/status').read(); print(took, int(re.search(r'VmRSS:\\s+(\\d+)', text)[1]) * 1024)")

    def measure(statement: str) -> tuple[float, int]:
        runs = []
        for _ in range(15):
            command = [sys.executable, "-I", "-c", look.format(statement)]
            seconds, size = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            runs.append((float(seconds), int(size)))
        return statistics.median(run[0] for run in runs), round(statistics.median(run[1] for run in runs))

    seconds, size = measure("import chartoci")
    return seconds, size - measure("pass")[1]


def machine() -> str:
    """What the numbers were measured on."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def table(rounds: int) -> str:
    """Measures everything and writes it as Markdown."""
    if os.path.isdir("/dev/shm"):
        tempfile.tempdir = os.environ["TMPDIR"] = "/dev/shm"  # docker-registry syncs: no disk shall be measured
    with tempfile.TemporaryDirectory() as name, registries.Registry(pathlib.Path(name)) as registry:
        directory = pathlib.Path(name) / "charts"
        directory.mkdir()
        fast, heavy = small(registry.host, directory, rounds), large(registry.host, directory)
        lists = listing(registry.host)
        streamed = streaming(registry.host, directory)
    with tempfile.TemporaryDirectory() as name:
        local = offline.rows(pathlib.Path(name))
    with tempfile.TemporaryDirectory() as name:
        served = serving(pathlib.Path(name))
    seconds, size = importing()
    ours = {verb: fast[verb]["chartoci"] for verb in fast}
    push, pull = heavy["push"], heavy["pull"]
    lines = [
        f"Measured {datetime.date.today()} by `make bench` on {machine()}; Python {platform.python_version()}, "
        f"Helm {helm.version(helm.binary(4))}, docker-registry on loopback.",
        "",
        "| | push 5 kB | pull 5 kB | push 22 MB | peak | pull 22 MB | peak |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = {"chartoci": "**chartoci**", "floor": "bare http.client", "helm": "`helm` (a process each)"}
    for tool in ("chartoci", "helm-python-sdk", "oras", "helm", "floor"):
        lines.append(
            f"| {names.get(tool, tool)} | {fast['push'][tool] * 1e3:.1f} ms | {fast['pull'][tool] * 1e3:.1f} ms "
            f"| {push[tool][0] * 1e3:.0f} ms | {push[tool][1] / MIB:.0f} MiB "
            f"| {pull[tool][0] * 1e3:.0f} ms | {pull[tool][1] / MIB:.0f} MiB |"
        )
    lines += ["", "| goal | measured | wanted | |", "| --- | --- | --- | --- |"]
    for verb, limit in (("push", 0.8), ("pull", 0.6)):
        for peer, goal in (("floor", 1.4), ("helm-python-sdk", limit)):
            ratio = ours[verb] / fast[verb][peer]
            lines.append(row(f"{verb} of 5 kB, against {names.get(peer, peer)}", f"{ratio:.2f} ×", ratio, goal, " ×"))
    ratio = push["chartoci"][0] / push["helm"][0]
    lines.append(row("push of 22 MB, fully scanned, against `helm`", f"{ratio:.2f} ×", ratio, 0.2, " ×"))
    for what, value, goal in (
        ("peak memory of that push", push["chartoci"][1], 55),
        ("memory that a pull of 22 MB adds", pull["chartoci"][2], 16),
        ("memory of `import chartoci` over bare Python", size, 6),
    ):
        lines.append(row(what, f"{value / MIB:.1f} MiB", value / MIB, goal, " MiB"))
    lines.append(row("time of `import chartoci`", f"{seconds * 1e3:.1f} ms", seconds * 1e3, 15, " ms"))
    lines += [*lists, *streamed, *local, *served, *wasm(), *wheels(), *modules(), "", *requests_of.table()]
    return "\n".join(lines)


def stored(wire: throughput.Wire, repository: str, digest: str, size: int) -> bytes:
    """The manifest of a chart whose archive is there already; its config is put there."""
    config = b'{"name":"many","version":"1.0.0","apiVersion":"v2"}'
    named = throughput.digest(config)
    assert wire.ask("PUT", f"{wire.place(repository, len(config))}digest={named}", config)[0] == 201
    kinds = "application/vnd.cncf.helm."
    layer = {"mediaType": f"{kinds}chart.content.v1.tar+gzip", "digest": digest, "size": size}
    described = {"mediaType": f"{kinds}config.v1+json", "digest": named, "size": len(config)}
    return json.dumps({"schemaVersion": 2, "config": described, "layers": [layer]}).encode()


def listing(host: str) -> list[str]:
    """1,000 versions listed and sorted, against the bare request for their tags."""
    wire, layer = throughput.Wire(host), b"no archive"
    digest = throughput.digest(layer)
    assert wire.ask("PUT", f"{wire.place('many', len(layer))}digest={digest}", layer)[0] == 201
    manifest = stored(wire, "many", digest, len(layer))
    for number in range(1000):
        target = f"/v2/many/manifests/1.{number // 50}.{number % 50}"
        assert wire.ask("PUT", target, manifest, throughput.MANIFEST)[0] == 201
    workers = {tool: Worker(tool, host) for tool in ("chartoci", "floor")}
    took: dict[str, list[float]] = {tool: [] for tool in workers}
    for turn in range(16):
        for tool, worker in workers.items():
            seconds = worker("versions", "many")
            if turn > 0:  # the first one warms up
                took[tool].append(seconds)
    for worker in workers.values():
        worker.close()
    ours, theirs = (statistics.median(times) for times in took.values())
    value = f"{ours * 1e3:.1f} ms, {ours / theirs:.2f} ×"
    return [row("1,000 versions listed and sorted, against the bare request", value, ours / theirs, 1.5, " ×")]


def streaming(host: str, directory: pathlib.Path) -> list[str]:
    """What a pull, a push and a copy of 200 MB add to the client's memory; the copy goes to another registry, `chartoci serve`."""
    throughput.large(host)
    hashed, block = hashlib.sha256(), random.Random(0).randbytes(1_000_000)
    for _ in range(throughput.LARGE // len(block)):
        hashed.update(block)
    wire = throughput.Wire(host)
    manifest = stored(wire, "load/large", f"sha256:{hashed.hexdigest()}", throughput.LARGE)
    assert wire.ask("PUT", "/v2/load/large/manifests/1.0.0", manifest, throughput.MANIFEST)[0] == 201
    chart = directory / "large-1.0.0.tgz"
    chart.write_bytes(charts.noise("large", "1.0.0", throughput.LARGE))
    with throughput.serving(directory.parent / "copies") as (other, process):
        before = throughput.resting(process)
        verbs = {"pull": ("pull_large", "load/large", "1.0.0"), "push": ("push_large", chart, "load"),
                 "copy, between registries,": ("copy_large", "load/large:1.0.0", f"{other}/load/large:1.0.0")}
        added = {}
        for verb, words in verbs.items():
            worker = Worker("chartoci", host)
            resting = worker("memory")["now"]
            worker(*words)
            added[verb] = (worker("memory")["peak"] - resting) / MIB
            worker.close()
        received = (throughput.peak(process) - before) / MIB
    lines = []
    for verb, value in added.items():
        lines.append(row(f"memory that a {verb} of 200 MB adds to the client", f"{value:.1f} MiB", value, 32, " MiB"))
    what = "memory that a pull of 200 MB adds to the client, as of any size"
    lines.append(row(what, f"{added['pull']:.1f} MiB", added["pull"], 16, " MiB"))
    lines.append(row("memory that this copy adds to `chartoci serve`, which receives it", f"{received:.1f} MiB", received, 32, " MiB"))
    return lines


def serving(directory: pathlib.Path) -> list[str]:
    """`chartoci serve` beside docker-registry."""
    numbers = throughput.measure(directory, clients=4, count=50, turns=3)
    ours, theirs = numbers["chartoci serve"], numbers["docker-registry"]
    lines = []
    for verb in ("pushes", "pulls"):
        value = f"{ours[verb]:.0f}, {ours[verb] / theirs[verb]:.2f} ×"
        lines.append(row(f"{verb} of 5 kB a second through `chartoci serve`, against docker-registry", value,
                         theirs[verb] / ours[verb], 0.5, "").replace("≤ 0.5", "≥ 2 ×"))
    lines.append(row("its peak memory", f"{ours['peak'] / MIB:.0f} MiB", ours["peak"] / MIB, 64, " MiB"))
    lines.append(row("memory that 200 MB in and out add to it", f"{ours['added'] / MIB:.1f} MiB", ours["added"] / MIB, 32, " MiB"))
    return lines


def wasm() -> list[str]:
    """What the module that everybody loads weighs, and how fast it opens the big chart in Node."""
    dist = ROOT / "bindings-wasm" / "js" / "dist"
    lines = []
    for what, size, goal in zip(("raw", "gzip"), sizes(dist / "chartoci_bg.wasm"), (480, 190), strict=True):
        lines.append(row(f"`chartoci_bg.wasm`, {what}", f"{size:.0f} KB", size, goal, " KB"))
    with tempfile.TemporaryDirectory() as directory:
        chart = pathlib.Path(directory) / "big.tgz"
        chart.write_bytes(charts.big())
        done = subprocess.run(["node", ROOT / "tests" / "bench" / "open.mjs", chart], capture_output=True, text=True, check=True)
        speed = float(done.stdout.split()[0])
        verdict = "met" if speed >= 0.4 else "not met"
        lines.append(f"| opening 22 MB in wasm, unpacked bytes | {speed:.2f} GB/s | ≥ 0.4 GB/s | {verdict} |")
    return lines


def modules() -> list[str]:
    """What each module weighs."""
    lines = ["", "| module | raw | gzip |", "| --- | ---: | ---: |"]
    for path in sorted((ROOT / "bindings-wasm" / "js" / "dist").glob("*_bg.wasm")):
        raw, packed = sizes(path)
        lines.append(f"| `{path.name.removesuffix('_bg.wasm')}` | {raw:.0f} KB | {packed:.0f} KB |")
    return lines


def sizes(module: pathlib.Path) -> tuple[float, float]:
    """A module's size as it is, and as it travels, in KB."""
    data = module.read_bytes()
    return len(data) / 1000, len(gzip.compress(data, 9)) / 1000


def wheels() -> list[str]:
    """What the wheel weighs."""
    found = sorted((ROOT / ".cache" / "wheels" / "release").glob("*.whl"))
    return [row("wheel", f"{path.stat().st_size / 1e6:.2f} MB", path.stat().st_size / 1e6, 3, " MB") for path in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=pathlib.Path, help="a file with the marks")
    parser.add_argument("--rounds", type=int, default=30, help=f"turns with the small chart, {BURST} times in a row each")
    options = parser.parse_args()
    for reason in filter(None, [registries.missing("docker-registry")]):
        sys.exit(f"cannot measure: {reason}")
    helm.fetch(4)
    text = table(options.rounds)
    print(text)
    if options.write:
        before, rest = options.write.read_text().split("<!-- bench -->", 1)
        after = rest.split("<!-- /bench -->", 1)[1]
        options.write.write_text(f"{before}<!-- bench -->\n{text}\n<!-- /bench -->{after}")


if __name__ == "__main__":
    main()
