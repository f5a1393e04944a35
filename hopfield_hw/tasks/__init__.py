"""What trained networks do, on any machine that steps: forecast, detect anomalies, write, and evaluate trees."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
