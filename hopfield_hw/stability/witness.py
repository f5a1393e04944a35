"""A witness of a certificate: its circuit in ngspice, inside the bound where it decays, and outside where it grows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..analysis.balance import Balance
from ..cells import Cell
from ..functions import Function, Identity, Tanh
from ..graph import Activate, Affine, Delay, Graph, Leak, Operator, Output, Units
from ..graph.graph import Edge
from ..lowering import lower
from ..spice.transient import simulate
from ..transforms import add_delay
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from .certificate import Certificate, check_delay
from .exact import rightmost_root, stable_windows
from .systems import DelayedNetwork, LinearDelaySystem

# Of a system without a graph: one unit of time of its fastest decay or feedback, in the circuit, and of conductance.
SECONDS, SIEMENS = 1e-3, 1e-4
SMALL = 0.02  # volts, at the start
STILL = 1e-3  # of these: a start from which the network would go no further is an equilibrium
# Deviations are followed until they are expected to be this factor smaller or larger, for at most so many delays.
FACTOR, FEWEST_DELAYS, MOST_DELAYS = 5.0, 12.0, 400.0
# Of the range over the first fifth of a run, what the last fifth has where the circuit decays or grows.
DECAYED, GROWN = 0.5, 1.05
# The exact limit is looked for up to this many times the delay of the certificate.
FAR = 50.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Sighting:
    """One run: `delay` (s, of the system), `expected` and `seen` ("decays", "grows", or "undecided").

    `ratio`: the range of the states over the last fifth of the run, of that over the first. `growth`: the real part of
    the rightmost root of the linear system at the largest slopes, 1/s. `wave`: states and outputs in ngspice.
    """

    delay: float
    expected: Literal["decays", "grows"]
    seen: Literal["decays", "grows", "undecided"]
    ratio: float
    growth: float
    wave: xr.Dataset

    def __str__(self) -> str:
        return f"delay {self.delay:.6g} s: {self.seen} (expected: {self.expected}), last to first {self.ratio:.3g}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Witness:
    """What was seen of a certificate: `inside` its bound, and `outside` the exact limit where there is one.

    `limit`: the exact limit of the linear system at the largest slopes, s; infinite where none was found.
    """

    certificate: Certificate
    inside: Sighting
    outside: Sighting | None
    limit: float

    @property
    def confirmed(self) -> bool:
        """Whether the certificate is proved and each run showed what was expected; an undecided run never does.

        It is about the runs that there are: inside, and outside only where `seen_outside`.
        """
        runs = [self.inside, *([] if self.outside is None else [self.outside])]
        return self.certificate.proved and all(run.seen == run.expected for run in runs)

    @property
    def seen_outside(self) -> bool:
        """Whether the circuit was run outside the exact limit; where not, nothing shows how sharp the bound is."""
        return self.outside is not None

    def __str__(self) -> str:
        lines = [repr(self.certificate), f"  inside   {self.inside}"]
        nothing = "no exact limit was found: the circuit was run inside alone, nothing was seen outside"
        lines.append(f"  outside  {nothing if self.outside is None else self.outside}")
        return "\n".join(lines)


def demonstrate(
    certificate: Certificate,
    *,
    inside: float | None = None,
    outside: float | None = None,
    initial: Any = None,
    cell: str | Cell = "ideal",
    accuracy: float = 1e-3,
) -> Witness:
    """Run the circuit of a certificate with delay in ngspice, inside its bound and outside the exact limit.

    The circuit is that of the graph that the network was read from, with its delay replaced (a matched line); of a
    system without a graph one with gain curves a tanh(b x / a) of the largest slopes, in units of 1 ms and 10 kOhm. The
    exact limit is that of the linear system at the largest slopes, so that at an equilibrium where the slopes are these
    the circuit grows beyond it; where the equilibrium is another, it need not, and the run says what it does.

    `inside`: a delay, seconds; 0.9 of the largest one proved by default (the middle of a window), and the largest delay
    that anything is known of is 1 / (least decay) for a certificate for every delay. `outside`: 1.1 of the exact limit
    by default, where there is one up to 50 times the bound. `initial`: x(0), (n,) or one, volts; by default the graph's
    own, and small values where there is no graph, or its own is an equilibrium (small values away from it). `cell`,
    `accuracy`: as of `lower` and `simulate`.

    Raises InputError for a certificate that is not proved, one of a network without delay, and an inside that it does
    not cover; a SimulatorError where ngspice does not deliver.
    """
    system = certificate.system
    if not certificate.proved:
        raise InputError(f"demonstrate: {certificate!r}: proves nothing that a circuit could show")
    linear = system if isinstance(system, LinearDelaySystem) else system.linear()
    if not linear.late.any():
        raise InputError("demonstrate: the network has no delay; run it with `verify`")
    low, high = certificate.delays
    bound = high if np.isfinite(high) else 1.0 / float(np.min(np.abs(np.linalg.eigvals(linear.matrix).real)))
    at = check_delay(_inside(low, bound) if inside is None else inside, "inside")
    if not low <= at <= high:
        raise InputError(f"`inside` = {at:g} s: must be a delay that is proved, {low:.6g} to {high:.6g} s")
    ends = [end for start, end in stable_windows(linear, FAR * bound) if start <= at <= end < FAR * bound]
    limit = ends[0] if ends else float(np.inf)
    beyond = None if outside is None else check_delay(outside, "outside")
    if beyond is None and np.isfinite(limit):
        beyond = 1.1 * limit
    if beyond is not None and low <= beyond <= high:
        raise InputError(f"`outside` = {beyond:g} s: is proved to be stable, from {low:.6g} to {high:.6g} s")
    run = {"initial": initial, "cell": cell, "accuracy": accuracy}
    return Witness(
        certificate=certificate,
        inside=_run(system, linear, at, "decays", **run),
        outside=None if beyond is None else _run(system, linear, beyond, "grows", **run),
        limit=limit,
    )


def _inside(low: float, high: float) -> float:
    return 0.9 * high if low == 0.0 else 0.5 * (low + high)


def _run(
    system: DelayedNetwork | LinearDelaySystem,
    linear: LinearDelaySystem,
    delay: float,
    expected: Literal["decays", "grows"],
    *,
    initial: Any,
    cell: str | Cell,
    accuracy: float,
) -> Sighting:
    graph = circuit_graph(system, delay, initial)
    growth = rightmost_root(linear, delay).real
    span = float(np.log(FACTOR)) / max(abs(growth), 1e-12 / delay)
    span = min(max(span, FEWEST_DELAYS * delay), MOST_DELAYS * delay)
    if isinstance(system, DelayedNetwork):
        span = max(span, 5.0 / float(np.min(system.decay)))
    circuit = lower(graph, cell=cell)
    wave = simulate(circuit, t_stop=span * graph.units.seconds_per_unit, accuracy=accuracy)
    states = wave["state"].to_numpy()
    fifth = len(states) // 5
    first, last = float(np.max(np.ptp(states[:fifth], axis=0))), float(np.max(np.ptp(states[-fifth:], axis=0)))
    ratio = last / first if first > 0.0 else float(np.nan)
    middle = float(np.max(np.ptp(states[2 * fifth : 3 * fifth], axis=0)))
    seen: Literal["decays", "grows", "undecided"] = "undecided"
    if ratio < DECAYED and last <= middle:
        seen = "decays"
    elif ratio > GROWN and last >= 0.9 * middle:
        seen = "grows"
    return Sighting(delay=delay, expected=expected, seen=seen, ratio=ratio, growth=growth, wave=wave)


def circuit_graph(system: DelayedNetwork | LinearDelaySystem, delay: float, initial: Any = None) -> Graph:
    """Return the graph of a system with a delay, seconds, which lowers to a circuit.

    Raises InputError for slopes that no gain curve of the package is known to have (a lower one that is neither 0 nor,
    with the upper one, 1), where the network was not read from a graph.
    """
    h = check_delay(delay, "delay")
    if isinstance(system, DelayedNetwork) and system.graph is not None:
        given = system.graph
        late = h / given.units.seconds_per_unit
        if initial is None:
            initial = _away(system, given)
        if initial is not None:
            (leak,) = given.of_type(Leak)
            start = freeze(initial, "initial", shape=(leak.output_size,))
            given = _exchange(given, replace(leak, initial=start / given.units.volts_per_unit))
        delays = given.of_type(Delay)
        return _exchange(given, *(replace(one, tau=late) for one in delays)) if delays else add_delay(given, late)
    x0 = freeze(_start(system) if initial is None else initial, "initial", shape=(system.size,))
    return _linear_graph(system, h, x0) if isinstance(system, LinearDelaySystem) else _network_graph(system, h, x0)


def _exchange(graph: Graph, *operators: Operator) -> Graph:
    new = {operator.name: operator for operator in operators}
    return replace(graph, operators=tuple(new.get(operator.name, operator) for operator in graph.operators))


def _start(system: DelayedNetwork | LinearDelaySystem) -> Array:
    """Return states that differ, and are small for the gain curves."""
    static = isinstance(system, DelayedNetwork) and system.kind == "static"
    sums = np.abs(system.late_weights).sum(axis=1) if isinstance(system, DelayedNetwork) and static else np.ones(1)
    return np.asarray(SMALL / max(1.0, float(np.max(sums))) * np.cos(1.0 + np.arange(system.size)))


def _away(system: DelayedNetwork, graph: Graph) -> Array | None:
    """Return states near the graph's own where that is an equilibrium, which shows nothing; None where it is not."""
    balance = Balance(graph, what="demonstrate")
    x = balance.initial
    drift = np.abs(balance.value(x)) / system.decay
    small = _start(system)
    if bool(np.any(drift > STILL * np.max(np.abs(small)))):
        return None
    return np.asarray(x + small)


