"""What transcripts cannot hold: times, terminals, signals."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny  # noqa: E402
from permissions import obey  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]
BOOT, SHIRT = str(tiny.PICTURES / "09-ankle-boot-0000.png"), str(tiny.PICTURES / "06-shirt-0004.png")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny.make(tmp_path_factory.mktemp("running") / "tiny.safetensors"))


def run(*command):
    return subprocess.run([COMMAND, *command], capture_output=True, text=True)


def test_unreadable(model, tmp_path):
    """What permissions keep from us is named; the rest is classified."""
    (tmp_path / "shut").mkdir()
    for name in ("a.png", "b.png", "shut/c.png"):
        shutil.copy(BOOT, tmp_path / name)
    for name in ("a.png", "shut"):
        (tmp_path / name).chmod(0)
    try:
        result = subprocess.run([COMMAND, "classify", "-m", model, "--json", tmp_path], capture_output=True, text=True, preexec_fn=obey)
    finally:
        (tmp_path / "shut").chmod(0o700)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1 and "predictions" in found.pop(1)
    refused = [{"file": path, "error": f"{path}: Permission denied", "status": "io"} for path in (f"{tmp_path}/a.png", f"{tmp_path}/shut")]
    assert found == refused
    assert result.stderr.splitlines() == ["scarlet: 2 of 3 pictures failed"]


# ---- how the program was started ----

def test_interrupt_ignored(model, tmp_path):
    """Started with SIGINT ignored, as by nohup: it stays ignored; the run ends as if there had been none."""
    os.mkfifo(tmp_path / "pipe")
    command = ["classify", "-m", model, "-k", "1", "-j", "1", "--files-from", tmp_path / "pipe"]
    process = subprocess.Popen([COMMAND, *command], stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    with open(tmp_path / "pipe", "w") as names:
        names.write(f"{BOOT}\n" * 200)
    out = process.stdout.readline()  # at work
    process.send_signal(signal.SIGINT)
    out += process.stdout.read()
    assert process.wait(timeout=60) == 0 and out.count("apple") == 200


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_closed_descriptors(model, tmp_path, closed):
    """A file that is written never becomes descriptor 0, 1 or 2; output that has nowhere to go is a failure."""
    command = [COMMAND, "classify", "-m", model, "--features", "--npy", tmp_path / "out.npy", BOOT, tmp_path / "missing.png"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: [os.close(fd) for fd in closed])
    assert result.returncode == 1
    assert result.stdout == ("" if 1 in closed else f"{BOOT}\n")
    assert ("missing.png: No such file" in result.stderr) == (2 not in closed)
    assert ("standard output: " in result.stderr) == (1 in closed and 2 not in closed)
    plain = tmp_path / "plain.npy"
    subprocess.run([*command[:-3], plain, *command[-2:]], capture_output=True)
    assert (tmp_path / "out.npy").read_bytes() == plain.read_bytes()


# ---- targets of convert ----

@pytest.mark.parametrize("kind, message", [
    ("folder", "a directory, not a regular file"), ("fifo", "a pipe or device, not a regular file"),
    ("link", "a pipe or device, not a regular file"), ("/dev/full", "a pipe or device, not a regular file"),
    ("/dev/stdout", "a pipe or device, not a regular file"), ("gone/x", "No such file or directory"),
    ("model/x", "Not a directory")])
def test_convert_targets(model, tmp_path, kind, message):
    """What is no file stays what it is: even root must not put a file in a device's place."""
    shutil.copy(model, tmp_path / "model")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/full")
    before = sorted(os.listdir(tmp_path))
    target = tmp_path / kind
    kind_before = os.stat(target).st_mode if target.exists() else None
    result = run("convert", model, str(target))
    assert (result.returncode, result.stderr) == (1, f"scarlet: {target}: {message}\n")
    assert sorted(os.listdir(tmp_path)) == before
    assert (os.stat(target).st_mode if target.exists() else None) == kind_before


@pytest.mark.parametrize("room", [0, 1, 8, 5000, 20000])
def test_convert_full_disk(model, tmp_path, room):
    """A limit on the size of files takes the place of a full disk; an older file stays whole."""
    target = tmp_path / "old"
    target.write_bytes(b"old")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    result = subprocess.run([COMMAND, "convert", model, target], capture_output=True, text=True, preexec_fn=limit)
    assert (result.returncode, result.stderr) == (1, f"scarlet: {target}: File too large\n")
    assert os.listdir(tmp_path) == ["old"] and target.read_bytes() == b"old"


# ---- bench ----

def check_summary(row, runs):
    assert row["runs"] == runs and 0 <= row["min_ms"] <= row["median_ms"] and row["spread_ms"] >= 0


@pytest.mark.parametrize("picture, names", [
    ([], ["load", "session", "preprocess", "infer"]),
    ([BOOT], ["load", "session", "decode", "preprocess", "infer"])])
