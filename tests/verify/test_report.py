"""The report in a real browser: no console message, no request, and the numbers of the JSON."""

import html
import json
import re

import numpy as np
import pytest
from browser import ask, browse, without_data
from conftest import make_model, run

@pytest.fixture(scope="module")
def page(scratch, tree):
    make_model(scratch / "report second", name="second")
    path = scratch / "out.html"
    broken = scratch / "report.list"
    broken.write_bytes(b"gone <b>&.png 1\n")
    result = run("-m", scratch / "model", "--compare", scratch / "report second", "--report", path, "--json",
                 "--on-error", "skip", tree, broken, code=1)
    return path, json.loads(result.stdout)


def texts(dom):
    return {key: html.unescape(re.sub("<[^>]*>", "", value))
            for key, value in re.findall(r'<b id="([\w-]+)">(.*?)</b>', dom)}


def rows(dom, table):
    body = re.search(rf'<table[^>]*id="{table}">(.*?)</table>', dom, flags=re.S)[1]
    return [[html.unescape(cell) for cell in re.findall(r"<t[dh][^>]*>([^<]*)", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.S)][1:]


def test_numbers(page, tmp_path):
    path, result = page
    dom, console = browse(path, tmp_path / "profile", "--dump-dom")
    assert console == []
    shown = texts(dom)
    assert shown["top1"] == f"{result['mTop1']:.4f} %" and shown["topn"] == f"{result['mTopn']:.4f} %"
    assert shown["ece"] == f"{result['ece']:.4f}"
    assert shown["total"] == str(result["total"]) and 'id="total-note">and 1 that failed<' in dom
    assert shown["rate"] == f"{result['pictures_per_second']:.1f}"
    low, high = result["top1_interval"]
    assert f'id="top1-note">95 % confidence interval: {low:.2f} to {high:.2f}<' in dom
    compare = result["compare"]
    assert shown["second-top1"] == f"{compare['mTop1']:.4f} %" and shown["agreement"] == f"{compare['agreement']:.4f} %"
    assert float(shown["mcnemar"]) == pytest.approx(compare["mcnemar_p"], rel=1e-3)
    assert [row[1:] for row in rows(dom, "both")] == [
        [str(compare["both"]), str(compare["first_only"])],
        [str(compare["second_only"]),
         str(result["total"] - compare["both"] - compare["first_only"] - compare["second_only"])]]

    assert [row[:3] for row in rows(dom, "confusions")] == [
        [f"class {a}", f"class {b}", str(n)] for a, b, n in result["confusions"][:20]]
    assert len(rows(dom, "differ")) == len(compare["differ"])
    figures = re.search(r'id="worst">(.*?)</div>', dom, flags=re.S)[1].split("<figure>")[1:]
    assert len(figures) == 24 and all('src="data:image/png;base64,' in figure for figure in figures)
    for figure, record in zip(figures, result["worst"]):
        assert f"<b>class {record['top'][0]}</b> {100 * record['confidence']:.1f} %" in figure
        assert f"is <b>class {record['label']}</b>" in figure
    embedded = re.search(r'id="result">(.*?)</script>', dom, flags=re.S)[1]
    assert json.loads(embedded) == result
    titles = re.findall(r"<title>(\d+) right</title>", dom)
    assert list(map(int, titles)) == [b["top1"] for b in result["bins"]]
    assert "gone &lt;b&gt;&amp;.png" in dom  # names are text


def matrix_of(result):
    """Right class by predicted class, from the object of --json."""
    count = np.zeros((result["classes"], result["classes"]), int)
    for row in result["per_class"]:
        count[row["class"], row["class"]] = row["top1"]
    for label, predicted, n in result["confusions"]:
        count[label, predicted] = n
    return count


def test_classes(page, tmp_path):
    """Precision, recall, F1 and support as scikit-learn defines them; the matrix, cell by cell; date and machine."""
    path, result = page
    dom, _ = browse(path, tmp_path / "profile", "--dump-dom")
    count, names = matrix_of(result), [f"class {i}" for i in range(result["classes"])]
    support, predicted, right = count.sum(1), count.sum(0), count.diagonal()
    assert support.min() > 0 and predicted.min() > 0
    figures = np.stack([right / predicted, right / support, 2 * right / (predicted + support)], 1)
    hits = {f"class {row['class']}": row["topn"] / row["total"] for row in result["per_class"]}
    shown = rows(dom, "classes")
    assert shown.pop() == ["Mean of the classes", str(result["total"]), *(f"{100 * x:.2f}" for x in figures.mean(0)), ""]
    assert {row[0]: row[1:] for row in shown} == {
        name: [str(support[i]), *(f"{100 * x:.2f}" for x in [*figures[i], hits[name]])] for i, name in enumerate(names)}
    assert [float(row[3]) for row in shown] == sorted(float(row[3]) for row in shown)
    assert texts(dom)["f1"] == f"{100 * figures[:, 2].mean():.2f} %"

    body = re.search(r'<table class="matrix" id="matrix">(.*?)</table>', dom, flags=re.S)[1]
    assert re.findall(r'<th scope="(col|row)"><span>(.*?)</span>', body) == [(k, n) for k in ("col", "row") for n in names]
    cells = [re.findall(r"<td[^>]*>(\d*)", row) for row in body.split('scope="row"')[1:]]
    assert [[int(cell or 0) for cell in row] for row in cells] == count.tolist()
    assert f'title="{count[0, 0]} of {support[0]} class 0 predicted class 0 ({100 * count[0, 0] / support[0]:.1f} %)"' in body

    origin = html.unescape(re.search(r'id="origin">(.*?)</p>', dom)[1]).split("<br>")
    assert origin == [result["date"], result["machine"], result["library"]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", origin[0]) and re.search(r", \d+ CPUs?$", origin[1])
    assert origin[2].startswith("libscarlet ")


def test_sorting(page, tmp_path):
    """A press on a heading sorts by it, another turns the order round; with the keyboard too, as headings are buttons."""
    seen = ask(page[0], tmp_path, """
        const column = i => [...page.querySelector("#classes tbody").rows].map(row => row.cells[i].textContent.trim()).join(",");
        const seen = [];
        for (const i of [2, 2, 0, 0, 1]) {
            page.querySelectorAll("#classes th button")[i].click();
            seen.push(column(i));
        }
        seen.push([...page.querySelectorAll("#classes th")].map(h => h.ariaSort).join(","));
        return seen.join(";")""")
    up, down, named, reverse, support, marks = seen.split(";")
    up, down, support = ([float(x) for x in row.split(",")] for row in (up, down, support))
    assert up == sorted(up) and down == up[::-1] and support == sorted(support) and len(set(up)) > 5
    names = [f"class {i}" for i in range(12)]
    assert named.split(",") == names and reverse.split(",") == names[::-1]
    assert marks == ",ascending,,,,"


def test_cards_in_a_row(page, tmp_path):
    """At 1100 pixels all six cards are in one row."""
    tops = ask(page[0], tmp_path, 'return [...page.querySelector(".cards").children].map(card => card.offsetTop)').split(",")
    assert len(tops) == 6 and len(set(tops)) == 1


def test_self_contained(page):
    source = page[0].read_text()
    assert not re.search(r"(https?:)?//\w", without_data(source))
    assert source.count("<script>") == 1 and "javascript:" not in source
    assert "prefers-color-scheme:dark" in source and "width=device-width" in source


def test_phone(page, tmp_path):
    """On a narrow screen nothing is wider than it."""
    assert int(ask(page[0], tmp_path, "return page.documentElement.scrollWidth", width=360)) <= 360


def test_archive_and_merge(scratch, tree, expected, tmp_path):
    """Thumbnails come from archives too; a merged result has none. A page that cannot be written is an error."""
    import tarfile
    with tarfile.open(scratch / "report.tar", "w", dereference=True) as tar:
        for i, path in enumerate(expected.files):
            tar.add(path, f"{i:06d}.jpg")
    (scratch / "report.txt").write_text("".join(f"{label}\n" for label in expected.labels))
    out = scratch / "tar.html"
    result = run("-m", scratch / "model", scratch / "report.tar", "--truth", scratch / "report.txt", "--report", out, "--json")
    assert out.read_text().count("data:image/png;base64,") == 24
    (scratch / "report.json").write_bytes(result.stdout)
    run("--merge", scratch / "report.json", "--report", out)
    assert out.read_text().count("<figure>") == 26 and "data:image/png" not in out.read_text()
    message = run("-m", scratch / "model", tree, "-q", "--report", "/dev/full", code=1).stderr
    assert message == b"scarlet: /dev/full: No space left on device\n"
