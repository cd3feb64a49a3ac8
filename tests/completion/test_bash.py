"""Completion in bash: what it offers for a line, as bash splits it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "src/completion/scarlet.bash"
COMMAND = os.environ["SCARLET_COMMAND"]


def help_of(*command):
    return subprocess.run([COMMAND, *command, "--help"], check=True, capture_output=True, text=True).stdout


COMMANDS = re.findall(r"^  ([\w-]+)  +", help_of().split("Commands:\n")[1].split("\n\n")[0], flags=re.M)


def bash(text, *arguments):
    result = subprocess.run(["bash", "--norc", "-c", f". {SCRIPT}\n{text}", "bash", *arguments], capture_output=True,
                            text=True)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout.splitlines()


def complete(*words):
    """Candidates for the last word; an empty list leaves files to bash."""
    return bash('COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n_scarlet "$1"\nprintf "%s\\n" "${COMPREPLY[@]}"',
                COMMAND, *words)


def test_registered():
    assert bash("complete -p scarlet") == ["complete -o bashdefault -o default -F _scarlet scarlet"]


def test_commands():
    assert complete("") == COMMANDS and len(COMMANDS) > 5
    assert complete("c") == ["classify", "convert"]
    assert complete("help", "") == COMMANDS
    assert complete("--v") == ["--version", "--verbose"]


@pytest.mark.parametrize("command", COMMANDS)
def test_options(command):
    listed = help_of(command).split("\nOptions:\n")[1].split("\n\n")[0]
    assert complete(command, "-") == re.findall(r"^  (?:-\w, |    )(--[\w-]+)", listed, flags=re.M)


@pytest.mark.parametrize("words, expected", [
    (["classify", "--mo"], ["--model"]),
    (["classify", "x.png", "--to"], ["--top-k"]),
    (["classify", "--opt", "en"], ["engine="]),
    (["classify", "-o", "max"], ["max_bytes=", "max_memory=", "max_pixels="]),
    (["classify", "--opt", "engine", "="], ["auto", "xnnpack", "fused"]),
    (["classify", "--opt", "engine", "=", "f"], ["fused"]),
    (["classify", "--opt", "=", "en"], ["engine="]),
    (["train", "--optimizer", ""], ["adamw", "sgd"]),
    (["train", "--class-weights", "=", "bal"], ["balanced"]),
    (["train", "--ema", ""], ["auto", "off", "on"]),
    (["train", "--auto-augment", "t"], ["ta_wide"]),
    (["train", "--freeze", ""], ["none", "backbone"]),
    (["train", "--arch", "scarlet-b"], ["scarlet-b"]),
    (["supernet", "--training", "u"], ["uniform", "uniform-many"]),
    (["search", "--algorithm", "n"], ["nsga2"]),
    (["search", "--objectives", "ma"], ["macs"]),
    (["latency", "--space", "2"], ["28px", "243"]),
    (["latency", "--opt", "p"], ["precision="]),
    (["score", "--part", ""], ["validation", "test"]),
    (["export", "--storage", ""], ["f32", "f16"]),
    (["verify", "--expect", ""], ["SCARLET-A", "SCARLET-B", "SCARLET-C"]),
    (["train", "--sched", "st"], ["step"]),
    (["verify", "--on-error", ""], ["stop", "skip"]),
    (["verify", "--class-order", "=", "f"], ["folders"]),
    (["prepare-val", "--how", "s"], ["symlink"]),
    (["convert", "--storage", ""], ["f16", "f32"]),
    (["bench", "-o", "threads=2,layout", "=", "n"], ["nchw", "nhwc"]),
])
def test_words(words, expected):
    assert complete(*words) == expected


@pytest.mark.parametrize("words", [
    ["classify", ""], ["classify", "--model", ""], ["classify", "-m", "x"], ["classify", "--labels", "=", ""],
    ["verify", "--journal", "x"], ["train", "--output", "x"], ["classify", "--top-k", ""], ["classify", "--json", "x"],
    ["other", "-"], ["$(echo x >&2)", "-"], ["classify", "-o", "x;y", "=", ""]])
def test_leaves_to_bash(words):
    assert complete(*words) in ([], [""])
