"""Whole PNG files of every kind against Pillow."""
import io
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pictures import (CHANNELS, DEPTHS, GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, SIGNATURE, chunk,
                      png, scene)
from reference import CORRUPT, Refused, same_bits

KINDS = [(kind, depth) for kind in DEPTHS for depth in DEPTHS[kind]]
SIZES = ((1, 1), (2, 1), (1, 2), (3, 5), (5, 3), (8, 8), (9, 4), (1, 40), (40, 1), (33, 17))


def samples(rng, width, height, kind, depth):
    return rng.integers(0, 2**depth, (height, width, CHANNELS[kind]))


def transparency(rng, kind, depth):
    """A tRNS chunk that fits; none for kinds with alpha."""
    if kind in (GRAY, RGB):
        return chunk(b"tRNS", rng.integers(0, 2**depth, CHANNELS[kind]).astype(">u2").tobytes())
    if kind == PALETTE:
        return chunk(b"tRNS", rng.integers(0, 256, 2**depth, np.uint8).tobytes())
    return b""


@pytest.mark.parametrize("interlace", (False, True))
@pytest.mark.parametrize("kind, depth", KINDS)
def test_kinds(verdict, rng, kind, depth, interlace):
    for size in SIZES:
        for trns in False, True:
            before = transparency(rng, kind, depth) if trns else b""
            entries = rng.integers(0, 256, 3 << depth, np.uint8).tobytes()
            data = png(samples(rng, *size, kind, depth), kind, depth, rng, interlace,
                       entries if kind == PALETTE else None, before,
                       idat=rng.choice([None, 1, 50]))
            assert verdict(data) == "same", (size, trns)


@pytest.mark.parametrize("kind, depth", KINDS)
def test_photographs(verdict, rng, kind, depth):
    channels = CHANNELS[kind]
    picture = scene(rng, 300, 201, channels).astype(int) * ((1 << depth) - 1) // 255
    entries = rng.integers(0, 256, 3 << depth, np.uint8).tobytes()
    for interlace in False, True:
        data = png(picture, kind, depth, rng, interlace, entries if kind == PALETTE else None)
        assert verdict(data) == "same"


def test_16_bit_grey(dump, rng, tmp_path):
    """Not the high byte: everything from 256 on is white."""
    values = np.arange(65536).reshape(256, 256, 1)
    for interlace in False, True:
        (tmp_path / "a.png").write_bytes(png(values, GRAY, 16, rng, interlace))
        found = dump.pixels(tmp_path / "a.png")
        same_bits(found, np.minimum(values, 255).astype(np.uint8).repeat(3, -1))


@pytest.mark.parametrize("depth", (1, 2, 4, 8))
def test_palette_sizes(dump, verdict, rng, depth, tmp_path):
    for entries in sorted({1, 2, 3, 2**depth - 1, 2**depth}):
        if entries > 2**depth:
            continue
        palette = rng.integers(0, 256, 3 * entries, np.uint8)
        legal = rng.integers(0, entries, (9, 13, 1))
        assert verdict(png(legal, PALETTE, depth, rng, palette=palette.tobytes())) == "same"
        # Entries that the file lacks are black; Pillow changed its mind between versions.
        beyond = rng.integers(0, 2**depth, (9, 13, 1))
        path = tmp_path / "a.png"
        path.write_bytes(png(beyond, PALETTE, depth, rng, palette=palette.tobytes()))
        full = np.zeros((256, 3), np.uint8)
        full[:entries] = palette.reshape(-1, 3)
        same_bits(dump.pixels(path), full[beyond[..., 0]])


