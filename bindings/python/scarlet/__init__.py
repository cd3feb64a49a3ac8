"""SCARLET image classifiers on CPUs: Python side of libscarlet.

    import scarlet

    with scarlet.Model("model.safetensors") as model, model.session() as session:
        for class_id, probability, label in session.classify("picture.jpg", k=3):
            print(f"{probability:6.1%}  {label}")

`Model`, `Session` and `Image` hold objects of the library; `Session.infer` runs on numpy arrays. The library is loaded
when it is first needed (see `scarlet._library` for where it is looked for); `import scarlet` needs only numpy, and
`scarlet.reference`, the networks in PyTorch, needs no library at all.

Threads: a Model, an Image and Labels may be used by any number of threads; take one Session a thread.
"""

from ._library import build_info, version
from .errors import (ArgumentError, CorruptError, Error, FileError, FormatError, InternalError, LibraryError,
                     LimitError, ModelError, OutOfMemoryError, UnsupportedError)
from .image import Image, preprocess, probe
from .labels import Labels
from .log import LogCallback, LogLevel, set_log
from .model import Layer, Model, convert
from .options import Option
from .options import table as options
from .results import Prediction, softmax, topk
from .session import Session

__version__ = "0.1.0"

__all__ = [
    "ArgumentError", "CorruptError", "Error", "FileError", "FormatError", "Image", "InternalError", "Labels", "Layer",
    "LibraryError", "LimitError", "LogCallback", "LogLevel", "Model", "ModelError", "Option", "OutOfMemoryError",
    "Prediction", "Session", "UnsupportedError", "build_info", "convert", "options", "preprocess", "probe", "set_log",
    "softmax", "topk", "version",
]
