"""How well one order of networks agrees with another, and what a choice by it loses."""

import math

import numpy as np

# 97.5 % quantiles of Student's t by degrees of freedom, from 1, and of the normal distribution.
STUDENT = [12.7062047, 4.30265273, 3.18244631, 2.77644511, 2.57058184, 2.44691185, 2.36462425, 2.30600414, 2.26215716]
NORMAL = 1.95996398


def student(freedom):
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    z = NORMAL  # Cornish and Fisher's expansion: 0.0001 off at most
    return (z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3))


def interval(values):
    """(mean, low, high): 95 % by Student's t; low and high are NaN for a single value."""
    values = np.asarray(values, float)
    mean, n = values.mean(), len(values)
    if n < 2:
        return mean, math.nan, math.nan
    half = student(n - 1) * values.std(ddof=1) / math.sqrt(n)
    return mean, mean - half, mean + half


def kendall(x, y, strata=None):
    """Tau-b; with strata, of the pairs within one stratum. NaN if all of x or y are tied."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    a, b = np.sign(x[:, None] - x), np.sign(y[:, None] - y)
    pairs = np.ones_like(a) if strata is None else np.equal.outer(strata, strata)
    apart = math.sqrt((abs(a) * pairs).sum() * (abs(b) * pairs).sum())
    return (a * b * pairs).sum() / apart if apart else math.nan


def sparse(truth, step):
    """Truth rounded, so that differences within the noise are ties."""
    return np.rint(np.asarray(truth) / step)


def fifths(values):
    """The fifth that each belongs to; equal values to the same one."""
    values = np.asarray(values)
    return np.searchsorted(np.sort(values), values) * 5 // len(values)


def depth(genotype):
    return sum(layer not in ("id", "let") for layer in genotype.split(","))


def front(costs):
    """Which points [n][2] no other point is at least as good as in both respects and better in one; both to be small."""
    costs = np.asarray(costs, float)
    no_worse = (costs[:, None] <= costs).all(2)
    return ~(no_worse & (costs[:, None] < costs).any(2)).any(0)


def volume(costs, reference):
    """Area that points [n][2] dominate below the reference."""
    total, lowest = 0.0, reference[1]
    for x, y in sorted(map(tuple, costs)):
        if x < reference[0] and y < lowest:
            total += (reference[0] - x) * (lowest - y)
            lowest = y
    return total


def box(costs):
    """Costs scaled to 0 .. 1 over all networks. Volumes are taken below (1, 1): the whole box has 1."""
    costs = np.asarray(costs, float)
    low, high = costs.min(0), costs.max(0)
    return (costs - low) / (high - low)


def regret(score, truth, top=10):
    """What the best of the `top` that score highest lacks of the best of all."""
    best = np.argsort(-np.asarray(score), kind="stable")[:top]
    return np.max(truth) - np.asarray(truth)[best].max()


def chosen_volume(score, truth, macs):
    """Volume of the front that the score and multiply-adds choose, measured by the truth, over that of the true front."""
    true = box(np.column_stack([-np.asarray(truth), macs]))
    chosen = front(np.column_stack([-np.asarray(score), macs]))
    return volume(true[chosen], (1, 1)) / volume(true, (1, 1))
