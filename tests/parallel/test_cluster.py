"""The job files of examples/cluster for supernets and searches: the shell in them runs here, by one process."""

import os
import shutil
import subprocess
from pathlib import Path

import indexed_job
import pytest
import yaml

COMMAND = Path(os.environ["SCARLET_COMMAND"])
CLUSTER = Path(__file__).resolve().parents[2] / "examples" / "cluster"
SUPERNET = [word for text in ("epochs=3", "batch-size=32", "lr=0.1") for word in ("--opt", text)]


@pytest.fixture(scope="module")
def environment(data, tmp_path_factory):
    path = f"{COMMAND.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "MPIRUN": "env", "DATA": str(data / "photos"), "SPACE": str(data / "space.txt"),
            "OUT": str(tmp_path_factory.mktemp("cluster") / "o ut")}


def run(script, environment, *words, **more):
    subprocess.run([CLUSTER / script, *words], check=True, env={**environment, **more})


@pytest.fixture(scope="module")
def found(environment):
    """What search.sh leaves; it is run again after less and less of it was lost."""
    out = Path(environment["OUT"])
    out.mkdir()
    run("search.sh", environment, *SUPERNET)
    whole = {path: path.read_bytes() for path in sorted((out / "found").iterdir())}
    assert len(whole) == 4
    for lost in (out / "super" / "supernet.safetensors", out / "found" / "pareto.csv"):
        lost.unlink()
        if lost.parent == out / "super":
            shutil.rmtree(out / "found")
        run("search.sh", environment, *SUPERNET)
        assert {path: path.read_bytes() for path in whole} == whole
    return out


def models(out):
    return {path: path.read_bytes() for path in sorted(out.glob("front/*/best.safetensors"))}


def test_front(found, environment):
    """What Slurm sets, tasks numbered from 3: every network of the front is trained, by one of them."""
    networks = (found / "found" / "pareto.csv").read_text().count("\n") - 1
    for task in (3, 4):
        run("front.sh", environment, "--epochs", "2", SLURM_ARRAY_TASK_ID=str(task), SLURM_ARRAY_TASK_MIN="3",
            SLURM_ARRAY_TASK_COUNT="2")
        assert len(models(found)) == (networks // 2 if task == 3 else networks)
    trained = models(found)
    (found / "front" / "1" / "last.ckpt").unlink()  # this one begins again, the others have nothing to do
    run("front.sh", environment, "--epochs", "2", SLURM_ARRAY_TASK_ID="0", SLURM_ARRAY_TASK_MIN="0", SLURM_ARRAY_TASK_COUNT="1")
    assert models(found) == trained and networks > 1


def test_kubernetes_front(found, environment):
    container, completions, shards = indexed_job.read(CLUSTER / "front.yaml")
    script = container["args"][0].replace("/usr/share/doc/scarlet/examples/cluster", str(CLUSTER))
    shutil.rmtree(found / "front", ignore_errors=True)
    for index in range(completions):
        subprocess.run([*container["command"], script, "sh", "--epochs", "1"], check=True,
                       env={**environment, "SHARDS": shards, "JOB_COMPLETION_INDEX": str(index)})
    assert len(models(found)) == (found / "found" / "pareto.csv").read_text().count("\n") - 1


def test_kubernetes_search():
    """The operator's kind of job; what its launcher runs is the script tested above."""
    job = yaml.safe_load((CLUSTER / "search.yaml").read_text())
    assert (job["apiVersion"], job["kind"], job["spec"]["slotsPerWorker"]) == ("kubeflow.org/v2beta1", "MPIJob", 1)
    assert set(job["spec"]["mpiReplicaSpecs"]) == {"Launcher", "Worker"}
    for name, replica in job["spec"]["mpiReplicaSpecs"].items():
        pod = replica["template"]["spec"]
        container = pod["containers"][0]
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        if name == "Launcher":
            assert replica["replicas"] == 1 and (CLUSTER / Path(container["command"][0]).name).is_file()
            assert {item["name"] for item in container["env"]} == {"DATA", "SPACE", "OUT"}
