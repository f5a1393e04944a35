"""Branches of equilibria: folds, branch points and Hopf points where closed forms have them, with and without delay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis import Diagram, continue_equilibria, find_equilibria
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import PiecewiseLinear, Tanh
from hopfield_hw.graph import Units
from hopfield_hw.graph.building import CIRCUIT_UNITS
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import InputError

UNIT = Units()
RING = -np.roll(np.eye(3), 1, axis=0)
FLIP_FLOP = np.array([[0.0, -1.0], [-1.0, 0.0]])


def network(weights: Any, gain: float = 1.0, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=Tanh(gain=gain), **{"units": UNIT, **options})


def ring(gain: float) -> Any:
    return network(RING, gain)


def test_the_hopf_point_of_a_ring_of_three() -> None:
    found = continue_equilibria(ring, np.zeros(3), (0.5, 4.0))
    (point,) = found.points
    assert point.kind == "hopf"
    assert point.parameter == pytest.approx(2.0, abs=1e-10)
    assert point.frequency == pytest.approx(np.sqrt(3.0), abs=1e-9)
    (branch,) = found.branches
    assert set(branch.unstable[branch.parameters < 2.0].tolist()) == {0}
    assert set(branch.unstable[branch.parameters > 2.0].tolist()) == {2}
    assert (branch.parameters[0], branch.parameters[-1]) == (0.5, 4.0)


@pytest.mark.parametrize("w", [1.2, 2.0])
def test_the_folds_of_one_neuron_that_excites_itself(w: float) -> None:
    """x = w tanh x + b turns where w sech^2 x = 1: b = -+ (x - w tanh x) at tanh x = sqrt(1 - 1/w)."""
    x = np.arctanh(np.sqrt(1.0 - 1.0 / w))
    b = w * np.tanh(x) - x
    found = continue_equilibria(lambda p: network([[w]], bias=[p]), [-2.0 * w], (-1.5 * w, 1.5 * w))
    folds = found.of_kind("fold")
    np.testing.assert_allclose([p.parameter for p in folds], [b, -b], atol=1e-10)
    np.testing.assert_allclose([p.state[0] for p in folds], [-x, x], atol=1e-6)
    (branch,) = found.branches
    middle = np.abs(branch.states[:, 0]) < x
    assert set(branch.unstable[middle].tolist()) == {1}
    assert set(branch.unstable[~middle].tolist()) == {0}


def test_a_flip_flop_has_a_branch_point_and_its_three_branches() -> None:
    found = continue_equilibria(lambda g: network(FLIP_FLOP, g), np.zeros(2), (0.5, 3.0))
    (point,) = found.points
    assert (point.kind, point.parameter) == ("branch", pytest.approx(1.0, abs=1e-9))
    assert len(found.branches) == 3
    ends = [branch.states[-1] for branch in found.branches[1:]]
    every = find_equilibria(network(FLIP_FLOP, 3.0)).states
    np.testing.assert_allclose(sorted(end[0] for end in ends), [every[0][0], every[2][0]], atol=1e-9)
    assert all(set(branch.unstable[2:].tolist()) == {0} for branch in found.branches[1:])
    assert [branch.parent for branch in found.branches] == [None, 0, 0]


def test_the_folds_of_a_flip_flop_with_a_bias() -> None:
    """With opposite biases, x = g-th curve: x1 = -x2 = x, x = tanh(g x) + b, folds where g sech^2(g x) = 1."""
    g = 3.0
    x = np.arctanh(np.sqrt(1.0 - 1.0 / g)) / g
    b = np.tanh(g * x) - x
    found = continue_equilibria(
        lambda p: network(FLIP_FLOP, g, bias=[p, -p]), [-1.0, 1.0], (-1.0, 1.0), at=0.0, switch=False
    )
    folds = sorted(p.parameter for p in found.of_kind("fold"))
    np.testing.assert_allclose([folds[0], folds[-1]], [-b, b], atol=1e-9)


def test_a_perturbed_branch_point_is_two_branches_that_do_not_meet() -> None:
    found = continue_equilibria(lambda g: network(FLIP_FLOP, g, bias=[0.05, 0.0]), np.zeros(2), (0.5, 3.0))
    assert not found.of_kind("branch")
    assert len(found.branches) == 1


@pytest.mark.parametrize("a", [-1.5, -2.0, -4.0])
def test_the_critical_delay_of_a_scalar(a: float) -> None:
    tau = np.arccos(1.0 / a) / np.sqrt(a * a - 1.0)
    found = continue_equilibria(lambda h: add_delay(network([[a]]), h), [0.0], (0.5 * tau, 1.6 * tau), step=0.1)
    (point,) = found.of_kind("hopf")
    assert point.parameter == pytest.approx(tau, abs=1e-9)
    assert point.frequency == pytest.approx(np.sqrt(a * a - 1.0), abs=1e-8)


def test_a_gain_of_a_delayed_network() -> None:
    """-1 + a cos(w tau) = 0, w = -a sin(w tau) at tau = 1.2091996: a = -2."""
    tau = np.arccos(-0.5) / np.sqrt(3.0)
    found = continue_equilibria(lambda g: add_delay(network([[-1.0]], g), tau), [0.0], (1.0, 3.0), step=0.1)
    (point,) = found.of_kind("hopf")
    assert point.parameter == pytest.approx(2.0, abs=1e-8)


def test_seconds_in_circuit_units() -> None:
    found = continue_equilibria(lambda g: network(RING, g, units=CIRCUIT_UNITS), np.zeros(3), (1.0, 3.0), step=0.1)
    (point,) = found.points
    assert point.parameter == pytest.approx(2.0, abs=1e-9)
    assert point.frequency == pytest.approx(1e3 * np.sqrt(3.0), rel=1e-8)


def test_maps_have_flips_and_torus_points() -> None:
    """x[k+1] = -a tanh x has its flip at a = 1; a rotation by a quarter turn leaves the unit circle at 1."""
    flip = continue_equilibria(lambda a: network([[-a]], decay=0.0, discrete=True), [0.0], (0.5, 1.5), step=0.1)
    assert [(p.kind, round(p.parameter, 9)) for p in flip.points] == [("flip", 1.0)]
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    torus = continue_equilibria(lambda a: network(a * turn, decay=0.0, discrete=True), [0.0, 0.0], (0.5, 1.5), step=0.1)
    assert [(p.kind, round(p.parameter, 9)) for p in torus.points] == [("torus", 1.0)]


def test_a_branch_that_turns_at_a_corner_ends_there_and_says_so() -> None:
    """x = 2 f(x) + b turns at the corner x = -1, b = 1, where the slope jumps: no Newton step goes round it."""

    def family(b: float) -> Any:
        return generalised_hopfield([[2.0]], gain=PiecewiseLinear(), bias=[b], units=UNIT)

    found = continue_equilibria(family, [-4.0], (-2.0, 2.0))
    (branch,) = found.branches
    assert branch.ends == ("the end of the range", "no step goes on")
    assert branch.parameters[-1] == pytest.approx(1.0, abs=1e-4)


def test_every_point_is_an_equilibrium() -> None:
    found = continue_equilibria(lambda g: network(FLIP_FLOP, g), np.zeros(2), (0.5, 2.0), step=0.05)
    for branch in found.branches:
        for p, x in zip(branch.parameters, branch.states, strict=True):
            np.testing.assert_allclose(-x + FLIP_FLOP @ np.tanh(p * x), 0.0, atol=1e-10)


def test_both_ways_from_the_middle() -> None:
    found = continue_equilibria(ring, np.zeros(3), (0.5, 4.0), at=3.0)
    parameters = found.branches[0].parameters
    assert np.all(np.diff(parameters) > 0.0)
    assert found.points[0].parameter == pytest.approx(2.0, abs=1e-10)


def test_what_it_says() -> None:
    found = continue_equilibria(ring, np.zeros(3), (1.0, 3.0), step=0.1)
    assert isinstance(found, Diagram)
    assert "hopf" in str(found)
    assert found.to_json()["points"][0]["kind"] == "hopf"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "order": ({"bounds": (1.0, 1.0)}, "`bounds` = (1, 1): low must be below high"),
    "pair": ({"bounds": 1.0}, "`bounds` = 1.0: must be (low, high) of the parameter"),
    "at": ({"at": 5.0}, "`at` = 5: must be from 0.5 to 4, the bounds"),
    "step": ({"step": 0.0}, "`step` = 0: must be above 0 and at most 1, the range of the parameter"),
    "start": ({"start": [0.0]}, "`start` has shape (1,): must have shape (3,)"),
    "points": ({"most_points": 1}, "`most_points` = 1: must be a whole number from 2 to 1000000"),
    "sizes": (
        {"family": lambda g: ring(g) if g < 1.0 else network(FLIP_FLOP, g)},
        "`family` has 2 states at 1.00496 and 3 at 0.5: must have the same ones at each parameter",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"family": ring, "start": np.zeros(3), "bounds": (0.5, 4.0), **change}
    with pytest.raises(InputError) as refused:
        continue_equilibria(arguments.pop("family"), arguments.pop("start"), arguments.pop("bounds"), **arguments)
    assert str(refused.value).split(" at 1.")[0] == message.split(" at 1.")[0]


def test_no_equilibrium_near_the_start() -> None:
    one = hh.Network(weights=[[1e-4]], resistance=1e4, capacitance=1e-8, gain=Tanh(gain=1.0))
    with pytest.raises(InputError, match="Newton's method finds no equilibrium from it at the parameter 0"):
        continue_equilibria(
            lambda p: generalised_hopfield(
                [[1.0]], decay=0.0, gain=hh.Polynomial(coefficients=[1.0 + p, 0.0, 1.0]), units=UNIT
            ),
            [0.3],
            (0.0, 1.0),
        )
    assert len(find_equilibria(one)) == 1


def two_pairs(first: Any, second: Any) -> Any:
    weights = np.zeros((4, 4))
    weights[:2, :2], weights[2:, 2:] = first, second
    return network(weights)


def test_a_pair_that_stays_near_the_axis_hides_no_hopf_point() -> None:
    def family(p: float) -> Any:
        return two_pairs([[0.999, -3.0], [3.0, 0.999]], [[p, -1.0], [1.0, p]])

    (point,) = continue_equilibria(family, np.zeros(4), (0.5, 1.5)).points
    assert (point.kind, point.parameter) == ("hopf", pytest.approx(1.0, abs=1e-9))
    assert point.frequency == pytest.approx(1.0, abs=1e-9)


def test_two_hopf_points_in_one_step_are_two() -> None:
    def family(p: float) -> Any:
        return two_pairs([[p, -3.0], [3.0, p]], [[p + 0.001, -1.0], [1.0, p + 0.001]])

    points = continue_equilibria(family, np.zeros(4), (0.5, 1.5)).points
    assert [point.kind for point in points] == ["hopf", "hopf"]
    np.testing.assert_allclose([point.parameter for point in points], [0.999, 1.0], atol=1e-9)
    np.testing.assert_allclose([point.frequency for point in points], [1.0, 3.0], atol=1e-9)


def test_a_family_that_jumps_leaves_a_point_that_is_not_resolved() -> None:
    """Stable before, two roots to the right after, and no state in between: said, and not taken for a Hopf point."""

    def family(p: float) -> Any:
        a = 0.5 if p < 1.03 else 1.5
        return network([[a, -1.0], [1.0, a]])

    (branch,) = continue_equilibria(family, np.zeros(2), (0.5, 1.5)).branches
    assert (branch.unstable[0], branch.unstable[-1]) == (0, 2)
    assert [point.kind for point in branch.points] == ["unresolved"]
    assert branch.points[0].parameter == pytest.approx(1.03, abs=1e-9)


def there_and_back(a: Any) -> Any:
    """A pair of roots a(p) - 1 +- j."""
    return lambda p: network([[a(p), -1.0], [1.0, a(p)]])


@pytest.mark.parametrize("width", [0.02, 0.004, 0.0007, 1e-4])
def test_a_pair_that_crosses_and_comes_back_within_a_step(width: float) -> None:
    family = there_and_back(lambda p: 1.0 + 40.0 * (width**2 - (p - 1.013) ** 2))
    (branch,) = continue_equilibria(family, np.zeros(2), (0.5, 1.5)).branches
    assert [point.kind for point in branch.points] == ["hopf", "hopf"]
    np.testing.assert_allclose([p.parameter for p in branch.points], [1.013 - width, 1.013 + width], atol=1e-9)
    assert set(branch.unstable.tolist()) == {0, 2}
    assert branch.resolution > 0.04


def test_a_pair_that_only_comes_near_does_not_cross() -> None:
    family = there_and_back(lambda p: 1.0 - 40.0 * (1e-6 + (p - 1.013) ** 2))
    (branch,) = continue_equilibria(family, np.zeros(2), (0.5, 1.5)).branches
    assert not branch.points
    assert branch.parameters.size < 60


def test_what_is_narrower_than_a_step_and_leaves_no_trace_is_found_by_shorter_ones() -> None:
    family = there_and_back(lambda p: 0.5 + 0.6 * np.exp(-(((p - 1.013) / 0.002) ** 2)))
    coarse = continue_equilibria(family, np.zeros(2), (0.9, 1.1))
    fine = continue_equilibria(family, np.zeros(2), (0.9, 1.1), step=1e-3)
    assert not coarse.points
    assert coarse.resolution > 0.05
    assert "steps of up to 0.06" in str(coarse)
    assert len(fine.points) == 2
    assert fine.resolution < 7e-3


def test_a_pair_of_multipliers_that_leaves_the_circle_and_comes_back() -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])

    def family(p: float) -> Any:
        return network((1.0 + 40.0 * (1e-4 - (p - 1.013) ** 2)) * turn, decay=0.0, discrete=True)

    (branch,) = continue_equilibria(family, np.zeros(2), (0.9, 1.1)).branches
    assert [(point.kind, round(point.parameter, 8)) for point in branch.points] == [("torus", 1.003), ("torus", 1.023)]


def test_the_family_is_asked_within_its_range_alone() -> None:
    asked: list[float] = []

    def family(p: float) -> Any:
        asked.append(p)
        return ring(p)

    continue_equilibria(family, np.zeros(3), (1.0, 3.0), step=0.1)
    assert (min(asked), max(asked)) == (1.0, 3.0)


def test_crossings_that_are_not_told_apart_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hopfield_hw.analysis.continuation.HALVINGS", 0)
    monkeypatch.setattr("hopfield_hw.analysis.continuation.MOST_HALVINGS", 0)
    family = there_and_back(lambda p: 1.0 + 40.0 * (0.004**2 - (p - 1.013) ** 2))
    (branch,) = continue_equilibria(family, np.zeros(2), (0.5, 1.5)).branches
    assert [point.kind for point in branch.points] == ["unresolved"]
    assert branch.points[0].parameter == pytest.approx(1.013, abs=0.06)


def test_two_folds_within_a_step() -> None:
    """p = ((x - c)^3/3 - e (x - c)) turns at c -+ sqrt(e)."""
    c, e = 0.1234, 1e-4

    def family(p: float) -> Any:
        gain = hh.Polynomial(coefficients=[c**3 / 3.0 - e * c, 1.0 - c**2 + e, c, -1.0 / 3.0])
        return generalised_hopfield([[1.0]], gain=gain, bias=[p], units=UNIT, initial=[1.0])

    found = continue_equilibria(family, [-1.0], (-0.4, 0.2))
    folds = found.of_kind("fold")
    np.testing.assert_allclose([p.state[0] for p in folds], [c - np.sqrt(e), c + np.sqrt(e)], atol=1e-6)


def test_roots_that_come_back_with_a_delay() -> None:
    """x' = -x - g(p) x(t - tau), where g passes its critical value and comes back within a step."""
    tau = np.arccos(-0.5) / np.sqrt(3.0)
    width = 0.001

    def family(p: float) -> Any:
        return add_delay(network([[-1.0]], 2.0 + 20.0 * (width**2 - (p - 1.013) ** 2)), tau)

    (branch,) = continue_equilibria(family, [0.0], (0.8, 1.3)).branches
    assert [point.kind for point in branch.points] == ["hopf", "hopf"]
    np.testing.assert_allclose([p.parameter for p in branch.points], [1.013 - width, 1.013 + width], atol=1e-8)


