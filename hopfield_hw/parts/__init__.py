"""Parts: what circuits are made of. A new kind is one file and one line in KINDS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .behaviour import Behaviour
from .diode import BZX84C6V2, D1N4148, Diode
from .line import Line
from .macro_model import MacroModel
from .multiplier import AD633_TYPICAL, Multiplier
from .op_amp import OP_AMPS, IdealGain, OnePole, OpAmp, OpAmpModel, as_op_amp
from .ota import LM13700, OTA
from .part import Part
from .passive import Capacitor, Resistor
from .sources import CurrentSource, Pulse, Transconductance, VoltageGain, VoltageSource
from .subcircuit import Subcircuit
from .switch import Switch
from .transconductor import Transconductor
from .transistor import SSM2212, Transistor

KINDS: Mapping[str, type[Part]] = MappingProxyType(
    {
        "resistor": Resistor,
        "capacitor": Capacitor,
        "diode": Diode,
        "transistor": Transistor,
        "op_amp": OpAmp,
        "ota": OTA,
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
    "BZX84C6V2",
    "D1N4148",
    "KINDS",
    "LM13700",
    "OP_AMPS",
    "OTA",
    "SSM2212",
    "Behaviour",
    "Capacitor",
    "CurrentSource",
    "Diode",
    "IdealGain",
    "Line",
    "MacroModel",
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
