"""A part of the long proof: boards of random networks against their equations, budgets, and the ideal limit.

`verify_boards.py [equations|budgets|limit] [first] [count]` runs one part, or some of its boards.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.analysis.amplification import amplification
from hopfield_hw.board.budget.error_budget import error_budget
from hopfield_hw.board.budget.measured import run_circuit
from hopfield_hw.board.design import Board, design_board
from hopfield_hw.board.judgement import output_nrmse
from hopfield_hw.board.start import start_at_rest
from hopfield_hw.functions import PiecewiseLinear, Tanh
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.values.errors import SimulatorError, Unrealisable
from hopfield_hw.values.measures import nrmse

os.environ.setdefault("OMP_NUM_THREADS", "1")
SEED, BOARDS, BUDGETS = 1984, 100, 30
PARTS = ("TL074", "TL074H", "LM358", "OPA2134", "NE5532", "OP07")
CORNERS = ("typical", "minimum", "maximum")
MEDIAN, WORST, WITHIN = 1e-3, 5e-3, 0.2
# Contributions below this are those of no board that anyone builds, and close to what ngspice's steps leave.
LEAST = 2e-5
GROWTH = 100.0  # beyond it waveforms part by themselves
TIMEOUT = 120.0  # seconds, of a run


def draw_model(rng: np.random.Generator) -> Any:
    """Return an op-amp whose figures lie between those of its sheet: each at random from minimum to maximum."""
    sheet = find_data_sheet(str(rng.choice(PARTS)))
    corners = [sheet.model((12.0, -12.0), corner=corner) for corner in CORNERS]
    typical = corners[0]
    values = {}
    for name in ("offset", "bias_current", "gain", "gain_bandwidth", "slew_rate"):
        low, high = (getattr(model, name) for model in corners[1:])
        middle = getattr(typical, name)
        end = low if rng.uniform() < 0.5 else high
        values[name] = float(middle + (end - middle) * rng.uniform())
    return replace(typical, **values)


def draw_network(rng: np.random.Generator) -> hh.Network:
    """Return a network of 2 to 12 neurons whose equation amplifies no difference 100-fold."""
    while True:
        n, gain = int(rng.integers(2, 13)), float(rng.uniform(1.0, 5.0))
        seconds = 10.0 ** rng.uniform(-4.0, -2.0)
        weights = rng.normal(size=(n, n)) * rng.uniform(0.2, 1.0) / np.sqrt(n)
        if rng.uniform() < 0.5:
            weights = (weights + weights.T) / np.sqrt(2.0)
        weights[np.abs(weights) < 0.02] = 0.0
        network = hh.Network(
            weights=1e-4 * weights,
            resistance=1e4,
            capacitance=seconds / 1e4,
            gain=(Tanh if rng.uniform() < 0.5 else PiecewiseLinear)(gain=gain),
            bias=1e-5 * rng.normal(size=n),
            initial=rng.uniform(-0.5, 0.5, n),
        )
        if not amplification(network.graph()).cut:
            return network


def boards(count: int, first: int = 0) -> Iterator[tuple[int, Board]]:
    """Yield boards of random networks in random op-amps; those that cannot be built are drawn again, and counted."""
    for k, stream in enumerate(np.random.default_rng(SEED).spawn(first + count)[first:], first):
        refused = 0
        while True:
            network, model = draw_network(stream), draw_model(stream)
            try:
                board = design_board(network, op_amp=model, two_resistors=0.005, title=f"board {k}")
            except Unrealisable as error:
                refused += 1
                if refused > 20:
                    raise RuntimeError(f"board {k}: {error}") from error
                continue
            yield k, board
            break


def time_constant(board: Board) -> float:
    return float(np.max(board.realised.resistance * board.realised.capacitance))


def equations(first: int = 0, count: int = BOARDS) -> bool:
    """Equation with the amplifiers' own curves and poles against ngspice with the full models."""
    errors: list[tuple[float, float]] = []
    apart: list[tuple[float, float]] = []
    unrun = 0
    for k, board in boards(count, first):
        # As a preset leaves it: with the states held, until the amplifiers have come to rest.
        try:
            circuit = start_at_rest(board.circuit, board.t_stop, board.inputs)
            run = run_circuit(circuit, board.t_stop, board.inputs, timeout=TIMEOUT)
        except SimulatorError as error:
            unrun += 1
            print(
                f"  board {k}: {type(board.network.gain).__name__}, {board.model.name}: {str(error)[:100]}", flush=True
            )
            continue
        equation = board.equation()
        states, outputs = equation.solve(run.times, board.inputs)
        growth = equation.growth(run.times, board.inputs)
        amplifies = f", which amplifies {growth:.0e}-fold" if growth > GROWTH else ""
        found = nrmse(states[1:], run.states[1:]), output_nrmse(outputs[1:], run.outputs[1:])
        error = max(found)
        (apart if amplifies else errors).append((time_constant(board), error))
        kind, n = type(board.network.gain).__name__, board.scaled.initial.size
        print(
            f"  board {k}: n {n}, {kind}, {board.model.name}, R C {time_constant(board):.1e} s, "
            f"NRMSE {found[0]:.1e} of states, {found[1]:.1e} of outputs{amplifies}",
            flush=True,
        )
    values = np.array([error for _, error in errors])
    most = max((error for _, error in apart), default=0.0)
    for low, high in ((0.0, 3e-4), (3e-4, 1e-3), (1e-3, 3e-3), (3e-3, np.inf)):
        some = np.array([error for seconds, error in errors if low <= seconds < high])
        if some.size:
            print(f"  R C {low:.0e} to {high:.0e} s: {some.size} boards, {np.median(some):.1e}, worst {some.max():.1e}")
    print(
        f"equations: {values.size} boards, NRMSE median {np.median(values):.1e}, worst {values.max():.1e}; "
        f"{len(apart)} beside that amplify differences over {GROWTH:g}-fold, worst {most:.1e}; "
        f"{unrun} that ngspice did not run in {TIMEOUT:g} s"
    )
    return bool(not unrun and values.size and np.median(values) <= MEDIAN and values.max() <= WORST)


