"""The model that is shipped, on the pictures that are shipped: right, and as PyTorch has it picture by picture."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODEL = EXAMPLES / "models/fashion-mnist-scarlet-c.safetensors"


def test_shipped_pictures_are_classified_as_by_pytorch(tmp_path):
    for picture in (EXAMPLES / "pictures").iterdir():
        name, number = picture.stem.rsplit("-", 1)
        (tmp_path / name).mkdir(exist_ok=True)
        shutil.copy(picture, tmp_path / name / f"{number}.png")
    result = subprocess.run([sys.executable, EXAMPLES / "train/evaluate.py", MODEL, tmp_path,
                             "--scarlet", os.environ["SCARLET_COMMAND"]], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    counts = [int(re.fullmatch(rf"{name}: (\d+) of 40 right, .*", line)[1])
              for name, line in zip(("PyTorch", "scarlet"), lines)]
    assert counts[0] == counts[1] >= 36
    assert lines[2] == "0 pictures are classified differently; the counts are equal"


def test_labelled_pictures():
    """The same pictures once more, in a folder for each class."""
    labelled = {path.resolve() for path in (EXAMPLES / "labelled").glob("*/*.png")}
    assert labelled == {path.resolve() for path in (EXAMPLES / "pictures").iterdir()}
    result = subprocess.run([os.environ["SCARLET_COMMAND"], "verify", "--model", MODEL, "--json", EXAMPLES / "labelled"],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["total"] == 40 and found["top1"] == 38, found
