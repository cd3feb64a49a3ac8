"""The SCARLET networks in PyTorch: the reference that libscarlet is compared with, and what is trained.

A network is data: a `Space` (widths and strides), a genotype (one choice a layer) and a class count. `Scarlet` builds
the module; its state dict has the names and shapes of the authors' release, so released checkpoints load into it and
what it saves loads into libscarlet.

    model = Scarlet(GENOTYPES["C"], classes=10)
    model.load_state_dict(torch.load("scarlet-c.pth")["model_state"])
    scores = model.eval()(pictures)          # pictures: float [n, 3, side, side], normalised, RGB
"""

import re
from collections import OrderedDict, namedtuple

import torch
from torch import nn
from torch.nn import functional as F

Layer = namedtuple("Layer", "channels stride")
Layer.__doc__ = "What the space fixes of one layer: output channels and stride."

Choice = namedtuple("Choice", "expansion kernel se")
Choice.__doc__ = "What a genotype chooses for one layer: expansion (3, 6), kernel (3, 5, 7), squeeze-excitation (bool)."

EXPANSIONS = (3, 6)
KERNELS = (3, 5, 7)
CHOICES = (None,) + tuple(Choice(e, k, se) for e in EXPANSIONS for k in KERNELS for se in (False, True))
"""The 13 choices of a layer; None is the identity."""


class Space(namedtuple("Space", "stem layers tail")):
    """The fixed part of a family of networks: stem width, layers, width before the classifier."""

    __slots__ = ()

    def __str__(self):
        """The form of the metadata key `scarlet.space`."""
        layers = ",".join(f"{layer.channels}:{layer.stride}" for layer in self.layers)
        return f"stem={self.stem} tail={self.tail} layers={layers}"

    @property
    def first(self):
        """Channels which enter the first layer: the separable convolution halves the stem."""
        return self.stem // 2


def parse_space(text):
    """The `Space` written as `stem=16 tail=640 layers=24:2,24:1,40:2`."""
    match = re.fullmatch(r"stem=(\d+) tail=(\d+) layers=(\d+:[12](?:,\d+:[12])*)", text)
    if not match:
        raise ValueError(f"not a space: {text!r}; expected 'stem=16 tail=640 layers=24:2,24:1,...'")
    layers = tuple(Layer(*map(int, item.split(":"))) for item in match[3].split(","))
    return Space(int(match[1]), layers, int(match[2]))


DEFAULT_SPACE = parse_space(
    "stem=32 tail=1280 layers=32:2,32:1,40:2,40:1,40:1,40:1,80:2,80:1,80:1,80:1,"
    "96:1,96:1,96:1,96:1,192:2,192:1,192:1,192:1,320:1"
)
"""The space of the paper: 19 layers, 13^19 networks."""


Style = namedtuple("Style", "activation epsilon padding")
Style.__doc__ = """What other networks of this skeleton compute differently: the activation of a block's hidden channels
("hswish", "relu6"), the epsilon of batch norms, and padding ("symmetric": kernel // 2; "same": TensorFlow's)."""

DEFAULT_STYLE = Style("hswish", 1e-5, "symmetric")
"""That of the paper."""


def parse_style(text):
    """The `Style` written as `activation=relu6 epsilon=0.001 padding=same`, the metadata key `scarlet.network`."""
    match = re.fullmatch(r"activation=(hswish|relu6) epsilon=([0-9.e-]+) padding=(symmetric|same)", text)
    if not match:
        raise ValueError(f"not a style: {text!r}; expected 'activation=relu6 epsilon=0.001 padding=same'")
    return Style(match[1], float(match[2]), match[3])


def parse_genotype(text):
    """The genotype written as `e3k5se,id,e6k7`: one item a layer, joined by commas."""
    return [_parse_choice(item) for item in text.split(",")]


def _parse_choice(item):
    if item == "id":
        return None
    match = re.fullmatch(r"e([36])k([357])(se)?", item)
    if not match:
        raise ValueError(f"not a layer: {item!r}; expected 'id' or e.g. 'e3k7' or 'e6k5se'")
    return Choice(int(match[1]), int(match[2]), match[3] is not None)


def format_genotype(genotype):
    """The string form of a genotype, the inverse of `parse_genotype`."""
    return ",".join("id" if c is None else f"e{c[0]}k{c[1]}{'se' if c[2] else ''}" for c in genotype)


GENOTYPES = {
    "A": parse_genotype(
        "e3k7,e6k5,e3k5,e3k7se,e6k3se,e3k5se,e6k3se,e3k3,e3k7se,e3k7,"
        "e3k5,e3k7se,e3k3,e3k7se,e6k3se,e6k5se,e3k3se,e6k3se,e6k7se"
    ),
    "B": parse_genotype(
        "e3k3se,e3k5se,e3k3se,e6k7se,e3k3,e3k5,e6k7se,e3k3se,id,e3k5,"
        "e3k3se,e3k3se,e6k7se,e3k3se,e6k5se,e6k5se,id,e6k7se,e6k5se"
    ),
    "C": parse_genotype(
        "e3k5se,e3k3se,e3k5se,id,id,e3k3,e6k7se,e3k3se,e3k3se,e3k5,"
        "e3k7se,e3k7,e3k3se,e3k7se,e3k3se,id,e6k3se,e6k7se,e6k5se"
    ),
}
"""The released networks SCARLET-A, -B and -C, members of the default space."""


def random_genotype(rng, space=DEFAULT_SPACE):
    """A uniformly random member of `space`; `rng` is a `random.Random`."""
    return [rng.choice(CHOICES) for _ in space.layers]


