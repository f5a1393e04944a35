"""What a fault of each part does: open, short, wrong by a decade, swapped with its neighbour, a dead amplifier.

By the static equation, one board a fault, all of them at once: a resistor that is open has no conductance, one that is
shorted `SHORT` ohms; an amplifier that is dead gives a constant output. Capacitors that are open or short, dead
integrators and all that is within amplifiers change the circuit itself, which ngspice runs, one fault at a time, as
`circuit_faults` makes them; the equation counts them as left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from ..board.choice import SYNAPTIC
from ..board.design import Board
from ..circuit import Circuit, Device, Role
from ..parts import Capacitor, OpAmp, Resistor, VoltageSource
from ..parts.parameters import Parameter
from ..tolerance.distributions import Fixed
from ..tolerance.draws import Column, Draws, draw_factors, vary
from ..values.arrays import Array, whole
from ..values.errors import InputError, SimulatorError
from ..values.report import Report
from .circuit_faults import KINDS, CircuitFault, Kind, left_out_of, list_faults
from .engines import simulate_board, worst_margin
from .samples import Samples, block_size, sample_maker
from .tasks import Task, Waves
from .usual import usual_tolerances, without_offsets

Engine = Literal["equation", "ngspice"]
SPREAD = 100  # boards whose nodes say what is usual
SIGMAS = 3.0
POINTS = 101
MOST_SHOWN = 20
LEAST = 0.01  # of the margin without a fault: a smaller one is not told from a failure


@dataclass(frozen=True, kw_only=True)
class FaultEffect:
    """One fault: of which `part`, of which `kind`, what becomes of the task, and where it shows.

    `margin`: of the task with it; NaN undecided. `test_point`: the node whose voltage at rest is furthest from the
    nominal one, `change` volts, in units of what tolerances give it, 3 sigma: `sharpness`; below 1 it does not show.
    `least`: the margin above 0 from which on it counts as done, 1% of the one without a fault.
    `failure`: what ngspice said where it did not run the circuit with it: nothing is known of such a fault.
    """

    part: str
    kind: Kind
    margin: float
    test_point: str
    change: float
    sharpness: float
    least: float = 0.0
    failure: str = ""

    @property
    def effect(self) -> Literal["fails", "undecided", "done", "not run"]:
        """What becomes of the task."""
        if self.failure:
            return "not run"
        if self.margin <= 0.0:
            return "fails"
        return "done" if self.margin > self.least else "undecided"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FaultEffects(Report):
    """The effects of all faults, the worst first. `nominal`: the margin without any, in `unit`.

    `left_out`: how many parts have faults that this engine does not know, by why.
    """

    effects: tuple[FaultEffect, ...] = field(repr=False)
    nominal: float
    unit: str
    left_out: dict[str, int]
    engine: Engine = "equation"

    @property
    def failing(self) -> tuple[FaultEffect, ...]:
        """Those with which the task is not done, or not known to be."""
        return tuple(e for e in self.effects if e.effect != "done")

    @property
    def not_run(self) -> tuple[FaultEffect, ...]:
        """Those that ngspice did not run."""
        return tuple(e for e in self.effects if e.failure)

    @property
    def hidden(self) -> tuple[FaultEffect, ...]:
        """Those that no test point shows beyond the tolerances."""
        return tuple(e for e in self.effects if not e.failure and e.sharpness < 1.0)

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Return a row for each fault: part, fault, task, margin, test point."""
        return [
            (
                e.part,
                e.kind,
                e.effect,
                "not known" if np.isnan(e.margin) else f"{e.margin:.3g} {self.unit}".rstrip(),
                e.failure or f"{e.test_point} by {e.change:+.3g} V, {e.sharpness:.2g} x its tolerance",
            )
            for e in self.effects
        ]

    def summary(self) -> list[tuple[str, str]]:
        """Return how many faults there are, how many end the task, or do not show, and what is left out."""
        said = [
            ("machine", self.engine),
            ("faults", f"{len(self.effects)}; with {len(self.failing)} the task is not done, or not known to be"),
            ("margin without", f"{self.nominal:.4g} {self.unit}".rstrip()),
            ("shown by no test point", f"{len(self.hidden)}"),
        ]
        if self.not_run:
            said.append(("not run", f"{len(self.not_run)}, of which nothing is known"))
        return said + [(f"left out: {why}", f"{count} parts") for why, count in self.left_out.items()]

    def rows(self) -> list[tuple[str, str]]:
        shown = self.table()[:MOST_SHOWN]
        return self.summary() + [
            (f"{part} {kind}", f"{effect}, margin {margin}; {test}") for part, kind, effect, margin, test in shown
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
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
                    "failure": e.failure,
                }
                for e in self.effects
            ],
        }


