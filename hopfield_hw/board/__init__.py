"""The way to a real board: what parts that are not exact do to a circuit."""

from .tolerance import Spread, sample

__all__ = ["Spread", "sample"]
