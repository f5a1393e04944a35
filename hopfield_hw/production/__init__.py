"""Boards as they are made: tasks, samples, Monte Carlo and its yield, faults of parts, how boards start."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
