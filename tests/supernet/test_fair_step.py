"""Steps of a supernet against PyTorch in float64 by the stated rule: a parameter's gradient is the mean over the paths
of the step that use it, each clipped by its own norm; what no path used rests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
from scarlet import reference  # noqa: E402

SPACE = """space stem=16 tail=24 layers=8:1,24:2,24:1,24:1
choices e3k3,e3k3|e6k5se,e3k3|e6k7se|id,e3k5|id|e6k3
input_size 18
classes 5
"""
WIDTHS = reference.parse_space(SPACE.splitlines()[0].removeprefix("space "))
SIDE, CLASSES, BATCH, STEPS, RATE, TOLERANCE = 18, 5, 6, 4, 0.05, 1e-4
FAIR, DEPTHS, UNIFORM, MANY = range(4)


class Supernet(nn.Module):
    """A module for each choice of each layer, under the names of the file."""

    def __init__(self, names):
        super().__init__()
        shared = reference.Scarlet(reference.parse_genotype("e3k3,e3k3,e3k3,e3k3"), CLASSES, WIDTHS)
        self.shared, self.choice = shared, nn.ModuleDict()
        channels = WIDTHS.first
        for i, layer in enumerate(WIDTHS.layers):
            for name in {n.split(".")[2] for n in names if n.startswith(f"mb_module.{i}.")}:
                self.choice[f"{i}/{name}"] = (
                    nn.Conv2d(channels, channels, 1, bias=False) if name == "let" else
                    reference.InvertedResidual(channels, layer.channels, layer.stride, reference._parse_choice(name)))
            channels = layer.channels

    def parameter(self, name):
        parts = name.split(".")
        if parts[0] != "mb_module":
            return self.shared.get_parameter(name)
        return self.choice["/".join(parts[1:3])].get_parameter(".".join(parts[3:]))

    def forward(self, genotype, x):
        x = self.shared.separable_conv(self.shared.stem(x))
        for i, name in enumerate(genotype.split(",")):
            x = x if name == "id" else self.choice[f"{i}/{name}"](x)
        return self.shared.classifier(self.shared.conv_before_pooling(x).mean((2, 3)))


def batch(step):
    i = np.arange(BATCH * SIDE * SIDE * 3)
    pictures = ((i + step) * 7919 % 1009).astype(np.float32) / np.float32(504.5) - np.float32(1)
    pictures = torch.from_numpy(pictures.reshape(BATCH, SIDE, SIDE, 3).transpose(0, 3, 1, 2).astype(np.float64))
    targets = torch.zeros(BATCH, CLASSES, dtype=torch.float64)
    targets[range(BATCH), [(i + step) % CLASSES for i in range(BATCH)]] = 1
    return pictures, targets


CASES = {
    "fair": (FAIR, {}),
    "fair, LET": (FAIR, dict(let=1, let_start=2)),
    "LET to its start": (FAIR, dict(let=1, let_start=1, let_decay=0.3)),
    "LET to zero": (FAIR, dict(let=1, let_start=0, let_decay=0.3, let_to_zero=1)),
    "depths, clipped": (DEPTHS, dict(clip_norm=0.7)),
    "uniform, Nesterov": (UNIFORM, dict(nesterov=1, let=1)),
    "many": (MANY, dict(let=1, let_start=2)),
}


@pytest.mark.parametrize("isa", [0, 99], ids=["portable", "newest"])
@pytest.mark.parametrize("name", CASES)
def test_steps(name, isa, tmp_path):
    training, settings = CASES[name]
    (tmp_path / "space.txt").write_text(SPACE)
    text = ",".join(f"{key}={value}" for key, value in dict(settings, isa=isa, batch=BATCH).items())
    result = subprocess.run([os.environ["SCARLET_FAIR_STEP"], tmp_path / "space.txt", str(training), str(STEPS), text,
                             tmp_path / "out"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ""), result
    lines = [line.split() for line in result.stdout.splitlines()]
    sizes = {words[1]: int(words[2]) for words in lines if words[0] == "tensor"}
    paths = [[words[2] for words in lines if words[:2] == ["path", str(step)]] for step in range(STEPS)]
    losses = [float(words[2]) for words in lines if words[0] == "loss"]
    before, after, velocity = np.split(np.fromfile(tmp_path / "out", np.float32).astype(np.float64), 3)
    cuts = np.cumsum(list(sizes.values()))[:-1]

    model = Supernet(sizes).double().train()
    parameters = {name: model.parameter(name) for name in sizes}
    assert len({id(p) for p in parameters.values()}) == len(sizes)
    for p, values in zip(parameters.values(), np.split(before, cuts)):
        p.data = torch.from_numpy(values.reshape(p.shape).copy())
    start = {name: p.detach().clone() for name, p in parameters.items()}
    momentum = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for step in range(STEPS):
        pictures, targets = batch(step)
        sums, uses, total = {}, {}, 0
        for genotype in paths[step]:
            model.zero_grad()
            loss = -(F.log_softmax(model(genotype, pictures), 1) * targets).sum(1).mean()
            loss.backward()
            total += loss.item() / len(paths[step])
            used = {name: p.grad for name, p in parameters.items() if p.grad is not None}
            norm = sum(g.square().sum() for g in used.values()).sqrt().item()
            scale = min(1, settings["clip_norm"] / norm) if "clip_norm" in settings else 1
            for name, g in used.items():
                sums[name] = sums.get(name, 0) + scale * g.clone()
                uses[name] = uses.get(name, 0) + 1
            model.zero_grad(set_to_none=True)
        assert losses[step] == pytest.approx(total, rel=TOLERANCE)
        for name, g in sums.items():
            p = parameters[name].data
            g = g / uses[name]
            if ".let." in name:
                g = g + settings.get("let_decay", 0) * (p - (0 if "let_to_zero" in settings else start[name]))
            elif p.dim() > 1:
                g = g + 1e-3 * p
            momentum[name] = 0.9 * momentum[name] + g
            p -= RATE * (g + 0.9 * momentum[name] if "nesterov" in settings else momentum[name])
    if training != UNIFORM:
        assert len(paths[0]) == 3
    wrong = []
    for found, wanted in (after, parameters), (velocity, momentum):
        # A shift before a batch norm has a gradient of 0, but for rounding.
        least = max(value.abs().max().item() for value in wanted.values()) / 1000
        for (name, value), here in zip(wanted.items(), np.split(found, cuts)):
            value = value.detach().numpy().ravel()
            error = np.abs(here - value).max() / max(np.abs(value).max(), least)
            if not error < TOLERANCE:
                wrong.append((name, error))
    assert not wrong
    # Every choice was trained alike by the fair ones; others may rest, and rest exactly.
    resting = [name for name in sizes if not momentum[name].any()]
    assert (resting == []) == (training in (FAIR, DEPTHS)) or training == MANY
    for name, here, there in zip(sizes, np.split(before, cuts), np.split(after, cuts)):
        if parameters[name].dim() > 1:
            assert (here == there).all() == (name in resting), name
