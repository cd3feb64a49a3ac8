"""Whole trainings: what comes out against PyTorch; killed, cancelled, resumed, refused.

SCARLET_NAS_KILLS is the number of kills in test_kill, 4 by default.
"""

import errno
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from scarlet import checkpoint  # noqa: E402

SMALL = ["space=stem=16 tail=48 layers=16:2,24:2", "arch=e3k3se,e3k3", "input-size=32", "threads=2", "aug=light"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def tensors(path):
    """Metadata and tensors of a safetensors file."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    return metadata, {name: data[8 + length + at[0]:8 + length + at[1]]
                      for name, at in ((name, entry["data_offsets"]) for name, entry in header.items())}


def write_idx(path, array):
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())
    return path


@pytest.fixture(scope="session")
def stripes(tmp_path_factory):
    """400 grey pictures of 28 x 28 in 4 classes: noisy stripes in four directions."""
    folder = tmp_path_factory.mktemp("stripes")
    rng = np.random.default_rng(5)
    labels = np.arange(400) % 4
    y, x = np.mgrid[:28, :28]
    waves = [x, y, x + y, x - y]
    pictures = np.stack([127 + 60 * np.sin(waves[c] * rng.uniform(0.5, 0.9) + rng.uniform(0, 6)) for c in labels])
    pictures = (pictures + rng.normal(0, 25, pictures.shape)).clip(0, 255).astype(np.uint8)
    return (write_idx(folder / "images", pictures), write_idx(folder / "labels", labels.astype(np.uint8)),
            pictures, labels)


def command(data, folder, mode="new", cancel=0, fraction=0.25, options=(), base=SMALL, classes=4):
    return [os.environ["SCARLET_NAS_RUN"], data[0], data[1], str(classes), folder, mode, str(cancel), str(fraction), *base,
            *options]


def run(*args, env=None, **kwargs):
    result = subprocess.run(command(*args, **kwargs), capture_output=True, text=True, env=env)
    assert result.returncode in (0, 1), result
    return result.stdout.splitlines()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    return path


def same_run(a, b):
    """The same model file, and in the checkpoint the same tensors."""
    assert (a / "best.safetensors").read_bytes() == (b / "best.safetensors").read_bytes()
    assert tensors(a / "last.ckpt")[1] == tensors(b / "last.ckpt")[1]
    rows = [[row.rsplit(",", 1)[0] for row in (x / "results.csv").read_text().splitlines()] for x in (a, b)]
    assert rows[0] == rows[1]


# ---- what comes out ----

def torch_scores(path, pictures):
    """Of PNG pictures, as the file's metadata says."""
    module, metadata = checkpoint.load(path)
    mean, std = ([float(x) for x in metadata[f"scarlet.{key}"].split(",")] for key in ("mean", "std"))
    pipeline = transforms.Compose([
        transforms.Resize(int(metadata["scarlet.resize"])), transforms.CenterCrop(int(metadata["scarlet.input_size"])),
        transforms.ToTensor(), transforms.Normalize(mean, std)])
    x = torch.stack([pipeline(Image.fromarray(p).convert("RGB")) for p in pictures]).double()
    with torch.no_grad():
        return module.eval().double()(x).numpy()


@pytest.mark.parametrize("options", [
    ["optimizer=sgd", "epochs=3", "batch-size=20", "micro-batch=20", "ema=off", "lr=0.02"],
    ["epochs=6", "batch-size=32", "micro-batch=8", "lr=0.005"],
    ["epochs=6", "batch-size=32", "micro-batch=16", "lr=0.005", "mixup=0.2", "class-weights=balanced", "storage=f16",
     "mean=0.3,0.4,0.5", "std=0.2,0.3,0.4", "resize=40", "aug=standard", "eval-metric=loss"]], ids=["sgd", "adamw", "all"])
def test_deployable(stripes, folder, tmp_path, options):
    """The classifier that a training writes: what it says of the validation part is what PyTorch counts with it."""
    lines = run(stripes, folder, options=options)
    assert lines[-1] == "finished", lines
    epochs = [line.replace(",", "").split() for line in lines[:-1]]
    losses = [float(words[4]) for words in epochs]
    assert losses[-1] < losses[0] < 1.7
    best = int(epochs[-1][-1])
    loss, top1, balanced = (float(x) for x in epochs[best - 1][5:8])
    assert top1 > 0.6

    path = folder / "best.safetensors"
    chosen = validation(stripes[3])
    scores = torch_scores(path, stripes[2][chosen])
    label = stripes[3][chosen]
    right = scores.argmax(1) == label
    assert top1 == pytest.approx(right.mean(), abs=1e-8)
    assert balanced == pytest.approx(np.mean([right[label == c].mean() for c in range(4)]), abs=1e-8)
    log_sum = np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1)) + scores.max(1)
    assert loss == pytest.approx((log_sum - scores[np.arange(len(label)), label]).mean(), rel=1e-4)

    png = []
    for i in chosen[:20]:
        png.append(tmp_path / f"{i}.png")
        Image.fromarray(stripes[2][i]).save(png[-1])
    output = subprocess.run([os.environ["SCARLET_COMMAND"], "classify", "-m", path, "--json", *png], capture_output=True,
                            check=True).stdout
    found = [json.loads(line) for line in output.splitlines()]
    exponents = np.exp(scores[:20] - scores[:20].max(1, keepdims=True))
    probabilities = exponents / exponents.sum(1, keepdims=True)
    for record, expected in zip(found, probabilities):
        for top in record["predictions"]:
            assert top["probability"] == pytest.approx(expected[top["class"]], abs=1e-4)


