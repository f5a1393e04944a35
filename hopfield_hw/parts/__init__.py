"""Parts: what circuits are made of. A new kind is one file and one line in KINDS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .behaviour import Behaviour
from .line import Line
from .multiplier import AD633_TYPICAL, Multiplier
from .op_amp import OP_AMPS, IdealGain, OnePole, OpAmp, OpAmpModel, as_op_amp
from .part import Part
from .passive import Capacitor, Resistor
from .sources import CurrentSource, Pulse, Transconductance, VoltageGain, VoltageSource
from .subcircuit import Subcircuit
from .switch import Switch
from .transconductor import Transconductor
from .transistor import Transistor

KINDS: Mapping[str, type[Part]] = MappingProxyType(
    {
        "resistor": Resistor,
        "capacitor": Capacitor,
        "transistor": Transistor,
        "op_amp": OpAmp,
        "transconductor": Transconductor,
        "multiplier": Multiplier,
        "switch": Switch,
        "line": Line,
        "voltage_source": VoltageSource,
        "current_source": CurrentSource,
        "voltage_gain": VoltageGain,
        "transconductance": Transconductance,
        "behaviour": Behaviour,
    }
)

__all__ = [
    "AD633_TYPICAL",
    "KINDS",
    "OP_AMPS",
    "Behaviour",
    "Capacitor",
    "CurrentSource",
    "IdealGain",
    "Line",
    "Multiplier",
    "OnePole",
    "OpAmp",
    "OpAmpModel",
    "Part",
    "Pulse",
    "Resistor",
    "Subcircuit",
    "Switch",
    "Transconductance",
    "Transconductor",
    "Transistor",
    "VoltageGain",
    "VoltageSource",
    "as_op_amp",
]
