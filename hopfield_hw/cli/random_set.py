"""verify --random: many random networks, and their errors."""

from __future__ import annotations

from typing import NamedTuple

from ..families import FAMILIES
from ..spice.ngspice import find
from ..values.errors import InputError, SimulatorMissing
from ..verification.random_set import RandomReport, Trial, nrmse_quantile, verify_random
from .reporting import counting, emit_result, report_error, say_table, warn


class RandomSet(NamedTuple):
    """Which random networks to verify."""

    networks: int
    seed: int
    family: str
    cell: str
    accuracy: float | None
    workers: int | None

    @classmethod
    def of(
        cls, networks: int, seed: int | None, family: str | None, cell: str, accuracy: float | None, workers: int | None
    ) -> RandomSet:
        """Return a set with defaults for what is None. Raises InputError for what is out of range."""
        if networks < 1:
            raise InputError(f"--random {networks}: must be at least 1 network")
        if family is not None and family not in FAMILIES:
            raise InputError(f"--family {family!r:.60}: must be one of {', '.join(FAMILIES)}")
        if seed is not None and seed < 0:
            raise InputError(f"--seed {seed}: must be 0 or above")
        if workers is not None and workers < 1:
            raise InputError(f"--workers {workers}: must be at least 1 process")
        return cls(
            networks=networks,
            seed=0 if seed is None else seed,
            family="hopfield" if family is None else family,
            cell=cell,
            accuracy=accuracy,
            workers=workers,
        )


def verify_set(asked: RandomSet, *, as_json: bool) -> int:
    """Verify a set, report it, and return the exit status."""
    try:
        version = find().version
    except SimulatorMissing as error:
        message = f"{error}; none of the {asked.networks} random networks was verified"
        report_error(error, as_json=as_json, message=message)
        return error.exit_status
    with counting(f"random networks, cell {asked.cell}", asked.networks) as advance:
        report = verify_random(
            asked.networks,
            seed=asked.seed,
            family=asked.family,
            cell=asked.cell,
            accuracy=asked.accuracy,
            workers=asked.workers,
            progress=lambda _: advance(),
        )
    failures = [trial for trial in report.trials if trial.failure]
    if as_json:
        emit_result({**report.to_json(), "engine": "ngspice", "version": version})
    else:
        _show(report, version)
    for trial in failures:
        warn(f"network {trial.index}: {trial.failure}", "error")
    if failures:
        return SimulatorMissing.exit_status
    return 0 if report.passed else 1


def _show(report: RandomReport, version: int) -> None:
    say_table([*report.rows(), ("engine", f"ngspice {version}")], title="random networks")
    kinds = sorted({trial.gain for trial in report.trials})
    by_gain = [(kind, [trial for trial in report.trials if trial.gain == kind]) for kind in kinds]
    table = [
        (kind, str(len(same)), *(f"{nrmse_quantile(same, part):.1e}" for part in (0.5, 1.0))) for kind, same in by_gain
    ]
    say_table(table, columns=("gain curve", "networks", "median NRMSE", "largest NRMSE"))
    for title, listed in (("self-amplifying", report.restarted), ("not passed", report.not_passed)):
        if listed:
            say_table([_row(trial) for trial in listed], title=title, columns=ROW)


ROW = (
    "network",
    "neurons",
    "gain curve",
    "slope",
    "symmetric",
    "NRMSE",
    "verdict",
    "settled",
    "agrees up to",
    "growth",
)


def _row(trial: Trial) -> tuple[str, ...]:
    return (
        str(trial.index),
        str(trial.neurons),
        trial.gain,
        f"{trial.slope:.3g}",
        "yes" if trial.symmetric else "no",
        f"{trial.nrmse:.1e}",
        trial.verdict,
        trial.settled,
        f"{trial.gate:.3g} R C",
        f"{trial.growth:.2g}",
    )
