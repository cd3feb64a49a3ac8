#!/usr/bin/env python3
"""The three best classes of pictures: classify.py MODEL PICTURE..."""

import sys

import scarlet


def main(model_path, *pictures):
    with scarlet.Model(model_path) as model, model.session() as session:
        for picture in pictures:
            print(picture)
            for class_id, probability, label in session.classify(picture, k=3):
                print(f"  {probability:6.1%}  {label or class_id}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except scarlet.Error as error:
        sys.exit(str(error))
