"""Boards that cannot work, forced through ngspice: each fails as it was refused for.

A board fails where ngspice does not deliver, or where its outputs are five times as far from the ideal network as those
of a board of the same network that passes its checks. Prints a row a board, and ends with 1 where one works.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.board import Board, Limits, ProgrammedLevels, design_board
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.spice.transient import simulate
from hopfield_hw.values.errors import HopfieldHWError, SimulatorError
from hopfield_hw.values.measures import nrmse
from hopfield_hw.values.report import text_table

FURTHER = 5.0
TIMEOUT = 60.0


class Case(NamedTuple):
    """What is changed of the network, and of its board; the check that must refuse it."""

    check: str
    network: dict[str, Any]
    board: dict[str, Any]


WEIGHTS = np.array([[0.0, 3e-5, -2e-5], [3e-5, 0.0, 1e-5], [-2e-5, 1e-5, 0.0]])
# Four times the weights and ten times the gain: outputs go to their ends.
STEEP = {"gain": hh.Tanh(gain=40.0), "weights": 4.0 * WEIGHTS}
SLOW_TURN = {"resistance": np.inf, "weights": np.array([[0.0, 1e-6], [-1e-6, 0.0]]), "initial": [0.2, 0.1], "bias": 0.0}
CASES = {
    "wrong supply": Case("supply", {}, {"supplies": (3.4, -3.4)}),
    "headroom": Case("headroom", STEEP, {"output_scale": 14.0}),
    "phase reversal": Case(
        "phase reversal", {}, {"supplies": (12, -3.9), "reference": 2.5, "output_scale": 2.0, "state_scale": 4.0}
    ),
    "common mode": Case("common mode", {}, {"op_amp": "LM358", "supplies": (6.2, -12), "reference": 5.0}),
    "current": Case("output current", {}, {"conductance_scale": 300.0}),
    "bandwidth": Case(
        "bandwidth",
        {"capacitance": 1e-11},
        {"time_scale": 1.0, "conductance_scale": 1.0, "capacitors": ["10p"]},
    ),
    "unstable summing node": Case(
        "stability of a summing node",
        {},
        {
            "op_amp": replace(find_data_sheet("TL074").model(), phase_margin=20.0),
            "limits": Limits(usual_resistance=1e6),
            "compensated": False,
        },
    ),
    "droop": Case(
        "droop",
        {**SLOW_TURN, "capacitance": 1e-7},
        {"op_amp": "LM358", "t_stop": 30.0, "time_scale": 1.0, "conductance_scale": 0.1},
    ),
    "too few levels": Case("rounding", {}, {"synapses": ProgrammedLevels(levels=2)}),
    "impossible series": Case("rounding", {}, {"series": ["7k5", "1M"]}),
}


def network(**changes: Any) -> hh.Network:
    given: dict[str, Any] = {
        "weights": WEIGHTS,
        "resistance": 1e4,
        "capacitance": 1e-7,
        "gain": hh.Tanh(gain=4.0),
        "initial": [0.2, -0.1, 0.05],
        "bias": [1e-6, -2e-6, 0.0],
    }
    return hh.Network(**(given | changes))


def off(board: Board) -> float:
    """Return how far outputs of ngspice are from those of the ideal network."""
    wave = simulate(board.circuit, t_stop=board.t_stop, inputs=board.inputs, accuracy=1e-3, timeout=TIMEOUT)
    ideal = hh.reference(board.scaled, t_stop=board.t_stop, inputs=board.inputs)
    return nrmse(ideal["output"].to_numpy()[1:], wave["output"].to_numpy()[1:])


def judge(case: Case) -> tuple[str, str, bool]:
    """Return what refuses a board, what the forced one does in ngspice, and whether both are as they must be."""
    try:
        design_board(network(**case.network), **case.board)
        refused = "not refused"
    except HopfieldHWError as error:
        refused = str(error)
    try:
        forced = design_board(network(**case.network), force=True, **case.board)
        failed = {check.name for check in forced.checks if not check.passed}
        others = {key: value for key, value in case.network.items() if key == "gain" or key == "weights"}
        good = off(design_board(network(**others))) if case.check != "droop" else off(turning_board())
        found = off(forced)
        said, fails = f"NRMSE {found:.2g}, of a good board {good:.2g}", found > FURTHER * good
    except SimulatorError as error:
        said, fails, failed = f"{type(error).__name__}: {str(error)[:60]}", True, {case.check}
    return f"{', '.join(sorted(failed))}", said, refused != "not refused" and fails and case.check in failed


def turning_board() -> Board:
    """Return a board without a leak that holds: a JFET's bias current, and a short run."""
    return design_board(network(**SLOW_TURN, capacitance=1e-6), op_amp="OPA2134", t_stop=3.0)


def main() -> int:
    warnings.simplefilter("ignore")
    rows, right = [], True
    for name, case in CASES.items():
        refused, said, ok = judge(case)
        rows.append((name, refused, said, "as it must" if ok else "WRONG"))
        print(*rows[-1], sep=" | ", flush=True)
        right = right and ok
    print(text_table(rows, ("board", "refused by", "forced through ngspice", "")))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
