"""Completion in zsh: what it hands to zsh's own functions, which are replaced by printers."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from test_bash import COMMANDS, help_of

SCRIPT = Path(__file__).resolve().parents[2] / "src/completion/_scarlet"
STUBS = """
_call_program() { shift; eval "$@" }
_files() { print -r files }
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- "${(@P)4}" }
compset() { [[ $word == *=* ]] && IPREFIX=${word%=*}= }
compadd() { print -rl -- "${(@P)2}" }
words=("$@") CURRENT=$#
"""


def zsh(*words, call=f". {SCRIPT}"):
    result = subprocess.run(["zsh", "-f", "-c", STUBS + call, "zsh", os.environ["SCARLET_COMMAND"], *words],
                            capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout.splitlines()


def test_commands():
    found = zsh("")
    assert found[:3] == ["-s", "-S", ":"] and found[-1].startswith("1:command:")
    assert [re.split(r"[\[=]", spec)[0] for spec in found[3:-1]] == [
        "*-V", "*--version", "*-v", "*--verbose", "*-h", "*--help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_options(command):
    found = zsh(command, "")
    listed = help_of(command).split("\nOptions:\n")[1].split("\n\n")[0]
    names = [name for row in re.findall(r"^  (?:(-\w), |    )(--[\w-]+)", listed, flags=re.M) for name in row if name]
    assert [re.match(r"\*(--?[\w-]+)", spec)[1] for spec in found[3:-1]] == names
    assert found[-1] == ("1:command:{ _describe -t commands command rows }" if command == "help" else "*:file:_files")


def test_arguments():
    found = "\n".join(zsh("classify", "-"))
    for spec in ("*-m[checkpoint or safetensors file; default\\: $SCARLET_MODEL]:FILE:_files",
                 "*--top-k=[print the N most probable classes; default 5]:N: ",
                 "*--features[print the vector before the classifier instead of classes]",
                 "*--opt=[set a library option; may be repeated]:NAME=VALUE:_scarlet_settings"):
        assert spec in found.split("\n")


def test_choices():
    found = zsh("train", "-")
    assert any(spec.startswith("*--optimizer=[") and spec.endswith("]:value:(adamw sgd)") for spec in found)
    assert any(spec.startswith("*--sched=[") and spec.endswith("]:value:(cosine step constant)") for spec in found)
    assert any(spec.startswith("*--class-weights=[") and spec.endswith("]:value:{ compadd -- none balanced; _files }") for spec in found)
    assert any(spec.startswith("*--freeze=[") and spec.endswith("]:value:(none backbone)") for spec in found)
    assert any(spec.startswith("*--storage=[") and spec.endswith("]:value:(f32 f16)") for spec in zsh("export", "-"))


def settings(word):
    return zsh(call=f"""
_arguments() {{ }}
words=({os.environ["SCARLET_COMMAND"]} classify '') CURRENT=3
. {SCRIPT}
help=$({os.environ["SCARLET_COMMAND"]} classify --help) word={word}
setopt extendedglob
_scarlet_settings""")


def test_settings():
    names = settings("''")
    assert "engine:executor of the network [auto]" in names and len(names) > 12
    assert settings("engine=") == ["auto", "xnnpack", "fused"]
    assert settings("threads=2,output=") == ["scores", "features"]


def test_other_words():
    assert zsh("other", "") == ["files"]
    assert zsh("$(echo bad >&2)", "") == ["files"]
