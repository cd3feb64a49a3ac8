"""Many pictures at once: archives, lists, matrices, and results in the order of the pictures."""

import gzip
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]
PICTURES = sorted(tiny.PICTURES.iterdir())
NAMES = [b"a.png", b"b b.png", b"c'\"\n.PNG", b"d\xff\xfe.jpg", "\u00e9.png".encode(), b".png", b"-x.png", b"sub/..x.png",
         b"sub/deep/\\.jpeg", b"10.png", b"9.png", b"%s%n.png"]


def run(*command, cwd=None, code=0):
    result = subprocess.run([COMMAND, "classify", *command], cwd=cwd, capture_output=True)
    assert result.returncode == code, result.stderr
    return result


def records(output):
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    tiny.make(folder / "model")
    root = os.fsencode(folder / "tree")
    for i, name in enumerate(NAMES):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(PICTURES[i % len(PICTURES)], path)
    (folder / "nul").write_bytes(b"\0".join(b"tree/" + name for name in NAMES))
    (folder / "lines").write_bytes(b"\r\n".join(b"tree/" + name for name in NAMES if b"\n" not in name))
    for kind, format in [("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        with tarfile.open(folder / f"{kind}.tar", "w", format=format) as tar:
            for name in NAMES:
                tar.add(os.fsdecode(os.path.join(root, name)), os.fsdecode(name))
    with tarfile.open(folder / "packed.tgz", "w:gz") as tar:
        for name in NAMES:
            tar.add(os.fsdecode(os.path.join(root, name)), os.fsdecode(name))
    return folder


@pytest.fixture(scope="module")
def expected(scratch):
    """One process a picture."""
    return [records(run("-m", "model", "--json", b"tree/" + name, cwd=scratch).stdout)[0] for name in NAMES]


@pytest.mark.parametrize("source", ["gnu.tar", "pax.tar", "packed.tgz"])
def test_archive(scratch, expected, source):
    found = records(run("-m", "model", "--json", source, cwd=scratch).stdout)
    assert [os.fsencode(record["file"]) for record in found] == [source.encode() + b":" + name for name in NAMES]
    assert [record["predictions"] for record in found] == [record["predictions"] for record in expected]


@pytest.mark.parametrize("source, left_out", [("nul", ()), ("lines", (2,))])
def test_list(scratch, expected, source, left_out):
    found = records(run("-m", "model", "--json", "--files-from", source, cwd=scratch).stdout)
    assert found == [record for i, record in enumerate(expected) if i not in left_out]


def test_list_with_a_nul(scratch):
    (scratch / "odd.list").write_bytes(b"tree/a.png\ntree/a.png\0x\n")
    result = run("-m", "model", "--files-from", "odd.list", cwd=scratch, code=1)
    assert result.stderr == b"scarlet: odd.list: a NUL byte in line 2\n"


def test_list_through_a_pipe(scratch, expected):
    """Of lines or of NUL bytes, named - or /dev/stdin: relative to the working folder."""
    command = [COMMAND, "classify", "-m", "model", "--json", "--files-from"]
    lines = subprocess.run([*command, "-"], cwd=scratch, input=b"tree/a.png\ntree/9.png", capture_output=True)
    assert records(lines.stdout) == [expected[0], expected[10]]
    with open(scratch / "nul", "rb") as file:
        assert records(subprocess.run([*command, "-"], cwd=scratch, stdin=file, capture_output=True).stdout) == expected
    for path in ("-", "/dev/stdin"):
        for data in (b"tree/a.png\0tree/9.png", b"tree/a.png\0tree/9.png\0", b"tree/a.png\ntree/9.png", b"tree/a.png\r\ntree/9.png \r\n"):
            result = subprocess.run([*command, path], cwd=scratch, input=data, capture_output=True)
            assert (result.returncode, records(result.stdout)) == (0, [expected[0], expected[10]])


def test_list_without_end(scratch):
    for command in (["classify", "--files-from"], ["verify", "--labels"]):
        result = subprocess.run([COMMAND, *command, "/dev/zero", "-m", "model", "gnu.tar"], cwd=scratch, capture_output=True, timeout=10)
        assert result.returncode == 1 and result.stderr == b"scarlet: /dev/zero: a device, not a list\n"


def test_order_and_jobs(scratch):
    """Hundreds of pictures, every seventh broken: the output is the same for any number of jobs."""
    broken = scratch / "broken.png"
    broken.write_bytes(PICTURES[0].read_bytes()[:200])
    files = [broken if i % 7 == 3 else PICTURES[i % len(PICTURES)] for i in range(300)]
    outputs = [run("-m", "model", "--json", "-q", "-j", jobs, *files, cwd=scratch, code=1).stdout for jobs in ("1", "2", "9")]
    assert outputs[0] == outputs[1] == outputs[2]
    assert [record["file"] for record in records(outputs[0])] == [str(path) for path in files]


def test_matrix(scratch):
    files = [*PICTURES[:5], "missing.png", *PICTURES[5:8]]
    printed = records(run("-m", "model", "--features", "--json", *files, cwd=scratch, code=1).stdout)
    result = run("-m", "model", "--features", "--npy", "out.npy", "--json", *files, cwd=scratch, code=1)
    assert [record.get("row") for record in records(result.stdout)] == [0, 1, 2, 3, 4, None, 6, 7, 8]
    found = np.load(scratch / "out.npy")
    assert found.dtype == np.float32 and found.shape == (9, 32) and np.isnan(found[5]).all()
    for row, record in zip(found, printed):
        if "features" in record:
            assert row.tolist() == [np.float32(value) for value in record["features"]]
    text = run("-m", "model", "--features", "--npy", "out.npy", "pax.tar", cwd=scratch).stdout
    assert text.splitlines()[0] == b"pax.tar:a.png" and np.load(scratch / "out.npy").shape == (len(NAMES), 32)


def test_matrix_fails(scratch):
    assert run("-m", "model", "--npy", "x.npy", PICTURES[0], cwd=scratch, code=2).stdout == b""
    result = run("-m", "model", "--features", "--npy", "/no/x.npy", PICTURES[0], cwd=scratch, code=1)
    assert result.stderr == b"scarlet: /no/x.npy: No such file or directory\n"
    result = run("-m", "model", "--features", "--npy", "/dev/full", PICTURES[0], cwd=scratch, code=1)
    assert result.stderr.endswith(b"scarlet: /dev/full: No space left on device\n")


@pytest.mark.parametrize("picture, size, there, message", [
    ("x.png", 1 << 30, 4, "x.png: the archive is cut short: Truncated"), ("x.png", (1 << 30) + 1, 0, "x.png: 1073741825 bytes, at most 1073741824 are read"),
    ("x.txt", 1 << 29, 1 << 29, "an archive without pictures")], ids=["claim", "limit", "no picture"])
def test_archive_bombs(scratch, picture, size, there, message):
    """Memory is taken for bytes that are there, and only for pictures."""
    head = tarfile.TarInfo(picture)
    head.size = size
    with gzip.open(scratch / "bomb.tgz", "wb", 1) as file:
        file.write(head.tobuf(tarfile.GNU_FORMAT))
        for at in range(0, there, 1 << 20):
            file.write(bytes(min(there - at, 1 << 20)))
        file.write(bytes(1024 * (there == size)))
    process = subprocess.Popen([COMMAND, "classify", "-q", "-m", "model", "bomb.tgz"], cwd=scratch, stderr=subprocess.PIPE)
    found = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1 and message in found
    assert used.ru_maxrss <= max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 256 << 10)  # KB; a child begins with its parent's


def test_archive_faults(scratch):
    whole = (scratch / "gnu.tar").read_bytes()
    (scratch / "cut.tar").write_bytes(whole[:700])
    result = run("-m", "model", "-k", "1", "cut.tar", PICTURES[0], cwd=scratch, code=1)
    assert b"scarlet: cut.tar:a.png: " in result.stderr and result.stdout.count(b"%") == 1
    (scratch / "not.tar").write_bytes(b"no archive at all\n" * 100)
    result = run("-m", "model", "not.tar", cwd=scratch, code=1)
    assert result.stderr.startswith(b"scarlet: not.tar: ") and len(result.stderr.splitlines()) == 1
    with tarfile.open(scratch / "odd.tar", "w") as tar:
        for name, kind in [("dir.png", tarfile.DIRTYPE), ("link.png", tarfile.SYMTYPE), ("text.txt", tarfile.REGTYPE),
                           ("empty.png", tarfile.REGTYPE)]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member, io.BytesIO())
    result = run("-m", "model", "odd.tar", cwd=scratch, code=1)
    assert result.stderr.decode().splitlines() == [
        "scarlet: odd.tar:link.png: a link, not a regular file of the archive",
        "scarlet: odd.tar:empty.png: an empty file",
        "scarlet: 2 of 2 pictures failed"]
    (scratch / "sparse.png").touch()
    os.truncate(scratch / "sparse.png", 1 << 20)
    subprocess.run(["tar", "-cSf", "sparse.tar", "sparse.png"], cwd=scratch, check=True)
    result = run("-m", "model", "sparse.tar", cwd=scratch, code=1)
    assert result.stderr.startswith(b"scarlet: sparse.tar:sparse.png: a sparse file, not a picture\n")
    with tarfile.open(scratch / "none.tar", "w") as tar:
        tar.add(__file__, "x.py")
    result = run("-m", "model", "none.tar", cwd=scratch, code=1)
    assert result.stderr == b"scarlet: none.tar: an archive without pictures\n"
