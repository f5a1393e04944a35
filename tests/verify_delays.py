"""The long proof of delays: 100 random networks of each kind, ideal cells in ngspice against their delay equations."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.analysis.amplification import GROWTH
from hopfield_hw.families import DELAYED_KINDS, random_delayed
from hopfield_hw.random_check import EARLIEST_CUT, MAX_CUT

SEED = 1989
COUNT = 100
RC = 1e-3  # near that of the networks
T_STOP = 20 * RC
TIMEOUT = 120.0
# A delay that varies comes by interpolation between taps.
LIMITS = {"varying": 1e-3}
LIMIT = 1e-4


class Trial(NamedTuple):
    """What the verification of one network found."""

    kind: str
    index: int
    passed: bool
    nrmse: float
    settled: str
    growth: float
    cut: bool
    gate: float
    seconds: float


def trial(job: tuple[str, int]) -> Trial:
    kind, index = job
    graph = random_delayed(np.random.default_rng([SEED, index]), kind)
    try:
        found = hh.verify(graph, t_stop=T_STOP, accuracy=LIMITS.get(kind, LIMIT), timeout=TIMEOUT)
    except hh.SimulatorError as error:
        return Trial(kind, index, False, np.inf, str(error), 0.0, False, 0.0, 0.0)
    seconds = sum(found.seconds.values())
    return Trial(kind, index, found.passed, found.nrmse, found.settled, found.growth, found.cut, found.gate, seconds)


def within_limits(trials: Sequence[Trial]) -> bool:
    """Whether all pass, and those that amplify small errors are few and late enough."""
    cut = [found for found in trials if found.cut]
    early = any(found.gate < EARLIEST_CUT * RC for found in cut)
    return all(found.passed for found in trials) and not early and len(cut) <= max(MAX_CUT * len(trials), 1)


def main(count: int = COUNT) -> int:
    """Run all kinds, print what stands out, and return 0 where everything holds."""
    good = True
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for kind in DELAYED_KINDS:
            trials = []
            for found in pool.map(trial, [(kind, index) for index in range(count)]):
                trials.append(found)
                if not found.passed or found.growth >= GROWTH:
                    print(f"  {found}", flush=True)
            good = good and within_limits(trials)
            errors = [found.nrmse for found in trials]
            print(
                f"{kind}: {len(trials)} networks at {LIMITS.get(kind, LIMIT):g}: {sum(t.passed for t in trials)} pass; "
                f"NRMSE worst {max(errors):.2e}, median {np.median(errors):.1e}; self-amplifying "
                f"{sum(t.growth >= GROWTH for t in trials)}, cut {sum(t.cut for t in trials)}; "
                f"unsettled {sum(t.settled == 'not settled' for t in trials)}; {sum(t.seconds for t in trials):.0f} s",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
