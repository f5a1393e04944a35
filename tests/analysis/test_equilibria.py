"""All equilibria of piecewise-linear networks, those of smooth ones, what is said of them, and what is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.equilibria import by_signs, by_subdivision, every_region

import hopfield_hw as hh
from hopfield_hw.analysis import Equilibria, find_equilibria
from hopfield_hw.analysis.balance import Balance
from hopfield_hw.analysis.linear_pieces import KINDS, linear_pieces
from hopfield_hw.analysis.lure_form import lure_form
from hopfield_hw.families import (
    bam,
    cohen_grossberg,
    generalised_hopfield,
    lotka_volterra,
    modern_hopfield,
    static_field,
)
from hopfield_hw.functions import Clip, Function, HardLimiter, Identity, PiecewiseLinear, Table, Tanh
from hopfield_hw.functions.rectifiers import LeakyRelu, Softplus, ThresholdedRelu
from hopfield_hw.graph import Units
from hopfield_hw.graph.building import CIRCUIT_UNITS
from hopfield_hw.transforms import add_delay, add_neutral_delays, hold_outputs
from hopfield_hw.values.errors import InputError

UNIT = Units()


def network(weights: Any, gain: Function, bias: Any = 0.0, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=gain, bias=bias, units=UNIT, **options)


def random_one(seed: int, n: int, size: float = 2.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return size * rng.normal(size=(n, n)), 0.3 * rng.normal(size=n)


def same_states(found: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    """Whether two lists hold the same states, each once."""
    found, expected = np.asarray(found), np.asarray(expected)
    if len(found) != len(expected):
        return False
    apart = np.max(np.abs(found[:, np.newaxis] - expected), axis=2)
    return bool(np.all(apart.min(axis=0) < tolerance) and np.all(apart.min(axis=1) < tolerance))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_equilibrium_of_a_piecewise_linear_network_is_found(n: int) -> None:
    for seed in range(6):
        weights, bias = random_one(seed, n)
        found = find_equilibria(network(weights, PiecewiseLinear(gain=1.5, amplitude=0.7), bias))
        assert found.complete
        assert same_states(found.states, every_region(weights, bias, 1.5, 0.7)), (n, seed)
        assert found.residuals.max(initial=0.0) < 1e-12


def test_eight_neurons_in_less_than_a_second_of_the_processor() -> None:
    weights, bias = random_one(3, 8)
    found = find_equilibria(network(weights, PiecewiseLinear(gain=2.0), bias))
    assert found.complete
    # A degree argument: of a network that is bounded, sum of sign det(-J) over all equilibria is 1.
    assert sum(np.sign(np.prod(-row)).real for row in found.eigenvalues) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 4), gain=st.floats(0.5, 20.0))
def test_the_index_of_all_equilibria_is_one(seed: int, n: int, gain: float) -> None:
    weights, bias = random_one(seed, n)
    found = find_equilibria(network(weights, PiecewiseLinear(gain=gain), bias))
    index = sum(
        int(np.sign(np.linalg.det(-Balance(network(weights, PiecewiseLinear(gain=gain), bias)).jacobian(x))))
        for x in found.states
    )
    assert index == 1


@pytest.mark.parametrize(
    "function",
    [
        PiecewiseLinear(gain=2.0, amplitude=0.6),
        PiecewiseLinear(gain=[2.0, 3.0], amplitude=[0.6, 0.9]),
        Clip(lower=-0.5, upper=0.8),
        Clip(lower=0.0, upper=np.inf),
        Identity(),
        LeakyRelu(below=0.2),
        Table(x=[-1.0, 0.0, 2.0], y=[-0.4, 0.1, 0.9]),
        HardLimiter(amplitude=0.7),
        ThresholdedRelu(threshold=0.5),
    ],
)
def test_pieces_are_the_function(function: Function) -> None:
    x = np.linspace(-3.0, 3.0, 241) + 1e-4
    pieces = linear_pieces(function, 2)
    assert pieces is not None
    for i, row in enumerate(pieces):
        assert row[0].low == -np.inf
        assert row[-1].high == np.inf
        alone = function if function.size is None else function.at(i)
        for piece in row:
            inside = x[(x > piece.low) & (x < piece.high)]
            np.testing.assert_allclose(alone.value(inside), piece.slope * inside + piece.offset, atol=1e-12)
    assert type(function) in KINDS


def test_a_function_that_is_not_straight_has_no_pieces() -> None:
    assert linear_pieces(Tanh(), 2) is None


@pytest.mark.parametrize("shift", [-0.6, 0.0, 0.1, 0.9])
def test_one_neuron_by_signs_on_a_grid(shift: float) -> None:
    for gain in (Tanh(gain=3.0), PiecewiseLinear(gain=3.0)):
        found = find_equilibria(network([[1.2]], gain, [shift]))
        expected = by_signs(lambda x, g=gain: float(-x + 1.2 * g.value(np.array([x]))[0] + shift), -4.0, 4.0)
        np.testing.assert_allclose(found.states[:, 0], expected, atol=1e-10)


@pytest.mark.parametrize(("n", "count"), [(2, 10), (3, 6)])
def test_smooth_networks_by_subdivision_of_a_box(n: int, count: int) -> None:
    for seed in range(count):
        weights, bias = random_one(seed, n)
        found = find_equilibria(network(weights, Tanh(gain=2.0), bias))
        expected = by_subdivision(weights, bias, 2.0)
        assert same_states(found.states, expected, 1e-7), (n, seed, len(found), len(expected))
        assert not found.complete
        assert "there may be others" in found.basis


def test_stability_of_a_flip_flop() -> None:
    found = find_equilibria(network([[0.0, -1.0], [-1.0, 0.0]], Tanh(gain=3.0)))
    assert found.stability == ("stable", "saddle", "stable")
    assert found.stable.tolist() == [0, 2]
    # At zero: -1 +- 3.
    np.testing.assert_allclose(found.eigenvalues[1].real, [2.0, -4.0], atol=1e-12)
    np.testing.assert_allclose(found.outputs, np.tanh(3.0 * found.states), atol=1e-12)


def test_seconds_and_volts_of_a_network_in_si_units() -> None:
    net = hh.Network(weights=[[0.0, -5e-5], [-5e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=6.0))
    found = find_equilibria(net)
    assert found.stability == ("stable", "saddle", "stable")
    np.testing.assert_allclose(found.eigenvalues[1].real, [2e4, -4e4], rtol=1e-9)  # (-1 +- 3)/(R C)
    scaled = find_equilibria(generalised_hopfield([[0.0, -0.5], [-0.5, 0.0]], gain=Tanh(gain=6.0), units=CIRCUIT_UNITS))
    np.testing.assert_allclose(scaled.states, found.states, atol=1e-9)


def test_a_continuum_is_reported_with_its_ends() -> None:
    """x' = -x + f(x) with f(x) = x from -1 to 1: all of it stands still."""
    found = find_equilibria(network([[1.0]], PiecewiseLinear(gain=1.0)))
    assert found.complete
    assert len(found) == 0
    (line,) = found.continua
    np.testing.assert_allclose([line.low[0], line.high[0]], [-1.0, 1.0], atol=1e-8)
    assert "continua" in str(found)


