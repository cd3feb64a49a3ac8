"""Searches a table of networks that are all trained: how much of the best trade-offs so many evaluations find.

    search.py TABLE [--runs N]     TABLE: a CSV with genotype, macs and validation_loss; of rows of one network the mean

SCARLET_LIBRARY and SCARLET_NAS_LIBRARY name the libraries. Two objectives: cross-entropy and multiply-adds,
population 16. Volumes are shares of the whole table's.
"""

import argparse
import collections
import csv
import ctypes
import os
from pathlib import Path

import numpy as np
from ranking import box, front, interval, volume

ALGORITHMS = {"NSGA-II": (0, 0), "NSGA-II, reinforced mutation": (0, 1), "random search": (1, 0),
              "local search": (2, 0), "regularised evolution": (3, 0)}
COUNTS = (60, 120)


class Settings(ctypes.Structure):
    _fields_ = [("algorithm", ctypes.c_int), ("objectives", ctypes.c_int32), ("population", ctypes.c_int32),
                ("crossover", ctypes.c_double), ("reinforced", ctypes.c_int32), ("seed", ctypes.c_uint64)]


OBJECTIVE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_double),
                             ctypes.POINTER(ctypes.c_double), ctypes.c_void_p)


def read(path):
    """{genotype: (cross-entropy, multiply-adds)}"""
    losses, macs = collections.defaultdict(list), {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            losses[row["genotype"]].append(float(row["validation_loss"]))
            macs[row["genotype"]] = float(row["macs"])
    return {genotype: (np.mean(values), macs[genotype]) for genotype, values in losses.items()}


class Library:
    def __init__(self):
        ctypes.CDLL(os.environ["SCARLET_LIBRARY"], mode=ctypes.RTLD_GLOBAL)
        self.nas = ctypes.CDLL(os.environ["SCARLET_NAS_LIBRARY"])
        self.nas.scarlet_search_count.restype = ctypes.c_size_t
        self.space = self.make("space_load", b"243")

    def call(self, name, *arguments):
        error = ctypes.create_string_buffer(256)
        if getattr(self.nas, f"scarlet_{name}")(*arguments, error):
            raise ValueError(error.raw[8:].split(b"\0")[0].decode())

    def make(self, name, *arguments):
        out = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(out))
        return out

    def search(self, table, settings, count):
        """Genotypes in the order of evaluation, `count` of them or all."""
        order = []

        def evaluate(_, genotype, objectives, violation, __):
            order.append(genotype.decode())
            objectives[0], objectives[1] = table[order[-1]]
            violation[0] = 0
            return 0

        callback = OBJECTIVE(evaluate)
        search = self.make("search_create", self.space, ctypes.byref(settings), callback, None)
        while self.nas.scarlet_search_count(search) < count and not self.nas.scarlet_search_finished(search):
            self.call("search_step", search)
        self.nas.scarlet_search_free(search)
        return order[:count]


def volumes(library, table, algorithm, runs, counts=COUNTS):
    """[runs][counts]: volumes after so many evaluations, as shares of the whole table's."""
    names = list(table)
    scaled = dict(zip(names, box([table[name] for name in names])))
    whole = volume(scaled.values(), (1, 1))
    kind, reinforced = ALGORITHMS[algorithm]
    result = np.empty((runs, len(counts)))
    for seed in range(runs):
        order = library.search(table, Settings(kind, 2, 16, 0.9, reinforced, seed + 1), max(counts))
        result[seed] = [volume([scaled[name] for name in order[:n]], (1, 1)) / whole for n in counts]
    return result


def rows(library, table, runs):
    """(algorithm, [(mean, low, high) of each count], the same of its difference from random search)."""
    found = {name: volumes(library, table, name, runs) for name in ALGORITHMS}
    return [(name, [interval(column) for column in values.T],
             [interval(column) for column in (values - found["random search"]).T]) for name, values in found.items()]


def markdown(library, table, runs):
    size = int(front(list(table.values())).sum())
    lines = [f"{runs} runs of each algorithm; the true front has {size} of {len(table)} networks. Means with 95 % intervals.", "",
             "| Algorithm |" + "".join(f" after {n} | less random search |" for n in COUNTS),
             "|---" * (1 + 2 * len(COUNTS)) + "|"]
    for name, values, less in rows(library, table, runs):
        cells = [f" {v[0]:.4f} ({v[1]:.4f} .. {v[2]:.4f}) | {d[0]:+.4f} ({d[1]:+.4f} .. {d[2]:+.4f}) |" for v, d in zip(values, less)]
        lines.append(f"| {name} |" + "".join(cells))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--runs", type=int, default=500)
    args = parser.parse_args()
    print(markdown(Library(), read(args.table), args.runs), end="")
