"""The very numbers of the authors' evaluation, over data in every form."""

import csv
import io
import json
import os
import random
import shutil
import tarfile

import pytest
import torch
from conftest import (CLASSES, COMMAND, evaluate, last, line, make_model, pipeline, records, run, run_json, save_picture, sums)

import conftest


def test_image_folder(scratch, tree, expected):
    result = run("-m", scratch / "model", tree, "--predictions", scratch / "out.jsonl")
    assert (last(result.stdout), result.stderr) == (line(*sums(expected)), conftest.SKIPPED)
    total, top1, top5 = sums(expected)
    assert total > 330 and 0.3 < top1 / total < top5 / total < 0.95  # the numbers say something
    assert len(set(expected.scores.argmax(1).tolist())) == CLASSES

    found = records(scratch / "out.jsonl")
    assert [os.fsencode(record["file"]) for record in found] == expected.files
    assert [record["label"] for record in found] == expected.labels
    assert [record["index"] for record in found] == list(range(total))
    assert [record["top"] for record in found] == expected.scores.topk(5, 1).indices.tolist()
    probabilities = expected.scores.double().softmax(1)
    for record, row in zip(found, probabilities):
        assert record["confidence"] == pytest.approx(row.max().item(), rel=1e-4)
        assert record["truth"] == pytest.approx(row[record["label"]].item(), rel=1e-4)


def test_json(scratch, tree, expected):
    total, top1, top5 = sums(expected)
    found = run_json("-m", scratch / "model", tree, "-j", "3")
    assert (found["total"], found["top1"], found["topn"], found["failed"], found["complete"]) == (total, top1, top5, 0, True)
    assert (found["classes"], found["n"], found["workers"], found["timed"]) == (CLASSES, 5, 3, total)
    assert found["mTop1"] == 100 * top1 / total and found["mTopn"] == 100 * top5 / total
    predicted = expected.scores.argmax(1).tolist()
    for row in found["per_class"]:
        own = [p for p, label in zip(predicted, expected.labels) if label == row["class"]]
        assert (row["total"], row["top1"]) == (len(own), own.count(row["class"])) and row["name"] is None
    assert sum(row["topn"] for row in found["per_class"]) == top5
    pairs = {}
    for p, label in zip(predicted, expected.labels):
        if p != label:
            pairs[label, p] = pairs.get((label, p), 0) + 1
    assert {(a, b): n for a, b, n in found["confusions"]} == pairs
    assert [row[2] for row in found["confusions"]] == sorted(pairs.values(), reverse=True)

    confidence = expected.scores.double().softmax(1).max(1).values
    right = torch.tensor(predicted) == torch.tensor(expected.labels)
    place = (confidence * 15).long()
    ece = sum(abs(right[place == b].double().sum() - confidence[place == b].sum()) for b in range(15)) / total
    assert found["ece"] == pytest.approx(ece.item(), abs=1e-6)
    assert [b["total"] for b in found["bins"]] == torch.bincount(place, minlength=15).tolist()
    wrong = sorted((-c, i) for i, (c, ok) in enumerate(zip(confidence.tolist(), right.tolist())) if not ok)
    assert [record["index"] for record in found["worst"]] == [i for _, i in wrong[:24]]


def test_wilson(scratch, tree):
    """Bounds are where the score test of the proportion is just significant."""
    found = run_json("-m", scratch / "model", tree)
    for part, bounds in ((found["top1"], found["top1_interval"]), (found["topn"], found["topn_interval"])):
        n, p = found["total"], part / found["total"]
        for bound in bounds:
            q = bound / 100
            assert (p - q) ** 2 / (q * (1 - q) / n) == pytest.approx(1.959963984540054 ** 2)
        assert bounds[0] < 100 * p < bounds[1]


def test_folder_that_holds_valid(scratch, tree, expected):
    (scratch / "holder").mkdir()
    (scratch / "holder" / "valid").symlink_to(tree)
    assert last(run("-m", scratch / "model", scratch / "holder").stdout) == line(*sums(expected))


