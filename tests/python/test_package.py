"""Models, sessions, options and errors of the package."""

import copy
import gc
import io
import json
import pickle
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference_page
import tiny
import torch
from networks import Member, build, error, reference, save_safetensors
from PIL import Image as Pillow

import scarlet
from scarlet import errors

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def module():
    """The model in PyTorch."""
    space = reference.parse_space(tiny.SPACE)
    return build(Member("tiny", reference.parse_genotype("e3k3se,id,e6k5"), space, len(tiny.LABELS)))


@pytest.fixture(scope="module")
def batch(model, pictures):
    with model.session() as session:
        return np.stack([session.preprocess(picture) for picture in pictures])


@pytest.fixture(scope="module")
def expected(module, batch):
    """Scores and features of the batch in float64, and what a comparison allows."""
    with torch.no_grad():
        single = module(torch.from_numpy(batch)).numpy()
        outputs = module.double().trace(torch.from_numpy(batch).double())
        module.float()
    scores, features = outputs["scores"].numpy(), outputs["features"].numpy()
    return scores, features, max(2e-5, 4 * error(single, scores))


def test_a_model_describes_itself(model, path):
    assert (model.name, model.genotype, model.classes) == ("custom", "e3k3se,id,e6k5", 5)
    assert (model.input_size, model.total_stride, model.feature_length) == (32, 8, 32)
    assert (model.file_kind, model.precision) == ("safetensors", "f32")
    assert model.engine in ("fused", "xnnpack") and model.isa in scarlet.options()["isa_max"].values.values()
    assert model.labels == tiny.LABELS and model.label(5) is None and model.label(-1) is None
    assert model.metadata["note"] == "made by a test" and json.loads(model.metadata["scarlet.labels"]) == tiny.LABELS
    assert [layer.name for layer in model.layers] == [
        "stem", "separable_conv", "mb_module.0", "mb_module.1", "mb_module.2", "conv_before_pooling", "classifier"]
    assert [layer.kind for layer in model.layers] == [
        "stem", "separable", "block", "identity", "block", "tail", "classifier"]
    assert model.layers[4][2:9] == (8, 12, 5, 2, 6, 0, False)
    assert model.layers[2][2:9] == (4, 8, 3, 2, 3, 3, False)
    assert sum(layer.macs for layer in model.layers) == model.macs > 0
    assert sum(layer.parameters for layer in model.layers) == model.parameters > 0
    assert repr(model) == "<scarlet.Model custom, 5 classes>"


def test_a_model_without_labels(tmp_path):
    bare = tiny.make(tmp_path / "bare.safetensors", **{"scarlet.labels": None})
    with scarlet.Model(bare) as model, model.session() as session:
        assert model.labels is None
        assert [p.label for p in session.classify(np.zeros((40, 50, 3), np.uint8))] == [None] * 5


def test_a_model_like_the_released_ones(tmp_path):
    """Without names, 1000 classes: ImageNet's. Not in another space, nor with other classes."""
    for space, classes in (reference.DEFAULT_SPACE, 1000), (reference.DEFAULT_SPACE, 999), (tiny.SPACE, 1000):
        text = space if isinstance(space, str) else None
        space = reference.parse_space(text) if text else space
        network = build(Member("narrow", [None] * len(space.layers), space, classes))
        save_safetensors(network.state_dict(), tmp_path / "a", {"scarlet.space": text} if text else {})
        with scarlet.Model(tmp_path / "a") as model:
            assert model.labels == (list(scarlet.Labels.builtin()) if classes == 1000 and not text else None)
            assert model.label(1000) is None


def test_the_log(path, pictures, tmp_path):
    lines, threads = [], []

    def log(level, line):
        lines.append((level, line))
        threads.append(threading.get_ident())

    try:
        scarlet.set_log(log)
        alive = weakref.ref(log)
        with scarlet.Model(path) as model:
            assert lines == [(scarlet.LogLevel.INFORMATION, f"{path}: custom, 5 classes")]
            assert isinstance(lines[0][0], scarlet.LogLevel) and threads == [threading.get_ident()]
            model.session().classify(pictures[0])  # with options that were not given
        with scarlet.Model(path, max_bytes=10 ** 9):
            assert lines == 2 * lines[:1]
        with ThreadPoolExecutor(4) as pool:  # each has its own options; all call the same function
            assert len([model.close() for model in pool.map(scarlet.Model, [path] * 40)]) == 40
        assert lines == 42 * lines[:1]

        scarlet.set_log(log, scarlet.LogLevel.WARNING)
        scarlet.Model(path)
        assert len(lines) == 42
        scarlet.set_log(None)
        scarlet.Model(path)
        assert len(lines) == 42
        del log
        gc.collect()
        assert alive() is None
    finally:
        scarlet.set_log(None)


