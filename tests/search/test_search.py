"""scarlet search on tables: exact once all is evaluated, better than random before, the same after interruptions."""

import csv
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

COMMAND = os.environ["SCARLET_COMMAND"]


def search(*arguments, code=0):
    result = subprocess.run([COMMAND, "search", *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == code, result
    return result


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def table(tmp_path_factory, nas):
    """(path, {genotype: (top1, macs)}): the 243 networks with accuracies made up, each layer's worth its own."""
    rng, space = random.Random(1), nas.space("243")
    worth = [{"e3k3": rng.uniform(0.2, 1), "e6k5se": rng.uniform(0.8, 1.6), "id": 0} for _ in range(7)]
    networks = {}
    for free in itertools.product(("e3k3", "e6k5se", "id"), repeat=5):
        layers = ["e3k3", *free[:3], "e3k3", *free[3:]]
        genotype = ",".join(layers)
        top1 = 0.8 + 0.01 * sum(worth[i][choice] for i, choice in enumerate(layers)) + rng.gauss(0, 0.002)
        networks[genotype] = (round(top1, 5), nas.costs(space, genotype)[0])
    path = tmp_path_factory.mktemp("table") / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["genotype", "top1"], *((g, t) for g, (t, _) in networks.items())])
    return path, networks


def front(networks):
    """Those that none is better than."""
    return {g for g, (t, m) in networks.items()
            if not any(u >= t and n <= m and (u, n) != (t, m) for u, n in networks.values())}


def words(table, output, *more, population=16, generations=5, seed=1):
    return ["--table", table[0], "--space", "243", "--output", output, "--objectives", "top1,macs", "--population", population,
            "--generations", generations, "--seed", seed, "--quiet", *more]


@pytest.mark.parametrize("algorithm", ["nsga2", "random", "local", "aging"])
def test_all(algorithm, table, tmp_path):
    """Once all 243 are evaluated, each once, the front is exact."""
    search(*words(table, tmp_path / "s", "--algorithm", algorithm, population=50, generations=50))
    trials, pareto = read(tmp_path / "s" / "trials.csv"), read(tmp_path / "s" / "pareto.csv")
    assert {row["genotype"] for row in trials} == set(table[1]) and len(trials) == 243
    assert {row["genotype"] for row in pareto} == front(table[1])
    assert all((float(row["top1"]), float(row["macs"])) == table[1][row["genotype"]] for row in trials)


def test_generations(table, tmp_path):
    search(*words(table, tmp_path / "s"))
    trials = read(tmp_path / "s" / "trials.csv")
    assert [int(row["generation"]) for row in trials] == [i for i in range(5) for _ in range(16)]
    assert len({row["genotype"] for row in trials}) == 80


def volume(networks, genotypes):
    """Area dominated within the box of all networks, as a share of it."""
    tops, macs = zip(*networks.values())
    points = sorted(((networks[g][1] - min(macs)) / (max(macs) - min(macs)),
                     (max(tops) - networks[g][0]) / (max(tops) - min(tops))) for g in genotypes)
    total, lowest = 0, 1
    for x, y in points:
        if y < lowest:
            total += (1 - x) * (lowest - y)
            lowest = y
    return total


def test_better_than_random(table, tmp_path):
    """By hypervolume at 60 and 120 evaluations, over 12 seeds: by more than two standard errors."""
    found = {"nsga2": {60: [], 120: []}, "random": {60: [], 120: []}}
    for algorithm, seed in itertools.product(found, range(12)):
        folder = tmp_path / f"{algorithm}{seed}"
        search(*words(table, folder, "--algorithm", algorithm, population=12, generations=10, seed=seed))
        order = [row["genotype"] for row in read(folder / "trials.csv")]
        volumes = [volume(table[1], order[:n]) for n in (20, 40, 60, 80, 100, 120)]
        assert volumes == sorted(volumes)  # it never falls
        for n in (60, 120):
            found[algorithm][n].append(volume(table[1], order[:n]))
    for n in (60, 120):
        a, b = found["nsga2"][n], found["random"][n]
        mean = [sum(x) / len(x) for x in (a, b)]
        error = sum(sum((v - m) ** 2 for v in x) / len(x) / (len(x) - 1) for x, m in zip((a, b), mean)) ** 0.5
        assert mean[0] > mean[1] + 2 * error, (n, mean, error)


def test_reinforced(table, tmp_path):
    """It is another search, no less complete, and repeatable."""
    for name in "ab":
        search(*words(table, tmp_path / name, "--reinforced", generations=6))
    search(*words(table, tmp_path / "c", generations=6))
    a, b, c = (read(tmp_path / name / "trials.csv") for name in "abc")
    assert a == b and a != c and a[:16] == c[:16] and len({row["genotype"] for row in a}) == 96


def test_constraint(table, tmp_path):
    """The front is that of the networks within the constraint."""
    limit = sorted(m for _, m in table[1].values())[80]
    search(*words(table, tmp_path / "s", "--max-macs", limit, population=50, generations=50))
    allowed = {g: v for g, v in table[1].items() if v[1] <= limit}
    assert {row["genotype"] for row in read(tmp_path / "s" / "pareto.csv")} == front(allowed)


