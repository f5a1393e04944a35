"""Twelve random networks in ngspice against the reference: the short form of `make verify-full`."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.families.random_network import CURVES
from hopfield_hw.verification.random_set import RandomReport, Trial, draw, verify_random

SEED = 1986


@pytest.mark.parametrize("index", range(12))
def test_ideal_cells_meet_the_equations(index: int, ngspice: str) -> None:
    result = hh.verify(draw(SEED, index).graph(), cell="ideal", accuracy=1e-4)
    assert result.passed, result
    assert result.nrmse <= 1e-4, result
    assert result.steps.size <= 1e-4, result


def test_a_run_does_not_take_its_first_agreement_for_its_error(ngspice: str) -> None:
    """A limit cycle of two neurons: two runs are 6e-5 apart, and the finer one is off by 1.2e-4."""
    result = hh.verify(draw(SEED, 324).graph(), accuracy=1e-4)
    assert result.passed, result
    assert result.nrmse <= 2.0 * result.self_check <= 1e-4


def test_a_self_amplifying_network_is_judged_step_by_step_where_it_must_be(ngspice: str) -> None:
    whole = hh.verify(draw(SEED, 620).graph(), accuracy=1e-4)
    assert (whole.verdict, whole.restarted, whole.growth) == ("passed", False, None)
    assert whole.gate == whole.ref["time"].values[-1]
    chaotic = hh.families.chaotic_hopfield()
    apart = hh.verify(chaotic, t_stop=0.1)
    assert (apart.verdict, apart.restarted) == ("passed", True)
    assert apart.growth is not None
    assert apart.growth > 100.0
    assert apart.gate < apart.ref["time"].values[-1]
    assert apart.nrmse > 1e-4 > apart.steps.size
    text = hh.lower(chaotic).netlist()
    name = next(device.name for device in hh.lower(chaotic).devices if device.name[0] == "C")
    wrong = re.sub(rf"^({name} .*) (\S+)$", lambda line: f"{line[1]} {1.01 * float(line[2])!r}", text, flags=re.M)
    assert wrong != text
    assert hh.verify(chaotic, t_stop=0.1, deck=wrong).verdict == "failed"


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


def test_a_set_is_passed_where_every_trial_is() -> None:
    plain = Trial(index=0, neurons=2, gain="tanh", slope=2.0, symmetric=True, verdict="passed", nrmse=1e-6, gate=20.0)

    def report(*others: Trial) -> RandomReport:
        return RandomReport(trials=(plain, *others), tolerance=1e-4, seed=0, family="hopfield", cell="ideal")

    restarted = replace(plain, restarted=True, gate=5.0, growth=150.0)
    failed, undecided = (replace(plain, verdict=verdict, nrmse=1e-3) for verdict in ("failed", "undecided"))
    assert report(restarted).verdict == "passed"
    assert report(restarted).restarted == (restarted,)
    assert report(undecided).verdict == "undecided"
    assert not report(undecided).passed
    assert report(undecided, failed).verdict == "failed"
    assert report(failed).to_json()["not_passed"][0]["nrmse"] == 1e-3
    assert report(failed).to_json()["status"] == "failed"


def test_bad_requests_are_refused() -> None:
    with pytest.raises(hh.InputError, match="family 'hopfeild': must be one of hopfield"):
        verify_random(3, seed=1, family="hopfeild")
    with pytest.raises(hh.InputError, match="count = 0: must be at least 1 network"):
        verify_random(0, seed=1)
