"""The binary interface as abidiff sees it, and its committed baseline, libscarlet.abi.

    /usr/bin/python3 tests/api/abi.py

renews the baseline after an intentional change. A release build has no types to compare. But every
source that defines a public function includes the header, so the compiler holds the library to it:
here its declarations become empty functions, under the linker's map, with debugging information.
That leaves out the internals, and so differences between compilers.
"""

import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINE = Path(__file__).resolve().parent / "libscarlet.abi"
HEADER, MAP = ROOT / "include/scarlet/scarlet.h", ROOT / "lib/libscarlet.map"
FUNCTION = re.compile(r"^SCARLET_API\s([^;]*\));", flags=re.M)


def library(folder, header=None, version_script=None):
    """A library of the header's functions; returns its path."""
    code = re.sub(r"/\*.*?\*/", "", header or HEADER.read_text(), flags=re.S)
    code, count = FUNCTION.subn(r"SCARLET_API \1 { __builtin_trap(); }", code)
    assert count > 40
    (folder / "scarlet.c").write_text("#define SCARLET_EXPERIMENTAL\n" + code)
    (folder / "scarlet.map").write_text(version_script or MAP.read_text())
    subprocess.run(["gcc", "-std=c11", "-g", "-shared", "-fPIC", "-Wl,-soname,libscarlet.so.0",
                    "-Wl,--version-script=scarlet.map", "-o", "libscarlet.so.0", "scarlet.c"], cwd=folder, check=True)
    return folder / "libscarlet.so.0"


def describe(shared):
    return subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                           "--no-architecture",
                           shared.name], cwd=shared.parent, check=True, capture_output=True, text=True).stdout


def differences(shared):
    """What is no longer as in the baseline; "" if nothing. Additions are not reported."""
    result = subprocess.run(["abidiff", "--no-added-syms", "--no-architecture", BASELINE, shared],
                            capture_output=True, text=True)
    assert result.returncode & 3 == 0, result.stderr  # bits 0 and 1: abidiff itself failed
    return result.stdout if result.returncode else ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        BASELINE.write_text(describe(library(Path(scratch))))
