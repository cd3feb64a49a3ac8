"""The command's sources use only the public header; its options are in --help and in its manual pages."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ["SCARLET_COMMAND"]


def help_of(*command):
    return subprocess.run([COMMAND, *command, "--help"], check=True, capture_output=True, text=True).stdout


*SUBCOMMANDS, HELP = re.findall(r"^  ([\w-]+)  +", help_of().split("Commands:\n")[1].split("\n\n")[0], flags=re.M)


def parser_options(subcommand):
    """Long options that the source of a subcommand gives to its parser."""
    source = next((ROOT / "src").rglob(f"{subcommand}.c"))
    text = source.read_text()
    if subcommand == "train":
        rows = re.search(r"cli_option own\[\] = \{\n(.*?)\n\};", (ROOT / "src/nas/train_options.c").read_text(), re.S)[1]
        return {*re.findall(r"^    \{[^,{]+, \"([\w-]+)\"", rows, flags=re.M), *table_options(), "help"}
    table = re.search(r"cli_option options\[\] = \{\n(.*?)\n\};", text, flags=re.S)[1]
    return set(re.findall(r"^    \{[^,{]+, \"([\w-]+)\"", table, flags=re.M)) | {"help"}


def table_options():
    """Names in the table of the training library."""
    return re.findall(r'^OPTION\(\w+, "([\w-]+)"', (ROOT / "lib/nas/option_table.h").read_text(), flags=re.M)


def section(page, name):
    """Source of a section of src/PAGE.1."""
    return (ROOT / "src" / f"{page}.1").read_text().split(f".SH {name}\n")[1].split("\n.SH ")[0]


def manual_options(page):
    """Long options with a paragraph of their own in a page of the manual."""
    tags = re.findall(r"^\.TP\n(.*)", section(page, "OPTIONS"), flags=re.M)
    return {name.replace("\\-", "-") for tag in tags for name in re.findall(r"\\-\\-([\w\\-]+)", tag)}


def plain(source):
    """Words of a piece of a page, without its markup."""
    text = re.sub(r"\\f[BIRP]", "", re.sub(r"^\.(?:br|nf|fi|B)\b ?", "", source, flags=re.M))
    return text.replace("\\-", "-").replace("\\e", "\\").split()


def test_subcommands():
    assert SUBCOMMANDS == ["classify", "verify", "prepare-val", "info", "convert", "bench", "latency", "train", "supernet", "score", "rank", "search", "export"]
    assert HELP == "help"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help(name):
    assert subprocess.run([COMMAND, "help", name], check=True, capture_output=True, text=True).stdout == help_of(name)


def test_help_of_scarlet():
    for words in (["help"], ["help", "help"], ["help", "--help"]):
        assert subprocess.run([COMMAND, *words], check=True, capture_output=True, text=True).stdout == help_of()
    result = subprocess.run([COMMAND, "help", "other"], capture_output=True, text=True)
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, 'scarlet: no command "other"')


def test_external_commands(tmp_path):
    """Found from the build tree, by a link, and without /proc; not listed where the package is missing, but named."""
    link = tmp_path / "scarlet"
    link.symlink_to(COMMAND)
    assert subprocess.run([link, "rank", "--help"], check=True, capture_output=True, text=True).stdout == help_of("rank")
    libraries = subprocess.run(["ldd", COMMAND], check=True, capture_output=True, text=True).stdout
    path = os.path.dirname(re.search(r"libscarlet\S* => (\S+)", libraries)[1])  # without /proc there is no $ORIGIN
    shell = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    if subprocess.run([*shell, "true"], capture_output=True).returncode == 0:
        env = {**os.environ, "LD_LIBRARY_PATH": path}
        # The exit code is not compared: AddressSanitizer's is an error where it cannot look for leaks, without /proc.
        found = subprocess.run([*shell, link, "rank", "--help"], capture_output=True, text=True, env=env).stdout
        assert found == help_of("rank")

    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(COMMAND, alone)
    env = {**os.environ, "LD_LIBRARY_PATH": path}
    listed = subprocess.run([alone / "scarlet", "--help"], check=True, capture_output=True, text=True, env=env).stdout
    assert "  bench " in listed and "  rank " not in listed
    result = subprocess.run([alone / "scarlet", "rank", "--help"], capture_output=True, text=True, env=env)
    assert (result.returncode, result.stderr) == (
        2, "scarlet: scarlet rank comes with libscarlet-nas, which is not installed; Debian: apt install scarlet-train, "
        "from source: meson setup -Dnas=enabled\nTry 'scarlet --help'.\n")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_options(name):
    shown = set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", help_of(name), flags=re.M))
    assert parser_options(name) == shown == manual_options(f"scarlet-{name}")


def roff(text):
    return text.replace("-", "\\-")


def paragraphs(listed):
    """Options of a --help as paragraphs of the manual."""
    text = ""
    for letter, name, argument, rest in re.findall(
            r"^  (?:-(\w), |    )--([\w-]+)(?: (\S+))?((?: +.*)?(?:\n {10,}.*)*)", listed, flags=re.M):
        lines = [line.strip() for line in rest.strip().split("\n")]
        long = "\\-\\-" + roff(name)
        if letter:
            tag = f'.BR \\-{letter} ", " ' + (f'"{long} \\fI{argument}\\fP"' if argument else long)
        else:
            tag = f'.BI {long} " {roff(argument)}"' if argument else f".B {long}"
        sentence = roff(" ".join(lines))
        text += f".TP\n{tag}\n{sentence[0].upper()}{sentence[1:]}.\n"
    return text


def test_training_options():
    """The library's table is the help, and the help is the manual, word for word."""
    listed = help_of("train").split("\nOptions:\n")[1].split("\n\n")[0]
    names = re.findall(r"^  (?:-\w, |    )--([\w-]+)", listed, flags=re.M)
    table = table_options()
    assert len(table) > 40 and names[-1 - len(table):-1] == table
    assert section("scarlet-train", "OPTIONS") == paragraphs(listed).rstrip("\n")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_page(name):
    """Forms and examples are those of --help; scarlet(1) points to the page."""
    page, text = f"scarlet-{name}", help_of(name)
    forms = re.findall(r"^(?:Usage:|   or:) (.*)", text, flags=re.M)
    assert plain(section(page, "SYNOPSIS")) == " ".join(forms).split()
    examples = text.split("\nExamples:\n")[1].split("\n\nExit status")[0]
    assert plain(section(page, "EXAMPLES")) == examples.split()
    for part in ("COMMANDS", "SEE ALSO"):
        assert page.replace("-", "\\-") in section("scarlet", part)


