"""Cells at work: small trained networks, their weights and data, and beside them the scripts that trained them."""

from .forecaster import Forecaster, Scale
from .mackey_glass import mackey_glass, mackey_glass_series

__all__ = ["Forecaster", "Scale", "mackey_glass", "mackey_glass_series"]