@pytest.mark.parametrize("cut", [0, 1, 700, 5000])
def test_resume(cut, table, tmp_path):
    """From a journal that ends anywhere, the same files."""
    search(*words(table, tmp_path / "whole"))
    journal = (tmp_path / "whole" / "journal.jsonl").read_bytes()
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "journal.jsonl").write_bytes(journal[:cut])
    search(*words(table, tmp_path / "part", "--resume"))
    for name in ("journal.jsonl", "trials.csv", "pareto.csv", "report.html"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_killed(table, tmp_path):
    process = subprocess.Popen([COMMAND, "search", *map(str, words(table, tmp_path / "s", generations=14))])
    while not (tmp_path / "s" / "journal.jsonl").exists() and process.poll() is None:
        time.sleep(0.001)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    search(*words(table, tmp_path / "s", "--resume", generations=14))
    search(*words(table, tmp_path / "whole", generations=14))
    assert (tmp_path / "s" / "trials.csv").read_bytes() == (tmp_path / "whole" / "trials.csv").read_bytes()


def test_journal(table, tmp_path):
    """A line for each network, after one about the search; what is damaged or foreign is refused by name."""
    search(*words(table, tmp_path / "s", generations=1))
    journal = tmp_path / "s" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert lines[0]["journal"] == "scarlet-search-1" and len(lines) == 17
    assert all(line["genotype"] in table[1] and line["cross_entropy"] is None and line["seed"] == 1 for line in lines[1:])
    whole = journal.read_text()
    for text, message in ((whole.replace("stem=16", "stem=32"), "another space"), (whole.replace("scarlet-search-1", "x"), "not the journal"),
                          (whole + "x\n", "no JSON"), (whole + "{}\n", "without a genotype"), (whole + "\0\n", "NUL")):
        journal.write_text(text)
        assert message in search(*words(table, tmp_path / "s", "--resume", generations=1), code=1).stderr
    journal.write_text(whole)
    assert "exists already" in search(*words(table, tmp_path / "s"), code=2).stderr


def test_latency(table, tmp_path):
    """Latency from a table: its constraint and its column."""
    rows = ["# scarlet-latency 1", *(f"# {line}" for line in (
        "space stem=16 tail=128 layers=16:2,16:1,16:1,16:1,32:2,32:1,32:1",
        "choices e3k3,e3k3|e6k5se|id,e3k3|e6k5se|id,e3k3|e6k5se|id,e3k3,e3k3|e6k5se|id,e3k3|e6k5se|id", "input_size 28", "classes 10")),
        "layer,choice,nanoseconds", "constant,,10000", "0,e3k3,0"]
    for layer in (1, 2, 3, 4, 5, 6):
        rows += [f"{layer},e3k3,0"] if layer == 4 else [f"{layer},e3k3,2000", f"{layer},e6k5se,5000", f"{layer},id,0"]
    (tmp_path / "latency.csv").write_text("\n".join(rows) + "\n")
    search(*words(table, tmp_path / "s", "--latency", tmp_path / "latency.csv", "--max-latency", 0.019, "--objectives", "top1,latency",
                  population=50, generations=50))
    trials, pareto = read(tmp_path / "s" / "trials.csv"), read(tmp_path / "s" / "pareto.csv")
    for row in trials:
        free = row["genotype"].split(",")
        wanted = 0.01 + sum({"e3k3": 0.002, "e6k5se": 0.005, "id": 0}[free[i]] for i in (1, 2, 3, 5, 6))
        assert float(row["latency"]) == pytest.approx(wanted)
    assert pareto and all(float(row["latency"]) <= 0.019 for row in pareto)


@pytest.mark.parametrize("arguments, message", [
    ([], "no --output"), (["--output", "x"], "one folder of a supernet"), (["--output", "x", "--table", "t"], "--space"),
    (["s", "--output", "x", "--objectives", "speed"], "is not a list"), (["s", "--output", "x", "--objectives", "latency,macs"], "give --latency"),
    (["s", "--output", "x", "--max-macs", "0"], "above 0"), (["s", "--output", "x", "--algorithm", "luck"], "is not one of"),
    (["nowhere", "--output", "x"], "no such folder")])
def test_usage(arguments, message, tmp_path):
    result = subprocess.run([COMMAND, "search", *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2 and message in result.stderr and not (tmp_path / "x").exists()


def test_compared(table, tmp_path):
    """Hypervolumes on the page are those of both searches in one box, after as many networks."""
    search(*words(table, tmp_path / "random", "--algorithm", "random", generations=3, seed=2))
    search(*words(table, tmp_path / "s", "--compare", tmp_path / "random"))
    orders = [[row["genotype"] for row in read(tmp_path / name / "trials.csv")] for name in ("s", "random")]
    both = {g: table[1][g] for g in orders[0] + orders[1]}
    page = (tmp_path / "s" / "report.html").read_text()
    for name, order, generations in (("this search", orders[0], 5), (str(tmp_path / "random"), orders[1], 3)):
        shown = re.findall(rf"<title>{name}: ([\d.]+) at (\d+)</title>", page)
        assert [int(at) for _, at in shown] == list(range(generations))
        assert [float(v) for v, _ in shown] == pytest.approx([volume(both, order[:16 * (i + 1)]) for i in range(generations)], abs=1e-5)
    assert "trials.csv" in search(*words(table, tmp_path / "t", "--compare", tmp_path / "nowhere"), code=1).stderr


def test_missing_row(table, tmp_path):
    short = tmp_path / "short.csv"
    shutil.copy(table[0], short)
    short.write_text("\n".join(short.read_text().splitlines()[:100]) + "\n")
    assert "no row for" in search(*words((short,), tmp_path / "s", generations=20), code=1).stderr
