"""What carries no promise: the outputs of every layer."""

import ctypes
from typing import Any, List, NamedTuple, Tuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi, _library
from .errors import UnsupportedError
from .session import Session


class Traced(NamedTuple):
    """What one layer put out for one picture."""

    picture: int
    layer: int
    name: str
    values: NDArray[np.float32]
    """height x width x channels"""
    nanoseconds: int


def trace(session: Session, pictures: ArrayLike) -> Tuple[NDArray[np.float32], List[Traced]]:
    """`session.infer(pictures)`, and every layer's output in order of execution."""
    if not hasattr(_library.library(), "scarlet_session_set_trace"):
        raise UnsupportedError("this libscarlet cannot trace")
    found: List[Traced] = []

    def keep(_: Any, picture: int, layer: int, name: bytes, shape: Any, values: Any, nanoseconds: int) -> None:
        array = np.ctypeslib.as_array(values, shape=tuple(shape[:3])).copy()
        found.append(Traced(picture, layer, name.decode(), array, nanoseconds))

    callback = _abi.Trace(keep)
    handle = session._use()
    _library.call("scarlet_session_set_trace", handle, callback, None)
    try:
        return session.infer(pictures), found
    finally:
        _library.call("scarlet_session_set_trace", handle, _abi.Trace(0), None)
