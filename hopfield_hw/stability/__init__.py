"""Stability: certificates of networks with delay, exact limits, and what amplifier poles leave of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
