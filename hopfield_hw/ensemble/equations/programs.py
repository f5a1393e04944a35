"""Formulas as programs: instructions on rows of numbers, with the derivatives by each argument.

Formulas that differ in their constants alone are one program, which runs on all of them, and all samples, at once: its
constants are parameters. Derivatives are instructions too, and what two of them share is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...functions.expressions import (
    Argument,
    Call,
    Choice,
    Expression,
    Interpolation,
    Negative,
    Number,
    Operation,
)
from ...values.errors import Unrealisable
from ..devices.elements import Symbol

CHUNK = 16  # formulas that run through a program together
# By name, the codes of instructions, in the order that the kernels know.
CODES: dict[str, int] = {
    name: code
    for code, name in enumerate(
        (
            "constant",
            "+",
            "-",
            "*",
            "/",
            "negative",
            "tanh",
            "exp",
            "log",
            "arctan",
            "sqrt",
            "abs",
            "sign",
            "floor",
            "ceil",
            "min",
            "max",
            "choice",
            "table",
            "slope",
        )
    )
}


@dataclass(frozen=True, eq=False)
class Program:
    """What computes a formula and its derivatives.

    Rows 0 to `arguments` - 1 hold the arguments, the next `parameters` the numbers of each formula, and those after
    them results. `code`: (instructions, 6), each an operation, the row that it writes, and up to four rows that it
    reads; of a table its number, and of a constant, 0 or 1, itself. `value`: the row of the formula's value, which the
    instructions before `last` compute. `slopes`: by argument, and then by constant asked for, the row of its
    derivative; -1 for one that is 0 everywhere.
    """

    arguments: int
    parameters: int
    rows: int
    code: npt.NDArray[np.int32] = field(repr=False)
    value: int
    last: int
    slopes: tuple[int, ...]
    tables: tuple[tuple[tuple[float, float], ...], ...] = field(repr=False)


@lru_cache(maxsize=4096)
def split_numbers(formula: Expression, first: int) -> tuple[Expression, tuple[Expression, ...]]:
    """Return a formula with all that is constant in it as arguments from `first` on, and those constants, in order.

    Constants are formulas of Symbols alone, and these are their arguments: evaluate them with the values of a part.
    """
    constants: list[Expression] = []

    def replaced(one: Expression) -> Expression:
        if isinstance(one, Argument):
            return one
        if _is_constant(one):
            constants.append(_of_values(one))
            return Argument(first + len(constants) - 1)
        return _rebuilt(one, replaced)

    return replaced(formula), tuple(constants)


def _of_values(constant: Expression) -> Expression:
    return Argument(constant.index) if isinstance(constant, Symbol) else _rebuilt(constant, _of_values)


def _is_constant(one: Expression) -> bool:
    match one:
        case Argument():
            return False
        case Number() | Symbol():
            return True
        case Negative(operand) | Interpolation(operand, _):
            return _is_constant(operand)
        case Operation(_, left, right):
            return _is_constant(left) and _is_constant(right)
        case Call(_, inner):
            return all(map(_is_constant, inner))
        case Choice(left, right, above, otherwise):
            return all(map(_is_constant, (left, right, above, otherwise)))
    raise _unknown(one)


def _rebuilt(one: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return an expression with its operands changed."""
    match one:
        case Number():
            return one
        case Negative(operand):
            return Negative(change(operand))
        case Operation(symbol, left, right):
            return Operation(symbol, change(left), change(right))
        case Call(function, inner):
            return Call(function, tuple(map(change, inner)))
        case Choice(left, right, above, otherwise):
            return Choice(*map(change, (left, right, above, otherwise)))
        case Interpolation(operand, points):
            return Interpolation(change(operand), points)
    raise _unknown(one)


def _unknown(one: Expression) -> Unrealisable:
    return Unrealisable(f"expression {type(one).__name__}: the engine 'ensemble' does not know it")


def compile_formula(formula: Expression, arguments: int, parameters: int, by: Sequence[int] = ()) -> Program:
    """Return the program of a formula without constants, of so many arguments and, behind them, parameters.

    `by`: the parameters that it has derivatives by, beside those by all arguments.
    """
    return _Compiler(arguments, parameters).compile(formula, by)


