"""Cellular neural networks: a cell for each pixel, templates, and images in and out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
