"""What a fault of each part does: open, short, wrong by a decade, swapped with its neighbour, a dead amplifier.

By the static equation, one board a fault, all of them at once: a resistor that is open has no conductance, one that is
shorted `SHORT` ohms; an amplifier that is dead gives a constant output. Faults of capacitors, of integrators and within
amplifiers change the circuit itself: they are counted as not done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ..board.choice import SYNAPTIC
from ..board.design import Board
from ..circuit import Device, Role
from ..parts import Capacitor, Resistor
from ..tolerance.distributions import Fixed
from ..tolerance.draws import Column, Draws, draw_factors, vary
from ..tolerance.tolerances import Parameter
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.report import Report
from .samples import Samples, block_size, sample_maker
from .tasks import Task, Waves
from .usual import usual_tolerances, without_offsets

Kind = Literal["open", "short", "times ten", "by ten", "swapped", "dead"]
KINDS: tuple[Kind, ...] = ("open", "short", "times ten", "by ten", "swapped", "dead")
OPEN, SHORT = 1e12, 10.0  # ohms
SPREAD = 100  # boards whose nodes say what is usual
SIGMAS = 3.0
POINTS = 101
MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class FaultEffect:
    """One fault: of which `part`, of which `kind`, what becomes of the task, and where it shows.

    `margin`: of the task with it; NaN undecided. `test_point`: the node whose voltage at rest is furthest from the
    nominal one, `change` volts, in units of what tolerances give it, 3 sigma: `sharpness`; below 1 it does not show.
    """

    part: str
    kind: Kind
    margin: float
    test_point: str
    change: float
    sharpness: float

    @property
    def effect(self) -> Literal["fails", "undecided", "weaker", "none"]:
        """What becomes of the task."""
        if np.isnan(self.margin):
            return "undecided"
        return "fails" if self.margin <= 0.0 else "weaker"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FaultEffects(Report):
    """The effects of all faults, the worst first. `nominal`: the margin without any, in `unit`.

    `left_out`: parts whose faults the static equation does not know, by why.
    """

    effects: tuple[FaultEffect, ...] = field(repr=False)
    nominal: float
    unit: str
    left_out: dict[str, int]

    @property
    def failing(self) -> tuple[FaultEffect, ...]:
        """Those with which the task is not done, or not known to be."""
        return tuple(e for e in self.effects if e.effect in ("fails", "undecided"))

    @property
    def hidden(self) -> tuple[FaultEffect, ...]:
        """Those that no test point shows beyond the tolerances."""
        return tuple(e for e in self.effects if e.sharpness < 1.0)

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Return a row for each fault: part, fault, task, margin, test point."""
        return [
            (
                e.part,
                e.kind,
                e.effect,
                "not known" if np.isnan(e.margin) else f"{e.margin:.3g} {self.unit}".rstrip(),
                f"{e.test_point} by {e.change:+.3g} V, {e.sharpness:.2g} x its tolerance",
            )
            for e in self.effects
        ]

    def rows(self) -> list[tuple[str, str]]:
        said = [
            ("faults", f"{len(self.effects)}; with {len(self.failing)} the task is not done"),
            ("margin without", f"{self.nominal:.4g} {self.unit}".rstrip()),
            ("shown by no test point", f"{len(self.hidden)}"),
        ]
        said += [(f"left out: {why}", f"{count} parts") for why, count in self.left_out.items()]
        shown = self.table()[:MOST_SHOWN]
        return said + [
            (f"{part} {kind}", f"{effect}, margin {margin}; {test}") for part, kind, effect, margin, test in shown
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "nominal": self.nominal,
            "unit": self.unit,
            "left_out": dict(self.left_out),
            "effects": [
                {
                    "part": e.part,
                    "kind": e.kind,
                    "effect": e.effect,
                    "margin": e.margin,
                    "test_point": e.test_point,
                    "change": e.change,
                    "sharpness": e.sharpness,
                }
                for e in self.effects
            ],
        }


