"""Fashion-MNIST as Debian's package dataset-fashion-mnist installs it, and what a classifier needs to know of it."""

import gzip
import os

import numpy
from PIL import Image

FOLDER = "/usr/share/datasets/fashion-mnist"
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "labels.txt"), encoding="utf-8") as file:
    LABELS = file.read().splitlines()
GENOTYPE = "C"
SIDE = 64  # input of the network: pictures are resized to it, the crop is then the whole picture
MEAN = 0.286  # of the training pictures, in 0..1; the same for the three equal channels
STD = 0.353


def load(split):
    """Pictures uint8 [n, 28, 28] and labels uint8 [n] of the official split, 'train' or 't10k'."""
    pictures = _idx(f"{split}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _idx(f"{split}-labels-idx1-ubyte.gz", 8)
    return pictures, labels


def _idx(name, header):
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        raise SystemExit(f"{path} is missing: apt-get install dataset-fashion-mnist")
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def resize(pictures, side):
    """uint8 [n, 28, 28] to [n, side, side] by Pillow's bilinear filter, as the classifier does at inference."""
    size = (side, side)
    return numpy.stack([numpy.asarray(Image.fromarray(p).resize(size, Image.BILINEAR)) for p in pictures])


def class_name(label):
    """A class as part of a file name: `00-t-shirt-top`."""
    return f"{label:02}-" + LABELS[label].lower().replace(" ", "-").replace("/", "-")
