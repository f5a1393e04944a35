from .ad_converter import ad_converter
from .answers import Answer, Expected, Oscillation, Recall, Settled, Visited
from .cellular_image import cellular_image
from .complementarity import fathi, kojima_shindo, murty, tridiagonal
from .memory import Patterns, memory, read_patterns
from .table import PROBLEMS, build_problem

__all__ = [
    "PROBLEMS",
    "Answer",
    "Expected",
    "Oscillation",
    "Patterns",
    "Recall",
    "Settled",
    "Visited",
    "ad_converter",
    "build_problem",
    "cellular_image",
    "fathi",
    "kojima_shindo",
    "memory",
    "murty",
    "read_patterns",
    "tridiagonal",
]
