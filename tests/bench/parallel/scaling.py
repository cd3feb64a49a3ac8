"""What several processes gain: supernets' steps and searches, from figures measured on one machine.

    ninja -C build && python3 tests/bench/parallel/scaling.py build [STEPS [SPACE]...]

One process takes the place of process 0 of a group of n: it runs its share of a step's paths, and receives zeros in
place of the others' gradients, which it adds and counts. So its CPU time, without messages, and the size of messages
are measured for any n; the time of messages is modelled. One thread; made-up pictures.
"""

import ctypes
import math
import os
import sys
import time
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
os.environ["SCARLET_LIBRARY"] = str(BUILD / "lib/libscarlet.so")
os.environ["SCARLET_NAS_LIBRARY"] = str(BUILD / "lib/nas/libscarlet-nas.so")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "supernet"))
from library import Library, Supernet, made_up  # noqa: E402

SPACES = {"243": (28, 256), "28px": (28, 256), "default": (224, 64)}  # pixels, pictures
SIZES = (1, 2, 4, 7, 13, 16, 64)
NETWORKS = {"10 GbE": (50e-6, 1.1e9), "100 Gb/s InfiniBand": (3e-6, 11e9)}  # seconds a message, bytes a second
BROADCAST = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32)
GATHER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


class Group(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int32), ("size", ctypes.c_int32), ("user", ctypes.c_void_p), ("broadcast", BROADCAST),
                ("gather", GATHER)]


class Lone:
    """Process 0 of a group whose others do not exist."""

    def __init__(self, size):
        self.bytes = self.messages = 0
        self.group = Group(0, size, None, BROADCAST(self.broadcast), GATHER(self.gather))

    def broadcast(self, _, data, count, root):
        self.bytes += count
        self.messages += 1
        if root:
            ctypes.memset(data, 0, count)

    def gather(self, _, data, count, out):
        for i in range(self.group.size):
            ctypes.memmove(out + i * count, data, count)


def measure(library, space, data, size):
    """(seconds of CPU time, bytes, messages) a step."""
    text = library.nas.scarlet_space_text(library.make("space_load", space.encode())).decode()
    supernet = Supernet.create(library, text, data, threads=1, aug="none")
    lone, seconds = Lone(size), []
    library.call("supernet_join", supernet.handle, ctypes.byref(lone.group))
    supernet.step(1)
    lone.bytes = lone.messages = 0
    for _ in range(STEPS):
        begin = time.thread_time()
        supernet.step(1)
        seconds.append(time.thread_time() - begin)
    library.nas.scarlet_supernet_free(supernet.handle)
    return sorted(seconds)[STEPS // 2], lone.bytes // STEPS, lone.messages // STEPS


def messages(size, count, total, latency, speed):
    """Seconds: a large broadcast scatters, then gathers; each byte passes each process twice."""
    return 0 if size == 1 else count * 2 * math.log2(size) * latency + 2 * total * (size - 1) / size / speed


def search(costs, size):
    """Share of the processes' time that is used, when networks are dealt by cost."""
    costs = sorted(costs, reverse=True)
    return sum(costs) / (size * sum(costs[i] for i in range(0, len(costs), size)))


def main():
    library = Library()
    library.nas.scarlet_supernet_free.argtypes = [ctypes.c_void_p]
    for space in sys.argv[3:] or SPACES:
        side, pictures = SPACES[space]
        data = made_up(library, side, 10, [pictures, 0, 0])
        alone = None
        print(f"{space}\nprocesses\tCPU ms a step\tMB of messages\t" + "\t".join(f"speed-up, {name}" for name in NETWORKS))
        for size in SIZES:
            seconds, total, count = measure(library, space, data, size)
            alone = alone or seconds
            gains = [alone / (seconds + messages(size, count, total, *network)) for network in NETWORKS.values()]
            print(f"{size}\t{1000 * seconds:.1f}\t{total / 1e6:.2f} in {count}\t" + "\t".join(f"{gain:.2f}" for gain in gains),
                  flush=True)
    for space in SPACES:
        handle = library.make("space_load", space.encode())
        costs = []
        for i in range(64):
            genotype, macs = ctypes.create_string_buffer(512), ctypes.c_int64()
            library.call("space_sample", handle, 0, ctypes.c_uint64(1), ctypes.c_uint64(i), genotype)
            library.call("space_costs", handle, genotype, ctypes.byref(macs), None)
            costs.append(macs.value)
        print(f"search in {space}, population 64: " + ", ".join(f"{n}: {n * search(costs, n):.1f}" for n in (1, 2, 4, 8, 16, 32, 64)))


if __name__ == "__main__":
    main()
