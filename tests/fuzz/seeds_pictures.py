"""Writes seeds for the fuzzers of pictures: seeds_pictures.py FOLDER makes FOLDER/{jpeg,png}.

Every kind of file that tests/image knows, a few hundred bytes each. The last byte of a seed chooses
the options. SCARLET_MAKE_JPEG names the program image-make-jpeg."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../image"))
from pictures import CHANNELS, DEPTHS, GRAY, PALETTE, RGB, SIGNATURE, JpegMaker, chunk, png, scene
from test_orientation import exif_block, mark, random_exif
from test_png import illegal

SAMPLINGS = {"grey": ("11", "22"), "ycc": ("22,11,11", "21,11,11", "12,11,11", "11,11,11", "41,11,11"), "rgb": ("11,11,11",),
             "cmyk": ("11,11,11,11",), "ycck": ("22,11,11,22", "11,11,11,11")}  # fmt: skip
EXIF = [exif_block(big, 3, turn) for big in (False, True) for turn in (1, 2, 3, 4, 5, 6, 7, 8, 9)] + [
    exif_block(True, 3, 6, entries=5), exif_block(False, 2, 6), exif_block(True, 3, 6)[:-5], exif_block(True, 3, 6, offset=4000000000),
    exif_block(True, 3, 6, offset=20), b"II*\0", b"XX*\0\0\0\0\0", b""]  # fmt: skip
OTHERS = [b"", b"\xff", b"\xff\xd8", b"GIF89a", b"BM", b"P6\n1 1\n255\nabc", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheic", b"\x8aMNG\r\n\x1a\n",
          b"\xff\xd8\xff\xda\0\2", b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\0", b"\xff\xd8\xff\xe0\xff\xff", SIGNATURE, SIGNATURE + b"\0\0\0\rIHDR"]  # fmt: skip


def app1(block):
    data = b"Exif\0\0" + block
    return b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data


def jpegs(make, rng):
    for space, samplings in SAMPLINGS.items():
        channels = {"grey": 1, "cmyk": 4, "ycck": 4}.get(space, 3)
        for sampling in samplings:
            for restart, flags in ((0, "-"), (2, "o"), (0, "p"), (3, "m"), (0, "a"), (1, "pa"), (0, "A"), (0, "J"), (0, "t")):
                yield make(scene(rng, 19, 13, channels), space, sampling, 30, restart, flags)
    for size in (33, 70):  # large enough for decode=fast to take a part of it
        for space, sampling, flags in (("ycc", "22,11,11", "-"), ("ycc", "21,11,11", "p"), ("grey", "11", "-"), ("ycck", "22,11,11,22", "-")):
            yield make(scene(rng, size, size + 5, {"grey": 1, "ycck": 4}.get(space, 3)), space, sampling, 10, 0, flags)
    data = make(scene(rng, 9, 7), "ycc", "22,11,11", 40, 0, "-")
    for block in EXIF + [random_exif(rng) for _ in range(60)]:
        yield data[:2] + app1(block) + data[2:]
    sof = data.index(b"\xff\xc0")
    for change in ({4: 12}, {9: 2}, {9: 5}, {1: 0xC3}, {1: 0xC5}, {5: 0xFF, 7: 0xFF}, {5: 0, 6: 0}, {5: 0x07, 7: 0x07}):
        other = bytearray(data)
        for place, value in change.items():
            other[sof + place] = value
        yield bytes(other)
    sos = data.index(b"\xff\xda")
    yield data[:sof] + bytes.fromhex("ffc0000e080007000902012200021101") + data[sof + 19 : sos] + bytes.fromhex("ffda000a0201000211003f00") + data[sos + 14 :]
    yield data[:-2]
    yield data[: len(data) // 2]
    yield data + b"\xff\xd8\xff"
    yield data[:2] + b"\xff\x01" + data[2:]  # the marker TEM
    yield data[:2] + b"\xff\xfe\xff\xff" + bytes(65533) + data[2:]  # a comment of more than a block
    last = make(scene(rng, 16, 16, 1), "grey", "11", 75, 0, "p")
    scan = last[last.rindex(b"\xff\xc4", 0, last.rindex(b"\xff\xda")) : -2]
    yield last[:-2] + 520 * scan + b"\xff\xd9"
    yield from OTHERS


def pngs(rng):
    tail = chunk(b"tEXt", b"Title\0text")
    for kind, depths in DEPTHS.items():
        for depth in depths:
            for interlace in (False, True):
                size, entries = rng.integers(1, 12, 2), rng.bytes(3 << depth) if kind == PALETTE else None
                values = rng.integers(0, 1 << depth, (*size, CHANNELS[kind]))
                yield png(values, kind, depth, rng, interlace, entries)
                yield png(values, kind, depth, rng, interlace, entries, tail, tail, idat=20)
    values = rng.integers(0, 256, (3, 2, 3))
    data = png(values, RGB, 8, rng)
    for block in EXIF:
        yield png(values, RGB, 8, rng, before=chunk(b"eXIf", block))
    for _ in range(40):
        yield png(values, RGB, 8, rng, before=mark(rng), after=mark(rng))
    for kind, depths in DEPTHS.items():
        for depth in depths:
            yield from (illegal(rng, kind, depth)[0] for _ in range(5))
    for name, body in ((b"tRNS", b"\0\1\0\2\0\3"), (b"gAMA", b"\0\0\xb1\x8f"), (b"iCCP", b"x\0\0" + bytes(9)), (b"zTXt", b"x\0\0" + bytes(9)),
                       (b"bKGD", bytes(6)), (b"PLTE", bytes(6)), (b"vpAg", b"private")):  # fmt: skip
        yield png(values, RGB, 8, rng, before=chunk(name, body))
    for width, height, depth, kind, lace in ((65500, 65500, 8, 6, 0), (2**31 - 1, 1, 1, 0, 1), (0, 5, 8, 2, 0), (4000, 1000, 16, 6, 1),
                                             (4001, 1000, 1, 0, 0), (9, 9, 4, 3, 0), (9, 9, 3, 2, 0), (9, 9, 8, 2, 2)):  # fmt: skip
        head = chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((depth, kind, 0, 0, lace)))
        yield SIGNATURE + head + data[33:]
    yield png(rng.integers(0, 2, (1, 9, 1)), GRAY, 1, rng)[:-12]
    for cut in (-4, -12, -14, -20):
        yield data[:cut]
    yield data[:-12] + b"\0\0\1\0tEXtx"  # a last chunk that is cut off
    yield data[:-12] + b"\0\0\1\0\0\0\0\0"
    yield data[:-12] + tail + b"\xff\xff\xff\xffIEND"
    yield from OTHERS


if __name__ == "__main__":
    random = np.random.default_rng(1)
    maker = JpegMaker()
    for folder, seeds in (("jpeg", jpegs(maker.make, random)), ("png", pngs(random))):
        os.makedirs(os.path.join(sys.argv[1], folder), exist_ok=True)
        for i, seed in enumerate(seeds):
            with open(f"{sys.argv[1]}/{folder}/{i:04}", "wb") as f:
                f.write(seed + bytes((i * 5 % 32 if i % 3 else 1,)))
    maker.close()
