import shutil

import pytest


@pytest.fixture(autouse=True)
def clean(tmp_path):
    """Some files have a hundred megabytes: none stays."""
    yield
    shutil.rmtree(tmp_path)
