"""Folders, lists and archives as people have them; outputs on standard output and into pipes."""

import gzip
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]
BOOT, SHIRT = tiny.PICTURES / "09-ankle-boot-0000.png", tiny.PICTURES / "06-shirt-0004.png"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny.make(tmp_path_factory.mktemp("data") / "tiny.safetensors"))


def classify(model, *arguments, **options):
    """Names of the pictures classified, what was said, and the exit code."""
    result = subprocess.run([COMMAND, "classify", "-m", model, "--json", *arguments], capture_output=True, timeout=30, **options)
    found = [json.loads(line) for line in result.stdout.decode().splitlines()]
    return [record["file"] for record in found if "predictions" in record], result.stderr.decode(), result.returncode


def errors(model, *arguments, **options):
    result = subprocess.run([COMMAND, "classify", "-m", model, "-q", *arguments], capture_output=True, timeout=30, **options)
    assert result.returncode == 1
    return result.stderr.decode().splitlines()


# ---- folders ----

def test_names_and_kinds(model, tmp_path):
    """Names that only some programs give are taken; what is not a picture by its name is counted by kind."""
    names = ["a.jfif", "b.JPE", "c.jpg_large", "d.pjpeg", "e.png"]
    for name in names:
        shutil.copy(BOOT, tmp_path / name)
    heif = b"\0\0\0\x18ftypheic\0\0\0\0"
    for name, head in [("1.heic", heif), ("2.HEIC", heif), ("3.gif", b"GIF89a"), ("notes.txt", b"hello"), ("none", BOOT.read_bytes()),
                       ("5.tga", b"\0\0\2\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0"), ("empty", b"")]:
        (tmp_path / name).write_bytes(head)
    os.mkfifo(tmp_path / "pipe")
    found, error, code = classify(model, ".", cwd=tmp_path)
    assert (found, code) == ([f"./{name}" for name in names], 0)
    assert error == "scarlet: 8 files skipped: 2 HEIF, 1 GIF, 1 PNG, 1 TGA, 3 other\n"
    assert classify(model, "-q", ".", cwd=tmp_path)[1] == ""


