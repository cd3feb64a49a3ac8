"""libscarlet-nas through ctypes, on pictures made up; and a supernet's module in PyTorch."""

import ctypes
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.stateless import functional_call

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
from scarlet import reference  # noqa: E402

TRAIN, VALIDATION, TEST = range(3)
FAIR, DEPTHS, UNIFORM, MANY = range(4)
NONE, KERNEL, WIDTH = range(3)
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


class Settings(ctypes.Structure):
    _fields_ = [("training", ctypes.c_int), ("let", ctypes.c_int32), ("let_start", ctypes.c_int),
                ("let_decay", ctypes.c_double), ("let_to_zero", ctypes.c_int32), ("share", ctypes.c_int),
                ("largest_first", ctypes.c_int32), ("largest_teaches", ctypes.c_int32)]


class Score(ctypes.Structure):
    _fields_ = [("cross_entropy", ctypes.c_double), ("top1", ctypes.c_double), ("pictures", ctypes.c_int64),
                ("statistics", ctypes.c_uint64)]


class Library:
    def __init__(self):
        self.main = ctypes.CDLL(os.environ["SCARLET_LIBRARY"], mode=ctypes.RTLD_GLOBAL)
        self.nas = ctypes.CDLL(os.environ["SCARLET_NAS_LIBRARY"])
        for name, kind in {"space_text": ctypes.c_char_p, "supernet_options": ctypes.c_void_p,
                           "supernet_get": ctypes.c_double, "supernet_condition": ctypes.c_double,
                           "supernet_trained": ctypes.c_int64, "supernet_space": ctypes.c_void_p}.items():
            getattr(self.nas, f"scarlet_{name}").restype = kind

    def call(self, name, *arguments):
        library = self.main if hasattr(self.main, f"scarlet_{name}") else self.nas
        error = ctypes.create_string_buffer(256)
        if getattr(library, f"scarlet_{name}")(*arguments, error):
            raise ValueError(error.raw[8:].split(b"\0")[0].decode())

    def make(self, name, *arguments):
        out = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(out))
        return out


class Data:
    """Pictures [n][side][side][3] with labels, the parts one after the other."""

    def __init__(self, library, pictures, labels, counts, classes):
        self.library, self.pictures, self.labels, self.counts = library, np.ascontiguousarray(pictures), labels, counts
        self.handle = library.make("dataset_create", classes, None)
        side = pictures.shape[1]
        parts = [part for part, count in enumerate(counts) for _ in range(count)]
        for pixels, label, part in zip(self.pictures, labels, parts, strict=True):
            image = library.make("image_wrap", pixels.ctypes.data_as(ctypes.c_void_p), side, side,
                                 ctypes.c_size_t(3 * side), 0, None, None)
            library.call("dataset_add_image", self.handle, image, int(label), part)

    def tensors(self, part, most=None):
        """(pictures as the network reads them, NCHW in float64; labels)."""
        first = sum(self.counts[:part])
        last = first + min(self.counts[part], most or self.counts[part])
        values = (self.pictures[first:last].astype(np.float32) / np.float32(255) - MEAN) / STD
        return torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float64)), torch.tensor(self.labels[first:last])


def made_up(library, side, classes, counts, seed=1):
    """Noise with a class's own pattern in it."""
    rng = np.random.RandomState(seed)
    pattern = rng.rand(classes, side, side, 3)
    labels = rng.randint(0, classes, sum(counts)).tolist()
    pictures = 255 * (0.5 * pattern[labels] + 0.5 * rng.rand(len(labels), side, side, 3))
    return Data(library, pictures.astype(np.uint8), labels, counts, classes)


class Supernet:
    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    @classmethod
    def create(cls, library, space, data, settings=None, **options):
        opts = ctypes.c_void_p(library.nas.scarlet_supernet_options())
        for name, value in options.items():
            library.call("train_options_set", opts, name.replace("_", "-").encode(), str(value).encode())
        space = library.make("space_parse", space.encode())
        return cls(library, library.make("supernet_create", space, data.handle, ctypes.byref(settings or Settings()), opts))

    @classmethod
    def load(cls, library, path, data, threads=1):
        return cls(library, library.make("supernet_load", str(path).encode(), data.handle, threads))

    def step(self, count):
        for _ in range(count):
            self.library.call("supernet_step", self.handle)

    def get(self, what):
        return self.library.nas.scarlet_supernet_get(self.handle, what)

    def write(self, path):
        self.library.call("supernet_write", self.handle, str(path).encode())
        return path

    def score(self, genotype, part=VALIDATION):
        score = Score()
        self.library.call("supernet_score", self.handle, genotype.encode(), part, ctypes.byref(score))
        return score.cross_entropy, score.top1, score.pictures


