"""Families: functions that return the networks of the field. The tables in `tables.py` name them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
