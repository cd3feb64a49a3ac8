"""int8 models with ONNX Runtime's own tools; run by int8.sh where they are installed.

    quantize.py MODELS [LETTERS]

From L.operators.bN.onnx and calibration.f32 (pictures) makes L.int8.bN.onnx: quantized statically,
weights int8 a channel, activations uint8 between their smallest and largest value.
"""

import sys
from pathlib import Path

import onnx.reference  # before onnxruntime: Debian's share a registry that clashes otherwise
import numpy as np
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

SIDE = 224


class Pictures(CalibrationDataReader):
    def __init__(self, pictures, batch):
        self.batches = iter([pictures[i:i + batch] for i in range(0, len(pictures), batch)])

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"input": batch}


def main():
    models = Path(sys.argv[1])
    letters = sys.argv[2] if len(sys.argv) > 2 else "ABC"
    pictures = np.fromfile(models / "calibration.f32", np.float32).reshape(-1, 3, SIDE, SIDE)
    prepared = models / "prepared.onnx"
    for letter in letters:
        for source in sorted(models.glob(f"{letter}.operators.b*.onnx")):
            batch = onnx.load(source).graph.input[0].type.tensor_type.shape.dim[0].dim_value
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantize_static(str(prepared), str(models / f"{letter}.int8.b{batch}.onnx"),
                            Pictures(pictures, batch), quant_format=QuantFormat.QDQ,
                            per_channel=True, activation_type=QuantType.QUInt8,
                            weight_type=QuantType.QInt8,
                            calibrate_method=CalibrationMethod.MinMax)
            prepared.unlink()
            print(f"SCARLET-{letter}, batch {batch}: quantized", flush=True)


if __name__ == "__main__":
    main()
