"""Shards are disjoint and cover all; merged results are those of one run, in any order; two models side by side."""

import json
import os
import random
import tarfile
from math import comb

import pytest
from conftest import evaluate, last, line, make_model, records, run, run_json, sums
from PIL import Image

TIMES = ("workers", "timed", "seconds", "pictures_per_second", "date")


def timeless(result):
    return {key: value for key, value in result.items() if key not in TIMES}


@pytest.fixture(scope="module")
def sources(scratch, tree, expected):
    """The same pictures as a folder, a list and an archive."""
    with open(scratch / "all.list", "wb") as file:
        file.write(b"".join(b"%b %d\0" % pair for pair in zip(expected.files, expected.labels)))
    with tarfile.open(scratch / "all.tar", "w", dereference=True) as tar:
        for i, (path, label) in enumerate(zip(expected.files, expected.labels)):
            tar.add(path, f"{i:06d}.jpg")
    (scratch / "all.txt").write_text("".join(f"{label}\n" for label in expected.labels))
    return {"folder": [tree], "list": [scratch / "all.list"], "tar": [scratch / "all.tar", "--truth", scratch / "all.txt"]}


@pytest.mark.parametrize("kind", ["folder", "list", "tar"])
def test_shards(scratch, sources, expected, kind):
    rng = random.Random(kind)
    whole = run_json("-m", scratch / "model", *sources[kind])
    assert (whole["total"], whole["top1"], whole["topn"]) == sums(expected)
    seen, files = [], []
    for i in range(4):
        out = scratch / f"{kind}-{i}.json"
        out.write_bytes(run("-m", scratch / "model", *sources[kind], "--shard", f"{i}/4", "--json",
                            "--predictions", scratch / "part").stdout)
        seen += [record["index"] for record in records(scratch / "part")]
        files.append(out)
    assert sorted(seen) == list(range(whole["total"]))  # disjoint, and all
    merged = []
    for _ in range(3):
        rng.shuffle(files)
        merged.append(run_json("--merge", *files))
        assert last(run("--merge", *files).stdout) == line(*sums(expected))
    for other in merged:  # names belong to models
        for row in whole["per_class"] + other["per_class"]:
            row["name"] = None
    assert timeless(merged[0]) == timeless(merged[1]) == timeless(merged[2])
    assert timeless(merged[0]) == timeless(whole) | {"shards": {"of": 4, "present": [0, 1, 2, 3]}}
    half = scratch / "half.json"
    half.write_bytes(run("--merge", "--json", *files[:2], code=1).stdout)
    assert timeless(run_json("--merge", files[3], half, files[2]))["top1"] == whole["top1"]


