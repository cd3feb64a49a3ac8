"""Writes seeds for the fuzzers of checkpoints: checkpoint_seeds.py FOLDER makes FOLDER/{legacy,zip,safetensors,pickle}.

Every variant and every lie of tests/formats, a few hundred bytes each."""

import argparse
import os
import struct
import sys
from collections import OrderedDict

import torch

os.environ.update({v: "" for v in ("SCARLET_DUMP", "SCARLET_TORTURE", "SCARLET_FORMATS") if v not in os.environ})
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../formats"))
import pickles as p
import test_checkpoints as valid
import test_hostile as hostile

ENTRY = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
HEADERS = [
    "{}", "{%s}" % ENTRY, '{"b":{"shape":[],"data_offsets":[8,16],"dtype":"I64"},%s}' % ENTRY,
    '{"__metadata__":{"k\\u00e9\\ud83d\\ude00":"\\n\\"v","j":""},"module.a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}',
    '{"a":{"dtype":"BF16","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]}}', '{"a":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,8]}}',
]  # fmt: skip


def seeds():
    """(kind, bytes)"""
    floats, key = hostile.FLOATS, "94213" * 4
    for body, _ in hostile.MACHINE.values():
        yield "pickle", p.pickled(body)
        yield "zip", p.zip_checkpoint(body, [("0", floats)])
        yield "legacy", p.legacy(body, [("0", 4, floats)])
    for arguments, _ in hostile.LIES.values():
        yield "zip", p.zip_checkpoint(p.state(("a", p.tensor(hostile.STORE, **arguments))), [("0", floats)])
        yield "legacy", p.legacy(p.state(("a", p.tensor(hostile.LEGACY_STORE, **arguments))), [("0", 4, floats)])
    for patch, _ in hostile.ARCHIVES.values():
        yield "zip", p.zip_checkpoint(p.state(("a", hostile.GOOD)), [("0", floats)], [("archive/byteorder", b"little")], patch=patch)
    yield "legacy", p.legacy(valid.python2(valid.LEGACY), [(key, 6, valid.FLOATS)], keys=p.list_(p.string(key)))
    yield "zip", p.zip_checkpoint(valid.python2(valid.ZIP), [(key, valid.FLOATS)])
    small = {"a": torch.arange(6.0).reshape(2, 3).t(), "b": torch.ones(2).half(), "c": torch.tensor(3), "d": torch.zeros(2, 2)[:, 1].bool()}
    values = [
        {"model_state": OrderedDict(small), "epoch": 1, "args": argparse.Namespace(a=1), "set": {1}},
        small,
        {"state_dict": torch.nn.DataParallel(torch.nn.BatchNorm2d(2)).state_dict(keep_vars=True)},
    ]
    for kind, name in ((valid.LEGACY, "legacy"), (valid.ZIP, "zip")):
        for protocol in (2, 4, 5):
            for value in values:
                with open(valid.save(value, "seed.tmp", kind, protocol), "rb") as f:
                    yield name, f.read()
                os.unlink("seed.tmp")
    yield "safetensors", valid.small_safetensors()
    for header in HEADERS:
        for size in (8, 16):
            yield "safetensors", struct.pack("<Q", len(header)) + header.encode() + bytes(range(size))


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    for i, (kind, data) in enumerate(seeds()):
        os.makedirs(kind, exist_ok=True)
        with open(f"{kind}/{i:04}", "wb") as f:
            f.write(data)
