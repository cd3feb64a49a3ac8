"""Meson projects may take libscarlet as a subproject: a consumer builds and runs with it, shared and static, and builds
nothing else of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import tiny  # noqa: E402

PROJECT = """project('consumer', 'c')
scarlet = dependency('scarlet', fallback: 'libscarlet')
executable('consumer', 'consumer.c', dependencies: scarlet)
"""


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_subproject(tmp_path, kind):
    (tmp_path / "meson.build").write_text(PROJECT)
    (tmp_path / "consumer.c").symlink_to(HERE / "consumer.c")
    (tmp_path / "subprojects").mkdir()
    (tmp_path / "subprojects" / "libscarlet").symlink_to(ROOT)
    build = tmp_path / "build"
    for command in (["meson", "setup", build, tmp_path, "--wrap-mode=forcefallback", f"-Ddefault_library={kind}",
                     f"-Dlibscarlet:default_library={kind}", "-Doptimization=0", "-Dlibscarlet:optimization=0"],
                    ["ninja", "-C", build, "-j2", "consumer"]):
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    targets = subprocess.run(["ninja", "-C", build, "-t", "targets", "all"], capture_output=True, text=True, check=True).stdout
    assert "/lib/libscarlet." in targets and not re.search(r"libscarlet/(src|examples|tests)/|scarlet-nas", targets)
    needed = subprocess.run(["readelf", "-d", build / "consumer"], capture_output=True, text=True, check=True).stdout
    assert ("libscarlet.so.0" in needed) == (kind == "shared")
    model = tiny.make(tmp_path / "tiny.safetensors")
    found = subprocess.run([build / "consumer", model, tiny.PICTURES / "09-ankle-boot-0000.png"],
                           env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "") and ", tench, class " in found.stdout
