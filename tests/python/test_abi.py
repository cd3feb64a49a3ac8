"""Every function of the header, bound by machine: resolved in the library, called, and as the package declares it."""

import ctypes
import os
import subprocess
import sys

import pytest
from header import Header, prototypes_agree, same
from scarlet import _abi, errors

ALL, STABLE = Header("SCARLET_EXPERIMENTAL"), Header()
PACKAGE = {**_abi.FUNCTIONS, **_abi.EXPERIMENTAL}


def test_the_header_was_read():
    assert len(STABLE.functions) >= 48
    assert set(ALL.structs) == {"scarlet_error", "scarlet_prediction"}
    assert ALL.constants["SCARLET_ERROR_MODEL"] == -8


def test_names():
    assert set(_abi.FUNCTIONS) == set(STABLE.functions)
    assert set(_abi.EXPERIMENTAL) == set(ALL.functions) - set(STABLE.functions)


@pytest.mark.parametrize("name", ALL.functions)
def test_prototype(name):
    assert prototypes_agree(PACKAGE[name], ALL.functions[name]), (PACKAGE[name], ALL.functions[name])


@pytest.mark.parametrize("name", ALL.functions)
def test_a_wrong_prototype_is_seen(name):
    right = ALL.functions[name]
    others = [ctypes.c_double, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64), None]
    wrong = [right[:-1], (*right, ctypes.c_int)]
    wrong += [(*right[:i], other, *right[i + 1:]) for i in range(len(right)) for other in others
              if other is not right[i]]
    assert not any(prototypes_agree(prototype, right) for prototype in wrong)


def test_frozen_structs():
    for name, ours, size in (("scarlet_error", _abi.ErrorStruct, 256), ("scarlet_prediction", _abi.PredictionStruct, 8)):
        assert same(ours, ALL.structs[name]) and ctypes.sizeof(ALL.structs[name]) == size


@pytest.mark.parametrize("prefix, enum", [
    ("SCARLET_INFO_", _abi.Info), ("SCARLET_PIXELS_", _abi.Pixels), ("SCARLET_LAYOUT_", _abi.Layout),
    ("SCARLET_OUTPUT_", _abi.Output), ("SCARLET_FILE_", _abi.File), ("SCARLET_LAYER_", _abi.LayerKind)])
def test_numbers(prefix, enum):
    declared = {name[len(prefix):]: value for name, value in ALL.constants.items()
                if name.startswith(prefix) and not name.endswith("_INT")}
    assert {member.name: int(member) for member in enum} == declared


def test_one_exception_a_status():
    declared = {name[len("SCARLET_ERROR_"):]: value for name, value in ALL.constants.items()
                if name.startswith("SCARLET_ERROR_")}
    assert set(errors.BY_STATUS) == set(declared.values())
    special = {"MEMORY": "OutOfMemoryError", "IO": "FileError"}
    for name, value in declared.items():
        assert errors.BY_STATUS[value].__name__ == special.get(name, name.capitalize() + "Error")
    assert ALL.constants["SCARLET_FILTER_BILINEAR"] == _abi.FILTER_BILINEAR


def call_all():
    """Calls every function with zeros; one that describes its failure must have failed as a wrong call."""
    library = ctypes.CDLL(os.environ["SCARLET_LIBRARY"])
    for name, (result, *arguments) in ALL.functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
        zeros = [kind() if issubclass(kind, ctypes._CFuncPtr) else 0 if issubclass(kind, (ctypes.c_long, ctypes.c_ulong,
                 ctypes.c_int, ctypes.c_uint)) else None for kind in arguments]
        describes = arguments and same(arguments[-1], ctypes.POINTER(_abi.ErrorStruct))
        error = ALL.structs["scarlet_error"]()
        if describes:
            zeros[-1] = ctypes.byref(error)
        answer = function(*zeros)
        if describes:
            assert answer == error.status == -1 and error.message, (name, answer, error.message)
    print(len(ALL.functions))


def test_every_function_can_be_called():
    result = subprocess.run([sys.executable, __file__], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, f"{len(ALL.functions)}\n"), result.stderr


if __name__ == "__main__":
    call_all()
