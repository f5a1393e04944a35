"""Imperfections of a board, each by itself: which figures of its op-amps it is, and a board with some of them alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ...cells.inverting_integrator import InvertingIntegrator
from ...circuit import Circuit, Device, Role
from ...lowering import lower
from ...parts import Diode, MacroModel, OpAmp
from ...values.errors import InputError
from ...values.names import unknown

if TYPE_CHECKING:
    from ..design import Board


class Imperfection(NamedTuple):
    """What it is in words, the figures of `MacroModel` that it is, and the imperfections that it works through.

    A second pole, a slew rate and an output resistance do nothing in an amplifier of endless bandwidth: they are
    measured in one of the true bandwidth, less what that alone does.
    """

    what: str
    figures: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


LIMITS = ("headroom_plus", "headroom_minus", "headroom_plus_resistance", "headroom_minus_resistance")
CURRENTS = ("source_current", "sink_current")
OF_OP_AMPS: Mapping[str, Imperfection] = MappingProxyType(
    {
        "offset": Imperfection("offset voltage", ("offset",)),
        "bias_current": Imperfection("bias current", ("bias_current", "offset_current")),
        "gain": Imperfection("open-loop gain", ("gain",)),
        "rejection": Imperfection("common-mode and supply rejection", ("common_mode_rejection", "supply_rejection")),
        "gain_bandwidth": Imperfection("gain-bandwidth product", ("gain_bandwidth",)),
        "second_pole": Imperfection("second pole", ("phase_margin",), ("gain_bandwidth",)),
        "slew_rate": Imperfection("slew rate", ("slew_rate",), ("gain_bandwidth",)),
        "output_resistance": Imperfection("output resistance", ("output_resistance",), ("gain_bandwidth",)),
        "swing": Imperfection("swing and current limit", (*LIMITS, *CURRENTS), ("gain_bandwidth", "output_resistance")),
        "input_impedance": Imperfection(
            "input capacitance and resistance",
            ("input_capacitance", "differential_capacitance", "input_resistance"),
            ("gain_bandwidth",),
        ),
    }
)
OF_PARTS: Mapping[str, Imperfection] = MappingProxyType(
    {
        "rounding": Imperfection("rounding of parts"),
        "curve": Imperfection("curve of the amplifiers"),
        "compensation": Imperfection("capacitors for stability"),
    }
)
# What a board of nominal parts at 27 degrees Celsius has, and what comes to it.
NOMINAL: Mapping[str, Imperfection] = MappingProxyType({**OF_PARTS, **OF_OP_AMPS})
BESIDE: Mapping[str, Imperfection] = MappingProxyType(
    {"tolerance": Imperfection("tolerance of parts"), "temperature": Imperfection("temperature")}
)
IMPERFECTIONS: Mapping[str, Imperfection] = MappingProxyType({**NOMINAL, **BESIDE})
# Of an op-amp whose loop a diode opens: what it does in open loop is the amplifier's curve.
OPEN_LOOP = ("gain_bandwidth", "phase_margin", "slew_rate", "output_resistance", *LIMITS, *CURRENTS)


def check_names(names: Collection[str], known: Mapping[str, Imperfection], where: str) -> tuple[str, ...]:
    """Return names of imperfections in the order of the table. Raises InputError for one that is not in it."""
    for name in names:
        if name not in known:
            raise InputError(f"`{where}`: {unknown('imperfection', str(name), known)}")
    return tuple(name for name in known if name in names)


def switch_on(circuit: Circuit, names: Collection[str]) -> Circuit:
    """Return a circuit whose op-amps have these imperfections alone, of OF_OP_AMPS; with none they are ideal.

    Op-amps whose loop a diode opens keep their bandwidth and limits, without which they would give no voltage.
    """
    figures = {figure for name in names if name in OF_OP_AMPS for figure in OF_OP_AMPS[name].figures}
    opened = {node for device in circuit.devices if isinstance(device.part, Diode) for node in device.nodes}

    def change(device: Device) -> Device:
        part = device.part
        if not isinstance(part, OpAmp) or not isinstance(part.model, MacroModel):
            return device
        kept = figures | (set(OPEN_LOOP) if device.nodes[2] in opened else set())
        if not {"gain_bandwidth", "output_resistance"} <= kept:
            kept -= set(CURRENTS)
        model = part.model.only(*sorted(kept))
        return device._replace(part=replace(part, model=model, offset=part.offset if "offset" in names else 0.0))

    return replace(circuit, devices=tuple(change(device) for device in circuit.devices))


def circuit_with(board: Board, names: Collection[str]) -> Circuit:
    """Return the circuit of a board with these imperfections alone, of NOMINAL.

    Without "curve" its amplifiers are exact; without "rounding" its parts have the values that were asked for; without
    "compensation", and without one of the others, it has no capacitors for stability.
    """
    if "curve" in names and "rounding" in names:
        return switch_on(board.circuit if "compensation" in names else uncompensated(board.circuit), names)
    network = board.realised if "rounding" in names else board.scaled
    reference = _reference(board.circuit)
    cell = InvertingIntegrator(
        op_amp=board.op_amp, amplifier=board.amplifier if "curve" in names else "exact", reference=reference
    )
    return switch_on(lower(network.graph(), cell=cell, title=board.title), names)


def uncompensated(circuit: Circuit) -> Circuit:
    """Return a circuit without its capacitors for stability."""
    return replace(circuit, devices=tuple(d for d in circuit.devices if d.origin.role is not Role.COMPENSATION))


def _reference(circuit: Circuit) -> float:
    from ..realised import reference_volts

    try:
        return abs(reference_volts(circuit, "reference_p"))
    except InputError:
        return 10.0  # the circuit has none, so that it does not matter
