"""Exceptions, one a status of the library; the text is the library's own."""

from typing import Dict, Type


class Error(Exception):
    """Any failure. `status` is the number of the status, `detail` the errno of a FileError, else 0."""

    status = 0
    detail = 0


class LibraryError(Error, ImportError):
    """libscarlet cannot be loaded, or is older than this package."""


class ArgumentError(Error, ValueError):
    """The call itself is wrong: fix the caller."""

    status = -1


class OutOfMemoryError(Error, MemoryError):
    """Out of memory or threads."""

    status = -2


class FileError(Error, OSError):
    """The operating system refused; `errno` says why."""

    status = -3

    @property
    def errno(self) -> int:  # type: ignore[override]
        return self.detail


class FormatError(Error):
    """Not a file of this kind at all."""

    status = -4


class CorruptError(Error):
    """A file of this kind, but damaged."""

    status = -5


class UnsupportedError(Error):
    """Valid, but the library does not do it."""

    status = -6


class LimitError(Error):
    """Larger than a limit in the options."""

    status = -7


class ModelError(Error):
    """A checkpoint, but not of this family of networks."""

    status = -8


class InternalError(Error):
    """A fault of libscarlet: please report it."""

    status = -9


BY_STATUS: Dict[int, Type[Error]] = {
    kind.status: kind
    for kind in (ArgumentError, OutOfMemoryError, FileError, FormatError, CorruptError, UnsupportedError, LimitError,
                 ModelError, InternalError)
}


def make(status: int, detail: int, message: str) -> Error:
    """The exception of a failed call."""
    error = BY_STATUS.get(status, Error)(message)
    error.status, error.detail = status, detail
    return error
