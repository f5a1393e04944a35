"""Transforms: a network in, another one out: delayed, clocked, in SI units, rescaled."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
