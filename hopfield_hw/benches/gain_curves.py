"""The gain curve that a circuit's amplifiers truly have: measured, and given back to the equation as a Table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..cells import InvertingIntegrator
from ..cells.amplifiers import Amplifier, as_amplifier
from ..circuit import GROUND, Circuit, Device, Origin, Role
from ..circuit.blocks import SHARED
from ..functions import Function, Gain, Logistic, PiecewiseLinear, Table, Tanh
from ..graph import Activate, Graph, Leak
from ..lowering import lower
from ..networks.network import Network
from ..parts import Resistor, VoltageSource
from ..spice.analyses import respond, sweep
from ..values.arrays import Array, positive
from ..values.errors import ConvergenceError, InputError
from ..values.physics import ROOM

SOURCE, LOAD = "V_sweep", "R_sweep_load"
# A table is within this of the curve, as a part of the amplitude, where nothing else is said.
CLOSE = 1e-5
FIRST_POINTS, FINER, ROUNDS, MOST_RUNS = 200, 8, 8, 60
MOST_BEFORE = 100_000
HALF_POWER = math.sqrt(0.5)
SMALL_PHASE = 0.02  # radians: there the phase is the lag
FREQUENCIES = (1.0, 1e9)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One amplifier, cut out of its circuit with its references, and driven by a source of -x.

    What its output drives, virtual grounds all of them, is one resistor to ground.

    `circuit`: with the source V_sweep. `output`: the node of v. `slope`, `amplitude`: what it is to be. `reach`: where
    the amplitude is taken, at b x = reach a.
    """

    circuit: Circuit
    output: str
    slope: float
    amplitude: float
    lower: float
    reach: float

    @property
    def unit(self) -> float:
        """The x at which b x = a, volts."""
        return self.amplitude / self.slope

    def sweep(self, first: float, last: float, count: int, temperature: float) -> tuple[Array, Array]:
        """Return x and v at `count` + 1 even points from a first to a last x, volts, first below last.

        Sweeps go outward from the point nearest to 0. Where they start far out, behind a clamp, ngspice can take an
        equilibrium for one that is none and keep to it on the way in.
        """
        x = np.linspace(first, last, count + 1)
        middle = int(np.argmin(np.abs(x)))
        step = (last - first) / count
        high = self._sweep(float(x[middle]), step, count - middle, temperature)
        low = self._sweep(float(x[middle]), -step, middle, temperature)
        return x, np.concatenate((low[:0:-1], high if middle < count else low[:1]))

    def _sweep(self, start: float, step: float, count: int, temperature: float) -> Array:
        if not count:
            return np.empty(0)
        try:
            return self._run(start, step, count, temperature)
        except ConvergenceError:
            # From 0 on, where an equilibrium is easier to find than far out.
            before = int(start / step)
            if not 0 < before <= MOST_BEFORE:
                raise
            return self._run(start - before * step, step, before + count, temperature)[before:]

    def _run(self, start: float, step: float, count: int, temperature: float) -> Array:
        # The step as text ends a little early or late: half of it more makes the last point sure.
        end = -(start + (count + 0.5) * step)
        found = sweep(self.circuit, SOURCE, (-start, end, -step), temperature=temperature)
        return np.real(found.voltage(self.output))[: count + 1]

    def settle(self, x: Sequence[float], temperature: float) -> Array:
        """Return v at a few values of x."""
        return np.array([self.sweep(at, at + 1e-3 * self.unit, 1, temperature)[1][0] for at in x])


class Shape(NamedTuple):
    """What a curve has at a temperature, degrees Celsius: its slope at zero, and its amplitude, volts."""

    temperature: float
    slope: float
    amplitude: float


class Drift(NamedTuple):
    """How far slope and amplitude are from those at 27 degrees Celsius, as parts of them."""

    temperature: float
    slope: float
    amplitude: float


