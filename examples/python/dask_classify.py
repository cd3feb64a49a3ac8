#!/usr/bin/env python3
"""A listing of pictures, classified on a Dask cluster: dask_classify.py MODEL LISTING [SCHEDULER]

LISTING names a picture a line; model and pictures are read by the workers, so all must see them under the same paths.
Without a SCHEDULER (tcp://host:8786) a cluster is made of this machine's CPUs: one process each, one session each.
Prints "picture<TAB>class<TAB>probability" a line as results come; a picture that cannot be read gives its error.

A worker that is lost costs the partitions it had in hand and those whose results it still held: Dask gives them to
another one, and as a partition depends on nothing but its arguments, the result is the same.
"""

import contextlib
import sys
import tempfile

from distributed import Client, LocalCluster, as_completed, get_worker

import scarlet

PARTITION = 32  # pictures that a worker takes at once


def session(model_path):
    """One a worker, made when it gets its first partition."""
    sessions = get_worker().__dict__.setdefault("scarlet_sessions", {})
    if model_path not in sessions:
        sessions[model_path] = scarlet.Model(model_path).session()
    return sessions[model_path]


def classify_partition(pictures, model_path):
    """[(picture, answer, probability)]"""
    found = []
    for picture in pictures:
        try:
            best = session(model_path).classify(picture, k=1)[0]
            found.append((picture, best.label or str(best.class_id), best.score))
        except scarlet.Error as error:
            found.append((picture, f"error: {error}", 0.0))
    return found


def classify_listing(client, model_path, pictures, partition=PARTITION):
    """Results of all pictures, in the order in which they are ready."""
    parts = [pictures[i:i + partition] for i in range(0, len(pictures), partition)]
    futures = client.map(classify_partition, parts, model_path=model_path, pure=False)
    for future in as_completed(futures):
        yield from future.result()


def main(model_path, listing, scheduler=None):
    with open(listing) as file:
        pictures = [line.rstrip("\n") for line in file if line.strip()]
    cluster = contextlib.nullcontext(scheduler) if scheduler else LocalCluster(
        threads_per_worker=1, dashboard_address=None, local_directory=tempfile.gettempdir())
    with cluster as address, Client(address) as client:
        for picture, answer, probability in classify_listing(client, model_path, pictures):
            print(picture, answer, f"{probability:.4f}", sep="\t")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.splitlines()[0])
    main(*sys.argv[1:])