def test_common_options():
    shown = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", help_of(), flags=re.M))
    assert parser_options("main") == shown == manual_options("scarlet")


def test_library_options():
    """What --help takes from the library is in the manual: names in their order, and names of values."""
    listed = help_of("bench").split("Names for --opt")[1].split("\n\n")[0]
    rows = re.findall(r"^  (\w+) .*((?:\n {10,}.*)?)", listed, flags=re.M)
    paragraphs = {}
    for tag, body in re.findall(r"^\.TP\n\.BR? (.*)((?:\n(?!\.TP).*)*)", section("scarlet", "LIBRARY OPTIONS"),
                                flags=re.M):
        for name in re.findall(r"\w+", tag):
            paragraphs[name] = set(re.findall(r"\w+", body))
    assert [name for name in paragraphs if name not in ("storage", "crop")] == [name for name, _ in rows]
    for name, values in rows:
        assert set(re.findall(r"\w+", values)) <= paragraphs[name], name
    assert sum(bool(values) for _, values in rows) >= 7 and len(rows) > 15


def test_own_library_options():
    """A command's help lists the names that have an effect on it, and it refuses the others."""
    for name, listed, refused in [("classify", "resize", "batch_max"), ("verify", "decode", "output"), ("info", "precision", "threads"),
                                  ("bench", "layout", "storage"), ("latency", "threads", "batch_max")]:
        names = help_of(name).split("Names for --opt")[1]
        assert f"\n  {listed} " in names and f"\n  {refused} " not in names
        result = subprocess.run([COMMAND, name, "-o", f"{refused}={'f16' if refused == 'storage' else 'scores' if refused == 'output' else 1}"],
                                capture_output=True, text=True)
        assert result.returncode == 2 and f"option {refused} has no effect here" in result.stderr


def test_help_ends_well():
    for command in [(), *((name,) for name in SUBCOMMANDS)]:
        text = help_of(*command)
        assert text.startswith("Usage: scarlet") and "\nExamples:\n" in text
        assert text.endswith("\nExit status: 0 all done, 1 some input failed, 2 wrong usage, 3 the model is unusable.\n")
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("page", [*(ROOT / "src").glob("*.1"), ROOT / "lib/libscarlet.3"], ids=lambda page: page.name)
def test_manual_has_no_faults(page):
    result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_includes():
    """The command uses the libraries' public headers only, and its rooms use one another one way."""
    rooms = ["common", "pictures", "report", "verify", "nas", "src"]
    sources = list((ROOT / "src").rglob("*.[ch]"))
    assert {path.parent.name for path in sources} == set(rooms)
    for path in sources:
        room = rooms.index(path.parent.name)
        for include in re.findall(r'#include "(.*)"', path.read_text()):
            if include == "scarlet/scarlet.h" or (include == "scarlet/nas.h" and path.parent.name == "nas"):
                continue
            used = path.parent / include if "/" not in include else ROOT / "src" / include
            assert used.is_file() and rooms.index(used.parent.name) <= room, (path, include)
        assert "scarlet__" not in path.read_text(), path
