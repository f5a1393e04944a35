"""The circuit: op-amps, resistors, capacitors and sources, each with its origin in the graph."""

from .blocks import Block
from .circuit import Circuit, Probe, Settling
from .device import GROUND, Device, Origin
from .draft import Draft
from .ensemble import Ensemble
from .roles import Role
from .sketch import Sketch, Stage

__all__ = [
    "GROUND",
    "Block",
    "Circuit",
    "Device",
    "Draft",
    "Ensemble",
    "Origin",
    "Probe",
    "Role",
    "Settling",
    "Sketch",
    "Stage",
]
