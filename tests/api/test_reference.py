"""Doxygen makes the reference of the header without a warning; a name without a comment is one."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def doxygen(folder, header):
    settings = (ROOT / "lib/Doxyfile").read_text() + f"\nINPUT = {header}\nOUTPUT_DIRECTORY = {folder}\n"
    return subprocess.run(["doxygen", "-"], cwd=ROOT, input=settings, capture_output=True, text=True)


def test_reference(tmp_path):
    result = doxygen(tmp_path, ROOT / "include/scarlet/scarlet.h")
    assert (result.returncode, result.stderr) == (0, "")
    page = (tmp_path / "html/scarlet_8h.html").read_text()
    assert "receives softmax probabilities in descending order" in page
    assert "scarlet_session_set_trace" in page


def test_bites(tmp_path):
    header = (ROOT / "include/scarlet/scarlet.h").read_text()
    assert header.count("/* Frees names. */") == 1
    (tmp_path / "scarlet.h").write_text(header.replace("/* Frees names. */", ""))
    result = doxygen(tmp_path, tmp_path / "scarlet.h")
    assert result.returncode != 0 and "scarlet_labels_free" in result.stderr
