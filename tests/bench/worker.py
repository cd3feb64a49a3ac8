"""The protocol of worker.h for workers in Python."""

import json
import sys
import time

import numpy as np


def pictures(path, batch):
    return np.fromfile(path, np.float32, batch * 3 * 224 * 224).reshape(batch, 3, 224, 224)


def peak_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def tell(**values):
    print(json.dumps(values), flush=True)


def serve(load, run, version):
    """load(): file to ready model; run(): scores as an array."""
    start = time.perf_counter_ns()
    load()
    loaded = time.perf_counter_ns()
    scores = run()
    tell(load_ms=(loaded - start) / 1e6, first_ms=(time.perf_counter_ns() - loaded) / 1e6,
         version=version)
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "run":
            times, cpu = [], time.process_time_ns()
            for _ in range(int(rest[0])):
                start = time.perf_counter_ns()
                scores = run()
                times.append(time.perf_counter_ns() - start)
            tell(ns=times, cpu_ns=time.process_time_ns() - cpu)
        elif what == "out":
            np.ascontiguousarray(scores, np.float32).tofile(rest[0])
            tell()
        elif what == "rss":
            tell(peak_kb=peak_kb())
        else:
            break
