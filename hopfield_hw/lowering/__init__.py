"""Lowering: a graph is covered with the patterns of a cell, and becomes a circuit."""

from .cover import find_cell, lower

__all__ = ["find_cell", "lower"]
