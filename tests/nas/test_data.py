"""Random numbers, augmentation, splits and micro-batches against Python, Pillow and torchvision."""

import math
import os
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image
from torchvision import transforms
from torchvision.transforms import autoaugment
from torchvision.transforms import functional as F

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
SPLIT, ORDER, AUGMENT, MIX = 1, 2, 3, 4
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


class Random:
    """The library's generator, written anew: splitmix64's finaliser of a key and a counter."""

    def __init__(self, seed, purpose, epoch, item):
        key = self.mix(seed + STEP)
        for part in (purpose, epoch, item):
            key = self.mix(key + part * STEP)
        self.key, self.counter = key, 0

    @staticmethod
    def mix(x):
        x &= MASK
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
        x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
        return x ^ x >> 31

    def bits(self):
        self.counter += 1
        return self.mix(self.key + self.counter * STEP)

    def unit(self):
        return (self.bits() >> 11) * 2.0 ** -53

    def between(self, low, high):
        return low + (high - low) * self.unit()

    def below(self, n):
        while True:
            product = (self.bits() >> 32) * n
            if product & 0xFFFFFFFF >= (1 << 32) % n:
                return product >> 32


class Refused(Exception):
    pass


@pytest.fixture(scope="module")
def ask():
    process = subprocess.Popen([os.environ["SCARLET_NAS_DATA"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def request(*fields, dtype=np.float32):
        process.stdin.write("\t".join(map(str, fields)).encode() + b"\n")
        process.stdin.flush()
        status, length = struct.unpack("<iI", process.stdout.read(8))
        data = process.stdout.read(length)
        if status:
            raise Refused(data.decode())
        return np.frombuffer(data, dtype)

    yield request
    process.stdin.close()
    assert process.wait() == 0


# ---- random numbers ----

@pytest.mark.parametrize("place", [(0, 1, 0, 0), (1, 3, 2, 7), (MASK, 5, 1 << 40, MASK - 1)])
def test_bits(ask, place):
    random = Random(*place)
    assert ask("bits", *place, 100, dtype=np.uint64).tolist() == [random.bits() for _ in range(100)]


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 0x80000001, 0xFFFFFFFF])
def test_below(ask, n):
    random = Random(1, 2, 3, 4)
    found = ask("below", 1, 2, 3, 4, n, 1000, dtype=np.uint32)
    assert found.tolist() == [random.below(n) for _ in range(1000)]
    assert found.max() < n


def test_uniform(ask):
    """Each of 100 values about equally often; neighbours in each coordinate are unrelated."""
    n = 100000
    counts = np.bincount(ask("below", 7, 2, 0, 0, 100, n, dtype=np.uint32), minlength=100)
    assert ((counts - n / 100) ** 2 / (n / 100)).sum() < 150  # chi-squared, 99 degrees: 1 in 1000
    for axis in range(4):
        places = [[1, 2, 3, 4] for _ in range(2000)]
        for i, place in enumerate(places):
            place[axis] = i
        first = np.array([ask("bits", *place, 1, dtype=np.uint64)[0] for place in places]) / 2.0 ** 64
        assert abs(first.mean() - 0.5) < 0.03
        assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.08


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.4, 1, 2])
def test_beta(ask, alpha):
    """Mean and variance of Beta(alpha, alpha), and its quartiles' symmetry."""
    n = 20000
    x = ask("beta", 3, int(alpha * 100), alpha, n, dtype=np.float64)
    variance = 1 / (4 * (2 * alpha + 1))
    assert ((0 <= x) & (x <= 1)).all()
    assert abs(x.mean() - 0.5) < 5 * math.sqrt(variance / n)
    assert abs(x.var() / variance - 1) < 0.05


# ---- numbers ----

def one(ask, *fields):
    return ask(*fields, dtype=np.float64)[0]


