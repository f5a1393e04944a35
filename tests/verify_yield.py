"""Yields of boards in TL074s on +-12 V: the digit memory, a converter, and how boards start. Long: see verify-full."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.board import design_board
from hopfield_hw.designs import load_design
from hopfield_hw.designs.boards import board_of
from hopfield_hw.problems.ad_converter import ad_converter
from hopfield_hw.production.engines import simulate_board
from hopfield_hw.production.improve import center_board
from hopfield_hw.production.monte_carlo import monte_carlo
from hopfield_hw.production.samples import sample_maker
from hopfield_hw.production.startup import simulate_starts
from hopfield_hw.production.sweeps import yield_against_tolerance
from hopfield_hw.production.tasks import Pattern, Waves, code_task, task_of
from hopfield_hw.production.usual import usual_tolerances, without_offsets
from hopfield_hw.tolerance.draws import draw_factors, vary
from hopfield_hw.values.arrays import Array

STARTS = 100
DRAWS = 200
ROUNDS = 16  # of a bisection


def memory() -> bool:
    """Print the yield of the digit memory against the tolerance of all resistors."""
    design = load_design("digit_memory")
    board = design_board(design.network, t_stop=design.t_stop, force=True, title="digit memory")
    assert design.expected is not None
    found = yield_against_tolerance(
        board,
        task_of(board, design.expected),
        tolerances=[0.01, 0.05, 0.1, 0.15, 0.2, 0.3],
        samples=500,
        engine="equation",
    )
    print(f"digit memory\n{found}\n")
    return found.reaches() is not None


def converter() -> bool:
    """Print the yield of the converter against the tolerance of its resistors with two op-amps, and center it.

    All whole inputs from 0 to 15 V must end at their codes. Centering looks at runs of the upper half of them, of which
    most fail, as the code that a start leads to is not one of equilibria alone. The board that is not centered has
    pairs of resistors too, so that the gain is not one of finer values.
    """
    board = board_of(load_design("ad_converter_board"))
    task = code_task(board, np.arange(16.0), np.arange(16))
    curve = yield_against_tolerance(
        board,
        task,
        tolerances=[0.001, 0.0025, 0.004, 0.005, 0.0075, 0.01],
        samples=500,
        seed=11,
        engine="equation",
    )
    print(f"converter in TL074H\n{curve}\n")
    other = design_board(
        ad_converter(gain=12.0), inputs=15.0, t_stop=1.3e-4, series="E96", two_resistors=1e-3, title="converter"
    )
    numbers = code_task(other, np.arange(16.0), np.arange(16))
    in_tl074 = yield_against_tolerance(
        other, numbers, tolerances=[0.001, 0.0025, 0.005], samples=500, seed=11, engine="equation"
    )
    print(f"converter in TL074\n{in_tl074}\n")
    tolerances = replace(usual_tolerances(board), resistors=0.0075)
    upper = np.arange(8, 16)
    found = center_board(
        board,
        code_task(board, upper.astype(float), upper),
        tolerances=tolerances,
        by_rest=False,
        samples=600,
        steps=12,
        seed=5,
    )
    how: dict[str, Any] = {"task": task, "tolerances": tolerances, "samples": 1000, "seed": 77, "engine": "equation"}
    before, after = (monte_carlo(one, **how).yielded for one in (board, found.board))
    print(f"{found}\nall inputs: before {before.told()}, after {after.told()}\n")
    return curve.reaches() is not None and after.recovered(before) >= 0.5


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
    preset = simulate_starts(board, "preset", seed=3, samples=STARTS, t_stop=7e-3)
    right = int(np.sum(np.all(preset.signs == [1.0, -1.0], axis=1)))
    print(f"preset: right in {right} of {STARTS}")
    enough = True
    for seconds in (2e-3, 20e-3):
        ramp = simulate_starts(board, "ramp", seed=3, samples=STARTS, t_stop=7e-3, ramp=seconds)
        predicted = int(np.sum(ramp.was_predicted))
        apart, excited = np.diff(ramp.found - ramp.left)[:, 0] / 2.0, np.abs(np.diff(ramp.left)[:, 0]) / 2.0
        off = float(np.sqrt(np.mean(apart**2)))
        missed = excited[~ramp.was_predicted]
        print(
            f"ramp of {1e3 * seconds:g} ms: predicted in {predicted} of {STARTS}; half the difference of the states at "
            f"its end has a median of {1e3 * np.median(excited):.3g} mV, is off by {1e3 * off:.3g} mV (rms), and is "
            f"{', '.join(f'{1e3 * one:.3g}' for one in missed) or 'none'} mV in those missed"
        )
        enough &= predicted >= 0.9 * STARTS
    return right == STARTS and enough


def draws() -> bool:
    """Print how often ngspice and the static equation agree whether drawn boards of a memory recall its pattern.

    The start is between two memories, so that resistors of 5% decide. Margin of a decision: by how much all states at
    the start must move, towards the pattern or away from it, for the other outcome. Error of the waveform: by how much
    the sum that decides between the two is off within the first R C, as such a move; after that both grow alike.
    """
    first, second = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])
    weights = 5e-5 * (np.outer(first, first) + np.outer(second, second))
    np.fill_diagonal(weights, 0.0)
    start = 0.1 * (0.53 * first + 0.47 * second)
    network = hh.Network(weights=weights, resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=3.0), initial=start)
    board, task = design_board(network, t_stop=2e-3), Pattern(signs=first)
    variation = vary(without_offsets(board.circuit), usual_tolerances(board, resistors=0.05))
    drawn = draw_factors(variation, seed=1, samples=DRAWS)
    samples = sample_maker(drawn).make(drawn.values)
    times = np.linspace(0.0, board.t_stop, 401)
    initial = np.asarray(board.realised.initial)

    def judge(moved: Array) -> Array:
        states, outputs = samples.run(initial + moved[:, np.newaxis] * first, times)
        return task.judge(Waves(times, states, outputs, samples.span))

    states, outputs = samples.run(initial, times)
    margins = task.judge(Waves(times, states, outputs, samples.span))
    done = margins > 0.0
    toward = np.where(done, -1.0, 1.0)
    same, other = np.zeros(DRAWS), np.full(DRAWS, float(np.max(np.abs(initial))))
    turned = (judge(toward * other) > 0.0) != done
    for _ in range(ROUNDS):
        middle = 0.5 * (same + other)
        kept = (judge(toward * middle) > 0.0) == done
        same, other = np.where(kept, middle, same), np.where(kept, other, middle)
    distance = np.where(turned, other, np.inf)
    found, error = np.empty(DRAWS), np.empty(DRAWS)
    early = times <= float(board.scaled.capacitance[0] * board.scaled.resistance[0])
    for k in range(DRAWS):
        waves, _ = simulate_board(board, drawn.circuit(k), times)
        found[k] = task.judge(waves)[0]
        error[k] = np.max(np.abs((waves.states[early, 0] - states[early, k]) @ (first - second))) / len(first)
    known = np.isfinite(found) & np.isfinite(margins)
    agree = known & ((found > 0.0) == done)
    close = ~agree & (distance <= error)
    wrong = int(np.sum(~agree & ~close))
    alike = [float(np.corrcoef(found[which], margins[which])[0, 1]) for which in (agree & done, agree & ~done)]
    apart = float(np.max(np.abs(found[agree] - margins[agree])))
    print(
        f"draws: {DRAWS}, of which the equation has {int(done.sum())} recall, ngspice {int(np.sum(found > 0.0))}; "
        f"{int(agree.sum())} agree, {int(close.sum())} differ with a margin below the waveform's error, {wrong} "
        f"otherwise ({int(np.sum(~known))} undecided); {int(np.sum(distance <= error))} margins in all are below it\n"
        f"waveform's error: median {1e3 * np.median(error):.3g} mV, at most {1e3 * np.max(error):.3g} mV; margin of "
        f"the start: median {1e3 * np.median(distance):.3g} mV, of those that differ at most "
        f"{1e3 * np.max(distance[~agree], initial=0.0):.3g} mV\n"
        f"margins of the output where they agree: correlation {alike[0]:.4f} of those that recall, "
        f"{alike[1]:.4f} of the others, at most {1e3 * apart:.3g} mV apart"
    )
    return wrong == 0 and 0.5 <= float(np.mean(done)) <= 0.9


if __name__ == "__main__":
    parts = {"memory": memory, "converter": converter, "draws": draws, "starts": starts}
    asked = sys.argv[1:] or list(parts)
    if unknown := set(asked) - set(parts):
        sys.exit(f"verify_yield: no part {', '.join(sorted(unknown))}: must be of {', '.join(parts)}")
    results = [parts[name]() for name in asked]
    sys.exit(0 if all(results) else 1)