class _Compiler:
    """Values as numbered (operation, operands), each once; rows are given to them as they are needed.

    Operands are the numbers of values, but of a "row" and of a "table" or "slope" the last one, an index.
    """

    def __init__(self, arguments: int, parameters: int) -> None:
        self.arguments, self.parameters = arguments, parameters
        self.values: list[tuple[str, tuple[int, ...]]] = []
        self.numbered: dict[tuple[str, tuple[int, ...]], int] = {}
        self.zero, self.one = self._number("constant", 0), self._number("constant", 1)
        self.code: list[tuple[int, ...]] = []
        self.tables: list[tuple[tuple[float, float], ...]] = []
        self.row_of: dict[int, int] = {}
        self.rows = arguments + parameters
        self.slope_of: dict[tuple[int, int], int] = {}

    def compile(self, formula: Expression, by: Sequence[int]) -> Program:
        value = self._value(formula)
        slopes = [self._slope(value, k) for k in (*range(self.arguments), *(self.arguments + j for j in by))]
        row = self._row(value)
        last = len(self.code)
        rows = tuple(-1 if slope == self.zero else self._row(slope) for slope in slopes)
        return Program(
            arguments=self.arguments,
            parameters=self.parameters,
            rows=self.rows,
            code=np.array(self.code, dtype=np.int32).reshape(-1, 6),
            value=row,
            last=last,
            slopes=rows,
            tables=tuple(self.tables),
        )

    def _value(self, formula: Expression) -> int:
        match formula:
            case Argument(index):
                return self._number("row", index)
            case Negative(operand):
                return self._make("negative", self._value(operand))
            case Operation(symbol, left, right):
                return self._make(symbol, self._value(left), self._value(right))
            case Call(function, inner):
                return self._make(function, *map(self._value, inner))
            case Choice(left, right, above, otherwise):
                return self._make("choice", *map(self._value, (left, right, above, otherwise)))
            case Interpolation(operand, points):
                if points not in self.tables:
                    self.tables.append(points)
                return self._number("table", self._value(operand), self.tables.index(points))
        raise Unrealisable(f"expression {type(formula).__name__}: the engine 'ensemble' does not know it")

    def _number(self, operation: str, *of: int) -> int:
        key = (operation, of)
        if key not in self.numbered:
            self.numbered[key] = len(self.values)
            self.values.append(key)
        return self.numbered[key]

    def _make(self, operation: str, *of: int) -> int:
        """Return an operation on values, simpler where one of them is 0 or 1."""
        zero, one = self.zero, self.one
        match operation, of:
            case ("+", (left, right)) if left == zero:
                return right
            case ("+" | "-", (left, right)) if right == zero:
                return left
            case ("-", (left, right)) if left == zero:
                return self._make("negative", right)
            case ("*", (left, right)) if zero in (left, right):
                return zero
            case ("/", (left, _)) if left == zero:
                return zero
            case ("*", (left, right)) if left == one:
                return right
            case ("*" | "/", (left, right)) if right == one:
                return left
            case ("negative", (operand,)) if operand == zero:
                return zero
            case ("choice", (_, _, above, otherwise)) if above == otherwise:
                return above
        return self._number(operation, *of)

    def _slope(self, value: int, k: int) -> int:
        """Return the derivative of a value by argument k."""
        key = (value, k)
        if key not in self.slope_of:
            self.slope_of[key] = self._differentiate(value, k)
        return self.slope_of[key]

    def _differentiate(self, value: int, k: int) -> int:
        make, zero, one = self._make, self.zero, self.one
        operation, of = self.values[value]
        if operation == "row":
            return one if of[0] == k else zero
        if operation == "constant":
            return zero
        a = of[0]
        if operation in ("table", "slope"):
            da = self._slope(a, k)
            return zero if operation == "slope" or da == zero else make("*", self._number("slope", a, of[1]), da)
        slopes = [self._slope(one, k) for one in of]
        if all(slope == zero for slope in slopes):
            return zero
        da = slopes[0]
        match operation:
            case "+" | "-":
                return make(operation, da, slopes[1])
            case "*":
                return make("+", make("*", da, of[1]), make("*", a, slopes[1]))
            case "/":
                return make("/", make("-", da, make("*", value, slopes[1])), of[1])
            case "negative":
                return make("negative", da)
            case "tanh":
                return make("*", make("-", one, make("*", value, value)), da)
            case "exp":
                return make("*", value, da)
            case "log":
                return make("/", da, a)
            case "arctan":
                return make("/", da, make("+", one, make("*", a, a)))
            case "sqrt":
                return make("/", da, make("+", value, value))
            case "abs":
                return make("*", make("sign", a), da)
            case "sign" | "floor" | "ceil":
                return zero
            case "min":
                return make("choice", a, of[1], slopes[1], da)
            case "max":
                return make("choice", a, of[1], da, slopes[1])
            case "choice":
                return make("choice", a, of[1], slopes[2], slopes[3])
        raise AssertionError(operation)

    def _row(self, value: int) -> int:
        """Return the row that holds a value, which is computed where it was not yet."""
        operation, of = self.values[value]
        if operation == "row":
            return of[0]
        if value not in self.row_of:
            match operation:
                case "constant":
                    reads = list(of)
                case "table" | "slope":
                    reads = [self._row(of[0]), of[1]]
                case _:
                    reads = [self._row(one) for one in of]
            self.row_of[value] = self.rows
            self.code.append((CODES[operation], self.rows, *reads, *(0,) * (4 - len(reads))))
            self.rows += 1
        return self.row_of[value]
