"""Memory that numpy and the library share."""

import ctypes
from typing import Any, Tuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import Handle
from .errors import ArgumentError

_floats_type = ctypes.POINTER(ctypes.c_float)


def floats(array: NDArray[np.float32]) -> Any:
    """`float *` of a contiguous array; the caller keeps the array."""
    return array.ctypes.data_as(_floats_type)


def as_floats(values: ArrayLike) -> NDArray[np.float32]:
    """Floating-point values as contiguous float32: the very same memory if they are that already."""
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        raise ArgumentError(f"values are {array.dtype}; expected float32, or floats to convert")
    return np.ascontiguousarray(array, np.float32)


def output(out: Any, shape: Tuple[int, ...]) -> NDArray[np.float32]:
    """The caller's array to write to, checked, or a new one."""
    if out is None:
        return np.empty(shape, np.float32)
    if not (isinstance(out, np.ndarray) and out.dtype == np.float32 and out.shape == shape
            and out.flags.c_contiguous and out.flags.writeable):
        found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ArgumentError(f"out is {found}; expected a contiguous, writeable float32 array of shape {shape}")
    return out


class _Owner:
    """Lends memory of an object of the library to numpy, whose arrays then keep the object."""

    def __init__(self, handle: Handle, address: int, shape: Tuple[int, ...], strides: Tuple[int, ...], kind: str,
                 writeable: bool) -> None:
        self._handle = handle
        self.__array_interface__ = {"data": (address, not writeable), "shape": shape, "strides": strides,
                                    "typestr": kind, "version": 3}


def view(handle: Handle, address: int, shape: Tuple[int, ...], strides: Tuple[int, ...], kind: str,
         writeable: bool) -> NDArray[Any]:
    """An array over memory that belongs to `handle`."""
    return np.asarray(_Owner(handle, address, shape, strides, kind, writeable))


def contents(source: Any) -> Any:
    """The rest of an open file; anything else as it is."""
    if not hasattr(source, "read"):
        return source
    data = source.read()
    if isinstance(data, str):
        raise ArgumentError("a file opened for text; open it with mode 'rb'")
    return data


def raw(data: Any) -> Tuple[NDArray[np.uint8], int]:
    """Bytes of anything that has a buffer, and their number; the array is never empty, so that it has an address."""
    flat = memoryview(data).cast("B")
    return (np.frombuffer(flat, np.uint8) if flat.nbytes else np.zeros(1, np.uint8)), flat.nbytes
