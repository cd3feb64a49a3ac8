"""Pictures of every kind that is accepted, against Pillow and torchvision."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from torchvision import transforms

import scarlet
from scarlet import errors

RNG = np.random.RandomState(3)
PHOTO = RNG.randint(0, 256, (60, 90, 3)).astype(np.uint8)


def encoded(array, kind="PNG"):
    buffer = io.BytesIO()
    Pillow.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def reference(picture, resize=256, crop=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    return transforms.Compose([transforms.Resize(resize), transforms.CenterCrop(crop), transforms.ToTensor(),
                               transforms.Normalize(mean, std)])(picture.convert("RGB")).numpy()


def test_the_bits_of_torchvision(pictures):
    for path in pictures:
        assert np.array_equal(scarlet.preprocess(path), reference(Pillow.open(path)))
    picture = Pillow.fromarray(PHOTO)
    other = {"resize": 50, "crop": 40, "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7)}
    assert np.array_equal(scarlet.preprocess(PHOTO, **other), reference(picture, **other))
    assert np.array_equal(scarlet.preprocess(PHOTO, layout="nhwc", crop=32),
                          reference(picture, 36, 32).transpose(1, 2, 0))
    out = np.empty((3, 32, 32), np.float32)
    assert scarlet.preprocess(PHOTO, crop=32, out=out) is out and np.array_equal(out, reference(picture, 36, 32))


def test_every_kind_of_source(tmp_path):
    expected = reference(Pillow.fromarray(PHOTO))
    for kind in ("PNG", "JPEG"):
        data = encoded(PHOTO, kind)
        path = tmp_path / f"p\N{LATIN SMALL LETTER E WITH ACUTE} {kind}"
        path.write_bytes(data)
        decoded = Pillow.open(io.BytesIO(data))
        for source in (path, str(path), data, bytearray(data), memoryview(data), decoded, scarlet.Image(path)):
            assert np.array_equal(scarlet.preprocess(source), reference(decoded)), type(source)
    for mode in ("L", "RGBA", "P", "CMYK"):
        picture = Pillow.fromarray(PHOTO).convert(mode)
        assert np.array_equal(scarlet.preprocess(picture), reference(picture)), mode
    rgba = np.dstack([PHOTO, PHOTO[:, :, :1]])
    for source, pixels in ((PHOTO, None), (PHOTO, "rgb"), (PHOTO[:, :, ::-1], "bgr"), (rgba, None), (rgba, "rgba"),
                           (rgba[:, :, [2, 1, 0, 3]], "bgra"), (PHOTO.transpose(2, 0, 1).copy().transpose(1, 2, 0), None),
                           (np.asfortranarray(PHOTO), None), (PHOTO[::-1][::-1], None)):
        assert np.array_equal(scarlet.preprocess(scarlet.Image(source, pixels=pixels)), expected), pixels
    grey = reference(Pillow.fromarray(PHOTO[:, :, 0]))
    for source in (PHOTO[:, :, 0], PHOTO[:, :, :1], np.ascontiguousarray(PHOTO[:, :, 0])):
        assert np.array_equal(scarlet.preprocess(source), grey)


def test_a_region_is_not_copied():
    region = PHOTO[10:50, 20:80]
    image = scarlet.Image(region)
    assert (image.width, image.height) == (60, 40) and np.shares_memory(image.pixels, PHOTO)
    assert np.array_equal(scarlet.preprocess(image), reference(Pillow.fromarray(region)))


def test_frames():
    """A grey frame in each planar layout: no colour, luma scaled to full range."""
    luma = RNG.randint(16, 236, (16, 20)).astype(np.uint8)
    frame = np.vstack([luma, np.full((8, 20), 128, np.uint8)])
    results = [scarlet.preprocess(scarlet.Image(frame, pixels=pixels), crop=8) for pixels in ("nv12", "nv21", "i420")]
    assert all(np.array_equal(result, results[0]) for result in results)
    full = np.clip(np.rint((luma.astype(float) - 16) * 255 / 219), 0, 255).astype(np.uint8)
    image = scarlet.Image(frame, pixels="nv12")
    assert (image.width, image.height) == (20, 16)
    close = scarlet.preprocess(full, crop=8)
    assert np.abs(results[0] - close).max() < 2.1 / 255 / 0.224


def test_pixels_and_resize():
    with scarlet.Image(encoded(PHOTO)) as image:
        pixels = image.pixels
        assert repr(image) == "<scarlet.Image 90 x 60>"
        small = image.resize(31, 17)
    assert np.array_equal(pixels, PHOTO) and not pixels.flags.writeable, "the array keeps the memory"
    assert np.array_equal(small.pixels, np.asarray(Pillow.fromarray(PHOTO).resize((31, 17), Pillow.BILINEAR)))
    with pytest.raises(errors.ArgumentError, match="the picture is closed"):
        image.pixels
    for size in ((0, 4), (4, -1), (2 ** 32, 1)):
        with pytest.raises(errors.ArgumentError):
            small.resize(*size)


def test_probe():
    data = encoded(PHOTO, "JPEG")
    assert scarlet.probe(data) == (90, 60) == scarlet.probe(memoryview(data)[:-100])
    with pytest.raises(errors.FormatError):
        scarlet.probe(b"")


@pytest.mark.parametrize("source, options, message", [
    (PHOTO.astype(np.float32), {}, r"a picture of float32; expected uint8, 0 to 255; values of 0 to 1 become that by \(255"),
    (PHOTO.astype(np.int64), {}, "a picture of int64; expected uint8, 0 to 255$"),
    (PHOTO[None], {}, r"a picture of shape \(1, 60, 90, 3\); expected"),
    (PHOTO[:, :, :2], {}, r"a picture of shape \(60, 90, 2\); expected"),
    (PHOTO[:0], {}, "no pixels"),
    (PHOTO, {"pixels": "rgba"}, r"a picture of shape \(60, 90, 3\) for pixels='rgba'; expected"),
    (PHOTO, {"pixels": "hsv"}, "pixels: 'hsv' is not one of rgb, bgr, rgba"),
    (PHOTO[:31, :, 0], {"pixels": "nv12"}, "planes of 3/2 height"),
    (PHOTO[:30, :31, 0], {"pixels": "nv12"}, "even sizes"),
    ("x.png", {"pixels": "rgb"}, "pixels: only for arrays"),
    (PHOTO, {"crop": 3}, "option crop has no meaning here; known are max_pixels, auto_orient, decode"),
    (scarlet.Image(PHOTO), {"max_pixels": 3}, "decoded already"),
    (b"x.png", {}, "neither"), (7, {}, "int"), (None, {}, "object"),
])
def test_wrong_pictures(source, options, message):
    with pytest.raises(errors.Error, match=message):
        scarlet.Image(source, **options)


def test_wrong_options():
    data = encoded(PHOTO)
    for options, kind in (({"max_pixels": 100}, errors.LimitError), ({"std": (1, 0, 1)}, errors.ArgumentError),
                          ({"mean": (float("nan"), 0, 0)}, errors.ArgumentError), ({"crop": 0}, errors.ArgumentError),
                          ({"threads": 2}, errors.ArgumentError), ({"mean": (1, 2)}, errors.ArgumentError)):
        with pytest.raises(kind):
            scarlet.preprocess(data, **options)


def test_orientation():
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Pillow.fromarray(PHOTO).save(buffer, "JPEG", exif=exif)
    assert scarlet.Image(buffer.getvalue()).pixels.shape == (60, 90, 3)
    assert scarlet.Image(buffer.getvalue(), auto_orient=True).pixels.shape == (90, 60, 3)


def test_fast_decoding(model):
    """decode="fast" aims at what the call resizes to: given, of the model's metadata, or by default."""
    large = encoded(np.kron(PHOTO, np.ones((10, 10, 1), np.uint8)), "JPEG")
    assert scarlet.Image(large).pixels.shape == (600, 900, 3)
    assert scarlet.Image(large, decode="fast").pixels.shape == (600, 900, 3)
    for resize, shape in ((150, (300, 450, 3)), (75, (150, 225, 3)), (1, (75, 113, 3))):
        fast = scarlet.Image(large, decode="fast", resize=resize)
        assert fast.pixels.shape == shape
        assert np.array_equal(scarlet.preprocess(large, crop=28, resize=resize, decode="fast"),
                              scarlet.preprocess(fast, crop=28, resize=resize))
    fast = scarlet.Image(large, decode="fast", resize=32)
    assert np.array_equal(scarlet.preprocess(large, crop=28, decode="fast"), scarlet.preprocess(fast, crop=28))
    assert not np.array_equal(scarlet.preprocess(large, crop=28, decode="fast"), scarlet.preprocess(large, crop=28))
    with scarlet.Session(model) as session:
        fast = scarlet.Image(large, decode="fast", resize=36)  # the model's metadata: 1/8, without it 1/1
        assert session.classify(large, decode="fast") == session.classify(fast) != session.classify(large)
        assert np.array_equal(session.scores([large], decode="fast"), session.scores([fast]))
        assert np.array_equal(session.preprocess(large, decode="fast"), session.preprocess(fast))