def cut_bench(
    circuit: Circuit | str | Amplifier,
    *,
    element: int = 0,
    activate: str | None = None,
    gain: Gain | None = None,
    **cell: Any,
) -> Bench:
    """Return the bench of one amplifier of a circuit, or of an amplifier by itself.

    `element`, `activate`: which one of the circuit; the first Activate by default. `gain`: for an amplifier by itself,
    the curve that it is to make, its first kind with slope and amplitude 1 by default. `cell`: more arguments of the
    InvertingIntegrator that it is in, as `op_amp` and `reference`.

    Raises InputError for a circuit of another cell, whose neurons have no amplifier driven by -x.
    """
    if isinstance(circuit, Circuit):
        if cell or gain is not None:
            raise InputError("`cut_bench`: a circuit has its curves and op-amps; leave `gain`, `op_amp` and such out")
        return _cut(circuit, element, activate)
    amplifier = as_amplifier(circuit)
    curve = _first(amplifier) if gain is None else gain
    network = Network(weights=[[1e-4]], resistance=1e4, capacitance=1e-7, gain=curve)
    made = lower(network.graph(), cell=InvertingIntegrator(amplifier=amplifier, **cell))
    return replace(_cut(made, 0, None), reach=amplifier.reach)


def gain_curve(
    circuit: Circuit | str | Amplifier | Bench,
    *,
    temperature: float = ROOM,
    span: float | None = None,
    accuracy: float = CLOSE,
    **which: Any,
) -> Table:
    """Return the true curve of an amplifier, v over x, from sweeps of the very circuit.

    `accuracy`: how far the table may be off between its points, as a part of the amplitude; a looser one has fewer
    points, and solvers take fewer steps. `temperature`: degrees Celsius. `span`: the largest x, volts, beyond which the
    table is flat; 20 a / b by default. `which`: as `cut_bench`.

    Raises InputError for a curve that falls somewhere, and as `cut_bench` does.
    """
    bench = circuit if isinstance(circuit, Bench) else cut_bench(circuit, **which)
    end = 20.0 * bench.unit if span is None else float(positive(span, "span", shape=(), unit="V"))
    close = float(positive(accuracy, "accuracy", shape=(), unit="")) * bench.amplitude
    x, y = bench.sweep(-end, end, FIRST_POINTS, temperature)
    runs = 0
    for _ in range(ROUNDS):
        groups = _coarse(x, y, 0.5 * close)
        if not groups or runs + len(groups) > MOST_RUNS:
            break
        for first, last in reversed(groups):
            # In place of the coarse ones, of which some may be off the curve by rounding.
            more = bench.sweep(x[first], x[last], FINER * (last - first), temperature)
            x, y = (np.concatenate((old[:first], new, old[last + 1 :])) for old, new in zip((x, y), more, strict=True))
        runs += len(groups)
    highest = np.maximum.accumulate(y)
    falls = highest - y
    if falls.max() > close:
        at = x[int(np.argmax(falls))]
        raise InputError(
            f"gain curve: falls by {falls.max():.3g} V at x = {at:.3g} V: a gain must not fall; keep `span` below that"
        )
    kept = _simplify(x, highest, 0.5 * close)
    return Table(x=x[kept], y=highest[kept])


def find_pole(circuit: Circuit | str | Amplifier | Bench, *, temperature: float = ROOM, **which: Any) -> float:
    """Return where the small-signal gain of an amplifier at x = 0 has fallen by 3 dB, hertz; infinite for none.

    `which`: as `cut_bench`.
    """
    frequencies, response = _respond(circuit, temperature, which)
    gain = np.abs(response)
    below = np.flatnonzero(gain < HALF_POWER * gain[0])
    if below.size == 0:
        return math.inf
    k = int(below[0])
    part = math.log(gain[k - 1] / (HALF_POWER * gain[0])) / math.log(gain[k - 1] / gain[k])
    return float(frequencies[k - 1] * (frequencies[k] / frequencies[k - 1]) ** part)


