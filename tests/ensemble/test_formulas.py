"""Programs of formulas against the formulas themselves, and their slopes against difference quotients."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from hopfield_hw.ensemble.equations import evaluate as arrays
from hopfield_hw.ensemble.equations.layout import LANES
from hopfield_hw.ensemble.equations.programs import CHUNK, CODES, compile_formula, split_numbers
from hopfield_hw.ensemble.kernels.formulas import run_program
from hopfield_hw.functions.expressions import (
    CALLS,
    OPERATIONS,
    Argument,
    Choice,
    Expression,
    Interpolation,
    Number,
    call,
    count_arguments,
    evaluate,
    exp,
    maximum,
    minimum,
    tanh,
)

X, Y, Z = (Argument(k) for k in range(3))
FORMULAS: dict[str, Expression] = {
    "sums": 2.0 + X - 3.0 * Y + (-Z),
    "products": X * Y * Z * 0.5,
    "a quotient": (X + 2.0) / (3.0 + Y * Y),
    "tanh": 3.0 * tanh(2.0 * (X - Y)),
    "exp": exp(-X * X) * Y,
    "log": call("log", 2.0 + tanh(X)),
    "arctan": call("arctan", X * Y),
    "sqrt": call("sqrt", 1.0 + X * X),
    "abs": call("abs", X - 0.3) * Y,
    "sign": call("sign", X - 0.3) * Y,
    "floor": call("floor", 3.0 * X) + Y,
    "ceil": call("ceil", 3.0 * X) + Y,
    "min and max": minimum(maximum(X, -0.5), 0.5) * Z,
    "a choice": Choice(X, Y, X * X, 3.0 * Y),
    "a table": Interpolation(X + Y, ((-1.0, 0.0), (0.0, 1.0), (0.5, 4.0), (2.0, 4.5))),
    "a number": Number(3.25),
}


def run(formula: Expression, at: Any) -> tuple[Any, Any]:
    """Return the value and the slopes of a formula in the kernels, at arguments (3, CHUNK, LANES)."""
    skeleton, numbers = split_numbers(formula, 3)
    program = compile_formula(skeleton, 3, len(numbers))
    rows = np.full((program.rows * CHUNK, LANES), np.nan)
    rows[: 3 * CHUNK] = at.reshape(-1, LANES)
    for k, number in enumerate(numbers):
        rows[(3 + k) * CHUNK : (4 + k) * CHUNK] = evaluate(number, ())
    starts = np.cumsum([0, *(len(points) for points in program.tables)]).astype(np.int32)
    xs, ys = (np.array([p[axis] for points in program.tables for p in points]) for axis in (0, 1))
    run_program(program.code, 0, len(program.code), rows, CHUNK, starts, xs, ys)
    values = rows.reshape(program.rows, CHUNK, LANES)
    slopes = [values[row] if row >= 0 else np.zeros((CHUNK, LANES)) for row in program.slopes]
    return values[program.value].copy(), np.array(slopes)


@cache
def points() -> Any:
    return np.random.default_rng(7).uniform(-1.5, 1.5, (3, CHUNK, LANES))


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_program_has_the_value_and_slopes_of_its_formula(formula: Expression) -> None:
    at = points()
    value, slopes = run(formula, at)
    np.testing.assert_allclose(value, np.broadcast_to(evaluate(formula, at), value.shape), rtol=2e-15, atol=1e-15)
    for k in range(3):
        step = np.zeros_like(at)
        step[k] = 1e-6
        quotient = (evaluate(formula, at + step) - evaluate(formula, at - step)) / 2e-6
        smooth = np.abs(evaluate(formula, at + step) + evaluate(formula, at - step) - 2.0 * value) < 1e-9
        assert np.mean(smooth) > 0.9
        off = np.abs(np.broadcast_to(quotient, value.shape) - slopes[k])[np.broadcast_to(smooth, value.shape)]
        assert np.max(off) < 1e-8


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_program_on_whole_arrays_gives_what_the_kernels_give(formula: Expression) -> None:
    at = points()
    value, slopes = run(formula, at)
    skeleton, numbers = split_numbers(formula, 3)
    rows = [*at, *(np.full_like(at[0], evaluate(number, ())) for number in numbers)]
    whole, own = arrays.run_program(compile_formula(skeleton, 3, len(numbers)), rows)
    np.testing.assert_allclose(whole, value, rtol=2e-15, atol=1e-15)
    for k in range(3):
        np.testing.assert_allclose(0.0 * value if own[k] is None else own[k], slopes[k], rtol=4e-15, atol=2e-15)


def test_every_operation_and_function_is_known_and_tried() -> None:
    assert {*OPERATIONS, *CALLS} <= set(CODES)
    assert set(CALLS) <= {part for name in FORMULAS for part in name.split()}


def test_an_exponential_is_right_to_rounding_over_its_range() -> None:
    at = np.zeros((3, CHUNK, LANES))
    at[0] = np.linspace(-700.0, 700.0, CHUNK * LANES).reshape(CHUNK, LANES)
    value, slopes = run(exp(X), at)
    np.testing.assert_allclose(value, np.exp(at[0]), rtol=1e-14)
    np.testing.assert_array_equal(slopes[0], value)


def test_formulas_that_differ_in_numbers_alone_have_one_skeleton() -> None:
    one, numbers = split_numbers(2.0 * tanh(3.0 * X) + Y, 2)
    other, others = split_numbers(5.0 * tanh(7.0 * X) + Y, 2)
    assert one == other
    assert (numbers, others) == ((Number(2.0), Number(3.0)), (Number(5.0), Number(7.0)))
    assert count_arguments(one) == 4


def test_what_is_constant_in_a_formula_is_one_number() -> None:
    skeleton, (number,) = split_numbers((2.0 * call("sqrt", Number(9.0)) + 1.0) * X, 1)
    assert skeleton == Argument(1) * X
    assert evaluate(number, ()) == 7.0
