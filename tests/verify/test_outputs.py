"""Files that are written: opened before the work, kept where nothing comes of it, - as standard output."""

import json
import os
import random

import pytest
from conftest import records, run, run_json, save_picture


@pytest.fixture(scope="module")
def some(scratch):
    """A few pictures, one of them broken, as a list."""
    folder = scratch / "some"
    folder.mkdir()
    for i in range(4):
        save_picture(random.Random(i), folder / f"{i}.png")
    (folder / "4.png").write_bytes(b"broken")
    (folder / "list").write_text("".join(f"{i}.png {i}\n" for i in range(5)))
    (folder / "whole").write_text("".join(f"{i}.png {i}\n" for i in range(4)))
    return folder


@pytest.mark.parametrize("option", ["--report", "--predictions", "--journal"])
def test_opened_first(scratch, module, some, option):
    """Not a picture is looked at for a file that cannot be written."""
    result = run("-m", scratch / "model", option, some / "no" / "such" / "file", some / "list", code=1)
    assert (result.stdout, result.stderr.decode()) == (b"", f"scarlet: {some}/no/such/file: No such file or directory\n")
    result = run("--merge", "--report", some / "no" / "file", some / "none.json", code=1)
    assert result.stderr.decode() == f"scarlet: {some}/no/file: No such file or directory\n"


def test_report_of_nothing(scratch, module, some):
    """A run that stops leaves an earlier page as it was, and no page where there was none."""
    page = some / "page.html"
    run("-m", scratch / "model", "--report", page, some / "list", code=1)
    assert not page.exists()
    run("-m", scratch / "model", "--report", page, some / "whole")
    whole = page.read_bytes()
    assert whole.endswith(b"</body></html>\n")
    run("-m", scratch / "model", "--report", page, some / "list", code=1)
    assert page.read_bytes() == whole
    page.write_bytes(whole + b"and more")
    page.chmod(0o600)
    run("-m", scratch / "model", "--report", page, some / "whole")
    assert page.read_bytes().count(b"</html>") == 1 and page.stat().st_mode & 0o777 == 0o600


def test_standard_output(scratch, module, some, tmp_path):
    """It holds one thing; the result then goes to standard error."""
    command = ["-m", scratch / "model", some / "whole"]
    line = run(*command).stdout
    run(*command, "--predictions", tmp_path / "out.jsonl")
    result = run(*command, "--predictions", "-")
    (tmp_path / "again.jsonl").write_bytes(result.stdout)
    assert records(tmp_path / "again.jsonl") == records(tmp_path / "out.jsonl") and result.stderr == line
    assert run(*command, "--predictions", "-", "-q").stderr == b""
    result = run(*command, "--report", "-")
    assert result.stdout.startswith(b"<!doctype html>") and result.stdout.endswith(b"</html>\n") and result.stderr == line
    (tmp_path / "part.json").write_text(json.dumps(run_json(*command)))
    assert run("--merge", tmp_path / "part.json", "--report", "-").stdout.endswith(b"</html>\n")
    for pair in (["--json", "--predictions", "-"], ["--report", "-", "--predictions", "-"], ["--json", "--report", "-"]):
        assert b"only one of --json, --predictions and --report can be written to standard output" in run(*command, *pair, code=2).stderr
    assert run(*command, "--journal", "-", code=1).stderr == b"scarlet: -: a journal must be a file\n"
    assert not os.path.exists("-")


def test_merge_from_standard_input(scratch, module, some):
    part = run("-m", scratch / "model", some / "whole", "--json").stdout
    assert json.loads(run("--merge", "-", "--json", input=part).stdout)["total"] == 4