def read_safetensors(path):
    """(metadata, {name: float64 tensor})."""
    raw = Path(path).read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    kind = {"F32": np.float32, "F16": np.float16}
    return header.pop("__metadata__"), {
        name: torch.from_numpy(np.frombuffer(raw[8 + length:][slice(*about["data_offsets"])], kind[about["dtype"]])
                               .astype(np.float64).reshape(about["shape"])) for name, about in header.items()}


def part_of(whole, shape):
    """Leading channels, and the centre of a kernel."""
    for i, size in enumerate(shape):
        whole = whole.narrow(i, (whole.shape[i] - size) // 2 if i > 1 else 0, size)
    return whole


class Module(nn.Module):
    """A module for each block of each layer, under the names of a supernet's file; choices are parts of blocks."""

    def __init__(self, names, widths, choices, classes, share=NONE):
        super().__init__()
        self.share = share
        self.common = reference.Scarlet([None] * len(widths.layers), classes, widths)
        self.common.conv_before_pooling[0] = nn.Conv2d(widths.layers[-1].channels, widths.tail, 1, bias=False)
        self.block, self.choice, channels = nn.ModuleDict(), nn.ModuleDict(), widths.first
        for i, (layer, items) in enumerate(zip(widths.layers, choices.split(","), strict=True)):
            def make(name):
                return reference.InvertedResidual(channels, layer.channels, layer.stride, reference._parse_choice(name))
            for name in {n.split(".")[2] for n in names if n.startswith(f"mb_module.{i}.")}:
                self.block[f"{i}/{name}"] = nn.Conv2d(channels, channels, 1, bias=False) if name == "let" else make(name)
            self.choice.update({f"{i}/{name}": make(name) for name in items.split("|") if name != "id"})
            channels = layer.channels

    def parameter(self, name):
        parts = name.split(".")
        if parts[0] != "mb_module":
            return self.common.get_parameter(name)
        return self.block["/".join(parts[1:3])].get_parameter(".".join(parts[3:]))

    def block_of(self, layer, name):
        """The block that a choice reads: the only one that agrees in what is not shared."""
        def group(choice):
            expansion, _, squeeze = reference._parse_choice(choice)
            return {NONE: choice, KERNEL: (expansion, squeeze), WIDTH: squeeze}[self.share]
        keys = [key for key in self.block if key.startswith(f"{layer}/") and not key.endswith("/let") and
                group(key.split("/")[1]) == group(name)]
        assert len(keys) == 1
        return keys[0]

    def run_choice(self, layer, name, x):
        block, choice = self.block[self.block_of(layer, name)], self.choice[f"{layer}/{name}"]
        whole = dict(block.named_parameters())
        return functional_call(choice, {key: part_of(whole[key], p.shape) for key, p in choice.named_parameters()}, (x,))

    def forward(self, genotype, x):
        x = self.common.separable_conv(self.common.stem(x))
        for i, name in enumerate(genotype.split(",")):
            x = x if name == "id" else self.block[f"{i}/let"](x) if name == "let" else self.run_choice(i, name, x)
        return self.common.classifier(self.common.conv_before_pooling(x).mean((2, 3)))

    def uses(self, genotype, names):
        """By name, 1 for the elements that a path uses and 0 for others."""
        uses = {name: torch.full_like(self.parameter(name), not name.startswith("mb_module")) for name in names}
        for i, name in enumerate(genotype.split(",")):
            if name == "let":
                uses[f"mb_module.{i}.let.weight"].fill_(1)
            elif name != "id":
                for key, p in self.choice[f"{i}/{name}"].named_parameters():
                    part_of(uses[f"mb_module.{self.block_of(i, name).replace('/', '.')}.{key}"], p.shape).fill_(1)
        return uses

    @torch.no_grad()
    def measure(self, genotype, batches):
        """Batch norm's statistics as the mean over the batches; then in eval mode."""
        for norm in self.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.reset_running_stats()
                norm.momentum = None
        self.train()
        for batch in batches:
            self(genotype, batch)
        return self.eval()


def module_of(path):
    """The module of a supernet's file, in float64."""
    metadata, tensors = read_safetensors(path)
    weights = {name.removeprefix("weights."): value for name, value in tensors.items() if name.startswith("weights.")}
    classes = weights["classifier.weight"].shape[0]
    share = int(metadata["supernet.state"].split(" share=")[1].split()[0])
    module = Module(weights, reference.parse_space(metadata["scarlet.space"]), metadata["scarlet.choices"], classes, share).double()
    for name, value in weights.items():
        module.parameter(name).data = value
    return module
