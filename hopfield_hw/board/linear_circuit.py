"""The linear stochastic equation of a circuit at a point of balance, from its parts.

With v the voltages of nodes (and the currents of sources that others control), Kirchhoff's current law is

    K dv/dt + G v = sum_s n_s w_s(t),

K of the capacitors, G of the slopes of all parts at the balance, and w_s white noise that enters at n_s, of one-sided
density 1 (A^2/Hz in n_s^2). K is singular. In coordinates in which it is diagonal, those without a capacitance follow
at once, and what is left is dx = A x dt + B dW with voltages v = P x, whose covariance at rest solves Lyapunov's
equation

    A S + S A^T + B B^T / 2 = 0

(C. W. Gardiner, Handbook of Stochastic Methods, section 4.4.6; the half is that of one-sided densities).

White noise: 4 k T / R of a resistor (H. Nyquist, Phys. Rev. 32:110, 1928), 2 q I of a collector's, a base's and a
diode's current (W. Schottky, Ann. Phys. 362:541, 1918), and of a macro-model `voltage_noise` in series with its input
and `current_noise` at either pin; all at 27 degrees Celsius, and none that falls as 1/f. Resistors that only compute
make none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, solve_continuous_lyapunov

from ..circuit import GROUND, Circuit
from ..functions.expressions import Expression, evaluate
from ..parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    MacroModel,
    OpAmp,
    Part,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from ..parts.op_amp import IdealGain, OpAmpModel
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.physics import CHARGE, FOUR_K_T, THERMAL

STEP = 1e-6  # of the slopes of formulas, volts
NO_CAPACITANCE = 1e-9  # of the eigenvalues of K, whose diagonal is 1
FEEDTHROUGH = 1e-6  # of the largest noise at once: less is of rounding


class Source(NamedTuple):
    """White noise: the device it comes from, the nodes between which its current flows, and its density, A/sqrt(Hz)."""

    device: str
    ends: tuple[str, str]
    density: float


class _Element(NamedTuple):
    """A part with no parts in it, with nodes of the whole circuit and the device that it belongs to."""

    device: str
    part: Part
    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearCircuit:
    """dx = A x dt + B dW and v = P x + D w of a circuit at a balance; see the head of this module.

    `drift`: A, (r, r), 1/s. `diffusion`: B, (r, sources). `nodes`: by node, the row of `voltages`, P, (nodes, r), and
    of `at_once`, D, (nodes, sources), V/sqrt(Hz): noise that no capacitor holds back. `sources`: what makes noise.
    """

    drift: Array
    diffusion: Array
    nodes: Mapping[str, int] = field(repr=False)
    voltages: Array = field(repr=False)
    at_once: Array = field(repr=False)
    sources: tuple[Source, ...] = field(repr=False)

    @cached_property
    def rates(self) -> Array:
        """The real parts of the eigenvalues of A, 1/s, the largest first; at rest noise is bounded where all fall."""
        return np.sort(np.linalg.eigvals(self.drift).real)[::-1]

    @cached_property
    def covariance(self) -> Array:
        """S, (r, r): of x at rest. Without meaning where a rate is not negative."""
        return np.asarray(solve_continuous_lyapunov(self.drift, -0.5 * self.diffusion @ self.diffusion.T))

    def voltage_covariance(self, nodes: Sequence[str]) -> Array:
        """Return the covariance of voltages of nodes, (k, k), V^2.

        Raises InputError for a node that is not there, and for one whose white noise no capacitor holds back.
        """
        rows = self._rows(nodes)
        for node in nodes:
            if not self.is_bounded(node):
                raise InputError(
                    f"noise: node {node}: no capacitor holds back its white noise, so that its power has no end; give "
                    "its op-amp an output that limits its current, or ask for a density"
                )
        p = self.voltages[rows]
        return np.asarray(p @ self.covariance @ p.T)

    def is_bounded(self, node: str) -> bool:
        """Return whether the noise of a node has a finite power."""
        (row,) = self._rows([node])
        scale = float(np.max(np.abs(self.at_once), initial=0.0))
        return float(np.max(np.abs(self.at_once[row]), initial=0.0)) <= FEEDTHROUGH * scale

    def density(self, node: str, frequencies: Array) -> Array:
        """Return the one-sided density of a node's noise, (F,), V/sqrt(Hz): |P (2 pi i f - A)^-1 B + D|."""
        (row,) = self._rows([node])
        one = np.eye(len(self.drift))
        found = np.empty(len(frequencies))
        for k, f in enumerate(np.asarray(frequencies).tolist()):
            # From the left: one solve for all sources.
            left = np.linalg.solve((2j * math.pi * f * one - self.drift).T, self.voltages[row])
            found[k] = np.linalg.norm(left @ self.diffusion + self.at_once[row])
        return found

    def shares(self, node: str) -> dict[str, float]:
        """Return by device the part of a node's power of noise that it makes, the largest first; their sum is 1."""
        (row,) = self._rows([node])
        p = self.voltages[row]
        weight = solve_continuous_lyapunov(self.drift.T, -0.5 * np.outer(p, p))
        powers = np.einsum("rs,rt,ts->s", self.diffusion, weight, self.diffusion)
        found: dict[str, float] = {}
        for source, power in zip(self.sources, powers.tolist(), strict=True):
            found[source.device] = found.get(source.device, 0.0) + power
        whole = sum(found.values())
        return {name: found[name] / whole for name in sorted(found, key=lambda name: -found[name])}

    def _rows(self, nodes: Sequence[str]) -> list[int]:
        for node in nodes:
            if node.lower() not in self.nodes:
                raise InputError(f"noise: {node!r:.60} is no node of the circuit that may move")
        return [self.nodes[node.lower()] for node in nodes]