def find_fault_effects(
    board: Board,
    task: Task,
    *,
    kinds: Iterable[Kind] = KINDS,
    parts: Iterable[str] | None = None,
    engine: Engine = "equation",
    seed: int = 1,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> FaultEffects:
    """Return what each fault of a board does to a task, the worst first.

    `kinds`: which faults. `parts`: the names of the parts that have them; all by default. `engine`: "equation", the
    static one, which knows synapses, capacitors a decade off, and amplifiers whose output is stuck; or "ngspice", with
    the circuit changed, which knows all parts but those across the supplies. `seed`: of the 100 boards whose spread, by
    the static equation, says what a test point tells. `workers`, `progress`: of ngspice, as for `monte_carlo`.

    Raises InputError for an unknown kind, part or engine, where no fault is left, and as the run without a fault does.
    """
    wanted = tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise InputError(f"find_fault_effects: `kinds` holds {kind!r:.40}: must be {', '.join(KINDS)}")
    if engine not in get_args(Engine):
        raise InputError(f"find_fault_effects: `engine` = {engine!r:.40}: must be {' or '.join(get_args(Engine))}")
    circuit = without_offsets(board.circuit)
    names = None if parts is None else frozenset(parts)
    known = {d.name for d in circuit.devices if d.part.physical}
    for name in names or ():
        if name not in known:
            raise InputError(f"find_fault_effects: `parts` holds {name!r:.60}: must be names of the board's parts")
    times = np.linspace(0.0, board.t_stop, POINTS)
    if engine == "ngspice":
        faults, left = list_faults(circuit, wanted, names), left_out_of(circuit)
        found = _run_circuits(board, task, circuit, faults, times, whole(workers, "workers", 1, 1024), progress)
        said: list[tuple[str, Kind]] = [(fault.part, fault.kind) for fault in faults]
    else:
        said, left, found = _run_equation(board, task, circuit, wanted, names, times)
    if not said:
        others = ", or the engine ngspice, which knows more" if engine == "equation" else ""
        raise InputError(
            f"find_fault_effects: `kinds`, `parts`: leave no fault that the engine {engine} knows; give others{others}"
        )
    margin, volts, failures = found
    spread = np.maximum(SIGMAS * _spread(board, task, times, seed), 1e-3)
    points = [p.node for p in circuit.states] + [p.node for p in circuit.outputs]
    effects = []
    for k, (name, kind) in enumerate(said, 1):
        change = volts[k] - volts[0]
        sharp = np.where(np.isfinite(change), np.abs(change) / spread, np.inf)
        at = int(np.argmax(sharp))
        effects.append(
            FaultEffect(
                part=name,
                kind=kind,
                margin=float(margin[k]),
                test_point=points[at % len(points)],
                change=float(change[at]),
                sharpness=float(sharp[at]),
                least=max(LEAST * float(margin[0]), 0.0),
                failure=failures.get(k, ""),
            )
        )
    effects.sort(key=lambda e: -np.inf if np.isnan(e.margin) else e.margin)
    return FaultEffects(effects=tuple(effects), nominal=float(margin[0]), unit=task.unit, left_out=left, engine=engine)


def _run_circuits(
    board: Board,
    task: Task,
    circuit: Circuit,
    faults: tuple[CircuitFault, ...],
    times: Array,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Array, Array, dict[int, str]]:
    """Return margins and node voltages of the circuit and of each fault, (1 + faults, ...), and what was not run."""

    def run(one: Circuit) -> tuple[float, Array]:
        margins, nodes = [], []
        for k, signal in enumerate(task.runs(board)):
            waves, _ = simulate_board(board, one.driven(signal), times)
            margins.append(task.judge(waves, k))
            nodes += [waves.states[-1, 0] / scales, waves.outputs[-1, 0]]
        return float(worst_margin(margins)[0]), np.concatenate(nodes)

    def attempt(fault: CircuitFault) -> tuple[float, Array, str]:
        try:
            return *run(fault.change(circuit)), ""
        except (SimulatorError, InputError) as error:
            return np.nan, np.full(rest.shape, np.nan), (str(error).splitlines() or ["no message"])[0][:200]

    scales = np.array([p.scale for p in circuit.states])
    margin, rest = run(circuit)
    margins, nodes, failures = [margin], [rest], {}
    with ThreadPoolExecutor(workers) as pool:
        for k, (its, volts, failure) in enumerate(pool.map(attempt, faults), 1):
            margins.append(its)
            nodes.append(volts)
            if failure:
                failures[k] = failure
            if progress is not None:
                progress(k, len(faults))
    return np.array(margins), np.stack(nodes), failures


def _run_equation(
    board: Board, task: Task, circuit: Circuit, kinds: tuple[Kind, ...], names: frozenset[str] | None, times: Array
) -> tuple[list[tuple[str, Kind]], dict[str, int], tuple[Array, Array, dict[int, str]]]:
    """Return the faults, what is left out, and the same as `_run_circuits`, with the static equation of all boards."""
    columns = tuple(column for device in circuit.devices if (column := _column(device)) is not None)
    maker = sample_maker(circuit=circuit, columns=columns)
    places = {column.device: k for k, column in enumerate(columns)}
    by_output = {d.nodes[2]: d.name for d in circuit.devices if isinstance(d.part, OpAmp)}
    neurons = {by_output[p.node]: k for k, p in enumerate(circuit.outputs) if p.node in by_output}
    rows, said = [maker.nominal], []
    stuck: list[tuple[int, int, float]] = []
    for fault in list_faults(circuit, kinds, names):
        first, row = fault.devices[0], maker.nominal.copy()
        if isinstance(first.part, VoltageSource) and isinstance(first.part.voltage, float) and first.name in neurons:
            stuck.append((len(rows), neurons[first.name], first.part.voltage))
        elif all(d.name in places and type(d.part) is type(circuit.device(d.name).part) for d in fault.devices):
            for device in fault.devices:
                row[places[device.name]] = device.part.value
        else:
            continue
        rows.append(row)
        said.append((fault.part, fault.kind))
    values, size = np.array(rows), block_size(board.network.size)
    margins, nodes = [], []
    for start in range(0, len(values), size):
        part = maker.make(values[start : start + size])
        part = _with_stuck(
            part, [(k - start, neuron, volts) for k, neuron, volts in stuck if 0 <= k - start < len(part.current)]
        )
        its, volts = _run(board, task, part, times)
        margins.append(its)
        nodes.append(volts)
    others = sum(d.part.physical and d.name not in places and d.name not in neurons for d in circuit.devices)
    left = {"within amplifiers, inverters, integrators and references": others} if others else {}
    return said, left, (np.concatenate(margins), np.concatenate(nodes), {})


def _column(device: Device) -> Column | None:
    """Return the column of a part that the static equation has by itself: a synapse's resistor, a state's capacitor."""
    part, role = device.part, device.origin.role
    if isinstance(part, Resistor) and role in SYNAPTIC:
        return Column(device.name, Parameter("resistance"), part.resistance, Fixed(), 0, -1, True)
    if isinstance(part, Capacitor) and role == Role.CAPACITANCE:
        return Column(device.name, Parameter("capacitance"), part.capacitance, Fixed(), 0, -1, True)
    return None


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
    return worst_margin(margins), np.concatenate(nodes, axis=1)


def _spread(board: Board, task: Task, times: Array, seed: int) -> Array:
    """Return the standard deviations of the node voltages at rest that the usual tolerances give."""
    draws: Draws = draw_factors(
        vary(without_offsets(board.circuit), usual_tolerances(board)), seed=seed, samples=SPREAD
    )
    _, nodes = _run(board, task, sample_maker(draws).make(draws.values), times)
    return np.asarray(np.nanstd(nodes, axis=0))
