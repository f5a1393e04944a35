"""The circuit: op-amps, resistors, capacitors and sources, each with its origin in the graph."""

from .circuit import GROUND, Circuit, Device, Origin, Probe, Settling
from .draft import Draft
from .primitives import PRIMITIVES, Line, Multiplier, Primitive, Pulse, Switch, Transistor

__all__ = [
    "GROUND",
    "PRIMITIVES",
    "Circuit",
    "Device",
    "Draft",
    "Line",
    "Multiplier",
    "Origin",
    "Primitive",
    "Probe",
    "Pulse",
    "Settling",
    "Switch",
    "Transistor",
]
