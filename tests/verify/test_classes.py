"""Which class a picture is counted as: by names of folders, maps, lists, tables; what contradicts is refused or said."""

import io
import json
import random
import subprocess
import tarfile

import pytest
from conftest import COMMAND, TESTS, make_model, records, run, save_picture
from permissions import obey

NAMES = ["T-shirt/top", "Trouser", "crane", "crane", "Coat, overcoat", "Ankle boot", "7", "Éclair"]
IDS = [row.split("\t")[0] for row in (TESTS.parent / "lib/results/imagenet-1k.tsv").read_text().splitlines()]
KNOWN = [int(row) for row in (TESTS.parent / "src/ilsvrc2012-val-labels.txt").read_text().split()]
HINT = ("--class-order folders numbers them in sorted order, as the reference does; "
        "--class-map FILE gives the class of each")


@pytest.fixture(scope="module")
def models(scratch):
    folder = scratch / "classes"
    folder.mkdir()
    make_model(folder / "named", len(NAMES), labels=NAMES)
    make_model(folder / "plain", 12)
    make_model(folder / "thousand", 1000)
    return folder


def folders(root, *names):
    for i, name in enumerate(names):
        (root / name).mkdir(parents=True)
        save_picture(random.Random(i), root / name / "x.png")
    return root


def archive(path, *names, mode="w"):
    with tarfile.open(path, mode) as tar:
        for i, name in enumerate(names):
            picture = io.BytesIO()
            save_picture(random.Random(i), picture)
            member = tarfile.TarInfo(name)
            member.size = picture.tell()
            tar.addfile(member, io.BytesIO(picture.getvalue()))
    return path


def labels(models, tmp_path, model, *arguments, code=0, **options):
    """What each picture was labelled as, and what was said."""
    out = tmp_path / "labels.jsonl"
    result = run("-m", models / model, "--on-error", "skip", "--predictions", out, *arguments, code=code, **options)
    return [record["label"] for record in records(out)], result.stderr.decode()


# ---- folders ----

def test_by_name(models, tmp_path):
    root = folders(tmp_path / "data", "09-ankle_boot", "TROUSER", "t_shirt-top", "overcoat")
    assert labels(models, tmp_path, "named", root) == ([5, 1, 4, 0], "")
    assert labels(models, tmp_path, "named", root, "--class-order", "folders")[0] == [0, 1, 2, 3]
    (tmp_path / "data" / "trouser").mkdir()
    error = labels(models, tmp_path, "named", root, code=None)[1]
    assert error == f'scarlet: {root}: folders "TROUSER" and "trouser" are both of class 1; {HINT}\n'


@pytest.mark.parametrize("name, why", [("shoe", "not a class"), ("crane", "more than one class"), ("éclair", "not a class")])
def test_names_that_do_not_match(models, tmp_path, name, why):
    """Nothing is guessed. Only ASCII letters are folded."""
    root = folders(tmp_path / "data", "Trouser", name)
    result = run("-m", models / "named", root, code=2)
    assert result.stdout == b"" and result.stderr.decode() == f'scarlet: {root}: folder "{name}" is {why} of the model; {HINT}\n'


def test_numbers(models, tmp_path):
    """A model with names does not take numbers for them, unless order and number say the same; 7 is a name here."""
    root = folders(tmp_path / "few", "1", "3")
    error = run("-m", models / "named", root, code=2).stderr.decode()
    assert error.endswith(f'folder "1" is not a class of the model; {HINT}; --class-order numbers takes names for class numbers\n')
    assert labels(models, tmp_path, "named", root, "--class-order", "numbers") == ([1, 3], "")
    assert labels(models, tmp_path, "named", folders(tmp_path / "seven", "7", "Trouser"))[0] == [6, 1]
    make_model(models / "letters", 3, labels=["a", "b", "c"])
    assert labels(models, tmp_path, "letters", folders(tmp_path / "all", "00", "01", "02"))[0] == [0, 1, 2]
    error = run("-m", models / "named", "--class-order", "numbers", folders(tmp_path / "more", "8"), code=2).stderr.decode()
    assert error.endswith('folder "8" is not a class number of the model, which has 8 classes\n')


