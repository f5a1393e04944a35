"""Functions and gain curves: their properties, their SPICE expressions in ngspice, their parameters and messages."""

from __future__ import annotations

import json
import math
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from hopfield_hw.functions import (
    FUNCTIONS,
    GAINS,
    SIGMOIDS,
    Algebraic,
    Arctan,
    Clip,
    DeadZone,
    Function,
    Gain,
    HardLimiter,
    Identity,
    Logistic,
    PiecewiseLinear,
    Polynomial,
    Rational,
    Sigmoid,
    Softmax,
    Softsign,
    Table,
    Tanh,
    function_from,
    stack,
)
from hopfield_hw.functions.expressions import Argument, substitute
from hopfield_hw.functions.rectifiers import Elu, LeakyRelu, Softplus, ThresholdedRelu
from hopfield_hw.spice.dialects import DIALECTS, find_dialect
from hopfield_hw.values.errors import InputError, Unrealisable

MEASURED = Table(x=np.array([-2.0, -1.0, -0.25, 0.5, 1.0, 3.0]), y=np.array([-1.0, -0.5, 0.125, 0.125, 0.75, 1.25]))
# One of every class, with every parameter away from its default.
EXAMPLES: tuple[Function, ...] = (
    *(sigmoid(gain=3.0, amplitude=2.0) for sigmoid in SIGMOIDS),
    HardLimiter(amplitude=2.5),
    MEASURED,
    Identity(),
    Polynomial(coefficients=np.array([0.5, -1.0, 0.0, 2.0])),
    Rational(numerator=np.array([1.0, -2.0]), denominator=np.array([2.0, 0.0, 1.0])),
    Clip(lower=-0.5, upper=1.5),
    DeadZone(lower=-0.5, upper=1.5, slope=1.25, width=0.2),
    Softmax(groups=(2, 3), beta=1.5, amplitude=2.0),
    LeakyRelu(below=0.2, above=1.5),
    ThresholdedRelu(threshold=0.5, slope=1.5),
    Elu(alpha=0.75, width=2.0, slope=1.25),
    Softplus(amplitude=2.0, width=0.5),
)
X = np.array([-1.75, -0.3, 0.1, 0.75, 2.5])  # at no corner of any example

sigmoids = st.sampled_from(SIGMOIDS)
positives = st.floats(0.1, 10.0)
fractions = st.floats(-1.0, 1.0)


def name_of(function: object) -> str:
    return function.__name__ if isinstance(function, type) else type(function).__name__


# Gains


@given(sigmoids, positives, positives, fractions)
def test_the_inverse_undoes_the_value(sigmoid: type[Sigmoid], gain: float, amplitude: float, part: float) -> None:
    curve = sigmoid(gain=gain, amplitude=amplitude)
    x = 0.999 * part * amplitude / gain  # inside the corners of the piecewise-linear one
    # The curves are at most 15 times flatter there than at zero: 1e-12 is well above 15 roundings of the range.
    np.testing.assert_allclose(curve.inverse(curve.value(x)), x, rtol=1e-12, atol=1e-12 * amplitude / gain)


@given(sigmoids, positives, positives)
def test_the_slope_at_zero_is_the_gain(sigmoid: type[Sigmoid], gain: float, amplitude: float) -> None:
    curve = sigmoid(gain=gain, amplitude=amplitude)
    h = 1e-5 * amplitude / gain  # the cubic term is at most 4/3 h^2 = 1.3e-10 of the slope
    slope = (curve.value(h) - curve.value(-h)) / (2.0 * h)
    if sigmoid is Softsign:  # it has a term in x |x|
        slope = slope * (1.0 + 1e-5)
    np.testing.assert_allclose([float(slope), float(curve.derivative(0.0))], gain, rtol=1e-9)
    assert curve.slope == gain


@given(sigmoids, positives, positives, st.floats(-5.0, 5.0))
def test_values_stay_in_the_range(sigmoid: type[Sigmoid], gain: float, amplitude: float, t: float) -> None:
    curve = sigmoid(gain=gain, amplitude=amplitude)
    assert curve.upper == amplitude
    assert curve.lower == (0.0 if sigmoid is Logistic else -amplitude)
    x = t * amplitude / gain
    assert curve.lower <= curve.value(x) <= curve.upper * (1.0 + 4.5e-16)  # two roundings
    assert curve.value(x) <= curve.value(x + 0.01 * amplitude / gain)


