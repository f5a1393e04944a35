"""The two kernels against each other, and both against the equations, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from models import cubic, max_cut, qubo, ring_colouring, with_fields

from hopfield_hw.annealing import (
    AmplitudeCorrection,
    BallisticBifurcation,
    ChaoticAnnealing,
    DiscreteBifurcation,
    GainRamp,
    Geometric,
    Hysteresis,
    IsingModel,
    Power,
    anneal,
)
from hopfield_hw.annealing.noise import keys, mix, word
from hopfield_hw.annealing.plain import _draws
from hopfield_hw.annealing.product import write_product, write_sparse_row
from hopfield_hw.annealing.program import DENSE, POLYNOMIAL, SPARSE, force_of, scale_of

WORDS = [3793791033, 1853398634, 423040638]
MIXED = [0, 2865102210, 3544547328]
NOISE = Power(start=0.6, stop=0.0, exponent=0.5)
DYNAMICS = {
    "gain": GainRamp(t_stop=8.0, step=0.3, gain=(0.3, 4.0), start=2.0),
    "gain and noise": GainRamp(t_stop=8.0, step=0.3, gain=(0.3, 4.0), noise=NOISE, bound=2.0),
    "ballistic": BallisticBifurcation(t_stop=10.0, step=0.6, leak=(1.0, 0.1), coupling=0.8, start=0.9),
    "ballistic and noise": BallisticBifurcation(t_stop=10.0, step=0.6, leak=(1.0, 0.1), coupling=0.8, noise=NOISE),
    "discrete": DiscreteBifurcation(t_stop=8.0, step=0.5, leak=(0.6, 0.1), coupling=0.8),
    "amplitude": AmplitudeCorrection(t_stop=8.0, step=0.3, leak=(1.2, 0.2), coupling=0.6, noise=(0.1, 0.0)),
    "chaotic": ChaoticAnnealing(t_stop=6.0, step=0.4, gain=4.0, feedback=(2.0, 0.0), start=0.5),
    "hysteresis": Hysteresis(t_stop=6.0, step=0.2, width=0.4, noise=NOISE, start=0.5),
}
SPARSE_MODEL = IsingModel.max_cut(sp.csr_array(max_cut(60, 0.06).couplings * 2.0))
MODELS = {
    "dense": max_cut(),
    "sparse": SPARSE_MODEL,
    "fields": with_fields(),
    "binary": qubo(),
    "cubic": cubic(),
    "cubic 0/1": cubic(binary=True),
    "groups": ring_colouring(),
}
CASES = [(m, d) for m, model in MODELS.items() for d, dynamics in DYNAMICS.items() if model.kind in dynamics.kinds]


def test_the_models_have_every_form_of_force() -> None:
    assert {force_of(model).form for model in MODELS.values()} == {DENSE, SPARSE, POLYNOMIAL}
    assert len(CASES) == 4 * 8 + 2 * 4 + 2


@pytest.mark.parametrize(("model", "dynamics"), CASES)
def test_machine_code_and_numpy_agree(model: str, dynamics: str) -> None:
    final = [anneal(MODELS[model], DYNAMICS[dynamics], reads=48, seed=7, fast=fast) for fast in (True, False)]
    best = [
        anneal(MODELS[model], DYNAMICS[dynamics], reads=48, seed=7, readout="best", reanneal=2, fast=fast)
        for fast in (True, False)
    ]
    # Sums in another order part in the last bit, which a decision close to a tie, or equal energies, can show.
    assert np.all(final[0].states == final[1].states, axis=1).mean() > 0.9
    assert (best[0].energies == best[1].energies).mean() > 0.9
    assert (best[0].hit_times == best[1].hit_times).mean() > 0.6


def starts(model: Any, dynamics: Any, seed: int, reads: int) -> Any:
    """x(0) of the reads of a run, (reads, n)."""
    return (np.float32(dynamics.start) * _draws(0, model.size, keys(seed, 0, reads))).T.astype(np.float64)


def by_the_equation(model: Any, dynamics: Any, x: Any) -> Any:
    """One read in double precision, neuron by neuron and without noise, as the docstrings have it."""
    h, n = dynamics.t_stop / dynamics.steps, model.size
    value = {name: schedule.values(dynamics.steps) for name, schedule in dynamics.schedules.items()}
    matrix = model.couplings.toarray() if sp.issparse(model.couplings) else model.couplings
    y, e = np.zeros(n), np.ones(n)
    s = np.sign(x)
    for t in range(dynamics.steps):
        leak = value["leak"][t]
        c = value["coupling"][t] if "coupling" in value else 1.0
        if isinstance(dynamics, DiscreteBifurcation):
            s = np.array([1.0 if each > 0 else -1.0 for each in x])
        elif isinstance(dynamics, Hysteresis):
            w = dynamics.width
            s = np.array([1.0 if x[i] > w else -1.0 if x[i] < -w else s[i] for i in range(n)])
        else:
            s = np.array([min(1.0, max(-1.0, value["gain"][t] * each if "gain" in value else each)) for each in x])
        force = np.array([-model.fields[i] - sum(matrix[i, j] * s[j] for j in range(n)) for i in range(n)])
        force /= scale_of(model)
        if isinstance(dynamics, BallisticBifurcation):
            y = y + h * (-leak * x + c * force)
            x = x + h * y
            y[np.abs(x) > 1.0] = 0.0
            x = np.clip(x, -1.0, 1.0)
        elif isinstance(dynamics, AmplitudeCorrection):
            e = np.clip(e + h * dynamics.rate * (dynamics.target - np.abs(x)), 0.05, 20.0)
            x = np.clip(x + h * (-leak * x + c * e * force), -dynamics.bound, dynamics.bound)
        else:
            x = x + h * (-leak * x + c * force)
    return s if isinstance(dynamics, Hysteresis) else np.where(x > 0.0, 1.0, -1.0)


@pytest.mark.parametrize("name", ["gain", "ballistic", "discrete", "amplitude", "hysteresis"])
def test_the_kernel_does_what_the_equations_say(name: str) -> None:
    model, dynamics = with_fields(), DYNAMICS[name]
    dynamics = replace(dynamics, noise=0.0, start=0.9)
    found = anneal(model, dynamics, reads=12, seed=3)
    expected = [by_the_equation(model, dynamics, x) for x in starts(model, dynamics, 3, 12)]
    assert len(np.unique(expected, axis=0)) > 1
    same = np.all(found.states == np.array(expected), axis=1)
    assert same.sum() >= 11


def test_the_chaotic_term_is_the_output_times_the_feedback() -> None:
    """x' = -x - z s alone, with s = x inside the clip: it decays at the rate 1 + z, and turns at each step beyond 1."""
    free = IsingModel(couplings=np.zeros((3, 3)))
    decays = ChaoticAnnealing(t_stop=0.5, step=0.1, feedback=1.0, start=0.9)
    assert np.array_equal(anneal(free, decays, seed=5).states, np.where(starts(free, decays, 5, 64) > 0.0, 1, -1))
    turns = replace(decays, feedback=15.0)  # 1 - h (1 + z) = -0.6, five times
    assert np.array_equal(anneal(free, turns, seed=5).states, np.where(starts(free, turns, 5, 64) > 0.0, -1, 1))


