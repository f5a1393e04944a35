"""All criteria in turn; never "stable" without a proof."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from delayed_cases import FIRST, FOUR, STATIC, THREE, TWO

import hopfield_hw as hh
from hopfield_hw.stability import Certificate, DelayedNetwork, certify, certify_every_delay
from hopfield_hw.stability.every_delay import every_delay_problem
from hopfield_hw.stability.semidefinite import solve
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import AccuracyError


def test_the_cheapest_proof_is_taken() -> None:
    assert certify(FOUR).criterion == "M-matrix"
    assert certify(FOUR).attempts == ()
    found = certify(THREE, 2.7)
    assert found.criterion.startswith("Bessel-Legendre with sectors")
    assert found.is_exact
    assert found.delays[1] == 2.7
    assert [line.split(":")[0] for line in found.attempts][:3] == [
        "M-matrix",
        "contraction in the 1-norm",
        "contraction in the 2-norm",
    ]
    assert certify(TWO, 1.0, 0.9).criterion == "M-matrix"


def test_what_is_proved_needs_no_roots() -> None:
    """20 neurons and a delay so long that roots are not computed: the M-matrix proves them all the same."""
    wide = DelayedNetwork(decay=1.0, late_weights=np.full((20, 20), -0.01), upper=1.0)
    assert certify(wide, 200.0).criterion == "M-matrix"


@pytest.mark.parametrize("error", [hh.InputError("too long"), AccuracyError("none found")])
def test_roots_that_are_not_known_say_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: object) -> complex:
        raise error

    monkeypatch.setattr(sys.modules["hopfield_hw.stability.certify"], "rightmost_root", fail)
    found = certify(DelayedNetwork(decay=1.0, late_weights=[[2.0]], upper=1.0), 1.0)
    assert not found.proved
    assert not any("unstable" in line for line in found.attempts)


def test_a_varying_delay_is_proved_by_free_weighting_matrices() -> None:
    """One neuron that inhibits itself, late by any d(t) up to h: h < 3/(2 |w|) or so, whatever the rate."""
    network = DelayedNetwork(decay=0.1, late_weights=[[-1.0]], upper=1.0)
    found = certify(network, 0.9, np.inf)
    assert found.criterion.startswith("free-weighting")
    assert found.is_exact
    assert "however fast it changes" in found.statement
    assert not certify(network, 1.8, np.inf).proved


def test_what_is_not_stable_is_never_called_so() -> None:
    found = certify(THREE, 2.8)
    assert not found
    assert found.margin <= 0.0
    assert found.statement.startswith("nothing is proved")
    assert found.attempts[-1].startswith(
        "the linear network with the slopes (0.4219, 3.899, 1.016) is unstable at the delay 2.8 s"
    )
    assert "stable, for" not in str(found)
    assert "not proved" in repr(found)


def test_a_linear_system_and_a_symmetric_network() -> None:
    assert certify(FIRST, 6.1).criterion == "Bessel-Legendre, order 2"
    memory = hh.Network(weights=[[0.0, 3e-4], [3e-4, 0.0]], resistance=10e3, capacitance=10e-9)
    found = certify(memory)
    assert found.criterion == "Cohen-Grossberg"
    assert "asymptotically stable" not in found.statement
    assert found.proves == "convergence"
    assert certify(FOUR).proves == "stability"
    late = certify(add_delay(memory, 1e-5))
    assert not late.proved
    assert late.attempts[-1].startswith("the linear network with the slopes (1, 1) is unstable at the delay 1e-05 s")


def test_a_static_field_has_no_diagonal_stability() -> None:
    found = certify(STATIC, 1.3)
    assert found.is_exact
    assert any(line.startswith("diagonal stability: does not apply: ") for line in found.attempts)


def test_without_cvxpy_its_criteria_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    assert certify(FOUR).proved  # by sums of rows
    found = certify(THREE, 1.0)
    assert not found.proved
    assert any(
        line.startswith("diagonal stability: not tried: matrix inequalities need cvxpy") for line in found.attempts
    )
    with pytest.raises(hh.values.errors.MissingExtra, match=r"install it: pip install '\.\[stability\]'$"):
        certify_every_delay(TWO)


def test_a_certificate_without_inequalities_proves_nothing() -> None:
    empty = Certificate(criterion="none", claim="all is well", system=TWO, inequalities=(), source="")
    assert not empty.proved
    assert not empty.is_exact
    assert empty.margin == -np.inf
    assert empty.statement == "nothing is proved (the solver found no candidate)"


def test_scs_finds_candidates_of_larger_networks() -> None:
    problem = every_delay_problem(TWO)
    assert solve(problem, "SCS") is not None
    assert certify_every_delay(TWO, solver="SCS").is_exact


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(hh.InputError, match="a LinearDelaySystem has none of its own; give it, seconds"):
        certify(FIRST)
    with pytest.raises(hh.InputError, match="is of constant delays; leave it out"):
        certify(FIRST, 1.0, 0.5)
    with pytest.raises(hh.InputError, match=r"`rate` = -0.5: must be at least 0, the bound of d'\(t\)"):
        certify(TWO, 1.0, -0.5)
    with pytest.raises(hh.InputError, match=r"`delay` = -1 s: must be at least 0"):
        certify(TWO, -1.0)


def test_a_rate_without_a_delay_is_refused() -> None:
    net = hh.Network(weights=[[-1e-5]], resistance=1e4, capacitance=1e-8)
    with pytest.raises(
        hh.InputError, match=r"^`rate` = 0\.5: the network has no delay that could change; leave it out$"
    ):
        certify(net, rate=0.5)
