"""The values of a deck as they are compared: weights, couplings, leaks, biases, capacitances and slopes, in parts.

They follow from the devices alone, with op-amps as nullors and the curves where they were found, so that a deck in
which one device is changed has its values in a millisecond, and one rank-one change of its matrix in a microsecond:

    M' = M + d p q^T,    X' = X - d / (1 + d q^T M^-1 p) (M^-1 p)(q^T X)

(Sherman and Morrison 1950).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..functions.expressions import Expression, evaluate
from ..values.arrays import Array
from ..values.errors import InputError
from .devices import FlatDeck
from .nodal import Nodal, StateCapacitor
from .views import View

# A weight counts in parts of itself, but not of less than this part of the largest.
FLOOR = 0.02
# The slope of a formula is taken over so many volts of its state.
STEP = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Values:
    """Values of a network, SI units: T, (n, n); couplings without a curve and, on the diagonal, 1/R, (n, n); I, C and
    the slope of each curve at rest, (n,)."""

    weights: Array
    conductances: Array
    bias: Array
    capacitance: Array
    slopes: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """How a deck is read: by name the capacitors of each state, the op-amps that make curves, the state of each curve,
    and the sign of each state. `intended`: what its values are held against. `from_rest`: the curves that are counted
    from what they give at 0 V of their state, as with a single supply. `view`: of a clocked deck."""

    states: tuple[tuple[str, ...], ...]
    curves: tuple[str, ...]
    owners: Mapping[str, int]
    signs: Array
    intended: Values
    from_rest: frozenset[str] = frozenset()
    view: View | None = None

    @cached_property
    def scales(self) -> Values:
        """By what each value is divided."""
        given = self.intended
        largest = float(np.max(np.abs(given.weights), initial=1e-30))
        own = np.abs(np.diag(given.conductances))
        couplings = np.full_like(given.conductances, FLOOR * largest)
        np.fill_diagonal(couplings, np.maximum(own, FLOOR * largest))
        return Values(
            weights=np.maximum(np.abs(given.weights), FLOOR * largest),
            conductances=couplings,
            bias=np.maximum(np.abs(given.bias), FLOOR * largest),
            capacitance=given.capacitance,
            slopes=np.maximum(np.abs(given.slopes), 1e-12),
        )

    @cached_property
    def parts_of_scale(self) -> Array:
        """The sizes of what was intended in parts of `scales`, in the order of `residual`: 1, or less where small."""
        return np.abs(flat_values(self.intended)) / flat_values(self.scales)

    def names(self) -> list[tuple[str, str]]:
        """Return the names of all values, and their units, in the order of `residual`."""
        n = len(self.states)
        if self.view is not None:
            found = [(f"{name}[{i}, {j}]", "") for name in "TK" for i in range(n) for j in range(n)]
            found += [(f"b[{i}]", "V") for i in range(n)] + [(f"C[{i}]", "F") for i in range(n)]
            return found + [(f"slope of the curve of {i}", "") for i in range(n)]
        found = [(f"T[{i}, {j}]", "S") for i in range(n) for j in range(n)]
        found += [(f"1/R[{i}]", "S") if i == j else (f"coupling [{i}, {j}]", "S") for i in range(n) for j in range(n)]
        found += [(f"I[{i}]", "A") for i in range(n)] + [(f"C[{i}]", "F") for i in range(n)]
        return found + [(f"slope of the curve of {i}", "") for i in range(n)]

    def residual(self, values: Values) -> Array:
        """Return all differences from what was intended, in parts, (..., values)."""
        lead = values.bias.shape[:-1]
        off = []
        for name in ("weights", "conductances", "bias", "capacitance", "slopes"):
            given, wanted, scale = (getattr(each, name) for each in (values, self.intended, self.scales))
            off.append(((given - wanted) / scale).reshape((*lead, -1)))
        found = np.concatenate(off, axis=-1)
        found[np.isnan(found)] = 1e3
        return np.asarray(np.clip(found, -1e6, 1e6, out=found))


def flat_values(values: Values) -> Array:
    """Return values in the order of `Frame.residual`."""
    names = ("weights", "conductances", "bias", "capacitance", "slopes")
    return np.concatenate([np.ravel(getattr(values, name)) for name in names])


class Reading:
    """A deck read in a frame: its values, and how rank-one changes of its matrix change them.

    Raises InputError where the deck lacks a capacitor of a state, or has no unique solution.
    """

    def __init__(self, deck: FlatDeck, frame: Frame, *, ideal: bool = True) -> None:
        self.deck, self.frame = deck, frame
        if frame.view is not None:
            deck = frame.view.apply(deck)
        states = []
        for names in frame.states:
            there = [deck.by_name[name] for name in names if name in deck.by_name]
            if not there:
                raise InputError(f"deck: the capacitor {'+'.join(names)} of a state is not there")
            total = sum(device.value or 0.0 for device in there)
            states.append(StateCapacitor(tuple(d.name for d in there), (there[0].nodes[0], there[0].nodes[1]), total))
        self.states = tuple(states)
        held = {name for names in frame.states for name in names}
        kept = deck.without(device.name for device in deck.of("C") if device.name not in held)
        self.nodal = Nodal(kept, self.states, frame.curves, ideal=ideal)
        # With op-amps as nullors all over, their outputs have the slopes of their curves at rest.
        self.linear = Nodal(kept, self.states, ideal=ideal) if frame.curves else self.nodal

    @cached_property
    def probes(self) -> tuple[Probe, Probe]:
        """What values follow from: of the part with curves imposed, and of that with op-amps as nullors all over."""
        nonlinear = self.nodal.curves
        sensed = [node for device in nonlinear if device.formula is not None for node in device.sensed]
        return Probe(self.nodal, sensed), Probe(self.linear, [node for device in nonlinear for node in device.output])

    @cached_property
    def slopes(self) -> Array:
        """The slope of each nonlinear source at rest, in the order of `nodal.curves`, of its own state."""
        main, linear = self.probes
        return self._slopes(main.solution, linear.solution)

    def _slopes(self, main: Array, linear: Array) -> Array:
        by_main, by_linear = self.probes
        found = np.zeros((*main.shape[:-2], len(self.nodal.curves)))
        for k, device in enumerate(self.nodal.curves):
            owner = self.frame.owners.get(device.name)
            if owner is None:
                continue
            if device.formula is None:
                high, low = device.output
                found[..., k] = (by_linear.voltage(linear, high) - by_linear.voltage(linear, low))[..., owner]
            else:
                rows = np.stack([by_main.voltage(main, node) for node in device.sensed])
                found[..., k] = _formula_slope(device.formula, rows[..., -1], rows[..., owner])
        return found

    @cached_property
    def shares(self) -> Array:
        """By nonlinear source, how it counts in T of its state: its slope over that of the state's main one."""
        return self._shares(self.slopes)

    def _shares(self, slopes: Array) -> Array:
        found = np.zeros_like(slopes)
        for own in self._own:
            for k in own:
                main = slopes[..., own[0]]
                found[..., k] = np.where(main != 0.0, slopes[..., k] / np.where(main != 0.0, main, 1.0), 1.0)
            if own:
                found[..., own[0]] = 1.0
        return found

    @cached_property
    def _own(self) -> list[list[int]]:
        """By state, its nonlinear sources, the main one first."""
        owners = [self.frame.owners.get(device.name) for device in self.nodal.curves]
        return [[k for k, owner in enumerate(owners) if owner == j] for j in range(len(self.states))]

    @cached_property
    def values(self) -> Values:
        """The values."""
        main, linear = self.probes
        return self._assemble(main.solution, linear.solution)

    @cached_property
    def residual(self) -> Array:
        """The differences from what was intended, in parts, (values,)."""
        return self.frame.residual(self.values)

    def residuals(self, main: Array, linear: Array) -> Array:
        """Return the differences from what was intended, (..., values), for other solutions of the probes' rows."""
        return self.frame.residual(self._assemble(main, linear))

    def _assemble(self, main: Array, linear: Array) -> Values:
        """Return values from solutions of the probes' rows, (..., rows, columns)."""
        n, signs, by_linear = len(self.states), self.frame.signs, self.probes[1]
        currents, slopes = main[..., :n, :], self._slopes(main, linear)
        shares = self._shares(slopes)
        lead = main.shape[:-2]
        weights, bias = np.zeros((*lead, n, n)), currents[..., -1]
        at_rest = np.ones((*lead, n))
        for j, own in enumerate(self._own):
            for k in own:
                weights[..., j] += shares[..., k, np.newaxis] * currents[..., n + k]
            if own:
                at_rest[..., j] = slopes[..., own[0]]
        for k, device in enumerate(self.nodal.curves):
            if device.name in self.frame.from_rest and device.name in self.frame.owners:
                high, low = device.output
                rest = (by_linear.voltage(linear, high) - by_linear.voltage(linear, low))[..., -1]
                bias = bias + rest[..., np.newaxis] * currents[..., n + k]
        capacitance = np.array([state.capacitance for state in self.states])
        return Values(
            weights=signs[:, np.newaxis] * weights,
            conductances=-np.outer(signs, signs) * currents[..., :n],
            bias=signs * bias,
            capacitance=np.broadcast_to(capacitance, (*lead, n)),
            slopes=signs * at_rest,
        )


