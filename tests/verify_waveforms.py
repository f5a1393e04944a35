"""A part of `make verify-full`: networks from waveforms, with 1% of noise and a converter of 12 bits.

Random networks of 4 and 8 neurons, solved by SciPy from random starts. Accuracy: starts are doubled until the fit
itself says that every weight is known within 1% of the largest (or there are 64), as somebody at a bench would; the
worst error of any weight is what counts. Coverage: 200 networks of 4 neurons with 8 starts each; the part of 95%
intervals that hold the true value, of the weights that are called identified and of all resistances, biases and slopes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from hopfield_hw.extraction.recordings import Recording
from hopfield_hw.extraction.waveforms import WaveformFit, fit_waveforms
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.proportion import proportion

SEED = 23
COVERED, NETWORKS = 200, {4: 20, 8: 6}
STARTS, MOST_STARTS, SAMPLES = 8, 64, 4000
NOISE, BITS, MARGIN = 0.01, 12, 1.25  # noise by the range; the converter's range by that of the channel
OHMS, FARADS, VOLTS, GAIN, DURATION = 10e3, 10e-9, 1.5, 5.0, 8.0
GOAL, COVERAGE, COVERAGE_MARGIN = 0.01, 0.95, 0.03
REPORT = Path("build/verify_waveforms.json")


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """A network's parameters, as in WaveformFit."""

    weights: Array
    resistance: Array
    bias: Array
    slopes: Array


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One network. Errors by the largest weight; `half`: of the widest interval, likewise."""

    neurons: int
    index: int
    starts: int
    error: float
    half: float
    identified: int
    chi_square: float
    held: dict[str, tuple[int, int]]
    notes: tuple[str, ...]
    seconds: float


def draw(n: int, rng: np.random.Generator) -> Truth:
    """Return a random network."""
    return Truth(
        weights=1.2 * rng.normal(size=(n, n)) / np.sqrt(n) / OHMS,
        resistance=OHMS / rng.uniform(0.8, 1.25, n),
        bias=0.15 * rng.normal(size=n) / OHMS,
        slopes=GAIN * rng.uniform(0.6, 1.4, n),
    )


def record(truth: Truth, starts: int, rng: np.random.Generator) -> list[Recording]:
    """Return transients with noise, converted; the range of a channel is that of all of them."""
    n = truth.slopes.size
    times = np.linspace(0.0, DURATION * OHMS * FARADS, SAMPLES)

    def slope(_: float, x: Array) -> Array:
        drive = truth.weights @ np.tanh(truth.slopes * x) - x / truth.resistance + truth.bias
        return np.asarray(drive / FARADS)

    clean = [
        solve_ivp(slope, (0.0, times[-1]), rng.uniform(-VOLTS, VOLTS, n), t_eval=times, rtol=1e-8, atol=1e-10).y.T
        for _ in range(starts)
    ]
    span = np.ptp(np.concatenate(clean), axis=0)
    step = MARGIN * span / 2**BITS
    noisy = [one + NOISE * span * rng.normal(size=one.shape) for one in clean]
    return [Recording(times=times, states=step * np.round(one / step)) for one in noisy]


def judge(truth: Truth, found: WaveformFit) -> dict[str, tuple[int, int]]:
    """Return by parameter how many 95% intervals hold the true value, and of how many."""
    identified = found.identified

    def count(intervals: Array, values: Array) -> tuple[int, int]:
        return int(((intervals[..., 0] <= values) & (values <= intervals[..., 1])).sum()), int(values.size)

    return {
        "weights": count(found.weight_intervals[identified], truth.weights[identified]),
        "resistances": count(found.resistance_intervals, truth.resistance),
        "biases": count(found.bias_intervals, truth.bias),
        "slopes": count(found.slope_intervals, truth.slopes),
    }


def try_network(n: int, index: int, *, adding: bool) -> Trial:
    """Return what a network's waveforms tell; with `adding`, starts are doubled until that is enough."""
    rng = np.random.default_rng([SEED, n, index, int(adding)])
    truth = draw(n, rng)
    recordings = record(truth, STARTS, rng)
    largest = float(np.abs(truth.weights).max())
    while True:
        began = time.perf_counter()
        found = fit_waveforms(recordings, capacitance=FARADS)
        seconds = time.perf_counter() - began
        half = float(found.weight_errors.max() * 1.96 / np.abs(found.weights).max())
        if not adding or half <= GOAL or len(recordings) >= MOST_STARTS:
            break
        recordings = [*recordings, *record(truth, len(recordings), rng)]
    trial = Trial(
        neurons=n,
        index=index,
        starts=len(recordings),
        error=float(np.abs(found.weights - truth.weights).max()) / largest,
        half=half,
        identified=int(found.identified.sum()),
        chi_square=found.chi_square,
        held=judge(truth, found),
        notes=found.notes,
        seconds=seconds,
    )
    print(
        f"n = {n} {index:3}: starts {trial.starts:2} worst error {trial.error:.1e} widest half {half:.1e} identified "
        f"{trial.identified} chi-square {trial.chi_square:.3f} held {trial.held['weights']} {seconds:.1f} s "
        f"{' | '.join(trial.notes[:-1])}",
        flush=True,
    )
    return trial


def main(given: list[str]) -> int:
    """Fit all, write the report, and return 0 where the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks4", type=int, default=NETWORKS[4])
    parser.add_argument("--networks8", type=int, default=NETWORKS[8])
    parser.add_argument("--covered", type=int, default=COVERED)
    options = parser.parse_args(given)
    said: dict[str, Any] = {}
    passed = True
    trials: list[Trial] = []
    for n, networks in ((4, options.networks4), (8, options.networks8)):
        made = [try_network(n, k, adding=True) for k in range(networks)]
        trials += made
        if made:
            worst = max(trial.error for trial in made)
            passed &= worst <= GOAL
            said[f"n = {n}: worst error of a weight, by the largest"] = worst
            said[f"n = {n}: starts"] = sorted(trial.starts for trial in made)
            said[f"n = {n}: seconds of the last fit, at most"] = max(trial.seconds for trial in made)
    covering = [try_network(4, k, adding=False) for k in range(options.covered)]
    trials += covering
    if covering:
        for name in covering[0].held:
            held, of = (sum(trial.held[name][k] for trial in covering) for k in (0, 1))
            said[f"coverage of 95% intervals, {name}"] = str(proportion(held, of))
            if name == "weights":
                passed &= abs(held / of - COVERAGE) <= COVERAGE_MARGIN
        said["identified weights"] = f"{sum(trial.identified for trial in covering)} of {16 * len(covering)}"
        said["worst error with 8 starts"] = max(trial.error for trial in covering)
    print(json.dumps(said, indent=1))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"figures": said, "trials": [asdict(trial) for trial in trials]}, indent=1) + "\n")
    return 0 if trials and passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
