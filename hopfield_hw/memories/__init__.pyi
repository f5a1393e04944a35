from .capacity import RecallCurve, measure_basins, measure_capacity
from .dense import Dense, SoftmaxMemory
from .recall import Recalled, Recollection, recall

__all__ = [
    "Dense",
    "RecallCurve",
    "Recalled",
    "Recollection",
    "SoftmaxMemory",
    "measure_basins",
    "measure_capacity",
    "recall",
]
