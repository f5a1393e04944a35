"""The yield of a task over a quantity: the tolerance of resistors, the temperature, the supplies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..board.design import Board
from ..board.supplies import on_supplies
from ..parts.figures import check_supplies
from ..tolerance.drifts import check_temperature
from ..tolerance.tolerances import Tolerances
from ..tolerance.yields import Yield
from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.physics import ROOM
from ..values.report import Report
from .monte_carlo import MonteCarlo, monte_carlo
from .study import Engine, choose_engine
from .tasks import Task
from .usual import usual_tolerances

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOAL = 0.95


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class YieldCurve(Report):
    """The yield of a task at points of a quantity, of the same random numbers throughout.

    `quantity`, `unit`: what is swept. `points`: increasing; `nominal`: the one that the board is designed for.
    `notes`: of each point, what is to be known of it, "" for nothing. `engine`: the machine of all of them, and `why`:
    what was in the way of the engine "ensemble", where none was asked for.
    """

    quantity: str
    unit: str
    points: tuple[float, ...]
    yields: tuple[Yield, ...]
    nominal: float
    notes: tuple[str, ...]
    engine: Engine
    why: str = ""

    def reaches(self, goal: float = GOAL) -> tuple[float, float] | None:
        """Return the first and the last point about the nominal one between which every yield has its interval's lower
        end at the goal; None where that of the nearest to it has not."""
        passed = [one.passes(goal) == "passed" for one in self.yields]
        nearest = min(range(len(passed)), key=lambda k: abs(self.points[k] - self.nominal))
        if not passed[nearest]:
            return None
        first = last = nearest
        while first > 0 and passed[first - 1]:
            first -= 1
        while last < len(passed) - 1 and passed[last + 1]:
            last += 1
        return self.points[first], self.points[last]

    def crossings(self, goal: float = GOAL) -> tuple[float, ...]:
        """Return where the yield itself passes through the goal, on straight lines between the points."""
        found = []
        ends = list(zip(self.points, (one.value for one in self.yields), strict=True))
        for (before, low), (after, high) in pairwise(ends):
            if (low >= goal) != (high >= goal):
                found.append(before + (goal - low) / (high - low) * (after - before))
        return tuple(found)

    def rows(self) -> list[tuple[str, str]]:
        said = [("yield over", self.quantity)]
        said.append(("machine", f"{self.engine}; {self.why}" if self.why else self.engine))
        for point, one, note in zip(self.points, self.yields, self.notes, strict=True):
            said.append((self.text(point), one.told() + (f"; {note}" if note else "")))
        proved, crossed = self.reaches(), self.crossings()
        within = "at none of these" if proved is None else f"{self.text(proved[0])} to {self.text(proved[1])}"
        said.append((f"{GOAL:.0%} for sure", within))
        said.append((f"{GOAL:.0%} about at", ", ".join(map(self.text, crossed)) or "none between these"))
        return said

    def text(self, value: float) -> str:
        """Return a point as text, with the unit."""
        return f"{value:.3g}{f' {self.unit}' if self.unit else ''}"

    def figures(self) -> dict[str, Any]:
        return {
            "quantity": self.quantity,
            "unit": self.unit,
            "engine": self.engine,
            "why": self.why,
            "points": list(self.points),
            "yields": [one.figures() for one in self.yields],
            "notes": list(self.notes),
            "reaches_95": self.reaches(),
            "crosses_95": self.crossings(),
        }

    def plot(self, path: Path | str | None = None, *, title: str = "") -> Figure:
        """Return the picture of the yields with their intervals, and write it where a path is given."""
        from ..pictures.files import save_figure
        from ..pictures.yields import plot_yields

        return save_figure(plot_yields(self, title=title), path)


def yield_against_tolerance(
    board: Board,
    task: Task,
    *,
    tolerances: Sequence[Any] = (0.001, 0.01, 0.02, 0.05, 0.1),
    others: Tolerances | None = None,
    **how: Any,
) -> YieldCurve:
    """Return the yield for each tolerance of the resistors, smallest first; all other parts as in `others`.

    `others`: `usual_tolerances(board)` by default. `how`: as for `monte_carlo`; every tolerance has the same seed.
    """
    where = "yield_against_tolerance"
    found = sorted(
        {float(freeze(one, "tolerances", shape=(), unit="")) for one in _some(tolerances, "tolerances", where)}
    )
    _refuse(how, ("tolerances",), where)
    base = usual_tolerances(board) if others is None else others
    given = [replace(base, resistors=one) for one in found]
    runs = [monte_carlo(board, task=task, tolerances=one, **how) for one in given]
    return _curve("tolerance of resistors", "", found, runs, nominal=0.0)


def yield_against_temperature(
    board: Board, task: Task, *, temperatures: Sequence[Any] = (0.0, ROOM, 50.0, 70.0), **how: Any
) -> YieldCurve:
    """Return the yield at temperatures, degrees Celsius, coldest first.

    What changes: the curves of amplifiers, which are measured at each; and resistors, capacitors and offsets, each by a
    coefficient of its own (`drifts`, see `Drifts`), the same at all temperatures. `how`: as for `monte_carlo`; the
    machine is the same at all of them.
    """
    where = "yield_against_temperature"
    found = sorted({check_temperature(one, "temperatures") for one in _some(temperatures, "temperatures", where)})
    _refuse(how, ("temperature", "resume"), where)
    why = ""
    if how.get("engine") is None:
        engine, why = choose_engine(board.circuit, *found)
        how = {**how, "engine": engine}
    runs = [replace(monte_carlo(board, task=task, temperature=one, **how), why=why) for one in found]
    return _curve("temperature", "degrees C", found, runs, nominal=ROOM)


def yield_against_supply(
    board: Board, task: Task, *, supplies: Sequence[tuple[float, float]], **how: Any
) -> YieldCurve:
    """Return the yield of the same parts on other supplies, by the whole supply, volts, lowest first.

    `supplies`: rails, volts, the upper one first. What changes: the swing of op-amps, which amplifiers clip at, what
    their rejection of supplies lets through, and the checks of the design: those that fail are in `notes`. With the
    engine "equation" op-amps have no range of inputs: where such a check fails, take another one. `how`: as for
    `monte_carlo`.

    Raises InputError for wrong rails, and for two of the same whole supply; Unrealisable for a supply that the op-amps
    do not work from.
    """
    where = "yield_against_supply"
    rails = [check_supplies(one) for one in _some(supplies, "supplies", where)]
    _refuse(how, ("resume",), where)
    by_whole = {upper - lower: (upper, lower) for upper, lower in rails}
    if len(by_whole) < len(rails):
        raise InputError(f"{where}: `supplies`: two have the same voltage between their rails; give one of them")
    found = sorted(by_whole)
    boards = [on_supplies(board, *by_whole[one]) for one in found]
    runs = [monte_carlo(one, task=task, **how) for one in boards]
    notes = ["; ".join(str(check) for check in one.checks if not check.passed) for one in boards]
    return _curve("supply", "V", found, runs, nominal=board.model.supply_plus - board.model.supply_minus, notes=notes)


def _curve(
    quantity: str,
    unit: str,
    points: Sequence[float],
    runs: Sequence[MonteCarlo],
    *,
    nominal: float,
    notes: Sequence[str] | None = None,
) -> YieldCurve:
    return YieldCurve(
        quantity=quantity,
        unit=unit,
        points=tuple(points),
        yields=tuple(run.yielded for run in runs),
        nominal=nominal,
        notes=tuple(notes or [""] * len(points)),
        engine=runs[0].engine,
        why=runs[0].why,
    )


def _some(values: Any, name: str, where: str) -> list[Any]:
    """Return values as a list. Raises InputError for one value, and for none."""
    try:
        found = list(values)
    except TypeError:
        raise InputError(f"{where}: `{name}` = {values!r:.40}: must be several, in a list") from None
    if not found:
        raise InputError(f"{where}: `{name}`: is empty; give some")
    return found


def _refuse(how: dict[str, Any], names: Sequence[str], where: str) -> None:
    for name in names:
        if name in how:
            raise InputError(f"{where}: `{name}`: each point has its own; leave it out")
