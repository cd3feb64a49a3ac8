"""examples/python and the package's README at work."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny
from distributed import Client, LocalCluster

import scarlet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"


def run(name, *arguments):
    return subprocess.run([sys.executable, str(EXAMPLES / name), *map(str, arguments)], capture_output=True, text=True)


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_wrong_use(name):
    result = run(name)
    assert (result.returncode, result.stdout) == (1, "") and f"{name} " in result.stderr


def test_classify(path, pictures):
    result = run("classify.py", path, *pictures[:2])
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == str(pictures[0]) and lines[4] == str(pictures[1]) and len(lines) == 8
    with scarlet.Model(path) as model:
        best = model.session().classify(pictures[1], 3)
    assert lines[5:] == [f"  {p.score:6.1%}  {p.label}" for p in best]
    result = run("classify.py", path, "/no/picture")
    assert (result.returncode, result.stderr) == (1, "/no/picture: No such file or directory\n")


def test_embed_and_search(path, pictures):
    result = run("embed_and_search.py", path, pictures[2], *pictures)
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split("  ", 1) for line in result.stdout.splitlines()]
    assert len(rows) == 5 and rows[0] == [" 1.000", str(pictures[2])]
    with scarlet.Model(path) as model:
        vectors = model.session(output="features").features(pictures).astype(np.float64)
    cosines = vectors @ vectors[2] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[2])
    assert [row[1] for row in rows] == [str(pictures[i]) for i in np.argsort(-cosines)[:5]]
    assert [row[0] for row in rows] == [f"{cosine:6.3f}" for cosine in sorted(cosines)[:-6:-1]]


def test_compare_with_pytorch(path, pictures):
    result = run("compare_with_pytorch.py", path, pictures[0])
    assert (result.returncode, result.stderr) == (0, "")
    found = re.fullmatch(r"libscarlet [\d.]+ ms, PyTorch [\d.]+ ms with 1 thread; scores differ by (\S+)\n"
                         r"libscarlet( .*)\nPyTorch( .*)\n", result.stdout)
    assert float(found[1]) < 2e-5
    assert re.findall(r" (\d) \(", found[2]) == re.findall(r" (\d) \(", found[3]) and len(found[2].split()) == 6


def test_readme(path, pictures, tmp_path):
    """Its blocks of Python, one after another, beside a model and a picture of those names."""
    text = (EXAMPLES.parents[1] / "bindings" / "python" / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 2
    (tmp_path / "model.safetensors").symlink_to(path)
    (tmp_path / "picture.png").symlink_to(pictures[0])
    result = subprocess.run([sys.executable, "-c", "".join(blocks)], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 4 and result.stdout.count(tiny.LABELS[0]) == 2


# ---- Dask ----

dask_classify = load("dask_classify")
classify_partition = dask_classify.classify_partition


def slowly(pictures, model_path, log):
    """classify_partition, slow enough that a worker can be lost in the midst of it; begins are logged."""
    with open(log, "a") as file:
        file.write(f"{pictures[0]}\n")
    time.sleep(0.1)
    return classify_partition(pictures, model_path)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                      local_directory=str(tmp_path_factory.mktemp("dask"))) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def expected(path):
    """Of every picture, and of one that is not there."""
    with scarlet.Model(path) as model, model.session() as session:
        best = {str(p): session.classify(p, 1)[0] for p in sorted(tiny.PICTURES.iterdir())}
    found = {picture: (p.label, p.score) for picture, p in best.items()}
    found["/no/picture"] = ("error: /no/picture: No such file or directory", 0.0)
    return found


def test_dask_by_its_command(cluster, path, expected, tmp_path):
    """Its functions reach workers that do not have the file."""
    (tmp_path / "listing").write_text("\n".join(expected) + "\n")
    result = run("dask_classify.py", path, tmp_path / "listing", cluster.scheduler_address)
    assert result.returncode == 0, result.stderr
    rows = sorted(tuple(line.split("\t")) for line in result.stdout.splitlines())
    assert rows == sorted((picture, label, f"{score:.4f}") for picture, (label, score) in expected.items())


def test_dask_survives_a_killed_worker(cluster, path, expected, tmp_path, monkeypatch):
    log = tmp_path / "begun"
    monkeypatch.setattr(dask_classify, "classify_partition",
                        lambda pictures, model_path: slowly(pictures, model_path, str(log)))
    with Client(cluster) as client:
        results = dask_classify.classify_listing(client, str(path), list(expected), partition=2)
        found = [next(results)]
        lost = sorted(client.run(os.getpid).values())[0]
        os.kill(lost, signal.SIGKILL)
        found += results
        assert lost not in client.run(os.getpid).values()
    assert {picture: (label, score) for picture, label, score in found} == expected and len(found) == len(expected)
    begun = log.read_text().splitlines()
    assert len(begun) > len(set(begun)) == -(-len(expected) // 2), "the lost worker's partitions were done again"
