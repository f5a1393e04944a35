"""Runs again with looser tolerances where ngspice does not converge.

Macro-models of op-amps (bipolar pairs and clamps without capacitance) do not converge at a reltol of 1e-5 with tight
absolute tolerances, but do at those that ngspice has by default. Whether a looser run is good enough is for the
self-check to say: it compares runs with a step and with half of it, whatever their tolerances.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..values.errors import ConvergenceError
from .options import Settings

T = TypeVar("T")


class _Rung(NamedTuple):
    """The least that tolerances are loosened to. `gmin`: across junctions, S; the first ones are without effect."""

    reltol: float
    gmin: float


# ngspice's own values: abstol A, vntol V, chgtol C, trtol.
CURRENT, VOLTAGE, CHARGE, TRUNCATION = 1e-12, 1e-6, 1e-14, 7.0
RUNGS = (_Rung(0.0, 1e-18), _Rung(1e-5, 1e-18), _Rung(1e-4, 1e-18), _Rung(1e-3, 1e-18), _Rung(1e-3, 1e-12))
LAST = _Rung(1e-3, 1e-9)


def looser(settings: Settings) -> Iterator[Settings]:
    """Yield settings that converge more easily: ngspice's absolute tolerances, then reltol, then gmin."""
    for rung in (*RUNGS, LAST):
        loose = settings._replace(
            reltol=max(settings.reltol, rung.reltol),
            tightest=max(settings.tightest, rung.reltol),
            current=max(settings.current, CURRENT),
            voltage=max(settings.voltage, VOLTAGE),
            charge=max(settings.charge, CHARGE),
            truncation=TRUNCATION,
            gmin=max(settings.gmin, rung.gmin),
        )
        if loose != settings:
            yield loose


def run_until_converged(
    attempt: Callable[[Settings], T], settings: Settings, *, keep: Path | None
) -> tuple[T, Settings]:
    """Return what an attempt gives, and the settings at which it converged: those asked for, or looser ones.

    Raises the ConvergenceError of the loosest attempt, with what was tried; its run folder is the one that is left.
    """
    try:
        return attempt(settings), settings
    except ConvergenceError as error:
        failed = error
    for loose in looser(settings):
        if keep is None and failed.folder is not None:
            shutil.rmtree(failed.folder, ignore_errors=True)
        try:
            return attempt(loose), loose
        except ConvergenceError as error:
            failed = error
    said = str(failed) if failed.folder is None else str(failed).removesuffix(f"; run folder kept: {failed.folder}")
    raise ConvergenceError(
        f"{said} (looser tolerances do not help: reltol up to {LAST.reltol:g}, abstol {CURRENT:g} A, vntol "
        f"{VOLTAGE:g} V, chgtol {CHARGE:g} C, gmin up to {LAST.gmin:g} S were tried)",
        folder=failed.folder,
    )
