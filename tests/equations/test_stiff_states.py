"""Many states of an equation that is stiff: an implicit method takes over, and its Jacobian stays sparse."""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram, solve
from hopfield_hw.families import TEMPLATES, CellularNetwork, Template
from hopfield_hw.transforms import in_si
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import AccuracyError
from hopfield_hw.values.measures import nrmse

MODULE = importlib.import_module("hopfield_hw.equations.ode_program")
STIFFNESS = importlib.import_module("hopfield_hw.equations.stiffness")
RESISTANCE = 1e4
SLOWEST = 1e-2


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the methods that SciPy is asked for; a Jacobian that is not sparse fails the test."""
    methods: list[str] = []

    def spy(rhs: Any, span: Any, x: Any, *, method: str, jac: Any, **options: Any) -> Any:
        methods.append(method)
        assert sp.issparse(jac(span[0], x))
        return solve_ivp(rhs, span, x, method=method, jac=jac, **options)

    monkeypatch.setattr(MODULE, "STIFF_BUDGET", 3000)
    monkeypatch.setattr(MODULE, "solve_ivp", spy)
    return methods


def spread(n: int, rng: np.random.Generator) -> Array:
    """Return time constants from 1 us to 10 ms, with both of these among them."""
    return rng.permutation(np.append(1e-2 ** rng.uniform(1.0, 3.0, n - 2), [1e-6, SLOWEST]))


def sparse_network(n: int, gain: hh.Gain, rng: np.random.Generator) -> hh.Network:
    entries = (rng.normal(size=5 * n) * 4e-5, (np.repeat(np.arange(n), 5), rng.integers(0, n, 5 * n)))
    return hh.Network(
        weights=sp.coo_array(entries, shape=(n, n)).tocsr(),
        resistance=RESISTANCE,
        capacitance=spread(n, rng) / RESISTANCE,
        gain=gain,
        bias=rng.normal(size=n) * 1e-4,
        initial=rng.normal(size=n),
    )


def test_a_stiff_linear_network_is_its_matrix_exponential(tried: list[str]) -> None:
    """A gain curve that nothing bounds: its corners have RK45 tried first."""
    network = sparse_network(300, hh.PiecewiseLinear(amplitude=1e3), np.random.default_rng(1))
    wave = solve(network.graph(), points=41)
    rate = 1.0 / np.asarray(network.capacitance)
    matrix = rate[:, None] * (network.weights.toarray() - np.eye(300) / RESISTANCE)
    settled = np.linalg.solve(matrix, -rate * np.asarray(network.bias))
    values, vectors = np.linalg.eig(matrix)
    parts = np.linalg.solve(vectors, np.asarray(network.initial) - settled)
    exact = settled + (np.exp(np.outer(wave.time, values)) * parts @ vectors.T).real
    assert np.max(np.abs(exact)) < 1e3
    assert set(tried) == {"BDF"}
    assert wave.attrs["self_check"] <= 2e-6
    assert nrmse(wave.state.values, exact) < 2e-6  # two hundredths of the accuracy, as the self-check


def test_small_stiff_networks_side_by_side_are_solved_as_each_alone(tried: list[str]) -> None:
    rng = np.random.default_rng(2)
    small = [
        hh.Network(
            weights=sp.csr_array(rng.normal(size=(3, 3)) * 2e-4),
            resistance=RESISTANCE,
            capacitance=np.array([1e-6, 1e-4, SLOWEST]) / RESISTANCE,
            gain=hh.Tanh(gain=2.0),
            initial=rng.normal(size=3),
        )
        for _ in range(2)
    ]
    copies = 50
    order = rng.permutation(3 * len(small) * copies)
    weights = sp.csr_array(sp.block_diag([network.weights for network in small] * copies, format="csr"))
    together = hh.Network(
        weights=weights[order][:, order],
        resistance=RESISTANCE,
        capacitance=np.tile(np.concatenate([network.capacitance for network in small]), copies)[order],
        gain=hh.Tanh(gain=2.0),
        initial=np.tile(np.concatenate([network.initial for network in small]), copies)[order],
    )
    wave = solve(together.graph(), points=41)
    assert set(tried) == {"BDF"}
    alone = [solve(network.graph(), points=41, method="Radau").state.values for network in small]
    expected = np.tile(np.concatenate(alone, axis=1), copies)[:, order]
    assert nrmse(wave.state.values, expected) < 2e-6


def test_stiff_cells_on_a_grid_keep_their_jacobian_sparse(tried: list[str]) -> None:
    """Cells that hold themselves at 1e5 times the conductance of R settle at once: to bias / (1 + 1e5)."""
    template = Template(feedback=[[-1e5]], bias=0.5)
    network = CellularNetwork(template=template, image=np.zeros((12, 12)), initial=0.3)
    wave = solve(network.graph(), points=5)
    assert set(tried) == {"BDF"}
    assert np.allclose(wave.state.values[1:], 0.5 / (1.0 + 1e5), rtol=0.0, atol=1e-8)


def test_what_is_not_stiff_stays_with_the_explicit_method(monkeypatch: pytest.MonkeyPatch) -> None:
    network = CellularNetwork(template=TEMPLATES["diffusion"], image=np.zeros((12, 12)), initial=0.3)
    assert STIFFNESS.stiffness(OdeProgram([in_si(network.graph())]), 20e-6) is None
    monkeypatch.setattr(MODULE, "MANY_BUDGET", 10)
    message = "its right-hand sides are used up; the equation may be stiff: use method='BDF'"
    with pytest.raises(AccuracyError, match=re.escape(message) + "$"):
        solve(network.graph())
    smooth = hh.Network(weights=sp.eye_array(101), resistance=1.0, capacitance=1.0, initial=np.ones(101))
    with pytest.raises(AccuracyError, match="^reference: DOP853 stopped at t = .* of 20 s: " + re.escape(message)):
        solve(smooth.graph())


def test_an_explicit_solution_is_checked_by_an_explicit_one(tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes to an end within the budget (194 right-hand sides) may take more for its check (566)."""
    monkeypatch.setattr(STIFFNESS, "STABLE_EVALUATIONS", 0)
    monkeypatch.setattr(MODULE, "STIFF_BUDGET", 300)
    smooth = hh.Network(weights=0.5 * sp.eye_array(101), resistance=1.0, capacitance=1.0, initial=np.ones(101))
    assert solve(smooth.graph(), points=5).attrs["self_check"] <= 2e-6
    assert tried == []


