"""The reference definition itself: counts, names and shapes of the release, and that conditioned weights are tame."""

import os
import random
import sys

import pytest
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bindings/python"))
from scarlet import reference
from scarlet.reference import GENOTYPES, Scarlet

torch.set_num_threads(1)
SMALL = reference.parse_space("stem=16 tail=64 layers=24:2,24:1,40:2")


def multiply_adds(model, side):
    """Of convolutions and linear layers, from the shapes that a real run meets."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        positions = output[0, 0].numel() if output.ndim == 4 else 1
        total += module.weight.numel() * positions

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, side, side))
    return total


# From the paper and the authors' files: learned parameters, tensors, float values, millions of multiply-adds at 224.
RELEASE = {
    "A": (6707720, 416, 6744424, 365.3),
    "B": (6531556, 388, 6565220, 326.9),
    "C": (6073684, 366, 6104564, 280.1),
}


@pytest.mark.parametrize("name", RELEASE)
def test_released_networks_have_the_known_counts(name):
    model = Scarlet(GENOTYPES[name])
    state = model.state_dict()
    learned, tensors, values, millions = RELEASE[name]
    assert sum(p.numel() for p in model.parameters()) == learned
    assert len(state) == tensors
    assert sum(t.numel() for t in state.values() if t.is_floating_point()) == values
    assert multiply_adds(model, 224) / 1e6 == pytest.approx(millions, abs=0.05)


def test_names_and_shapes_are_the_releases():
    shapes = {name: list(tensor.shape) for name, tensor in Scarlet(GENOTYPES["C"], 10).state_dict().items()}
    assert shapes["stem.0.weight"] == [32, 3, 3, 3]
    assert shapes["stem.1.running_var"] == [32]
    assert shapes["separable_conv.0.weight"] == [32, 1, 3, 3]
    assert shapes["separable_conv.3.weight"] == [16, 32, 1, 1]
    assert shapes["separable_conv.4.bias"] == [16]
    assert shapes["mb_module.0.conv1.weight"] == [48, 16, 1, 1]
    assert shapes["mb_module.0.bn1.running_mean"] == [48]
    assert shapes["mb_module.0.conv2.weight"] == [48, 1, 5, 5]
    assert shapes["mb_module.0.mid_se.squeeze_conv.weight"] == [12, 48, 1, 1]
    assert shapes["mb_module.0.mid_se.excite_conv.bias"] == [48]
    assert shapes["mb_module.0.conv3.weight"] == [32, 48, 1, 1]
    assert shapes["mb_module.0.bn3.num_batches_tracked"] == []
    assert shapes["conv_before_pooling.0.weight"] == [1280, 320, 1, 1]
    assert shapes["conv_before_pooling.1.weight"] == [1280]
    assert shapes["classifier.weight"] == [10, 1280]
    assert not any(name.startswith("mb_module.3.") for name in shapes), "an identity has no tensors"


def test_strings_round_trip():
    rng = random.Random(1)
    for _ in range(50):
        genotype = reference.random_genotype(rng)
        assert reference.parse_genotype(reference.format_genotype(genotype)) == genotype
    assert reference.format_genotype([(3, 7, False), None, (6, 5, True)]) == "e3k7,id,e6k5se"
    assert str(SMALL) == "stem=16 tail=64 layers=24:2,24:1,40:2"
    for bad in ("", "e3", "e4k3", "e3k9", "e3k3se,", "E3k3"):
        with pytest.raises(ValueError):
            reference.parse_genotype(bad)


@pytest.mark.parametrize("text, stride", [("id,id,id", 2), ("e3k3,id,id", 4), ("e3k3,id,e6k7se", 8), ("id,e3k5,id", 2)])
def test_total_stride_is_that_of_the_feature_map(text, stride):
    genotype = reference.parse_genotype(text)
    assert reference.total_stride(genotype, SMALL) == stride
    model = Scarlet(genotype, 5, SMALL).eval()
    outputs = model.trace(torch.zeros(1, 3, 32, 32))
    assert outputs["conv_before_pooling"].shape == (1, 64, 32 // stride, 32 // stride)


def test_trace_ends_with_what_forward_gives():
    model = Scarlet(GENOTYPES["B"], 7).eval()
    pictures = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        outputs = model.trace(pictures)
        assert list(outputs)[0] == "stem" and len(outputs) == 19 + 5
        assert torch.equal(outputs["scores"], model(pictures))
        assert torch.equal(outputs["mb_module.16"], outputs["mb_module.15"]), "an identity returns its input"


@pytest.mark.parametrize("seed", range(3))
def test_conditioned_networks_are_tame(seed):
    rng = random.Random(seed)
    pictures = torch.randn(8, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    model = Scarlet(reference.random_genotype(rng), 10).double()
    reference.condition(model, pictures, rng)
    with torch.no_grad():
        exact = model(pictures[:2])
        rounded = model.float()(pictures[:2].float())
    assert (exact - rounded).abs().max() / exact.abs().max() < 5e-6
    assert (exact[0] - exact[1]).abs().max() > 0.1, "scores must depend on the picture"


def test_condition_repeats():
    states = []
    for _ in range(2):
        model = Scarlet(reference.parse_genotype("e3k3se,e6k5,e3k7"), 4, SMALL)
        reference.condition(model, torch.ones(8, 3, 32, 32), random.Random(5))
        states.append(model.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values()))
