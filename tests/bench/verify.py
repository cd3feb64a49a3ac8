#!/usr/bin/python3
"""Pictures a second of `scarlet verify`, beside the bound set by its steps and beside PyTorch.

    tests/bench/verify.py --scarlet build/src/scarlet [--count 2000] [--folder /tmp/bench-pictures]

Pictures: JPEGs of ImageNet-like sizes (short side 300 to 500, quality 75 to 95) cut from the photographs that
python3-skimage holds. Model: SCARLET-A of random weights, input 224. PyTorch: torchvision's ImageFolder and DataLoader with
Pillow, as the authors' evaluation, at its best number of workers, batch and threads. Needs Debian's python3-torch,
python3-torchvision, python3-skimage. Give each its turn on an idle machine: the rounds are interleaved, medians are shown.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from torchvision import transforms
from torchvision.datasets import ImageFolder

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "network"))
from networks import Member, build, reference, save_safetensors  # noqa: E402

PHOTOGRAPHS = ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg",
               "ihc.png", "hubble_deep_field.jpg", "retina.jpg", "brick.png", "grass.png", "gravel.png"]
CLASSES = 10


def make_pictures(folder, count):
    import skimage
    held = Path(skimage.__file__).parent / "data"
    photographs = [Image.open(held / name).convert("RGB") for name in PHOTOGRAPHS if (held / name).exists()]
    rng = random.Random(1)
    for i in range(count):
        path = folder / str(i % CLASSES) / f"{i:05d}.jpg"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        photograph, short, ratio = rng.choice(photographs), rng.randint(300, 500), rng.uniform(1, 1.5)
        size = (short, round(short * ratio)) if rng.random() < 0.3 else (round(short * ratio), short)
        scale = max(size[0] / photograph.width, size[1] / photograph.height, rng.uniform(0.6, 1))
        source = photograph.resize((max(size[0], round(photograph.width * scale)), max(size[1], round(photograph.height * scale))),
                                   Image.LANCZOS)
        x, y = rng.randint(0, source.width - size[0]), rng.randint(0, source.height - size[1])
        source.crop((x, y, x + size[0], y + size[1])).save(path, quality=rng.randint(75, 95))


def verify(scarlet, model, folder):
    """Its JSON, and the milliseconds of CPU time that a picture took, loading of the model included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([scarlet, "verify", "--json", "--quiet", "--class-order", "folders", "-m", model, folder], check=True, capture_output=True)
    after, found = resource.getrusage(resource.RUSAGE_CHILDREN), json.loads(result.stdout)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found, 1000 * used / found["total"]


def steps(scarlet, model, pictures):
    """Milliseconds of decoding, preprocessing and inference, each by itself, mean of the pictures."""
    totals = {}
    for path in pictures:
        result = subprocess.run([scarlet, "bench", "--json", "--runs", "15", "-m", model, path], check=True, capture_output=True)
        for row in json.loads(result.stdout)["steps"]:
            totals.setdefault(row["name"], []).append(row["median_ms"])
    return {name: statistics.mean(totals[name]) for name in ("decode", "preprocess", "infer")}


@torch.no_grad()
def pytorch(module, data, workers, batch, threads):
    torch.set_num_threads(threads)
    loader = torch.utils.data.DataLoader(data, batch_size=batch, num_workers=workers)
    start = time.perf_counter()
    for pictures, _ in loader:
        module(pictures.contiguous(memory_format=torch.channels_last)).topk(5, 1)
    return len(data) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scarlet", required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--sample", type=int, default=200, help="pictures for PyTorch's settings")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/bench-pictures"))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    make_pictures(args.folder / "all", args.count)
    module = build(Member("bench", reference.GENOTYPES["A"], reference.DEFAULT_SPACE, CLASSES)).eval()
    module.to(memory_format=torch.channels_last)  # the faster layout of Debian's PyTorch
    model = args.folder / "scarlet-a.safetensors"
    save_safetensors(module.state_dict(), model, {"scarlet.format": "1"})
    files = sorted((args.folder / "all").rglob("*.jpg"))
    print(f"{len(files)} pictures, {sum(path.stat().st_size for path in files) / len(files) / 1024:.0f} KB each", flush=True)

    data = ImageFolder(str(args.folder / "all"), transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
    sample = torch.utils.data.Subset(data, random.Random(2).sample(range(len(data)), min(args.sample, len(data))))
    cpus = len(os.sched_getaffinity(0))
    settings = {}
    for workers in sorted({0, 1, cpus}):
        for batch in (16, 64):
            for threads in sorted({1, cpus}):
                settings[workers, batch, threads] = pytorch(module, sample, workers, batch, threads)
    best = max(settings, key=settings.get)
    for key, rate in settings.items():
        print("PyTorch: {} workers, batch {}, {} threads: {:.1f} pictures a second".format(*key, rate), flush=True)

    ours, theirs, alone, used = [], [], [], []
    for _ in range(args.rounds):
        alone.append(steps(args.scarlet, model, random.Random(3).sample(files, 20)))
        result, milliseconds = verify(args.scarlet, model, args.folder / "all")
        used.append(milliseconds)
        ours.append(result["pictures_per_second"])
        theirs.append(pytorch(module, sample, *best))
    one = {name: statistics.median(row[name] for row in alone) for name in alone[0]}
    bound, found, other = result["workers"] * 1000 / sum(one.values()), statistics.median(ours), statistics.median(theirs)
    print("Steps alone: " + ", ".join(f"{name} {value:.2f} ms" for name, value in one.items()))
    print(f"scarlet verify: {found:.1f} pictures a second, {100 * found / bound:.0f} % of the {bound:.1f} that the steps alone allow "
          f"on {result['workers']} CPUs")
    print(f"CPU time: {statistics.median(used):.2f} ms a picture, {sum(one.values()):.2f} ms in the steps alone")
    print("PyTorch: {:.1f} with {} workers, batch {}, {} threads; scarlet verify is {:.1f} times as fast".format(
        other, *best, found / other))


if __name__ == "__main__":
    main()
