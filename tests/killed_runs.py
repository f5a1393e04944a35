"""A study that is killed again and again, and goes on: `python killed_runs.py KIND PATH KILLS`, for tests.

Each run is a copy of this process (fork), which has loaded and compiled everything. It is killed a random time after it
has done as many blocks more as chance says, 0 to 2. What is printed: how many blocks were done at each kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board
from hopfield_hw.circuit import Ensemble
from hopfield_hw.ensemble import blocks
from hopfield_hw.production import study
from hopfield_hw.production.monte_carlo import MonteCarlo, monte_carlo
from hopfield_hw.production.tasks import Pattern
from hopfield_hw.tolerance import Tolerances, draw_factors, vary

BLOCK, BLOCKS = 8, 30
LATER = 0.1  # seconds


@cache
def samples() -> Ensemble:
    """Return drawn circuits of two neurons."""
    network = hh.Network(
        weights=[[0.0, -50e-6], [-50e-6, 0.0]],
        resistance=10e3,
        capacitance=10e-9,
        gain=hh.Tanh(gain=10.0),
        initial=[0.10, 0.05],
    )
    varied = vary(hh.lower(network, cell="hopfield_tank"), Tolerances(resistors="1%"))
    return draw_factors(varied, seed=1, samples=BLOCK * BLOCKS).ensemble


def simulate(store: Path | None) -> Any:
    """Return the waveforms of the samples."""
    return blocks.simulate_in_blocks(samples(), store=store, workers=1, t_stop=1e-3, points=101)


@cache
def board() -> Board:
    """Return a board of two neurons."""
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.02, -0.02],
        bias=[1e-6, -1e-6],
    )
    return design_board(network, t_stop=3e-4)


def judge(resume: Path | None) -> MonteCarlo:
    """Return what drawn boards do."""
    how: dict[str, Any] = {"samples": BLOCK * BLOCKS, "seed": 2, "engine": "ensemble", "workers": 1, "points": 51}
    return monte_carlo(board(), task=Pattern(signs=[1, -1]), resume=resume, **how)


KINDS = {"waves": simulate, "margins": judge}


def set_blocks(size: int = BLOCK) -> None:
    """Make blocks small, so that there are many to kill between."""
    blocks.TOGETHER = study.TOGETHER = size


def count(path: Path) -> int:
    """Return how many blocks are done."""
    lines = path / blocks.STUDY if path.is_dir() else path
    return max(0, lines.read_bytes().count(b"\n") - 1) if lines.exists() else 0


def main(kind: str, path: Path, kills: int) -> None:
    set_blocks()
    KINDS[kind](None)
    random, done = np.random.default_rng(), [0]
    while len(done) <= kills:
        child = os.fork()
        if not child:
            KINDS[kind](path)
            os._exit(0)
        wanted = done[-1] + random.integers(0, 3)
        while count(path) < wanted and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(1e-3)
        time.sleep(random.uniform(0.0, LATER))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            raise SystemExit(f"a run ended before it was killed, with status {status}, after {done}")
        done.append(count(path))
    print(json.dumps(done[1:]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
