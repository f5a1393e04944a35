"""Cells at work: small trained networks, their weights and data, and beside them the scripts that trained them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
