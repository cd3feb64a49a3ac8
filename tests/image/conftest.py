import numpy as np
import pytest

from pictures import JpegMaker
from reference import Dump, Refused, reference_pixels, same_bits


@pytest.fixture(scope="session")
def dump():
    program = Dump()
    yield program
    program.close()


@pytest.fixture(scope="session")
def jpeg():
    maker = JpegMaker()
    yield maker.make
    maker.close()


@pytest.fixture
def rng(request):
    return np.random.default_rng(sum(request.node.name.encode()))


@pytest.fixture
def verdict(dump, tmp_path):
    """Gives the bytes of a picture to both. "same": the same pixels; "refused": by both; "libscarlet
    refuses", "the reference refuses". Different pixels fail, and a different verdict of decode=fast."""
    path, calls = tmp_path / "picture", [0]

    def judge(data):
        path.unlink(missing_ok=True)  # writing over a file waits for the disk
        path.write_bytes(data)
        calls[0] += 1
        command = ("pixels", "memory")[calls[0] % 2]  # from a file and from memory by turns
        try:
            found = dump.pixels(path, command=command)
        except Refused as refusal:
            assert refusal.text.startswith(f"{path}: " if command == "pixels" else "data in memory: ")
            found = None
        fast = f"decode=fast,resize={(1, 2, 4)[calls[0] % 3]}"  # 1/8, 1/4, 1/2 of a small picture
        try:
            dump.pixels(path, fast, command)
            assert found is not None, "decode=fast loads what decode=exact refuses"
        except Refused as refusal:
            assert found is None, f"decode=fast refuses: {refusal.text}"
        try:
            expected = reference_pixels(data)
        except Exception:  # whatever it raises, it does not load the picture
            return "refused" if found is None else "the reference refuses"
        if found is None:
            return "libscarlet refuses"
        same_bits(found, expected)
        return "same"

    return judge