def test_products_in_registers_are_products() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(12, 7)).astype(np.float32), rng.normal(size=(7, 48)).astype(np.float32)
    result = np.zeros((12, 48), np.float32)
    write_product(left, right, result)
    np.testing.assert_allclose(result, left.astype(float) @ right, atol=1e-5)
    sparse = sp.csr_array(left * (rng.random(left.shape) < 0.4))
    data, columns = sparse.data.astype(np.float32), sparse.indices.astype(np.int32)
    for i in range(12):
        write_sparse_row(data, columns, sparse.indptr[i], sparse.indptr[i + 1], np.float32(i), right, i, result)
    np.testing.assert_allclose(result, sparse @ right + np.arange(12.0)[:, np.newaxis], atol=1e-5)


def test_noise_is_uniform_and_independent() -> None:
    draws = np.stack([_draws(40 * step, 40, keys(9, 0, 64)) for step in range(50)]).astype(np.float64)
    assert abs(draws).max() <= 1.0
    flat = draws.reshape(-1)
    assert abs(flat.mean()) < 4.0 / np.sqrt(3 * flat.size)
    assert abs(np.mean(flat**2) - 1.0 / 3.0) < 4.0 * np.sqrt(4.0 / 45.0 / flat.size)
    counts = np.histogram(flat, bins=64, range=(-1.0, 1.0))[0]
    expected = flat.size / 64
    assert np.sum((counts - expected) ** 2) / expected < 63 + 4 * np.sqrt(2 * 63)
    for axis in range(3):  # of steps, neurons, samples
        beside = np.mean(draws * np.roll(draws, 1, axis=axis)) * 3.0
        assert abs(beside) < 4.0 / np.sqrt(flat.size)
    assert not np.array_equal(keys(1, 0, 4), keys(2, 0, 4))


def test_the_random_words_stay_what_they_are() -> None:
    """A change here changes every result of every seed."""
    with np.errstate(over="ignore"):
        assert [int(word(np.uint64(k))) for k in (0, 1, 2**40)] == WORDS
        assert [int(mix(np.uint32(k))) for k in (0, 1, 2**31)] == MIXED


def test_the_temperature_is_that_of_the_noise() -> None:
    """dx = -x dt + a dW alone settles at the variance a^2 / 2, and an Euler step of h at a^2 / (2 - h)."""
    from hopfield_hw.annealing.noise import ROOT_3

    dynamics = GainRamp(t_stop=20.0, step=0.5, noise=0.8)
    row = dynamics.program("ising").table[0]
    increments = row[3] * _draws(0, 1000, keys(0, 0, 64)).astype(np.float64)
    assert np.var(increments) == pytest.approx(0.5 * 0.8**2, rel=0.02)
    assert row[3] == pytest.approx(ROOT_3 * np.sqrt(0.5) * 0.8)


def test_a_sample_does_not_depend_on_those_beside_it() -> None:
    model, dynamics = max_cut(), DYNAMICS["gain and noise"]
    many = anneal(model, dynamics, reads=100, seed=2)
    few = anneal(model, dynamics, reads=3, seed=2)
    assert np.array_equal(many.states[:3], few.states)


@pytest.mark.parametrize("model", ["dense", "sparse"])
def test_threads_change_nothing(model: str) -> None:
    one, three = (anneal(MODELS[model], DYNAMICS["gain and noise"], reads=400, seed=4, threads=k) for k in (1, 3))
    assert np.array_equal(one.states, three.states)
    assert np.array_equal(one.energies, three.energies)


def test_other_seeds_give_other_samples() -> None:
    first, second = (anneal(max_cut(), DYNAMICS["gain and noise"], reads=32, seed=k).states for k in (0, 1))
    assert not np.array_equal(first, second)


def test_geometric_gains_reach_the_kernel() -> None:
    table = replace(DYNAMICS["gain"], gain=Geometric(start=1.0, stop=16.0)).program("ising").table
    assert table[0, 1] == 1.0
    assert table[-1, 1] == 16.0
