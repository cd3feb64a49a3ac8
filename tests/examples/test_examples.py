"""The examples in C and C++ run, and the camera allocates nothing after its first frames."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny  # noqa: E402

CLASSIFY = [os.environ["SCARLET_CLASSIFY"], os.environ["SCARLET_CLASSIFY_CPP"]]
CAMERA = os.environ["SCARLET_CAMERA"]
ROW = r" *\d+\.\d %  (" + "|".join(tiny.LABELS) + r")"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("examples") / "tiny.safetensors")


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


@pytest.mark.parametrize("classify", CLASSIFY)
def test_classify(classify, model):
    result = run(classify, model, next(tiny.PICTURES.iterdir()))
    assert (result.returncode, result.stderr) == (0, "")
    assert [bool(re.fullmatch(ROW, line)) for line in result.stdout.splitlines()] == [True] * 3


@pytest.mark.parametrize("classify", CLASSIFY)
def test_classify_fails(classify, model):
    assert run(classify).returncode == 2
    for arguments, message in (((model, "/no/picture"), "/no/picture: No such file or directory\n"),
                               (("/no/model", "x"), "/no/model: No such file or directory\n")):
        result = run(classify, *arguments)
        assert (result.returncode, result.stdout, result.stderr) == (1, "", message)


def test_camera(model):
    result = run(CAMERA, model)
    assert (result.returncode, result.stderr) == (0, "")
    *frames, last = result.stdout.splitlines()
    assert last == "allocations after the first frames: 0"
    assert len(frames) == 12
    for i, line in enumerate(frames):
        kind = "NV12" if i % 2 else "BGRA"
        assert re.fullmatch(rf"frame {i:2}  {kind} {ROW} +\d+\.\d\d ms", line), line


def test_camera_fails():
    assert run(CAMERA).returncode == 2
    result = run(CAMERA, "/no/model")
    assert (result.returncode, result.stderr) == (1, "/no/model: No such file or directory\n")


# ---- libscarlet-nas ----

TRAIN, PERSONALISE = os.environ["SCARLET_TRAIN"], os.environ["SCARLET_PERSONALISE"]
NAS = pytest.mark.skipif(not TRAIN, reason="built without libscarlet-nas")
OPTIONS = ["space=stem=8 tail=16 layers=16:2", "arch=e3k3", "input-size=32", "batch-size=16", "lr=0.01"]


@NAS
def test_train(tmp_path, model):
    """Bright and dark pictures are told apart; run again it has nothing left to do, with more epochs it refuses."""
    n, folder = 64, tmp_path / "run"
    folder.mkdir()
    (tmp_path / "x").write_bytes(struct.pack(">4I", 0x803, n, 8, 8) + b"".join(bytes([40 + i % 2 * 170 + i % 23]) * 64 for i in range(n)))
    (tmp_path / "y").write_bytes(struct.pack(">2I", 0x801, n) + bytes(i % 2 for i in range(n)))
    arguments = [tmp_path / "x", tmp_path / "y", 2, folder, *OPTIONS]
    result = run(TRAIN, *arguments, "epochs=8")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == 8
    for i, line in enumerate(lines, 1):
        assert re.fullmatch(rf"epoch {i} of 8: loss \d\.\d{{4}}, validation top-1 \d+\.\d\d %", line), line
    assert lines[-1].endswith(" 100.00 %")
    assert {path.name for path in folder.iterdir()} == {"best.safetensors", "last.ckpt", "results.csv"}
    again = run(TRAIN, *arguments, "epochs=8")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    other = run(TRAIN, *arguments, "epochs=9")
    assert (other.returncode, other.stderr) == (1, f"{folder}/last.ckpt: is of a training with another option epochs\n")
    classified = run(CLASSIFY[0], folder / "best.safetensors", next(tiny.PICTURES.iterdir()))
    assert classified.returncode == 0 and len(classified.stdout.splitlines()) == 2
    assert run(TRAIN).returncode == 2


@NAS
def test_personalise(tmp_path):
    """Two new classes of a few pictures each; pictures that were not shown are told apart."""
    model = tiny.PICTURES.parent / "models" / "fashion-mnist-scarlet-c.safetensors"
    shoes, clothes = ([tiny.PICTURES / name for name in sorted(os.listdir(tiny.PICTURES)) if re.search(kind, name)]
                      for kind in ("sandal|sneaker|boot", "shirt|coat|pullover"))
    shown = [f"{kind}={path}" for kind, paths in (("shoe", shoes), ("clothes", clothes)) for path in paths if path not in paths[::4]]
    result = run(PERSONALISE, model, tmp_path / "new", *shown)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    for kind, paths in (("shoe", shoes), ("clothes", clothes)):
        for path in paths[::4]:
            first = run(CLASSIFY[0], tmp_path / "new", path).stdout.splitlines()[0]
            assert first.endswith("  " + kind), (path, first)
    failed = run(PERSONALISE, "/no/model", tmp_path / "x", *shown)
    assert (failed.returncode, failed.stderr) == (1, "/no/model: No such file or directory\n")
    assert run(PERSONALISE).returncode == 2


@NAS
def test_search():
    """All 243 networks of a space: for each number of blocks those of fewest multiply-adds, made of the smallest."""
    result = run(os.environ["SCARLET_SEARCH"], "243", 243)
    assert (result.returncode, result.stderr) == (0, "")
    rows = sorted((int(blocks), int(macs), genotype) for macs, blocks, genotype in map(str.split, result.stdout.splitlines()))
    assert sorted({row[0] for row in rows}) == [2, 3, 4, 5, 6, 7] and len({row[:2] for row in rows}) == 6
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert all(set(genotype.split(",")) <= {"e3k3", "id"} and genotype.count("e3k3") == blocks for blocks, _, genotype in rows)
    failed = run(os.environ["SCARLET_SEARCH"], "/no/space", 1)
    assert (failed.returncode, failed.stderr) == (1, "/no/space: No such file or directory\n")
    assert run(os.environ["SCARLET_SEARCH"]).returncode == 2


# ---- imagenet/run.sh, with a checkpoint that is there ----

IMAGENET = Path(__file__).resolve().parents[2] / "examples" / "imagenet" / "run.sh"


def imagenet(folder, *arguments):
    if not os.environ.get("SCARLET_COMMAND") or not Path("/usr/lib/python3/dist-packages/skimage/data").is_dir():
        pytest.skip("a build without the command, or no photographs")
    environment = {**os.environ, "SCARLET": os.environ["SCARLET_COMMAND"], "FOLDER": str(folder)}
    return subprocess.run([IMAGENET, *arguments], env=environment, capture_output=True, text=True)


def test_imagenet(model, tmp_path):
    done = imagenet(tmp_path / "work", model)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("Network")] == ["custom"]
    assert sum(bool(re.fullmatch(ROW, line)) for line in lines) == 4 * 3
    assert (tmp_path / "work" / "model.safetensors").exists()


def test_imagenet_refuses(tmp_path):
    done = imagenet(tmp_path, "/no/checkpoint")
    assert done.returncode == 1 and done.stderr.endswith("/no/checkpoint: no such file\n")
    done = imagenet(tmp_path, "a", "b")
    assert done.returncode == 2 and "too many arguments" in done.stderr
