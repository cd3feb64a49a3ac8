"""Options as keyword arguments, checked through the library's own table.

`table()` lists them. A value is an integer, a bool, or the name of a value (`layout="nhwc"`); `mean` and `std` are
three numbers, or one for all. A name that the call does not use, or a value out of bounds, raises ArgumentError.
"""

import ctypes
import difflib
import functools
import operator
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import _library, log
from ._library import Handle, library
from .errors import ArgumentError, OutOfMemoryError

MODEL, SESSION, PICTURE = range(1, 100), range(100, 200), range(200, 300)
NORMALIZATION = ("mean", "std")
DECODING = ("max_pixels", "auto_orient", "decode", "resize")  # resize: for decode="fast"


class Option(NamedTuple):
    """A row of the library's table. A default below the minimum is not fixed: `help` says what holds."""

    key: int
    name: str
    minimum: int
    maximum: int
    default: int
    help: str
    values: Mapping[int, str]


@functools.lru_cache(maxsize=None)
def table() -> Mapping[str, Option]:
    """Every option by name."""
    rows: Dict[str, Option] = {}
    key, name, help = ctypes.c_int32(), ctypes.c_char_p(), ctypes.c_char_p()
    minimum, maximum, default = ctypes.c_int64(), ctypes.c_int64(), ctypes.c_int64()
    outputs = [ctypes.byref(out) for out in (key, name, minimum, maximum, default, help)]
    while library().scarlet_option_describe(len(rows), *outputs) == 0:
        assert name.value is not None and help.value is not None
        values: Dict[int, str] = {}
        if value_name(key.value, default.value) is not None:
            for value in range(minimum.value, maximum.value + 1):
                known = value_name(key.value, value)
                if known is not None:
                    values[value] = known
        rows[name.value.decode()] = Option(key.value, name.value.decode(), minimum.value, maximum.value,
                                           default.value, help.value.decode(), values)
    return rows


def value_name(key: int, value: int) -> Optional[str]:
    """The name of an option's value; None if it has none."""
    return _library.text(library().scarlet_option_value_name(key, value))


@functools.lru_cache(maxsize=None)
def names(block: range) -> Tuple[str, ...]:
    """The options of a block: what a call with such options takes."""
    found = tuple(name for name, option in table().items() if option.key in block)
    return found + NORMALIZATION if block is PICTURE else found


class Options:
    """Keyword arguments as the library's options; no object is made if there are none, and no log."""

    def __init__(self, settings: Mapping[str, Any], known: Sequence[str], base: Optional[Handle] = None) -> None:
        """`known` are the options that the call uses; `base` is an options object to add the settings to."""
        self.handle = base
        for name, value in settings.items():
            if name not in known:
                raise ArgumentError(_unknown(name, known))
            self._set(name, value)
        wanted = log.current()
        if wanted is not None and base is None:
            callback, level = wanted
            made = self._made()
            made.keeps = callback  # for as long as the library may call it
            library().scarlet_options_set_log(made, callback, None, level)

    def get(self, name: str) -> int:
        """The value in force: set, else default."""
        if self.handle is None:
            return table()[name].default
        value = ctypes.c_int64()
        _library.call("scarlet_options_get", self.handle, table()[name].key, ctypes.byref(value))
        return value.value

    def _set(self, name: str, value: Any) -> None:
        if name in NORMALIZATION:
            numbers = [value] if isinstance(value, (int, float)) else value
            self._parse(f"{name}={','.join(repr(float(number)) for number in numbers)}")
        elif isinstance(value, str):
            if "," in value:  # would begin another option
                raise ArgumentError(f"option {name}: {value!r} has a comma")
            self._parse(f"{name}={value}")
        else:
            _library.call("scarlet_options_set", self._made(), table()[name].key, operator.index(value))

    def _parse(self, text: str) -> None:
        _library.call("scarlet_options_parse", self._made(), _library.string(text, "option"))

    def _made(self) -> Handle:
        if self.handle is None:
            made = library().scarlet_options_create()
            if not made:
                raise OutOfMemoryError("out of memory")
            self.handle = Handle(made, library().scarlet_options_free)
        return self.handle


def _unknown(name: str, known: Sequence[str]) -> str:
    if name in table() or name in NORMALIZATION:
        return f"option {name} has no meaning here; known are {', '.join(known)}"
    near = difflib.get_close_matches(name, known, 1)
    return f"unknown option {name}; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")
