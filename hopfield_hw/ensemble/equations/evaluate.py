"""Programs of formulas run on whole arrays, of NumPy or of a library like it, without compiled kernels.

Each instruction is one operation on arrays of all formulas of a group and all samples, with the same care as in the
kernels: exponents end at 700, and a divisor of 0 is taken for NO_DIVISOR.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..method import LARGEST_EXPONENT, NO_DIVISOR
from .programs import CODES, Program
from .system import Group

NAMES = {code: name for name, code in CODES.items()}


def evaluate_group(group: Group, v: Any, *, numbers: Any = None, library: Any = np) -> tuple[Any, list[Any]]:
    """Return the values of a group's formulas, (formulas, samples), and by argument their slopes, None for 0.

    `v`: voltages of all nodes, (nodes, samples). `numbers`: (parameters, formulas, samples), where they lie elsewhere
    than in the group. `library`: of the arrays: NumPy, or one with its functions (CuPy, torch).
    """
    parameters = group.numbers if numbers is None else numbers
    rows = [v[nodes] for nodes in group.nodes] + [parameters[k] for k in range(group.program.parameters)]
    return run_program(group.program, rows, library=library)


def run_program(
    program: Program, rows: Sequence[Any], *, library: Any = np, slopes: bool = True
) -> tuple[Any, list[Any]]:
    """Return the value of a formula and by argument its slope, arrays of one shape; None for a slope that is 0.

    `rows`: the arguments and, behind them, the parameters, of one shape. `slopes`: whether they are computed.
    """
    done: list[Any] = [*rows, *[None] * (program.rows - len(rows))]
    for operation, out, *reads in program.code[: None if slopes else program.last].tolist():
        done[out] = _compute(NAMES[operation], reads, done, program, library)
    value = done[program.value]
    if not slopes:
        return value, []
    nothing = library.zeros_like(value)
    return value, [None if row < 0 else done[row] + nothing for row in program.slopes]


def _compute(operation: str, reads: list[int], done: list[Any], program: Program, library: Any) -> Any:
    if operation == "constant":
        return float(reads[0])
    a = done[reads[0]]
    match operation:
        case "table" | "slope":
            return _interpolate(program.tables[reads[1]], a, operation == "slope", library)
        case "negative":
            return -a
        case "exp":
            return library.exp(library.clip(a, -LARGEST_EXPONENT, LARGEST_EXPONENT))
        case "tanh" | "log" | "arctan" | "sqrt" | "abs" | "sign" | "floor" | "ceil":
            return getattr(library, operation)(a)
    b = done[reads[1]]
    match operation:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / library.where(abs(b) > NO_DIVISOR, b, NO_DIVISOR)
        case "min":
            return library.where(a > b, b, a)
        case "max":
            return library.where(a > b, a, b)
        case "choice":
            return library.where(a > b, done[reads[2]], done[reads[3]])
    raise AssertionError(operation)


def _interpolate(points: Sequence[tuple[float, float]], x: Any, is_slope: bool, library: Any) -> Any:
    """Return the value, or the slope, of straight lines between points, flat before the first and after the last."""
    (first, below), (last, above) = points[0], points[-1]
    result = library.zeros_like(x) + (0.0 if is_slope else below)
    for (x0, y0), (x1, y1) in pairwise(points):
        slope = (y1 - y0) / (x1 - x0)
        here = (x >= x0) & (x > first) & (x < last)
        result = library.where(here, slope if is_slope else y0 + slope * (x - x0), result)
    return result if is_slope else library.where(x >= last, above, result)
