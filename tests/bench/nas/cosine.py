"""How alike the outputs of a layer's parallel choices are: mean cosine similarities.

    cosine.py FOLDER DATA [--space 243|28px]    of each finished supernet in FOLDER; writes FOLDER/cosine-SPACE.csv

The choices of a layer get the same input: 256 validation pictures of DATA after random choices of the layers before it,
eight times. Batch norm sees the batch. Computed by PyTorch.
"""

import argparse
import csv
import gzip
import itertools
import random
import sys
from pathlib import Path

import numpy as np
import torch
from tables import SKIPS, TRAININGS, rows

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "supernet"))
from library import module_of, read_safetensors  # noqa: E402

PICTURES, PATHS = 256, 8


def pictures(folder):
    """The first validation pictures as a network reads them."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 1, 28, 28)[50000:50000 + PICTURES]
    return torch.from_numpy((pixels / 255 - 0.286) / 0.353).expand(-1, 3, -1, -1)


def choices(path, module):
    """The functions that each layer chooses from; what stands in the place of an identity is the last."""
    metadata, _ = read_safetensors(path)
    result = [[] for _ in metadata["scarlet.choices"].split(",")]
    for name, choice in sorted(module.choice.items(), key=lambda item: item[0].endswith("let")):
        result[int(name.split("/")[0])].append(choice)
    for layer, text in zip(result, metadata["scarlet.choices"].split(",")):
        if "id" in text.split("|") and not isinstance(layer[-1], torch.nn.Conv2d):
            layer.append(torch.nn.Identity())
    return result


@torch.no_grad()
def similarities(path, x):
    """[layer]: the mean over pictures, pairs of choices and paths before it; None where there is no choice."""
    module, rng = module_of(path).train(), random.Random(1)
    layers = choices(path, module)
    found = [[] for _ in layers]
    for _ in range(PATHS):
        at = module.shared.separable_conv(module.shared.stem(x))
        for layer, functions in zip(found, layers):
            outputs = [function(at) for function in functions]
            layer += [torch.cosine_similarity(a.flatten(1), b.flatten(1)).mean().item()
                      for a, b in itertools.combinations(outputs, 2)]
            at = rng.choice(outputs)
    return [np.mean(values) if values else None for values in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--space", default="243")
    args = parser.parse_args()
    x = pictures(args.data)
    finished = {(row["skip"], row["training"], row["seed"])
                for row in rows(args.folder, "scores", args.space, ["skip", "training", "seed"])}
    with (args.folder / f"cosine-{args.space}.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["skip", "training", "seed", "layer", "cosine"])
        for skip, training, seed in sorted(finished, key=lambda f: (SKIPS.index(f[0]), TRAININGS.index(f[1]), int(f[2]))):
            path = args.folder / f"super-{args.space}-{skip}-{training}-{seed}.safetensors"
            out.writerows([skip, training, seed, layer, f"{cosine:.4f}"]
                          for layer, cosine in enumerate(similarities(path, x)) if cosine is not None)


if __name__ == "__main__":
    main()
