from .agreement import Agreement
from .by_name import DeviceChanges, compare_devices
from .clocked_extraction import ClockedExtraction
from .devices import FlatDeck, FlatDevice
from .differences import compare
from .entry import extract
from .extraction import Extraction
from .families import FamilyFit
from .findings import Deviation, Differences, Finding
from .flatten import flatten
from .measurements import read_scope
from .recordings import Recording
from .waveforms import WaveformFit, fit_waveforms

__all__ = [
    "Agreement",
    "ClockedExtraction",
    "Deviation",
    "DeviceChanges",
    "Differences",
    "Extraction",
    "FamilyFit",
    "Finding",
    "FlatDeck",
    "FlatDevice",
    "Recording",
    "WaveformFit",
    "compare",
    "compare_devices",
    "extract",
    "fit_waveforms",
    "flatten",
    "read_scope",
]
