"""Formulas solved: clause weights against the plain and the quadratised form, and the same bits from both loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hopfield_hw.equations import OdeProgram
from hopfield_hw.optimisation import solve_formula
from hopfield_hw.optimisation.clauses import descend_plain
from hopfield_hw.problems.satisfiability import Formula, cubic_network, planted
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import InputError

HARD, _ = planted(30, 126, seed=4)


def test_compiled_and_plain_loops_agree_bit_for_bit() -> None:
    pytest.importorskip("numba")
    formula, _ = planted(10, 42, seed=2)
    one, other = (solve_formula(formula, starts=6, seed=1, t_stop=8.0, compiled=c) for c in (True, False))
    np.testing.assert_array_equal(one.hits, other.hits)
    assert one.solution is not None
    assert other.solution is not None
    np.testing.assert_array_equal(one.solution, other.solution)
    assert formula.unsatisfied(one.solution) == 0


def test_a_step_of_the_fast_loop_is_eulers_of_the_network() -> None:
    rng = np.random.default_rng(0)
    x, a = rng.uniform(-0.9, 0.9, 30), rng.uniform(0.5, 3.0, len(HARD.clauses))
    equation = OdeProgram([in_si(cubic_network(HARD, step=2.0, rate=0.7, fading=0.02))])
    after = np.concatenate([x, a]) + 0.1 * 1e-3 * equation.rhs(0.0, np.concatenate([x, a]))
    state, weights = x[:, np.newaxis].copy(), a[:, np.newaxis].copy()
    # The loop steps weights once more than states: it looks at the last state too.
    descend_plain(HARD.index, HARD.signs, state, weights, 0, 0.1, 2.0, 0.7, 0.02, np.full(1, -1))
    np.testing.assert_allclose(state[:, 0], after[:30], rtol=1e-12)
    np.testing.assert_allclose(weights[:, 0], after[30:], rtol=1e-12)


def test_clause_weights_solve_what_the_other_forms_do_not() -> None:
    pytest.importorskip("numba")
    weighted = solve_formula(HARD, starts=64, seed=1)
    plain = solve_formula(HARD, starts=64, seed=1, form="cubic", t_stop=100.0)
    quadratised = solve_formula(HARD, starts=64, seed=1, form="quadratised", t_stop=100.0)
    assert weighted.success.interval[0] > 0.9
    assert plain.success.interval[1] < weighted.success.interval[0]
    assert weighted.success.value >= 10.0 * quadratised.success.value
    assert weighted.solution is not None
    assert HARD.unsatisfied(weighted.solution) == 0
    assert str(weighted).startswith("form         weighted\nsolved       ")


def test_what_has_no_solution_is_never_solved() -> None:
    clauses = [[a, b, c] for a in (1, -1) for b in (2, -2) for c in (3, -3)]
    impossible = Formula(clauses=clauses, variables=3)  # type: ignore[arg-type]
    for form in ("weighted", "cubic", "quadratised"):
        found = solve_formula(impossible, starts=8, seed=0, form=form, t_stop=20.0)  # type: ignore[arg-type]
        assert found.success.count == 0
        assert found.solution is None
        assert impossible.unsatisfied(found.nearest) == 1
        assert "median" not in str(found)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a form": (
        lambda: solve_formula(HARD, starts=1, seed=0, form="cubik"),  # type: ignore[arg-type]
        "form 'cubik' is unknown: must be one of weighted, cubic, quadratised; did you mean 'cubic'?",
    ),
    "a step": (
        lambda: solve_formula(HARD, starts=1, seed=0, dt=2.0),
        "`dt` = 2: must be at most 1, the time constant of the neurons",
    ),
    "clauses": (
        lambda: solve_formula("p cnf", starts=1, seed=0),  # type: ignore[arg-type]
        "`formula` = 'p cnf': must be a Formula(clauses=..., variables=...)",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
