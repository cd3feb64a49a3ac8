"""Orientation, the size without decoding, files of other kinds, limits."""
import io
import struct
from collections import Counter

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from pictures import GRAY, RGB, chunk, png, scene
from reference import CORRUPT, FORMAT, IO, LIMIT, UNSUPPORTED, Refused, reference_pixels, same_bits


def refusal(dump, path, command="pixels", options=""):
    with pytest.raises(Refused) as refused:
        dump.ask(command, path, options=options)
    return refused.value


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


def test_orientations_of_any_type(dump, rng, tmp_path, monkeypatch):
    monkeypatch.setattr(Image.Exif, "tobytes", lambda exif: b"")  # Pillow cannot always write what it has read
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


def test_probe(dump, jpeg, rng, tmp_path):
    """Everything up to the size is needed, nothing after it."""
    path = tmp_path / "head"
    icc = b"\xff\xe2" + (30000).to_bytes(2, "big") + b"\xff\xc0" * 14999
    files = [png(rng.integers(0, 256, (7, 300, 3)), RGB, 8, rng)[:24]]
    for coding in "-", "p", "a":
        data = jpeg(scene(rng, 300, 7), "ycc", "22,11,11", 75, 0, coding)
        sof = min(data.index(bytes([0xFF, c])) for c in (0xC0, 0xC2, 0xC9)
                  if bytes([0xFF, c]) in data[:700])
        files += [data[:sof + 9], data[:2] + icc + data[2:sof + 9], b"\xff\xd8\xff\xff" + data[3:sof + 9]]
    for data in files:
        path.write_bytes(data)
        assert dump.probe(path) == (300, 7)
        path.write_bytes(data[:-1])
        assert refusal(dump, path, "probe").status == CORRUPT
    for data, status in ((b"", FORMAT), (b"hello", FORMAT), (b"GIF89a", UNSUPPORTED),
                         (b"\xff\xd8\xff", CORRUPT), (b"\xff\xd8\xff\xda\0\2", CORRUPT),
                         (b"\x89PNG\r\n\x1a\n", CORRUPT), (b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\0", CORRUPT),
                         (b"\xff\xd8\xff\xe0\xff\xff", CORRUPT), (b"\xff\xd8\xff\xe0", CORRUPT)):
        path.write_bytes(data)
        assert refusal(dump, path, "probe").status == status, data


def test_other_kinds(dump, rng, tmp_path):
    path = tmp_path / "a.jpg"
    image = Image.fromarray(scene(rng, 9, 9))
    heads = {"HEIF": b"\0\0\0\x18ftypheic", "AVIF": b"\0\0\0\x1cftypavif",
             "JPEG XL": b"\xff\x0a\xff\xff", "MNG": b"\x8aMNG\r\n\x1a\n"}
    for kind, name in (("GIF", "GIF"), ("BMP", "BMP"), ("WEBP", "WebP"), ("TIFF", "TIFF"),
                       ("PPM", "Netpbm (PPM)"), ("ICO", "ICO"), ("JPEG2000", "JPEG 2000"), ("ICNS", "ICNS"),
                       ("SGI", "SGI"), ("PCX", "PCX"), ("TGA", "TGA")):
        file = io.BytesIO()
        image.save(file, kind)
        heads[name] = file.getvalue()
    for name, data in heads.items():
        path.write_bytes(data)
        found = refusal(dump, path)
        assert found.status == UNSUPPORTED
        assert found.text == f"{path}: a {name} picture; only JPEG and PNG are read: convert it first"
    for data, text in ((b"", "an empty file"), (b"Prefix", "neither a JPEG nor a PNG picture"),
                       (b"\xff\xd8", "neither a JPEG nor a PNG picture"),
                       (rng.bytes(50), "neither a JPEG nor a PNG picture")):
        path.write_bytes(data)
        found = refusal(dump, path)
        assert (found.status, found.text) == (FORMAT, f"{path}: {text}")
    found = refusal(dump, tmp_path / "nothing")
    assert (found.status, found.text) == (IO, f"{tmp_path}/nothing: No such file or directory")
    found = refusal(dump, tmp_path)
    assert (found.status, found.text) == (IO, f"{tmp_path}: a directory, not a regular file")


def test_content_not_name(dump, rng, tmp_path):
    picture = scene(rng, 9, 9)
    Image.fromarray(picture).save(tmp_path / "a.jpg", "PNG")
    same_bits(dump.pixels(tmp_path / "a.jpg"), picture)


def test_max_pixels(dump, jpeg, rng, tmp_path):
    path = tmp_path / "a"
    for data in (jpeg(scene(rng, 20, 10)), png(rng.integers(0, 256, (10, 20, 3)), RGB, 8, rng)):
        path.write_bytes(data)
        assert dump.pixels(path, "max_pixels=200").shape == (10, 20, 3)
        found = refusal(dump, path, options="max_pixels=199")
        assert (found.status, found.text) == (LIMIT, f"{path}: 20 x 10 pixels, at most 199 in all "
                                              "are allowed (option max_pixels)")


def test_scans(dump, jpeg, rng, tmp_path):
    """A scan that says nothing, thousands of times."""
    path = tmp_path / "a.jpg"
    data = jpeg(scene(rng, 16, 16, 1), "grey", "11", 75, 0, "p")
    last = data.rindex(b"\xff\xda")
    table = data.rindex(b"\xff\xc4", 0, last)
    scan = data[table:-2]
    scans = data.count(b"\xff\xda")
    path.write_bytes(data[:-2] + (500 - scans) * scan + b"\xff\xd9")
    same_bits(dump.pixels(path), reference_pixels(path))
    path.write_bytes(data[:-2] + 5000 * scan + b"\xff\xd9")
    found = refusal(dump, path)
    assert (found.status, found.text) == (LIMIT, f"{path}: JPEG of more than 500 scans")
