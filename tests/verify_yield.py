"""Yields of boards in TL074s on +-12 V: the digit memory, a converter, and how boards start. Long: see verify-full."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

import hopfield_hw as hh
from hopfield_hw.board import design_board
from hopfield_hw.designs import load_design
from hopfield_hw.problems.ad_converter import ad_converter
from hopfield_hw.production.improve import center_board
from hopfield_hw.production.monte_carlo import yield_against_tolerance
from hopfield_hw.production.startup import simulate_start
from hopfield_hw.production.tasks import code_task, task_of
from hopfield_hw.production.usual import usual_tolerances

STARTS = 100


def memory() -> bool:
    """Print the yield of the digit memory against the tolerance of all resistors."""
    design = load_design("digit_memory")
    board = design_board(design.network, t_stop=design.t_stop, force=True, title="digit memory")
    assert design.expected is not None
    found = yield_against_tolerance(
        board, task_of(board, design.expected), tolerances=[0.01, 0.05, 0.1, 0.15, 0.2, 0.3], samples=500
    )
    print(f"digit memory\n{found}\n")
    return found.reaches() is not None


def converter() -> bool:
    """Print the yield of a converter of gain 12, as drives of amplifiers end at the rails with 500, and center it."""
    board = design_board(ad_converter(gain=12.0), inputs=9.0, t_stop=1.3e-4, series="E96", title="converter")
    task = code_task(board, np.arange(16.0), np.arange(16))
    print(f"converter\n{yield_against_tolerance(board, task, tolerances=[0.001, 0.002, 0.005, 0.01], samples=500)}\n")
    tolerances = replace(usual_tolerances(board), resistors=0.005)
    found = center_board(board, task, tolerances=tolerances, seed=5, samples=100, fresh=1000, steps=4)
    print(f"{found}\n")
    return found.recovered >= 0.5


def starts() -> bool:
    """Print how often a preset is right, and how often the state after a ramp is predicted from the offsets."""
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=3.0),
        initial=[0.3, -0.3],
    )
    board = design_board(network)
    runs = {
        how: [simulate_start(board, how, seed=3, sample=k, t_stop=7e-3, ramp=2e-3) for k in range(STARTS)]
        for how in ("preset", "ramp")
    }
    right = sum(run.signs.tolist() == [1.0, -1.0] for run in runs["preset"])
    predicted = sum(run.was_predicted for run in runs["ramp"])
    print(f"preset: right in {right} of {STARTS}; ramp: predicted in {predicted} of {STARTS}")
    return right == STARTS and predicted >= 0.9 * STARTS


if __name__ == "__main__":
    results = [memory(), converter(), starts()]
    sys.exit(0 if all(results) else 1)
