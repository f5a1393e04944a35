"""Amplifiers: how a gain curve is made of parts. The table AMPLIFIERS names them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