@given(sigmoids, positives, positives, st.floats(-0.999, 0.999))
def test_the_integral_of_the_inverse_is_that_of_quad(
    sigmoid: type[Sigmoid], gain: float, amplitude: float, part: float
) -> None:
    curve = sigmoid(gain=gain, amplitude=amplitude)
    middle = 0.5 * (float(curve.upper) + float(curve.lower))
    y = middle + part * (float(curve.upper) - middle)
    expected = quad(lambda v: float(curve.inverse(v)), middle, y, epsabs=0.0, epsrel=1e-10, limit=200)[0]
    # quad keeps 1e-10; next to the middle the rounding of y itself is 1e-16 of the range, and enters linearly.
    atol = 1e-15 * amplitude**2 / gain
    np.testing.assert_allclose(curve.inverse_integral(y), expected, rtol=1e-9, atol=atol)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_integral_at_the_ends_is_its_limit(side: float) -> None:
    """a^2/b times log 2, a quarter of it over a range of half the width on each side, 1/2, infinity, 1."""
    expected: dict[type[Sigmoid], float] = {
        Tanh: math.log(2.0),
        Logistic: math.log(2.0) / 4.0,
        PiecewiseLinear: 0.5,
        Arctan: math.inf,
        Algebraic: 1.0,
        Softsign: math.inf,
    }
    for sigmoid, limit in expected.items():
        curve = sigmoid(gain=4.0, amplitude=3.0)
        end = curve.upper if side > 0.0 else curve.lower
        assert float(curve.inverse_integral(end)) == pytest.approx(limit * 9.0 / 4.0, rel=1e-15), sigmoid
        infinite = sigmoid is not PiecewiseLinear
        assert float(curve.inverse(end)) == (side * math.inf if infinite else side * 0.75), sigmoid


@given(sigmoids, st.floats(1e-12, 1e-3))
def test_the_integral_keeps_its_digits_near_the_middle(sigmoid: type[Sigmoid], part: float) -> None:
    curve = sigmoid(gain=2.0)
    if sigmoid is Logistic:
        part = (0.5 + part) - 0.5  # what the sum keeps of it
    y = part + curve.value(0.0)
    # To leading order y^2 / (2 b); the next order is at most y^2 of it, 1e-6 with y below 1e-3.
    expected = part**2 / 4.0
    if sigmoid is Softsign:  # it has a term in x |x|
        expected *= 1.0 + 2.0 / 3.0 * part
    np.testing.assert_allclose(curve.inverse_integral(y), expected, rtol=1e-5)


