"""Writes seeds for the fuzzers of the command's and the library's other inputs: seeds_texts.py FOLDER makes
FOLDER/{labels,options,list,tar,results,api}.

The last byte of a seed of list, tar and results chooses how it is read; a seed of api is a program of
calls."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tiny
from PIL import Image

PICTURE = (tiny.PICTURES / "02-pullover-0046.png").read_bytes()

LABELS = [b"", b"cat\n", b"cat\ndog", b"cat\r\ndog\r\n", b"\xef\xbb\xbfcat\n", b"\xef\xbb\xbf", b"n01440764\ttench\nn01443537\tgoldfish\n",
          "éclair\n鮨\n\U0001f600\n".encode(), b"a\tb\tc\n", b"a\t\n", b"\n", b"a\n\nb\n", b"a\x00b\n", b"a\x7f\n", b"a\x1b[m\n", b"\xff\n",
          b"\xc0\x80\n", b"\xed\xa0\x80\n", b"\xf4\x90\x80\x80\n", b"\xe2\x82", b"x\n" * 40]  # fmt: skip

OPTIONS = ["", "threads=4", "threads = 4 , layout=nhwc", ",,threads=0,", "engine=fused,isa_max=avx2,precision=f32", "engine=none", "isa_max=7",
           "threads=-1", "threads=257", "threads=9223372036854775807", "threads=9223372036854775808", "threads=-9223372036854775808",
           "threads=", "threads=1x", "threads", "=", "nothing=1", "max_bytes=1,max_pixels=9223372036854775807", "mean=0.485:0.456:0.406",
           "std=0.229:0.224:0.225", "mean=0:-1.5e-3:.5,std=1:1e+2:3.", "mean=1:2", "mean=1:2:3:4", "mean=.5, -1 ,2,std=1", "mean=1,2:3", "mean=1e400:0:0", "std=0:1:1", "std=-1:1:1",
           "mean=a:b:c", "mean=1e:1:1", "mean=-:1:1", "mean=" + "1" * 70 + ":1:1", "mean=3e38:1:1,std=1e-40:1:1", "mean=4e38:1:1", "\tcrop=224\t",
           "x" * 100 + "=1", "crop=" + "x" * 100, "auto_orient=on,filter=bilinear,output=features,batch_max=4096,input_size=64,storage=f16",
           "é=1", "resize=8192"]  # fmt: skip

LISTS = [b"", b"a.png\n", b"a.png 3\nb.jpg\t12\r\n", b"/abs/a.png\n\n\nsub/b.JPEG 0\n", b"a.png\0b c.png 7\0", b"a.png", b"5\n3\n1\n",
         b"5\na.png 3\n", b"a.png 3\n5\n", b"a 1234567890\n", b"ILSVRC2012_val_00000002.JPEG 7\nILSVRC2012_val_1.JPEG 8\n", b"a 1\na 2\nb/a 3\n",
         "é.png 1\n\U0001f600.png 2\n鮨.png 3\n".encode(), b"\xff\xfe.png 1\n", b"  3\n", b" \n", b"\0", b"\0\0a", b"x" * 300 + b" 1\n",
         b"image,label\na.png,3\n\"b,\"\"c\",apple\n", b"ImageId,PredictionString\na,crane 1 2\n", b"file;class\na;1\n", b"a\tAnkle boot \r\n",
         b"\xef\xbb\xbfa.png ankle-boot\r\n \n", b"apple\ncrane\n", b"one two\t3\n09-boot 1\n", b'{"a": 1, "b/c": 0, "apple": 2}', b'{"a": {}}',
         b"a.png\nb\0\0"]  # fmt: skip


def archive(*members, form=tarfile.USTAR_FORMAT):
    """(name, bytes or a kind of tarfile)"""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                if content[:1] == b"L":
                    info.type, info.linkname, content = content[:2][1:], "a.png", None
                else:
                    info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if content else None)
    end = file.getvalue().rstrip(b"\0")
    return end + bytes(-len(end) % 512 + 1024)


def sum_right(head):
    head = bytearray(head)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    return bytes(head)


def tars():
    small = archive(("a.png", PICTURE[:90]), ("a.cls", b"3\n"), ("b/c.jpg", b"x" * 20))
    yield small
    yield archive(("a.cls", b"3"), ("a.png", b"x"), ("b.png", b"y"), ("b.cls", b"no"), ("b.txt", b"z"))
    yield archive(("a.png", b""), (".png", b"1"), ("d/.x.png", b"1"), ("d/", b"L5"), ("d/a.jpg", b"L2"), ("d/b.jpg", b"L1"), ("f.png", b"L6"))
    yield archive(("x" * 150 + ".png", b"1"), ("é.png", b"2"), form=tarfile.PAX_FORMAT)
    yield archive(("x" * 150 + ".png", b"1"), ("é.png", b"2"), form=tarfile.GNU_FORMAT)
    yield archive(("readme", b"nothing"))
    yield archive(("x/n1.tar", small), ("x/n2.tgz", gzip.compress(small, mtime=0)), ("cut.tar", small[:1100]), ("last.png", b"x"))
    yield archive(("o.tar", archive(("i.tar", small))), ("a.heic", b"\0\0\0\x18ftypheic"))
    yield archive(("a.png", PICTURE[:90]), ("b.png", b"L1"), ("c.png", b"L1"), ("a.cls", b"2\n"))
    yield small + small
    yield gzip.compress(gzip.compress(small, mtime=0), mtime=0)
    yield small[:-1024]
    yield archive(("a.png", b"z" * 70000))[:1200]
    yield archive(("a.cls", b"4            \r\n"), ("a.png", b"z"), ("a.cls", b"123456789012345678"))
    for size in (b"10000000000\0", b"77777777777\0", b"\x80\0\0\0\0\0\0\x10\0\0\0\0", b"\xff" * 12):
        yield sum_right(small[:124] + size + small[136:512]) + small[512:1024]
    for kind in b"S", b"D", b"x", b"g", b"K", b"L", b"3", b"7", b"A":
        yield sum_right(small[:156] + kind + small[157:512]) + small[512:]
    sparse = bytearray(small[:512])
    sparse[156:157] = b"S"
    sparse[386:386 + 24] = b"00000000000\0" + b"00000000132\0"
    sparse[483:495] = b"07777777777\0"
    yield sum_right(sparse) + small[512:]
    yield gzip.compress(small, mtime=0)
    yield bz2.compress(small)
    yield lzma.compress(small)
    yield gzip.compress(small, mtime=0)[:60]
    for data in (b"", b"hello", b"\x28\xb5\x2f\xfd\0\0", b"\x1f\x8b", b"LRZI", b"\x89LZO", PICTURE[:600], bytes(1024)):
        yield data


def results():
    model = {"file": "a", "name": "SCARLET-A", "precision": "f32", "options": "", "identity": "0123"}
    answer = {"top": [1, 0, 2, -1, -1][:3], "confidence": 0.5, "truth": 0.25}
    record = {"index": 0, "file": "a\udcff<b>.png", "label": 0, **answer}
    bin_ = {"total": 1, "top1": 1, "confidence_1e9": 500000000}
    part = {"format": "scarlet-verify-1", "model": model, "data": "d", "shards": {"of": 1, "present": [0]}, "complete": True, "classes": 3, "n": 3,
            "names": ["x", None, "y"], "total": 2, "top1": 1, "topn": 2, "failed": 1, "workers": 1, "timed": 2, "seconds": 0.5, "bins": [bin_] * 15,
            "per_class": [{"class": 0, "name": "x", "total": 1, "top1": 0, "topn": 1}], "confusions": [[0, 1, 1]], "worst": [record],
            "failures": [{"index": 1, "file": "b", "label": -1, "error": "not\n\u00e9 read"}]}  # fmt: skip
    two = dict(part, classes=9, worst=[dict(record, top=[1, 2, 3, 4, 5], second=dict(answer, top=[0, 1, 2, 3, 4]))],
               compare={"model": model, "top1": 1, "topn": 1, "agree": 1, "both": 1, "first_only": 1, "second_only": 1, "differ": []})  # fmt: skip
    for value in (part, two):
        for choice in b"\0", b"\2":
            yield json.dumps(value).encode() + choice
        for key in ("shards", "classes", "bins", "per_class", "confusions", "worst", "model", "compare", "total", "complete"):
            for new in (None, -1, [], [[]], 10**19, "x", {}, [{"class": 3}], [[0, 0, 0]], {"of": 2, "present": [0, 0]}, {"of": 0}):
                yield json.dumps(dict(value, **{key: new})).encode() + b"\0"
    for second in (dict(part, model=dict(model, identity="other")), dict(part, classes=4), dict(part, shards={"of": 2, "present": [1]}), two):
        yield json.dumps(part).encode() + b"\0" + json.dumps(second).encode() + b"\2"
    first, second = (dict(part, shards={"of": 3, "present": [i]}) for i in (0, 2))
    yield json.dumps(first).encode() + b"\0" + json.dumps(second).encode() + b"\2"
    yield json.dumps(dict(part, shards={"of": 2, "present": ["x"]})).encode() + b"\0"
    yield json.dumps(dict(two, compare=dict(two["compare"], first_only=7))).encode() + b"\0"
    first, second = (dict(part, failed=2**63 - 1, shards={"of": 3, "present": [i]}) for i in (0, 2))
    yield json.dumps(first).encode() + b"\0" + json.dumps(second).encode() + b"\2"
    texts = ['{"a": [1, -2.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\udc80\\u0041\\u2028\\n\\\\"]}', "[" * 20, "[1,]", "{}", '{"a" 1}', '"\\u12"', '"\\x"', '"\\ud800x"',
             "nul", "1 2", "1e", "", '{"format":"scarlet-verify-1"}', '{"format":1}', '"\t"', '{"a":1', '"\\ud800\\u0041"', '"\\u0000"', "-", '{,}']  # fmt: skip
    for text in texts:
        yield text.encode() + b"\0"
    lines = ["{}", json.dumps(dict(record, top=[1, 2, 3, 4, 5])), json.dumps(part["failures"][0])]
    for choice in b"\4", b"\5":
        yield ("\n".join(lines) + "\n").encode() + choice
        yield ("\n".join(lines) + '\n{"index": 4, "fi').encode() + choice
        yield b"{}\n{\n" + choice
        yield b"[]\n" + choice
        yield b"{}\n" + bytes((choice[0] | 8,))
        yield b"{}" + choice
        yield choice
    double = dict(record, top=[1, 2, 3, 4, 5], second=dict(answer, top=[0, 1, 2, 3, 4]))
    yield ("{}\n" + json.dumps(double) + "\n").encode() + b"\5"


def programs():
    """Bytes at random find calls by themselves; these bring files along: (see calls in api.c)"""
    rng = random.Random(1)

    def sized(data):
        return len(data).to_bytes(2, "big") + data

    for _ in range(60):
        yield bytes(rng.choice((0, 1, 2, 3, 4, 7, rng.randrange(256))) for _ in range(rng.randrange(20, 300)))
    floats, jpeg = bytes(6), io.BytesIO()
    Image.new("RGB", (48, 40), "teal").save(jpeg, "JPEG", quality=20)
    options, decode = bytes((0, 0)) + floats + bytes((0, 0)), bytes((4, 0, 3)) + sized(jpeg.getvalue()) + bytes((0, 0, 1, 0))
    infer, classify = bytes((3, 0, 7)), bytes((3, 0, 5, 0, 2, 0, 0, 0, 0))
    for which in range(3):
        model, session = bytes((1, 0, 4, which, 0, 0, 2)), bytes((3, 0, 1, 0, 0))
        for way, threads in (("engine=xnnpack", 1), ("engine=fused", 2), ("engine=fused,isa_max=portable", 1), ("precision=int8", 2),
                             ("precision=int8,isa_max=avx2", 3), ("precision=int16", 1)):
            text = f"{way},threads={threads},input_size=32,batch_max=3,decode=fast,resize=9".encode()
            parse = bytes((0, 0)) + floats + bytes((1,)) + sized(text) + bytes(1)
            values = bytes((3, 0, 0, 0)) + bytes(rng.randrange(11, 256) & 0xEF for _ in range(20))
            yield options + parse + model + session + decode + classify + infer + values
    yield bytes((4, 0, 3)) + sized(PICTURE[:900]) + bytes((0, 0, 0, 0, 0, 4, 0, 5, 0, 0, 0, 4, 0, 4, 6, 6, 0, 4, 0, 1))
    yield bytes((5, 0, 2)) + sized(b"cat\ndog\n") + bytes((0, 0)) + bytes((1, 0, 2, 0, 0, 0, 0, 0))


if __name__ == "__main__":
    kinds = {"labels": LABELS, "options": [text.encode() for text in OPTIONS], "list": [text + bytes((i,)) for text in LISTS for i in range(4)] + [b"x\4", b"x\6"],
             "tar": [data + bytes((i % 4,)) for i, data in enumerate(tars())], "results": results(), "api": programs()}  # fmt: skip
    for kind, seeds in kinds.items():
        os.makedirs(os.path.join(sys.argv[1], kind), exist_ok=True)
        for i, seed in enumerate(seeds):
            with open(f"{sys.argv[1]}/{kind}/{i:04}", "wb") as f:
                f.write(seed)
