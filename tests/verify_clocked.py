"""Recurrent cells as clocked circuits: many random ones, and the trained LSTM part by part. `make verify-full`."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.recurrent import GRU, LSTM, RNN
from hopfield_hw.tolerance import Tolerances, draw
from hopfield_hw.values.measures import sqnr

CELLS, STEPS, LONG, DRAWS = 100, 20, 100, 20
PERIOD = 1e-3
LIMIT = 1e-4
IDEAL_DB, PAIRS_DB = 70.0, 40.0


def main() -> int:
    """Print what was found; return 1 where something did not pass."""
    return max(random_cells(), trained_lstm())


def random_cells() -> int:
    """Run random cells of every kind, with every option, in the ideal and in the cell active_rc against their maps."""
    rng = np.random.default_rng(1997)
    status = 0
    for topology in ("ideal", "active_rc"):
        found = []
        for k in range(CELLS):
            graph = replace(random_cell(rng, k).graph(), units=hh.Units(seconds_per_unit=PERIOD))
            size = graph.by_name["x"].output_size
            inputs = hh.Signal.held(rng.uniform(-1.0, 1.0, (STEPS + 1, size)), PERIOD)
            found.append(hh.verify(graph, cell=topology, t_stop=STEPS * PERIOD, inputs=inputs, accuracy=LIMIT))
        short = [result for result in found if not result.passed]
        status |= bool(short)
        errors = [result.nrmse for result in found]
        print(
            f"{CELLS} random cells, {topology}: NRMSE worst {max(errors):.2e}, median {np.median(errors):.1e}; "
            f"not passed {len(short)}",
            flush=True,
        )
    return status


def random_cell(rng: np.random.Generator, k: int) -> Any:
    """Return a cell: RNN, GRU and LSTM in turn, with random sizes and options."""
    hidden, inputs = (int(size) for size in rng.integers(1, 5, 2))
    gates = (1, 3, 4)[k % 3]
    fields: dict[str, Any] = {
        "input_weights": rng.normal(size=(gates * hidden, inputs)),
        "bias": rng.normal(size=2 * gates * hidden),
        "clip": float(rng.uniform(0.5, 3.0)) if rng.integers(4) == 0 else None,
    }
    recurrent = rng.normal(size=(gates * hidden, hidden)) / np.sqrt(hidden)
    if gates == 1:
        return RNN(**fields, recurrent_weights=recurrent)
    if gates == 3:
        return GRU(**fields, recurrent_weights=recurrent, linear_before_reset=bool(rng.integers(2)))
    projection = rng.normal(size=(2, hidden)) if rng.integers(3) == 0 else None
    return LSTM(
        **fields,
        recurrent_weights=recurrent if projection is None else rng.normal(size=(4 * hidden, 2)),
        peepholes=rng.normal(size=3 * hidden) if rng.integers(2) else None,
        input_forget=bool(rng.integers(2)),
        projection=projection,
    )


def trained_lstm() -> int:
    """Run the Mackey-Glass LSTM over 100 steps, from exact parts to those of a drawer."""
    pairs = hh.ActiveRC(activation="pair")
    status = 0
    for what, cell, volts, goal in (
        ("ideal cell", "ideal", 1.0, IDEAL_DB),
        ("op-amps, exact curves", hh.ActiveRC(), 1.0, IDEAL_DB),
        ("pairs of beta 200, not calibrated", hh.ActiveRC(activation="pair", pair=hh.Pair(calibrated=False)), 1.0, 0.0),
        ("pairs of beta 200, calibrated", pairs, 1.0, PAIRS_DB),
        ("the same with AD633s, without errors", hh.ActiveRC(activation="pair", multiplier="ad633"), 2.5, PAIRS_DB),
    ):
        (found,) = decibels(cell, volts, [None])
        status |= found < goal
        print(f"trained LSTM, {LONG} steps, {what}: {found:.1f} dB (goal {goal:g})", flush=True)
    for what, cell, volts, spread in (
        ("pairs; 1% resistors", pairs, 1.0, Tolerances(resistors=0.01)),
        ("pairs; 1% resistors, 1 mV offsets", pairs, 1.0, Tolerances(resistors=0.01, offset=1e-3)),
        (
            "pairs; 0.1% resistors, 0.1 mV offsets, matching 0.2%",
            pairs,
            1.0,
            Tolerances(resistors=1e-3, offset=1e-4, matching=2e-3),
        ),
        ("pairs; typical AD633s", hh.ActiveRC(activation="pair", multiplier="ad633"), 2.5, Tolerances(multipliers=1.0)),
    ):
        low, *quartiles, high = np.percentile(decibels(cell, volts, [spread] * DRAWS), [0, 25, 50, 75, 100])
        middle = ", ".join(f"{value:.1f}" for value in quartiles)
        print(f"trained LSTM, {what}, {DRAWS} draws: {low:.1f} to {high:.1f} dB, quartiles {middle}", flush=True)
    return int(status)


def decibels(cell: Any, volts: float, spreads: list[Tolerances | None]) -> list[float]:
    """Return the SQNR of h of each draw, dB."""
    forecaster = hh.trained.mackey_glass()
    units = hh.Units(volts_per_unit=volts, seconds_per_unit=PERIOD)
    graph = replace(forecaster.cell.graph(), units=units)
    inputs = hh.Signal.held(volts * forecaster.scale.normalise(forecaster.test)[: LONG + 1], PERIOD)
    expected = hh.reference(graph, t_stop=LONG * PERIOD, inputs=inputs)["output"].to_numpy()
    nominal = hh.lower(graph, cell=cell)
    found = []
    for number, spread in enumerate(spreads):
        circuit = nominal if spread is None else draw(nominal, spread, seed=0, sample=number)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            wave = hh.simulate(circuit, t_stop=LONG * PERIOD, inputs=inputs, accuracy=1e-3)
        found.append(sqnr(expected, wave["output"].to_numpy()))
    return found


if __name__ == "__main__":
    sys.exit(main())
