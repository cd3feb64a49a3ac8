"""Damaged files: the same verdict as Pillow, and the same pixels where both load.

PNG: libpng refuses picture data that end before the last row, which Pillow loads. `excused` finds
exactly these; everything else must agree.
"""
import struct
import zlib
from collections import Counter

import pytest

from pictures import ADAM7, CHANNELS, DEPTHS, GRAY, PALETTE, RGB, RGBA, chunk, png, scene

JPEGS = [("ycc", "22,11,11", "-", 0), ("ycc", "22,11,11", "p", 0), ("ycc", "11,11,11", "o", 2),
         ("ycc", "21,11,11", "m", 0), ("ycc", "12,11,11", "p", 3), ("grey", "11", "-", 0),
         ("grey", "22", "p", 0), ("rgb", "11,11,11", "-", 1), ("cmyk", "11,11,11,11", "-", 0),
         ("ycck", "22,11,11,22", "p", 0), ("ycc", "22,11,11", "a", 0), ("ycc", "21,11,11", "pa", 2)]
PNGS = [(GRAY, 1, False), (GRAY, 8, False), (GRAY, 16, True), (RGB, 8, False), (RGB, 8, True),
        (PALETTE, 4, False), (PALETTE, 8, True), (RGBA, 16, False)]


def mutate(data, rng):
    """Flips bits, sets, deletes or inserts bytes, in one to eight places."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at, how = int(rng.integers(len(data))), rng.random()
        if how < 0.5:
            data[at] ^= 1 << int(rng.integers(8))
        elif how < 0.7:
            data[at] = int(rng.integers(256))
        elif how < 0.8:
            data[at] = 0xFF
        elif how < 0.9 and len(data) > 30:
            del data[at:at + int(rng.integers(1, 20))]
        else:
            data[at:at] = rng.bytes(int(rng.integers(1, 8)))
    return bytes(data)


def channels(space):
    return {"grey": 1, "cmyk": 4, "ycck": 4}.get(space, 3)


@pytest.mark.parametrize("space, sampling, coding, restart", JPEGS)
def test_cut_jpeg(jpeg, verdict, rng, space, sampling, coding, restart):
    data = jpeg(scene(rng, 24, 19, channels(space)), space, sampling, 20, restart, coding)
    seen = Counter(verdict(data[:size]) for size in range(len(data)))
    assert set(seen) <= {"same", "refused"}, seen
    assert seen["refused"] > 150


@pytest.mark.parametrize("space, sampling, coding, restart", JPEGS)
def test_changed_jpeg(jpeg, verdict, rng, space, sampling, coding, restart):
    seen = Counter()
    for width, height in ((8, 8), (17, 33), (64, 48)):
        data = jpeg(scene(rng, width, height, channels(space)), space, sampling, 50, restart, coding)
        seen += Counter(verdict(mutate(data, rng)) for _ in range(150))
    assert set(seen) == {"same", "refused"}, seen
    assert min(seen.values()) > 20, seen  # both happened often


@pytest.mark.parametrize("coding, restart", (("-", 0), ("-", 9), ("p", 0), ("m", 0)))
def test_jpeg_of_several_blocks(jpeg, verdict, rng, coding, restart):
    """The reference sees 65,536 bytes at a time, and of what follows the picture only the rest of
    the block in which it ends."""
    data = jpeg(scene(rng, 500, 375), "ycc", "22,11,11", 92, restart, coding)
    assert len(data) > 65536
    tails = (b"", b"\xff\xd8", b"\xff\xda", b"\xff\xc4\0\3\0", b"\xff\xdb\0\x40", b"\xff\xfe\xff\xff",
             b"\0" * 65536 + b"\xff\xc4\0\3\0")
    seen = Counter()
    for cut in (*range(len(data) - 4, len(data) + 1), 65535, 65536):
        for tail in tails:
            seen[verdict(data[:cut] + tail)] += 1
    # Comments that bring the end of the picture to the end of a block; they are skipped over blocks.
    fill = 65536 - len(data) % 65536
    for more in range(-2, 3):
        for size in fill + more, fill + 65536 + more:
            parts = [size // 3 - 1, size // 3, size - 2 * (size // 3) + 1]
            comments = b"".join(b"\xff\xfe" + struct.pack(">H", part - 2) + b"c" * (part - 4)
                                for part in parts)
            for tail in tails[:5]:
                seen[verdict(data[:2] + comments + data[2:-2] + tail)] += 1
                seen[verdict(data[:2] + comments + data[2:] + tail)] += 1
    for _ in range(40):
        seen[verdict(mutate(data, rng))] += 1
    assert set(seen) == {"same", "refused"}, seen


def excused(data):
    """Whether the stream of picture data has an end, though not all rows: Pillow leaves the rest black."""
    at, payload, header = 8, b"", None
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
        if kind == b"IDAT":
            payload += data[at + 8:at + 8 + size]
        elif payload or kind == b"IEND":
            break
        at += 12 + size
    width, height, depth, colour, _, _, lace = header
    needed = 0
    for x, y, dx, dy in ADAM7 if lace else ((0, 0, 1, 1),):
        columns, rows = len(range(x, width, dx)), len(range(y, height, dy))
        if columns:
            needed += rows * (1 + (columns * depth * CHANNELS[colour] + 7) // 8)
    stream = zlib.decompressobj()
    try:
        return len(stream.decompress(payload)) < needed and stream.eof
    except zlib.error:
        return False


def judged(verdict, data):
    found = verdict(data)
    return "excused" if found == "libscarlet refuses" and excused(data) else found


def make_png(rng, kind, depth, interlace, size, **options):
    entries = rng.bytes(3 << depth) if kind == PALETTE else None
    samples = rng.integers(0, 1 << depth, (*size, CHANNELS[kind]))
    return png(samples, kind, depth, rng, interlace, entries, **options)


@pytest.mark.parametrize("kind, depth, interlace", PNGS)
def test_cut_png(verdict, rng, kind, depth, interlace):
    text = chunk(b"tEXt", b"Title\0text")
    for options in {}, {"idat": 20, "before": text, "after": text}:
        data = make_png(rng, kind, depth, interlace, (7, 9), **options)
        seen = Counter(verdict(data[:size]) for size in range(len(data)))
        assert set(seen) == {"same", "refused"} and seen["refused"] > 50, seen


@pytest.mark.parametrize("kind, depth, interlace", PNGS)
def test_changed_png(verdict, rng, kind, depth, interlace):
    seen = Counter()
    for size in (1, 1), (7, 9), (30, 40):
        for idat in None, 100:
            data = make_png(rng, kind, depth, interlace, size, idat=idat, level=1)
            seen += Counter(judged(verdict, mutate(data, rng)) for _ in range(100))
    assert set(seen) <= {"same", "refused", "excused"}, seen
    assert seen["same"] > 1 and seen["refused"] > 200, seen


@pytest.mark.parametrize("kind, depth, interlace", PNGS)
def test_changed_rows_of_png(verdict, rng, kind, depth, interlace):
    """Damage inside the compressed stream whose sums are right again: wrong filters, short and long
    streams, distances too far back."""
    seen = Counter()
    for size in (1, 1), (7, 9), (30, 40):
        data = make_png(rng, kind, depth, interlace, size)
        at = data.index(b"IDAT")
        raw = zlib.decompress(data[at + 4:])
        for _ in range(60):
            stream = mutate(zlib.compress(mutate(raw, rng)), rng) if rng.random() < 0.3 else \
                zlib.compress(mutate(raw, rng), int(rng.integers(10)))
            changed = data[:at - 4] + chunk(b"IDAT", stream) + chunk(b"IEND")
            seen[judged(verdict, changed)] += 1
    assert set(seen) <= {"same", "refused", "excused"}, seen
    assert seen["same"] > 20 and seen["refused"] > 20, seen