def test_a_line_of_equilibria_in_the_plane() -> None:
    """Two neurons that hold the difference: every (s, -s) within the gains' range stands still."""
    found = find_equilibria(network([[0.5, -0.5], [-0.5, 0.5]], PiecewiseLinear(gain=1.0)))
    (line,) = found.continua
    np.testing.assert_allclose(np.abs(line.directions[:, 0]), np.sqrt(0.5), atol=1e-12)
    np.testing.assert_allclose([line.low, line.high], [[-1.0, -1.0], [1.0, 1.0]], atol=1e-8)


def test_an_integrator_without_a_leak_is_a_continuum_without_end() -> None:
    graph = network([[0.0]], Identity(), decay=0.0)
    (line,) = find_equilibria(graph).continua
    assert (line.low[0], line.high[0]) == (-np.inf, np.inf)


def test_a_state_at_a_corner_has_no_jacobian() -> None:
    found = find_equilibria(network([[2.0]], PiecewiseLinear(gain=1.0), [-1.0]))  # x = 1 is the corner
    assert dict(zip(np.round(found.states[:, 0], 9), found.stability, strict=True)) == {-3.0: "stable", 1.0: "corner"}


def test_a_hard_limiter_has_its_saturated_states_alone() -> None:
    weights = np.array([[0.0, -1.0], [-1.0, 0.0]])
    found = find_equilibria(network(weights, HardLimiter()))
    np.testing.assert_allclose(found.states, [[-1.0, 1.0], [1.0, -1.0]], atol=1e-12)
    assert "slide along a jump" in found.basis


