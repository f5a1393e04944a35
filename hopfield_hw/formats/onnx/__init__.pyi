from .export import to_onnx
from .model import Model, from_onnx
from .step import Step

__all__ = ["Model", "Step", "from_onnx", "to_onnx"]
