"""Reads what nas-bench has written so far."""

import collections
import csv

import numpy as np

NETWORKS = {"243": 243, "28px": 48}
SKIPS = ["identity", "let-identity", "let-random"]
TRAININGS = ["fair", "depths", "uniform", "uniform-many"]
SEEDS = 6


def rows(folder, name, space, keys):
    """Complete rows of all shards; of rows with the same key the first."""
    found = {}
    for path in sorted(folder.glob(f"{name}-{space}-*of*.csv")):
        text = path.read_text()
        for row in csv.DictReader(text[:text.rfind("\n") + 1].splitlines()):
            found.setdefault(tuple(row[key] for key in keys), row)
    return list(found.values())


class Truth:
    """Networks trained alone: top1[seed][index], loss[seed][index], and what each costs."""

    def __init__(self, folder, space):
        self.space = space
        self.rows = sorted(rows(folder, "truth", space, ["seed", "index"]), key=lambda r: (int(r["seed"]), int(r["index"])))
        self.top1, self.loss = collections.defaultdict(dict), collections.defaultdict(dict)
        self.genotype, self.macs, self.parameters = {}, {}, {}
        for row in self.rows:
            seed, index = int(row["seed"]), int(row["index"])
            self.top1[seed][index] = float(row["validation_top1"])
            self.loss[seed][index] = float(row["validation_loss"])
            self.genotype[index] = row["genotype"]
            self.macs[index], self.parameters[index] = int(row["macs"]), int(row["parameters"])
        self.index = sorted(self.genotype)  # networks trained at least once

    @property
    def complete(self):
        return all(len(self.top1.get(seed, ())) == NETWORKS[self.space] for seed in (1, 2)) and (
            self.space != "243" or len(self.top1.get(3, ())) == 81)

    def mean(self, of):
        """Means over the seeds that a network has, in the order of self.index."""
        return np.array([np.mean([values[i] for values in of.values() if i in values]) for i in self.index])


class Supernets:
    """cross_entropy[cell][seed] and top1[cell][seed], arrays over the truth's networks; complete ones only."""

    def __init__(self, folder, truth):
        count = NETWORKS[truth.space]
        found = collections.defaultdict(dict)
        for row in rows(folder, "scores", truth.space, ["skip", "training", "seed", "index"]):
            found[row["skip"], row["training"], int(row["seed"])][int(row["index"])] = row
        self.cross_entropy, self.top1 = collections.defaultdict(dict), collections.defaultdict(dict)
        for (skip, training, seed), scores in sorted(found.items()):
            if len(scores) == count:
                for column in ("cross_entropy", "top1"):
                    getattr(self, column)[skip, training][seed] = np.array([float(scores[i][column]) for i in truth.index])
        self.count = sum(len(seeds) for seeds in self.top1.values())

    @property
    def complete(self):
        return all(len(self.top1[skip, training]) >= SEEDS for skip in SKIPS for training in TRAININGS)


def courses(folder, space):
    """{cell: {seed: [(step, mean, spread)]}} of the one-shot accuracies of the networks watched."""
    found = collections.defaultdict(list)
    for row in rows(folder, "course", space, ["skip", "training", "seed", "look", "index"]):
        found[row["skip"], row["training"], int(row["seed"]), int(row["step"])].append(float(row["top1"]))
    result = collections.defaultdict(lambda: collections.defaultdict(list))
    for (skip, training, seed, step), values in sorted(found.items()):
        if len(values) == 27:
            result[skip, training][seed].append((step, np.mean(values), np.std(values, ddof=1)))
    return result


def cosines(folder, space):
    """{cell: {seed: mean cosine similarity}} that cosine.py has found."""
    result = collections.defaultdict(dict)
    path = folder / f"cosine-{space}.csv"
    if path.exists():
        for row in csv.DictReader(path.open()):
            result[row["skip"], row["training"]].setdefault(int(row["seed"]), []).append(float(row["cosine"]))
    return {cell: {seed: np.mean(values) for seed, values in seeds.items()} for cell, seeds in result.items()}
