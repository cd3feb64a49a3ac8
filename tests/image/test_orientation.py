"""The right way up: orientations in every form, turned as Pillow's ImageOps.exif_transpose turns them."""
import io
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from pictures import GRAY, RGB, chunk, png, scene
from reference import Refused, reference_pixels, same_bits


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    """Pillow also writes the EXIF data of a picture that it has turned: where that fails, the picture counts."""
    write = Image.Exif.tobytes

    def tobytes(exif, *arguments):
        try:
            return write(exif, *arguments)
        except Exception:
            return b""

    monkeypatch.setattr(Image.Exif, "tobytes", tobytes)


@pytest.mark.parametrize("kind", ("JPEG", "PNG"))
@pytest.mark.parametrize("orientation", range(10))
def test_orientation(dump, rng, tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x010E] = "a picture"
    exif[0x0112] = orientation
    path = tmp_path / "a"
    for width, height in ((1, 1), (7, 3), (40, 61)):
        Image.fromarray(scene(rng, width, height)).save(path, kind, exif=exif)
        same_bits(dump.pixels(path, "auto_orient=on"), reference_pixels(path, orient=True))
        same_bits(dump.pixels(path), reference_pixels(path))
        same_bits(dump.pixels(path, "auto_orient=off"), reference_pixels(path))


def exif_block(big, type, value, entries=1, offset=8):
    order = "big" if big else "little"
    head = (b"MM\0*" if big else b"II*\0") + offset.to_bytes(4, order)
    entry = (0x0112).to_bytes(2, order) + type.to_bytes(2, order) + (1).to_bytes(4, order)
    other = (0x0100).to_bytes(2, order) + entry[2:] + b"\0\0\0\0"
    value = value.to_bytes(2, order) + b"\0\0"
    return head + entries.to_bytes(2, order) + other * (entries - 1) + entry + value


@pytest.mark.parametrize("block, turned", (
    (exif_block(True, 3, 6), True), (exif_block(False, 3, 6), True),
    (exif_block(True, 3, 6, entries=5), True), (exif_block(False, 3, 9), False),
    (exif_block(False, 2, 6), False), (exif_block(True, 3, 6)[:-5], False),
    (exif_block(True, 3, 6, offset=4000000000), False), (exif_block(True, 3, 6, offset=20), False),
    (b"MM\0*", False), (b"", False), (b"II*\0\x08\0\0\0\xff\xff", False), (b"XX*\0" * 9, False)))
def test_damaged_orientation(dump, rng, tmp_path, block, turned):
    """Damaged metadata are no metadata."""
    file, path = io.BytesIO(), tmp_path / "a"
    Image.fromarray(scene(rng, 4, 2)).save(file, "JPEG")
    segment = b"Exif\0\0" + block
    data = file.getvalue()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment +
                     data[2:])
    assert dump.pixels(path, "auto_orient=on").shape == ((4, 2, 3) if turned else (2, 4, 3))
    path.write_bytes(png(rng.integers(0, 256, (2, 4, 1)), GRAY, 8, rng, before=chunk(b"eXIf", block)))
    assert dump.pixels(path, "auto_orient=on").shape == ((4, 2, 3) if turned else (2, 4, 3))


def turned_by_reference(data):
    """As Pillow turns it; as it is where Pillow cannot read its metadata."""
    try:
        return reference_pixels(io.BytesIO(data), orient=True)
    except (SyntaxError, struct.error, ValueError, TypeError):
        return reference_pixels(data)


NUMBERS = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 11: "f", 12: "d", 13: "L", 16: "Q"}


