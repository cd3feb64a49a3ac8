"""The benchmark's statistics against scipy and brute force; its tables after a kill; its search on a table."""

import csv
import itertools
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import ranking
import report
import search
import tables
from scipy import stats

HERE = Path(__file__).parent
TABLE = HERE / "results" / "truth-243.csv"


@pytest.fixture(params=range(4))
def rng(request):
    return random.Random(request.param)


def ties(rng, n=60):
    return [rng.randrange(20) for _ in range(n)]


def test_kendall(rng):
    x, y = ties(rng), ties(rng)
    assert ranking.kendall(x, y) == pytest.approx(stats.kendalltau(x, y)[0], abs=1e-12)
    assert ranking.kendall(x, x) == pytest.approx(1) and math.isnan(ranking.kendall(x, [1] * len(x)))


def test_kendall_within(rng):
    """With strata: by its definition, pair by pair."""
    x, y, strata = ties(rng), ties(rng), [rng.randrange(4) for _ in range(60)]
    agree = apart_x = apart_y = 0
    for i, j in itertools.combinations(range(60), 2):
        if strata[i] == strata[j]:
            a, b = (x[i] > x[j]) - (x[i] < x[j]), (y[i] > y[j]) - (y[i] < y[j])
            agree, apart_x, apart_y = agree + a * b, apart_x + abs(a), apart_y + abs(b)
    assert ranking.kendall(x, y, strata) == pytest.approx(agree / math.sqrt(apart_x * apart_y), abs=1e-12)


def test_sparse(rng):
    truth = [0.8 + rng.randrange(300) / 10000 for _ in range(60)]
    score = [t + rng.gauss(0, 0.005) for t in truth]
    rounded = [round(t * 1000) for t in truth]
    assert ranking.kendall(score, ranking.sparse(truth, 0.001)) == pytest.approx(stats.kendalltau(score, rounded)[0], abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 6, 10, 11, 12, 20, 100, 500])
def test_interval(n):
    values = np.random.RandomState(n).rand(n)
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert ranking.interval(values) == pytest.approx((values.mean(), low, high), rel=1e-4)


def test_one_value_has_no_interval():
    assert ranking.interval([0.5])[0] == 0.5 and all(map(math.isnan, ranking.interval([0.5])[1:]))


