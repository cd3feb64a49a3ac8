"""Scores and features against PyTorch in float64.

    SCARLET_NETWORK_TEST=full   30 random members and 320 pixels too (the documented long run)
"""

import os
import re
import subprocess
from collections import namedtuple

import numpy as np
import pytest
import torch
from networks import (COUNT, LEVELS, answer, bound, build, error, members, metadata, pictures, reference, save_safetensors,
                      sides, simulate, spread_error)

RUN = os.environ["SCARLET_NETWORK_RUN"]
FULL = os.environ.get("SCARLET_NETWORK_TEST") == "full"
OPTIONS = os.environ.get("SCARLET_NETWORK_OPTIONS", "").split() or [""]
PRECISIONS = os.environ.get("SCARLET_NETWORK_PRECISIONS", "").split() or ["precision=int8", "precision=int16"]
MEMBERS = list(members(30 if FULL else 6))
SIDES = [32, 96, 224] + ([320] if FULL else [])
# Sides that strides do not divide: a layer with stride 2 rounds up. Those of the small members, and of the others.
UNEVEN_SMALL = [1, 2, 3, 28, 30, 33, 36, 100]
UNEVEN = [37] + ([28, 30, 36, 100, 225, 240, 300, 380] if FULL else [])

torch.set_num_threads(1)


@pytest.fixture(scope="module", params=MEMBERS, ids=lambda m: m.name)
def loaded(request, tmp_path_factory):
    """The member, its module, and a checkpoint of it that libscarlet reads."""
    member = request.param
    model = build(member)
    folder = tmp_path_factory.mktemp(member.name)
    path = folder / "model.pth"
    state = {"model_state": model.state_dict()}
    if member.space == reference.DEFAULT_SPACE:
        # Half of the members as the release writes them: legacy files.
        zipped = MEMBERS.index(member) % 2 == 0
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
    else:
        path = folder / "model.safetensors"
        save_safetensors(model.state_dict(), path, metadata(member))
    return member, model, path


def run(path, member, side, options, folder):
    """The scores and features of the test pictures."""
    source, result = folder / "in.f32", folder / "out.f32"
    pictures(side).tofile(source)
    subprocess.run([RUN, path, str(side), str(COUNT), source, result, *options.split()], check=True)
    return np.split(np.fromfile(result, np.float32), [COUNT * member.classes])


def check_floats(loaded, side, options, folder):
    member, model, path = loaded
    scores, features = run(path, member, side, options, folder)
    expected = answer(model, member, side)
    print(f"{member.name} {side}: scores {error(scores, expected.scores.ravel()):.1e}, "
          f"bound {bound(expected):.1e}")
    assert error(scores, expected.scores.ravel()) <= bound(expected)
    assert error(features, expected.features.ravel()) <= bound(expected)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("side", SIDES)
def test_scores(loaded, side, options, tmp_path):
    member = loaded[0]
    if side not in sides(member, SIDES):
        side = side // 32 * reference.total_stride(member.genotype, member.space)
    check_floats(loaded, side, options, tmp_path)


def uneven(member):
    return UNEVEN if len(member.space.layers) > 10 else UNEVEN_SMALL


@pytest.mark.parametrize("options", OPTIONS)
def test_any_side(loaded, options, tmp_path):
    for side in uneven(loaded[0]):
        check_floats(loaded, side, options, tmp_path)


# ---- integers ----

SLACK = 1.5  # other roundings: the same integers but a few, and their errors add up differently


def simulation(loaded, side):
    """PyTorch's answer, and {precision: (errors of scores, of features)} of its float64 with integers."""
    member, model, _ = loaded
    expected, errors = answer(model, member, side), {}
    for precision, levels in LEVELS.items():
        scores, features = simulate(model, side, levels)
        errors[precision] = spread_error(scores, expected.scores), spread_error(features, expected.features)
    return expected, errors


@pytest.fixture(scope="module")
def simulated(loaded):
    member = loaded[0]
    side = sides(member, [96])[0] if sides(member, [96]) else 3 * reference.total_stride(member.genotype, member.space)
    return {side: simulation(loaded, side)}


@pytest.fixture(scope="module")
def simulated_uneven(loaded):
    return {side: simulation(loaded, side) for side in uneven(loaded[0]) if side >= 28}


def check_integers(loaded, simulated, options, folder):
    """As far from PyTorch in float64 as PyTorch itself is with the same integers."""
    member, _, path = loaded
    for side, (expected, errors) in simulated.items():
        allowed = errors[re.search(r"precision=(\w+)", options)[1]]
        scores, features = run(path, member, side, options, folder)
        found = (spread_error(scores.reshape(expected.scores.shape), expected.scores),
                 spread_error(features.reshape(expected.features.shape), expected.features))
        print(f"{member.name} {side} {options}: scores {found[0]:.1e}, simulated {allowed[0]:.1e}; "
              f"features {found[1]:.1e}, simulated {allowed[1]:.1e}")
        assert found[1] <= SLACK * allowed[1]
        assert max(allowed) < (0.5 if "int8" in options else 0.05), "the simulation itself is sound"
        yield found[0], allowed


