"""From pictures to a model: the files of a run, every form of data, configuration, interruption, refusals."""

import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
import zipfile

import numpy as np
import pytest
from conftest import CLASSES, COMMAND, COUNTS, SMALL, pixels, rows, save_idx, scarlet, train
from PIL import Image

FILES = ["args.txt", "best.safetensors", "confusion.csv", "last.ckpt", "predictions.csv", "report.html", "results.csv",
         "split.csv"]


def short(*extra):
    """A training of three epochs."""
    return [*SMALL, "--epochs", "3", *extra]


def model(folder):
    return (folder / "best.safetensors").read_bytes()


# ---- a run ----


def test_run(run, photos, result):
    folder, printed = run
    assert sorted(path.name for path in folder.iterdir()) == FILES
    lines = printed.stdout.splitlines()
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 12 and all(re.match(rf"epoch {i + 1}/12  lr \S+  loss [\d.]+  validation loss [\d.]+, top-1 [\d.]+ %",
                                              line) for i, line in enumerate(epochs))
    assert "left" in epochs[0] and "left" not in epochs[-1]
    assert re.fullmatch(rf"{folder}/best.safetensors: custom, 3 classes, epoch \d+; {folder}/report.html shows more", lines[-5])
    low, high = result["validation"]["top1_interval"]
    assert lines[-4] == (f"validation top-1 {result['validation']['top1']:.2f} % "
                         f"(95 % confidence interval {low:.2f} to {high:.2f})")
    assert lines[-3].startswith("test top-1 ") and re.fullmatch(r"[\d.]+ ms a picture on this machine", lines[-2])
    assert lines[-1] == f"Next: scarlet classify -m {folder}/best.safetensors PICTURE"
    assert "few to train from scratch" in printed.stderr and "--initial-checkpoint" in printed.stderr
    assert result["validation"]["total"] == 24 and result["test"]["total"] == 18
    assert result["validation"]["right"] >= 22 and result["test"]["right"] >= 16  # it has learnt


def test_results(run, result):
    found = rows(run[0] / "results.csv")
    assert [row[0] for row in found] == [str(i + 1) for i in range(12)] and [row[1] for row in found] == [
        str(5 * (i + 1)) for i in range(12)]
    best = max(float(row[5]) for row in found)
    assert 100 * best == pytest.approx(result["validation"]["top1"], abs=1e-4)
    top1 = [float(row[5]) for row in found]
    assert [row[7] == "1" for row in found] == [all(value > other for other in top1[:i]) for i, value in enumerate(top1)]


def test_predictions(run, photos, result):
    """They are of the test part, which verify counts alike."""
    found = [row.split(",") for row in (run[0] / "predictions.csv").read_text().splitlines()]
    assert found.pop(0) == "index,file,label,top1,top2,top3,confidence,truth,error".split(",")
    assert len(found) == 18 and all(f"{photos}/test/" in row[1] for row in found)
    right = sum(row[2] == row[3] for row in found)
    assert right == result["test"]["right"]
    verified = json.loads(scarlet("verify", "-m", run[0] / "best.safetensors", photos / "test", "--json").stdout)
    assert (verified["total"], verified["top1"]) == (18, right)
    confusion = [row.split(",") for row in (run[0] / "confusion.csv").read_text().splitlines()]
    assert confusion.pop(0) == ["class", *CLASSES] and [row[0] for row in confusion] == CLASSES
    counts = np.zeros((3, 3), int)
    for row in found:
        counts[int(row[2]), int(row[3])] += 1
    assert [list(map(int, row[1:])) for row in confusion] == counts.tolist()


def test_classify(run, photos):
    """The model needs nothing beside its file."""
    name = json.loads(scarlet("classify", "-m", run[0] / "best.safetensors", photos / "test" / "green" / "01.png", "--json").stdout)
    assert name["predictions"][0]["label"] == "green"
    text = scarlet("info", run[0] / "best.safetensors").stdout
    assert "scarlet.labels" in text and "scarlet.input_size" in text and "scarlet.auto_orient" in text