def test_static_field_and_two_populations_are_complete_too() -> None:
    weights, bias = random_one(5, 3)
    gain = PiecewiseLinear(gain=1.0)
    late = find_equilibria(static_field(weights, gain=gain, bias=bias, units=UNIT))
    local = every_region(weights, bias, 1.0)
    assert late.complete
    # y' = -y + f(W y + b) has y = f(x) where x' = -x + W f(x) + b stands still.
    assert same_states(late.states, np.clip(local, -1.0, 1.0))
    two = find_equilibria(bam([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]], gain=PiecewiseLinear(gain=4.0)))
    assert two.complete
    assert two.stable.size >= 2


def test_products_softmax_and_several_layers() -> None:
    """Lotka and Volterra: x_i (r_i - sum_j a_ij x_j): each subset of species that can live together, and none."""
    graph = lotka_volterra([[1.0, 0.4], [0.5, 1.0]], growth=[1.0, 0.8], initial=[0.3, 0.3], units=UNIT)
    found = find_equilibria(graph, within=(-0.5, 1.5), starts=100)
    inner = np.linalg.solve([[1.0, 0.4], [0.5, 1.0]], [1.0, 0.8])
    assert same_states(found.states, [[0.0, 0.0], [1.0, 0.0], [0.0, 0.8], inner], 1e-7)
    softmax = find_equilibria(modern_hopfield(np.eye(3)[:2] * 2.0 - 1.0, beta=4.0, initial=0.1), starts=100)
    assert softmax.stable.size == 2
    assert softmax.residuals.max() < 1e-6


def test_the_fixed_points_of_a_map() -> None:
    weights, bias = random_one(2, 2)
    graph = network(weights, PiecewiseLinear(gain=1.5), bias, decay=0.3, discrete=True)
    found = find_equilibria(graph)
    # x = 0.3 x + W f(x) + b is x = (W f(x) + b)/0.7.
    assert same_states(found.states, every_region(weights / 0.7, bias / 0.7, 1.5))
    for state, kind, row in zip(found.states, found.stability, found.eigenvalues, strict=True):
        slopes = np.where(np.abs(state) < 1.0 / 1.5, 1.5, 0.0)
        expected = np.linalg.eigvals(0.3 * np.eye(2) + weights * slopes)
        np.testing.assert_allclose(np.sort_complex(row), np.sort_complex(expected.astype(complex)), atol=1e-9)
        assert (kind == "stable") == bool(np.all(np.abs(expected) < 1.0))


def test_a_delay_moves_no_equilibrium_and_changes_its_stability() -> None:
    graph = network([[-2.0]], Tanh())
    assert find_equilibria(graph).stability == ("stable",)
    early, late = (find_equilibria(add_delay(graph, tau)) for tau in (1.15, 1.27))
    np.testing.assert_allclose(late.states, [[0.0]], atol=1e-12)
    assert (early.stability, late.stability) == (("stable",), ("saddle",))


def test_the_search_depends_on_its_seed_alone() -> None:
    graph = network(*_swap(random_one(7, 3)))
    first, second = (find_equilibria(graph, seed=4, starts=50) for _ in range(2))
    np.testing.assert_array_equal(first.states, second.states)


def _swap(pair: tuple[Any, Any]) -> tuple[Any, Function, Any]:
    return pair[0], Tanh(gain=2.0), pair[1]


@pytest.mark.parametrize("function", [Tanh(gain=2.0), PiecewiseLinear(gain=1.3), Softplus()])
def test_the_lure_form_is_the_equation(function: Function) -> None:
    rng = np.random.default_rng(4)
    for graph in (
        network(rng.normal(size=(3, 3)), function, rng.normal(size=3)),
        static_field(rng.normal(size=(3, 3)), gain=function, bias=rng.normal(size=3), units=UNIT),
        network(rng.normal(size=(3, 3)), function, discrete=True),
    ):
        balance = Balance(graph)
        form = lure_form(balance.graph, balance.u)
        assert form is not None
        x = rng.normal(size=(5, 3))
        np.testing.assert_allclose(form.value(x), balance.value(x), atol=1e-12)
        np.testing.assert_allclose(form.jacobian(x), [balance.jacobian(row) for row in x], atol=1e-12)