def budgets(first: int = 0, count: int = BUDGETS) -> bool:
    """Each imperfection's contribution, predicted to first order, against what ngspice gives."""
    ratios: dict[str, list[float]] = {}
    refused, below, others = 0, 0, 0
    residuals = []
    for k, board in boards(count, first):
        found = error_budget(board)
        residuals.append(found.residual / found.states)
        if found.refused:
            refused += 1
            print(f"  board {k}: {found.refused}", flush=True)
            continue
        for one in (*found.contributions, *found.beside):
            if one.ratio is None:
                others += one.refused != "not a prediction: it is of second order"
            elif one.states < max(LEAST, 5.0 * found.resolution):
                below += 1
            else:
                ratios.setdefault(one.name, []).append(one.ratio)
        worst = max((abs(one.ratio - 1.0), one.name) for one in found.contributions if one.ratio and one.states > LEAST)
        print(f"  board {k}: dominated by {found.dominating.name}; worst {worst[1]}, off by {worst[0]:.1%}", flush=True)
    outside = 0
    for name, values in sorted(ratios.items()):
        off = np.abs(np.array(values) - 1.0)
        outside += int(np.sum(off > WITHIN))
        print(f"  {name}: {off.size} boards, off by {np.median(off):.1%}, at most {off.max():.1%}")
    total = sum(len(values) for values in ratios.values())
    print(
        f"budgets: {total} predictions, {outside} off by more than {WITHIN:.0%}; {below} below the resolution; "
        f"{others} with another end; {refused} boards refused; sum of waveforms misses at most {max(residuals):.1%}"
    )
    return total > 0 and outside == 0


def limit() -> bool:
    """How the deviation falls as one figure grows: by its own order."""
    network = hh.Network(
        weights=1e-5 * np.array([[0.0, 6.0, -4.0], [-5.0, 0.0, 3.0], [4.0, -6.0, 2.0]]),
        resistance=1e4,
        capacitance=1e-8,
        gain=Tanh(gain=3.0),
        bias=[1e-5, -5e-6, 0.0],
        initial=[0.3, -0.2, 0.1],
    )
    board = design_board(network, op_amp="TL074")
    passed = True
    # The slew rate counts by the square of the slope over it, as a square root saturates: 1/sqrt(1 - r^2) - 1.
    for name, start, order in (
        ("gain_bandwidth", 2e6, -1.0),
        ("gain", 1e4, -1.0),
        ("slew_rate", 0.0, -2.0),
        ("offset", 8e-3, 1.0),
    ):
        sizes, figures = [], []
        first = start or 3.0 * board_slope(board)
        for factor in (1.0, 2.0, 4.0, 8.0):
            figure = first * factor if order < 0.0 else first / factor
            changed = with_figure(board, name, figure)
            sizes.append(error_budget(changed, only=[name]).contributions[0].states)
            figures.append(figure)
        slope = float(np.polyfit(np.log(figures), np.log(sizes), 1)[0])
        passed &= abs(slope - order) < 0.1
        print(f"  {name}: contribution {sizes[0]:.1e} to {sizes[-1]:.1e}, order {slope:.3f} (wanted {order:g})")
    return passed


def board_slope(board: Board) -> float:
    """Return the steepest output, volts a second."""
    return error_budget(board, only=["gain"]).slew_ratio * board.model.slew_rate


def with_figure(board: Board, name: str, value: float) -> Board:
    """Return a board whose op-amps have another figure."""

    def change(device: Any) -> Any:
        part = device.part
        return device._replace(part=replace(part, model=replace(part.model, **{name: value})))

    devices = tuple(change(d) if isinstance(d.part, hh.parts.OpAmp) else d for d in board.circuit.devices)
    model = replace(board.model, **{name: value})
    changed = board.with_circuit(replace(board.circuit, devices=devices))
    return replace(changed, op_amp=replace(board.op_amp, model=model))


PROOFS: dict[str, Callable[..., bool]] = {"equations": equations, "budgets": budgets, "limit": limit}


def main() -> int:
    warnings.simplefilter("ignore")
    chosen = sys.argv[1:2] or list(PROOFS)
    some = [int(word) for word in sys.argv[2:]]
    results = {name: PROOFS[name](*some) for name in chosen}
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
