"""The reference (Pillow and torchvision), libscarlet through the program `dump`, and comparing them."""
import io
import os
import struct
import subprocess

import numpy as np
from PIL import Image, ImageOps
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FORMATS = ("RGB", "BGR", "RGBA", "BGRA", "GRAY", "NV12", "NV21", "I420")
IO, FORMAT, CORRUPT, UNSUPPORTED, LIMIT = -3, -4, -5, -6, -7  # scarlet_status


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status, self.text = status, text


class Dump:
    """The program, kept running; each method is one request."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["SCARLET_IMAGE_DUMP"]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()

    def ask(self, command, *fields, options=""):
        line = "\t".join([options, command, *map(str, fields)]) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        head = self.process.stdout.read(16)
        assert len(head) == 16, f"dump ended: {self.process.wait()}"
        status, width, height, length = struct.unpack("<iIII", head)
        data = self.process.stdout.read(length)
        if status:
            raise Refused(status, data.decode())
        return width, height, data

    def pixels(self, path, options="", command="pixels"):
        w, h, data = self.ask(command, path, options=options)
        return np.frombuffer(data, np.uint8).reshape(h, w, 3)

    def resize(self, path, width, height):
        w, h, data = self.ask("resize", path, width, height)
        return np.frombuffer(data, np.uint8).reshape(h, w, 3)

    def tensor(self, path, options=""):
        return np.frombuffer(self.ask("tensor", path, options=options)[2], np.float32)

    def wrap(self, path, format, width, height, stride, offset=0, options=""):
        fields = (FORMATS.index(format), width, height, stride, offset)
        return np.frombuffer(self.ask("wrap", path, *fields, options=options)[2], np.float32)

    def planes(self, path, format, width, height, *planes, options=""):
        fields = (FORMATS.index(format), width, height, *(v for plane in planes for v in plane))
        return np.frombuffer(self.ask("planes", path, *fields, options=options)[2], np.float32)

    def probe(self, path):
        return self.ask("probe", path)[:2]


def open_reference(source):
    """As torchvision's default loader; raises whatever Pillow raises."""
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    with Image.open(source, formats=("JPEG", "PNG")) as image:  # all others: slow to give up
        return image.convert("RGB")


def reference_pixels(source, orient=False):
    if orient:
        with Image.open(source) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    return np.asarray(open_reference(source))


def reference_tensor(image, resize=256, crop=224, mean=MEAN, std=STD):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    steps = (transforms.Resize(resize), transforms.CenterCrop(crop), transforms.ToTensor(),
             transforms.Normalize(mean, std))
    return transforms.Compose(steps)(image).numpy().reshape(-1)


def same_bits(found, expected):
    """Equal bit for bit; says where they first differ."""
    assert found.dtype == expected.dtype and found.shape == expected.shape, \
        f"{found.dtype}{found.shape}, expected {expected.dtype}{expected.shape}"
    a, b = (np.ascontiguousarray(v).view(np.uint8).reshape(-1) for v in (found, expected))
    if not np.array_equal(a, b):
        differ = np.flatnonzero(found.reshape(-1) != expected.reshape(-1))
        at = differ[0]
        raise AssertionError(f"{len(differ)} of {found.size} values differ, first at {at}: "
                             f"{found.reshape(-1)[at]}, expected {expected.reshape(-1)[at]}")