def test_bench(model, picture, names):
    result = run("bench", "--json", "-m", model, "--runs", "7", "--batch", "3", "--threads", "2", "--layers", *picture)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert list(found) == ["file", "name", "input_size", "batch", "threads", "precision", "engine", "isa", "steps",
                           "pictures_per_second", "peak_macs_per_second", "layers"]
    assert (found["file"], found["name"], found["input_size"], found["batch"], found["threads"]) == (
        model, "custom", 32, 3, 2)
    assert [row["name"] for row in found["steps"]] == names
    for row in found["steps"]:
        check_summary(row, 5 if row["name"] in ("load", "session") else 7)
    assert found["pictures_per_second"] == pytest.approx(3000 / found["steps"][-1]["median_ms"], rel=1e-4)

    described = json.loads(run("info", "--json", model).stdout)["layers"]
    assert [(row["index"], row["name"], row["macs"]) for row in found["layers"]] == [
        (row["index"], row["name"], row["macs"]) for row in described]
    for row in found["layers"]:
        check_summary(row, 7)
    assert sum(row["share"] for row in found["layers"]) == pytest.approx(1, abs=1e-4)


def test_bench_text(model):
    result = run("bench", "-m", model, "--runs", "3", "--input-size", "64", "--layers")
    assert (result.returncode, result.stderr) == (0, "")
    head, steps, rate, layers, peak = result.stdout.split("\n\n")
    assert re.fullmatch(r"custom: 64 pixels, batch 1, 1 thread, f32, (xnnpack|fused), \w+", head)
    for name, line in zip(["load", "session", "preprocess", "infer"], steps.splitlines()[1:], strict=True):
        assert re.fullmatch(rf"{name} +3( +\d+\.\d+){{3}}", line), line
    assert re.fullmatch(r"\d+\.\d pictures a second", rate)
    rows = [re.fullmatch(r" +\d+  \S+( +\d+\.\d+){2} +(\d+\.\d) %( +\d+)( +\d+\.\d +\d+ %| +- +-)", line)
            for line in layers.splitlines()[1:]]
    assert re.fullmatch(r"Peak: \d+\.\d GMAC/s, reached by one thread's kernels in registers\n", peak)
    assert len(rows) == 7 and all(rows) and sum(float(row[2]) for row in rows) == pytest.approx(100, abs=0.5)


def test_bench_fails(model):
    assert run("bench", "-m", "/no/model").returncode == 3
    result = run("bench", "-m", model, "/no/picture")
    assert (result.returncode, result.stdout, result.stderr) == (
        1, "", "scarlet: /no/picture: No such file or directory\n")
    assert run("bench", "-m", model, "--input-size", "0").returncode == 2


# ---- a run held up in its middle: the second of three pictures comes from a pipe ----

def environ(**more):
    """AddressSanitizer must not mind that LD_PRELOAD comes before it."""
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {**os.environ, **more, "ASAN_OPTIONS": sanitizer}


class Held:
    def __init__(self, model, *options, **environment):
        command = [COMMAND, "classify", "-m", model, "-k", "1", *options, BOOT, "-", SHIRT]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0, env=environ(**environment))
        self.first = self.process.stdout.readline()  # the first picture is done
        time.sleep(0.15)  # it waits for the second; and a bar, drawn ten times a second at most, is due

    def go_on(self):
        return self.process.communicate(Path(BOOT).read_bytes(), timeout=60)


def test_interrupt(model):
    held = Held(model)
    held.process.send_signal(signal.SIGINT)
    out, err = held.process.communicate(timeout=60)
    assert held.first.decode() == BOOT + "\n" and out.count(b"%") == 1
    assert err.decode() == "scarlet: interrupted after 1 of 3 pictures, 0 failed\n"
    assert held.process.returncode == -signal.SIGINT


def test_interrupt_quiet(model):
    held = Held(model, "--quiet", "--json")
    held.process.send_signal(signal.SIGINT)
    assert held.process.communicate(timeout=60) == (b"", b"")
    assert held.process.returncode == -signal.SIGINT


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    """LD_PRELOAD that makes any file a terminal: a chroot often has no pseudo-terminals."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "isatty.c").write_text("int isatty(int fd); int isatty(int fd) { return fd >= 0; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "isatty.so", folder / "isatty.c"], check=True)
    return str(folder / "isatty.so")


@pytest.mark.parametrize("options, term, shown", [
    ([], "xterm", True), (["--json"], "xterm", True), (["--quiet"], "xterm", False), ([], "dumb", False)])
def test_progress(model, terminal, options, term, shown):
    """A bar on a terminal; it is gone at the end."""
    held = Held(model, *options, TERM=term, LD_PRELOAD=terminal)
    out, err = held.go_on()
    assert held.process.returncode == 0 and b"\x1b" not in out
    assert bool(re.search(rb"\r\[#+ +\] 2/3  \d+\.\d/s  \d+ s left\x1b\[K", err)) == shown
    assert err.endswith(b"\r\x1b[K") if shown else err == b""


def test_progress_of_bench(model, terminal):
    """It measures long enough for a bar, whatever the machine, and is stopped at the first one."""
    command = [COMMAND, "bench", "-m", model, "--runs", "1000000"]
    environment = environ(LD_PRELOAD=terminal, TERM="xterm")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, bufsize=0)
    written = process.stderr.read(60)
    process.kill()
    process.communicate()
    assert re.match(rb"\r\[#* +\] \d+/1000000  ", written)


def test_no_progress_elsewhere(model):
    held = Held(model, TERM="xterm")
    assert held.go_on()[1] == b""


