"""A part of the long proof: every annealing dynamics as a circuit, in ideal cells and in op-amps."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

import hopfield_hw as hh
from hopfield_hw.annealing import PRESETS, ChaoticAnnealing, Dynamics, Hysteresis, IsingModel, annealing_graph

STARTS = 50
EVERY: dict[str, Dynamics] = {
    **{name: PRESETS[name] for name in ("first_order", "first_order_noise", "ballistic", "discrete", "amplitude")},
    "chaotic": ChaoticAnnealing(t_stop=10.0, step=0.01, gain=2.0, feedback=(1.5, 0.0), coupling=0.5, start=0.5),
    "hysteresis": Hysteresis(t_stop=12.0, step=0.01, width=0.3, start=0.8),
}


def max_cut(n: int) -> IsingModel:
    """Each pair of nodes joined with probability 1/2."""
    upper = np.triu(np.random.default_rng(1).random((n, n)) < 0.5, 1).astype(np.float64)
    return IsingModel.max_cut(upper + upper.T)


def every_dynamics() -> bool:
    """Verify 12 R C of each dynamics on five nodes."""
    failed = 0
    for name, dynamics in EVERY.items():
        made = annealing_graph(max_cut(5), replace(dynamics, t_stop=min(dynamics.t_stop, 12.0)), seed=1)
        for cell in ("ideal", "active_rc"):
            result = hh.verify(made.graph, cell=cell, t_stop=made.t_stop, inputs=made.inputs)
            print(f"{name} in {cell}: {result.verdict}, NRMSE {result.nrmse:.1e}", flush=True)
            failed += not result.passed
    return failed == 0


def same_cuts(name: str) -> bool:
    """A graph of 16 nodes from 50 starts: ngspice ends at the same cut as the equation."""
    model, same, best = max_cut(16), 0, []
    for seed in range(STARTS):
        made = annealing_graph(model, name, seed=seed)
        run = {"t_stop": made.t_stop, "inputs": made.inputs, "accuracy": 1e-4}
        equation, spice = (made.decisions(machine(made.graph, **run)) for machine in (hh.reference, hh.simulate))
        same += bool(np.array_equal(equation, spice))
        best.append(float(model.energies(spice[np.newaxis])[0]))
    cuts = f"cuts from {-max(best):g} to {-min(best):g}"
    print(f"{name}: the same cut from {same} of {STARTS} starts; {cuts}", flush=True)
    return same == STARTS


def main() -> int:
    """Return 0 where everything holds."""
    return 0 if all([every_dynamics(), same_cuts("first_order"), same_cuts("ballistic")]) else 1


if __name__ == "__main__":
    sys.exit(main())
