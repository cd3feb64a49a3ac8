"""Every kind of valid checkpoint: names, order, shapes, types and values must be torch's."""

import argparse
import enum
import io
import os
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

import pickles as p
from dump import TORTURE, message, read

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bindings/python"))
from scarlet.reference import GENOTYPES, Scarlet

torch.set_num_threads(1)
LEGACY, ZIP = 1, 2
NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
formats = pytest.mark.parametrize("kind", [LEGACY, ZIP], ids=["legacy", "zip"])


def save(value, path, kind, protocol=2):
    torch.save(value, path, _use_new_zipfile_serialization=kind == ZIP, pickle_protocol=protocol)
    return path


def check(path, kind, expected):
    head, tensors = read(path)
    assert head == {"kind": kind, "metadata": {}}
    assert list(tensors) == list(expected)
    for name, value in expected.items():
        dtype, found = tensors[name]
        assert dtype == NAMES[value.dtype], name
        assert found.shape == tuple(value.shape), name
        assert np.array_equal(found, value.detach().double().numpy(), equal_nan=True), name


def every_view():
    """Tensors that share storages and view them in every way."""
    base = torch.arange(24.0).reshape(4, 6)
    image = torch.randn(2, 3, 4, 5)
    return OrderedDict(
        base=base, transposed=base.t(), window=base[1:3, 2:5], column=base[:, 4], every_third=base.flatten()[1::3],
        expanded=torch.randn(3, 1).expand(3, 5), broadcast=torch.tensor(2.5).expand(2, 2), diagonal=base.diagonal(),
        channels_last=image.contiguous(memory_format=torch.channels_last), permuted=image.permute(3, 1, 0, 2),
        scalar=torch.tensor(5.0), empty=torch.zeros(0, 3), empty_view=base[4:], rank8=torch.randn(1, 2, 1, 2, 1, 2, 1, 2),
        rank8_permuted=torch.randn(2, 3, 1, 2, 1, 2, 1, 2).permute(1, 0, 7, 2, 3, 4, 5, 6), ones=torch.randn(1, 1, 1)[:, 0],
        sparse=torch.randn(100_000)[7::9999], big=torch.randn(70, 300).t(), wide=torch.arange(20_000, dtype=torch.float64)[::2],
    )  # fmt: skip


