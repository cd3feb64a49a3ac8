"""scarlet supernet, score and export: from pictures to a model file; interrupted, resumed, refused."""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from library import read_safetensors

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import patterns  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]


def scarlet(*arguments, code=0):
    result = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == code, result
    return result


def supernet(*arguments, code=0):
    return scarlet("supernet", *arguments, code=code)


def rows(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return patterns.write(tmp_path_factory.mktemp("data"))


def train(data, output, *more, **settings):
    opts = [word for key, value in {"epochs": 10, "batch-size": 32, "aug": "none", "lr": 0.1, **settings}.items()
            for word in ("--opt", f"{key}={value}")]
    return supernet(data / "photos/", "--space", data / "space.txt", "--output", output, "--watch", 4, "--let", *opts, *more)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("trained") / "super"
    return output, train(data, output, "--let-start", "random", threads=1)


def test_folder(trained):
    output, result = trained
    assert sorted(path.name for path in output.iterdir()) == ["data.txt", "journal.jsonl", "report.html", "results.csv", "supernet.safetensors"]
    table = rows((output / "results.csv").read_text())
    assert [row["epoch"] for row in table] == [str(i) for i in range(1, 11)] and float(table[9]["loss"]) < float(table[0]["loss"])
    assert float(table[9]["top1_mean"]) > 50 and float(table[9]["let_condition_max"]) > 1
    page = (output / "report.html").read_text()
    assert '<table id="counts">' in page and '<table id="depths">' in page and "http" not in page
    assert result.stdout.count("epoch ") == 10 and result.stderr == ""


def test_counts_on_page(trained):
    """60 steps of three paths: each choice of a layer of n equally often."""
    page = (trained[0] / "report.html").read_text().split('<table id="counts">')[1]
    counts = [row.split('<td class="n">')[2:5] for row in page.split("<tr>")[2:5]]
    assert counts == [["1", "180", "180"], ["2", "90", "90"], ["3", "60", "60"]]


def journal(output):
    return [json.loads(line) for line in (output / "journal.jsonl").read_text().splitlines()]


def test_journal(trained):
    """What happened, in order, with the figures of results.csv."""
    events = journal(trained[0])
    assert [e["event"] for e in events] == ["start", "checkpoint", *10 * ["epoch", "checkpoint"], "end"]
    assert [e["step"] for e in events] == [0, 0, *(step for i in range(6, 61, 6) for step in (i, i)), 60]
    assert "training=fair let=yes let-start=random" in events[0]["settings"] and "choices e3k3," in events[0]["space"]
    epochs = [e for e in events if e["event"] == "epoch"]
    for row, event in zip(rows((trained[0] / "results.csv").read_text()), epochs, strict=True):
        assert all(float(row[name]) == pytest.approx(event[name], rel=1e-8) for name in row)


def test_settings(data, tmp_path):
    """Every setting reaches the supernet, and the page and journal of a resumed run say so."""
    output = tmp_path / "super"
    train(data, output, "--training", "uniform-many", "--let-start", "orthogonal", "--let-decay", "0.5", "--let-to-zero", "--share", "width",
          "--largest-first", "1", "--largest-teaches", epochs=2)
    state = read_safetensors(output / "supernet.safetensors")[0]["supernet.state"]
    assert "training=3 let=1 let_start=1" in state and state.endswith("share=2 largest_first=1 largest_teaches=1")
    supernet("--output", output, "--resume")
    events = journal(output)
    assert [e["event"] for e in events[-2:]] == ["resume", "end"] and events[-2]["step"] == 12
    about = "training=uniform-many let=yes let-start=orthogonal let-decay=0.5 let-to-zero=yes share=width largest-first=1 largest-teaches=yes"
    assert events[-2]["settings"] == about and about in (output / "report.html").read_text()
    with open(output / "journal.jsonl", "a") as file:
        file.write('{"event":"epo')
    supernet("--output", output, "--resume", "--quiet")
    assert [e["event"] for e in journal(output)[-2:]] == ["resume", "end"]


def test_score(trained, data, tmp_path):
    output, _ = trained
    first = scarlet("score", output, "--random", "3", "--threads", 1).stdout
    table = rows(first)
    assert list(table[0]) == ["genotype", "cross_entropy", "top1", "macs", "parameters"] and len(table) == 3
    assert float(table[0]["top1"]) > 0.5
    scarlet("score", output, "--random", 3, "--output", tmp_path / "scores.csv", "--data", data / "photos/")
    assert (tmp_path / "scores.csv").read_text() == first
    assert scarlet("score", output, "--paths", tmp_path / "scores.csv", "--threads", 3).stdout == first


def test_export(trained, data, tmp_path):
    """The child is a model file: described, classified with, and as good as the supernet says."""
    output, _ = trained
    child = tmp_path / "child.safetensors"
    scarlet("export", output, "--genotype", "e3k3,e6k5se,id", "--output", child)
    about = scarlet("info", child).stdout
    assert "e3k3,e6k5se,id" in about and "18 pixels" in about
    said = scarlet("classify", "--model", child, "--top-k", 1, data / "photos" / "birch").stdout
    assert said.count("birch") > 0.5 * 2 * 80  # in paths and, where it is right, as the label
    dropped = scarlet("export", output, "--genotype", "e3k3,e6k5se,let", "--output", child, "--drop-let").stdout
    assert "were left out" in dropped
    scarlet("export", output, "--genotype", "e3k3,e6k5se,id", "--output", tmp_path / "half.safetensors", "--storage", "f16")
    assert (tmp_path / "half.safetensors").stat().st_size < 0.8 * child.stat().st_size
    scarlet("export", output, "--genotype", "e3k3,e6k5se,id", "--output", tmp_path / "child.pth")
    scarlet("export", output, "--genotype", "e3k3,e6k5se,id", "--output", child)
    state, tensors = torch.load(tmp_path / "child.pth"), read_safetensors(child)[1]
    assert all(torch.equal(state[name].double(), tensors[name]) for name in tensors)


def test_search(trained, tmp_path):
    """All six networks, timed; each of the front can be exported."""
    output, _ = trained
    scarlet("search", output, "--output", tmp_path / "found", "--population", 4, "--generations", 9, "--measure")
    trials, pareto = (rows((tmp_path / "found" / name).read_text()) for name in ("trials.csv", "pareto.csv"))
    journal = [json.loads(line) for line in (tmp_path / "found" / "journal.jsonl").read_text().splitlines()[1:]]
    assert len({line["statistics"] for line in journal}) == 6 and all(re.fullmatch("[0-9a-f]{16}", line["statistics"]) for line in journal)
    assert len(trials) == 6 and len(pareto) >= 1 and all(float(row["measured_ms"]) > 0 for row in pareto)
    scores = {row["genotype"]: row["cross_entropy"] for row in rows(
        scarlet("score", output, "--paths", tmp_path / "found" / "trials.csv").stdout)}
    assert all(row["cross_entropy"] == scores[row["genotype"]] for row in trials)
    assert [float(row["cross_entropy"]) for row in pareto] == sorted(float(row["cross_entropy"]) for row in pareto)
    for _ in range(2):  # once more into the folder that is there
        said = scarlet("export", output, "--front", tmp_path / "found" / "pareto.csv", "--output", tmp_path / "children").stdout
    assert len(said.splitlines()) == len(pareto) == len(list((tmp_path / "children").iterdir()))
    for i, row in enumerate(pareto):
        assert row["genotype"] in said.splitlines()[i]
        scarlet("export", output, "--genotype", row["genotype"], "--output", tmp_path / "child.safetensors")
        assert (tmp_path / "child.safetensors").read_bytes() == (tmp_path / "children" / f"{i + 1:02}.safetensors").read_bytes()
    again = scarlet("search", output, "--output", tmp_path / "found", "--population", 4, "--generations", 9, "--resume")
    assert "6 networks evaluated" in again.stdout


def test_trained_on(trained, data, tmp_path):
    """scarlet train takes the child as its initial checkpoint."""
    output, _ = trained
    scarlet("export", output, "--genotype", "e3k3,e6k5se,id", "--output", tmp_path / "child.safetensors")
    scarlet("train", data / "photos/", "--output", tmp_path / "run", "--initial-checkpoint", tmp_path / "child.safetensors",
            "--epochs", 1, "--quiet")
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_worth(data, tmp_path):
    """An epoch after its export a network of a supernet is ahead of the same network after an epoch from scratch: 18 of 20 at least."""
    widths = "stem=16 tail=24 layers=8:1,16:2,16:1"
    space = tmp_path / "space.txt"
    space.write_text(f"space {widths}\nchoices e3k3|e3k5,e3k3|e6k5se|e3k7,e3k3|e6k7se|e6k3|id\ninput_size 18\n")
    opts = [word for text in ("epochs=10", "batch-size=32", "aug=none", "lr=0.1") for word in ("--opt", text)]
    supernet(data / "photos/", "--space", space, "--output", tmp_path / "super", "--watch", 0, "--let", *opts)

    def loss(*how):
        run = tmp_path / f"run{len(list(tmp_path.glob('run*')))}"
        scarlet("train", data / "photos/", "--output", run, "--epochs", 1, "--input-size", 18, "--batch-size", 32, "--aug", "none", "--quiet", *how)
        return float(rows((run / "results.csv").read_text())[-1]["val_loss"])

    paths = [f"{a},{b},{c}" for a in ("e3k3", "e3k5") for b in ("e3k3", "e6k5se", "e3k7") for c in ("e3k3", "e6k7se", "e6k3", "id")][:20]
    ahead = 0
    for genotype in paths:
        scarlet("export", tmp_path / "super", "--genotype", genotype, "--output", tmp_path / "child.safetensors")
        ahead += loss("--initial-checkpoint", tmp_path / "child.safetensors") < loss("--arch", genotype, "--space", widths)
    assert ahead >= 18


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed(sign, data, trained, tmp_path):
    """Killed at random moments and resumed: the same weights, the same table; whatever was reached by then."""
    output, rng = tmp_path / "super", random.Random(sign)
    words = [COMMAND, "supernet", data / "photos/", "--space", data / "space.txt", "--output", output, "--watch", "4", "--let",
             "--let-start", "random", "--quiet"]
    for setting in ("epochs=10", "batch-size=32", "aug=none", "lr=0.1", "threads=2"):
        words += ["--opt", setting]
    for _ in range(4):
        began = time.monotonic()
        process = subprocess.Popen(words)
        while not (output / "supernet.safetensors").exists() and process.poll() is None:
            time.sleep(0.01)
        # Moments of the whole run, however long it takes here.
        time.sleep(rng.random() * 5 * (time.monotonic() - began))
        process.send_signal(sign)
        process.wait()
        words = [COMMAND, "supernet", "--output", output, "--resume", "--watch", "4", "--quiet"]
    for _ in range(2):  # the second finds nothing left to do
        supernet("--output", output, "--resume", "--watch", 4)
    a, b = (read_safetensors(folder / "supernet.safetensors") for folder in (trained[0], output))
    assert a[0]["supernet.state"] == b[0]["supernet.state"] and a[0]["supernet.counts"] == b[0]["supernet.counts"]
    assert all((a[1][name] == b[1][name]).all() for name in a[1] | b[1])
    assert (output / "results.csv").read_text() == (trained[0] / "results.csv").read_text()
    assert journal(output)[-1]["event"] == "end" and {"start", "resume"} <= {e["event"] for e in journal(output)}


def test_supernet_is_no_model(trained, data, tmp_path):
    file = trained[0] / "supernet.safetensors"
    for command in (["info", file], ["classify", "--model", file, "x.png"], ["convert", file, tmp_path / "x.safetensors"], ["bench", file],
                    ["verify", "--model", file, data / "photos"]):
        assert "a supernet; scarlet export" in scarlet(*command, code=3).stderr
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize("damage, message", [
    (lambda raw: raw[:-1], "cut short"), (lambda raw: b"", "supernet.safetensors"), (lambda raw: raw.replace(b"step=60", b"step=61"), "damaged"),
    (lambda raw: raw.replace(b"stem=16 tail=24", b"stem=16 tail=23"), "another shape"), (lambda raw: raw.replace(b"epochs = 10", b"epochs = 09"), "counts"),
    (lambda raw: raw.replace(b"let=1", b"let=0"), "its tensors"), (lambda raw: raw.replace(b"layers=8:1", b"layers=999:1")[:len(raw)], "supernet.safetensors"),
])
def test_damaged(damage, message, trained, tmp_path):
    """A supernet's file with a lie in it: refused by all that open it, by name."""
    output = tmp_path / "super"
    shutil.copytree(trained[0], output)
    file = output / "supernet.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    for command in (["score", output, "--random", 1], ["export", output, "--genotype", "e3k3,e3k3,id", "--output", tmp_path / "x"],
                    ["supernet", "--output", output, "--resume"]):
        result = scarlet(*command, code=1)
        assert message in result.stderr and "supernet.safetensors" in result.stderr, result
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("arguments, message", [
    ([], "no --output"),
    (["--output", "x"], "--space are needed"),
    (["data", "--output", "x", "--resume"], "from the folder"),
    (["--output", "nowhere", "--resume"], "no such folder"),
    (["photos/", "--space", "28px", "--output", "x", "--opt", "colour=1"], "colour"),
    (["photos/", "--space", "28px", "--output", "x", "--opt", "epochs"], "not NAME=VALUE"),
    (["photos/", "--space", "28px", "--output", "x", "--training", "unfair"], '"unfair" is not one of fair, depths, '),
    (["photos/", "--space", "28px", "--output", "x", "--opt", "optimizer=adamw"], "sgd"),
    (["photos/", "--space", "28px", "--output", "x", "--share", "all"], '"all" is not one of'),
    (["photos/", "--space", "28px", "--output", "x", "--largest-first", "-1"], "--largest-first"),
])
def test_usage(arguments, message, data):
    result = subprocess.run([COMMAND, "supernet", *arguments], cwd=data, capture_output=True, text=True)
    assert result.returncode == 2 and message in result.stderr and not (data / "x").exists()


def test_usage_of_others(trained, tmp_path, data):
    output, _ = trained
    assert "give --paths or --random" in scarlet("score", output, code=2).stderr
    assert "no choice" in scarlet("export", output, "--genotype", "e3k3,e6k5,id", "--output", tmp_path / "x", code=2).stderr
    assert "no --genotype" in scarlet("export", output, "--output", tmp_path / "x", code=2).stderr
    assert "exclude" in scarlet("export", output, "--genotype", "e3k3", "--front", "x", "--output", tmp_path / "x", code=2).stderr
    (tmp_path / "empty.csv").write_text("genotype,top1\n")
    assert "no network" in scarlet("export", output, "--front", tmp_path / "empty.csv", "--output", tmp_path / "x", code=1).stderr
    assert "exists already" in supernet(data / "photos/", "--space", "28px", "--output", output, code=2).stderr
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("ash", "birch", "cedar"):
        (moved / name).mkdir()
        for i in range(79):
            (moved / name / f"{i}.png").symlink_to(data / "photos" / name / f"{i}.png")
    result = scarlet("score", output, "--random", 1, "--data", moved, code=2)
    assert "other pictures or labels" in result.stderr
    assert not (tmp_path / "x").exists()