def random_exif(rng):
    """TIFF data of a few entries, orientations of any type among them, sometimes damaged."""
    big = bool(rng.integers(2))
    order = ">" if big else "<"
    entries, values = b"", b""
    count = int(rng.integers(1, 5))
    for _ in range(count):
        kind, repeats = int(rng.choice([*range(18), 3, 3, 3])), int(rng.choice([0, 1, 1, 1, 1, 1, 2, 5]))
        value = int(rng.choice([*range(10), -6, 1 << 20]))
        if kind in (5, 10):
            below = int(rng.choice([1, 1, 2, 0, 3]))
            data = struct.pack(order + "ll", value * below % 2**31, below) * repeats
        elif kind in NUMBERS:
            bits = 8 * struct.calcsize("=" + NUMBERS[kind])
            if NUMBERS[kind] not in "fd":
                value = value % 2**(bits - 1)
            data = struct.pack(order + NUMBERS[kind], value) * repeats
        else:
            data = bytes([value % 256]) * repeats
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack(order + "L", 8 + 2 + 12 * count + 4 + len(values))
            values += data
        tag = int(rng.choice([0x0112, 0x0112, 0x0100, 0x010F]))
        entries += struct.pack(order + "HHL", tag, kind, repeats) + place
    marks = (b"MM\0*", b"MM\0*", b"MM*\0", b"MM\0+") if big else (b"II*\0", b"II*\0", b"II\0*")
    block = marks[rng.integers(len(marks))] + struct.pack(order + "LH", 8, count) + entries + bytes(4) + values
    if rng.random() < 0.3:
        at = int(rng.integers(len(block)))
        block = block[:at] if rng.random() < 0.5 else block[:at] + rng.bytes(1) + block[at + 1:]
    return block


def with_exif(jpeg, block):
    segment = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def test_orientations_of_any_type(dump, rng, tmp_path):
    file, path, seen = io.BytesIO(), tmp_path / "a", Counter()
    Image.fromarray(rng.integers(0, 256, (2, 4, 3), np.uint8)).save(file, "JPEG")
    samples = rng.integers(0, 256, (2, 4, 3))
    for _ in range(1500):
        block = random_exif(rng)
        for data in with_exif(file.getvalue(), block), png(samples, RGB, 8, rng, before=chunk(b"eXIf", block)):
            try:
                expected = turned_by_reference(data)
            except UnidentifiedImageError:  # Pillow opens no JPEG file whose EXIF data end too soon
                continue
            path.write_bytes(data)
            same_bits(dump.pixels(path, "auto_orient=on"), expected)
            seen[expected.shape] += 1
    assert min(seen.values()) > 300 and len(seen) == 2, seen


def orientation_exif(rng):
    order = str(rng.choice([">", "<"]))
    value = int(rng.choice([1, 2, 3, 6, 8, 9]))
    tag = int(rng.choice([0x0112, 0x0112, 0x0112, 0x0100]))
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "LHHHLHHL", 8, 1, tag, 3, 1, value, 0, 0)


def orientation_profile(rng):
    """As ImageMagick writes it, more or less."""
    data = b"Exif\0\0" * bool(rng.integers(4)) + orientation_exif(rng)
    digits = data.hex().encode()
    if rng.random() < 0.2:
        digits = digits.upper()
    lines = [digits[i:i + 13] for i in range(0, len(digits), 13)]
    text = b"\nexif\n%8d\n" % len(data) + b"\n".join(lines) + b"\n" * bool(rng.integers(2))
    if rng.random() < 0.1:
        return text[1:]  # a line less before the data
    return text


def orientation_xmp(rng):
    value = int(rng.choice([0, 1, 2, 3, 6, 8, 9]))
    form = rng.choice(['tiff:Orientation="%d"', "<tiff:Orientation>%d</tiff:Orientation>", "tiff:Orientation='%d'",
                       'tiff:Orientation=""tiff:Orientation="%d"', "tiff:Orientation>", "tiff:Orientation"])
    return f"<x:xmpmeta>é {form % value if '%' in form else form}".encode()


