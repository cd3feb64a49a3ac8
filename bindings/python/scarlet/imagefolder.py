"""The samples of a folder, in torchvision's ImageFolder order: a folder a class, classes in byte order."""

import os
from typing import List, NamedTuple

from ._library import PathName
from .errors import ArgumentError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class Sample(NamedTuple):
    path: str
    class_id: int


def samples(root: PathName) -> List[Sample]:
    """Every picture below `root` with its class: the place of its folder among those of the root."""
    root = os.fspath(root)
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    if not classes:
        raise ArgumentError(f"{root}: no folders; expected one a class")
    found: List[Sample] = []
    for class_id, name in enumerate(classes):
        before = len(found)
        for folder, _, files in sorted(os.walk(os.path.join(root, name), followlinks=True)):  # by the whole path
            found += [Sample(os.path.join(folder, file), class_id) for file in sorted(files)
                      if file.lower().endswith(EXTENSIONS)]
        if len(found) == before:
            raise ArgumentError(f"{os.path.join(root, name)}: no pictures ({' '.join(EXTENSIONS)})")
    return found
