"""The curves of amplifiers: what a nonlinear source gives as a function of one state, and which family that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from ..functions import SIGMOIDS, Gain, HardLimiter, PiecewiseLinear, Table
from ..functions.expressions import Argument as _Argument
from ..functions.expressions import Expression, Number, evaluate, substitute
from ..values.arrays import Array
from ..values.errors import InputError
from .nodal import Nodal

Values: TypeAlias = "Callable[[Array], Array]"
# A coefficient below this part of the largest one is rounding.
NOTHING = 1e-9
# A family is recognised where it is the curve to this part of its amplitude.
SAME = 1e-9
# A clamp holds a curve nearly level: to this part of its amplitude, at so many volts of the state.
CLOSE, CLAMPED = 1e-3, 50.0
# Where a curve is taken to have reached its ends, in volts of the state.
FAR = 1e9
# Of the way to its upper end where the slope of a family is taken.
PARTS = (0.3, 0.6, 0.8)
HALVINGS = 64
NONE: Mapping[str, Array] = MappingProxyType({})
# Where a curve is looked at first: from nanovolts to gigavolts, on both sides of 0.
_SIZES = np.geomspace(1e-9, FAR, 800)
SCALE: Array = np.concatenate([-_SIZES[::-1], _SIZES])
POINTS = 4001
# A measured curve may fall by this part of its range: what the loads of an amplifier take.
MEASURED = 1e-2
WIDTHS = 8.0  # how far a table goes, in units of amplitude/slope


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What amplifiers make of one state: `values`, of volts of that state.

    `owner`: the state, by its place. `devices`: that make it. `gain`: the function, where it is a family of the package
    or a table. `points`: where it was measured, volts of the state; None for a formula. The ends, `lower` and `upper`:
    of what it gives, volts (amperes of a current source).
    """

    owner: int
    devices: tuple[str, ...]
    values: Values
    gain: Gain | None = None
    points: Array | None = None

    @property
    def lower(self) -> float:
        """What it gives far below 0 V."""
        return float(self.values(np.array([-FAR]))[0])

    @property
    def upper(self) -> float:
        """What it gives far above 0 V."""
        return float(self.values(np.array([FAR]))[0])

    @property
    def is_from_rest(self) -> bool:
        """Whether it was measured and does not change its sign, as with a single supply: it is counted from rest."""
        return self.points is not None and self.lower * self.upper >= 0.0

    def turned(self) -> Curve:
        """Return the curve of minus its state."""
        values = self.values
        points = None if self.points is None else -self.points[::-1]
        return replace(self, values=lambda x: values(-x), gain=None, points=points)

    def shifted(self, volts: float) -> Curve:
        """Return the curve with a constant added."""
        values = self.values
        return replace(self, values=lambda x: values(x) + volts, gain=None)

    def plus(self, siemens: float) -> Curve:
        """Return the curve with a multiple of the state added."""
        values = self.values
        return replace(self, values=lambda x: values(x) + siemens * x, gain=None)

    def recognised(self) -> Curve:
        """Return the curve with its gain: one of the families, or a table of it where none is the same.

        Raises InputError for a curve that falls anywhere, which is no gain of a neuron.
        """
        if self.gain is not None:
            return self
        if self.points is not None:
            return replace(self, gain=make_table(self.points, self.values(self.points), self.devices, MEASURED))
        return replace(self, gain=recognise(self))


