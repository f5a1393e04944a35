"""The tolerances that a board has where nothing else is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..board.design import Board
from ..circuit import Circuit
from ..parts import MacroModel, OpAmp, Transistor
from ..parts.data_sheet import find_data_sheet, shipped_names
from ..tolerance.distributions import Distribution, MinTypMax, Normal
from ..tolerance.tolerances import Tolerances

# Figures that change what a board does; those that no simulation shows (limits of the supply) are left out.
DRAWN = ("gain", "gain_bandwidth", "slew_rate", "supply_current", "bias_current")
PAIR_MATCHING = 0.01 / 3.0  # of saturation currents: 0.26 mV between bases at 3 sigma, as matched pairs have


def usual_tolerances(board: Board, *, resistors: Any = 0.01, capacitors: Any = 0.05) -> Tolerances:
    """Return resistors of 1% and capacitors of 5%, uniform, and op-amps between the figures of their data sheet.

    Offsets are normal about 0 with the sheet's maximum at 3 sigma: the sheet's typical offset is a size without sign,
    and no nominal board has it. Gain, bandwidth, slew rate, supply current and bias current are MinTypMax, where the
    sheet has an end for them. Transistors match to 1% at 3 sigma. An op-amp without a sheet keeps its figures, and its
    offset is three times the model's at 3 sigma.
    """
    model = board.model
    figures: dict[str, Distribution] = {}
    most = 3.0 * abs(model.offset)
    if model.name.lower() in map(str.lower, shipped_names()):
        sheet = find_data_sheet(model.name)
        for name in DRAWN:
            figure = sheet.figures.get(name)
            if figure is not None and (figure.minimum is not None or figure.maximum is not None):
                figures[name] = MinTypMax(
                    minimum=figure.minimum, typical=figure.typical, maximum=figure.maximum, unit=""
                )
        offset = sheet.figures["offset"]
        most = abs(offset.maximum if offset.maximum is not None else 3.0 * offset.typical)
    pairs = any(isinstance(d.part, Transistor) for d in board.circuit.devices)
    return Tolerances(
        resistors=resistors,
        capacitors=capacitors,
        offset=Normal(tolerance=most, unit="V") if most > 0.0 else 0.0,
        matching=PAIR_MATCHING if pairs else 0.0,
        op_amps=figures,
    )


def without_offsets(circuit: Circuit) -> Circuit:
    """Return the circuit with op-amps without offset, about which drawn ones vary."""

    def cleared(part: OpAmp) -> OpAmp:
        model = part.model
        return replace(part, offset=0.0, model=replace(model, offset=0.0) if isinstance(model, MacroModel) else model)

    devices = tuple(d._replace(part=cleared(d.part)) if isinstance(d.part, OpAmp) else d for d in circuit.devices)
    return replace(circuit, devices=devices)
