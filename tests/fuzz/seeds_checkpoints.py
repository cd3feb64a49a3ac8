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
    '{"__metadata__":{"a":"b"},"__metadata__":{}}', '{"__metadata__":{"a":"b","a":"c"}}', '{"__metadata__":{"scarlet.labels":"[\\"x\\",\\"\\\\u00e9\\"]"}}',
    '{"a":{"dtype":"F32","dtype":"F32"}}', '{"a":{"other":1}}', '{"a":{}}', '{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}',
    '{"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}', '{"a":1}', '{"a"}', '{,}', '{} x',
    '{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}', '{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}',
    '{"a":{"dtype":"F32","shape":[-1]}}', '{"\\ud800":1}', '{"\\ud800\\u0041":1}', '{"\\u0000":1}', '{"\\x":1}', '{"\\u12":1}', '{"\t":1}', '{"a', '{"a\\',
    '{"__metadata__":{}}', '{"__metadata__":{"scarlet.labels":"["}}', '{"__metadata__":{"a":"b"}x', '{"a":{"dtype":"F32","shape":[9223372036854775808]}}',
    '{"a":{"dtype":"F32"x', '{"a":{"dtype":"F32","shape":[1]}}', '{"a":{"dtype":1}}', '{"a":{1:1}}', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},1}',
    '{"\\u123x":1}', '{"\\ud83d\\u12', '{"__metadata__":{"a":1}}', '{"__metadata__":[]}', '{"a":{"dtype":"F32","shape":{}}}', '{"a":{"dtype":"F32","shape":[1}}}', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}',
    '{"\\udc00":1}', '{"\\u00e9\\u07ff\\ud83d\\ude00\\b\\f\\n\\r\\t\\/":1}', "{%s,%s}" % (ENTRY, ENTRY),
    "{}", "{%s}" % ENTRY, '{"b":{"shape":[],"data_offsets":[8,16],"dtype":"I64"},%s}' % ENTRY,
    '{"__metadata__":{"k\\u00e9\\ud83d\\ude00":"\\n\\"v","j":""},"module.a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}',
    '{"a":{"dtype":"BF16","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]}}', '{"a":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,8]}}',
]  # fmt: skip


SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
TORCH = {"F64": "DoubleStorage", "F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "I64": "LongStorage",
         "I32": "IntStorage", "I16": "ShortStorage", "I8": "CharStorage", "U8": "ByteStorage", "BOOL": "BoolStorage"}  # fmt: skip


def odd(store):
    """Bodies of rare kinds."""
    good = p.tensor(store)
    named = p.ordered((p.text("a"), good))
    yield p.dict_((p.text("model"), named), (p.text("state_dict"), named))
    yield p.dict_((p.text("model"), named), (p.text("epoch"), p.integer(3)))
    yield p.dict_((p.text("model_state"), p.ordered((p.text("a"), p.integer(1)))))
    yield p.dict_((p.text("model_state"), p.ordered((p.integer(1), good))))
    yield p.dict_((p.text("model_state"), p.call(p.name("numpy", "array"))))
    yield p.dict_((p.text("x"), p.integer(1)), *((p.text(c), p.NONE) for c in "bcdefg"))
    yield p.state(("a", p.tensor(store, (1,) * 9, (1,) * 9)))
    yield p.state(("module.a", good), ("module.b", good))
    yield p.state(("a", p.tensor(store, (2, 2), (1, 2))), ("b", p.tensor(store, (2, 2), (0, 1))), ("c", p.tensor(store, (), ())), ("d", p.tensor(store, (0,))))
    rebuild = p.name("torch._tensor", "_rebuild_from_type_v2")
    yield p.state(("a", p.call(rebuild, p.REBUILD, p.name("torch", "Tensor"), p.tuple_(store, p.integer(0), p.tuple_(p.integer(4)), p.tuple_(p.integer(1)), p.FALSE, p.ordered()), p.EMPTY_DICT)))  # fmt: skip
    opaque = p.call(p.name("numpy", "array"), p.integer(1))
    yield p.state(("a", p.call(p.REBUILD, opaque, p.integer(0), p.EMPTY_TUPLE, p.EMPTY_TUPLE)))
    yield p.dict_((p.text("model_state"), p.call(p.name("collections", "OrderedDict"), opaque)))
    yield p.state(("a", p.tuple_(p.text("module"), p.name("torch", "nn"), p.text("x"), p.text("y")) + p.PERSID))
    yield p.state(("a", p.tensor(p.tuple_(p.text("storage"), p.name("torch", "Other"), p.text("0"), p.text("cpu"), p.integer(4), p.NONE) + p.PERSID)))


def zip64(*values):
    return struct.pack("<HH", 1, 8 * len(values)) + b"".join(struct.pack("<Q", v) for v in values)


def widened(directory, extra):
    """The last entry's sizes and offset in a zip64 field, which is the extra field."""
    at = directory.rindex(b"PK\1\2")
    entry = bytearray(directory[at:])
    saturated = len(extra) // 8
    for i, place in enumerate((24, 20, 42)):
        if i < saturated:
            entry[place : place + 4] = b"\xff" * 4
    entry[30:32] = struct.pack("<H", len(extra))
    return directory[:at] + bytes(entry) + extra


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
    for store in (hostile.STORE, hostile.LEGACY_STORE):
        for body in odd(store):
            if store is hostile.STORE:
                yield "zip", p.zip_checkpoint(body, [("0", floats)])
            else:
                yield "legacy", p.legacy(body, [("0", 4, floats)])
    good = p.state(("a", hostile.GOOD))
    for extra in (("archive/constants.pkl", b"."), ("archive/code/.data/ts_code", b""), ("other/data.pkl", b"."), ("archive/byteorder", b"big"),
                  ("archive/data/0", floats)):  # fmt: skip
        yield "zip", p.zip_checkpoint(good, [("0", floats)], [extra])
    for extra in (zip64(16, 16, 0), zip64(16, 16), zip64(16)[:-1], zip64()[:3], b"\2\0\1\0x" + zip64(16, 16, 0), zip64(2**60, 2**60, 0)):
        yield "zip", p.zip_checkpoint(good, [("0", floats)], patch=lambda directory: widened(directory, extra))
    yield "zip", p.zip_checkpoint(good, [("0", floats)])[:-22] + b"PK\5\6" + bytes(18)
    for data, _ in hostile.FOREIGN.values():
        yield "safetensors", data
    for dtype in ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL", "F8"):
        entry = '{"a":{"dtype":"%s","shape":[2],"data_offsets":[0,%d]}}' % (dtype, SIZES.get(dtype, 1) * 2)
        yield "safetensors", struct.pack("<Q", len(entry)) + entry.encode() + bytes((0, 60, 255, 127, 1, 131, 0, 252) * 2)[: SIZES.get(dtype, 1) * 2]
        yield "legacy", p.legacy(p.state(("a", p.tensor(p.storage(kind=TORCH.get(dtype, "X"), view=p.NONE)))), [("0", 4, bytes(range(4 * SIZES.get(dtype, 1))))])
    yield "safetensors", valid.small_safetensors()
    for bad in (b"\xff" * 8 + b"{}", b"\2\0\0\0\0\0\0\0{", b"\3" + bytes(7) + b"{\xff}", struct.pack("<Q", 2**63) + b"{}", b"\1" + bytes(7) + b"{{"):
        yield "safetensors", bad
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
