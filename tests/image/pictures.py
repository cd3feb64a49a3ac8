"""Makes pictures of every kind: JPEG by the program make_jpeg, PNG by hand."""
import os
import struct
import subprocess
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16),
          RGBA: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2))


def scene(rng, width, height, channels=3):
    """Something between a photograph and noise: edges, ramps, saturated colours."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        fx, fy, phase = rng.uniform(0.01, 0.5, 3)
        plane = 128 + 100 * np.sin(x * fx + phase) * np.cos(y * fy) + rng.normal(0, 12, x.shape)
        plane += np.where((x // 9 + y // 7) % 5 == 0, 150, 0)
        planes.append(np.clip(plane, 0, 255))
    return np.stack(planes, -1).astype(np.uint8)


class JpegMaker:
    def __init__(self):
        self.process = subprocess.Popen([os.environ["SCARLET_MAKE_JPEG"]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()

    def make(self, samples, space="ycc", sampling="22,11,11", quality=75, restart=0, flags="-"):
        height, width = samples.shape[:2]
        line = f"{width} {height} {space} {sampling} {quality} {restart} {flags}\n"
        self.process.stdin.write(line.encode() + samples.tobytes())
        self.process.stdin.flush()
        length = struct.unpack("<I", self.process.stdout.read(4))[0]
        return self.process.stdout.read(length)


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pack(rows, depth):
    """Samples (height x n) to packed bytes a row."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in rows]
    bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth:]
    return [np.packbits(row.reshape(-1)).tobytes() for row in bits]


def _filter(rows, step, rng):
    """A random filter type for each row; the filters of the PNG specification, section 9."""
    out, above = [], None
    for row in rows:
        x = np.frombuffer(row, np.uint8).astype(int)
        b = np.zeros_like(x) if above is None else above
        a, c = (np.concatenate([np.zeros(min(step, len(v)), int), v[:-step]]) for v in (x, b))
        kind = int(rng.integers(5))
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        guess = (0 * x, a, b, (a + b) // 2, paeth)[kind]
        out.append(bytes([kind]) + ((x - guess) % 256).astype(np.uint8).tobytes())
        above = x
    return b"".join(out)


def png(samples, kind, depth, rng, interlace=False, palette=None, before=b"", after=b"",
        idat=None, level=6):
    """samples: height x width x channels of 0 .. 2^depth-1. before, after: chunks round the data.
    idat: bytes in each IDAT chunk."""
    height, width = samples.shape[:2]
    step = max(1, CHANNELS[kind] * depth // 8)
    passes = ADAM7 if interlace else ((0, 0, 1, 1),)
    raw = b""
    for x, y, sx, sy in passes:
        part = samples[y::sy, x::sx]
        if part.size:
            rows = _pack(part.reshape(part.shape[0], -1), depth)
            raw += _filter(rows, step, rng)
    data = zlib.compress(raw, level)
    size = idat or len(data)
    parts = b"".join(chunk(b"IDAT", data[i:i + size]) for i in range(0, len(data), size))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlace))
    plte = chunk(b"PLTE", palette) if palette is not None else b""
    return SIGNATURE + chunk(b"IHDR", head) + plte + before + parts + after + chunk(b"IEND")
