"""Feeds the fault programs with one file of each kind."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))

from scarlet import reference  # noqa: E402

SMALL = os.environ["SCARLET_SMALL_MODEL"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    model = reference.Scarlet(reference.parse_genotype(",".join(["e3k3"] + ["id"] * 18)), 3)
    state = {"model_state": model.state_dict(), "epoch": 3}
    torch.save(state, folder / "legacy.pth.tar", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "zip.pth")
    (folder / "small.safetensors").write_bytes(Path(SMALL).read_bytes())
    rng = np.random.RandomState(0)
    picture = Image.fromarray(rng.randint(0, 256, (40, 60, 3), np.uint8))
    picture.save(folder / "baseline.jpg")
    picture.save(folder / "progressive.jpg", progressive=True)
    picture.save(folder / "rgb.png")
    picture.quantize(16).save(folder / "palette.png")
    return folder


def test_allocations(files):
    names = ["small.safetensors", "zip.pth", "legacy.pth.tar", "baseline.jpg", "progressive.jpg",
             "rgb.png", "palette.png"]
    result = subprocess.run([os.environ["SCARLET_ALLOCATIONS"], *names], cwd=files, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(result.stdout)
    assert result.returncode == 0, result.stdout[-4000:]


def test_system(files):
    names = ["small.safetensors", "zip.pth", "legacy.pth.tar", "baseline.jpg", "rgb.png"]
    result = subprocess.run([os.environ["SCARLET_FAILING_SYSTEM"], *names], cwd=files, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(result.stdout)
    assert result.returncode == 0, result.stdout[-4000:]


def test_soak(files):
    """A few seconds of tests/soak/run.sh."""
    names = sorted(path.name for path in files.iterdir())
    result = subprocess.run([os.environ["SCARLET_SOAK"], "--seconds", "4", *names], cwd=files, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(result.stdout)
    assert result.returncode == 0, result.stdout[-4000:]
    assert sorted(path.name for path in files.iterdir()) == names
