"""The same anneal by the batched equation, by the reference, and by ngspice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from models import cubic, max_cut, qubo, with_fields

import hopfield_hw as hh
from hopfield_hw.annealing import (
    PRESETS,
    BallisticBifurcation,
    ChaoticAnnealing,
    GainRamp,
    IsingModel,
    Power,
    anneal,
    annealing_graph,
)
from hopfield_hw.annealing.noise import keys
from hopfield_hw.annealing.plain import _draws
from hopfield_hw.values.errors import InputError

RAMP = PRESETS["first_order"]


def starts(model: Any, dynamics: Any, seed: int, reads: int) -> Any:
    """x(0) of the reads of a run, (reads, n)."""
    return (np.float32(dynamics.start) * _draws(0, model.size, keys(seed, 0, reads))).T.astype(np.float64)


@pytest.mark.parametrize("kind", ["max-cut", "fields", "qubo"])
def test_the_batched_equation_is_the_equation_of_the_graph(kind: str) -> None:
    """With small steps both end at the same answer from the same start."""
    model: Any = {"max-cut": max_cut(8), "fields": with_fields(8), "qubo": qubo(8)}[kind]
    dynamics = replace(PRESETS["binary"], noise=0.0) if kind == "qubo" else replace(RAMP, start=1.0)
    dynamics = replace(dynamics, step=0.005)
    batch = anneal(model, dynamics, reads=4, seed=1)
    for k, start in enumerate(starts(model, dynamics, 1, 4)):
        circuit = annealing_graph(model, dynamics, start)
        wave = hh.reference(circuit.graph, t_stop=circuit.t_stop, inputs=circuit.inputs, accuracy=1e-3)
        assert np.array_equal(circuit.decisions(wave), batch.states[k])


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("seed", range(2))
def test_ngspice_gives_the_same_cut(seed: int) -> None:
    model = max_cut(16)
    circuit = annealing_graph(model, RAMP, starts(model, RAMP, seed, 1)[0])
    inputs: dict[str, Any] = {"t_stop": circuit.t_stop, "inputs": circuit.inputs}
    equation = hh.reference(circuit.graph, accuracy=1e-4, **inputs)
    spice = hh.simulate(hh.lower(circuit.graph, cell="ideal"), accuracy=1e-4, **inputs)
    assert np.array_equal(circuit.decisions(equation), circuit.decisions(spice))
    np.testing.assert_allclose(spice.state.values[-1], equation.state.values[-1], atol=1e-3)


@pytest.mark.usefixtures("ngspice")
def test_verify_passes_an_anneal_and_its_netlist_has_the_ramp() -> None:
    model = max_cut(6)
    circuit = annealing_graph(model, replace(RAMP, t_stop=12.0), starts(model, RAMP, 4, 1)[0])
    result = hh.verify(circuit.graph, t_stop=circuit.t_stop, inputs=circuit.inputs)
    assert result.passed, result
    assert circuit.inputs.at(circuit.t_stop).tolist() == [3.11]
    assert circuit.t_stop == 12e-3


def test_self_feedback_is_a_second_input() -> None:
    model = max_cut(8)
    chaotic = ChaoticAnnealing(t_stop=10.0, step=0.01, gain=2.0, feedback=(1.5, 0.0), coupling=0.5, start=0.5)
    circuit = annealing_graph(model, chaotic, starts(model, chaotic, 2, 1)[0])
    assert circuit.inputs.size == 2
    wave = hh.reference(circuit.graph, t_stop=circuit.t_stop, inputs=circuit.inputs, accuracy=1e-5)
    assert np.array_equal(circuit.decisions(wave), anneal(model, chaotic, reads=1, seed=2).states[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: annealing_graph(cubic(), RAMP, 0.1),
            "`model` is a PolynomialModel: must be an IsingModel or a BinaryModel",
        ),
        (
            lambda: annealing_graph(max_cut(), BallisticBifurcation(t_stop=1.0, step=0.1), 0.1),
            "`dynamics` is BallisticBifurcation: must be a GainRamp or ChaoticAnnealing; the others run in `anneal` "
            "alone",
        ),
        (
            lambda: annealing_graph(max_cut(), GainRamp(t_stop=1.0, step=0.1, leak=Power(start=1.0, stop=0.5)), 0.1),
            "`dynamics.leak` = Power(start=1.0, stop=0.5): must be constant in a circuit; ramp the gain",
        ),
        (
            lambda: annealing_graph(IsingModel(couplings=np.zeros((0, 0))), RAMP, 0.1),
            "`model` has no neurons: must have at least one",
        ),
    ],
)
def test_what_no_circuit_has_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message
