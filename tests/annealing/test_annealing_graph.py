"""The same anneal by the batched equation, by the reference, by ngspice, and in op-amps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from models import cubic, max_cut, qubo, with_fields

import hopfield_hw as hh
from hopfield_hw.annealing import (
    PRESETS,
    AmplitudeCorrection,
    AnnealingCircuit,
    BallisticBifurcation,
    ChaoticAnnealing,
    Dynamics,
    GainRamp,
    GroupedModel,
    Hysteresis,
    IsingModel,
    Power,
    Sawtooth,
    anneal,
    annealing_graph,
)
from hopfield_hw.annealing.noise import keys
from hopfield_hw.annealing.plain import _draws
from hopfield_hw.annealing.program import scale_of
from hopfield_hw.values.errors import AccuracyError, InputError

RAMP = PRESETS["first_order"]
CHAOTIC = ChaoticAnnealing(t_stop=10.0, step=0.01, gain=2.0, feedback=(1.5, 0.0), coupling=0.5, start=0.5)
HYSTERESIS = Hysteresis(t_stop=12.0, step=0.01, width=0.3, start=0.8)
# Each dynamics, one that an op-amp circuit shows in a short time.
EVERY: dict[str, Dynamics] = {
    "gain ramp": replace(RAMP, t_stop=12.0),
    "noise": replace(PRESETS["first_order_noise"], t_stop=12.0),
    "chaotic": CHAOTIC,
    "hysteresis": HYSTERESIS,
    "ballistic": replace(PRESETS["ballistic"], t_stop=12.0),
    "discrete": replace(PRESETS["discrete"], t_stop=8.0),
    "amplitude": replace(PRESETS["amplitude"], t_stop=12.0),
}


def starts(model: Any, dynamics: Any, seed: int, reads: int) -> Any:
    """x(0) of the reads of a run, (reads, n)."""
    return (np.float32(dynamics.start) * _draws(0, model.size, keys(seed, 0, reads))).T.astype(np.float64)


def run(circuit: AnnealingCircuit, accuracy: float = 1e-4) -> Any:
    return hh.reference(circuit.graph, t_stop=circuit.t_stop, inputs=circuit.inputs, accuracy=accuracy)


@pytest.mark.parametrize("kind", ["max-cut", "fields", "qubo"])
def test_the_batched_equation_is_the_equation_of_the_graph(kind: str) -> None:
    """With small steps both end at the same answer from the same start."""
    model: Any = {"max-cut": max_cut(8), "fields": with_fields(8), "qubo": qubo(8)}[kind]
    dynamics = replace(PRESETS["binary"], noise=0.0) if kind == "qubo" else replace(RAMP, start=1.0)
    dynamics = replace(dynamics, step=0.005)
    batch = anneal(model, dynamics, reads=4, seed=1)
    for k, start in enumerate(starts(model, dynamics, 1, 4)):
        circuit = annealing_graph(model, dynamics, start)
        assert np.array_equal(circuit.decisions(run(circuit, 1e-3)), batch.states[k])


@pytest.mark.parametrize("name", ["ballistic", "discrete", "amplitude"])
@pytest.mark.parametrize("seed", range(2))
def test_soft_walls_change_no_answer(name: str, seed: int) -> None:
    """The batched equation has hard walls at |x| = 1, and steps of 0.002 R C here."""
    model, dynamics = max_cut(10), replace(PRESETS[name], step=0.002)
    circuit = annealing_graph(model, dynamics, starts(model, dynamics, seed, 1)[0])
    wave = run(circuit)
    assert np.array_equal(circuit.decisions(wave), anneal(model, dynamics, reads=1, seed=seed).states[0])
    assert np.max(np.abs(wave.state.values[:, : model.size])) < 1.03


@pytest.mark.parametrize("model", [max_cut(8), qubo(8)])
def test_a_trigger_turns_as_the_batched_one_does(model: Any) -> None:
    dynamics = replace(HYSTERESIS, width=0.4)
    circuit = annealing_graph(model, dynamics, starts(model, dynamics, 3, 1)[0])
    assert np.array_equal(circuit.decisions(run(circuit)), anneal(model, dynamics, reads=1, seed=3).states[0])


def test_one_trigger_has_the_thresholds_of_its_width() -> None:
    """x' = -x + 0.6 s against a field that falls: s turns as x passes -0.3, and not at 0."""
    model = IsingModel(couplings=np.zeros((2, 2)), fields=[1.0, 0.5])  # F = -1.26, -0.63 after the scale
    circuit = annealing_graph(model, replace(HYSTERESIS, t_stop=4.0), 0.5)
    wave = run(circuit)
    x, s = wave.state.values[:, :2], wave.output.values
    for k in range(2):
        turned = int(np.argmax(s[:, k] < 0.0))
        assert x[turned, k] == pytest.approx(-0.3, abs=0.03)


