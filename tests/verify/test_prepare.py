"""Fifty thousand (empty, or nearly) pictures into a thousand folders."""

import io
import os
import resource
import shutil
import signal
import subprocess
import tarfile
import time
from collections import Counter

import conftest
import pytest
from conftest import COMMAND

ROOT = conftest.TESTS.parent
LABELS = [int(row) for row in (ROOT / "src" / "ilsvrc2012-val-labels.txt").read_text().split()]
IDS = [row.split("\t")[0] for row in (ROOT / "lib" / "results" / "imagenet-1k.tsv").read_text().splitlines()]
NAMES = [f"ILSVRC2012_val_{i + 1:08d}.JPEG" for i in range(50000)]


def prepare(*arguments, code=0, **options):
    result = subprocess.run([COMMAND, "prepare-val", *arguments], capture_output=True, text=True, **options)
    assert result.returncode == code, result.stderr
    return result


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    for name in NAMES:
        (folder / name).touch()
    (folder / NAMES[7]).write_bytes(b"seven")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    folder = tmp_path_factory.mktemp("target") / "valid"
    yield folder
    shutil.rmtree(folder)


def places(target):
    return {name: folder.name for folder in os.scandir(target) for name in os.listdir(folder)}


EXPECTED = {name: IDS[label] for name, label in zip(NAMES, LABELS)}


def test_tables():
    assert Counter(LABELS) == {i: 50 for i in range(1000)} and IDS == sorted(set(IDS)) and len(IDS) == 1000


def test_link(flat, target):  # the tests that follow need what it leaves
    assert prepare("--dry-run", flat, target).stdout == "50000 pictures to arrange, 0 already in place; 50000 in 1000 folders\n"
    assert not target.exists()
    process = subprocess.Popen([COMMAND, "prepare-val", flat, target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not (target / IDS[999]).exists() and time.monotonic() < end and process.poll() is None:
        pass
    process.kill()
    process.wait()
    out = prepare(flat, target).stdout
    assert out.endswith("; 50000 in 1000 folders\n") and places(target) == EXPECTED
    assert (target / EXPECTED[NAMES[7]] / NAMES[7]).samefile(flat / NAMES[7])
    more = target / "n01440764" / "more.jpg"
    more.touch()
    assert "1000 folders with 50001 pictures, 1 of them in the wrong place" in prepare(flat, target, code=1).stderr
    more.unlink()


def take_out(target):
    """Some pictures, as if a run had been interrupted before them."""
    chosen = NAMES[:30]
    for name in chosen:
        (target / EXPECTED[name] / name).unlink()
    return chosen


REST = "30 pictures arranged, 49970 already in place; 50000 in 1000 folders\n"


@pytest.mark.parametrize("way", ["symlink", "copy", "move"])
def test_ways(flat, target, way):
    chosen = take_out(target)
    assert prepare("--how", way, flat, target).stdout == REST
    for name in chosen:
        place = target / EXPECTED[name] / name
        assert place.read_bytes() == (b"seven" if name == NAMES[7] else b"")
        assert place.is_symlink() == (way == "symlink") and (flat / name).exists() == (way != "move")
        if way == "copy":
            assert not place.samefile(flat / name)
        if way == "move":
            os.link(place, flat / name)
    assert len(places(target)) == 50000  # no parts are left


def test_archive(target, tmp_path):
    with tarfile.open(tmp_path / "val.tar", "w") as tar:
        for i, name in enumerate(NAMES):
            member = tarfile.TarInfo(name)
            member.size = 5 if i == 7 else 0
            tar.addfile(member, io.BytesIO(b"seven"))
    assert "can only be copied" in prepare("--how", "link", tmp_path / "val.tar", target, code=2).stderr
    take_out(target)
    assert prepare("--dry-run", tmp_path / "val.tar", target).stdout == REST.replace("arranged", "to arrange")
    assert prepare(tmp_path / "val.tar", target).stdout == REST
    assert places(target) == EXPECTED and (target / EXPECTED[NAMES[7]] / NAMES[7]).read_bytes() == b"seven"
    whole = (tmp_path / "val.tar").read_bytes()
    (tmp_path / "short.tar").write_bytes(whole[:512 * 1000] + bytes(1024))
    assert "short.tar: holds 999 of 50000 pictures" in prepare(tmp_path / "short.tar", target, code=1).stderr


def test_full_disk(flat, target, tmp_path):
    """A limit on the size of files takes the place of a full disk: no part is left, and the next run goes on."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2, 2))

    with tarfile.open(tmp_path / "few.tar", "w") as tar:
        for name in NAMES[:30]:
            tar.add(flat / name, name)
    place = target / EXPECTED[NAMES[7]] / NAMES[7]
    for source in (flat, tmp_path / "few.tar"):
        take_out(target)
        assert prepare("--how", "copy", source, target, code=1, preexec_fn=limit).stderr == f"scarlet: {place}.part: File too large\n"
        assert len(places(target)) == 49977  # seven were done before
        assert prepare("--how", "copy", flat, target).stdout == REST.replace("30", "23").replace("49970", "49977")


def test_refusals(flat, target, tmp_path):
    gone, elsewhere = flat / NAMES[41], tmp_path / "new"
    gone.rename(flat / "hidden")
    message = f"scarlet: 1 of 50000 pictures are missing, the first is {gone}\n"
    assert prepare(flat, elsewhere, code=1).stderr == message
    os.mkfifo(gone)
    assert prepare("--how", "copy", flat, elsewhere, code=1, timeout=30).stderr == message and not elsewhere.exists()
    (flat / "hidden").rename(gone)
    place = elsewhere / EXPECTED[NAMES[7]] / NAMES[7]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"cut")
    assert prepare(flat, elsewhere, code=1).stderr == f"scarlet: {place}: already exists, with 3 bytes instead of 5\n"
    assert "not one of link, symlink" in prepare("--how", "magic", flat, elsewhere, code=2).stderr
    assert prepare("/no/source", elsewhere, code=1).stderr == "scarlet: /no/source: No such file or directory\n"
