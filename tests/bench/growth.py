"""How cost grows with the input, the batch and the member of the family; only libscarlet.

    growth.py BUILD WORK [--rounds 5] [--threads 1]

BUILD is a build folder (for `scarlet` and `make_model`). Prints Markdown, writes WORK/growth.json.
Every table is measured in turns. "Off the line": how far a time is from the straight line
a + b * multiply-adds that fits a table best, in parts of it.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
from pathlib import Path

import numpy as np

SIDES = range(96, 449, 32)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
WIDTHS = (2, 4, 4, 4, 4, 1)  # layers of each width
ALIKE = [f"e{e}k{k}{se}" for e in (3, 6) for k in (3, 5, 7) for se in ("", "se")]
RELEASED = ("SCARLET-A", "SCARLET-B", "SCARLET-C")  # make_model knows their genotypes


def shallow(depth):
    """The first `depth` layers of each width, the rest identities."""
    return ",".join("e3k3" if i < depth else "id" for count in WIDTHS for i in range(count))


MEMBERS = {
    "all identities": shallow(0),
    **{f"e3k3, at most {depth} a width": shallow(depth) for depth in (1, 2, 3)},
    **{f"all {choice}": ",".join([choice] * sum(WIDTHS)) for choice in ALIKE},
    **{name: name for name in RELEASED},
}


class Scarlet:
    """The command, with real-time priority where that is allowed."""

    def __init__(self, build, work, threads):
        self.build, self.work, self.threads = build, work, threads
        self.first = ["chrt", "-f", "5"]
        if subprocess.run([*self.first, "true"], stderr=subprocess.DEVNULL).returncode:
            self.first = []

    def model(self, genotype):
        path = self.work / f"{hashlib.sha1(genotype.encode()).hexdigest()}.safetensors"
        if not path.exists():
            subprocess.run([self.build / "tests" / "make_model", path, genotype,
                            "1000", "default"], check=True)
        return path

    def _json(self, *arguments, first=()):
        return json.loads(subprocess.check_output(
            [*first, self.build / "src" / "scarlet", *map(str, arguments)]))

    def macs(self, model, side):
        """Multiply-adds of a picture. All grow with the area but squeeze-excite and classifier."""
        about = self._json("info", "--json", model)
        constant = sum(2 * layer["expansion"] * layer["in"] * layer["se"] for layer in about["layers"])
        constant += about["layers"][-1]["macs"]
        return constant + (about["macs"] - constant) * (side / about["input_size"]) ** 2

    def time(self, model, side, batch):
        """Median of an inference, milliseconds."""
        runs = max(5, 120 // batch)
        told = self._json("bench", "--json", "--model", model, "--input-size", side, "--batch",
                          batch, "--threads", self.threads, "--runs", runs, first=self.first)
        return next(step["median_ms"] for step in told["steps"] if step["name"] == "infer")


def measure(scarlet, cases, rounds):
    """cases: (name, model, side, batch). Rows of name, millions of multiply-adds, milliseconds."""
    times = [[] for _ in cases]
    for _ in range(rounds):
        for case, some in zip(cases, times):
            some.append(scarlet.time(*case[1:]))
    return [{"name": name, "macs": scarlet.macs(model, side) * batch / 1e6,
             "ms": statistics.median(some)}
            for (name, model, side, batch), some in zip(cases, times)]


def fit(rows):
    """The line with the least relative squares; adds each row's distance from it."""
    macs = np.array([row["macs"] for row in rows])
    times = np.array([row["ms"] for row in rows])
    (a, b), *_ = np.linalg.lstsq(np.stack([1 / times, macs / times], 1), np.ones(len(rows)),
                                 rcond=None)
    for row in rows:
        row["off"] = row["ms"] / (a + b * row["macs"]) - 1
    return a, b


def table(title, head, rows, reference):
    a, b = fit(rows)
    base = next(row["ms"] / row["macs"] for row in rows if row["name"] == reference)
    yield f"### {title}\n"
    yield (f"| {head} | Multiply-adds, 10^6 | ms | ns a 10^3 multiply-adds "
           f"| relative to {reference} | Off the line |")
    yield "|---|---|---|---|---|---|"
    for row in rows:
        each = row["ms"] / row["macs"]
        yield (f"| {row['name']} | {row['macs']:.1f} | {row['ms']:.3f} | {1e3 * each:.2f} "
               f"| {each / base:.2f} | {100 * row['off']:+.1f} % |")
    yield (f"\nLine: {a:.3f} ms + {1e3 * b:.2f} ns a 10^3 multiply-adds; at most "
           f"{100 * max(abs(row['off']) for row in rows):.1f} % off.\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    models = arguments.work / "members"
    models.mkdir(parents=True, exist_ok=True)
    scarlet = Scarlet(arguments.build, models, arguments.threads)
    a = scarlet.model("SCARLET-A")
    cases = {
        "SCARLET-A, input": ("Pixels a side", [(str(s), a, s, 1) for s in SIDES], "224"),
        "SCARLET-A at 224 pixels, batch": ("Batch", [(str(b), a, 224, b) for b in BATCHES], "1"),
        "Members at 224 pixels": ("Member", [(name, scarlet.model(genotype), 224, 1)
                                             for name, genotype in MEMBERS.items()], "SCARLET-A"),
    }
    kept = {}
    for title, (head, some, reference) in cases.items():
        rows = sorted(measure(scarlet, some, arguments.rounds), key=lambda row: row["macs"])
        print("\n".join(table(title, head, rows, reference)), flush=True)
        kept[title] = rows
    (arguments.work / "growth.json").write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
