from .agreement import Agreement
from .devices import FlatDeck, FlatDevice
from .entry import extract
from .extraction import Extraction
from .findings import Deviation, Differences, Finding
from .flatten import flatten

__all__ = [
    "Agreement",
    "Deviation",
    "Differences",
    "Extraction",
    "Finding",
    "FlatDeck",
    "FlatDevice",
    "extract",
    "flatten",
]
