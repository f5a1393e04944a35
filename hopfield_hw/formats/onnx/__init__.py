"""ONNX: models as layers of recurrent cells with the nodes around them, and layers as models."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
