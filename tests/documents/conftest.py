import os
import subprocess

import pytest
from blocks import ROOT


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Of an installed tree."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", os.environ["SCARLET_BUILD"], "--no-rebuild", "--destdir", folder],
                   check=True, capture_output=True)
    return next(folder.rglob("include")).parent


@pytest.fixture(scope="module")
def environment(prefix):
    libdir = next(prefix.rglob("pkgconfig")).parent
    return {**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}", "PKG_CONFIG_PATH": f"{libdir}/pkgconfig",
            "LD_LIBRARY_PATH": str(libdir), "SCARLET_LIBRARY": f"{libdir}/libscarlet.so.0",
            "PYTHONPATH": str(ROOT / "bindings" / "python")}
