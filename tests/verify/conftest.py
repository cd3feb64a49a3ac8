"""A model of twelve classes, an ImageFolder of hostile names, and what PyTorch makes of both."""

import io
import json
import os
import random
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.datasets import ImageFolder

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "network")]
from networks import Member, build, reference, save_safetensors  # noqa: E402

COMMAND = os.environ["SCARLET_COMMAND"]
SPACE = "stem=8 tail=32 layers=8:2,8:1,12:2"
SIDE, RESIZE, CLASSES = 32, 36, 12
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# Folders of classes: no natural order, no locale; the last is a link to a folder outside.
FOLDERS = [b"10", b"9", b"A b", b"Zebra", b"_x", b"a-b", b"new\nline", b"quo'te\"s", b"\xe9\xff", "\u00e9clair".encode(),
           b".hidden", b"linked"]
NAMES = [b"plain", b"with space", b" lead", b"new\nline", b"\xff\xfebytes", "\u00e9".encode(), b"-x", b"..", b".dot", b"a.b.c",
         b"sub/deep/er/x", b"sub-2/x", b"sub.d/x", b"sub/x", b"'q\"", b"%s", b"\\b", b"z" * 200]

Reference = namedtuple("Reference", "files labels scores")


def make_model(path, classes=CLASSES, name="verify", labels=None):
    """Returns the PyTorch module too. Without names of classes, folders are numbered in sorted order."""
    space = reference.parse_space(SPACE)
    module = build(Member(name, reference.parse_genotype("e3k3se,id,e6k5"), space, classes))
    spread(module)
    save_safetensors(module.state_dict(), Path(path), {
        "scarlet.format": "1", "scarlet.space": SPACE, "scarlet.input_size": str(SIDE), "scarlet.resize": str(RESIZE),
        **({"scarlet.labels": json.dumps(labels)} if labels else {})})
    return module


@torch.no_grad()
def spread(module):
    """Scores of random weights are nearly those of one class: make every class likely, and scores far apart."""
    rng, inputs = random.Random(0), []
    for _ in range(100):
        file = io.BytesIO()
        save_picture(rng, file)
        inputs.append(pipeline()(Image.open(file).convert("RGB")))
    scores = module(torch.stack(inputs))
    layer, scale = module.classifier, 2 / scores.std(0)
    layer.bias.copy_((layer.bias - scores.mean(0)) * scale)
    layer.weight.mul_(scale[:, None])


def save_picture(rng, file):
    """A picture of a random kind; its ending need not be that of the kind."""
    width, height = rng.randint(30, 160), rng.randint(30, 160)
    noise = np.random.RandomState(rng.getrandbits(31))
    small = noise.randint(0, 256, (5, 5, 3), np.uint8)
    picture = Image.fromarray(small).resize((width, height), Image.BICUBIC)
    kind = rng.choice(["jpeg", "jpeg", "jpeg", "progressive", "gray", "cmyk", "png", "rgba", "palette", "gray-png"])
    if kind in ("jpeg", "progressive"):
        picture.save(file, "JPEG", quality=rng.randint(75, 95), progressive=kind == "progressive")
    elif kind in ("gray", "cmyk"):
        picture.convert("L" if kind == "gray" else "CMYK").save(file, "JPEG", quality=90)
    else:
        mode = {"png": "RGB", "rgba": "RGBA", "palette": "P", "gray-png": "L"}[kind]
        picture.convert(mode).save(file, "PNG")


def make_tree(root, rng, count, module):
    """`count` pictures in class folders of hostile names, half of them where `module` puts them, and much to be ignored."""
    root = os.fsencode(root)
    os.makedirs(root)
    for folder in FOLDERS[:-1]:
        os.mkdir(os.path.join(root, folder))
    outside = root + b"-outside"
    os.mkdir(outside)
    os.symlink(outside, os.path.join(root, FOLDERS[-1]))
    with open(os.path.join(root, b"in the root.png"), "wb"):
        pass
    classes = sorted(FOLDERS, key=os.fsdecode)  # as ImageFolder numbers them
    for i in range(count):
        file = io.BytesIO()
        save_picture(rng, file)
        folder = FOLDERS[i % len(FOLDERS)]
        if rng.random() < 0.5:
            with torch.no_grad():
                folder = classes[module(pipeline()(Image.open(file).convert("RGB"))[None]).argmax()]
        ending = rng.choice([b".jpg", b".JPEG", b".png", b".Png", b".tiff", b".webp"])  # need not be that of the kind
        path = os.path.join(root, folder, NAMES[i // len(FOLDERS) % len(NAMES)] + b"%d" % i + ending)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(file.getvalue())
    first = os.path.join(root, FOLDERS[0])
    for junk in (b"notes.txt", b"x.gif", b"y.jpg.bak", b"z.jpe", b"jpg"):
        with open(os.path.join(first, junk), "wb") as file:
            file.write(b"not a picture")
    os.symlink(os.path.join(b"..", FOLDERS[1]), os.path.join(first, b"link to a class"))
    save_picture(rng, os.fsdecode(os.path.join(first, b".jpg")))


def pipeline(side=SIDE, resize=RESIZE, mean=MEAN, std=STD):
    return transforms.Compose([transforms.Resize(resize), transforms.CenterCrop(side), transforms.ToTensor(),
                               transforms.Normalize(mean, std)])


@torch.no_grad()
def evaluate(module, root, transform=None):
    """The authors' evaluation, picture by picture."""
    data = ImageFolder(os.fspath(root), transform or pipeline())
    scores = torch.cat([module(torch.stack([data[i][0] for i in range(at, min(at + 50, len(data)))]))
                        for at in range(0, len(data), 50)])
    return Reference([os.fsencode(path) for path, _ in data.samples], [label for _, label in data.samples], scores)


def sums(found):
    """Total, and right answers within the first 1 and 5, as the authors count them."""
    top = found.scores.topk(5, 1).indices
    right = top == torch.tensor(found.labels)[:, None]
    return len(found.labels), int(right[:, 0].sum()), int(right.sum())


SKIPPED = b"scarlet: 5 files skipped: 5 other\n"  # what else is in the tree


def last(printed):
    """The line of the authors' evaluation: the last one."""
    return (printed if isinstance(printed, str) else printed.decode()).splitlines(keepends=True)[-1]


def line(total, top1, top5, n=5):
    return f"Evaluate Result: Total: {total}\tmTop1: {100 * top1 / total:.4f}\tmTop{n}: {100 * top5 / total:.6f}\n"


def run(*command, code=0, **options):
    result = subprocess.run([COMMAND, "verify", *map(os.fsencode, command)], capture_output=True, **options)
    assert code is None or result.returncode == code, result.stderr
    return result


def run_json(*command, **options):
    return json.loads(run(*command, "--json", **options).stdout)


def records(path):
    return [json.loads(row) for row in Path(path).read_text().splitlines()]


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="session")
def module(scratch):
    return make_model(scratch / "model")


@pytest.fixture(scope="session")
def tree(scratch, module):
    make_tree(scratch / "tree", random.Random(4), 330, module)
    return scratch / "tree"


@pytest.fixture(scope="session")
def expected(module, tree):
    return evaluate(module, tree)
