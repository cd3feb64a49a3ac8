"""Supernets and searches by several processes under mpirun: the same bits for 1, 2 and 3, whatever dies."""

import os
import shutil
import signal
import subprocess
import time

import pytest

COMMAND, MPIRUN = os.environ["SCARLET_COMMAND"], os.environ["SCARLET_MPIRUN"].split()


def run(processes, *words, code=0):
    """0 processes: without mpirun."""
    command = [*(MPIRUN + ["-n", str(processes)] if processes else []), COMMAND, *map(str, words)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == code, result
    return result


def words(data, output, training="fair", epochs=2, threads=1):
    settings = [f"epochs={epochs}", "batch-size=32", "lr=0.1", f"threads={threads}", "clip-grad=1"]
    return ["supernet", data / "photos", "--space", data / "space.txt", "--output", output, "--watch", 4, "--let",
            "--let-start", "random", "--training", training, *(word for text in settings for word in ("--opt", text))]


def contents(folder):
    """Names and bytes, but for the folder's own name, the number of threads, which the supernet's file has, and its journal, which
    has times and interruptions."""
    return {path.name: path.read_bytes().replace(bytes(folder), b"").replace(b"threads = 2", b"threads = 1")
            for path in folder.iterdir() if path.name != "journal.jsonl" or not (folder / "supernet.safetensors").exists()}


@pytest.mark.parametrize("training", ["fair", "uniform", "uniform-many"])
def test_supernet(training, data, tmp_path):
    alone = run(0, *words(data, tmp_path / "0", training))
    for processes in (1, 2, 3):
        result = run(processes, *words(data, tmp_path / str(processes), training, threads=1 + (processes == 2)))
        assert result.stdout.replace(f"score {tmp_path}/{processes}", f"score {tmp_path}/0") == alone.stdout
        assert contents(tmp_path / str(processes)) == contents(tmp_path / "0")


def test_search(data, tmp_path):
    """The journal too; also from one that ends anywhere."""
    run(0, *words(data, tmp_path / "super"))
    search = ["search", tmp_path / "super", "--population", 4, "--generations", 2, "--output"]
    run(0, *search, tmp_path / "0")
    whole = contents(tmp_path / "0")
    assert whole["journal.jsonl"].count(b"\n") == 7
    for processes in (1, 2, 3):
        run(processes, *search, tmp_path / str(processes))
        assert contents(tmp_path / str(processes)) == whole
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "journal.jsonl").write_bytes(whole["journal.jsonl"][:700])
    run(2, *search, tmp_path / "part", "--resume")
    assert contents(tmp_path / "part") == whole


RANK = "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"


def start(data, output, epochs):
    """Two processes, which leave their numbers; returns, with the second's, once an epoch is done."""
    job = subprocess.Popen([*MPIRUN, "-n", "2", "sh", "-c", f'echo $$ >"$0.{RANK}"; exec "$@"', output, COMMAND,
                            *map(str, words(data, output, epochs=epochs))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (output / "results.csv").exists() and job.poll() is None:
        time.sleep(0.01)
    assert job.poll() is None, "it ended early"
    return job, int((output.parent / f"{output.name}.1").read_text())


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_killed(sign, data, tmp_path):
    """A process that dies ends the others; what they left goes on to the same end, also with more of them."""
    epochs = 40
    job, process = start(data, tmp_path / "super", epochs)
    os.kill(process, sign)
    assert job.wait() != 0
    state = (tmp_path / "super" / "results.csv").read_text().count("\n") - 1
    assert 0 < state < epochs
    run(3, "supernet", "--output", tmp_path / "super", "--resume", "--watch", 4)
    run(0, *words(data, tmp_path / "whole", epochs=epochs))
    assert contents(tmp_path / "super") == contents(tmp_path / "whole")


def test_refused(data, tmp_path):
    """Once, by process 0; the exit code is the command's."""
    result = run(3, "supernet", "--output", tmp_path / "super", "--resume", code=2)
    assert result.stderr.count("no such folder") == 1
    result = run(2, *words(data, tmp_path / "super"), "--opt", "colour=1", code=2)
    assert result.stderr.count("colour") == 1 and not (tmp_path / "super").exists()


@pytest.mark.parametrize("option, message", [("seed=5", "data: "), ("lr=0.2", "weights: "), ("isa-max=portable", "instruction set (isa-max limits it): portable in ")])
def test_unlike(option, message, data, tmp_path):
    """Processes that would not give the same bits are refused, by name."""
    run(0, *words(data, tmp_path / "0"))
    run(0, *words(data, tmp_path / "1"), "--opt", option)
    result = subprocess.run([*MPIRUN, "-n", "2", "sh", "-c", f'exec "$0" search "$1/{RANK}" --output "$1/found"', COMMAND, tmp_path],
                            capture_output=True, text=True)
    assert result.returncode == 2 and message in result.stderr and "process 1" in result.stderr


@pytest.mark.parametrize("variable, mpi", [("OMPI_COMM_WORLD_SIZE", "openmpi"), ("PMI_RANK", "mpich")])
def test_module_missing(variable, mpi, tmp_path):
    """Started by mpirun without the module of its MPI: refused, rather than each process for itself."""
    program = shutil.copy(os.environ["SCARLET_SEARCH"], tmp_path)
    environment = {**os.environ, variable: "1", "LD_LIBRARY_PATH": os.environ["SCARLET_LIBRARIES"]}
    result = subprocess.run([program], env=environment, capture_output=True, text=True)
    assert result.returncode == 1 and variable in result.stderr and f"{tmp_path}/scarlet-mpi-{mpi}.so" in result.stderr
