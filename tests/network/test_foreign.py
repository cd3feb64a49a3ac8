"""Checkpoints of other projects, read as they are."""

import os
import subprocess

import pytest
import torch
from networks import (COUNT, NAMINGS, TORCHVISION, build, metadata, other, pictures, save_safetensors,
                      translated)

RUN = os.environ["SCARLET_NETWORK_RUN"]
COMMAND = os.environ.get("SCARLET_COMMAND")

SIDE = 64


@pytest.fixture(scope="module", params=[(name, i) for name in NAMINGS for i in range(len(NAMINGS[name]))],
                ids=lambda param: f"{param[0]}-{param[1]}")
def files(request, tmp_path_factory):
    """A network, its weights in a file of ours, and in one of another project."""
    name, naming = request.param
    network, folder = other(name), tmp_path_factory.mktemp(name)
    state = build(network).state_dict()
    save_safetensors(state, folder / "ours.safetensors", metadata(network))
    torch.save(translated(state, NAMINGS[name][naming]), folder / "theirs.pth")
    pictures(SIDE).tofile(folder / "in.f32")
    return network, state, folder, NAMINGS[name][naming]


def scores(folder, name):
    subprocess.run([RUN, folder / name, str(SIDE), str(COUNT), folder / "in.f32", folder / "out.f32"], check=True)
    return (folder / "out.f32").read_bytes()


def command(*arguments):
    if not COMMAND:
        pytest.skip("a build without the command")
    return subprocess.run([COMMAND, *arguments], check=True, capture_output=True, text=True).stdout


def test_the_names_are_theirs(files):
    """torchvision is the judge of its own."""
    network, state, _, naming = files
    if naming == TORCHVISION:
        models = pytest.importorskip("torchvision.models")
        models.mobilenet_v2().load_state_dict(translated(state, TORCHVISION))


@torch.no_grad()
def test_torchvision_computes_the_same(files):
    network, state, folder, naming = files
    if naming != TORCHVISION:
        pytest.skip("torchvision has no such network, or other names")
    module = pytest.importorskip("torchvision.models").mobilenet_v2().eval()
    module.load_state_dict(translated(state, TORCHVISION))
    x = torch.from_numpy(pictures(SIDE)).double()
    difference = module.double()(x) - build(network).double()(x)
    assert difference.abs().max() < 1e-9


def test_the_same_bits(files):
    folder = files[2]
    assert scores(folder, "theirs.pth") == scores(folder, "ours.safetensors")


def test_info(files):
    network, _, folder, _ = files
    for name in "theirs.pth", "ours.safetensors":
        text = command("info", folder / name)
        assert f"Network        {network.name}\n" in text
        assert "scarlet.format = 2\n" in text


def test_convert(files):
    """Of our own form: the same bits, names and metadata."""
    network, _, folder, _ = files
    command("convert", folder / "theirs.pth", folder / "converted.safetensors")
    assert scores(folder, "converted.safetensors") == scores(folder, "ours.safetensors")
    first, second = (command("info", "--json", folder / name) for name in ("theirs.pth", "converted.safetensors"))
    for key in "name", "genotype", "metadata", "layers":
        assert f'"{key}"' in first
    assert first.split('"network"')[-1].split('"layers"')[1] == second.split('"network"')[-1].split('"layers"')[1]
    # Again, and nothing changes.
    command("convert", folder / "converted.safetensors", folder / "again.safetensors")
    assert (folder / "again.safetensors").read_bytes() == (folder / "converted.safetensors").read_bytes()


def test_options_win(files):
    folder = files[2]
    command("convert", "--mean", "0.1,0.2,0.3", "--std", "1,1,1", folder / "theirs.pth", folder / "mean.safetensors")
    assert "scarlet.mean = 0.1,0.2,0.3\n" in command("info", folder / "mean.safetensors")


def refusal(state, folder):
    torch.save(state, folder / "changed.pth")
    done = subprocess.run([RUN, folder / "changed.pth", "64", "1", "-", "-"], capture_output=True, text=True)
    assert done.returncode == 3, done
    return done.stderr.split(": ", 2)[2].rstrip("\n")


def test_what_does_not_fit_has_their_names(files):
    network, state, folder, naming = files
    theirs = translated(state, naming)
    name = "_blocks.0._se_reduce.weight"
    assert refusal({**theirs, name: torch.zeros(8, 32, 1, 1)}, folder) == (
        f"unexpected tensor {name} [8, 32, 1, 1] (0 missing, 1 unexpected, 0 wrong)")
    name = next(n for n in theirs if n.endswith("running_var"))
    assert refusal({**theirs, name: -theirs[name]}, folder).startswith(f"tensor {name}: value 0 is -")
    name = next(n for n in theirs if theirs[n].ndim == 4)
    assert refusal({**theirs, name: torch.zeros(32, 3, 5, 5)}, folder) == (
        f"{name} has shape [32, 3, 5, 5], expected [32, 3, 3, 3] (0 missing, 0 unexpected, 1 wrong)")
    name = max(n for n in theirs if theirs[n].ndim == 4 and n.count(".") > 2)
    assert refusal({n: t for n, t in theirs.items() if n != name}, folder)


def test_both_names_of_a_tensor(files):
    """A tensor of ours beside theirs: neither wins."""
    network, state, folder, naming = files
    theirs = translated(state, naming)
    message = refusal({**theirs, "stem.0.weight": state["stem.0.weight"]}, folder)
    assert message == "tensor stem.0.weight occurs twice"