def total_stride(genotype, space=DEFAULT_SPACE):
    """Input pixels for one of the last feature map, along a side. An identity drops its layer's stride."""
    stride = 2
    for layer, choice in zip(space.layers, genotype):
        if choice is not None:
            stride *= layer.stride
    return stride


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from the means of all channels."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze_conv = nn.Conv2d(channels, channels // 4, 1)
        self.excite_conv = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x):
        gate = x.mean((2, 3), keepdim=True)
        gate = F.relu(self.squeeze_conv(gate))
        return x * F.hardsigmoid(self.excite_conv(gate))  # min(max(y + 3, 0), 6) / 6


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise k x k, optional squeeze-excitation, 1x1 projection, input added where shapes allow."""

    def __init__(self, inputs, outputs, stride, choice):
        super().__init__()
        expansion, kernel, se = choice
        hidden = expansion * inputs
        self.residual = stride == 1 and inputs == outputs
        self.conv1 = nn.Conv2d(inputs, hidden, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.mid_se = SqueezeExcite(hidden) if se else None
        self.conv3 = nn.Conv2d(hidden, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.act = nn.Hardswish()  # y * min(max(y + 3, 0), 6) / 6

    def forward(self, x):
        y = self.act(self.bn1(self.conv1(x)))
        y = self.act(self.bn2(self.conv2(y)))
        if self.mid_se is not None:
            y = self.mid_se(y)
        y = self.bn3(self.conv3(y))
        return x + y if self.residual else y


class Scarlet(nn.Module):
    """A network of the family: 3 x side x side in, one score a class out (before softmax)."""

    def __init__(self, genotype, classes=1000, space=DEFAULT_SPACE):
        super().__init__()
        if len(genotype) != len(space.layers):
            raise ValueError(f"{len(genotype)} layers in the genotype, {len(space.layers)} in the space")
        self.genotype, self.space = list(genotype), space
        stem, channels = space.stem, space.first
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU6())
        self.separable_conv = nn.Sequential(
            nn.Conv2d(stem, stem, 3, 1, 1, groups=stem, bias=False), nn.BatchNorm2d(stem), nn.ReLU6(),
            nn.Conv2d(stem, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.mb_module = nn.ModuleList()
        for layer, choice in zip(space.layers, genotype):
            if choice is None:  # carries the narrower input on, and drops the layer's stride
                self.mb_module.append(nn.Identity())
                continue
            self.mb_module.append(InvertedResidual(channels, layer.channels, layer.stride, choice))
            channels = layer.channels
        self.conv_before_pooling = nn.Sequential(
            nn.Conv2d(channels, space.tail, 1, bias=False), nn.BatchNorm2d(space.tail), nn.ReLU6())
        self.classifier = nn.Linear(space.tail, classes)

    def stages(self):
        """(name, module) in order of execution; each takes what the one before gives."""
        yield "stem", self.stem
        yield "separable_conv", self.separable_conv
        for i, block in enumerate(self.mb_module):
            yield f"mb_module.{i}", block
        yield "conv_before_pooling", self.conv_before_pooling
        yield "features", lambda x: x.mean((2, 3))
        yield "scores", self.classifier

    def forward(self, x):
        for _, stage in self.stages():
            x = stage(x)
        return x

    def trace(self, x):
        """The output of every stage by name, in order: what a layer-by-layer comparison needs."""
        outputs = OrderedDict()
        for name, stage in self.stages():
            x = outputs[name] = stage(x)
        return outputs


def _pad_same(convolution, inputs):
    """TensorFlow's padding: as little as gives ceil(side / stride), its odd pixel below and on the right."""
    x, = inputs
    total = [max((-(-side // s) - 1) * s + k - side, 0)
             for side, s, k in zip(x.shape[2:], convolution.stride, convolution.kernel_size)]
    return (F.pad(x, [total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2]),)


def restyle(model, style):
    """Gives a network of the paper's style, or a part of one, another style; returns it."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = style.epsilon
        elif isinstance(module, InvertedResidual) and style.activation == "relu6":
            module.act = nn.ReLU6()
        elif isinstance(module, nn.Conv2d) and style.padding == "same":
            module.padding = (0, 0)
            module.register_forward_pre_hook(_pad_same)
    return model


@torch.no_grad()
def condition(model, pictures, rng):
    """Fill `model` with random weights which make a tight comparison meaningful; returns it in eval mode.

    With raw random weights a SCARLET is chaotic: float32 and float64 differ by a per cent. Here residual branches are
    damped, batch norms shifted by +1 (away from the kinks of the activations), and running statistics measured from
    `pictures`, float [n, 3, side, side]; n x (side / total stride)^2 should be 8 or more. `rng`: a `random.Random`.
    """
    generator = torch.Generator().manual_seed(rng.getrandbits(62))

    def normal(tensor, mean, deviation):
        tensor.copy_(torch.randn(tensor.shape, generator=generator, dtype=torch.float64) * deviation + mean)

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            normal(module.weight, 0, (2 / module.weight[0].numel()) ** 0.5)
            if module.bias is not None:
                normal(module.bias, 0, 0.5)
        elif isinstance(module, nn.BatchNorm2d):
            normal(module.weight, 1, 0.1)
            normal(module.bias, 1, 0.2)
    for module in model.modules():
        if isinstance(module, InvertedResidual) and module.residual:
            module.bn3.weight.mul_(0.2)
            module.bn3.bias.mul_(0.2)
    _measure(model, pictures)
    return model.eval()


def _measure(model, pictures):
    """Set every running statistic to that of `pictures`."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    model.train()
    model(pictures)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