def test_few_classes(scratch, tree):
    make_model(scratch / "three", 3)
    root = scratch / "few"
    for i, name in enumerate("abc"):
        (root / name).mkdir(parents=True)
        for k in range(4):
            save_picture(random.Random(10 * i + k), root / name / f"{k}.png")
    result = run("-m", scratch / "three", root)
    assert last(result.stdout).startswith("Evaluate Result: Total: 12\tmTop1: ") and b"\tmTop3: 100.000000\n" in result.stdout
    assert result.stderr == b"scarlet: 3 classes: top-5 becomes top-3\n"
    assert run("-m", scratch / "three", root, "-q").stderr == b""
    assert b"12 class folders, but the model has 3 classes" in run("-m", scratch / "three", tree, code=2).stderr
    assert b"3 class folders, but the model has 12 classes" in run("-m", scratch / "model", root, code=2).stderr
    result = run("-m", scratch / "model", "--class-order", "folders", root)
    assert b"3 class folders for a model of 12 classes; they count as classes 0 to 2" in result.stderr
    shutil.copytree(root, scratch / "hollow")
    shutil.rmtree(scratch / "hollow" / "b")
    (scratch / "hollow" / "b").mkdir()
    result = run("-m", scratch / "three", scratch / "hollow", code=1)
    assert result.stderr.endswith(b"/hollow/b: a class without pictures\n") and result.stdout == b""
    found = run_json("-m", scratch / "three", scratch / "hollow", "--on-error", "skip", code=1)
    assert (found["total"], found["failed"]) == (8, 1) and found["failures"][0]["file"].endswith("/hollow/b")


# ---- other forms of the same data ----

