"""The values of a deck as they are compared: weights, couplings, leaks, biases, capacitances and slopes, in parts.

They follow from the devices alone, with op-amps as nullors and the curves where they were found, so that a deck in
which one device is changed has its values in a millisecond, and one rank-one change of its matrix in a microsecond:

    M' = M + d p q^T,    X' = X - d / (1 + d q^T M^-1 p) (M^-1 p)(q^T X)

(Sherman and Morrison 1950).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..functions.expressions import evaluate
from ..values.arrays import Array
from ..values.errors import InputError
from .devices import FlatDeck, FlatDevice
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
        """Return all differences from what was intended, in parts."""
        parts = []
        for name in ("weights", "conductances", "bias", "capacitance", "slopes"):
            off = (getattr(values, name) - getattr(self.intended, name)) / getattr(self.scales, name)
            parts.append(np.clip(np.nan_to_num(off, nan=1e3, posinf=1e6, neginf=-1e6), -1e6, 1e6).ravel())
        return np.concatenate(parts)


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
    def slopes(self) -> Array:
        """The slope of each nonlinear source at rest, in the order of `nodal.curves`, of its own state."""
        found = np.zeros(len(self.nodal.curves))
        n = len(self.states)
        for k, device in enumerate(self.nodal.curves):
            owner = self.frame.owners.get(device.name)
            if owner is None:
                continue
            if device.formula is None:
                high, low = device.output
                found[k] = (self.linear.voltage(high) - self.linear.voltage(low))[owner]
            else:
                found[k] = _formula_slope(self.nodal, device, owner, n)
        return found

    @cached_property
    def shares(self) -> Array:
        """By nonlinear source, how it counts in T of its state: its slope over that of the state's main one."""
        found = np.zeros(len(self.nodal.curves))
        for j in range(len(self.states)):
            own = [k for k, d in enumerate(self.nodal.curves) if self.frame.owners.get(d.name) == j]
            if own:
                main = self.slopes[own[0]]
                found[own] = self.slopes[own] / main if main else 1.0
                found[own[0]] = 1.0
        return found

    @cached_property
    def values(self) -> Values:
        """The values."""
        return self.assemble(self.nodal.currents, self.slopes)

    @cached_property
    def residual(self) -> Array:
        """The differences from what was intended, in parts."""
        return self.frame.residual(self.values)

    def assemble(self, currents: Array, slopes: Array) -> Values:
        """Return values from the currents into capacitors, (n, columns), and the slopes of nonlinear sources."""
        n, signs = len(self.states), self.frame.signs
        weights, main, bias = np.zeros((n, n)), np.ones(n), currents[:, -1]
        seen = set()
        for k, device in enumerate(self.nodal.curves):
            j = self.frame.owners.get(device.name)
            if j is None:
                continue
            if j not in seen:
                main[j] = slopes[k]
                seen.add(j)
            weights[:, j] += self.shares[k] * currents[:, n + k]
            if device.name in self.frame.from_rest:
                high, low = device.output
                rest = (self.linear.voltage(high) - self.linear.voltage(low))[-1]
                bias = bias + rest * currents[:, n + k]
        both = np.outer(signs, signs)
        return Values(
            weights=signs[:, np.newaxis] * weights,
            conductances=-both * currents[:, :n],
            bias=signs * bias,
            capacitance=np.array([state.capacitance for state in self.states]),
            slopes=signs * main,
        )


def _formula_slope(nodal: Nodal, device: FlatDevice, owner: int, n: int) -> float:
    """Return the slope of a formula along its state, at rest."""
    assert device.formula is not None
    rows = np.array([nodal.voltage(node) for node in device.sensed])
    at, along = rows[:, -1], rows[:, owner]
    size = float(np.max(np.abs(along), initial=0.0))
    if size == 0.0:
        return 0.0
    h = STEP / size
    high, low = (evaluate(device.formula, list(at + sign * h * along)) for sign in (1.0, -1.0))
    return float((high - low) / (2.0 * h))
