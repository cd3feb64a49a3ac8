"""Preprocessing of files beside Pillow and torchvision, of frames beside an inference; what decode=fast changes.

    SCARLET_LIBRARY=build/lib/libscarlet.so.0 PYTHONPATH=bindings/python tests/bench/pictures.py DECODE [--pictures 10000]

DECODE is the program of decode.c, which times the bare decoder, beside libscarlet in the same process.

Times are minima of runs in turns, one thread. Agreement is that of the demonstration model on Fashion-MNIST test
pictures, enlarged, with grain, as JPEG; Debian's dataset-fashion-mnist has them.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

import scarlet
from scarlet.reference import GENOTYPES, Scarlet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES.parent / "tests" / "demonstration"))
import fashion  # noqa: E402

NORMALIZE = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
REFERENCE = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), NORMALIZE])


def jpeg(picture, width, height, grain, rng, filter=Image.BICUBIC):
    """A picture enlarged, with noise of a standard deviation of `grain` in its brightness."""
    pixels = np.asarray(Image.fromarray(picture).convert("RGB").resize((width, height), filter), np.float32)
    pixels = np.clip(pixels + rng.normal(0, grain, (height, width, 1)).astype(np.float32), 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def best(steps, runs):
    times = dict.fromkeys(steps, float("inf"))
    for _ in range(runs):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name] = min(times[name], 1000 * (time.perf_counter() - start))
    return times


def bare(program, data):
    """Milliseconds: libjpeg-turbo's bare decoding, exact preprocessing."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        return map(float, subprocess.run([program, file.name], check=True, capture_output=True).stdout.split())


def speed(program, rng):
    torch.set_num_threads(1)
    coarse = rng.integers(0, 256, (30, 40, 3), np.uint8)
    print("### From a JPEG to a network's input\n\nMilliseconds, one thread, minima of runs in turns.\n")
    print("| JPEG | MB | Pillow and torchvision, ms | decode=exact | decode=fast |\n|---|---|---|---|---|")
    for width, height, grain in ((500, 375, 4), (4000, 3000, 2), (4000, 3000, 4), (4000, 3000, 8)):
        data = jpeg(coarse, width, height, grain, rng)
        times = best({
            "reference": lambda: REFERENCE(Image.open(io.BytesIO(data)).convert("RGB")),
            "exact": lambda: scarlet.preprocess(data),
            "fast": lambda: scarlet.preprocess(data, decode="fast"),
        }, 15 if width > 1000 else 100)
        ratios = [f"{times[name]:.2f} ({times['reference'] / times[name]:.2f} times as fast)" for name in ("exact", "fast")]
        print(f"| {width} x {height} | {len(data) / 1e6:.2f} | {times['reference']:.2f} | {' | '.join(ratios)} |")
    decoding, exact = bare(program, jpeg(coarse, 500, 375, 4, rng))
    print(f"\nIn C, 500 x 375: exact preprocessing takes {exact:.3f} ms, {exact / decoding:.2f} times libjpeg-turbo's "
          f"bare decoding to RGB rows ({decoding:.3f} ms).")


def frames(rng):
    """Of a camera, beside what SCARLET-A takes in float32."""
    file = io.BytesIO()
    torch.save(Scarlet(GENOTYPES["A"]).state_dict(), file)
    session = scarlet.Session(scarlet.Model(file.getvalue()))
    images = {"NV12": scarlet.Image(rng.integers(0, 256, (1080 * 3 // 2, 1920), np.uint8), pixels="nv12"),
              "RGBA": scarlet.Image(rng.integers(0, 256, (1080, 1920, 4), np.uint8))}
    tensor = session.preprocess(images["RGBA"])
    steps = {name: lambda image=image: session.preprocess(image, out=tensor) for name, image in images.items()}
    times = best({**steps, "infer": lambda: session.infer(tensor[None])}, 200)
    print("\n### From a frame to a network's input\n\nBeside an inference of SCARLET-A in float32.\n")
    print("| Frame of 1920 x 1080 | preprocessed, ms | of an inference |\n|---|---|---|")
    for name in images:
        print(f"| {name} | {times[name]:.2f} | {100 * times[name] / times['infer']:.0f} % of {times['infer']:.2f} ms |")


def agreement(count, rng):
    session = scarlet.Session(scarlet.Model(fashion.MODEL))
    pictures, labels = fashion.load("t10k")
    print("\n### What decode=fast changes\n\nThe demonstration model, Fashion-MNIST test pictures enlarged, with "
          "grain, as JPEG.\n")
    print("| Enlarged to | pictures | decoded at | top-1, exact | top-1, fast | agree | mean difference of logits | "
          "std of logits |\n|---|---|---|---|---|---|---|---|")
    for shrink, n in (2, count), (4, count), (8, count // 10):
        side, scores = shrink * 128, {"exact": [], "fast": []}
        for picture in pictures[:n]:
            data = jpeg(picture, side, side, 6, rng)
            for decode, rows in scores.items():
                rows.append(session.infer(session.preprocess(data, decode=decode)))
        exact, fast = (np.array(rows) for rows in scores.values())
        right = [100 * np.mean(rows.argmax(1) == labels[:n]) for rows in (exact, fast)]
        agree = 100 * np.mean(exact.argmax(1) == fast.argmax(1))
        print(f"| {side} x {side} | {n} | 1/{shrink} | {right[0]:.2f} | {right[1]:.2f} | {agree:.2f} % | "
              f"{np.abs(exact - fast).mean():.3f} | {exact.std():.2f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="DECODE")
    parser.add_argument("--pictures", type=int, default=10000)
    arguments = parser.parse_args()
    speed(arguments.program, np.random.default_rng(1))
    frames(np.random.default_rng(3))
    agreement(arguments.pictures, np.random.default_rng(2))