def test_a_jacobian_too_wide_to_factor_is_refused_by_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    network = sparse_network(300, hh.Tanh(), np.random.default_rng(3))
    known = STIFFNESS.stiffness(OdeProgram([in_si(network.graph())]), 20.0 * SLOWEST)
    assert known is not None
    assert known.can_be_factored
    monkeypatch.setattr(STIFFNESS, "MOST_FACTORING", known.operations - 1.0)
    monkeypatch.setattr(MODULE, "MANY_BUDGET", 3000)
    message = (
        f"of 0.2 s: its right-hand sides are used up; the equation may be stiff: use method='BDF'; but its Jacobian "
        f"of 300 states reaches {known.band} from the diagonal, and to factor it takes {known.operations:.1e} "
        "operations a time; ask for a shorter t_stop, or for time constants that are closer to each other"
    )
    with pytest.raises(AccuracyError, match=re.escape(message) + "$"):
        solve(network.graph())


def test_the_band_is_that_of_a_good_order() -> None:
    """A chain in a random order reaches one from the diagonal once it is sorted; a dense matrix reaches throughout."""
    n, rng = 400, np.random.default_rng(4)
    order = rng.permutation(n)
    chain = sp.csr_array(sp.diags_array([np.ones(n - 1), np.ones(n - 1)], offsets=[-1, 1]))[order][:, order]
    for weights, band in ((chain, 2), (chain.toarray(), n)):
        network = hh.Network(weights=weights, resistance=1.0, capacitance=spread(n, rng))
        known = STIFFNESS.stiffness(OdeProgram([in_si(network.graph())]), 0.2)
        assert known is not None
        assert (known.size, known.band, known.operations) == (n, band, n * band**2)
