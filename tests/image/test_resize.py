"""Resize, crop and normalise against Pillow and torchvision, bit for bit."""
import numpy as np
import pytest
from PIL import Image

from pictures import scene
from reference import Refused, reference_tensor, same_bits

# libscarlet's options, and what they mean for torchvision
SETTINGS = (("", 256, 224), ("crop=64,resize=64", 64, 64), ("crop=64", 73, 64),
            ("resize=100", 100, 224), ("crop=224,resize=224", 224, 224), ("crop=7", 8, 7),
            ("crop=1", 1, 1), ("crop=5,resize=9", 9, 5), ("crop=160", 182, 160),
            ("crop=33,resize=300", 300, 33), ("crop=50,resize=3", 3, 50))


@pytest.fixture
def check(dump, tmp_path):
    def compare(pixels, options, resize, crop, **normalization):
        path = tmp_path / "raw"
        path.unlink(missing_ok=True)
        path.write_bytes(pixels.tobytes())
        height, width = pixels.shape[:2]
        found = dump.wrap(path, "RGB", width, height, width * 3, options=options)
        same_bits(found, reference_tensor(pixels, resize, crop, **normalization))
    return compare


@pytest.mark.parametrize("options, resize, crop", SETTINGS)
def test_sizes(check, rng, options, resize, crop):
    for width, height in rng.integers(1, 500, (40, 2)):
        check(scene(rng, width, height), options, resize, crop)


@pytest.mark.parametrize("width, height", (
    (256, 256), (256, 300), (300, 256), (255, 257), (257, 255), (224, 224), (223, 224), (512, 512),
    (256, 257), (259, 256), (1, 1), (2, 1), (1, 2), (3, 900), (900, 3), (2000, 31), (31, 2000),
    (1500, 1001)))
def test_shapes(check, rng, width, height):
    check(rng.integers(0, 256, (height, width, 3), np.uint8), "", 256, 224)


@pytest.mark.parametrize("width, height", ((1, 3000), (3000, 1), (2, 2999)))
def test_elongated(check, rng, width, height):
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    check(picture, "crop=14,resize=16", 16, 14)
    check(picture, "crop=64,resize=32", 32, 64)


def test_large(check, rng):
    """12 megapixels; white and black show an error in the sum of weights."""
    picture = np.frombuffer(rng.bytes(4000 * 3000 * 3), np.uint8).reshape(3000, 4000, 3)
    check(picture, "", 256, 224)
    check(np.full((3001, 2003, 3), 255, np.uint8), "", 256, 224)
    check(np.where(picture[:1999, :3001] < 128, 0, 255).astype(np.uint8), "crop=2,resize=2", 2, 2)


def test_normalization(check, rng):
    ramp = np.arange(256 * 256 * 3).reshape(256, 256, 3)
    ramp = np.stack([ramp[..., 0] % 256, ramp[..., 1] // 7 % 256, ramp[..., 2] // 3 % 256], -1)
    ramp = ramp.astype(np.uint8)
    check(ramp, "", 256, 224)
    check(ramp, "mean=0.5:0.25:0.125,std=0.5:2:0.1", 256, 224, mean=(0.5, 0.25, 0.125),
          std=(0.5, 2, 0.1))


def test_layout(dump, rng, tmp_path):
    path = tmp_path / "raw"
    path.write_bytes(scene(rng, 90, 70).tobytes())
    planes = dump.wrap(path, "RGB", 90, 70, 270, options="crop=100,resize=80")
    pixels = dump.wrap(path, "RGB", 90, 70, 270, options="crop=100,resize=80,layout=nhwc")
    same_bits(pixels.reshape(100, 100, 3).transpose(2, 0, 1).copy(), planes.reshape(3, 100, 100))


def test_whole_picture(dump, rng, tmp_path):
    path = tmp_path / "a.png"
    for width, height, *size in [*rng.integers(1, 300, (60, 4)), (300, 7, 2, 4000), (9, 9, 9, 9),
                                 (40, 30, 40, 11), (40, 30, 11, 30), (1, 1, 500, 3)]:
        image = Image.fromarray(scene(rng, width, height))
        path.unlink(missing_ok=True)
        image.save(path, compress_level=1)
        same_bits(dump.resize(path, *size), np.asarray(image.resize(size, Image.BILINEAR)))


def test_whole_picture_refused(dump, rng, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(scene(rng, 5, 5)).save(path)
    for size, text in (
            ((0, 5), "a picture of 0 x 5: width and height are at least 1"),
            ((50000, 50000), "a picture of 50000 x 50000: at most 178956970 pixels in all are made")):
        with pytest.raises(Refused) as refusal:
            dump.resize(path, *size)
        assert refusal.value.text == text
