"""Sixty random networks in ngspice against the reference: the short form of `make verify-full`."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.families.random_network import CURVES
from hopfield_hw.random_check import EARLIEST_CUT, MAX_CUT, RandomReport, Trial, draw, verify_random

SEED = 1986


# Six tests of ten networks, so that they are shared between the workers of the test run.
@pytest.mark.parametrize("start", range(0, 60, 10))
def test_ideal_cells_meet_the_equations(start: int, ngspice: str) -> None:
    for index in range(start, start + 10):
        result = hh.verify(draw(SEED, index).graph(), cell="ideal", accuracy=1e-4)
        assert result.nrmse <= 1e-4, f"network {index}\n{result}"
        assert result.passed, f"network {index}\n{result}"
        tau = float(np.max(draw(SEED, index).resistance * draw(SEED, index).capacitance))
        assert result.gate >= EARLIEST_CUT * tau


def test_a_run_does_not_take_its_first_agreement_for_its_error(ngspice: str) -> None:
    """A limit cycle of two neurons: two runs are 6e-5 apart, and the finer one is off by 1.2e-4."""
    result = hh.verify(draw(SEED, 324).graph(), accuracy=1e-4)
    assert result.passed, result
    assert result.nrmse <= 2.0 * result.self_check <= 1e-4


def test_a_self_amplifying_network_is_cut_only_where_it_must_be(ngspice: str) -> None:
    whole, cut = (hh.verify(draw(SEED, index).graph(), accuracy=1e-4) for index in (620, 253))
    assert min(whole.growth, cut.growth) > 100.0
    assert whole.passed
    assert cut.passed
    assert (whole.cut, whole.gate) == (False, whole.ref["time"].values[-1])
    assert cut.cut
    assert cut.gate < cut.ref["time"].values[-1]


def test_the_set_has_what_it_says() -> None:
    networks = [draw(SEED, index) for index in range(200)]
    sizes = [network.size for network in networks]
    assert min(sizes) == 2
    assert max(sizes) > 58
    assert {network.gain.kind for network in networks} == set(CURVES)
    slopes = [float(np.max(network.gain.slope)) for network in networks]
    assert min(slopes) < 1.3
    assert 75.0 < max(slopes) <= 100.0 + 1e-9
    assert {network.is_symmetric for network in networks} == {True, False}


def test_report_counts_and_limits() -> None:
    plain = Trial(index=0, neurons=2, gain="tanh", slope=2.0, symmetric=True, passed=True, nrmse=1e-6, gate=20.0)
    made = [plain] * 38

    def report(*others: Trial) -> RandomReport:
        trials = (*made, *others)
        return RandomReport(trials=trials, tolerance=1e-4, seed=0, family="hopfield", cell="ideal")

    late, early = (Trial(**{**vars(plain), "cut": True, "gate": gate, "growth": 150.0}) for gate in (5.0, 1.9))
    short = Trial(**{**vars(plain), "passed": False, "nrmse": 1e-3})
    assert report(late, late).passed  # 5% of 40
    assert len(report(late).cut) == len(report(late).self_amplifying) == 1
    assert MAX_CUT == 0.05
    assert not report(late, late, late).passed
    assert not report(early).passed
    assert not report(short).passed
    assert report(short).to_json()["fell_short"][0]["nrmse"] == 1e-3


def test_bad_requests_are_refused() -> None:
    with pytest.raises(hh.InputError, match="family 'hopfeild': must be one of hopfield"):
        verify_random(3, seed=1, family="hopfeild")
    with pytest.raises(hh.InputError, match="count = 0: must be at least 1 network"):
        verify_random(0, seed=1)
