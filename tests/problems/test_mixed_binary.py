"""Binary and continuous variables in one network: against enumeration, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hopfield_hw.equations import OdeProgram
from hopfield_hw.problems.mixed_binary import MixedProgram, mixed_network, ramp, with_binary
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.signals import Signal


def random_mixed(seed: int) -> MixedProgram:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(7, 7))
    return MixedProgram(quadratic=root @ root.T / 7.0 + 0.3 * np.eye(7), linear=rng.normal(size=7), binary=(0, 2, 3, 5))


@pytest.mark.parametrize("seed", range(4))
def test_the_ramp_ends_at_the_optimum_of_enumeration(seed: int) -> None:
    """Euler's steps of a twentieth of the time constant, from the middle of the box."""
    program = random_mixed(seed)
    best, x = program.optimum()
    equation = OdeProgram([in_si(mixed_network(program))], ramp(program, t_stop=0.2))
    state = equation.initial.copy()
    for k in range(4000):
        state += 5e-5 * equation.rhs(5e-5 * k, state)
    end = equation.outputs(0.2, state)
    chosen = list(program.binary)
    np.testing.assert_allclose(end[chosen], np.round(end[chosen]), atol=1e-9)
    assert float(program.objective(end)) == pytest.approx(best, abs=1e-6)
    np.testing.assert_allclose(end, x, atol=1e-4)


def test_the_optimum_is_that_of_a_grid() -> None:
    program = MixedProgram(quadratic=[[1.0, 0.5], [0.5, 2.0]], linear=[-0.2, 0.7], binary=(0,))  # type: ignore[arg-type]
    best, x = program.optimum()
    grid = np.stack([np.repeat([0.0, 1.0], 20_001), np.tile(np.linspace(-1.0, 1.0, 20_001), 2)], axis=1)
    values = program.objective(grid)
    assert best == pytest.approx(values.min(), abs=1e-8)
    assert best <= values.min()
    np.testing.assert_allclose(x, grid[np.argmin(values)], atol=1e-4)
    held = with_binary(program, np.array([0.9, 0.3]))
    assert held.binary == ()
    assert (held.lower[0], held.upper[0]) == (1.0, 1.0)


def test_the_equation_is_the_stated_one() -> None:
    program, h = random_mixed(1), 0.7
    equation = OdeProgram([in_si(mixed_network(program, step=0.4))], Signal(times=np.zeros(1), values=np.array([[h]])))
    x = np.random.default_rng(0).uniform(-0.5, 1.0, 7)
    pull = np.zeros(7)
    pull[[0, 2, 3, 5]] = h * (x[[0, 2, 3, 5]] - 0.5)
    within = np.clip(x - 0.4 * (program.quadratic @ x + program.linear - pull), program.lower, program.upper)
    np.testing.assert_allclose(equation.rhs(0.0, x) * 1e-3, within - x, atol=1e-12)


def dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix


def test_no_point_within_stays_once_the_ramp_is_up() -> None:
    program = random_mixed(0)
    high = float(ramp(program, t_stop=1.0).values[-1, 0])
    equation = OdeProgram([in_si(mixed_network(program))], Signal(times=np.zeros(1), values=np.array([[high]])))
    state = equation.initial.copy()
    for _ in range(40):  # the point of balance, by Newton's method
        state -= np.linalg.solve(dense(equation.jacobian(0.0, state)), equation.rhs(0.0, state))
    inside = (state[[0, 2, 3, 5]] > 0.0) & (state[[0, 2, 3, 5]] < 1.0)
    rates = np.linalg.eigvals(dense(equation.jacobian(0.0, state))).real
    assert not inside.any() or rates.max() > 0.0


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a variable there is not": (
        lambda: MixedProgram(quadratic=np.eye(2), linear=np.ones(2), binary=(2,)),
        "`MixedProgram.binary` = 2: must be a whole number from 0 to 1",
    ),
    "twice": (
        lambda: MixedProgram(quadratic=np.eye(2), linear=np.ones(2), binary=(1, 1)),
        "`MixedProgram.binary` = (1, 1): names a variable twice",
    ),
    "not convex": (
        lambda: MixedProgram(quadratic=-np.eye(2), linear=np.ones(2), binary=(1,)),
        "`MixedProgram.quadratic`: must be positive definite among the continuous variables, which may otherwise have "
        "several minima for one choice of the binary ones",
    ),
    "limits": (
        lambda: MixedProgram(quadratic=np.eye(2), linear=np.ones(2), binary=(), lower=2.0),  # type: ignore[arg-type]
        "`MixedProgram.lower[0]` = 2: must be at most the upper end, 1",
    ),
    "many": (
        lambda: MixedProgram(quadratic=np.eye(17), linear=np.ones(17), binary=tuple(range(17))).optimum(),
        "optimum: 17 binary variables are too many; at most 16",
    ),
    "no program": (
        lambda: mixed_network(1),  # type: ignore[arg-type]
        "`program` = 1: must be a MixedProgram",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
