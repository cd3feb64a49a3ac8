"""Writes seeds for the fuzzers of what trainings read: seeds_nas.py FOLDER makes FOLDER/{idx,resume,supernet,training}.

The two bytes before a seed of idx are the length of its first file; the last of training chooses. The first of resume is whole: its
digest is right. Those of supernet are changes to a file that the fuzzer makes."""

import gzip
import io
import json
import os
import random
import struct
import sys
import tarfile

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def idx(shape, data, kind=8):
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + data


IMAGES, LABELS = idx((3, 2, 2), bytes(range(12))), idx((3,), b"\1\0\7")
PAIRS = [
    (IMAGES, LABELS), (gzip.compress(IMAGES), gzip.compress(LABELS)), (IMAGES[:-1], LABELS), (IMAGES, LABELS + b"x"),
    (LABELS, IMAGES), (IMAGES, idx((2,), b"\0\0")), (IMAGES, idx((3,), b"\0\0\xff")), (idx((0, 2, 2), b""), idx((0,), b"")),
    (idx((3, 0, 2), b""), LABELS), (idx((3, 2, 2), bytes(48), 13), LABELS), (gzip.compress(IMAGES)[:-9], LABELS), (b"", b""),
    (idx((0xFFFFFFFF,) * 3, b""), LABELS), (b"\x1f\x8b", LABELS), (gzip.compress(bytes(100000)), LABELS),
]


def mix(x):
    x &= MASK
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def digest(state, data):
    state = mix(state ^ len(data))
    for at in range(0, len(data) - 7, 8):
        state = (state ^ int.from_bytes(data[at:at + 8], "little")) * STEP & MASK
        state ^= state >> 32
    return mix(state ^ int.from_bytes(data[len(data) & ~7:], "little"))


def norm(name, channels):
    return [(f"{name}.{part}", (channels,)) for part in ("weight", "bias", "running_mean", "running_var")]


# stem=2 tail=1 layers=1:2, e3k3, 2 classes
TENSORS = [("stem.0.weight", (2, 3, 3, 3)), *norm("stem.1", 2), ("separable_conv.0.weight", (2, 1, 3, 3)),
           *norm("separable_conv.1", 2), ("separable_conv.3.weight", (1, 2, 1, 1)), *norm("separable_conv.4", 1),
           ("mb_module.0.conv1.weight", (3, 1, 1, 1)), *norm("mb_module.0.bn1", 3),
           ("mb_module.0.conv2.weight", (3, 1, 3, 3)), *norm("mb_module.0.bn2", 3),
           ("mb_module.0.conv3.weight", (1, 3, 1, 1)), *norm("mb_module.0.bn3", 1),
           ("conv_before_pooling.0.weight", (1, 1, 1, 1)), *norm("conv_before_pooling.1", 1),
           ("classifier.weight", (2, 1)), ("classifier.bias", (2,))]
METADATA = {"train.checkpoint": "1", "train.step": "7", "train.steps": "12", "train.loss": "4611686018427387904",
            "train.best": "4602678819172646912", "train.best_epoch": "1", "train.epoch": "1", "train.finished": "0",
            "train.data": "18446744073709551615", "train.options": "lr = 0.1\nscale = 0.5,1\nseed = 3\n",
            "train.results": "1,6,0.1,2,1,0.5,0.5,1,3\n"}


def count(shape):
    n = 1
    for side in shape:
        n *= side
    return n


def checkpoint(metadata, tensors=TENSORS, tail=b""):
    """Of sgd: weights and momentum, which running statistics have none of."""
    tensors = [("weights/" + name, shape) for name, shape in tensors] + [
        ("moment1/" + name, shape) for name, shape in tensors if ".running_" not in name]
    values = {name: struct.pack(f"<{count(shape)}f", *(0.5 + i / 8 for i in range(count(shape)))) for name, shape in tensors}
    state = 0
    for key, value in metadata.items():
        state = digest(digest(state, key.encode()), value.encode())
    for name, _ in tensors:
        state = digest(state, values[name])
    header, at, data = {"__metadata__": {**metadata, "train.digest": str(state)}}, 0, b""
    for name, shape in sorted(tensors):
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(values[name])]}
        at += len(values[name])
        data += values[name]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data + tail


