import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "network")]
import tiny  # noqa: E402

import scarlet  # noqa: E402


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    """A tiny model's file."""
    return tiny.make(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def model(path):
    return scarlet.Model(path)


@pytest.fixture(scope="session")
def pictures():
    """Paths of pictures."""
    return sorted(tiny.PICTURES.iterdir())[::5]