def test_real(ask):
    """exp, log and cos of our own, within an ulp or two of correct."""
    rng = np.random.default_rng(1)
    for x in [0, 1, -1, 709.7, -744, -700, *rng.uniform(-50, 50, 200), *rng.uniform(-1e-6, 1e-6, 20)]:
        assert one(ask, "real", "exp", repr(float(x))) == pytest.approx(math.exp(x), rel=5e-16 * max(1, abs(x) / 50), abs=5e-324)
    assert one(ask, "real", "exp", "-1000") == 0 and one(ask, "real", "exp", "1000") == math.inf
    for x in [1, 2, 0.5, 1e300, 5e-324, 1e-310, 1 + 2 ** -52, *10 ** rng.uniform(-20, 20, 200), *rng.uniform(0.9, 1.1, 50)]:
        assert one(ask, "real", "log", repr(float(x))) == pytest.approx(math.log(x), rel=5e-16, abs=1e-18)
    for x in [0, 1, 0.5, 0.25, 0.75, *rng.uniform(0, 1, 200)]:
        assert one(ask, "real", "cos", repr(float(x))) == pytest.approx(math.cos(math.pi * x), abs=5e-16)


def test_rate(ask):
    """Warm-up and the courses, as PyTorch's and timm's schedulers have them."""
    def rate(course, step, peak=0.1, least=0.001, warm=10, steps=110, period=25.5, fall=0.1, share=0):
        return one(ask, "rate", course, peak, least, warm, steps, period, fall, share, step)

    for course in range(3):
        for step in range(10):
            assert rate(course, step) == pytest.approx(0.1 * (step + 1) / 10, rel=1e-12)
    for step in (10, 11, 60, 109):
        expected = 0.001 + 0.099 * (1 + math.cos(math.pi * (step - 10) / 100)) / 2
        assert rate(0, step) == pytest.approx(expected, rel=1e-12)
    assert rate(0, 110) == rate(0, 5000) == 0.001
    assert rate(0, 50, steps=0) == 0.1  # while --time is being measured
    for step in (10, 25, 26, 50, 51, 52, 76, 77, 200):
        assert rate(1, step) == pytest.approx(0.1 * 0.1 ** math.floor(step / 25.5), rel=1e-12)
    assert rate(2, 10) == rate(2, 10000) == 0.1
    assert rate(0, 0, warm=0) == 0.1
    for step in (0, 9, 10, 50):  # a warm-up that would take too much
        assert rate(0, step, warm=100, share=0.1, steps=105) == rate(0, step, warm=10, steps=105)
        assert rate(0, step, warm=5, share=0.1) == rate(0, step, warm=5)
        assert rate(0, step, warm=100, share=0.1, steps=0) == rate(0, step, warm=100, steps=0)


# ---- augmentation ----

RECIPE = dict(side=32, resize=36, crop=1, scale=(0.2, 1), ratio=(3 / 4, 4 / 3), hflip=0.5, vflip=0, reprob=0, jitter=0, trivial=0)


def crop_box(random, width, height, scale, ratio):
    """torchvision's RandomResizedCrop.get_params."""
    for _ in range(10):
        target = width * height * random.between(*scale)
        aspect = math.exp(random.between(math.log(ratio[0]), math.log(ratio[1])))
        w, h = int(round(math.sqrt(target * aspect))), int(round(math.sqrt(target / aspect)))
        if 0 < w <= width and 0 < h <= height:
            top = random.below(height - h + 1)
            return random.below(width - w + 1), top, w, h
    if width / height < ratio[0]:
        w, h = width, min(height, int(round(width / ratio[0])))
    elif width / height > ratio[1]:
        w, h = min(width, int(round(height * ratio[1]))), height
    else:
        w, h = width, height
    return (width - w) // 2, (height - h) // 2, w, h


CHANGES = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness",
           "Posterize", "Solarize", "AutoContrast", "Equalize"]


def trivial_augment(random, picture):
    """torchvision's TrivialAugmentWide, which applies this to magnitudes that it has as floats."""
    change, strength, sign = CHANGES[random.below(14)], random.below(31), (1, -1)[random.below(2)]
    magnitude = {"Posterize": 8 - round(strength / 5), "Solarize": 255 - 255 * strength / 30, "Rotate": sign * 135 * strength / 30,
                 "TranslateX": sign * 32 * strength / 30, "TranslateY": sign * 32 * strength / 30}
    return autoaugment._apply_op(picture, change, magnitude.get(change, 0.99 * (sign * strength / 30)),
                                 transforms.InterpolationMode.NEAREST, None)


