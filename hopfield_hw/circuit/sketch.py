"""Sketches: how the circuit of an element of an operator is drawn, as a row of standard stages."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Stage(Enum):
    """A stage of a schematic; its devices are those of the operator and the element in the roles given."""

    RC = auto()  # capacitance, and resistance if there is one, from the node to ground
    INTEGRATOR = auto()  # op_amp, with capacitance and resistance from its output to the virtual ground
    ADDER = auto()  # op_amp, with feedback from its output to the virtual ground
    SERIES_RC = auto()  # resistance from the stage before into the node, then capacitance, and a second resistance
    AMPLIFIER = auto()  # function: a behavioural source
    CLAMPED_OUTPUT = auto()  # function: transconductor, resistor and limiter, and the resistor of the clamp
    PAIR = auto()  # pair, tail, swing, offset and op_amp of a differential pair
    DRIVEN_PAIR = auto()  # the same with a tail of parts, and before it a divider, with a gain where there is one
    PARTS_AMPLIFIER = auto()  # any other amplifier of parts: its op-amps in a row
    FOLLOWER = auto()  # buffer: a follower
    SAMPLE_HOLD = auto()  # follower or op_amp, master, slave


class Sketch(NamedTuple):
    """What is drawn for an operator: stages from left to right, each with the operator whose devices it has.

    `inputs`: the operators whose devices lead into the first stage.
    """

    stages: tuple[tuple[Stage, str], ...]
    inputs: tuple[str, ...] = ()
