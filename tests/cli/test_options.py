"""The command's sources stand on the public header alone; its options are in --help and in the manual."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ["SCARLET_COMMAND"]
MANUAL = ROOT / "src" / "scarlet.1"


def help_of(*command):
    return subprocess.run([COMMAND, *command, "--help"], check=True, capture_output=True, text=True).stdout


SUBCOMMANDS = re.findall(r"^  ([\w-]+)  +", help_of().split("Commands:\n")[1].split("\n\n")[0], flags=re.M)


def parser_options(subcommand):
    """Long options that the source of a subcommand gives to its parser."""
    text = (ROOT / "src" / f"{subcommand}.c").read_text()
    table = re.search(r"cli_option options\[\] = \{\n(.*?)\n\};", text, flags=re.S)[1]
    return set(re.findall(r"^    \{[^,{]+, \"([\w-]+)\"", table, flags=re.M)) | {"help"}


def manual_options(section):
    """Long options with a paragraph of their own in a section of the manual."""
    text = MANUAL.read_text().split(f'.SH {section}\n')[1].split("\n.SH ")[0]
    tags = re.findall(r"^\.TP\n(.*)", text, flags=re.M)
    return {name.replace("\\-", "-") for tag in tags for name in re.findall(r"\\-\\-([\w\\-]+)", tag)}


def test_subcommands():
    assert SUBCOMMANDS == ["classify", "verify", "prepare-val", "info", "convert", "bench"]


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_options(name):
    shown = set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", help_of(name), flags=re.M))
    assert parser_options(name) == shown
    assert parser_options(name) == manual_options(name.upper()) | {"help"}


def test_common_options():
    shown = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", help_of(), flags=re.M))
    assert parser_options("main") == shown == manual_options("COMMON OPTIONS")


def test_library_options():
    """What --help takes from the library is in the manual: names in their order, and names of values."""
    listed = help_of("classify").split("Names for --opt")[1].split("\n\n")[0]
    rows = re.findall(r"^  (\w+) .*((?:\n {10,}.*)?)", listed, flags=re.M)
    section = MANUAL.read_text().split(".SH LIBRARY OPTIONS\n")[1].split("\n.SH ")[0]
    paragraphs = {}
    for tag, body in re.findall(r"^\.TP\n\.BR? (.*)((?:\n(?!\.TP).*)*)", section, flags=re.M):
        for name in re.findall(r"\w+", tag):
            paragraphs[name] = set(re.findall(r"\w+", body))
    assert list(paragraphs) == [name for name, _ in rows]
    for name, values in rows:
        assert set(re.findall(r"\w+", values)) <= paragraphs[name], name
    assert sum(bool(values) for _, values in rows) >= 7 and len(rows) > 15


def test_help_ends_well():
    for command in [(), *((name,) for name in SUBCOMMANDS)]:
        text = help_of(*command)
        assert text.startswith("Usage: scarlet") and "\nExamples:\n" in text
        assert text.endswith("\nExit status: 0 all done, 1 some input failed, 2 wrong usage, 3 the model is unusable.\n")
        assert max(map(len, text.splitlines())) <= 100


def test_manual_has_no_faults():
    result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", MANUAL], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_public_header_alone():
    sources = list((ROOT / "src").glob("*.[ch]"))
    assert len(sources) > 5
    for path in sources:
        for include in re.findall(r'#include [<"](.*)[>"]', path.read_text()):
            assert "/" not in include or include == "scarlet/scarlet.h" or include.startswith("sys/"), (path, include)
            assert "scarlet__" not in path.read_text(), path
