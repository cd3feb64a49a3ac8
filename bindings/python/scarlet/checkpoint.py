"""Checkpoints in PyTorch, read by other code than the library's: what a comparison needs."""

import json
import pickle
from typing import Any, Dict, Mapping, Tuple

import torch

from . import reference
from ._library import PathName

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
           "I64": torch.int64, "I32": torch.int32}


def load(path: PathName, trust: bool = False) -> Tuple[reference.Scarlet, Dict[str, str]]:
    """The network in eval mode, and the file's metadata. `trust` lets a PyTorch file run the code it may hold."""
    with open(path, "rb") as file:
        head = file.read(9)
    if head[8:] == b"{":
        state, metadata = _safetensors(path)
    else:
        state, metadata = _state(_torch_file(path, trust)), {}
    if all(name.startswith("module.") for name in state):
        state = {name[len("module."):]: tensor for name, tensor in state.items()}
    text = metadata.get("scarlet.space")
    space = reference.parse_space(text) if text else reference.DEFAULT_SPACE
    genotype = [_choice(state, f"mb_module.{i}.") for i in range(len(space.layers))]
    model = reference.Scarlet(genotype, len(state["classifier.weight"]), space)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]  # absent before PyTorch 0.4.1
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing[:3]}, unexpected {unexpected[:3]}")
    if "scarlet.network" in metadata:
        reference.restyle(model, reference.parse_style(metadata["scarlet.network"]))
    return model.eval(), metadata


def _torch_file(path: PathName, trust: bool) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError as error:
        reason = str(error).rsplit("WeightsUnpickler error: ")[-1].split("\n")[0].rstrip(". ")
        raise ValueError(f"{path}: more than weights ({reason}): a file that you trust is read with --trust-pickle "
                         "(trust=True)") from None


def _state(root: Any) -> Dict[str, torch.Tensor]:
    """The state dict within what torch.load gave."""
    for key in ("model_state", "state_dict", "model_state_dict", "model"):
        if key in root:
            root = root[key]
            break
    return dict(root)


def _choice(state: Mapping[str, torch.Tensor], prefix: str) -> Any:
    """What the genotype chose for a layer: read from its shapes."""
    if prefix + "conv1.weight" not in state:
        return None
    hidden, inputs = state[prefix + "conv1.weight"].shape[:2]
    kernel = state[prefix + "conv2.weight"].shape[-1]
    return reference.Choice(hidden // inputs, kernel, prefix + "mid_se.squeeze_conv.weight" in state)


def _safetensors(path: PathName) -> Tuple[Dict[str, torch.Tensor], Dict[str, str]]:
    """The smallest reader of the format."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    state = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = _DTYPES[entry["dtype"]]
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=kind) if end > begin else torch.empty(0, dtype=kind)
        state[name] = flat.reshape(entry["shape"])
    return state, metadata
