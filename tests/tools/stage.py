"""One stage of `make test`: runs a command, passes on what it prints, and remembers what passed and what was skipped.

    stage.py begin                      forgets the last run
    stage.py run NAME COMMAND…          runs a stage
    stage.py end                        says what ran, what was skipped and why

A line that starts with `SKIP ` says that something could not be tried, one that starts with `NOTE ` goes into the summary.
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import time

LEDGER = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "stages.jsonl"

# How the programs that run tests speak of their results.
PASSED = re.compile(r"test result: \S+ (\d+) passed|^=*.*?\b(\d+) passed\b.* in [\d.]+s|^(?:# |ℹ )pass (\d+)$")
SKIPPED = re.compile(r"(\d+) ignored;|^=*.*?\b(\d+) skipped\b.* in [\d.]+s|^(?:# |ℹ )skipped (\d+)$")
REASON = re.compile(r"^SKIP (?P<plain>.*)|^SKIPPED \[(?P<count>\d+)\] (?P<pytest>.*)|^\s*﹣ (?P<node>.*)")
NOTE = re.compile(r"^NOTE (.*)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def number(match: re.Match[str] | None) -> int:
    """The one group that took part."""
    return sum(int(group) for group in match.groups() if group) if match else 0


def run(name: str, command: list[str]) -> int:
    """Runs the command and writes one line into the ledger."""
    print(f"\n== {name}", flush=True)
    # Who starts us in the background may have Ctrl-C ignored, and the tests that press it would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began, passed, skipped, reasons, notes = time.monotonic(), 0, 0, [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            plain = COLOUR.sub("", line).rstrip()
            passed += number(PASSED.search(plain))
            skipped += number(SKIPPED.search(plain))
            if reason := REASON.match(plain):
                reasons.append(reason["plain"] or reason["pytest"] or reason["node"])
                skipped += bool(reason["plain"])
            if note := NOTE.match(plain):
                notes.append(note[1])
    row = {"name": name, "status": process.returncode, "passed": passed, "skipped": skipped, "reasons": reasons,
           "notes": notes, "seconds": round(time.monotonic() - began)}
    LEDGER.parent.mkdir(exist_ok=True)
    with LEDGER.open("a") as ledger:
        ledger.write(json.dumps(row) + "\n")
    return process.returncode


def end() -> int:
    """Prints the table; the status is that of the stages."""
    began, *rows = [json.loads(line) for line in LEDGER.read_text().splitlines()]
    print("\n== Summary")
    for row in rows:
        verdict = "ok" if row["status"] == 0 else "FAILED"
        print(f"{verdict:>6}  {row['name']:<28} {row['passed']:>6} passed {row['skipped']:>4} skipped {row['seconds']:>5} s")
    for row in rows:
        for note in row["notes"]:
            print(f"        {note}")
    print(f"passed {sum(row['passed'] for row in rows)}, skipped {sum(row['skipped'] for row in rows)}, "
          f"{len(rows)} stages in {(time.time() - began) / 60:.1f} minutes")
    for row in rows:
        for reason in row["reasons"]:
            print(f"  skipped in {row['name']}: {reason}")
    return int(any(row["status"] for row in rows) or not rows)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["begin"]:
            LEDGER.parent.mkdir(exist_ok=True)
            LEDGER.write_text(f"{time.time()}\n")
        case ["run", name, *command]:
            sys.exit(run(name, command))
        case ["end"]:
            sys.exit(end())
        case _:
            sys.exit(__doc__)