def test_metadata_does_not_matter(verdict, rng):
    exif = Image.Exif()
    exif[0x0112] = 6
    extra = b"".join([
        chunk(b"gAMA", (100000).to_bytes(4, "big")), chunk(b"sRGB", b"\0"),
        chunk(b"cHRM", b"\0\1\0\0" * 8), chunk(b"sBIT", b"\5\5\5"), chunk(b"bKGD", b"\0\1" * 3),
        chunk(b"pHYs", b"\0\0\1\0\0\0\2\0\1"), chunk(b"tEXt", b"Title\0text"),
        chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"text")),
        chunk(b"iTXt", b"Title\0\0\0\0\0text"), chunk(b"tIME", b"\7\344\1\1\1\1\1"),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"x" * 200)),
        chunk(b"eXIf", exif.tobytes()[6:]), chunk(b"vpAg", b"private")])
    later = chunk(b"tEXt", b"Title\0text") + chunk(b"prIv", b"12345")
    for kind, depth in ((RGB, 8), (RGBA, 8), (RGB, 16)):
        for interlace in False, True:
            data = png(samples(rng, 20, 15, kind, depth), kind, depth, rng, interlace,
                       before=extra, after=later)
            assert verdict(data) == "same"
            assert verdict(data + b"trailing bytes" * 9) == "same"
            assert verdict(data[:-12]) == "same"  # no IEND
    long = chunk(b"prIv", bytes(9_000_000))  # longer than libpng allows by default
    assert verdict(png(samples(rng, 3, 3, RGB, 8), RGB, 8, rng, before=long)) == "same"
    huge = rng.integers(0, 256, (3, 70000, 3))  # wider than the block of a file that is read
    assert verdict(png(huge, RGB, 8, rng)) == "same"


def test_stream_that_lies_about_its_window(verdict, rng):
    """Some writers name a smaller window than they use."""
    picture = np.concatenate([samples(rng, 40, 40, RGB, 8)] * 3)
    data = bytearray(png(picture, RGB, 8, rng))
    at = data.index(b"IDAT") + 4
    data[at] = 0x18
    data[at + 1] -= int.from_bytes(data[at:at + 2], "big") % 31
    assert verdict(bytes(data)) == "same"


def test_pillows_own(verdict, rng):
    colours = Image.fromarray(scene(rng, 90, 61))
    for image in (colours, colours.convert("L"), colours.convert("1"), colours.convert("P"),
                  colours.quantize(7), colours.convert("LA"), colours.convert("RGBA")):
        for options in {}, {"optimize": True}, {"transparency": 3}:
            if "transparency" in options and image.mode not in "LP":
                continue
            file = io.BytesIO()
            image.save(file, "PNG", **options)
            assert verdict(file.getvalue()) == "same"