def test_merge_fails(scratch, sources):
    for i in range(3):
        (scratch / f"m{i}.json").write_bytes(run("-m", scratch / "model", *sources["list"], "--shard", f"{i}/3", "--json").stdout)
    make_model(scratch / "other", name="other")
    (scratch / "o1.json").write_bytes(run("-m", scratch / "other", *sources["list"], "--shard", "1/3", "--json").stdout)
    (scratch / "h1.json").write_bytes(run("-m", scratch / "model", *sources["list"], "--shard", "1/2", "--json").stdout)
    (scratch / "bad.json").write_text('{"format": "scarlet-verify-1", "total": -1}')
    (scratch / "no.json").write_text("[1, 2")
    result = run("--merge", "m0.json", "m2.json", cwd=scratch, code=1)
    assert result.stderr == b"scarlet: 1 of 3 shards are missing, the first is 1\n" and last(result.stdout).startswith("Evaluate")
    part = json.loads((scratch / "m0.json").read_text())
    (scratch / "many.json").write_text(json.dumps(part | {"total": 10 ** 12 + 1}))
    (scratch / "total.json").write_text(json.dumps(part | {"total": 0}))
    (scratch / "right.json").write_text(json.dumps(part | {"topn": 2, "top1": 3}))
    (scratch / "class.json").write_text(json.dumps(part | {"per_class": [part["per_class"][0] | {"topn": 10 ** 9}]}))
    (scratch / "bin.json").write_text(json.dumps(part | {"bins": [part["bins"][0] | {"top1": 10 ** 9}] + part["bins"][1:]}))
    (scratch / "compare.json").write_text(json.dumps(part | {"worst": [], "compare": dict.fromkeys(
        ("top1", "topn", "agree", "both", "second_only"), 0) | {"model": part["model"], "first_only": 2 ** 40}}))
    for names, message in [
            (["many.json"], 'many.json: "total" is too large'),
            (["compare.json"], f'compare.json: "first_only" is {2 ** 40} of {part["total"]}'),
            (["total.json"], f'total.json: "topn" is {part["topn"]} of 0'), (["right.json"], 'right.json: "top1" is 3 of 2'),
            (["class.json"], 'class.json: "topn" is 1000000000 of '), (["bin.json"], 'bin.json: "top1" is 1000000000 of '),
            (["m0.json", "m0.json"], "m0.json: shard 0 of 3 is already counted"),
            (["m0.json", "o1.json"], "o1.json: comes from a different model than the first: "),
            (["m0.json", "h1.json"], "h1.json: has a different number of classes or shards than the first"),
            (["bad.json"], 'bad.json: "classes" is missing or not a count'),
            (["no.json"], "no.json: not a result of scarlet verify --json"),
            (["none.json"], "none.json: No such file or directory")]:
        assert run("--merge", *names, cwd=scratch, code=1).stderr.decode().startswith(f"scarlet: {message}")
    for text in ("2/2", "x", "1/0", "-1/2", "0/2x"):
        assert b"--shard: " in run("-m", "model", "--shard", text, "all.list", cwd=scratch, code=2).stderr


def test_shards_resume(scratch, sources):
    """A shard of an archive goes on with its journal."""
    journal = scratch / "shard.journal"
    arguments = ["-m", scratch / "model", *sources["tar"], "--shard", "1/3", "--journal", journal, "--resume"]
    whole = run_json(*arguments)
    rows = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(rows[:40]) + rows[40][:9])
    again = run_json(*arguments)
    assert timeless(again) == timeless(whole) and again["timed"] == whole["total"] - 39
    assert journal.read_bytes() == b"".join(rows)


# ---- two models ----

def test_compare(scratch, tree, expected):
    module = make_model(scratch / "second", name="second")
    second = evaluate(module, tree)
    found = run_json("-m", scratch / "model", "--compare", scratch / "second", tree, "--predictions", scratch / "two.jsonl")
    total, top1, top5 = sums(second)
    compare = found["compare"]
    assert (found["top1"], found["topn"]) == sums(expected)[1:] and (compare["top1"], compare["topn"]) == (top1, top5)
    a, b = expected.scores.argmax(1).tolist(), second.scores.argmax(1).tolist()
    table = [[sum((p == t) == x and (q == t) == y for p, q, t in zip(a, b, expected.labels)) for y in (True, False)]
             for x in (True, False)]
    assert [compare["both"], compare["first_only"], compare["second_only"]] == [table[0][0], table[0][1], table[1][0]]
    assert compare["agree"] == sum(p == q for p, q in zip(a, b)) and compare["agreement"] == 100 * compare["agree"] / total
    n, least = table[0][1] + table[1][0], min(table[0][1], table[1][0])
    assert n > 10
    assert compare["mcnemar_p"] == pytest.approx(min(1, 2 * sum(comb(n, i) for i in range(least + 1)) / 2 ** n))
    differ = [i for i, (p, q) in enumerate(zip(a, b)) if p != q]
    assert [record["index"] for record in compare["differ"]] == differ[:100]
    assert [record["second"]["top"] for record in records(scratch / "two.jsonl")] == second.scores.topk(5, 1).indices.tolist()
    text = run("-m", scratch / "model", "--compare", scratch / "second", tree).stdout.decode().splitlines()
    assert len(text) == 6 and text[3].startswith(f"Second model:    Total: {total}\tmTop1: {100 * top1 / total:.4f}\t")
    assert text[4].startswith("Agreement: ") and text[5] == line(*sums(expected)).rstrip("\n")

    parts = []
    for i in range(2):
        parts.append(scratch / f"two-{i}.json")
        parts[-1].write_bytes(run("-m", scratch / "model", "--compare", scratch / "second", tree, "--shard", f"{i}/2",
                                  "--json", "--journal", scratch / f"two-{i}.journal").stdout)
    assert run_json("--merge", *parts)["compare"] == compare
    rows = (scratch / "two-0.journal").read_bytes().splitlines(keepends=True)
    (scratch / "two-0.journal").write_bytes(b"".join(rows[:30]))
    parts[0].write_bytes(run("-m", scratch / "model", "--compare", scratch / "second", tree, "--shard", "0/2", "--json",
                             "--journal", scratch / "two-0.journal", "--resume").stdout)
    assert run_json("--merge", *parts)["compare"] == compare


