"""Top-1 and top-5 of a checkpoint: `python -m scarlet.verify` with the flags of the release's own script.

    python -m scarlet.verify --model Scarlet_A --device cpu --val-dataset-root ILSVRC2012 \\
        --pretrained-path ScarletA.pth.tar --batch-size 128

The folder is read as the reference reads it: `valid` below the root if there is such a folder, else the root itself; a
folder a class. A picture that cannot be decoded ends the evaluation, as there. Batch size and threads change no number.
"""

import argparse
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Sequence, Tuple

from .errors import ArgumentError, Error, ModelError
from .imagefolder import Sample, samples
from .model import Model
from .results import topk
from .session import Session

LINE = "Evaluate Result: Total: %d\tmTop1: %.4f\tmTop5: %.6f"


class Evaluation:
    """Counts hits; each thread has a session of its own."""

    def __init__(self, model: Model) -> None:
        if model.classes < 5:
            raise ArgumentError(f"top-5 of {model.classes} classes: the reference needs 5 or more")
        self._model, self._local = model, threading.local()

    def run(self, found: Sequence[Sample], batch_size: int) -> Tuple[int, float, float]:
        """Number of pictures and percentages."""
        batches = [found[i:i + batch_size] for i in range(0, len(found), batch_size)]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            hits = list(pool.map(self._hits, batches))
        top1, top5 = (100.0 * sum(column) / len(found) for column in zip(*hits))
        return len(found), top1, top5

    def _hits(self, batch: Sequence[Sample]) -> Tuple[int, int]:
        top1 = top5 = 0
        for sample in batch:
            best = [p.class_id for p in topk(self._session().scores([sample.path])[0], 5)]
            top1 += sample.class_id == best[0]
            top5 += sample.class_id in best
        return top1, top5

    def _session(self) -> Session:
        if not hasattr(self._local, "session"):
            self._local.session = self._model.session()
        session: Session = self._local.session
        return session


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scarlet.verify", description=__doc__.split(":", 1)[0])
    parser.add_argument("--model", choices=["Scarlet_A", "Scarlet_B", "Scarlet_C"],
                        help="the network that the checkpoint must be; default: any")
    parser.add_argument("--device", choices=["cpu"], default="cpu")
    parser.add_argument("--val-dataset-root", required=True, help="folder of the data set")
    parser.add_argument("--pretrained-path", required=True, help="checkpoint")
    parser.add_argument("--batch-size", type=int, default=128, help="pictures that a thread takes at once")
    args = parser.parse_args(arguments)
    if args.batch_size < 1:
        parser.error("--batch-size must be 1 or more")
    try:
        model = Model(args.pretrained_path)
        if args.model and model.name != args.model.upper().replace("_", "-"):
            raise ModelError(f"{args.pretrained_path}: {model.name}, not {args.model}")
        valid = os.path.join(args.val_dataset_root, "valid")
        found = samples(valid if os.path.isdir(valid) else args.val_dataset_root)
        print(LINE % Evaluation(model).run(found, args.batch_size))
        return 0
    except (Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
