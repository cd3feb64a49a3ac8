"""A supernet's training and scores: resumed, on any number of threads, and against PyTorch in float64."""

import random

import numpy as np
import pytest
import torch
from library import DEPTHS, FAIR, KERNEL, NONE, UNIFORM, WIDTH, Library, Settings, Supernet, made_up, module_of, read_safetensors
from torch.nn import functional as F

SPACE = """space stem=16 tail=24 layers=8:1,16:2,16:1,16:1
choices e3k3,e3k3|e6k5se,e3k3|e6k7se|id,e3k5|id|e6k3
input_size 18
"""
SIDE, CLASSES, COUNTS = 18, 4, (200, 90, 10)


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.fixture(scope="module")
def data(library):
    return made_up(library, SIDE, CLASSES, COUNTS)


def supernet(library, data, settings, **options):
    return Supernet.create(library, SPACE, data, settings, **{"batch_size": 32, "epochs": 3, "threads": 1, **options})


@pytest.fixture(scope="module", params=["identity", "LET", "LET, weights shared"])
def trained(request, library, data, tmp_path_factory):
    let = request.param != "identity"
    net = supernet(library, data, Settings(FAIR, let, 2, share=WIDTH if "shared" in request.param else NONE))
    net.step(18)
    return net, net.write(tmp_path_factory.mktemp(request.param) / "super.safetensors"), let


@pytest.mark.parametrize("settings", [
    Settings(FAIR), Settings(DEPTHS, 1, 1, 0.1, share=KERNEL), Settings(UNIFORM, 1, 2, share=WIDTH, largest_first=1, largest_teaches=1)])
def test_resume(settings, library, data, tmp_path):
    """Two threads, interrupted twice: the file is the same as without."""
    whole = supernet(library, data, settings)
    whole.step(15)
    broken = supernet(library, data, settings, threads=2)
    for steps in 4, 5:
        broken.step(steps)
        broken = Supernet.load(library, broken.write(tmp_path / "part"), data, threads=3)
    assert broken.get(1) == 9
    broken.step(6)
    assert whole.get(5) == broken.get(5)
    first, second = (read_safetensors(net.write(tmp_path / name)) for net, name in ((whole, "a"), (broken, "b")))
    differing = [key for key in first[0] if first[0][key] != second[0][key]]
    assert differing in ([], ["supernet.options"])  # threads
    assert all(torch.equal(first[1][name], second[1][name]) for name in first[1] | second[1])


def counts(library, net):
    return [[library.nas.scarlet_supernet_trained(net.handle, layer, choice) for choice in range(n)]
            for layer, n in enumerate((1, 2, 3, 3))]


def test_largest_first(library, data, tmp_path):
    """An epoch changes nothing but the largest path, and is not counted; then others follow. With a teacher a path more runs."""
    net = supernet(library, data, Settings(FAIR, largest_first=1, largest_teaches=1))
    before = read_safetensors(net.write(tmp_path / "a"))[1]
    net.step(6)
    after = read_safetensors(net.write(tmp_path / "b"))[1]
    layers = {(int(name.split(".")[2]), name.split(".")[3]) for name in before
              if "mb_module" in name and not torch.equal(before[name], after[name])}
    assert layers == {(0, "e3k3"), (1, "e6k5se"), (2, "e6k7se"), (3, "e6k3")}
    assert counts(library, net) == [[0], [0, 0], [0, 0, 0], [0, 0, 0]] and net.get(4) == 4
    net.step(6)
    assert counts(library, net) == [[18], [9, 9], [6, 6, 6], [6, 6, 6]]


def test_shared_parameters(library, data, tmp_path):
    """Choices that share weights are in the file once, as the smallest block that holds them."""
    space = "space stem=16 tail=24 layers=8:1,16:1\nchoices e3k3|e3k5|e6k3|e3k3se,e3k7|e6k5\ninput_size 18\n"
    blocks = {NONE: {"0.e3k3", "0.e3k5", "0.e6k3", "0.e3k3se", "1.e3k7", "1.e6k5"},
              KERNEL: {"0.e3k5", "0.e6k3", "0.e3k3se", "1.e3k7", "1.e6k5"}, WIDTH: {"0.e6k5", "0.e3k3se", "1.e6k7"}}
    for share, names in blocks.items():
        net = Supernet.create(library, space, data, Settings(share=share), batch_size=32, epochs=1)
        tensors = read_safetensors(net.write(tmp_path / "super"))[1]
        assert {".".join(name.split(".")[2:4]) for name in tensors if "mb_module" in name} == names
        assert net.get(8) == sum(t.numel() for t in tensors.values()) / 2


def test_old_state(library, data, tmp_path):
    """Files of before choices could share weights."""
    path = supernet(library, data, Settings(FAIR)).write(tmp_path / "new")
    raw = path.read_bytes()
    more = b" share=0 largest_first=0 largest_teaches=0"
    length, at = int.from_bytes(raw[:8], "little"), raw.index(more)
    (tmp_path / "old").write_bytes(raw[:at] + raw[at + len(more):8 + length] + b" " * len(more) + raw[8 + length:])
    assert Supernet.load(library, tmp_path / "old", data).get(2) == 18


