"""The report in a real browser: no console message, no request, and the numbers of the JSON."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import make_model, run, run_json

CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"]


def browse(page, folder, *options):
    """What the browser printed, and what it complained of."""
    result = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={folder}", *options, page.as_uri()],
                            capture_output=True, timeout=60, check=True)
    return result.stdout.decode(), [row for row in result.stderr.decode().splitlines() if "CONSOLE" in row]


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
    body = re.search(rf'<table id="{table}">(.*?)</table>', dom, flags=re.S)[1]
    return [[html.unescape(cell) for cell in re.findall(r"<t[dh][^>]*>([^<]*)", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.S)][1:]


def test_numbers(page, tmp_path):
    assert CHROMIUM, "Debian's chromium is needed"
    path, result = page
    dom, console = browse(path, tmp_path / "profile", "--dump-dom")
    assert console == []
    shown = texts(dom)
    assert shown["top1"] == f"{result['mTop1']:.4f} %" and shown["topn"] == f"{result['mTopn']:.4f} %"
    assert shown["ece"] == f"{result['ece']:.4f}"
    assert (shown["total"], shown["failed"]) == (str(result["total"]), "1")
    assert shown["rate"] == f"{result['pictures_per_second']:.1f}"
    low, high = result["top1_interval"]
    assert f'id="top1-interval">95 %: {low:.2f} to {high:.2f}<' in dom
    compare = result["compare"]
    assert shown["second-top1"] == f"{compare['mTop1']:.4f} %" and shown["agreement"] == f"{compare['agreement']:.4f} %"
    assert float(shown["mcnemar"]) == pytest.approx(compare["mcnemar_p"], rel=1e-3)
    assert [row[1:] for row in rows(dom, "both")] == [
        [str(compare["both"]), str(compare["first_only"])],
        [str(compare["second_only"]),
         str(result["total"] - compare["both"] - compare["first_only"] - compare["second_only"])]]

    classes = {row[0]: row[1:] for row in rows(dom, "classes")}
    assert classes == {row["name"]: [str(row["total"]), f"{100 * row['top1'] / row['total']:.2f}",
                                     f"{100 * row['topn'] / row['total']:.2f}"] for row in result["per_class"]}
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


def test_self_contained(page):
    source = page[0].read_text()
    assert not re.search(r"(https?:)?//\w", re.sub(r'<script.*?</script>|"data:[^"]*"|<(figcaption|td|p|li)[ >].*?(?=<)', "", source,
                                                    flags=re.S))
    assert "<script>" not in source and "javascript" not in source
    assert "prefers-color-scheme:dark" in source and "width=device-width" in source


def test_phone(page, tmp_path):
    """On a narrow screen nothing is wider than it: measured by a page that frames the report."""
    frame = tmp_path / "frame.html"
    frame.write_text(f"""<iframe id=f width=360 height=800 src="{page[0].as_uri()}"></iframe><p id=o></p><script>
        f.onload = () => o.textContent = "width " + f.contentDocument.documentElement.scrollWidth</script>""")
    dom, _ = browse(frame, tmp_path / "profile", "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom")
    assert int(re.search(r"width (\d+)", dom)[1]) <= 360


def test_archive_and_merge(scratch, tree, expected, tmp_path):
    """Thumbnails come from archives too; a merged result has none. A page that cannot be written is an error."""
    import tarfile
    with tarfile.open(scratch / "report.tar", "w", dereference=True) as tar:
        for i, path in enumerate(expected.files):
            tar.add(path, f"{i:06d}.jpg")
    (scratch / "report.txt").write_text("".join(f"{label}\n" for label in expected.labels))
    out = scratch / "tar.html"
    result = run("-m", scratch / "model", scratch / "report.tar", "--labels", scratch / "report.txt", "--report", out, "--json")
    assert out.read_text().count("data:image/png;base64,") == 24
    (scratch / "report.json").write_bytes(result.stdout)
    run("--merge", scratch / "report.json", "--report", out)
    assert out.read_text().count("<figure>") == 27 and "data:image/png" not in out.read_text()
    message = run("-m", scratch / "model", tree, "--report", "/dev/full", code=1).stderr
    assert message == b"scarlet: /dev/full: No space left on device\n"