class Probe:
    """Rows of the solution of a linear part: the currents into the capacitors, then the voltages of some nodes."""

    def __init__(self, nodal: Nodal, nodes: Sequence[str]) -> None:
        there = [node for node in dict.fromkeys(nodes) if node in nodal.places]
        first = len(nodal.clamps)
        self._at = {node: first + k for k, node in enumerate(there)}
        self.nodal = nodal
        self.rows = [*nodal.clamps, *(nodal.places[node] for node in there)]
        self.solution: Array = nodal.solution[self.rows]

    def voltage(self, solution: Array, node: str) -> Array:
        """Return the voltage of a node, (..., columns), in solutions of these rows; of ground, 0."""
        place = self._at.get(node)
        return np.zeros((*solution.shape[:-2], solution.shape[-1])) if place is None else solution[..., place, :]


def _formula_slope(formula: Expression, at: Array, along: Array) -> Array:
    """Return the slope of a formula at arguments, (arguments, ...), along a direction of them."""
    size = np.max(np.abs(along), axis=0, initial=0.0)
    h = STEP / np.where(size > 0.0, size, 1.0)
    high, low = (evaluate(formula, list(at + sign * h * along)) for sign in (1.0, -1.0))
    return np.asarray(np.where(size > 0.0, (high - low) / (2.0 * h), 0.0))