def test_fifths(rng):
    values = ties(rng)
    order = sorted(values)
    assert list(ranking.fifths(values)) == [order.index(v) * 5 // 60 for v in values]


def test_front_and_volume(rng):
    """Against every pair of points, and against a count of the grid's cells that points dominate."""
    costs = [(rng.randrange(12), rng.randrange(12)) for _ in range(20)]
    best = [not any(a <= x and b <= y and (a, b) != (x, y) for a, b in costs) for x, y in costs]
    assert list(ranking.front(costs)) == best
    cells = sum(any(x <= i and y <= j for x, y in costs) for i in range(10) for j in range(10))
    assert ranking.volume(costs, (10, 10)) == cells


def test_choice(rng):
    truth = [rng.random() for _ in range(40)]
    macs = [rng.randrange(100) for _ in range(40)]
    assert ranking.regret(truth, truth) == 0 and ranking.chosen_volume(truth, truth, macs) == pytest.approx(1)
    worst = [-t for t in truth]
    assert ranking.regret(worst, truth) == pytest.approx(max(truth) - sorted(truth)[9])
    assert ranking.chosen_volume(worst, truth, macs) < 1


# ---- what nas-bench writes ----

def bench(command, folder, *more):
    return [os.environ["SCARLET_NAS_BENCH"], command, os.environ["SCARLET_FASHION"], str(folder), *more]


SMALL = ["--epochs", "1", "--pictures", "256"]


def fashion():
    if not (Path(os.environ["SCARLET_FASHION"]) / "train-images-idx3-ubyte.gz").exists():
        pytest.skip("no Fashion-MNIST")


def without_time(rows):
    return [{name: value for name, value in row.items() if name != "cpu_seconds"} for row in rows]


def kill_after(rows, file, words):
    """Starts a command, kills it once its table has so many rows (unless it is faster), and tears a last row."""
    process = subprocess.Popen(words)
    while process.poll() is None and (not file.exists() or file.read_text().count("\n") <= rows):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with file.open("a") as table:
        table.write('1,59,"e3k3,e3')


def test_killed(tmp_path):
    """Killed, its last row torn, gone on with, also in two shards: each network once, with the bits of one run."""
    fashion()
    folders = whole, folder = tmp_path / "whole", tmp_path / "part"
    for path in folders:
        path.mkdir()
    words = bench("truth", folder, *SMALL, "--seeds", "1-1", "--most")
    subprocess.run(bench("truth", whole, *SMALL, "--seeds", "1-1", "--most", "4"), check=True)
    kill_after(1, folder / "truth-243-0of1.csv", [*words, "5"])
    for more in (["2"], ["1", "--shard", "0/2"], ["1", "--shard", "1/2"]):
        subprocess.run(words + more, check=True)
    found = [row for path in sorted(folder.glob("*.csv")) for row in csv.DictReader(path.open())]
    assert len(found) >= 5 and all(None not in row.values() and None not in row for row in found)
    assert len({row["index"] for row in found}) == len(found)
    expected = {row["index"]: row for row in without_time(tables.Truth(whole, "243").rows)}
    assert sorted(map(int, expected)) == sorted(i * 151 % 243 for i in range(4)) and expected.keys() <= {row["index"] for row in found}
    assert all(row == expected.get(row["index"], row) for row in without_time(found))


def test_supernet_killed(tmp_path):
    """Killed while it trains and while it scores: the scores and the course of one run."""
    fashion()
    found = []
    for name in ("whole", "part"):
        folder = tmp_path / name
        folder.mkdir()
        words = bench("supernets", folder, "--epochs", "5", "--pictures", "128", "--most", "1")
        if name == "part":
            kill_after(30, folder / "course-243-0of1.csv", words)
            kill_after(100, folder / "scores-243-0of1.csv", words)
        subprocess.run(words, check=True)
        found.append([tables.rows(folder, kind, "243", keys) for kind, keys in
                      {"scores": ["skip", "training", "seed", "index"], "course": ["skip", "training", "seed", "look", "index"]}.items()])
    assert found[0] == found[1] and list(map(len, found[0])) == [243, 5 * 27]
    scored = {(row["skip"], row["training"], row["seed"]) for row in found[0][0]}
    assert scored == {("identity", "fair", "1")}


def test_again(tmp_path):
    """The same bits twice."""
    fashion()
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        subprocess.run(bench("truth", tmp_path / name, *SMALL, "--seeds", "2-2", "--network", "242"), check=True)
        found.append(without_time(tables.Truth(tmp_path / name, "243").rows))
    assert found[0] == found[1] and len(found[0]) == 1


@pytest.mark.skipif("SCARLET_NAS_TRUTH" not in os.environ, reason="two minutes: CONTRIBUTING.md")
@pytest.mark.skipif(not TABLE.exists(), reason="not all networks are trained yet")
@pytest.mark.parametrize("index", [40, 161])
def test_anew(index, tmp_path):
    """Networks of the table trained anew: within 0.5 points of it, and the same bits twice."""
    fashion()
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        subprocess.run(bench("truth", tmp_path / name, "--seeds", "1-1", "--network", str(index)), check=True)
        found += without_time(tables.Truth(tmp_path / name, "243").rows)
    assert found[0] == found[1]
    with TABLE.open() as file:
        row = next(row for row in csv.DictReader(file) if (row["seed"], row["index"]) == ("1", str(index)))
    assert float(found[0]["validation_top1"]) == pytest.approx(float(row["validation_top1"]), abs=0.005)


# ---- the search on the table ----

@pytest.fixture(scope="module")
def table():
    """The committed one; before it is there, one made up: each layer's worth its own."""
    if TABLE.exists():
        return search.read(TABLE)
    rng = random.Random(1)
    cost = {"e3k3": 1.0, "e6k5se": 3.0, "id": 0.0}
    worth = [{"e3k3": rng.uniform(0.2, 1), "e6k5se": rng.uniform(0.8, 1.6), "id": 0} for _ in range(7)]
    result = {}
    for free in itertools.product(cost, repeat=5):
        layers = ["e3k3", *free[:3], "e3k3", *free[3:]]
        result[",".join(layers)] = (0.5 - 0.01 * sum(worth[i][c] for i, c in enumerate(layers)) + rng.gauss(0, 0.002),
                                    sum((i + 2) * cost[c] for i, c in enumerate(layers)))
    return result


@pytest.fixture(scope="module")
def library():
    return search.Library()


def test_search_better_than_random(table, library):
    """At 60 and 120 evaluations, with a 95 % interval; the documented table has 500 runs."""
    comparison = search.Comparison(library, table, 40)
    for count in search.COUNTS:
        assert comparison.less("NSGA-II", "random search", count)[1] > 0
    for values in comparison.found.values():
        assert (np.diff(values) >= 0).all() and values[:, -1] == pytest.approx(1)  # it never falls
    text, page = comparison.markdown(), comparison.page()
    assert text.count("\n| ") == 2 + 5 + 5 and "NSGA-II, reinforced mutation less NSGA-II" in text
    assert page.count("<polyline") == 5 and "http" not in page


@pytest.mark.parametrize("algorithm", search.ALGORITHMS)
def test_search_is_exact_in_the_end(algorithm, table, library):
    """All 243, each once: the whole volume."""
    kind, reinforced = search.ALGORITHMS[algorithm]
    order = library.search(table, search.Settings(kind, 2, 16, 0.9, reinforced, 1), 1000)
    assert len(order) == 243 and set(order) == set(table)


# ---- the report ----

def fill(folder, seeds, trained, supernets, space="243"):
    """Truth and scores made up, of so many networks and supernets."""
    rng = random.Random(5)
    worth = [rng.random() for _ in range(243)]
    with (folder / f"truth-{space}-0of1.csv").open("w") as file:
        file.write("seed,index,genotype,macs,parameters,train_loss,validation_loss,validation_top1,test_loss,test_top1,cpu_seconds\n")
        for seed, i in itertools.product(range(1, seeds + 1), range(trained)):
            if seed == 3 and i % 3:
                continue
            layers = ",".join(rng.choice(("e3k3", "id")) for _ in range(7))
            top1 = 0.85 + 0.01 * worth[i] + rng.gauss(0, 0.001)
            file.write(f'{seed},{i},"{layers}",{1000 * i},{100 * i},1,{1 - top1},{top1},{1 - top1},{top1},1\n')
    with (folder / f"scores-{space}-0of1.csv").open("w") as file:
        file.write("skip,training,seed,index,genotype,cross_entropy,top1\n")
        cells = itertools.islice(itertools.product(range(1, 7), tables.SKIPS, tables.TRAININGS), supernets)
        for (seed, skip, training), i in itertools.product(cells, range(243)):
            value = worth[i] + rng.gauss(0, 0.1)
            file.write(f'{skip},{training},{seed},{i},"x",{2 - value},{value}\n')
    with (folder / f"course-{space}-0of1.csv").open("w") as file:
        file.write("skip,training,seed,look,index,step,cross_entropy,top1\n")
        for look, i in itertools.product(range(1, 6), range(27)):
            file.write(f"identity,fair,1,{look},{i},{100 * look},1,{0.5 + 0.01 * look * (i % 3)}\n")


@pytest.mark.parametrize("seeds, trained, supernets", [(1, 30, 0), (1, 100, 5), (2, 243, 5), (3, 243, 72)])
def test_report(seeds, trained, supernets, tmp_path):
    fill(tmp_path, seeds, trained, supernets)
    made = report.Report(tmp_path, "243")
    text, page = made.markdown(), made.page()
    trainings = seeds * trained if seeds < 3 else 567
    assert f"{supernets} of 72 supernets" in text and f"{trainings} of 567 trainings" in text
    assert ("**Partial" in text) == ("Partial" in page) == (trainings < 567)
    assert "http" not in page and page.count("<circle") >= trained * (supernets > 0)
    lines = [line for line in text.splitlines() if line.startswith(("| identity |", "| let-identity |", "| let-random |"))]
    assert len(lines) == min(supernets, 12) + 1 and page.count("<polyline") == 1
    spread = np.std([i % 3 for i in range(27)], ddof=1)
    assert lines[-1] == "| identity | fair | 1 | " + " | ".join(f"{50 + k:.1f} ± {k * spread:.1f}" for k in range(1, 6)) + " |"
    if supernets == 72:
        truth = tables.Truth(tmp_path, "243")
        scores = tables.Supernets(tmp_path, truth).cross_entropy
        tau = {cell: np.mean([stats.kendalltau(-values, truth.mean(truth.top1))[0] for values in scores[cell].values()]) for cell in scores}
        assert f"| identity | fair | 6 | {tau['identity', 'fair']:.3f}" in text
        depths, fair = (np.mean([tau[skip, training] for skip in tables.SKIPS]) for training in ("depths", "fair"))
        assert f"| depths less fair | 6 | 18 | {depths - fair:+.3f}" in text


def test_report_of_nothing(tmp_path):
    result = subprocess.run([sys.executable, HERE / "report.py", tmp_path], capture_output=True, text=True)
    assert result.returncode == 1 and "fewer than 20 networks" in result.stderr
