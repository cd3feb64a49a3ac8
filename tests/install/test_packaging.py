"""Debian's packages (pkgconfig/debian) take what is installed, all of it; tests/packages.sh builds them."""

import fnmatch
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "pkgconfig" / "debian"


def test_version():
    header = (ROOT / "include" / "scarlet" / "scarlet.h").read_text()
    version = ".".join(re.findall(r"^#define SCARLET_VERSION_[MP]\w+ (\d+)", header, re.M))
    assert re.match(rf"libscarlet \({re.escape(version)}-\d+\) ", (DEBIAN / "changelog").read_text())


def test_files(tmp_path):
    subprocess.run(["meson", "install", "-C", os.environ["SCARLET_BUILD"], "--no-rebuild", "--destdir", tmp_path],
                   check=True, capture_output=True)
    prefix = next(tmp_path.rglob("include")).parent
    installed = {"usr/" + str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    taken = set()
    for rule in DEBIAN.glob("*.install"):
        if rule.name.startswith("python3-"):
            continue
        for pattern in (line.split()[0] for line in rule.read_text().splitlines()):
            found = {name for name in installed if fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(name, pattern + "/*")}
            assert found, f"{rule.name}: {pattern}"
            assert not found & taken, f"{rule.name}: {pattern} is in another package too"
            taken |= found
    assert taken == installed
    for listed in DEBIAN.glob("*.examples"):
        for pattern in listed.read_text().split():
            assert list(ROOT.glob(pattern)), pattern


def test_symbols():
    """What the rules make of the library's lists: a line a symbol, with its node and version."""
    rule = (DEBIAN / "rules").read_text().split("execute_before_dh_makeshlibs:\n")[1].split(" > ")[0]
    found = subprocess.run(["sh", "-c", rule.replace("$$", "$")], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = found.splitlines()
    assert lines[0] == "libscarlet.so.0 #PACKAGE# #MINVER#"
    since = dict(row.split() for row in (ROOT / "lib" / "libscarlet.sym").read_text().splitlines() if row[0] != "#")
    symbols = dict(re.fullmatch(r" (\w+@\w+) ([\d.]+)", line).groups() for line in lines[2:])
    nodes = {name for name in symbols if len(set(name.split("@"))) == 1}
    assert {name.split("@")[0]: version for name, version in symbols.items() if name not in nodes} == since
    assert {name.split("@")[1] for name in symbols} == {name.split("@")[0] for name in nodes}


def test_libraries():
    """Built with those of examples/packages.sh, and with MPI; users of the static library need what pkg-config names."""
    source, *packages = (DEBIAN / "control").read_text().split("\n\n")
    libraries = re.search(r'^libraries="(.*)"', (ROOT / "examples" / "packages.sh").read_text(), re.M)[1].split()
    assert set(re.findall(r"\b(?:lib|zlib)\w*-dev\b", source)) == {*libraries, "libopenmpi-dev"}
    development = next(package for package in packages if package.startswith("Package: libscarlet-dev\n"))
    private = re.search(r"^private_libraries = .*", (ROOT / "pkgconfig" / "meson.build").read_text(), re.M)[0]
    named = {name.lower() for name in re.findall(r"-l(\w+)", private)} - {"m"}
    taken = re.findall(r"\blib(\w+)-dev\b|\b(z)lib1g-dev\b", development)
    assert {a or z for a, z in taken} - {"scarlet"} == named
