"""Fashion-MNIST as Debian's package dataset-fashion-mnist installs it, and the model that was trained on it."""

import gzip
from pathlib import Path

import numpy

FOLDER = Path("/usr/share/datasets/fashion-mnist")
MODELS = Path(__file__).resolve().parents[2] / "examples" / "models"
MODEL = MODELS / "fashion-mnist-scarlet-c.safetensors"
LABELS = (MODELS / "fashion-mnist-labels.txt").read_text(encoding="utf-8").splitlines()


def load(part):
    """Pictures uint8 [n, 28, 28] and labels uint8 [n] of a part, 'train' or 't10k'."""
    pictures = _idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _idx(f"{part}-labels-idx1-ubyte.gz", 8)
    return pictures, labels


def _idx(name, header):
    path = FOLDER / name
    if not path.exists():
        raise SystemExit(f"{path} is missing: apt-get install dataset-fashion-mnist")
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def class_name(label):
    """A class as part of a file name: `00-t-shirt-top`."""
    return f"{label:02}-" + LABELS[label].lower().replace(" ", "-").replace("/", "-")