@pytest.fixture(scope="module")
def flat(scratch, expected):
    """Thirty pictures as the validation set comes, in a folder and as archives; their labels in four forms."""
    chosen = list(range(0, len(expected.files), 11))[:30]
    folder = scratch / "flat"
    folder.mkdir()
    names = [f"ILSVRC2012_val_{i + 1:08d}.JPEG" for i in range(len(chosen))]
    labels = [expected.labels[i] for i in chosen]
    for name, i in zip(names, chosen):
        shutil.copy(expected.files[i], folder / name)
    (scratch / "by-line.txt").write_text("".join(f"{label}\n" for label in labels))
    (scratch / "by-name.txt").write_text("".join(f"{name} {label}\n" for name, label in sorted(zip(names, labels), key=hash)))
    (scratch / "list.txt").write_text("".join(f"flat/{name} {label}\n" for name, label in zip(names, labels)))
    (scratch / "nul.list").write_bytes(b"".join(b"%b %d\0" % (expected.files[i], label) for i, label in zip(chosen, labels)))
    order = random.Random(1).sample(range(len(chosen)), len(chosen))
    with tarfile.open(scratch / "flat.tar", "w") as tar:
        for i in order:
            tar.add(folder / names[i], names[i])
    with tarfile.open(scratch / "web.tar", "w") as tar:
        for k, i in enumerate(order):
            parts = [("jpg", (folder / names[i]).read_bytes()), ("cls", b"%d" % labels[i] + b"\n" * (k % 2)), ("txt", b"words")]
            for ending, data in random.Random(k).sample(parts, 3):
                member = tarfile.TarInfo(f"shard/{k:04d}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    part = conftest.Reference([expected.files[i] for i in chosen], labels, expected.scores[chosen])
    return line(*sums(part))


@pytest.mark.parametrize("data", [
    ["flat", "--truth", "by-line.txt"], ["flat", "--truth", "by-name.txt"], ["flat.tar", "--truth", "by-line.txt"],
    ["flat.tar", "--truth", "by-name.txt"], ["list.txt"], ["nul.list"], ["web.tar"]], ids=" ".join)
def test_forms(scratch, flat, data):
    assert last(run("-m", "model", *data, cwd=scratch).stdout) == flat


def test_known_labels(scratch, flat):
    """Those of ILSVRC2012, by the number in the name."""
    known = [int(row) for row in (conftest.TESTS.parent / "src" / "ilsvrc2012-val-labels.txt").read_text().split()]
    assert len(known) == 50000 and all(known.count(i) == 50 for i in (0, 500, 999))
    run("-m", "model", "flat", "--on-error", "skip", "--predictions", "known.jsonl", cwd=scratch, code=1)
    assert [record["label"] for record in records(scratch / "known.jsonl")] == known[:30]


def test_labels_fail(scratch, flat):
    (scratch / "short.txt").write_text("1\n2\n")
    (scratch / "odd.txt").write_text("1\nx\n")
    (scratch / "plain").mkdir()
    save_picture(random.Random(0), scratch / "plain" / "x.png")
    cases = [
        (["plain", "--truth", "short.txt"], 2, b"scarlet verify: short.txt: 2 labels for 1 picture\n"),
        (["plain", "--truth", "odd.txt"], 2, b"scarlet: odd.txt: line 2 is neither \"class\" nor \"name class\" as the lines"),
        (["plain"], 1, b"scarlet: plain/x.png: no class known for it: see --truth\n"),
        (["list.txt", "--truth", "none.txt"], 1, b"scarlet: none.txt: No such file or directory\n"),
        (["nothing"], 1, b"scarlet: nothing: No such file or directory\n"),
        (["plain/x.png"], 2, b"scarlet verify: plain/x.png: a picture, not a folder, an archive or a list\n")]
    for arguments, code, message in cases:
        assert run("-m", "model", *arguments, cwd=scratch, code=code).stderr.startswith(message)


def test_csv(scratch, tree, expected):
    run("-m", scratch / "model", tree, "--predictions", scratch / "out.csv")
    rows = list(csv.DictReader(io.StringIO((scratch / "out.csv").read_bytes().decode(errors="surrogateescape"), newline="")))
    assert [os.fsencode(row["file"]) for row in rows] == expected.files
    assert [[int(row[f"top{k}"]) for k in range(1, 6)] for row in rows] == expected.scores.topk(5, 1).indices.tolist()
    assert all(row["error"] == "" for row in rows)


def test_expect(scratch, tree, expected):
    total, top1, top5 = sums(expected)
    a, b = 100 * top1 / total, 100 * top5 / total
    for text, code in [(f"{a:.2f}:{b:.2f}", 0), (f"{a + 0.1:.2f}:{b:.2f}", 1), (f"{a:.2f}:{b - 0.1:.2f}", 1), ("SCARLET-A", 1),
                       ("SCARLET-D", 2), ("1:2x", 2)]:
        result = run("-q", "-m", scratch / "model", tree, "--expect", text, code=code)
        if code < 2:
            assert result.stderr.startswith(b"scarlet: as expected" if code == 0 else b"scarlet: not as expected")
    assert b"expected 76.90; top-5" in run("-m", scratch / "model", tree, "--expect", "SCARLET-A", code=1).stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux")
def test_workers_follow_affinity(scratch, tree):
    one = {min(os.sched_getaffinity(0))}
    assert run_json("-m", scratch / "model", tree, preexec_fn=lambda: os.sched_setaffinity(0, one))["workers"] == 1




def test_summary(scratch, tree, expected):
    """Readable figures with their intervals, then the authors' line; --quiet leaves that."""
    found = run_json("-m", scratch / "model", tree)
    lines = run("-m", scratch / "model", tree).stdout.decode().splitlines(keepends=True)
    (a, b), (c, d) = found["top1_interval"], found["topn_interval"]
    assert lines == [f"{found['total']} pictures, {found['top1']} right\n",
                     f"Top-1  {found['mTop1']:6.2f} %  (95 % confidence interval: {a:.2f} to {b:.2f} %)\n",
                     f"Top-5  {found['mTopn']:6.2f} %  (95 % confidence interval: {c:.2f} to {d:.2f} %)\n", line(*sums(expected))]
    assert run("-q", "-m", scratch / "model", tree).stdout.decode() == line(*sums(expected))


def test_min_top1(scratch, tree, expected):
    total, top1, _ = sums(expected)
    run("-m", scratch / "model", tree, "--min-top1", f"{100 * top1 / total - 0.001}")
    result = run("-q", "-m", scratch / "model", tree, "--min-top1", "99.5", code=1)
    assert result.stderr.decode() == f"scarlet: top-1 {100 * top1 / total:.4f} is less than 99.5\n"
    assert b"--min-top1: 101 is not between 0 and 100" in run("-m", scratch / "model", tree, "--min-top1", "101", code=2).stderr
    assert b'--min-top1: "x" is not a number' in run("-m", scratch / "model", tree, "--min-top1", "x", code=2).stderr


def test_model_first(scratch, module, tree, expected):
    """A model's name may come first without --model."""
    shutil.copy(scratch / "model", scratch / "first.pth")
    assert run("-q", scratch / "first.pth", tree).stdout.decode() == line(*sums(expected))


def test_no_effect(scratch, module, tree):
    for option in (["-m", "x"], ["--truth", "x"], ["--shard", "0/2"], ["-j", "2"], ["-o", "resize=64"], ["--on-error", "skip"],
                   ["--journal", "x"], ["--predictions", "x"], ["--compare", "x"], ["--class-map", "x"]):
        assert b"has no effect with --merge" in run("--merge", *option, "x.json", code=2).stderr
    assert b"option storage has no effect here" in run("-m", scratch / "model", "-o", "resize=64,storage=f16", tree, code=2).stderr