def test_an_exception_in_the_log_does_not_reach_the_call(path, monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    scarlet.set_log(lambda level, line: 1 / 0)
    try:
        assert scarlet.Model(path).classes == 5
    finally:
        scarlet.set_log(None)
    assert [hook.exc_type for hook in seen] == [ZeroDivisionError]


def test_models_from_bytes_are_the_same(model, path, batch):
    data = path.read_bytes()
    for source in (str(path), data, bytearray(data), memoryview(data)):
        with scarlet.Model(source) as other, other.session() as session, model.session() as ours:
            assert np.array_equal(session.infer(batch), ours.infer(batch))


def test_scores_and_features(model, batch, expected):
    scores, features, allowed = expected
    with model.session(batch_max=3) as session:
        assert error(session.infer(batch), scores) <= allowed
        assert (session.input_size, session.batch_max, session.output_length) == (32, 3, 5)
    with model.session(output="features", batch_max=8, threads=2) as session:
        assert error(session.infer(batch), features) <= allowed
        assert (session.output_length, session.threads) == (32, 2) and session.bytes > 0


def test_the_way_does_not_change_a_bit(model, batch, pictures):
    with model.session() as session:
        one_by_one = np.stack([session.infer(picture) for picture in batch])
        assert one_by_one.shape == (8, 5) and session.infer(batch[:0]).shape == (0, 5)
    for options in ({"batch_max": 3}, {"batch_max": 8, "threads": 2}):
        with model.session(**options) as session:
            assert np.array_equal(session.infer(batch), one_by_one)
            assert np.array_equal(session.infer(batch.astype(np.float64)), one_by_one)
            assert np.array_equal(session.infer(batch[::-1]), one_by_one[::-1])
            assert np.array_equal(session.infer(torch.from_numpy(batch)), one_by_one)
            assert np.array_equal(session.scores(pictures), one_by_one)
            assert np.array_equal(session.scores(iter(pictures)), one_by_one)
            session.input[0] = batch[2]
            assert np.array_equal(session.infer(session.input[:1]), one_by_one[2:3])
    with model.session(layout="nhwc", batch_max=2) as session:
        assert session.input.shape == (2, 32, 32, 3)
        assert np.array_equal(session.infer(batch.transpose(0, 2, 3, 1)), one_by_one)
        assert np.array_equal(session.infer(np.ascontiguousarray(batch[0].transpose(1, 2, 0))), one_by_one[0])
        assert np.array_equal(session.scores(pictures), one_by_one)


def test_no_copy_where_contiguous(batch):
    from scarlet.arrays import as_floats
    assert as_floats(batch) is batch and np.shares_memory(as_floats(batch[1:3]), batch)
    assert not np.shares_memory(as_floats(batch[:, :, ::2]), batch)


def test_the_callers_output(model, batch):
    with model.session(batch_max=8) as session:
        out = np.empty((8, 5), np.float32)
        assert session.infer(batch, out=out) is out and np.array_equal(out, session.infer(batch))
        for wrong in (np.empty((8, 6), np.float32), np.empty((8, 5)), np.empty((5, 8), np.float32).T, [0] * 40):
            with pytest.raises(errors.ArgumentError, match=r"^out is .*; expected a contiguous.*\(8, 5\)$"):
                session.infer(batch, out=wrong)


def test_classify_is_softmax_and_topk_of_scores(model, pictures):
    for options in ({}, {"input_size": 64}, {"layout": "nhwc"}):
        with model.session(**options) as session:
            for explicit in ({}, {"resize": 40 if not options else 80}, {"mean": (0.5, 0.4, 0.3), "std": 0.2}):
                scores = session.scores(pictures, **explicit)
                for picture, row in zip(pictures, scores):
                    best = scarlet.topk(scarlet.softmax(row), 3, model.labels)
                    assert session.classify(picture, 3, **explicit) == best
                    assert best[0].label == tiny.LABELS[best[0].class_id]
            assert session.preprocess(pictures[0]).tobytes() == scarlet.preprocess(
                pictures[0], crop=session.input_size, resize=session.input_size * 36 // 32, layout=options.get("layout", "nchw")).tobytes()
            for call in (session.classify, session.preprocess):
                with pytest.raises(errors.ArgumentError, match="^option resize: 31 is less than the input size"):
                    call(pictures[0], resize=31)


def test_k(model, pictures):
    with model.session() as session:
        assert [len(session.classify(pictures[0], k)) for k in (1, 5, 99)] == [1, 5, 5]
        for k in (0, -1):
            with pytest.raises(errors.ArgumentError, match="k is 0"):
                session.classify(pictures[0], k)


def test_features_need_a_features_session(model, pictures):
    with model.session(output="features", batch_max=3) as session:
        features = session.features(pictures)
        assert features.shape == (8, 32) and session.features([]).shape == (0, 32)
        with pytest.raises(errors.ArgumentError, match="output is features: make one with output='scores'"):
            session.scores(pictures)
        with pytest.raises(errors.ArgumentError, match="the session's output is features"):
            session.classify(pictures[0])
    with model.session() as session:
        with pytest.raises(errors.ArgumentError, match="output is scores: make one with output='features'"):
            session.features(pictures)


@pytest.mark.parametrize("wrong, message", [
    (np.zeros((2, 3, 31, 32), np.float32), r"input of shape \(2, 3, 31, 32\); expected n x 3 x 32 x 32, or 3 x 32 x 32"),
    (np.zeros((2, 32, 32, 3), np.float32), "expected n x 3 x 32 x 32"),
    (np.zeros((32, 32), np.float32), "expected n x 3 x 32 x 32"),
    (np.zeros((3, 32, 32), np.uint8), "values are uint8; expected float32"),
    (np.full((2, 3, 32, 32), np.nan, np.float32), "input: value 0 of picture 0 is not finite"),
])
def test_wrong_input(model, wrong, message):
    with model.session(batch_max=2) as session, pytest.raises(errors.ArgumentError, match=message):
        session.infer(wrong)


def test_the_option_table():
    table = scarlet.options()
    assert table["threads"].key == 100 and table["threads"].minimum == 0 and table["threads"].default == 1
    assert table["layout"].values == {0: "nchw", 1: "nhwc"} and table["batch_max"].values == {}
    assert table["isa_max"].values[99] == "any" and len(table) >= 15 and all(option.help for option in table.values())


@pytest.mark.parametrize("options, message", [
    ({"thread": 2}, "unknown option thread; did you mean threads?"),
    ({"xyz": 2}, "unknown option xyz; known are threads, batch_max, input_size, layout, output"),
    ({"engine": "fused"}, "option engine has no meaning here; known are threads, "),
    ({"mean": (0, 0, 0)}, "option mean has no meaning here; known are threads, "),
    ({"threads": -1}, "option threads: -1 is not between 0 and 256"),
    ({"layout": "hwc"}, 'option layout: "hwc" is not one of nchw, nhwc'),
    ({"layout": "nhwc,threads=2"}, "option layout: 'nhwc,threads=2' has a comma"),
    ({"threads": "2\0"}, "option b'threads=2\\x00' holds a NUL byte"),
    ({"input_size": 4097}, "option input_size: 4097 is not between 1 and 4096"),
])
def test_options_are_checked(model, options, message):
    with pytest.raises(errors.ArgumentError) as caught:
        model.session(**options)
    assert str(caught.value).startswith(message)


def test_options_by_name_and_number(model):
    for options in ({"layout": "nhwc"}, {"layout": 1}, {"layout": True}, {"layout": np.int64(1)}):
        assert model.session(**options).nhwc
    with pytest.raises(TypeError):
        model.session(threads=1.5)


def test_errors(tmp_path):
    assert issubclass(errors.ArgumentError, ValueError) and issubclass(errors.OutOfMemoryError, MemoryError)
    with pytest.raises(errors.FileError) as caught:
        scarlet.Model("/no/model")
    assert isinstance(caught.value, OSError) and caught.value.errno == 2 and caught.value.status == -3
    assert str(caught.value) == "/no/model: No such file or directory"
    again = pickle.loads(pickle.dumps(caught.value))  # as between processes
    assert (type(again), str(again), again.detail, again.errno) == (errors.FileError, str(caught.value), 2, 2)
    with pytest.raises(errors.FormatError):
        scarlet.Model(b"nothing of the kind")
    with pytest.raises(errors.FormatError):
        scarlet.Model(b"")
    torch.save({"model_state": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "other.pth")
    with pytest.raises(errors.ModelError, match="weight"):
        scarlet.Model(tmp_path / "other.pth")
    with pytest.raises(errors.ArgumentError, match="NUL"):
        scarlet.Model("a\0b")
    with pytest.raises(errors.LimitError, match="max_bytes"):
        scarlet.Model(tiny.make(tmp_path / "large.safetensors"), max_bytes=1000)
    strange = errors.make(-99, 0, "what?")
    assert type(strange) is errors.Error and strange.status == -99


def test_open_files(model, path, pictures):
    """From where they are to their end; text is refused by name."""
    with open(path, "rb") as file, scarlet.Model(file) as other:
        assert other.labels == model.labels
    with scarlet.Session(model) as session:
        expected = session.classify(pictures[0])
        with open(pictures[0], "rb") as file:
            assert session.classify(file) == expected
        later = io.BytesIO(b"before" + pictures[0].read_bytes())
        later.seek(6)
        assert session.classify(later) == expected
        with open(pictures[0], encoding="latin-1") as file, pytest.raises(errors.ArgumentError, match="mode 'rb'"):
            session.classify(file)
    with pytest.raises(errors.ArgumentError, match="mode 'rb'"):
        scarlet.Model(io.StringIO("text"))


def test_lists_of_anything(model, pictures):
    mixed = [pictures[0], str(pictures[1]), pictures[2].read_bytes(), io.BytesIO(pictures[3].read_bytes()),
             Pillow.open(pictures[4]), np.asarray(Pillow.open(pictures[5]).convert("RGB")), scarlet.Image(pictures[6])]
    with scarlet.Session(model, batch_max=3) as session:
        one_by_one = [session.classify(picture, k=2) for picture in pictures[:7]]
        assert session.classify(mixed[:3] + [io.BytesIO(pictures[3].read_bytes())] + mixed[4:], k=2) == one_by_one
        assert session.classify(tuple(pictures[:7]), k=2) == one_by_one and session.classify([]) == []
        best = [scarlet.topk(scarlet.softmax(row), 2, model.labels) for row in session.scores(mixed)]
        assert best == one_by_one
        for single in pictures[0], str(pictures[0]), pictures[0].read_bytes(), mixed[6], io.BytesIO(b""):
            with pytest.raises(errors.ArgumentError, match="expected a list of pictures, also of one"):
                session.scores(single)


def test_copies_and_pickles(model, pictures):
    """What never changes is shared; what belongs to one user, or to this process, says so."""
    image, labels, session = scarlet.Image(pictures[0]), scarlet.Labels.builtin(), scarlet.Session(model)
    for copied in copy.copy, copy.deepcopy:
        with copied(model) as other:
            assert other.labels == model.labels
        with copied(image) as other:
            assert np.shares_memory(other.pixels, image.pixels)
        assert list(copied(labels)) == list(labels)
        with pytest.raises(TypeError, match=r"Session cannot be copied: make another with model.session\(\)"):
            copied(session)
    assert model.labels and image.width and session.classify(image)  # closing a copy closed no original
    for item in model, image, labels, session:
        with pytest.raises(TypeError, match=f"scarlet.{type(item).__name__} cannot be pickled: "):
            pickle.dumps(item)


def test_module_as_a_program(path, pictures, tmp_path):
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "scarlet", *map(str, arguments)], capture_output=True, text=True)

    done = run("-k", 2, path, pictures[0], tmp_path / "none.png", pictures[1])
    assert done.returncode == 1 and done.stderr == f"python -m scarlet: {tmp_path}/none.png: No such file or directory\n"
    with scarlet.Model(path) as model, model.session() as session:
        expected = [[str(picture)] + [f"  {p.score:6.1%}  {p.label}" for p in session.classify(picture, 2)]
                    for picture in pictures[:2]]
    assert done.stdout.splitlines() == sum(expected, [])
    assert run(path, pictures[0]).returncode == 0
    assert run(tmp_path / "none.pth", pictures[0]).returncode == 3
    assert run().returncode == 2 and "MODEL" not in run("--version").stdout and run("--help").returncode == 0


def test_the_reference_page():
    assert reference_page.PAGE.read_text() == reference_page.page(), "write it anew: see reference_page.py"


def test_damage_is_named(path):
    data = path.read_bytes()
    with pytest.raises(errors.CorruptError) as caught:
        scarlet.Model(data[:-1])
    assert caught.value.status == -5 and str(caught.value)


def test_closed_objects(path, batch):
    model = scarlet.Model(path)
    session = model.session()
    model.close()
    model.close()
    assert session.classify(np.zeros((32, 32, 3), np.uint8))[0].label in tiny.LABELS, "a session outlives its model"
    array = session.input
    session.close()
    array[:] = 1  # the memory lives as long as the array
    for use in (model.session, lambda: model.name, lambda: session.infer(batch), lambda: session.threads):
        with pytest.raises(errors.ArgumentError, match="^the (model|session) is closed$"):
            use()
    assert repr(model) == "<scarlet.Model, closed>" and repr(session) == "<scarlet.Session, closed>"


def test_convert(tmp_path, model, path, batch):
    names = tmp_path / "names.txt"
    names.write_text("a\nb\nc\nd\ne\n")
    scarlet.convert(path, tmp_path / "new.safetensors", scarlet.Labels(names), resize=48, mean=(0.1, 0.2, 0.3))
    with scarlet.Model(tmp_path / "new.safetensors") as new, new.session() as ours, model.session() as theirs:
        assert new.labels == list("abcde") and new.metadata["scarlet.resize"] == "48"
        assert new.metadata["scarlet.mean"] == "0.1,0.2,0.3" and new.metadata["note"] == "made by a test"
        assert np.array_equal(ours.infer(batch), theirs.infer(batch))
    scarlet.convert(str(path), str(tmp_path / "half.safetensors"), storage="f16")
    assert (tmp_path / "half.safetensors").stat().st_size < 0.8 * path.stat().st_size
    with pytest.raises(errors.ArgumentError):
        scarlet.convert(path, tmp_path / "no.safetensors", scarlet.Labels.builtin())
    assert not (tmp_path / "no.safetensors").exists()


def test_labels(tmp_path):
    labels = scarlet.Labels.builtin("imagenet-1k")
    assert len(labels) == 1000 and labels[0] == "tench" and labels[-1] == labels[999] and labels[:2] == [
        labels[0], labels[1]] and "tench" in labels and len(list(labels)) == 1000
    for index in (1000, -1001):
        with pytest.raises(IndexError):
            labels[index]
    with pytest.raises(errors.Error):
        scarlet.Labels.builtin("imagenet-22k")
    with pytest.raises(errors.FileError):
        scarlet.Labels("/no/labels")


def test_softmax_and_topk():
    scores = np.random.RandomState(0).randn(4, 7).astype(np.float32)
    exact = np.exp(scores.astype(np.float64))
    assert np.allclose(scarlet.softmax(scores), exact / exact.sum(1, keepdims=True), rtol=1e-6)
    assert np.array_equal(scarlet.softmax(scores)[2], scarlet.softmax(scores[2]))
    assert scarlet.softmax(np.empty((0, 7), np.float32)).shape == (0, 7)
    given = scores.copy()
    scarlet.softmax(given)
    assert np.array_equal(given, scores), "the argument is left alone"
    assert np.isnan(scarlet.softmax([1.0, np.nan])).all()
    assert scarlet.topk([1.0, 3.0, 3.0, float("nan"), 2.0], 9, list("abcde"))[:4] == [
        (1, 3.0, "b"), (2, 3.0, "c"), (4, 2.0, "e"), (0, 1.0, "a")]
    assert scarlet.topk([2.0, 1.0], 1) == [(0, 2.0, None)]
    for wrong in ((scores, 3), (scores[0], 0), ([1, 2], 1)):
        with pytest.raises(errors.ArgumentError):
            scarlet.topk(*wrong)


def test_trace(model, module, batch):
    from scarlet.experimental import trace
    with model.session(batch_max=2) as session, torch.no_grad():
        scores, layers = trace(session, batch[:2])
        assert np.array_equal(scores, session.infer(batch[:2]))
        outputs = module.trace(torch.from_numpy(batch[:2]))
        assert len(layers) == 2 * len(model.layers)
        for layer in layers:
            assert layer.name == model.layers[layer.layer].name and layer.nanoseconds >= 0
            stage = {"classifier": "scores", "conv_before_pooling": "features"}.get(layer.name, layer.name)
            values = outputs[stage][layer.picture].reshape(layer.values.shape[2], *layer.values.shape[:2])
            assert error(layer.values.transpose(2, 0, 1), values.numpy()) < 1e-4, layer.name
        count = len(layers)
        session.infer(batch[:2])
        assert len(layers) == count, "tracing has ended"
