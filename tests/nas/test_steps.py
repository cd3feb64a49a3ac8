"""Some steps of training a small network against PyTorch in float64, for any number of threads."""

import os
import random
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

SPACE = reference.parse_space("stem=16 tail=72 layers=16:2,16:1,24:2,24:1")
GENOTYPE = reference.parse_genotype("e3k5,e3k3se,e6k7se,id")
CLASSES, SIDE, MICRO_BATCH, MICRO_BATCHES, STEPS = 5, 32, 4, 2, 10
TOLERANCE = 1e-4


def tensors(module):
    return [(name, value) for name, value in module.state_dict(keep_vars=True).items() if "num_batches" not in name]


def optimizer(model, settings):
    """As the settings say: decay on weights of convolutions and the classifier only."""
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    groups = [dict(params=decayed, weight_decay=settings.get("weight_decay", 1e-3)), dict(params=plain, weight_decay=0)]
    rate = settings.get("rate", 0.05)
    if settings.get("optimizer", 1) == 2:
        return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), eps=settings.get("epsilon", 1e-8))
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=settings.get("optimizer", 1) == 1)


def reference_run(model, pictures, targets, settings):
    """Losses, weights, and their average after the steps."""
    frozen = settings.get("frozen_layers", 0)
    stages = [module for name, module in model.stages() if isinstance(module, nn.Module)]
    for stage in stages[:frozen]:
        stage.requires_grad_(False)
    model.train()
    for stage in stages[:frozen] if not settings.get("frozen_statistics") else [model]:
        stage.eval()
    opt = optimizer(model, settings)
    average = [value.detach().clone() for _, value in tensors(model)]
    losses = []
    for step in range(STEPS):
        opt.zero_grad()
        total = 0
        for i in range(MICRO_BATCHES):
            logits = model(pictures[step, i])
            loss = -(F.log_softmax(logits, 1) * targets[step, i]).sum() / (MICRO_BATCH * MICRO_BATCHES)
            loss.backward()
            total += loss.item()
        losses.append(total)
        if settings.get("clip_norm"):
            nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        opt.step()
        for mean, (_, value) in zip(average, tensors(model)):
            mean += max(0.7, 9 / (10 + step)) * (value.detach() - mean)
    return losses, [(name, value.detach()) for name, value in tensors(model)], average


CASES = {
    "nesterov": {},
    "momentum": dict(optimizer=0),
    # An epsilon that keeps gradients near 0 from becoming steps of either sign.
    "adamw": dict(optimizer=2, rate=0.01, epsilon=1e-3, weight_decay=0.1),
    "clipped": dict(clip_norm=0.5),
    "running statistics": dict(frozen_statistics=1, rate=0.01),
    "frozen layers": dict(frozen_layers=4),
    "frozen backbone": dict(frozen_layers=7),
    "as EfficientNet-Lite": dict(lite=1),
}


@pytest.mark.parametrize("isa", [0, 99], ids=["portable", "newest"])
@pytest.mark.parametrize("name", CASES)
def test_steps(name, isa, tmp_path):
    settings = CASES[name]
    torch.manual_seed(3)
    model = reference.Scarlet(GENOTYPE, CLASSES, SPACE)
    if settings.get("lite"):
        reference.restyle(model, reference.Style("relu6", 0.001, "same"))
    shape = (STEPS, MICRO_BATCHES, MICRO_BATCH)
    pictures = torch.randn(*shape, 3, SIDE, SIDE)
    targets = torch.rand(*shape, CLASSES)
    reference.condition(model, pictures[0].flatten(0, 1), random.Random(1))
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    pictures.permute(0, 1, 2, 4, 5, 3).contiguous().numpy().tofile(tmp_path / "pictures")
    targets.numpy().tofile(tmp_path / "targets")
    text = ",".join(f"{key}={value}" for key, value in dict(
        side=SIDE, micro_batch=MICRO_BATCH, micro_batches=MICRO_BATCHES, isa=isa, **settings).items())
    subprocess.run([os.environ["SCARLET_NAS_STEPS"], str(SPACE), reference.format_genotype(GENOTYPE), str(CLASSES),
                    str(STEPS), text, *(tmp_path / n for n in ("weights.pth", "pictures", "targets", "out"))],
                   check=True)
    found = np.fromfile(tmp_path / "out", np.float32).astype(np.float64)

    losses, weights, average = reference_run(model.double(), pictures.double(), targets.double(), settings)
    assert np.abs(found[:STEPS] / losses - 1).max() < TOLERANCE
    found = found[STEPS:]
    wrong = []
    for kind, wanted in ("weights", [value for _, value in weights]), ("average", average):
        for (tensor, _), value in zip(weights, wanted):
            value = value.numpy().ravel()
            here, found = found[:value.size], found[value.size:]
            error = np.abs(here - value).max() / np.abs(value).max()
            if not error < TOLERANCE:
                wrong.append((kind, tensor, error))
    assert not wrong