def test_products_have_no_lure_form() -> None:
    graph = lotka_volterra([[1.0]], growth=1.0, initial=[0.3], units=UNIT)
    assert lure_form(Balance(graph).graph, np.zeros(0)) is None


def test_what_it_says_in_text_and_json() -> None:
    found = find_equilibria(network([[0.0, -1.0], [-1.0, 0.0]], PiecewiseLinear(gain=3.0)))
    assert str(found).splitlines()[0] == "equilibria        3 (all): 2 stable, 1 saddle"
    assert [one["stability"] for one in found.to_json()["equilibria"]] == ["stable", "saddle", "stable"]
    with pytest.raises(FrozenInstanceError):
        found.complete = False  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        found.states[0] = 0.0
    assert isinstance(found, Equilibria)


def neutral() -> Any:
    return add_neutral_delays(network([[-1.0]], Tanh()), [[[0.5]]], [1.0])


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "sampled": (
        lambda: hold_outputs(hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8), period=1e-5),
        {},
        "find_equilibria: the graph is of the kind 'sampled': must be 'ode', 'dde' or 'map'",
    ),
    "neutral": (
        neutral,
        {},
        "find_equilibria: the Delays 'x_late_0' drive each other without a Leak between, so the equation is neutral; "
        "its roots are not computed here: put a Leak into the cycle",
    ),
    "method": (
        lambda: network([[1.0]], Tanh()),
        {"method": "region"},
        "find_equilibria: method 'region' is unknown: must be one of auto, regions, newton; did you mean 'regions'?",
    ),
    "smooth": (
        lambda: network([[1.0]], Tanh()),
        {"method": "regions"},
        "find_equilibria: method='regions' needs Leaks or Holds, Affines and piecewise-linear functions alone",
    ),
    "starts": (
        lambda: network([[1.0]], Tanh()),
        {"starts": 0},
        "`starts` = 0: must be a whole number from 1 to 100000",
    ),
    "within": (
        lambda: network([[1.0]], Tanh()),
        {"within": (1.0, -1.0)},
        "`within`: low is above high; give (low, high)",
    ),
    "one bound": (
        lambda: network([[1.0]], Tanh()),
        {"within": 1.0},
        "`within` = 1.0: must be (low, high), volts",
    ),
    "inputs": (
        lambda: network([[1.0]], Tanh()),
        {"inputs": 1.0},
        "`inputs`: the graph has no Input; leave it out",
    ),
}


@pytest.mark.parametrize(("graph", "options", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(graph: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        find_equilibria(graph(), **options)
    assert str(refused.value) == message


def test_inputs_that_change_are_refused() -> None:
    driven = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, input_weights=[[1e-4]])
    with pytest.raises(InputError, match="change with time, so nothing stands still; hold them constant"):
        find_equilibria(driven, inputs=hh.Signal(times=[0.0, 1.0], values=[[0.0], [1.0]]))
    np.testing.assert_allclose(find_equilibria(driven, inputs=0.5).states, [[0.5]], atol=1e-9)


def test_cohen_grossberg_has_no_bound_and_is_searched_where_one_asks() -> None:
    graph = cohen_grossberg([[1.0, 0.4], [0.4, 1.0]], amplification=Identity(), signal=Identity(), initial=[0.2, 0.1])
    assert "no bound" in find_equilibria(graph, starts=20).basis


def test_a_large_state_hides_no_small_ones() -> None:
    found = find_equilibria(network(np.diag([0.0, 2.0]), PiecewiseLinear(), [1e9, 0.0]))
    assert found.complete
    np.testing.assert_allclose(found.states, [[1e9, -2.0], [1e9, 0.0], [1e9, 2.0]], atol=1e-6)


def test_a_large_weight_makes_no_continuum() -> None:
    found = find_equilibria(network([[0.0, 1e11], [0.0, 0.0]], PiecewiseLinear(), [0.0, 0.5]))
    assert found.complete
    assert found.continua == ()
    np.testing.assert_allclose(found.states, [[5e10, 0.5]], rtol=1e-12)


def test_a_region_that_is_nearly_singular_is_not_said_to_be_known() -> None:
    found = find_equilibria(network(np.diag([1.0 - 1e-12, 0.0]), PiecewiseLinear(), [0.0, 0.5]))
    assert not found.complete
    assert found.basis.endswith("1 of them nearly singular, where an equilibrium may be missed or be a continuum")
