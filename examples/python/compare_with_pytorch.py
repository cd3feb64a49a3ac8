#!/usr/bin/env python3
"""One network in libscarlet and in PyTorch: scores and time. compare_with_pytorch.py CHECKPOINT PICTURE

The same checkpoint is loaded by both. For a report with every layer: python3 -m scarlet.compare.
"""

import sys
import time

import numpy as np
import torch

import scarlet
from scarlet import checkpoint


def timed(run, count=20):
    """The result, and the median of the milliseconds it takes."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        result = run()
        times.append(1000 * (time.perf_counter() - start))
    return result, np.median(times)


@torch.inference_mode()
def main(path, picture):
    torch.set_num_threads(1)
    module, _ = checkpoint.load(path)
    with scarlet.Model(path) as model, model.session() as session:
        x = session.preprocess(picture)
        ours, our_time = timed(lambda: session.infer(x))
    theirs, their_time = timed(lambda: module(torch.from_numpy(x)[None]).numpy()[0])
    difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"libscarlet {our_time:.2f} ms, PyTorch {their_time:.2f} ms with 1 thread; scores differ by {difference:.1e}")
    for name, scores in ("libscarlet", ours), ("PyTorch", theirs):
        print(name, *(f" {p.class_id} ({p.score:.4f})" for p in scarlet.topk(scores, 3)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    try:
        main(*sys.argv[1:])
    except scarlet.Error as error:
        sys.exit(str(error))
