"""A part of the long proof: equilibria, bifurcations, delays and energies of random networks, by other means too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from oracles.equilibria import by_subdivision, every_region

import hopfield_hw as hh
from hopfield_hw.analysis import (
    characteristic_roots,
    continue_equilibria,
    find_cycle,
    find_delay_windows,
    find_equilibria,
    trace_energy,
)
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import PiecewiseLinear, Tanh
from hopfield_hw.graph import Units
from hopfield_hw.transforms import add_delay

SEED, COUNT = 1984, 100
RING = -np.roll(np.eye(3), 1, axis=0)


def network(weights: Any, gain: Any, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=gain, units=Units(), **options)


def apart(found: Any, expected: Any) -> tuple[int, int]:
    """Return how many of the expected states were not found, and how many found ones were not expected."""
    if not len(found) or not len(expected):
        return len(expected), len(found)
    gaps = np.max(np.abs(np.asarray(found)[:, np.newaxis] - np.asarray(expected)), axis=2)
    return int(np.sum(gaps.min(axis=0) > 1e-6)), int(np.sum(gaps.min(axis=1) > 1e-6))


def piecewise_linear() -> bool:
    """All equilibria of 100 piecewise-linear networks of 1 to 8 neurons, against all 3^n regions one by one."""
    missed = more = total = 0
    for rng in np.random.default_rng(SEED).spawn(COUNT):
        n, gain = int(rng.integers(1, 9)), float(rng.uniform(0.5, 5.0))
        weights, bias = rng.uniform(0.5, 2.5) * rng.normal(size=(n, n)), 0.3 * rng.normal(size=n)
        found = find_equilibria(network(weights, PiecewiseLinear(gain=gain), bias=bias))
        less, other = apart(found.states, every_region(weights, bias, gain))
        missed, more, total = missed + less, more + other + (not found.complete), total + len(found)
    print(f"piecewise linear: {COUNT} networks, {total} equilibria; missed {missed}, not of the other {more}")
    return missed == more == 0


def smooth() -> bool:
    """Equilibria of 100 smooth networks of 2 to 4 neurons, against the subdivision of a box by intervals."""
    missed = more = total = 0
    for rng in np.random.default_rng(SEED + 1).spawn(COUNT):
        n, gain = int(rng.integers(2, 5)), float(rng.uniform(1.0, 4.0))
        weights, bias = rng.uniform(0.5, 2.5) * rng.normal(size=(n, n)), 0.3 * rng.normal(size=n)
        found = find_equilibria(network(weights, Tanh(gain=gain), bias=bias))
        less, other = apart(found.states, by_subdivision(weights, bias, gain))
        missed, more, total = missed + less, more + other, total + len(found)
    print(f"smooth: {COUNT} networks, {total} equilibria; missed {missed}, not of the subdivision {more}")
    return missed == more == 0


def energies() -> bool:
    """dE/dt along ngspice waveforms of 100 symmetric networks."""
    worst, rises = 0.0, 0
    for rng in np.random.default_rng(SEED + 2).spawn(COUNT):
        n = int(rng.integers(2, 17))
        weights = 1e-4 * rng.normal(size=(n, n)) / np.sqrt(n)
        net = hh.Network(
            weights=weights + weights.T,
            resistance=1e4 * 2.0 ** rng.uniform(-1.0, 1.0, n),
            capacitance=1e-7 * 2.0 ** rng.uniform(-1.0, 1.0, n),
            gain=Tanh(gain=float(2.0 ** rng.uniform(0.0, 5.0))),
            bias=1e-5 * rng.normal(size=n),
            initial=rng.uniform(-1.0, 1.0, n),
        )
        found = trace_energy(net, hh.simulate(hh.lower(net), accuracy=1e-4))
        worst, rises = max(worst, found.rise), rises + (not found.falls)
    print(f"energy: {COUNT} symmetric networks in ngspice; largest rise {worst:.1e} of the range; not flat {rises}")
    return rises == 0


def special_points() -> bool:
    """Hopf point of the ring, critical delays, folds, and a circle's multiplier, against their closed forms."""
    errors: dict[str, tuple[float, float]] = {}
    (hopf,) = continue_equilibria(lambda g: network(RING, Tanh(gain=g)), np.zeros(3), (0.5, 4.0)).points
    errors["Hopf point of the ring"] = abs(hopf.parameter - 2.0), 1e-8
    for a in (-1.5, -2.0, -4.0):
        tau = float(np.arccos(1.0 / a) / np.sqrt(a * a - 1.0))

        def late(h: float, a: float = a) -> Any:
            return add_delay(network([[a]], Tanh()), h)

        (point,) = continue_equilibria(late, [0.0], (0.5 * tau, 1.5 * tau), step=0.1).of_kind("hopf")
        errors[f"critical delay at {a}"] = abs(point.parameter - tau), 1e-6
        errors[f"delay window at {a}"] = abs(find_delay_windows([[-1.0]], [[a]]).windows[0][1] - tau), 1e-6
    for w in (1.2, 2.0, 6.0):
        x = np.arctanh(np.sqrt(1.0 - 1.0 / w))
        folds = continue_equilibria(
            lambda b, w=w: network([[w]], Tanh(), bias=[b]), [-2.0 * w], (-1.5 * w, 1.5 * w)
        ).of_kind("fold")
        errors[f"fold at weight {w}"] = abs(folds[0].parameter - (w * np.tanh(x) - x)), 1e-8
    ring = find_cycle(network(RING, Tanh(gain=3.0), initial=[0.1, 0.2, -0.1]), transient=60.0)
    liouville = float(abs(np.prod(ring.multipliers) * np.exp(3.0 * ring.period) - 1.0))
    errors["product of the ring's multipliers, relative"] = liouville, 1e-6
    for name, (error, goal) in errors.items():
        print(f"  {name}: off by {error:.1e} (at most {goal:.0e})")
    return all(error <= goal for error, goal in errors.values())


def windows() -> bool:
    """Windows of 100 random delay systems, against the roots at random delays."""
    wrong = delays = 0
    for rng in np.random.default_rng(SEED + 3).spawn(COUNT):
        n = int(rng.integers(1, 5))
        matrix, late = rng.normal(size=(n, n)) - 1.2 * np.eye(n), rng.normal(size=(n, n))
        found = find_delay_windows(matrix, late)
        size = float(np.linalg.norm(matrix, 2) + np.linalg.norm(late, 2))
        wrong += not found.agrees
        for h in rng.uniform(0.0, min(found.until + 0.1, 100.0 / size), 4):
            stable = bool(np.all(characteristic_roots(matrix, [late], [h]).roots.real < 0.0))
            wrong += stable != any(a < h < b for a, b in found.windows)
            delays += 1
    print(f"delay windows: {COUNT} systems, {delays} delays; wrong {wrong}")
    return wrong == 0


PARTS: dict[str, Callable[[], bool]] = {
    "piecewise_linear": piecewise_linear,
    "smooth": smooth,
    "energies": energies,
    "special_points": special_points,
    "windows": windows,
}


def main(parts: list[str]) -> int:
    """Run the parts named, all by default, and return 0 where everything holds."""
    held = [PARTS[name]() for name in parts or PARTS]
    return 0 if held and all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
