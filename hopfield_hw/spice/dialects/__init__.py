"""Dialects: a circuit as text. The table DIALECTS names them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
