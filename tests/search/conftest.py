"""libscarlet-nas through ctypes: what no command shows."""

import ctypes
import os

import pytest


class Nas:
    def __init__(self):
        self.library = ctypes.CDLL(os.environ["SCARLET_NAS_LIBRARY"])
        self.library.scarlet_space_text.restype = ctypes.c_char_p

    def call(self, name, *arguments):
        error = ctypes.create_string_buffer(256)
        status = getattr(self.library, f"scarlet_{name}")(*arguments, error)
        if status:
            raise ValueError(error.raw[8:].split(b"\0")[0].decode())

    def space(self, text):
        """Of a name or a text."""
        space = ctypes.c_void_p()
        self.call("space_parse" if "\n" in text else "space_load", text.encode(), ctypes.byref(space))
        return space

    def text(self, space):
        return self.library.scarlet_space_text(space).decode()

    def sample(self, space, sampling, seed, index):
        genotype = ctypes.create_string_buffer(512)
        self.call("space_sample", space, sampling, ctypes.c_uint64(seed), ctypes.c_uint64(index), genotype)
        return genotype.value.decode()

    def costs(self, space, genotype):
        macs, parameters = ctypes.c_int64(), ctypes.c_int64()
        self.call("space_costs", space, genotype.encode(), ctypes.byref(macs), ctypes.byref(parameters))
        return macs.value, parameters.value


@pytest.fixture(scope="session")
def nas():
    return Nas()
