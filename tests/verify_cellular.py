"""A part of the long proof, `make verify-full`: random cellular networks in ideal cells against their equations."""

from __future__ import annotations

import sys

import numpy as np

import hopfield_hw as hh
from hopfield_hw.families import random_cellular

SEED, COUNT, TOLERANCE = 1988, 100, 1e-4
# What ngspice is asked for: where a network amplifies, the error left is above what two step lengths tell.
ACCURACY = 5e-5
# As for random networks (hopfield_hw.random_check): this part may amplify small errors, none within two time constants.
MAX_CUT, EARLIEST = 0.05, 2.0


def main() -> int:
    """Verify every network, print what stands out and a summary, and return 0 where everything holds."""
    found, failed, cut = [], 0, 0
    for rng in np.random.default_rng(SEED).spawn(COUNT):
        network = random_cellular(rng)
        result = hh.verify(network.graph(), inputs=network.inputs, accuracy=ACCURACY, tolerance=TOLERANCE)
        early = result.cut and result.gate < EARLIEST * network.resistance * network.capacitance
        failed, cut = failed + (early or not result.passed), cut + result.cut
        found.append(result.nrmse)
        if result.cut or not result.passed:
            print(f"  {len(found) - 1}: {network.shape}\n{result}", flush=True)
    errors = f"NRMSE worst {max(found):.2e}, median {np.median(found):.1e}"
    print(f"{COUNT} random cellular networks at {TOLERANCE:g}: {errors}; fell short {failed}; cut {cut}")
    return 0 if failed == 0 and cut <= MAX_CUT * COUNT else 1


if __name__ == "__main__":
    sys.exit(main())
