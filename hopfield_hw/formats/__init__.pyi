from .gain_curve import read_gain_curve
from .onnx import Model, Step, from_onnx, to_onnx
from .torch import from_torch, to_torch

__all__ = ["Model", "Step", "from_onnx", "from_torch", "read_gain_curve", "to_onnx", "to_torch"]
