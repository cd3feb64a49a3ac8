"""Resize, crop and normalise against Pillow and torchvision, bit for bit."""
import numpy as np
import pytest
from PIL import Image

from reference import Dump, open_reference, reference_tensor, same_bits


@pytest.fixture(scope="module")
def dump():
    program = Dump()
    yield program
    program.close()


def write(path, width, height, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 7 + 1, width // 7 + 1, 3), np.uint8)
    Image.fromarray(coarse).resize((width, height)).save(path)
    return path


@pytest.mark.parametrize("options, resize, crop", [
    ("", 256, 224), ("crop=64,resize=64", 64, 64), ("crop=64", 73, 64), ("resize=100", 100, 224),
    ("crop=224,resize=224", 224, 224), ("crop=7", 8, 7), ("crop=1", 1, 1), ("crop=5,resize=9", 9, 5),
])
def test_sizes(dump, tmp_path, options, resize, crop):
    rng = np.random.default_rng(crop)
    for seed, (w, h) in enumerate(rng.integers(1, 700, (40, 2))):
        path = write(tmp_path / "a.png", w, h, seed)
        expected = reference_tensor(open_reference(path), resize, crop)
        same_bits(dump.tensor(path, options), expected)


def test_whole_picture(dump, tmp_path):
    rng = np.random.default_rng(5)
    for seed, (w, h, rw, rh) in enumerate(rng.integers(1, 500, (60, 4))):
        path = write(tmp_path / "a.png", w, h, seed)
        expected = open_reference(path).resize((rw, rh), Image.BILINEAR)
        same_bits(dump.resize(path, rw, rh), np.asarray(expected))