@pytest.mark.parametrize("seed", range(2))
def test_a_colouring_by_softmax_neurons(seed: int) -> None:
    octahedron = np.ones((6, 6)) - np.eye(6) - np.roll(np.eye(6), 3, axis=1)
    model = GroupedModel.colouring(octahedron, 3)
    circuit = annealing_graph(model, "colouring", seed=seed)
    found = circuit.decisions(run(circuit, 1e-3))
    assert model.energies(found[np.newaxis]).tolist() == [0.0]
    assert np.array_equal(found[:3], found[3:])


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", ["first_order", "ballistic"])
def test_ngspice_gives_the_same_cut(name: str) -> None:
    model, dynamics = max_cut(16), PRESETS[name]
    circuit = annealing_graph(model, dynamics, starts(model, dynamics, 1, 1)[0])
    equation = run(circuit)
    spice = hh.simulate(
        hh.lower(circuit.graph, cell="ideal"), t_stop=circuit.t_stop, inputs=circuit.inputs, accuracy=1e-4
    )
    assert np.array_equal(circuit.decisions(equation), circuit.decisions(spice))
    np.testing.assert_allclose(spice.state.values[-1], equation.state.values[-1], atol=1e-3)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", ["gain ramp", "noise", "chaotic", "ballistic", "amplitude"])
def test_op_amps_do_what_the_dynamics_says(name: str) -> None:
    circuit = annealing_graph(max_cut(4), replace(EVERY[name], t_stop=6.0), seed=1)
    result = hh.verify(circuit.graph, cell="active_rc", t_stop=circuit.t_stop, inputs=circuit.inputs)
    assert result.passed, result


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", ["hysteresis", "discrete"])
def test_op_amps_and_comparators_follow_the_equation(name: str) -> None:
    """`verify` passes both, in a minute: see verify_annealing.py."""
    circuit = annealing_graph(max_cut(4), replace(EVERY[name], t_stop=6.0), seed=1)
    spice = hh.simulate(circuit.graph, cell="active_rc", t_stop=circuit.t_stop, inputs=circuit.inputs, accuracy=1e-4)
    equation = run(circuit)
    apart = spice.state.values - equation.state.values
    assert np.sqrt(np.mean(apart**2)) <= 1e-4 * np.ptp(equation.state.values)


def test_a_constant_schedule_is_a_weight_and_others_are_inputs() -> None:
    circuit = annealing_graph(max_cut(8), CHAOTIC, 0.1)
    assert circuit.graph.by_name["schedule"].labels == ("feedback",)  # type: ignore[attr-defined]
    assert annealing_graph(max_cut(8), replace(RAMP, gain=2.0), 0.1).inputs is None
    ramp = annealing_graph(max_cut(8), replace(RAMP, t_stop=12.0), 0.1)
    assert ramp.inputs is not None
    assert ramp.inputs.at(ramp.t_stop).tolist() == [3.11]
    assert ramp.t_stop == 12e-3
    changing = annealing_graph(max_cut(8), replace(RAMP, leak=Power(start=1.0, stop=0.5)), 0.1)
    assert changing.graph.by_name["schedule"].labels == ("gain", "leak")  # type: ignore[attr-defined]


