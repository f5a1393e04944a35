"""Hopfield networks as maps: discrete, stepped by Euler, held between steps; and one network on every machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import hopfield_hw as hh
from hopfield_hw.equations import MapProgram
from hopfield_hw.equations.asynchronous import run_asynchronous
from hopfield_hw.equations.sequences import run_sequence
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.problems.learning_rules import hebb, projection
from hopfield_hw.recurrent import RNN
from hopfield_hw.transforms import discretise
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError
from hopfield_hw.verification.machines import run_machines


def patterns(rng: np.random.Generator, count: int, n: int) -> Array:
    return np.where(rng.integers(2, size=(count, n)) == 1, 1.0, -1.0)


def network(rng: np.random.Generator, n: int = 8, **changes: Any) -> hh.Network:
    weights = rng.normal(size=(n, n)) * 1e-4 / np.sqrt(n)
    fields: dict[str, Any] = {
        "weights": weights,
        "resistance": rng.uniform(5e3, 2e4, n),
        "capacitance": rng.uniform(5e-9, 2e-8, n),
        "gain": hh.Tanh(gain=3.0),
        "bias": rng.normal(size=n) * 1e-5,
        "initial": rng.uniform(-1.0, 1.0, n),
    }
    return hh.Network(**{**fields, **changes})


# Discrete


def test_all_at_once_is_the_sign_of_the_sum(rng: np.random.Generator) -> None:
    w, b = rng.normal(size=(6, 6)), rng.normal(size=6)
    x = patterns(rng, 1, 6)[0]
    wave = hh.reference(discrete_hopfield(w, bias=b, initial=x), t_stop=5.0)
    assert wave.time.values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    for state in wave.state.values:
        np.testing.assert_array_equal(state, x)
        x = np.sign(w @ x + b)


def test_a_neuron_without_drive_keeps_its_state() -> None:
    """Neurons 0 and 1 inhibit neuron 2 and excite it: the sum is exactly 0."""
    w = np.zeros((3, 3))
    w[2, :2] = [1.0, -1.0]
    for start in (1.0, -1.0):
        wave = hh.reference(discrete_hopfield(w, initial=[1.0, 1.0, start]), t_stop=3.0)
        assert wave.state.values[-1].tolist() == [1.0, 1.0, start]


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_two_neurons_that_inhibit_each_other_flip_at_once_and_settle_one_by_one(form: Any) -> None:
    graph = discrete_hopfield(form(np.array([[0.0, -1.0], [-1.0, 0.0]])), initial=[1.0, 1.0])
    wave = hh.reference(graph, t_stop=2.0)
    assert wave.state.values.tolist() == [[1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]]
    found = run_asynchronous(graph, rng=np.random.default_rng(0))
    assert found.states.sum() == 0.0
    assert found.settled.all()
    assert found.sweeps.tolist() == [2]


def test_one_by_one_the_energy_never_rises(rng: np.random.Generator) -> None:
    w = rng.normal(size=(20, 20))
    w = w + w.T
    np.fill_diagonal(w, 0.0)
    graph = discrete_hopfield(w)
    x = patterns(rng, 50, 20)

    def energy(states: Array) -> Array:
        return -0.5 * np.einsum("bi,ij,bj->b", states, w, states)

    before = energy(x)
    for _ in range(20):
        found = run_asynchronous(graph, rng=rng, initial=x, max_sweeps=1)
        x = found.states
        after = energy(x)
        assert np.all(after <= before + 1e-9)
        before = after
    assert found.settled.all()
    np.testing.assert_array_equal(np.where(x @ w >= 0.0, 1.0, -1.0), x)


@pytest.mark.parametrize(
    ("rule", "load", "low", "high"), [(hebb, 0.10, 0.97, 1.0), (hebb, 0.20, 0.0, 0.6), (projection, 0.30, 0.999, 1.0)]
)
def test_recall_by_load(rule: Any, load: float, low: float, high: float) -> None:
    """N = 400, one by one, a tenth of the bits flipped: Hebb's rule holds to a load of 0.138 (Amit et al. 1985)."""
    rng = np.random.default_rng(1985)
    stored = patterns(rng, round(400 * load), 400)
    start = stored.copy()
    for row in start:
        row[rng.permutation(400)[:40]] *= -1.0
    found = run_asynchronous(discrete_hopfield(rule(stored)), rng=rng, initial=start)
    assert low <= float(np.mean(found.states * stored)) <= high


def test_a_seed_says_the_order(rng: np.random.Generator) -> None:
    w = rng.normal(size=(30, 30))
    graph = discrete_hopfield(w + w.T, initial=patterns(rng, 1, 30)[0])
    runs = [run_asynchronous(graph, rng=np.random.default_rng(seed)).states.tolist() for seed in (1, 1, 2, 3, 4)]
    assert runs[0] == runs[1]
    assert any(run != runs[0] for run in runs[2:])


# Stepped


def test_euler_is_the_equation_of_its_docstring(rng: np.random.Generator) -> None:
    net = network(rng, input_weights=rng.normal(size=(8, 2)) * 1e-5)
    program = MapProgram([discretise(net, step=2e-5)])
    u, w = net.initial, np.array([0.3, -0.7])
    a = 2e-5 / (net.resistance * net.capacitance)
    current = net.weights @ net.gain.value(u) + net.input_weights @ w + net.bias
    found, output = program.step(u, w)
    np.testing.assert_allclose(found, (1.0 - a) * u + a * net.resistance * current, rtol=1e-12)
    np.testing.assert_allclose(output, net.gain.value(u), rtol=1e-15)


