"""Networks: weights, capacitances, resistances and gain curves, and their files."""

from .network import Network

__all__ = ["Network"]
