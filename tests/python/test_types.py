"""The package's annotations hold, by mypy's strict rules."""

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "bindings" / "python"


def check(folder, cache):
    return subprocess.run(["mypy", "--cache-dir", cache, "scarlet"], cwd=folder, capture_output=True, text=True)


def test_strict(tmp_path):
    result = check(SOURCE, tmp_path / "cache")
    assert result.returncode == 0, result.stdout + result.stderr
    copy = shutil.copytree(SOURCE, tmp_path / "copy")
    with open(copy / "scarlet" / "labels.py", "a") as file:
        file.write("\nlength: str = len(Labels.builtin())\n")
    result = check(copy, tmp_path / "cache")
    assert result.returncode == 1 and "labels.py" in result.stdout and "[assignment]" in result.stdout
