"""scarlet rank against scipy, and against definitions written out in Python."""

import csv
import json
import os
import random
import subprocess

import pytest
from scipy import stats

COMMAND = os.environ["SCARLET_COMMAND"]


def run(*arguments):
    return subprocess.run([COMMAND, "rank", *map(str, arguments)], capture_output=True, text=True)


def figures(*arguments):
    result = run("--json", *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result
    output = json.loads(result.stdout)
    return output, {figure["name"]: figure for figure in output["figures"]}


def genotype(rng):
    return ",".join(rng.choice(["e3k3", "e6k5se", "id"]) for _ in range(6))


def write(path, names, rows):
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([names, *rows])
    return path


@pytest.fixture(params=range(6))
def table(request, tmp_path):
    """(path, {column: values}, genotypes): related columns with ties, 40 networks."""
    rng = random.Random(request.param)
    keys = set()
    while len(keys) < 40:
        keys.add(genotype(rng))
    keys = sorted(keys)
    rng.shuffle(keys)
    quality = [rng.gauss(0.8, 0.02) for _ in keys]
    columns = {
        "truth1": [round(q + rng.gauss(0, 0.004), 4) for q in quality],
        "truth2": [round(q + rng.gauss(0, 0.004), 4) for q in quality],
        "loss": [round(1 - q + rng.gauss(0, 0.01), 2) for q in quality],
        "top1": [round(q + rng.gauss(0, 0.02), 2) for q in quality],
        "macs": [rng.randrange(1, 12) * 1000 for _ in quality],
    }
    rows = list(zip(keys, *columns.values()))
    return write(tmp_path / "table.csv", ["genotype", *columns], rows), columns, keys


def mean(*columns):
    return [sum(values) / len(values) for values in zip(*columns)]


def stratified(x, y, strata):
    """Tau-b with only pairs of equal stratum, as it is defined."""
    sign = lambda v: (v > 0) - (v < 0)  # noqa: E731
    agree = apart_x = apart_y = 0
    for i in range(len(x)):
        for j in range(i):
            if strata[i] == strata[j]:
                a, b = sign(x[i] - x[j]), sign(y[i] - y[j])
                agree, apart_x, apart_y = agree + a * b, apart_x + abs(a), apart_y + abs(b)
    return agree / (apart_x * apart_y) ** 0.5


def fifths(values):
    order = sorted(values)
    return [order.index(v) * 5 // len(values) for v in values]


def test_figures(table):
    path, column, keys = table
    output, found = figures("--truth", f"{path}:truth1", "--truth", f"{path}:truth2", "--score", f"{path}:-loss",
                            "--score", f"{path}:top1", "--control", f"{path}:macs", "--resamples", 20)
    truth, scores = mean(column["truth1"], column["truth2"]), [[-v for v in column["loss"]], column["top1"]]
    sparse = [round(v / 0.001 + 1e-9) for v in truth]
    tau = lambda x, y: stats.kendalltau(x, y)[0]  # noqa: E731
    depth = [sum(item != "id" for item in key.split(",")) for key in keys]
    both = [tau(score, truth) for score in scores]
    control = tau(column["macs"], truth)
    expected = {
        "score": sum(both) / 2,
        "truth between seeds": tau(column["truth1"], column["truth2"]),
        "score at equal depth": sum(stratified(score, truth, depth) for score in scores) / 2,
        "macs": control,
        "score less macs": sum(both) / 2 - control,
        "score within fifths of macs": sum(stratified(score, truth, fifths(column["macs"])) for score in scores) / 2,
    }
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name]["tau"] == pytest.approx(value, abs=1e-12), name
    assert found["score"]["sparse"] == pytest.approx(sum(tau(score, sparse) for score in scores) / 2, abs=1e-12)
    low, high = stats.t.interval(0.95, 1, loc=sum(both) / 2, scale=abs(both[0] - both[1]) / 2)
    assert output["columns_low"] == pytest.approx(low, rel=1e-3) and output["columns_high"] == pytest.approx(high, rel=1e-3)
    assert (output["networks"], output["truths"], output["scores"]) == (40, 2, 2)


def test_bootstrap(table):
    """The interval is that of a bootstrap in which copies of one network make no pair."""
    path, column, _ = table
    _, found = figures("--truth", f"{path}:truth1", "--score", f"{path}:top1", "--resamples", 4000)
    rng, n = random.Random(1), 40
    naive, proper = [], []
    for _ in range(1000):
        drawn = [rng.randrange(n) for _ in range(n)]
        x, y = [column["top1"][i] for i in drawn], [column["truth1"][i] for i in drawn]
        naive.append(stats.kendalltau(x, y)[0])
        agree = apart_x = apart_y = 0
        for i in range(n):
            for j in range(i):
                if drawn[i] != drawn[j]:
                    a, b = (x[i] > x[j]) - (x[i] < x[j]), (y[i] > y[j]) - (y[i] < y[j])
                    agree, apart_x, apart_y = agree + a * b, apart_x + abs(a), apart_y + abs(b)
        proper.append(agree / (apart_x * apart_y) ** 0.5)
    for sample in (naive, proper):
        sample.sort()
    low, high = proper[25], proper[974]
    assert abs(found["score"]["low"] - low) < 0.03 and abs(found["score"]["high"] - high) < 0.03
    assert low < found["score"]["tau"] < high


def test_perfect_and_reverse(tmp_path):
    """A score that is the truth reaches 1; with the sign turned, -1; both with intervals of no width."""
    path = write(tmp_path / "a.csv", ["genotype", "top1"], [(f"net{i}", i / 10) for i in range(12)])
    for sign, tau in (("", 1), ("-", -1)):
        output, found = figures("--truth", f"{path}:top1", "--score", f"{path}:{sign}top1", "--resamples", 50)
        assert list(found) == ["score"]  # no genotypes: no depth
        assert (found["score"]["tau"], found["score"]["low"], found["score"]["high"]) == (tau, tau, tau)
        assert output["columns_low"] is None


def test_join(tmp_path):
    """Rows are joined by key, whatever their order; comments, quotes, CR LF and further rows are fine."""
    (tmp_path / "truth.csv").write_text('# made by hand\nname,a\n"x, ""1""",3\ny,2\nz,1\n')
    (tmp_path / "score.csv").write_bytes(b'b,name\r\n30,"x, ""1"""\r\n99,w\r\n10,z\r\n20,y\r\n')
    _, found = figures("--key", "name", "--truth", f"{tmp_path}/truth.csv:a", "--score", f"{tmp_path}/score.csv:b",
                       "--resamples", 1)
    assert found["score"]["tau"] == 1


def test_page(table, tmp_path):
    path, _, keys = table
    page = tmp_path / "rank.html"
    result = run("--truth", f"{path}:truth1", "--score", f"{path}:top1", "--control", f"{path}:macs", "--plot", page)
    assert (result.returncode, result.stderr) == (0, "") and "score within fifths of macs" in result.stdout
    text = page.read_text()
    assert text.count("<circle") == 2 * len(keys) and "http" not in text and "<script" not in text
    assert all(f"<title>{key}:" in text for key in keys)


def test_text(tmp_path):
    """A byte-order mark, carriage returns, comments and quotes change nothing."""
    rows = ["genotype,a,b", "x y,1,3", '"p ""q"", r",2,1', "z,3,2"]
    results = []
    for text in ("\n".join(rows) + "\n", "\ufeff" + "\r\n".join(rows), '# note\n\n' + "\n".join(row.replace("x y", '"x y"') for row in rows)):
        (tmp_path / "t.csv").write_text(text, newline="")
        results.append(run("--truth", f"{tmp_path}/t.csv:a", "--score", f"{tmp_path}/t.csv:b"))
    assert [result.returncode for result in results] == [0] * 3 and len({result.stdout for result in results}) == 1


@pytest.mark.parametrize("text, message", [
    ("", "no line of names"),
    ("genotype,a\nx,1\nx,2\n", '"x" occurs twice'),
    ("genotype,a\nx\n", "row 1 has 1 cells, the first line 2"),
    ("genotype,a\nx,nan\ny,1\n", 'row 1, column a: "nan" is not a number'),
    ("genotype,a\nx,1e999\ny,1\n", "is not a number"),
    ("genotype,a\nx,\ny,1\n", 'column a: "" is not a number'),
    ('genotype,a\n"x"y,1\n', "quotes do not match"),
    ('genotype,a\n"x,1\n', "quotes do not match"),
    ("genotype,b\nx,1\n", 'no column "a"'),
    ("genotype,a\nx,1\n", "fewer than two networks"),
    ("genotype,a\nx,1\0\n", "not a text file"),
])
def test_refused(text, message, tmp_path):
    (tmp_path / "bad.csv").write_text(text)
    result = run("--truth", f"{tmp_path}/bad.csv:a", "--score", f"{tmp_path}/bad.csv:a")
    assert result.returncode == 1 and message in result.stderr and result.stdout == ""


@pytest.mark.parametrize("arguments, message", [
    ([], "no column: give --truth"),
    (["--truth", "x:a"], "no column: give --score"),
    (["--truth", "x", "--score", "x:a"], '"x" is not FILE:COLUMN'),
    (["--round", "0"], "is not a number above 0"),
    (["more"], '"more" is too much'),
])
def test_usage(arguments, message):
    result = run(*arguments)
    assert result.returncode == 2 and message in result.stderr


def test_missing_key(tmp_path):
    a = write(tmp_path / "a.csv", ["genotype", "v"], [("x", 1), ("y", 2)])
    b = write(tmp_path / "b.csv", ["genotype", "v"], [("x", 1)])
    result = run("--truth", f"{a}:v", "--score", f"{b}:v")
    assert result.returncode == 1 and 'no row for "y"' in result.stderr