def test_end(library, data):
    """Three epochs of six batches; what follows does nothing."""
    net = supernet(library, data, Settings(FAIR))
    assert (net.get(2), net.get(3), net.get(4)) == (18, 6, 3)
    net.step(20)
    assert net.get(1) == 18
    assert counts(library, net) == [[54], [27, 27], [18, 18, 18], [18, 18, 18]]
    assert library.nas.scarlet_supernet_trained(net.handle, 1, 2) == -1


@pytest.mark.parametrize("let", [0, 1])
def test_learns(library, data, let):
    """Far above chance: 0.4 is three standard deviations above the 0.25 of guessing 90 pictures of 4 classes."""
    net = supernet(library, data, Settings(FAIR, let), epochs=20, aug="none")
    net.step(120)
    assert net.score("e3k3,e3k3,e3k3,e3k5")[1] > 0.4 and net.score("e3k3,e3k3,id,id")[1] > 0.4


@pytest.mark.parametrize("genotype", ["e3k3,e6k5se,e6k7se,e3k5", "e3k3,e3k3,id,e6k3", "e3k3,e3k3,e3k3,id", "e3k3,e6k5se,id,id"])
def test_score(trained, data, genotype):
    """Recalibration is PyTorch's with momentum None on the first batches of 64, and so are the scores."""
    net, path, let = trained
    module, name = module_of(path), genotype.replace("id", "let") if let else genotype
    pictures, _ = data.tensors(0)
    module.measure(name, pictures[:192].split(64))
    pictures, labels = data.tensors(1)
    with torch.no_grad():
        logits = module(name, pictures)
    cross_entropy, top1, count = net.score(genotype)
    assert count == 90
    assert cross_entropy == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-4)
    assert top1 == pytest.approx((logits.argmax(1) == labels).double().mean().item(), abs=1.01 / 90)
    if let:
        assert net.score(name) == net.score(genotype)


def test_score_is_repeatable(trained, data, library):
    """Whatever was scored before, on any number of threads, and again after loading."""
    net, path, _ = trained
    genotypes = ["e3k3,e6k5se,e6k7se,e3k5", "e3k3,e3k3,id,id", "e3k3,e3k3,e3k3,e6k3"]
    first = [net.score(g) for g in genotypes]
    for threads in 1, 3:
        again = Supernet.load(library, path, data, threads)
        order = genotypes[:]
        random.Random(threads).shuffle(order)
        scores = {g: again.score(g) for g in order}
        assert [scores[g] for g in genotypes] == first


def test_let_start(library, data):
    """Orthogonal and identity begin with a condition of 1, random does not; without LETs there is none."""
    def condition(settings, layer):
        return library.nas.scarlet_supernet_condition(supernet(library, data, settings).handle, layer)

    assert condition(Settings(FAIR, 1, 0), 2) == pytest.approx(1, abs=1e-5)
    assert condition(Settings(FAIR, 1, 1), 2) == pytest.approx(1, abs=1e-5)
    assert condition(Settings(FAIR, 1, 2), 2) > 2
    assert np.isnan(condition(Settings(FAIR, 1, 2), 1)) and np.isnan(condition(Settings(FAIR), 2))


def test_refused(library, data, trained, tmp_path):
    net, path, _ = trained
    for options, message in ((dict(optimizer="adamw"), "sgd"), (dict(ema="on"), "ema"), (dict(batch_size=500), "fewer"),
                             (dict(drop=0.5), "drop")):
        with pytest.raises(ValueError, match=message):
            supernet(library, data, Settings(FAIR), **options)
    with pytest.raises(ValueError, match="out of range"):
        supernet(library, data, Settings(9))
    for wrong in Settings(share=3), Settings(share=-1), Settings(largest_first=-1), Settings(largest_first=100001):
        with pytest.raises(ValueError, match="out of range"):
            supernet(library, data, wrong)
    with pytest.raises(ValueError, match="no choice of the space"):
        net.score("e3k3,e3k3,e6k3,id")
    other = made_up(library, SIDE, CLASSES, COUNTS, seed=2)
    with pytest.raises(ValueError, match="other pictures or labels"):
        Supernet.load(library, path, other)
    (tmp_path / "no").write_text("nothing")
    with pytest.raises(ValueError):
        Supernet.load(library, tmp_path / "no", data)


def test_damaged(library, data, trained, tmp_path):
    """A byte changed anywhere in the head is noticed or changes no weight; never a crash."""
    _, path, _ = trained
    raw = bytearray(path.read_bytes())
    rng = random.Random(1)
    accepted = 0
    for _ in range(60):
        broken = bytearray(raw)
        at = rng.randrange(8, 8 + int.from_bytes(raw[:8], "little"))
        broken[at] ^= 1 << rng.randrange(7)
        (tmp_path / "x").write_bytes(broken)
        try:
            Supernet.load(library, tmp_path / "x", data)
            accepted += 1
        except ValueError as error:
            assert str(error)
    assert accepted < 30
    (tmp_path / "x").write_bytes(raw[:-5])
    with pytest.raises(ValueError):
        Supernet.load(library, tmp_path / "x", data)


def test_steps_to_nowhere(library, data):
    """A rate that is too large ends with step, rate and path named, and the weights as they were."""
    net = supernet(library, data, Settings(FAIR), lr=100, clip_grad=0, warmup_epochs=0, weight_decay=10)
    with pytest.raises(ValueError, match=r"step \d+, learning rate .* e3k3,"):
        net.step(18)
    before = net.get(1)
    with pytest.raises(ValueError, match=f"step {before:.0f},"):
        net.step(1)
