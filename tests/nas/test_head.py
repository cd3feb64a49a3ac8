"""The head of a personalised model: against the same problem solved by PyTorch in float64."""

import ctypes
import os

import numpy as np
import pytest
import torch

F32 = ctypes.POINTER(ctypes.c_float)


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("detail", ctypes.c_int32), ("message", ctypes.c_char * 248)]


def objective(v, bias, x, label):
    """Mean cross-entropy + |V|^2 / (2 n), V being the weights of standardised features."""
    n = len(x)
    return torch.nn.functional.cross_entropy(x @ v.T + bias, label) + (v ** 2).sum() / (2 * n)


def standardised(x):
    """The features, and what they are divided by: nothing is learned from one that never varies."""
    std = x.std(0, unbiased=False)
    varies = std > 1e-10
    return torch.where(varies, (x - x.mean(0)) / torch.where(varies, std, 1), 0.0), torch.where(varies, std, torch.inf)


def fit(x, label, classes):
    z, std = standardised(x)
    v = torch.zeros(classes, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([v, bias], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-14,
                               line_search_fn="strong_wolfe")

    def closure():
        solver.zero_grad()
        loss = objective(v, bias, z, label)
        loss.backward()
        return loss

    solver.step(closure)
    weight = v.detach() / std
    return weight, bias.detach() - (weight * x.mean(0)).sum(1)


@pytest.fixture(scope="module")
def library():
    lib = ctypes.CDLL(os.environ["SCARLET_NAS_LIBRARY"])
    lib.scarlet_head_create.argtypes = [ctypes.c_size_t, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    lib.scarlet_head_add.argtypes = [ctypes.c_void_p, F32, ctypes.c_size_t, ctypes.c_int32, ctypes.c_void_p]
    lib.scarlet_head_fit.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    lib.scarlet_head_scores.argtypes = [ctypes.c_void_p, F32, ctypes.c_size_t, F32, ctypes.c_size_t, ctypes.c_void_p]
    lib.scarlet_head_free.argtypes = [ctypes.c_void_p]
    return lib


def pointer(array):
    return array.ctypes.data_as(F32)


def fitted(library, x, label, classes, ask):
    """Loss, and scores of other vectors."""
    head, error, loss = ctypes.c_void_p(), Error(), ctypes.c_double()
    assert library.scarlet_head_create(x.shape[1], classes, None, ctypes.byref(head), ctypes.byref(error)) == 0
    for row, c in zip(x, label):
        assert library.scarlet_head_add(head, pointer(row), len(row), int(c), ctypes.byref(error)) == 0, error.message
    assert library.scarlet_head_fit(head, ctypes.byref(loss), ctypes.byref(error)) == 0, error.message
    scores = np.zeros((len(ask), classes), np.float32)
    for row, out in zip(ask, scores):
        assert library.scarlet_head_scores(head, pointer(row), len(row), pointer(out), classes, ctypes.byref(error)) == 0
    library.scarlet_head_free(head)
    return loss.value, scores


@pytest.mark.parametrize("n, features, classes, overlap", [
    (300, 20, 3, 1.0), (300, 20, 3, 0.2), (50, 200, 4, 0.5), (1000, 33, 10, 2.0), (5, 7, 3, 1.0), (2, 1, 2, 1.0), (65, 16, 2, 1.0)])
def test_fit(library, n, features, classes, overlap):
    rng = np.random.default_rng(n + features)
    centre = rng.normal(size=(classes, features))
    label = rng.integers(0, classes, n)
    label[:2] = 0, 1
    scale, shift = 10.0 ** rng.uniform(-2, 2, features), rng.uniform(-5, 5, features)
    x, ask = (((centre[c] + overlap * 3 * rng.normal(size=(len(c), features))) * scale + shift).astype(np.float32)
              for c in (label, np.arange(50) % classes))
    x[:, -1] = x[:, -1] if features < 20 else 1.5  # one that never varies
    loss, scores = fitted(library, x, label, classes, ask)
    wide = torch.from_numpy(x).double()
    weight, bias = fit(wide, torch.from_numpy(label), classes)
    expected = torch.nn.functional.cross_entropy(wide @ weight.T + bias, torch.from_numpy(label)).item()
    assert loss == pytest.approx(expected, rel=2e-3, abs=1e-5)
    theirs = (torch.from_numpy(ask).double() @ weight.T + bias).softmax(1)
    ours = torch.from_numpy(scores).double().softmax(1)
    assert (ours - theirs).abs().max() < 5e-3


def test_repeats(library):
    """The same vectors in the same order: the same bits."""
    x = np.random.default_rng(1).normal(size=(100, 30)).astype(np.float32)
    results = [fitted(library, x, np.arange(100) % 4, 4, x) for _ in range(2)]
    assert results[0][0] == results[1][0] and (results[0][1] == results[1][1]).all()


def test_one_class(library):
    """All vectors of one class: that class, always."""
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    loss, scores = fitted(library, x, np.full(20, 2), 4, x)
    assert loss < 0.01 and (scores.argmax(1) == 2).all()
