"""Tables and a picture of what measure.py found.

    report.py WORK             writes WORK/results.md and WORK/results.svg
    report.py WORK --readme    puts them, WORK/growth.md and pictures.md into README.md of this folder
"""

import json
import math
import shutil
import sys
from pathlib import Path

from bars import Bar, chart
from engines import ENGINES, HERE, INT8, INT16, NATIVE_FORMS, SCARLET

LETTERS = "ABC"


def geometric(values):
    values = list(values)
    return math.prod(values) ** (1 / len(values))


def title(setting):
    threads, batch = setting.split("x")
    return f"{threads} thread{'s' * (threads != '1')}, batch {batch}"


def settings(data):
    return list(dict.fromkeys(key.split()[0] for key in data["times"]))


class Row:
    """One engine in one setting, over all networks; ranked only where every answer is right."""

    def __init__(self, name, results, ours, peak):
        self.name = name
        self.results = results
        self.failed = next((r["failed"] for r in results if "failed" in r), None)
        self.exact = not self.failed and all(r["exact"] for r in results)
        self.wrong = not self.failed and any(r["wrong"] for r in results)
        if not self.failed:
            self.ratios = [r["median"] / o["median"] for r, o in zip(results, ours)]
            self.peaks = [r["macs"] / 1e6 / r["median"] / peak for r in results]

    @property
    def ranked(self):
        return not self.failed and not self.wrong

    @property
    def ratio(self):
        return geometric(self.ratios)

    def markdown(self):
        cells = [self.name]
        if self.failed:
            return f"| {self.name} | did not run: {self.failed} |" + " |" * (len(self.results) + 2)
        for r in self.results:
            cells.append(f"{r['median']:.2f} ({r['min']:.2f}, {r['spread']:.2f})")
        error = f"{max(r['error'] for r in self.results):.0e}"
        if self.wrong:
            cells += ["", "not ranked: wrong scores", f"**{error}**"]
        else:
            cells += [", ".join(f"{100 * p:.0f}" for p in self.peaks),
                      f"{self.ratio:.2f} ({', '.join(f'{r:.2f}' for r in self.ratios)})", error]
        return "| " + " | ".join(cells) + " |"


def rows(data, setting):
    """Fastest first; then what is not float32, and what is not ranked."""
    letters = [c for c in LETTERS if f"{setting} {c}" in data["times"]]
    of = [data["times"][f"{setting} {c}"] for c in letters]
    peak = max(v for k, v in data["peaks"][setting.split("x")[0]].items() if k.startswith("fma"))
    ours = [t[SCARLET] for t in of]
    found = [Row(e.name, [t[e.name] for t in of], ours, peak)
             for e in ENGINES if all(e.name in t for t in of)]
    return letters, sorted(found, key=lambda r: (not r.ranked, not r.exact,
                                                r.ratio if r.ranked else 0))


def table(data, setting):
    letters, found = rows(data, setting)
    yield f"### {title(setting)}\n"
    heads = [f"SCARLET-{c}, ms a picture" for c in letters]
    yield "| Engine | " + " | ".join(heads) + " | % of peak | Time / libscarlet's | Error |"
    yield "|---" * (len(letters) + 4) + "|"
    for row in found:
        yield row.markdown()
    native = [row.ratio for row in found if row.ranked and row.name in NATIVE_FORMS]
    for row in found:
        if native and row.ranked and row.name in (SCARLET, INT8, INT16):
            yield (f"\nThe better form of ONNX Runtime takes {min(native) / row.ratio:.2f} times as long as "
                   f"{row.name}.")
    yield ""


def machine(data):
    m = data["machine"]
    results = [r for t in data["times"].values() for r in t.values() if "failed" not in r]
    versions = {e.product: r["version"] for e in ENGINES
                for t in data["times"].values() if "version" in (r := t.get(e.name, {}))}
    yield f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}, {m['date']}. Peaks, measured first:\n"
    yield "| Threads | " + " | ".join(PEAKS.values()) + " |"
    yield "|---" * (len(PEAKS) + 1) + "|"
    for threads, peak in data["peaks"].items():
        yield f"| {threads} | " + " | ".join(f"{peak[k]:.0f}" if k in peak else "" for k in PEAKS) + " |"
    yield "\nVersions: " + ", ".join(map(" ".join, versions.items())) + "."
    yield ("Engines ran with real-time priority (FIFO)." if all(r["preferred"] for r in results)
           else "Engines ran with ordinary priority: other processes could come between.")
    others = sorted(r["foreign"] for r in results)
    yield f"Other processes used {others[len(others) // 2]:.2f} CPUs meanwhile (median).\n"


PEAKS = {"fma_portable": "128-bit multiply and add, GMAC/s", "fma_avx2": "AVX2 FMA, GMAC/s",
         "fma_avx512": "AVX-512 FMA, GMAC/s", "vnni": "VNNI int8, GMAC/s",
         "read_cache": "cache, GB/s", "read_memory": "memory, GB/s",
         "handover_ns": "CPU to CPU, ns"}


def loading(data):
    if not data["load"]:
        return
    yield "### Load and memory, 1 thread\n"
    yield ("| Engine | Network | File to ready session, ms | First inference, ms "
           "| Peak RSS of the process, MB |")
    yield "|---|---|---|---|---|"
    for letter, engines in data["load"].items():
        for name, r in engines.items():
            yield (f"| {name} | SCARLET-{letter} | {r['load_ms']:.1f} | {r['first_ms']:.1f} "
                   f"| {r['peak_kb'] / 1024:.1f} |")
    yield ""


def picture(data):
    groups = []
    for setting in settings(data):
        letters, found = rows(data, setting)
        bars = []
        for row in found:
            if row.ranked:
                value = geometric(r["median"] for r in row.results)
                bars.append(Bar(row.name, value, f"{value:.2f} ms  ({row.ratio:.2f})",
                                "ours" if row.name.startswith(SCARLET) else
                                "rival" if row.exact else "reduced"))
        names = ", ".join(letters)
        groups.append((f"SCARLET-{names}: {title(setting)}", bars))
    return chart("Milliseconds a picture, geometric mean (ratio to libscarlet)", groups,
                 f"{data['machine']['cpu']}, {data['machine']['date']}")


def markdown(data):
    yield from machine(data)
    yield ("Median (minimum, distance of the quartiles). % of peak: of the fastest FMA of as many "
           "threads. Error: against float64, relative to the largest score.\n")
    for setting in settings(data):
        yield from table(data, setting)
    yield from loading(data)


def into_readme(work):
    readme, mark = HERE / "README.md", "<!-- results -->\n"
    text = readme.read_text().split(mark)[0]
    parts = [(work / name).read_text() for name in ("results.md", "growth.md", "pictures.md")]
    readme.write_text("\n".join([text + mark, "![Bars of the tables below](results.svg)\n", *parts]))
    shutil.copy(work / "results.svg", HERE / "results.svg")


def main():
    work = Path(sys.argv[1])
    if sys.argv[2:] == ["--readme"]:
        into_readme(work)
        return
    data = json.loads((work / "results.json").read_text())
    (work / "results.md").write_text("\n".join(markdown(data)) + "\n")
    (work / "results.svg").write_text(picture(data))


if __name__ == "__main__":
    main()
