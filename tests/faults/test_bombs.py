"""Small files that claim much, and files made to cost much: each ends soon and in little memory, with 256 KB of stack.

Bounds are CPU time and memory above that of the idle program. Exact messages: tests/formats/test_hostile.py.
"""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "formats"))
import pickles as p  # noqa: E402

SANITIZED = os.environ["SCARLET_SANITIZED"] == "1"
MB = 1 << 20
TRIES = 5  # on a busy machine the same work takes twice the CPU time


def use(tmp_path, kind, data, expected, milliseconds=100, megabytes=64, options=""):
    """data: bytes of a file, or a path; expected: begin of "status X: message"."""
    path = data
    if isinstance(data, bytes):
        path = tmp_path / "x"
        path.write_bytes(data)
    most = milliseconds * (20 if SANITIZED else 1)
    for _ in range(TRIES):
        done = subprocess.run(["sh", "-c", 'ulimit -s 256; exec "$@"', "sh", os.environ["SCARLET_BOUNDED"], kind, path, options],
                              capture_output=True, timeout=60, text=True)
        assert done.returncode == 0 and done.stderr == "", done
        took, peak, result = done.stdout.split(" ", 2)
        print(kind, took, "ms", int(peak) // 1024, "MB", result)
        result = result.replace(str(path), "X").strip()
        assert result.startswith(expected), result
        assert SANITIZED or int(peak) <= megabytes << 10
        if int(took) <= most:
            break
    assert int(took) <= most


# ---- no files ----

@pytest.mark.parametrize("kind", ["model", "picture", "labels"])
def test_no_files(tmp_path, kind):
    """Never waited for, never read without end."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero"), Path("/dev/full")):
        use(tmp_path, kind, path, "io X: a pipe or device, not a regular file", 20)
    use(tmp_path, kind, tmp_path, "io X: a directory, not a regular file", 20)


# ---- pictures ----

def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, color=2, interlace=0, before=b"", data=None):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + head + before + (chunk(b"IDAT", b"x\x9c\x03\0\0\0\0\1") if data is None else data) + chunk(b"IEND")


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(width, height, sof=0xC0, components=3, before=b"", scans=b""):
    frame = struct.pack(">BHHB", 8, height, width, components) + b"".join(bytes([i + 1, 0x11, 0]) for i in range(components))
    return b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64) + before + segment(sof, frame) + scans + b"\xff\xd9"


CODES = segment(0xC4, b"\0\1" + bytes(15) + b"\0") + segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0")  # one code, one bit
SCAN = segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])) + b"\0" * 8
FIRST = segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0])) + b"\0" * 8


@pytest.mark.parametrize("data", [png(65500, 65500), png(65500, 65500, 16, 6, 1), png(65500, 65500, 1, 0), png(2**31 - 1, 2**31 - 1),
                                  jpeg(65500, 65500, before=CODES, scans=SCAN), jpeg(65500, 65500, 0xC2, before=CODES, scans=FIRST)], ids=range(6))
def test_huge_pictures(tmp_path, data):
    """More pixels than are allowed."""
    assert len(data) < 400
    use(tmp_path, "picture", data, "limit X: ", 20)


@pytest.mark.parametrize("data", [png(13000, 13000), png(13000, 13000, 16, 6, 1), png(2**31 - 1, 1), png(1, 178_956_970),
                                  png(0, 1), jpeg(13000, 13000, before=CODES), jpeg(13000, 13000, 0xC2, before=CODES)], ids=range(7))
def test_large_pictures(tmp_path, data):
    """As many as are allowed, without data."""
    assert len(data) < 400
    use(tmp_path, "picture", data, ("corrupt X: ", "limit X: "), 20)


@pytest.mark.parametrize("sof, scans", [(0xC0, SCAN), (0xC2, FIRST)], ids=["baseline", "progressive"])
def test_jpeg_without_data(tmp_path, sof, scans):
    """A scan cut short is filled up, as in the reference: the option max_pixels bounds what that costs."""
    data = jpeg(13000, 13000, sof, before=CODES, scans=scans)
    assert len(data) < 300
    use(tmp_path, "picture", data, "limit X: 13000 x 13000 pixels", 20, options="max_pixels=16000000")
    use(tmp_path, "picture", jpeg(3000, 3000, sof, before=CODES, scans=scans), "ok", 1000, 100)


def scan_bomb(width, height, scans):
    """Scans of a few bytes each, over the whole picture: runs of 32767 blocks without a coefficient."""
    runs = -(-width // 8) * -(-height // 8) // 32767 + 1
    bits = ("0" + "1" * 14) * runs
    bits += "1" * (-len(bits) % 8)
    scan = segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return jpeg(width, height, 0xC2, 1, before=CODES, scans=scan * scans)


def test_jpeg_scans(tmp_path):
    use(tmp_path, "picture", scan_bomb(1000, 1000, 500), "ok", 500)
    use(tmp_path, "picture", scan_bomb(1000, 1000, 100_000), "limit X: JPEG of more than 500 scans", 500)
    use(tmp_path, "picture", scan_bomb(4000, 4000, 10_000), "limit X: JPEG of more than 500 scans", 2500)
    use(tmp_path, "picture", scan_bomb(4000, 4000, 10_000), "limit X: 4000 x 4000 pixels", 20, options="max_pixels=1000000")


def test_jpeg_segments(tmp_path):
    """Megabytes of segments in front of a picture."""
    for filler in (segment(0xFE, b"") * MB, b"\xff" * 4 * MB, b"\xff\xd0" * 2 * MB, CODES * 100_000, segment(0xDB, b"\0" + b"\1" * 64) * 50_000,
                   segment(0xE1, b"Exif\0\0MM" + bytes(65000)) * 60):
        use(tmp_path, "picture", jpeg(8, 8, before=filler, scans=SCAN), ("ok", "corrupt X: "), 500)
        use(tmp_path, "picture", jpeg(8, 8, before=filler, scans=SCAN), ("ok", "corrupt X: "), 500, options="auto_orient=on")


def test_exif_loops(tmp_path):
    """A directory that is its own next and its own value."""
    entry = struct.pack(">HHII", 0x8769, 4, 1, 8)
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 2000) + entry * 2000 + struct.pack(">I", 8)
    use(tmp_path, "picture", jpeg(8, 8, before=CODES + segment(0xE1, exif) * 100, scans=SCAN), ("ok", "corrupt X: "), options="auto_orient=on")


ROW = zlib.compress(bytes(4))
BOMB = zlib.compress(bytes(60 * MB), 9)  # 60 KB
XMP, PROFILE = b"XML:com.adobe.xmp", b"Raw profile type exif"


@pytest.mark.parametrize("before", [chunk(b"zTXt", b"k\0\0" + BOMB) * 60, chunk(b"iTXt", b"k\0\1\0\0\0" + BOMB) * 60, chunk(b"iCCP", b"k\0\0" + BOMB) * 60,
                                    chunk(b"tEXt", b"k\0") * 200_000, chunk(b"abCd") * 200_000, chunk(b"sPLT", b"k\0\x08" + bytes(6 * 10_000)) * 60,
                                    chunk(b"eXIf", b"MM\0*" + bytes(100_000)) * 40, chunk(b"gAMA", bytes(4)) * 100_000,
                                    chunk(b"tEXt", b"k\0" + bytes(8 * MB)), chunk(b"zTXt", XMP + b"\0\0" + BOMB) * 60,
                                    chunk(b"iTXt", XMP + b"\0\1\0\0\0" + zlib.compress(bytes(MB), 9)) * 500,
                                    chunk(b"zTXt", PROFILE + b"\0\0" + zlib.compress(b"\n\n\n" + b"0" * (MB - 3), 9)) * 500,
                                    chunk(b"tEXt", PROFILE + b"\0\n\n\n" + b"00" * (4 * MB)), chunk(b"tEXt", XMP + b"\0" + b"tiff:Orientation" * 250_000),
                                    chunk(b"zTXt", XMP + b"\0\0" + zlib.compress(b"")) * 40_000], ids=range(15))
def test_png_chunks(tmp_path, before):
    """Chunks that unpack to gigabytes, or are many: dropped unread, or read as far as they may state the orientation."""
    data = chunk(b"IDAT", ROW)
    for options in ("", "auto_orient=on"):
        use(tmp_path, "picture", png(1, 1, before=before, data=data), "ok", 300 if not options else 1000, options=options)


def test_png_data(tmp_path):
    """Data that unpack to far more than the picture, or come byte by byte."""
    use(tmp_path, "picture", png(1, 1, data=chunk(b"IDAT", BOMB)), ("ok", "corrupt X: "), 500)
    use(tmp_path, "picture", png(1, 1, data=chunk(b"IDAT", ROW) + chunk(b"IDAT", BOMB) * 60), ("ok", "corrupt X: "), 500)
    data = zlib.compress(bytes(301 * 100), 0)
    use(tmp_path, "picture", png(100, 100, data=b"".join(chunk(b"IDAT", data[i:i + 1]) for i in range(len(data)))), "ok", 200)
    use(tmp_path, "picture", png(1, 1, data=chunk(b"IDAT") * 500_000 + chunk(b"IDAT", ROW)), ("ok", "corrupt X: "), 1000)
    use(tmp_path, "picture", png(1, 1, data=chunk(b"IDAT", ROW) + chunk(b"tEXt", b"k\0") * 500_000), "ok", 1000)


# ---- models ----

FLOATS = struct.pack("<4f", *range(4))
GOOD = p.state(("a", p.tensor(p.storage())))


def safetensors(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize("shape", [b"[1152921504606846976]", b"[4294967296,268435456]", b"[9223372036854775807,2]", b"[1073741824,1073741824,1]"], ids=range(4))
def test_huge_tensors(tmp_path, shape):
    """2^60 elements in a hundred bytes, in each format, honest or not about their bytes."""
    for end in (b"0", b"4", b"4611686018427387904", b"18446744073709551615"):
        data = safetensors(b'{"a":{"dtype":"F32","shape":%b,"data_offsets":[0,%b]}}' % (shape, end), FLOATS[:4])
        assert len(data) < 130
        use(tmp_path, "model", data, "corrupt X: ", 20)
    size = [int(n) for n in shape.strip(b"[]").split(b",")]
    for store in (dict(numel=4), dict(numel=2**60)):
        body = p.state(("a", p.tensor(p.storage(**store), size, [0] * len(size))))
        use(tmp_path, "model", p.zip_checkpoint(body, [("0", FLOATS)]), ("corrupt X: ", "limit X: "), 20)
        body = p.state(("a", p.tensor(p.storage(view=p.NONE, **store), size, [0] * len(size))))
        use(tmp_path, "model", p.legacy(body, [("0", store["numel"], FLOATS)]), ("corrupt X: ", "limit X: "), 20)


def test_header_lengths(tmp_path):
    """Lengths that are nowhere in the file."""
    for length in (2**63, 2**40, 99_999_999, 1000):
        use(tmp_path, "model", struct.pack("<Q", length) + b"{" + bytes(90), ("corrupt X: ", "format X: "), 20)
    for code in (b"X", b"B", b"T", b"\x8b"):
        use(tmp_path, "model", p.zip_checkpoint(code + struct.pack("<I", 2**31 - 1)), "corrupt X: ", 20)
    for code in (b"\x8d", b"\x8e", b"\x95"):
        use(tmp_path, "model", p.zip_checkpoint(code + struct.pack("<Q", 2**62)), ("corrupt X: ", "limit X: ", "unsupported X: "), 20)


@pytest.mark.parametrize("deep", [p.EMPTY_TUPLE + b"\x85" * 1_000_000, p.EMPTY_LIST * 1_000_000 + b"a" * 999_999,
                                  (p.EMPTY_DICT + b"K\0") * 500_000 + p.NONE + b"s" * 500_000, p.MARK * 1_000_000 + b"t" * 1_000_000],
                         ids=["tuples", "lists", "dicts", "marks"])
@pytest.mark.parametrize("envelope", ["zip", "legacy"])
def test_deep(tmp_path, deep, envelope):
    """Nested 10^6 deep, beside the weights and among them."""
    store = p.storage(view=b"" if envelope == "zip" else p.NONE)
    for body in (p.dict_((p.text("x"), deep), (p.text("model_state"), p.ordered((p.text("a"), p.tensor(store))))), p.state(("a", deep))):
        data = p.zip_checkpoint(body, [("0", FLOATS)]) if envelope == "zip" else p.legacy(body, [("0", 4, FLOATS)])
        use(tmp_path, "model", data, ("model X: ", "corrupt X: "), 1000, 160)


def test_sharing(tmp_path):
    """2^60 items in 60 lists of two; where the weights should be, and beside them."""
    laughs = p.EMPTY_LIST + p.put(0) + b"0"
    for i in range(60):
        laughs += p.EMPTY_LIST + p.MARK + p.get(i) + p.get(i) + b"e" + p.put(i + 1) + b"0"
    use(tmp_path, "model", p.zip_checkpoint(laughs + p.state(("a", p.get(60)))), "model X: ", 20)
    use(tmp_path, "model", p.zip_checkpoint(laughs + p.dict_((p.text("x"), p.get(60)), (p.text("model_state"), p.get(60)))), "model X: ", 20)


def test_many_names(tmp_path):
    """A million keys; names that a weak hash, or a comparison from the front, cannot distinguish."""
    million = 1_000_000 if not SANITIZED else 100_000
    keys = b"".join(p.text("%06d" % i) + p.NONE for i in range(million))
    use(tmp_path, "model", p.zip_checkpoint(p.EMPTY_DICT + p.MARK + keys + b"u"), ("model X: ", "limit X: "), 2000, 200)
    common = "x" * 1000
    same = [(common + f"{i * 40503 % 65536:05d}", p.get(0)) for i in range(30_000)]
    body = p.tensor(p.storage()) + p.put(0) + b"0" + p.state(*same)
    use(tmp_path, "model", p.zip_checkpoint(body, [("0", FLOATS)]), ("model X: ", "limit X: "), 2000, 200)
    entries = b",".join(b'"%s%05d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % (common.encode(), i * 40503 % 65536) for i in range(60_000))
    use(tmp_path, "model", safetensors(b"{" + entries + b"}"), "model X: ", 2000, 250)
    entries = b",".join(b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % i for i in range(million))
    use(tmp_path, "model", safetensors(b"{" + entries + b"}"), "limit X: more than 65536 tensors", 2000, 250)


def test_space_claims(tmp_path):
    """Metadata that describe a network of absurd width."""
    for space in (b"stem=2147483647 tail=2147483647 layers=2147483647:2", b"stem=8 tail=8 layers=" + b",".join([b"8:2"] * 100_000), b"stem=99999999999999999999"):
        header = b'{"__metadata__":{"scarlet.space":"%b"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' % space
        use(tmp_path, "model", safetensors(header, FLOATS[:4]), ("corrupt X: ", "model X: ", "limit X: "))


def with_metadata(**entries):
    """The small model with more metadata."""
    data = Path(os.environ["SCARLET_SMALL_MODEL"]).read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header["__metadata__"].update(entries)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


@pytest.mark.parametrize("prefix", ["", "p" * 1400], ids=["short", "long"])
def test_many_metadata_keys(tmp_path, prefix):
    """Of a complete model: each is described, and all are converted."""
    data = with_metadata(**{prefix + "%06d" % i: "v" * 20 for i in range(65_000)})
    for kind in ("model", "convert"):
        use(tmp_path, kind, data, "ok", 200 if not prefix else 1000, 64 if not prefix else 400)
    full = with_metadata(**{"%06d" % i: "" for i in range(65_536 - 2)})  # ours are two; scarlet.format is one too many
    use(tmp_path, "model", full, "ok", 200)
    use(tmp_path, "convert", full, "limit X.new: more than a safetensors file can hold", 200)


def test_session_memory(tmp_path):
    """A model file's own input size."""
    data = with_metadata(**{"scarlet.input_size": "4096"})
    assert len(data) < 100_000
    for engine in ("engine=" + name for name in os.environ["SCARLET_ENGINES"].split()):
        use(tmp_path, "session", data, "limit a session would take ", 50, options=engine)
        use(tmp_path, "session", data, "limit a session would take at least 201326632 bytes, more than the option max_memory, 1000000",
            50, options=engine + ",max_memory=1000000")


def deflated(name, size, said):
    """A checkpoint whose only tensor is deflated zeros."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(bytes(size)) + squeeze.flush()
    body = p.pickled(p.state((name, p.tensor(p.storage(numel=said // 4), (said // 4,)))))
    out, directory = b"", b""
    for entry, data, method, full in ((b"a/data.pkl", body, 0, len(body)), (b"a/data/0", packed, 8, said)):
        head = struct.pack("<HHHHHIII", 20, 0, method, 0, 0, 0, len(data), full) + struct.pack("<HH", len(entry), 0)
        directory += struct.pack("<IH", 0x02014B50, 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + entry
        out += struct.pack("<I", 0x04034B50) + head + entry + data
    return out + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2, 2, len(directory), len(out), 0)


def test_deflated(tmp_path):
    """A thousandth of what it unpacks to."""
    data = deflated("stem.0.weight", 60 * MB, 60 * MB)
    assert len(data) < 70_000
    use(tmp_path, "model", data, "model X: ", 1000, 128)
    use(tmp_path, "model", data, "limit X: its tensors take more than 1000000 bytes", 20, 8, options="max_bytes=1000000")
    use(tmp_path, "model", deflated("stem.0.weight", 60 * MB, 16), "corrupt X: tensor stem.0.weight: zip entry a/data/0: its compressed data are damaged", 20, 8)
    use(tmp_path, "model", deflated("stem.0.weight", 16, 4096 * MB - 4), "limit X: its tensors take more than 1073741824 bytes", 20, 8)


# ---- texts ----

def test_texts(tmp_path):
    use(tmp_path, "labels", b"a\n" * 1_000_000, "ok", 500)
    use(tmp_path, "labels", b"a\n" * 1_000_001, "limit X: ", 500)
    use(tmp_path, "labels", b"a" * 16 * MB, "ok", 500)
    use(tmp_path, "labels", b"\t" * 16 * MB, "format X: ", 500)
    use(tmp_path, "options", b"," * 10 * MB, "ok", 500)
    use(tmp_path, "options", b"threads=1," * 300_000, "ok", 500)
    use(tmp_path, "options", b"mean=" + b"1" * 10 * MB, "argument ", 500)
    use(tmp_path, "options", b"x" * 10 * MB, "argument ", 500)