def every_type():
    values = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 1e-7, 6.1e-5, float("inf"), float("-inf"), float("nan")])
    tensors = {str(t): values.to(t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    for t in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        info = torch.iinfo(t)
        tensors[str(t)] = torch.tensor([info.min + (t == torch.int64), info.max if t != torch.int64 else 2**53, 0, 1], dtype=t)
    tensors["int64"] = tensors["torch.int64"][1:]
    del tensors["torch.int64"]  # its smallest value is no double
    tensors["bool"] = torch.tensor([True, False])
    return tensors


def company():
    """What training scripts save beside the weights."""
    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters(), 0.1)
    module(torch.randn(2, 3)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    return {
        "epoch": 3, "accuracy": np.float64(76.9), "history": [0.1] * 2000, "best": None, "done": True, "seed": 2**80,
        "optimizer": optimizer.state_dict(), "scheduler": schedule.state_dict(), "args": argparse.Namespace(lr=0.1, path="x"),
        "criterion": torch.nn.CrossEntropyLoss(), "rng": torch.get_rng_state(), "numpy": np.random.get_state(), "matrix": np.eye(300),
        "device": torch.device("cuda:0"), "dtype": torch.float16, "set": {1, 2}, "frozen": frozenset("ab"), "bytes": b"b" * 300,
        "array": bytearray(300), "complex": 1j, "range": range(3), "size": torch.Size([1, 2]), "slice": slice(1, 2),
        "long": "x" * 2_000_000, "ema": OrderedDict(weight=torch.randn(5)), "model_ema": module.state_dict(), "negative": -(2**40),
    }  # fmt: skip


@formats
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols(tmp_path, kind, protocol):
    """All views, with everything else that is usual beside them, before and after."""
    others, views = company(), every_view()
    check(save({**others, "model_state": views, "last": others}, tmp_path / "x.pth.tar", kind, protocol), kind, views)


@formats
def test_types(tmp_path, kind):
    tensors = every_type()
    check(save({"model_state": tensors}, tmp_path / "x", kind), kind, tensors)


@formats
def test_parameters(tmp_path, kind):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    tensors = module.state_dict(keep_vars=True)
    marked = torch.nn.Parameter(torch.randn(3))
    marked.note = "an attribute"
    tensors["marked"] = marked
    plain = torch.randn(3)
    plain.note = {"an": "attribute"}
    tensors["plain"] = plain
    plain.requires_grad = True
    check(save({"model_state": tensors}, tmp_path / "x", kind), kind, tensors)


@formats
def test_prefix(tmp_path, kind):
    tensors = torch.nn.DataParallel(torch.nn.BatchNorm2d(4)).state_dict()
    assert all(n.startswith("module.") for n in tensors)
    plain = {n[7:]: t for n, t in tensors.items()}
    check(save({"model_state": tensors}, tmp_path / "all", kind), kind, plain)
    tensors["other"] = torch.zeros(2)
    check(save({"model_state": tensors}, tmp_path / "not-all", kind), kind, tensors)


@formats
@pytest.mark.parametrize("prefix", ["module.module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net.", "backbone.",
                                    "model.net._orig_mod.module.backbone.module."])  # fmt: skip
def test_wrappers(tmp_path, kind, prefix):
    """Of DDP, torch.compile, Lightning and the like, in any order and number."""
    plain = torch.nn.BatchNorm2d(4).state_dict()
    check(save({"model_state": {prefix + n: t for n, t in plain.items()}}, tmp_path / "x", kind), kind, plain)
    kept = {prefix + "other.a": torch.zeros(2), "stem.a": torch.ones(2)}
    check(save({"model_state": kept}, tmp_path / "kept", kind), kind, kept)
    check(save({"model_state": {prefix + "student.a": torch.zeros(2)}}, tmp_path / "unknown", kind), kind, {"student.a": torch.zeros(2)})


@formats
def test_bookkeeping(tmp_path, kind):
    """What averaging and profilers add is no part of the network, wherever wrappers put it."""
    averaged = torch.optim.swa_utils.AveragedModel(torch.nn.DataParallel(torch.nn.BatchNorm2d(4)))
    assert "n_averaged" in averaged.state_dict() and "module.module.weight" in averaged.state_dict()
    plain = averaged.module.module.state_dict()
    check(save({"model_state": averaged.state_dict()}, tmp_path / "averaged", kind), kind, plain)
    thop = {"total_ops": torch.zeros(1), "module.total_ops": torch.zeros(1), "module.total_params": torch.zeros(1), "module.conv.total_ops": torch.zeros(1),
            **{"module." + n: t for n, t in plain.items()}}  # fmt: skip
    check(save({"model_state": thop}, tmp_path / "thop", kind), kind, plain)
    for file in ({"model_state": {**plain, "n_averaged": 7}}, {**plain, "n_averaged": 7}):
        check(save(file, tmp_path / "number", kind), kind, plain)


KEYS = ["model_state", "state_dict", "model", "model_state_dict", "net", "params", "module"]
AVERAGED = ["ema", "state_dict_ema", "model_ema", "params_ema"]


@formats
@pytest.mark.parametrize("key", KEYS + AVERAGED)
def test_keys(tmp_path, kind, key):
    tensors = {"a": torch.randn(3), "b": torch.randn(2)}
    other = {"a": torch.zeros(3), "b": torch.zeros(2)}
    check(save({"optimizer": other, key: tensors, "epoch": 1}, tmp_path / "x", kind), kind, tensors)
    if key in KEYS:  # before averages, of which there may be several then
        check(save({**{name: other for name in AVERAGED}, key: tensors}, tmp_path / "averages", kind), kind, tensors)
    if key != "model_state":
        check(save({key: other, "model_state": tensors}, tmp_path / "both", kind), kind, tensors)
    check(save({"model": {"depth": 3}, "state_dict": {}, "model_state": tensors}, tmp_path / "y", kind), kind, tensors)


@formats
def test_lists(tmp_path, kind):
    """The first of a list that holds tensors."""
    tensors, other = {"a": torch.randn(3)}, {"a": torch.zeros(3)}
    optimizer = {"state": {0: {"momentum": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
    for value in ([tensors], [tensors, other], (optimizer, tensors), {"model": [tensors, other]}, {"state_dict": (5, tensors)}):
        check(save(value, tmp_path / "x", kind), kind, tensors)


@formats
def test_beside(tmp_path, kind):
    """What schedulers and arguments pickle beside the weights is not looked into."""
    class Level(enum.Enum):
        HIGH = 1

    module = torch.nn.Linear(2, 3)
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10)
    Level.__reduce_ex__ = lambda self, protocol: (getattr, (OrderedDict, "fromkeys"))  # as enumerations of Python 3.11 are
    data = {"scheduler": schedule.state_dict(), "args": argparse.Namespace(level=Level.HIGH), "model_state": module.state_dict()}
    path = save(data, tmp_path / "x", kind)
    assert b"getattr" in path.read_bytes()
    check(path, kind, module.state_dict())


def test_deflated(tmp_path):
    """As zip tools repack a checkpoint: some entries or all of them."""
    shared = torch.randn(60)
    tensors = {"a": torch.zeros(5000), "b": shared[:30], "c": shared[10:50].reshape(5, 8).T, "d": torch.randn(3).half(), "e": torch.empty(0)}
    data = {"model_state": tensors, "optimizer": {"x": torch.zeros(1_000_000)}}
    path = save(data, tmp_path / "stored", ZIP)
    names = zipfile.ZipFile(path).namelist()
    for chosen in (names, names[:1], names[-2:], [n for n in names if "/data/" in n], names[1::2]):
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "x", "w") as target:
            for name in names:
                target.writestr(name, source.read(name), zipfile.ZIP_DEFLATED if name in chosen else zipfile.ZIP_STORED)
        check(tmp_path / "x", ZIP, tensors)


def test_trailing_bytes(tmp_path):
    """Bytes after the end of a zip archive, as torch and Python read past them."""
    tensors = {"a": torch.randn(30)}
    path = save({"model_state": tensors}, tmp_path / "x", ZIP)
    good = path.read_bytes()
    for trailing in (b"x", bytes(512), b"PK\5\6", b"\r\n" * 1000, bytes(60_000)):
        path.write_bytes(good + trailing)
        check(path, ZIP, tensors)


@formats
def test_bare(tmp_path, kind):
    tensors = torch.nn.BatchNorm2d(4).state_dict()
    check(save(tensors, tmp_path / "x", kind), kind, tensors)


@formats
def test_names(tmp_path, kind):
    tensors = {"": torch.zeros(1), 'ü"\\\n😀': torch.ones(1), "n" * 70_000: torch.ones(2)}
    check(save({"model_state": tensors}, tmp_path / "x", kind), kind, tensors)


@formats
def test_many(tmp_path, kind):
    """More than a batch of 1000 items, and more memo entries than one byte counts."""
    tensors = {f"t{i}": torch.tensor([float(i)]) for i in range(2500)}
    check(save({"model_state": tensors}, tmp_path / "x", kind), kind, tensors)


@formats
def test_scarlet(tmp_path, kind):
    tensors = Scarlet(GENOTYPES["C"]).state_dict()
    check(save({"model_state": tensors}, tmp_path / "c.pth.tar", kind), kind, tensors)


# ---- Python 2 and old torch, emulated byte by byte ----

FLOATS = struct.pack("<6f", *range(6))


def python2(kind):
    """{"model_state": OrderedDict([[name, tensor], ...])} as cPickle of Python 2.7 writes it."""
    size = lambda *n: p.call(p.name("torch", "Size"), p.tuple_(*map(p.long, n)))
    view = (p.NONE,) if kind == LEGACY else ()
    store = p.tuple_(p.string("storage"), p.name("torch", "FloatStorage"), p.string("94213" * 4), p.string("cuda:0"), p.integer(6), *view) + p.PERSID
    rebuild = lambda v, *args: p.call(p.name("torch._utils", "_rebuild_tensor" + v), *args)
    hooks = p.call(p.name("collections", "OrderedDict"), p.EMPTY_LIST)
    pair = lambda n, t: p.list_(p.string(n), t)
    items = p.list_(
        pair("a", rebuild("_v2", store + p.put(1), p.long(0), size(2, 3), p.tuple_(p.long(3), p.long(1)), b"I00\n", hooks) + p.put(2)),
        pair("b", rebuild("", p.get(1), b"I2\n", size(2), p.tuple_(p.integer(2))) + p.put(3)),
        pair("c", p.get(2)),
    )
    order = p.name("collections", "OrderedDict") + items + b"\x85" + p.REDUCE + p.dict_((p.string("_metadata"), p.EMPTY_DICT)) + p.BUILD
    return p.dict_((p.string("epoch"), b"I1234567890123\n"), (p.string("lr"), b"G" + bytes(8)), (p.string("model_state"), order))


@formats
def test_python2(tmp_path, kind):
    path, key = tmp_path / "x.pth.tar", "94213" * 4
    path.write_bytes(
        p.legacy(python2(kind), [(key, 6, FLOATS)], keys=p.list_(p.string(key)))
        if kind == LEGACY
        else p.zip_checkpoint(python2(kind), [(key, FLOATS)])
    )
    a = torch.arange(6.0).reshape(2, 3)
    check(path, kind, {"a": a, "b": torch.tensor([2.0, 4.0]), "c": a})
    assert torch.equal(torch.load(path, map_location="cpu", encoding="latin1", weights_only=False)["model_state"]["b"], torch.tensor([2.0, 4.0]))


def test_storage_views(tmp_path):
    """torch 0.4 and older: a storage that is a part of another."""
    part = lambda first, length: p.tuple_(p.text("9"), p.integer(first), p.integer(length))
    path = tmp_path / "x"
    path.write_bytes(
        p.legacy(
            p.state(
                ("whole", p.tensor(p.storage("7", 6, view=p.NONE), (6,))),
                ("part", p.tensor(p.storage("7", 6, view=part(2, 3), location="cuda"), (2,), offset=1)),
            ),
            [("7", 6, FLOATS)],
        )
    )
    check(path, LEGACY, {"whole": torch.arange(6.0), "part": torch.tensor([3.0, 4.0])})
    assert torch.equal(torch.load(path, map_location="cpu")["model_state"]["part"], torch.tensor([3.0, 4.0]))


def test_legacy_order_and_trailing_bytes(tmp_path):
    """The list of keys counts, sorted or not; bytes after the last storage are ignored, as by torch."""
    path = tmp_path / "x"
    body = p.state(("a", p.tensor(p.storage("1", 4, view=p.NONE))), ("b", p.tensor(p.storage("0", 2, "DoubleStorage", view=p.NONE), (2,))))
    path.write_bytes(p.legacy(body, [("1", 4, FLOATS[:16]), ("0", 2, struct.pack("<2d", 7, 8))], trailing=b"trailing"))
    check(path, LEGACY, {"a": torch.arange(4.0), "b": torch.tensor([7.0, 8.0], dtype=torch.float64)})
    assert torch.equal(torch.load(path)["model_state"]["a"], torch.arange(4.0))


def test_newer_torch(tmp_path):
    """Calls that torch 2 writes: a Parameter with state, a seventh argument, a byte order."""
    args = [p.integer(0), p.tuple_(p.integer(4)), p.tuple_(p.integer(1)), p.FALSE, p.ordered()]
    with_state = p.call(p.name("torch._utils", "_rebuild_parameter_with_state"), p.tensor(p.storage()), p.TRUE, p.ordered(), p.dict_((p.text("x"), p.NONE)))
    seventh = p.call(p.REBUILD, p.storage(), *args, p.dict_())
    path = tmp_path / "x"
    path.write_bytes(
        p.zip_checkpoint(
            p.state(("a", with_state), ("b", seventh)),
            [("0", FLOATS[:16])],
            [("archive/byteorder", b"little"), ("archive/.format_version", b"1"), ("archive/.data/serialization_id", b"1" * 40)],
        )
    )
    check(path, ZIP, {"a": torch.arange(4.0), "b": torch.arange(4.0)})


def test_machine(tmp_path):
    """Opcodes that torch's own files rarely have: POP, POP_MARK, DUP, FRAME, sets, byte strings of 8-byte length."""
    junk = p.MARK + b"NNN1" + b"N0" + b"N20"  # leaves one None
    others = [
        junk, b"\x8f" + p.MARK + b"K\1K\2\x90", p.MARK + b"K\1\x91", b"\x8e" + struct.pack("<Q", 3) + b"abc",
        b"\x96" + struct.pack("<Q", 3) + b"abc", b"\x8d" + struct.pack("<Q", 3) + b"abc", b"\x8b" + struct.pack("<I", 2) + b"\xff\xff",
        b"B" + struct.pack("<I", 3) + b"abc", b"C\3abc", b"T" + struct.pack("<I", 3) + b"abc", b"\x8c\3abc", b"K\1\x85", b"K\1K\2\x86",
        b"K\1K\2K\3\x87", b"]K\1a", b"}K\1K\2s", b"\x8c\1m\x8c\1n\x93", p.name("m", "n") + b")}\x92", b"I01\n", b"I-9223372036854775808\n",
        b"\x95" + bytes(8) + b"N", p.name("m", "n") + b")\x81K\1a" + p.MARK + b"K\1e",
    ]  # fmt: skip
    body = p.dict_(*((p.integer(i), o) for i, o in enumerate(others)), (p.text("model_state"), p.dict_((p.text("a"), p.tensor(p.storage())))))
    for protocol in (2, 5):
        path = tmp_path / f"x{protocol}"
        path.write_bytes(p.zip_checkpoint(body, [("0", FLOATS[:16])], protocol=protocol))
        check(path, ZIP, {"a": torch.arange(4.0)})


# ---- archives ----


def test_archives(tmp_path):
    """What repacking, prefixes and comments change."""
    tensors = {"a": torch.randn(30), "b": torch.randn(3).half()}
    path = save({"model_state": tensors}, tmp_path / "ünï.cödé.pth", ZIP)
    assert len({n.split("/")[0] for n in zipfile.ZipFile(path).namelist()}) == 1  # the file's name, or "archive"
    check(path, ZIP, tensors)
    p.repack(path, tmp_path / "repacked")
    check(tmp_path / "repacked", ZIP, tensors)
    buffer = io.BytesIO()
    torch.save({"model_state": tensors}, buffer)
    (tmp_path / "archive").write_bytes(buffer.getvalue())
    check(tmp_path / "archive", ZIP, tensors)
    body = p.state(("a", p.tensor(p.storage())))
    for comment in (b"PK\5\6 a comment", b"x" * 65535):
        (tmp_path / "x").write_bytes(p.zip_checkpoint(body, [("0", FLOATS[:16])], comment=comment))
        check(tmp_path / "x", ZIP, {"a": torch.arange(4.0)})


def test_zip64_fields(tmp_path):
    """Fields of the directory that are given in the zip64 extra field."""

    def widen(directory):
        out = b""
        while directory:
            head, length = bytearray(directory[:46]), struct.unpack_from("<H", directory, 28)[0]
            size, place = struct.unpack_from("<I", head, 20)[0], struct.unpack_from("<I", head, 42)[0]
            struct.pack_into("<II", head, 20, 0xFFFFFFFF, 0xFFFFFFFF)
            struct.pack_into("<I", head, 42, 0xFFFFFFFF)
            struct.pack_into("<H", head, 30, 6 + 28)
            extra = b"xx\2\0ab" + struct.pack("<HHQQQ", 1, 24, size, size, place)
            out += bytes(head) + directory[46 : 46 + length] + extra
            directory = directory[46 + length :]
        return out

    path = tmp_path / "x"
    path.write_bytes(p.zip_checkpoint(p.state(("a", p.tensor(p.storage()))), [("0", FLOATS[:16])], patch=widen))
    check(path, ZIP, {"a": torch.arange(4.0)})
    assert torch.equal(torch.load(path)["model_state"]["a"], torch.arange(4.0))


# ---- robustness of valid files ----


def small_safetensors():
    header = b'{"__metadata__":{"k":"v"},"t":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(header)) + header + b"\0\x3c\0\x40"


@pytest.mark.parametrize("kind", ["legacy", "zip", "python2", "torch-legacy", "torch-zip", "safetensors"])
def test_torture(tmp_path, kind):
    """Cut at every length, changed at every byte, starved at every allocation."""
    views = {"a": torch.arange(4.0), "b": torch.arange(6.0).reshape(2, 3).t()}
    body = p.state(("a", p.tensor(p.storage(view=p.NONE if kind == "legacy" else b""))))
    path = tmp_path / "x"
    if kind.startswith("torch"):
        save({"epoch": 1, "model_state": views}, path, ZIP if kind == "torch-zip" else LEGACY)
    else:
        path.write_bytes(
            {
                "legacy": lambda: p.legacy(body, [("0", 4, FLOATS[:16])]),
                "zip": lambda: p.zip_checkpoint(body, [("0", FLOATS[:16])]),
                "python2": lambda: p.legacy(python2(LEGACY), [("94213" * 4, 6, FLOATS)]),
                "safetensors": small_safetensors,
            }[kind]()
        )
    done = subprocess.run([TORTURE, path], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and done.stdout.endswith(" 0 failed\n"), done.stdout + done.stderr
