#!/usr/bin/python3
"""Count how many pictures of FOLDER (a folder a class, see export_pictures.py) MODEL classifies correctly, by PyTorch.

The pictures go through torchvision's own pipeline. MODEL is a checkpoint (.pth) or the exported .safetensors. With
--scarlet COMMAND that program classifies the same files too, and both counts must be equal.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy
import torch
from torchvision import transforms
from torchvision.datasets import ImageFolder

import fashion

sys.path.insert(0, os.path.join(fashion.HERE, "../../bindings/python"))
from scarlet.reference import GENOTYPES, Scarlet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--scarlet", metavar="COMMAND", help="the built scarlet program, e.g. build/src/scarlet")
    args = parser.parse_args()
    torch.set_num_threads(1)

    pictures = ImageFolder(args.folder, transforms.Compose([
        transforms.Resize(fashion.SIDE),
        transforms.CenterCrop(fashion.SIDE),
        transforms.ToTensor(),
        transforms.Normalize([fashion.MEAN] * 3, [fashion.STD] * 3),
    ]))
    expected = [label for _, label in pictures.samples]
    ours = classify(args.model, pictures)
    count = report("PyTorch", ours, expected)
    if args.scarlet:
        theirs = classify_by_command(args.scarlet, args.model, args.folder, [path for path, _ in pictures.samples])
        differing = sum(a != b for a, b in zip(ours, theirs))
        same = report("scarlet", theirs, expected) == count
        print(f"{differing} pictures are classified differently; the counts are {'equal' if same else 'NOT equal'}")
        sys.exit(0 if same else 1)


def report(name, found, expected):
    right = sum(a == b for a, b in zip(found, expected))
    print(f"{name}: {right} of {len(expected)} right, top-1 {100 * right / len(expected):.2f} %", flush=True)
    return right


@torch.no_grad()
def classify(path, pictures):
    """The class of each picture, in order."""
    model = Scarlet(GENOTYPES[fashion.GENOTYPE], len(fashion.LABELS))
    model.load_state_dict(load(path))
    model.eval()  # not channels_last, with which PyTorch 2.6 of Debian 13 is wrong
    found = []
    for batch, _ in torch.utils.data.DataLoader(pictures, batch_size=100):
        found += model(batch).argmax(1).tolist()
    return found


def load(path):
    """The state dict of a checkpoint or a safetensors file, in float32."""
    if not path.endswith(".safetensors"):
        return torch.load(path, map_location="cpu")["model_state"]
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    types = {"F16": numpy.float16, "F32": numpy.float32, "I64": numpy.int64}
    state = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            value = numpy.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
            state[name] = torch.from_numpy(value.astype(numpy.int64 if entry["dtype"] == "I64" else numpy.float32))
    return state


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
