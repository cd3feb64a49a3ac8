"""The package in a process: with PyTorch, with threads, without the library."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import scarlet


def run(code, *arguments, **settings):
    env = {**os.environ, **settings}
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], env=env, capture_output=True, text=True)


BOTH = """
import sys
import numpy as np
{first}
{second}
x = np.random.RandomState(0).randn(2, 3, 32, 32).astype(np.float32)
session = scarlet.Model(sys.argv[1], engine=sys.argv[2]).session(batch_max=2)
before = session.infer(x)
conv = torch.nn.Conv2d(3, 4, 3)
with torch.no_grad():
    there = conv(torch.from_numpy(x)).numpy()
assert np.array_equal(session.infer(x), before)
with torch.no_grad():
    assert np.array_equal(conv(torch.from_numpy(x)).numpy(), there)
sys.stdout.write(before.tobytes().hex())
"""


@pytest.mark.parametrize("engine", ["auto"] if "no XNNPACK" in scarlet.build_info() else ["xnnpack", "auto"])
def test_with_torch_in_both_orders(path, engine):
    """Either may load first; neither changes a bit of the other."""
    lines = {"scarlet": "import scarlet; scarlet.version()", "torch": "import torch; torch.zeros(3).add(1)"}
    results = [run(BOTH.format(first=lines[a], second=lines[b]), path, engine)
               for a, b in (("scarlet", "torch"), ("torch", "scarlet"))]
    assert [r.returncode for r in results] == [0, 0], results
    x = np.random.RandomState(0).randn(2, 3, 32, 32).astype(np.float32)
    alone = scarlet.Model(path, engine=engine).session().infer(x)
    assert results[0].stdout == results[1].stdout == alone.tobytes().hex()


def test_import_needs_no_library(tmp_path):
    result = run("import scarlet, scarlet.reference as r; print(len(r.GENOTYPES))", SCARLET_LIBRARY="/no/lib.so")
    assert (result.returncode, result.stdout) == (0, "3\n"), result.stderr


def test_a_missing_library_is_explained():
    for code in ("scarlet.version()", "scarlet.Model('x')", "scarlet.preprocess('x')", "scarlet.options()"):
        result = run("import scarlet\ntry:\n " + code + "\nexcept ImportError as e:\n print(type(e).__name__, e)",
                     SCARLET_LIBRARY="/no/lib.so")
        assert result.stdout.startswith("LibraryError /no/lib.so: cannot open shared object file"), result.stderr
        assert result.stdout.endswith("; install libscarlet.so.0 or set SCARLET_LIBRARY to its path\n")


def test_another_library_is_refused():
    libc = next(line.split()[-1] for line in open("/proc/self/maps") if "/libc." in line)
    result = run("import scarlet; scarlet.version()", SCARLET_LIBRARY=libc)
    assert f"LibraryError: {libc}: no function scarlet_version: older than this package" in result.stderr


def test_where_the_library_is_found(tmp_path):
    """Environment, then the package's folder, then the loader."""
    library = os.environ["SCARLET_LIBRARY"]
    package = tmp_path / "scarlet"
    source = os.path.dirname(scarlet.__file__)
    package.mkdir()
    for name in os.listdir(source):
        if name.endswith(".py"):
            (package / name).symlink_to(os.path.join(source, name))
    code = "import scarlet, scarlet._library as l; print(scarlet.version(), l.find())"
    place = {"PYTHONPATH": str(tmp_path), "SCARLET_LIBRARY": ""}
    result = run(code, **place, LD_LIBRARY_PATH=os.path.dirname(library))
    assert result.stdout == f"{scarlet.version()} libscarlet.so.0\n", result.stderr
    (package / "libscarlet.so.0").symlink_to(library)
    result = run(code, **place, LD_LIBRARY_PATH="/no")
    assert result.stdout == f"{scarlet.version()} {package / 'libscarlet.so.0'}\n", result.stderr
    result = run(code, **{**place, "SCARLET_LIBRARY": library})
    assert result.stdout == f"{scarlet.version()} {library}\n", result.stderr


def test_a_call_releases_the_interpreter(model):
    """Python code runs on while the library works."""
    session = model.session(input_size=1024)
    x = np.zeros((3, 1024, 1024), np.float32)
    calls, stop = [], threading.Event()

    def work():
        while not stop.is_set():
            start = time.perf_counter()
            session.infer(x)
            calls.append((start, time.perf_counter()))

    thread = threading.Thread(target=work)
    ticks = []
    thread.start()
    # Were the lock held in a call, no tick could fall into its middle. On a busy machine it may take
    # several calls until this thread is let run within one.
    while len(calls) < 100 and not any(
            start + (end - start) / 4 < tick < end - (end - start) / 4
            for start, end in calls[-2:] for tick in ticks[-100000:]):
        until = time.perf_counter() + 0.2
        while time.perf_counter() < until:
            ticks.append(time.perf_counter())
    stop.set()
    thread.join()
    assert len(calls) < 100


def test_one_session_a_thread(model, pictures):
    expected = model.session().scores(pictures)
    local = threading.local()

    def score(picture):
        if not hasattr(local, "session"):
            local.session = model.session()
        return local.session.scores([picture])[0]

    with ThreadPoolExecutor(4) as pool:
        assert np.array_equal(np.stack(list(pool.map(score, pictures * 20))), np.tile(expected, (20, 1)))


def test_a_shared_session_is_safe(model, pictures):
    session = model.session()
    expected = session.scores(pictures)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda p: session.classify(p, 1)[0].class_id, pictures * 20))
    assert found == list(expected.argmax(1)) * 20


def test_closing_while_another_thread_works(path):
    for _ in range(20):
        model = scarlet.Model(path)
        session = model.session(input_size=256)
        x = np.zeros((3, 256, 256), np.float32)
        started = threading.Event()

        def work():
            started.set()
            try:
                for _ in range(50):
                    session.infer(x)
            except scarlet.ArgumentError as error:
                assert str(error) == "the session is closed"

        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        session.close()
        model.close()
        thread.join()


def test_fork(model, pictures):
    """One thread: a session may be used in the child."""
    session = model.session()
    expected = session.classify(pictures[0], 1)[0].class_id
    child = os.fork()
    if child == 0:
        os._exit(100 + session.classify(pictures[0], 1)[0].class_id)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 100 + expected
