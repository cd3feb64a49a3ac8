"""Steps of a supernet against PyTorch in float64 by the stated rule: a parameter's gradient is the mean over the paths
of the step that use it, each clipped by its own norm; what no path used rests. Where choices share weights, so does each
element of them."""

import os
import subprocess

import numpy as np
import pytest
import torch
from library import Module, reference
from torch.nn import functional as F

SPACE = """space stem=16 tail=24 layers=8:1,24:2,24:1,24:1
choices e3k3,e3k5|e6k3,e3k3se|e6k7se|id,e3k5|id|e3k3
input_size 18
classes 5
"""
WIDTHS = reference.parse_space(SPACE.splitlines()[0].removeprefix("space "))
LARGEST = "e3k3,e6k3,e6k7se,e3k5"
SIDE, CLASSES, BATCH, STEPS, RATE, TOLERANCE = 18, 5, 6, 4, 0.05, 3e-4
FAIR, DEPTHS, UNIFORM, MANY = range(4)


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
    "kernels shared": (FAIR, dict(share=1)),
    "widths shared, LET": (FAIR, dict(share=2, let=1, let_start=2, nesterov=1)),
    "widths shared, clipped": (UNIFORM, dict(share=2, clip_norm=0.7)),
    "the largest teaches": (DEPTHS, dict(teach=1, clip_norm=0.7)),
    "the largest teaches one, widths shared": (UNIFORM, dict(teach=1, share=2, let=1)),
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

    model = Module(sizes, WIDTHS, SPACE.splitlines()[1].removeprefix("choices "), CLASSES, settings.get("share", 0)).double().train()
    parameters = {name: model.parameter(name) for name in sizes}
    assert len({id(p) for p in parameters.values()}) == len(sizes)
    for p, values in zip(parameters.values(), np.split(before, cuts)):
        p.data = torch.from_numpy(values.reshape(p.shape).copy())
    start = {name: p.detach().clone() for name, p in parameters.items()}
    momentum = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for step in range(STEPS):
        pictures, targets = batch(step)
        sums, uses, total = ({name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(3))
        total = 0
        if "teach" in settings:
            assert paths[step][0] == LARGEST.replace("id", "let" if "let" in settings else "id")
        for genotype in paths[step]:
            model.zero_grad(set_to_none=True)
            logits = model(genotype, pictures)
            loss = -(F.log_softmax(logits, 1) * targets).sum(1).mean()
            loss.backward()
            total += loss.item() / len(paths[step])
            if "teach" in settings and genotype is paths[step][0]:
                targets = logits.detach().softmax(1)
            grads = {name: p.grad for name, p in parameters.items() if p.grad is not None}
            norm = sum(g.square().sum() for g in grads.values()).sqrt().item()
            scale = min(1, settings["clip_norm"] / norm) if "clip_norm" in settings else 1
            for name, g in grads.items():
                sums[name] += scale * g
            for name, used in model.uses(genotype, sizes).items():
                uses[name] += used
        assert losses[step] == pytest.approx(total, rel=TOLERANCE)
        for name, p in parameters.items():
            p, used = p.data, uses[name] > 0
            g = sums[name] / uses[name].clamp(min=1)
            if ".let." in name:
                g = g + settings.get("let_decay", 0) * (p - (0 if "let_to_zero" in settings else start[name]))
            elif p.dim() > 1:
                g = g + 1e-3 * p
            momentum[name] = torch.where(used, 0.9 * momentum[name] + g, momentum[name])
            p -= RATE * used * (g + 0.9 * momentum[name] if "nesterov" in settings else momentum[name])
    if training != UNIFORM:
        assert len(paths[0]) == 3 + settings.get("teach", 0)
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
    resting = {name: momentum[name].numpy().ravel() == 0 for name in sizes if parameters[name].dim() > 1}
    if training in (FAIR, DEPTHS) and "share" not in settings:
        assert not any(rest.all() for rest in resting.values())
    for name, here, there in zip(sizes, np.split(before, cuts), np.split(after, cuts)):
        if name in resting:
            rest, same = resting[name], here == there
            assert same[rest].all() and same[~rest].sum() <= 0.1 * len(same), name