def find_lag(circuit: Circuit | str | Amplifier | Bench, *, temperature: float = ROOM, **which: Any) -> float:
    """Return by how much slow signals through an amplifier at x = 0 are late, seconds: -phase / (2 pi f), f small.

    It is the sum of the time constants of its poles less those of its zeros. `which`: as `cut_bench`.
    """
    frequencies, response = _respond(circuit, temperature, which)
    phase = np.unwrap(np.angle(response / response[0]))
    late = np.flatnonzero(np.abs(phase) > SMALL_PHASE)
    k = int(late[0]) if late.size else len(phase) - 1
    return float(-phase[k] / (2.0 * math.pi * frequencies[k]))


def _respond(
    circuit: Circuit | str | Amplifier | Bench, temperature: float, which: Mapping[str, Any]
) -> tuple[Array, npt.NDArray[np.complex128]]:
    """Return frequencies, hertz, and the small-signal response of an amplifier at x = 0."""
    bench = circuit if isinstance(circuit, Bench) else cut_bench(circuit, **which)
    devices = tuple(
        d._replace(part=replace(d.part, alternating=1.0))
        if isinstance(d.part, VoltageSource) and d.name == SOURCE
        else d
        for d in bench.circuit.devices
    )
    driven = replace(bench.circuit, devices=devices)
    found = respond(driven, FREQUENCIES, points=40, temperature=temperature)
    return found.axis, np.asarray(found.voltage(bench.output), dtype=np.complex128)


def measure_shape(circuit: Circuit | str | Amplifier | Bench, *, temperature: float = ROOM, **which: Any) -> Shape:
    """Return slope at zero and amplitude, half of the range where the curve goes through 0; `which` as `cut_bench`.

    The slope is that of a quartic through points at 0, +-0.02 and +-0.04 of a / b; the amplitude is taken at
    b x = +-reach a.
    """
    bench = circuit if isinstance(circuit, Bench) else cut_bench(circuit, **which)
    h = 0.02 * bench.unit
    _, near = bench.sweep(-2.0 * h, 2.0 * h, 4, temperature)
    slope = (8.0 * (near[3] - near[1]) - (near[4] - near[0])) / (12.0 * h)
    low, high = bench.settle((-bench.reach * bench.unit, bench.reach * bench.unit), temperature)
    whole = bench.amplitude - bench.lower
    return Shape(float(temperature), float(slope), float((high - low) * bench.amplitude / whole))


def drift(circuit: Circuit | str | Amplifier | Bench, temperatures: Iterable[float], **which: Any) -> tuple[Drift, ...]:
    """Return how slope and amplitude change from 27 degrees Celsius to each temperature, as parts of them."""
    bench = circuit if isinstance(circuit, Bench) else cut_bench(circuit, **which)
    first = measure_shape(bench)
    shapes = [measure_shape(bench, temperature=float(t)) for t in temperatures]
    return tuple(Drift(s.temperature, s.slope / first.slope - 1.0, s.amplitude / first.amplitude - 1.0) for s in shapes)


def with_measured_curves(circuit: Circuit, graph: Graph, **how: Any) -> Graph:
    """Return a graph with each Activate's function replaced by the curve that the circuit's first element has.

    All elements of an Activate must be made alike, as a Table has one curve. `how`: as `gain_curve`.
    Raises InputError for elements that differ, and as `gain_curve` does.
    """
    operators = []
    for operator in graph.operators:
        if isinstance(operator, Activate):
            if operator.function.size is not None:
                raise InputError(
                    f"Activate {operator.name!r}: its elements have curves of their own, and a table is one curve; "
                    "give all of them one gain"
                )
            table = gain_curve(circuit, activate=operator.name, **how)
            operator = replace(operator, function=table)
        operators.append(operator)
    return replace(graph, operators=tuple(operators))


def _first(amplifier: Amplifier) -> Gain:
    kinds: dict[type[Function], Callable[[], Gain]] = {
        Tanh: Tanh,
        Logistic: Logistic,
        PiecewiseLinear: PiecewiseLinear,
    }
    return next((kinds[kind]() for kind in amplifier.curves if kind in kinds), Tanh())


