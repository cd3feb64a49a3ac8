"""Broken pictures, kill -9, Ctrl-C, full disks, failing system calls, journals that do not fit."""

import errno
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import subprocess
import tarfile
import time

import pytest
from conftest import CLASSES, COMMAND, last, line, records, run, run_json, save_picture, sums
from permissions import obey


@pytest.fixture(scope="module")
def broken(scratch, tree):
    """The tree with two pictures damaged and one gone."""
    root = scratch / "broken"
    shutil.copytree(os.fsencode(tree), os.fsencode(root), symlinks=True)
    shutil.copytree(os.fsencode(tree) + b"-outside", os.fsencode(root) + b"-outside")
    folder = root / "A b"
    names = sorted(path for path in folder.iterdir() if path.is_file())
    names[3].write_bytes(names[3].read_bytes()[:100])
    names[5].unlink()
    names[5].symlink_to("nowhere")
    return root, names[3], names[5]


def test_stop(scratch, broken):
    root, first, _ = broken
    result = run("-m", scratch / "model", root, code=1)
    assert result.stdout == b""
    _, reason, stopped = result.stderr.splitlines()
    assert reason.startswith(b"scarlet: " + os.fsencode(first) + b": ")
    assert stopped.startswith(b"scarlet: stopped after ") and stopped.endswith(b" pictures; --on-error skip continues past failures")
    assert run_json("-m", scratch / "model", root, code=1)["complete"] is False


def test_skip(scratch, broken, tree, expected):
    root, first, second = broken
    result = run("-m", scratch / "model", root, "--on-error", "skip", code=1)
    gone = [expected.files.index(os.fsencode(path).replace(b"broken", b"tree")) for path in (first, second)]
    top = expected.scores.topk(5, 1).indices.tolist()
    kept = [i for i in range(len(top)) if i not in gone]
    assert last(result.stdout) == line(len(kept), sum(top[i][0] == expected.labels[i] for i in kept),
                                          sum(expected.labels[i] in top[i] for i in kept))
    assert [row[:len(b"scarlet: ")] for row in result.stderr.splitlines()] == [b"scarlet: "] * 4
    assert result.stderr.splitlines()[3] == b"scarlet: 2 pictures failed and are not counted"
    found = run_json("-m", scratch / "model", root, "--on-error", "skip", code=1)
    assert found["failed"] == 2 and [os.fsencode(record["file"]) for record in found["failures"]] == [
        os.fsencode(first), os.fsencode(second)]


# ---- journals ----

def timeless(result):
    return {key: value for key, value in result.items() if key not in ("timed", "seconds", "pictures_per_second", "date")}


@pytest.fixture(scope="module")
def long(scratch, expected):
    """The pictures ten times over, as a list."""
    (scratch / "long.list").write_bytes(10 * b"".join(
        b"%b %d\0" % pair for pair in zip(expected.files, expected.labels)))
    return scratch / "long.list"


def test_killed_at_random_moments(scratch, long):
    """Twenty runs end by kill -9, the next goes on; the numbers are those of one run, all pictures are done once."""
    journal, rng, kills = scratch / "killed.journal", random.Random(9), 0
    whole = timeless(run_json("-m", scratch / "model", long))
    size = 0
    command = [COMMAND, "verify", "-m", scratch / "model", "--journal", journal, "--resume", "--json", "-j", "2", long]
    while kills < 20:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        target, end = size + rng.randint(0, 30000), time.monotonic() + 10
        while process.poll() is None and time.monotonic() < end:
            if journal.exists() and journal.stat().st_size > target:
                break
        process.kill()
        if process.wait() != -signal.SIGKILL:  # it was faster, on a busy machine: all over again
            journal.unlink()
            size = 0
            continue
        kills += 1
        size = journal.stat().st_size if journal.exists() else 0
        if rng.random() < 0.5:  # a line that was cut short, as by a full disk or a power cut
            with open(journal, "ab") as file:
                file.write(b'{"index": 7, "file": "x')
    assert timeless(run_json("-m", scratch / "model", "--journal", journal, "--resume", long)) == whole
    head, *rows = records(journal)
    assert head["journal"] == "scarlet-verify-1" and [row["index"] for row in rows] == list(range(whole["total"]))
    again = run_json("-m", scratch / "model", "--journal", journal, "--resume", long, "--predictions", scratch / "again")
    assert timeless(again) == whole and again["timed"] == 0 and records(scratch / "again") == rows


