#!/usr/bin/python3
"""Write test pictures of Fashion-MNIST as 28 x 28 grey PNG files.

By default all 10,000, in a folder a class (FOLDER/03-dress/0042.png, the number is the place in the test set). With
--first N the first N pictures of each class, side by side (FOLDER/03-dress-0042.png): so examples/pictures was made.
"""

import argparse
import os

import numpy
from PIL import Image

import fashion


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--first", type=int, metavar="N")
    args = parser.parse_args()

    pictures, labels = fashion.load("t10k")
    for label in range(len(fashion.LABELS)):
        separator = "/" if args.first is None else "-"
        for i in numpy.flatnonzero(labels == label)[:args.first]:
            path = os.path.join(args.folder, f"{fashion.class_name(label)}{separator}{i:04}.png")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.fromarray(pictures[i]).save(path, optimize=True)


if __name__ == "__main__":
    main()
