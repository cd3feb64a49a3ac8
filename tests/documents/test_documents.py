"""Every block of code in README.md and the manual pages runs, with an installed tree, beside files of the names it uses.

What takes too long runs elsewhere: ELSEWHERE says where.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from blocks import PAGES, ROOT, commands, examples, fenced, indented

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "network"), str(ROOT / "bindings" / "python")]
import tiny  # noqa: E402

README = fenced(ROOT / "README.md")
SCRIPTS = [(f"README {i}", code) for i, (language, code) in enumerate(README) if language == "sh"]
SCRIPTS += [(page.name, examples(page)) for page in PAGES]

# What the library is built with, as README.md and examples/packages.sh have it.
PACKAGES = subprocess.run(["sh", "-c", ". examples/packages.sh; echo $build_packages"], cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout.strip()

# The command: a file that runs it, and by which words; README.md's two commands run everything themselves.
ELSEWHERE = {
    "examples/quickstart.sh": ("examples/quickstart.sh", "build "),
    "tests/run.sh": ("tests/run.sh", "meson test"),
    "examples/search/run.sh": ("tests/examples/test_search_run.py", '"--quick"'),
    "tests/demonstration/run.sh": ("tests/verify/test_fashion.py", "demonstration"),
    # Fifty thousand pictures, or none.
    "scarlet prepare-val --dry-run val/ imagenet/valid": ("tests/verify/test_prepare.py", 'prepare("--dry-run", '),
    "scarlet prepare-val ILSVRC2012_img_val.tar imagenet/valid": ("tests/verify/test_prepare.py", "tarfile"),
    # Hundreds of networks.
    "scarlet latency --space 28px --output latency.csv --plot latency.html": ("tests/search/test_latency.py", '"--plot", '),
    "scarlet latency --space default --output int8.csv --opt precision=int8": ("tests/search/test_latency.py", '"int8"'),
    # A supernet has to be trained first.
    "scarlet supernet data/ --space space.txt --output super --let --opt epochs=2":
        ("tests/supernet/test_commands.py", 'data / "space.txt", "--output", output'),
    "scarlet supernet data/ --space 28px --output super --share width --largest-first 1":
        ("tests/supernet/test_commands.py", '"--share", "width"'),
    "scarlet supernet --output super --resume": ("tests/supernet/test_commands.py", '"--output", output, "--resume"'),
    "scarlet score super --random 3 --output scores.csv": ("tests/supernet/test_commands.py", '"--random", 3, "--output"'),
    "scarlet score super --paths scores.csv --threads 1": ("tests/supernet/test_commands.py", '"--paths", '),
    "scarlet export super --genotype e3k3,id,e6k5se --output child.safetensors":
        ("tests/supernet/test_commands.py", '"export", output, "--genotype"'),
    "scarlet export super --front found/pareto.csv --output children --storage f16":
        ("tests/supernet/test_commands.py", '"--front", '),
    "scarlet export super --genotype e3k3,id,e6k5se --output child.pth":
        ("tests/supernet/test_commands.py", '"child.pth"'),
    "scarlet search super --output found --objectives cross_entropy,macs --generations 5":
        ("tests/supernet/test_commands.py", '"search", output, "--output"'),
    "scarlet supernet photos/ --space 28px --let --output super": ("examples/search/run.sh", 'supernet "$data"'),
    "scarlet search super --latency latency.csv --objectives cross_entropy,latency --measure --output found":
        ("examples/search/run.sh", "--objectives cross_entropy,latency"),
    "scarlet export super --front found/pareto.csv --output children": ("tests/supernet/test_commands.py", '"--front", '),
    "scarlet train photos/ --initial-checkpoint children/01.safetensors --output child":
        ("examples/search/run.sh", '--initial-checkpoint "$out/children/01.safetensors"'),
    "scarlet classify --model child/best.safetensors new.jpg": ("examples/search/run.sh", "tuned/best.safetensors"),
    # From scratch.
    "scarlet train photos/ --output run": ("tests/train/test_train.py", 'train(data, "--output", '),
    "scarlet train /usr/share/datasets/fashion-mnist --names examples/models/fashion-mnist-labels.txt --val-fraction 0.05 "
    "--time 1 --storage f16 --output fashion": ("tests/train/test_train.py", '"t10k"'),
    "apt-get update && apt-get install " + PACKAGES: ("examples/quickstart.sh", "install_packages $build_packages"),
    "meson setup build && ninja -C build && meson install -C build && ldconfig": ("pkgconfig/debian/rules", "dh_auto_install"),
    "ninja -C build uninstall": ("tests/install/test_static.py", '"uninstall"'),
    "build-quickstart/src/scarlet verify --model examples/models/fashion-mnist-scarlet-c.safetensors examples/labelled": (
        "tests/cli/test_demonstration.py", '"labelled"'),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with files of all the names that the documents use."""
    import torch
    from networks import build, members, reference

    folder = tmp_path_factory.mktemp("files")
    paper = next(build(member) for member in members(0) if member.genotype == reference.GENOTYPES["A"])
    torch.save({"model_state": paper.state_dict()}, folder / "SCARLET-A.pth.tar", _use_new_zipfile_serialization=False)
    for name in ("scarlet-a.pth.tar", "scarlet_a.pth.tar", "a.safetensors", "model.pth", "trained.pth"):
        (folder / name).symlink_to("SCARLET-A.pth.tar")
    tiny.make(folder / "model.safetensors")
    (folder / "names.txt").write_text("".join(f"class {i}\n" for i in range(1000)))
    pictures = sorted(tiny.PICTURES.iterdir())
    for name in ("photo.jpg", "cat.jpg", "dog.png", "folder/a.png", "photographs/b.png", "photographs/deep/c.png",
                 "imagenet/n01440764/d.JPEG", "imagenet/n01443537/e.JPEG", "data/n01440764/f.jpg", "data/n01443537/g.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pictures.pop(), folder / name)
    for i in range(4):
        for name in ("cat", "dog"):
            (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures.pop(), folder / "photos" / name)
    (folder / "new.jpg").symlink_to("photo.jpg")
    (folder / "run").mkdir()
    (folder / "run" / "best.safetensors").symlink_to("../model.safetensors")
    rows = [(f'"e3k3,{skip},e6k5{se}"', i) for i, (skip, se) in enumerate((s, e) for s in ("id", "e3k5") for e in ("", "se"))]
    (folder / "truth.csv").write_text("genotype,top1,seed1,seed2,macs,parameters\n" +
                                      "".join(f"{key},0.8{i},0.8{i},0.8{i + 1},{1000 * i},{99 - i}\n" for key, i in rows))
    (folder / "scores.csv").write_text("genotype,top1,cross_entropy\n" +
                                       "".join(f"{key},0.7{i},{1 - i / 10}\n" for key, i in rows))
    (folder / "space.txt").write_text("space stem=8 tail=16 layers=8:2,8:1,8:1\nchoices e3k3,e3k5|id,e6k5|e6k5se\nclasses 3\n")
    (folder / "networks.csv").symlink_to("truth.csv")
    (folder / "wget").write_text("#!/bin/sh\nexec cat cat.jpg\n")  # the network
    (folder / "wget").chmod(0o755)
    for name in ("pictures.tar", "ILSVRC2012_img_val.tar"):
        with tarfile.open(folder / name, "w") as archive:
            for i in (1, 2, 3):
                archive.add(pictures[i], f"ILSVRC2012_val_{i:08d}.JPEG")
    return folder


@pytest.fixture
def place(files, tmp_path):
    """A copy of those files."""
    return shutil.copytree(files, tmp_path / "place", symlinks=True)


def contents(folder):
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def shell(line, place, environment):
    path = f"{place}:{environment['PATH']}"
    return subprocess.run(["sh", "-euc", line], cwd=place, env={**environment, "PATH": path}, capture_output=True, text=True)


@pytest.mark.parametrize("script", [code for _, code in SCRIPTS], ids=[name for name, _ in SCRIPTS])
def test_script(script, files, place, environment):
    if "classify.c " in script:
        (place / "classify.c").write_text(next(code for language, code in README if language == "c"))
    if " --merge 0.json 1.json" in script:  # the other machine's part
        (place / "1.json").write_text(shell("scarlet verify -m model.pth --json --shard 1/2 data/", place, environment).stdout)
    lines = commands(script)
    assert lines
    for line in lines:
        if line in ELSEWHERE:
            file, words = ELSEWHERE[line]
            assert words in (ROOT / file).read_text()
            continue
        before, done = contents(place), shell(line, place, environment)
        if "--expect" in line:  # pictures of clothes do not reach the paper's figures
            assert done.returncode == 1 and "Evaluate Result: Total: " in done.stdout and "expected" in done.stderr, done
        else:
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            assert done.stdout or contents(place) != before, line
    if "classify.c " in script:
        done = shell("./classify model.safetensors photo.jpg", place, environment)
        assert done.returncode == 0 and len(done.stdout.splitlines()) == 3, done


def test_python(place, environment):
    blocks = [code for language, code in README if language == "python"]
    assert blocks
    for code in blocks:
        done = subprocess.run([sys.executable, "-c", code], cwd=place, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 3


def test_every_block_is_seen():
    """Nothing but shell, C and Python, and one reference to a paper, hides in the README."""
    assert [language for language, _ in README if language not in ("sh", "c", "python")] == ["bibtex"]
    assert sum(language == "c" for language, _ in README) == 1
    assert indented(ROOT / "README.md") == []
    assert len(SCRIPTS) > 12 and set(ELSEWHERE) <= {line for _, code in SCRIPTS for line in commands(code)}


def test_every_folder_of_tests_is_described():
    rows = re.findall(r"^\| ([a-z, ]+) \|", (ROOT / "tests" / "README.md").read_text(), re.M)[1:]
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert sorted(", ".join(rows).split(", ")) == sorted(folders)


DOCUMENTS = [path for path in subprocess.run(["find", ".", "-name", "*.md", "-not", "-path", "./build*", "-not", "-path", "./.*"],
                                             cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_what_is_named_exists(name):
    """Links, headings, and the scripts that blocks of other documents start."""
    text = (ROOT / name).read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / name).parent / link).exists(), link
    for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text):
        lines = re.findall(r"^#+ (.+)$", ((ROOT / name).parent / link if link else ROOT / name).read_text(), re.M)
        assert heading in [re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines], heading
    for block in indented(ROOT / name):
        for script in re.findall(r"^(?:\w+=\S+ )*((?:tests|examples|pkgconfig)/[\w./-]+)", block, re.M):
            assert os.access(ROOT / script, os.X_OK), script
        for script in re.findall(r"python3 ((?:tests|examples)/\S+)", block):
            assert (ROOT / script).exists(), script
        for suite in re.findall(r"--suite ([\w-]+)", block):
            assert f"suite: '{suite}'" in "".join(path.read_text() for path in ROOT.glob("tests/*/meson.build"))
