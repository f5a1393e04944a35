"""Memories: how much they hold, from how far they recall, and recall on every machine."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