def read_curves(nodal: Nodal, measured: Mapping[str, Array] = NONE) -> list[Curve]:
    """Return what each nonlinear source of a formula gives, in the order of `nodal.curves`; op-amps are left out.

    `measured`: by node, what its voltage was found to be linear in, (columns,), in place of what ideal op-amps say.

    Raises InputError, with the device, for one that depends on several states, on none, or on an input.
    """
    places = {device.name: k for k, device in enumerate(nodal.curves)}
    found: dict[str, Curve] = {}

    def read(name: str, above: tuple[str, ...]) -> Curve:
        if name in found:
            return found[name]
        device = nodal.curves[places[name]]
        if device.formula is None:
            raise InputError(f"{device.where}: {name} is an op-amp that makes a curve: only a simulator knows it")
        n, count = len(nodal.states), len(nodal.curves)
        rows = np.array([measured.get(node, nodal.voltage(node)) for node in device.sensed])
        size = np.max(np.abs(rows[:, :n]), initial=0.0)
        rows = np.where(np.abs(rows) > NOTHING * max(size, 1e-30), rows, 0.0) if size > 0.0 else rows
        others = [k for k in range(count) if np.any(rows[:, n + k])]
        inner: dict[int, Curve] = {}
        for k in others:
            other = nodal.curves[k].name
            if other != name and other in above:
                raise InputError(
                    f"{device.where}: {name} and {other} depend on each other: a loop of nonlinear sources without a "
                    "capacitor is no network of neurons"
                )
            if other != name:
                inner[k] = read(other, (*above, name))
        owners = {int(j) for j in np.flatnonzero(np.any(rows[:, :n], axis=0))}
        owners |= {curve.owner for curve in inner.values()}
        if len(owners) != 1 or np.any(rows[:, n + count : -1]):
            raise InputError(_several(nodal, name, device.where, owners))
        own = places[name] if places[name] in others else None
        found[name] = _compose(device.formula, rows, n, owners.pop(), inner, own, name)
        return found[name]

    return [read(device.name, ()) for device in nodal.curves if device.formula is not None]


def _several(nodal: Nodal, name: str, where: str, owners: set[int]) -> str:
    if not owners:
        return f"{where}: {name} depends on no state: a curve must be of one; write a constant as a V or an I source"
    states = ", ".join("+".join(nodal.states[k].names) for k in sorted(owners)[:4])
    return (
        f"{where}: {name} depends on {len(owners)} states or inputs ({states}): curves of several states, such as "
        "products and softmax, are not of C dx/dt = -x/R + T g(x) + I; verify such a circuit against its graph"
    )


