"""Worked designs: networks, how they are run, what their answers must be, and how they leave as decks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