def _units(rate: float) -> Units:
    """Return units in which 1 / `rate` is a millisecond of the circuit."""
    return Units(siemens_per_unit=SIEMENS, seconds_per_unit=SECONDS * float(rate))


def _linear_graph(system: LinearDelaySystem, delay: float, initial: Array) -> Graph:
    n = system.size
    rate = float(np.linalg.norm(system.matrix, 2) + np.linalg.norm(system.late, 2))
    operators: list[Operator] = [
        Leak(name="x", capacitance=np.ones(n), resistance=np.full(n, np.inf), initial=initial),
        Affine(name="syn", weights=system.matrix),
        Delay(name="x_late", size=n, tau=delay, history=initial),
        Affine(name="syn_late", weights=system.late),
        Output(name="output", size=n),
    ]
    edges = [*_chain("x", "syn", "x"), *_chain("x", "x_late", "syn_late", "x"), Edge("x", "output")]
    return Graph(operators=tuple(operators), edges=tuple(edges), units=_units(rate))


def _network_graph(network: DelayedNetwork, delay: float, initial: Array) -> Graph:
    n, curve = network.size, _curve(network)
    leak = Leak(name="x", capacitance=np.ones(n), resistance=1.0 / network.decay, initial=initial)
    output = Output(name="output", size=n)
    act = Activate(name="v", size=n, function=curve)
    operators: list[Operator]
    if network.kind == "static":
        operators = [leak, Delay(name="x_late", size=n, tau=delay, history=initial)]
        operators += [Affine(name="syn", weights=network.late_weights), act, output]
        edges = [*_chain("x", "x_late", "syn", "v", "x"), Edge("v", "output")]
    else:
        history = curve.value(initial)
        operators = [leak, act, Delay(name="v_late", size=n, tau=delay, history=history)]
        operators += [Affine(name="syn_late", weights=network.late_weights), output]
        edges = [*_chain("x", "v", "v_late", "syn_late", "x"), Edge("v", "output")]
        if network.weights.any():
            operators.append(Affine(name="syn", weights=network.weights))
            edges += _chain("v", "syn", "x")
    return Graph(operators=tuple(operators), edges=tuple(edges), units=_units(float(np.max(network.decay))))


def _chain(*names: str) -> list[Edge]:
    return [Edge(a, b) for a, b in pairwise(names)]


def _curve(network: DelayedNetwork) -> Function:
    if bool(np.all(network.lower == 1.0)) and bool(np.all(network.upper == 1.0)):
        return Identity()
    if bool(np.any(network.lower != 0.0)):
        raise InputError("circuit_graph: no gain curve is known for a lower slope other than 0; give a Graph instead")
    return Tanh(gain=positive(network.upper, "upper", shape=(network.size,), unit=""))