def _compose(
    formula: Expression, rows: Array, n: int, owner: int, inner: dict[int, Curve], own: int | None, name: str
) -> Curve:
    """Return a formula of node voltages as a curve of one state."""
    by_state, constants = rows[:, owner], rows[:, -1]
    devices = (name, *(device for curve in inner.values() for device in curve.devices))
    by_own = np.zeros(len(rows)) if own is None else rows[:, n + own]

    def given(x: Array) -> Array:
        volts: Array = by_state[:, np.newaxis] * x + constants[:, np.newaxis]
        for k, curve in inner.items():
            volts = volts + rows[:, n + k, np.newaxis] * curve.values(x)
        return volts

    def value(volts: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.broadcast_to(evaluate(formula, list(volts)), volts.shape[1:]).astype(float)

    if own is None:
        if not inner:
            argument = [float(a) * _Argument() + Number(float(b)) for a, b in zip(by_state, constants, strict=True)]
            plain = substitute(formula, argument)

            def explicit(x: Array) -> Array:
                with np.errstate(over="ignore", invalid="ignore"):
                    return np.broadcast_to(evaluate(plain, [np.asarray(x, dtype=float)]), np.shape(x)).astype(float)

            return Curve(owner=owner, devices=devices, values=explicit)
        return Curve(owner=owner, devices=devices, values=lambda x: value(given(np.asarray(x, dtype=float))))

    def implicit(x: Array) -> Array:
        """Solve z = f(v + c z) by halving: a source that holds its own node, as a clamp does."""
        volts = given(np.asarray(x, dtype=float))
        ends = value(np.tile(np.array([-FAR, FAR]), (len(volts), 1)))
        reach = max(float(np.max(np.abs(ends))), 1.0) * 2.0
        low, high = np.full(np.shape(x), -reach), np.full(np.shape(x), reach)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            above = middle > value(volts + by_own[:, np.newaxis] * middle)
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.asarray(0.5 * (low + high))

    return Curve(owner=owner, devices=devices, values=implicit)


def recognise(curve: Curve) -> Gain:
    """Return a rising curve as a family of the package, or as a table of it."""
    lower, upper = curve.lower, curve.upper
    if not np.isfinite(lower + upper) or not upper > lower:
        raise InputError(
            f"curve of {', '.join(curve.devices)}: goes from {lower:.3g} V to {upper:.3g} V: the curve of a neuron "
            f"rises between two ends"
        )
    # An arctangent is still some 1e-9 from its end at FAR.
    beyond = float(curve.values(np.array([FAR**2]))[0])
    upper = beyond if abs(beyond - upper) < CLOSE * abs(upper) else upper
    values = curve.values(SCALE)
    for family in SIGMOIDS:
        gain = _fit(SCALE, values, family(), upper)
        if gain is not None and _is_same(curve, gain):
            return gain
    limiter = HardLimiter(amplitude=upper)
    if _is_same(curve, limiter):
        return limiter
    return _clamped(curve) or tabulate(curve)


def centred(curve: Curve) -> tuple[Curve, float]:
    """Return a formula's curve about its middle, with its gain, and how far that is from 0 V of the state.

    Offsets of op-amps shift a curve: it is one of a family about its own middle. Others are as they are, about 0 V.
    """
    plain = curve.recognised()
    if curve.points is not None or not isinstance(plain.gain, Table):
        return plain, 0.0
    lower, upper = curve.lower, curve.upper
    low, high = -CLAMPED, CLAMPED
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if float(curve.values(np.array([middle]))[0]) < 0.5 * (lower + upper):
            low = middle
        else:
            high = middle
    values, at = curve.values, 0.5 * (low + high)
    moved = replace(curve, values=lambda x: values(x + at), gain=None).recognised()
    return (plain, 0.0) if isinstance(moved.gain, Table) else (moved, at)


def _clamped(curve: Curve) -> Gain | None:
    """Return a clip for a curve that goes on with a small slope where a clamp holds it; None for another one."""
    low, high = curve.values(np.array([-CLAMPED, CLAMPED]))
    near = 1e-6 * CLAMPED
    first, second = curve.values(np.array([-near, near]))
    if not (high > -low * (1.0 - CLOSE) > 0.0 and second > first):
        return None
    slope = float((second - first) / (2.0 * near))
    # Just beyond its corner: far from there the slope that is left adds up.
    beyond = min(float(high - low) / slope, CLAMPED)
    low, high = curve.values(np.array([-beyond, beyond]))
    gain = PiecewiseLinear(gain=slope, amplitude=float(0.5 * (high - low)))
    return gain if _is_same(curve, gain, CLOSE) else None


def _fit(at: Array, values: Array, unit: Gain, upper: float) -> Gain | None:
    """Return a family with the curve's amplitude, and its slope where the curve is partly up."""
    if not upper > 0.0:
        return None
    for part in PARTS:
        k = int(np.argmin(np.abs(values - part * upper)))
        slope = upper * float(unit.inverse(values[k : k + 1] / upper)[0]) / at[k] if at[k] != 0.0 else np.nan
        if np.isfinite(slope) and slope > 0.0:
            return replace(unit, gain=float(slope), amplitude=upper)  # type: ignore[call-arg]
    return None


def _place(at: Array, values: Array, volts: float) -> float:
    """Return where a rising curve passes a value, between two of its points."""
    k = min(max(int(np.searchsorted(np.maximum.accumulate(values), volts)), 1), len(at) - 1)
    return float(0.5 * (at[k - 1] + at[k]))


def _is_same(curve: Curve, gain: Gain, part: float = SAME) -> bool:
    width = max(float(np.max(gain.upper)), 1e-12) / float(np.max(gain.slope)) if np.isfinite(gain.slope) else 1.0
    x = np.linspace(-6.0, 6.0, 97) * width
    return bool(np.max(np.abs(curve.values(x) - gain.value(x))) <= part * float(np.max(np.abs(gain.upper))))


def tabulate(curve: Curve) -> Table:
    """Return a table of a curve. Raises InputError for one that falls."""
    upper, lower, values = curve.upper, curve.lower, curve.values(SCALE)
    low, middle, high = (_place(SCALE, values, lower + part * (upper - lower)) for part in (0.1, 0.5, 0.9))
    width = max(high - low, 1e-9)
    x = np.linspace(middle - WIDTHS * width, middle + WIDTHS * width, POINTS)
    return make_table(x, curve.values(x), curve.devices)


def make_table(x: Array, y: Array, devices: Sequence[str], rounding: float = 1e-9) -> Table:
    """Return a rising table of points, with falls by rounding made level.

    Raises InputError for a curve that falls by more than a part `rounding` of its range.
    """
    level = np.maximum.accumulate(y)
    if np.max(level - y) > rounding * np.ptp(y):
        at = float(x[int(np.argmax(level - y))])
        raise InputError(
            f"curve of {', '.join(devices)}: falls at {at:.3g} V of its state, and a gain rises everywhere; such a "
            "circuit is not of this family"
        )
    return Table(x=x, y=level)
