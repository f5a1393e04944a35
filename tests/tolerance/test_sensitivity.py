"""Sensitivities against derivatives by hand, and of equilibria against equilibria solved again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import hopfield_hw as hh
from hopfield_hw.tolerance.sensitivity import equilibrium_sensitivities, sensitivities


def test_differences_are_the_derivatives() -> None:
    p = np.array([1.0, 2.0, -0.5])
    found = sensitivities(lambda v: v[:, 0] ** 2 * v[:, 1] + np.exp(v[:, 2]), p, p - 0.1, p + 0.1)
    assert found.derivative == pytest.approx([4.0, 1.0, np.exp(-0.5)], rel=1e-8)
    assert found.relative == pytest.approx([4.0, 2.0, -0.5 * np.exp(-0.5)], rel=1e-8)
    assert np.all(found.error < 1e-7)
    assert found.linear(p[None] + np.array([0.1, 0.0, 0.0])) == pytest.approx([2.0 + np.exp(-0.5) + 0.4])
    assert found.deviation([0.01, 0.0, 0.0]) == pytest.approx(0.04)
    room = np.array([0.0, 1.0, 1.0])
    assert sensitivities(lambda v: v[:, 0] * v[:, 1], p, p - room, p + room).derivative[0] == 0.0


RNG = np.random.default_rng(11)
N = 5
WEIGHTS = RNG.normal(size=(N, N)) * 3e-5
NET = hh.Network(
    weights=WEIGHTS,
    resistance=RNG.uniform(5e3, 2e4, N),
    capacitance=1e-8,
    gain=hh.Tanh(gain=RNG.uniform(1.0, 4.0, N)),
    bias=RNG.normal(size=N) * 2e-5,
)


def solve(weights: Any, leaks: Any, bias: Any, offsets: Any, start: Any) -> Any:
    def flow(x: Any) -> Any:
        return (-x * leaks + weights @ NET.gain.value(x + offsets) + bias) * 1e4

    found = scipy.optimize.root(flow, start, tol=1e-14)
    assert np.max(np.abs(flow(found.x))) < 1e-11
    return found.x


STATE = solve(WEIGHTS, 1.0 / NET.resistance, NET.bias, np.zeros(N), np.full(N, 0.3))


def margin(x: Any) -> float:
    """Of a decision: the outputs of two neurons, and a square."""
    return float(x[0] - 0.7 * x[3] + 0.2 * x[1] ** 2)


GRADIENT = np.array([1.0, 0.4 * STATE[1], 0.0, -0.7, 0.0])


@pytest.mark.parametrize("is_loaded", [False, True])
def test_one_solve_gives_what_solving_again_gives(is_loaded: bool) -> None:
    found = equilibrium_sensitivities(NET, STATE, GRADIENT, is_loaded=is_loaded)
    rest = 1.0 / NET.resistance - np.abs(WEIGHTS).sum(axis=1)  # of the leaks, what the weights do not make

    def again(**changed: Any) -> float:
        values = {"weights": WEIGHTS, "leaks": None, "bias": NET.bias, "offsets": np.zeros(N), **changed}
        if values["leaks"] is None:
            loading = np.abs(values["weights"]).sum(axis=1)
            values["leaks"] = rest + loading if is_loaded else 1.0 / NET.resistance
        return margin(solve(**values, start=STATE))

    def differences(name: str, base: Any, step: float) -> Any:
        slopes = np.zeros(base.shape)
        for index in np.ndindex(base.shape):
            move = np.zeros(base.shape)
            move[index] = step
            slopes[index] = (again(**{name: base + move}) - again(**{name: base - move})) / (2.0 * step)
        return slopes

    for name, base, step in (
        ("weights", WEIGHTS, 1e-9),
        ("leaks", 1.0 / NET.resistance, 1e-9),
        ("bias", np.asarray(NET.bias), 1e-9),
        ("offsets", np.zeros(N), 1e-4),
    ):
        wanted = differences(name, base, step)
        assert getattr(found, name) == pytest.approx(wanted, rel=2e-4, abs=2e-5 * np.abs(wanted).max()), name
    assert found.resistance == pytest.approx(-found.leaks / NET.resistance**2)


def test_sparse_weights_are_the_same() -> None:
    import scipy.sparse as sp

    sparse = replace(NET, weights=sp.csr_array(WEIGHTS))
    dense, found = (equilibrium_sensitivities(net, STATE, GRADIENT) for net in (NET, sparse))
    assert np.array_equal(dense.weights, found.weights)


def test_what_is_no_equilibrium_is_refused() -> None:
    with pytest.raises(hh.InputError) as refused:
        equilibrium_sensitivities(NET, STATE + 0.1, GRADIENT)
    assert str(refused.value).startswith("`state`: ")
    assert str(refused.value).endswith(
        "must be an equilibrium; take one of find_equilibria, or go on with its Newton iteration"
    )
    fold = hh.Network(weights=[[1e-4]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0))
    with pytest.raises(hh.InputError) as refused:
        equilibrium_sensitivities(fold, [0.0], [1.0])
    assert str(refused.value) == (
        "`state`: the Jacobian is singular there (a fold), so the equilibrium has no derivative"
    )
