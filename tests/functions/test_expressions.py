"""Expressions: they are the functions that give them, and every dialect prints what they mean."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopfield_hw.functions import (
    FUNCTIONS,
    SIGMOIDS,
    Clip,
    DeadZone,
    Function,
    HardLimiter,
    Identity,
    Polynomial,
    Rational,
    Table,
)
from hopfield_hw.functions.expressions import (
    ARGUMENT,
    CALLS,
    Argument,
    Choice,
    Expression,
    Interpolation,
    Negative,
    Number,
    Operation,
    call,
    count_arguments,
    evaluate,
    exp,
    maximum,
    minimum,
    substitute,
    tanh,
)
from hopfield_hw.functions.rectifiers import Elu, LeakyRelu, Softplus, ThresholdedRelu
from hopfield_hw.spice.dialects import DIALECTS, find_dialect
from hopfield_hw.values.errors import InputError

A, B, C = (Argument(k) for k in range(3))
NODES = ("a", "b", "c")
AT = {"a": 0.7, "b": -1.3, "c": 0.4}
# One of every class that has an expression, with every parameter away from its default.
EXAMPLES: tuple[Function, ...] = (
    *(sigmoid(gain=3.0, amplitude=2.0) for sigmoid in SIGMOIDS),
    *(sigmoid(gain=3.0) for sigmoid in SIGMOIDS),
    HardLimiter(amplitude=2.5),
    Table(x=np.array([-2.0, -0.25, 0.5, 3.0]), y=np.array([-1.0, 0.125, 0.125, 1.25])),
    Identity(),
    Polynomial(coefficients=np.array([0.5, -1.0, 0.0, 2.0])),
    Rational(numerator=np.array([1.0, -2.0]), denominator=np.array([2.0, 0.0, 1.0])),
    Clip(lower=-0.5, upper=1.5),
    Clip(lower=-math.inf, upper=1.5),
    Clip(lower=-0.5, upper=math.inf),
    LeakyRelu(below=0.2, above=1.5),
    ThresholdedRelu(threshold=0.5, slope=1.5),
    Elu(alpha=0.75, width=2.0, slope=1.25),
    Softplus(amplitude=0.5, width=0.25),
    DeadZone(lower=-0.5, upper=1.5, slope=2.0, width=0.05),
)
GRID = np.concatenate([np.linspace(-4.0, 4.0, 321), [0.5, -0.25, 1e-9, -1e-9, 40.0, -40.0]])


def test_there_is_an_example_of_every_function() -> None:
    assert {function.kind for function in EXAMPLES} == set(FUNCTIONS) - {"softmax"}


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.kind)
def test_the_curve_of_a_function_is_its_value(function: Function) -> None:
    curve = function.curve()
    assert count_arguments(curve) == 1
    np.testing.assert_allclose(evaluate(curve, (GRID,)), function.value(GRID), rtol=1e-13, atol=1e-14)
    assert float(evaluate(curve, (0.3,))) == pytest.approx(float(function.value(0.3)), rel=1e-13)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.kind)
def test_an_argument_may_be_anything(function: Function) -> None:
    """f(a - b), and f(-x) of an inverted state."""
    curve = function.curve()
    other = GRID[::-1]
    difference = substitute(curve, (A - B,))
    assert count_arguments(difference) == 2
    np.testing.assert_allclose(
        evaluate(difference, (GRID, other)), function.value(GRID - other), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(
        evaluate(substitute(curve, (-ARGUMENT,)), (GRID,)), function.value(-GRID), rtol=1e-12, atol=1e-13
    )


def test_substitution_is_everywhere_and_at_once() -> None:
    """The arguments are exchanged, not one after the other, in every kind of node."""
    inner = Choice(A, Number(0.5), Interpolation(B, ((0.0, 1.0), (1.0, 3.0))), -B)
    expression = maximum(A / B - 2.0 * C, inner) + tanh(C)
    exchanged = substitute(expression, (B, A, C + 1.0))
    assert evaluate(exchanged, (0.4, 0.8, -0.3)) == evaluate(expression, (0.8, 0.4, 0.7))
    assert count_arguments(expression) == count_arguments(exchanged) == 3
    assert count_arguments(Number(1.0)) == 0
    assert substitute(expression, (A, B, C)) == expression


# What a dialect prints. SAME: in all of them.

SAME: tuple[tuple[Expression, str], ...] = (
    (A, "v(a)"),
    (A - B, "v(a,b)"),
    (A - (B - C), "v(a)-v(b,c)"),
    ((A - B) - C, "v(a,b)-v(c)"),
    (A - (B + C), "v(a)-(v(b)+v(c))"),
    (A + (B - C), "v(a)+v(b,c)"),
    (A / (B * C), "v(a)/(v(b)*v(c))"),
    (A / B / C, "v(a)/v(b)/v(c)"),
    (A / (B / C), "v(a)/(v(b)/v(c))"),
    (A * (B / C), "v(a)*(v(b)/v(c))"),
    (A * B / C, "v(a)*v(b)/v(c)"),
    (A * (B + C), "v(a)*(v(b)+v(c))"),
    (-A * B, "(-v(a))*v(b)"),
    (-(A * B), "-v(a)*v(b)"),
    (-(A + B), "-(v(a)+v(b))"),
    (A - -B, "v(a)-(-v(b))"),
    (A - Number(-2.0), "v(a)-(-2.0)"),
    (Number(-2.0) * A, "(-2.0)*v(a)"),
    (1.0 / (1.0 + exp(-A)), "1.0/(1.0+exp(-v(a)))"),
    (call("abs", A - 1.0), "abs(v(a)-1.0)"),
    (call("arctan", A), "atan(v(a))"),
    (call("log", A), "ln(v(a))"),
    (call("sign", A), "sgn(v(a))"),
    (minimum(A, B, 1.0), "min(min(v(a),v(b)),1.0)"),
    (1e-12 * A, "1e-12*v(a)"),
)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("expression", "text"), SAME, ids=[text for _, text in SAME])
def test_parentheses_stand_where_they_must(expression: Expression, text: str, dialect: str) -> None:
    assert find_dialect(dialect).expression(expression, NODES) == text


@pytest.mark.parametrize(
    ("dialect", "choice", "table"),
    [
        ("ngspice", "(v(a)>0.5?v(b):-v(c))", "pwl(v(a),-3.0,-1.0,-1.0,-1.0,1.0,2.0,3.0,2.0)"),
        ("ltspice", "if(v(a)>0.5,v(b),-v(c))", "table(v(a),-1.0,-1.0,1.0,2.0)"),
        ("xyce", "if(v(a)>0.5,v(b),-v(c))", "table(v(a),-1.0,-1.0,1.0,2.0)"),
    ],
)
def test_choices_and_tables_are_those_of_the_dialect(dialect: str, choice: str, table: str) -> None:
    spice = find_dialect(dialect)
    found = spice.expression(Choice(A, Number(0.5), B, -C), NODES)
    assert found.replace("(-v(c))", "-v(c)") == choice
    assert spice.expression(Interpolation(A, ((-1.0, -1.0), (1.0, 2.0))), NODES) == table


@pytest.mark.parametrize(
    ("dialect", "text"), [("ngspice", "2.0*v(a)"), ("ltspice", "2.0*v(a)"), ("xyce", "{2.0*v(a)}")]
)
def test_xyce_has_braces_around_a_formula(dialect: str, text: str) -> None:
    assert find_dialect(dialect).formula(2.0 * A, NODES) == text


def test_ground_is_left_out() -> None:
    spice = find_dialect("ngspice")
    assert spice.expression(A - B, ("a", "0")) == "v(a)"
    assert spice.expression(A * B, ("a", "0")) == "v(a)*0.0"
    assert spice.expression(B - A, ("a", "0")) == "v(0,a)"


def eval_text(text: str) -> Any:
    """Return what the text of a dialect means, by Python's own precedence, which is SPICE's for + - * /."""
    names: dict[str, Any] = {
        "v": lambda plus, minus=None: AT[plus] - (0.0 if minus is None else AT[minus]),
        "if_": lambda which, above, otherwise: above if which else otherwise,
        "table": lambda x, *points: np.interp(x, points[::2], points[1::2]),
        "ln": math.log,
        "atan": math.atan,
        "sgn": np.sign,
        "max": max,
        "min": min,
        "abs": abs,
        "sqrt": math.sqrt,
        "tanh": math.tanh,
        "exp": math.exp,
        "floor": math.floor,
        "ceil": math.ceil,
    }
    text = re.sub(r"v\((\w+)(?:,(\w+))?\)", lambda m: f"v('{m[1]}'" + (f",'{m[2]}')" if m[2] else ")"), text)
    text = re.sub(r"\bif\(", "if_(", text)
    return eval(text, {"__builtins__": {}}, names)


NUMBERS = st.floats(min_value=-3.0, max_value=3.0).map(lambda value: Number(round(value, 3)))
LEAVES = st.one_of(NUMBERS, st.sampled_from((A, B, C)))
# Of one argument, defined everywhere and smooth enough that rounding of the argument does not show.
PLAIN_CALLS = ("tanh", "arctan", "abs")


def nodes(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(Operation, st.sampled_from("+-*/"), inner, inner),
        st.builds(Negative, inner),
        st.builds(lambda name, x: call(name, x), st.sampled_from(PLAIN_CALLS), inner),
        st.builds(lambda name, x, y: call(name, x, y), st.sampled_from(("min", "max")), inner, inner),
        inner.map(lambda x: Interpolation(x, ((-1.0, 2.0), (0.0, -1.0), (2.0, 0.5)))),
    )


def choices(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(nodes(inner), st.builds(Choice, st.sampled_from((A, B, C)), NUMBERS, inner, inner))


def value_of(expression: Expression) -> float | None:
    """Return the value at AT; None where a quotient makes it large, or no number."""
    with np.errstate(all="ignore"):
        found = float(evaluate(expression, tuple(AT[node] for node in NODES)))
    return found if math.isfinite(found) and abs(found) < 1e6 else None


def is_tame(expression: Expression) -> bool:
    """Whether no denominator is so small that rounding shows."""
    if isinstance(expression, Operation):
        small = expression.symbol == "/" and abs(value_of(expression.right) or 0.0) < 1e-3
        return not small and is_tame(expression.left) and is_tame(expression.right)
    parts = [getattr(expression, name) for name in getattr(expression, "__slots__", ())]
    inner = [x for part in parts for x in (part if isinstance(part, tuple) else (part,)) if isinstance(x, Expression)]
    return all(is_tame(x) for x in inner)


@given(st.recursive(LEAVES, choices, max_leaves=12), st.sampled_from(("ltspice", "xyce")))
def test_what_is_printed_means_the_expression(expression: Expression, dialect: str) -> None:
    value = value_of(expression)
    if value is None or not is_tame(expression):
        return
    text = find_dialect(dialect).expression(expression, NODES)
    assert float(eval_text(text)) == pytest.approx(value, rel=1e-7, abs=1e-7)


@given(st.recursive(LEAVES, lambda inner: nodes(inner), max_leaves=12))
def test_what_is_printed_for_ngspice_means_the_expression(expression: Expression) -> None:
    value = value_of(expression)
    if value is None or not is_tame(expression):
        return
    text = find_dialect("ngspice").expression(expression, NODES).replace("pwl(", "table(")
    assert float(eval_text(text)) == pytest.approx(value, rel=1e-7, abs=1e-7)


# What is refused.


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1, np.float64(1.0), "1.0", None])
def test_numbers_are_finite_floats(value: Any) -> None:
    with pytest.raises(InputError, match=f"^expression: {re.escape(repr(value))} must be a finite float$"):
        Number(value)


def test_calls_are_those_of_the_table() -> None:
    for name in CALLS:
        assert call(name, *([A] * (2 if name in ("min", "max") else 1))) is not None
    with pytest.raises(InputError, match=r"^expression: function 'cosh': must be one of tanh, "):
        call("cosh", A)


@pytest.mark.parametrize("walk", [count_arguments, lambda x: substitute(x, (A,)), lambda x: evaluate(x, (1.0,))])
def test_what_is_no_expression_is_refused(walk: Any) -> None:
    with pytest.raises(InputError, match=r"^expression 'v\(a\)': must be made of numbers, arguments, operations and"):
        walk("v(a)")