def test_without_names(models, tmp_path):
    """In sorted order, as the reference, if the number fits; 10 before 2 is said."""
    found, error = labels(models, tmp_path, "plain", folders(tmp_path / "all", *map(str, range(12))))
    assert found == list(range(12)) and error.startswith(f"scarlet: {tmp_path}/all: folders named by numbers count in sorted order")
    assert labels(models, tmp_path, "plain", tmp_path / "all", "--class-order", "numbers") == (
        [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9], "")
    root = folders(tmp_path / "few", *"abc")
    assert run("-m", models / "plain", root, code=2).stderr.decode() == (
        f"scarlet: {root}: 3 class folders, but the model has 12 classes; {HINT}\n")
    (tmp_path / "names").write_text("".join(f"name {i}\n" for i in range(9)) + "a\nb\nc\n")
    assert labels(models, tmp_path, "plain", root, "--labels", tmp_path / "names") == ([9, 10, 11], "")


def test_wordnet_ids(models, tmp_path):
    root = folders(tmp_path / "data", IDS[999], IDS[5], IDS[77])
    assert labels(models, tmp_path, "thousand", root) == ([IDS.index(name) for name in sorted((IDS[999], IDS[5], IDS[77]))], "")
    assert labels(models, tmp_path, "thousand", folders(tmp_path / "names", "goldfish", "great_white_shark"))[0] == [1, 2]


@pytest.mark.parametrize("form", ["folders", "tar"])
def test_numbers_before_names(models, tmp_path, form):
    """A class's number before its name that is another's is said once; from 1 numbers are no contradiction."""
    for names, expected, odd in [(["3-Trouser", "4-Ankle boot"], [1, 5], "3-Trouser"), (["01_t-shirt top", "02_trouser"], [0, 1], None),
                                 (["0-t-shirt top", "1-trouser"], [0, 1], None), (["09-ankle boot", "77 Trouser"], [5, 1], None),
                                 (["07-ankle boot", "1-Trouser"], [5, 1], "07-ankle boot")]:
        root = folders(tmp_path / names[0], *names) if form == "folders" else archive(tmp_path / "x.tar", *(f"{name}/x.png" for name in names))
        found, error = labels(models, tmp_path, "named", root)
        assert found == expected
        number = odd and int(odd.replace("_", "-").split("-")[0])
        assert error == (f'scarlet: folder "{odd}" counts as class {expected[names.index(odd)]} by its name, '
                         f'though its number is {number}; {HINT}\n' if odd else "")


@pytest.mark.parametrize("text", [
    "one\tTrouser\ntwo words\t3\nthree Ankle boot\n", "\ufeffone 1 \r\ntwo words 3\r\nthree\tAnkle boot\r\n\r\n",
    '{"one": 1, "two words": 3, "three": 5}', '\ufeff{"one": 1, "two words": 3, "three": 5}'])
def test_map(models, tmp_path, text):
    root = folders(tmp_path / "data", "one", "three", "two words")
    (tmp_path / "map").write_text(text, newline="")
    assert labels(models, tmp_path, "named", root, "--class-map", tmp_path / "map") == ([1, 5, 3], "")
    for path in ("-", "/dev/stdin"):
        assert labels(models, tmp_path, "named", root, "--class-map", path, input=text.encode()) == ([1, 5, 3], "")
    (root / "four").mkdir()
    error = run("-m", models / "named", root, "--class-map", tmp_path / "map", code=2).stderr.decode()
    assert error == f'scarlet: {root}: folder "four" is not in {tmp_path}/map\n'
    tar = archive(tmp_path / "x.tar", "data/one/1.png", "data/two words/2.png", "data/three/3.png")
    assert labels(models, tmp_path, "named", tar, "--class-map", tmp_path / "map") == ([1, 3, 5], "")


@pytest.mark.parametrize("text, message", [
    ("one\n", 'line 1 is not "FOLDER CLASS": "one"'), ("one 8\n", '"one" has no class of the model, which has 8'),
    ('{"one": 1', "not a JSON object, though it begins as one"),
    ('{"one": "x"}', '"one" has no class of the model, which has 8')])
def test_map_fails(models, tmp_path, text, message):
    (tmp_path / "map").write_text(text)
    error = run("-m", models / "named", folders(tmp_path / "data", "one"), "--class-map", tmp_path / "map", code=1).stderr.decode()
    assert error == f"scarlet: {tmp_path}/map: {message}\n"


@pytest.mark.parametrize("name", ["valid", "val", "validation", "test"])
def test_split(models, tmp_path, name):
    folders(tmp_path / "data" / "train", "Coat, overcoat")
    folders(tmp_path / "data" / name, "Trouser", "Ankle boot")
    assert labels(models, tmp_path, "named", tmp_path / "data") == ([5, 1], "")


