"""scarlet.hpp on its own and in use, in every standard it promises, by gcc and by clang, with and without exceptions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tiny  # noqa: E402

LIBRARY = Path(os.environ["SCARLET_SHARED"])
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wold-style-cast", "-Werror",
          f"-I{HERE.parents[1] / 'include'}"]
EXCEPTIONS = ["-fexceptions", "-fno-exceptions"]


def run(*command, text=None):
    result = subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), (command, result)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("cpp") / "tiny.safetensors")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["11", "14", "17", "20"])
def test_alone(compiler, standard):
    for exceptions in EXCEPTIONS:
        run(compiler, "-x", "c++", f"-std=c++{standard}", exceptions, *STRICT, "-fsyntax-only", "-",
            text="#include <scarlet/scarlet.hpp>\n" * 2)


@pytest.mark.parametrize("compiler, standard, exceptions", [
    ("g++", "11", "-fexceptions"), ("g++", "20", "-fno-exceptions"),
    ("clang++", "11", "-fno-exceptions"), ("clang++", "20", "-fexceptions")])
def test_in_use(compiler, standard, exceptions, model, tmp_path):
    program = tmp_path / "wrapper"
    sanitizers = ["-fsanitize=address,undefined"] if compiler == "g++" else []  # clang's are a package of their own
    run(compiler, f"-std=c++{standard}", exceptions, *STRICT, *sanitizers, HERE / "wrapper.cpp", "-o", program, LIBRARY,
        f"-Wl,-rpath,{LIBRARY.parent}")
    run(program, model, tiny.PICTURES / "09-ankle-boot-0000.png")
