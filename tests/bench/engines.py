"""The engines that are compared, and how their workers are started."""

import sys
from collections import namedtuple
from pathlib import Path

SCARLET = "libscarlet"  # the engine that ratios refer to
INT8, INT16 = "libscarlet, int8", "libscarlet, int16"
HERE = Path(__file__).resolve().parent

# arguments: of the worker, with {letter}, {batch}, {threads} and folders in them.
# exact: computes in float32, so a large error means that it is wrong.
Engine = namedtuple("Engine", "name product arguments exact", defaults=[True])

ORT = "{npm}/node_modules/onnxruntime-node/bin/napi-v6/linux/{arch}/libonnxruntime.so.1"
LAST = ["{models}/input.f32", "{batch}", "{threads}"]


def ours(name, options):
    return Engine(name, SCARLET, ["{build}/worker_scarlet", "{models}/{letter}.safetensors",
                                  options] + LAST, exact="precision" not in options)


def onnx(name, product, command, form):
    return Engine(name, product, command + ["{models}/{letter}." + form + ".b{batch}.onnx"] + LAST)


def torch(name, mode):
    return Engine(name, "PyTorch", [sys.executable, f"{HERE}/worker_torch.py", mode, "{letter}",
                                    "{models}/{letter}.pth"] + LAST)


NATIVE = ["{build}/worker_ort", ORT]
WEB = ["node", f"{HERE}/worker_web.mjs", "{npm}"]
OPENCV = [sys.executable, f"{HERE}/worker_opencv.py"]

NATIVE_FORMS = ("ONNX Runtime, graph as it comes", "ONNX Runtime, HardSwish")

ENGINES = [
    ours(SCARLET, ""),
    ours("libscarlet, isa_max=avx2", "isa_max=avx2"),
    ours("libscarlet, engine=xnnpack", "engine=xnnpack"),
    ours(INT8, "precision=int8"),
    ours("libscarlet, int8, isa_max=avx512vnni", "precision=int8,isa_max=avx512vnni"),
    ours("libscarlet, int8, isa_max=avx2", "precision=int8,isa_max=avx2"),
    ours(INT16, "precision=int16"),
    ours("libscarlet, int16, isa_max=avx2", "precision=int16,isa_max=avx2"),
    onnx(NATIVE_FORMS[0], "ONNX Runtime", NATIVE, "spelled"),
    onnx(NATIVE_FORMS[1], "ONNX Runtime", NATIVE, "operators"),
    onnx("ONNX Runtime, int8", "ONNX Runtime", NATIVE, "int8")._replace(exact=False),
    onnx("ONNX Runtime WASM", "ONNX Runtime Web", WEB, "operators"),
    torch("PyTorch eager", "eager"),
    torch("PyTorch traced", "traced"),
    torch("PyTorch optimized", "optimized"),
    onnx("OpenCV", "OpenCV", OPENCV, "old"),
]
