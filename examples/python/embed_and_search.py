#!/usr/bin/env python3
"""The pictures most like one: embed_and_search.py MODEL QUERY PICTURE...

A network's features, the vector before its classifier, describe a picture also where its classes do not fit. Pictures
are alike whose vectors have a large cosine.
"""

import sys

import numpy as np

import scarlet


def embed(model, pictures):
    """One unit vector a picture: then a dot product is the cosine."""
    with model.session(output="features", batch_max=8, threads=0) as session:
        vectors = session.features(pictures)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def search(vectors, query, count=5):
    """(index, cosine) of the nearest vectors, nearest first."""
    cosines = vectors @ query
    return [(i, cosines[i]) for i in np.argsort(-cosines, kind="stable")[:count]]


def main(model_path, query, *pictures):
    with scarlet.Model(model_path) as model:
        vectors = embed(model, pictures)  # of a collection: to be kept with np.save
        for i, cosine in search(vectors, embed(model, [query])[0]):
            print(f"{cosine:6.3f}  {pictures[i]}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__.splitlines()[0])
    try:
        main(*sys.argv[1:])
    except scarlet.Error as error:
        sys.exit(str(error))
