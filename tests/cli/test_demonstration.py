"""The model that is shipped, on the pictures that are shipped: right, and as PyTorch has it picture by picture."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
MODEL = EXAMPLES / "models/fashion-mnist-scarlet-c.safetensors"


def test_shipped_pictures_are_classified_as_by_pytorch():
    labelled = {path.resolve() for path in (EXAMPLES / "labelled").glob("*/*.png")}
    assert labelled == {path.resolve() for path in (EXAMPLES / "pictures").iterdir()}
    result = subprocess.run([sys.executable, ROOT / "tests/demonstration/count.py", MODEL, EXAMPLES / "labelled",
                             "--scarlet", os.environ["SCARLET_COMMAND"]], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    counts = [int(re.fullmatch(rf"{name}: (\d+) of 40 right, .*", line)[1])
              for name, line in zip(("PyTorch", "scarlet"), lines)]
    assert counts[0] == counts[1] >= 36
    assert lines[2] == "0 pictures are classified differently; the counts are equal"

    result = subprocess.run([os.environ["SCARLET_COMMAND"], "verify", "--model", MODEL, "--json", EXAMPLES / "labelled"],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["total"], found["top1"]) == (40, counts[0])
