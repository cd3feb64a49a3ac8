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

sys.path.insert(0, str(conftest.TESTS.parent / "examples" / "train"))
import evaluate as demonstration  # noqa: E402
import fashion  # noqa: E402

MODEL = conftest.TESTS.parent / "examples" / "models" / "fashion-mnist-scarlet-c.safetensors"


def test_fashion(scratch):
    pictures, labels = fashion.load("t10k")
    count = int(os.environ.get("SCARLET_TEST_FASHION", 300))
    for i in range(count):
        folder = scratch / "fashion" / "valid" / fashion.class_name(labels[i])
        folder.mkdir(parents=True, exist_ok=True)
        if i % 2:
            Image.fromarray(pictures[i]).save(folder / f"{i}.png")
        else:
            Image.fromarray(pictures[i]).save(folder / f"{i}.jpg", quality=95)
    module = conftest.reference.Scarlet(conftest.reference.GENOTYPES[fashion.GENOTYPE], len(fashion.LABELS))
    module.load_state_dict(demonstration.load(str(MODEL)))
    expected = conftest.evaluate(module.eval(), scratch / "fashion" / "valid", conftest.pipeline(
        fashion.SIDE, fashion.SIDE, [fashion.MEAN] * 3, [fashion.STD] * 3))
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
