"""What needs no registry, on the big chart: peek, show, open and parse, check, package, and the verdict in Node and Chromium."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import charts
from common import MIB, ROOT, Worker, row, run_helm

REPEATS = 3

PACK = "import sys, hashlib, chartoci; print(hashlib.sha256(chartoci.package(sys.argv[1], created=1).data).hexdigest())"


def rows(directory: pathlib.Path) -> list[str]:
    """The lines of the table of goals."""
    archive = directory / "big-1.0.0.tgz"
    archive.write_bytes(charts.big())
    with tarfile.open(archive) as opened:
        unpacked = sum(entry.size for entry in opened)
        opened.extractall(directory, filter="data")
    folder = directory / "big"
    took: dict[tuple[str, str], float] = {}
    ours, theirs = Worker("chartoci", "localhost"), Worker("helm-python-sdk", "localhost")
    for _ in range(REPEATS):  # in turns, so that a busy moment hits all alike; the best counts
        for verb, path in (("peek", archive), ("show", archive), ("load", archive), ("check", archive), ("package", folder)):
            keep(took, ("chartoci", verb), ours(verb, path))
        keep(took, ("sdk", "load"), theirs("load", archive))
        keep(took, ("helm", "show"), run_helm("show", "chart", archive)[0])
        keep(took, ("helm", "check"), run_helm("lint", archive)[0])
        keep(took, ("helm", "package"), run_helm("package", folder, "-d", directory / "helm")[0])
    ours.close()
    theirs.close()

    def against(verb: str, peer: str, name: str, goal: float) -> str:
        ratio = took["chartoci", verb] / took[peer, verb if peer == "helm" else "load"]
        value = f"{took['chartoci', verb] * 1e3:.0f} ms, {ratio:.2f} ×"
        return row(f"{name}", value, ratio, goal, " ×")

    peek = took["chartoci", "peek"] * 1e3
    memory = checking(archive)
    lines = [
        row("`Metadata.peek` of 22 MB", f"{peek:.2f} ms", peek, 1, " ms"),
        against("show", "helm", "`show chart` of 22 MB, fully verified, against `helm`", 0.25),
        against("load", "sdk", "opening 22 MB and parsing all of it, against helm-python-sdk", 0.5),
        against("check", "helm", "`check` of 22 MB, against `helm lint`", 0.1),
        row("peak memory of that check", f"{memory / MIB:.0f} MiB", memory / unpacked, 2, f" × the {unpacked / MIB:.0f} unpacked"),
        against("package", "helm", "`package` of its directory, against `helm`", 0.95),
    ]
    digests = {subprocess.run([*pinned, sys.executable, "-c", PACK, folder], capture_output=True, text=True, check=True).stdout
               for pinned in ([], ["taskset", "-c", "0"])}
    verdict = "met" if len(digests) == 1 else "not met"
    lines.append(f"| its bytes, with one core and with {os.cpu_count()} | {len(digests)} kind | the same | {verdict} |")
    return lines + first_verdict(directory)


def keep(took: dict[tuple[str, str], float], key: tuple[str, str], seconds: float) -> None:
    """The least counts."""
    took[key] = min(seconds, took.get(key, seconds))


def checking(archive: pathlib.Path) -> int:
    """Peak bytes of a process that has checked the big chart and nothing else."""
    worker = Worker("chartoci", "localhost")
    worker("check", archive)
    peak = worker("memory")["peak"]
    worker.close()
    return peak


def first_verdict(directory: pathlib.Path) -> list[str]:
    """What a page's `check` of a chart of 200 kB takes, warm: in Node, and in Chromium where there is one."""
    if not (ROOT / "bindings-wasm" / "js" / "dist").exists():
        return []
    chart = directory / "medium-1.0.0.tgz"
    chart.write_bytes(charts.medium())
    script = ROOT / "tests" / "bench" / "verdict.mjs"
    done = subprocess.run(["node", script, chart], capture_output=True, text=True, check=True)
    size = chart.stat().st_size / 1000
    lines = []
    for place, took in json.loads(done.stdout).items():
        value = took["milliseconds"]
        lines.append(row(f"verdict on a chart of {size:.0f} kB in {place.capitalize()}", f"{value:.1f} ms", value, 50, " ms"))
    return lines
