"""Exported networks: LETs merged in every position, proved by PyTorch in float64 against the path with LETs in place."""

import ctypes
import json
import zipfile

import numpy as np
import pytest
import torch
from library import FAIR, KERNEL, WIDTH, Library, Settings, Supernet, made_up, module_of, read_safetensors, reference

SPACE = """space stem=16 tail=24 layers=8:1,16:2,16:1,16:1,16:1,16:1,16:1,24:2,24:1
choices e3k3|id,e3k3|e6k5se,e3k3|id,e3k3|id,e6k5se|id,e3k5|id,e3k3se|id,e3k3,e3k3|id
input_size 20
"""
SIDE, CLASSES, COUNTS = 20, 4, (260, 70, 0)
B = ["e3k3", "e6k5se", "e3k3", "e3k3", "e6k5se", "e3k5", "e3k3se", "e3k3", "e3k3"]

# Layers skipped, and what stands around them.
POSITIONS = {
    "none": [],
    "after the separable layer": [0],
    "after a block without residual": [2],
    "before a block without residual": [6],
    "before the tail": [8],
    "alone between blocks without residual": [2, 3, 4, 5, 6],
    "between residual blocks": [4],
    "two in a row between residual blocks": [4, 5],
    "two apart between residual blocks": [3, 5],
    "everywhere": [0, 2, 4, 6, 8],
}


def genotype(skipped, word="id"):
    return ",".join(word if i in skipped else block for i, block in enumerate(B))


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.fixture(scope="module")
def data(library):
    return made_up(library, SIDE, CLASSES, COUNTS)


@pytest.fixture(scope="module")
def trained(library, data, tmp_path_factory):
    net = Supernet.create(library, SPACE, data, Settings(FAIR, 1, 2), batch_size=32, epochs=2, threads=1, aug="none")
    net.step(16)
    return net, net.write(tmp_path_factory.mktemp("super") / "super.safetensors")


def export(net, genotype, path, drop=0, storage=None):
    options = None
    if storage is not None:
        net.library.main.scarlet_options_create.restype = ctypes.c_void_p
        options = ctypes.c_void_p(net.library.main.scarlet_options_create())
        net.library.call("options_parse", options, f"storage={storage}".encode())
    difference = ctypes.c_double()
    net.library.call("supernet_export", net.handle, genotype.encode(), str(path).encode(), drop, options,
                     ctypes.byref(difference))
    return difference.value


def child_of(path):
    """(reference module in float64 and eval mode, metadata)."""
    metadata, tensors = read_safetensors(path)
    skipped = [i for i in range(len(B)) if f"mb_module.{i}.conv1.weight" not in tensors]
    child = reference.Scarlet(reference.parse_genotype(genotype(skipped)), CLASSES,
                              reference.parse_space(metadata["scarlet.space"])).double().eval()
    missing, unexpected = child.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    return child, metadata


def wanted(path, name, data):
    """Logits of the path with LETs in place, and its module."""
    batches = data.tensors(0)[0][:256].split(64)
    module = module_of(path).measure(name, batches)
    with torch.no_grad():
        return module(name, data.tensors(1)[0]), module