def linearise(circuit: Circuit, balance: Mapping[str, float]) -> LinearCircuit:
    """Return the linear stochastic equation of a circuit. `balance`: the voltages of all nodes, by name in lower case.

    Raises InputError for a part whose slopes are not known here (a vendor's model, a transmission line), a voltage
    source that is not at ground, and a circuit in which something is undetermined.
    """
    elements = list(_flatten(circuit))
    held = {GROUND}
    for device, part, nodes in elements:
        if isinstance(part, VoltageSource):
            if GROUND not in nodes:
                raise InputError(f"noise: {device}: a voltage source between two nodes: must have one at ground")
            held |= set(nodes)
    names = sorted({node for one in elements for node in one.nodes} - held)
    stamp = _Stamp({node: k for k, node in enumerate(names)}, balance)
    for one in elements:
        stamp.add(one)
    return _reduce(*stamp.matrices(), stamp.index, tuple(stamp.sources))


def _reduce(
    k_matrix: Array, g: Array, entries: Array, nodes: Mapping[str, int], sources: tuple[Source, ...]
) -> LinearCircuit:
    """Return the equation without the coordinates that have no capacitance."""
    size = np.sqrt(np.diag(k_matrix))
    scale = np.where(size > 0.0, 1.0 / np.where(size > 0.0, size, 1.0), 1.0)
    weights, turn = eigh(k_matrix * np.outer(scale, scale))
    moves = weights > NO_CAPACITANCE
    basis = scale[:, None] * turn
    g, entries = basis.T @ g @ basis, basis.T @ entries
    fast, slow = ~moves, moves
    try:
        # What follows at once: y = follow x + jump w.
        follow = -np.linalg.solve(g[np.ix_(fast, fast)], g[np.ix_(fast, slow)])
        jump = np.linalg.solve(g[np.ix_(fast, fast)], entries[fast])
    except np.linalg.LinAlgError:
        raise InputError("noise: the circuit has a node that nothing determines at its balance") from None
    by_weight = 1.0 / weights[slow][:, None]
    return LinearCircuit(
        drift=-by_weight * (g[np.ix_(slow, slow)] + g[np.ix_(slow, fast)] @ follow),
        diffusion=by_weight * (entries[slow] - g[np.ix_(slow, fast)] @ jump),
        nodes=nodes,
        voltages=(basis[:, slow] + basis[:, fast] @ follow)[: len(nodes)],
        at_once=(basis[:, fast] @ jump)[: len(nodes)],
        sources=sources,
    )


