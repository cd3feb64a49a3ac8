"""Pictures: files, bytes, arrays, frames and PIL images; and how they become a network's input."""

import ctypes
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _abi, _library
from ._abi import Layout, Pixels
from ._library import Handle, Shared
from .arrays import contents, floats, output, raw, view
from .errors import ArgumentError
from .options import DECODING, PICTURE, Options, names

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    Picture = Union["Image", str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, NDArray[np.uint8], PILImage]

_PLANAR = (Pixels.NV12, Pixels.NV21, Pixels.I420)
_CHANNELS = {Pixels.RGB: 3, Pixels.BGR: 3, Pixels.RGBA: 4, Pixels.BGRA: 4, Pixels.GRAY: 1}
_DEFAULT = {1: Pixels.GRAY, 3: Pixels.RGB, 4: Pixels.RGBA}


class Image(Shared):
    """A picture, immutable: any thread may use it.

    `source` is a path (JPEG or PNG), the bytes of such a file, a file opened for reading bytes (it is read to its
    end), a PIL image, or a uint8 array: height x width x 3 or 4, height x width (grey), or with `pixels` "nv12", "nv21" or "i420" the planes, 3/2 height x width. `pixels` names the
    order of an array's values: "rgb" (default), "bgr", "rgba" (default of 4 channels), "bgra". An array is not copied
    if its pixels are dense in each row; it must not change while the picture is in use.

    Options: max_pixels, auto_orient, decode ("exact" or "fast": a large JPEG comes at 1/2, 1/4 or 1/8 of its size, at
    least twice `resize`, 256 if not given).
    """

    def __init__(self, source: "Picture", *, pixels: Optional[str] = None, **options: Any) -> None:
        settings = Options(options, DECODING)
        if isinstance(source, Image):
            if pixels or options:
                raise ArgumentError("options do not apply to a picture that is decoded already")
            self._handle: Optional[Handle] = source._use()
        else:
            self._handle = _made(source, pixels, settings)

    @property
    def width(self) -> int:
        return self._describe()[1]

    @property
    def height(self) -> int:
        return self._describe()[2]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The pixels without a copy: height x width x 3 of a decoded picture; the array of a wrapped one."""
        handle = self._use()
        if handle.keeps is not None:
            kept: NDArray[np.uint8] = handle.keeps
            return kept
        address, width, height, stride = self._describe()
        return view(handle, address, (height, width, 3), (stride, 3, 1), "|u1", writeable=False)

    def resize(self, width: int, height: int) -> "Image":
        """The whole picture at another size, as Pillow's bilinear `Image.resize`; RGB."""
        for name, value in (("width", width), ("height", height)):
            if not 0 < value < 2 ** 32:
                raise ArgumentError(f"{name} is {value}; expected 1 or more pixels")
        resized = Image.__new__(Image)
        resized._handle = _library.create("scarlet_image_resize", self._use(), width, height,
                                          _abi.FILTER_BILINEAR, free="scarlet_image_free")
        return resized

    def close(self) -> None:
        """Gives the picture up; its memory goes with the last array over it."""
        self._handle = None

    def __enter__(self) -> "Image":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<scarlet.Image {self.width} x {self.height}>" if self._handle else "<scarlet.Image, closed>"

    def _use(self) -> Handle:
        if self._handle is None:
            raise ArgumentError("the picture is closed")
        return self._handle

    def _describe(self) -> Tuple[int, int, int, int]:
        width, height, stride = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_size_t()
        address = _library.library().scarlet_image_pixels(self._use(), ctypes.byref(width),
                                                          ctypes.byref(height), ctypes.byref(stride), None)
        return address, width.value, height.value, stride.value


def _made(source: Any, pixels: Optional[str], options: Options) -> Handle:
    if not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(source, "read"):
        return _wrap(_pixels_of(source), pixels)
    if pixels:
        raise ArgumentError("pixels: only for arrays")
    return _decode(source, options.handle)