@pytest.mark.parametrize("second", [0.51, 0.501])
def test_two_real_roots_that_cross_in_opposite_ways_within_a_step(second: float) -> None:
    def family(p: float) -> Any:
        return network(np.diag([1.0 + 0.5 * (p - 0.5), 1.0 - 0.5 * (p - second)]))

    (branch,) = continue_equilibria(family, np.zeros(2), (0.0, 1.0), switch=False).branches
    assert [point.kind for point in branch.points] == ["branch", "branch"]
    np.testing.assert_allclose([point.parameter for point in branch.points], [0.5, second], atol=1e-9)


def test_two_pairs_that_cross_in_opposite_ways_within_a_step() -> None:
    """Two rings whose gains pass 2, one upward and one downward."""

    def family(p: float) -> Any:
        weights = np.zeros((6, 6))
        weights[:3, :3], weights[3:, 3:] = (2.0 + 0.5 * (p - 0.5)) * RING, (2.0 - 0.5 * (p - 0.501)) * RING
        return network(weights)

    (branch,) = continue_equilibria(family, np.zeros(6), (0.0, 1.0)).branches
    assert [point.kind for point in branch.points] == ["hopf", "hopf"]
    np.testing.assert_allclose([point.parameter for point in branch.points], [0.5, 0.501], atol=1e-9)


@pytest.mark.parametrize("apart", [0.0, 3e-5])
def test_two_roots_that_cross_in_opposite_ways_at_one_place_are_not_resolved(apart: float) -> None:
    def family(p: float) -> Any:
        return network(np.diag([1.0 + 0.5 * (p - 0.4871), 1.0 - 0.5 * (p - 0.4871 - apart)]))

    (branch,) = continue_equilibria(family, np.zeros(2), (0.0, 1.0), switch=False).branches
    assert branch.points
    assert {point.kind for point in branch.points} == {"unresolved"}
    np.testing.assert_allclose([point.parameter for point in branch.points], 0.4871, atol=1e-3)
