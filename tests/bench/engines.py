"""The engines that are compared, and how their workers are started."""

import sys
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent

# ours: not a rival. arguments: of the worker, with {letter}, {batch}, {threads} and folders.
Engine = namedtuple("Engine", "name ours arguments")

ORT = "{npm}/node_modules/onnxruntime-node/bin/napi-v6/linux/{arch}/libonnxruntime.so.1"
LAST = ["{models}/input.f32", "{batch}", "{threads}"]


def ours(name, options):
    return Engine(name, True, ["{build}/worker_scarlet", "{models}/{letter}.safetensors", options] + LAST)


def onnx(name, command, form):
    return Engine(name, False, command + ["{models}/{letter}." + form + ".b{batch}.onnx"] + LAST)


def torch(name, mode):
    return Engine(name, False, [sys.executable, f"{HERE}/worker_torch.py", mode, "{letter}",
                                "{models}/{letter}.pth"] + LAST)


NATIVE = ["{build}/worker_ort", ORT]
WEB = ["node", f"{HERE}/worker_web.mjs", "{npm}"]
OPENCV = [sys.executable, f"{HERE}/worker_opencv.py"]

SCARLET = "libscarlet"  # what ratios refer to
NATIVE_FORMS = ("ONNX Runtime, graph as it comes", "ONNX Runtime, HardSwish")

ENGINES = [
    ours(SCARLET, ""),
    ours("libscarlet, isa_max=avx2", "isa_max=avx2"),
    ours("libscarlet, engine=xnnpack", "engine=xnnpack"),
    onnx(NATIVE_FORMS[0], NATIVE, "spelled"),
    onnx(NATIVE_FORMS[1], NATIVE, "operators"),
    onnx("ONNX Runtime WASM", WEB, "operators"),
    torch("PyTorch eager", "eager"),
    torch("PyTorch traced", "traced"),
    torch("PyTorch optimized", "optimized"),
    onnx("OpenCV", OPENCV, "old"),
]