def text_chunk(rng, key, text):
    """In any of the three kinds of chunks, rarely damaged."""
    kind = int(rng.integers(4))
    damaged = rng.random() < 0.1
    if kind == 0:
        return chunk(b"tEXt", key + b"\0" + text if not damaged else key)
    packed = zlib.compress(text)
    if damaged:
        packed = packed[:len(packed) // 2] if rng.random() < 0.5 else b"\0" + packed[1:]
    if kind == 1:
        return chunk(b"zTXt", key + b"\0\0" + packed)
    if kind == 2:
        return chunk(b"iTXt", key + b"\0\1\0en\0" + key + b"\0" + packed)
    return chunk(b"iTXt", key + b"\0\0\0\0\0" + text + b"\xff" * damaged)


def mark(rng):
    kind = int(rng.integers(8))
    if kind < 2:
        return chunk(b"eXIf", orientation_exif(rng))
    if kind < 4:
        return text_chunk(rng, b"Raw profile type exif", orientation_profile(rng))
    if kind < 6:
        return text_chunk(rng, b"XML:com.adobe.xmp", orientation_xmp(rng))
    if kind == 6:
        return chunk(b"tEXt", b"exif\0" + orientation_exif(rng))
    return text_chunk(rng, b"Raw profile type exif2", b"\n\n\n00")


def test_marks_of_png(dump, rng, tmp_path):
    """Up to four before and after the picture, in any order."""
    path, seen = tmp_path / "a.png", Counter()
    samples = rng.integers(0, 256, (2, 4, 3))
    for _ in range(2500):
        before = b"".join(mark(rng) for _ in range(int(rng.choice([0, 0, 1, 1, 2, 4]))))
        after = b"".join(mark(rng) for _ in range(int(rng.choice([0, 0, 1, 1, 2, 4]))))
        data = png(samples, RGB, 8, rng, before=before, after=after)
        try:
            expected = reference_pixels(io.BytesIO(data), orient=True)
        except (SyntaxError, struct.error, ValueError, TypeError):
            continue  # what Pillow cannot read
        path.write_bytes(data)
        same_bits(dump.pixels(path, "auto_orient=on"), expected)
        same_bits(dump.pixels(path), reference_pixels(data))
        seen[expected.shape, bool(before), bool(after)] += 1
    assert min(seen.values()) > 40 and len(seen) == 7, seen


def test_text_that_is_long(dump, rng, tmp_path):
    """Text of more than 1 MiB, or 64 MiB in all, is passed over where Pillow refuses the picture; long chunks as well."""
    samples, path = rng.integers(0, 256, (2, 4, 3)), tmp_path / "a.png"
    said = b'tiff:Orientation="6"'

    def packed(size, key=b"XML:com.adobe.xmp"):
        return chunk(b"zTXt", key + b"\0\0" + zlib.compress(said + bytes(size - len(said))))

    quiet = chunk(b"tEXt", b"XML:com.adobe.xmp\0")
    for before, turned in ((packed(1 << 20), True), (packed((1 << 20) + 1), False),
                           ((packed(1 << 20) + quiet) * 63 + packed(1 << 20), True),
                           ((packed(1 << 20) + quiet) * 64 + packed(100), False),
                           (chunk(b"tEXt", b"XML:com.adobe.xmp\0" + bytes(1 << 24) + said), False),
                           (chunk(b"tEXt", b"XML:com.adobe.xmp\0" + bytes(1 << 23) + said), True)):
        path.write_bytes(png(samples, RGB, 8, rng, before=before))
        assert dump.pixels(path, "auto_orient=on").shape == ((4, 2, 3) if turned else (2, 4, 3))


def test_animation(dump, rng, tmp_path):
    """Of an animation Pillow reads one frame, and no chunk after it."""
    path, samples = tmp_path / "a.png", rng.integers(0, 256, (2, 4, 3))
    turn = chunk(b"eXIf", b"MM\0*" + struct.pack(">LHHHLHHL", 8, 1, 0x0112, 3, 1, 6, 0, 0))

    def control(number):
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 4, 2, 0, 0, 1, 1, 0, 0))

    whole = png(samples, RGB, 8, rng)
    frame = chunk(b"fdAT", b"\0\0\0\2" + whole[41:-16])
    for frames, first in ((1, True), (2, True), (1, False), (2, False)):
        before = chunk(b"acTL", struct.pack(">II", frames, 0)) + control(0) * first
        for after in (turn + control(int(first)) + frame, control(int(first)) + frame + turn):
            data = png(samples, RGB, 8, rng, before=before, after=after)
            path.write_bytes(data)
            same_bits(dump.pixels(path, "auto_orient=on"), reference_pixels(io.BytesIO(data), orient=True))
            path.write_bytes(data[:-30])
            try:
                expected = reference_pixels(data[:-30])
            except OSError:
                with pytest.raises(Refused):
                    dump.pixels(path)
            else:
                same_bits(dump.pixels(path), expected)
