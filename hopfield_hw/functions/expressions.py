"""Expressions: formulas as small trees of numbers, arguments and operations, which know nothing of any simulator.

A function gives its curve as such a tree, a behavioural device holds one, and a dialect prints it in its own words:
`tanh(2.0 * ARGUMENT)`. Trees are built with the operators of Python and the functions below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError


class Expression:
    """A node of a tree. Sums, differences, products and quotients of nodes and numbers are nodes."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Expression:
        return Operation("+", self, as_expression(other))

    def __radd__(self, other: Operand) -> Expression:
        return Operation("+", as_expression(other), self)

    def __sub__(self, other: Operand) -> Expression:
        return Operation("-", self, as_expression(other))

    def __rsub__(self, other: Operand) -> Expression:
        return Operation("-", as_expression(other), self)

    def __mul__(self, other: Operand) -> Expression:
        return self if _is_one(other) else Operation("*", self, as_expression(other))

    def __rmul__(self, other: Operand) -> Expression:
        return self if _is_one(other) else Operation("*", as_expression(other), self)

    def __truediv__(self, other: Operand) -> Expression:
        return self if _is_one(other) else Operation("/", self, as_expression(other))

    def __rtruediv__(self, other: Operand) -> Expression:
        return Operation("/", as_expression(other), self)

    def __neg__(self) -> Expression:
        return Negative(self)


Operand: TypeAlias = "Expression | float"


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A finite number."""

    value: float

    def __post_init__(self) -> None:
        if type(self.value) is not float or not np.isfinite(self.value):
            raise InputError(f"expression: {self.value!r:.40} must be a finite float")


@dataclass(frozen=True, slots=True)
class Argument(Expression):
    """What the formula is of: the argument with an index, 0 for a function of one."""

    index: int = 0


@dataclass(frozen=True, slots=True)
class Negative(Expression):
    """-x."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Operation(Expression):
    """left + right, and so on."""

    symbol: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        if self.symbol not in OPERATIONS:
            raise InputError(f"expression: operation {self.symbol!r:.40}: must be one of {', '.join(OPERATIONS)}")


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """One of CALLS of its arguments."""

    function: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if self.function not in CALLS:
            raise InputError(f"expression: function {self.function!r:.40}: must be one of {', '.join(CALLS)}")


@dataclass(frozen=True, slots=True)
class Choice(Expression):
    """`above` where left > right, `otherwise` elsewhere."""

    left: Expression
    right: Expression
    above: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Interpolation(Expression):
    """Straight lines between points ((x, y), ...), flat before the first and after the last."""

    operand: Expression
    points: tuple[tuple[float, float], ...]


ARGUMENT = Argument()
OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
)
# By name, what a Call may be of, and what it means.
CALLS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "tanh": np.tanh,
        "exp": np.exp,
        "log": np.log,
        "arctan": np.arctan,
        "sqrt": np.sqrt,
        "abs": np.abs,
        "sign": np.sign,
        "floor": np.floor,
        "ceil": np.ceil,
        "min": np.minimum,
        "max": np.maximum,
    }
)


def as_expression(value: Operand) -> Expression:
    """Return an expression as it is, and a number as one."""
    return value if isinstance(value, Expression) else Number(float(value))


def call(function: str, *arguments: Operand) -> Expression:
    """Return a function of CALLS of its arguments; the least or the largest of more than two is one of pairs."""
    given = [as_expression(argument) for argument in arguments]
    if len(given) > 2:
        return reduce(lambda left, right: Call(function, (left, right)), given)
    return Call(function, tuple(given))


def tanh(x: Operand) -> Expression:
    """Return tanh x."""
    return call("tanh", x)


def exp(x: Operand) -> Expression:
    """Return e^x."""
    return call("exp", x)


def minimum(*arguments: Operand) -> Expression:
    """Return the least."""
    return call("min", *arguments)


def maximum(*arguments: Operand) -> Expression:
    """Return the largest."""
    return call("max", *arguments)


def softplus(t: Expression) -> Expression:
    """Return log(1 + e^t), which does not overflow."""
    return maximum(0.0, t) + call("log", 1.0 + exp(-call("abs", t)))


def substitute(expression: Expression, arguments: Sequence[Expression]) -> Expression:
    """Return an expression with its arguments replaced by others."""
    match expression:
        case Argument(index):
            return arguments[index]
        case Number():
            return expression
        case Negative(operand):
            return Negative(substitute(operand, arguments))
        case Operation(symbol, left, right):
            return Operation(symbol, substitute(left, arguments), substitute(right, arguments))
        case Call(function, inner):
            return Call(function, tuple(substitute(argument, arguments) for argument in inner))
        case Choice(left, right, above, otherwise):
            return Choice(*(substitute(part, arguments) for part in (left, right, above, otherwise)))
        case Interpolation(operand, points):
            return Interpolation(substitute(operand, arguments), points)
    raise _unknown(expression)


def evaluate(expression: Expression, arguments: Sequence[float | Array]) -> Any:
    """Return the value of an expression at its arguments, numbers or arrays of one shape."""
    match expression:
        case Argument(index):
            return arguments[index]
        case Number(value):
            return value
        case Negative(operand):
            return -evaluate(operand, arguments)
        case Operation(symbol, left, right):
            return OPERATIONS[symbol](evaluate(left, arguments), evaluate(right, arguments))
        case Call(function, inner):
            return CALLS[function](*(evaluate(argument, arguments) for argument in inner))
        case Choice(left, right, above, otherwise):
            is_above = evaluate(left, arguments) > evaluate(right, arguments)
            return np.where(is_above, evaluate(above, arguments), evaluate(otherwise, arguments))
        case Interpolation(operand, points):
            xs, ys = zip(*points, strict=True)
            return np.interp(evaluate(operand, arguments), xs, ys)
    raise _unknown(expression)


def count_arguments(expression: Expression) -> int:
    """Return how many arguments an expression is of: one more than the largest index in it."""
    match expression:
        case Argument(index):
            return index + 1
        case Number():
            return 0
        case Negative(operand) | Interpolation(operand, _):
            return count_arguments(operand)
        case Operation(_, left, right):
            return max(count_arguments(left), count_arguments(right))
        case Call(_, inner):
            return max((count_arguments(argument) for argument in inner), default=0)
        case Choice(left, right, above, otherwise):
            return max(count_arguments(part) for part in (left, right, above, otherwise))
    raise _unknown(expression)


def _is_one(value: Operand) -> bool:
    return value == (Number(1.0) if isinstance(value, Expression) else 1.0)


def _unknown(expression: object) -> InputError:
    return InputError(f"expression {expression!r:.60}: must be made of numbers, arguments, operations and calls")
