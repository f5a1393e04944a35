"""Roles: what of an operator a device realises."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a device does for its operator; its text is how an origin is written: `syn.weights[3, 7]`."""

    # Values of the graph.
    WEIGHT = "weights"
    BIAS = "bias"
    CAPACITANCE = "capacitance"
    RESISTANCE = "resistance"
    FUNCTION = "function"
    PRODUCT = "product"
    CONVERTER = "converter"
    COMPARATOR = "comparator"
    INPUT = "input"
    # What adds up and passes on.
    EDGE = "edge"
    SUM = "sum"
    TOTAL = "total"
    EXPONENTIAL = "exponential"
    BUFFER = "buffer"
    FOLLOWER = "follower"
    FEEDBACK = "feedback"
    OP_AMP = "op_amp"
    OFFSET = "offset"
    # The complement of a rail.
    INVERTER = "inverter"
    INVERTER_IN = "inverter_in"
    INVERTER_FEEDBACK = "inverter_feedback"
    # A line that all neurons share.
    COMMON = "common"
    COMMON_LINE = "common_line"
    # Amplifiers and multipliers in parts.
    CLAMP = "clamp"
    PAIR = "pair"
    TAIL = "tail"
    TAIL_RESISTANCE = "tail_resistance"
    TAIL_LINE = "tail_line"
    BALANCE = "balance"
    SWING = "swing"
    DRIVE_IN = "drive_in"
    DRIVE_FEEDBACK = "drive_feedback"
    LOAD = "load"
    GAIN_IN = "gain_in"
    GAIN_FEEDBACK = "gain_feedback"
    LEVEL = "level"
    MULTIPLIER = "multiplier"
    DIVIDER_TOP = "divider_top"
    DIVIDER_TAP = "divider_tap"
    # Delays.
    LINE = "line"
    INTERPOLATION = "interpolation"
    TAU = "tau"
    STAGE = "stage"
    # Clocked states.
    MASTER = "master"
    SLAVE = "slave"
    CLOCK = "clock"
    SUPPLY = "supply"
    REFERENCE = "reference"
    # What a board has beside its network.
    COMPENSATION = "compensation"
    DECOUPLING = "decoupling"
    PRESET = "preset"