class _Stamp:
    """K, G and the sources of a circuit, filled part by part."""

    def __init__(self, index: Mapping[str, int], balance: Mapping[str, float]) -> None:
        self.index, self.balance = index, balance
        self.sources: list[Source] = []
        self._k: list[tuple[int, int, float]] = []
        self._g: list[tuple[int, int, float]] = []
        self._unknowns = len(index)

    def matrices(self) -> tuple[Array, Array, Array]:
        """Return K, G, and what each source drives into each unknown."""
        n = self._unknowns
        both = np.zeros((2, n, n))
        for which, stamps in enumerate((self._k, self._g)):
            for i, j, value in stamps:
                both[which, i, j] += value
        entries = np.zeros((n, len(self.sources)))
        for s, source in enumerate(self.sources):
            for node, sign in zip(source.ends, (-1.0, 1.0), strict=True):
                if node in self.index:
                    entries[self.index[node], s] += sign * source.density
        return both[0], both[1], entries

    def add(self, element: _Element) -> None:
        device, part, nodes = element
        match part:
            case Resistor(resistance):
                self._current(nodes, {nodes[0]: 1.0 / resistance, nodes[1]: -1.0 / resistance})
                if not part.is_computing:
                    self._noise(device, nodes, FOUR_K_T / resistance)
            case Capacitor(capacitance):
                self._current(nodes, {nodes[0]: capacitance, nodes[1]: -capacitance}, into=self._k)
            case Transconductance(siemens):
                self._current(nodes, {}, (nodes[2:], (siemens, -siemens)))
            case Behaviour(formula, gives):
                slopes = self._slopes(formula, nodes[2:])
                if gives == "current":
                    self._current(nodes, {}, (nodes[2:], slopes))
                else:
                    self._voltage(nodes, nodes[2:], slopes)
            case Transconductor():
                self._current(nodes, {}, (nodes[2:], self._slopes(part.current(), nodes[2:])))
            case Switch():
                self._current(nodes, {}, (nodes, self._slopes(part.current(), nodes)))
            case VoltageGain(gain):
                self._voltage(nodes, nodes[2:], (gain, -gain))
            case Transistor():
                self._transistor(device, part, nodes)
            case Diode():
                self._diode(device, part, nodes)
            case VoltageSource() | CurrentSource():
                pass
            case OpAmp(model=MacroModel() as model):
                self._noise(device, nodes[3:5], model.voltage_noise**2 * 1e-6)
                for pin in nodes[:2]:
                    self._noise(device, (GROUND, pin), model.current_noise**2)
            case _:
                raise InputError(f"noise: {device}: the slopes of a {part.what} are not known here")

    def _noise(self, device: str, ends: Sequence[str], power: float) -> None:
        if power > 0.0 and any(node in self.index for node in ends[:2]):
            self.sources.append(Source(device, (ends[0], ends[1]), math.sqrt(power)))

    def _current(
        self,
        ends: Sequence[str],
        own: Mapping[str, float],
        sensed: tuple[Sequence[str], Sequence[float]] | None = None,
        into: list[tuple[int, int, float]] | None = None,
    ) -> None:
        """Add a current from the first end to the second, by how it rises with the voltages of nodes."""
        stamps = self._g if into is None else into
        terms = [*own.items(), *(zip(*sensed, strict=True) if sensed else ())]
        for node, sign in ((ends[0], 1.0), (ends[1], -1.0)):
            for other, slope in terms:
                if node in self.index and other in self.index:
                    stamps.append((self.index[node], self.index[other], sign * slope))

    def _voltage(self, ends: Sequence[str], sensed: Sequence[str], slopes: Sequence[float]) -> None:
        """Add a source that holds v(plus) - v(minus) at what it senses, with its current as an unknown."""
        row = self._unknowns
        self._unknowns += 1
        for node, sign in ((ends[0], 1.0), (ends[1], -1.0)):
            if node in self.index:
                self._g += [(self.index[node], row, sign), (row, self.index[node], sign)]
        for node, slope in zip(sensed, slopes, strict=True):
            if node in self.index:
                self._g.append((row, self.index[node], -slope))

    def _slopes(self, formula: Expression, nodes: Sequence[str]) -> tuple[float, ...]:
        at = [self._volts(node) for node in nodes]

        def value(k: int, step: float) -> float:
            return float(evaluate(formula, [v + step * (j == k) for j, v in enumerate(at)]))

        return tuple((value(k, STEP) - value(k, -STEP)) / (2.0 * STEP) for k in range(len(at)))

    def _volts(self, node: str) -> float:
        if node == GROUND:
            return 0.0
        if node not in self.balance:
            raise InputError(f"noise: the balance has no node {node!r:.60}")
        return self.balance[node]

    def _transistor(self, device: str, part: Transistor, nodes: tuple[str, ...]) -> None:
        """Add Ebers and Moll's equations with the Early effect, as SPICE has them with a reverse gain of 1."""
        collector, base, emitter = nodes
        sign = 1.0 if part.polarity == "npn" else -1.0
        forward, back = (sign * (self._volts(base) - self._volts(node)) for node in (emitter, collector))
        e, c = (part.saturation_current * math.exp(min(v / THERMAL, 80.0)) for v in (forward, back))
        by_early = 1.0 / part.early_voltage
        factor, flow = 1.0 - back * by_early, e - c
        of_collector = (e * factor / THERMAL, -c * factor / THERMAL - flow * by_early - c / THERMAL)
        of_base = (e / THERMAL / part.beta, c / THERMAL)
        for end, (by_forward, by_back) in ((collector, of_collector), (base, of_base)):
            terms = {base: by_forward + by_back, emitter: -by_forward}
            terms[collector] = terms.get(collector, 0.0) - by_back
            if base == collector:  # a transistor as a diode
                terms = {base: by_forward, emitter: -by_forward}
            self._current((end, emitter), terms)
        into_collector = flow * factor - (c - part.saturation_current)
        into_base = (e - part.saturation_current) / part.beta + c - part.saturation_current
        self._noise(device, (collector, emitter), 2.0 * CHARGE * abs(into_collector))
        self._noise(device, (base, emitter), 2.0 * CHARGE * abs(into_base))

    def _diode(self, device: str, part: Diode, nodes: tuple[str, ...]) -> None:
        """Add the slope of a diode behind its resistance; its junction's capacitance is that at 0 V."""
        v = self._volts(nodes[0]) - self._volts(nodes[1])
        current, slope = diode_at(part, v)
        ohms = part.resistance
        whole = slope / (1.0 + ohms * slope)
        self._current(nodes, {nodes[0]: whole, nodes[1]: -whole})
        if part.capacitance:
            self._current(nodes, {nodes[0]: part.capacitance, nodes[1]: -part.capacitance}, into=self._k)
        shot, thermal = 2.0 * CHARGE * abs(current), FOUR_K_T * ohms
        self._noise(device, nodes, (shot + thermal * slope * slope) / (1.0 + ohms * slope) ** 2)


