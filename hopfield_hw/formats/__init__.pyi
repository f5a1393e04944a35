from .onnx import Model, Step, from_onnx, to_onnx
from .torch import from_torch, to_torch

__all__ = ["Model", "Step", "from_onnx", "from_torch", "to_onnx", "to_torch"]
