"""The kernels of formulas: programs of LANES samples at a time, see `equations.programs`.

Registers are (rows size, LANES), where `size` formulas run together, CHUNK at most: those of a few formulas lie close
to each other.
"""

from __future__ import annotations

import math
from typing import Any, Final

from ..equations.layout import LANES
from ..equations.programs import CHUNK, CODES
from ..method import LARGEST_EXPONENT, NO_DIVISOR
from .lanes import choose, compiled, inlined, load, magnitude, power_of_two, root, round_down, round_up, spread, store

CONSTANT, PLUS, MINUS, TIMES, OVER, NEGATIVE = (CODES[name] for name in ("constant", *"+-*/", "negative"))
TANH, EXP, LOG, ARCTAN, SQRT = (CODES[name] for name in ("tanh", "exp", "log", "arctan", "sqrt"))
ABS, SIGN, FLOOR, CEIL = (CODES[name] for name in ("abs", "sign", "floor", "ceil"))
MIN, MAX, CHOICE, SLOPE = (CODES[name] for name in ("min", "max", "choice", "slope"))
# Of the polynomial of e^r, 1/13! to 1/2!.
TERMS: Final = tuple(1.0 / math.factorial(k) for k in range(13, 1, -1))
LOG_2_HIGH, LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@inlined
def exponential(x: Any) -> Any:
    """Return e^x to rounding, from -700 to 700: 2^k times a polynomial of what is left of x."""
    x = choose(x, LARGEST_EXPONENT, LARGEST_EXPONENT, x)
    x = choose(-LARGEST_EXPONENT, x, -LARGEST_EXPONENT, x)
    k = round_down(x * 1.4426950408889634 + 0.5)
    r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
    p = spread(TERMS[0])
    for j in range(1, 12):
        p = p * r + TERMS[j]
    return ((p * r + 1.0) * r + 1.0) * power_of_two(k)


@compiled
def run_program(code: Any, first: int, last: int, rows: Any, size: int, starts: Any, xs: Any, ys: Any) -> None:
    """Run instructions on registers, (rows size, LANES), for `size` formulas."""
    for i in range(first, last):
        operation, out = code[i, 0], code[i, 1] * size
        a, b, c, d = code[i, 2] * size, code[i, 3] * size, code[i, 4] * size, code[i, 5] * size
        if operation == CONSTANT:
            for e in range(size):
                store(rows, out + e, spread(float(code[i, 2])))
        elif operation == PLUS:
            for e in range(size):
                store(rows, out + e, load(rows, a + e) + load(rows, b + e))
        elif operation == MINUS:
            for e in range(size):
                store(rows, out + e, load(rows, a + e) - load(rows, b + e))
        elif operation == TIMES:
            for e in range(size):
                store(rows, out + e, load(rows, a + e) * load(rows, b + e))
        elif operation == OVER:
            for e in range(size):
                y = load(rows, b + e)
                store(rows, out + e, load(rows, a + e) / choose(magnitude(y), NO_DIVISOR, y, NO_DIVISOR))
        elif operation == NEGATIVE:
            for e in range(size):
                store(rows, out + e, 0.0 - load(rows, a + e))
        elif operation == TANH:
            for e in range(size):
                x = load(rows, a + e)
                small = exponential(magnitude(x) * -2.0)
                t = (1.0 - small) / (1.0 + small)
                store(rows, out + e, choose(x, 0.0, t, 0.0 - t))
        elif operation == EXP:
            for e in range(size):
                store(rows, out + e, exponential(load(rows, a + e)))
        elif operation == SQRT:
            for e in range(size):
                store(rows, out + e, root(load(rows, a + e)))
        elif operation == ABS:
            for e in range(size):
                store(rows, out + e, magnitude(load(rows, a + e)))
        elif operation == SIGN:
            for e in range(size):
                x = load(rows, a + e)
                store(rows, out + e, choose(x, 0.0, 1.0, choose(0.0, x, -1.0, 0.0)))
        elif operation == FLOOR:
            for e in range(size):
                store(rows, out + e, round_down(load(rows, a + e)))
        elif operation == CEIL:
            for e in range(size):
                store(rows, out + e, round_up(load(rows, a + e)))
        elif operation == MIN:
            for e in range(size):
                x, y = load(rows, a + e), load(rows, b + e)
                store(rows, out + e, choose(x, y, y, x))
        elif operation == MAX:
            for e in range(size):
                x, y = load(rows, a + e), load(rows, b + e)
                store(rows, out + e, choose(x, y, x, y))
        elif operation == CHOICE:
            for e in range(size):
                chosen = choose(load(rows, a + e), load(rows, b + e), load(rows, c + e), load(rows, d + e))
                store(rows, out + e, chosen)
        else:
            begin, end = starts[code[i, 3]], starts[code[i, 3] + 1]
            for e in range(size):
                for lane in range(LANES):
                    x = rows[a + e, lane]
                    if operation == LOG:
                        rows[out + e, lane] = math.log(x)
                    elif operation == ARCTAN:
                        rows[out + e, lane] = math.atan(x)
                    else:
                        rows[out + e, lane] = interpolate(xs, ys, begin, end, x, operation == SLOPE)


@compiled
def interpolate(xs: Any, ys: Any, begin: int, end: int, x: float, is_slope: bool) -> Any:
    """Return the value, or the slope, of straight lines between points begin to end - 1, flat beyond them."""
    if x <= xs[begin]:
        return 0.0 if is_slope else ys[begin]
    if x >= xs[end - 1]:
        return 0.0 if is_slope else ys[end - 1]
    low, high = begin, end - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    slope = (ys[high] - ys[low]) / (xs[high] - xs[low])
    return slope if is_slope else ys[low] + slope * (x - xs[low])


@compiled
def evaluate_formulas(
    g: Any, parameters: Any, v: Any, rows: Any, values: Any, slopes: Any, with_slopes: bool, begin: int
) -> None:
    """Write the values, and the slopes, of all formulas of groups from `begin` on at the voltages v, (nodes, LANES)."""
    for k in range(begin, g.group.shape[0]):
        first, arguments, count_parameters = g.group[k, 0], g.group[k, 2], g.group[k, 3]
        last = g.group[k, 1] if with_slopes else g.group[k, 12]
        count, nodes, own, to = g.group[k, 5], g.group[k, 6], g.group[k, 7], g.group[k, 8]
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            for j in range(arguments):
                for e in range(size):
                    store(rows, j * size + e, load(v, g.argument_nodes[nodes + j * count + start + e]))
            for j in range(count_parameters):
                for e in range(size):
                    store(rows, (arguments + j) * size + e, load(parameters, own + j * count + start + e))
            run_program(g.code, first, last, rows, size, g.table_starts, g.table_x, g.table_y)
            for e in range(size):
                store(values, to + start + e, load(rows, g.group[k, 11] * size + e))
            if with_slopes:
                for j in range(g.group[k, 9], g.group[k, 10]):
                    slope, where = g.program_slopes[j, 0] * size, g.program_slopes[j, 1] + start
                    for e in range(size):
                        store(slopes, where + e, load(rows, slope + e))
