"""Files that are no checkpoints, or that make false claims: each gives its exact message, within 2 s, 512 MiB of address space
and 256 KiB of stack, and nothing in them is run."""

import itertools
import os
import pickle
import struct
import subprocess
import threading
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

import pickles as p
from dump import message, read, run

FLOATS = struct.pack("<4f", *range(4))
STORE = p.storage()
LEGACY_STORE = p.storage(view=p.NONE)
GOOD = p.tensor(STORE)


def write(folder, data):
    path = folder / "x"
    path.write_bytes(data)
    return path


def zipped(folder, body, records=(("0", FLOATS),), **options):
    return message(write(folder, p.zip_checkpoint(body, records, **options)))


def legacy(folder, body, storages=(("0", 4, FLOATS),), **options):
    return message(write(folder, p.legacy(body, storages, **options)))


# ---- not a checkpoint at all ----

FOREIGN = {
    "empty": (b"", "the file is empty"),
    "html": (b"<!DOCTYPE html><html>", "looks like an HTML page (a failed download?)"),
    "html-spaced": (b"\xef\xbb\xbf\n  <html lang=de>", "looks like an HTML page (a failed download?)"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "looks like a git-lfs pointer (the file itself was not fetched: git lfs pull)"),
    "gzip": (b"\x1f\x8b\x08\x00", "looks like a gzip file (unpack it first)"),
    "xz": (b"\xfd7zXZ\0", "looks like an xz file (unpack it first)"),
    "bzip2": (b"BZh9", "looks like a bzip2 file (unpack it first)"),
    "zstd": (b"\x28\xb5\x2f\xfd", "looks like a zstd file (unpack it first)"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "looks like a 7z file (unpack it first)"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "looks like an HDF5 file (Keras?)"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x05", "looks like an ONNX model"),
    "gguf": (b"GGUF\3\0\0\0", "looks like a GGUF file"),
    "npy": (b"\x93NUMPY\1\0", "looks like a NumPy array"),
    "png": (b"\x89PNG\r\n\x1a\n", "looks like a PNG picture"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "looks like a JPEG picture"),
    "tflite": (b"\x1c\0\0\0TFL3", "looks like a TensorFlow Lite model"),
    "tar": (b"data.txt".ljust(257, b"\0") + b"ustar\0", "looks like a tar archive (unpack it first)"),
    "torch-tar": (b"storages".ljust(257, b"\0") + b"ustar  \0", "looks like a tar archive made by torch before 0.1.10; load it with such a torch and save its state_dict() again"),
    "index": (b'{"metadata": {"total_size": 5}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}',
              "looks like the index of a model in several files (model.safetensors.index.json); join them into one safetensors file"),
    "json": (b'{"meta":{"a":1}}', "looks like JSON text"),
    "text": (b"hello world, this is text", "neither a torch file nor safetensors"),
    "protocol 0": (b"(dp0\n.", "neither a torch file nor safetensors"),
    "pickle": (pickle.dumps({"model_state": {"a": 1}}, 2), "a pickle that was not made by torch.save"),
    "pickle 5": (pickle.dumps([1.5, "x"], 5), "a pickle that was not made by torch.save"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign(tmp_path, kind):
    data, what = FOREIGN[kind]
    assert message(write(tmp_path, data)) == "format: X: not a checkpoint: " + what


def test_foreign_zip(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    assert message(tmp_path / "x.npz") == "format: X: not a checkpoint: a zip archive without data.pkl (not made by torch.save)"
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("models/scarlet-a.pth.tar", b"")
    assert message(tmp_path / "x") == "format: X: not a checkpoint: a zip archive with models/scarlet-a.pth.tar in it (unpack it first)"


def test_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert message(tmp_path / "fifo") == "io: X: a pipe or device, not a regular file"
    assert message(tmp_path) == "io: X: a directory, not a regular file"
    assert message("/dev/zero") == "io: X: a pipe or device, not a regular file"
    assert message("/proc/self/maps") == "format: X: not a checkpoint: the file is empty"
    assert message(tmp_path / "none") == "io: X: No such file or directory"


# ---- whole modules, other objects, no state dict ----


@pytest.mark.parametrize("new", [False, True], ids=["legacy", "zip"])
def test_modules(tmp_path, new):
    save = lambda value: torch.save(value, tmp_path / "x", _use_new_zipfile_serialization=new)
    save(torch.nn.Conv2d(3, 4, 3))
    assert message(tmp_path / "x") == "unsupported: X: a pickled module of class torch.nn.modules.conv.Conv2d; save model.state_dict() instead"
    save({"epoch": 1, "model": torch.nn.Conv2d(3, 4, 3)})
    assert message(tmp_path / "x") == "unsupported: X: model: value is made by the global 'torch.nn.modules.conv.Conv2d', which libscarlet does not run"
    save({"model_state": torch.nn.Conv2d(3, 4, 3)})
    assert message(tmp_path / "x") == "unsupported: X: model_state: value is made by the global 'torch.nn.modules.conv.Conv2d', which libscarlet does not run"
    save({"model_state": {"a": torch.zeros(2), "b": np.zeros(2)}})
    numpy = np.zeros(2).__reduce__()[0].__module__  # numpy.core.multiarray, or numpy._core.multiarray since 2.0
    assert message(tmp_path / "x") == f"unsupported: X: tensor b: value is made by the global '{numpy}._reconstruct', which libscarlet does not run"
    save({"model_state": {"a": torch.zeros(2, dtype=torch.complex64)}})
    assert message(tmp_path / "x") == (
        "unsupported: X: tensor a: value is made by the global 'torch.ComplexFloatStorage', which libscarlet does not run"
    )
    save({"model_state": {"a": torch.eye(2).to_sparse()}})
    assert message(tmp_path / "x") == "unsupported: X: tensor a: value is made by the global 'torch._utils._rebuild_sparse_tensor', which libscarlet does not run"
    save({"model_state": {"a": torch.zeros(2), "epoch": 3}})
    assert message(tmp_path / "x") == "model: X: model_state: 'epoch' is not a tensor"
    save({"model_state": {"a": torch.zeros(2), 7: torch.zeros(2)}})
    assert message(tmp_path / "x") == "corrupt: X: model_state: a key that is not a name"
    save({"model_state": [torch.zeros(2)]})
    assert message(tmp_path / "x") == "model: X: model_state: not a state dict"
    save({"state_dict": {"a": torch.zeros(2)}, "model": {"a": torch.zeros(2)}})
    assert message(tmp_path / "x") == "model: X: both 'state_dict' and 'model' hold tensors; keep one, as 'model_state'"
    save({"ema": {"a": torch.zeros(2)}, "model_ema": {"a": torch.zeros(2)}})
    assert message(tmp_path / "x") == "model: X: both 'ema' and 'model_ema' hold tensors; keep one, as 'model_state'"
    save({"weights": {"a": torch.zeros(2)}, "epoch": 1, 3: 4})
    assert message(tmp_path / "x") == "model: X: no state dict: expected one under the key 'model_state', found the keys 'weights', 'epoch'"
    parameter = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([parameter], 0.1, momentum=0.9)
    save(optimizer.state_dict())
    assert message(tmp_path / "x") == "model: X: the state of an optimizer, not of a network; the weights are in another file"
    save({str(i): i for i in range(9)})
    assert message(tmp_path / "x") == "model: X: no state dict: expected one under the key 'model_state', found the keys '0', '1', '2', '3', '4', ..."
    plain = {"a": torch.zeros(2), "b": torch.zeros(2)}
    save({**plain, "epoch": 3})
    assert message(tmp_path / "x") == "model: X: state dict: 'epoch' is not a tensor"
    save({**plain, "c": torch.zeros(2, dtype=torch.complex64)})
    assert message(tmp_path / "x") == (
        "unsupported: X: tensor c: value is made by the global 'torch.ComplexFloatStorage', which libscarlet does not run"
    )
    save({})
    assert message(tmp_path / "x") == "model: X: no state dict: expected one under the key 'model_state', found the keys (none)"
    save([torch.zeros(2)])
    assert message(tmp_path / "x") == "model: X: no state dict: it holds no dict"
    save({"model_state": {"a": torch.zeros([1] * 9)}})
    assert message(tmp_path / "x") == "unsupported: X: tensor a: 9 dimensions; at most 8 are read"


def test_torchscript(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "x"))
    assert message(tmp_path / "x") == "unsupported: X: a TorchScript archive; save model.state_dict() instead"


# ---- code ----

DANGEROUS = ["os.system", "posix.system", "nt.system", "sys.exit", "subprocess.Popen", "os.path.join", "__builtin__.eval", "__builtin__.execfile",
             "builtins.exec", "builtins.eval", "builtins.__import__", "builtins.compile", "os.system.__call__"]  # fmt: skip
CURIOUS = ["builtins.getattr", "__builtin__.getattr", "operator.attrgetter", "enum.Enum", "webbrowser.open", "pip.main", "runpy.run_path", "torch.load", "numpy.load", "builtins.print", "osx.system", "torch.storage._load_from_bytes"]


def payload(dotted, canary, stack_global=False):
    module, attribute = dotted.split(".", 1) if dotted != "os.path.join" else ("os.path", "join")
    function = p.text(module) + p.text(attribute) + b"\x93" if stack_global else p.name(module, attribute)
    return p.call(function, p.text(f"touch {canary}"))


@pytest.mark.parametrize("stack_global", [False, True], ids=["global", "stack-global"])
@pytest.mark.parametrize("dotted", DANGEROUS)
def test_dangerous(tmp_path, dotted, stack_global):
    """The mere name refuses the file, wherever it stands; nothing runs."""
    canary = tmp_path / "canary"
    bomb = payload(dotted, canary, stack_global)
    shown = dotted if dotted != "os.path.join" else "os.path.join"
    start = f"unsupported: X: refused: its pickle names the global '{shown}' at byte "
    bodies = [bomb, p.dict_((p.text("junk"), bomb)), p.state(("a", bomb)), bomb + b"0" + p.state(("a", GOOD)),
              p.state(("a", p.call(p.name("torch._tensor", "_rebuild_from_type_v2"), bomb, p.NONE, p.tuple_(), p.NONE)))]  # fmt: skip
    for body in bodies:
        assert zipped(tmp_path, body).startswith(start)
        assert legacy(tmp_path, body).startswith(start)
    good = p.legacy(p.state(("a", p.tensor(LEGACY_STORE))), [("0", 4, FLOATS)])
    stops = [i + 1 for i in range(len(good)) if good.startswith(b"\x80\x02", i)]
    assert len(stops) == 5  # the bomb leads each of the five pickles
    for at in stops:
        assert message(write(tmp_path, good[: at + 1] + bomb + b"0" + good[at + 1 :])).startswith(start)
    assert not canary.exists()


@pytest.mark.parametrize("dotted", CURIOUS)
def test_curious(tmp_path, dotted):
    """Other names are data: harmless beside the weights, refused among them; nothing runs."""
    canary = tmp_path / "canary"
    call = payload(dotted, canary)
    built = call + p.dict_((p.text("x"), p.NONE)) + p.BUILD + p.MARK + p.text("a") + p.NONE + b"u" + p.MARK + p.NONE + b"e"
    path = write(tmp_path, p.zip_checkpoint(p.dict_((p.text("junk"), built), (p.text("model_state"), p.dict_((p.text("a"), GOOD)))), [("0", FLOATS)]))
    assert list(read(path)[1]) == ["a"]
    end = f"value is made by the global '{dotted}', which libscarlet does not run"
    assert zipped(tmp_path, p.state(("a", built))) == "unsupported: X: tensor a: " + end
    assert zipped(tmp_path, p.dict_((p.text("model_state"), built))) == "unsupported: X: model_state: " + end
    assert zipped(tmp_path, p.state(("a", p.call(p.REBUILD, built, p.integer(0), p.tuple_(), p.tuple_())))) == "unsupported: X: tensor a: " + end
    assert zipped(tmp_path, p.state(("a", p.call(p.name("torch._utils", "_rebuild_parameter"), built)))) == "unsupported: X: tensor a: " + end
    assert not canary.exists()


def test_calls_to_the_system():
    """The readers' object code calls nothing but lib/common, itself and a few functions on memory: so no name
    in a file can be run or opened."""
    table = subprocess.run(["nm", os.environ["SCARLET_FORMATS"]], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in table.splitlines() if line.endswith(tuple("abcdefghijklmnopqrstuvwxyz_0123456789"))]
    needed = {name for kind, name in symbols if kind == "U" and not name.startswith(("scarlet__", "__"))}
    assert needed <= {"_GLOBAL_OFFSET_TABLE_", "bcmp", "memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strrchr", "strcmp", "strlen", "strncmp", "snprintf",
                      "inflate", "inflateEnd", "inflateInit2_"}, needed
    assert ["T", "scarlet__tensors_open"] in symbols


def test_python_exploit(tmp_path):
    """As pickle itself writes one, in torch's own envelope."""
    canary = tmp_path / "canary"

    class Exploit:
        def __reduce__(self):
            return os.system, (f"touch {canary}",)

    for new in (False, True):
        torch.save({"model_state": OrderedDict(a=torch.zeros(2)), "x": Exploit()}, tmp_path / "x", _use_new_zipfile_serialization=new)
        assert message(tmp_path / "x").startswith("unsupported: X: refused: its pickle names the global 'posix.system' at byte ")
    assert not canary.exists()


def test_odd_names(tmp_path):
    """A message is one line of UTF-8 whatever a file calls its things; run() decodes strictly."""
    odd = p.text(b"\xff\n\x1b[31m\xc3")
    made = p.call(odd + p.text("f") + b"\x93")
    assert zipped(tmp_path, p.state(("a", made))) == "unsupported: X: tensor a: value is made by the global '???[31m?.f', which libscarlet does not run"
    assert zipped(tmp_path, p.dict_((odd, p.NONE))).endswith("found the keys '???[31m?'")
    assert "ü'" in zipped(tmp_path, p.dict_((p.text("ü" * 20), p.NONE)))
    for length in range(30, 70):  # cut somewhere in a character
        assert "no state dict" in zipped(tmp_path, p.dict_((p.text("ü€" * length), p.NONE)))
        assert zipped(tmp_path, p.state(("ü€" * length, p.call(p.name("m", "n"))))).startswith("unsupported: X: tensor ü€ü€")
    assert zipped(tmp_path, p.dict_((p.text("model_state"), p.dict_((odd, GOOD))))) == "corrupt: X: model_state: a key that is not a name"


# ---- lying tensors ----

BIG = 2**62
LIES = {
    "negative size": (dict(size=(-4,)), "a negative size, stride or offset"),
    "negative stride": (dict(stride=(-1,)), "a negative size, stride or offset"),
    "negative offset": (dict(offset=-1), "a negative size, stride or offset"),
    "size": (dict(size=(5,)), "[5]: needs element 4 of storage 0, which has 4"),
    "stride": (dict(stride=(2,)), "[4]: needs element 6 of storage 0, which has 4"),
    "offset": (dict(offset=1), "[4]: needs element 4 of storage 0, which has 4"),
    "offset of a scalar": (dict(size=(), stride=(), offset=4), "[]: needs element 4 of storage 0, which has 4"),
    "sum of strides": (dict(size=(2, 2), stride=(2, 2)), "[2, 2]: needs element 4 of storage 0, which has 4"),
    "huge size": (dict(size=(BIG,)), "[4611686018427387904]: needs element 2^63 of storage 0, which has 4"),
    "product wraps": (dict(size=(2**32, 2**32), stride=(0, 0)), "[4294967296, 4294967296]: needs element 2^63 of storage 0, which has 4"),
    "stride wraps": (dict(size=(3,), stride=(BIG,)), "[3]: needs element 2^63 of storage 0, which has 4"),
    "sum wraps": (dict(size=(2, 2, 2), stride=(BIG, BIG, 1)), "[2, 2, 2]: needs element 2^63 of storage 0, which has 4"),
    "offset wraps": (dict(size=(2,), stride=(1,), offset=2**63 - 1), "[2]: needs element 2^63 of storage 0, which has 4"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_lying_tensors(tmp_path, lie):
    arguments, what = LIES[lie]
    separator = " " if what.startswith("[") else ": "
    assert zipped(tmp_path, p.state(("a", p.tensor(STORE, **arguments)))) == f"corrupt: X: tensor a{separator}{what}"
    assert legacy(tmp_path, p.state(("a", p.tensor(LEGACY_STORE, **arguments)))) == f"corrupt: X: tensor a{separator}{what}"
    # beside the weights a broken tensor does not matter
    path = write(tmp_path, p.zip_checkpoint(p.dict_((p.text("x"), p.tensor(STORE, **arguments)), (p.text("model_state"), p.ordered((p.text("a"), GOOD)))), [("0", FLOATS)]))
    assert list(read(path)[1]) == ["a"]


def test_huge_expansion(tmp_path):
    """Legal strides, no bytes, a petabyte: the limit of all tensors."""
    assert zipped(tmp_path, p.state(("a", p.tensor(STORE, (2**48,), (0,))))) == "limit: X: its tensors take more than 1073741824 bytes (option max_bytes)"
    many = [(f"a{i}", p.tensor(STORE, (2**25,), (0,))) for i in range(9)]
    assert zipped(tmp_path, p.state(*many)) == "limit: X: its tensors take more than 1073741824 bytes (option max_bytes)"


def body_at(message_text):
    """Drops the position, which depends on how the test built the file."""
    head, _, rest = message_text.partition("byte ")
    return head + "byte N" + rest.lstrip("0123456789")


MACHINE = {
    "no storage": (p.call(p.REBUILD, p.NONE, p.integer(0), p.tuple_(), p.tuple_()), "tensor: expected (storage, offset, size, stride)"),
    "few arguments": (p.call(p.REBUILD, STORE, p.integer(0)), "tensor: expected (storage, offset, size, stride)"),
    "no integers": (p.call(p.REBUILD, STORE, p.integer(0), p.tuple_(p.NONE), p.tuple_(p.NONE)), "tensor: size and stride must be tuples of integers"),
    "no tuples": (p.call(p.REBUILD, STORE, p.integer(0), p.NONE, p.NONE), "tensor: size and stride must be tuples of integers"),
    "a huge integer": (p.call(p.REBUILD, STORE, p.integer(2**70), p.tuple_(), p.tuple_()), "tensor: expected (storage, offset, size, stride)"),
    "lengths differ": (p.tensor(STORE, (2, 2), (1,)), "tensor: size and stride differ in length"),
    "arguments": (p.REBUILD + p.NONE + p.REDUCE, "arguments are not a tuple"),
    "parameter": (p.call(p.name("torch._utils", "_rebuild_parameter"), p.NONE), "parameter: expected a tensor"),
    "from type": (p.call(p.name("torch._tensor", "_rebuild_from_type_v2"), p.NONE), "expected (function, type, arguments, state)"),
    "torch.Size": (p.call(p.name("torch", "Size"), p.NONE), "torch.Size: expected a tuple"),
    "OrderedDict": (p.call(p.name("collections", "OrderedDict"), p.NONE), "OrderedDict: expected a list of pairs"),
    "OrderedDict of triples": (p.call(p.name("collections", "OrderedDict"), p.list_(p.tuple_(p.NONE, p.NONE, p.NONE))), "OrderedDict: expected a list of pairs"),
    "numel": (p.storage(numel=-1), 'storage: expected ("storage", class, key, location, numel, view)'),
    "view": (p.storage(view=p.tuple_(p.text("k"), p.integer(2), p.integer(3))), "storage: a view beyond its end"),
    "view's type": (p.storage(view=p.tuple_(p.text("k"), p.integer(2))), "storage: expected a view (key, offset, length)"),
    "persistent id": (p.NONE + p.PERSID, "a persistent id that is not torch's"),
    "persistent class": (p.tuple_(p.text("storage"), p.NONE) + p.PERSID, "a persistent id without a class"),
    "persistent kind": (p.tuple_(p.text("file"), p.name("m", "n")) + p.PERSID, "a persistent id that is not torch's"),
    "call of a number": (p.integer(1) + p.EMPTY_TUPLE + p.REDUCE, "a call of something that is no function"),
    "setitem on a tensor": (p.tensor(STORE) + p.NONE + p.NONE + b"s", "items for a value that takes none"),
    "setitems on a list": (p.EMPTY_LIST + p.MARK + p.NONE + p.NONE + b"u", "items for a value that takes none"),
    "append to a dict": (p.EMPTY_DICT + p.NONE + b"a", "items for a value that takes none"),
    "append to a tuple": (p.EMPTY_TUPLE + p.NONE + b"a", "items for a value that takes none"),
    "attributes of a tensor": (p.tensor(STORE) + p.EMPTY_DICT + p.BUILD, "attributes for a value that has none"),
    "odd items": (p.EMPTY_DICT + p.MARK + p.NONE + b"u", "a key without a value"),
    "empty stack": (b"a", "its stack has too few values"),
    "pop of nothing": (b"0", "its stack is empty"),
    "a mark in the way": (p.REBUILD + p.MARK + p.REDUCE, "its stack has too few values"),
    "no mark": (p.NONE + b"t", "its stack has no mark"),
    "no value": (b"", "it does not end with one value"),
    "two values": (p.NONE + p.NONE, "it does not end with one value"),
    "only a mark": (p.MARK, "it does not end with one value"),
    "memo unset": (b"h\0", "a memo entry that was never set"),
    "memo gap": (p.NONE + p.put(5), "a memo index that leaves a gap"),
    "memo of the gap": (p.NONE + p.put(1) + p.get(0), "a memo entry that was never set"),
    "memo of a mark": (p.MARK + p.put(0), "its stack has too few values"),
    "protocol": (b"\x80\6", "a protocol above 5"),
    "global without a string": (p.NONE + p.NONE + b"\x93", "a global whose name is not a string"),
    "global with a NUL": (p.text("a\0") + p.text("b") + b"\x93", "a global whose name is not a string"),
    "line with a NUL": (b"ca\0\nb\n", "a NUL in a line of text"),
    "line without an end": (b"c" + b"a" * 2000, "a line of text without an end"),
    "integer": (b"I12x\n", "a number that is not an integer of 64 bits"),
    "integer of 65 bits": (b"I9223372036854775808\n", "a number that is not an integer of 64 bits"),
    "no integer": (b"I\n", "a number that is not an integer of 64 bits"),
    "string of 2^60 bytes": (b"\x8d" + struct.pack("<Q", 2**60), "the data ends in the middle of the pickle"),
    "string of 2^64-1 bytes": (b"\x8d" + b"\xff" * 8, "the data ends in the middle of the pickle"),
    "bytes of 2^63 bytes": (b"\x96" + struct.pack("<Q", 2**63), "the data ends in the middle of the pickle"),
    "negative string": (b"T" + struct.pack("<i", -5), "the data ends in the middle of the pickle"),
    "long of 2^31 bytes": (b"\x8b" + struct.pack("<I", 2**31), "the data ends in the middle of the pickle"),
}


@pytest.mark.parametrize("lie", MACHINE)
def test_machine(tmp_path, lie):
    body, what = MACHINE[lie]
    assert body_at(zipped(tmp_path, body)) == f"corrupt: X: pickle, byte N: {what}"


def test_opcodes(tmp_path):
    """Every byte that is no opcode of ours gives its number and place."""
    ours = b"\x80\x95N\x88\x89KMJI\x8a\x8bGU\x8cTX\x8dCB\x8e\x96)t\x85\x86\x87]ae}su\x8f\x90\x91(012qr\x94hjc\x93R\x81\x92bQ."
    for op in range(256):
        if op not in ours:
            path = write(tmp_path, p.zip_checkpoint(bytes([op]), [("0", FLOATS)]))
            place = path.read_bytes().index(b"\x80\2" + bytes([op])) + 2
            assert message(path) == f"unsupported: X: unsupported pickle opcode 0x{op:02X} at byte {place}"
    for op in ours[:-1]:
        assert "unsupported pickle opcode" not in "".join(run(write(tmp_path, p.zip_checkpoint(bytes([op]))))[1])


# ---- storages ----


def test_legacy_storages(tmp_path):
    body = p.state(("a", p.tensor(LEGACY_STORE)))
    two = p.state(("a", p.tensor(LEGACY_STORE)), ("b", p.tensor(p.storage("1", view=p.NONE))))
    assert legacy(tmp_path, body, [("0", 5, FLOATS + FLOATS)]).split(" at byte")[0] == "corrupt: X: tensor a: storage 0: 5 elements"
    assert legacy(tmp_path, body, [("0", 2**60, FLOATS)]).endswith(", but its tensors say 4")
    assert legacy(tmp_path, body, [("0", -1, FLOATS)]).startswith("corrupt: X: tensor a: storage 0: 18446744073709551615 elements at byte ")
    huge = p.state(("a", p.tensor(p.storage(numel=2**60, view=p.NONE))))
    assert body_at(legacy(tmp_path, huge, [("0", 2**60, FLOATS)])).startswith("corrupt: X: tensor a: storage 0: 1152921504606846976 elements of F32 at byte N, but the file ends at byte ")
    huge = p.state(("a", p.tensor(p.storage(numel=2**62, view=p.NONE))))
    assert body_at(legacy(tmp_path, huge, [("0", 2**62, FLOATS)])).startswith("corrupt: X: tensor a: storage 0: 4611686018427387904 elements of F32 at byte N, but the file ends")
    assert legacy(tmp_path, body, [("0", 4, FLOATS[:-1])]).startswith("corrupt: X: tensor a: storage 0: 4 elements of F32 at byte ")
    assert legacy(tmp_path, body, []) == "corrupt: X: tensor a: storage 0: is not in the file's list"
    assert legacy(tmp_path, two, [("0", 4, FLOATS)]) == "corrupt: X: tensor b: storage 1: is not in the file's list"
    assert legacy(tmp_path, body, [("0", 4, FLOATS), ("0", 4, FLOATS)]) == "corrupt: X: tensor a: storage 0: is listed twice"
    assert legacy(tmp_path, body, [("0", 4, FLOATS), ("7", 4, FLOATS)]) == "corrupt: X: storage 7: no tensor says its type"
    assert legacy(tmp_path, body, keys=p.list_(p.integer(0))) == "corrupt: X: storage (unnamed): its key is not a string"
    assert legacy(tmp_path, body, keys=p.NONE) == "corrupt: X: the fifth pickle lists no storages"
    mixed = p.state(("a", p.tensor(LEGACY_STORE)), ("b", p.tensor(p.storage(kind="LongStorage", view=p.NONE))))
    assert legacy(tmp_path, mixed) == "corrupt: X: storage 0 has 4 elements of F32 in one place, 4 of I64 in another"
    mixed = p.state(("a", p.tensor(LEGACY_STORE)), ("b", p.tensor(p.storage(numel=2, view=p.NONE), (2,))))
    assert legacy(tmp_path, mixed).startswith("corrupt: X: storage 0 has ")
    good = p.legacy(body, [("0", 4, FLOATS)])
    assert message(write(tmp_path, good.replace(b"M\xe9\x03.", b"M\xea\x03."))) == "unsupported: X: torch file protocol is not 1001"
    assert message(write(tmp_path, good.replace(b"\x80\x02}(X\x10", b"\x80\x02](X\x10"))).startswith("corrupt: X: pickle, byte ")


def test_zip_storages(tmp_path):
    body = p.state(("a", GOOD))
    assert zipped(tmp_path, body, []) == "corrupt: X: tensor a: zip: no entry data/0"
    for size in (0, 12, 15, 17, 32):
        assert zipped(tmp_path, body, [("0", bytes(size))]) == f"corrupt: X: tensor a: zip entry archive/data/0: {size} bytes, but its storage has 4 elements of F32"
    for key in ("../../../etc/passwd", "x" * 255):
        assert zipped(tmp_path, p.state(("a", p.tensor(p.storage(key))))).startswith("corrupt: X: tensor a: zip: no entry data/" + key[:100])
    for key in ("0\0", "x" * 256):
        assert body_at(zipped(tmp_path, p.state(("a", p.tensor(p.storage(key)))))).startswith("corrupt: X: pickle, byte N: tensor a: storage: expected")
    wraps = p.state(("a", p.tensor(p.storage(numel=2**62))))
    assert zipped(tmp_path, wraps).endswith("16 bytes, but its storage has 4611686018427387904 elements of F32")


# ---- archives ----


def directory(change):
    """Applies change(entry as bytearray, its name) to each entry of a directory."""

    def patch(data):
        out = b""
        while data:
            length = 46 + sum(struct.unpack_from("<HHH", data, 28))
            entry = bytearray(data[:length])
            out += bytes(change(entry, bytes(entry[46:])) or entry)
            data = data[length:]
        return out

    return patch


def field(offset, form, value, only=b"archive/data/0"):
    def change(entry, name):
        if name == only:
            struct.pack_into(form, entry, offset, value)

    return directory(change)


ARCHIVES = {
    "encrypted": (field(8, "<H", 0x0809), "unsupported: X: zip entry archive/data/0: is encrypted"),
    "deflated": (field(10, "<H", 8), "corrupt: X: tensor a: zip entry archive/data/0: its compressed data are damaged"),
    "imploded": (field(10, "<H", 6), "unsupported: X: zip entry archive/data/0: is compressed in a way that is not read; unpack the archive and zip it again with -0"),
    "size": (field(24, "<I", 15), "corrupt: X: zip entry archive/data/0: its two sizes differ"),
    "disk": (field(34, "<H", 1), "corrupt: X: zip entry archive/data/0: is in another file"),
    "signature": (field(0, "<I", 0x02014B51), "corrupt: X: zip: the directory is damaged"),
    "name length": (field(28, "<H", 65535), "corrupt: X: zip: the directory is damaged"),
    "extra length": (field(30, "<H", 1), "corrupt: X: zip: the directory is damaged"),
    "saturated": (field(42, "<I", 0xFFFFFFFF), "corrupt: X: zip: the directory is damaged"),
    "place": (field(42, "<I", 0xFFFFFFF0), "corrupt: X: zip entry archive/data/0: is beyond the directory"),
    "place of another": (field(42, "<I", 0), "corrupt: X: zip entry archive/data/0: overlaps another entry"),
    "no header": (field(42, "<I", 4), "corrupt: X: zip entry archive/data/0: no header where it should be"),
    "NUL": (lambda d: d.replace(b"archive/data/0", b"archive/data/\0"), "corrupt: X: zip: an entry whose name holds a NUL"),
}


@pytest.mark.parametrize("lie", ARCHIVES)
def test_archives(tmp_path, lie):
    patch, what = ARCHIVES[lie]
    assert zipped(tmp_path, p.state(("a", GOOD)), patch=patch) == what


def test_archive_sizes(tmp_path):
    body = p.state(("a", GOOD))

    def grow(size):
        def change(entry, name):
            if name == b"archive/data/0":
                struct.pack_into("<II", entry, 20, size, size)

        return directory(change)

    assert zipped(tmp_path, body, patch=grow(0xFFFFFFF0)) == "corrupt: X: zip entry archive/data/0: reaches into the directory"
    assert zipped(tmp_path, body, patch=grow(40)) == "corrupt: X: zip entry archive/version: overlaps another entry"
    assert zipped(tmp_path, body, count=2) == "corrupt: X: zip: the directory is damaged"
    assert zipped(tmp_path, body, count=4) == "corrupt: X: zip: the directory is damaged"
    assert zipped(tmp_path, body, count=60000) == "corrupt: X: zip: the directory is damaged"
    assert zipped(tmp_path, body, [("0", FLOATS), ("0", FLOATS)]) == "corrupt: X: zip entry archive/data/0: occurs twice"
    both = [("b/data.pkl", b"")]
    assert zipped(tmp_path, body, extra=both) == "corrupt: X: zip: both archive/data.pkl and b/data.pkl"
    for order in (b"big", b"middle", b"littler", b""):
        assert zipped(tmp_path, body, extra=[("archive/byteorder", order)]) == f'unsupported: X: its byte order is "{order.decode()}"; only "little" is read'
    assert zipped(tmp_path, body, extra=[("archive/constants.pkl", b"")]) == "unsupported: X: a TorchScript archive; save model.state_dict() instead"


def test_archive_ends(tmp_path):
    good = bytearray(p.zip_checkpoint(p.state(("a", GOOD)), [("0", FLOATS)]))
    end, locator, end64 = len(good) - 22, len(good) - 42, len(good) - 98

    def changed(offset, form, value):
        data = bytearray(good)
        struct.pack_into(form, data, offset, value)
        return message(write(tmp_path, data))

    assert message(write(tmp_path, good + bytes(65536))) == "corrupt: X: zip: cut short, or followed by other bytes: no directory at the end of the file"
    assert message(write(tmp_path, good[:-1])) == "corrupt: X: zip: cut short, or followed by other bytes: no directory at the end of the file"
    assert message(write(tmp_path, b"PK\3\4")) == "corrupt: X: zip: cut short, or followed by other bytes: no directory at the end of the file"
    assert changed(end + 4, "<H", 1) == "corrupt: X: zip: an archive of several parts"
    assert changed(end + 8, "<H", 1) == "corrupt: X: zip: an archive of several parts"
    assert changed(end + 12, "<I", 1) == "corrupt: X: zip: its two end records differ"
    assert changed(end + 16, "<I", 1) == "corrupt: X: zip: its two end records differ"
    assert changed(end64 + 32, "<Q", 2**60) == "corrupt: X: zip: its two end records differ"
    assert changed(end64, "<I", 1) == "corrupt: X: zip: no zip64 record where it should be"
    assert changed(locator + 8, "<Q", 2**64 - 1) == "corrupt: X: zip: the zip64 record is beyond its place"
    assert changed(locator + 8, "<Q", 0) == "corrupt: X: zip: no zip64 record where it should be"
    assert changed(locator, "<I", 0) == "corrupt: X: zip: the directory is not before its end record"
    # saturated fields hand over to the zip64 record, whose false claims are seen too
    data = bytearray(good)
    struct.pack_into("<HHII", data, end + 8, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    assert run(write(tmp_path, data))[0] == 0
    for offset, value, what in [
        (24, 2**60, "its two end records differ"),
        (40, 2**63, "the directory is not before its end record"),
        (48, 2**64 - 1, "the directory is not before its end record"),
        (16, 1, "no zip64 record where it should be"),
    ]:
        worse = bytearray(data)
        struct.pack_into("<Q", worse, end64 + offset, value)
        assert message(write(tmp_path, worse)) == "corrupt: X: zip: " + what
    worse = bytearray(data)
    struct.pack_into("<QQ", worse, end64 + 24, 2**60, 2**60)
    assert message(write(tmp_path, worse)) == "limit: X: zip: more than 65536 entries"


def deflated(path, size, said=None):
    """A checkpoint of deflated zeros. The directory and the tensor say that they are `said` bytes."""
    said = size if said is None else said
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", p.pickled(p.state(("a", p.tensor(p.storage(numel=said // 4), (said // 4,))))))
        archive.writestr("archive/data/0", bytes(size))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 24, said)
    path.write_bytes(data)
    return path


def test_deflate_bomb(tmp_path):
    """What would be unpacked is checked before it is."""
    assert message(deflated(tmp_path / "x", 40_000, 1_200_000_000)) == "limit: X: its tensors take more than 1073741824 bytes (option max_bytes)"
    with zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(67_108_865))
    assert message(tmp_path / "x") == "limit: X: zip entry archive/data.pkl: more than 64 MiB"


def test_deflate_lies(tmp_path):
    """Data that unpack to more or less than the directory says, are cut, or are none."""
    what = "corrupt: X: tensor a: zip entry archive/data/0: its compressed data are damaged"
    for said in (39_996, 40_004):
        assert message(deflated(tmp_path / "x", 40_000, said)) == what
    path = deflated(tmp_path / "x", 40_000)
    good = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[1]
    data = info.header_offset + 30 + len(info.filename)
    at = good.rindex(b"PK\1\2")  # the entry's place in the directory
    for change in ((data, 0xFF), (data + 1, 0x55)):
        damaged = bytearray(good)
        damaged[change[0]] ^= change[1]
        assert message(write(tmp_path, damaged)) == what
    shorter = bytearray(good)
    struct.pack_into("<I", shorter, at + 20, info.compress_size - 1)
    assert message(write(tmp_path, shorter)) == what


# ---- bombs ----


def spread(count):
    """A directory of `count` entries that all share one local header's bytes."""
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, 0x0808, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, 0x0808, 0, 0, 0, 0, 0, 0, 0, 0)
    names = b"".join(entry + b"%06d" % i for i in range(count))
    at = len(head)
    end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x1E03, 45, 0, 0, count, count, len(names), at)
    end = struct.pack("<IIQI", 0x07064B50, 0, at + len(names), 1) + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return head + names + end64 + end


def test_many_entries(tmp_path):
    assert message(write(tmp_path, spread(1_000_000))) == "limit: X: zip: more than 65536 entries"
    assert message(write(tmp_path, spread(65536))).endswith(": overlaps another entry")
    names = [(f"archive/data/{i}", b"") for i in range(65533)]
    assert zipped(tmp_path, p.state(("a", GOOD)), (), extra=names).startswith("corrupt: X: tensor a: zip entry archive/data/0: 0 bytes")


DEEP = {
    "tuples": p.EMPTY_TUPLE + b"\x85" * 1_000_000,
    "lists": p.EMPTY_LIST * 1_000_000 + b"a" * 999_999,
    "dicts": (p.EMPTY_DICT + b"K\0") * 500_000 + p.NONE + b"s" * 500_000,
    "marks": p.MARK * 1_000_000 + b"t" * 1_000_000,
    "calls": p.name("m", "n") + p.put(0) + b")R" + (p.put(1) + b"0" + p.get(0) + p.get(1) + b"\x85R") * 500_000,
    "opaque": p.name("m", "n") + b")R" + b")R" * 1_000_000,
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep(tmp_path, kind):
    """Up to a million levels cost no stack, whether they are read or not."""
    body = p.dict_((p.text("x"), DEEP[kind]), (p.text("model_state"), p.ordered((p.text("a"), GOOD))))
    assert list(read(write(tmp_path, p.zip_checkpoint(body, [("0", FLOATS)])))[1]) == ["a"]
    assert zipped(tmp_path, p.state(("a", DEEP[kind]))).startswith(("model: X: model_state: 'a' is not a tensor", "unsupported: X: tensor a: value is made by the global 'm.n'"))


def test_sharing(tmp_path):
    """2^60 items in 60 lists of two; containers that hold themselves."""
    laughs = p.EMPTY_LIST + p.put(0) + b"0"
    for i in range(60):
        laughs += p.EMPTY_LIST + p.MARK + p.get(i) + p.get(i) + b"e" + p.put(i + 1) + b"0"
    loops = p.EMPTY_LIST + p.put(61) + p.get(61) + b"a" + p.EMPTY_DICT + p.put(62) + p.text("x") + p.get(62) + b"s"
    body = laughs + loops + b"00" + p.dict_((p.text("x"), p.get(60)), (p.text("y"), p.get(62)), (p.text("model_state"), p.ordered((p.text("a"), GOOD))))
    assert list(read(write(tmp_path, p.zip_checkpoint(body, [("0", FLOATS)])))[1]) == ["a"]
    itself = p.EMPTY_DICT + p.put(0) + p.text("model_state") + p.get(0) + b"s"
    assert zipped(tmp_path, itself) == "model: X: model_state: 'model_state' is not a tensor"


BOMBS = {
    "stack": (p.NONE * (1 << 20) + p.NONE, "more than 1048576 values on the stack"),
    "marks": (p.MARK * (1 << 20) + p.NONE, "more than 1048576 values on the stack"),
    "memo": (p.NONE + b"".join(b"r" + struct.pack("<I", i) for i in range((1 << 20) + 1)), "more than 1048576 memo entries"),
    "memoize": (p.NONE + b"\x94" * ((1 << 20) + 1), "more than 1048576 memo entries"),
    "memo index": (p.NONE + b"r" + struct.pack("<I", 2**32 - 1), "more than 1048576 memo entries"),
    "lists": (p.MARK + (p.EMPTY_LIST + b"0") * 5_000_000, "it builds more than 64 MiB"),
    "items": (p.EMPTY_LIST + (p.NONE + b"a") * 5_000_000, "it builds more than 64 MiB"),
    "strings": (b"U\0000" * 5_000_000, "it builds more than 64 MiB"),
    "ordered dicts": (p.EMPTY_LIST + p.MARK + p.tuple_(p.NONE, p.NONE) * 1 + b"2" * 9999 + b"e" + p.put(0) + (p.name("collections", "OrderedDict") + p.get(0) + b"\x85R0") * 2000,
                      "it builds more than 64 MiB"),
    "globals": (p.name("a" * 1000, "b" * 1000) * 35_000, "it builds more than 64 MiB"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs(tmp_path, kind):
    body, what = BOMBS[kind]
    assert body_at(zipped(tmp_path, body)) == f"limit: X: pickle, byte N: {what}"


def test_long_pickle(tmp_path):
    """64 MiB of pickle is the end, whatever it does."""
    endless = (p.NONE + b"0") * (33 << 20)
    assert body_at(zipped(tmp_path, endless)) == "limit: X: pickle, byte N: it is longer than 64 MiB"
    path = tmp_path / "x"
    with open(path, "wb") as f:  # one string of 100 MiB: skipped in no time
        f.write(p.MAGIC + p.pickled(b"M\xe9\x03") + p.pickled(p.EMPTY_DICT) + b"\x80\2B" + struct.pack("<I", 100 << 20))
        f.truncate(120 << 20)
    assert body_at(message(path)) == "limit: X: pickle, byte N: it is longer than 64 MiB"


def test_long_strings(tmp_path):
    """Names, keys and shapes of a megabyte that are written once and used often."""
    name = p.text("n" * 1_000_000) + p.put(0) + b"0"
    body = name + p.dict_((p.text("model_state"), p.EMPTY_DICT + p.MARK + p.tensor(STORE) + p.put(1) + b"0" + (p.get(0) + p.get(1)) * 60_000 + b"u"))
    assert zipped(tmp_path, body) == "limit: X: model_state: names of more than 64 MiB"
    long = p.tuple_(*[b"K\0"] * 900_000) + p.put(0) + b"0" + STORE + p.put(1) + b"0"
    view = long + p.REBUILD + p.put(2) + b"0"
    call = p.get(2) + p.MARK + p.get(1) + b"K\0" + p.get(0) + p.get(0) + b"tR0"
    body = view + call * 100_000 + p.state(("a", GOOD))
    assert list(read(write(tmp_path, p.zip_checkpoint(body, [("0", FLOATS)])))[1]) == ["a"]


def test_million_keys(tmp_path):
    keys = b"".join(p.text("%06d" % i) + p.NONE for i in range(600_000))
    body = p.EMPTY_DICT + p.MARK + p.text("model_state") + p.ordered((p.text("a"), GOOD)) + b"u" + p.MARK + keys[: len(keys) // 2] + b"u"
    code, lines = run(write(tmp_path, p.zip_checkpoint(body, [("0", FLOATS)])))
    assert code == 0 or "it builds more than 64 MiB" in lines[0]
    body = p.dict_((p.text("model_state"), p.EMPTY_DICT + p.MARK + p.tensor(STORE) + p.put(0) + b"0" + b"".join(p.text("%06d" % i) + p.get(0) for i in range(70_000)) + b"u"))
    assert zipped(tmp_path, body) == "limit: X: model_state: more than 65536 tensors"
    many = p.state(*((f"{i:06d}", p.tensor(STORE)) for i in range(66_000)))
    assert body_at(zipped(tmp_path, many)).startswith(("corrupt: X: pickle, byte N: tensor 065536: more than 65536 references", "limit: X: "))


def test_safetensors_headers(tmp_path):
    """Headers of tens of megabytes."""

    def file(header):
        return message(write(tmp_path, struct.pack("<Q", len(header)) + header))

    assert file(b"{" + b",".join(b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % i for i in range(1_000_000)) + b"}") == "limit: X: more than 65536 tensors"
    assert file(b'{"__metadata__":{' + b",".join(b'"%07d":""' % i for i in range(1_000_000)) + b"}}") == "limit: X: more than 65536 metadata entries"
    assert file(b'{"a":' + b"[" * 10_000_000) == "corrupt: X: safetensors header, byte 13: expected '{'"
    assert file(b'{"a":' + b'{"a":' * 10_000_000) == 'corrupt: X: tensor a: unknown field "a"'
    assert file(b"{" + b" " * 99_000_000 + b"x") == "corrupt: X: safetensors header, byte 99000009: expected a string"
    common = b"x" * 400  # names that differ only at their ends
    names = b",".join(b'"%s%05d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % (common, i * 40503 % 65536) for i in range(65536))
    assert run(write(tmp_path, struct.pack("<Q", len(names) + 2) + b"{" + names + b"}"))[0] == 0
    path = tmp_path / "x"
    with open(path, "wb") as f:  # a hole of 100,000,000 zeros
        f.write(struct.pack("<Q", 100_000_000) + b"{")
        f.truncate(100_000_008)
    assert message(path) == "corrupt: X: safetensors header, byte 9: expected a string"
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", 100_000_001) + b"{")
        f.truncate(200_000_000)
    assert message(path).endswith("safetensors header of 100000001 bytes, the format allows 100000000")


# ---- files that change while they are read ----


def test_shrinking(tmp_path):
    """Cut and restored by another thread during the load: good, or a clean error; never a signal."""
    path, outcomes, stop = tmp_path / "x", set(), threading.Event()
    torch.save({"model_state": {f"t{i}": torch.ones(5000) for i in range(50)}}, path)
    data = path.read_bytes()

    def spoil():
        for length in itertools.cycle(range(0, len(data), 9973)):
            with open(path, "r+b") as f:
                f.truncate(length)
                f.seek(0)
                f.write(data)
            if stop.is_set():
                return

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        for _ in range(60):
            code, lines = run(path, str(tmp_path / "values"))
            outcomes.add(code)
            assert code == 0 or lines[-1].split(":")[0] in ("corrupt", "format"), lines
    finally:
        stop.set()
        thread.join()
    assert 1 in outcomes  # the race was seen at least once
