"""The examples in C and C++ run, and the camera allocates nothing after its first frames."""

import os
import re
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
