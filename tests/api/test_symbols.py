"""What libscarlet exports is what its header declares and its map lists; the archive pollutes nothing."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED, ARCHIVE = os.environ["SCARLET_SHARED"], os.environ["SCARLET_ARCHIVE"]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def declared():
    """{function: node} from the header."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/scarlet/scarlet.h").read_text(), flags=re.S)
    stable, experimental = text.split("#ifdef SCARLET_EXPERIMENTAL")
    find = re.compile(r"SCARLET_API\s[^;(]*?\b(scarlet_\w+)\s*\(")
    nodes = {name: "SCARLET_0" for name in find.findall(stable)}
    nodes.update({name: "SCARLET_EXPERIMENTAL" for name in find.findall(experimental)})
    assert len(nodes) == len(re.findall(r"^SCARLET_API\s", text, flags=re.M))
    return nodes


def mapped():
    """{function: node} from the linker's map."""
    nodes = {}
    for node, body in re.findall(r"(\w+) \{(.*?)\};", (ROOT / "lib/libscarlet.map").read_text(), flags=re.S):
        nodes.update({name: node for name in re.findall(r"\b(scarlet_\w+);", body)})
    return nodes


def exported():
    """{function: node} from the shared library."""
    rows = [line.split() for line in output("nm", "-D", "--defined-only", SHARED).splitlines()]
    symbols = dict(row[-1].split("@@") for row in rows if row[1] != "A")
    assert all(row[1] in "TA" for row in rows), "only functions are exported"
    return symbols


def test_exports():
    assert exported() == declared() == mapped()


def test_manual():
    """libscarlet(3) lists every function, and no other."""
    listed = (ROOT / "lib/libscarlet.3").read_text().split(".SH FUNCTIONS\n")[1].split("\n.SH ")[0]
    assert sorted(re.findall(r"^\.B (scarlet_\w+)", listed, flags=re.M)) == sorted(declared())


def test_since():
    """libscarlet.sym has the version that introduced each name."""
    rows = [line.split() for line in (ROOT / "lib/libscarlet.sym").read_text().splitlines() if line[0] != "#"]
    assert [name for name, _ in rows] == sorted(mapped())
    header = (ROOT / "include/scarlet/scarlet.h").read_text()
    now = tuple(int(re.search(rf"SCARLET_VERSION_{part} (\d+)", header)[1]) for part in ("MAJOR", "MINOR", "PATCH"))
    for name, version in rows:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert tuple(map(int, version.split("."))) <= now, name


def test_what_is_never_called():
    """No connection is opened, nothing printed, the program not ended: the functions for it are not there."""
    undefined = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--undefined-only", SHARED).splitlines()}
    assert "pread64" in undefined and "pthread_create" in undefined
    network = {"socket", "connect", "bind", "listen", "accept", "send", "sendto", "sendmsg", "recv", "getaddrinfo"}
    printing = {"printf", "__printf_chk", "fprintf", "__fprintf_chk", "vfprintf", "puts", "fputs", "putchar", "perror",
                "syslog", "stdout", "stderr", "fwrite"}
    ending = {"exit", "_exit", "_Exit", "abort", "raise", "__assert_fail", "system", "execve", "fork"}
    assert not undefined & (network | printing | ending)


def test_archive():
    rows = [line.split() for line in output("nm", "-g", "--defined-only", ARCHIVE).splitlines()]
    names = {row[2] for row in rows if len(row) == 3}
    assert declared().keys() <= names
    assert [name for name in names if not name.startswith("scarlet_")] == []


def test_dynamic_section():
    text = output("readelf", "-dW", SHARED)
    assert re.search(r"SONAME.*\[libscarlet\.so\.0\]", text)
    assert "BIND_NOW" in text and "NODELETE" in text and "TEXTREL" not in text
    needed = {name.split(".so")[0] for name in re.findall(r"NEEDED.*\[(.*)\]", text)}
    assert needed <= {"libXNNPACK", "libpthreadpool", "libjpeg", "libpng16", "libz", "libm", "libc"}
    assert "RWE" not in output("readelf", "-lW", SHARED), "no executable stack"


def test_nas():
    """libscarlet-nas likewise: what nas.h declares, its map lists and it exports is the same. scarlet.h never includes it."""
    shared = os.environ["SCARLET_NAS_SHARED"]
    if not shared:
        return
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/scarlet/nas.h").read_text(), flags=re.S)
    header = re.findall(r"SCARLET_API\s[^;(]*?\b(scarlet_\w+)\s*\(", text)
    assert len(header) == len(re.findall(r"^SCARLET_API\s", text, flags=re.M)) > 30
    listed = re.findall(r"\b(scarlet_\w+);", (ROOT / "lib/nas/libscarlet-nas.map").read_text())
    rows = [line.split() for line in output("nm", "-D", "--defined-only", shared).splitlines()]
    exported = sorted(row[-1].split("@@")[0] for row in rows if row[1] != "A")
    assert sorted(header) == sorted(listed) == exported
    assert not set(header) & set(declared())
    assert "nas.h" not in (ROOT / "include/scarlet/scarlet.h").read_text()
