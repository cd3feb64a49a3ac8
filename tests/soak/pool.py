"""Writes valid models and pictures of many kinds, for soak.c:  pool.py FOLDER"""

import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "network"), str(TESTS / "image")]

import pictures  # noqa: E402
from networks import Member, build, reference, save_safetensors  # noqa: E402


def models(folder):
    for i, genotype in enumerate(["e3k3", "e6k5se", "e3k7,id,e6k3se"]):
        rest = ["id"] * (len(reference.DEFAULT_SPACE.layers) - genotype.count(",") - 1)
        genotype = reference.parse_genotype(",".join([genotype] + rest))
        state = build(Member("", genotype, reference.DEFAULT_SPACE, 3 + i)).state_dict()
        torch.save({"model_state": state, "epoch": i}, folder / f"{i}.pth.tar",
                   _use_new_zipfile_serialization=i == 1)
    for i in range(12):
        layers = [f"{4 * random.randint(2, 6)}:{random.randint(1, 2)}" for _ in range(4)]
        text = f"stem={4 * random.randint(2, 6)} tail={8 * random.randint(2, 9)} layers=" + ",".join(layers)
        space = reference.parse_space(text)
        member = Member("", reference.random_genotype(random.Random(i), space), space, 2 + i)
        save_safetensors(build(member).state_dict(), folder / f"{i}.safetensors",
                         {"scarlet.space": text, "scarlet.input_size": "32"})


def photographs(folder):
    rng = np.random.default_rng(0)
    sizes = [(1, 1), (7, 300), (333, 33), (64, 48), (320, 240), (1024, 768)]
    for i, (width, height) in enumerate(sizes):
        picture = Image.fromarray(pictures.scene(rng, width, height))
        for sampling in range(3):
            picture.save(folder / f"{i}-{sampling}.jpg", subsampling=sampling, quality=60 + 10 * i)
        picture.save(folder / f"{i}-progressive.jpg", progressive=True)
        for mode in "L", "CMYK":
            picture.convert(mode).save(folder / f"{i}-{mode}.jpg", optimize=True)
        for mode in "1", "L", "LA", "P", "RGB", "RGBA":
            picture.convert(mode).save(folder / f"{i}-{mode}.png")
    for kind, depths in pictures.DEPTHS.items():
        for depth in depths:
            samples = rng.integers(0, 1 << depth, (37, 53, pictures.CHANNELS[kind]))
            palette = bytes(3 << depth) if kind == pictures.PALETTE else None
            data = pictures.png(samples, kind, depth, rng, interlace=True, palette=palette)
            (folder / f"{kind}-{depth}-interlaced.png").write_bytes(data)


if __name__ == "__main__":
    random.seed(0)
    torch.manual_seed(0)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    models(target)
    photographs(target)
