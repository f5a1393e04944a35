"""Machine code for maps in integers, compile_loop by Numba once for all of them: tables say what is to be done.

`values` holds all integers of a run. An operator is a row of `ops`, and takes the ports that it names; a port is a row
of `ports`, and sums the sources that it names. At step k a source lies at base + k * step of `values`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])


def compile_loop(function: F) -> F:
    """Compile a function when it is first called, and keep the code on disk.

    Arrays are not counted: nothing here makes one, and the counts of views would take longer than short loops.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
    return cast(F, njit(**options)(function))


BLOCK = 1024  # elements that an operator takes at once, so that they stay in the first cache
LANES, PAIRS = 16, 8  # outputs, and pairs of inputs, of one call of a multiplier
TOGETHER = 4  # rows of x that share the weights that are loaded

COPY, PRODUCT16, PRODUCT53, PRODUCT64, DIAGONAL, TABLE, STRAIGHT, BOUNDS, LEVELS, HADAMARD, DECISION = range(11)
# The columns of the tables.
KIND, SIZE, WIDTH, BASE, STEP, PORT, DATA, BIAS, SHIFT, OFFSET, END, ADD, ODD, SIGN = range(14)
FIRST_TARGET, LAST_TARGET = BASE, STEP  # of a product
FIRST, LAST, P_SHIFT, P_ADD, P_ODD, P_SIGN, P_LEFT, P_LOW, P_HIGH, P_LIMIT = range(10)
S_BASE, S_STEP, S_SHIFT = range(3)
T_BASE, T_STEP, T_SIZE = range(3)
H_STATE, H_NEXT, H_SIZE = range(3)