def expected(picture, seed, epoch, item, side, resize, crop, scale, ratio, hflip, vflip, reprob, jitter, trivial):
    random = Random(seed, AUGMENT, epoch, item)
    if crop:
        x, y, w, h = crop_box(random, *picture.size, scale, ratio)
        picture = F.resized_crop(picture, y, x, h, w, (side, side))
    else:
        picture = F.center_crop(F.resize(picture, resize), side)
    flips = random.unit() < hflip, random.unit() < vflip
    if flips[0]:
        picture = F.hflip(picture)
    if flips[1]:
        picture = F.vflip(picture)
    if trivial:
        picture = trivial_augment(random, picture)
    if jitter:
        changes = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation]
        while changes:
            i = random.below(len(changes))
            factor = random.between(1 - jitter, 1 + jitter)
            picture = changes[i](picture, factor)
            changes[i] = changes[-1]
            changes.pop()
    out = (np.asarray(picture, np.float32) / np.float32(255) - MEAN) / STD
    if random.unit() < reprob:
        for _ in range(10):
            target = side * side * random.between(0.02, 0.33)
            aspect = math.exp(random.between(math.log(0.3), math.log(3.3)))
            h, w = int(round(math.sqrt(target * aspect))), int(round(math.sqrt(target / aspect)))
            if h < side and w < side:
                top = random.below(side - h + 1)
                left = random.below(side - w + 1)
                out[top:top + h, left:left + w] = 0
                break
    return out


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A picture with edges and gradients, as PNG."""
    def make(width, height):
        y, x = np.mgrid[:height, :width]
        noise = np.random.default_rng(width * 1000 + height).integers(0, 60, (height, width, 3))
        pixels = np.stack([x * 255 // width, y * 255 // height, (x // 7 + y // 5) % 2 * 180], -1) * 3 // 4 + noise
        path = tmp_path_factory.mktemp("pictures") / f"{width}x{height}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        return path
    return make


@pytest.mark.parametrize("change", [
    {}, dict(scale=(0.7, 1), ratio=(0.9, 1 / 0.9)), dict(hflip=1, vflip=1), dict(jitter=0.4), dict(jitter=1, hflip=0),
    dict(reprob=1), dict(crop=0), dict(crop=0, side=33, resize=50), dict(side=64, scale=(0.01, 0.02)), dict(side=1, resize=1),
    dict(jitter=0.3, reprob=0.5, vflip=0.5, side=48)], ids=str)
@pytest.mark.parametrize("size", [(120, 80), (28, 28), (5, 200), (300, 31), (1, 1)], ids=str)
def test_augment(ask, photo, change, size):
    recipe = RECIPE | change
    path = photo(*size)
    picture = Image.open(path).convert("RGB")
    text = " ".join(f"{x!r}" for key in recipe for x in np.atleast_1d(recipe[key]).tolist())
    for seed, epoch, item in [(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 7, 123456789012)]:
        found = ask("augment", path, seed, epoch, item, text).reshape(recipe["side"], recipe["side"], 3)
        np.testing.assert_array_equal(found, expected(picture, seed, epoch, item, **recipe))


@pytest.mark.parametrize("side", [1, 2, 3, 32, 65])
def test_trivial(ask, photo, side):
    """Every change of every strength, bit for bit."""
    recipe = RECIPE | dict(side=side, resize=side, crop=0, hflip=0, trivial=1)
    path, seen = photo(side, side), set()
    picture = Image.open(path).convert("RGB")
    text = " ".join(f"{x!r}" for key in recipe for x in np.atleast_1d(recipe[key]).tolist())
    for item in range(4000 if side == 32 else 500):
        random = Random(5, AUGMENT, 0, item)
        random.unit(), random.unit()  # the two flips
        drawn = random.below(14), random.below(31), random.below(2)
        if drawn in seen:
            continue
        seen.add(drawn)
        found = ask("augment", path, 5, 0, item, text).reshape(side, side, 3)
        np.testing.assert_array_equal(found, expected(picture, 5, 0, item, **recipe), err_msg=f"{CHANGES[drawn[0]]} {drawn}")
    assert len(seen) > (850 if side == 32 else 350)


# ---- datasets ----

def idx(path, array):
    """An IDX file of bytes."""
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """103 pictures of 6 x 6 in 5 classes, one of them empty, one of a single picture."""
    folder = tmp_path_factory.mktemp("idx")
    random = np.random.default_rng(1)
    labels = np.array([0] * 50 + [1] * 30 + [2] * 22 + [4], np.uint8)
    random.shuffle(labels)
    pictures = random.integers(0, 256, (len(labels), 6, 6), np.uint8)
    return idx(folder / "images", pictures), idx(folder / "labels", labels), pictures, labels


def test_split(ask, files):
    images, labels, _, label = files
    for fraction in (0.01, 0.1, 0.2, 0.5, 0.99):
        parts = [ask("split", images, labels, 5, fraction, seed, dtype=np.uint8) for seed in (1, 1, 2)]
        assert (parts[0] == parts[1]).all() and (parts[0] != parts[2]).any()
        for part in parts:
            for c in range(5):
                n, chosen = (label == c).sum(), part[label == c].sum()
                share = int(n * fraction + 0.5)
                assert chosen == (0 if n < 2 else min(max(share, 1), n - 1))


def loader(micro=4, micros=3, seed=1, smoothing=0.0, mixup=0.0, cutmix=0.0, weights=0, balanced=0, side=6):
    return f"{micro} {micros} {seed} {smoothing} {mixup} {cutmix} {weights} {balanced} {side}"


def test_shuffle(ask, files):
    """Each epoch is another permutation; the seed counts."""
    orders = [ask("order", *files[:2], 5, loader(seed=seed), epoch, dtype=np.uint32).tolist()
              for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    for order in orders:
        assert sorted(order) == list(range(103))
    assert orders[0] != orders[1] and orders[0] != orders[2]
    assert ask("order", *files[:2], 5, loader(), 0, dtype=np.uint32).tolist() == orders[0]


def test_shuffle_is_fair(ask, files):
    """Every picture comes to every quarter of an epoch about equally often."""
    quarter = np.zeros((103, 4), int)
    for epoch in range(400):
        order = ask("order", *files[:2], 5, loader(), epoch, dtype=np.uint32)
        for place in range(4):
            quarter[order[place * 26:(place + 1) * 26], place] += 1
    assert quarter.min() > 60 and quarter.max() < 145  # 100 on average, deviation 8.7


def test_balanced(ask, files):
    """Each class that has pictures is drawn equally often, and within it each picture."""
    label = files[3]
    drawn = np.concatenate([ask("order", *files[:2], 5, loader(balanced=1), epoch, dtype=np.uint32)
                            for epoch in range(200)])
    counts = np.bincount(label[drawn], minlength=5)
    assert counts[3] == 0 and np.abs(counts[[0, 1, 2, 4]] / len(drawn) - 0.25).max() < 0.015
    of_class = np.bincount(drawn, minlength=103)[label == 0]
    assert of_class.min() > 0.6 * of_class.mean() and of_class.max() < 1.4 * of_class.mean()


def plain(files, index, smoothing=0.0, weight=None):
    """Pictures and targets of a micro-batch before mixing."""
    pictures, label = files[2][index], files[3][index]
    mean, std = np.float32([0.5, 0.25, 0]), np.float32([1, 0.5, 0.25])
    x = (pictures[..., None].astype(np.float32) / np.float32(255) - mean) / std
    target = np.full((len(index), 5), smoothing / 5)
    target[np.arange(len(index)), label] += 1 - smoothing
    return x, target * (np.ones(5) if weight is None else weight)[label][:, None]


def fetch(ask, files, text, step, index, n=4):
    values = ask("fetch", *files[:2], 5, text, step, index)
    return values[:n * 108].reshape(n, 6, 6, 3), values[n * 108:].reshape(n, 5)


@pytest.mark.parametrize("smoothing, weights", [(0, 0), (0.1, 0), (0.05, 1), (0.1, 2), (0, 3)])
def test_micro_batches(ask, files, smoothing, weights):
    """Micro-batches walk through the epoch's order; 8 steps of 12 pictures, the last 7 are dropped."""
    text = loader(smoothing=smoothing, weights=weights)
    counts = np.bincount(files[3], minlength=5)
    weight = np.ones(5) / np.maximum(counts, 1) if weights & 1 else np.ones(5)
    weight = weight * (np.arange(1, 6) if weights & 2 else 1)
    weight *= 103 / (weight * counts).sum()
    for step, index in ((0, 0), (3, 2), (7, 2), (8, 0), (17, 1)):
        order = ask("order", *files[:2], 5, text, step // 8, dtype=np.uint32)
        first = (step % 8 * 3 + index) * 4
        x, target = plain(files, order[first:first + 4], smoothing, weight)
        found = fetch(ask, files, text, step, index)
        np.testing.assert_array_equal(found[0], x)
        np.testing.assert_allclose(found[1], target, rtol=1e-6)


def joehnk(random, alpha):
    while True:
        x, y = ((1 - random.unit()) ** (1 / alpha) for _ in range(2))
        if x + y <= 1:
            return x / (x + y)


@pytest.mark.parametrize("mixup, cutmix", [(0.4, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("micro", [4, 5])
def test_mixing(ask, files, mixup, cutmix, micro):
    """Picture i and its mirror image in the micro-batch, as timm does it with a batch."""
    text = loader(micro=micro, micros=2, mixup=mixup, cutmix=cutmix)
    for step in range(8):
        order = ask("order", *files[:2], 5, text, 0, dtype=np.uint32)
        first = (step * 2 + 1) * micro
        x, target = plain(files, order[first:first + micro])
        random = Random(1, MIX, step, 1)
        cut = cutmix > 0 and (not mixup or random.unit() < 0.5)
        share = joehnk(random, cutmix if cut else mixup)
        mixed = x.copy()
        if cut:
            half = int(6 * math.sqrt(1 - share)) // 2
            cx, cy = random.below(6), random.below(6)
            rows, columns = slice(max(cy - half, 0), min(cy + half, 6)), slice(max(cx - half, 0), min(cx + half, 6))
            mixed[:, rows, columns] = x[::-1, rows, columns]
            share = 1 - mixed[0, rows, columns, 0].size / 36
        else:
            mixed = share * x + (1 - share) * x[::-1]
        found = fetch(ask, files, text, step, 1, micro)
        np.testing.assert_allclose(found[0], mixed, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found[1], share * target + (1 - share) * target[::-1], rtol=1e-5, atol=1e-6)


# ---- IDX files ----

def test_idx_refused(ask, files, tmp_path):
    import gzip
    images, labels = files[0].read_bytes(), files[1].read_bytes()

    def message(image_bytes, label_bytes, classes=5):
        (tmp_path / "x").write_bytes(image_bytes)
        (tmp_path / "y").write_bytes(label_bytes)
        try:
            ask("split", tmp_path / "x", tmp_path / "y", classes, 0.5, 1, dtype=np.uint8)
        except Refused as refusal:
            return str(refusal).replace(str(tmp_path) + "/", "")
        return "fine"

    packed = gzip.compress(images)
    assert message(images, labels) == message(packed, gzip.compress(labels)) == "fine"
    assert message(images[:-1], labels) == "x: 3707 bytes of data, the head promises 3708"
    assert message(images + b"x", labels) == "x: 3709 bytes of data, the head promises 3708"
    assert message(b"", labels) == "x: not an IDX file of bytes"
    assert message(b"\0\0\x0d\3" + images[4:], labels) == "x: not an IDX file of bytes"
    assert message(labels, labels) == "x: an IDX file of 1 dimensions; expected 3"
    assert message(images, images) == "y: an IDX file of 3 dimensions; expected 1"
    assert message(b"\0\0\x08\3" + b"\xff" * 12, labels).startswith("x: 0 bytes of data, the head promises ")
    assert message(packed[:-9], labels) == "x: damaged gzip data"
    assert message(packed[:60] + b"\xff" + packed[61:], labels) == "x: damaged gzip data"
    assert message(images, labels, 3).startswith("y: label 4 of picture ")
    shorter = struct.pack(">HBBI", 0, 8, 1, 102) + labels[8:-1]
    assert message(images, shorter) == "y: 102 labels for 103 pictures"
    empty = struct.pack(">HBB3I", 0, 8, 3, 103, 0, 6)
    assert message(empty, labels).endswith("width and height are 1 .. 2147483647")
