"""Checkpoints made byte by byte: what torch cannot be made to write, and what should never be written."""

import struct
import zipfile

MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
STOP = b"."
NONE, TRUE, FALSE, MARK = b"N", b"\x88", b"\x89", b"("
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE = b"}", b"]", b")"
REDUCE, BUILD, NEWOBJ, PERSID = b"R", b"b", b"\x81", b"Q"


def name(module, attribute):
    return b"c%s\n%s\n" % (module.encode(), attribute.encode())


def text(s):
    s = s if isinstance(s, bytes) else s.encode()
    return b"X" + struct.pack("<I", len(s)) + s


def string(s):
    """A Python 2 str."""
    s = s if isinstance(s, bytes) else s.encode()
    return b"U" + struct.pack("<B", len(s)) + s if len(s) < 256 else b"T" + struct.pack("<i", len(s)) + s


def integer(n):
    if 0 <= n < 256:
        return b"K" + struct.pack("<B", n)
    if -(2**31) <= n < 2**31:
        return b"J" + struct.pack("<i", n)
    data = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + struct.pack("<B", len(data)) + data


def long(n):
    """A Python 2 long, however small."""
    data = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True) if n else b""
    return b"\x8a" + struct.pack("<B", len(data)) + data


def put(n):
    return b"q" + struct.pack("<B", n) if n < 256 else b"r" + struct.pack("<I", n)


def get(n):
    return b"h" + struct.pack("<B", n) if n < 256 else b"j" + struct.pack("<I", n)


def tuple_(*items):
    return MARK + b"".join(items) + b"t"


def list_(*items):
    return EMPTY_LIST + MARK + b"".join(items) + b"e"


def dict_(*pairs):
    return EMPTY_DICT + MARK + b"".join(k + v for k, v in pairs) + b"u"


def call(function, *args):
    return function + tuple_(*args) + REDUCE


def ordered(*pairs):
    """An OrderedDict as Python 3 writes it."""
    return call(name("collections", "OrderedDict")) + MARK + b"".join(k + v for k, v in pairs) + b"u"


def storage(key="0", numel=4, kind="FloatStorage", view=b"", location="cpu"):
    """A persistent id of a zip file; with view=NONE or a tuple that of a legacy file."""
    return tuple_(text("storage"), name("torch", kind), text(key), text(location), integer(numel), view) + PERSID


REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def tensor(store, size=(4,), stride=(1,), offset=0):
    return call(REBUILD, store, integer(offset), tuple_(*map(integer, size)), tuple_(*map(integer, stride)), FALSE, ordered())


def pickled(body, protocol=2):
    return b"\x80" + struct.pack("<B", protocol) + body + STOP


def state(*pairs):
    """{"model_state": {...}} from (name, tensor)."""
    return dict_((text("model_state"), ordered(*((text(n), t) for n, t in pairs))))


def legacy(body, storages=(), trailing=b"", keys=None, protocol=2):
    """storages: (key, number of elements, bytes)."""
    system = dict_((text("protocol_version"), integer(1001)), (text("little_endian"), TRUE))
    keys = list_(*(text(k) for k, _, _ in storages)) if keys is None else keys
    return (
        MAGIC
        + pickled(b"M" + struct.pack("<H", 1001))
        + pickled(system)
        + pickled(body, protocol)
        + pickled(keys)
        + b"".join(struct.pack("<q", n) + data for _, n, data in storages)
        + trailing
    )


def zipped(entries, patch=lambda directory: directory, count=None, comment=b"", local=None):
    """A zip archive of stored entries [(name, bytes)], as torch writes one: sizes in the directory
    alone, data at multiples of 64. patch changes the directory's bytes."""
    data, directory = bytearray(), bytearray()
    for entry, content in entries:
        entry = entry.encode()
        offset = len(data)
        fill = -(offset + 30 + len(entry) + 4) % 64
        data += struct.pack("<IHHHHHIIIHH", local or 0x04034B50, 0, 0x0808, 0, 0, 0, 0, 0, 0, len(entry), 4 + fill)
        data += entry + b"FB" + struct.pack("<H", fill) + b"Z" * fill + content
        data += struct.pack("<IIII", 0x08074B50, 0, len(content), len(content))
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, 0x0808, 0, 0, 0, 0, len(content), len(content), len(entry), 0, 0, 0, 0, 0, offset) + entry
    directory = patch(bytes(directory))
    n = len(entries) if count is None else count
    start = len(data)
    data += directory
    end64 = len(data)
    data += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x1E03, 45, 0, 0, n, n, len(directory), start)
    data += struct.pack("<IIQI", 0x07064B50, 0, end64, 1)
    return bytes(data) + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, n, n, len(directory), start, len(comment)) + comment


def zip_checkpoint(body, records=(), extra=(), protocol=2, **options):
    """records: (key, bytes)."""
    entries = [("archive/data.pkl", pickled(body, protocol))]
    entries += [("archive/data/" + k, data) for k, data in records]
    return zipped(entries + list(extra) + [("archive/version", b"3\n")], **options)


def repack(source, target, compression=zipfile.ZIP_STORED):
    """Rewrites an archive with Python's zipfile: no padding, sizes in the local headers."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
