"""Pages: a board as one HTML file that works from a disk, and that runs its circuit again in the reader's browser."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
