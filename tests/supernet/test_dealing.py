"""Strict fairness: counts are exactly equal, for any seed and place in the training; depths dealt evenly occur."""

import os
import subprocess
from collections import Counter

import pytest

FAIR, DEPTHS, UNIFORM, MANY = range(4)
MIXED = """space stem=8 tail=16 layers=8:2,8:1,8:1,8:1,8:1,12:2
choices e3k3,e3k3|id,e3k3|e3k5|e6k3|id,e3k3|e3k5|id|e6k3|e6k5|e6k7|e6k7se,id|e3k3|e3k5,e3k3|e3k5
"""


def deal(space, training, seed, first, steps):
    result = subprocess.run([os.environ["SCARLET_DEALING"], *map(str, (space, training, seed, first, steps))],
                            capture_output=True, text=True, check=True)
    return [line.split(",") for line in result.stdout.splitlines()]


@pytest.fixture(params=["243", "28px", "default", "mixed"])
def space(request, tmp_path):
    if request.param != "mixed":
        return request.param
    (tmp_path / "space.txt").write_text(MIXED)
    return tmp_path / "space.txt"


@pytest.mark.parametrize("training", [FAIR, DEPTHS])
@pytest.mark.parametrize("seed, first", [(1, 0), (2, 0), (3, 1000)])
def test_counts(space, training, seed, first):
    """Over n steps each of a layer's n choices is dealt m times, and in a step floor(m / n) times or once more."""
    cycle = 2 * 2 * 3 * 7 if "space" in str(space) else {"243": 3, "28px": 12 * 13, "default": 12 * 13}[space]
    paths = deal(space, training, seed, first, cycle)
    m = len(paths) // cycle
    assert m == {"243": 3, "28px": 13, "default": 13}.get(space, 7)
    for layer in zip(*paths, strict=True):
        n = len(set(layer))
        assert set(Counter(layer).values()) == {m * cycle // n}
        for step in range(0, len(layer), m):
            assert set(Counter(layer[step:step + m]).values()) <= {m // n, m // n + 1}


def skips(paths):
    return Counter(genotype.count("id") for genotype in paths)


@pytest.mark.parametrize("space", ["28px", "default"])
def test_depths(space):
    """Dealt independently, paths without most of their layers never come; dealt evenly, they do."""
    independent, even = skips(deal(space, FAIR, 1, 0, 300)), skips(deal(space, DEPTHS, 1, 0, 300))
    most = {"28px": 5, "default": 13}[space]
    assert max(even) == most and max(independent) < most
    assert all(even[depth] >= 5 for depth in range(most + 1))


def test_uniform():
    assert len(deal("28px", UNIFORM, 1, 0, 50)) == 50 and len(deal("28px", MANY, 1, 0, 50)) == 650
    counts = Counter(genotype[0] for genotype in deal("28px", MANY, 1, 0, 300))
    assert len(counts) == 12 and min(counts.values()) < max(counts.values())


def test_again():
    assert deal("28px", DEPTHS, 5, 7, 3) == deal("28px", DEPTHS, 5, 0, 10)[7 * 13:]
    assert deal("28px", DEPTHS, 5, 0, 3) != deal("28px", DEPTHS, 6, 0, 3)
