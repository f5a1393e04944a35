from .tolerance import Spread, sample

__all__ = ["Spread", "sample"]
