"""A part of the long proof, `make verify-full`: random cellular networks in ideal cells against their equations."""

from __future__ import annotations

import sys

import numpy as np

import hopfield_hw as hh
from hopfield_hw.families import random_cellular

SEED, COUNT, TOLERANCE = 1988, 100, 1e-4
# What ngspice is asked for: where a network amplifies, the error left is above what two step lengths tell.
ACCURACY = 5e-5


def main() -> int:
    """Verify every network, print what stands out and a summary, and return 0 where everything holds."""
    found, failed, restarted = [], 0, 0
    for rng in np.random.default_rng(SEED).spawn(COUNT):
        network = random_cellular(rng)
        result = hh.verify(network.graph(), inputs=network.inputs, accuracy=ACCURACY, tolerance=TOLERANCE)
        failed, restarted = failed + (not result.passed), restarted + result.restarted
        found.append(result.nrmse)
        if result.restarted or not result.passed:
            print(f"  {len(found) - 1}: {network.shape}\n{result}", flush=True)
    errors = f"NRMSE worst {max(found):.2e}, median {np.median(found):.1e}"
    print(f"{COUNT} random cellular networks at {TOLERANCE:g}: {errors}; not passed {failed}; restarted {restarted}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
