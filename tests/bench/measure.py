"""Times every engine on the same weights, in turns, and keeps the figures in results.json.

    measure.py WORK [--letters ABC] [--settings 1x1,2x1,2x8] [--only TEXT] [--rounds 12] [--no-load]

WORK is the folder that run.sh fills: models/, build/, npm/. A setting is THREADSxBATCH. New figures
replace old ones of the same network and setting, so a run can be split. An engine that is not being timed is
stopped; the one that is timed has real-time priority where that is allowed.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from engines import ENGINES, INT8, INT16, NATIVE_FORMS, SCARLET
from process import Failed, Worker, prefer_self

WARM_UPS = 20
TURN = 0.1        # seconds
WRONG = 50        # times the bound of the specification
LOADS = 7


def command(engine, work, letter, threads, batch):
    values = {"models": f"{work}/models", "build": f"{work}/build", "npm": f"{work}/npm",
              "arch": {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()],
              "letter": letter, "threads": threads, "batch": batch}
    return [part.format(**values) for part in engine.arguments]


def there(engine, work, letters):
    """Whether its models are: those of int8 need not be."""
    return engine.exact or all(Path(part).exists() for letter in letters
                               for part in command(engine, work, letter, 1, 1)
                               if part.endswith(".onnx"))


def error(worker, right):
    """Of the last scores, relative to the largest; and how much the specification allows."""
    with tempfile.NamedTemporaryFile() as out:
        worker.ask(f"out {out.name}")
        found = np.fromfile(out.name, np.float32).reshape(-1, right["scores"].shape[1])
    expected = right["scores"][:len(found)]
    return float(np.abs(found - expected).max() / np.abs(expected).max()), float(right["bound"])


def busy():
    """Seconds that all CPUs together have worked."""
    with open("/proc/stat") as stat:
        values = [int(value) for value in stat.readline().split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf("SC_CLK_TCK")


class Timing:
    """One engine in one setting."""

    def __init__(self, worker, told):
        self.worker, self.told = worker, told
        self.samples, self.cpu, self.foreign, self.wall = [], 0, 0, 0
        self.count = 1

    def warm_up(self):
        self.preferred = self.worker.prefer()
        times = self.worker.run(3)["ns"] + self.worker.run(WARM_UPS)["ns"]
        self.count = max(1, round(TURN * 1e9 / statistics.median(times)))

    def turn(self):
        self.worker.run(1)  # its data return to the caches
        before, start = busy(), time.monotonic()
        answer = self.worker.run(self.count)
        self.wall += time.monotonic() - start
        self.foreign += max(0, busy() - before - answer["cpu_ns"] / 1e9)
        self.samples += answer["ns"]
        self.cpu += answer["cpu_ns"]

    def result(self, batch, right):
        milliseconds = [ns / 1e6 / batch for ns in self.samples]
        low, median, high = statistics.quantiles(milliseconds, n=4)
        self.worker.go_on()
        off, allowed = error(self.worker, right)
        return {"median": median, "min": min(milliseconds), "spread": high - low,
                "runs": len(milliseconds), "cpu": self.cpu / 1e6 / batch / len(milliseconds),
                "foreign": self.foreign / self.wall, "error": off, "bound": allowed,
                "exact": self.worker.engine.exact,
                "wrong": self.worker.engine.exact and not off <= WRONG * allowed, "version": self.told["version"],
                "preferred": self.preferred,
                "macs": int(right["macs"])}


class Comparison:
    """Workers that take turns. One that fails drops out, and the reason becomes its result."""

    def __init__(self, workers):
        self.workers, self.timings, self.results = workers, [], {}

    def drop(self, worker, failure):
        self.results[worker.engine.name] = {"failed": str(failure)}

    def begin(self):
        for worker in self.workers:
            try:
                self.timings.append(Timing(worker, worker.read()))
                worker.stop()
            except Failed as failure:
                self.drop(worker, failure)

    def each(self, action, backwards=False):
        for timing in self.timings[::-1] if backwards else self.timings[:]:
            try:
                action(timing)
            except Failed as failure:
                self.drop(timing.worker, failure)
                self.timings.remove(timing)
            time.sleep(0.01)  # the system does not let real time have everything

    def close(self):
        for worker in self.workers:
            worker.close()


def compare(engines, work, letter, threads, batch, rounds):
    """Results by name of engine; what did not run has only {"failed": why}."""
    right = np.load(f"{work}/models/{letter}.reference.npz")
    comparison = Comparison([Worker(engine, command(engine, work, letter, threads, batch))
                             for engine in engines])
    results = comparison.results

    def finish(timing):
        results[timing.worker.engine.name] = timing.result(batch, right)

    try:
        comparison.begin()
        comparison.each(Timing.warm_up)
        for number in range(rounds):
            comparison.each(Timing.turn, backwards=number % 2 == 1)
        comparison.each(finish)
    finally:
        comparison.close()
    return {engine.name: results[engine.name] for engine in engines}


def loading(engines, work, letter):
    """From the file to a ready session, the first inference, and peak memory, in fresh processes."""
    samples = {engine.name: [] for engine in engines}
    for _ in range(LOADS):
        for engine in engines:
            worker = Worker(engine, command(engine, work, letter, 1, 1))
            worker.prefer()
            samples[engine.name].append({**worker.read(), **worker.ask("rss")})
            worker.close()
    return {name: {key: statistics.median(sample[key] for sample in some)
                   for key in ("load_ms", "first_ms", "peak_kb")} for name, some in samples.items()}


def peaks(work, threads):
    peak = [f"{work}/build/peak", str(threads)]
    found = subprocess.run(["chrt", "-f", "5", *peak], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(found or subprocess.check_output(peak, text=True))


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")),
                     platform.machine())
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "date": time.strftime("%Y-%m-%d", time.gmtime())}


def show(letter, threads, batch, results):
    print(f"SCARLET-{letter}, {threads} thread(s), batch {batch}:")
    ours = results.get(SCARLET, {}).get("median")
    for name, r in results.items():
        if "failed" in r:
            print(f"    {name:34} failed: {r['failed']}")
            continue
        print(f"    {name:34} {r['median']:8.3f} ms (min {r['min']:.3f}, spread {r['spread']:.3f})"
              + (f"  {r['median'] / ours:6.2f}" if ours else "")
              + f"  error {r['error']:.1e}{' WRONG' if r['wrong'] else ''}"
              + f"  others {r['foreign']:.2f}")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--letters", default="ABC")
    parser.add_argument("--settings", default="1x1,2x1,2x8")
    parser.add_argument("--only", default="", help="engines whose name contains one of these, "
                        "separated by |")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--no-load", action="store_true")
    arguments = parser.parse_args()
    engines = [e for e in ENGINES if any(part in e.name for part in arguments.only.split("|"))
               and there(e, arguments.work, arguments.letters)]
    path = arguments.work / "results.json"
    kept = json.loads(path.read_text()) if path.exists() else {"peaks": {}, "times": {}, "load": {}}
    kept["machine"] = machine()
    prefer_self()
    settings = [setting.split("x") for setting in filter(None, arguments.settings.split(","))]
    for threads in dict.fromkeys(threads for threads, _ in settings):
        kept["peaks"][threads] = peaks(arguments.work, threads)
    for setting in settings:
        threads, batch = map(int, setting)
        for letter in arguments.letters:
            results = compare(engines, arguments.work, letter, threads, batch, arguments.rounds)
            show(letter, threads, batch, results)
            kept["times"].setdefault(f"{threads}x{batch} {letter}", {}).update(results)
            path.write_text(json.dumps(kept, indent=1))
    if not arguments.no_load:
        some = [e for e in engines if e.name in (SCARLET, INT8, INT16, *NATIVE_FORMS)]
        for letter in arguments.letters:
            kept["load"].setdefault(letter, {}).update(loading(some, arguments.work, letter))
            path.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
