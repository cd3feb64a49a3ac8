"""Feeds the program `memory` with SCARLET-A in each format, and with small models."""

import os
import subprocess
import sys
from pathlib import Path

import torch

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS.parent / "bindings" / "python"))
sys.path.insert(0, str(TESTS / "network"))

from networks import reference, save_safetensors  # noqa: E402


def test_memory(tmp_path):
    torch.manual_seed(0)
    state = reference.Scarlet(reference.GENOTYPES["A"], 1000).state_dict()
    torch.save({"model_state": state}, tmp_path / "legacy", _use_new_zipfile_serialization=False)
    torch.save({"model_state": state}, tmp_path / "zip")
    save_safetensors(state, tmp_path / "safetensors", {})
    picture = TESTS.parent / "examples" / "pictures" / "02-pullover-0046.png"
    result = subprocess.run([os.environ["SCARLET_MEMORY"], "legacy", "zip", "safetensors", os.environ["SCARLET_SMALL_MODEL"],
                             os.environ["SCARLET_SMALLEST"], picture], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(result.stdout)
    assert result.returncode == 0, result.stdout[-4000:]
