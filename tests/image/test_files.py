"""The size without decoding, files of other kinds, limits."""
import io

import numpy as np
import pytest
from PIL import Image

from pictures import RGB, chunk, png, scene
from reference import CORRUPT, FORMAT, IO, LIMIT, UNSUPPORTED, Refused, reference_pixels, same_bits


def refusal(dump, path, command="pixels", options=""):
    with pytest.raises(Refused) as refused:
        dump.ask(command, path, options=options)
    return refused.value


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
    twice = files[0][:8] + chunk(b"IHDR", bytes(13)) + files[0][8:]  # the last one counts, as for Pillow
    path.write_bytes(twice)
    assert dump.probe(path) == (300, 7)
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
