from .clocking import free_running, held, stepped
from .delays import delayed, delayed_by_edge, distributed, neutral
from .rescale import rescaled
from .si import in_si
from .table import DELAYS

__all__ = [
    "DELAYS",
    "delayed",
    "delayed_by_edge",
    "distributed",
    "free_running",
    "held",
    "in_si",
    "neutral",
    "rescaled",
    "stepped",
]
