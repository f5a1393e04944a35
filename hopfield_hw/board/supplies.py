"""A board as it is on other supplies: the same parts, with the op-amps, the sources and the checks of those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..circuit import Device
from ..parts import MacroModel, OpAmp, VoltageSource
from ..parts.figures import SUPPLIES, check_supplies
from ..processes import TIMEOUT
from ..values.errors import Unrealisable
from .checklist import check_board, rounding_error
from .checks import check_supply
from .design import Board
from .realised import reference_volts


def on_supplies(board: Board, upper: float, lower: float) -> Board:
    """Return a board with its rails at other voltages, volts; its references stay what they are.

    Its checks are those of the new rails; what it fails is said there. Raises InputError for rails that are none, and
    Unrealisable for those that its op-amps do not work from.
    """
    upper, lower = check_supplies((upper, lower))
    model = board.model.on(upper, lower)
    supply = check_supply(model)
    if not supply.passed:
        raise Unrealisable(f"on_supplies: {supply}")
    volts = dict(zip(SUPPLIES, (upper, lower), strict=True))

    def change(device: Device) -> Device:
        part = device.part
        if isinstance(part, OpAmp) and isinstance(part.model, MacroModel):
            return device._replace(part=replace(part, model=part.model.on(upper, lower)))
        if isinstance(part, VoltageSource) and device.nodes[0] in volts:
            return device._replace(part=replace(part, voltage=float(volts[device.nodes[0]])))
        return device

    circuit = replace(board.circuit, devices=tuple(change(device) for device in board.circuit.devices))
    return replace(
        board,
        circuit=circuit,
        op_amp=replace(board.op_amp, model=model),
        checks=check_board(
            circuit,
            model,
            scaled=board.scaled,
            error=rounding_error(board.scaled, board.realised, board.rounding),
            reached=(board.reached, board.bounds.output * board.scaling.output),
            run=(board.t_stop, board.inputs),
            limits=board.limits,
            reference=_reference(board),
            timeout=TIMEOUT,
        ),
    )


def _reference(board: Board) -> float | None:
    """Return the voltage of the biases; None where weights are not of resistors of a series."""
    if board.rounding is not None:
        return None
    return reference_volts(board.circuit, "reference_p") if np.any(board.scaled.bias) else 1.0