# ---- archives ----

def test_archive_folders(models, tmp_path):
    tar = archive(tmp_path / "x.tar", "./set/val/Trouser/a.png", "./set/val/ankle_boot/deep/b.png", "set/val/shoe/c.png")
    found, error = labels(models, tmp_path, "named", tar, code=1)
    assert found == [1, 5, -1]
    assert error.splitlines()[0] == (f"scarlet: {tar}:set/val/shoe/c.png: no class known for it, and no folder of it is one of "
                                     "the model: see --truth")
    with open(tar, "rb") as file:
        assert labels(models, tmp_path, "named", "-", stdin=file, code=1)[0] == found


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archive_folders_in_order(models, tmp_path, mode):
    names = [f"x/{i}/p.png" for i in range(12)]
    random.Random(0).shuffle(names)
    tar = archive(tmp_path / "x.tar", *names, mode=mode)
    found, error = labels(models, tmp_path, "plain", tar)
    order = sorted(map(str, range(12)))
    assert found == [order.index(name.split("/")[1]) for name in names] and "in sorted order" in error
    few = archive(tmp_path / "few.tar", "a/1.png", "b/2.png")
    assert run("-m", models / "plain", few, code=2).stderr.decode() == (
        f"scarlet: {few}: 2 class folders, but the model has 12 classes; {HINT}\n")
    assert labels(models, tmp_path, "plain", few, "--class-order", "folders")[0] == [0, 1]


def test_archives_in_an_archive(models, tmp_path):
    """As ImageNet's training archive; the model knows the ids."""
    for name in (IDS[3], IDS[1]):
        archive(tmp_path / f"{name}.tar", f"{name}_1.JPEG", f"{name}_2.JPEG")
    with tarfile.open(tmp_path / "train.tar", "w") as tar:
        for name in (IDS[3], IDS[1]):
            tar.add(tmp_path / f"{name}.tar", f"{name}.tar")
    assert labels(models, tmp_path, "thousand", tmp_path / "train.tar") == ([3, 3, 1, 1], "")
    with tarfile.open(tmp_path / "third.tar", "w") as tar:
        tar.add(tmp_path / "train.tar", "train.tar")
    assert "train.tar:n" in labels(models, tmp_path, "thousand", tmp_path / "third.tar", code=1)[1]


# ---- lists and tables ----

@pytest.mark.parametrize("name, text, expected", [
    ("list", "a.png 1\nb.png ankle boot\nc.png\tT-SHIRT/TOP\n", [1, 5, 0]),
    ("list", "\ufeffa.png 1 \r\nb.png Ankle Boot\t\r\n \r\nc.png\t0\r\n", [1, 5, 0]),
    ("list", "Image_Path Class\na.png 1\nb.png Ankle boot\nc.png t-shirt/top\n", [1, 5, 0]),
    ("list.csv", "id,label,path\n7, 1,a.png\n8,Ankle boot ,b.png\n9,0,c.png\n", [1, 5, 0]),
    ("list.csv", "filename,label\n./a.png,1\nb.png,Ankle boot\n\"c.png\",\"T-shirt/top\"\n", [1, 5, 0]),
    ("list.csv", "a.png,1\r\nb.png,5\r\nc.png,0\r\n", [1, 5, 0]),
    ("list.csv", "class;Image ID;more\n1;a;x\n5;b;y\n0;c;z\n", [1, 5, 0]),
    ("table", "index\tfile\tlabel\n0\ta.png\t1\n1\tb.png\t5\n2\tc.png\t0\n", [1, 5, 0])])
def test_lists(models, tmp_path, name, text, expected):
    for i, picture in enumerate("abc"):
        save_picture(random.Random(i), tmp_path / f"{picture}.png")
    (tmp_path / name).write_text(text, newline="")
    assert labels(models, tmp_path, "named", tmp_path / name) == (expected, "")
    result = subprocess.run(["sh", "-c", f'cat {name} | "$0" verify -q -m "$1" --json {"-" if name == "list" else "/dev/stdin"}',
                             COMMAND, models / "named"], cwd=tmp_path, capture_output=True)
    if not (name == "list.csv" and "abel" not in text):  # a pipe has no name that says CSV
        assert sorted(row["class"] for row in json.loads(result.stdout)["per_class"]) == sorted(expected)


