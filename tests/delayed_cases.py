"""Published systems and networks with delay, and random ones whose exact limits are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hopfield_hw.stability import (
    DelayedNetwork,
    LinearDelaySystem,
    certify_constant_delay,
    certify_contraction,
    certify_diagonal_stability,
    certify_every_delay,
    certify_linear_delay,
    certify_m_matrix,
    certify_varying_delay,
    rightmost_root,
    stable_windows,
)
from hopfield_hw.stability.certificate import Certificate
from hopfield_hw.stability.sector_limit import corners

FIRST = LinearDelaySystem(matrix=[[-2.0, 0.0], [0.0, -0.9]], late=[[-1.0, 0.0], [-1.0, -1.0]])
WINDOW = LinearDelaySystem(matrix=[[0.0, 1.0], [-2.0, 0.1]], late=[[0.0, 0.0], [1.0, 0.0]])
THREE = DelayedNetwork(
    decay=[4.1889, 0.7160, 1.9985],
    late_weights=[[-0.1052, -0.5069, -0.1121], [-0.0257, -0.2808, 0.0212], [0.1205, -0.2153, 0.1315]],
    upper=[0.4219, 3.8993, 1.0160],
)
STATIC = DelayedNetwork(
    decay=[7.3458, 6.9987, 5.5949],
    late_weights=[[13.6014, -2.9616, -0.6936], [7.4736, 21.6810, 3.2100], [0.7290, -2.6334, -20.1300]],
    upper=[0.3680, 0.1795, 0.2876],
    kind="static",
)
FOUR = DelayedNetwork(
    decay=[1.2769, 0.6231, 0.9230, 0.4480],
    late_weights=[
        [-0.0373, 0.4852, -0.3351, 0.2336],
        [-1.6033, 0.5988, -0.3224, 1.2352],
        [0.3394, -0.0860, -0.3824, -0.5785],
        [-0.1311, 0.3253, -0.9534, -0.5015],
    ],
    upper=[0.1137, 0.1279, 0.7994, 0.2368],
)
TWO = DelayedNetwork(
    decay=[2.0, 2.0], weights=[[1.0, 1.0], [-1.0, -1.0]], late_weights=[[0.88, 1.0], [1.0, 1.0]], upper=[0.4, 0.8]
)
SEVENTH = DelayedNetwork(
    decay=[1.5, 0.7],
    weights=[[0.0503, 0.0454], [0.0987, 0.2075]],
    late_weights=[[0.2381, 0.9320], [0.0388, 0.5062]],
    upper=[0.3, 0.8],
)


class Held(NamedTuple):
    """What was held against exact limits: `wrong` proofs where the truth is unstable, of `refused`; proofs inside."""

    wrong: tuple[Certificate, ...]
    refused: int
    proved: int
    inside: int


def random_network(rng: np.random.Generator) -> DelayedNetwork:
    """Return a network of 1 to 4 neurons, local or static, with slopes from 0, from below 0, or fixed."""
    n = int(rng.integers(1, 5))
    upper = rng.uniform(0.3, 2.0, n)
    lower = (np.zeros(n), upper, -0.3 * upper, 0.5 * upper)[int(rng.integers(4))]
    decay = 2.0 ** rng.uniform(-1.0, 1.0, n)
    late = rng.normal(size=(n, n)) * rng.uniform(0.3, 2.0)
    if rng.integers(4) == 0:
        return DelayedNetwork(decay=decay, upper=upper, lower=lower, late_weights=late, kind="static")
    now = rng.normal(size=(n, n)) * rng.uniform(0.0, 0.7)
    return DelayedNetwork(decay=decay, upper=upper, lower=lower, weights=now, late_weights=late)


def hold_against_exact(network: DelayedNetwork, rng: np.random.Generator, orders: tuple[int, ...] = (0, 1, 2)) -> Held:
    """Try all criteria just above the exact limits of linear networks with slopes in the sector, and below them.

    Each linear network with constant slopes in the sector is one that a certificate speaks of: where one of them is
    unstable, nothing may be proved. Below the least limit of them proofs are counted, not required.
    """
    longest = 20.0 / float(np.min(network.decay))
    within = rng.uniform(network.lower, network.upper, (4, network.size))
    slopes_tried = [*corners(network), *within]
    limits = []
    for slopes in slopes_tried:
        windows = stable_windows(network.linear(slopes), longest)
        limits.append(windows[0][1] if windows and windows[0][0] == 0.0 else 0.0)
    k = int(np.argmin(limits))
    limit = limits[k]
    wrong: list[Certificate] = []
    refused = proved = inside = 0
    if limit < longest:
        tried: list[Certificate] = [
            certify_m_matrix(network),
            certify_contraction(network),
            certify_every_delay(network),
        ]
        if network.kind == "local" and bool(np.all(network.lower >= 0.0)):
            tried.append(certify_diagonal_stability(network))
        above = max(1.0001 * limit, 1e-3)
        for delay in (above, 1.05 * above):
            if rightmost_root(network.linear(slopes_tried[k]), delay).real <= 0.0:
                continue  # a window closes and opens again: the truth there is stable
            tried += [certify_constant_delay(network, delay, order=order) for order in orders]
            tried += [certify_varying_delay(network, delay, rate, increments=True) for rate in (0.0, np.inf)]
            linear = network.linear(slopes_tried[k])
            tried += [certify_linear_delay(linear, delay, order=order) for order in (*orders, 4)]
        wrong = [certificate for certificate in tried if certificate.proved]
        refused = len(tried)
    if limit > 0.0:
        at = 0.8 * min(limit, longest)
        below = [certify_constant_delay(network, at, order=order) for order in orders]
        linear = network.linear(slopes_tried[k])
        below += [certify_linear_delay(linear, at, order=order) for order in orders]
        proved, inside = sum(certificate.proved for certificate in below), len(below)
    return Held(tuple(wrong), refused, proved, inside)