def test_links_above(model, tmp_path):
    """A link to the folder itself or above is named, and nothing is classified twice; other links are followed."""
    for folder in ("data/a", "data/b", "else"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(BOOT, tmp_path / folder / "x.png")
    for name, target in [("a/up", ".."), ("a/top", "../.."), ("a/self", "."), ("b/else", "../../else")]:
        (tmp_path / "data" / name).symlink_to(target)
    found, error, code = classify(model, "data", cwd=tmp_path)
    assert (found, code) == (["data/a/x.png", "data/b/else/x.png", "data/b/x.png"], 1)
    assert errors(model, "data", cwd=tmp_path) == [f"scarlet: data/a/{name}: a link to a folder above it" for name in ("self", "top", "up")]
    assert classify(model, "data/a", cwd=tmp_path)[0] == ["data/a/x.png"]


def test_long_paths(model, tmp_path):
    """What is too deep to be named is a failure, not left out."""
    here = os.open(tmp_path, os.O_RDONLY)
    shutil.copy(BOOT, tmp_path / "x.png")
    for _ in range(21):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with open(os.open("deep.png", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(BOOT.read_bytes())
    os.close(here)
    found, error, code = classify(model, tmp_path)
    assert (found, code) == ([f"{tmp_path}/x.png"], 1) and "1 of 2 pictures failed" in error
    message = errors(model, tmp_path)[0]
    assert message.endswith("dd: File name too long") and "ddd...ddd" in message and len(message) < 270
    subprocess.run(["rm", "-rf", tmp_path / ("d" * 200)], check=True)


# ---- lists ----

def test_lists(model, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "b c.png", "trail.png "):
        shutil.copy(BOOT, tmp_path / "sub" / name)
    for text in ("a.png\nb c.png\ntrail.png \n", "\ufeffa.png\r\nb c.png \r\n\r\ntrail.png \n", "a.png\0b c.png\0trail.png \0", "a.png\0b c.png\0trail.png "):
        (tmp_path / "sub" / "list").write_bytes(text.encode())
        names = ["a.png", "b c.png", "trail.png "]
        assert classify(model, "--files-from", "sub/list", cwd=tmp_path) == ([f"sub/{name}" for name in names], "", 0)
        for path in ("-", "/dev/stdin", "/dev/fd/0"):  # relative to the working folder
            assert classify(model, "--files-from", path, cwd=tmp_path / "sub", input=text.encode()) == (names, "", 0)
    with open(tmp_path / "sub" / "list") as file:
        assert classify(model, "--files-from", "/dev/stdin", cwd=tmp_path / "sub", stdin=file)[0] == names
    assert classify(model, "--files-from", "/dev/null")[1:] == ("scarlet: /dev/null: a device, not a list\n", 1)
    (tmp_path / "empty").write_text("\n \n")
    assert errors(model, "--files-from", "empty", cwd=tmp_path) == ["scarlet: empty: an empty list"]


# ---- archives ----

def pack(path, *names, mode="w", format=tarfile.GNU_FORMAT):
    with tarfile.open(path, mode, format=format) as tar:
        for name in names:
            tar.add(BOOT, name)
    return path


def test_archive_cut(model, tmp_path):
    """Wherever an archive is cut, that is said; what was whole is classified."""
    whole = pack(tmp_path / "whole.tar", "a.png", "b.png").read_bytes()
    for length in (600, 1024, 1030, 1536, 1600, 2048):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        found, error, code = classify(model, "cut.tar", cwd=tmp_path)
        assert code == 1 and found == ["cut.tar:a.png", "cut.tar:b.png"][:length // 1024]
        assert "the archive is cut short" in " ".join(errors(model, "cut.tar", cwd=tmp_path))
    pax = pack(tmp_path / "pax.tar", "a.png", "b.png", format=tarfile.PAX_FORMAT).read_bytes()
    for length in range(2048, 4096, 256):
        (tmp_path / "cut.tar").write_bytes(pax[:length])
        assert "the archive is cut short" in " ".join(errors(model, "cut.tar", cwd=tmp_path))
    squeezed = gzip.compress(whole)
    for length in (2, 10, 100, len(squeezed) - 40, len(squeezed) - 1):
        (tmp_path / "cut.tgz").write_bytes(squeezed[:length])
        assert errors(model, "cut.tgz", cwd=tmp_path) == ["scarlet: cut.tgz: the archive is cut short or damaged"]
    for name, data, message in [("words.tar", b"words" * 200, "not a tar archive"), ("words.tar", b"words", "too short for a tar archive"),
                                ("words.tgz", gzip.compress(b"words" * 200), "not a tar archive")]:
        (tmp_path / name).write_bytes(data)
        assert errors(model, name, cwd=tmp_path) == [f"scarlet: {name}: {message}"]


def test_archives_joined(model, tmp_path):
    first, second = pack(tmp_path / "1.tar", "a.png"), pack(tmp_path / "2.tar", "b.png")
    (tmp_path / "both.tar").write_bytes(first.read_bytes() + second.read_bytes())
    (tmp_path / "both.tgz").write_bytes(gzip.compress(first.read_bytes()) + gzip.compress(second.read_bytes()))
    for name in ("both.tar", "both.tgz"):
        assert classify(model, name, cwd=tmp_path) == ([f"{name}:a.png", f"{name}:b.png"], "", 0)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_hard_links(model, tmp_path, mode):
    """They are the earlier member's data, in any order; what names nothing is said."""
    with tarfile.open(tmp_path / "x.tar", mode) as tar:
        tar.add(BOOT, "data/a")
        tar.add(SHIRT, "b.png")
        for name, target in [("1.png", "data/a"), ("2.png", "b.png"), ("3.png", "data/a"), ("4.png", "gone.png")]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            tar.addfile(member)
    result = subprocess.run([COMMAND, "classify", "-m", model, "-k", "1", "x.tar"], cwd=tmp_path, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    plain = subprocess.run([COMMAND, "classify", "-m", model, "-k", "1", BOOT, SHIRT], capture_output=True, text=True).stdout.splitlines()
    assert lines[::2] == [f"x.tar:{name}" for name in ("b.png", "1.png", "2.png", "3.png")]
    assert lines[1::2] == [plain[3], plain[1], plain[3], plain[1]]
    assert result.stderr.splitlines()[0] == 'scarlet: x.tar:4.png: a hard link to "gone.png", which is no file of the archive'


def link(tar, name, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.LNKTYPE, target
    tar.addfile(member)


def linked(path, *links, picture=BOOT, mode="w"):
    """An archive of one picture, a.png, and hard links."""
    with tarfile.open(path, mode) as tar:
        tar.add(picture, "a.png")
        for name, target in links:
            link(tar, name, target)
    return path


def faults(model, *arguments, **options):
    """What is printed for each picture: the probability of its class, or what is wrong with it."""
    result = subprocess.run([COMMAND, "classify", "-m", model, "--json", "-k", "1", *arguments], capture_output=True, timeout=300, **options)
    found = [json.loads(line) for line in result.stdout.decode().splitlines()]
    return {record["file"]: record["error"] if "error" in record else record["predictions"][0]["probability"] for record in found}


def test_hard_links_to_links(model, tmp_path):
    """However many lie between, in whatever form a name is written, and in archives within archives."""
    links = [("b.png", "a.png"), ("c.png", "b.png"), ("./d.png", "./c.png"), ("e.png", "d.png"), ("f/g.png", "./f/..//e.png"), ("h.png", ".//e.png")]
    boot, shirt = faults(model, BOOT)[str(BOOT)], faults(model, SHIRT)[str(SHIRT)]
    assert boot != shirt
    names = [f"x.tar:{name}" for name in ("a.png", "b.png", "c.png", "./d.png", "e.png", "h.png")]
    linked(tmp_path / "x.tar", *links)
    assert faults(model, "x.tar", cwd=tmp_path) == {
        **dict.fromkeys(names, boot), "x.tar:f/g.png": 'x.tar:f/g.png: a hard link to "./f/..//e.png", which is no file of the archive'}
    with tarfile.open(tmp_path / "outer.tar", "w") as tar:
        for i, picture in enumerate([BOOT, SHIRT, BOOT]):
            tar.add(linked(tmp_path / "inner.tar", *links, picture=picture), "inner.tar")
            link(tar, f"{i}.png", "x.png")
        link(tar, "link.tar", "inner.tar")
    found = faults(model, "outer.tar", cwd=tmp_path)
    assert found["outer.tar:inner.tar:h.png"] == boot and found["outer.tar:link.tar"] == "outer.tar:link.tar: a link to an archive, which is not followed"
    result = subprocess.run([COMMAND, "classify", "-m", model, "-k", "1", "--json", "outer.tar"], cwd=tmp_path, capture_output=True, text=True)
    scores = [json.loads(line)["predictions"][0]["probability"] for line in result.stdout.splitlines() if "inner.tar" in line and "error" not in line]
    assert scores == [boot] * 6 + [shirt] * 6 + [boot] * 6


def test_hard_links_end(model, tmp_path):
    """In a pipe, where nothing can be read again, and where they lead back without end, the cause is said."""
    linked(tmp_path / "x.tar", ("b.png", "a.png"))
    for path in ("-", "/dev/stdin"):
        found = faults(model, path, input=(tmp_path / "x.tar").read_bytes())
        assert found[f"{path}:b.png"] == f'{path}:b.png: a hard link to "a.png", but a pipe cannot be read twice: name the archive as a file'
        assert found[f"{path}:a.png"] == faults(model, BOOT)[str(BOOT)]
    linked(tmp_path / "x.tar", *((f"{i}.png", "gone.png") for i in range(5000)), mode="w:gz")
    found = faults(model, "x.tar", cwd=tmp_path)
    assert found["x.tar:100.png"].endswith("which is no file of the archive")
    assert found["x.tar:4999.png"].endswith("and too many before it led back in the archive")


def test_archive_in_a_pipe(model, tmp_path):
    """Contents decide what a pipe is; its first bytes are not lost."""
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = pack(tmp_path / "x.tar", "a.png", "b.png", format=format).read_bytes()
        for form in (data, gzip.compress(data)):
            for path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
                assert classify(model, path, input=form) == ([f"{path}:a.png", f"{path}:b.png"], "", 0)
    subprocess.run(["tar", "--format=v7", "-cf", tmp_path / "v7", "-C", BOOT.parent, BOOT.name], check=True)
    assert b"ustar" not in (tmp_path / "v7").read_bytes()
    assert classify(model, "v7", cwd=tmp_path) == ([f"v7:{BOOT.name}"], "", 0)
    assert classify(model, "/dev/stdin", input=BOOT.read_bytes()) == (["/dev/stdin"], "", 0)
    command = '"$0" classify -q -k 1 -m "$1" <(cat x.tar) <(cat v7) <(cat "$2") <(cat "$3")'
    result = subprocess.run(["bash", "-c", command, COMMAND, model, BOOT, SHIRT], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, "") and result.stdout.count("%") == 5


def test_bytes_in_messages(model, tmp_path):
    """Nothing that is not text, or moves a terminal's cursor, gets to it."""
    for name in (b"a\xff\x9b2J.png", b"b\xc2\x9b2J\x1b[2J.png", "\u00e9\u20ac.png".encode()):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    (tmp_path / "list").write_bytes(bytes(range(1, 256)) * 3)
    for arguments in (["."], ["--files-from", "list"], ["list"]):
        result = subprocess.run([COMMAND, "classify", "-m", model, *arguments], cwd=tmp_path, capture_output=True)
        out = (result.stdout + result.stderr).decode()
        assert result.returncode == 1 and all(c == "\n" or c.isprintable() for c in out)
        assert arguments != ["."] or "\u00e9\u20ac.png" in out


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("squeeze", [gzip.compress, lzma.compress, zstd])
@pytest.mark.parametrize("outer", [gzip.compress, lzma.compress, zstd])
def test_one_layer(model, tmp_path, squeeze, outer):
    """One compression is taken off, and no more."""
    once = squeeze(pack(tmp_path / "x.tar", "a.png").read_bytes())
    (tmp_path / "once").write_bytes(once)
    (tmp_path / "twice.tar.gz").write_bytes(outer(once))
    assert classify(model, "once", cwd=tmp_path) == (["once:a.png"], "", 0)
    assert errors(model, "twice.tar.gz", cwd=tmp_path) == ["scarlet: twice.tar.gz: compressed more than once: one layer is taken off"]


def test_quine(model, tmp_path):
    """A gzip file that unpacks to itself, by Cox's construction: any depth of layers is refused at once."""
    layer = pack(tmp_path / "x.tar", "a.png").read_bytes()
    for _ in range(30):
        layer = gzip.compress(layer)
    (tmp_path / "deep.tar").write_bytes(layer)
    assert errors(model, "deep.tar", cwd=tmp_path) == ["scarlet: deep.tar: compressed more than once: one layer is taken off"]


def test_archive_on_standard_input(model, tmp_path):
    data = pack(tmp_path / "x.tar", "a.png", "b.png").read_bytes()
    for form in (data, gzip.compress(data)):
        assert classify(model, "-", input=form) == (["-:a.png", "-:b.png"], "", 0)
    assert classify(model, "-", input=BOOT.read_bytes()) == (["-"], "", 0)
    found, _, code = classify(model, BOOT, "-", input=BOOT.read_bytes())
    assert (found, code) == ([str(BOOT), "-"], 0)


def test_archive_in_an_archive(model, tmp_path):
    pack(tmp_path / "inner.tar", "a.png", "b.png")
    pack(tmp_path / "inner.tgz", "c.png", mode="w:gz")
    (tmp_path / "cut.tar").write_bytes((tmp_path / "inner.tar").read_bytes()[:1100])
    with tarfile.open(tmp_path / "outer.tar", "w") as tar:
        for path in ("inner.tar", "cut.tar", "inner.tgz"):
            tar.add(tmp_path / path, f"x/{path}")
        tar.add(BOOT, "last.png")
    found, _, code = classify(model, "outer.tar", cwd=tmp_path)
    assert found == [f"outer.tar:{name}" for name in ("x/inner.tar:a.png", "x/inner.tar:b.png", "x/cut.tar:a.png", "x/inner.tgz:c.png", "last.png")]
    assert code == 1 and errors(model, "outer.tar", cwd=tmp_path) == [
        "scarlet: outer.tar:x/cut.tar: the archive is cut short: Truncated tar archive"]


def test_members_skipped(model, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(BOOT, "a.png")
        for name, data in [("b.heic", b"\0\0\0\x18ftypheic\0\0\0\0"), ("c.txt", b"words")]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    assert classify(model, "x.tar", cwd=tmp_path) == (["x.tar:a.png"], "scarlet: 1 file skipped: 1 HEIF\n", 0)


def test_other_archives(model, tmp_path):
    shutil.make_archive(tmp_path / "x", "zip", tiny.PICTURES)
    shutil.copy(tmp_path / "x.zip", tmp_path / "x.png")
    for name in ("x.zip", "x.png"):
        assert errors(model, name, cwd=tmp_path) == [f"scarlet: {name}: a zip archive; tar is read"]


# ---- outputs ----

def test_matrix_on_standard_output(model, tmp_path):
    """The same bytes as in a file, also through a named pipe; nothing else is printed."""
    command = [COMMAND, "classify", "-m", model, "--features", BOOT, SHIRT, "--npy"]
    subprocess.run([*command, tmp_path / "out.npy"], check=True, capture_output=True)
    expected = (tmp_path / "out.npy").read_bytes()
    assert np.load(tmp_path / "out.npy").shape == (2, 32)
    assert subprocess.run([*command, "-"], check=True, capture_output=True).stdout == expected
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    subprocess.run([*command, tmp_path / "pipe"], check=True, capture_output=True)
    reader.join()
    assert read == [expected]
    result = subprocess.run([*command, "-", "--json"], capture_output=True)
    assert result.returncode == 2 and b"only one of --json and --npy can be written to standard output" in result.stderr
    with open("/dev/full", "wb") as full:
        result = subprocess.run([*command, "-"], stdout=full, stderr=subprocess.PIPE)
    assert (result.returncode, result.stderr) == (1, b"scarlet: -: No space left on device\n")


def test_convert_to_standard_output(model, tmp_path):
    """The bytes of the file; nothing is left where it was made."""
    subprocess.run([COMMAND, "convert", model, tmp_path / "out.safetensors"], check=True)
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    result = subprocess.run([COMMAND, "convert", model, "-"], check=True, capture_output=True, env=environment)
    assert result.stdout == (tmp_path / "out.safetensors").read_bytes() and not list((tmp_path / "tmp").iterdir())
    result = subprocess.run([COMMAND, "convert", BOOT, "-"], capture_output=True, env=environment)
    assert (result.returncode, result.stdout) == (3, b"") and not list((tmp_path / "tmp").iterdir())