@pytest.mark.parametrize("leak", [-0.5, 0.0, 0.7, (0.2, 0.2)])
def test_a_leak_of_any_sign_is_the_rate_of_decay(leak: Any) -> None:
    """Without a force x' = -leak x, whether a resistor, a weight or a multiplier does it."""
    circuit = annealing_graph(
        IsingModel(couplings=np.zeros((2, 2))), GainRamp(t_stop=3.0, step=0.1, leak=leak), [0.3, -0.2]
    )
    rate = leak[0] if isinstance(leak, tuple) else leak
    np.testing.assert_allclose(run(circuit).state.values[-1], np.exp(-3.0 * rate) * np.array([0.3, -0.2]), rtol=1e-3)


def test_noise_has_the_variance_of_its_equation() -> None:
    """dx = -x dt + 0.5 dW has the variance 0.125; 16 neurons over 100 R C know it to 5% (one standard error)."""
    free = IsingModel(couplings=np.zeros((16, 16)))
    dynamics = GainRamp(t_stop=100.0, step=0.1, gain=1e-3, noise=0.5)
    circuit = annealing_graph(free, dynamics, 0.0, seed=5)
    x = run(circuit, 1e-3).state.values[100:]
    assert np.mean(x**2) == pytest.approx(0.125, rel=0.15)
    again = annealing_graph(free, dynamics, 0.0, seed=5)
    assert circuit.inputs is not None
    assert again.inputs is not None
    assert np.array_equal(circuit.inputs.values, again.inputs.values)


def test_the_latch_holds_the_best_of_several_anneals() -> None:
    """Four quick anneals from large starts end at three energies, the best of them in the second."""
    upper = np.triu(np.random.default_rng(2).normal(size=(8, 8)), 1)
    model = IsingModel(couplings=upper + upper.T)
    dynamics = replace(RAMP, t_stop=8.0, gain=(3.0, 8.0), start=1.0)
    circuit = annealing_graph(model, dynamics, reanneal=4, latch=True, seed=2)
    wave = run(circuit)
    energies = model.energies(circuit.visited(wave))
    times = wave.time.values / circuit.t_stop
    ends = [float(energies[np.searchsorted(times, (k + 1) / 4 - 1e-3)]) for k in range(4)]
    assert len(set(ends)) > 2
    assert ends[-1] > min(ends)
    held = model.energies(circuit.decisions(wave)[np.newaxis])[0]
    assert held == pytest.approx(min(ends), rel=1e-12)
    assert held == pytest.approx(np.min(energies), rel=1e-12)
    assert wave.output.values[-1, -1] * model.size * scale_of(model) == pytest.approx(held, abs=1e-3)


STEEP = GainRamp(t_stop=12.0, step=0.1, gain=50.0)


def test_a_small_fall_is_latched_or_told() -> None:
    """The last neuron turns for 0.008 of energy; for a tenth of that the latch follows in part, and says so."""
    for gain, sure in ((0.004, True), (0.0004, False)):
        model = IsingModel(couplings=[[0.0, -1.0, 0.0], [-1.0, 0.0, gain], [0.0, gain, 0.0]])
        circuit = annealing_graph(
            model, replace(STEEP, t_stop=12.0, gain=500.0 if sure else 5e3), [0.1, 0.1, 0.3], latch=True
        )
        wave = run(circuit)
        if sure:
            assert circuit.decisions(wave).tolist() == [1, 1, -1]
        else:
            with pytest.raises(AccuracyError, match=r"the latch holds .* at neuron 2, which is no state"):
                circuit.decisions(wave)


def test_a_latch_of_zeros_and_ones_and_of_an_offset() -> None:
    from hopfield_hw.annealing import BinaryModel

    model = BinaryModel(couplings=np.zeros((2, 2)), fields=[-1.0, 0.1], offset=7.0)
    circuit = annealing_graph(model, STEEP, [0.1, 0.3], latch=True)
    wave = run(circuit)
    assert circuit.decisions(wave).tolist() == [1, 0]
    assert wave.output.values[-1, -1] * 2 * scale_of(model) == pytest.approx(-1.0, abs=1e-3)


