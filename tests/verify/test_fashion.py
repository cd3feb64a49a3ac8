"""The model that comes with the project on Fashion-MNIST test pictures, as PNG and as JPEG, against PyTorch; and in
integers against itself in float32.

SCARLET_TEST_FASHION=10000 takes all of them; a few hundred otherwise.
"""

import os
import re
import sys

import conftest
from conftest import last, line, records, run, sums
from PIL import Image

sys.path[:0] = [str(conftest.TESTS / "demonstration"), str(conftest.TESTS.parent / "bindings" / "python")]
import count as demonstration  # noqa: E402
from fashion import MODEL, class_name, load  # noqa: E402
from scarlet import checkpoint  # noqa: E402


def test_fashion(scratch):
    pictures, labels = load("t10k")
    count = int(os.environ.get("SCARLET_TEST_FASHION", 300))
    for i in range(count):
        folder = scratch / "fashion" / "valid" / class_name(labels[i])
        folder.mkdir(parents=True, exist_ok=True)
        if i % 2:
            Image.fromarray(pictures[i]).save(folder / f"{i}.png")
        else:
            Image.fromarray(pictures[i]).save(folder / f"{i}.jpg", quality=95)
    module, metadata = checkpoint.load(MODEL)
    expected = conftest.evaluate(module, scratch / "fashion" / "valid", demonstration.pipeline(metadata))
    total, top1, top5 = sums(expected)
    assert total == count and 0.85 < top1 / total < 1
    result = run("-m", MODEL, scratch / "fashion", "--predictions", scratch / "fashion.jsonl")
    assert last(result.stdout) == line(total, top1, top5)
    found = records(scratch / "fashion.jsonl")
    assert [record["top"][0] for record in found] == expected.scores.argmax(1).tolist()
    least = 3 if total < len(pictures) else 0  # few pictures are a small sample
    for options, others, lost in (("precision=int16", 0.0005, 0.0002), ("precision=int8", 0.005, 0.0015),
                                  ("precision=int8,isa_max=avx2", 0.005, 0.0015)):
        result = run("-m", MODEL, scratch / "fashion", "--compare", options)
        found = re.search(r"^Second model:.*mTop1: ([\d.]+)\t.*\nAgreement: ([\d.]+)", result.stdout.decode(), re.M)
        print(options, *found.groups())
        # As many as the project promises of 10,000 pictures.
        assert (1 - float(found[2]) / 100) * total <= max(least, others * total) + 0.1
        assert top1 - float(found[1]) / 100 * total <= max(least, lost * total) + 0.1