def find_fault_effects(board: Board, task: Task, *, kinds: Iterable[Kind] = KINDS, seed: int = 1) -> FaultEffects:
    """Return what each fault of the board's synaptic parts, capacitors and amplifiers does to a task, the worst first.

    `kinds`: which faults. `seed`: of the 100 boards whose spread says what a test point tells. Resistors within an
    amplifier, references and compensation are left out and counted: the static equation has their effect on a curve
    for small changes alone.

    Raises InputError for an unknown kind.
    """
    wanted = tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise InputError(f"find_fault_effects: `kinds` holds {kind!r:.40}: must be {', '.join(KINDS)}")
    circuit = without_offsets(board.circuit)
    resistors = [d for d in circuit.devices if isinstance(d.part, Resistor) and d.origin.role in SYNAPTIC]
    capacitors = [d for d in circuit.devices if isinstance(d.part, Capacitor) and d.origin.role == Role.CAPACITANCE]
    columns = tuple(_column(d) for d in (*resistors, *capacitors))
    maker = sample_maker(circuit=circuit, columns=columns)
    faults, values = _values(resistors, capacitors, maker.nominal, wanted)
    n = board.network.size
    stuck: list[tuple[int, float]] = []
    if "dead" in wanted:
        low, high = board.model.swing()
        for k in range(n):
            for level in (0.0, low, high):
                faults.append((f"amplifier {circuit.outputs[k].label} at {level:.3g} V", "dead"))
                stuck.append((k, level))
        values = np.concatenate([values, np.tile(maker.nominal, (len(stuck), 1))])
    first_stuck = len(faults) - len(stuck)
    size = block_size(n)
    margins, nodes = [], []
    times = np.linspace(0.0, board.t_stop, POINTS)
    values = np.concatenate([maker.nominal[np.newaxis], values])
    for start in range(0, len(values), size):
        part = maker.make(values[start : start + size])
        held = [(row + 1 + first_stuck - start, *one) for row, one in enumerate(stuck)]
        part = _with_stuck(part, [one for one in held if 0 <= one[0] < len(part.current)])
        its, volts = _run(board, task, part, times)
        margins.append(its)
        nodes.append(volts)
    margin, volts = np.concatenate(margins), np.concatenate(nodes)
    spread = np.maximum(SIGMAS * _spread(board, task, times, seed), 1e-3)
    names = [p.node for p in circuit.states] + [p.node for p in circuit.outputs]
    effects = []
    for k, (name, kind) in enumerate(faults, 1):
        change = volts[k] - volts[0]
        sharp = np.where(np.isfinite(change), np.abs(change) / spread, np.inf)
        at = int(np.argmax(sharp))
        effects.append(
            FaultEffect(
                part=name,
                kind=kind,
                margin=float(margin[k]),
                test_point=names[at % len(names)],
                change=float(change[at]),
                sharpness=float(sharp[at]),
            )
        )
    effects.sort(key=lambda e: -np.inf if np.isnan(e.margin) else e.margin)
    others = [d for d in circuit.devices if d.part.physical and d not in resistors and d not in capacitors]
    left = {"within amplifiers and inverters' op-amps": len(others)} if others else {}
    return FaultEffects(effects=tuple(effects), nominal=float(margin[0]), unit=task.unit, left_out=left)


def _column(device: Device) -> Column:
    part = device.part
    if isinstance(part, Resistor):
        name, value = "resistance", part.resistance
    else:
        assert isinstance(part, Capacitor)
        name, value = "capacitance", part.capacitance
    return Column(device.name, Parameter(name), value, Fixed(), 0, -1, True)


def _values(
    resistors: list[Device], capacitors: list[Device], nominal: Array, kinds: tuple[Kind, ...]
) -> tuple[list[tuple[str, Kind]], Array]:
    """Return the faults, and the values of all parts with each, (faults, parts)."""
    faults: list[tuple[str, Kind]] = []
    rows: list[Array] = []

    def add(name: str, kind: Kind, changes: dict[int, float]) -> None:
        row = nominal.copy()
        for k, value in changes.items():
            row[k] = value
        faults.append((name, kind))
        rows.append(row)

    for k, device in enumerate((*resistors, *capacitors)):
        is_resistor = k < len(resistors)
        if "open" in kinds and is_resistor:
            add(device.name, "open", {k: OPEN})
        if "short" in kinds and is_resistor:
            add(device.name, "short", {k: SHORT})
        if "times ten" in kinds:
            add(device.name, "times ten", {k: 10.0 * nominal[k]})
        if "by ten" in kinds:
            add(device.name, "by ten", {k: 0.1 * nominal[k]})
        neighbour = k + 1
        last = len(resistors) if is_resistor else len(nominal)
        if "swapped" in kinds and neighbour < last and nominal[k] != nominal[neighbour]:
            add(
                f"{device.name} with {(*resistors, *capacitors)[neighbour].name}",
                "swapped",
                {k: nominal[neighbour], neighbour: nominal[k]},
            )
    return faults, np.array(rows).reshape(-1, nominal.size)


def _with_stuck(samples: Samples, stuck: list[tuple[int, int, float]]) -> Samples:
    """Return samples in which outputs are constant: (board, neuron, volts)."""
    if not stuck:
        return samples
    amplitude, level = samples.amplitude.copy(), samples.level.copy()
    for board, neuron, volts in stuck:
        amplitude[board, neuron], level[board, neuron] = -1.0, volts
    return replace(samples, amplitude=amplitude, level=level)


def _run(board: Board, task: Task, samples: Samples, times: Array) -> tuple[Array, Array]:
    """Return margins (S,), and the node voltages at rest of all runs, (S, runs x 2 n)."""
    margins, nodes = [], []
    scales = np.array([p.scale for p in board.circuit.states])
    for run, signal in enumerate(task.runs(board)):
        states, outputs = samples.run(board.realised.initial, times, signal)
        margins.append(task.judge(Waves(times, states, outputs, samples.span), run))
        nodes += [states[-1] / scales, outputs[-1]]
    found = np.stack(margins)
    least = np.fmin.reduce(found, axis=0)
    worst = np.where(np.isnan(found).any(axis=0) & ~(least <= 0.0), np.nan, least)
    return worst, np.concatenate(nodes, axis=1)


def _spread(board: Board, task: Task, times: Array, seed: int) -> Array:
    """Return the standard deviations of the node voltages at rest that the usual tolerances give."""
    draws: Draws = draw_factors(
        vary(without_offsets(board.circuit), usual_tolerances(board)), seed=seed, samples=SPREAD
    )
    _, nodes = _run(board, task, sample_maker(draws).make(draws.values), times)
    return np.asarray(np.nanstd(nodes, axis=0))
