"""Models, pictures and right answers for the benchmark: the same weights for every engine.

    models.py FOLDER [--batches 1,8] [--letters ABC]

Writes for each network L of A, B and C
    L.safetensors, L.pth        for libscarlet and PyTorch
    L.spelled.bN.onnx           h-swish as x * relu6(x + 3) / 6, as the authors' code has it
    L.operators.bN.onnx         HardSwish and HardSigmoid as operators of ONNX 14
    L.old.bN.onnx               "spelled" for readers of ONNX 10
    L.reference.npz             PyTorch's scores in float64, the specification's bound of the error,
                                multiply-adds of a picture
and input.f32, 8 pictures of 3 x 224 x 224, and calibration.f32, 32 others.
"""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "network"))
from networks import (COUNT, Member, answer, bound, build, pictures, reference,  # noqa: E402
                      save_safetensors)

SIDE = 224
CALIBRATION = 32
FORMS = {"spelled": 13, "operators": 14, "old": 10}  # form: version of ONNX


class SpelledHardswish(nn.Module):
    def forward(self, x):
        return x * F.relu6(x + 3) / 6


@contextmanager
def spelled(model):
    """The activations written out, as ONNX before version 14 needs them."""
    blocks = [b for b in model.mb_module if isinstance(b, reference.InvertedResidual)]
    acts, hardsigmoid = [b.act for b in blocks], F.hardsigmoid
    for block in blocks:
        block.act = SpelledHardswish()
    F.hardsigmoid = lambda x: F.relu6(x + 3) / 6
    yield
    F.hardsigmoid = hardsigmoid
    for block, act in zip(blocks, acts):
        block.act = act


def multiply_adds(model):
    """Of convolutions and linear layers, from the shapes of a run."""
    counts = []

    def count(module, inputs, output):
        counts.append(module.weight.numel() * (output[0, 0].numel() if output.ndim == 4 else 1))

    hooks = [module.register_forward_hook(count) for module in model.modules()
             if isinstance(module, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        model(torch.zeros(1, 3, SIDE, SIDE))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def export(model, path, opset, batch):
    torch.onnx.export(model, torch.from_numpy(pictures(SIDE)[:batch]), str(path),
                      opset_version=opset, input_names=["input"], output_names=["scores"])


def make(letter, folder, batches):
    member = Member(f"SCARLET-{letter}", reference.GENOTYPES[letter], reference.DEFAULT_SPACE, 1000)
    model = build(member)
    torch.save(model.state_dict(), folder / f"{letter}.pth")
    save_safetensors(model.state_dict(), folder / f"{letter}.safetensors",
                     {"scarlet.format": "1", "scarlet.space": str(member.space)})
    right = answer(model, member, SIDE)
    np.savez(folder / f"{letter}.reference.npz", scores=right.scores, bound=bound(right),
             macs=multiply_adds(model))
    for batch in batches:
        export(model, folder / f"{letter}.operators.b{batch}.onnx", FORMS["operators"], batch)
        with spelled(model):
            for form in ("spelled", "old"):
                export(model, folder / f"{letter}.{form}.b{batch}.onnx", FORMS[form], batch)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--letters", default="ABC")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    some = pictures(SIDE, COUNT + CALIBRATION)
    some[:COUNT].tofile(arguments.folder / "input.f32")
    some[COUNT:].tofile(arguments.folder / "calibration.f32")
    for letter in arguments.letters:
        make(letter, arguments.folder, [int(b) for b in arguments.batches.split(",")])
        print(f"SCARLET-{letter}: exported", flush=True)


if __name__ == "__main__":
    main()
