"""Stable, unstable or undecided: one rule, at zero eigenvalues, Hopf points, and just beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis import find_equilibria, find_spectrum
from hopfield_hw.analysis.balance import Balance
from hopfield_hw.analysis.small_signals import SmallSignals, judge_matrix
from hopfield_hw.analysis.spectrum import judge_equilibrium
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.graph import Units
from hopfield_hw.stability import critical_gain, measure_pole_margin
from hopfield_hw.transforms import add_delay, distribute_delay

RING = -np.roll(np.eye(3), 1, axis=0)
BESIDE = pytest.mark.parametrize(
    ("step", "expected"), [(-1e-9, "stable"), (0.0, "undecided"), (1e-15, "undecided"), (1e-9, "unstable")]
)
# What the three say of one outcome at an equilibrium of one state or of several.
IN_EQUILIBRIA = {"stable": {"stable"}, "undecided": {"marginal"}, "unstable": {"saddle", "unstable"}}


def network(weights: Any, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=hh.Tanh(), units=Units(), **options)


def at_zero(graph: Any) -> str:
    found = find_equilibria(graph)
    k = int(np.argmin(np.abs(found.states).max(axis=1)))
    assert np.abs(found.states[k]).max() < 1e-5
    return found.stability[k]


@BESIDE
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_a_zero_eigenvalue(step: float, expected: str, scale: float) -> None:
    """x' = -x + w tanh(x): a pitchfork at w = 1. The amplifiers' poles do not move a root at 0."""
    graph = network([[1.0 + step]])
    found = find_spectrum(graph, 0.0)
    assert found.outcome == expected
    assert found.stable == (expected == "stable")
    assert at_zero(graph) in IN_EQUILIBRIA[expected]
    margin = measure_pole_margin(hh.Network.dimensionless([[1.0 + step]], seconds=scale), [7.0 / scale, 20.0 / scale])
    assert margin.outcome == expected
    assert margin.stable == (expected == "stable")
    assert margin.gain_margin == pytest.approx(1.0 - step, rel=1e-10)
    assert judge_matrix(scale * np.array([[step, 3.0], [0.0, -2.0]])).outcome == expected


@BESIDE
def test_a_hopf_point(step: float, expected: str) -> None:
    """Three neurons in a ring at g = 2: -1 + 2 exp(+-i pi/3)."""
    graph = network(2.0 * (1.0 + step) * RING)
    found = find_spectrum(graph, np.zeros(3))
    assert found.outcome == expected
    assert at_zero(graph) in IN_EQUILIBRIA[expected]
    judged = judge_matrix(2.0 * (1.0 + step) * RING - np.eye(3))
    side = {"stable": -1, "undecided": 0, "unstable": 1}[expected]
    assert judged.sides.tolist() == [side, side, -1]


@BESIDE
def test_a_hopf_point_of_amplifiers(step: float, expected: str) -> None:
    """g = 2 tau + 4 + 2/tau with two equal poles (Routh)."""
    pole, resistance, capacitance = 1e6, 10e3, 10e-9
    gain = critical_gain(resistance * capacitance, [pole, pole]) * (1.0 + step)
    net = hh.Network(weights=[[-gain / resistance]], resistance=resistance, capacitance=capacitance)
    margin = measure_pole_margin(net, [pole, pole])
    assert margin.outcome == expected
    assert margin.gain_margin == pytest.approx(1.0 - step, rel=1e-9)


@BESIDE
def test_a_hopf_point_of_a_delay(step: float, expected: str) -> None:
    """x' = -x - 2 x(t - tau): tau = (2 pi/3)/sqrt(3)."""
    graph = add_delay(network([[-2.0]]), 2.0 * np.pi / 3.0 / np.sqrt(3.0) * (1.0 + step))
    assert find_spectrum(graph, 0.0).outcome == expected
    assert at_zero(graph) in IN_EQUILIBRIA[expected]


