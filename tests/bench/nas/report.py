"""What the trained networks and supernets of a folder say; also while only part of them is done.

    report.py FOLDER [--space 243|28px]    prints the tables
    report.py FOLDER --page PAGE           writes a page with plots as well
    report.py FOLDER --publish             once each network is trained: table, page and this folder's README.md
"""

import argparse
import html
import sys
from pathlib import Path

import numpy as np
from page import COLOURS, HERE, markdown_table, page, put_into_readme, table
from ranking import chosen_volume, depth, fifths, interval, kendall, regret, sparse
from tables import NETWORKS, SEEDS, SKIPS, TRAININGS, Supernets, Truth, cosines, courses

STEP = 0.001  # of accuracy: what sparse tau takes for equal
FEWEST = 20  # networks
LOOKS = 5  # at the watched networks, of a training


def number(triple, form=".3f"):
    mean, low, high = triple
    return f"{mean:{form}}" if np.isnan(low) else f"{mean:{form}} ({low:{form}} .. {high:{form}})"


class Report:
    def __init__(self, folder, space):
        self.space, self.truth = space, Truth(folder, space)
        if len(self.truth.index) < FEWEST:
            raise SystemExit(f"report.py: fewer than {FEWEST} networks are trained")
        t = self.truth
        self.supernets = Supernets(folder, t)
        self.courses, self.cosines = courses(folder, space), cosines(folder, space)
        self.top1 = t.mean(t.top1)
        self.macs = np.array([t.macs[i] for i in t.index])
        self.parameters = np.array([t.parameters[i] for i in t.index])
        self.depth = np.array([depth(t.genotype[i]) for i in t.index])
        self.fifth = fifths(self.macs)
        self.macs_tau = kendall(self.macs, self.top1)

    @property
    def complete(self):
        return self.truth.complete and self.supernets.complete

    def state(self):
        t, n = self.truth, NETWORKS[self.space]
        trainings = 2 * n + (81 if self.space == "243" else 0)
        return (f"{sum(map(len, t.top1.values()))} of {trainings} trainings ("
                + ", ".join(f"seed {seed}: {len(of)} networks" for seed, of in sorted(t.top1.items()))
                + f"), {self.supernets.count} of {SEEDS * len(SKIPS) * len(TRAININGS)} supernets are in these tables.")

    def ceiling(self):
        """Tau and sparse tau between the truth of two seeds, or None."""
        a, b = (self.truth.top1.get(seed, {}) for seed in (1, 2))
        both = sorted(a.keys() & b.keys())
        if len(both) < FEWEST:
            return None
        x, y = ([of[i] for i in both] for of in (a, b))
        return kendall(x, y), kendall(sparse(x, STEP), sparse(y, STEP)), len(both)

    def truth_rows(self):
        seeds = [np.array(list(of.values())) for of in self.truth.top1.values()]
        tests = [float(row["test_top1"]) for row in self.truth.rows]
        yield "networks trained at least once", f"{len(self.truth.index)}"
        yield "validation accuracy, %: least, mean, most", (
            f"{100 * self.top1.min():.2f}, {100 * self.top1.mean():.2f}, {100 * self.top1.max():.2f}")
        yield "test accuracy, %, mean of all trainings", f"{100 * np.mean(tests):.2f}"
        yield "spread of networks (standard deviation), points", f"{100 * np.mean([of.std(ddof=1) for of in seeds if len(of) > 1]):.2f}"
        found = self.ceiling()
        yield "tau between the truth's seeds (the ceiling); sparse", (
            f"{found[0]:.3f}; {found[1]:.3f} (of {found[2]} networks)" if found else "not known yet")
        yield "tau of multiply-adds; sparse", f"{self.macs_tau:.3f}; {kendall(self.macs, sparse(self.top1, STEP)):.3f}"
        yield "tau of parameters", f"{kendall(self.parameters, self.top1):.3f}"
        yield "tau of multiply-adds at equal depth", f"{kendall(self.macs, self.top1, self.depth):.3f}"

    def cells(self):
        return [(skip, training) for skip in SKIPS for training in TRAININGS if self.supernets.top1.get((skip, training))]

    def row(self, cell):
        """Cells of the table; each an interval over supernets of other seeds."""
        truth, loss, top1 = self.top1, self.supernets.cross_entropy[cell], self.supernets.top1[cell]
        over = lambda f: interval([f(-scores) for scores in loss.values()])  # noqa: E731
        tau = over(lambda s: kendall(s, truth))
        yield from (*cell, str(len(loss)), number(tau))
        yield number(over(lambda s: kendall(s, sparse(truth, STEP))))
        yield number(interval([kendall(scores, truth) for scores in top1.values()]))
        yield number(over(lambda s: kendall(s, truth, self.fifth)))
        yield number(over(lambda s: kendall(s, truth, self.depth)))
        yield number(tuple(value - self.macs_tau for value in tau), "+.3f")
        found = self.ceiling()
        yield f"{tau[0] / found[0]:.2f}" if found else ""
        yield number(interval([100 * scores.std(ddof=1) for scores in top1.values()]), ".2f")
        yield number(over(lambda s: 100 * regret(s, truth)), ".2f")
        yield number(over(lambda s: chosen_volume(s, truth, self.macs)))
        cosine = self.cosines.get(cell)
        yield number(interval(list(cosine.values()))) if cosine else ""

    COLUMNS = ("skipped layers", "paths", "seeds", "tau", "sparse tau", "tau by top-1", "tau within fifths of multiply-adds",
               "tau at equal depth", "tau less that of multiply-adds", "of the ceiling", "spread of one-shot accuracies, points",
               "regret of the top 10, points", "volume, of the true front's", "cosine of parallel choices")

    def contrast_rows(self):
        """Tau with one setting less tau with another: of each seed the mean over what else differs, then over seeds."""
        tau = {(*cell, seed): kendall(-scores, self.top1) for cell, of in self.supernets.cross_entropy.items() for seed, scores in of.items()}
        for place, one, other in [(0, "let-identity", "identity"), (0, "let-random", "identity"), (1, "fair", "uniform"),
                                  (1, "fair", "uniform-many"), (1, "depths", "fair")]:
            differences = {}
            for key, value in tau.items():
                paired = (*key[:place], other, *key[place + 1:])
                if key[place] == one and paired in tau:
                    differences.setdefault(key[2], []).append(value - tau[paired])
            if differences:
                yield (f"{one} less {other}", str(len(differences)), str(sum(map(len, differences.values()))),
                       number(interval([np.mean(values) for values in differences.values()]), "+.3f"))

    def course_rows(self):
        for cell, seeds in self.courses.items():
            looks = max(len(seed) for seed in seeds.values())
            whole = [seed for seed in seeds.values() if len(seed) == looks]
            yield [*cell, str(len(whole)), *(
                f"{100 * np.mean([s[k][1] for s in whole]):.1f} ± {100 * np.mean([s[k][2] for s in whole]):.1f}" for k in range(looks))]

    def tables(self):
        """(title, names of columns, rows)"""
        yield "The truth", ("", ""), list(self.truth_rows())
        yield "Supernets against it", self.COLUMNS, [list(self.row(cell)) for cell in self.cells()]
        yield "Differences of tau", ("", "seeds", "pairs", "difference"), list(self.contrast_rows())
        courses = list(self.course_rows())
        looks = max((len(row) - 3 for row in courses), default=0)
        yield ("One-shot accuracies while training: mean and spread of 27 networks, %",
               ("skipped layers", "paths", "seeds", *(f"{20 * (k + 1)} %" for k in range(looks))),
               [row + [""] * (looks + 3 - len(row)) for row in courses])

    def markdown(self):
        parts = [("" if self.complete else "**Partial: no conclusions.** ") + self.state()]
        for title, columns, rows in self.tables():
            if rows:
                parts += [f"### {title}", markdown_table(columns, rows)]
        return "\n\n".join(parts) + "\n"

    # ---- page ----

    def scatter(self, cell):
        """One-shot accuracy of the first seed across, truth upwards; a network a point, darker with depth."""
        scores = next(iter(self.supernets.top1[cell].values()))
        w, h = 300, 220
        place = lambda v, size: (v - v.min()) / max(np.ptp(v), 1e-9) * (size - 60) + 40  # noqa: E731
        points = "".join(
            f'<circle cx="{x:.1f}" cy="{h - y:.1f}" r="3" opacity="{0.25 + 0.1 * d:.2f}"><title>{html.escape(self.truth.genotype[i])}: '
            f"one-shot {100 * s:.2f} %, trained {100 * t:.2f} %</title></circle>"
            for i, x, y, s, t, d in zip(self.truth.index, place(scores, w), place(self.top1, h), scores, self.top1, self.depth))
        label = f"{cell[0]}, {cell[1]}"
        return (f'<figure><svg width="{w}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}"><path d="M34 10V{h - 34}H{w - 10}"/>{points}'
                f'<text x="{w - 10}" y="{h - 8}" text-anchor="end">one-shot {100 * scores.min():.1f} .. {100 * scores.max():.1f} %</text>'
                f'<text x="38" y="16">trained {100 * self.top1.min():.1f} .. {100 * self.top1.max():.1f} %</text></svg>'
                f"<figcaption>{label}</figcaption></figure>")

    def course_chart(self):
        """Spread of the watched networks' accuracies over the training; a line a cell, its seeds' mean."""
        lines = {cell: np.mean([[100 * look[2] for look in seed] for seed in seeds.values() if len(seed) == LOOKS], 0)
                 for cell, seeds in self.courses.items() if any(len(seed) == LOOKS for seed in seeds.values())}
        if not lines:
            return ""
        w, h, most = 640, 300, max(values.max() for values in lines.values())
        parts = [f'<path d="M40 10V{h - 30}H{w - 10}"/><text x="46" y="16">{most:.1f} points</text>'
                 f'<text x="{w - 10}" y="{h - 12}" text-anchor="end">training, {100 // LOOKS} to 100 %</text>']
        for (skip, training), values in lines.items():
            colour, dash = COLOURS[SKIPS.index(skip)], ["", "8 3", "2 3", "8 3 2 3"][TRAININGS.index(training)]
            points = " ".join(f"{60 + (w - 280) * k / (LOOKS - 1):.1f},{h - 30 - (h - 50) * v / most:.1f}" for k, v in enumerate(values))
            parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" points="{points}">'
                         f"<title>{skip}, {training}</title></polyline>")
        parts += [f'<text x="{w - 190}" y="{60 + 16 * i}" style="fill: {COLOURS[i]}">{skip}</text>' for i, skip in enumerate(SKIPS)]
        parts.append(f'<text x="{w - 190}" y="124">solid fair, long depths,</text><text x="{w - 190}" y="140">dots uniform, mixed uniform-many</text>')
        return (f'<figure><svg width="{w}" viewBox="0 0 {w} {h}" role="img" aria-label="spread while training">{"".join(parts)}</svg>'
                "<figcaption>Spread of one-shot accuracies while training</figcaption></figure>")

    def page(self):
        tables = "".join(f"<h2>{html.escape(title)}</h2>{table(columns, rows)}\n" for title, columns, rows in self.tables() if rows)
        notice = "" if self.complete else '<p class="partial">Partial: no conclusions.</p>'
        plots = "".join(self.scatter(cell) for cell in self.cells())
        return page(f"{NETWORKS[self.space]} networks, all trained, and supernets that rank them",
                    f"{notice}<p>{self.state()} Intervals: 95 %, over supernets of other seeds.</p>\n{tables}{self.course_chart()}<section>{plots}</section>")

    def publish(self):
        """The truth as a small table, the page, and the tables in the README."""
        if len(self.truth.index) < NETWORKS[self.space]:
            raise SystemExit("report.py: --publish: not all networks are trained: " + self.state())
        results = HERE / "results"
        results.mkdir(exist_ok=True)
        names = ["seed", "index", "genotype", "macs", "parameters", "validation_loss", "validation_top1", "test_loss", "test_top1"]
        with (results / f"truth-{self.space}.csv").open("w") as file:
            file.write(",".join(names) + "\n")
            for row in self.truth.rows:
                values = [f'"{row[n]}"' if n == "genotype" else f"{float(row[n]):.6g}" if n.endswith("loss") else row[n] for n in names]
                file.write(",".join(values) + "\n")
        (results / f"report-{self.space}.html").write_text(self.page())
        put_into_readme(f"results {self.space}", self.markdown())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--space", choices=NETWORKS, default="243")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--publish", action="store_true")
    args = parser.parse_args()
    report = Report(args.folder, args.space)
    print(report.markdown(), end="")
    if args.page:
        args.page.write_text(report.page())
    if args.publish:
        report.publish()


if __name__ == "__main__":
    sys.exit(main())
