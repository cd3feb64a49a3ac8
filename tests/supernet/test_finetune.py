"""What a child brings along: one epoch of fine-tuning beats one epoch from scratch, on real pictures."""

import csv
import gzip
import os
import struct
import subprocess
from pathlib import Path

import pytest

COMMAND = os.environ["SCARLET_COMMAND"]
FASHION = Path("/usr/share/datasets/fashion-mnist")
PATHS = 20


def scarlet(*arguments):
    return subprocess.run([COMMAND, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The first 2,000 training pictures."""
    folder, n = tmp_path_factory.mktemp("data"), 2000
    for name, head, size in (("train-images-idx3-ubyte", 16, 784), ("train-labels-idx1-ubyte", 8, 1)):
        with gzip.open(FASHION / (name + ".gz")) as file:
            top, rest = file.read(head), file.read(n * size)
        (folder / name).write_bytes(top[:4] + struct.pack(">I", n) + top[8:] + rest)
    return folder


def losses(folder):
    """Of the validation part after each epoch."""
    with (folder / "results.csv").open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file) if row["epoch"] != "0"]


def test_head_start(data, tmp_path):
    scarlet("supernet", data, "--space", "243", "--output", tmp_path / "super", "--let", "--opt", "epochs=6", "--opt", "val-fraction=0.25",
            "--watch", 0, "--quiet")
    drawn = scarlet("score", tmp_path / "super", "--random", 2 * PATHS, "--quiet").splitlines()
    rows = list(dict.fromkeys(drawn))[:PATHS + 1]
    (tmp_path / "paths.csv").write_text("\n".join(rows) + "\n")
    scarlet("export", tmp_path / "super", "--front", tmp_path / "paths.csv", "--output", tmp_path / "children", "--quiet")
    paths = [row["genotype"] for row in csv.DictReader(rows)]
    assert len(set(paths)) == PATHS
    widths = "stem=16 tail=128 layers=16:2,16:1,16:1,16:1,32:2,32:1,32:1"
    better = 0
    for i, path in enumerate(paths):
        tuned, fresh = tmp_path / f"tuned{i}", tmp_path / f"fresh{i}"
        for output, start in ((tuned, ["--initial-checkpoint", tmp_path / "children" / f"{i + 1:02}.safetensors"]),
                              (fresh, ["--arch", path, "--space", widths, "--input-size", 28])):
            scarlet("train", data, *start, "--epochs", 1, "--val-fraction", 0.25, "--output", output, "--quiet")
        better += losses(tuned)[-1] < losses(fresh)[-1]
    assert better >= 0.9 * PATHS
