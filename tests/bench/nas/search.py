"""Searches a table of networks that are all trained: how much of the best trade-offs so many evaluations find.

    search.py TABLE [--runs N]     TABLE: a CSV with genotype, macs and validation_loss; of rows of one network the mean
    search.py TABLE --publish      also writes results/search-243.html and the tables of this folder's README.md

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
from page import COLOURS, HERE, markdown_table, page, put_into_readme, table
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

    def search(self, networks, settings, count):
        """Genotypes in the order of evaluation, `count` of them or all."""
        order = []

        def evaluate(_, genotype, objectives, violation, __):
            order.append(genotype.decode())
            objectives[0], objectives[1] = networks[order[-1]]
            violation[0] = 0
            return 0

        callback = OBJECTIVE(evaluate)
        search = self.make("search_create", self.space, ctypes.byref(settings), callback, None)
        while self.nas.scarlet_search_count(search) < count and not self.nas.scarlet_search_finished(search):
            self.call("search_step", search)
        self.nas.scarlet_search_free(search)
        return order[:count]


def volumes(library, networks, algorithm, runs, counts):
    """[runs][counts]: volumes after so many evaluations, as shares of the whole table's."""
    names = list(networks)
    scaled = dict(zip(names, box([networks[name] for name in names])))
    whole = volume(scaled.values(), (1, 1))
    kind, reinforced = ALGORITHMS[algorithm]
    result = np.empty((runs, len(counts)))
    for seed in range(runs):
        order = library.search(networks, Settings(kind, 2, 16, 0.9, reinforced, seed + 1), max(counts))
        result[seed] = [volume([scaled[name] for name in order[:n]], (1, 1)) / whole for n in counts]
    return result


class Comparison:
    def __init__(self, library, networks, runs):
        self.networks, self.runs = networks, runs
        self.counts = [*range(10, len(networks), 10), len(networks)]
        self.found = {name: volumes(library, networks, name, runs, self.counts) for name in ALGORITHMS}

    def at(self, name, count):
        return self.found[name][:, self.counts.index(count)]

    def less(self, name, other, count):
        """Interval of the difference; both search from the same seeds."""
        return interval(self.at(name, count) - self.at(other, count))

    def tables(self):
        """(names of columns, rows)"""
        number = lambda v, form: f"{v[0]:{form}} ({v[1]:{form}} .. {v[2]:{form}})"  # noqa: E731
        yield (["Algorithm", *(f"after {n} evaluations" for n in COUNTS)],
               [[name, *(number(interval(self.at(name, n)), ".4f") for n in COUNTS)] for name in ALGORITHMS])
        pairs = [(name, "random search") for name in ALGORITHMS if name != "random search"]
        yield (["Difference", *(f"after {n} evaluations" for n in COUNTS)],
               [[f"{a} less {b}", *(number(self.less(a, b, n), "+.4f") for n in COUNTS)]
                for a, b in [*pairs, ("NSGA-II, reinforced mutation", "NSGA-II")]])

    def head(self):
        size = int(front(list(self.networks.values())).sum())
        return (f"{self.runs} runs of each algorithm; the true front has {size} of {len(self.networks)} networks. "
                "Volumes as shares of the true front's: means with 95 % intervals.")

    def markdown(self):
        return "\n\n".join([self.head(), *(markdown_table(*one) for one in self.tables())]) + "\n"

    def chart(self):
        """Mean volume over evaluations."""
        w, h = 640, 360
        low = min(values.mean(0).min() for values in self.found.values())
        x = [40 + (w - 60) * n / self.counts[-1] for n in self.counts]
        parts = [f'<path d="M40 10V{h - 30}H{w - 10}"/>',
                 f'<text x="{w - 10}" y="{h - 12}" text-anchor="end">evaluations, to {self.counts[-1]}</text>',
                 f'<text x="46" y="16">1</text><text x="46" y="{h - 36}">{low:.3f}</text>']
        for i, (name, values) in enumerate(self.found.items()):
            y = h - 30 - (h - 45) * (values.mean(0) - low) / (1 - low)
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
            parts.append(f'<polyline fill="none" stroke="{COLOURS[i]}" stroke-width="2" points="{points}"/>'
                         f'<text x="{w - 220}" y="{h - 130 + 16 * i}" style="fill: {COLOURS[i]}">{name}</text>')
        return (f'<figure><svg width="{w}" viewBox="0 0 {w} {h}" role="img" aria-label="volume over evaluations">{"".join(parts)}</svg>'
                "<figcaption>Mean share of the true front's volume</figcaption></figure>")

    def page(self):
        return page("Searches on the table of 243 networks",
                    f"<p>{self.head()}</p>{''.join(table(*one) for one in self.tables())}{self.chart()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--publish", action="store_true")
    args = parser.parse_args()
    comparison = Comparison(Library(), read(args.table), args.runs)
    print(comparison.markdown(), end="")
    if args.publish:
        (HERE / "results" / "search-243.html").write_text(comparison.page())
        put_into_readme("search", comparison.markdown())


if __name__ == "__main__":
    main()
