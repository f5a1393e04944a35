"""Problems: functions that return the network that solves one. The table PROBLEMS names them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
