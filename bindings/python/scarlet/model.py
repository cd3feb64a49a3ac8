"""Models: a checkpoint, loaded once, shared by any number of threads."""

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, List, NamedTuple, Optional, Tuple, Union

from . import _library
from ._abi import File, Info, LayerKind
from ._library import Handle, PathName, Shared, library, text
from .arrays import contents, raw
from .errors import ArgumentError
from .labels import Labels
from .options import MODEL, Options, names, table, value_name

if TYPE_CHECKING:
    from .session import Session


class Layer(NamedTuple):
    """A row of a model's layer table."""

    name: str
    kind: str
    channels_in: int
    channels_out: int
    kernel: int
    stride: int
    expansion: int
    se: int
    residual: bool
    macs: int
    parameters: int
    precision: str


class Model(Shared):
    """A network with its weights, immutable: any number of threads may use it.

    `source` is the path of a checkpoint, its bytes, or a file opened for reading bytes: a PyTorch file (legacy or
    zip, `{"model_state": ...}` or a bare state dict) or safetensors. Options: precision, engine, isa_max, max_bytes.

        with scarlet.Model("model.safetensors") as model, model.session() as session:
            print(session.classify("picture.jpg", k=3))
    """

    def __init__(self, source: Union[PathName, bytes, bytearray, memoryview, BinaryIO], **options: Any) -> None:
        settings = Options(options, names(MODEL))
        if isinstance(source, (str, os.PathLike)):
            made = _library.create("scarlet_model_load", _library.path(source), settings.handle,
                                   free="scarlet_model_free")
        else:
            data, size = raw(contents(source))
            made = _library.create("scarlet_model_load_memory", data.ctypes.data, size, settings.handle,
                                   free="scarlet_model_free")
        self._handle: Optional[Handle] = made

    def session(self, **options: Any) -> "Session":
        """What runs the model; one a thread. Options: those of Session."""
        from .session import Session
        return Session(self, **options)

    @property
    def name(self) -> str:
        """"SCARLET-A", "SCARLET-B", "SCARLET-C" or "custom"."""
        return text(library().scarlet_model_name(self._use())) or ""

    @property
    def genotype(self) -> str:
        """One item a searched layer: "e3k7", "e6k5se" or "id"."""
        return text(library().scarlet_model_genotype(self._use())) or ""

    @property
    def classes(self) -> int:
        return self._get(Info.CLASSES)

    @property
    def input_size(self) -> int:
        """Side of the pictures the model is for, pixels; sessions may choose another."""
        return self._get(Info.INPUT_SIZE)

    @property
    def total_stride(self) -> int:
        return self._get(Info.TOTAL_STRIDE)

    @property
    def feature_length(self) -> int:
        """Width of the vector before the classifier."""
        return self._get(Info.FEATURES)

    @property
    def parameters(self) -> int:
        """Learned values."""
        return self._get(Info.PARAMETERS)

    @property
    def macs(self) -> int:
        """Multiply-adds a picture at the input size."""
        return self._get(Info.MACS)

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self._get(Info.BYTES)

    @property
    def file_kind(self) -> str:
        """"legacy", "zip" or "safetensors"."""
        return File(self._get(Info.FILE_KIND)).name.lower()

    @property
    def precision(self) -> str:
        return named("precision", self._get(Info.PRECISION))

    @property
    def engine(self) -> str:
        return named("engine", self._get(Info.ENGINE))

    @property
    def isa(self) -> str:
        """Instruction set of the library's own kernels."""
        return named("isa_max", self._get(Info.ISA))

    @property
    def layers(self) -> List[Layer]:
        """Every layer, from the input to the classifier."""
        return [self._layer(i) for i in range(self._get(Info.LAYERS))]

    def label(self, class_id: int) -> Optional[str]:
        """Name of a class from the file's metadata, or ImageNet's for a file like the released ones; None if it has none."""
        return text(library().scarlet_model_label(self._use(), class_id))

    @property
    def labels(self) -> Optional[List[str]]:
        """Names of all classes, as `label` gives them; None if they have none."""
        labels = [self.label(i) for i in range(self.classes)]
        return [label for label in labels if label is not None] if labels and labels[0] is not None else None

    @property
    def weights_key(self) -> Optional[str]:
        """Key of a PyTorch file under which the weights were ("" for the whole file); None for safetensors."""
        return text(library().scarlet_model_weights_key(self._use()))

    @property
    def metadata(self) -> Dict[str, str]:
        """Metadata of a safetensors file."""
        model = self._use()
        found: Dict[str, str] = {}
        while True:
            key = library().scarlet_model_metadata_key(model, len(found))
            if key is None:
                return found
            found[key.decode()] = text(library().scarlet_model_metadata(model, key)) or ""

    def close(self) -> None:
        """Gives the model up. Its sessions may outlive it."""
        self._handle = None

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<scarlet.Model {self.name}, {self.classes} classes>" if self._handle else "<scarlet.Model, closed>"

    def picture_options(self) -> Handle:
        """The library's options object with what the file asks of pictures."""
        return _library.create("scarlet_model_options", self._use(), free="scarlet_options_free")

    def _use(self) -> Handle:
        if self._handle is None:
            raise ArgumentError("the model is closed")
        return self._handle

    def _get(self, what: Info) -> int:
        return int(library().scarlet_model_get(self._use(), what))

    def _layer(self, index: int) -> Layer:
        model = self._use()

        def get(what: Info) -> int:
            return int(library().scarlet_model_layer_get(model, index, what))

        return Layer(text(library().scarlet_model_layer_name(model, index)) or "",
                     LayerKind(get(Info.KIND)).name.lower(), get(Info.CHANNELS_IN), get(Info.CHANNELS_OUT),
                     get(Info.KERNEL), get(Info.STRIDE), get(Info.EXPANSION), get(Info.SE),
                     bool(get(Info.RESIDUAL)), get(Info.MACS), get(Info.PARAMETERS),
                     named("precision", get(Info.PRECISION)))


def named(option: str, value: int) -> str:
    """The name of an option's value."""
    return value_name(table()[option].key, value) or str(value)


CONVERSION: Tuple[str, ...] = ("input_size", "resize", "mean", "std")


def convert(source: PathName, target: PathName, labels: Optional[Labels] = None, **options: Any) -> None:
    """Rewrites any checkpoint as a safetensors file, a complete classifier.

    Options: storage ("f16" halves the file), max_bytes, and what the file's metadata shall say: input_size, resize,
    mean, std.
    """
    settings = Options(options, names(MODEL) + CONVERSION)
    _library.call("scarlet_convert", _library.path(source), _library.path(target),
                  labels._handle if labels is not None else None, settings.handle)
