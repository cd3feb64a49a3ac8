"""Pictures and a space for tests that train supernets by the command."""

import numpy as np
from PIL import Image

SPACE = """space stem=16 tail=24 layers=8:1,16:2,16:1
choices e3k3,e3k3|e6k5se,e3k3|e6k7se|id
input_size 18
"""


def write(folder):
    """photos/: three classes of patterns, 80 pictures each; space.txt: a space of six networks that suits them."""
    rng = np.random.RandomState(1)
    for name in ("ash", "birch", "cedar"):
        (folder / "photos" / name).mkdir(parents=True)
        pattern = rng.rand(18, 18, 3)
        for i in range(80):
            pixels = 255 * (0.6 * pattern + 0.4 * rng.rand(18, 18, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "photos" / name / f"{i}.png")
    (folder / "space.txt").write_text(SPACE)
    return folder
