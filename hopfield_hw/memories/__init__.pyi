from .capacity import RecallCurve, measure_basins, measure_capacity
from .recall import Recalled, Recollection, recall

__all__ = [
    "RecallCurve",
    "Recalled",
    "Recollection",
    "measure_basins",
    "measure_capacity",
    "recall",
]