def test_split_file(run, photos):
    parts = {"train": "train", "validation": "val", "test": "test"}
    found = rows(run[0] / "split.csv")
    assert len(found) == 3 * sum(COUNTS.values())
    for path, name, part in found:
        assert path.startswith(f"{photos}/{parts[part]}/{name}/")


# ---- forms of data ----


@pytest.fixture(scope="module")
def plain(scratch):
    """Class folders without parts."""
    rng, root = np.random.RandomState(1), scratch / "plain"
    for name in CLASSES:
        (root / name / "deeper").mkdir(parents=True)
        for i in range(10):
            Image.fromarray(pixels(rng, name)).save(root / name / ("deeper" if i > 7 else ".") / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def forms(scratch, plain):
    """The same pictures in other forms, in the order of class folders."""
    order = [row[0] for row in rows_of_split(plain, scratch / "order")]
    names = [os.path.relpath(path, plain).split("/")[0] for path in order]
    made = {"folders": plain}
    for ending in ("tar", "tar.gz"):
        made[ending] = scratch / f"plain.{ending}"
        with tarfile.open(made[ending], "w:gz" if ending.endswith("gz") else "w") as tar:
            for path in order:
                tar.add(path, "photos/" + os.path.relpath(path, plain))
    made["csv"] = scratch / "plain.csv"
    made["csv"].write_text("label,path\n" + "".join(f'"{name}","{os.path.relpath(path, scratch)}"\n' for name, path in
                                                     zip(names, order)))
    made["headless"] = scratch / "headless.csv"
    made["headless"].write_text("".join(f"{path},{name}\r\n" for name, path in zip(names, order)))
    made["tsv"] = scratch / "plain.tsv"
    made["tsv"].write_text("".join(f"{path}\t{name}\n" for name, path in zip(names, order)))
    return made


def rows_of_split(data, folder):
    train(data, "--output", folder, *short("--epochs", "1"))
    return rows(folder / "split.csv")


@pytest.mark.parametrize("form", ["folders", "tar", "tar.gz", "csv", "headless", "tsv"])
def test_forms(scratch, forms, form):
    """The same pictures, classes and split make the same model, bit for bit."""
    train(forms[form], "--output", scratch / f"form-{form}", *short())
    assert model(scratch / f"form-{form}") == forms.setdefault("model", model(scratch / f"form-{form}"))
    found = rows(scratch / f"form-{form}" / "split.csv")
    assert [sum(row[2] == part for row in found) for part in ("train", "validation", "test")] == [24, 6, 0]
    assert {(row[1], row[2]) for row in found} == {(name, part) for name in CLASSES for part in ("train", "validation")}


def test_numbers(scratch, plain, tmp_path):
    """Classes that are numbers, in a list with a column of parts and in an archive with .cls members; their names."""
    order = [row for row in rows(scratch / "order" / "split.csv")] if (scratch / "order").exists() else rows_of_split(
        plain, scratch / "order")
    listed = tmp_path / "numbers.csv"
    listed.write_text("image,split,label\n" + "".join(
        f"{path},{'test' if i % 10 == 9 else 'val' if i % 10 > 6 else 'train'},{CLASSES.index(name)}\n"
        for i, (path, name, _) in enumerate(order)))
    (tmp_path / "names.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    found = json.loads(train(listed, "--names", tmp_path / "names.txt", "--check", "--json").stdout)
    assert found["classes"] == [{"name": name, "train": 7, "validation": 2, "test": 1} for name in CLASSES]
    assert found["split"] is False and found["broken"] == found["duplicates"] == []
    with tarfile.open(tmp_path / "shards.tar", "w") as tar:
        for i, (path, name, _) in enumerate(order):
            tar.add(path, f"{i:03d}.png")
            (tmp_path / "cls").write_text(str(CLASSES.index(name)))
            tar.add(tmp_path / "cls", f"{i:03d}.cls")
    found = json.loads(train(tmp_path / "shards.tar", "--check", "--json").stdout)
    assert [row["train"] + row["validation"] for row in found["classes"]] == [10] * 3
    assert [row["name"] for row in found["classes"]] == ["0", "1", "2"]
    with tarfile.open(tmp_path / "named.tar", "w") as tar:
        for i, (path, name, _) in enumerate(order):
            tar.add(path, f"{i:03d}.png")
            (tmp_path / "cls").write_text(f"{name}\n")
            tar.add(tmp_path / "cls", f"{i:03d}.cls")
    assert json.loads(train(tmp_path / "named.tar", "--check", "--json").stdout)["classes"] == [
        {**row, "name": name} for row, name in zip(found["classes"], CLASSES)]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx(tmp_path, ending):
    """As MNIST comes: grey pictures; the t10k files are the test part."""
    rng = np.random.RandomState(2)
    labels = {"train": np.arange(60) % 3, "t10k": np.arange(18) % 3}
    for head, label in labels.items():
        images = rng.randint(0, 60, (len(label), 28, 28)) + 80 * label[:, None, None]
        save_idx(tmp_path / f"{head}-images-idx3-ubyte{ending}", images)
        save_idx(tmp_path / f"{head}-labels-idx1-ubyte{ending}", label)
    (tmp_path / "names.txt").write_text("dark\ngrey\nlight\n")
    lines = train(tmp_path, "--output", tmp_path / "run", "--names", tmp_path / "names.txt", *SMALL, "--aug", "none",
                  "--json").stdout.splitlines()
    result = json.loads(lines[-1])
    assert result["event"] == "result" and result["validation"]["total"] == 12 and result["test"]["total"] == 18
    assert [json.loads(line)["epoch"] for line in lines[:-1]] == list(range(1, 13))
    assert result["test"]["right"] >= 15
    assert rows(tmp_path / "run" / "split.csv")[0][0].endswith(f"train-images-idx3-ubyte{ending}#0")


# ---- check, dry run ----


def test_check(scratch, plain, tmp_path):
    """Counts, broken pictures, and equal pictures in different parts or classes."""
    rng, root = np.random.RandomState(3), tmp_path / "data"
    for part in ("train", "val"):
        for name in CLASSES:
            (root / part / name).mkdir(parents=True)
            for i in range(4):
                Image.fromarray(pixels(rng, name)).save(root / part / name / f"{i}.png")
    Image.open(root / "train/green/1.png").save(root / "val/green/copy.bmp.png", compress_level=1)
    (root / "train/green/broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    result = train(root, "--check", code=1)
    assert result.stdout.splitlines()[0] == f"{root}: 26 pictures of 3 classes"
    assert result.stdout.splitlines()[-1].split() == ["13", "13", "0", "all"]
    assert f"the same picture: {root}/train/green/1.png (train, green) and {root}/val/green/copy.bmp.png (validation, green)" in (
        result.stderr)
    assert f"{root}/train/green/broken.jpg: " in result.stderr and "1 of 26 pictures is broken\n" in result.stderr
    found = json.loads(train(root, "--check", "--json", code=1).stdout)
    assert found["classes"][1] == {"name": "green", "train": 5, "validation": 5, "test": 0}
    assert found["duplicates"] == [[f"{root}/train/green/1.png", f"{root}/val/green/copy.bmp.png"]]
    assert [row["file"] for row in found["broken"]] == [f"{root}/train/green/broken.jpg"]
    (root / "train/green/broken.jpg").unlink()
    (root / "val/green/copy.bmp.png").unlink()
    assert train(root, "--check").stderr == "" and not (tmp_path / "run").exists()


def test_check_counts(tmp_path):
    """Broken pictures are counted of pictures, by part; folders that cannot be used by themselves. A training judges the same."""
    rng = np.random.RandomState(4)
    for part, names, count in (("train", CLASSES, 20), ("val", CLASSES, 3)):
        for name in names:
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(pixels(rng, name)).save(tmp_path / "data" / part / name / f"{i}.png")
    data = tmp_path / "data"
    (data / "train/none").mkdir()
    (data / "train/green/up").symlink_to("..")
    assert train(data, "--check", code=1).stderr.splitlines()[-1] == "scarlet: 2 of the folders and archives cannot be used"
    for i in range(3):
        (data / f"train/green/{i}.png").write_bytes(b"nothing")
    (data / "val/green/0.png").write_bytes(b"nothing")
    lines = train(data, "--check", code=1).stderr.splitlines()
    assert lines[-3:] == ["scarlet: 4 of 69 pictures are broken",
                          "scarlet: 1 of 9 in the validation part: more than 5 % would stop a training",
                          "scarlet: 2 of the folders and archives cannot be used"]
    message = train(data, "--output", tmp_path / "run", *short("--epochs", "1"), code=1).stderr
    assert "at least 1 of 9 validation pictures cannot be read, more than 5 %; one of them: " in message
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in CLASSES:
            tar.add(data / "train" / name / "5.png", f"{name}/5.png")
        member = tarfile.TarInfo("red/link.png")
        member.type, member.linkname = tarfile.SYMTYPE, "5.png"
        tar.addfile(member)
    assert "x.tar: 1 of 4 pictures of the train part cannot be read, more than 5 %" in train(
        tmp_path / "x.tar", "--output", tmp_path / "run", code=1).stderr
    data.rename(tmp_path / "new\nline")
    assert train(tmp_path / "new\nline", "--check", code=1).stderr.splitlines() == [line.replace("/data/", "/new?line/") for line in lines]


def test_dry_run(photos, tmp_path):
    text = train(photos, "--dry-run", *SMALL, cwd=tmp_path).stdout
    assert "\nepochs = 12\n" in text and re.search(r"^warmup-epochs = [\d.]+$", text, flags=re.M)
    assert " = auto\n" not in text
    assert re.search(r"^60 training pictures, 5 steps an epoch$", text, flags=re.M)
    assert re.search(r"^memory: \d+ MiB, and at most 2048 MiB of cached pictures$", text, flags=re.M)
    assert re.search(r"^time: .* without evaluation$", text, flags=re.M)
    assert list(tmp_path.iterdir()) == []


def test_broken_pictures(photos, tmp_path):
    """A few are named and left out; more than 5 percent stop the run."""
    for path in photos.rglob("*.png"):
        copy = tmp_path / "data" / path.relative_to(photos)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    broken = tmp_path / "data/train/green/00.png"
    broken.write_bytes(b"nothing")
    result = train(tmp_path / "data", "--output", tmp_path / "run", *short())
    assert f"{broken}: neither a JPEG nor a PNG picture; it is left out" in result.stderr
    for i in range(1, 5):
        (tmp_path / f"data/train/green/{i:02d}.png").write_bytes(b"nothing")
    message = train(tmp_path / "data", "--output", tmp_path / "run2", *short(), code=1).stderr
    assert "pictures cannot be read, more than 5 %" in message


def test_vanished_picture(photos, tmp_path):
    """One that goes away meanwhile is named and left out; the run is resumed only with the pictures it began with."""
    shutil.copytree(photos, tmp_path / "data")
    gone, run = tmp_path / "data/train/green/00.png", tmp_path / "run"
    words = [COMMAND, "train", tmp_path / "data", "--output", run, *SMALL, "--epochs", "100000", "--cache", "none"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        next(line for line in process.stdout if line.startswith("epoch "))
        gone.unlink()
        message = next(line for line in process.stderr if "left out" in line)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert message == f"scarlet: {gone}: No such file or directory; it is left out\n"
    Image.new("RGB", (8, 8)).save(gone)
    refused = f"scarlet train: {run}/last.ckpt: is of a training on other pictures or labels\n"
    assert refused in train("--output", run, "--resume", code=2).stderr


# ---- configuration ----


def test_config(run, photos, tmp_path):
    """args.txt repeats a run; the command line wins."""
    folder, _ = run
    train("--config", folder / "args.txt", "--output", tmp_path / "again")
    assert model(tmp_path / "again") == model(folder)
    train("-c", folder / "args.txt", "--output", tmp_path / "other", "--seed", "2", "--epochs", "1")
    text = (tmp_path / "other" / "args.txt").read_text()
    assert "\nseed = 2\n" in text and "\nepochs = 1\n" in text and len(rows(tmp_path / "other" / "results.csv")) == 1
    config = tmp_path / "config"
    config.write_text(f"# comment\n\n data = {photos}\noutput={tmp_path}/third\n  epochs =  1 \n")
    train("-c", config, *SMALL[:-2], "--epochs", "2")
    assert len(rows(tmp_path / "third" / "results.csv")) == 2


@pytest.mark.parametrize("text, message", [
    ("epochs 3", 'line 1: not "name = value"'),
    ("\nepoch = 3", 'line 2: unknown training option "epoch"'),
    ("lr = fast", 'line 1: option lr: "fast"; expected a number, 0 to 100, or auto'),
])
def test_config_faults(photos, tmp_path, text, message):
    (tmp_path / "config").write_text(text)
    assert f"scarlet train: {tmp_path}/config: {message}" in train(photos, "-c", tmp_path / "config", code=2).stderr


def test_class_weights(photos, tmp_path):
    """A file has one a line: equal ones are none, those that are inverse to the pictures' counts are balanced."""
    for name, count in zip(CLASSES, (16, 8, 4)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(count):
            (tmp_path / "data" / name / f"{i}.png").write_bytes((photos / "train" / name / f"{i:02d}.png").read_bytes())
    for name, numbers in {"equal": "2 2 2", "inverse": "1 2 4", "first": "3 0 0", "two": "1 2", "text": "1 x 2"}.items():
        (tmp_path / name).write_text("\n".join(numbers.split()) + "\n")

    def trained(value, **options):
        words = short("--val-fraction", "0.5", "--class-weights", value)
        return train(tmp_path / "data", "--output", tmp_path / f"{os.path.basename(value)}-run", *words, **options)

    made = {}
    for value in ("none", "balanced", tmp_path / "equal", tmp_path / "inverse", tmp_path / "first"):
        trained(value)
        made[os.path.basename(value)] = model(tmp_path / f"{os.path.basename(value)}-run")
    assert made["none"] == made["equal"] != made["balanced"] == made["inverse"] != made["first"]
    assert f"\nclass-weights = {tmp_path}/first\n" in (tmp_path / "first-run" / "args.txt").read_text()
    train("-c", tmp_path / "first-run" / "args.txt", "--output", tmp_path / "again")
    assert model(tmp_path / "again") == made["first"]
    assert f"scarlet: {tmp_path}/two: " in trained(tmp_path / "two", code=1).stderr
    assert f"scarlet: {tmp_path}/text: line 2: not a number" in trained(tmp_path / "text", code=1).stderr
    assert 'option class-weights: "heavy"; expected none, balanced' in trained("heavy", code=2).stderr


# ---- interruption ----


def interrupt(words, number, epochs):
    """Sends a signal once so many epochs have been printed; returns the exit code and the messages."""
    process = subprocess.Popen([COMMAND, "train", *map(os.fspath, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    while epochs:
        epochs -= process.stdout.readline().startswith("epoch ")
    time.sleep(0.05)
    process.send_signal(number)
    return process.wait(timeout=60), process.communicate()[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_resume(run, photos, tmp_path, number):
    """Whatever ends a run: continued, it gives the same files."""
    folder = tmp_path / "run"
    code, messages = interrupt([photos, "--output", folder, *SMALL], number, 3)
    assert code == -number
    assert (f"to go on: scarlet train --output {folder} --resume" in messages) == (number != signal.SIGKILL)
    assert (folder / "best.safetensors").exists()
    train("--output", folder, "--resume", "--threads", "1")
    assert model(folder) == model(run[0])
    for name in ("predictions.csv", "confusion.csv", "split.csv"):
        assert (folder / name).read_bytes() == (run[0] / name).read_bytes()
    assert [row[:8] for row in rows(folder / "results.csv")] == [row[:8] for row in rows(run[0] / "results.csv")]


def test_kill_at_random(run, photos, tmp_path):
    """Killed ten times, from the first moment on: every run that was resumed to its end gives the same model."""
    rng, folder, kills = random.Random(1), tmp_path / "run", 0
    words = [photos, "--output", folder, *SMALL, "-q"]
    begin = time.monotonic()
    train(*words)
    duration = time.monotonic() - begin
    while kills < 10 or folder.exists():
        resumed = [*words, "--resume"] if folder.exists() else words
        process = subprocess.Popen([COMMAND, "train", *map(os.fspath, resumed)], stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0, duration))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            continue
        assert process.returncode == 0 and model(folder) == model(run[0])
        assert sorted(path.name for path in folder.iterdir()) == FILES
        shutil.rmtree(folder)


def test_resume_faults(photos, tmp_path):
    folder = tmp_path / "run"
    train(photos, "--output", folder, *short())
    assert "another option lr" in train("--output", folder, "--resume", "--lr", "0.1", code=2).stderr
    last = folder / "last.ckpt"
    data = last.read_bytes()
    last.write_bytes(data[:len(data) // 2])
    assert f"{last}: " in train("--output", folder, "--resume", code=1).stderr
    for words in ([photos], []):
        assert "nowhere: no such folder to resume\n" in train(*words, "--output", tmp_path / "nowhere", "--resume", code=2).stderr
    (tmp_path / "empty").mkdir()
    assert "empty: no run to resume: it contains no args.txt\n" in train("--output", tmp_path / "empty", "--resume", code=2).stderr


# ---- refusals ----


@pytest.mark.parametrize("words, message", [
    ([], "no data: name a folder of class folders, an archive or a list"),
    (["a", "b"], '"b" is too much: data are one folder, archive or list'),
    (["x", "--opt", "sgd"], "--opt: the optimizer is --optimizer adamw or sgd; scarlet's other commands set library options by --opt"),
    (["a\nb"], '"a?b": a line break, or a blank at an end, cannot be kept in args.txt: give it another name, or a symbolic link to it'),
    (["x", "--imgsz=64"], "--imgsz: the side of the input is --input-size"),
    (["--data", "x"], "--data: data are an argument without an option: scarlet train photos/"),
    (["x", "--model", "scarlet-a"], "--model: the network is --arch, a model to start from --initial-checkpoint"),
    (["x", "--lr", "high"], 'option lr: "high"; expected a number, 0 to 100, or auto'),
    (["x", "--optimizer", "adam"], 'option optimizer: "adam"; expected adamw, sgd'),
])
def test_usage(words, message):
    assert train(*words, code=2).stderr == f"scarlet train: {message}\nTry 'scarlet train --help'.\n"


def test_existing_folder(photos, tmp_path):
    message = train(photos, "--output", tmp_path, *SMALL, code=2).stderr
    assert f"{tmp_path} exists already: --resume continues it, --output names another folder" in message
    message = train(photos, "--output", tmp_path / "new", *SMALL, "--arch", "e3k4", code=2).stderr
    assert "Try 'scarlet train --help'." in message and not (tmp_path / "new").exists()
    message = train(photos, "--output", tmp_path / "new", *SMALL, "--freeze", "backbone", code=2).stderr
    assert "scarlet train: option freeze: without initial-checkpoint nothing is known yet\n" in message
    assert not (tmp_path / "new").exists()


def make(root, *files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)


@pytest.mark.parametrize("files, message", [
    (["a/1.png"], 'only one class, "a": a classifier needs two'),
    (["1.png"], "no folders in it: it needs one for each class, with that class's pictures"),
    (["val/a/1.png", "val/b/1.png"], "has val/ but no train/"),
    (["train/a/1.png", "train/b/1.png", "val/a/1.png", "valid/a/1.png"], "has val/ and valid/: keep one of them"),
    (["train/a/1.png", "train/b/1.png", "test/c/1.png"], 'class "c" of the test part has no training pictures: {}/test/c/1.png'),
])
def test_folder_faults(tmp_path, files, message):
    make(tmp_path, *files)
    assert train(tmp_path, "--check", code=1).stderr == f"scarlet: {tmp_path}: {message.format(tmp_path)}\n"


@pytest.mark.parametrize("name, text", [
    ("list", "a b.png cat \r\nc.png dog\t\r\n"),
    ("list", "# made by hand\n\ufeffImage Label\na b.png cat\nc.png dog\n"),
    ("list", "\ufeffFile_Name;CLASS;Split\n\"a b.png\"; cat ;train\nc.png;\"dog\";\n"),
    ("list", "id\timage\tlabel\n7\ta b.png\tcat\n8\tc.png\tdog\n"),
    ("list.csv", "a b.png, cat\nc.png,dog \n"),
    ("list", "a b.png,y,val\na b.png,cat\nc.png,dog\nc.png,y\n")])
def test_list_forms(tmp_path, name, text):
    """Byte-order marks, blanks, carriage returns, quotes and titles are read as in lists for other commands."""
    for i, picture in enumerate(["a b.png", "c.png"]):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / picture)
    text = text if not text.startswith("#") else text.replace("\ufeff", "")
    (tmp_path / name).write_text(text, newline="")
    found = json.loads(train(name, "--check", "--json", cwd=tmp_path, code=1 if ",y" in text else 0).stdout)
    assert [row["name"] for row in found["classes"]] == ["cat", "dog"] + ["y"] * (",y" in text)
    assert found["broken"] == [] and [row["train"] + row["validation"] for row in found["classes"]][:2] == [1, 1]


@pytest.mark.parametrize("form", ["tar", "tar.gz", "csv"])
def test_pipes(forms, form):
    """Archives and lists through a pipe; a list's names then follow from the working folder."""
    shell = 'cat "$1" | "$0" train /dev/stdin --check --json; "$0" train <(cat "$1") --check --json; "$0" train --check --json - < "$1"'
    result = subprocess.run(["bash", "-c", shell, COMMAND, forms[form]], cwd=forms[form].parent, capture_output=True, text=True)
    expected = json.loads(train(forms[form], "--check", "--json").stdout)
    for line in result.stdout.splitlines():
        found = json.loads(line)
        assert found["classes"] == expected["classes"] and found["broken"] == []
    assert len(result.stdout.splitlines()) == 3 and result.stderr == ""


@pytest.mark.parametrize("text, message", [
    ("a.png,cat\nb.png\n", "line 2: not a picture and its class"),
    ("path,label,split\na.png,cat,train\nb.png,dog,dev\n", 'line 3: "dev" is none of train, val, test'),
    ("a.png,0\nb.png,0\n", 'only one class, "0": a classifier needs two'),
])
def test_list_faults(tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    assert train(tmp_path / "list.csv", "--check", code=1).stderr == f"scarlet: {tmp_path}/list.csv: {message}\n"


def test_archive_faults(forms, tmp_path):
    """A cut archive is one broken picture; what is no archive has none."""
    cut = tmp_path / "cut.tar"
    cut.write_bytes(forms["tar"].read_bytes()[:70000])
    found = json.loads(train(cut, "--check", "--json", code=1).stdout)
    assert len(found["classes"]) >= 2 and [row["file"].split(":")[0] for row in found["broken"]] == [str(cut)] * len(found["broken"])
    assert 1 <= len(found["broken"]) <= 2
    with tarfile.open(tmp_path / "broken.tar", "w") as tar:
        for name in ("a/1.png", "b/2.png"):
            tar.addfile(tarfile.TarInfo(name), None)
    message = train(tmp_path / "broken.tar", "--check", code=1).stderr
    assert f"scarlet: {tmp_path}/broken.tar:a/1.png: an empty file\n" in message
    (tmp_path / "no.tar").write_bytes(b"nothing" * 100)
    assert train(tmp_path / "no.tar", "--check", code=1).stderr.startswith(f"scarlet: {tmp_path}/no.tar: no picture with a class: ")


def test_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a/1.png", b"")
    message = train(tmp_path / "photos.zip", "--check", code=1).stderr
    assert message.startswith(f"scarlet: {tmp_path}/photos.zip: no picture with a class: ") and "zip" in message.split(": ")[-1]


def test_missing_idx(tmp_path):
    save_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((4, 8, 8)))
    path = tmp_path / "train-images-idx3-ubyte"
    assert train(tmp_path, "--check", code=1).stderr == f"scarlet: {path}: its labels are missing\n"
    save_idx(tmp_path / "train-labels-idx1-ubyte.gz", np.arange(3))
    assert f"scarlet: {path}: " in train(tmp_path, "--check", code=1).stderr


# ---- fine-tuning ----


def test_head(run, plain, tmp_path):
    """From a model of this command: its features with a new head, or with its own if the classes are the same."""
    base = run[0] / "best.safetensors"
    words = ["--initial-checkpoint", base, "--freeze", "backbone"]
    assert re.search(r"^time: .* for features of the pictures$", train(plain, "--dry-run", *words).stdout, flags=re.M)
    result = train(plain, "--output", tmp_path / "run", *words)
    assert f"{base} at 32 px" in result.stdout and "epoch 0 (the head)  validation loss" in result.stdout
    assert "the fitted head; " in result.stdout and "few to train from scratch" not in result.stderr
    found = rows(tmp_path / "run" / "results.csv")
    assert len(found) == 1 and found[0][0] == "0" and float(found[0][5]) >= 5 / 6
    assert len(model(tmp_path / "run")) == pytest.approx(base.stat().st_size, rel=0.01)
    assert f"scarlet: {tmp_path}/none: " in train(plain, "--output", tmp_path / "x", "--initial-checkpoint", tmp_path / "none",
                                                  code=1).stderr


def test_whole(run, plain, tmp_path):
    result = train(plain, "--output", tmp_path / "run", "--initial-checkpoint", run[0] / "best.safetensors", "--epochs", "2",
                   "--threads", "1")
    lines = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert lines[2:5] == ["epoch 0 (the head)", "epoch 1/2", "epoch 2/2"]


# ---- on a terminal ----


def test_terminal(photos, tmp_path):
    """The step, the loss, the rate, the speed and the time left, on one line of a terminal; never in a pipe."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([COMMAND, "train", photos, "--output", tmp_path / "run", *SMALL, "--epochs", "400"],
                               stdout=subprocess.PIPE, stderr=follower, env={**os.environ, "TERM": "xterm"})
    os.close(follower)
    seen = b""
    while not re.search(rb"\repoch ([2-9]|\d{2,}) [^\r]*left\x1b\[K", seen):
        seen += os.read(leader, 4096)
    process.terminate()
    printed = process.communicate(timeout=60)[0]
    os.close(leader)
    assert re.search(rb"\repoch \d+  step [1-5]/5  loss [\d.]+  lr [\d.e-]+  \d+ pictures/s  [\d a-z]+ left\x1b\[K", seen)
    assert b"\r" not in printed and b"epoch 1/400  lr " in printed
