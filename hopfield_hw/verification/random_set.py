"""Many random networks, each verified: the answer to "does it hold in general?"."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..analysis.energy import has_energy
from ..families import FAMILIES
from ..graph import Activate, Graph, Leak, as_graph
from ..networks.network import Network
from ..transforms import in_si
from ..values.brief import Brief
from ..values.errors import InputError, SimulatorError
from ..values.report import Report
from .entry import verify
from .evidence import Verdict

# What a network is held to where nothing is asked for; a delay that varies is interpolated between taps.
ACCURACY, ACCURACIES = 1e-4, {"delayed_varying": 1e-3}
# How long a trial runs, in its largest time constant.
LENGTH = 20.0
QUANTILES = {"least": 0.0, "median": 0.5, "90 %": 0.9, "99 %": 0.99, "largest": 1.0}


@dataclass(frozen=True, kw_only=True)
class Trial(Brief):
    """One random network and what its verification found; `failure` where the simulator did not deliver.

    `gain`: the kinds of its functions. `slope`: the largest slope of one at zero. `symmetric`: whether it is a
    Hopfield network with an energy. `restarted`: whether it amplifies small errors, so that it is judged step by step;
    `gate`: up to when whole waveforms agree all the same, in its largest time constant. `seen`: the share of devices
    of which a change of 5% would have been noticed.
    """

    index: int
    neurons: int
    gain: str
    slope: float
    symmetric: bool
    verdict: Verdict = "failed"
    reasons: tuple[str, ...] = ()
    nrmse: float = np.inf
    steps: float = np.inf
    settled: str = "not settled"
    self_check: float = np.inf
    restarted: bool = False
    gate: float = 0.0
    growth: float = 0.0
    seen: float = 0.0
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class RandomReport(Report):
    """The trials of a set, one or more. `passed`: every one is."""

    trials: tuple[Trial, ...]
    tolerance: float
    seed: int
    family: str
    cell: str

    @property
    def not_passed(self) -> tuple[Trial, ...]:
        """Trials that failed, are undecided, or that the simulator failed on."""
        return tuple(trial for trial in self.trials if trial.verdict != "passed")

    @property
    def restarted(self) -> tuple[Trial, ...]:
        """Self-amplifying trials, judged step by step."""
        return tuple(trial for trial in self.trials if trial.restarted)

    @property
    def verdict(self) -> Verdict:
        """Passed where every trial is; undecided where some are and none has failed."""
        found = {trial.verdict for trial in self.trials}
        return "failed" if "failed" in found else "undecided" if "undecided" in found else "passed"

    @property
    def passed(self) -> bool:
        """Whether every trial is passed."""
        return self.verdict == "passed"

    def quantile(self, part: float) -> float:
        """Return the NRMSE that this part of the trials does not exceed."""
        return nrmse_quantile(self.trials, part)

    def rows(self) -> list[tuple[str, str]]:
        """Return the set as (what, value) rows, the result first."""
        trials = self.trials
        sizes = [trial.neurons for trial in trials]
        spread = ", ".join(f"{name} {self.quantile(part):.1e}" for name, part in QUANTILES.items())
        settled = ", ".join(f"{kind} {number}" for kind, number in sorted(Counter(t.settled for t in trials).items()))
        others = ", ".join(f"{kind} {number}" for kind, number in Counter(t.verdict for t in self.not_passed).items())
        return [
            ("result", self.verdict),
            ("networks", f"{len(trials)} of family {self.family}, seed {self.seed}, cell {self.cell}"),
            ("neurons", f"{min(sizes)} to {max(sizes)}, {sum(sizes)} in all"),
            ("NRMSE", f"{spread} (tolerance {self.tolerance:.0e})"),
            ("settled state", settled),
            ("step by step", f"within {max(trial.steps for trial in trials):.1e} of the range in a time constant"),
            ("self-amplifying", f"{len(self.restarted)}, judged step by step alone"),
            ("coverage", f"a change of 5% is seen of {np.mean([trial.seen for trial in trials]):.0%} of the devices"),
            ("not passed", others or "0"),
            ("seconds", f"{sum(trial.seconds for trial in trials):.1f} of processor time"),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the set; trials that stand out are listed."""
        trials = self.trials
        worst = max(trials, key=lambda trial: trial.nrmse)
        return {
            "status": self.verdict,
            "networks": len(trials),
            "family": self.family,
            "cell": self.cell,
            "seed": self.seed,
            "tolerance": self.tolerance,
            "neurons": sum(trial.neurons for trial in trials),
            "nrmse": worst.nrmse,
            "nrmse_median": float(np.median([trial.nrmse for trial in trials])),
            "worst_error": {"network": worst.index, "nrmse": worst.nrmse},
            "quantiles": {name: self.quantile(part) for name, part in QUANTILES.items()},
            "steps": max(trial.steps for trial in trials),
            "self_amplifying": [vars(trial) for trial in self.restarted],
            "not_passed": [vars(trial) for trial in self.not_passed],
            "verdicts": Counter(trial.verdict for trial in trials),
            "settled": Counter(trial.settled for trial in trials),
            "seconds": sum(trial.seconds for trial in trials),
        }


