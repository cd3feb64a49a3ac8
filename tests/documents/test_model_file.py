"""scarlet-model(5): its example writes a file that the library reads as it was meant, and it has every key."""

import random
import re
import sys

import numpy as np
from blocks import ROOT

sys.path[:0] = [str(ROOT / "tests" / "network"), str(ROOT / "bindings" / "python")]
from networks import Member, build, pictures, reference  # noqa: E402

PAGE = (ROOT / "lib" / "scarlet-model.5").read_text().replace("\\-", "-")


def test_example(tmp_path, monkeypatch, environment):
    import torch

    program = next(block for block in re.findall(r"^\.nf\n(.*?)^\.fi$", PAGE, re.M | re.S) if "import" in block)
    metadata = dict(re.findall(r'"(scarlet\.\w+)": "([^"]+)"', program))
    space = reference.parse_space(metadata["scarlet.space"])
    member = Member("page", reference.random_genotype(random.Random(5), space), space, 3)
    network = build(member)
    monkeypatch.chdir(tmp_path)
    exec(program, {"network": network})  # pylint: disable=exec-used

    monkeypatch.setenv("SCARLET_LIBRARY", environment["SCARLET_LIBRARY"])
    import scarlet

    with scarlet.Model("model.safetensors") as model, scarlet.Session(model) as session:
        assert model.labels == ["cat", "dog", "neither"] and model.input_size == 64
        assert metadata.items() <= model.metadata.items()
        batch = pictures(64, 2)
        with torch.no_grad():
            expected = network.double()(torch.from_numpy(batch).double()).numpy()
        np.testing.assert_allclose(session.infer(batch[:1]), expected[:1], rtol=0, atol=1e-4 * abs(expected).max())


def test_every_key_is_described():
    known = {key for path in (ROOT / "lib").rglob("*.c") for key in re.findall(r'"(scarlet\.\w+)"', path.read_text())}
    described = re.findall(r"^\.TP\n\.BR? (.*)\n", PAGE.split(".SH METADATA")[1].split(".SH TENSORS")[0], re.M)
    assert set(re.findall(r"scarlet\.\w+", " ".join(described))) == known and len(known) == 11


def test_every_tensor_is_described():
    described = set()
    for row in PAGE.split(".SH TENSORS")[1].split(".nf\n")[1].split(".fi")[0].replace("\\fIi\\fP", "0").splitlines():
        weight, bias, norm = re.match(r"(\S+)\.weight(, \.bias)? +\[.*?\](?:, .*?by ([\w.]+))?", row).groups()
        described |= {f"{weight}.weight"} | ({f"{weight}.bias"} if bias else set())
        if norm:
            described |= {f"{norm if '.' in norm else 'mb_module.0.' + norm}.{part}"
                          for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}
    network = reference.Scarlet(reference.parse_genotype("e3k3se"), 3, reference.parse_space("stem=8 tail=32 layers=8:2"))
    assert described == set(network.state_dict())
