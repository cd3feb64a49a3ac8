"""report.html in a real browser: no console message, no request, and the numbers of the run's files."""

import html
import re

import pytest
from browser import ask, browse, without_data
from conftest import CLASSES, COUNTS, rows


@pytest.fixture(scope="module")
def page(run, result):  # after the run has been resumed, which writes the page again
    return run[0] / "report.html"


@pytest.fixture(scope="module")
def dom(page, tmp_path_factory):
    text, console = browse(page, tmp_path_factory.mktemp("profile"), "--dump-dom")
    assert console == []
    return text


def texts(dom):
    return {key: html.unescape(value) for key, value in re.findall(r'<b id="([\w-]+)">(.*?)</b>', dom)}


def test_cards(dom, run, result, page, tmp_path):
    shown = texts(dom)
    assert list(shown)[:6] == ["test", "validation", "f1", "epochs", "time", "latency"]
    for part in ("test", "validation"):
        low, high = result[part]["top1_interval"]
        assert shown[part] == f"{result[part]['top1']:.4f} %"
        assert f'id="{part}-note">95 % confidence interval: {low:.2f} to {high:.2f}<' in dom
    best = [row[0] for row in rows(run[0] / "results.csv") if row[7] == "1"][-1]
    assert shown["epochs"] == "12" and f'id="epochs-note">best: {best}<' in dom
    assert re.fullmatch(r"[\d.]+ ms", shown["latency"])
    tops = ask(page, tmp_path, 'return [...page.querySelector(".cards").children].map(card => card.offsetTop)').split(",")
    assert len(tops) == 6 and len(set(tops)) == 1


def test_course(dom, run):
    """A point for each value of results.csv, with the best marked on loss and accuracy."""
    found = rows(run[0] / "results.csv")
    plots = re.search(r'id="course">(.*?)</div>', dom, flags=re.S)[1].split("<figure>")[1:]
    assert len(plots) == 3
    for plot, columns, marks in zip(plots, [(("training", 3), ("validation", 4)), (("top-1", 5),), (("rate", 2),)], (1, 1, 0)):
        assert plot.count('class="mark"') == marks
        for name, column in columns:
            points = re.findall(rf"<title>{name}: (\S+) at (\d+)</title>", plot)
            scale = 100 if name == "top-1" else 1
            assert [(int(x), float(y)) for y, x in points] == [
                (int(row[0]), pytest.approx(scale * float(row[column]), rel=1e-4)) for row in found]


def test_data(dom):
    counts = re.search(r'id="counts">(.*?)</table>', dom, flags=re.S)[1]
    assert [re.findall(r"<td[^>]*>([^<\n]*)", row) for row in counts.split("<tr>")[2:]] == [
        [name, *(str(COUNTS[part]) for part in ("train", "val", "test"))] for name in CLASSES] + [
        ["All", *(str(3 * COUNTS[part]) for part in ("train", "val", "test"))]]
    samples = re.search(r'id="samples">(.*?)</div>', dom, flags=re.S)[1].split("<figure>")[1:]
    assert len(samples) == 12 and all('src="data:image/png;base64,' in sample for sample in samples)
    assert {re.search(r"<figcaption>(.*?)<", sample)[1] for sample in samples} <= set(CLASSES)


def test_classes(dom, run):
    """Of the test part: the matrix is confusion.csv."""
    assert "What follows is about the test part." in dom
    body = re.search(r'id="matrix">(.*?)</table>', dom, flags=re.S)[1]
    cells = [[cell or "0" for cell in re.findall(r"<td[^>]*>(\d*)", row)] for row in body.split('scope="row"')[1:]]
    assert cells == [row[1:] for row in rows(run[0] / "confusion.csv")]
    support = re.search(r'id="classes">(.*?)</table>', dom, flags=re.S)[1]
    assert support.count(f'<td class="n">{COUNTS["test"]}') == 3 and "Top-" not in support  # three of three are no news
    for part in ("Confidence", "Worst mistakes"):
        assert f"<h2>{part}</h2>" in dom


def test_run(dom, run, photos):
    folder = run[0]
    shown = {key: html.unescape(text) for key, text in re.findall(r'<pre id="(\w+)">(.*?)</pre>', dom, flags=re.S)}
    assert shown["arguments"] == (folder / "args.txt").read_text()
    assert shown["again"] == f"scarlet train --config {folder}/args.txt --output NEW"
    assert shown["use"] == f"scarlet classify -m {folder}/best.safetensors PICTURE"
    assert re.search(r'id="hash">[0-9a-f]{16}<', dom)
    date, machine, library = re.search(r'id="origin">(.*?)</p>', dom)[1].split("<br>")
    assert date.endswith("Z") and re.search(r"\d+ CPUs?$", machine) and library.startswith("libscarlet ")


def test_everywhere(page, tmp_path):
    """Needs nothing else, follows light and dark, fits a phone, and what scrolls can be reached by keyboard."""
    source = page.read_text()
    assert not re.search(r"(https?:)?//\w", without_data(source))
    assert "prefers-color-scheme:dark" in source and "width=device-width" in source
    assert int(ask(page, tmp_path, "return page.documentElement.scrollWidth", width=360)) <= 360
    assert ask(page, tmp_path, 'return [...page.querySelectorAll(".scroll")].every(e => e.tabIndex == 0)') == "true"
