"""Values that are not exact: distributions, draws, worst case, sensitivities, yields, least cost, centering."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