def _multiplier(rows: int) -> Any:
    """Return what adds to `rows` rows of acc, (.., stride_a), LANES sums from acc[i] on: PAIRS pairs of each row of x,
    (.., stride_x), from x[q] on, with those of the weights, (.., stride_w), from w[p] on.

    A processor that multiplies 16-bit pairs and adds them into 32 bits (vpmaddwd, vpdpwssd) does it in one instruction
    a pair; LLVM finds that form in what follows, and has others for other processors.
    """

    def typed(
        typing: Any, acc: Any, i: Any, stride_a: Any, w: Any, p: Any, stride_w: Any, x: Any, q: Any, stride_x: Any
    ) -> Any:
        def written(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            number = ir.IntType(32)
            sums, wide = ir.VectorType(number, LANES), ir.VectorType(number, 2 * LANES)
            pairs = ir.VectorType(ir.IntType(16), 2 * LANES)
            none, nothing = ir.Constant(sums, ir.Undefined), ir.Constant(wide, ir.Undefined)

            def at(k: int, index: Any, kind: Any) -> Any:
                array = context.make_array(signature.args[k])(context, builder, args[k])
                return builder.bitcast(builder.gep(array.data, [index]), kind.as_pointer())

            def moved(index: Any, stride: Any, count: int) -> Any:
                return builder.add(index, builder.mul(stride, ir.Constant(stride.type, count)))

            targets = [at(0, moved(args[1], args[2], r), sums) for r in range(rows)]
            totals = [builder.load(target, align=4) for target in targets]
            for pair in range(PAIRS):
                weights = builder.load(at(3, moved(args[4], args[5], pair), pairs), align=2)
                for r in range(rows):
                    place = builder.add(moved(args[7], args[8], r), ir.Constant(args[7].type, 2 * pair))
                    both = builder.insert_element(none, builder.load(at(6, place, number), align=2), number(0))
                    same = builder.shuffle_vector(both, none, ir.Constant(sums, [0] * LANES))
                    product = builder.mul(builder.sext(weights, wide), builder.sext(builder.bitcast(same, pairs), wide))
                    even, odd = (
                        builder.shuffle_vector(product, nothing, ir.Constant(sums, list(range(k, 2 * LANES, 2))))
                        for k in (0, 1)
                    )
                    totals[r] = builder.add(totals[r], builder.add(even, odd))
            for total, target in zip(totals, targets, strict=True):
                builder.store(total, target, align=4)
            return context.get_dummy_value()

        return types.void(acc, i, stride_a, w, p, stride_w, x, q, stride_x), written

    return intrinsic(typed)


_multiply_one, _multiply_four = _multiplier(1), _multiplier(TOGETHER)


@compile_loop
def enter(x: Any, steps: float, low: float, high: float, add: int, odd: int, sign: int, out: Any) -> None:
    """Write real numbers, limited to [low, high], as whole steps; `steps` is how many quarters of one are 1.

    In quarters of a step, with the lowest bit set where anything is left below them, every rounding is decided.
    """
    first = 0
    for r in range(x.shape[0]):
        row, to = x[r], out[first : first + x.shape[1]]
        for i in range(x.shape[1]):
            quarters = min(max(row[i], low), high) * steps
            whole = np.floor(quarters)
            q = np.int64(whole) | np.int64(whole != quarters)
            to[i] = (q + add + (odd & (q >> 2)) + (sign & (q >> 63))) >> 2
        first += x.shape[1]


@compile_loop
def left(raw: Any, step: float, out: Any) -> None:
    """Write integers as real numbers."""
    first = 0
    for r in range(out.shape[0]):
        source, to = raw[first : first + out.shape[1]], out[r]
        for i in range(out.shape[1]):
            to[i] = source[i] * step
        first += out.shape[1]


@compile_loop
def _limit(out: Any, count: int, low: int, high: int, limit: int) -> None:
    """Bring integers to [low, high]: 1 at its ends, 2 modulo its width."""
    if limit == 1:
        for e in range(count):
            out[e] = min(max(out[e], low), high)
    elif limit == 2:
        mask = high - low
        for e in range(count):
            out[e] = ((out[e] - low) & mask) + low


@compile_loop
def _take(ports: Any, p: int, k: int, start: int, count: int, sources: Any, values: Any, out: Any) -> None:
    """Write what a port takes, elements from `start` on: the sum of its sources, rounded and limited."""
    for s in range(ports[p, FIRST], ports[p, LAST]):
        base, shift = sources[s, S_BASE] + k * sources[s, S_STEP] + start, sources[s, S_SHIFT]
        source = values[base : base + count]
        if s == ports[p, FIRST]:
            for e in range(count):
                out[e] = source[e] << shift
        else:
            for e in range(count):
                out[e] += source[e] << shift
    shift, add, odd, sign = ports[p, P_SHIFT], ports[p, P_ADD], ports[p, P_ODD], ports[p, P_SIGN]
    low, high, limit, left = ports[p, P_LOW], ports[p, P_HIGH], ports[p, P_LIMIT], ports[p, P_LEFT]
    if shift > 0 and limit == 1:
        for e in range(count):
            x = out[e]
            out[e] = min(max((x + add + (odd & (x >> shift)) + (sign & (x >> 63))) >> shift, low), high)
        return
    if shift > 0:
        for e in range(count):
            x = out[e]
            out[e] = (x + add + (odd & (x >> shift)) + (sign & (x >> 63))) >> shift
    _limit(out, count, low, high, limit)
    if left > 0:
        for e in range(count):
            out[e] <<= left
        _limit(out, count, low, high, limit)


@compile_loop
def _by_element(ops: Any, o: int, x: Any, y: Any, count: int, out: Any, data: Any) -> None:
    """Write what an operator that works by element makes of x, and of y where it takes two."""
    kind = ops[o, KIND]
    if kind == COPY:
        for e in range(count):
            out[e] = x[e]
    elif kind == HADAMARD:
        for e in range(count):
            out[e] = x[e] * y[e]
    elif kind == BOUNDS:
        low, high = ops[o, OFFSET], ops[o, END]
        for e in range(count):
            out[e] = min(max(x[e], low), high)
    elif kind == TABLE:
        offset, shift, end = ops[o, OFFSET], ops[o, SHIFT], ops[o, END]
        entries = data[ops[o, DATA] : ops[o, DATA] + end + 1]
        for e in range(count):
            out[e] = entries[min(max((x[e] + offset) >> shift, 0), end)]
    elif kind == STRAIGHT:
        offset, shift, end, add, odd, sign = (
            ops[o, OFFSET],
            ops[o, SHIFT],
            ops[o, END],
            ops[o, ADD],
            ops[o, ODD],
            ops[o, SIGN],
        )
        entries = data[ops[o, DATA] : ops[o, DATA] + end + 2]
        for e in range(count):
            position = min(max(x[e] + offset, 0), (end + 1) << shift)
            k = min(max(position >> shift, 0), end)
            line = (entries[k] << shift) + (entries[k + 1] - entries[k]) * (position - (k << shift))
            out[e] = (line + add + (odd & (line >> shift)) + (sign & (line >> 63))) >> shift
    elif kind == LEVELS:
        thresholds, levels = (
            data[ops[o, DATA] : ops[o, DATA] + ops[o, END]],
            data[ops[o, BIAS] : ops[o, BIAS] + ops[o, END] + 1],
        )
        for e in range(count):
            first, last = 0, ops[o, END]
            while first < last:
                middle = (first + last) >> 1
                if x[e] >= thresholds[middle]:
                    first = middle + 1
                else:
                    last = middle
            out[e] = levels[first]


@compile_loop
def _product(
    ops: Any,
    o: int,
    ports: Any,
    k: int,
    rows: int,
    targets: Any,
    sources: Any,
    values: Any,
    data: Any,
    short: Any,
    real: Any,
    scratch: Any,
) -> None:
    """Write W x + b for so many rows of x; the rows of W belong to several operators, one after the other."""
    x, long, x16, sums, real_sums = scratch
    kind, n, m, p = ops[o, KIND], ops[o, SIZE], ops[o, WIDTH], ops[o, PORT]
    bias = data[ops[o, BIAS] : ops[o, BIAS] + n]
    if kind == PRODUCT16:
        n_whole, m_whole = -(-n // LANES) * LANES, -(-m // (2 * PAIRS)) * 2 * PAIRS
        for row in range(0, rows, TOGETHER):
            count = min(TOGETHER, rows - row)
            for r in range(count):
                _take(ports, p, k, (row + r) * m, m, sources, values, x)
                to = x16[r * m_whole : (r + 1) * m_whole]
                for j in range(m):
                    to[j] = x[j]
                for j in range(m, m_whole):
                    to[j] = 0
            for i in range(count * n_whole):
                sums[i] = 0
            for j in range(0, m_whole, 2 * PAIRS):
                at = ops[o, DATA] + j * n_whole
                if count == TOGETHER:
                    for i in range(0, n_whole, LANES):
                        _multiply_four(sums, i, n_whole, short, at + 2 * i, 2 * n_whole, x16, j, m_whole)
                else:
                    for r in range(count):
                        for i in range(0, n_whole, LANES):
                            place = r * n_whole + i
                            _multiply_one(sums, place, 0, short, at + 2 * i, 2 * n_whole, x16, r * m_whole + j, 0)
            for r in range(count):
                _place(sums[r * n_whole :], bias, k, row + r, ops, o, targets, values)
    else:
        for row in range(rows):
            _take(ports, p, k, row * m, m, sources, values, x)
            if kind == PRODUCT53:
                _accumulate(real[ops[o, DATA] : ops[o, DATA] + m * n], x, n, m, real_sums)
                _place(real_sums, bias, k, row, ops, o, targets, values)
            else:
                _accumulate(data[ops[o, DATA] : ops[o, DATA] + m * n], x, n, m, long)
                _place(long, bias, k, row, ops, o, targets, values)


@compile_loop
def _accumulate(weights: Any, x: Any, n: int, m: int, sums: Any) -> None:
    """Write W x, of weights column by column."""
    total = sums[:n]
    for i in range(n):
        total[i] = 0
    for j in range(m):
        column, factor = weights[j * n : (j + 1) * n], x[j]
        for i in range(n):
            total[i] += column[i] * factor


@compile_loop
def _place(sums: Any, bias: Any, k: int, row: int, ops: Any, o: int, targets: Any, values: Any) -> None:
    """Write the sums of a row, with the bias, where the operators have their values."""
    first = 0
    for t in range(ops[o, FIRST_TARGET], ops[o, LAST_TARGET]):
        size = targets[t, T_SIZE]
        base = targets[t, T_BASE] + k * targets[t, T_STEP] + row * size
        out, own, added = values[base : base + size], sums[first : first + size], bias[first : first + size]
        for i in range(size):
            out[i] = np.int64(own[i]) + added[i]
        first += size


@compile_loop
def sweep(
    ops: Any,
    ports: Any,
    k: int,
    rows: int,
    targets: Any,
    sources: Any,
    values: Any,
    data: Any,
    short: Any,
    real: Any,
    scratch: Any,
) -> None:
    """Evaluate operators in their order for so many rows: at step k, or for all steps at once from step 0."""
    x, y = scratch[0], scratch[1]
    for o in range(len(ops)):
        kind, size, p = ops[o, KIND], ops[o, SIZE], ops[o, PORT]
        base = ops[o, BASE] + k * ops[o, STEP]
        if PRODUCT16 <= kind <= PRODUCT64:
            _product(ops, o, ports, k, rows, targets, sources, values, data, short, real, scratch)
        elif kind == DIAGONAL:
            factors, bias = data[ops[o, DATA] : ops[o, DATA] + size], data[ops[o, BIAS] : ops[o, BIAS] + size]
            for row in range(rows):
                _take(ports, p, k, row * size, size, sources, values, x)
                out = values[base + row * size : base + (row + 1) * size]
                for i in range(size):
                    out[i] = factors[i] * x[i] + bias[i]
        elif kind == DECISION:
            reach, below, above = data[ops[o, DATA] : ops[o, DATA] + size], ops[o, OFFSET], ops[o, END]
            for row in range(rows):
                _take(ports, p, k, row * size, size, sources, values, x)
                _take(ports, p + 1, k, row * size, size, sources, values, y)
                out = values[base + row * size : base + (row + 1) * size]
                for i in range(size):
                    decider = x[i] if abs(x[i]) > reach[i] else y[i]
                    out[i] = above if decider >= 0 else below
        else:
            for start in range(0, rows * size, BLOCK):
                count = min(BLOCK, rows * size - start)
                _take(ports, p, k, start, count, sources, values, x)
                if kind == HADAMARD:
                    _take(ports, p + 1, k, start, count, sources, values, y)
                _by_element(ops, o, x, y, count, values[base + start : base + start + count], data)


@compile_loop
def advance(
    ops: Any,
    ports: Any,
    steps: int,
    reverse: bool,
    running: Any,
    holds: Any,
    targets: Any,
    sources: Any,
    values: Any,
    data: Any,
    short: Any,
    real: Any,
    scratch: Any,
) -> None:
    """Take steps: `ops` write the next states beside the states, which then take their place in the running rows."""
    rows = running.shape[1]
    for taken in range(steps):
        k = steps - 1 - taken if reverse else taken
        sweep(ops, ports, k, rows, targets, sources, values, data, short, real, scratch)
        for h in range(len(holds)):
            size = holds[h, H_SIZE]
            for row in range(rows):
                if running[k, row]:
                    at, after = holds[h, H_STATE] + row * size, holds[h, H_NEXT] + row * size
                    state, value = values[at : at + size], values[after : after + size]
                    for i in range(size):
                        state[i] = value[i]
