"""Networks with known answers: random, well conditioned weights, and PyTorch's scores in float64.

References take long to compute and are kept: in the folder SCARLET_TEST_CACHE names, else in a
temporary one. They are a function of this file and of reference.py, whose hashes are in their name.
"""

import copy
import hashlib
import json
import os
import random
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from scarlet import reference  # noqa: E402

COUNT = 8  # pictures
SMALL = [
    "stem=16 tail=320 layers=16:2,24:1,24:2,40:2,40:1",
    "stem=10 tail=72 layers=12:1,20:2,20:1",
]

STYLES = {  # what other networks of this skeleton do differently: activation of blocks, epsilon, padding
    "lite": reference.Style("relu6", 0.001, "same"),
    "v2": reference.Style("relu6", 1e-5, "symmetric"),
    "odd": reference.Style("hswish", 0.02, "same"),
}
OTHERS = {  # published ones: space, genotype, style
    "EfficientNet-Lite0": (
        "stem=32 tail=1280 layers=24:2,24:1,40:2,40:1,80:2,80:1,80:1,112:1,112:1,112:1,192:2,192:1,192:1,192:1,320:1",
        "e6k3,e6k3,e6k5,e6k5,e6k3,e6k3,e6k3," + "e6k5," * 7 + "e6k3", "lite"),
    "MobileNetV2": (
        "stem=32 tail=1280 layers=24:2,24:1,32:2,32:1,32:1,64:2,64:1,64:1,64:1,96:1,96:1,96:1,160:2,160:1,160:1,320:1",
        ",".join(["e6k3"] * 16), "v2"),
}

Member = namedtuple("Member", "name genotype space classes style", defaults=[None])
Reference = namedtuple("Reference", "scores features error")  # error: of PyTorch in float32


def members(random_members):
    """A, B, C, `random_members` of the default space and two small spaces."""
    yield from (Member(f"SCARLET-{k}", v, reference.DEFAULT_SPACE, 1000)
                for k, v in reference.GENOTYPES.items())
    for i in range(random_members):
        rng = random.Random(1000 + i)
        yield Member(f"random-{i}", reference.random_genotype(rng), reference.DEFAULT_SPACE,
                     rng.choice([1, 2, 10, 37, 1000]))
    for i, text in enumerate(SMALL):
        space = reference.parse_space(text)
        yield Member(f"small-{i}", reference.random_genotype(random.Random(7 + i), space), space, 5)
    for name, (space, genotype, style) in OTHERS.items():
        yield Member(name, reference.parse_genotype(genotype), reference.parse_space(space), 1000, STYLES[style])
    for i, style in enumerate(("lite", "odd")):  # every kernel meets a stride of 2
        space = reference.parse_space("stem=16 tail=64 layers=16:2,24:2,24:2")
        genotype = reference.parse_genotype(("e3k7,e6k5,e3k3", "e6k3se,e3k7se,e3k5")[i])
        yield Member(f"styled-{i}", genotype, space, 5, STYLES[style])


def pictures(side, count=COUNT):
    """Smooth patterns and edges, normalised like photographs; float32 NCHW."""
    rng = np.random.RandomState(side)
    y, x = np.mgrid[0:side, 0:side] / side
    out = np.empty((count, 3, side, side))
    for i in range(count):
        for c in range(3):
            fy, fx, phase = rng.uniform(-6, 6, 2).tolist() + [rng.uniform(0, 6.28)]
            out[i, c] = 0.45 + 0.3 * np.sin(6.28 * (fy * y + fx * x) + phase)
            out[i, c] += 0.25 * (np.hypot(x - rng.rand(), y - rng.rand()) < 0.3)
        out[i] += 0.05 * rng.randn(3, side, side)
    return ((np.clip(out, 0, 1) - 0.45) / 0.225).astype(np.float32)


