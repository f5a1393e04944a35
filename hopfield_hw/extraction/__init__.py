"""The network that a circuit or a measurement implements, and how it differs from the one that was intended."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
