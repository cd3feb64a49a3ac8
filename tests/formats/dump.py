"""Runs the test program `dump` under the limits that hostile files must respect."""

import json
import os
import resource
import subprocess

import numpy as np

DUMP, TORTURE = os.environ["SCARLET_DUMP"], os.environ["SCARLET_TORTURE"]
SANITIZED = bool(os.environ.get("SCARLET_SANITIZED"))
SECONDS = 2 if not SANITIZED else 20
# KiB; a sanitizer reserves terabytes of address space
LIMITS = "ulimit -s 256;" + ("" if SANITIZED else "ulimit -v 524288;")


def _used():
    """CPU time of all children so far: unlike the clock's, it does not depend on what else is running."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(path, *more):
    """Exit code and output lines; fails on a crash, on much CPU time and on anything written to stderr."""
    before = _used()
    done = subprocess.run(["sh", "-c", LIMITS + 'exec "$@"', "sh", DUMP, path, *more], capture_output=True, timeout=60)
    assert _used() - before < SECONDS, "too slow"
    assert done.stderr == b"" and done.returncode in (0, 1), (done.returncode, done.stderr)
    return done.returncode, done.stdout.decode().splitlines()


def message(path):
    """The one line that refuses a file, with the path cut off: "corrupt: X: ..."."""
    code, lines = run(path)
    assert code == 1 and len(lines) == 1, lines
    return lines[0].replace(str(path), "X", 1)


def read(path):
    """(head, {name: (dtype, array of doubles)}) in the file's order."""
    values = str(path) + ".values"
    code, lines = run(path, values)
    assert code == 0, lines
    head, *rows = map(json.loads, lines)
    data, at, tensors = np.fromfile(values), 0, {}
    os.unlink(values)
    for row in rows:
        count = int(np.prod(row["shape"]))
        tensors[row["name"]] = row["dtype"], data[at : at + count].reshape(row["shape"])
        at += count
    assert at == len(data) and len(tensors) == len(rows)
    return head, tensors
