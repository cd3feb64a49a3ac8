"""How the library and the command are built: what makes an attack on a fault of theirs harder.

Debian's start files have no CET notes, so that no program here gets the kernel's protection for the whole process; the
code is ready for it: every function that can be called from outside begins with ENDBR64 (BTI on ARM).
"""

import os
import platform
import re
import subprocess

import pytest

BUILT = [os.environ[name] for name in ("SCARLET_SHARED", "SCARLET_NAS_SHARED", "SCARLET_COMMAND") if os.environ[name]]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(params=BUILT, ids=os.path.basename)
def built(request):
    return request.param


def test_segments(built):
    """No executable stack, nothing both writable and executable, relocations read-only after the start."""
    rows = re.findall(r"^  (\w+)(?:\s+0x[0-9a-f]+){5} ([RWE ]{3}) 0x", output("readelf", "-lW", built), flags=re.M)
    segments = dict(rows)
    assert segments["GNU_STACK"] == "RW " and "GNU_RELRO" in segments
    assert not any("W" in flags and "E" in flags for _, flags in rows)


def test_binding(built):
    """All symbols bound at the start; position-independent; no search path but one beside itself."""
    dynamic = output("readelf", "-dW", built)
    assert re.search(r"\(FLAGS\).*BIND_NOW", dynamic) and re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic)
    assert "TEXTREL" not in dynamic
    assert re.search(r"Type:\s+DYN", output("readelf", "-hW", built))
    paths = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic)
    assert all(re.fullmatch(r"\$ORIGIN.*|X+", part) for path in paths for part in path.split(":"))  # X: room left by meson


def test_fortify(built):
    """Calls with a known room are checked: every snprintf whose size the compiler knows."""
    needed = output("nm", "-D", "--undefined-only", built)
    assert len(set(re.findall(r"__\w+_chk(?=@)", needed))) >= 3
    assert "__stack_chk_fail" in needed
    assert not re.search(r"\b(gets|strcpy|strcat|sprintf|vsprintf|scanf|strtok|tmpnam|mktemp)@", needed)


def code(built):
    """{address: [instructions]} of every function that has a name in the dynamic table, and the whole text."""
    text = output("objdump", "-d", "--no-show-raw-insn", built)
    functions = dict(re.findall(r"^[0-9a-f]+ <([^>]+)>:\n\s*[0-9a-f]+:\s+(\S+)", text, flags=re.M))
    return functions, text


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instructions of x86-64")
def test_code():
    """The library's exported functions accept indirect branches under CET; large frames are probed page by page."""
    functions, text = code(BUILT[0])
    exported = re.findall(r" T (scarlet_\w+)@@", output("nm", "-D", "--defined-only", BUILT[0]))
    assert len(exported) > 40 and {functions[name] for name in exported} == {"endbr64"}
    assert len(re.findall(r"\bor[lq]\s+\$0x0,.*\(%rsp", text)) >= 5  # -fstack-clash-protection