@pytest.mark.parametrize("pipe", [False, True])
def test_linked_classes(models, tmp_path, pipe):
    """Equal .cls members that are hard links to the first; names without ./ are those with it."""
    picture = io.BytesIO()
    save_picture(random.Random(1), picture)
    members = []
    for i, text in enumerate([b"\xef\xbb\xbf 1 \r\n", b"Ankle boot"]):
        members += [(f"{i}.cls", text), (f"./{i}.png", picture.getvalue())]
    for i in range(400):
        members += [(f"l{i}.png", picture.getvalue()), (f"l{i}.cls", f"./{i}.cls" if i < 2 else f"l{i - 2}.cls")]
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.LNKTYPE, content
            member.size = len(content) if isinstance(content, bytes) else 0
            tar.addfile(member, io.BytesIO(content) if member.size else None)
    data = (tmp_path / "x.tar").read_bytes()
    found = labels(models, tmp_path, "named", "-", input=data) if pipe else labels(models, tmp_path, "named", tmp_path / "x.tar")
    assert found == ([1, 5] * 201, "")


def test_predictions_are_a_list(models, tmp_path):
    root = folders(tmp_path / "data", "Trouser", "Ankle boot")
    run("-m", models / "named", root, "--predictions", tmp_path / "out.csv")
    assert labels(models, tmp_path, "named", tmp_path / "out.csv")[0] == [5, 1]


def test_whole_names(models, tmp_path):
    """A line that is a file's whole name is that file, blanks and numbers at its end or not."""
    for i, name in enumerate(["boot 9", "x.png ", "y.png 3"]):
        save_picture(random.Random(i), tmp_path / name)
    (tmp_path / "list").write_text("boot 9\nx.png \ny.png 3 1\n")
    found, _ = labels(models, tmp_path, "named", tmp_path / "list", code=1)
    files = [record["file"] for record in records(tmp_path / "labels.jsonl")]
    assert found == [-1, -1, 1] and files == [f"{tmp_path}/{name}" for name in ["boot 9", "x.png ", "y.png 3"]]


def test_table_fails(models, tmp_path):
    for text, message in [("image,label\na.png,shoe\n", 'line 2: "shoe" is not a class of the model'),
                          ("image,label\na.png,crane\n", 'line 2: "crane" is more than one class of the model'),
                          ("image,label\n,3\n", "line 2 names no file")]:
        (tmp_path / "list.csv").write_text(text)
        assert run("-m", models / "named", tmp_path / "list.csv", code=1).stderr.decode() == f"scarlet: {tmp_path}/list.csv: {message}\n"


def test_nothing(models, tmp_path):
    """No picture at all is a failure."""
    (tmp_path / "empty").write_text("\ufeff\r\n \n")
    (tmp_path / "folder").mkdir()
    archive(tmp_path / "empty.tar")
    for name, message in [("empty", "an empty list"), ("folder", "a folder without pictures"), ("empty.tar", "an archive without pictures")]:
        for more in ([], ["--on-error", "skip"]):
            result = run("-m", models / "named", *more, name, cwd=tmp_path, code=1)
            assert f"scarlet: {name}: {message}\n" in result.stderr.decode()
    result = run("-m", models / "named", "-", stdin=subprocess.DEVNULL, code=1)
    assert result.stderr == b"scarlet: -: a device, not a list\n"
    result = run("-m", models / "named", "-", input=b"", code=1)
    assert result.stderr == b"scarlet: -: an empty list\n"


@pytest.mark.parametrize("head, message", [
    (b"PK\3\4", "a zip archive; tar is read"), (b"7z\xBC\xAF\x27\x1C", "a 7z archive; tar is read"), (b"Rar!\x1A", "a RAR archive; tar is read"),
    ("a.png 1\n".encode("utf-16"), "UTF-16 text; UTF-8 is read: convert it first")], ids=["zip", "7z", "rar", "utf-16"])
def test_other_files(models, tmp_path, head, message):
    (tmp_path / "data").write_bytes(head + bytes(100))
    assert run("-m", models / "named", "data", cwd=tmp_path, code=1).stderr.decode() == f"scarlet: data: {message}\n"


# ---- known classes ----

def validation(folder, numbers):
    folder.mkdir()
    for n in numbers:
        save_picture(random.Random(n), folder / f"ILSVRC2012_val_{n:08d}.JPEG")
    return folder


