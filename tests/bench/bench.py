"""Speed and memory, side by side with the peers in one run: `make bench`.

Every program talks to the same docker-registry on loopback, in a process of its own; with the small chart they take turns,
so that a busy moment hits all alike, and the median counts. `--write FILE` puts the table between the marks
`<!-- bench -->` and `<!-- /bench -->` of that file.
"""

import argparse
import contextlib
import datetime
import gzip
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import charts  # noqa: E402
import helm  # noqa: E402
import registries  # noqa: E402

MIB = 1 << 20
BURST = 5  # what one program does in a row before the next has its turn
TOOLS = ("chartoci", "helm-python-sdk", "oras", "floor")


class Worker:
    """`worker.py` for one tool."""

    def __init__(self, tool: str, host: str):
        self.process = subprocess.Popen([sys.executable, HERE / "worker.py", tool, host], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None)

    def __call__(self, verb: str, *arguments: object):
        self.process.stdin.write(json.dumps({"verb": verb, "arguments": list(map(str, arguments))}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args[-2]} cannot {verb}")
        return json.loads(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def run_helm(*words: object) -> tuple[float, int]:
    """Seconds and peak bytes of one run of the real Helm."""
    environment = {"HELM_CACHE_HOME": "/nonexistent", "PATH": os.environ["PATH"], "HOME": tempfile.gettempdir()}
    began = time.perf_counter()
    process = subprocess.Popen([str(helm.binary(4)), *map(str, words), "--plain-http"], env=environment,
                               stdout=subprocess.DEVNULL, stderr=None)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"helm {words[0]} failed")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


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
            for verb in ("push", "pull"):
                for tool, worker in workers.items():
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


def row(what: str, value: str, ratio: float | None, goal: float | None, unit: str = "") -> str:
    """One line of the table of goals."""
    if ratio is None or goal is None:
        return f"| {what} | {value} | | |"
    verdict = "met" if ratio <= goal else "not met"
    return f"| {what} | {value} | ≤ {goal:g}{unit} | {verdict} |"


def table(rounds: int) -> str:
    """Measures everything and writes it as Markdown."""
    if os.path.isdir("/dev/shm"):
        tempfile.tempdir = os.environ["TMPDIR"] = "/dev/shm"  # docker-registry syncs: no disk shall be measured
    with tempfile.TemporaryDirectory() as name, registries.Registry(pathlib.Path(name)) as registry:
        directory = pathlib.Path(name) / "charts"
        directory.mkdir()
        fast, heavy = small(registry.host, directory, rounds), large(registry.host, directory)
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
    return "\n".join([*lines, *wasm(), *wheels()])


def wasm() -> list[str]:
    """What the module weighs, and how fast it opens the big chart in Node."""
    lines = []
    for module in sorted((ROOT / "bindings-wasm" / "js" / "dist").glob("chartoci*.wasm")):
        data = module.read_bytes()
        for what, value, goal in (("raw", len(data), 480), ("gzip", len(gzip.compress(data, 9)), 190)):
            lines.append(row(f"`{module.name}`, {what}", f"{value / 1000:.0f} KB", value / 1000, goal, " KB"))
    script = ROOT / "tests" / "bench" / "open.mjs"
    if lines and script.exists():
        with tempfile.TemporaryDirectory() as directory:
            chart = pathlib.Path(directory) / "big.tgz"
            chart.write_bytes(charts.big())
            done = subprocess.run(["node", script, chart], capture_output=True, text=True, check=True)
            speed = float(done.stdout.split()[0])
            verdict = "met" if speed >= 0.4 else "not met"
            lines.append(f"| opening 22 MB in wasm, unpacked bytes | {speed:.2f} GB/s | ≥ 0.4 GB/s | {verdict} |")
    return lines


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