def build(member):
    """The member's PyTorch module in eval mode, always the same weights."""
    torch.manual_seed(0)
    model = reference.Scarlet(member.genotype, member.classes, member.space)
    if member.style:
        reference.restyle(model, member.style)
    side = 64
    while (side // reference.total_stride(member.genotype, member.space)) ** 2 * COUNT < 8:
        side *= 2
    return reference.condition(model, torch.from_numpy(pictures(side)),
                               random.Random(member.name))


def sides(member, wanted):
    """The sizes of `wanted` that the member accepts."""
    stride = reference.total_stride(member.genotype, member.space)
    return [side for side in wanted if side % stride == 0]


def _forward(model, x):
    features = model.trace(x)["features"]
    return model.classifier(features).numpy(), features.numpy()


@torch.no_grad()
def answer(model, member, side):
    """PyTorch's scores and features in float64, and its own float32 error."""
    state = hashlib.sha256()
    for path in (Path(__file__), Path(reference.__file__)):
        state.update(path.read_bytes())
    folder = Path(os.environ.get("SCARLET_TEST_CACHE", tempfile.gettempdir()))
    kept = folder / f"reference-{member.name}-{side}-{state.hexdigest()[:16]}.npz"
    if not kept.exists():
        x = torch.from_numpy(pictures(side))
        single, _ = _forward(model, x)
        scores, features = zip(*(_forward(model.double(), x[i:i + 1].double())
                                 for i in range(COUNT)))
        model.float()
        scores, features = np.concatenate(scores), np.concatenate(features)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(f".{os.getpid()}.tmp.npz")
        np.savez(temporary, scores=scores, features=features, single=single)
        temporary.rename(kept)
    data = np.load(kept)
    return Reference(data["scores"], data["features"], error(data["single"], data["scores"]))


# ---- integers ----

# Largest integers of a precision: of a map, of a depthwise convolution's output, of weights, of
# weights of squeeze-excite and the classifier.
LEVELS = {"int8": (127, 255, 127, 127), "int16": (4095, 8190, 2047, 32767)}
LEAST = 0.375  # minus the minimum of h-swish; that of ReLU6 is 0


def _quantize_weight(layer, levels):
    w = layer.weight.data
    scale = w.flatten(1).abs().amax(1).reshape(-1, *[1] * (w.ndim - 1)).clamp(min=1e-20) / levels
    layer.weight.data = (w / scale).round() * scale


def _quantize_input(layer, levels, shift=None):
    """Pixel by pixel; `shift`: from its known minimum on."""
    def hook(_, inputs):
        x, = inputs
        most = x.abs().amax(1, keepdim=True) if shift is None else x.amax(1, keepdim=True).clamp(min=0) + shift
        scale = most.clamp(min=1e-20) / levels
        return (((x + (shift or 0)) / scale).round() * scale - (shift or 0),)
    layer.register_forward_pre_hook(hook)


@torch.no_grad()
def simulate(model, side, levels, last=LEVELS["int16"]):
    """Scores and features of a copy of the module with weights and activations rounded to integers
    as libscarlet's manual says, all else in float64. `last`: levels of the last block's
    projection."""
    model = copy.deepcopy(model).double()
    blocks = [block for block in model.mb_module if not isinstance(block, torch.nn.Identity)]
    for block in blocks:
        on_map, _, weight, vector_weight = levels
        _, hidden, project_weight, _ = last if block is blocks[-1] else levels
        _quantize_input(block.conv1, on_map)
        _quantize_input(block.conv3, hidden, 0 if isinstance(block.act, torch.nn.ReLU6) else LEAST)
        _quantize_weight(block.conv1, weight)
        _quantize_weight(block.conv3, project_weight)
        if block.mid_se is not None:
            _quantize_weight(block.mid_se.squeeze_conv, vector_weight)
            _quantize_weight(block.mid_se.excite_conv, vector_weight)
    on_map, _, weight, vector_weight = levels
    tail = model.conv_before_pooling[0]
    _quantize_input(tail, on_map)
    _quantize_weight(tail, weight)
    _quantize_weight(model.classifier, vector_weight)
    return _forward(model, torch.from_numpy(pictures(side)).double())


def spread_error(found, expected):
    """Root mean square of the differences, as a share of that of what is expected."""
    return float(np.sqrt(np.square(found - expected).mean() / np.square(expected).mean()))


# ---- floats ----

def error(found, expected):
    """max |difference| / max |expected|."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def bound(answer):
    """What the specification allows: 2e-5, or four times PyTorch's own float32 error."""
    return max(2e-5, 4 * answer.error)


def metadata(member):
    """What a file of the member's weights says."""
    if member.style is None:
        return {"scarlet.space": str(member.space)}
    activation, epsilon, padding = member.style
    return {"scarlet.format": "2", "scarlet.space": str(member.space),
            "scarlet.network": f"activation={activation} epsilon={epsilon} padding={padding}"}


# ---- names of other projects ----

def _in_stages(block):
    """MobileNetV2's stages after its first, as timm numbers them."""
    stages = [1 + stage for stage, blocks in enumerate((2, 3, 4, 3, 3, 1)) for _ in range(blocks)]
    stage = stages[min(block, len(stages) - 1)]
    return f"{stage}.{block - stages.index(stage)}"


# What a block's number becomes, and prefixes: ours, theirs. "#" is the number.
EFFICIENTNET_PYTORCH = lambda block: block + 1, [
    ("stem.0.", "_conv_stem."), ("stem.1.", "_bn0."),
    ("separable_conv.0.", "_blocks.0._depthwise_conv."), ("separable_conv.1.", "_blocks.0._bn1."),
    ("separable_conv.3.", "_blocks.0._project_conv."), ("separable_conv.4.", "_blocks.0._bn2."),
    ("mb_module.#.conv1.", "_blocks.#._expand_conv."), ("mb_module.#.bn1.", "_blocks.#._bn0."),
    ("mb_module.#.conv2.", "_blocks.#._depthwise_conv."), ("mb_module.#.bn2.", "_blocks.#._bn1."),
    ("mb_module.#.conv3.", "_blocks.#._project_conv."), ("mb_module.#.bn3.", "_blocks.#._bn2."),
    ("conv_before_pooling.0.", "_conv_head."), ("conv_before_pooling.1.", "_bn1."), ("classifier.", "_fc."),
]
TORCHVISION = lambda block: block + 2, [
    ("stem.0.", "features.0.0."), ("stem.1.", "features.0.1."),
    ("separable_conv.0.", "features.1.conv.0.0."), ("separable_conv.1.", "features.1.conv.0.1."),
    ("separable_conv.3.", "features.1.conv.1."), ("separable_conv.4.", "features.1.conv.2."),
    ("mb_module.#.conv1.", "features.#.conv.0.0."), ("mb_module.#.bn1.", "features.#.conv.0.1."),
    ("mb_module.#.conv2.", "features.#.conv.1.0."), ("mb_module.#.bn2.", "features.#.conv.1.1."),
    ("mb_module.#.conv3.", "features.#.conv.2."), ("mb_module.#.bn3.", "features.#.conv.3."),
    ("conv_before_pooling.0.", "features.18.0."), ("conv_before_pooling.1.", "features.18.1."),
    ("classifier.", "classifier.1."),
]
TIMM = _in_stages, [
    ("stem.0.", "conv_stem."), ("stem.1.", "bn1."),
    ("separable_conv.0.", "blocks.0.0.conv_dw."), ("separable_conv.1.", "blocks.0.0.bn1."),
    ("separable_conv.3.", "blocks.0.0.conv_pw."), ("separable_conv.4.", "blocks.0.0.bn2."),
    ("mb_module.#.conv1.", "blocks.#.conv_pw."), ("mb_module.#.bn1.", "blocks.#.bn1."),
    ("mb_module.#.conv2.", "blocks.#.conv_dw."), ("mb_module.#.bn2.", "blocks.#.bn2."),
    ("mb_module.#.conv3.", "blocks.#.conv_pwl."), ("mb_module.#.bn3.", "blocks.#.bn3."),
    ("conv_before_pooling.0.", "conv_head."), ("conv_before_pooling.1.", "bn2."), ("classifier.", "classifier."),
]
NAMINGS = {"EfficientNet-Lite0": [EFFICIENTNET_PYTORCH], "MobileNetV2": [TORCHVISION, TIMM]}


def translated(state, naming):
    """The state dict under the names of the other project."""
    number, prefixes = naming
    full = {}
    for ours, theirs in prefixes:
        for block in range(20) if "#" in ours else [0]:
            full[ours.replace("#", str(block))] = theirs.replace("#", str(number(block)))
    result = {}
    for name, tensor in state.items():
        prefix = max((p for p in full if name.startswith(p)), key=len)
        result[full[prefix] + name[len(prefix):]] = tensor
    return result


def other(name, classes=1000):
    """A published network of another style."""
    space, genotype, style = OTHERS[name]
    return Member(name, reference.parse_genotype(genotype), reference.parse_space(space), classes, STYLES[style])


# ---- files ----

def save_safetensors(state, path, metadata):
    """The smallest writer of the format (Debian has no package of it)."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in state.items():
        if tensor.dtype == torch.float32:
            raw = tensor.contiguous().numpy().tobytes()
            header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                            "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
