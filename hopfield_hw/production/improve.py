"""Better boards: values of resistors with which more of them do their task, and the least cost of tolerances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from scipy import special

from ..board.choice import SECOND, SYNAPTIC, Stock, choose_parts
from ..board.design import Board
from ..circuit import Device
from ..parts import Resistor
from ..parts.series import as_series
from ..tolerance.centering import Centered, center
from ..tolerance.distributions import Fixed
from ..tolerance.draws import Variation, vary
from ..tolerance.least_cost import GradeChoice, choose_grades
from ..tolerance.sensitivity import Sensitivities, sensitivities
from ..tolerance.tolerances import Tolerances
from ..tolerance.yields import Yield
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.report import Report
from .margin_gradients import margin_gradients
from .monte_carlo import monte_carlo
from .rest import settle
from .samples import Maker, sample_maker
from .tasks import Task, Waves
from .usual import usual_tolerances, without_offsets

Groups = Literal["each", "roles"]
OPEN = 1e-12  # probabilities are kept this far from 0 and 1
POINTS = 101


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CenteredBoard(Report):
    """A board whose resistors were moved. `before`, `after`: yields of the task by runs of other samples.

    `moved`: with values of the series. `factors`: by group, the new value over the old one, before rounding. `search`:
    what centering did; its counts are of the nominal values before rounding, judged as the search judges.
    """

    start: Board = field(repr=False)
    moved: Board = field(repr=False)
    before: Yield
    after: Yield
    factors: Mapping[str, float]
    search: Centered

    @property
    def recovered(self) -> float:
        """What part of the failures is gone; 0 where nothing failed."""
        return self.after.recovered(self.before)

    @property
    def board(self) -> Board:
        """The moved board, or the old one where the runs give that at least the same yield."""
        return self.moved if self.after.value > self.before.value else self.start

    def rows(self) -> list[tuple[str, str]]:
        said = [("yield before", self.before.told()), ("yield after", self.after.told())]
        said.append(("of what was missing", f"{self.recovered:.0%} gained"))
        said.append(("board", "with the new values" if self.board is self.moved else "as it was: no better in runs"))
        moved = sorted(self.factors.items(), key=lambda item: -abs(np.log(item[1])))[:8]
        said.append(("moved most", ", ".join(f"{name} x {factor:.3f}" for name, factor in moved)))
        return said + [(f"search: {what}", told) for what, told in self.search.rows()]

    def figures(self) -> dict[str, Any]:
        return {
            "before": self.before.figures(),
            "after": self.after.figures(),
            "recovered": self.recovered,
            "factors": dict(self.factors),
            "search": self.search.figures(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Margins:
    """The margin of a task as a function of the parts' values, (S, columns): the worst of its runs.

    `starts`: of the equilibria followed from the nominal board's, which is fast; a board that is undecided has the
    worst margin there is, minus its outputs' swing. None: of runs; a board of which some fail has minus their number.
    """

    board: Board
    task: Task
    maker: Maker
    times: Array
    starts: tuple[Array, ...] | None

    def __call__(self, values: Array) -> Array:
        """Return the margins, (S,)."""
        samples = self.maker.make(values)
        found = []
        if self.starts is None:
            for run, signal in enumerate(self.task.runs(self.board)):
                states, outputs = samples.run(self.board.realised.initial, self.times, signal)
                found.append(self.task.judge(Waves(self.times, states, outputs, samples.span), run))
            failed = np.sum(~(np.stack(found) > 0.0), axis=0)
            return np.asarray(np.where(failed > 0, -failed, np.min(found, axis=0)), dtype=np.float64)
        for run, signal in enumerate(self.task.runs(self.board)):
            states, is_found = settle(samples, self.starts[run], signal)
            outputs = samples.outputs(states)
            waves = Waves(np.array([0.0, 1.0]), np.stack([states] * 2), np.stack([outputs] * 2), samples.span)
            found.append(np.where(is_found, self.task.judge(waves, run), -self._worst))
        return np.where(np.isfinite(np.min(found, axis=0)), np.min(found, axis=0), -self._worst)

    @property
    def _worst(self) -> float:
        return max(float(curve.y[-1] - curve.y[0]) for curve in self.maker.changes.curves)


def margins_of(
    board: Board, task: Task, variation: Variation, *, by_rest: bool = True, points: int = POINTS
) -> Margins:
    """Return the margin of a board's task as a function of the values of a variation's parts."""
    maker = sample_maker(circuit=variation.circuit, columns=variation.columns)
    times = np.linspace(0.0, board.t_stop, points)
    starts = None
    if by_rest:
        nominal = maker.make(variation.nominal[np.newaxis])
        starts = tuple(nominal.run(board.realised.initial, times, signal)[0][-1, 0] for signal in task.runs(board))
    return Margins(board=board, task=task, maker=maker, times=times, starts=starts)


def center_board(
    board: Board,
    task: Task,
    *,
    tolerances: Tolerances | None = None,
    groups: Groups = "each",
    room: float = 0.2,
    series: Any = "E96",
    two_resistors: float | None = 1e-3,
    by_rest: bool = True,
    samples: int = 200,
    fresh: int = 1000,
    steps: int = 10,
    seed: int,
    workers: int | None = None,
) -> CenteredBoard:
    """Return the board with resistors of its weights, biases, inputs and leaks moved so that more boards do the task.

    `groups`: "each" resistor by itself, or "roles": all of one role together (weights, leaks, biases). `room`: how far
    a value may move, a part of it. `series`, `two_resistors`: what the new values are chosen from, and the error beyond
    which one becomes two (None: never). `by_rest`: the search climbs on margins of equilibria, which is fast, but
    equilibria do not tell which of them a start leads to; without it, it moves by gravity on runs. `samples`, `steps`,
    `seed`: see `center`. The yields before and after are of runs of `fresh` samples that the search has not seen.

    Raises InputError as `center` and `monte_carlo` do.
    """
    given = usual_tolerances(board) if tolerances is None else tolerances
    base = board.circuit if isinstance(given.offset, Fixed) else without_offsets(board.circuit)
    variation = vary(base, given)
    found = _groups(variation, groups)
    if not found:
        raise InputError(
            "center_board: no resistor of a weight, a bias or a leak varies; give `tolerances` of resistors"
        )
    names, members = list(found), list(found.values())
    span = float(positive(room, "room", shape=(), unit=""))
    if span >= 1.0:
        raise InputError(f"center_board: `room` = {span:g}: must be below 1, as a part of each value")
    nominal = variation.nominal

    def about(p: Array) -> Array:
        moved = nominal.copy()
        for factor, columns in zip(p, members, strict=True):
            moved[columns] *= factor
        return moved

    def perturb(p: Array, z: Array) -> Array:
        return variation.values(np.clip(special.ndtr(z), OPEN, 1.0 - OPEN), about(p))

    ones = np.ones(len(names))
    search = center(
        margins_of(board, task, variation, by_rest=by_rest),
        ones,
        ones * (1.0 - span),
        ones * (1.0 + span),
        perturb=perturb,
        size=len(variation.streams),
        samples=samples,
        fresh=samples,
        objective="smooth" if by_rest else "gravity",
        steps=steps,
        seed=seed,
    )
    factors = dict(zip(names, search.nominal.tolist(), strict=True))
    by_device = {
        variation.columns[k].device: factor
        for factor, columns in zip(factors.values(), members, strict=True)
        for k in columns
    }
    better = _rebuilt(board, by_device, series, two_resistors)
    how: dict[str, Any] = {
        "task": task,
        "tolerances": given,
        "samples": fresh,
        "seed": seed + 1,
        "workers": workers,
        "engine": "equation",
    }
    return CenteredBoard(
        start=board,
        moved=better,
        before=monte_carlo(board, **how).yielded,
        after=monte_carlo(better, **how).yielded,
        factors=factors,
        search=search,
    )


def _groups(variation: Variation, kind: Groups) -> dict[str, list[int]]:
    """Return the columns of each group: two resistors that act as one always move together."""
    if kind not in ("each", "roles"):
        raise InputError(f"center_board: `groups` = {kind!r:.40}: must be 'each' or 'roles'")
    found: dict[str, list[int]] = {}
    for k, column in enumerate(variation.columns):
        device = variation.circuit.device(column.device)
        origin = device.origin
        if origin.role not in SYNAPTIC or not isinstance(device.part, Resistor) or "inverter" in str(origin.role):
            continue
        name = str(origin.role) if kind == "roles" else device.name.removesuffix(SECOND)
        found.setdefault(name, []).append(k)
    return found


def _rebuilt(board: Board, factors: Mapping[str, float], series: Any, two_resistors: float | None) -> Board:
    """Return the board with its resistors scaled, and chosen from their series again."""
    single: list[Device] = []
    dropped = {name for name in factors if name.endswith(SECOND)}
    circuit = board.circuit
    for device in circuit.devices:
        if device.name in dropped:
            continue
        if device.name not in factors:
            single.append(device)
            continue
        assert isinstance(device.part, Resistor)
        ohms, nodes = device.part.resistance, device.nodes
        if device.name + SECOND in factors:
            second = circuit.device(device.name + SECOND)
            assert isinstance(second.part, Resistor)
            other = second.part.resistance
            if set(second.nodes) == set(nodes):
                ohms = ohms * other / (ohms + other)
            else:
                ohms = ohms + other
                nodes = (nodes[0], second.nodes[1])
        part = replace(device.part, resistance=ohms * factors[device.name])
        single.append(device._replace(part=part, nodes=nodes))
    limits = board.limits
    stock = Stock(
        as_series(series),
        limits.least_resistance,
        limits.most_resistance,
        np.inf if two_resistors is None else two_resistors,
    )
    kept = {device.name for device in single if device.name not in factors}
    merged = replace(circuit, devices=tuple(single))
    return board.with_circuit(choose_parts(merged, stock, stock, as_series("E6"), kept=kept))


def part_sensitivities(
    board: Board,
    task: Task,
    *,
    tolerances: Tolerances | None = None,
    engine: Literal["equation", "ensemble"] = "equation",
) -> Sensitivities:
    """Return how the margin of the nominal board changes with every part that varies.

    `engine`: "equation", by differences of equilibria of the static equation, or "ensemble", by gradients of a run of
    the whole circuit with its macro-models: one run, whatever the number of parts, and all figures of op-amps.

    Raises InputError for another engine, and Unrealisable for a task whose margin has no derivative.
    """
    if engine not in ("equation", "ensemble"):
        raise InputError(f"part_sensitivities: `engine` = {engine!r:.40}: must be equation or ensemble")
    given = usual_tolerances(board) if tolerances is None else tolerances
    base = board.circuit if isinstance(given.offset, Fixed) else without_offsets(board.circuit)
    variation = vary(base, given)
    if engine == "ensemble":
        return margin_gradients(board, task, variation)
    margin = margins_of(board, task, variation)
    return sensitivities(margin, variation.nominal, variation.lower, variation.upper, names=variation.names)


def resistor_grades(
    board: Board, task: Task, *, yielded: float | None = 0.95, grades: Mapping[Any, float] | None = None
) -> GradeChoice:
    """Return which resistors must be of which grade for the task's margin to hold, at least cost.

    `yielded`: that part of all boards, by a linear margin with independent parts; None: all, in the worst case.
    `grades`: costs by tolerance, see `choose_grades`. Raises InputError as that does.
    """
    found = part_sensitivities(board, task, tolerances=Tolerances(resistors=0.01))
    return choose_grades(found.relative, found.margin, grades=grades, yielded=yielded, names=found.names)
