"""The data of these tests, once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import patterns  # noqa: E402


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return patterns.write(tmp_path_factory.mktemp("data"))
