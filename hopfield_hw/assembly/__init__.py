"""A circuit as what a board carries: components with references and pins, connectors, test points."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
