"""Wheel and sdist by Debian's tools, without a network; the wheel at work in an environment of its own."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import scarlet

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "bindings" / "python"
ENV = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=ENV, **options)
    assert result.returncode == 0, (command, result.stdout[-2000:], result.stderr[-2000:])
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with both, made from a copy: nothing is written to the source tree."""
    place = tmp_path_factory.mktemp("built")
    copy = shutil.copytree(SOURCE, place / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", place / "dist", copy)
    return place / "dist"


def modules():
    return {f"scarlet/{path.name}" for path in (SOURCE / "scarlet").iterdir() if path.suffix in (".py", ".typed")}


def test_the_version_is_the_headers():
    header = (ROOT / "include" / "scarlet" / "scarlet.h").read_text()
    assert scarlet.__version__ == ".".join(re.findall(r"#define SCARLET_VERSION_[MP]\w+ (\d+)", header))
    assert scarlet.version() == scarlet.__version__


def test_contents(built):
    wheel, sdist = next(built.glob("*.whl")), next(built.glob("*.tar.gz"))
    assert wheel.name == f"scarlet-{scarlet.__version__}-py3-none-any.whl"
    assert {name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name} == modules()
    found = set(tarfile.open(sdist).getnames())
    assert {f"scarlet-{scarlet.__version__}/{name}" for name in modules() | {"pyproject.toml", "README.md"}} <= found


def test_an_installed_wheel_classifies(built, path, pictures, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", next(built.glob("*.whl")))
    code = ("import sys, scarlet; print(scarlet.__file__); "
            "print(scarlet.Model(sys.argv[1]).session().classify(sys.argv[2], k=1)[0].label)")
    file, label = run(python, "-c", code, path, pictures[0], cwd=tmp_path).splitlines()
    assert file.startswith(str(tmp_path / "venv"))
    assert label == scarlet.Model(path).session().classify(pictures[0], k=1)[0].label
