"""The circuit: op-amps, resistors, capacitors and sources, each with its origin in the graph."""

from .draft import Draft
from .ir import GROUND, PRIMITIVES, Circuit, Device, Origin, Primitive, Probe

__all__ = ["GROUND", "PRIMITIVES", "Circuit", "Device", "Draft", "Origin", "Primitive", "Probe"]
