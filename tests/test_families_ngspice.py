"""Two random networks of each family in ngspice against the reference: the short form of `verify_networks.py`."""

from __future__ import annotations

import pytest

import hopfield_hw as hh
from hopfield_hw.families import FAMILIES
from hopfield_hw.graph import as_graph
from hopfield_hw.random_check import LENGTH, draw, time_constant, verify_random

SEED = 1986


@pytest.mark.parametrize("index", range(2))
@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "hopfield"])
def test_ideal_cells_meet_the_equations(family: str, index: int, ngspice: str) -> None:
    graph = as_graph(draw(SEED, index, family))
    limit = 1e-3 if family == "delayed_varying" else 1e-4
    result = hh.verify(graph, t_stop=LENGTH * time_constant(graph), accuracy=limit)
    assert result.passed, f"network {index}\n{result}"
    assert result.nrmse <= limit, f"network {index}\n{result}"


def test_a_set_of_a_family_is_reported_as_such(ngspice: str) -> None:
    report = verify_random(1, seed=SEED, family="winner_take_all", workers=1)
    found = report.to_json()
    assert (found["family"], found["status"], found["networks"]) == ("winner_take_all", "passed", 1)
    (trial,) = report.trials
    assert trial.gain == "logistic"
    assert trial.symmetric
    assert 5.0 <= trial.slope <= 20.0


def test_a_varying_delay_is_held_to_what_its_taps_give(ngspice: str) -> None:
    assert verify_random(1, seed=SEED, family="delayed_varying", workers=1).tolerance == 1e-3
    assert verify_random(1, seed=SEED, family="delayed", workers=1).tolerance == 1e-4


def test_a_network_of_integrators_has_its_unit_of_time() -> None:
    graph = hh.families.lotka_volterra([[1.0]], growth=1.0, initial=0.1)
    assert time_constant(graph) == 1e-3
