"""A network as a board that can be built: scales, parts, checks, its equation, its error budget."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