def test_euler_with_a_full_step_is_an_elman_cell(rng: np.random.Generator) -> None:
    net = network(rng, resistance=1e4, capacitance=1e-8)
    cell = RNN(
        input_weights=np.zeros((8, 1)),
        recurrent_weights=1e4 * net.weights,
        bias=np.concatenate([1e4 * net.bias, np.zeros(8)]),
        activations=(net.gain,),
    )
    wave = hh.reference(discretise(net, step=1e-4), t_stop=1e-3)
    run = run_sequence(cell, np.zeros((10, 1)), initial={"h": net.gain.value(net.initial)[np.newaxis]})
    np.testing.assert_allclose(wave.output.values[1:], run.outputs[:, 0], atol=1e-13)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 10.0])
def test_a_hold_is_exact_for_held_outputs(ratio: float, rng: np.random.Generator) -> None:
    """Between two steps the outputs are constants, and each neuron relaxes to R (T V + I) by itself."""
    net = network(rng)
    step = ratio * 1e-4
    held = net.weights @ net.gain.value(net.initial) + net.bias
    alone = replace(net, weights=np.zeros((8, 8)), bias=held)
    exact = hh.reference(alone.graph(), t_stop=step, points=2, accuracy=1e-8).state.values[-1]
    found = MapProgram([discretise(net, step=step, method="zero_order_hold")]).step(net.initial, np.zeros(0))[0]
    np.testing.assert_allclose(found, exact, rtol=1e-9)


@pytest.mark.parametrize("method", ["euler", "zero_order_hold"])
def test_the_maps_approach_the_equation_by_first_order(method: Any, rng: np.random.Generator) -> None:
    net = network(rng)
    exact = hh.reference(net.graph(), t_stop=1e-4, points=2, accuracy=1e-8).state.values[-1]
    errors = []
    for steps in (50, 100, 200):
        wave = hh.reference(discretise(net, step=1e-4 / steps, method=method), t_stop=1e-4)
        errors.append(float(np.max(np.abs(wave.state.values[-1] - exact))))
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.03)


def test_units_of_its_own(rng: np.random.Generator) -> None:
    weights = rng.normal(size=(3, 3))
    net = hh.Network.dimensionless(weights, gain=hh.Tanh(gain=2.0), initial=[0.5, -0.2, 0.1], volts=0.1, seconds=1e-3)
    plain = hh.Network(
        weights=weights, resistance=1.0, capacitance=1.0, gain=hh.Tanh(gain=2.0), initial=[0.5, -0.2, 0.1]
    )
    found, same = (hh.reference(discretise(n, step=0.1), t_stop=0.1 * t * 7) for n, t in ((net, 1e-3), (plain, 1.0)))
    np.testing.assert_allclose(found.time.values, 1e-3 * same.time.values, rtol=1e-12)
    np.testing.assert_allclose(found.state.values, 0.1 * same.state.values, rtol=1e-12)


@pytest.mark.usefixtures("ngspice")
def test_one_network_on_every_machine(rng: np.random.Generator) -> None:
    net = network(rng, input_weights=rng.normal(size=(8, 1)) * 1e-5)
    coarse, fine = (run_machines(net, step=step, t_stop=5e-4, inputs=0.5) for step in (1e-5, 2.5e-6))
    assert fine.nrmse["circuit"] <= 1e-4
    for method in ("euler", "zero_order_hold"):
        assert coarse.nrmse[method] / fine.nrmse[method] == pytest.approx(4.0, rel=0.2)
        assert fine.nrmse[method] < 0.02
        assert fine.waves[method].time.values == pytest.approx(fine.waves["circuit"].time.values)
    assert str(fine).splitlines()[0].startswith("circuit")


REFUSED = {
    "not square": (
        lambda: discrete_hopfield(np.ones((2, 3))),
        "`weights` has shape (2, 3): must be (n, n)",
    ),
    "not a sign": (
        lambda: discrete_hopfield(np.ones((2, 2)), initial=0.5),
        "`initial` holds 0.5: each must be +1 or -1",
    ),
    "a step": (lambda: discretise(network(np.random.default_rng(0)), step=0.0), "`step = 0.0 s`: must be positive"),
    "a long step": (
        lambda: discretise(network(np.random.default_rng(0), resistance=1e4, capacitance=1e-8), step=3e-4),
        "`step` = 0.0003: is 3 of the shortest R C, and Euler needs at most 2",
    ),
    "no leak": (
        lambda: discretise(network(np.random.default_rng(0), resistance=np.inf), step=1e-5, method="zero_order_hold"),
        "`method` zero_order_hold: needs a finite R at every neuron; use euler",
    ),
    "another graph": (
        lambda: run_asynchronous(network(np.random.default_rng(0)).graph(), rng=np.random.default_rng(0)),
        "run_asynchronous: the graph is not one Hold <- Sign (or Activate) <- Affine <- Hold",
    ),
    "no time": (
        lambda: hh.reference(discrete_hopfield(np.ones((2, 2)))),
        "`t_stop`: a map has no time constant; say for how long to run, in seconds",
    ),
    "not whole steps": (
        lambda: run_machines(network(np.random.default_rng(0)), step=1e-5, t_stop=1.5e-5),
        "`t_stop` = 1.5e-05 s: must be a whole number of steps of 1e-05 s, 1 to 1000000",
    ),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        act()
    assert str(refused.value) == message
