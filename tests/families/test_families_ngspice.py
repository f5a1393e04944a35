"""A random network of each family in ngspice against the reference: the short form of `verify_networks.py`."""

from __future__ import annotations

import pytest

import hopfield_hw as hh
from hopfield_hw.families import FAMILIES
from hopfield_hw.verification.random_set import time_constant, verify_random

SEED = 1986


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "hopfield"])
def test_ideal_cells_meet_the_equations(family: str, ngspice: str) -> None:
    """Where a delay varies, taps make the circuit; it is held to 1e-3."""
    report = verify_random(1, seed=SEED, family=family, workers=1)
    limit = 1e-3 if family == "delayed_varying" else 1e-4
    assert report.passed, report.not_passed
    assert report.tolerance == limit
    assert report.trials[0].nrmse <= limit


def test_a_set_of_a_family_is_reported_as_such(ngspice: str) -> None:
    report = verify_random(1, seed=SEED, family="winner_take_all", workers=1)
    found = report.to_json()
    assert (found["family"], found["status"], found["networks"]) == ("winner_take_all", "passed", 1)
    (trial,) = report.trials
    assert trial.gain == "logistic"
    assert trial.symmetric
    assert 5.0 <= trial.slope <= 20.0


def test_a_network_of_integrators_has_its_unit_of_time() -> None:
    graph = hh.families.lotka_volterra([[1.0]], growth=1.0, initial=0.1)
    assert time_constant(graph) == 1e-3
