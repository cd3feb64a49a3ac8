"""The binary interface is that of the baseline, or more."""

import re

import abi
import pytest

NEW = "Changed on purpose? Renew the baseline with tests/api/abi.py and say so in NEWS.md."


def test_abi(tmp_path):
    found = abi.differences(abi.library(tmp_path))
    assert found == "", found + NEW


def test_baseline_is_of_no_machine():
    text = abi.BASELINE.read_text()
    assert not re.search(r"='/|\.\./", text)
    functions = set(re.findall(r"elf-symbol name='(\w+)'", text))
    assert len(functions) > 40
    assert functions == set(re.findall(r"function-decl name='(\w+)'", text)), "types are known"


CHANGES = {
    "removed": ("SCARLET_API uint32_t scarlet_version(void);", "", False),
    "parameter": ("size_t n, size_t k,", "size_t n, int32_t k,", False),
    "result": ("SCARLET_API uint32_t scarlet_version(void)", "SCARLET_API uint64_t scarlet_version(void)", False),
    "frozen struct": ("    float score;", "    double score;", False),
    "renumbered": ("SCARLET_ERROR_MEMORY = -2", "SCARLET_ERROR_MEMORY = -12", False),
    "new function": ("SCARLET_API uint32_t scarlet_version(void);",
                     "SCARLET_API uint32_t scarlet_version(void);\nSCARLET_API void scarlet_new(void);", True),
    "new code": ("    SCARLET_STATUS_INT =", "    SCARLET_ERROR_NEW = -10,\n    SCARLET_STATUS_INT =", True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_bites(tmp_path, change):
    old, new, allowed = CHANGES[change]
    header = abi.HEADER.read_text()
    assert header.count(old) == 1
    version_script = abi.MAP.read_text().replace("local:", "local:" if not allowed else "\tscarlet_new;\nlocal:")
    found = abi.differences(abi.library(tmp_path, header.replace(old, new), version_script))
    assert (found == "") == allowed, found
