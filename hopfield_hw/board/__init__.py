"""The way to a real board: what parts that are not exact do to a circuit."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
