"""From scores to answers: softmax and top-k."""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi
from ._library import library
from .arrays import as_floats, floats
from .errors import ArgumentError


class Prediction(NamedTuple):
    """One class with its score, and its name where one is known."""

    class_id: int
    score: float
    label: Optional[str] = None


def softmax(scores: ArrayLike) -> NDArray[np.float32]:
    """Probabilities of scores (logits), along the last axis. A row with NaN or +infinity becomes NaN."""
    result = np.array(as_floats(scores), order="C")
    if result.ndim == 0:
        raise ArgumentError("scores must have at least one axis")
    rows = result.reshape(-1, result.shape[-1]) if result.size else result[:0]
    for row in rows:
        library().scarlet_softmax(floats(row), row.size, floats(row))
    return result


def topk(scores: ArrayLike, k: int = 5, labels: Optional[Sequence[str]] = None) -> List[Prediction]:
    """The min(k, n) best of n scores, best first; equal scores go by lower class, NaN comes last."""
    row = as_floats(scores)
    if row.ndim != 1:
        raise ArgumentError(f"scores have {row.ndim} axes; expected one picture's: one")
    if k < 1:
        raise ArgumentError(f"k is {k}; expected 1 or more")
    best = (_abi.PredictionStruct * min(k, row.size))()
    count = library().scarlet_topk(floats(row), row.size, len(best), best)
    return [Prediction(p.class_id, p.score, labels[p.class_id] if labels else None) for p in best[:count]]
