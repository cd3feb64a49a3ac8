"""The messages for files that are no good classifiers: exact texts."""

import os
import random
import subprocess

import pytest
import torch
from networks import reference, save_safetensors

RUN = os.environ["SCARLET_NETWORK_RUN"]
SPACE = "stem=8 tail=16 layers=8:2,12:1,12:1"


def refusal(state, metadata, path):
    """The error that loading a file of these tensors and metadata gives; None if it loads."""
    save_safetensors(state, path, metadata)
    done = subprocess.run([RUN, path, "8", "1", "-", "-"], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    assert done.returncode == 3 and done.stderr.startswith(f"load: {path}: "), done
    return done.stderr.split(": ", 2)[2].rstrip("\n")


@pytest.fixture()
def state():
    torch.manual_seed(1)
    genotype = reference.parse_genotype("e3k3,e6k5se,e3k7")
    model = reference.Scarlet(genotype, 2, reference.parse_space(SPACE))
    return reference.condition(model, torch.randn(4, 3, 32, 32), random.Random(0)).state_dict()


@pytest.mark.parametrize("key, value, message", [
    ("scarlet.input_size", "64", None),
    ("scarlet.input_size", "61", None),
    ("scarlet.input_size", "064", "metadata scarlet.input_size: expected pixels, 1 to 4096"),
    ("scarlet.input_size", "99999999999", "metadata scarlet.input_size: expected pixels, 1 to 4096"),
    ("scarlet.resize", "0", "metadata scarlet.resize: expected pixels, 1 to 8192"),
    ("scarlet.resize", "8192", None),
    ("scarlet.mean", "0.1,0.2,0.3", None),
    ("scarlet.mean", "0.1,0.2", "metadata scarlet.mean: expected three decimals a,b,c"),
    ("scarlet.mean", "0.1,0.2,0.3,", "metadata scarlet.mean: expected three decimals a,b,c"),
    ("scarlet.mean", "0.1,0.2,nan", "metadata scarlet.mean: expected three decimals a,b,c"),
    ("scarlet.std", "1,1,0", "metadata scarlet.std: expected three decimals a,b,c above 0"),
    ("scarlet.labels", '["a","b"]', None),
    ("scarlet.labels", '["a"]', "metadata scarlet.labels: 1 labels for 2 classes"),
    ("scarlet.format", "2", None),
    ("scarlet.format", "3", 'metadata scarlet.format is "3"; this library reads "1" and "2"'),
    ("scarlet.space", "stem=7 tail=1 layers=8:2", 'metadata scarlet.space: "stem=7 tail=1 '
     'layers=8:2" is not of the form "stem=16 tail=640 layers=24:2,24:1" (even stem, at most 64 '
     'layers, stride 1 or 2)'),
    ("colour", "blue", None),
])
def test_metadata(state, tmp_path, key, value, message):
    found = refusal(state, {"scarlet.space": SPACE, key: value}, tmp_path / "x")
    if message is None:
        assert found is None
    else:
        assert found == message[:len(found)] and len(found) > 100 or found == message


FORM = 'metadata scarlet.network: "%s" is not of the form "activation=relu6 epsilon=0.001 padding=same"'


@pytest.mark.parametrize("value", [
    "activation=hswish epsilon=1e-5 padding=symmetric",
    "activation=relu6 epsilon=1 padding=same",
    "activation=relu epsilon=0.001 padding=same",
    "activation=relu66 epsilon=0.001 padding=same",
    "activation= epsilon=0.001 padding=same",
    "activation=relu6 epsilon=0 padding=same",
    "activation=relu6 epsilon=-0.001 padding=same",
    "activation=relu6 epsilon=1.5 padding=same",
    "activation=relu6 epsilon=nan padding=same",
    "activation=relu6 epsilon=0.001 padding=valid",
    "activation=relu6 epsilon=0.001 padding=same ",
    "activation=relu6 epsilon=0.001 padding=same gate=sigmoid",
    "epsilon=0.001 activation=relu6 padding=same",
    "activation=relu6",
    "",
])
def test_network_key(state, tmp_path, value):
    found = refusal(state, {"scarlet.format": "2", "scarlet.space": SPACE, "scarlet.network": value}, tmp_path / "x")
    good = value in ("activation=hswish epsilon=1e-5 padding=symmetric", "activation=relu6 epsilon=1 padding=same")
    assert found == (None if good else FORM % value)


@pytest.mark.parametrize("metadata", [{}, {"scarlet.format": "1"}])
def test_network_key_of_format_2_only(state, tmp_path, metadata):
    found = refusal(state, {**metadata, "scarlet.space": SPACE,
                            "scarlet.network": "activation=relu6 epsilon=0.001 padding=same"}, tmp_path / "x")
    assert found == "metadata scarlet.network: only files of scarlet.format 2 have it"


def test_labels_that_are_no_list(state, tmp_path):
    found = refusal(state, {"scarlet.space": SPACE, "scarlet.labels": "{}"}, tmp_path / "x")
    assert found.startswith("metadata scarlet.labels: ")


def replaced(state, **tensors):
    return {**state, **{name.replace("__", "."): value for name, value in tensors.items()}}


def without(state, *names):
    return {name: value for name, value in state.items() if name not in names}


def ones(*shape):
    return torch.ones(shape)


@pytest.mark.parametrize("change, message", [
    (lambda s: s, None),
    (lambda s: {f"module._orig_mod.{n}": v for n, v in s.items()}, None),
    (lambda s: {f"module.student.{n}": v for n, v in s.items()},
     'not a SCARLET checkpoint: all names begin with the unknown prefix "student.", '
     "as student.stem.0.weight"),
    (lambda s: replaced(s, total_ops=ones(1), stem__total_params=ones(1)), None),
    (lambda s: without(s, "mb_module.1.bn2.running_var"),
     "missing tensor mb_module.1.bn2.running_var [48] (1 missing, 0 unexpected, 0 wrong)"),
    (lambda s: replaced(s, fc__weight=ones(3, 4)),
     "unexpected tensor fc.weight [3, 4] (0 missing, 1 unexpected, 0 wrong)"),
    (lambda s: replaced(s, mb_module__1__conv2__weight=ones(48, 1, 9, 9)),
     "mb_module.1.conv2.weight has shape [48, 1, 9, 9]; kernel must be 3, 5 or 7 "
     "(0 missing, 0 unexpected, 1 wrong)"),
    (lambda s: replaced(s, mb_module__0__conv1__weight=ones(16, 4, 1, 1)),
     "mb_module.0.conv1.weight has shape [16, 4, 1, 1]; expansion of 4 channels must be 3 or 6 "
     "(0 missing, 0 unexpected, 1 wrong)"),
    (lambda s: without(s, "mb_module.1.mid_se.squeeze_conv.bias"),
     "missing tensor mb_module.1.mid_se.squeeze_conv.bias [12] "
     "(1 missing, 0 unexpected, 0 wrong)"),
    (lambda s: {"conv1.weight": ones(64, 3, 7, 7), "bn1.weight": ones(64)},
     "not a SCARLET checkpoint (first tensors: conv1.weight [64, 3, 7, 7], bn1.weight [64])"),
    (lambda s: replaced(s, stem__1__running_var=-ones(8)),
     "tensor stem.1.running_var: value 0 is -1; a variance is not negative"),
    (lambda s: replaced(s, classifier__bias=torch.tensor([0, float("nan")])),
     "tensor classifier.bias: value 1 is not finite"),
    (lambda s: replaced(s, classifier__weight=torch.full((2, 16), float("inf"))),
     "tensor classifier.weight: value 0 is not finite"),
])
def test_tensors(state, tmp_path, change, message):
    assert refusal(change(state), {"scarlet.space": SPACE}, tmp_path / "x") == message