def _decode(source: Any, options: Optional[Handle]) -> Handle:
    if isinstance(source, (str, os.PathLike)):
        return _library.create("scarlet_image_load", _library.path(source), options, free="scarlet_image_free")
    data, size = raw(contents(source))
    return _library.create("scarlet_image_decode", data.ctypes.data, size, options, free="scarlet_image_free")


def _pixels_of(source: Any) -> Any:
    pil = sys.modules.get("PIL.Image")  # whoever has a PIL image has imported it
    if pil and isinstance(source, pil.Image):
        source = source.convert("RGB")
    return np.asarray(source)


def _wrap(array: NDArray[Any], pixels: Optional[str]) -> Handle:
    if array.dtype != np.uint8:
        hint = ("; values of 0 to 1 become that by (255 * array).round().astype(np.uint8); what is preprocessed already goes "
                "to Session.infer" if np.issubdtype(array.dtype, np.floating) else "")
        raise ArgumentError(f"a picture of {array.dtype}; expected uint8, 0 to 255{hint}")
    if pixels is not None and pixels.upper() not in Pixels.__members__:
        raise ArgumentError(f"pixels: {pixels!r} is not one of {', '.join(p.name.lower() for p in Pixels)}")
    channels = array.shape[2] if array.ndim == 3 else 1
    layout = Pixels[pixels.upper()] if pixels else _DEFAULT.get(channels)
    if layout in _PLANAR:
        fits = array.ndim == 2 and array.shape[0] % 3 == 0
    else:
        fits = layout is not None and array.ndim in (2, 3) and _CHANNELS[layout] == channels
    if not fits or layout is None:
        raise ArgumentError(f"a picture of shape {array.shape}{f' for pixels={pixels!r}' if pixels else ''}; expected "
                            "height x width x 3 or 4, height x width, or planes of 3/2 height x width")
    if 0 in array.shape:
        raise ArgumentError(f"a picture of shape {array.shape}: no pixels")
    dense = array.strides[1:] == ((channels, 1) if array.ndim == 3 else (1,)) and layout not in _PLANAR
    if not dense or array.strides[0] < array.shape[1] * channels:
        array = np.ascontiguousarray(array)
    height = array.shape[0] // 3 * 2 if layout in _PLANAR else array.shape[0]
    return _library.create("scarlet_image_wrap", array.ctypes.data, array.shape[1], height, array.strides[0], layout,
                           _abi.Release(0), None, free="scarlet_image_free", keeps=array)


def as_image(picture: "Picture", options: Options) -> Image:
    """A picture that is an Image already, or one made of it with the options."""
    if isinstance(picture, Image):
        return picture
    made = Image.__new__(Image)
    made._handle = _made(picture, None, options)
    return made


def probe(data: Union[bytes, bytearray, memoryview]) -> Tuple[int, int]:
    """Width and height from the head of a JPEG or PNG file, without decoding it."""
    width, height = ctypes.c_uint32(), ctypes.c_uint32()
    head, size = raw(data)
    _library.call("scarlet_image_probe", head.ctypes.data, size, ctypes.byref(width), ctypes.byref(height))
    return width.value, height.value


def preprocess(picture: "Picture", *, out: Optional[NDArray[np.float32]] = None, **options: Any) -> NDArray[np.float32]:
    """Short side resized, centre cropped, normalised: bit for bit what torchvision makes with Pillow.

    Gives 3 x crop x crop, or crop x crop x 3 with layout="nhwc". Options: crop (224), resize (crop * 8 / 7), mean, std
    (ImageNet's), filter, and for a picture that is not decoded yet max_pixels, auto_orient, decode. For a model's own
    settings, see Session.preprocess.
    """
    settings = Options(options, names(PICTURE) + ("layout",))
    crop = settings.get("crop") or 224
    shape = (crop, crop, 3) if settings.get("layout") == Layout.NHWC else (3, crop, crop)
    result = output(out, shape)
    handle = as_image(picture, settings)._use()
    _library.call("scarlet_preprocess", handle, settings.handle, floats(result), result.size)
    return result
