#!/usr/bin/python3
"""Train SCARLET-C on Fashion-MNIST. See README.md; run it again to resume after an interruption."""

import argparse
import os
import sys
import time

import numpy
import torch
from torch.nn import functional as F

import fashion

sys.path.insert(0, os.path.join(fashion.HERE, "../../bindings/python"))
from scarlet.reference import GENOTYPES, Scarlet

HELD_OUT = 1000  # training pictures never trained on, to watch progress; nothing is chosen by them
WARM_UP = 2  # epochs
CLIP = 1.0  # norm of the gradient: without it a rare batch throws the network back by epochs
EMA_STEPS = 500  # the exported weights are an average over about as many steps


def main():
    args = parse_arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    os.makedirs(args.work, exist_ok=True)

    labels = torch.from_numpy(fashion.load("train")[1].astype(numpy.int64))
    model = Scarlet(GENOTYPES[fashion.GENOTYPE], len(fashion.LABELS)).to(memory_format=torch.channels_last)
    average = Scarlet(GENOTYPES[fashion.GENOTYPE], len(fashion.LABELS)).to(memory_format=torch.channels_last)
    average.load_state_dict(model.state_dict())
    optimizer = make_optimizer(model, args)
    sides = [side for side, epochs in args.stages for _ in range(epochs)]
    first = resume(args, model, average, optimizer)

    for epoch in range(first, len(sides)):
        pictures = resized(args.work, sides[epoch])
        train_epoch(args, model, average, optimizer, pictures, labels, epoch, sides)
        top1 = accuracy(average, pictures[-HELD_OUT:], labels[-HELD_OUT:], args.batch)
        print(f"epoch {epoch + 1}/{len(sides)}: held-out top-1 {100 * top1:.2f} %", flush=True)
        save({"epoch": epoch + 1, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
              "average": average.state_dict()}, os.path.join(args.work, "resume.pth"))
        save({"model_state": average.state_dict(), "epoch": epoch + 1}, os.path.join(args.work, "latest.pth"))
    save({"model_state": average.state_dict()}, os.path.join(args.work, "final.pth"))
    print(f"done: {os.path.join(args.work, 'final.pth')}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default=os.path.join(fashion.HERE, "runs/fashion-mnist"),
                        help="folder for checkpoints and caches (default: %(default)s)")
    parser.add_argument("--stages", default="48x14,64x14", type=parse_stages,
                        help="input side x epochs, in order (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay of convolutions and classifier")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def parse_stages(text):
    return [tuple(map(int, stage.split("x"))) for stage in text.split(",")]


def make_optimizer(model, args):
    """AdamW; no weight decay for batch norms and biases."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": args.decay}, {"params": others, "weight_decay": 0}]
    return torch.optim.AdamW(groups, args.rate, betas=(0.9, 0.99))


def resume(args, model, average, optimizer):
    """Load the last checkpoint, if any; the epoch to start with."""
    path = os.path.join(args.work, "resume.pth")
    if not os.path.exists(path):
        return 0
    state = torch.load(path)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    print(f"resuming after epoch {state['epoch']}", flush=True)
    return state["epoch"]


def save(state, path):
    """Write atomically: a reader or an interruption sees the old file or the new one."""
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


def resized(work, side):
    """All training pictures at `side`, from the cache in `work`."""
    path = os.path.join(work, f"train-{side}.npy")
    if not os.path.exists(path):
        numpy.save(path + ".part.npy", fashion.resize(fashion.load("train")[0], side))
        os.replace(path + ".part.npy", path)
    return numpy.load(path, mmap_mode="r")


def train_epoch(args, model, average, optimizer, pictures, labels, epoch, sides):
    # All randomness comes from (seed, epoch): a resumed run repeats an uninterrupted one.
    rng = numpy.random.default_rng([args.seed, epoch])
    order = rng.permutation(len(pictures) - HELD_OUT)
    steps = len(order) // args.batch
    costs = [side ** 1.2 for side in sides]  # measured
    model.train()
    start, total_loss = time.time(), 0.0
    for step in range(steps):
        chosen = numpy.sort(order[step * args.batch:(step + 1) * args.batch])
        for group in optimizer.param_groups:
            group["lr"] = args.rate * schedule(epoch + step / steps, len(sides))
        scores = model(to_input(augment(pictures[chosen], rng)))
        loss = F.cross_entropy(scores, labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        update_average(average, model, epoch * steps + step)
        total_loss += loss.item()
        if (step + 1) % 50 == 0 or step + 1 == steps:
            seconds = time.time() - start
            rate = (step + 1) * args.batch / seconds
            left = seconds / (step + 1) * (steps - step - 1 + steps * sum(costs[epoch + 1:]) / costs[epoch])
            print(f"epoch {epoch + 1}/{len(sides)} {sides[epoch]} px, step {step + 1}/{steps}: "
                  f"loss {total_loss / (step + 1):.4f}, {rate:.0f} pictures/s, {left / 60:.0f} min left", flush=True)


def schedule(epoch, epochs):
    """Linear warm-up, then cosine to 0."""
    if epoch < WARM_UP:
        return (epoch + 0.01) / WARM_UP
    return 0.5 * (1 + numpy.cos(numpy.pi * (epoch - WARM_UP) / (epochs - WARM_UP)))


def augment(pictures, rng):
    """Mirror half of the pictures, shift by up to 1/14, erase a rectangle of half of them; uint8 [n, side, side]."""
    n, side, _ = pictures.shape
    margin = side // 14
    index = numpy.arange(side)
    padded = numpy.pad(pictures, ((0, 0), (margin, margin), (margin, margin)))
    rows = index + rng.integers(0, 2 * margin + 1, (n, 1))
    columns = numpy.where(rng.random((n, 1)) < 0.5, index, index[::-1]) + rng.integers(0, 2 * margin + 1, (n, 1))
    out = padded[numpy.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    for i in numpy.flatnonzero(rng.random(n) < 0.5):
        height, width = rng.integers(side // 8, side // 2, 2)
        top, left = rng.integers(0, side - height), rng.integers(0, side - width)
        out[i, top:top + height, left:left + width] = rng.integers(0, 256)
    return out


def to_input(pictures):
    """Normalised network input: the grey value in each of three channels."""
    x = (torch.from_numpy(pictures).float() / 255 - fashion.MEAN) / fashion.STD
    return x[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def update_average(average, model, step):
    """Move the averaged network, batch-norm statistics included, a little towards the trained one."""
    keep = min(1 - 1 / EMA_STEPS, (step + 1) / (step + 10))
    for ours, theirs in zip(average.state_dict().values(), model.state_dict().values()):
        if ours.is_floating_point():
            ours.lerp_(theirs, 1 - keep)
        else:
            ours.copy_(theirs)


@torch.no_grad()
def accuracy(model, pictures, labels, batch):
    model.eval()
    right = 0
    for i in range(0, len(pictures), batch):
        scores = model(to_input(numpy.array(pictures[i:i + batch])))
        right += (scores.argmax(1) == labels[i:i + batch]).sum().item()
    return right / len(pictures)


if __name__ == "__main__":
    main()
