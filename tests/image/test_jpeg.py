"""Whole JPEG files of every kind against Pillow."""
import io

import numpy as np
import pytest
from PIL import Image

from pictures import scene
from reference import UNSUPPORTED, Refused, same_bits

SIZES = ((1, 1), (1, 9), (17, 1), (8, 8), (16, 16), (15, 33), (31, 7), (64, 48), (130, 101))
LARGE = ((600, 400), (1, 3000), (3000, 1))
SAMPLINGS = ("11,11,11", "21,11,11", "22,11,11", "12,11,11", "41,11,11", "14,11,11", "42,11,11",
             "22,21,11", "22,12,11", "21,21,11", "11,22,22", "31,11,11", "13,11,11")
CODINGS = ("-", "o", "p", "m", "a", "pa")


def qualities(rng):
    return int(rng.choice([1, 10, 50, 75, 90, 100]))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampling(jpeg, verdict, rng, sampling):
    for coding in CODINGS:
        for size in SIZES:
            restart = int(rng.choice([0, 0, 1, 4]))
            data = jpeg(scene(rng, *size), "ycc", sampling, qualities(rng), restart, coding)
            assert verdict(data) == "same", (sampling, coding, size, restart)


@pytest.mark.parametrize("size", LARGE)
@pytest.mark.parametrize("sampling", SAMPLINGS[:5])
def test_large(jpeg, verdict, rng, sampling, size):
    picture = scene(rng, *size)
    for coding in "-", "p":
        for quality in 30, 85:
            assert verdict(jpeg(picture, "ycc", sampling, quality, 7, coding)) == "same"


@pytest.mark.parametrize("space, sampling, flags", [
    ("grey", "11", ""), ("grey", "22", ""), ("grey", "41", ""), ("grey", "33", ""),
    ("ycc", "22,11,11", "J"),  # no JFIF marker: known by its component ids
    ("rgb", "11,11,11", ""), ("rgb", "11,11,11", "A"), ("rgb", "21,11,11", "A"),
    ("cmyk", "11,11,11,11", ""), ("cmyk", "11,11,11,11", "A"), ("cmyk", "22,11,11,22", ""),
    ("ycck", "11,11,11,11", ""), ("ycck", "22,11,11,22", ""), ("ycck", "21,11,11,21", ""),
    ("ycck", "22,11,11,22", "A"),  # taken for CMYK without the marker
])
def test_spaces(jpeg, verdict, rng, space, sampling, flags):
    channels = {"grey": 1, "cmyk": 4, "ycck": 4}.get(space, 3)
    for coding in "-", "p", "m":
        for size in SIZES:
            data = jpeg(scene(rng, *size, channels), space, sampling, qualities(rng),
                        int(rng.choice([0, 3])), coding + flags)
            assert verdict(data) == "same", (coding, size)


def test_every_cmyk_value(jpeg, verdict):
    """The way from CMYK to RGB, for all pairs of an ink and black."""
    ink, black = np.meshgrid(np.arange(256), np.arange(256))
    samples = np.stack([ink, 255 - ink, ink, black], -1).astype(np.uint8)
    assert verdict(jpeg(samples, "cmyk", "11,11,11,11", 100)) == "same"


def test_parts(jpeg, verdict, rng):
    """Tables in a stream of their own, bytes after the end, a second picture, junk and fill bytes
    between the segments."""
    picture = scene(rng, 40, 30)
    for coding in "-", "p":
        data = jpeg(picture, "ycc", "22,11,11", 75, 0, coding)
        assert verdict(jpeg(picture, "ycc", "22,11,11", 75, 0, coding + "t")) == "same"
        assert verdict(data + b"\0" * 1000) == "same"
        assert verdict(data + data) == "same"
        assert verdict(data + bytes(rng.integers(0, 256, 70000, np.uint8))) == "same"
        assert verdict(data[:2] + b"\xff" * 9 + data[2:]) == "same"
        table = data.index(b"\xff\xdb")
        assert verdict(data[:table] + b"junk" + data[table:]) == "same"
        comment = b"\xff\xfe\xff\xff" + b"c" * 65533
        assert verdict(data[:2] + 3 * comment + data[2:]) == "same"  # skipped, over blocks
        assert verdict(data[:table] + b"\xff\x01" + data[table:]) == "refused"  # as the reference


def test_pillows_own(verdict, rng):
    """Files as Pillow writes them, with metadata, which must not matter."""
    image = Image.fromarray(scene(rng, 90, 61))
    exif = Image.Exif()
    exif[0x0112] = 6
    for options in ({}, {"quality": 95, "subsampling": 0}, {"progressive": True, "optimize": True},
                    {"exif": exif, "icc_profile": b"x" * 3000, "dpi": (300, 300)}):
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        assert verdict(file.getvalue()) == "same"


def test_missing_scans(jpeg, verdict, rng):
    """A progressive file that ends properly after some of its scans: smoothed between blocks."""
    data = jpeg(scene(rng, 100, 80), "ycc", "22,11,11", 60, 0, "p")
    scans = [at for at in range(len(data)) if data[at:at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for at in scans[1:]:
        assert verdict(data[:at] + b"\xff\xd9") == "same"


def test_arithmetic_coding_over_a_block(dump, jpeg, rng, tmp_path):
    """Pillow cannot feed such files in blocks; given whole, it reads them as libscarlet does."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(scene(rng, 400, 400), "ycc", "11,11,11", 95, 0, "a"))
    assert path.stat().st_size > 65536
    with Image.open(path) as image:
        image.decodermaxblock = 1 << 24
        expected = np.asarray(image.convert("RGB"))
    same_bits(dump.pixels(path), expected)


def test_unsupported(dump, jpeg, rng, tmp_path):
    data = jpeg(scene(rng, 16, 16), "ycc", "11,11,11", 75)
    sof = data.index(b"\xff\xc0")
    for change, text in (({1: 0xC3}, "SOF type 0xc3"), ({1: 0xC5}, "SOF type 0xc5"),
                         ({4: 12}, "data precision 12")):
        bad = bytearray(data)
        for at, value in change.items():
            bad[sof + at] = value
        (tmp_path / "bad.jpg").write_bytes(bad)
        with pytest.raises(Refused) as refusal:
            dump.pixels(tmp_path / "bad.jpg")
        assert refusal.value.status == UNSUPPORTED
        assert refusal.value.text.startswith(f"{tmp_path}/bad.jpg: unsupported JPEG: ")
        assert text in refusal.value.text
