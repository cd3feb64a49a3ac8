"""The page of a search in a real browser: no message, no request, and the figures of its tables."""

import csv
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from browser import ask, browse, without_data  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]
SPACE = "space stem=8 tail=16 layers=8:2,8:1,12:2\nchoices e3k3|e6k5se|e3k7,e3k3|e3k7se|id,e3k3|e6k3|e6k7\nclasses 3\n"
LIMIT = 12500000


def search(*arguments):
    subprocess.run([COMMAND, "search", *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A folder: 25 of 27 networks, some of them above the constraint; the front is measured."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "space.txt").write_text(SPACE)
    layers = [line.split("|") for line in SPACE.splitlines()[1].split()[1].split(",")]
    with (folder / "table.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["genotype", "top1"])
        for i, path in enumerate(itertools.product(*layers)):
            writer.writerow([",".join(path), 0.5 + 0.01 * (i * 7 % 27)])
    subprocess.run([COMMAND, "latency", "--space", folder / "space.txt", "--output", folder / "latency.csv", "--networks", "8",
                    "--checks", "2", "--rounds", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    search("--table", folder / "table.csv", "--space", folder / "space.txt", "--output", folder / "found", "--objectives", "top1,macs",
           "--population", 5, "--generations", 5, "--max-macs", LIMIT, "--latency", folder / "latency.csv", "--measure", "--quiet")
    return folder / "found"


@pytest.fixture(scope="module")
def page(found):
    return found / "report.html"


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def at(page, folder, generation):
    """After the slider is moved: (networks shown, those drawn as the front)."""
    text = ask(page, folder, f"""const slider = page.getElementById("generation"); slider.value = {generation};
        slider.dispatchEvent(new Event("input"));
        const dots = [...page.querySelectorAll("#trials circle")].filter(dot => dot.style.display != "none");
        const names = list => list.map(dot => dot.textContent.split(";")[0]).join(" ");
        return [names(dots), names(dots.filter(dot => dot.getAttribute("class") == "best")), page.getElementById("reached").value].join("/")""")
    shown, best, reached = text.split("/")
    assert int(reached) == generation
    return set(shown.split()), set(best.split())


def front(rows):
    allowed = [row for row in rows if float(row["macs"]) <= LIMIT]
    value = lambda row: (-float(row["top1"]), float(row["macs"]))  # noqa: E731
    return {a["genotype"] for a in allowed
            if not any(all(x <= y for x, y in zip(value(b), value(a))) and value(b) != value(a) for b in allowed)}


@pytest.mark.parametrize("generation", range(5))
def test_slider(generation, found, page, tmp_path):
    """The networks up to that generation, and the front that they have."""
    trials = [row for row in read(found / "trials.csv") if int(row["generation"]) <= generation]
    shown, best = at(page, tmp_path, generation)
    assert shown == {row["genotype"] for row in trials} and best == front(trials)
    assert generation < 4 or best


def test_front(found, page, tmp_path):
    """The table is pareto.csv, each path drawn; it is sorted by a press."""
    pareto = read(found / "pareto.csv")
    dom, console = browse(page, tmp_path / "profile", "--dump-dom")
    assert console == []
    table = re.search(r'<table id="pareto">(.*?)</table>', dom, flags=re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], flags=re.S)
    assert len(rows) == len(pareto) >= 2
    for row, expected in zip(rows, pareto):
        cells = re.findall(r'<td class="n">([^<]*)', row)
        assert re.search("<code>(.*?)</code>", row)[1] == expected["genotype"]
        shown = [float(cell) for cell in cells[2:]]
        for value, name, unit, digits in zip(shown, ("top1", "latency", "macs", "parameters", "measured_ms"),
                                             (100, 1, 1e-6, 1e-3, 1), (2, 4, 3, 1, 4)):
            assert abs(value - unit * float(expected[name])) <= 0.51 * 10 ** -digits, name
        assert len(shown) == 5
        drawn = re.findall(r"<title>layer (\d): (\w+)</title>", row)
        assert drawn == [(str(i), choice) for i, choice in enumerate(expected["genotype"].split(",")) if choice != "id"]
        assert row.count('class="wrong"') == expected["genotype"].count("se")
    order = ask(page, tmp_path, """page.querySelectorAll("#pareto button")[4].click();
        return [...page.querySelectorAll("#pareto tbody code")].map(e => e.textContent).join(" ")""").split()
    assert order == [row["genotype"] for row in sorted(pareto, key=lambda row: float(row["macs"]))]


def test_choices(found, page):
    """Percent of the front that have a choice, layer by layer."""
    paths = [row["genotype"].split(",") for row in read(found / "pareto.csv")]
    table = re.search(r'<table class="matrix" id="choices">(.*?)</table>', page.read_text(), flags=re.S)[1]
    for row in table.split("<tr>")[2:]:
        choice = re.search(r'<th scope="row">(\w+)', row)[1]
        shares = [float(cell or 0) for cell in re.findall(r"<td[^>]*>(\d*)", row)]
        assert shares == pytest.approx([100 * sum(path[i] == choice for path in paths) / len(paths) for i in range(3)], abs=0.51)


def test_plots(found, page):
    """A line for the constraint; a dot for each network of the front that was measured."""
    text = page.read_text()
    assert text.count('class="limit"') == 1
    assert text.count("<circle", text.index("predicted, ms")) == len(read(found / "pareto.csv"))


def test_pointed(page, tmp_path):
    """What has the focus is described."""
    said = ask(page, tmp_path, """const dot = page.querySelector("#trials .best"); dot.focus();
        dot.dispatchEvent(new Event("focusin", {bubbles: true})); return page.getElementById("pointed").textContent""")
    assert re.match(r"\w+,\w+,\w+; top-1, % [\d.]+; latency, ms [\d.]+; multiply-adds, M [\d.]+; parameters, k [\d.]+; generation \d$", said)


def test_everywhere(page, tmp_path):
    """It asks for nothing from elsewhere, fits a phone, and is reached by the keyboard."""
    source = page.read_text()
    assert not re.search(r"https?:|src=|@import|url\(", without_data(source))
    assert int(ask(page, tmp_path, "return page.documentElement.scrollWidth", width=360)) <= 360
    assert ask(page, tmp_path, 'return [...page.querySelectorAll(".scroll")].every(e => e.tabIndex == 0)') == "true"
    assert ask(page, tmp_path, 'return [...page.querySelectorAll("#trials .best")].every(e => e.tabIndex == 0)') == "true"
