"""What `scarlet/scarlet.h` declares, for ctypes: structs, numbers and prototypes.

A test reads the header with a compiler and compares: nothing here may differ from it.
"""

from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_float, c_int32, c_int64, c_size_t, c_uint32,
                    c_void_p, sizeof)
from enum import IntEnum
from typing import Any, Dict, Tuple


class ErrorStruct(Structure):
    """scarlet_error: 256 bytes for ever."""

    _fields_ = [("status", c_int32), ("detail", c_int32), ("message", c_char * 248)]


class PredictionStruct(Structure):
    """scarlet_prediction: 8 bytes for ever."""

    _fields_ = [("class_id", c_int32), ("score", c_float)]


assert sizeof(ErrorStruct) == 256 and sizeof(PredictionStruct) == 8


class Info(IntEnum):
    """scarlet_info: numbers that describe models, layers and sessions."""

    CLASSES = 1
    INPUT_SIZE = 2
    FEATURES = 3
    LAYERS = 4
    PARAMETERS = 5
    MACS = 6
    BYTES = 7
    FILE_KIND = 8
    TOTAL_STRIDE = 9
    KIND = 20
    CHANNELS_IN = 21
    CHANNELS_OUT = 22
    KERNEL = 23
    STRIDE = 24
    EXPANSION = 25
    SE = 26
    RESIDUAL = 27
    PRECISION = 40
    ENGINE = 41
    ISA = 42
    THREADS = 43
    BATCH_MAX = 44
    OUTPUT_LENGTH = 45


class Pixels(IntEnum):
    """scarlet_pixels: the layout of a wrapped picture's pixels."""

    RGB = 0
    BGR = 1
    RGBA = 2
    BGRA = 3
    GRAY = 4
    NV12 = 5
    NV21 = 6
    I420 = 7


class Layout(IntEnum):
    """SCARLET_LAYOUT_*: the order of a network's input values."""

    NCHW = 0
    NHWC = 1


class Output(IntEnum):
    """SCARLET_OUTPUT_*: what an inference returns."""

    SCORES = 0
    FEATURES = 1


class File(IntEnum):
    """SCARLET_FILE_*: the kind of file a model came from."""

    LEGACY = 1
    ZIP = 2
    SAFETENSORS = 3


class LayerKind(IntEnum):
    """SCARLET_LAYER_*: the kind of a layer."""

    STEM = 1
    SEPARABLE = 2
    BLOCK = 3
    IDENTITY = 4
    TAIL = 5
    CLASSIFIER = 6


FILTER_BILINEAR = 0

Release = CFUNCTYPE(None, c_void_p, c_void_p)
Log = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
Trace = CFUNCTYPE(None, c_void_p, c_size_t, c_size_t, c_char_p, POINTER(c_int64), POINTER(c_float), c_int64)

# A handle, where a handle is returned through a pointer, and where an error is described.
_handle, _out, _err = c_void_p, POINTER(c_void_p), POINTER(ErrorStruct)
_text, _data, _floats = c_char_p, c_void_p, POINTER(c_float)
_status = _enum = c_int32

FUNCTIONS: Dict[str, Tuple[Any, ...]] = {  # name: (result, *arguments)
    "scarlet_version": (c_uint32,),
    "scarlet_version_string": (_text,),
    "scarlet_build_info": (_text,),
    "scarlet_cpu_count": (c_int32,),
    "scarlet_status_string": (_text, _status),

    "scarlet_model_load": (_status, _text, _handle, _out, _err),
    "scarlet_model_load_memory": (_status, _data, c_size_t, _handle, _out, _err),
    "scarlet_model_free": (None, _handle),
    "scarlet_session_create": (_status, _handle, _handle, _out, _err),
    "scarlet_session_free": (None, _handle),
    "scarlet_image_load": (_status, _text, _handle, _out, _err),
    "scarlet_image_free": (None, _handle),
    "scarlet_classify": (_status, _handle, _handle, _handle, c_size_t, POINTER(PredictionStruct), POINTER(c_size_t),
                         _err),
    "scarlet_model_label": (_text, _handle, c_int32),

    "scarlet_image_decode": (_status, _data, c_size_t, _handle, _out, _err),
    "scarlet_image_wrap": (_status, _data, c_uint32, c_uint32, c_size_t, _enum, Release, c_void_p, _out, _err),
    "scarlet_image_wrap_planes": (_status, POINTER(c_void_p), POINTER(c_size_t), c_size_t, c_uint32, c_uint32, _enum,
                                  Release, c_void_p, _out, _err),
    "scarlet_image_kind": (_text, _data, c_size_t),
    "scarlet_image_probe": (_status, _data, c_size_t, POINTER(c_uint32), POINTER(c_uint32), _err),
    "scarlet_image_pixels": (_data, _handle, POINTER(c_uint32), POINTER(c_uint32), POINTER(c_size_t), POINTER(_enum)),
    "scarlet_image_resize": (_status, _handle, c_uint32, c_uint32, _enum, _out, _err),
    "scarlet_preprocess": (_status, _handle, _handle, _floats, c_size_t, _err),
    "scarlet_session_input": (_floats, _handle, POINTER(c_size_t)),
    "scarlet_infer": (_status, _handle, _floats, c_size_t, c_size_t, _floats, c_size_t, _err),
    "scarlet_softmax": (None, _floats, c_size_t, _floats),
    "scarlet_topk": (c_size_t, _floats, c_size_t, c_size_t, POINTER(PredictionStruct)),
    "scarlet_labels_load": (_status, _text, _out, _err),
    "scarlet_labels_builtin": (_status, _text, _out, _err),
    "scarlet_labels_free": (None, _handle),
    "scarlet_labels_get": (_text, _handle, c_int32),
    "scarlet_labels_count": (c_size_t, _handle),

    "scarlet_options_create": (_handle,),
    "scarlet_options_free": (None, _handle),
    "scarlet_options_set": (_status, _handle, _enum, c_int64, _err),
    "scarlet_options_get": (_status, _handle, _enum, POINTER(c_int64), _err),
    "scarlet_options_parse": (_status, _handle, _text, _err),
    "scarlet_options_set_normalization": (_status, _handle, _floats, _floats, _err),
    "scarlet_options_set_log": (_status, _handle, Log, c_void_p, c_int32),
    "scarlet_option_describe": (_status, c_size_t, POINTER(_enum), POINTER(_text), POINTER(c_int64), POINTER(c_int64),
                                POINTER(c_int64), POINTER(_text)),
    "scarlet_option_value_name": (_text, _enum, c_int64),
    "scarlet_model_name": (_text, _handle),
    "scarlet_model_genotype": (_text, _handle),
    "scarlet_model_get": (c_int64, _handle, _enum),
    "scarlet_model_layer_get": (c_int64, _handle, c_size_t, _enum),
    "scarlet_model_layer_name": (_text, _handle, c_size_t),
    "scarlet_model_metadata": (_text, _handle, _text),
    "scarlet_model_metadata_key": (_text, _handle, c_size_t),
    "scarlet_model_weights_key": (_text, _handle),
    "scarlet_model_options": (_status, _handle, _out, _err),
    "scarlet_convert": (_status, _text, _text, _handle, _handle, _err),
    "scarlet_session_get": (c_int64, _handle, _enum),
}

EXPERIMENTAL: Dict[str, Tuple[Any, ...]] = {  # may be absent from a library
    "scarlet_session_layer_macs": (c_int64, _handle, c_size_t),
    "scarlet_session_peak": (c_int64, _handle),
    "scarlet_session_set_trace": (_status, _handle, Trace, c_void_p, _err),
}
