"""The sampler: dimod's own conformance tests, labels of any type, and what it says about a run."""

from __future__ import annotations

import subprocess
import sys
import unittest
from typing import Any

import dimod
import numpy as np
import pytest

from hopfield_hw.annealing import PRESETS, GainRamp, HopfieldSampler
from hopfield_hw.values.errors import InputError


@dimod.testing.load_sampler_bqm_tests(HopfieldSampler)
class TestConformance(unittest.TestCase):
    """Models of 0 to 3 variables, of every class of dimod's, with complicated labels."""

    def test_api(self) -> None:
        dimod.testing.assert_sampler_api(HopfieldSampler())


def test_the_conformance_tests_are_there() -> None:
    assert len([name for name in dir(TestConformance) if name.startswith("test_sample")]) >= 32


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_least_energies_of_random_models(vartype: str) -> None:
    sampler = HopfieldSampler()
    for seed in range(4):
        model = dimod.generators.gnm_random_bqm(10, 30, vartype, random_state=seed)
        model.add_variable("alone", 0.5)
        found = sampler.sample(model, num_reads=128, seed=seed)
        exact = dimod.ExactSolver().sample(model).first.energy
        assert found.vartype is model.vartype
        assert found.first.energy == pytest.approx(exact, abs=1e-9)
        dimod.testing.assert_sampleset_energies(found, model, precision=9)


def test_polynomials_of_both_kinds() -> None:
    sampler = HopfieldSampler()
    h, j = {"a": 1.0, "b": -0.5}, {("a", "b", "c"): -2.0, ("b", "c"): 1.0, ("a", "b", "c", (1,)): 0.5}
    for polynomial in (
        dimod.BinaryPolynomial.from_hising(h, j),
        dimod.BinaryPolynomial({"ab": -2, "bcd": 3, "a": 1, "d": -1, "ad": -1}, "BINARY"),
    ):
        found = sampler.sample_poly(polynomial, num_reads=64, seed=1)
        assert found.vartype is polynomial.vartype
        assert found.first.energy == pytest.approx(dimod.ExactPolySolver().sample_poly(polynomial).first.energy)
        np.testing.assert_allclose(found.record.energy, polynomial.energies(found))
    assert sampler.sample_hising(h, j, num_reads=8, seed=1).first.energy == pytest.approx(-5.0, abs=2.0)
    assert sampler.sample_hubo({("x", "y", "z"): -1.0}, num_reads=8, seed=1).first.energy == -1.0


def test_a_run_says_how_it_was() -> None:
    sampler = HopfieldSampler()
    model = dimod.generators.gnm_random_bqm(12, 40, "SPIN", random_state=1)
    one = sampler.sample(model, num_reads=10, seed=5, dynamics="first_order", time_constant=2e-6)
    assert one.info["seed"] == 5
    assert one.info["readout"] == "final"
    assert one.info["duration"] == PRESETS["first_order"].t_stop
    assert one.info["dynamics"] == repr(PRESETS["first_order"])
    assert one.info["processor_time"] > 0.0
    np.testing.assert_allclose(one.record.hit_time, 2e-6 * PRESETS["first_order"].t_stop, rtol=1e-6)
    again = sampler.sample(model, num_reads=10, seed=5, dynamics="first_order")
    assert np.array_equal(one.record.sample, again.record.sample)
    three = sampler.sample(model, num_reads=10, seed=5, reanneal=3, t_stop=20.0)
    assert three.info["readout"] == "best"
    assert three.info["duration"] == 60.0
    unseeded = [sampler.sample(model, num_reads=1).info["seed"] for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_dynamics_as_an_object() -> None:
    found = HopfieldSampler().sample_qubo(
        {(0, 0): -1.0, (0, 1): 2.0, (1, 1): -1.5},
        num_reads=16,
        seed=1,
        dynamics=GainRamp(t_stop=20.0, step=0.2, gain=(0.5, 8.0)),
    )
    assert found.first.energy == -1.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda sampler: sampler.sample_qubo({(0, 0): 1.0}, dynamics="ballistic"),
            "`BallisticBifurcation` does not anneal models of kind 'binary': must be one of ising; take GainRamp, or "
            "convert the model (to_ising, to_binary)",
        ),
        (
            lambda sampler: sampler.sample_ising({0: 1.0}, {}, num_reads=0),
            "`reads` = 0: must be a whole number from 1 to 10000000",
        ),
        (
            lambda sampler: sampler.sample_hising({0: 1.0}, {}, reads=3),
            "sample_poly: unknown parameter 'reads'; must be one of num_reads, seed, dynamics, t_stop, readout, "
            "reanneal, time_constant, threads",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call(HopfieldSampler())
    assert str(caught.value) == message


def test_without_dimod_the_rest_is_there() -> None:
    code = (
        "import sys; sys.modules['dimod'] = None\n"
        "import hopfield_hw.annealing as a\n"
        "model = a.IsingModel(couplings=[[0, 1], [1, 0]])\n"
        "print(a.anneal(model, a.PRESETS['ballistic'], reads=1, fast=False).energies)\n"
        "try:\n    a.HopfieldSampler\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    energies, message = done.stdout.splitlines()
    assert energies == "[-1.]"
    assert message.startswith("HopfieldSampler needs the package dimod (")
    assert message.endswith("); install it: pip install '.[optimise]'")
