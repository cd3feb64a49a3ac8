"""A program that is one file: libscarlet without XNNPACK, and everything else of Debian's, linked statically. Then the
installed files are removed again."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import tiny  # noqa: E402


def run(*command, **environment):
    result = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, capture_output=True, text=True)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def test_static_program(tmp_path):
    build, program = tmp_path / "build", tmp_path / "classify"
    run("meson", "setup", build, ROOT, f"--prefix={tmp_path}/prefix", "-Dxnnpack=disabled", "-Dnas=disabled",
        "-Dcli=false", "-Dexamples=false", "-Ddefault_library=static")
    run("ninja", "-C", build, "-j2")
    run("meson", "install", "-C", build, "--no-rebuild")
    place = str(next((tmp_path / "prefix").rglob("pkgconfig")))
    flags = run("pkg-config", "--static", "--cflags", "--libs", "scarlet", PKG_CONFIG_PATH=place).split()
    run("cc", "-static", "-s", ROOT / "examples" / "classify.c", *flags, "-o", program)
    assert "NEEDED" not in run("readelf", "-d", program) and "INTERP" not in run("readelf", "-l", program)
    assert program.stat().st_size < 2_600_000
    found = run(program, ROOT / "examples" / "models" / "fashion-mnist-scarlet-c.safetensors", tiny.PICTURES / "01-trouser-0002.png")
    assert found.splitlines()[0].endswith(" %  Trouser")

    installed = [path for path in (tmp_path / "prefix").rglob("*") if path.is_file()]
    assert len(installed) > 5
    run("ninja", "-C", build, "uninstall")
    assert not [path for path in installed if path.exists()]
