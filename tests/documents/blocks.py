"""The code in README.md and in manual pages."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "src").glob("*.1"))


def fenced(path):
    """[(language, code)] of a file in Markdown."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", path.read_text(), re.M | re.S)


def indented(path):
    """Blocks that four spaces indent."""
    return [re.sub("^    ", "", block, flags=re.M) for block in
            re.findall(r"(?:\A|\n\n)((?:    .*\n|\n(?=    ))+)", re.sub(r"```.*?```", "", path.read_text(), flags=re.S))]


def examples(page):
    """The commands under EXAMPLES of a manual page."""
    found = re.search(r"^\.SH EXAMPLES\n\.nf\n(.*?)^\.fi$", page.read_text(), re.M | re.S)
    assert found, f"{page.name}: no EXAMPLES"
    return found[1].replace("\\-", "-").replace("\\e", "\\")


def commands(script):
    """Its lines without comments, those joined that `\\` continues."""
    lines = [re.sub(r"(^| +)# .*", "", line) for line in script.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line]
