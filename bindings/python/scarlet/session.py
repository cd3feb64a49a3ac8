"""Sessions: what runs a model. With a session for each thread all run at once: calls release the interpreter lock."""

import copy
import ctypes
import itertools
import os
import threading
from typing import TYPE_CHECKING, Any, Iterable, List, NoReturn, Optional, Tuple, Union, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi, _library
from ._abi import Info, Layout, Output
from ._library import Handle, library
from .arrays import as_floats, floats, output, view
from .errors import ArgumentError
from .image import Image, as_image
from .model import Model, named
from .options import PICTURE, SESSION, Options, names
from .results import Prediction

if TYPE_CHECKING:
    from .image import Picture


class Session:
    """Working memory and threads for a model. Calls from several threads wait for each other: take one session a thread.

    Options: threads (1; 0: as many as the CPUs this process may use), batch_max (1), input_size, layout ("nchw" or
    "nhwc"), output ("scores" or "features").
    """

    def __init__(self, model: Model, **options: Any) -> None:
        settings = Options(options, names(SESSION))
        self.model = copy.copy(model)  # stays open when the caller closes his
        self.nhwc = settings.get("layout") == Layout.NHWC
        self.output = Output(settings.get("output")).name.lower()
        self._busy = threading.Lock()
        self._handle: Optional[Handle] = _library.create("scarlet_session_create", model._use(),
                                                         settings.handle, free="scarlet_session_free")
        self.input_size = self._get(Info.INPUT_SIZE)
        self.batch_max = self._get(Info.BATCH_MAX)
        self.output_length = self._get(Info.OUTPUT_LENGTH)

    @property
    def threads(self) -> int:
        return self._get(Info.THREADS)

    @property
    def bytes(self) -> int:
        """Memory held, beside the model's."""
        return self._get(Info.BYTES)

    @property
    def engine(self) -> str:
        return named("engine", self._get(Info.ENGINE))

    @property
    def isa(self) -> str:
        """Instruction set of the library's own kernels."""
        return named("isa_max", self._get(Info.ISA))

    @property
    def precision(self) -> str:
        return named("precision", self._get(Info.PRECISION))

    @property
    def input(self) -> NDArray[np.float32]:
        """The session's own input buffer, batch_max pictures: fill it and give it to `infer` to save a copy."""
        handle = self._use()
        address = ctypes.cast(library().scarlet_session_input(handle, None), ctypes.c_void_p).value or 0
        shape = (self.batch_max, *self.input_shape)
        strides = tuple(4 * int(np.prod(shape[i + 1:])) for i in range(4))
        return view(handle, address, shape, strides, "<f4", writeable=True)

    @property
    def input_shape(self) -> "tuple[int, int, int]":
        """Of one picture."""
        side = self.input_size
        return (side, side, 3) if self.nhwc else (3, side, side)

    @overload  # to mypy a PIL image may be anything, a list as well
    def classify(self, picture: "Picture", k: int = 5, **options: Any) -> List[Prediction]: ...  # type: ignore[misc]

    @overload
    def classify(self, picture: "Union[List[Any], Tuple[Any, ...]]", k: int = 5,
                 **options: Any) -> List[List[Prediction]]: ...

    def classify(self, picture: Any, k: int = 5, **options: Any) -> Any:
        """The k most probable classes of a picture, with probabilities and the model's labels; of a list, a list of them.

        A picture is whatever Image takes; a list may mix kinds. Options: those of `preprocess`, less crop; what is not
        given follows the model's metadata.
        """
        if isinstance(picture, (list, tuple)):
            return [self.classify(one, k, **options) for one in picture]
        settings = self._picture_options(options)
        image = as_image(picture, settings)._use()
        best = (_abi.PredictionStruct * max(0, min(k, self.output_length)))()
        count = ctypes.c_size_t()
        with self._busy:
            _library.call("scarlet_classify", self._use(), image, settings.handle, len(best), best,
                          ctypes.byref(count))
        return [Prediction(p.class_id, p.score, self.model.label(p.class_id)) for p in best[:count.value]]

    def infer(self, pictures: ArrayLike, out: Optional[NDArray[np.float32]] = None) -> NDArray[np.float32]:
        """Scores (logits), or features, of preprocessed pictures: n x output_length, of one picture output_length.

        `pictures` is n x 3 x side x side, or n x side x side x 3 with layout="nhwc", or one picture without n. Any n:
        batch_max are run at a time, which does not change a bit of the result. A contiguous float32 array is not
        copied.
        """
        values = as_floats(pictures)
        batch = values if values.ndim == 4 else values[np.newaxis]
        if batch.shape[1:] != self.input_shape or values.ndim not in (3, 4):
            expected = " x ".join(map(str, self.input_shape))
            raise ArgumentError(f"input of shape {values.shape}; expected n x {expected}, or {expected}")
        scores = output(out, (len(batch), self.output_length) if values.ndim == 4 else (self.output_length,))
        rows = scores if values.ndim == 4 else scores[np.newaxis]
        with self._busy:
            for i in range(0, len(batch), self.batch_max):
                self._infer(batch[i:i + self.batch_max], rows[i:i + self.batch_max])
        return scores

    def scores(self, pictures: "Iterable[Picture]", **options: Any) -> NDArray[np.float32]:
        """Scores (logits) of pictures, n x classes; preprocessed as `classify` does."""
        return self._run("scores", pictures, options)

    def features(self, pictures: "Iterable[Picture]", **options: Any) -> NDArray[np.float32]:
        """Features of pictures, n x feature_length, by a session made with output="features"."""
        return self._run("features", pictures, options)

    def preprocess(self, picture: "Picture", out: Optional[NDArray[np.float32]] = None,
                   **options: Any) -> NDArray[np.float32]:
        """The network's input for a picture, as `classify` makes it."""
        result = output(out, self.input_shape)
        settings = self._picture_options(options)
        image = as_image(picture, settings)._use()
        _library.call("scarlet_preprocess", image, settings.handle, floats(result), result.size)
        return result

    def close(self) -> None:
        """Gives the session up: memory and threads go once no call and no array uses them."""
        self._handle = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return (f"<scarlet.Session {self.output}, {self.input_size} px, batch {self.batch_max}>" if self._handle
                else "<scarlet.Session, closed>")

    def __copy__(self) -> NoReturn:
        raise TypeError("scarlet.Session cannot be copied: make another with model.session()")

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__copy__()

    def __reduce__(self) -> NoReturn:
        raise TypeError("scarlet.Session cannot be pickled: load the model and make a session in the other process")

    def _run(self, output: str, pictures: "Iterable[Picture]", options: "dict[str, Any]") -> NDArray[np.float32]:
        if output != self.output:
            raise ArgumentError(f"the session's output is {self.output}: make one with output={output!r}")
        if isinstance(pictures, (str, os.PathLike, bytes, bytearray, memoryview, Image)) or hasattr(pictures, "read"):
            raise ArgumentError(f"pictures is a {type(pictures).__name__}; expected a list of pictures, also of one")
        waiting = iter(pictures)
        rows: List[NDArray[np.float32]] = []
        batch = np.empty((self.batch_max, *self.input_shape), np.float32)
        while True:
            count = 0
            for picture in itertools.islice(waiting, self.batch_max):
                self.preprocess(picture, batch[count], **options)
                count += 1
            if count == 0:
                return np.concatenate(rows) if rows else np.empty((0, self.output_length), np.float32)
            rows.append(self.infer(batch[:count]))

    def _infer(self, batch: NDArray[np.float32], rows: NDArray[np.float32]) -> None:
        _library.call("scarlet_infer", self._use(), floats(batch), batch.size, len(batch), floats(rows),
                      rows.size)

    def _picture_options(self, options: "dict[str, Any]") -> Options:
        """What scarlet_classify applies: explicit, else the model's metadata, else the defaults for the input size."""
        side, settings = self.input_size, Options({}, (), self.model.picture_options())
        own = {"layout": int(self.nhwc), "crop": side}
        if settings.get("resize"):
            own["resize"] = max(1, settings.get("resize") * side // self.model.input_size)
        settings = Options(own, ("layout", "crop", "resize"), settings.handle)
        settings = Options(options, names(PICTURE), settings.handle)
        if 0 < settings.get("resize") < side:
            raise ArgumentError(f"option resize: {settings.get('resize')} is less than the input size {side}")
        return settings

    def _use(self) -> Handle:
        if self._handle is None:
            raise ArgumentError("the session is closed")
        return self._handle

    def _get(self, what: Info) -> int:
        return int(library().scarlet_session_get(self._use(), what))
