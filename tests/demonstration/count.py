#!/usr/bin/python3
"""Count by PyTorch how many pictures of FOLDER (a folder for each class, as export_pictures.py makes them) MODEL gets right.

Pictures go through torchvision's own pipeline. With --scarlet COMMAND that program classifies the same files too, and
both counts must be equal.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from torchvision import transforms
from torchvision.datasets import ImageFolder

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))
from scarlet import checkpoint  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--scarlet", metavar="COMMAND", help="the built scarlet program, e.g. build/src/scarlet")
    args = parser.parse_args()
    torch.set_num_threads(1)

    network, metadata = checkpoint.load(args.model)
    pictures = ImageFolder(args.folder, pipeline(metadata))
    expected = [label for _, label in pictures.samples]
    ours = classify(network, pictures)
    count = report("PyTorch", ours, expected)
    if args.scarlet:
        theirs = classify_by_command(args.scarlet, args.model, args.folder, [path for path, _ in pictures.samples])
        differing = sum(a != b for a, b in zip(ours, theirs))
        same = report("scarlet", theirs, expected) == count
        print(f"{differing} pictures are classified differently; the counts are {'equal' if same else 'NOT equal'}")
        sys.exit(0 if same else 1)


def pipeline(metadata):
    """torchvision's transforms, as the model's file states them."""
    mean, std = ([float(x) for x in metadata[f"scarlet.{key}"].split(",")] for key in ("mean", "std"))
    return transforms.Compose([
        transforms.Resize(int(metadata["scarlet.resize"])),
        transforms.CenterCrop(int(metadata["scarlet.input_size"])),
        transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])


def report(name, found, expected):
    right = sum(a == b for a, b in zip(found, expected))
    print(f"{name}: {right} of {len(expected)} right, top-1 {100 * right / len(expected):.2f} %", flush=True)
    return right


@torch.no_grad()
def classify(network, pictures):
    """The class of each picture, in order."""
    found = []  # not channels_last, with which PyTorch 2.6 of Debian 13 is wrong
    for batch, _ in torch.utils.data.DataLoader(pictures, batch_size=100):
        found += network(batch).argmax(1).tolist()
    return found


def classify_by_command(command, model, folder, paths):
    """The same by `scarlet classify`, one process for the whole folder."""
    output = subprocess.run([command, "classify", "--json", "--quiet", "--top-k", "1", "--model", model, folder],
                            check=True, stdout=subprocess.PIPE).stdout
    classes = {}
    for line in output.decode().splitlines():
        record = json.loads(line)
        classes[os.path.realpath(record["file"])] = record["predictions"][0]["class"]
    return [classes[os.path.realpath(path)] for path in paths]


if __name__ == "__main__":
    main()
