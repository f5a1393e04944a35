"""Formulas: planted and uniform, their cubic energy and its slope, the quadratised form, and bad input."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.graph import Hadamard
from hopfield_hw.problems.satisfiability import Formula, cubic_network, planted, quadratise, uniform, walk
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import InputError

FORMULA = Formula(clauses=[[1, -2, 3], [-1, 2, 4], [-3, -4, 2], [1, 4, -2]], variables=4)  # type: ignore[arg-type]


def open_clauses(formula: Formula, signs: Any) -> int:
    return sum(not any(signs[abs(k) - 1] * k > 0 for k in clause) for clause in formula.clauses.tolist())


def test_clauses_are_counted_as_they_are_written() -> None:
    every = np.array(list(itertools.product((-1.0, 1.0), repeat=4)))
    assert FORMULA.unsatisfied(every).tolist() == [open_clauses(FORMULA, signs) for signs in every]


@pytest.mark.parametrize("seed", range(3))
def test_planted_solutions_hold(seed: int) -> None:
    formula, hidden = planted(20, 84, seed=seed)
    assert formula.clauses.shape == (84, 3)
    assert formula.unsatisfied(hidden) == 0
    # Each clause has one of the seven kinds alike: four sevenths of the literals hold.
    assert np.mean(hidden[formula.index] == formula.signs) == pytest.approx(4 / 7, abs=0.08)


def test_uniform_formulas_are_satisfiable_and_walk_proves_it() -> None:
    formula = uniform(12, 45, seed=1)
    solution = walk(formula, seed=0)
    assert solution is not None
    assert formula.unsatisfied(solution) == 0
    impossible = Formula(clauses=list(itertools.product((1, -1), (2, -2), (3, -3))), variables=3)  # type: ignore[arg-type]
    assert walk(impossible, seed=0, most_flips=200) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_the_network_goes_down_the_slope_of_the_energy(weighted: bool) -> None:
    """Inside of the box dx/dt = -step dE/dx, E = sum a_c prod (1 - s x) / 2, by differences."""
    rng = np.random.default_rng(2)
    x, a = rng.uniform(-0.2, 0.2, 4), np.ones(4)
    equation = OdeProgram(
        [in_si(cubic_network(FORMULA, step=0.3, rate=0.7, fading=0.1, initial=x, clause_weights=weighted))]
    )
    state = equation.initial.copy()
    if weighted:
        a = rng.uniform(0.5, 2.0, 4)
        state[4:] = a

    def clauses(at: Any) -> Any:
        return np.prod(0.5 - 0.5 * FORMULA.signs * at[FORMULA.index], axis=1)

    slope = [(a @ clauses(x + d) - a @ clauses(x - d)) / 2e-6 for d in 1e-6 * np.eye(4)]
    rates = equation.rhs(0.0, state) * 1e-3  # a unit of time is 1 ms
    np.testing.assert_allclose(rates[:4], -0.3 * np.array(slope), atol=1e-9)
    if weighted:
        np.testing.assert_allclose(rates[4:], 0.7 * (clauses(x) - 0.1 * (a - 1.0)), atol=1e-12)


@pytest.mark.usefixtures("ngspice")
def test_equation_and_circuit_solve_a_planted_formula() -> None:
    formula, _ = planted(4, 8, seed=1)
    start = np.random.default_rng(3).uniform(-0.3, 0.3, 4)
    graph = cubic_network(formula, initial=start)
    assert len(graph.of_type(Hadamard)) == 7
    equation = hh.reference_batch(graph, t_stop=12e-3, points=13, rtol=1e-6).output.to_numpy()[0]
    circuit = hh.simulate(graph, t_stop=12e-3, points=13, accuracy=1e-3).output.to_numpy()
    assert formula.unsatisfied(equation[-1]) == 0
    np.testing.assert_allclose(circuit, equation, atol=1e-2)


def test_clauses_alone_are_a_formula_too() -> None:
    assert hh.problems.build_problem("satisfiability", {"formula": FORMULA.clauses.tolist()}).kind == "ode"


def test_the_quadratised_form_counts_open_clauses() -> None:
    form = quadratise(FORMULA)
    extra = np.array(list(itertools.product((0.0, 1.0), repeat=4)))
    for signs in itertools.product((-1.0, 1.0), repeat=4):
        v = np.concatenate([np.tile(0.5 + 0.5 * np.array(signs), (16, 1)), extra], axis=1)
        assert form.energy(v).min() == pytest.approx(open_clauses(FORMULA, signs), abs=1e-12)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a variable there is not": (
        lambda: Formula(clauses=[[1, 2, 5]], variables=4),  # type: ignore[arg-type]
        "`Formula.clauses[0]` = [1.0, 2.0, 5.0]: literals are whole, +-1 to +-4",
    ),
    "zero": (
        lambda: Formula(clauses=[[1, 2, 3], [1, 0, 3]], variables=4),  # type: ignore[arg-type]
        "`Formula.clauses[1]` = [1.0, 0.0, 3.0]: literals are whole, +-1 to +-4",
    ),
    "twice": (
        lambda: Formula(clauses=[[1, -1, 3]], variables=4),  # type: ignore[arg-type]
        "`Formula.clauses[0]` = [1.0, -1.0, 3.0]: names a variable twice; three must differ",
    ),
    "two literals": (
        lambda: Formula(clauses=[[1, 2]], variables=4),  # type: ignore[arg-type]
        "`Formula.clauses` has shape (1, 2): must be (m, 3), at least one clause of three",
    ),
    "a start": (lambda: cubic_network(FORMULA, initial=2.0), "`initial` holds 2: must be from -1 to 1"),
    "fading": (lambda: cubic_network(FORMULA, fading=-1.0), "`fading` = -1: must not be negative"),
    "too many clauses": (
        lambda: uniform(4, 200, seed=0),
        "`clauses` = 200 of 4 variables: no satisfiable formula in 50 draws; use fewer, or `planted`",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hopfield_hw.problems.satisfiability.FLIPS", 50)
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
