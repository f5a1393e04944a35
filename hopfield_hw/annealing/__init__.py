"""Annealing: models of least energy, dynamics with schedules that look for it, and a sampler for dimod's models."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
