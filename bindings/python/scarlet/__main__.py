"""python -m scarlet MODEL PICTURE...: the most probable classes of pictures."""

import argparse
import sys

from . import Error, Model, build_info


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scarlet", description="Prints the most probable classes of pictures.",
        epilog="python -m scarlet.compare and python -m scarlet.verify compare the library with PyTorch.")
    parser.add_argument("model", help="a checkpoint: .pth.tar, .pth or .safetensors")
    parser.add_argument("pictures", nargs="+", metavar="picture", help="a JPEG or PNG file")
    parser.add_argument("-k", type=int, default=5, help="number of classes (5)")
    parser.add_argument("--version", action="version", version=_version())
    arguments = parser.parse_args()
    failed = 0
    try:
        session = Model(arguments.model).session()
    except Error as error:
        parser.exit(3, f"{parser.prog}: {error}\n")
    for picture in arguments.pictures:
        try:
            best = session.classify(picture, arguments.k)
        except Error as error:
            print(f"{parser.prog}: {error}", file=sys.stderr)
            failed = 1
            continue
        print(picture)
        for class_id, score, label in best:
            print(f"  {score:6.1%}  {label or f'class {class_id}'}")
    return failed


def _version() -> str:
    try:
        return build_info()
    except Error as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