def _cut(circuit: Circuit, element: int, activate: str | None) -> Bench:
    graph = circuit.graph
    found = [op for op in (() if graph is None else graph.of_type(Activate)) if activate in (None, op.name)]
    if graph is None or not found:
        raise InputError(f"gain curve: the circuit has no Activate {activate or ''}".rstrip())
    operator = found[0]
    if not 0 <= element < operator.size:
        raise InputError(f"`element` = {element}: Activate {operator.name!r} has {operator.size}")
    (leak,) = graph.drivers(operator)
    at = sum(state.output_size for state in graph.states[: graph.states.index(leak)]) if isinstance(leak, Leak) else 0
    probe = circuit.states[at + element] if isinstance(leak, Leak) else None
    if probe is None or probe.scale != -1.0:
        raise InputError(
            f"gain curve: Activate {operator.name!r} is not driven by -x; take a circuit of cell 'inverting_integrator'"
        )
    output = f"{operator.name}_{graph.labels(operator)[element]}"
    origin = Origin(operator.name, Role.INPUT, (element,))
    inverting = {d.nodes[1] for d in circuit.devices if d.origin.role is Role.INVERTER_IN}
    own = [
        d
        for d in circuit.devices
        if (d.origin.operator == operator.name and d.origin.element == (element,) and not _inverts(d, inverting))
        or (d.origin.element == () and d.origin.role in SHARED)
    ]
    names = {d.name for d in own}
    load = sum(
        1.0 / d.part.resistance
        for d in circuit.devices
        if isinstance(d.part, Resistor) and output in d.nodes and d.name not in names
    )
    if load > 0.0:
        own.append(Device(LOAD, Resistor(1.0 / load), (output, GROUND), origin))
    source = Device(SOURCE, VoltageSource(0.0), (probe.node, GROUND), origin)
    cut = replace(
        circuit,
        title=f"{circuit.title}, {output}",
        devices=(source, *own),
        initial={},
        states=(),
        outputs=(),
        inputs=(),
        settling=(),
        sketches={},
        graph=None,
    )
    function = operator.function if operator.function.size is None else operator.function.at(element)
    values = function.params()
    slope, amplitude = float(values["gain"]), float(values["amplitude"])
    lower = 0.0 if isinstance(function, Logistic) else -amplitude
    return Bench(circuit=cut, output=output, slope=slope, amplitude=amplitude, lower=lower, reach=6.0)


def _inverts(device: Device, nodes: set[str]) -> bool:
    """Return whether a device is of the inverter behind an amplifier, whose virtual grounds these are."""
    return device.origin.role is Role.INVERTER or not nodes.isdisjoint(device.nodes)


def _coarse(x: Array, y: Array, close: float) -> list[tuple[int, int]]:
    """Return groups of intervals (first, last point) over which a straight line may be off by more than `close`.

    A parabola through three points is off the line over one of its intervals by a quarter of what the middle one is off
    the line between the others, where they are even.
    """
    part = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    off = np.abs(y[1:-1] - (y[:-2] + part * (y[2:] - y[:-2])))
    # A corner may lie anywhere in an interval: what is off there is up to the whole.
    bad = np.flatnonzero(off > close) + 1
    groups: list[tuple[int, int]] = []
    for k in bad.tolist():
        if groups and k - 1 <= groups[-1][1]:
            groups[-1] = (groups[-1][0], k + 1)
        else:
            groups.append((k - 1, k + 1))
    return groups


def _simplify(x: Array, y: Array, close: float) -> npt.NDArray[np.intp]:
    """Return which points to keep so that straight lines between them stay within `close` of all (Ramer 1972)."""
    kept, stack = {0, x.size - 1}, [(0, x.size - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        line = y[first] + (x[inner] - x[first]) * (y[last] - y[first]) / (x[last] - x[first])
        off = np.abs(y[inner] - line)
        k = first + 1 + int(np.argmax(off))
        if off.max() > close:
            kept.add(k)
            stack += [(first, k), (k, last)]
    return np.array(sorted(kept), dtype=np.intp)
