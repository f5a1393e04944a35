"""Certificates: published cases beside their figures, and 200 random networks held against exact limits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from delayed_cases import FIRST, FOUR, SEVENTH, STATIC, THREE, TWO, WINDOW, hold_against_exact, random_network

from hopfield_hw.stability import (
    Certificate,
    certify,
    certify_constant_delay,
    certify_linear_delay,
    certify_range,
    certify_varying_delay,
    largest_delay,
    largest_stable_delay,
    sector_limit,
    stable_windows,
)

NETWORKS, SEED = 200, 2015
FINE, COARSE = 2e-5, 2e-4
# Published bounds by the rate of the delay: He, Liu, Rees and Wu 2007.
RATES = {"fourth order": (FOUR, {0.1: 3.2793, 0.5: 2.2245, 0.9: 1.5847, np.inf: 1.5444})}
RATES["second order"] = (TWO, {0.8: 2.3534, 0.9: 1.6050, np.inf: 1.5103})
FAR = 10.0


def main(networks: int = NETWORKS) -> int:
    """Print what was found; return 1 where a certificate was proved above an exact limit."""
    return max(published_cases(), random_networks(networks))


def published_cases() -> int:
    """Print the largest delays that were proved, beside the exact limits and the published bounds."""
    wrong = 0
    exact = largest_stable_delay(FIRST, 20.0)
    for order in range(6):
        found = _largest(partial(certify_linear_delay, FIRST, order=order), 6.5, 4.0, FINE)
        wrong += found > exact
        print(f"linear system, order {order}: {found:.5f} of {exact:.6f}", flush=True)
    ((low, high),) = stable_windows(WINDOW, 10.0)
    window = certify_range(WINDOW, low + 1e-4, high - 1e-4, order=4)
    print(f"window {low:.6f} to {high:.6f}: {window.statement}", flush=True)
    for name, network in (("third order, local", THREE), ("third order, static", STATIC)):
        limit, top = sector_limit(network, 20.0), largest_stable_delay(network.linear(), 20.0)
        for order in range(4):
            found = _largest(partial(certify_constant_delay, network, order=order), top, 0.3 * top, COARSE)
            wrong += found > limit.delay
            print(
                f"{name}, order {order}: {found:.4f}; exact at the largest slopes {top:.4f}, "
                f"least at the slopes {limit.slopes} {limit.delay:.4f}",
                flush=True,
            )
    for name, (network, published) in RATES.items():
        for rate, bound in published.items():
            each = [
                _largest(partial(certify_varying_delay, network, rate=rate, increments=more), FAR, 0.5, COARSE)
                for more in (False, True)
            ]
            print(f"{name}, rate {rate}: {each[0]:.4f}, with increments {each[1]:.4f}; published {bound}", flush=True)
    for name, network in (("second order", TWO), ("fourth order", FOUR), ("second order, 7", SEVENTH)):
        found_any = certify(network)
        print(f"{name}: {found_any.criterion}: {found_any.statement}; margin {found_any.margin:.3g}", flush=True)
    return int(wrong > 0)


def _largest(certify_one: Callable[..., Certificate], longest: float, shortest: float, tolerance: float) -> float:
    found = largest_delay(certify_one, longest, shortest=shortest, tolerance=tolerance)
    return found.delays[1] if found.is_exact else 0.0


def random_networks(networks: int = NETWORKS, first: int = 0) -> int:
    """Try to prove what is not true of random networks, and count what is proved of what is."""
    wrong = refused = proved = inside = bounded = 0
    for k in range(first, first + networks):
        rng = np.random.default_rng([SEED, k])
        network = random_network(rng)
        held = hold_against_exact(network, rng)
        for certificate in held.wrong:
            print(f"WRONG: {certificate} of {network.decay}, {network.weights}, {network.late_weights}", flush=True)
        wrong += len(held.wrong)
        refused += held.refused
        bounded += held.refused > 0
        proved += held.proved
        inside += held.inside
    print(
        f"{networks} random networks, {bounded} with an exact limit: {wrong} certificates above it, {refused} tried; "
        f"at 0.8 of the limit {proved} of {inside} proved"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
