"""python -m scarlet.compare and python -m scarlet.verify."""

import argparse
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tiny
import torch
from networks import Member, build, reference
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

import scarlet
from scarlet import checkpoint, compare, verify
from scarlet.imagefolder import samples

torch.set_num_threads(1)
SCORES = r"scores of \d pictures?: difference (\S+), bound (\S+) \(PyTorch in float32: \S+\): (ok|BEYOND)"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A small member of the default space as the release writes it: name -> path, by kind of file."""
    genotype = reference.parse_genotype("e3k3se,id,e3k5," + ",".join(["id"] * 15) + ",e3k7se")
    state = build(Member("release", genotype, reference.DEFAULT_SPACE, 7)).state_dict()
    folder = tmp_path_factory.mktemp("release")
    kinds = {
        "legacy": ({"model_state": state}, False),
        "zip": ({"model_state": state}, True),
        "bare": (state, True),
        "parallel": ({"state_dict": {"module." + name: tensor for name, tensor in state.items()}}, True),
        "half": ({"model_state": {name: t.half() if t.dim() > 1 else t for name, t in state.items()}}, True),
        "old": ({"model_state": {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}}, False),
        "beside": ({"model_state": state, "args": argparse.Namespace(lr=0.1)}, False),
    }
    for name, (root, zipped) in kinds.items():
        torch.save(root, folder / f"{name}.pth.tar", _use_new_zipfile_serialization=zipped)
    return {name: str(folder / f"{name}.pth.tar") for name in kinds}


def run_compare(capsys, *arguments):
    code = compare.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("kind", ["legacy", "zip", "bare", "parallel", "half", "old"])
def test_compare_reads_every_checkpoint(capsys, release, pictures, kind):
    code, out, err = run_compare(capsys, release[kind], pictures[0], "--opt", "input_size=64")
    assert (code, err) == (0, ""), out
    found = re.search(SCORES, out)
    assert found[3] == "ok" and float(found[1]) < 2e-5
    assert out.startswith("custom, 7 classes, 64 px: e3k3se,id,e3k5,") and "input identical to torchvision's" in out


def test_compare_prints_both(capsys, path, pictures):
    code, out, err = run_compare(capsys, path, *pictures[:2])
    assert (code, err) == (0, "")
    rows = re.findall(r"^(\d \S+) +(-?[\d.]+)  (\d \S+) +(-?[\d.]+)$", out, re.M)
    assert len(rows) == 10 and all(row[:2] == row[2:] for row in rows)
    with scarlet.Model(path) as model, model.session() as session:
        best = scarlet.topk(session.scores(pictures[:1])[0], 5, model.labels)
    assert [(f"{p.class_id} {p.label}", f"{p.score:.5f}") for p in best] == [row[:2] for row in rows[:5]]


@pytest.mark.parametrize("option", ["layout=nhwc", "isa_max=portable"])
def test_compare_by_layer(capsys, path, pictures, option):
    code, out, err = run_compare(capsys, path, pictures[0], "--layers", "--opt", option)
    assert (code, err) == (0, "")
    names = ["stem", "separable_conv", "mb_module.0", "mb_module.1", "mb_module.2", "conv_before_pooling", "classifier"]
    rows = re.findall(r"^(\S+) +(stem|separable|block|identity|tail|classifier)  .* (\S+) +(\S+)  ok +[\d.]+$", out, re.M)
    assert [row[0] for row in rows] == names and all(float(row[2]) < 2e-5 for row in rows)
    lines = out[out.index("layer "):].splitlines()[:8]
    assert len({len(line) for line in lines}) == 1, "aligned"


def test_compare_sees_a_difference(capsys, monkeypatch, path, pictures):
    """A weight of one layer off by 1 %: exit code 1, and the table shows where it begins."""
    load = checkpoint.load

    def wrong(*arguments):
        module, metadata = load(*arguments)
        module.mb_module[0].conv3.weight.data *= 1.01
        return module, metadata

    monkeypatch.setattr(checkpoint, "load", wrong)
    code, out, _ = run_compare(capsys, path, pictures[0], "--layers")
    assert code == 1 and re.search(SCORES, out)[3] == "BEYOND"
    verdicts = re.findall(r"^\S+ .* (ok|BEYOND) +[\d.]+$", out, re.M)
    assert verdicts == ["ok"] * 2 + ["BEYOND"] * 5


def test_compare_sees_another_input(capsys, monkeypatch, path, pictures):
    resize = transforms.Resize
    monkeypatch.setattr(compare.transforms, "Resize", lambda size: resize(size + 1))
    code, out, _ = run_compare(capsys, path, pictures[0])
    assert code == 1 and "input DIFFERENT from torchvision's" in out and re.search(SCORES, out)[3] == "ok"


def test_compare_fails(capsys, path, release, pictures, tmp_path):
    for arguments, message in (
            (("/no/model", pictures[0]), "/no/model: No such file or directory\n"),
            ((path, "/no/picture"), "/no/picture: No such file or directory\n"),
            ((path, pictures[0], "--opt", "thread=2"), "unknown option thread; "),
            ((path, pictures[0], "--opt", "threads"), 'option threads: "" is not an integer\n')):
        code, out, err = run_compare(capsys, *arguments)
        assert code == 2 and err.startswith(message), err
    # The library reads it, PyTorch only when it is trusted.
    code, _, err = run_compare(capsys, release["beside"], pictures[0])
    assert code == 2 and "--trust-pickle" in err
    assert run_compare(capsys, release["beside"], pictures[0], "--trust-pickle", "--opt", "input_size=64")[0] == 0


def test_compare_as_a_command(path, pictures):
    result = subprocess.run([sys.executable, "-m", "scarlet.compare", path, pictures[0]], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "") and re.search(SCORES, result.stdout)[3] == "ok"


# ---- verify ----

@pytest.fixture(scope="module")
def dataset(tmp_path_factory, pictures):
    """Class folders whose order is not what a person expects, with links, subfolders and files that do not count."""
    root = tmp_path_factory.mktemp("dataset") / "valid"
    places = ["10/a.png", "9/x.PNG", "A b/.png", "Zebra/q.JPEG", "apple/z.png", "apple/sub-2/a.png", "apple/sub/b.png",
              "apple/sub.d/c.png", "apple/sub/deep/d.png", "\N{LATIN SMALL LETTER E WITH ACUTE}clair/e.webp"]
    for i, place in enumerate(places):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pictures[i % len(pictures)], root / place)
    shutil.copytree(tiny.PICTURES, root / "linked-to")
    (root.parent / "elsewhere").mkdir()
    shutil.copy(pictures[3], root.parent / "elsewhere" / "p.png")
    (root / "link").symlink_to(root.parent / "elsewhere")
    for ignored in ("root.png", "apple/notes.txt", "apple/anim.gif", "apple/photo.jfif"):
        (root / ignored).write_bytes(b"ignored")
    return root


def reference_line(path, root):
    """The release's evaluation in PyTorch."""
    module, metadata = checkpoint.load(path)
    data = datasets.ImageFolder(root, transforms.Compose([
        transforms.Resize(int(metadata["scarlet.resize"])), transforms.CenterCrop(int(metadata["scarlet.input_size"])),
        transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
    total, hits = 0, np.zeros(2)
    for image, label in DataLoader(data, batch_size=7):
        with torch.no_grad():
            _, ranked = module(image).topk(5, 1, True, True)
        correct = ranked.t().eq(label.view(1, -1).expand(5, -1))
        hits += [float(correct[:k].reshape(-1).float().sum() * 100.0) for k in (1, 5)]
        total += len(image)
    return "Evaluate Result: Total: %d\tmTop1: %.4f\tmTop5: %.6f\n" % (total, *hits / total)


def test_the_order_is_imagefolders(dataset):
    expected = datasets.ImageFolder(dataset)
    assert [tuple(sample) for sample in samples(dataset)] == expected.samples
    assert expected.classes[:4] == ["10", "9", "A b", "Zebra"] and len(expected.samples) == 51


@pytest.mark.parametrize("batch_size", [1, 7, 128])
def test_verify_prints_the_references_line(capsys, path, dataset, batch_size):
    expected = reference_line(path, dataset)
    for root in (dataset, dataset.parent):
        assert verify.main(["--device", "cpu", "--val-dataset-root", str(root), "--pretrained-path", str(path),
                            "--batch-size", str(batch_size)]) == 0
        assert capsys.readouterr().out == expected
    assert re.fullmatch(r"Evaluate Result: Total: 51\tmTop1: [1-9]\d?\.\d{4}\tmTop5: [1-9]\d\.\d{6}\n", expected)


def run_verify(root, path, *arguments):
    return subprocess.run([sys.executable, "-m", "scarlet.verify", "--val-dataset-root", root, "--pretrained-path",
                           path, *arguments], capture_output=True, text=True)


def test_a_broken_picture_ends_the_evaluation(path, dataset, tmp_path):
    root = shutil.copytree(dataset, tmp_path / "copy", symlinks=True)
    (root / "apple" / "z.png").write_bytes((root / "apple" / "z.png").read_bytes()[:200])
    result = run_verify(root, path)
    assert (result.returncode, result.stdout) == (1, "") and f"{root / 'apple' / 'z.png'}: " in result.stderr


def test_verify_fails(capsys, path, release, dataset, tmp_path):
    result = run_verify(dataset, path, "--model", "Scarlet_A")
    assert (result.returncode, result.stderr) == (1, f"{path}: custom, not Scarlet_A\n")
    (tmp_path / "empty" / "class").mkdir(parents=True)
    for root, model, message in (
            (tmp_path / "none", path, "No such file or directory"), (tmp_path / "empty", path, "class: no pictures ("),
            (tmp_path / "empty" / "class", path, "class: no folders; expected one a class\n"),
            (dataset, "/no/model", "/no/model: No such file or directory\n")):
        assert verify.main(["--val-dataset-root", str(root), "--pretrained-path", str(model)]) == 1
        assert message in capsys.readouterr().err
    for wrong in (["--device", "cuda"], ["--batch-size", "0"], ["--model", "Scarlet_D"]):
        with pytest.raises(SystemExit) as caught:
            verify.main(["--val-dataset-root", "x", "--pretrained-path", "x", *wrong])
        assert caught.value.code == 2


def test_top5_needs_five_classes(capsys, dataset, tmp_path):
    genotype = reference.parse_genotype(",".join(["id"] * 19))
    state = build(Member("four", genotype, reference.DEFAULT_SPACE, 4)).state_dict()
    torch.save({"model_state": state}, tmp_path / "four.pth")
    assert verify.main(["--val-dataset-root", str(dataset), "--pretrained-path", str(tmp_path / "four.pth")]) == 1
    assert capsys.readouterr().err == "top-5 of 4 classes: the reference needs 5 or more\n"
