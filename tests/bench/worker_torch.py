"""PyTorch. worker_torch.py MODE LETTER MODEL.pth INPUT BATCH THREADS

MODE: eager; traced (traced and frozen); optimized (and optimize_for_inference)
"""

import os
import sys
from pathlib import Path

mode, letter, path, source, batch, threads = sys.argv[1:]
os.environ["OMP_NUM_THREADS"] = threads

import torch  # noqa: E402
from worker import pictures, serve  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))
from scarlet import reference  # noqa: E402

torch.set_num_threads(int(threads))
torch.set_num_interop_threads(1)
x = torch.from_numpy(pictures(source, int(batch)))
network = None


@torch.no_grad()
def load():
    global network
    network = reference.Scarlet(reference.GENOTYPES[letter])
    network.load_state_dict(torch.load(path))
    network.eval()
    if mode != "eager":
        network = torch.jit.freeze(torch.jit.trace(network, x))
        if mode == "optimized":
            network = torch.jit.optimize_for_inference(network)
        for _ in range(3):  # compiled in the first runs
            network(x)


@torch.inference_mode()
def run():
    return network(x).numpy()


serve(load, run, torch.__version__)