def validation(labels, fraction=0.25, seed=1):
    """Which pictures scarlet_dataset_split takes: see test_data.py for its random numbers."""
    from test_data import SPLIT, Random
    chosen = []
    for c in range(4):
        index = np.flatnonzero(labels == c).tolist()
        r = Random(seed, SPLIT, 0, c)
        for i in range(int(len(index) * fraction + 0.5)):
            other = i + r.below(len(index) - i)
            index[i], index[other] = index[other], index[i]
            chosen.append(index[i])
    return sorted(chosen)


def test_threads(stripes, tmp_path):
    """The same bits for any number of threads, and without a cache."""
    folders = []
    for options in (["threads=1"], ["threads=2"], ["threads=3", "cache=none"]):
        folders.append(tmp_path / options[0])
        folders[-1].mkdir()
        assert run(stripes, folders[-1], options=["epochs=2", "batch-size=32", "micro-batch=8", *options])[-1] == "finished"
    same_run(*folders[:2])
    same_run(*folders[1:])


# ---- interrupted ----

LONG = ["epochs=6", "batch-size=20", "micro-batch=10", "drop=0.1", "mixup=0.2"]


@pytest.fixture(scope="session")
def whole(stripes, tmp_path_factory):
    """A run without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(stripes, folder, options=LONG)[-1] == "finished"
    return folder


def test_kill(stripes, whole, folder):
    """Killed at random moments again and again, then resumed: the same final bits."""
    kills = int(os.environ.get("SCARLET_NAS_KILLS", 4))
    rng = random.Random(3)
    began = time.time()
    assert run(stripes, folder, options=LONG)[-1] == "finished"  # how long that takes now
    duration = time.time() - began
    killed = 0
    while killed < kills:
        for path in folder.iterdir():
            path.unlink()
        while killed < kills:
            mode = "resume" if (folder / "last.ckpt").exists() else "new"
            process = subprocess.Popen(command(stripes, folder, mode, options=LONG), stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, duration))
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break  # it had finished
            killed += 1
        mode = "resume" if (folder / "last.ckpt").exists() else "new"
        assert run(stripes, folder, mode, options=LONG)[-1] == "finished"
        same_run(folder, whole)
        assert {path.name for path in folder.iterdir()} == {"best.safetensors", "last.ckpt", "results.csv"}


@pytest.mark.parametrize("step", [1, 7, 15, 16, 31, 90])
def test_cancel(stripes, whole, folder, step):
    """Cancelled within an epoch, at its end, at the end of all: usable files, then the same final bits."""
    last = run(stripes, folder, cancel=step, options=LONG)[-1]
    assert last == ("finished" if step == 90 else "cancelled")
    assert int(tensors(folder / "last.ckpt")[0]["train.step"]) == step
    assert torch_scores(folder / "best.safetensors", stripes[2][:1]).shape == (1, 4)
    assert run(stripes, folder, "resume", options=LONG)[-1] == "finished"
    same_run(folder, whole)


def test_results_are_cut_back(stripes, whole, folder):
    run(stripes, folder, cancel=40, options=LONG)
    with open(folder / "results.csv", "a") as file:
        file.write("3,45,of a run that was killed later\n")
    assert run(stripes, folder, "resume", options=LONG)[-1] == "finished"
    same_run(folder, whole)


def test_temporary_files(stripes, folder):
    """Those of killed processes go, those of living ones stay, and so does everything else."""
    child = subprocess.Popen(["true"])
    child.wait()
    mine = [f"best.safetensors.{os.getpid()}-0.tmp", "best.safetensors.1x-0.tmp", "best.safetensors.tmp", f"other.{child.pid}-0.tmp"]
    for name in [*mine, f"best.safetensors.{child.pid}-3.tmp", f"last.ckpt.{child.pid}-0.tmp"]:
        (folder / name).write_bytes(b"")
    assert run(stripes, folder, cancel=1, options=LONG)[-1] == "cancelled"
    assert {path.name for path in folder.iterdir()} == {*mine, "best.safetensors", "last.ckpt"}


def test_patience(stripes, folder):
    """A rate of nearly 0 never betters the first epoch; the run stops, resumed too."""
    options = ["epochs=50", "patience=3", "lr=1e-12", "batch-size=50", "ema=off", "optimizer=sgd"]
    lines = run(stripes, folder, options=options)
    assert lines[-1] == "finished" and int(lines[-2].split()[1]) - int(lines[-2].split()[-1]) == 3
    assert run(stripes, folder, "resume", options=options) == ["finished"]


def test_time(stripes, tmp_path):
    """Hours become steps, which the checkpoint keeps: about as long, and the same bits after a cancel."""
    folder = tmp_path / "a"
    folder.mkdir()
    began = time.time()
    assert run(stripes, folder, options=["time=0.002", "batch-size=20"])[-1] == "finished"
    assert 3 < time.time() - began < 30
    metadata, _ = tensors(folder / "last.ckpt")
    assert int(metadata["train.steps"]) == int(metadata["train.step"]) > 20
    assert run(stripes, folder, "resume", options=["time=0.002", "batch-size=20"]) == ["finished"]


# ---- refused ----

def refusal(*args, **kwargs):
    lines = run(*args, **kwargs)
    assert len(lines) == 1 and lines[0] not in ("finished", "cancelled")
    return lines[0].replace(str(args[1]) + "/", "")


def test_other_options(stripes, whole, folder):
    shutil.copy(whole / "last.ckpt", folder)
    before = (folder / "last.ckpt").read_bytes()
    assert refusal(stripes, folder, options=LONG) == \
        "argument: last.ckpt: exists; resume that training or choose another folder"
    for option in ("lr=0.01", "epochs=7", "seed=2", "hflip=0.25", "scale=0.5,1", "arch=e3k3,e3k3", "input-size=64"):
        assert refusal(stripes, folder, "resume", options=[*LONG, option]) == \
            f"argument: last.ckpt: is of a training with another option {option.split('=')[0]}"
    assert refusal(stripes, folder, "resume", fraction=0.5, options=LONG) == \
        "argument: last.ckpt: is of a training on other pictures or labels"
    assert (folder / "last.ckpt").read_bytes() == before
    assert run(stripes, folder, "resume", options=[*LONG, "threads=1", "cache=none", "cache-size=7"]) == ["finished"]


def test_no_checkpoint(stripes, folder):
    assert refusal(stripes, folder, "resume", options=LONG) == "io: last.ckpt: No such file or directory"
    (folder / "last.ckpt").write_bytes(b"hello")
    assert refusal(stripes, folder, "resume", options=LONG).startswith("format: last.ckpt: not a checkpoint: ")
    shutil.copy(ROOT / "examples/models/fashion-mnist-scarlet-c.safetensors", folder / "last.ckpt")
    assert refusal(stripes, folder, "resume", options=LONG) == "format: last.ckpt: not a checkpoint of a training"


def test_damaged(stripes, whole, folder):
    """Cut anywhere, or with one byte changed anywhere: never taken for whole."""
    good = (whole / "last.ckpt").read_bytes()
    header = 8 + struct.unpack("<Q", good[:8])[0]
    rng = random.Random(1)
    places = [rng.randrange(8, header) for _ in range(12)] + [rng.randrange(header, len(good)) for _ in range(12)]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        if bytes(bad[:header]).rstrip() == good[:header].rstrip() and place < header:
            continue  # only the padding
        (folder / "last.ckpt").write_bytes(bad)
        message = refusal(stripes, folder, "resume", options=LONG)
        assert message.split(":")[0] in ("corrupt", "format", "unsupported", "argument", "model"), (place, message)
        assert message.split(":")[1] == " last.ckpt"
    for length in (0, 7, 100, header - 1, header, len(good) - 1):
        (folder / "last.ckpt").write_bytes(good[:length])
        message = refusal(stripes, folder, "resume", options=LONG)
        assert message.split(":")[0] in ("corrupt", "format"), message


@pytest.mark.parametrize("options, expected", [
    (["batch-size=500"], "argument: 300 training pictures are fewer than the 500 of a step (option batch-size)"),
    (["batch-size=50", "micro-batch=20"], "argument: option batch-size: 50 is not a multiple of micro-batch, 20"),
    (["lr=0.1", "min-lr=0.2"], "argument: option min-lr: more than lr, 0.1"),
    (["time=1", "epochs=3"], "argument: option epochs has no effect where time is given"),
    (["resize=20"], "argument: option resize: 20 is less than the input size 32"),
    (["lr=-1"], 'argument: option lr: "-1"; expected a number, 0 to 100, or auto'),
    (["sched=linear"], 'argument: option sched: "linear"; expected cosine, step, constant'),
    (["scale=1,0.5"], 'argument: option scale: "1,0.5"; expected two rising numbers with a comma between them, 0.0001 to 1, or auto'),
    (["mean=0.5,0.5"], 'argument: option mean: "0.5,0.5"; expected three numbers, or one for all, -1000 to 1000, or auto'),
    (["std=1:0:1"], 'argument: option std: "1:0:1"; expected three numbers, or one for all, 1e-06 to 1000, or auto'),
    (["epochs=2.5"], 'argument: option epochs: "2.5"; expected a whole number, 1 to 100000, or auto'),
    (["momentum=auto"], 'argument: option momentum: "auto"; expected a number, 0 to 0.9999'),
    (["opt=sgd"], 'argument: unknown training option "opt"'),
], ids=str)
def test_options(stripes, folder, options, expected):
    assert refusal(stripes, folder, options=options) == expected


# ---- what goes wrong on the way ----

@pytest.mark.parametrize("kind, code, message", [
    ("write", errno.ENOSPC, "No space left on device"), ("fsync", errno.EIO, "Input/output error")])
def test_disk_full(stripes, whole, folder, kind, code, message):
    """The n-th call fails: the error says so, what was written before stays, and resuming gives the same bits."""
    for n in (1, 2, 11, 60, 300, 100000):
        for path in folder.iterdir():
            path.unlink()
        env = dict(os.environ, LD_PRELOAD=os.environ["SCARLET_FAILING"], SCARLET_FAILING=f"{kind} {n} {code}",
                   ASAN_OPTIONS="verify_asan_link_order=0")
        lines = run(stripes, folder, options=LONG, env=env)
        if lines[-1] == "finished":
            break
        assert lines[-1].startswith("io: ") and lines[-1].endswith(": " + message)
        assert {path.name for path in folder.iterdir()} <= {"best.safetensors", "last.ckpt", "results.csv"}
        mode = "resume" if (folder / "last.ckpt").exists() else "new"
        assert run(stripes, folder, mode, options=LONG)[-1] == "finished"
        same_run(folder, whole)
    assert n > 9 and lines[-1] == "finished"


def test_not_finite(stripes, folder):
    """A rate beyond reason: step, rate and layer are named; nothing is written from then on."""
    lines = run(stripes, folder, options=["optimizer=sgd", "lr=100", "clip-grad=0", "epochs=50", "batch-size=20",
                                          "warmup-epochs=0", "weight-decay=10"])
    assert re.match(r"argument: step \d+, learning rate 9\S*: the \w+ of layer \w+", lines[-1]), lines[-1]
    assert not any((folder / name).exists() for name in ("best.safetensors", "last.ckpt"))


def photos(folder, stripes, count=60):
    """The first pictures as JPEG files, and their list."""
    lines = []
    for i in range(count):
        path = folder / f"{i}.jpg"
        Image.fromarray(stripes[2][i]).resize((64, 48)).save(path, quality=90)
        lines.append(f"{path}\t{stripes[3][i]}\t{0 if i % 4 else 1}")
    return lines


FILES = ["epochs=2", "batch-size=8", "micro-batch=8"]


def test_broken_pictures(stripes, folder, tmp_path):
    """Two of 45 are skipped and named; three are more than 5 %."""
    lines = photos(tmp_path, stripes)
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    data = ("-", str(tmp_path / "list"))
    (tmp_path / "1.jpg").write_bytes(b"GIF89a is another format")
    (tmp_path / "2.jpg").unlink()
    found = run(data, folder, fraction=0, options=FILES)
    assert found[-1] == "finished"
    broken = [line.replace(str(tmp_path) + "/", "") for line in found if line.startswith("broken: ")]
    assert len(broken) == 2
    assert {line.split()[1] for line in broken} == {"1.jpg:", "2.jpg:"}
    (tmp_path / "3.jpg").write_bytes((tmp_path / "3.jpg").read_bytes()[:300])
    (folder / "last.ckpt").unlink()
    found = run(data, folder, fraction=0, options=FILES)
    assert found[-1].startswith("corrupt: at least 3 of 45 training pictures cannot be read, more than 5 %; one of them: ")


def test_orientation(stripes, folder, tmp_path):
    """A picture stored on its side with an EXIF tag trains as the upright one does; the file says so."""
    lines = photos(tmp_path, stripes, 24)
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    data = ("-", str(tmp_path / "list"))
    for i in range(24):  # lossless, so that turning gives the same pixels
        Image.open(tmp_path / f"{i}.jpg").save(tmp_path / f"{i}.jpg", format="PNG")
    assert run(data, folder, fraction=0, options=FILES)[-1] == "finished"
    upright = tensors(folder / "best.safetensors")
    for i in range(24):
        picture = Image.open(tmp_path / f"{i}.jpg")
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.rotate(90, expand=True).save(tmp_path / f"{i}.jpg", format="PNG", exif=exif)
    (folder / "last.ckpt").unlink()
    assert run(data, folder, fraction=0, options=FILES)[-1] == "finished"
    assert tensors(folder / "best.safetensors") == upright
    assert upright[0]["scarlet.auto_orient"] == "on"
    (folder / "last.ckpt").unlink()
    assert run(data, folder, fraction=0, options=[*FILES, "auto-orient=off"])[-1] == "finished"
    assert tensors(folder / "best.safetensors")[1] != upright[1]
    assert tensors(folder / "best.safetensors")[0]["scarlet.auto_orient"] == "off"

    # classify obeys what the file says
    folder.joinpath("turned.safetensors").write_bytes(b"")
    def classify(path, *options):
        return subprocess.run([os.environ["SCARLET_COMMAND"], "classify", "-m", path, "--json", *options,
                               tmp_path / "0.jpg"], capture_output=True, check=True).stdout
    (folder / "last.ckpt").unlink()
    assert run(data, folder, fraction=0, options=FILES)[-1] == "finished"
    path = folder / "best.safetensors"
    assert classify(path) == classify(path, "--auto-orient") != classify(path, "--opt", "auto_orient=off")


# ---- fine-tuning ----

TUNE = ["threads=2", "batch-size=20", "micro-batch=10", "epochs=2"]


def features_of(path, pictures):
    """Of the network without its classifier, by PyTorch in float64."""
    module, metadata = checkpoint.load(path)
    module.classifier = torch.nn.Identity()
    pipeline = transforms.Compose([transforms.Resize(int(metadata["scarlet.resize"])), transforms.ToTensor(),
                                   transforms.Normalize(MEAN, STD)])
    x = torch.stack([pipeline(Image.fromarray(p).convert("RGB")) for p in pictures]).double()
    with torch.no_grad():
        return module.eval().double()(x)


def logistic(x, label, classes):
    """The head that test_head.py defines, for features as they are: weight, bias."""
    from test_head import fit
    return fit(x, torch.as_tensor(label), classes)


def values(path):
    """Tensors as float64."""
    return {name: value.double() for name, value in checkpoint.load(path)[0].state_dict().items()
            if "num_batches" not in name}


def test_frozen_backbone(stripes, whole, folder):
    """Only the head is new, and it is that of the features; its scores are told before any step."""
    best = whole / "best.safetensors"
    lines = run(stripes, folder, base=TUNE, options=[f"initial-checkpoint={best}", "freeze=backbone"])
    assert lines[-1] == "finished" and lines[0].startswith("epoch 0 ") and len(lines) == 2
    before, after = values(best), values(folder / "best.safetensors")
    for name in before:
        assert torch.equal(before[name], after[name]) == (not name.startswith("classifier")), name
    chosen = validation(stripes[3])
    train = np.setdiff1d(np.arange(400), chosen)
    weight, bias = logistic(features_of(best, stripes[2][train]), stripes[3][train], 4)
    assert (after["classifier.weight"] - weight).abs().max() < 1e-2 * weight.abs().max()
    scores = features_of(best, stripes[2][chosen]) @ weight.T + bias
    found = torch.from_numpy(torch_scores(folder / "best.safetensors", stripes[2][chosen]))
    assert (scores.softmax(1) - found.softmax(1)).abs().max() < 1e-3
    top1 = (scores.argmax(1).numpy() == stripes[3][chosen]).mean()
    assert abs(float(lines[0].replace(",", "").split()[6]) - top1) <= 0.01 + 1e-9


def test_integer_features(stripes, whole, folder, tmp_path):
    """Features of 8-bit arithmetic: another head, which agrees."""
    options = [f"initial-checkpoint={whole / 'best.safetensors'}", "freeze=backbone"]
    other = folder.parent / "int8"
    other.mkdir()
    assert run(stripes, folder, base=TUNE, options=options)[-1] == "finished"
    assert run(stripes, other, base=TUNE, options=[*options, "features=int8"])[-1] == "finished"
    scores = [torch_scores(path / "best.safetensors", stripes[2]) for path in (folder, other)]
    assert (scores[0] != scores[1]).any()
    assert (scores[0].argmax(1) == scores[1].argmax(1)).mean() > 0.98


def test_fine_tuning(stripes, whole, folder):
    """Fewer classes, so a new head; then all layers train, statistics stay. Interrupted: the same bits."""
    best = whole / "best.safetensors"
    few = (stripes[0].parent / "few-images", stripes[0].parent / "few-labels")
    keep = stripes[3] < 3
    write_idx(few[0], stripes[2][keep])
    write_idx(few[1], stripes[3][keep].astype(np.uint8))
    options = [f"initial-checkpoint={best}"]
    lines = run(few, folder, base=TUNE, options=options, classes=3)
    assert [line.split()[1] for line in lines[:-1]] == ["0", "1", "2"] and lines[-1] == "finished"
    before, after = values(best), {name[8:]: value for name, value in tensors(folder / "last.ckpt")[1].items()
                                   if name.startswith("weights/")}
    for name, value in before.items():
        same = value.float().numpy().tobytes() == after[name]
        assert same == (".running_" in name), name

    other = folder.parent / "other"
    other.mkdir()
    assert run(few, other, cancel=5, base=TUNE, options=options, classes=3)[-1] == "cancelled"
    assert run(few, other, "resume", base=TUNE, options=options, classes=3)[-1] == "finished"
    same_run(folder, other)


def test_kept_head(stripes, whole, folder):
    """The same labels: the head stays, and with it all scores, until the first step."""
    best = whole / "best.safetensors"
    lines = run(stripes, folder, base=TUNE, options=[f"initial-checkpoint={best}", "freeze=2", "lr=1e-12"])
    assert lines[-1] == "finished"
    chosen = validation(stripes[3])
    right = torch_scores(best, stripes[2][chosen]).argmax(1) == stripes[3][chosen]
    assert float(lines[0].replace(",", "").split()[6]) == pytest.approx(right.mean(), abs=1e-8)
    before, after = values(best), values(folder / "best.safetensors")
    for name in before:
        assert torch.allclose(before[name], after[name], atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_freeze(stripes, whole, folder, layers):
    """The first layers stay to the bit: stem, separable layer, blocks."""
    best = whole / "best.safetensors"
    assert run(stripes, folder, base=TUNE, options=[f"initial-checkpoint={best}", f"freeze={layers}", "ema=off"])[-1] == "finished"
    before, after = values(best), tensors(folder / "last.ckpt")[1]
    frozen = ["stem.", "separable_conv.", "mb_module.0."][:layers]
    for name, value in before.items():
        same = value.float().numpy().tobytes() == after["weights/" + name]
        assert same == (".running_" in name or name.startswith(tuple(frozen))), name


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """Random weights of EfficientNet-Lite0 under the names of EfficientNet-PyTorch."""
    sys.path.insert(0, str(ROOT / "tests" / "network"))
    from networks import NAMINGS, build, other, translated
    path = tmp_path_factory.mktemp("lite") / "lite0.pth"
    network = other("EfficientNet-Lite0")
    torch.save(translated(build(network).state_dict(), NAMINGS[network.name][0]), path)
    return path


@pytest.mark.parametrize("freeze", [["freeze=backbone"], ["epochs=1", "lr=0.001"]], ids=["head", "all"])
def test_foreign_checkpoint(stripes, lite, folder, freeze):
    """A network of another style: what comes out says so, and PyTorch computes the same of it."""
    options = [f"initial-checkpoint={lite}", "input-size=32", *freeze]
    lines = run(stripes, folder, base=TUNE, options=options)
    assert lines[-1] == "finished", lines
    metadata = tensors(folder / "best.safetensors")[0]
    assert metadata["scarlet.format"] == "2" and metadata["scarlet.mean"] == "0.49803922,0.49803922,0.49803922"
    assert metadata["scarlet.network"] == "activation=relu6 epsilon=0.001 padding=same"
    chosen = validation(stripes[3])
    right = torch_scores(folder / "best.safetensors", stripes[2][chosen]).argmax(1) == stripes[3][chosen]
    best = max(float(line.replace(",", "").split()[6]) for line in lines[:-1])
    assert best == pytest.approx(right.mean(), abs=0.0101)


def test_other_size(stripes, whole, folder):
    """Fine-tuned at another input size than that of the initial checkpoint."""
    best = whole / "best.safetensors"
    assert run(stripes, folder, base=TUNE, options=[f"initial-checkpoint={best}", "input-size=48", "epochs=1"])[-1] == "finished"
    assert tensors(folder / "best.safetensors")[0]["scarlet.input_size"] == "48"
