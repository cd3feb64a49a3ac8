"""scarlet latency: the table is the fit it is said to be, and predicts as a sum over layers."""

import csv
import os
import subprocess

import numpy as np
import pytest
from scipy.optimize import nnls

COMMAND = os.environ["SCARLET_COMMAND"]
SPACE = """# three layers
space stem=8 tail=16 layers=8:2,8:1,12:2
choices e3k3|e6k5se,e3k3|e3k7|id,e3k3|e6k3
input_size 32
classes 3
"""


def run(*arguments):
    return subprocess.run([COMMAND, "latency", *map(str, arguments)], capture_output=True, text=True)


def read(path):
    """(head, {(layer, choice): nanoseconds})"""
    text = path.read_text().splitlines()
    head = dict(line[2:].split(" ", 1) for line in text if line.startswith("#"))
    rows = list(csv.reader(line for line in text if not line.startswith("#")))
    assert rows[0] == ["layer", "choice", "nanoseconds"]
    return head, {(layer, choice): int(nanos) for layer, choice, nanos in rows[1:]}


@pytest.fixture(scope="module", params=["f32", "int8"])
def measured(request, tmp_path_factory):
    """(head, table, samples, standard output, page)"""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "space.txt").write_text(SPACE)
    result = run("--space", folder / "space.txt", "--output", folder / "table.csv", "--samples", folder / "samples.csv",
                 "--networks", 10, "--checks", 2, "--rounds", 1, "--opt", f"precision={request.param}", "--plot", folder / "page.html")
    assert (result.returncode, result.stderr) == (0, ""), result
    head, table = read(folder / "table.csv")
    with (folder / "samples.csv").open() as samples:
        return request.param, head, table, list(csv.DictReader(samples)), result.stdout, (folder / "page.html").read_text()


def test_head(measured):
    precision, head, table, *_ = measured
    assert head["scarlet-latency"] == "1" and head["precision"] == precision and head["threads"] == "1"
    assert head["space"] in SPACE and head["choices"] in SPACE and head["input_size"] == "32" and head["isa"] and head["machine"]
    assert list(table) == [("constant", ""), ("0", "e3k3"), ("0", "e6k5se"), ("1", "e3k3"), ("1", "e3k7"), ("1", "id"),
                           ("2", "e3k3"), ("2", "e6k3")]


def test_predictions(measured):
    """A prediction is the constant plus a term a layer."""
    *_, table, samples, _, _ = measured
    assert len({row["genotype"] for row in samples}) == len(samples)  # unseen are not those of the fit
    for row in samples:
        terms = [table[str(i), choice] for i, choice in enumerate(row["genotype"].split(","))]
        assert int(row["predicted_ns"]) == table["constant", ""] + sum(terms)


def test_fit(measured):
    """The terms are scipy's non-negative least squares of relative errors."""
    *_, table, samples, _, _ = measured
    free = [("constant", ""), ("0", "e6k5se"), ("1", "e3k3"), ("1", "e3k7"), ("2", "e6k3")]
    assert all(table[key] == 0 for key in table.keys() - set(free))
    fit = [row for row in samples if row["part"] == "fit"]
    nanos = np.array([int(row["measured_ns"]) for row in fit], float)
    design = np.zeros((len(fit), len(free)))
    design[:, 0] = 1
    for i, row in enumerate(fit):
        for layer, choice in enumerate(row["genotype"].split(",")):
            if (str(layer), choice) in free:
                design[i, free.index((str(layer), choice))] = 1
    expected, _ = nnls(design / nanos[:, None], np.ones(len(fit)))
    assert [table[key] for key in free] == pytest.approx(expected, abs=1)


def test_output(measured):
    *_, samples, text, page = measured
    parts = [row["part"] for row in samples]
    assert parts == sorted(parts) and parts.count("fit") >= 6  # "fit" < "random" < "small"
    assert [line.split()[0] for line in text.splitlines()] == ["Unseen", "random", "small"]
    assert page.count("<circle") == 2 * sum(part != "fit" for part in parts)
    assert "http" not in page and "<script" not in page


@pytest.mark.parametrize("arguments, code, message", [
    ([], 2, "no --space"),
    (["--space", "28px"], 2, "no --output"),
    (["--space", "none.txt", "--output", "x"], 1, "none.txt"),
    (["--space", "243", "--output", "x", "--networks", "5", "--checks", "2", "--rounds", "1", "--input-size", "32"], 2, "5 networks for 11 terms"),
    (["--space", "243", "--output", "x", "--opt", "colour=1"], 2, "colour"),
    (["--space", "243", "--output", "x", "y"], 2, '"y" is too much'),
])
def test_refused(arguments, code, message):
    result = run(*arguments)
    assert result.returncode == code and message in result.stderr and not os.path.exists("x")
