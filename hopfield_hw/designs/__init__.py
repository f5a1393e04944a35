"""Worked designs: networks, how they are run, what their answers must be, and how they leave as decks."""

from .design import Design, load_design, shipped_designs

__all__ = ["Design", "load_design", "shipped_designs"]
