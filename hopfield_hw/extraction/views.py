"""A clocked circuit as one without a clock that has the same values: its map, in place of currents into capacitors.

While the capacitors of one phase follow what drives them, those of the other are held. The view of such a deck has a
node p of its own for each state, whose current is the next value, so that nodal analysis, curves, canonical form and
the search for faults are those of C dp/dt = T g(p) + K p + U u + b, with siemens and farads of 1 for what is a number.

Where curves are of the held states, x' = K x + T g(x) + ..., p is the held voltage. Where each is of a sum of them,
x' = g(T x + ...), p is that sum, y' = T g(y) + ...: the same circuit, cut before its curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..functions.expressions import (
    ARGUMENT,
    Argument,
    Call,
    Choice,
    Expression,
    Interpolation,
    Negative,
    Number,
    Operation,
)
from .devices import GROUND, FlatDeck, FlatDevice, Kind
from .nodal import Linear, linear_form

# How the nodes and devices of a view begin.
STATE, FOLLOWS = "state of ", "follows "


class Sum(NamedTuple):
    """A formula of one sum of voltages: the sum, and the formula of it."""

    nodes: tuple[str, ...]
    sum: Linear
    formula: Expression


class Sample(NamedTuple):
    """A state: the capacitor that holds it, what that takes over, and what drives that.

    `held`: its nodes (plus, minus). `driven`: the nodes of the capacitor that it is copied from; `gain`, `offset`: of
    the copy. `curve`: the source, and the sum that it is of, where a state is a curve of a sum.
    """

    name: str
    held: tuple[str, str]
    driven: tuple[str, str]
    gain: float
    offset: float
    curve: str = ""
    of: Sum | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """How a clocked deck is looked at: its states, and the nonlinear sources that move none of them, `idle`."""

    samples: tuple[Sample, ...]
    idle: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The names of the capacitors of the states."""
        return tuple((sample.name,) for sample in self.samples)

    def apply(self, deck: FlatDeck) -> FlatDeck:
        """Return the deck without a clock; capacitors that are not there are left out."""
        devices = {device.name: device for device in deck.devices}
        for name in self.idle & set(devices):
            device = devices[name]
            kind: Kind = "V" if device.gives == "voltage" else "I"
            devices[name] = replace(device, kind=kind, value=0.0, formula=None, sensed=())
        for sample in self.samples:
            if sample.name not in devices:
                continue
            own = f"{STATE}{sample.name}"
            held = devices[sample.name]
            devices[sample.name] = replace(held, nodes=(own, GROUND))
            follows = FlatDevice(name=f"{FOLLOWS}{sample.name}", kind="B", nodes=(GROUND, own), where=held.where)
            copy = sample.gain * (Argument(0) - Argument(1)) + sample.offset
            if sample.of is None:
                devices[f"{STATE}{sample.name}"] = replace(
                    follows, name=own, kind="E", nodes=sample.held, value=1.0, sensed=(own, GROUND)
                )
                devices[follows.name] = replace(follows, gives="current", sensed=sample.driven, formula=copy)
                continue
            devices[own] = replace(follows, name=own, nodes=sample.held, sensed=sample.driven, formula=copy)
            source = devices.get(sample.curve)
            of = sample.of if source is None or source.formula is None else as_sum(source) or sample.of
            if source is not None and source.kind == "B":
                devices[sample.curve] = replace(source, sensed=(own,), formula=of.formula)
            total = add_up(of.sum)
            devices[follows.name] = replace(follows, gives="current", sensed=of.nodes, formula=total)
        return deck.with_devices(devices.values())


def add_up(form: Linear) -> Expression:
    """Return a linear form as an expression."""
    total: Expression = Number(form.constant)
    for k, coefficient in enumerate(form.coefficients):
        if coefficient:
            total = total + coefficient * Argument(k)
    return total


def as_sum(device: FlatDevice) -> Sum | None:
    """Return a formula as one of a single sum of its voltages; None where it is of several.

    The sum has the coefficient 1 at the first of its nodes.
    """
    assert device.formula is not None
    size = len(device.sensed)
    found: list[tuple[float, ...]] = []

    def part(expression: Expression) -> Expression | None:
        form = linear_form(expression)
        if form is not None:
            wide = (*form.coefficients, *([0.0] * (size - len(form.coefficients))))
            first = next((value for value in wide if value), 0.0)
            if not first:
                return Number(form.constant)
            found.append(tuple(value / first for value in wide))
            if any(abs(a - b) > 1e-12 for a, b in zip(found[0], found[-1], strict=True)):
                return None
            scaled = first * ARGUMENT
            return scaled + form.constant if form.constant else scaled
        match expression:
            case Negative(operand):
                inner = part(operand)
                return None if inner is None else Negative(inner)
            case Operation(symbol, left, right):
                a, b = part(left), part(right)
                return None if a is None or b is None else Operation(symbol, a, b)
            case Call(function, arguments):
                parts = _all(arguments)
                return None if parts is None else Call(function, tuple(parts))
            case Choice(left, right, above, otherwise):
                parts = _all((left, right, above, otherwise))
                return None if parts is None else Choice(*parts)
            case Interpolation(operand, points):
                inner = part(operand)
                return None if inner is None else Interpolation(inner, points)
        return None

    def _all(expressions: Sequence[Expression]) -> list[Expression] | None:
        parts = [part(each) for each in expressions]
        return None if any(each is None for each in parts) else [each for each in parts if each is not None]

    formula = part(device.formula)
    if formula is None or not found:
        return None
    kept = [k for k in range(size) if found[0][k]]
    return Sum(tuple(device.sensed[k] for k in kept), Linear(tuple(found[0][k] for k in kept), 0.0), formula)


class Tie(NamedTuple):
    """A comparator whose ties another voltage decides: a sgn(d + band sgn(t)); the node of t."""

    band: float
    node: str


def without_tie(device: FlatDevice) -> tuple[FlatDevice, Tie | None]:
    """Return a comparator whose threshold a voltage moves as one without, and how it was; others as they are."""
    formula, factor = device.formula, Number(1.0)
    if isinstance(formula, Operation) and formula.symbol == "*" and isinstance(formula.left, Number):
        factor, formula = formula.left, formula.right
    match formula:
        case Call("sign", (Operation("+", drive, Operation("*", Number(band), Call("sign", (Argument(k),)))),)):
            pass
        case Call("sign", (Operation("+", drive, Call("sign", (Argument(k),))),)):
            band = 1.0
        case _:
            return device, None
    if linear_form(drive) is None or not band > 0.0 or not factor.value > 0.0:
        return device, None
    plain: Expression = Call("sign", (drive,))
    kept = factor * plain if factor.value != 1.0 else plain
    return replace(device, formula=kept), Tie(band, device.sensed[k])
