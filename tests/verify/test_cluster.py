"""The job files of examples/cluster: the shell in them runs here, shard by shard."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import conftest
import indexed_job
import pytest
from conftest import COMMAND, last, line, sums

CLUSTER = conftest.TESTS.parent / "examples" / "cluster"


@pytest.fixture
def environment(scratch, tree, tmp_path):
    path = f"{Path(COMMAND).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "MODEL": str(scratch / "model"), "DATA": str(tree), "OUT": str(tmp_path / "o ut")}


def merged(environment, count):
    files = [os.path.join(environment["OUT"], f"{i}.json") for i in range(count)]
    return subprocess.run([COMMAND, "verify", "--merge", *files], check=True, capture_output=True, text=True).stdout


def test_parallel(environment, expected):
    assert shutil.which("parallel"), "GNU parallel is needed"
    command = [CLUSTER / "parallel.sh", environment["MODEL"], environment["DATA"], "5", environment["OUT"], "--jobs", "2"]
    for _ in range(2):  # the second finds all done in the journals
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert (result.returncode, last(result.stdout)) == (0, line(*sums(expected))), result.stderr
    assert json.loads(Path(environment["OUT"], "3.json").read_text())["timed"] == 0


def test_slurm_script(environment, expected):
    """What Slurm sets, tasks numbered from 3."""
    os.mkdir(environment["OUT"])
    for task in range(3, 6):
        subprocess.run([CLUSTER / "slurm.sh"], check=True, env={
            **environment, "SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "3"})
    assert last(merged(environment, 3)) == line(*sums(expected))


def test_kubernetes_job(environment, expected):
    container, completions, shards = indexed_job.read(CLUSTER / "kubernetes.yaml")
    for index in range(completions):
        subprocess.run(container["command"] + container["args"], check=True, env={
            **environment, "SHARDS": shards, "JOB_COMPLETION_INDEX": str(index)})
    assert last(merged(environment, 8)) == line(*sums(expected))