@pytest.mark.parametrize("curve", [f for f in EXAMPLES if isinstance(f, Gain)], ids=name_of)
def test_inverses_warn_nowhere_and_are_nan_outside(curve: Gain) -> None:
    ends = np.array([float(curve.lower), float(curve.upper)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outside = np.array([ends[0] - 0.01, ends[1] + 0.01])
        assert np.isnan(curve.inverse(outside)).all()
        assert np.isnan(curve.inverse_integral(outside)).all()
        assert not np.isnan(curve.inverse(ends)).any()
        assert not np.isnan(curve.inverse_integral(ends)).any()


@pytest.mark.parametrize("sigmoid", SIGMOIDS, ids=name_of)
def test_far_away_a_sigmoid_is_at_its_ends(sigmoid: type[Sigmoid]) -> None:
    curve = sigmoid(gain=2.0, amplitude=3.0)
    x = np.array([-1e300, 1e300])
    np.testing.assert_allclose(curve.value(x), [float(curve.lower), float(curve.upper)], rtol=1e-15)
    np.testing.assert_array_equal(curve.derivative(x), 0.0)


def test_the_hard_limiter_is_a_sign() -> None:
    curve = HardLimiter(amplitude=2.0)
    assert not HardLimiter.continuous
    assert Tanh.continuous
    assert curve.slope == math.inf
    np.testing.assert_array_equal(curve.value(np.array([-1e-300, 0.0, 1e-300])), [-2.0, 0.0, 2.0])
    np.testing.assert_array_equal(curve.inverse_integral(np.array([-2.0, 0.0, 1.0, 2.0])), 0.0)
    np.testing.assert_array_equal(curve.derivative(X), np.zeros(5))


def test_a_table_is_flat_outside_its_points() -> None:
    np.testing.assert_array_equal(MEASURED.value(np.array([-50.0, -2.0, 3.0, 50.0])), [-1.0, -1.0, 1.25, 1.25])
    np.testing.assert_array_equal(MEASURED.derivative(np.array([-50.0, 50.0])), 0.0)
    assert (MEASURED.lower, MEASURED.upper, MEASURED.slope) == (-1.0, 1.25, 0.0)


def test_the_inverse_of_a_table_is_the_preimage_nearest_zero() -> None:
    table = Table(x=np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]), y=np.array([-1.0, -1.0, -0.5, -0.5, 1.0, 1.0]))
    np.testing.assert_array_equal(table.inverse(np.array([-1.0, -0.75, -0.5, 0.25, 1.0])), [-2.0, -1.5, 0.0, 1.5, 2.0])
    away = Table(x=np.array([1.0, 2.0, 4.0]), y=np.array([0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(away.inverse(np.array([0.0, 0.5, 1.0])), [0.0, 1.5, 2.0])


@given(st.floats(-1.0, 1.25))
def test_the_integral_of_a_table_is_exact(y: float) -> None:
    start = float(MEASURED.value(0.0))
    levels = [start, *(level for level in MEASURED.y if min(start, y) < level < max(start, y)), y]
    levels = sorted(levels) if y > start else sorted(levels, reverse=True)
    # The inverse is linear between two levels, so that its middle times the step is exact.
    expected = sum((b - a) * float(MEASURED.inverse(0.5 * (a + b))) for a, b in pairwise(levels))
    assert float(MEASURED.inverse_integral(y)) == pytest.approx(expected, rel=1e-13, abs=1e-14)


# All functions


@pytest.mark.parametrize("function", EXAMPLES, ids=name_of)
def test_the_derivative_is_the_difference_quotient(function: Function) -> None:
    h = 1e-6  # h^2 f''' and rounding / h are both below 1e-8 of the largest derivative here
    if isinstance(function, Softmax):
        shifted = np.eye(5) * h
        matrix = ((function.value(X + shifted) - function.value(X - shifted)) / (2.0 * h)).T
        np.testing.assert_allclose(function.jacobian(X), matrix, atol=1e-8)
        np.testing.assert_array_equal(function.jacobian(X)[:2, 2:], 0.0)
        np.testing.assert_allclose(function.derivative(X), np.diag(matrix), atol=1e-8)
    else:
        slope = (function.value(X + h) - function.value(X - h)) / (2.0 * h)
        np.testing.assert_allclose(function.derivative(X), slope, rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize("function", EXAMPLES, ids=name_of)
def test_a_value_is_written_where_it_is_asked_for(function: Function) -> None:
    expected = function.value(X)
    assert not np.shares_memory(expected, X)
    out = np.empty(5)
    assert function.value(X, out=out) is out
    np.testing.assert_array_equal(out, expected)
    place = X.copy()
    function.value(place, out=place)
    np.testing.assert_array_equal(place, expected)
    np.testing.assert_array_equal(function.value(np.stack([X, X[::-1]]))[0], expected)


@given(st.sampled_from(EXAMPLES), st.floats(0.01, 100.0))
def test_scaled_is_a_change_of_units(function: Function, volts: float) -> None:
    scaled = function.scale(volts)
    assert type(scaled) is type(function)
    expected = volts * function.value(X)
    # Rounding only; where the terms of the polynomial cancel, that of the largest of them.
    np.testing.assert_allclose(scaled.value(volts * X), expected, rtol=1e-12, atol=1e-13 * volts)


@given(st.sampled_from([f for f in EXAMPLES if not isinstance(f, Identity | Clip)]), st.floats(0.01, 100.0))
def test_compressed_divides_the_argument(function: Function, s: float) -> None:
    compressed = function.compress(s)
    assert type(compressed) is type(function)
    np.testing.assert_allclose(compressed.value(s * X), function.value(X), rtol=1e-12, atol=1e-13)
    if isinstance(function, Sigmoid):
        assert isinstance(compressed, Sigmoid)
        assert compressed.slope == function.gain / s
        assert compressed.upper == function.upper


@pytest.mark.parametrize("function", EXAMPLES, ids=name_of)
def test_parameters_go_through_json(function: Function) -> None:
    text = json.dumps({"kind": function.kind, **function.params()}, allow_nan=False)
    params = json.loads(text)
    again = function_from(params.pop("kind"), params)
    assert again == function
    assert hash(again) == hash(function)
    assert again.params() == function.params()


def test_infinite_bounds_go_through_json() -> None:
    clip = Clip(lower=np.array([-np.inf, 0.0]), upper=np.inf)
    assert clip.params() == {"lower": ["-inf", 0.0], "upper": "inf"}
    assert function_from("clip", clip.params()) == clip


def test_functions_differ_by_class_and_by_parameter() -> None:
    assert Tanh(gain=2.0) != Tanh(gain=3.0)
    assert Tanh(gain=2.0) != Arctan(gain=2.0)
    assert Tanh(gain=2.0) != "tanh"


def test_the_tables_hold_every_function_by_its_kind() -> None:
    assert all(cls.kind == kind for kind, cls in FUNCTIONS.items())
    assert {type(function) for function in EXAMPLES} == set(FUNCTIONS.values())
    assert {kind: cls for kind, cls in FUNCTIONS.items() if issubclass(cls, Gain)} == dict(GAINS)


def test_parameters_are_frozen() -> None:
    gains = np.array([1.0, 2.0])
    curve = Tanh(gain=gains)
    gains[0] = 9.0
    assert isinstance(curve.gain, np.ndarray)
    assert curve.gain.tolist() == [1.0, 2.0]
    assert not curve.gain.flags.writeable


@pytest.mark.parametrize("sigmoid", SIGMOIDS, ids=name_of)
def test_an_element_is_the_function_with_its_parameters(sigmoid: type[Sigmoid]) -> None:
    gain = np.array([1.0, 2.0, 4.0, 8.0, 0.5])
    curve = sigmoid(gain=gain, amplitude=2.0)
    assert curve.size == 5
    for i in range(5):
        one = curve.at(i)
        assert one.size is None
        assert one == sigmoid(gain=gain[i], amplitude=2.0)
        assert float(curve.value(X)[i]) == float(one.value(X[i]))
        assert float(curve.inverse_integral(np.full(5, 0.7))[i]) == float(one.inverse_integral(0.7))


def test_sizes() -> None:
    assert Tanh().size is None
    assert Tanh(gain=np.array([2.0])).size == 1
    assert Clip(lower=np.zeros(3), upper=1.0).size == 3
    assert Softmax(groups=(2, 3)).size == 5
    assert Softmax().size is None
    assert Polynomial(coefficients=np.ones(4)).size is None
    assert MEASURED.size is None


@pytest.mark.parametrize("function", EXAMPLES, ids=name_of)
def test_a_stack_is_its_functions_row_by_row(function: Function) -> None:
    functions = [function, function if isinstance(function, Table) else function.scale(2.0), function]
    batch = stack(functions)
    assert type(batch) is type(function)
    assert batch.size == (5 if isinstance(function, Softmax) else None)
    x = np.stack([X, 0.5 * X, -X])
    expected = [one.value(row) for one, row in zip(functions, x, strict=True)]
    np.testing.assert_array_equal(batch.value(x), expected)
    slopes = [one.derivative(row) for one, row in zip(functions, x, strict=True)]
    np.testing.assert_allclose(batch.derivative(x), slopes, rtol=1e-14)  # products may go in another order
    if isinstance(batch, Softmax):
        blocks = [one.jacobian(row) for one, row in zip(functions, x, strict=True) if isinstance(one, Softmax)]
        np.testing.assert_allclose(batch.jacobian(x), blocks, rtol=1e-14, atol=1e-16)


def test_stacks_of_arrays_and_of_several_orders() -> None:
    batch = stack([Tanh(gain=np.array([1.0, 2.0, 3.0])), Tanh(gain=4.0)])
    assert np.shape(batch.gain) == (2, 3)
    assert np.shape(batch.amplitude) == (2, 1)
    assert batch.size == 3
    orders = stack([Polynomial(coefficients=np.array([1.0])), Polynomial(coefficients=np.array([0.0, 0.0, 1.0]))])
    np.testing.assert_array_equal(orders.value(np.array([[2.0, 3.0], [2.0, 3.0]])), [[1.0, 1.0], [4.0, 9.0]])
    np.testing.assert_array_equal(orders.derivative(np.array([[2.0, 3.0], [2.0, 3.0]])), [[0.0, 0.0], [4.0, 6.0]])
    assert function_from("tanh", batch.params()) == batch


def test_softmax_of_large_numbers() -> None:
    y = Softmax(groups=(2, 3), beta=2.0).value(np.array([1e300, -1e300, 700.0, 700.0, 700.0]))
    np.testing.assert_allclose(y, [1.0, 0.0, 1 / 3, 1 / 3, 1 / 3], rtol=1e-15)


# SPICE

A = 2.5
LONG = np.linspace(-2.9, 2.9, 201)


def _log1pexp(t: float) -> float:
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


def _sign(x: float) -> float:
    return (x > 0.0) - (x < 0.0)


def _between(points: list[tuple[float, float]], x: float) -> float:
    """The same interpolation as a table's, from the definition."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return (y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)
    return points[-1][1]


# Each function with the same curve written once more, by itself.
EXPRESSIONS: dict[str, tuple[Function, Callable[[float], float]]] = {
    "tanh": (Tanh(gain=1.7, amplitude=A), lambda x: A * math.tanh(1.7 * x / A)),
    "tanh of one volt": (Tanh(gain=5.0), lambda x: 2.0 / (1.0 + math.exp(-10.0 * x)) - 1.0),
    "steep tanh": (Tanh(gain=1e6, amplitude=1e-3), lambda x: 1e-3 * math.tanh(1e9 * x)),
    "flat tanh": (Tanh(gain=1e-6, amplitude=1e6), lambda x: 1e6 * math.tanh(1e-12 * x)),
    "logistic": (Logistic(gain=0.6, amplitude=A), lambda x: A / (1.0 + math.exp(-2.4 * x / A))),
    "steep logistic": (Logistic(gain=1e5), lambda x: 0.5 * (1.0 + _sign(x))),
    "piecewise_linear": (
        PiecewiseLinear(gain=1.7, amplitude=A),
        lambda x: 0.5 * (abs(1.7 * x + A) - abs(1.7 * x - A)),
    ),
    "arctan": (Arctan(gain=1.7, amplitude=A), lambda x: 2.0 * A / math.pi * math.atan2(math.pi * 1.7 * x, 2.0 * A)),
    "algebraic": (Algebraic(gain=1.7, amplitude=A), lambda x: A * 1.7 * x / math.sqrt(A**2 + (1.7 * x) ** 2)),
    "steep algebraic": (Algebraic(gain=1e9), lambda x: 1e9 * x / math.sqrt(1.0 + (1e9 * x) ** 2)),
    "softsign": (Softsign(gain=1.7, amplitude=A), lambda x: 1.7 * x * A / (A + abs(1.7 * x))),
    "leaky_relu": (LeakyRelu(), lambda x: x if x > 0.0 else 0.01 * x),
    "negative leak": (LeakyRelu(below=-0.5, above=2.0), lambda x: 2.0 * x if x > 0.0 else -0.5 * x),
    "thresholded_relu": (ThresholdedRelu(threshold=0.505, slope=A), lambda x: A * x if x > 0.505 else 0.0),
    "elu": (Elu(), lambda x: x if x > 0.0 else math.exp(x) - 1.0),
    "wide elu": (Elu(alpha=0.5, width=3.0, slope=A), lambda x: A * x if x > 0.0 else 0.5 * (math.exp(x / 3.0) - 1.0)),
    "softplus": (Softplus(), lambda x: math.log(1.0 + math.exp(x))),
    "steep softplus": (
        Softplus(amplitude=A, width=0.02),
        lambda x: A * (50.0 * max(x, 0.0) + math.log1p(math.exp(-50.0 * abs(x)))),
    ),
    "dead_zone": (
        DeadZone(lower=-0.4, upper=0.7, slope=A, width=0.02),
        lambda x: A * 0.02 * (_log1pexp(50.0 * (x - 0.7)) - _log1pexp(50.0 * (-0.4 - x))),
    ),
    "hard_limiter": (HardLimiter(amplitude=A), lambda x: A * _sign(x)),
    "table": (MEASURED, lambda x: _between(list(zip(MEASURED.x.tolist(), MEASURED.y.tolist(), strict=True)), x)),
    "narrow table": (
        Table(x=np.array([-0.5, 0.25]), y=np.array([-2.0, 1.0])),
        lambda x: -2.0 if x < -0.5 else 1.0 if x > 0.25 else 4.0 * x,
    ),
    "long table": (
        Table(x=LONG, y=np.sinh(LONG)),
        lambda x: _between([(p, math.sinh(p)) for p in LONG.tolist()], x),
    ),
    "identity": (Identity(), lambda x: x),
    "polynomial": (
        Polynomial(coefficients=np.array([-0.5, 1.0, -2.0, -0.25, 0.0, 1e-3])),
        lambda x: -0.5 + x - 2.0 * x**2 - 0.25 * x**3 + 1e-3 * x**5,
    ),
    "cube": (Polynomial(coefficients=np.array([0.0, 0.0, 0.0, -1.0])), lambda x: -(x**3)),
    "constant": (Polynomial(coefficients=np.array([-1.5])), lambda x: -1.5),
    "rational": (
        Rational(numerator=np.array([-1.0, 0.0, 3.0]), denominator=np.array([2.0, -0.5, 0.25])),
        lambda x: (3.0 * x * x - 1.0) / (0.25 * x * x - 0.5 * x + 2.0),
    ),
    "clip": (Clip(lower=-0.5, upper=1.25), lambda x: sorted([-0.5, x, 1.25])[1]),
    "clip below": (Clip(lower=-1e-3, upper=math.inf), lambda x: (x - 1e-3 + abs(x + 1e-3)) / 2.0),
    "clip above": (Clip(lower=-math.inf, upper=-0.75), lambda x: (x - 0.75 - abs(x + 0.75)) / 2.0),
    "clip nowhere": (Clip(lower=-math.inf, upper=math.inf), lambda x: x),
}
BIASES = (-2.3, -0.3, 0.2, 1.6)  # at no corner of any of these


def simulate(program: str, folder: Path, lines: Iterator[str], analysis: str, nodes: list[str]) -> np.ndarray:
    """Run an analysis; return what `wrdata` writes: for each node the sweep, then the value (for .ac re, im)."""
    vectors = " ".join(f"v({node})" for node in nodes)
    # A source of an expression gives its tangent at the last iterate of Newton's method: with the default reltol a
    # sweep in steps of 0.01 would be 4e-5 off, which says nothing about the expression.
    options = ".options reltol=1e-12 vntol=1e-15 abstol=1e-15\n"
    control = f"{options}.control\nset numdgt=16\n{analysis}\nwrdata result.txt {vectors}\nquit\n.endc\n.end\n"
    (folder / "deck.cir").write_text("* functions\n" + "".join(f"{line}\n" for line in lines) + control)
    run = subprocess.run(
        [program, "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (folder / "result.txt").exists(), run.stdout + run.stderr
    return np.loadtxt(folder / "result.txt")


def written(function: Function, *nodes: str, dialect: str = "ngspice") -> str:
    """Return the curve of a function in a dialect, of the voltage of a node or of the difference of two."""
    curve = function.curve()
    if len(nodes) == 2:
        curve = substitute(curve, (Argument(0) - Argument(1),))
    return find_dialect(dialect).expression(curve, nodes)


@pytest.mark.parametrize("nodes", [("x",), ("y", "z")], ids=["v(x)", "v(y)-v(z)"])
def test_every_expression_is_its_curve_in_ngspice(ngspice: str, tmp_path: Path, nodes: tuple[str, ...]) -> None:
    assert {function.kind for function, _ in EXPRESSIONS.values()} == set(FUNCTIONS) - {"softmax"}
    sources = (f"B{k} out{k} 0 V={written(function, *nodes)}" for k, (function, _) in enumerate(EXPRESSIONS.values()))
    drive = ["Vx x 0 0", "Ey y 0 x 0 2.0", "Ez z 0 x 0 1.0"]  # v(y) - v(z) = v(x)
    outputs = [f"out{k}" for k in range(len(EXPRESSIONS))]
    rows = simulate(ngspice, tmp_path, iter([*drive, *sources]), "dc Vx -3 3 0.01", outputs)
    assert rows.shape == (601, 2 * len(EXPRESSIONS))
    assert (rows[0, 0], rows[-1, 0]) == (-3.0, pytest.approx(3.0))
    for k, (name, (_, formula)) in enumerate(EXPRESSIONS.items()):
        x, found = rows[:, 2 * k], rows[:, 2 * k + 1]
        if len(nodes) > 1 or name.startswith(("steep", "hard")):
            # Next to zero the sweep is at a rounding of zero, which these amplify and a difference does not keep.
            x, found = x[np.abs(x) > 1e-9], found[np.abs(x) > 1e-9]
        expected = np.array([formula(float(value)) for value in x])
        # Where terms cancel (a tail of the logistic, a root), the rounding of the largest value is what is left.
        atol = 1e-13 * float(np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=atol, err_msg=f"{name}: {nodes}")


def test_every_expression_has_its_slope_in_ngspice(ngspice: str, tmp_path: Path) -> None:
    """Newton's method needs the derivative that ngspice takes of the expression: the gain of a small signal."""
    cases = [(name, bias) for name in EXPRESSIONS for bias in BIASES]
    lines = [f"V{k} x{k} 0 dc {bias} ac 1" for k, bias in enumerate(BIASES)]
    for k, (name, bias) in enumerate(cases):
        lines.append(f"B{k} out{k} 0 V={written(EXPRESSIONS[name][0], f'x{BIASES.index(bias)}')}")
    nodes = [f"out{k}" for k in range(len(cases))]
    row = simulate(ngspice, tmp_path, iter(lines), "ac lin 1 1 1", nodes).reshape(-1, 3)
    for (name, bias), (_, slope, imaginary) in zip(cases, row, strict=True):
        formula = EXPRESSIONS[name][1]
        h = 1e-5  # h^2 f''' / 6 and rounding / h are both below 1e-9 of these values
        expected = (formula(bias + h) - formula(bias - h)) / (2.0 * h)
        assert slope == pytest.approx(expected, rel=1e-7, abs=1e-8), f"{name} at {bias}"
        assert imaginary == 0.0


def test_expressions_hold_plain_numbers() -> None:
    curve = Tanh(gain=np.array([np.float64(50.0), 2.0]), amplitude=np.float64(1.0))
    assert written(curve.at(0), "x_0") == "tanh(50.0*v(x_0))"
    assert written(Tanh(gain=2.0, amplitude=3.0), "a", "b") == "3.0*tanh(2.0/3.0*v(a,b))"
    clip = Clip(lower=np.array([-np.inf, -1.0]), upper=np.array([2.0, np.inf]))
    assert [written(clip.at(i), "x") for i in range(2)] == ["min(2.0,v(x))", "max(-1.0,v(x))"]
    for function, _ in EXPRESSIONS.values():
        assert all("np." not in written(function, "x", dialect=dialect) for dialect in DIALECTS)


# Messages


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "negative gain": (lambda: Tanh(gain=-1.0), "`Tanh.gain = -1.0 V/V`: must be positive"),
    "zero amplitude": (lambda: Logistic(amplitude=0.0), "`Logistic.amplitude = 0.0 V`: must be positive"),
    "NaN": (
        lambda: Arctan(gain=np.array([1.0, math.nan])),
        "`Arctan.gain[1] = nan`: must be finite; replace missing or infinite values",
    ),
    "infinite gain": (
        lambda: Algebraic(gain=math.inf),
        "`Algebraic.gain = inf`: must be finite; replace missing or infinite values",
    ),
    "gain over amplitude": (
        lambda: Tanh(gain=1e200, amplitude=1e-200),
        "`Tanh.gain / amplitude = inf`: must be finite; replace missing or infinite values",
    ),
    "shapes": (
        lambda: Tanh(gain=np.ones(3), amplitude=np.ones(2)),
        "`Tanh`: the shapes differ: gain (3,), amplitude (2,); must be one size",
    ),
    "shapes that would broadcast": (
        lambda: Tanh(gain=np.ones(3), amplitude=np.ones(1)),
        "`Tanh`: the shapes differ: gain (3,), amplitude (1,); must be one size",
    ),
    "no elements": (
        lambda: HardLimiter(amplitude=np.ones(0)),
        "`HardLimiter.amplitude` has shape (0,): must be a number, (n,), or (B, n) for a batch",
    ),
    "falling table": (
        lambda: Table(x=np.array([0.0, 1.0, 2.0]), y=np.array([0.0, 1.0, 0.5])),
        "`Table.y[2] = 0.5`: must not be below `y[1] = 1.0`, as a gain is monotone; smooth the measurement",
    ),
    "unsorted table": (
        lambda: Table(x=np.array([0.0, 1.0, 1.0]), y=np.array([0.0, 1.0, 2.0])),
        "`Table.x[2] = 1.0`: must be above `x[1] = 1.0`; sort the points by x, and keep one of equal ones",
    ),
    "table of one point": (
        lambda: Table(x=np.array([0.0]), y=np.array([0.0])),
        "`Table`: x has shape (1,), y (1,): must be two or more points, (m,) each",
    ),
    "crossed bounds": (
        lambda: Clip(lower=np.array([0.0, 2.0]), upper=1.0),
        "`Clip`: the bounds of element 1 are 2.0 and 1.0: must have lower <= upper, with a finite number between them",
    ),
    "bounds at infinity": (
        lambda: Clip(lower=math.inf, upper=math.inf),
        "`Clip`: the bounds are inf and inf: must have lower <= upper, with a finite number between them",
    ),
    "zero denominator": (
        lambda: Rational(numerator=np.ones(2), denominator=np.zeros(2)),
        "`Rational.denominator` is all zeros: must have at least one other coefficient",
    ),
    "one coefficient as a number": (
        lambda: function_from("polynomial", {"coefficients": 1.0}),
        "`Polynomial.coefficients` is one number: must be (m,), lowest order first",
    ),
    "groups": (
        lambda: Softmax(groups=(2, 0)),
        "`Softmax.groups` = (2, 0): must be whole numbers, at least 1, or None",
    ),
    "groups of another size": (
        lambda: Softmax(groups=(2, 3)).value(np.zeros((7, 4))),
        "`Softmax` of groups (2, 3): x has shape (7, 4), must end in 5",
    ),
    "beta by element": (
        lambda: Softmax(beta=np.ones(3)),
        "`Softmax.beta` has shape (3,): must be one number for all elements",
    ),
    "unknown kind": (
        lambda: function_from("tanhh", {}),
        "function kind 'tanhh' is unknown: must be one of tanh, logistic, piecewise_linear, arctan, algebraic, "
        "softsign, hard_limiter, table, identity, polynomial, rational, clip, softmax, dead_zone, leaky_relu, "
        "thresholded_relu, elu, softplus; did you mean 'tanh'?",
    ),
    "unknown key": (
        lambda: function_from("tanh", {"gian": 2.0}),
        "function 'tanh': parameter 'gian' is unknown: must be one of gain, amplitude; did you mean 'gain'?",
    ),
    "key of a function without any": (
        lambda: function_from("identity", {"q": 2.0}),
        "function 'identity': parameter 'q' is unknown: must be one of (none)",
    ),
    "missing key": (
        lambda: function_from("table", {"x": [0.0, 1.0]}),
        "function 'table': the parameter 'y' is missing; must have x, y",
    ),
    "scale": (lambda: Tanh().scale(-2.0), "`volts = -2.0 V`: must be positive"),
    "element outside": (
        lambda: Tanh(gain=np.ones(3)).at(3),
        "`Tanh.at(3)`: has 3 elements, must be from 0 to 2",
    ),
    "element of a stack": (
        lambda: stack([Tanh(gain=np.ones(3))]).at(0),
        "`Tanh.gain` is stacked, with shape (1, 3): take `.at(i)` before",
    ),
    "expression of many": (
        lambda: Tanh(gain=np.ones(3)).curve(),
        "`Tanh.gain` has shape (3,): a SPICE expression needs one number; take `.at(i)` first",
    ),
    "expression of a stack": (
        lambda: stack([Polynomial(coefficients=np.ones(2))]).curve(),
        "`Polynomial.coefficients` is stacked, with shape (1, 2): has no expression",
    ),
    "stack of two classes": (
        lambda: stack([Tanh(), Logistic()]),
        "stack: found functions of the classes [Logistic, Tanh]: must be of one class, at least one",
    ),
    "empty stack": (
        lambda: stack([]),
        "stack: found functions of the classes []: must be of one class, at least one",
    ),
    "stack of sizes": (
        lambda: stack([Tanh(gain=np.ones(2)), Tanh(gain=np.ones(3))]),
        "`Tanh.gain` has [2, 3] elements within a batch: must have one number of them",
    ),
    "stack of stacks": (
        lambda: stack([stack([Tanh()]), Tanh()]),
        "`Tanh.gain` is stacked already: stack the single functions, all at once",
    ),
    "stack of tables": (
        lambda: stack([MEASURED, MEASURED.scale(2.0)]),
        "`Table.x` differs within a batch: must be the same; run the functions one by one",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_how(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("call", [lambda: Softmax().curve(), lambda: Softmax(groups=(2,)).at(0)])
def test_one_element_of_a_softmax_has_no_expression(call: Callable[[], Any]) -> None:
    message = "Softmax: couples the elements of a group, so that one element alone has no expression; use another cell"
    with pytest.raises(Unrealisable, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("function", [Identity(), Clip(lower=0.0, upper=1.0)], ids=name_of)
def test_a_slope_of_one_cannot_be_compressed(function: Function) -> None:
    assert function.compress(1.0) is function
    name = type(function).__name__
    with pytest.raises(Unrealisable, match=rf"^{name}: cannot take the slope 1/2\.0, as its slope is 1; leave the "):
        function.compress(2.0)
