"""libscarlet beside PyTorch: `python -m scarlet.compare MODEL PICTURE...`

Both load the same checkpoint by code of their own. For each picture: whether libscarlet's input has the bits of
torchvision's, and the five best classes of both with their scores (logits). Differences are max |difference| divided
by max |score| of PyTorch in float64; allowed are 2e-5 or four times PyTorch's own error in float32, whichever is more.
Exit code: 0 within the bound, 1 beyond it or where an input differs, 2 for wrong use or unreadable files.
"""

import argparse
import sys
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torchvision import transforms

from . import checkpoint
from ._library import version
from .errors import Error
from .experimental import trace
from .model import Model
from .options import SESSION, names
from .results import topk
from .session import Session

STAGES = {"conv_before_pooling": "features", "classifier": "scores"}  # of the library's layers, where the names differ


class Difference(NamedTuple):
    """Of one layer or of the scores, over all pictures."""

    ours: float
    """libscarlet against float64"""
    theirs: float
    """PyTorch in float32 against float64"""
    largest: float

    @property
    def bound(self) -> float:
        return max(2e-5, 4 * self.theirs)

    @property
    def verdict(self) -> str:
        return "ok" if self.ours <= self.bound else "BEYOND"


def difference(ours: Iterable[Any], single: Iterable[Any], double: Iterable[Any]) -> Difference:
    """Of arrays, one a picture; relative to the largest value of all."""
    a, b, c = ([np.asarray(array, np.float64) for array in arrays] for arrays in (ours, single, double))
    largest = max(float(np.abs(array).max()) for array in c)
    errors = [max(float(np.abs(x - y).max()) for x, y in zip(arrays, c)) / (largest or 1.0) for arrays in (a, b)]
    return Difference(errors[0], errors[1], largest)


class Both:
    """A model in libscarlet and in PyTorch."""

    def __init__(self, path: str, options: Dict[str, str], trust: bool) -> None:
        self.model = Model(path, **{name: value for name, value in options.items() if name not in names(SESSION)})
        self.session: Session = self.model.session(
            **{name: value for name, value in options.items() if name in names(SESSION)})
        self.module, metadata = checkpoint.load(path, trust)
        side = self.session.input_size
        resize = int(metadata.get("scarlet.resize", 0)) * side // self.model.input_size or side * 8 // 7
        mean, std = ([float(x) for x in metadata[key].split(",")] if key in metadata else default
                     for key, default in (("scarlet.mean", [0.485, 0.456, 0.406]),
                                          ("scarlet.std", [0.229, 0.224, 0.225])))
        self.transform = transforms.Compose([
            transforms.Resize(resize), transforms.CenterCrop(side),
            transforms.ToTensor(), transforms.Normalize(mean, std)])

    def inputs(self, picture: str) -> Tuple[NDArray[np.float32], bool]:
        """The network's input for a picture by libscarlet, and whether torchvision's has the same bits."""
        ours = self.session.preprocess(picture)
        with Pillow.open(picture) as opened:
            theirs = self.transform(opened.convert("RGB")).numpy()
        planes = ours.transpose(2, 0, 1) if self.session.nhwc else ours
        return ours, bool(np.array_equal(planes, theirs))

    @torch.no_grad()
    def run(self, x: NDArray[np.float32]) -> Tuple[Dict[str, Any], Dict[str, Any], Dict[str, Any], Dict[str, float]]:
        """Outputs of every stage: libscarlet's, PyTorch's in float32 and in float64; and libscarlet's milliseconds."""
        _, layers = trace(self.session, x)
        ours = {layer.name: layer.values.transpose(2, 0, 1) for layer in layers}
        planes = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1) if self.session.nhwc else x))[None]
        single = self.module.float().trace(planes)
        double = self.module.double().trace(planes.double())
        stage = {name: STAGES.get(name, name) for name in ours}
        return (ours, {name: single[stage[name]].numpy().reshape(ours[name].shape) for name in ours},
                {name: double[stage[name]].numpy().reshape(ours[name].shape) for name in ours},
                {layer.name: layer.nanoseconds / 1e6 for layer in layers})


def table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Aligned columns; `right` are those to set flush right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    flush = set(right)
    return "\n".join("  ".join(cell.rjust(width) if i in flush else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def best(scores: NDArray[Any], labels: Optional[List[str]]) -> List[Tuple[str, str]]:
    """Class and score of the five best."""
    return [(f"{p.class_id} {p.label or ''}".strip()[:40], f"{p.score:.5f}")
            for p in topk(scores.reshape(-1).astype(np.float32), 5, labels)]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scarlet.compare", description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", help="checkpoint: .pth, .pth.tar or .safetensors")
    parser.add_argument("pictures", nargs="+", metavar="picture", help="JPEG or PNG file")
    parser.add_argument("--layers", action="store_true", help="the outputs of every layer too")
    parser.add_argument("--opt", action="append", default=[], metavar="NAME=VALUE",
                        help="option of libscarlet, as engine=xnnpack or input_size=192")
    parser.add_argument("--trust-pickle", action="store_true",
                        help="let PyTorch run code that the checkpoint may hold; needed where other things than "
                             "tensors are in the file beside the weights")
    args = parser.parse_args(arguments)
    try:
        both = Both(args.model, dict(item.split("=", 1) if "=" in item else (item, "") for item in args.opt),
                    args.trust_pickle)
        return compare(both, args.pictures, args.layers)
    except (Error, OSError, ValueError, KeyError) as error:
        print(error, file=sys.stderr)
        return 2


def compare(both: Both, pictures: Sequence[str], layers: bool) -> int:
    """Prints everything; returns the exit code."""
    model, labels = both.model, both.model.labels
    print(f"{model.name}, {model.classes} classes, {both.session.input_size} px: {model.genotype}")
    print(f"libscarlet {version()}, {model.engine} {model.isa} {model.precision}; PyTorch {torch.__version__}")
    runs, same = [], True
    for picture in pictures:
        x, identical = both.inputs(picture)
        ours, single, double, times = both.run(x)
        runs.append((ours, single, double, times))
        same = same and identical
        print(f"\n{picture}: input {'identical to' if identical else 'DIFFERENT from'} torchvision's")
        rows = [("libscarlet", "", "PyTorch", "")]
        rows += [(*a, *b) for a, b in zip(best(ours["classifier"], labels), best(double["classifier"], labels))]
        print(table(rows, right=(1, 3)))
    found = {name: difference(*([run[kind][name] for run in runs] for kind in range(3))) for name in runs[0][0]}
    if layers:
        grid = [("layer", "kind", "shape", "largest", "libscarlet", "PyTorch f32", "", "ms")]
        grid += [(layer.name, layer.kind, " x ".join(map(str, runs[0][0][layer.name].shape)),
                  f"{found[layer.name].largest:.4g}", f"{found[layer.name].ours:.1e}",
                  f"{found[layer.name].theirs:.1e}", found[layer.name].verdict,
                  f"{np.median([run[3][layer.name] for run in runs]):.3f}") for layer in model.layers]
        print("\n" + table(grid, right=(3, 4, 5, 7)))
    scores = found["classifier"]
    print(f"\nscores of {len(runs)} picture{'s' * (len(runs) > 1)}: difference {scores.ours:.1e}, bound "
          f"{scores.bound:.1e} (PyTorch in float32: {scores.theirs:.1e}): {scores.verdict}")
    return 0 if same and scores.verdict == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
