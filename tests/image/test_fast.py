"""decode=fast: the decoder's own scaling, as Pillow asks for it with Image.draft; PNG and small pictures exactly."""
import io

import numpy as np
import pytest
from PIL import Image

from pictures import scene
from reference import Refused, reference_pixels, reference_tensor, same_bits

SIZES = ((1, 1), (17, 1), (40, 300), (130, 101), (257, 260), (511, 512), (640, 480))
SIDES = 1, 2, 15, 16, 32, 60, 128


def draft(data, resize):
    """1/2, 1/4 or 1/8, so that at least twice `resize` pixels are left of the short side."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (2 * resize, 2 * resize))
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("space, sampling, coding", (
    ("ycc", "11,11,11", "-"), ("ycc", "21,11,11", "o"), ("ycc", "22,11,11", "-"), ("ycc", "22,11,11", "p"),
    ("ycc", "12,11,11", "-"), ("ycc", "41,11,11", "p"), ("grey", "11", "-"), ("grey", "22", "p"),
    ("rgb", "11,11,11", "-"), ("cmyk", "11,11,11,11", "-"), ("ycck", "22,11,11,22", "p")))
def test_pixels(dump, jpeg, rng, tmp_path, space, sampling, coding):
    path, widths = tmp_path / "a.jpg", set()
    for width, height in SIZES:
        data = jpeg(scene(rng, width, height, {"grey": 1, "cmyk": 4, "ycck": 4}.get(space, 3)), space,
                    sampling, 85, 0, coding)
        path.write_bytes(data)
        for side in SIDES:
            expected = draft(data, side)
            for command in "pixels", "memory":
                same_bits(dump.pixels(path, f"decode=fast,resize={side}", command), expected)
            widths.add(round(width / expected.shape[1]))
        same_bits(dump.pixels(path, f"decode=exact,resize={SIDES[0]}"), reference_pixels(data))
    assert widths >= {1, 2, 4, 8}


def test_side(dump, jpeg, rng, tmp_path):
    """What scarlet_preprocess would resize to with the same options."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(scene(rng, 1100, 1024), "ycc", "22,11,11", 80, 0, "-"))
    for options, height in (("", 512), ("crop=112", 256), ("crop=56", 128), ("crop=300", 1024),
                            ("resize=257", 1024), ("resize=64", 128), ("resize=64,crop=300", 128)):
        assert dump.pixels(path, f"decode=fast,{options}").shape == (height, -(-1100 * height // 1024), 3)


def test_exact(dump, rng, tmp_path):
    """Nothing but large JPEGs changes."""
    picture, path = scene(rng, 600, 640), tmp_path / "a"
    Image.fromarray(picture).save(path, "PNG")
    same_bits(dump.pixels(path, "decode=fast,resize=20"), picture)
    Image.fromarray(picture[:511]).save(path, "JPEG")
    same_bits(dump.pixels(path, "decode=fast,resize=128"), dump.pixels(path, "decode=fast,resize=200"))
    same_bits(dump.pixels(path, "decode=fast,resize=200"), reference_pixels(path.read_bytes()))


def test_limit_and_orientation(dump, rng, tmp_path):
    """max_pixels is of the file's own size; turning comes after."""
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene(rng, 640, 320)).save(path, "JPEG", exif=exif)
    fast = dump.pixels(path, "decode=fast,resize=20")
    assert fast.shape == (40, 80, 3)
    same_bits(dump.pixels(path, "decode=fast,resize=20,auto_orient=on"), np.rot90(fast, -1))
    with pytest.raises(Refused, match="640 x 320 pixels, at most 200000 in all"):
        dump.pixels(path, "decode=fast,resize=20,max_pixels=200000")


@pytest.mark.parametrize("factor", (4, 8, 16))
def test_tensor(dump, tmp_path, factor):
    """Close to the exact result: a smooth picture with fine grain, which both average away."""
    rng = np.random.default_rng(factor)
    side, path = 32 * factor, tmp_path / "a.jpg"
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((side, side), Image.BICUBIC)
    picture = np.clip(np.asarray(coarse) + rng.normal(0, 5, (side, side, 1)), 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(path, "JPEG", quality=90)
    found = dump.tensor(path, "decode=fast,resize=32,crop=28")
    expected = reference_tensor(Image.open(path), 32, 28)
    error = np.abs(found - expected)
    assert dump.pixels(path, "decode=fast,resize=32").shape == (64, 64, 3)
    assert 0 < error.mean() < 0.02 and error.max() < 0.12, (error.mean(), error.max())