@BESIDE
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_multiplier_on_the_unit_circle(step: float, expected: str, sign: float) -> None:
    matrix = np.array([[sign * (1.0 + step), 0.0], [0.5, 0.1]])
    assert judge_matrix(matrix, is_map=True).outcome == expected
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) * (1.0 + step)
    assert judge_matrix(turn, is_map=True).outcome == expected
    assert judge_matrix(np.zeros((2, 2)), is_map=True).outcome == "stable"


def test_a_map_at_its_border() -> None:
    """x[k+1] = 0.2 x + w tanh(x)."""
    for weight, expected in ((0.8, "undecided"), (0.5, "stable"), (1.5, "unstable")):
        graph = network([[weight]], decay=0.2, discrete=True)
        assert find_spectrum(graph, 0.0).kind == "map"
        assert find_spectrum(graph, 0.0).outcome == expected


def test_a_multiple_eigenvalue_far_from_the_border_is_decided() -> None:
    """A row of equal Leaks: one eigenvector for all of them."""
    assert find_spectrum(distribute_delay(network([[-0.5]]), 1.0, order=6), np.zeros(7)).outcome == "stable"
    assert judge_matrix(-np.eye(12) + np.eye(12, k=1)).sides.tolist() == [-1] * 12


def test_a_matrix_that_is_far_from_normal_is_not_told_by_its_eigenvalues() -> None:
    """3^-40 in one corner makes it singular: less than the rounding of its entries."""
    matrix = -np.eye(40) + 3.0 * np.eye(40, k=1)
    assert np.linalg.eigvals(matrix).real.max() == -1.0
    assert judge_matrix(matrix).outcome == "undecided"
    moved = matrix.copy()
    moved[-1, 0] = 3.0**-39  # its determinant is that of -1 + 1
    assert np.linalg.svd(moved - matrix, compute_uv=False)[0] < 1e-18


def test_what_entries_carry_besides_counts() -> None:
    matrix = np.diag([-1e-6, -1.0])
    assert judge_matrix(matrix).outcome == "stable"
    assert judge_matrix(matrix, error=1e-5).outcome == "undecided"
    assert judge_matrix(-matrix, error=1e-5).outcome == "unstable"
    assert judge_matrix(-matrix, error=1e-5).sides.tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_sides_are_those_of_the_matrix_that_was_made(seed: int) -> None:
    """Eigenvalues that are known, in a random orthogonal basis and any unit."""
    rng = np.random.default_rng(seed)
    n, unit = 6, 10.0 ** rng.uniform(-8.0, 8.0)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    made = np.array([1e-9, -1e-9, 0.0, 1.0, -1.0, -0.3]) * unit
    found = judge_matrix(basis @ np.diag(made) @ basis.T)
    assert found.sides.tolist() == [1, 1, 0, -1, -1, -1]
    assert judge_matrix(basis @ np.diag(made) @ basis.T).outcome == "unstable"
    assert judge_matrix(-basis @ np.diag(np.abs(made)) @ basis.T).outcome == "undecided"


@pytest.mark.parametrize("late", [False, True])
def test_a_state_that_is_known_to_a_few_digits_decides_no_more(late: bool) -> None:
    """At 1e-5 beside a pitchfork dx/dt = -x^3/3 is lost in rounding, and the slope -1e-10 says nothing."""
    graph = network([[1.0]])
    balance = Balance(add_delay(graph, 0.5) if late else graph)
    assert judge_equilibrium(balance, np.array([1e-5])).outcome == "undecided"
    settled = Balance(add_delay(network([[0.9]]), 0.5) if late else network([[0.9]]))
    assert judge_equilibrium(settled, np.zeros(1)).outcome == "stable"


def test_no_root_is_undecided() -> None:
    empty = SmallSignals(np.zeros(0, dtype=np.complex128), np.zeros(0, dtype=np.intp))
    assert empty.outcome == "undecided"
