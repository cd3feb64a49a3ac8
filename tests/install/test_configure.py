"""What cannot work is refused when it is configured."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CROSS = """[binaries]
c = 'cc'
pkgconfig = 'pkg-config'
[host_machine]
system = 'linux'
cpu_family = 's390x'
cpu = 's390x'
endian = 'big'
"""


def test_big_endian(tmp_path):
    (tmp_path / "cross.ini").write_text(CROSS)
    result = subprocess.run(["meson", "setup", tmp_path / "build", ROOT, "--cross-file", tmp_path / "cross.ini"],
                            capture_output=True, text=True)
    assert result.returncode == 1 and "libscarlet reads and writes little-endian files" in result.stdout, result.stdout