def test_resume_after_failure(scratch, broken):
    """A journal does not hold the picture that stopped the run; with skip it holds those skipped."""
    root, first, _ = broken
    journal = scratch / "failure.journal"
    arguments = ["-m", scratch / "model", "--journal", journal, "--resume", root]
    assert os.fsencode(first) in run(*arguments, code=1).stderr
    assert os.fsencode(first) in run(*arguments, code=1).stderr
    skipped = run_json(*arguments, "--on-error", "skip", code=1)
    fresh = run_json("-m", scratch / "model", root, "--on-error", "skip", code=1)
    assert timeless(skipped) == timeless(fresh)
    assert timeless(run_json(*arguments, code=1)) == timeless(fresh)


def test_journal_fits(scratch, tree, module):
    journal = scratch / "fits.journal"
    run("-m", scratch / "model", "--journal", journal, tree)
    before = journal.read_bytes()
    cases = [
        ([tree], "already exists: continue it with --resume, or remove it"),
        (["--resume", "--shard", "0/2", tree], 'a journal of another run: its shard: "0/1", now "0/2"'),
        (["--resume", "-o", "resize=40", tree], 'a journal of another run: its options: "", now "resize=40"'),
        (["--resume", "--class-order", "folders", tree],
         'a journal of another run: its class order: "auto", now "folders"'),
        (["--resume", "--compare", "engine=xnnpack", tree],
         'a journal of another run: its model to compare: "", now "%s"'),
        (["--resume", os.fspath(tree) + "/"], f'a journal of another run: its data: "{tree}", now "{tree}/"')]
    for arguments, message in cases:
        result = run("-m", scratch / "model", "--journal", journal, *arguments, code=1)
        found = result.stderr.decode(errors="replace").splitlines()[-1]
        assert re.sub(r"[0-9a-f]{16}", "%s", found) == f"scarlet: {journal}: {message}"
    notes = scratch / "notes.txt"
    notes.write_text("mine\nand dear")
    assert b"not a journal" in run("-m", scratch / "model", "--journal", notes, "--resume", tree, code=1).stderr
    assert notes.read_text() == "mine\nand dear" and journal.read_bytes() == before
    assert b"--resume needs --journal" in run("-m", scratch / "model", "--resume", tree, code=2).stderr
    rows = before.splitlines(keepends=True)
    rows[7] = b'{"index": 6, "file": 3}\n'
    journal.write_bytes(b"".join(rows))
    assert run("-m", scratch / "model", "--journal", journal, "--resume", tree,
               code=1).stderr.endswith(b"fits.journal: line 8 is damaged\n")


def test_data_changed(scratch):
    root = scratch / "changing"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(3):
            save_picture(random.Random(i), root / name / f"{i}.png")
    arguments = ["-m", scratch / "model", "-q", "--class-order", "folders", "--journal", scratch / "changing.journal", "--resume", root]
    run(*arguments)
    (root / "a" / "1.png").rename(root / "a" / "9.png")
    assert b"the data have changed since the journal was written: it has " in run(*arguments, code=1).stderr