def test_contradiction(models, tmp_path):
    """Labels in the development kit's order, and pictures in a wrong folder, are warned of once."""
    root = validation(tmp_path / "val", range(1, 6))
    (tmp_path / "devkit.txt").write_text("490\n361\n171\n822\n297\n")
    found, error = labels(models, tmp_path, "thousand", root, "--truth", tmp_path / "devkit.txt")
    assert found == [490, 361, 171, 822, 297]
    assert error == (f"scarlet: {root}/ILSVRC2012_val_00000001.JPEG: labelled as class 490, but known to be class {KNOWN[0]} of "
                     "ILSVRC2012; are these labels the development kit's numbers?\n")
    assert labels(models, tmp_path, "thousand", root) == (KNOWN[:5], "")
    validation(tmp_path / "classes", [])
    validation(tmp_path / "classes" / IDS[7], [1])
    assert "but known to be class" in labels(models, tmp_path, "thousand", tmp_path / "classes")[1]


@pytest.mark.parametrize("ending", ["", ".JPEG"])
def test_solution_table(models, tmp_path, ending):
    """ImageNet's LOC_val_solution.csv: ids, then boxes; the first id holds."""
    root = validation(tmp_path / "val", range(1, 4))
    (tmp_path / "loc.csv").write_text("ImageId,PredictionString\n" + "".join(
        f"ILSVRC2012_val_{n:08d}{ending},{IDS[KNOWN[n - 1]]} 85 1 499 272 {IDS[KNOWN[n - 1]]} 1 2 3 4 \n" for n in (3, 1, 2)))
    assert labels(models, tmp_path, "thousand", root, "--truth", tmp_path / "loc.csv") == (KNOWN[:3], "")
    (root / "loc.csv").write_bytes((tmp_path / "loc.csv").read_bytes())
    assert labels(models, tmp_path, "thousand", root / "loc.csv")[0] == [KNOWN[2], KNOWN[0], KNOWN[1]]


@pytest.mark.parametrize("text", ["5\n1\n", "\ufeff5 \r\n1\r\n\r\n", "Ankle boot\nTROUSER\n", "b.png Trouser\na.png Ankle boot\n", "b.png 1 \na.png 5\n"])
def test_truth(models, tmp_path, text):
    for i, picture in enumerate("ab"):
        (tmp_path / "data").mkdir(exist_ok=True)
        save_picture(random.Random(i), tmp_path / "data" / f"{picture}.png")
    (tmp_path / "truth").write_text(text, newline="")
    assert labels(models, tmp_path, "named", tmp_path / "data", "--truth", tmp_path / "truth") == ([5, 1], "")
    found, error = labels(models, tmp_path, "named", tmp_path / "data", "--labels", tmp_path / "truth")
    assert (found, error) == ([5, 1], f"scarlet: {tmp_path}/truth: right classes, not names of classes: taken as --truth\n")


# ---- what cannot be read ----

def test_unreadable_folders(models, tmp_path):
    """Folders that permissions keep from us are failures, whether they can be listed, entered or neither."""
    root = folders(tmp_path / "data", "Trouser", "Ankle boot")
    for name, mode in [("shut", 0), ("listed", 0o400), ("entered", 0o100)]:
        (root / "Trouser" / name).mkdir()
        save_picture(random.Random(9), root / "Trouser" / name / "y.png")
        (root / "Trouser" / name).chmod(mode)
    try:
        found, error = labels(models, tmp_path, "named", root, code=1, preexec_fn=obey)
        assert found == [5, 1, 1, 1, 1]
        assert [line for line in error.splitlines() if "Permission denied" in line] == [
            f"scarlet: {root}/Trouser/{name}: Permission denied" for name in ("entered", "shut", "listed/y.png")]
        result = run("-m", models / "named", root, code=1, preexec_fn=obey)
        assert result.stdout == b"" and result.stderr.decode() == f"scarlet: {root}/Trouser/entered: Permission denied\n"
    finally:
        for name in ("shut", "listed", "entered"):
            (root / "Trouser" / name).chmod(0o700)


def test_broken_links(models, tmp_path):
    """Links to nothing are failures of their own; the rest is counted."""
    root = folders(tmp_path / "data", "Trouser", "Ankle boot")
    (root / "Trouser" / "gone.png").symlink_to("nowhere")
    (root / "gone").symlink_to("nowhere")
    (root / "T-shirt, top").mkdir()
    found, error = labels(models, tmp_path, "named", root, code=1)
    assert found == [5, 0, 1, 1] and f"{root}/T-shirt, top: a class without pictures" in error
    assert f"scarlet: {root}/Trouser/gone.png: No such file or directory\n" in error