@pytest.mark.parametrize("options", PRECISIONS)
def test_integers(loaded, simulated, options, tmp_path):
    for scores, allowed in check_integers(loaded, simulated, options, tmp_path):
        # Errors of few numbers differ by chance: those of one class and eight pictures by more than 2.6, the square root
        # of F(8, 8), once in a hundred times. And PyTorch draws other random weights on other CPUs.
        few = COUNT * loaded[0].classes < 40
        assert scores <= (3 if few else SLACK) * max(allowed)


@pytest.mark.parametrize("options", PRECISIONS)
def test_integers_of_any_side(loaded, simulated_uneven, options, tmp_path):
    """Features only: the classifier has no side."""
    assert len(list(check_integers(loaded, simulated_uneven, options, tmp_path))) >= 1


@pytest.mark.parametrize("precision", LEVELS)
def test_a_bit_fewer_is_seen(precision):
    member = MEMBERS[2]
    model, expected = build(member), answer(build(member), member, 64).features

    def simulated_error(part):
        levels, last = ([level // part for level in LEVELS[name]] for name in (precision, "int16"))
        return spread_error(simulate(model, 64, levels, last)[1], expected)

    assert simulated_error(2) > SLACK * simulated_error(1)


@pytest.mark.parametrize("precision", LEVELS)
def test_every_set_gives_the_same_bits(loaded, precision, tmp_path):
    """From AVX2 on, which has fused multiply-adds as all later ones have; where this CPU lacks a set, the one below
    runs twice."""
    member, _, path = loaded
    side = reference.total_stride(member.genotype, member.space)
    source, results = tmp_path / "in.f32", []
    pictures(side).tofile(source)
    for isa in ("avx2", "avx512", "avx512vnni"):
        result = tmp_path / isa
        subprocess.run([RUN, path, str(side), str(COUNT), source, result, f"precision={precision},isa_max={isa}"],
                       check=True)
        results.append(result.read_bytes())
    assert results[0] == results[1] == results[2]


# ---- the comparison can fail ----

Case = namedtuple("Case", "member model x scores bound")


@pytest.fixture(scope="module")
def case():
    member = MEMBERS[2]
    model = build(member)
    x = torch.from_numpy(pictures(64, 2)).double()
    reference_answer = answer(model, member, 64)
    return Case(member, model.double(), x, reference_answer.scores[:2], bound(reference_answer))


def relu6(block):
    old, block.act = block.act, torch.nn.ReLU6()
    return lambda: setattr(block, "act", old)


def no_se(block):
    old, block.mid_se = block.mid_se, None
    return lambda: setattr(block, "mid_se", old)


def large_eps(block):
    block.bn2.eps = 1e-3
    return lambda: setattr(block.bn2, "eps", 1e-5)


def shifted(block):
    old = block.conv2.weight.data.clone()
    block.conv2.weight.data = torch.roll(old, 1, 3)
    return lambda: setattr(block.conv2.weight, "data", old)


def no_residual(block):
    block.residual = False
    return lambda: setattr(block, "residual", True)


MUTATIONS = {
    relu6: lambda block: True,
    no_se: lambda block: block.mid_se is not None,
    large_eps: lambda block: True,
    shifted: lambda block: True,
    no_residual: lambda block: block.residual,
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
@torch.no_grad()
def test_a_mutant_is_seen(case, mutation):
    seen = 0
    for i, block in enumerate(case.model.mb_module):
        if isinstance(block, torch.nn.Identity) or not MUTATIONS[mutation](block):
            continue
        undo = mutation(block)
        found = error(case.model(case.x).numpy(), case.scores)
        undo()
        assert found > case.bound, f"{mutation.__name__} in layer {i}: only {found:.1e}"
        seen += 1
    assert seen > 0
    assert error(case.model(case.x).numpy(), case.scores) < 1e-12, "undone"


@pytest.mark.parametrize("style", [
    reference.Style("hswish", 0.001, "same"),
    reference.Style("relu6", 1e-5, "same"),
    reference.Style("relu6", 0.001, "symmetric"),
], ids=["activation", "epsilon", "padding"])
@torch.no_grad()
def test_another_style_is_seen(style):
    member, = (m for m in MEMBERS if m.name == "EfficientNet-Lite0")
    expected = answer(build(member), member, 96)
    mutant = reference.Scarlet(member.genotype, member.classes, member.space)
    reference.restyle(mutant, style).double().eval()
    mutant.load_state_dict(build(member).state_dict())
    found = mutant(torch.from_numpy(pictures(96)).double()).numpy()
    assert error(found, expected.scores) > 10 * bound(expected)
