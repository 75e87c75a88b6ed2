"""What the benchmarks share: programs under measurement, and a line of the table of goals."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import helm  # noqa: E402

MIB = 1 << 20


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
    plain = ["--plain-http"] if any(str(word).startswith("oci://") for word in words) else []
    process = subprocess.Popen([str(helm.binary(4)), *map(str, words), *plain], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if words[0] == "lint" else None)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and words[0] != "lint":  # which has something to say of the chart
        raise RuntimeError(f"helm {words[0]} failed")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def row(what: str, value: str, ratio: float | None, goal: float | None, unit: str = "") -> str:
    """One line of the table of goals."""
    if ratio is None or goal is None:
        return f"| {what} | {value} | | |"
    verdict = "met" if ratio <= goal else "not met"
    return f"| {what} | {value} | ≤ {goal:g}{unit} | {verdict} |"
