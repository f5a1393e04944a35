"""Runs: least energies found, latch and re-annealing, and what is refused."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
import pytest
from models import cubic, max_cut, qubo, random_graph, ring_colouring, with_fields

from hopfield_hw.annealing import (
    PRESETS,
    BallisticBifurcation,
    BinaryModel,
    GainRamp,
    GroupedModel,
    IsingModel,
    Linear,
    PolynomialModel,
    Power,
    anneal,
    default_preset,
)
from hopfield_hw.annealing.run import _load_compiled
from hopfield_hw.values.errors import InputError, MissingExtra

MODELS = {
    "max-cut": max_cut(14),
    "fields": with_fields(),
    "qubo": qubo(),
    "cubic": cubic(),
    "cubic 0/1": cubic(binary=True),
    "colouring": ring_colouring(),
}


def least(model: Any) -> float:
    """The least energy, by enumeration."""
    if isinstance(model, GroupedModel):
        states = list(product(range(3), repeat=7))
        model = ring_colouring(7)
        return float(model.energies(states).min())
    values = (-1, 1) if model.kind == "ising" else (0, 1)
    return float(model.energies(np.array(list(product(values, repeat=model.size)), np.int8)).min())


@pytest.mark.parametrize("name", MODELS)
def test_the_least_energy_is_found(name: str) -> None:
    model = MODELS[name]
    result = anneal(model, default_preset(model), reads=128, seed=1)
    assert result.best_energy == least(model)
    assert model.energies(result.best[np.newaxis])[0] == result.best_energy
    assert result.energies.tolist() == model.energies(result.states).tolist()


@pytest.mark.parametrize("preset", [name for name, each in PRESETS.items() if "ising" in each.kinds])
def test_every_preset_for_ising_models_solves_a_small_cut(preset: str) -> None:
    model = max_cut(16, seed=5)
    result = anneal(model, PRESETS[preset], reads=64, seed=2)
    assert np.mean(result.energies == least(model)) > (0.5 if preset not in ("binary", "colouring") else 0.1)


def test_re_annealing_with_a_latch_raises_success() -> None:
    """k independent anneals succeed with 1 - (1 - p)^k."""
    model = IsingModel.max_cut(random_graph(40, 0.5, 3))
    once = anneal(model, PRESETS["ballistic"], reads=512, seed=1)
    p = np.mean(once.energies == once.best_energy)
    four = anneal(model, PRESETS["ballistic"], reads=512, seed=2, reanneal=4, readout="best")
    expected = 1.0 - (1.0 - p) ** 4
    assert four.best_energy == once.best_energy
    assert abs(np.mean(four.energies == once.best_energy) - expected) < 4.0 * np.sqrt(expected * (1 - expected) / 512)
    assert four.duration == 4.0 * once.duration
    assert once.hit_times.tolist() == pytest.approx([once.duration] * 512)
    assert four.hit_times.min() > 0.0
    assert four.hit_times.max() <= four.duration * (1.0 + 1e-6)
    assert np.ptp(four.hit_times) > once.duration
    np.testing.assert_allclose(four.hit_seconds, 1e-3 * four.hit_times)


def test_a_latch_keeps_the_best_that_it_saw() -> None:
    """With noise to the end the last state is worse than the best one on the way."""
    model = max_cut(20)
    hot = GainRamp(t_stop=60.0, step=0.3, gain=3.0, noise=1.5)
    final, best = (anneal(model, hot, reads=128, seed=3, readout=readout) for readout in ("final", "best"))
    assert np.all(best.energies <= final.energies)
    assert best.energies.mean() < final.energies.mean() - 1.0


def test_sizes_that_are_at_the_edge() -> None:
    empty = anneal(IsingModel(couplings=np.zeros((0, 0)), offset=1.5), PRESETS["ballistic"], reads=3)
    assert empty.states.shape == (3, 0)
    assert empty.energies.tolist() == [1.5, 1.5, 1.5]
    one = anneal(IsingModel(couplings=np.zeros((1, 1)), fields=[6.0]), PRESETS["ballistic"], reads=5)
    assert one.states.tolist() == [[-1]] * 5
    isolated = anneal(IsingModel(couplings=np.zeros((3, 3)), fields=[1.0, -2.0, 3.0]), PRESETS["ballistic"], reads=2)
    assert isolated.states.tolist() == [[-1, 1, -1]] * 2
    unequal = GroupedModel(couplings=np.zeros((6, 6)), groups=(1, 2, 3), fields=[5.0, 1.0, 0.0, 2.0, 0.0, 1.0])
    assert anneal(unequal, PRESETS["colouring"], reads=2).states.tolist() == [[0, 1, 1]] * 2
    constant = PolynomialModel(neurons=1, terms={(): 2.0, (0,): -1.0}, binary=True)
    assert anneal(constant, PRESETS["binary"], reads=2).energies.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: anneal(qubo(), PRESETS["ballistic"]),
            "`BallisticBifurcation` does not anneal models of kind 'binary': must be one of ising; take GainRamp, or "
            "convert the model (to_ising, to_binary)",
        ),
        (
            lambda: anneal(max_cut(), PRESETS["ballistic"], reanneal=2),
            "`readout` = 'final' with `reanneal` = 2: must be 'best', or the last anneal alone counts",
        ),
        (
            lambda: anneal(max_cut(), PRESETS["ballistic"], readout="bset"),
            "readout 'bset' is unknown: must be one of final, best; did you mean 'best'?",
        ),
        (
            lambda: anneal(max_cut(), PRESETS["ballistic"], reads=0),
            "`reads` = 0: must be a whole number from 1 to 10000000",
        ),
        (
            lambda: anneal(np.eye(3), PRESETS["ballistic"]),  # type: ignore[arg-type]
            "`model` = array([[1., 0., 0.],\n       [0., 1., 0.],\n       [0., 0., 1.: must be an IsingModel, "
            "BinaryModel, PolynomialModel or GroupedModel",
        ),
        (
            lambda: anneal(max_cut(), "balistic"),
            "preset 'balistic' is unknown: must be one of ballistic, first_order, first_order_noise, discrete, large, "
            "large_planar, large_grid, amplitude, binary, colouring; did you mean 'ballistic'?",
        ),
        (
            lambda: BallisticBifurcation(t_stop=1.0, step=2.0),
            "`BallisticBifurcation.step` = 2: must be at most t_stop = 1, and at least its 1e+08th part",
        ),
        (lambda: GainRamp(t_stop=-1.0, step=0.1), "`GainRamp.t_stop = -1.0`: must be positive"),
    ],
)
def test_what_cannot_run_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message


def test_without_numba_it_runs_and_fast_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = anneal(max_cut(), PRESETS["first_order"], reads=16)
    _load_compiled.cache_clear()
    for name in [name for name in sys.modules if name.startswith("hopfield_hw.annealing.kernels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    plain = anneal(max_cut(), PRESETS["first_order"], reads=16)
    assert np.mean(np.all(plain.states == compiled.states, axis=1)) > 0.9
    with pytest.raises(MissingExtra) as caught:
        anneal(max_cut(), PRESETS["first_order"], fast=True)
    assert str(caught.value).endswith("; install it: pip install '.[fast]'")
    assert str(caught.value).startswith("`fast` needs the package numba (")


def test_quadratic_terms_as_a_polynomial_give_the_same_force() -> None:
    model = with_fields()
    j = model.couplings
    terms: dict[tuple[int, ...], float] = {(a, b): float(j[a, b]) for a in range(12) for b in range(a) if j[a, b]}
    terms |= {(a,): float(model.fields[a]) for a in range(12)}
    dynamics = GainRamp(t_stop=20.0, step=0.3, gain=Linear(start=0.3, stop=4.0), noise=Power(start=0.5, stop=0.0))
    both = [anneal(each, dynamics, reads=64, seed=1) for each in (model, PolynomialModel(neurons=12, terms=terms))]
    assert np.mean(np.all(both[0].states == both[1].states, axis=1)) > 0.9


def test_a_native_network_and_its_conversion_have_the_same_least_energy() -> None:
    native = qubo()
    assert isinstance(native, BinaryModel)
    converted = anneal(native.to_ising(), PRESETS["first_order_noise"], reads=256, seed=1)
    assert converted.best_energy == anneal(native, PRESETS["binary"], reads=256, seed=1).best_energy


def test_each_kind_of_model_has_its_own_preset() -> None:
    chosen = {name: default_preset(model) for name, model in MODELS.items()}
    expected = {"max-cut": "ballistic", "fields": "ballistic", "qubo": "binary", "cubic": "first_order_noise"}
    assert all(chosen[name] is PRESETS[preset] for name, preset in (expected | {"colouring": "colouring"}).items())
