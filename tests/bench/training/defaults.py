"""Defaults of `scarlet train` beside their neighbours, on three sets.

    defaults.py SCARLET [--sets digits,fashion,textures] [--seeds N] [--arch NETWORK]

SCARLET is the command of a build. Of each set a test part, which chooses nothing, is scored after each training. Options
that a row does not name keep their defaults. So that a seed takes ten minutes of two cores the network is a small one;
--arch scarlet-c is the default one.

Needs Debian's dataset-fashion-mnist, python3-sklearn and python3-skimage.
"""

import argparse
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

FASHION = Path("/usr/share/datasets/fashion-mnist")
SMALL = ["--space", "stem=8 tail=96 layers=16:2,24:2,32:1,48:2", "--arch", "e3k3,e3k3se,e3k5,e6k3se"]
TEXTURES = ["astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
            "ihc.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg"]


# ---- sets ----

def write_idx(folder, part, pictures, labels):
    shape = b"".join(n.to_bytes(4, "big") for n in pictures.shape)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + shape + pictures.astype(np.uint8).tobytes())
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(
        b"\0\0\x08\x01" + len(labels).to_bytes(4, "big") + labels.astype(np.uint8).tobytes())


def fashion(folder):
    """Clothes of 28 pixels: the first 2,500 of the training pictures, and all test pictures."""
    for part, count in ("train", 2500), ("t10k", 10000):
        with gzip.open(FASHION / f"{part}-images-idx3-ubyte.gz") as file:
            pictures = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(FASHION / f"{part}-labels-idx1-ubyte.gz") as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8)
        write_idx(folder, part, pictures[:count], labels[:count])


def digits(folder):
    """Handwritten digits of 8 pixels: 1,000 for training, the other 797 as the test."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pictures = np.rint(data.images * (255 / 16))
    write_idx(folder, "train", pictures[:1000], data.target[:1000])
    write_idx(folder, "t10k", pictures[1000:], data.target[1000:])


def textures(folder):
    """Which photograph a grey square of 48 pixels was cut from; training and test are of different cells of a grid."""
    import skimage

    rng = np.random.default_rng(1)
    for name in TEXTURES:
        photograph = Image.open(Path(skimage.__file__).parent / "data" / name).convert("L")
        photograph.thumbnail((512, 512))
        cells = [(x, y) for y in range(0, photograph.height - 63, 64) for x in range(0, photograph.width - 63, 64)]
        rng.shuffle(cells)
        tested = len(cells) // 3
        for part, chosen, count in ("test", cells[:tested], 80), ("train", cells[tested:], 60):
            into = folder / part / name.split(".")[0]
            into.mkdir(parents=True)
            for i in range(count):
                x, y = chosen[i % len(chosen)] + rng.integers(0, 17, 2)
                photograph.crop((x, y, x + 48, y + 48)).save(into / f"{i:03}.png")


SETS = {"digits": digits, "fashion": fashion, "textures": textures}


# ---- trainings ----

def train(command, data, *options):
    """Right answers among the test pictures, their number, and what the library chose."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        result = subprocess.run([command, "train", data, "--output", run, "--json", *map(str, options)],
                                capture_output=True, text=True)
        if result.returncode:
            sys.exit(result.stderr)
        chosen = dict(re.findall(r"^# ([\w-]+): (.*)$", (run / "args.txt").read_text(), re.M))
    test = json.loads(result.stdout.splitlines()[-1])["test"]
    return test["right"], test["total"], chosen


def neighbours(chosen):
    """Names and options of what lies beside the defaults."""
    rate, batch, aug = float(chosen["lr"]), int(chosen["batch-size"]), chosen["aug"]
    yield "learning rate / 3", ["--lr", rate / 3]
    yield "learning rate x 3", ["--lr", rate * 3]
    yield "half the batch", ["--batch-size", batch // 2]
    yield "twice the batch", ["--batch-size", batch * 2]
    for other in "none", "light", "standard":
        if other != aug:
            yield f"aug {other}", ["--aug", other]


def measure(command, name, seed, options, found):
    """Trains with the defaults and their neighbours; adds the share of right answers to `found` [set, row]."""
    def row(title, *more):
        right, total, chosen = train(command, scratch, *options, "--seed", seed, *more)
        found.setdefault((name, title), []).append(right / total)
        print(f"{name}, seed {seed}, {title}: {right} of {total}", flush=True)
        return chosen

    with tempfile.TemporaryDirectory() as scratch:
        SETS[name](Path(scratch))
        chosen = row("defaults")
        print("  " + ", ".join(f"{key} {chosen[key]}" for key in (
            "input-size", "batch-size", "micro-batch", "lr", "aug", "ema-decay")))
        for title, more in neighbours(chosen):
            row(title, *more)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", metavar="SCARLET", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--arch")
    args = parser.parse_args()
    network = ["--arch", args.arch] if args.arch else SMALL
    found = {}
    for seed in range(1, args.seeds + 1):
        for name in args.sets.split(","):
            measure(args.command.resolve(), name, seed, network, found)
    print("\n| set | | test top-1, % (each seed) |\n|---|---|---|")
    for (name, title), shares in found.items():
        each = ", ".join(f"{100 * share:.1f}" for share in shares)
        print(f"| {name} | {title} | {100 * statistics.mean(shares):.1f} ({each}) |")


main()
