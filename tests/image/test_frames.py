"""Wrapped frames: every pixel format gives what the same pixels give as RGB; regions; planes."""
import numpy as np
import pytest

from pictures import scene
from reference import reference_tensor, same_bits

SIZES = ((2, 2), (64, 48), (2, 400), (400, 2), (46, 38), (330, 250), (256, 256))


def rgb_of(y, cb, cr):
    """BT.601 limited range, as the comment of lib/image/yuv.c states it; a chroma sample for two by
    two pixels."""
    cb, cr = (plane.repeat(2, 0).repeat(2, 1).astype(int) - 128 for plane in (cb, cr))
    luma = 9539 * (y.astype(int) - 16)
    planes = (luma + 13075 * cr, luma - 3209 * cb - 6660 * cr, luma + 16525 * cb)
    return np.stack([np.clip((plane + 4096) >> 13, 0, 255) for plane in planes], -1).astype(np.uint8)


def test_formula_is_bt601():
    """The integer factors against the standard's definition."""
    kr, kb = 0.299, 0.114
    y, cb, cr = (v.reshape(1, -1) for v in np.meshgrid(
        np.arange(16, 236, 3), np.arange(16, 241, 4), np.arange(16, 241, 4)))
    found = rgb_of(*(v.astype(np.uint8) for v in (y.repeat(2, 0).repeat(2, 1), cb, cr)))[0, ::2]
    luma, blue, red = (y[0] - 16) / 219, (cb[0] - 128) / 224, (cr[0] - 128) / 224
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    exact = np.clip(255 * np.stack([r, g, b], -1), 0, 255)
    assert abs(found - exact).max() < 0.52  # half a level is the rounding


def planar(rng, width, height):
    y = rng.integers(0, 256, (height, width), np.uint8)
    cb, cr = rng.integers(0, 256, (2, height // 2, width // 2), np.uint8)
    return y, cb, cr


def padded(rows, stride, rng):
    """Rows of bytes with rubbish after each."""
    out = rng.integers(0, 256, (len(rows), stride), np.uint8)
    out[:, :rows.shape[1]] = rows
    return out


def frame(rng, format, width, height):
    """Rows of bytes of a random frame, planes one below the other, and the frame as RGB."""
    rgb = scene(rng, width, height)
    alpha = rng.integers(0, 256, (height, width, 1), np.uint8)
    packed = {"RGB": rgb, "BGR": rgb[..., ::-1], "RGBA": np.concatenate([rgb, alpha], -1),
              "BGRA": np.concatenate([rgb[..., ::-1], alpha], -1), "GRAY": rgb[..., :1]}
    if format in packed:
        if format == "GRAY":
            rgb = rgb[..., :1].repeat(3, -1)
        return packed[format].reshape(height, -1), rgb
    y, cb, cr = planar(rng, width, height)
    rgb = rgb_of(y, cb, cr)
    pair = {"NV12": (cb, cr), "NV21": (cr, cb)}[format]
    return np.concatenate([y, np.stack(pair, -1).reshape(height // 2, width)]), rgb


@pytest.mark.parametrize("format", ("RGB", "BGR", "RGBA", "BGRA", "GRAY", "NV12", "NV21"))
def test_formats(dump, rng, tmp_path, format):
    path = tmp_path / "frame"
    odd = ((1, 1), (3, 7), (201, 99)) if not format.startswith("NV") else ()
    for width, height in (*SIZES, *odd):
        for options, resize, crop in (("", 256, 224), ("crop=31,resize=40", 40, 31)):
            rows, rgb = frame(rng, format, width, height)
            stride = rows.shape[1] + int(rng.choice([0, 1, 13]))
            data = padded(rows, stride, rng).tobytes()[:stride * (len(rows) - 1) + rows.shape[1]]
            path.unlink(missing_ok=True)
            path.write_bytes(data)  # ends with the last pixel: not a byte may be read past it
            found = dump.wrap(path, format, width, height, stride, options=options)
            same_bits(found, reference_tensor(rgb, resize, crop))


def test_i420(dump, rng, tmp_path):
    path = tmp_path / "frame"
    for width, height in SIZES:
        y, cb, cr = planar(rng, width, height)
        stride = width + int(rng.choice([0, 2, 14]))
        path.unlink(missing_ok=True)
        path.write_bytes(padded(y, stride, rng).tobytes() + padded(cb, stride // 2, rng).tobytes() +
                         padded(cr, stride // 2, rng).tobytes())
        expected = reference_tensor(rgb_of(y, cb, cr))
        same_bits(dump.wrap(path, "I420", width, height, stride), expected)


def test_regions(dump, rng, tmp_path):
    """A part of a frame by its first pixel and the frame's stride."""
    path = tmp_path / "frame"
    bgra, rgb = frame(rng, "BGRA", 120, 90)
    path.write_bytes(bgra.tobytes())
    for left, top, width, height in ((0, 0, 120, 90), (17, 5, 64, 64), (119, 89, 1, 1),
                                     (3, 40, 117, 50)):
        found = dump.wrap(path, "BGRA", width, height, 480, top * 480 + left * 4)
        same_bits(found, reference_tensor(rgb[top:top + height, left:left + width].copy()))


def test_planes(dump, rng, tmp_path):
    """Planes anywhere, with their own strides; regions of them."""
    path = tmp_path / "planes"
    y, cb, cr = planar(rng, 80, 60)
    pairs = np.stack([cb, cr], -1).reshape(30, 80)
    swapped = np.stack([cr, cb], -1).reshape(30, 80)
    parts, at = [padded(cr, 51, rng), padded(y, 97, rng), padded(cb, 40, rng),
                 padded(pairs, 83, rng), padded(swapped, 80, rng)], [0]
    for part in parts:
        at.append(at[-1] + part.size)
    path.write_bytes(b"".join(part.tobytes() for part in parts))
    rgb = rgb_of(y, cb, cr)
    for left, top, width, height in ((0, 0, 80, 60), (6, 20, 40, 34), (78, 58, 2, 2)):
        luma = (97, at[1] + top * 97 + left)
        half = top // 2, left // 2
        three = ((40, at[2] + half[0] * 40 + half[1]), (51, at[0] + half[0] * 51 + half[1]))
        expected = reference_tensor(rgb[top:top + height, left:left + width].copy())
        same_bits(dump.planes(path, "I420", width, height, luma, *three), expected)
        chroma = (83, at[3] + half[0] * 83 + left)
        same_bits(dump.planes(path, "NV12", width, height, luma, chroma), expected)
        chroma = (80, at[4] + half[0] * 80 + left)
        same_bits(dump.planes(path, "NV21", width, height, luma, chroma), expected)
