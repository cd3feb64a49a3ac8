"""Times training steps of PyTorch on one thread: SPACE GENOTYPE SIDE BATCH CLASSES SECONDS plain|compile.

Prints median and least seconds of CPU time for a picture. Channels-last layout; activations as the fastest form that PyTorch
has (torch.nn's Hardswish, Hardsigmoid and ReLU6, in place).
"""

import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from scarlet import reference  # noqa: E402


def main(space, genotype, side, batch, classes, seconds, how):
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    choices = reference.GENOTYPES.get(genotype[-1]) if genotype.startswith("SCARLET-") else None
    model = reference.Scarlet(choices or reference.parse_genotype(genotype), int(classes),
                              reference.parse_space(space)).to(memory_format=torch.channels_last).train()
    for module in model.modules():
        if isinstance(module, (nn.ReLU6, nn.Hardswish)):
            module.inplace = True
    network = torch.compile(model) if how == "compile" else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    shape = (int(batch), 3, int(side), int(side))
    pictures = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(shape[0]) % int(classes)
    if how == "compile":  # now
        F.cross_entropy(network(pictures), labels).backward()
    times, end = [], time.monotonic() + float(seconds)
    while len(times) < 3 or time.monotonic() < end:
        begin = time.process_time()
        optimizer.zero_grad(set_to_none=False)
        F.cross_entropy(network(pictures), labels).backward()
        optimizer.step()
        times.append(time.process_time() - begin)
    times = sorted(times[1:])
    print(f"{times[len(times) // 2] / shape[0]:.6g} {times[0] / shape[0]:.6g}")


main(*sys.argv[1:])
