"""Finding libscarlet and calling it.

The library is looked for when it is first needed, so that `import scarlet` works without it:

1. the file that the environment variable SCARLET_LIBRARY names; if it is set, nothing else is tried;
2. `libscarlet.so.0` in the folder of this package;
3. `libscarlet.so.0` wherever the loader looks (LD_LIBRARY_PATH, the system's folders).
"""

import copy
import ctypes
import functools
import os
from pathlib import Path
from typing import Any, Callable, NoReturn, Optional, TypeVar, Union

from . import _abi, errors

NAME = "libscarlet.so.0"

PathName = Union[str, "os.PathLike[str]"]
T = TypeVar("T")


def find() -> str:
    """What is given to the loader: a path, or the bare name."""
    named = os.environ.get("SCARLET_LIBRARY")
    if named:
        return named
    beside = Path(__file__).parent / NAME
    return str(beside) if beside.exists() else NAME


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """The loaded library with its prototypes. Calls release the interpreter lock."""
    name = find()
    try:
        loaded = ctypes.CDLL(name)
    except OSError as error:
        raise errors.LibraryError(f"{error}; install {NAME} or set SCARLET_LIBRARY to its path") from None
    for table, needed in ((_abi.FUNCTIONS, True), (_abi.EXPERIMENTAL, False)):
        for function, (result, *arguments) in table.items():
            try:
                bound = getattr(loaded, function)
            except AttributeError:
                if needed:
                    raise errors.LibraryError(f"{name}: no function {function}: older than this package") from None
                continue
            bound.restype, bound.argtypes = result, arguments
    return loaded


class Handle:
    """Owns one object of the library and frees it when nothing refers to it any more.

    It is passed to the library itself, not its address: so a running call, as an array over the object's memory, keeps
    the object, and closing it while another thread uses it is safe. `keeps` is what the object needs to outlive it.
    """

    __slots__ = ("_as_parameter_", "keeps", "_free")

    def __init__(self, address: int, free: Callable[[ctypes.c_void_p], None], keeps: Any = None) -> None:
        self._as_parameter_ = ctypes.c_void_p(address)
        self.keeps, self._free = keeps, free

    def __del__(self) -> None:
        self._free(self._as_parameter_)


class Shared:
    """An immutable object of the library: copies share it, other processes cannot."""

    def __copy__(self: T) -> T:
        made = self.__class__.__new__(self.__class__)
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self: T, memo: Any) -> T:
        return copy.copy(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"scarlet.{type(self).__name__} cannot be pickled: it is memory of this process; make another "
                        "from the same file in the other process")


def call(function: str, *arguments: Any) -> None:
    """Calls a function that returns a status and describes its failure in its last argument."""
    error = _abi.ErrorStruct()
    status = getattr(library(), function)(*arguments, ctypes.byref(error))
    if status != 0:
        raise errors.make(status, error.detail, error.message.decode("utf-8", "replace"))


def create(function: str, *arguments: Any, free: str, keeps: Any = None) -> Handle:
    """Calls a function that makes an object."""
    out = ctypes.c_void_p()
    call(function, *arguments, ctypes.byref(out))
    assert out.value is not None
    return Handle(out.value, getattr(library(), free), keeps)


def text(value: Optional[bytes]) -> Optional[str]:
    """A string that the library returned."""
    return None if value is None else value.decode("utf-8", "replace")


def string(value: str, what: str) -> bytes:
    """A string argument."""
    return _whole(value.encode("utf-8"), what)


def path(value: PathName) -> bytes:
    """A path argument."""
    return _whole(os.fsencode(value), "path")


def _whole(value: bytes, what: str) -> bytes:
    if b"\0" in value:  # C would read only up to it
        raise errors.ArgumentError(f"{what} {value!r} holds a NUL byte")
    return value


def version() -> str:
    """Version of the library that is used."""
    return text(library().scarlet_version_string()) or ""


def build_info() -> str:
    """One line about the library for bug reports: versions, instruction sets."""
    return text(library().scarlet_build_info()) or ""
