"""Transcripts of commands: what is typed, what comes out, compared exactly.

    # a comment
    $ scarlet info nothing.pth
    2> scarlet: nothing.pth: No such file or directory
    [3]

Plain lines are standard output, `2> ` lines standard error, `[N]` is the exit code and ends a command; `\\` at the end
of its line continues it. Standard output that ends without a newline ends with a line `%`. Bytes that are not UTF-8
appear as \\xNN. Each transcript runs in a folder of its own, by sh.

Numbers which the CPU's arithmetic may change in their last digits are the only exception: floats in lines of JSON, and
percentages at the start of a line, agree within a tolerance.
"""

import json
import math
import re
import subprocess
from collections import namedtuple

Step = namedtuple("Step", "head command out err code")
TOLERANCE = 2e-4


def parse(text):
    """([Step], what follows the last of them)."""
    steps, head, lines = [], [], iter(text.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            head.append(line)
            continue
        command, out, err = [line[2:]], [], []
        while command[-1].endswith("\\"):
            command.append(next(lines))
        for line in lines:
            end = re.fullmatch(r"\[(\d+)\]", line)
            if end:
                break
            (err if line.startswith("2> ") else out).append(line.removeprefix("2> "))
        steps.append(Step(head, "\n".join(command), out, err, int(end[1])))
        head = []
    return steps, head


def text_lines(raw):
    text = raw.decode(errors="backslashreplace")
    return text.splitlines() if text.endswith("\n") or not text else text.splitlines() + ["%"]


def run(step, folder, environment):
    result = subprocess.run(["/bin/sh", "-c", step.command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=60)
    return step._replace(out=text_lines(result.stdout), err=text_lines(result.stderr), code=result.returncode)


def format(steps, tail):
    lines = []
    for step in steps:
        lines += step.head + ["$ " + step.command] + step.out + ["2> " + line for line in step.err] + [f"[{step.code}]"]
    return "\n".join(lines + tail) + "\n"


def same_value(found, expected):
    if isinstance(expected, float) and type(found) in (float, int):
        return math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if type(found) is not type(expected):
        return False
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same_value(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same_value, found, expected))
    return found == expected


def same_line(found, expected):
    if found == expected:
        return True
    if expected.startswith("{") and found.startswith("{"):
        return same_value(json.loads(found), json.loads(expected))
    percent = re.compile(r"( *\d+\.\d)( %  .*)")
    f, e = percent.fullmatch(found), percent.fullmatch(expected)
    return bool(f and e) and f[2] == e[2] and len(f[1]) == len(e[1]) and abs(float(f[1]) - float(e[1])) < 0.11


def same(found, expected):
    return (found.code == expected.code and found.err == expected.err and len(found.out) == len(expected.out)
            and all(map(same_line, found.out, expected.out)))
