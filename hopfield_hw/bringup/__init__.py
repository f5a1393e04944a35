"""What the builder of a board measures, what it should be, and which part is at fault where it is not."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