def nrmse_quantile(trials: Sequence[Trial], part: float) -> float:
    """Return the NRMSE that a part of some trials does not exceed."""
    return float(np.quantile([trial.nrmse for trial in trials], part, method="higher"))


def verify_random(
    count: int,
    *,
    seed: int,
    family: str = "hopfield",
    cell: str = "ideal",
    accuracy: float | None = None,
    workers: int | None = None,
    progress: Callable[[Trial], None] | None = None,
) -> RandomReport:
    """Verify `count` random networks of a family in parallel; network k depends on (seed, k) alone.

    `accuracy`: NRMSE, asked for and allowed; 1e-4 by default, and 1e-3 where delays vary.

    Raises InputError for an unknown family or a count below one.
    """
    if family not in FAMILIES:
        raise InputError(f"family {family!r:.60}: must be one of {', '.join(FAMILIES)}")
    if count < 1:
        raise InputError(f"count = {count}: must be at least 1 network")
    goal = ACCURACIES.get(family, ACCURACY) if accuracy is None else accuracy
    jobs = [(seed, k, family, cell, goal) for k in range(count)]
    trials = []
    for trial in _run(jobs, workers if workers is not None else os.cpu_count() or 1):
        trials.append(trial)
        if progress is not None:
            progress(trial)
    trials.sort(key=lambda trial: trial.index)
    return RandomReport(trials=tuple(trials), tolerance=goal, seed=seed, family=family, cell=cell)


def draw(seed: int, index: int, family: str = "hopfield") -> Graph | Network:
    """Return network `index` of a seed."""
    return FAMILIES[family](np.random.default_rng([seed, index]))


def time_constant(graph: Graph) -> float:
    """Return the largest R C of a graph, seconds; one unit of its time where it has pure integrators alone."""
    network = in_si(graph)
    constants = [leak.resistance * leak.capacitance for leak in network.of_type(Leak)]
    finite = [float(tau) for tau in np.concatenate(constants) if np.isfinite(tau)]
    return max(finite, default=graph.units.seconds_per_unit)


def _run(jobs: Sequence[tuple[int, int, str, str, float]], workers: int) -> Iterator[Trial]:
    if workers == 1:
        yield from map(_trial, jobs)
        return
    with ProcessPoolExecutor(max_workers=workers) as pool:
        yield from pool.map(_trial, jobs)


def _trial(job: tuple[int, int, str, str, float]) -> Trial:
    seed, index, family, cell, accuracy = job
    graph = as_graph(draw(seed, index, family))
    tau = time_constant(graph)
    functions = {op.function: op.function.derivative(np.zeros(op.size)) for op in graph.of_type(Activate)}
    trial = Trial(
        index=index,
        neurons=sum(leak.output_size for leak in graph.of_type(Leak)),
        gain=", ".join(sorted({function.kind for function in functions})),
        slope=max((float(np.max(np.abs(slope))) for slope in functions.values()), default=0.0),
        symmetric=has_energy(graph),
    )
    try:
        result = verify(graph, cell=cell, t_stop=LENGTH * tau, accuracy=accuracy, rescale=True)
    except SimulatorError as error:
        return replace(trial, failure=str(error))
    return replace(
        trial,
        verdict=result.verdict,
        reasons=result.reasons,
        nrmse=result.nrmse,
        steps=result.steps.size,
        settled=result.settled,
        self_check=result.self_check,
        restarted=result.restarted,
        gate=result.gate / tau,
        growth=result.growth or 0.0,
        seen=result.coverage.share(0.05),
        seconds=sum(result.seconds.values()),
    )
