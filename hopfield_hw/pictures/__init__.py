"""Pictures: verifications on one page, waveforms, schematics, portraits of dynamics, bifurcations, and solutions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
