"""Designs as boards: what a design.toml says of its board, and what is given in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..board.design import Board, design_board
from ..board.judgement import BoardVerification
from ..board.scaling import Limits
from ..bringup.bench import Start
from ..networks.network import Network
from ..problems import Recall, Settled
from ..production.tasks import Pattern, Task, Waves, task_of
from ..values.arrays import positive
from ..values.errors import InputError
from .design import Design

# The end of a limit's name says its unit; the others are numbers.
PATTERN_START = 0.1  # of what states reach: where patterns begin in a design that starts at 0 V
UNITS = {"resistance": "Ohm", "capacitance": "F"}


def board_of(design: Design, *, force: bool = False, **given: Any) -> Board:
    """Return the board of a design: its table `board`, and what is `given`, arguments of `design_board`, in its place.

    `force`: return a board that fails checks. Raises InputError for a network that no board is made for (a graph, one
    with delays), for limits that are not positive, and as `design_board` does, Unrealisable among it.
    """
    network = design.network
    if not isinstance(network, Network) or design.delay is not None:
        what = "its feedback has delays" if isinstance(network, Network) else "its network is a graph"
        raise InputError(f"{design.name}: {what}: a board is made of a Network, without delays and clocks")
    made = {**design.board, **{name: value for name, value in given.items() if value is not None}}
    if isinstance(made.get("limits"), Mapping):
        made["limits"] = _limits(made["limits"])
    board = {"inputs": design.inputs, "t_stop": design.t_stop, "title": design.title, **made}
    return design_board(network, force=force, **board)


def board_task(design: Design, board: Board) -> Task | None:
    """Return what a design's board must do; None where the design expects nothing.

    Outputs that are expected at the limits of their gain are decisions: on a board each must be on the right side of
    the middle. All else is as `task_of` has it.
    """
    expected = design.expected
    if isinstance(expected, Settled):
        gain = board.network.gain
        low, high = np.asarray(gain.lower, dtype=np.float64), np.asarray(gain.upper, dtype=np.float64)
        outputs, near = np.asarray(expected.outputs), 0.05 * (high - low)
        middle = np.broadcast_to(0.5 * (low + high), outputs.shape)
        is_decision = bool(np.all(np.minimum(np.abs(outputs - low), np.abs(outputs - high)) <= near))
        if is_decision and np.ptp(middle) == 0.0:
            return Pattern(signs=np.sign(outputs - middle), middle=float(middle[0]) * board.scaling.output)
    return None if expected is None else task_of(board, expected)


def board_starts(design: Design, board: Board) -> dict[str, Start]:
    """Return the starts at which a design's board is measured, on its scale, by name.

    "start", its own; then, of a memory, each stored pattern, as far from 0 V as the own start is at most; then each
    case of the design, with its inputs.
    """
    scaling = board.scaling
    found = {"start": Start(name="start", states=board.scaled.initial, inputs=board.inputs)}
    expected = design.expected
    if isinstance(expected, Recall):
        reach = float(np.max(np.abs(board.scaled.initial))) or PATTERN_START * board.bounds.states * scaling.state
        for label, signs in zip(expected.patterns.labels, expected.patterns.values, strict=True):
            name = f"pattern {label}"
            found[name] = Start(name=name, states=reach * np.asarray(signs), inputs=board.inputs)
    for name, case in design.cases.items():
        network = case.network
        if not isinstance(network, Network):
            continue
        inputs = None if case.inputs is None else case.inputs.scale(seconds=scaling.time, volts=scaling.inputs)
        found[name] = Start(name=name, states=scaling.state * network.initial, inputs=inputs)
    return found


def board_margin(task: Task, result: BoardVerification) -> float:
    """Return the margin of a task in a board's own run in ngspice: above 0 it is done, NaN where it is undecided."""
    states, outputs = (result.wave[name].to_numpy()[:, np.newaxis] for name in ("state", "output"))
    gain = result.board.scaled.gain
    swing = float(np.max(np.asarray(gain.upper) - np.asarray(gain.lower)))
    return float(task.judge(Waves(result.wave["time"].to_numpy(), states, outputs, swing))[0])


def _limits(table: Mapping[str, Any]) -> Limits:
    values = {}
    for name, value in table.items():
        unit = UNITS.get(name.rpartition("_")[2], "")
        values[name] = float(positive(value, f"board.limits.{name}", shape=(), unit=unit))
    return Limits(**values)
