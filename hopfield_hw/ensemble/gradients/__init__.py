"""How what a run finds changes with every value of every part."""

from .gradients import find_gradients

__all__ = ["find_gradients"]
