"""Folders and files depend on each other one way only, over the #includes."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What a folder may include beside itself and <scarlet/...>. Nothing but nas/ may include nas/.
LIB = {
    "common": "",
    "options": "common",
    "image": "common options",
    "results": "common options",
    "formats": "common options",
    "network": "common options formats",
    "engine": "common options formats network",
    "model": "common options formats network engine image results",
    "nas": "common formats network",  # and of engine the vector type that kernels are written in
}
VECTOR = {"engine/kernels/" + name for name in ("vector.h", "set.h", "sets.h")}
NAS = {"units": "data", "data": "", "train": "units data", "parallel": "", "supernet": "parallel train units data",
       "search": "supernet data"}
SRC = {"common": "", "pictures": "common", "report": "common pictures", "verify": "common pictures report",
       "nas": "common pictures report verify"}


def sources(top):
    return [path for path in sorted((ROOT / top).rglob("*")) if path.suffix in (".c", ".h")]


def includes(path, tops):
    """Files of the tree that one includes: (as written, path)."""
    for name in re.findall(r'^\s*#\s*include "([^"]+)"', path.read_text(), re.M):
        for folder in [path.parent, *(ROOT / top for top in tops)]:
            if (folder / name).is_file():
                yield name, (folder / name).resolve()
                break


def rooms(top, folders, path):
    """The folder of `folders` that a file below `top` is in; None on top of them."""
    first = path.relative_to(ROOT / top).parts[0]
    return first if first in folders else None


def strays(top, folders, allowed=()):
    """Includes against the order, "file: what it includes"."""
    for path in sources(top):
        room = rooms(top, folders, path)
        for name, target in includes(path, [top]):
            if not target.is_relative_to(ROOT / top) or str(target.relative_to(ROOT / top)) in allowed:
                continue
            other = rooms(top, folders, target)
            if room and other != room and (other or "top") not in folders[room].split():
                yield f"{path.relative_to(ROOT)}: {name}"


def test_lib():
    assert {path.name for path in (ROOT / "lib").iterdir() if path.is_dir()} == set(LIB)
    assert list(strays("lib", LIB, VECTOR)) == []
    assert not [path for path in (ROOT / "lib").glob("*.[ch]")
                for name, _ in includes(path, ["lib"]) if name.startswith("nas/")]


def test_nas():
    assert list(strays("lib/nas", NAS)) == []
    header = (ROOT / "include/scarlet/scarlet.h").read_text()
    assert "nas" not in re.findall(r'#\s*include\s+["<]scarlet/(\w+)', header)


def test_src():
    """Commands on top use all rooms, and of the library its public headers only."""
    assert list(strays("src", SRC)) == []
    for path in sources("src"):
        written = re.findall(r'^\s*#\s*include "([^"]+)"', path.read_text(), re.M)
        found = [name for name, _ in includes(path, ["src"])]
        assert [name for name in written if name not in found and not name.startswith("scarlet/")] == []


def test_no_circles():
    """A module is name.c and name.h: none depends on itself in the end. Left out are rooms where a
    header with a struct is filled in by several files."""
    shared = ("lib/engine/fused", "lib/nas/units")
    graph = {}
    for top in ("lib", "src"):
        for path in sources(top):
            if path.is_relative_to(ROOT / shared[0]) or path.is_relative_to(ROOT / shared[1]):
                continue
            graph.setdefault(path.with_suffix(""), set()).update(
                target.with_suffix("") for _, target in includes(path, [top])
                if target.suffix == ".h" and target.with_suffix("") != path.with_suffix(""))
    for _ in range(len(graph)):  # take away what depends on nothing that is left, or nothing on it
        needed = set().union(*graph.values())
        graph = {module: needs & graph.keys() for module, needs in graph.items()
                 if needs & graph.keys() and module in needed}
    assert sorted(str(module.relative_to(ROOT)) for module in graph) == []


def test_type_names():
    """An internal name means one type in all of lib/: any two headers can be included together."""
    owners = {}
    for path in sources("lib"):
        if path.suffix == ".h":
            text = path.read_text()
            for name in set(re.findall(r"^typedef (?:struct|enum|union) (scarlet__\w+)|^\} (scarlet__\w+);", text, re.M)):
                owners.setdefault("".join(name), set()).add(str(path.relative_to(ROOT)))
    assert {name: files for name, files in owners.items() if len(files) > 1} == {}
