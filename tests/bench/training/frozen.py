"""A new head on a frozen SCARLET-A: `scarlet train --freeze backbone` on 2,000 JPEG files of 500 x 375 pixels, timed.

    frozen.py SCARLET [ROUNDS]

SCARLET is the command of a build. Pictures are Fashion-MNIST's, enlarged and with grain (Debian's dataset-fashion-mnist);
the weights are random ones, conditioned so that features differ. Features in float32 and in int8 take turns; the times are
those of the whole command: features of 1,600 pictures, the fit, 400 pictures for validation, files and page. Last, in how
many of the 400 both heads agree.
"""

import csv
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "tests" / "demonstration")]
import fashion  # noqa: E402
from scarlet import reference  # noqa: E402

PICTURES = 2000


def write_pictures(folder):
    rng = np.random.default_rng(1)
    for i, (picture, label) in enumerate(zip(*(array[:PICTURES] for array in fashion.load("train")))):
        pixels = np.asarray(Image.fromarray(picture).convert("RGB").resize((500, 375), Image.BICUBIC), np.float32)
        pixels = np.clip(pixels + rng.normal(0, 6, (375, 500, 1)).astype(np.float32), 0, 255).astype(np.uint8)
        into = folder / fashion.class_name(label)
        into.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(into / f"{i}.jpg", quality=90)


def write_model(path):
    torch.manual_seed(1)
    model = reference.Scarlet(reference.GENOTYPES["A"], 1000)
    reference.condition(model, torch.randn(4, 3, 224, 224), random.Random(1))
    torch.save({"model_state": model.state_dict()}, path)


def train(command, data, model, output, features):
    """Seconds, seconds of CPU time, and of each validation picture its class and the one that is found."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    result = subprocess.run([command, "train", data, "--initial-checkpoint", model, "--freeze", "backbone", "--features",
                             features, "--output", output], capture_output=True, text=True)
    seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(result.stderr)
    with open(output / "predictions.csv", newline="") as file:
        classes = {row["file"]: (row["label"], row["top1"]) for row in csv.DictReader(file)}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, classes


def main(command, rounds=3):
    command, found = Path(command).resolve(), {"f32": [], "int8": []}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        write_pictures(scratch / "data")
        write_model(scratch / "model.pth")
        for i in range(int(rounds)):
            for features, runs in found.items():
                runs.append(train(command, scratch / "data", scratch / "model.pth", scratch / f"{features}-{i}", features))
    for features, runs in found.items():
        seconds, cpu = (statistics.median(run[i] for run in runs) for i in range(2))
        classes = runs[0][2]
        right = sum(label == first for label, first in classes.values())
        print(f"{features}: {seconds:.1f} s, {cpu:.1f} s of CPU time; {right} of {len(classes)} right")
    f32, int8 = (runs[0][2] for runs in found.values())
    print(f"the same class: {sum(int8[name] == pair for name, pair in f32.items())} of {len(f32)}")


main(*sys.argv[1:])
