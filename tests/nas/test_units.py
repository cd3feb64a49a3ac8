"""Outputs, gradients and batch statistics of every unit against PyTorch in float64."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from scarlet import reference  # noqa: E402

ISAS = {"portable": 0, "avx2": 1, "avx512": 2}
TOLERANCE = 1e-4


def entry(stem, out):
    """Stem and separable layer."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU6()),
        nn.Sequential(
            nn.Conv2d(stem, stem, 3, 1, 1, groups=stem, bias=False), nn.BatchNorm2d(stem), nn.ReLU6(),
            nn.Conv2d(stem, out, 1, bias=False), nn.BatchNorm2d(out)))


class Tail(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6())

    def forward(self, x):
        return self.layer(x).mean((2, 3))


class Linear(nn.Linear):
    def forward(self, x):
        return super().forward(x.flatten(1))


PAPER = "activation=hswish epsilon=1e-5 padding=symmetric"
LITE = "activation=relu6 epsilon=0.02 padding=same"


def case(kind, inputs, outputs, side, pictures, kernel=3, stride=1, expansion=0, se=False, running=False, style=PAPER):
    return dict(kind=kind, inputs=inputs, outputs=outputs, side=side, pictures=pictures, kernel=kernel, stride=stride,
                expansion=expansion, se=se, running=running, style=style)


CASES = [case("block", 16, 16, 9, 3, k, 1, 3, se) for k in (3, 5, 7) for se in (False, True)]
CASES += [case("block", 24, 40, side, 2, k, 2, 6, se) for k in (3, 5, 7) for se, side in ((False, 7), (True, 10))]
CASES += [
    case("block", 40, 40, 5, 2, 7, 1, 6, True, running=True),  # frozen
    case("block", 8, 8, 14, 4, 5, 1, 6),  # planes that are not full
    case("block", 10, 17, 1, 3, 7, 2, 3, True),  # a map of one pixel
    case("block", 96, 96, 7, 5, 3, 1, 6, True),
    case("block", 80, 112, 16, 2, 5, 2, 3),
    case("entry", 32, 16, 20, 2),
    case("entry", 10, 5, 27, 3),
    case("entry", 10, 5, 3, 2),
    case("entry", 32, 16, 14, 2, running=True),
    case("tail", 40, 72, 3, 4),
    case("tail", 96, 1280, 1, 5),
    case("let", 40, 40, 7, 3),
    case("linear", 72, 10, 1, 5),
    case("linear", 130, 100, 1, 2),
]
CASES += [case("block", 16, 24, side, 2, k, 2, 3, side == 8, style=LITE) for k in (3, 5, 7) for side in (7, 8, 18, 30)]
CASES += [
    case("block", 16, 16, 8, 2, 5, 1, 6, style=LITE),
    case("block", 10, 17, 2, 3, 7, 2, 3, style=LITE),
    case("entry", 32, 16, 20, 2, style=LITE),
    case("entry", 10, 5, 27, 3, style=LITE),
    case("entry", 10, 5, 2, 2, style=LITE),
    case("tail", 40, 72, 3, 4, style=LITE),
]


def build(c):
    module = build_plain(c)
    return module if c["style"] == PAPER else reference.restyle(module, reference.parse_style(c["style"]))


def build_plain(c):
    kind, inputs, outputs = c["kind"], c["inputs"], c["outputs"]
    if kind == "entry":
        return entry(inputs, outputs)
    if kind == "block":
        return reference.InvertedResidual(
            inputs, outputs, c["stride"], reference.Choice(c["expansion"], c["kernel"], c["se"]))
    if kind == "tail":
        return Tail(inputs, outputs)
    if kind == "let":
        return nn.Conv2d(inputs, outputs, 1, bias=False)
    return Linear(inputs, outputs)


def tensors(module):
    """The state in the release's order, which is PyTorch's, without counters."""
    return [(name, value) for name, value in module.state_dict(keep_vars=True).items() if "num_batches" not in name]


def run(c, isa, tmp_path, reference_style=None):
    torch.manual_seed(sum(c["kind"].encode()) + c["kernel"] * 7 + c["side"])
    module = build({**c, "style": reference_style or c["style"]}).double().train(not c["running"])
    with torch.no_grad():
        for name, value in tensors(module):
            if "running_var" in name:
                value.uniform_(0.5, 2)
            elif value.dim() == 1:
                value.normal_(0.7 if "weight" in name else 0.3, 0.4)
            else:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
            value.copy_(value.float().double())
    state = [value.detach().clone() for _, value in tensors(module)]
    channels = 3 if c["kind"] == "entry" else c["inputs"]
    x = torch.randn(c["pictures"], channels, c["side"], c["side"]).double().requires_grad_()
    momenta = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in momenta:
        m.momentum = 1.0  # running statistics become the batch's
    y = module(x)
    gradient = torch.randn(y.shape).double()
    (y * gradient).sum().backward()
    expected = [("y", y)] + ([("x", x.grad)] if c["kind"] != "entry" else [])
    expected += [(name, value if "running" in name else value.grad) for name, value in tensors(module)]

    source, result = tmp_path / "in", tmp_path / "out"
    with open(source, "wb") as file:
        for tensor in state + [x, gradient]:
            file.write(tensor.detach().float().numpy().tobytes())
    squeeze = c["inputs"] * c["expansion"] // 4 if c["se"] else 0
    subprocess.run([os.environ["SCARLET_NAS_UNIT"], c["kind"], *map(str, (
        c["inputs"], c["outputs"], c["kernel"], c["stride"], c["expansion"], squeeze, c["side"], c["pictures"],
        int(c["running"]), ISAS[isa])), source, result, c["style"]], check=True)
    values = np.fromfile(result, np.float32).astype(np.float64)
    for name, tensor in expected:
        wanted = tensor.detach().numpy().ravel()
        found, values = values[:wanted.size], values[wanted.size:]
        yield name, wanted, found
    assert values.size == 0


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("c", CASES, ids=lambda c: "-".join(str(v) for v in c.values()))
def test_unit(c, isa, tmp_path):
    wrong = []
    for name, wanted, found in run(c, isa, tmp_path):
        error = np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30)
        if not error < TOLERANCE:
            wrong.append((name, error))
    assert not wrong


@pytest.mark.parametrize("style", [
    "activation=hswish epsilon=0.02 padding=same",
    "activation=relu6 epsilon=0.01 padding=same",
    "activation=relu6 epsilon=0.02 padding=symmetric",
], ids=["activation", "epsilon", "padding"])
def test_another_style_is_seen(style, tmp_path):
    c = next(c for c in CASES if c["style"] == LITE and c["stride"] == 2 and c["side"] == 8)
    errors = {name: np.abs(found - wanted).max() / np.abs(wanted).max()
              for name, wanted, found in run(c, "avx2", tmp_path, style)}
    assert errors["y"] > 10 * TOLERANCE and errors["x"] > 10 * TOLERANCE