def without(key):
    return {name: value for name, value in METADATA.items() if name != key}


CHECKPOINTS = [checkpoint(METADATA), checkpoint(METADATA)[:-1], checkpoint(METADATA, tail=b"x"), checkpoint({}),
               checkpoint(METADATA, TENSORS[:-1]), checkpoint({**METADATA, "train.checkpoint": "2"})]
CHECKPOINTS += [checkpoint(without(key)) for key in METADATA]
CHECKPOINTS += [checkpoint({**METADATA, **change}) for change in (
    {"train.step": "-1"}, {"train.step": "18446744073709551616"}, {"train.epoch": "8"}, {"train.loss": "9221120237041090560"},
    {"train.best": "9221120237041090560"}, {"train.options": "lr 0.1"}, {"train.options": "lr = -1\n"},
    {"train.options": "lr = 0.1"}, {"train.options": ""}, {"train.results": ""}, {"train.finished": "x"})]
CHECKPOINTS += [checkpoint(METADATA)[:-1] + b"\0"]


def archive(*names):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return file.getvalue()


TRAINING = [text.encode() + b"0" for text in (
    "a.png,cat\nb.png,dog\n", "path,label,split\na.png,0,train\nb.png,1,val\n", 'label,image\n"big cat","a ""b"".png"\n',
    "a.png\tcat\r\nb c.png\tdog\r\n", "a b.png cat\nc.png 12\n", "# comment\n\n/a.png,1", "a.png\n", "a.png,b,dev\n", '"a,b\n', ",,,\n",
    "\ufeffa.png,cat\n")]
TRAINING += [archive(*names) + b"0" for names in (
    ["photos/cat/1.png", "photos/dog/2.png"], ["./train/a/1.png", "./val/a/2.jpg", "./test/b/c/3.png"], ["1.png", "1.cls", "2.png"],
    ["a/1.png"], ["1.png"], ["x"])]
TRAINING += [text.encode() + b"1" for text in (
    "lr = 0.1\nseed=3\n", "# x\n\n  epochs =  7  \ndata = a\noutput=b\nnames = c", "class-weights = balanced\nscale = 0.2,1\n",
    "lr\n", "what = 1\n", "= 3\n", "mean = 0.5,0.5\n", "class-weights = /dev/null\n")]


def edit(kind, at, data):
    """0: delete as many bytes, 1: insert, 2: overwrite."""
    return struct.pack("<BHB", kind, at, len(data)) + (data if kind else b"")


def edits(rng):
    """Some changes of a few bytes, most of them in the head, in words and numbers."""
    pieces = [b"0", b"9", b"-", b" ", b"|id", b",", b"e6k7se", b"share", b"99999", b"\xff\xff\x7f\x7f", bytes(8)]
    return b"".join(edit(rng.randrange(3), rng.randrange(8, rng.choice([800, 8000, 65536])), rng.choice(pieces)) for _ in range(rng.randint(1, 3)))


HEAD, FLOATS = 800, 8352  # metadata come first; about where the values begin
SUPERNETS = [b"", *(edit(2, at, b"0123456789-|,=eks "[at % 17:][:1]) for at in range(8, HEAD, 3)),
             *(edit(kind, at, b"1") for at in range(8, HEAD, 13) for kind in (0, 1)),
             *(edit(2, FLOATS + 52 * i, struct.pack("<f", (float("inf"), float("nan"), 1e30, 0.0, -1e-40)[i % 5])) for i in range(50)),
             *(edits(random.Random(i)) for i in range(100))]


def main():
    for name, seeds in (("idx", [struct.pack(">H", len(a)) + a + b for a, b in PAIRS]), ("resume", CHECKPOINTS),
                        ("supernet", SUPERNETS), ("training", TRAINING)):
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        for i, seed in enumerate(seeds):
            with open(os.path.join(folder, f"seed-{i:03}"), "wb") as file:
                file.write(seed)


if __name__ == "__main__":
    main()
