"""Checkpoints of other projects, read as they are."""

import os
import subprocess

import pytest
import torch
from networks import COUNT, OTHERS, Member, build, metadata, pictures, reference, save_safetensors, STYLES

RUN = os.environ["SCARLET_NETWORK_RUN"]
COMMAND = os.environ.get("SCARLET_COMMAND")

# Prefixes: ours, theirs. "#" is a block's number, which is `first` higher there.
EFFICIENTNET_PYTORCH = 1, [
    ("stem.0.", "_conv_stem."), ("stem.1.", "_bn0."),
    ("separable_conv.0.", "_blocks.0._depthwise_conv."), ("separable_conv.1.", "_blocks.0._bn1."),
    ("separable_conv.3.", "_blocks.0._project_conv."), ("separable_conv.4.", "_blocks.0._bn2."),
    ("mb_module.#.conv1.", "_blocks.#._expand_conv."), ("mb_module.#.bn1.", "_blocks.#._bn0."),
    ("mb_module.#.conv2.", "_blocks.#._depthwise_conv."), ("mb_module.#.bn2.", "_blocks.#._bn1."),
    ("mb_module.#.conv3.", "_blocks.#._project_conv."), ("mb_module.#.bn3.", "_blocks.#._bn2."),
    ("conv_before_pooling.0.", "_conv_head."), ("conv_before_pooling.1.", "_bn1."), ("classifier.", "_fc."),
]
TORCHVISION = 2, [
    ("stem.0.", "features.0.0."), ("stem.1.", "features.0.1."),
    ("separable_conv.0.", "features.1.conv.0.0."), ("separable_conv.1.", "features.1.conv.0.1."),
    ("separable_conv.3.", "features.1.conv.1."), ("separable_conv.4.", "features.1.conv.2."),
    ("mb_module.#.conv1.", "features.#.conv.0.0."), ("mb_module.#.bn1.", "features.#.conv.0.1."),
    ("mb_module.#.conv2.", "features.#.conv.1.0."), ("mb_module.#.bn2.", "features.#.conv.1.1."),
    ("mb_module.#.conv3.", "features.#.conv.2."), ("mb_module.#.bn3.", "features.#.conv.3."),
    ("conv_before_pooling.0.", "features.18.0."), ("conv_before_pooling.1.", "features.18.1."),
    ("classifier.", "classifier.1."),
]
NAMING = {"EfficientNet-Lite0": EFFICIENTNET_PYTORCH, "MobileNetV2": TORCHVISION}
SIDE = 64


def translated(state, naming):
    """The state dict under the names of the other project."""
    first, prefixes = naming
    full = {}
    for ours, theirs in prefixes:
        for block in range(20) if "#" in ours else [0]:
            full[ours.replace("#", str(block))] = theirs.replace("#", str(block + first))
    result = {}
    for name, tensor in state.items():
        prefix = max((p for p in full if name.startswith(p)), key=len)
        result[full[prefix] + name[len(prefix):]] = tensor
    return result


def member(name, classes=1000):
    space, genotype, style = OTHERS[name]
    return Member(name, reference.parse_genotype(genotype), reference.parse_space(space), classes, STYLES[style])


@pytest.fixture(scope="module", params=OTHERS)
def files(request, tmp_path_factory):
    """A network, its weights in a file of ours, and in one of the other project."""
    network, folder = member(request.param), tmp_path_factory.mktemp(request.param)
    state = build(network).state_dict()
    save_safetensors(state, folder / "ours.safetensors", metadata(network))
    torch.save(translated(state, NAMING[request.param]), folder / "theirs.pth")
    pictures(SIDE).tofile(folder / "in.f32")
    return network, state, folder


def scores(folder, name):
    subprocess.run([RUN, folder / name, str(SIDE), str(COUNT), folder / "in.f32", folder / "out.f32"], check=True)
    return (folder / "out.f32").read_bytes()


def command(*arguments):
    if not COMMAND:
        pytest.skip("a build without the command")
    return subprocess.run([COMMAND, *arguments], check=True, capture_output=True, text=True).stdout


def test_the_names_are_theirs(files):
    """torchvision is the judge of its own."""
    network, state, _ = files
    if network.name == "MobileNetV2":
        models = pytest.importorskip("torchvision.models")
        models.mobilenet_v2().load_state_dict(translated(state, TORCHVISION))


@torch.no_grad()
def test_torchvision_computes_the_same(files):
    network, state, folder = files
    if network.name != "MobileNetV2":
        pytest.skip("torchvision has no such network")
    module = pytest.importorskip("torchvision.models").mobilenet_v2().eval()
    module.load_state_dict(translated(state, TORCHVISION))
    x = torch.from_numpy(pictures(SIDE)).double()
    difference = module.double()(x) - build(network).double()(x)
    assert difference.abs().max() < 1e-9


def test_the_same_bits(files):
    folder = files[2]
    assert scores(folder, "theirs.pth") == scores(folder, "ours.safetensors")


def test_info(files):
    network, _, folder = files
    for name in "theirs.pth", "ours.safetensors":
        text = command("info", folder / name)
        assert f"Network        {network.name}\n" in text
        assert "scarlet.format = 2\n" in text


def test_convert(files):
    """Of our own form: the same bits, names and metadata."""
    network, _, folder = files
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
    network, state, folder = files
    theirs = translated(state, NAMING[network.name])
    name = "_blocks.0._se_reduce.weight" if network.name != "MobileNetV2" else "features.0.2.weight"
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
    network, state, folder = files
    theirs = translated(state, NAMING[network.name])
    message = refusal({**theirs, "stem.0.weight": state["stem.0.weight"]}, folder)
    assert message == "tensor stem.0.weight occurs twice"