def illegal(rng, kind, depth):
    """A file of right checksums that is against the rules in up to three ways; whether the reference can be asked."""
    width, height, indices = int(rng.integers(1, 9)), int(rng.integers(1, 9)), 2 if kind == PALETTE else 2**depth
    whole = png(rng.integers(0, indices, (height, width, CHANNELS[kind])), kind, depth, rng,
                bool(rng.integers(2)), idat=int(rng.integers(5, 90)))
    header, data = whole[16:29], whole[33:]
    chunks = [(b"IHDR", header)] + [(b"PLTE", rng.bytes(3 << min(depth, 8)))] * (kind == PALETTE)
    for way in rng.choice(12, int(rng.integers(1, 4))):
        at = int(rng.integers(1, len(chunks) + 1))
        if way == 0:  # a long header
            chunks[0] = b"IHDR", header + rng.bytes(int(rng.integers(1, 40)))
        elif way == 1:  # another header
            other = bytearray(header)
            at = int(rng.choice([3, 7, 8]))
            other[at] = int(rng.choice([v for v in (0, 1, 2, 4, 8, 16) if v <= other[at]]))  # rows are enough
            chunks.insert(int(rng.integers(0, 2)), (b"IHDR", bytes(other)))
        elif way == 2:
            chunks.insert(at, (b"IHDR", header))
        elif way in (3, 4):  # another palette
            chunks.insert(at, (b"PLTE", rng.bytes(int(rng.choice([0, 1, 6, 7, 8, 11, 767, 768, 769, 770, 771, 900])))))
        elif way == 5:
            chunks.insert(at, (bytes(rng.choice(list(b"ABCXYZabcxyz09_"), 4).tolist()), rng.bytes(int(rng.integers(99)))))
        elif way in (6, 7, 8):  # compression, filter, interlace methods
            changed = bytearray(header)
            changed[{6: 10, 7: 11, 8: 12}[way]] = int(rng.integers(2)) if way == 7 else int(rng.integers(1, 256)) * (
                way == 6 or header[12])
            chunks[0] = b"IHDR", bytes(changed)
        elif way == 9:  # the last chunk of picture data reaches past the end
            last = data.rindex(b"IDAT")
            longer = data[:last - 4] + int(rng.integers(10**4, 2**32)).to_bytes(4, "big") + data[last:]
            data = longer[:len(longer) - int(rng.integers(20))]
        elif way == 10:
            data = chunk(b"IDAT") + data
        else:
            data = data.replace(chunk(b"IEND"), chunk(b"IHDR", header) + chunk(b"NOne", b"1") + chunk(b"PLTE"))
    found = SIGNATURE + b"".join(chunk(*c) for c in chunks) + data
    entries = [len(c[1]) // 3 for c in chunks if c[0] == b"PLTE"]
    # Colours that the palette lacks are black here, whatever the version of Pillow makes of them.
    return found, kind != PALETTE or (entries and min(entries) >= 2)


@pytest.mark.parametrize("kind, depth", KINDS)
def test_illegal_files(verdict, rng, kind, depth):
    seen = Counter()
    for _ in range(300):
        data, comparable = illegal(rng, kind, depth)
        if comparable:
            seen[verdict(data)] += 1
    assert set(seen) == {"same", "refused"} and min(seen.values()) > 20, seen


def test_no_palette(dump, rng, tmp_path):
    for palette in None, b"", b"\1\2":
        (tmp_path / "a.png").write_bytes(png(rng.integers(0, 16, (5, 7, 1)), PALETTE, 4, rng, palette=palette))
        same_bits(dump.pixels(tmp_path / "a.png"), np.zeros((5, 7, 3), np.uint8))


def test_sums_of_chunks(verdict, rng):
    """Checked up to the picture data, no further."""
    text = chunk(b"tEXt", b"Title\0text")
    data = bytearray(png(samples(rng, 9, 9, RGB, 8), RGB, 8, rng, before=text, after=text))
    first, last, idat = data.index(b"tEXt"), data.rindex(b"tEXt"), data.index(b"IDAT")
    size = int.from_bytes(data[idat - 4:idat], "big")
    for at, expected in ((29, "refused"), (first + 6, "refused"), (first + 14, "refused"),
                         (idat + 4 + size, "same"), (last + 14, "same"), (-1, "same")):
        bad = data.copy()
        bad[at] ^= 1
        assert verdict(bytes(bad)) == expected, at


def test_refused(dump, rng, tmp_path):
    path = tmp_path / "bad.png"
    grey = png(samples(rng, 4, 4, GRAY, 8), GRAY, 8, rng)

    def header(*values):
        return SIGNATURE + chunk(b"IHDR", bytes(values)) + grey[33:]

    cases = (
        (header(0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0), "no legal IHDR before the picture data"),
        (header(0, 0, 0, 4, 0, 0, 0, 4, 3, 0, 0, 0, 0), "no legal IHDR before the picture data"),
        (header(0, 0, 0, 4, 0, 0, 0, 4, 8, 0, 0, 1, 0), "unknown filter method"),
        (SIGNATURE + chunk(b"IHDR", bytes(12)) + grey[33:], "IHDR is too short"),
        (grey[:33] + chunk(b"IEND") + grey[33:], "no picture data"),
        (grey[:33] + chunk(b"a b!") + grey[33:], "a chunk whose name is none"),
        (grey[:29] + bytes(4) + grey[33:], "wrong checksum of chunk IHDR at byte 8"),
        (header(0, 0, 0, 4, 0, 0, 0, 4, 8, 3, 0, 0, 0)[:33] + chunk(b"PLTE", bytes(771)) + grey[33:],
         "a palette of more than 256 colours"),
        (header(0, 0, 255, 255, 0, 0, 255, 255, 8, 0, 0, 0, 0), "limit"),
        (header(0, 0, 32, 0, 0, 0, 32, 0, 8, 2, 0, 0, 0), "cannot hold 8192 x 8192 pixels"),
        (grey[:33], f"{path}: cut short: it ends at byte 33, where 8 bytes are needed at byte 33"),
    )
    for data, text in cases:
        path.write_bytes(data)
        with pytest.raises(Refused) as refusal:
            dump.pixels(path)
        if text == "limit":
            assert refusal.value.text == (f"{path}: 65535 x 65535 pixels, at most 178956970 in all "
                                          "are allowed (option max_pixels)")
            continue
        assert refusal.value.status == CORRUPT
        assert refusal.value.text.startswith(f"{path}: ") and text in refusal.value.text