def error(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize("position", POSITIONS)
def test_merged(position, trained, data, tmp_path):
    net, path = trained
    name = genotype(POSITIONS[position], "let")
    difference = export(net, name, tmp_path / "child.safetensors")
    child, metadata = child_of(tmp_path / "child.safetensors")
    expected, _ = wanted(path, name, data)
    with torch.no_grad():
        found = child(data.tensors(1)[0])
    assert error(found, expected) < 2e-5 and difference < 2e-5
    assert metadata["scarlet.input_size"] == str(SIDE) and metadata["scarlet.space"] in SPACE


@pytest.mark.parametrize("position", ["between residual blocks", "everywhere", "two apart between residual blocks"])
def test_statistics(position, trained, data, tmp_path):
    """The child's running statistics are those that PyTorch measures of it: training goes on from where it is."""
    net, _ = trained
    export(net, genotype(POSITIONS[position]), tmp_path / "child.safetensors")
    child, _ = child_of(tmp_path / "child.safetensors")
    norms = {name: module for name, module in child.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    before = {name: (norm.running_mean.clone(), norm.running_var.clone()) for name, norm in norms.items()}
    for norm in norms.values():
        norm.reset_running_stats()
        norm.momentum = None
    child.train()
    with torch.no_grad():
        for batch in data.tensors(0)[0][:256].split(64):
            child(batch)
    for name, norm in norms.items():
        mean, variance = before[name]
        deviation = norm.running_var.sqrt()
        # Batches differ a little from the mean of them all, which the merged weights were made by.
        assert ((mean - norm.running_mean) / deviation).abs().max() < 0.02, name
        assert (variance / norm.running_var - 1).abs().max() < 0.05, name


def test_row_norms(trained, tmp_path):
    """Merged projections keep the norms of their rows: the effective learning rate stays."""
    net, path = trained
    export(net, genotype([4]), tmp_path / "child.safetensors")
    child, weights = read_safetensors(tmp_path / "child.safetensors")[1], read_safetensors(path)[1]
    for layer in 1, 3, 5:
        old = weights[f"weights.mb_module.{layer}.{B[layer]}.conv3.weight"].flatten(1).norm(dim=1)
        assert torch.allclose(child[f"mb_module.{layer}.conv3.weight"].flatten(1).norm(dim=1), old, rtol=1e-5)


def test_half(trained, tmp_path):
    """In f16 a merged network is about as exact as one without LETs."""
    net, _ = trained
    plain = export(net, genotype([]), tmp_path / "a.safetensors", storage="f16")
    merged = export(net, genotype([4]), tmp_path / "b.safetensors", storage="f16")
    assert 1e-5 < plain < 3e-3 and merged < 4 * plain


@pytest.mark.parametrize("storage", ["f32", "f16"])
def test_torch(storage, trained, data, tmp_path):
    """A .pth file holds what the safetensors file does, under the names of the released class, which loads it strictly."""
    net, path = trained
    export(net, genotype([4]), tmp_path / "child.safetensors", storage=storage)
    export(net, genotype([4]), tmp_path / "child.pth", storage=storage)
    state = torch.load(tmp_path / "child.pth", weights_only=True)
    tensors = read_safetensors(tmp_path / "child.safetensors")[1]
    child = reference.Scarlet(reference.parse_genotype(genotype([4])), CLASSES, reference.parse_space(SPACE.splitlines()[0][6:]))
    assert list(state) == list(child.state_dict())
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            assert value == 0 and value.dtype == torch.int64
            continue
        assert torch.equal(value.double(), tensors[name])
        assert value.dtype == (torch.float16 if storage == "f16" and value.dim() > 1 else torch.float32)
    child.load_state_dict(state, strict=True)
    expected, _ = wanted(path, genotype([4], "let"), data)
    with torch.no_grad():
        assert error(child.double().eval()(data.tensors(1)[0]), expected) < (2e-5 if storage == "f32" else 1e-2)
    with zipfile.ZipFile(tmp_path / "child.pth") as archive:
        assert archive.testzip() is None and archive.read("archive/version") == b"3\n"


def test_dropped(trained, data, tmp_path):
    """Without its LETs it is another function; so it would be with a LET folded only forward."""
    net, path = trained
    difference = export(net, genotype([4], "let"), tmp_path / "child.safetensors", drop=1)
    child, _ = child_of(tmp_path / "child.safetensors")
    expected, module = wanted(path, genotype([4], "let"), data)
    with torch.no_grad():
        assert error(child(data.tensors(1)[0]), expected) > 1e-2 and difference > 1e-2
        matrix = module.block["4/let"].weight.flatten(1)
        conv = child.mb_module[5].conv1.weight
        conv.copy_((conv.flatten(1) @ matrix)[..., None, None])
        assert error(child(data.tensors(1)[0]), expected) > 1e-2


def rewrite(path, target, change):
    """A copy of a safetensors file with one tensor changed by a function of its array."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    body = bytearray(raw[8 + length:])
    for name, about in header.items():
        if name in change:
            first, last = about["data_offsets"]
            array = np.frombuffer(bytes(body[first:last]), np.float32).reshape(about["shape"])
            body[first:last] = change[name](array).astype(np.float32).tobytes()
    target.write_bytes(raw[:8 + length] + bytes(body))
    return target


def check_merged(library, path, skipped, data, folder):
    """A supernet whose LETs stand in these layers gives a child of the same logits."""
    net = Supernet.load(library, path, data)
    name = genotype(skipped, "let")
    assert export(net, name, folder / "child.safetensors") < 1e-4
    expected, _ = wanted(path, name, data)
    child, _ = child_of(folder / "child.safetensors")
    with torch.no_grad():
        assert error(child(data.tensors(1)[0]), expected) < 1e-4


@pytest.mark.parametrize("position, rank", [
    *((p, r) for p in ("after a block without residual", "before the tail", "everywhere") for r in (0, 8)),
    *(("between residual blocks", r) for r in (0, 1, 8, 15))])
def test_singular(position, rank, library, trained, data, tmp_path):
    """A LET of any rank merges."""
    _, path = trained
    rng = np.random.RandomState(rank)

    def lower(array):
        n = len(array)
        return (rng.randn(n, rank) @ rng.randn(rank, n) / n).reshape(array.shape)

    skipped = POSITIONS[position]
    changed = rewrite(path, tmp_path / "x.safetensors", {f"weights.mb_module.{i}.let.weight": lower for i in skipped})
    check_merged(library, changed, skipped, data, tmp_path)


@pytest.mark.parametrize("skipped, scales", [
    ([4], {4: 1e-30}), ([4], {4: 1e-12}), ([4], {4: 1e-7}), ([4, 5], {5: 0}), ([3, 5], {3: 0}), ([3, 5], {5: 0}), ([3, 5], {3: 1e-20, 5: 1e-5}),
    ([4], {4: 1e6})])
def test_scale(skipped, scales, library, trained, data, tmp_path):
    """A LET that is 0 or close to it merges, and a large one; with another one that is regular, too."""
    _, path = trained
    changed = rewrite(path, tmp_path / "x.safetensors", {
        f"weights.mb_module.{i}.let.weight": lambda array, scale=scale: array * scale for i, scale in scales.items()})
    check_merged(library, changed, skipped, data, tmp_path)


def spread(condition):
    """Makes a matrix with singular values over that range."""
    def make(array):
        n, rng = len(array), np.random.RandomState(3)
        u, v = (np.linalg.qr(rng.randn(n, n))[0] for _ in range(2))
        return (u * np.geomspace(1, 1 / condition, n) @ v.T).reshape(array.shape)
    return make


@pytest.mark.parametrize("condition", [1e2, 1e4])
def test_condition(condition, library, trained, data, tmp_path):
    """Balanced: no worse for a matrix of a high condition, in f16 too."""
    _, path = trained
    changed = rewrite(path, tmp_path / "x.safetensors", {"weights.mb_module.4.let.weight": spread(condition)})
    net = Supernet.load(library, changed, data)
    assert export(net, genotype([4]), tmp_path / "child.safetensors") < 2e-5
    assert export(net, genotype([4]), tmp_path / "child.safetensors", storage="f16") < 1e-2


@pytest.mark.parametrize("share", [KERNEL, WIDTH])
def test_shared(share, library, data, tmp_path):
    """A choice that shares its weights is exported as what it is; a LET beside it merges."""
    space = SPACE.replace("e3k3|e6k5se,e3k3|id", "e3k3|e6k5se|e6k3se|e3k5,e3k3|e6k3|id")
    assert space != SPACE
    net = Supernet.create(library, space, data, Settings(FAIR, 1, 2, share=share), batch_size=32, epochs=1, threads=2, aug="none")
    net.step(8)
    path = net.write(tmp_path / "super.safetensors")
    for block in "e6k3se", "e3k5", "e3k3":
        name = genotype([4], "let").replace("e6k5se", block, 1)
        assert export(net, name, tmp_path / "child.pth") < 2e-5
        child = reference.Scarlet(reference.parse_genotype(name.replace("let", "id")), CLASSES, reference.parse_space(SPACE.splitlines()[0][6:]))
        child.load_state_dict(torch.load(tmp_path / "child.pth", weights_only=True))
        expected, _ = wanted(path, name, data)
        with torch.no_grad():
            assert error(child.double().eval()(data.tensors(1)[0]), expected) < 2e-5


def test_one_sided(library, trained, data, tmp_path):
    """A LET merged into the blocks after it only: the same function, but with weights in f16 it is lost, where balanced merging keeps it."""
    _, path = trained
    changed = rewrite(path, tmp_path / "x.safetensors", {"weights.mb_module.4.let.weight": spread(1e4)})
    balanced = export(Supernet.load(library, changed, data), genotype([4]), tmp_path / "child.safetensors", storage="f16")
    expected, module = wanted(changed, genotype([4], "let"), data)
    child = reference.Scarlet(reference.parse_genotype(genotype([4])), CLASSES, reference.parse_space(SPACE.splitlines()[0][6:])).double().eval()
    child.load_state_dict({**module.common.state_dict(), **{
        f"mb_module.{i}.{key}": value for i, name in enumerate(B) if i != 4
        for key, value in {**module.choice[f"{i}/{name}"].state_dict(), **dict(module.block[f"{i}/{name}"].named_parameters())}.items()}})
    let = module.block["4/let"].weight.detach().flatten(1)
    with torch.no_grad():
        for i in 5, 6, 7:
            block = child.mb_module[i]
            block.conv1.weight.copy_((block.conv1.weight.flatten(1) @ let)[..., None, None])
            if block.residual:
                scale = block.bn3.weight / (block.bn3.running_var + block.bn3.eps).sqrt()
                shift = block.bn3.bias - block.bn3.running_mean * scale
                block.conv3.weight.copy_((let.inverse() @ (scale[:, None] * block.conv3.weight.flatten(1)))[..., None, None])
                block.bn3.bias.copy_(let.inverse() @ shift)
                block.bn3.weight.copy_((block.bn3.running_var + block.bn3.eps).sqrt())
                block.bn3.running_mean.zero_()
        assert error(child(data.tensors(1)[0]), expected) < 1e-9
        for p in child.parameters():
            if p.dim() > 1:
                p.copy_(p.half().double())
        assert error(child(data.tensors(1)[0]), expected) > max(2e-2, 10 * balanced)


def test_targets(trained, tmp_path):
    net, _ = trained
    with pytest.raises(ValueError, match="no choice"):
        export(net, genotype([1]), tmp_path / "child.safetensors")
    with pytest.raises(ValueError, match="nowhere"):
        export(net, genotype([]), tmp_path / "nowhere" / "child.safetensors")
    assert list(tmp_path.iterdir()) == []