def test_a_latch_that_never_opened_holds_no_state() -> None:
    model = IsingModel(couplings=[[0.0, 1.0], [1.0, 0.0]])
    circuit = annealing_graph(model, Hysteresis(t_stop=5.0, step=0.1, width=3.0), [1.0, 1.0], latch=True)
    with pytest.raises(AccuracyError) as caught:
        circuit.decisions(run(circuit))
    assert str(caught.value) == (
        "AnnealingCircuit: the latch holds 0 at neuron 0, which is no state: the energy fell too little, or too late, "
        "to be latched, or neurons are not saturated; run it longer, to a higher gain"
    )


def test_teeth_within_teeth_are_what_the_schedule_says() -> None:
    saw = Sawtooth(tooth=(0.2, 3.0), teeth=3)
    model = IsingModel(couplings=[[0.0, 1.0], [1.0, 0.0]])
    circuit = annealing_graph(model, GainRamp(t_stop=12.0, step=0.1, gain=saw), 0.1, reanneal=2)
    assert circuit.inputs is not None
    for u in (0.1, 0.16, 0.3, 0.33, 0.45, 0.6, 0.8, 0.99):
        expected = float(saw.at(np.array((2.0 * u) % 1.0)))
        assert float(circuit.inputs.at(u * circuit.t_stop)[0]) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("dynamics", [RAMP, PRESETS["ballistic"], PRESETS["amplitude"]], ids=["first", "second", "e"])
def test_a_restart_brings_every_state_to_its_new_start(dynamics: Dynamics) -> None:
    model = max_cut(6)
    circuit = annealing_graph(model, replace(dynamics, t_stop=20.0), reanneal=3, seed=4)
    assert circuit.inputs is not None
    wave = run(circuit)
    reset = 20e-3 * 1.0165  # while the restart of the second anneal is on
    state = wave.state.values[np.searchsorted(wave.time.values, reset)]
    np.testing.assert_allclose(state[:6], circuit.inputs.at(reset)[-6:], atol=0.03)
    others = {6: 0.0, 12: 0.0 if isinstance(dynamics, BallisticBifurcation) else 1.0}[len(state)]
    np.testing.assert_allclose(state[6:], others, atol=0.06)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: annealing_graph(cubic(), RAMP, 0.1),
            "`model` is a PolynomialModel: must be an IsingModel, a BinaryModel or a GroupedModel; a polynomial energy "
            "is a graph by problems.cubic_network",
        ),
        (
            lambda: annealing_graph(qubo(4), PRESETS["ballistic"], 0.1),
            "`BallisticBifurcation` does not anneal models of kind 'binary': must be one of ising; take GainRamp, or "
            "convert the model (to_ising, to_binary)",
        ),
        (
            lambda: annealing_graph(IsingModel(couplings=np.zeros((0, 0))), RAMP, 0.1),
            "`model` has no neurons: must have at least one",
        ),
        (
            lambda: annealing_graph(max_cut(4), HYSTERESIS, reanneal=2),
            "`reanneal` = 2: must be 1 for Hysteresis, whose triggers no restart sets",
        ),
        (
            lambda: annealing_graph(max_cut(4), replace(HYSTERESIS, width=0.02)),
            "`dynamics.width` = 0.02: must be at least 0.05 in a circuit, as its comparators are straight from -0.01 "
            "to 0.01",
        ),
        (
            lambda: annealing_graph(max_cut(4), RAMP, latch="no"),  # type: ignore[arg-type]
            "`latch` = 'no': must be True or False",
        ),
        (
            lambda: annealing_graph(IsingModel(couplings=[[0.0, 1e160], [1e160, 0.0]]), RAMP),
            "the largest coefficient of the model is 1e+160: must be from 1e-15 to 1e+15; multiply all of them by one "
            "number, which changes no least state",
        ),
        (
            lambda: annealing_graph(max_cut(4), AmplitudeCorrection(t_stop=0.5, step=0.1), reanneal=2),
            "`dynamics.t_stop` = 0.5 R C: must be at least 1 R C, so that a restart has its time",
        ),
    ],
)
def test_what_no_circuit_has_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message