def diode_at(part: Diode, volts: float) -> tuple[float, float]:
    """Return the current of a diode, amperes, and the slope of its junction, siemens, at the voltage across both."""
    from scipy.optimize import brentq

    n, broken = part.emission * THERMAL, part.breakdown_emission * THERMAL

    def junction(v: float) -> tuple[float, float]:
        up = part.saturation_current * math.exp(min(v / n, 80.0))
        down = 0.0
        if math.isfinite(part.breakdown):
            down = part.breakdown_current * math.exp(min(-(v + part.breakdown) / broken, 80.0))
        return up - part.saturation_current - down, up / n + down / broken

    inner = volts
    if part.resistance:
        low, high = min(volts, 0.0), max(volts, 0.0)
        if low < high:
            inner = float(brentq(lambda v: v + part.resistance * junction(v)[0] - volts, low, high, xtol=1e-12))
    return junction(inner)


def _flatten(circuit: Circuit) -> Iterator[_Element]:
    """Yield all parts of a circuit, those within op-amps and OTAs too, with nodes as ngspice calls them."""
    for name, part, nodes, _ in circuit.devices:
        low = tuple(node.lower() for node in nodes)
        if isinstance(part, OpAmp) and isinstance(part.model, OpAmpModel):
            yield from _within_op_amp(name, part, part.model, low)
        elif isinstance(part, OTA):
            yield from _within(name, part.elements(), dict(zip(part.ports, low, strict=True)))
        else:
            yield _Element(name, part, low)


def _within_op_amp(name: str, part: OpAmp, model: OpAmpModel, nodes: tuple[str, ...]) -> Iterator[_Element]:
    if isinstance(model, IdealGain):
        yield _Element(name, VoltageGain(model.gain), (nodes[2], GROUND, *nodes[:2]))
        return
    at = dict(zip(("plus", "minus", "output", *model.supplies), nodes, strict=True))
    quiet = replace(model, noise=False) if isinstance(model, MacroModel) else model
    yield from _within(name, quiet.elements(), at)
    if isinstance(model, MacroModel):
        # The noise of the voltage is a current into the node of the difference, 1 mA for 1 V.
        yield _Element(name, part, (*nodes[:3], GROUND, _inner(name, "difference")))


def _within(
    name: str, elements: Sequence[tuple[str, Part, tuple[str, ...]]], at: Mapping[str, str]
) -> Iterator[_Element]:
    for _, part, nodes in elements:
        yield _Element(name, part, tuple(GROUND if n == GROUND else at.get(n, _inner(name, n)) for n in nodes))


def _inner(name: str, node: str) -> str:
    """Return the name that ngspice has for an inner node of a subcircuit."""
    return f"{name if name[0].upper() == 'X' else f'X_{name}'}.{node}".lower()
