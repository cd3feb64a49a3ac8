"""A tiny classifier for tests of everything around the network: five classes, 32 pixels, 30 KB."""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PICTURES = TESTS.parent / "examples" / "pictures"
SPACE = "stem=8 tail=32 layers=8:2,8:1,12:2"
LABELS = ["apple", "bread", "cheese", "date", "\N{LATIN SMALL LETTER E WITH ACUTE}clair"]


def make(path, classes=len(LABELS), **metadata):
    """Writes the model, with labels and input size, to `path`; further metadata by name, None: leave out."""
    sys.path.insert(0, str(TESTS / "network"))
    from networks import Member, build, reference, save_safetensors

    space = reference.parse_space(SPACE)
    member = Member("tiny", reference.parse_genotype("e3k3se,id,e6k5"), space, classes)
    entries = {"scarlet.format": "1", "scarlet.space": SPACE, "scarlet.labels": json.dumps(LABELS),
               "scarlet.input_size": "32", "scarlet.resize": "36", "note": "made by a test"}
    entries.update(metadata)
    save_safetensors(build(member).state_dict(), Path(path),
                     {key: value for key, value in entries.items() if value is not None})
    return path