def test_one_writer(scratch, tree):
    journal = scratch / "locked.journal"
    os.mkfifo(scratch / "fifo.txt")
    process = subprocess.Popen([COMMAND, "verify", "-m", scratch / "model", "--journal", journal, "-j", "1",
                                "--predictions", scratch / "fifo.txt", tree], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < end:
        time.sleep(0.01)  # it waits for a reader of its predictions
    assert b"another run is writing this journal" in run("-m", scratch / "model", "--journal", journal, tree, code=1).stderr
    process.kill()
    process.wait()


# ---- Ctrl-C, full disks ----

def test_interrupt(scratch, long):
    """A summary of what is done; the journal goes on from there."""
    journal = scratch / "interrupt.journal"
    process = subprocess.Popen([COMMAND, "verify", "-m", scratch / "model", "--journal", journal, "-j", "1", long],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 30
    while not (journal.exists() and journal.stat().st_size > 1000) and time.monotonic() < end:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    done = len(records(journal)) - 1
    assert 0 < done < 3000 and last(out).startswith(f"Evaluate Result: Total: {done}\t")
    assert err.decode() == f"scarlet: interrupted after {done} pictures, 0 failed\n"


@pytest.mark.parametrize("option", ["--journal", "--predictions"])
def test_full_disk(scratch, tree, expected, option):
    """A limit on the size of files takes the place of a full disk: /dev/full cannot be a journal."""
    path = scratch / f"full{option}"

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    result = run("-m", scratch / "model", "-q", option, path, tree, code=1, preexec_fn=limit)
    assert result.stderr.decode() == f"scarlet: {path}: File too large\n"
    if option == "--journal":
        result = run("-m", scratch / "model", "-q", option, path, "--resume", tree)
        assert result.stderr == b"" and len(records(path)) == 1 + len(expected.files)
        assert b"not a regular file" in run("-m", scratch / "model", option, "/dev/full", tree, code=1).stderr
    else:
        assert b"/dev/full: No space left on device" in run("-m", scratch / "model", option, "/dev/full", tree, code=1).stderr


# ---- system calls that fail: tests/faults/failing.c ----

def failing(scratch, kind, n, code):
    """The environment in which the n-th such call fails, and the file that then says so."""
    hit = scratch / "hit"
    hit.unlink(missing_ok=True)
    return {**os.environ, "LD_PRELOAD": os.environ["SCARLET_FAILING_LAYER"], "SCARLET_FAILING": f"{kind} {n} {code}",
            "SCARLET_FAILING_HIT": str(hit), "ASAN_OPTIONS": "verify_asan_link_order=0"}, hit


@pytest.fixture(scope="module")
def few(scratch, tree):
    """A picture for each class."""
    root = scratch / "one-each"
    for i in range(CLASSES):
        (root / f"{i:02d}").mkdir(parents=True)
        save_picture(random.Random(i), root / f"{i:02d}" / "x.png")
    return root


@pytest.mark.parametrize("kind, code, message", [
    ("write", errno.ENOSPC, "No space left on device"), ("write", -1, None), ("write", -2, None),
    ("fsync", errno.EIO, "Input/output error"), ("ftruncate", errno.EIO, "Input/output error")])
def test_failing_journal(scratch, few, kind, code, message):
    """Whatever call fails, the run says so or does it again, and the journal goes on to the same numbers."""
    journal, whole, n, hits = scratch / "failing.journal", timeless(run_json("-m", scratch / "model", few)), 0, 0
    while True:
        n += 1
        journal.unlink(missing_ok=True)
        env, hit = failing(scratch, kind, n, code)
        result = run("-m", scratch / "model", "--journal", journal, "--json", few, env=env,
                     code=None)
        if not hit.exists():
            assert result.returncode == 0 and timeless(json.loads(result.stdout)) == whole
            break
        hits += 1
        if message:
            assert result.returncode == 1 and result.stderr.decode() == f"scarlet: {journal}: {message}\n"
            assert timeless(run_json("-m", scratch / "model", "--journal", journal, "--resume", few)) == whole
        else:
            assert result.returncode == 0 and timeless(json.loads(result.stdout)) == whole
    assert hits >= (1 + CLASSES if message and kind == "write" else 1)
    assert len(records(journal)) == 1 + CLASSES


def test_failing_threads(scratch, few):
    """No half-started run: each of three workers in turn cannot be started."""
    for n in (1, 2, 3):
        env, hit = failing(scratch, "pthread_create", n, errno.EAGAIN)
        result = run("-m", scratch / "model", "-j", "3", few, env=env, code=1, timeout=30)
        assert hit.exists() and result.stdout == b""
        assert result.stderr.decode() == "scarlet: cannot start a thread: Resource temporarily unavailable\n"


@pytest.mark.parametrize("kind, code", [("open", errno.EMFILE), ("fstat", errno.EIO), ("pread", errno.EIO), ("malloc", errno.ENOMEM)])
def test_failing_calls(scratch, few, kind, code):
    """A run succeeds with the right numbers or says in one line why not; it is never killed."""
    if kind == "malloc" and os.environ["SCARLET_SANITIZED"] == "1":
        kind, code = "pread", errno.EIO  # a sanitizer has a malloc of its own
    right = run("-m", scratch / "model", "-j", "1", few).stdout
    step, n, failed = 1, 1, 0
    while True:
        env, hit = failing(scratch, kind, n, code)
        result = run("-m", scratch / "model", "-j", "1", few, env=env, code=None, timeout=30)
        if not hit.exists() and result.returncode == 0:
            assert result.stdout == right
            break
        assert result.returncode in (0, 1, 3) and b"Sanitizer" not in result.stderr, result.stderr
        assert result.returncode == 0 or result.stderr.startswith((b"scarlet: ", b"Error in cpuinfo: "))
        failed += result.returncode != 0
        step += n // 10  # the first ones one by one
        n += step
    assert failed >= 5


def test_unreadable(scratch, few, tmp_path):
    """A picture, folder and model that permissions keep from us."""
    root = tmp_path / "tree"
    shutil.copytree(few, root)
    (root / "03" / "x.png").chmod(0)
    result = run("-m", scratch / "model", root, code=1, preexec_fn=obey)
    assert result.stderr.decode().splitlines()[0] == f"scarlet: {root}/03/x.png: Permission denied"
    result = run_json("-m", scratch / "model", root, "--on-error", "skip", code=1, preexec_fn=obey)
    assert result["failed"] == 1 and result["total"] == CLASSES - 1
    (root / "03" / "x.png").chmod(0o600)
    (root / "07").chmod(0)
    try:
        result = run("-m", scratch / "model", root, code=1, preexec_fn=obey)
        assert result.stdout == b"" and f"{root}/07: Permission denied" in result.stderr.decode()
    finally:
        (root / "07").chmod(0o700)
    model = tmp_path / "model"
    shutil.copy(scratch / "model", model)
    model.chmod(0)
    result = run("-m", model, few, code=3, preexec_fn=obey)
    assert result.stderr.decode() == f"scarlet: {model}: Permission denied\n"
    (tmp_path / "shut").mkdir(0o500)
    for option in ("--journal", "--predictions", "--report"):
        result = run("-m", scratch / "model", option, tmp_path / "shut" / "x", few, code=1, preexec_fn=obey)
        assert result.stderr.decode() == f"scarlet: {tmp_path}/shut/x: Permission denied\n"


def test_full_disk_report(scratch, few):
    """A page that does not fit is taken away."""
    path = scratch / "full.html"

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    result = run("-m", scratch / "model", "--report", path, few, code=1, preexec_fn=limit)
    assert result.stderr.decode() == f"scarlet: {path}: File too large\n" and not path.exists()


def test_unreadable_folder(scratch):
    root = scratch / "loop"
    (root / "a").mkdir(parents=True)
    save_picture(random.Random(1), root / "a" / "x.png")
    (root / "a" / "up").symlink_to("..")
    (root / "b").mkdir()
    save_picture(random.Random(2), root / "b" / "x.png")
    arguments = ["-m", scratch / "model", "-q", "--class-order", "folders", root]
    result = run(*arguments, code=1)
    assert b"loop/a/up: a link to a folder above it" in result.stderr and result.stdout == b""
    found = run_json(*arguments, "--on-error", "skip", code=1)
    assert (found["total"], found["failed"]) == (2, 1)  # b once


@pytest.mark.parametrize("form, bar", [("list", rb"\r\[#* *\] \d+/3600  \d+\.\d/s  \d+ s left\x1b\[K"), ("tar", rb"\r\d+  \d+\.\d/s\x1b\[K")])
def test_progress(scratch, long, expected, form, bar):
    """A bar on a terminal, without a total for an archive; nothing in a pipe. It comes after a tenth of a second."""
    data, copies = [long], 20
    if form == "tar":
        data = [scratch / "progress.tar", "--truth", scratch / "progress.txt"]
        with tarfile.open(data[0], "w", dereference=True) as tar:
            for i in range(copies * len(expected.files)):
                tar.add(expected.files[i % len(expected.files)], f"{i}.jpg")
        data[2].write_text("".join(f"{label}\n" for label in copies * expected.labels))
    main, side = pty.openpty()
    process = subprocess.Popen([COMMAND, "verify", "-j", "1", "-m", scratch / "model", *data],
                               stdout=subprocess.PIPE, stderr=side,
                               env={**os.environ, "TERM": "xterm"})
    os.close(side)
    written = b""
    try:
        while chunk := os.read(main, 4096):
            written += chunk
    except OSError:  # how the end of a pty reads
        pass
    os.close(main)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and last(out).startswith("Evaluate Result: Total: ")
    assert re.search(bar.replace(b"3600", b"%d" % (10 * len(expected.files))), written) and written.endswith(b"\r\x1b[K")
    assert run("-m", scratch / "model", *data, env={**os.environ, "TERM": "xterm"}).stderr == b""
