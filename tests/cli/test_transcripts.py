"""The scarlet command, by transcripts (see transcript.py).

    SCARLET_REGENERATE=1    writes what the commands print now into the transcripts; read the difference before you keep it
"""

import os
import shutil
import sys
from pathlib import Path

import pytest
import transcript

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tiny  # noqa: E402

COMMAND = Path(os.environ["SCARLET_COMMAND"])


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """What every transcript finds in its folder."""
    folder = tmp_path_factory.mktemp("scratch")
    tiny.make(folder / "tiny.safetensors")
    tiny.make(folder / "nameless.safetensors", **{"scarlet.labels": None})
    tiny.make(folder / "thousand.safetensors", 1000, **{"scarlet.labels": None})
    pictures = sorted(tiny.PICTURES.iterdir())
    shutil.copy(pictures[0], folder / "shirt.png")
    shutil.copy(pictures[-1], folder / "boot.png")
    (folder / "broken.png").write_bytes(pictures[0].read_bytes()[:20])
    (folder / "names.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    return folder


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path, scratch, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(scratch, folder)
    environment = {"PATH": f"{COMMAND.parent}:/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder)}
    steps, tail = transcript.parse(path.read_text())
    assert steps
    found = [transcript.run(step, folder, environment) for step in steps]
    if os.environ.get("SCARLET_REGENERATE"):
        path.write_text(transcript.format(found, tail))
    for f, e in zip(found, steps):
        assert transcript.same(f, e), f"expected\n{transcript.format([e], [])}\nfound\n{transcript.format([f], [])}"


# ---- the comparison can fail ----

STEP = transcript.Step([], "true", ['{"a": 0.5, "b": [1, "x"]}', "  12.5 %  fig"], ["oh"], 0)


@pytest.mark.parametrize("change", [
    {"out": STEP.out[:1]}, {"out": ['{"a": 0.501, "b": [1, "x"]}', STEP.out[1]]},
    {"out": ['{"a": 0.5, "b": [2, "x"]}', STEP.out[1]]}, {"out": ['{"a": 0.5, "b": [1, "y"]}', STEP.out[1]]},
    {"out": ['{"b": [1, "x"], "a": 0.5}', STEP.out[1]]}, {"out": ['{"a": 0.5}', STEP.out[1]]},
    {"out": ['{"a": "0.5", "b": [1, "x"]}', STEP.out[1]]}, {"out": [STEP.out[0], "  12.7 %  fig"]},
    {"out": [STEP.out[0], "  12.5 %  figs"]}, {"err": []}, {"err": ["ah"]}, {"code": 1}])
def test_difference_is_seen(change):
    assert not transcript.same(STEP._replace(**change), STEP)


def test_tolerance():
    assert transcript.same(STEP._replace(out=['{"a": 0.50005, "b": [1, "x"]}', "  12.4 %  fig"]), STEP)


def test_format_is_parsed_back():
    step = STEP._replace(command="echo \\\n  x", head=["# why", ""])
    assert transcript.parse(transcript.format([step], ["# end"])) == ([step], ["# end"])