def test_compare_options(scratch, tree):
    """The same model with other kernels."""
    compare = run_json("-m", scratch / "model", "--compare", "isa_max=portable", tree)["compare"]
    assert compare["agreement"] == 100 and compare["mcnemar_p"] == 1 and compare["differ"] == []
    assert compare["model"]["options"] == "isa_max=portable"


def test_compare_decoding(scratch):
    """Each with the pictures as its own options have them decoded."""
    rng = random.Random(1)
    for name in "01":
        (scratch / "large" / name).mkdir(parents=True, exist_ok=True)
        for i in range(20):
            coarse = Image.frombytes("RGB", (6, 6), rng.randbytes(108)).resize((600, 500), Image.NEAREST)
            coarse.save(scratch / "large" / name / f"{i}.jpg")
    both, alone = scratch / "both.jsonl", scratch / "alone.jsonl"
    compare = run_json("-m", scratch / "model", "--compare", "decode=fast", "--class-order", "folders", scratch / "large", "--predictions", both)["compare"]
    assert compare["model"]["options"] == "decode=fast" and compare["agreement"] >= 90
    run("-m", scratch / "model", "-o", "decode=fast", "--class-order", "folders", scratch / "large", "--predictions", alone)
    fast = [(record["top"], record["confidence"]) for record in records(alone)]
    assert [(record["second"]["top"], record["second"]["confidence"]) for record in records(both)] == fast
    assert [record["confidence"] for record in records(both)] != [confidence for _, confidence in fast]


def test_compare_classes(scratch, tree):
    make_model(scratch / "three classes", 3)
    assert b"--compare: 3 classes, but" in run("-m", scratch / "model", "--compare", scratch / "three classes", tree,
                                               code=2).stderr


def test_merge_keeps_names_and_speed(scratch, tree, expected):
    """Names of classes go from the parts into the merged page; its speed is that of a shard, not their sum."""
    labels = [f"name {i}" for i in range(12)]
    make_model(scratch / "labelled", labels=labels)
    files = []
    for i in range(2):
        files.append(scratch / f"labelled-{i}.json")
        files[-1].write_bytes(run("-m", scratch / "labelled", "--class-order", "folders", tree, "--shard", f"{i}/2", "--json").stdout)
    parts = [json.loads(file.read_text()) for file in files]
    page = scratch / "labelled.html"
    merged = run_json("--merge", *files, "--report", page)
    assert merged["names"] == parts[0]["names"] == labels and all(row["name"] == labels[row["class"]] for row in merged["per_class"])
    assert all(name in page.read_text() for name in labels) and "class 3" not in page.read_text()
    speeds = [part["pictures_per_second"] for part in parts]
    assert min(speeds) * 0.999 <= merged["pictures_per_second"] <= max(speeds) * 1.001
    assert merged["seconds"] == pytest.approx(sum(part["seconds"] for part in parts))
    assert merged["workers"] == max(part["workers"] for part in parts)
    files[0].write_bytes(b"\xef\xbb\xbf" + files[0].read_bytes())  # as some editors leave it
    assert run_json("--merge", *files)["total"] == merged["total"]
