"""Training steps of libscarlet-nas beside PyTorch, taking turns, one thread.

    compare.py STEP [ROUNDS [PROBLEM]] [--python PYTHON] [--compile]

STEP is build/tests/nas/nas-step, PROBLEM a part of a name. PYTHON, Debian's by default, has the PyTorch to compare with;
with --compile its network goes through torch.compile.

Three problems: SCARLET-A at 224 and at 64 pixels, and 8 blocks at 28 pixels. PyTorch runs with each of several batches up
to 256 and is judged by its best; libscarlet-nas with the micro-batch of its row. Each program runs for some seconds in each
round, and a round's figure is the median of its steps' CPU time, so other work on the machine counts little; the table
has the medians over rounds and, of the ratio, its range. Last, the throughput of two threads against one.
"""

import argparse
import os
import statistics
import subprocess
from pathlib import Path

SPACE = ("stem=32 tail=1280 layers=32:2,32:1,40:2,40:1,40:1,40:1,80:2,80:1,80:1,80:1,"
         "96:1,96:1,96:1,96:1,192:2,192:1,192:1,192:1,320:1")
BLOCKS = "stem=16 tail=128 layers=8:1,16:2,16:1,16:1,32:2,32:1,32:1,32:1"
GENOTYPE = "e6k3,e6k5,e6k7,e6k3,e6k5,e6k7,e6k3,e6k5"

# name, space, genotype, side, classes, micro-batch and how many a step, PyTorch's batches, seconds a turn, required and
# wanted ratio
PROBLEMS = [
    ("SCARLET-A, 224 px", SPACE, "SCARLET-A", 224, 1000, (8, 2), (8, 16, 32), 6, 1.7, 2.5),
    ("SCARLET-A, 64 px", SPACE, "SCARLET-A", 64, 1000, (32, 4), (64, 128, 256), 4, 1.8, 2.7),
    ("8 blocks, 28 px", BLOCKS, GENOTYPE, 28, 10, (32, 4), (32, 64, 128, 256), 2, 5.0, 8.0),
]
# So that memory is not returned to the system after each step.
QUIET = dict(OMP_NUM_THREADS="1", MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="4000000000",
             MALLOC_TOP_PAD_="268435456")


def numbers(command, **environment):
    text = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True,
                          env=dict(os.environ, **environment)).stdout
    return [float(word) for word in text.split()]


def pytorch(args, problem, batch):
    _, space, genotype, side, classes, _, _, seconds, _, _ = problem
    script = Path(__file__).parent / "pytorch.py"
    return numbers([args.python, script, space, genotype, side, batch, classes, seconds, args.compile], **QUIET)[0]


def own(step, problem, threads=1):
    _, space, genotype, side, classes, batch, _, seconds, _, _ = problem
    return numbers([step, space, genotype, side, classes, *batch, threads, seconds])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", metavar="STEP")
    parser.add_argument("rounds", metavar="ROUNDS", type=int, nargs="?", default=5)
    parser.add_argument("problem", metavar="PROBLEM", nargs="?", default="")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--compile", action="store_const", const="compile", default="plain")
    args = parser.parse_args()
    problems = [problem for problem in PROBLEMS if args.problem in problem[0]]
    print(f"{'problem':20} {'PyTorch':>16} {'libscarlet-nas':>15} {'ratio':>19} {'GFLOP/s':>8} {'peak':>6}")
    for problem in problems:
        theirs, ours, ratios = [], [], []
        for _ in range(args.rounds):
            times = {batch: pytorch(args, problem, batch) for batch in problem[6]}
            ours.append(own(args.step, problem))
            theirs.append(min((seconds, batch) for batch, seconds in times.items()))
            ratios.append(theirs[-1][0] / ours[-1][0])
        cpu, _, _, rate, peak, memory = (statistics.median(column) for column in zip(*ours))
        best = statistics.median(seconds for seconds, _ in theirs)
        batch = statistics.mode(batch for _, batch in theirs)
        ratio = statistics.median(ratios)
        print(f"{problem[0]:20} {best * 1e3:8.3f} ms ({batch:3}) {cpu * 1e3:12.3f} ms {ratio:5.2f} "
              f"({min(ratios):.2f}..{max(ratios):.2f}) {rate:8.1f} {100 * rate / peak:5.1f}%  "
              f"gate {problem[8]} {'holds' if ratio >= problem[8] else 'FAILS'}, aim {problem[9]}; {memory:.0f} MB",
              flush=True)
    for problem in problems:
        gains = []
        for _ in range(args.rounds):
            gains.append(own(args.step, problem, 1)[2] / own(args.step, problem, 2)[2])
        print(f"{problem[0]:20} two threads against one: {statistics.median(gains):.2f} "
              f"({min(gains):.2f}..{max(gains):.2f})", flush=True)


main()
