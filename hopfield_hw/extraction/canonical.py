"""The network of a linear part and its curves, in one form: each curve rises, and gives the volts of its rail.

What the currents into the capacitors are linear in, i = A s + B z + U u + d, is brought to

    C_i dx_i/dt = -x_i/R_i + sum_j T_ij g_j(x_j) + sum_k U_ik u_k + I_i,

with x_i = s_i or -s_i. Neither a state's sign, nor T[:, j] against the amplitude of g_j, nor T_ii against R_i of a
linear curve can be told from outside: a curve is taken to rise, and to be in the volts of the source that makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from .curves import Curve, centred
from .devices import FlatDevice
from .nodal import StateCapacitor

# A coupling of states without a curve that is below this part of the largest one is none.
NOTHING = 1e-9
# Two curves of one state are one where they differ by this part of their range.
ALIKE, MEASURED, NOTED = 1e-9, 0.1, 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class Canonical:
    """The values of a network of n states, SI units.

    `weights`: T, (n, n). `resistance`: (n,), infinite for a pure integrator, negative where a node is driven away.
    `linear`: what states pass on to others without a curve, (n, n), siemens, 0 on the diagonal. `input_weights`:
    (n, inputs). `curves`: of each state, None where none is. `signs`: and `offsets`: of x against
    the capacitor's voltage, x = sign v + offset, volts.
    """

    weights: Array
    resistance: Array
    capacitance: Array
    bias: Array
    linear: Array
    input_weights: Array
    curves: tuple[Curve | None, ...]
    signs: Array
    offsets: Array
    notes: tuple[str, ...] = ()


class Currents(Protocol):
    """The currents into the capacitors of `states`, linear in states, `curves`, inputs and 1, (states, columns)."""

    @property
    def states(self) -> tuple[StateCapacitor, ...]: ...

    @property
    def curves(self) -> list[FlatDevice]: ...

    @property
    def currents(self) -> Array: ...


def to_canonical(nodal: Currents, curves: Sequence[Curve], *, joined: bool = True) -> Canonical:
    """Return the network of a solved linear part and the curves of its nonlinear sources, in their order.

    `joined`: whether what a state passes on without a curve, in proportion to its curve, is a part of that, as where a
    clamp holds a node.
    """
    n, count = len(nodal.states), len(nodal.curves)
    found = nodal.currents
    by_state, by_curve = found[:, :n], found[:, n : n + count]
    by_input, constant = found[:, n + count : -1], found[:, -1]
    leaks = np.diag(by_state).copy()
    linear = by_state - np.diag(leaks)
    weights = np.zeros((n, n))
    kept: list[Curve | None] = [None] * n
    notes: list[str] = []
    constant = constant.copy()
    for j in range(n):
        own = [k for k, curve in enumerate(curves) if curve.owner == j]
        if not own:
            continue
        parts = _join([curves[k] for k in own], by_curve[:, own], linear[:, j], j, joined)
        made = parts.curve
        if made.is_from_rest:
            # With a single supply a curve is counted from what it gives at 0 V of its state, the reference.
            rest = float(made.values(np.zeros(1))[0])
            made = made.shifted(-rest)
            constant += rest * parts.weights
        kept[j], weights[:, j], linear[:, j] = made, parts.weights, parts.linear
        leaks[j] += parts.leak
        notes += parts.notes
        constant += parts.constant
    size = float(np.max(np.abs(found[:, :-1]), initial=0.0))
    linear = np.where(np.abs(linear) > NOTHING * size, linear, 0.0)
    signs = np.ones(n)
    for j, curve in enumerate(kept):
        if curve is not None and curve.upper < curve.lower:
            signs[j], kept[j] = -1.0, curve.turned()
    with np.errstate(divide="ignore"):
        resistance = np.where(np.abs(leaks) > 1e-12 * size, -1.0 / leaks, np.inf)
    offsets = np.zeros(n)
    about: list[Curve | None] = []
    for j, each in enumerate(kept):
        if each is None:
            about.append(None)
            continue
        shifted, middle = centred(each)
        about.append(shifted)
        if middle:
            # x = s - middle: what s loses over its leak, and passes on, is a bias.
            offsets[j] = -middle
            at = signs[j] * middle
            constant[j] += leaks[j] * at
            constant += linear[:, j] * at
    weights = signs[:, np.newaxis] * np.where(np.abs(weights) > 1e-14 * size, weights, 0.0)
    return Canonical(
        weights=weights,
        resistance=resistance,
        capacitance=np.array([state.capacitance for state in nodal.states]),
        bias=signs * constant,
        linear=signs[:, np.newaxis] * linear * signs,
        input_weights=signs[:, np.newaxis] * by_input,
        curves=tuple(about),
        signs=signs,
        offsets=offsets,
        notes=tuple(notes),
    )


class _Joined(NamedTuple):
    """Curves of one state as one: weights from it, what is left without a curve, shares of leak and constant, notes."""

    curve: Curve
    weights: Array
    linear: Array
    leak: float
    constant: Array
    notes: tuple[str, ...]


def _join(curves: Sequence[Curve], by_curve: Array, linear: Array, owner: int, with_linear: bool) -> _Joined:
    """Return several nonlinear sources of one state, and what it passes on without one, as one curve.

    The first curve with the largest weights is the main one; the others are multiples of it, with a constant and a
    multiple of the state. Raises InputError where they are not.
    """
    n = len(linear)
    main = int(np.argmax(np.max(np.abs(by_curve), axis=0)))
    curve, column = curves[main], by_curve[:, main].copy()
    constant, leak = np.zeros(n), 0.0
    said: list[str] = []
    others = np.arange(n) != owner
    if len(curves) > 1:
        width = 1.0
        x = np.concatenate([np.linspace(-10.0, 10.0, 401), np.linspace(-0.2, 0.2, 201)]) * width
        basis = np.stack([curve.values(x), np.ones_like(x)], axis=1)
        for k, other in enumerate(curves):
            if k == main or not np.any(np.abs(by_curve[:, k]) > NOTHING * np.max(np.abs(by_curve))):
                continue
            y = other.values(x)
            fit = np.linalg.lstsq(basis, y, rcond=None)[0]
            close = ALIKE if other.points is None and curve.points is None else MEASURED
            off = float(np.max(np.abs(basis @ fit - y))) / max(float(np.ptp(y)), 1e-30)
            if ALIKE < off <= close and off > NOTED:
                said.append(
                    f"{', '.join(other.devices)} differs from {', '.join(curve.devices)} by {off:.1%} of its range, "
                    "and is taken for a multiple of it: one of the two saturates, or is loaded"
                )
            if off > close:
                raise InputError(
                    f"state {owner}: {', '.join(curve.devices)} and {', '.join(other.devices)} make two different "
                    "curves of it; one state has one curve here"
                )
            column += fit[0] * by_curve[:, k]
            constant += fit[1] * by_curve[:, k]
    passed = linear.copy()
    size = float(np.max(np.abs(column[others]), initial=0.0))
    if with_linear and size > 0.0 and np.any(passed[others]):
        share = float(passed[others] @ column[others] / (column[others] @ column[others]))
        left = passed - share * column
        if np.max(np.abs(left[others])) <= 1e-6 * np.max(np.abs(passed[others])):
            # A node that follows its state up to where a clamp holds it: one curve, with the clamp's.
            curve = curve.plus(share)
            leak = -share * float(column[owner])
            passed = np.zeros(n)
    return _Joined(curve, column, passed, leak, constant, tuple(said))
