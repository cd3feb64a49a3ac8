"""Spaces: their texts, the costs of their networks against PyTorch's, how networks are drawn."""

import itertools
import math
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
from scarlet import reference  # noqa: E402

NAMES = ["default", "28px", "243"]
UNIFORM, SPREAD, SMALL = range(3)
BLOCKS = ["".join(parts) for parts in itertools.product(("e3", "e6"), ("k3", "k5", "k7"), ("", "se"))]


def lines(text):
    return dict(line.split(" ", 1) for line in text.splitlines())


def choices(text):
    return [[b for choice in layer.split("|") for b in (BLOCKS if choice == "*" else [choice])]
            for layer in lines(text)["choices"].split(",")]


@pytest.mark.parametrize("name", NAMES)
def test_named(nas, name):
    text = nas.text(nas.space(name))
    assert nas.text(nas.space(text)) == text
    widths = reference.parse_space(lines(text)["space"])
    before, sizes = widths.stem // 2, []
    for (channels, stride), options in zip(widths.layers, choices(text), strict=True):
        assert ("id" in options) <= (stride == 1 and channels == before)  # a skip keeps the shape
        before = channels
        sizes.append(len(options))
    if name == "default":
        assert widths == reference.DEFAULT_SPACE and sizes.count(13) == 13 and sizes.count(12) == 6
    if name == "28px":
        assert len(sizes) == 8 and set(sizes) == {12, 13}
    if name == "243":
        assert math.prod(sizes) == 243


def costs(genotype, text):
    """(multiply-adds, parameters) counted by hooks on PyTorch's module."""
    import torch

    about = lines(text)
    model = reference.Scarlet(reference.parse_genotype(genotype), int(about["classes"]), reference.parse_space(about["space"])).eval()
    total = 0

    def count(module, _, output):
        nonlocal total
        per = module.weight[0].numel()
        total += output[0].numel() * per

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    side = int(about["input_size"])
    with torch.no_grad():
        model(torch.zeros(1, 3, side, side))
    return total, sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_costs(nas, name):
    space = nas.space(name)
    for index in range(3):
        genotype = nas.sample(space, UNIFORM, 5, index)
        assert nas.costs(space, genotype) == costs(genotype, nas.text(space)), genotype


def test_released_costs(nas):
    space = nas.space("default")
    a, c = (reference.format_genotype(reference.GENOTYPES[name]) for name in "AC")
    macs, parameters = nas.costs(space, a)
    assert (round(macs / 1e5), parameters) == (3653, 6707720)
    assert nas.costs(space, c.replace("id", "let")) == nas.costs(space, c)


@pytest.mark.parametrize("name", NAMES)
def test_uniform(nas, name):
    """Each choice comes with equal frequency: within four standard deviations."""
    space, n = nas.space(name), 3000
    drawn = [nas.sample(space, UNIFORM, 1, i).split(",") for i in range(n)]
    for layer, options in enumerate(choices(nas.text(space))):
        counts = Counter(genotype[layer] for genotype in drawn)
        assert set(counts) == set(options)
        p = 1 / len(options)
        assert all(abs(c - n * p) <= 4 * math.sqrt(n * p * (1 - p)) for c in counts.values())


@pytest.mark.parametrize("name", NAMES)
def test_spread(nas, name):
    """All depths come equally often, each choice of each layer too often to be missed, and cheap networks and costly
    ones are farther apart than at random."""
    space = nas.space(name)
    options = choices(nas.text(space))
    able = sum("id" in layer for layer in options)
    n = max(40, 4 * sum(len(layer) for layer in options) // (able + 1)) * (able + 1)
    drawn = [nas.sample(space, SPREAD, 1, i).split(",") for i in range(n)]
    assert set(Counter(genotype.count("id") for genotype in drawn).items()) == {(depth, n // (able + 1)) for depth in range(able + 1)}
    for layer, names in enumerate(options):
        counts = Counter(genotype[layer] for genotype in drawn)
        assert set(counts) == set(names) and min(counts.values()) >= 2
    spread = [nas.costs(space, ",".join(g))[0] for g in drawn]
    random = [nas.costs(space, nas.sample(space, UNIFORM, 1, i))[0] for i in range(n)]
    assert min(spread) <= min(random) and max(spread) >= max(random)


@pytest.mark.parametrize("name", NAMES)
def test_small(nas, name):
    space = nas.space(name)
    median = lambda sampling: sorted(nas.costs(space, nas.sample(space, sampling, 1, i))[0] for i in range(101))[50]  # noqa: E731
    assert median(SMALL) < 0.75 * median(UNIFORM)


def test_drawn_again(nas):
    space = nas.space("28px")
    for sampling in (UNIFORM, SPREAD, SMALL):
        first = [nas.sample(space, sampling, 3, i) for i in range(20)]
        assert first == [nas.sample(space, sampling, 3, i) for i in range(20)]
        assert first != [nas.sample(space, sampling, 4, i) for i in range(20)]


WIDTHS = "space stem=16 tail=64 layers=8:1,16:2,16:1"


@pytest.mark.parametrize("text, message", [
    ("\n", "no line of space"),
    (f"{WIDTHS}\n", "no line of choices"),
    ("space stem=3\nchoices *\n", "is not of the form"),
    (f"{WIDTHS}\nchoices *,*\n", "other than its 3 layers"),
    (f"{WIDTHS}\nchoices *,*,*,*\n", "other than its 3 layers"),
    (f"{WIDTHS}\nchoices *,*|id,*\n", "layer 1 cannot be the identity"),
    (f"{WIDTHS}\nchoices *|e3k3,*,*\n", "occurs twice"),
    (f"{WIDTHS}\nchoices id|id,*,*\n", "occurs twice"),
    (f"{WIDTHS}\nchoices e5k3,*,*\n", "not a choice"),
    (f"{WIDTHS}\nchoices ,*,*\n", "not a choice"),
    (f"{WIDTHS}\nchoices *,*,*\ninput_size 27\n", "not an even number"),
    (f"{WIDTHS}\nchoices *,*,*\nclasses 0\n", "not a number"),
    (f"{WIDTHS}\nchoices *,*,*\ncolour blue\n", "not a line of"),
    (f"{WIDTHS}\n{WIDTHS}\n", "occurs twice"),
])
def test_refused(nas, text, message):
    with pytest.raises(ValueError, match=message):
        nas.space(text)


@pytest.mark.parametrize("genotype, message", [
    ("e3k3,e3k3", "layer"), ("e3k3,e3k3,e3k3,e3k3", "not of the space's 3 layers"), ("e3k3,id,e3k3", "layer 1"),
    ("e3k3,e3k4,e3k3", "layer 1"), ("", "layer 0"), ("e3k3,let,e3k3", "layer 1"), ("e3k3,e3k3,e3k3,", "not of")])
def test_no_path(nas, genotype, message):
    space = nas.space(f"{WIDTHS}\nchoices *,*,*|id\n")
    with pytest.raises(ValueError, match=message):
        nas.costs(space, genotype)
