"""examples/search/run.sh --quick: from pictures to a verified child; killed in each stage, it goes on to the same end."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "search" / "run.sh"
STAGES = ["pictures", "supernet", "latency", "search", "export_front", "fine_tune", "test_pictures", "verify"]
ENVIRONMENT = {**os.environ, "SCARLET": os.environ["SCARLET_COMMAND"]}


def run(*arguments):
    return subprocess.run([SCRIPT, *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True)


def killed(folder, stage, delay):
    """Runs until the stage has begun, and for so many seconds more."""
    process = subprocess.Popen([SCRIPT, "--quick", folder], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, start_new_session=True)
    for line in process.stdout:
        if line.startswith("== ") and "done before" not in line and "At most" not in line:
            stage -= 1
            if stage < 0:
                break
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()


def test_quick(tmp_path):
    whole, broken, rng = tmp_path / "whole", tmp_path / "broken", random.Random(1)
    result = run("--quick", whole)
    assert result.returncode == 0 and result.stderr == "", result
    assert re.search(r"^found here +\d+ +\d\.\d+ +\d+\.\d\d$", result.stdout, re.M)
    seconds = {name: int((whole / "done" / name).read_text().split()[0]) for name in STAGES}
    children = list((whole / "children").iterdir())
    assert len(children) == len((whole / "search" / "pareto.csv").read_text().splitlines()) - 1

    # What is measured would differ: the second run takes that over.
    (broken / "done").mkdir(parents=True)
    for name in ("latency.csv", "latency.html", "limits", "done/latency"):
        shutil.copy(whole / name, broken / name)
    for name in STAGES:
        if name != "latency":
            killed(broken, 0, rng.uniform(0, seconds[name]))
            # What is left of this stage, and no more.
            killed(broken, 1, 0)
    result = run("--quick", broken)
    assert result.returncode == 0 and "Supernet: trains all networks of the space at once: done before" in result.stdout
    for name in ("super/supernet.safetensors", "search/trials.csv", "children/01.safetensors", "tuned/best.safetensors"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


def test_usage(tmp_path):
    help = run("--help")
    assert help.returncode == 0 and help.stdout.startswith("Finds a network") and help.stdout.rstrip().endswith("build-quickstart.")
    for arguments in (["--slow"], [tmp_path / "a", tmp_path / "b"]):
        result = run(*arguments)
        assert result.returncode == 2 and "see --help" in result.stderr and not list(tmp_path.iterdir())
