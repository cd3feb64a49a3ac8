"""Pictures of three classes that a small network tells apart within seconds, in every form."""

import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
COMMAND = os.environ["SCARLET_COMMAND"]
CLASSES = ["blue sky", "green", "r\u00f6t"]
CHANNEL = {"blue sky": 2, "green": 1, "r\u00f6t": 0}
COUNTS = {"train": 20, "val": 8, "test": 6}  # of each class
SMALL = ["--space", "stem=8 tail=32 layers=8:2,8:1,12:2", "--arch", "e3k3se,id,e6k5", "--input-size", "32", "--epochs", "12",
         "--batch-size", "12", "--micro-batch", "12", "--lr", "0.01", "--ema", "off", "--threads", "2"]


def scarlet(*words, code=0, **options):
    result = subprocess.run([COMMAND, *map(os.fspath, words)], capture_output=True, text=True, **options)
    assert code is None or result.returncode == code, (result.stdout, result.stderr)
    return result


def train(*words, **options):
    return scarlet("train", *words, **options)


def pixels(rng, name, size=(24, 30)):
    """Noise with one strong channel."""
    noise = rng.randint(0, 90, (*size, 3), np.uint8)
    noise[..., CHANNEL[name]] += 120
    return noise


def rows(path):
    """Cells of a CSV file without quotes in it, without its head."""
    return [row.split(",") for row in Path(path).read_text().splitlines()[1:]]


def idx_bytes(array):
    return struct.pack(">HBB" + "I" * array.ndim, 0, 8, array.ndim, *array.shape) + array.tobytes()


def save_idx(path, array):
    data = idx_bytes(array.astype(np.uint8))
    Path(path).write_bytes(gzip.compress(data) if str(path).endswith(".gz") else data)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="session")
def photos(scratch):
    """train/, val/ and test/ of class folders."""
    rng, root = np.random.RandomState(0), scratch / "photos"
    for part, count in COUNTS.items():
        for name in CLASSES:
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(pixels(rng, name)).save(root / part / name / f"{i:02d}.png")
    return root


@pytest.fixture(scope="session")
def run(scratch, photos):
    """One training with all parts: its folder, and what it printed."""
    result = train(photos, "--output", scratch / "run", *SMALL)
    return scratch / "run", result


@pytest.fixture(scope="session")
def result(scratch, photos, run):
    """The last object of --json, of the same training resumed."""
    lines = train("--output", run[0], "--resume", "--json").stdout.splitlines()
    return json.loads(lines[-1])
