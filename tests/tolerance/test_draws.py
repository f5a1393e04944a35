"""Draws: which parts a rule is of, the same numbers one at a time and many at once, lots, and op-amps' figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.parts import Capacitor, MacroModel, OpAmp, Resistor
from hopfield_hw.tolerance import (
    Cut,
    Fixed,
    Lot,
    MinTypMax,
    Normal,
    Rule,
    Tolerances,
    Uniform,
    draw,
    draw_factors,
    vary,
)
from hopfield_hw.values.errors import InputError

NET = hh.Network(
    weights=-2e-5 * (np.ones((3, 3)) - np.eye(3)), resistance=1e4, capacitance=1e-8, gain=hh.Tanh(), initial=[0.1] * 3
)
BOARD = hh.lower(NET, cell="inverting_integrator", op_amp=hh.OnePole())
TOLERANCES = Tolerances(
    resistors="1%",
    capacitors=Cut(tolerance=0.1, inner=0.05),
    offset="1mV",
    op_amps={"gain_bandwidth": MinTypMax(minimum=1e6, typical=3e6, maximum=4e6), "gain": "30%"},
    rules=(
        Rule(kind="resistor", role="weights", distribution=Normal(tolerance=0.05)),
        Rule(name="r_SYN_0_*", distribution=Fixed()),
    ),
)


def test_one_at_a_time_and_many_at_once_are_the_same_numbers() -> None:
    many = draw_factors(BOARD, TOLERANCES, seed=3, samples=12)
    assert many.values.shape == (12, len(many.variation.columns))
    for k in (0, 5, 11):
        alone = draw(BOARD, TOLERANCES, seed=3, sample=k)
        assert alone.devices == many.circuit(k).devices
        for column, value in zip(many.variation.columns, many.values[k].tolist(), strict=True):
            part: Any = alone.device(column.device).part
            owner = part.model if column.parameter.in_model else part
            assert getattr(owner, column.parameter.name) == value
    assert np.array_equal(draw_factors(BOARD, TOLERANCES, seed=3, samples=1).values, many.values[:1])
    part_of_them = draw_factors(many.variation, seed=3, samples=slice(4, 9))
    assert np.array_equal(part_of_them.values, many.values[4:9])
    assert part_of_them.samples == range(4, 9)
    assert part_of_them.circuit(5).devices == many.circuit(5).devices
    others = draw_factors(BOARD, TOLERANCES, seed=4, samples=12).values
    assert not np.any(others == many.values)


def test_a_device_keeps_its_numbers_whatever_else_there_is() -> None:
    fewer = replace(BOARD, devices=tuple(d for d in reversed(BOARD.devices) if d.name != "R_syn_1_2"))
    alone = draw(fewer, Tolerances(resistors="1%"), seed=3, sample=7)
    drawn = draw(BOARD, Tolerances(resistors="1%", capacitors="5%"), seed=3, sample=7)
    kept = [d for d in alone.devices if isinstance(d.part, Resistor)]
    assert kept
    assert all(drawn.device(d.name) == d for d in kept)


def test_rules_choose_by_kind_role_and_name() -> None:
    by_name = {column.device: column for column in vary(BOARD, TOLERANCES).columns if not column.parameter.in_model}
    weights = [d.name for d in BOARD.devices if d.origin.role == "weights" and isinstance(d.part, Resistor)]
    assert {name for name in weights if name in by_name} == {
        name for name in weights if not name.lower().startswith("r_syn_0_")
    }
    others = [d.name for d in BOARD.devices if isinstance(d.part, Resistor) and d.origin.role != "weights"]
    assert others
    assert all(by_name[name].distribution == Uniform(tolerance=0.01) for name in others)
    assert all(by_name[n].distribution == Normal(tolerance=0.05) for n in weights if n in by_name)
    capacitors = [d.name for d in BOARD.devices if isinstance(d.part, Capacitor)]
    assert all(by_name[name].distribution == TOLERANCES.capacitors for name in capacitors)


def test_figures_of_an_op_amp_go_into_its_model() -> None:
    drawn = draw(BOARD, TOLERANCES, seed=1)
    models = [d.part.model for d in drawn.devices if isinstance(d.part, OpAmp)]
    products = {model.gain_bandwidth for model in models if isinstance(model, hh.OnePole)}
    assert len(products) == len(models) > 1
    assert all(1e6 < value < 4e6 for value in products)
    assert all(1.4e5 <= model.gain <= 2.6e5 for model in models if isinstance(model, hh.OnePole))
    assert all(model.upper == 13.5 for model in models if isinstance(model, hh.OnePole))
    assert len({d.part.offset for d in drawn.devices if isinstance(d.part, OpAmp)}) == len(models)


def test_figures_of_a_macro_model_come_from_its_sheet() -> None:
    macro = MacroModel(offset=3e-3, gain_bandwidth=4e6, phase_margin=45.0)
    board = hh.lower(NET, cell="inverting_integrator", op_amp=macro)
    sheet = {
        "offset": MinTypMax(minimum="-10mV", typical="0V", maximum="10mV", unit="V"),
        "slew_rate": MinTypMax(minimum=8e6, typical=13e6),
        "gain_bandwidth": "25%",
    }
    drawn = draw_factors(board, Tolerances(op_amps=sheet), seed=1, samples=200)
    models = [d.part.model for d in drawn.circuit(199).devices if isinstance(d.part, OpAmp)]
    assert len(drawn.variation.columns) == 3 * len(models)
    assert all(isinstance(model, MacroModel) and model.phase_margin == 45.0 for model in models)
    by_name = {name: drawn.values[:, k] for k, name in enumerate(drawn.variation.names)}
    offsets = np.concatenate([values for name, values in by_name.items() if name.endswith(".offset")])
    assert np.mean(offsets) == pytest.approx(0.0, abs=5e-4)
    assert np.std(offsets) == pytest.approx(10e-3 / np.sqrt(6.0), rel=0.1)
    assert all(8e6 < model.slew_rate < 18e6 for model in models if isinstance(model, MacroModel))
    with pytest.warns(hh.NoEffectWarning, match=r"`Tolerances.op_amps\['slew_rate'\]`"):
        draw(board, Tolerances(op_amps={"slew_rate": "10%", "gain": "10%"}), seed=0)  # the model's own has no limit


def test_a_lot_moves_together() -> None:
    lot = Lot(common=Normal(tolerance=0.1), own=Uniform(tolerance=0.001))
    factors = draw_factors(BOARD, Tolerances(resistors=lot), seed=2, samples=400).factors
    assert np.corrcoef(factors.T).min() > 0.99
    assert np.std(factors) == pytest.approx(0.1 / 3.0, rel=0.1)
    apart = factors / factors[:, :1] - 1.0
    assert 1e-4 < np.abs(apart[:, 1:]).max() < 2.2e-3
    two = Tolerances(resistors=lot, capacitors=lot)
    assert {name for name in vary(BOARD, two).streams if name.startswith("lot ")} == {"lot resistors", "lot capacitors"}
    one = replace(lot, name="reel 7")
    shared = vary(BOARD, Tolerances(resistors=one, capacitors=one))
    assert [name for name in shared.streams if name.startswith("lot ")] == ["lot reel 7"]


def test_boxes_and_deviations_are_those_of_the_distributions() -> None:
    variation = vary(BOARD, Tolerances(resistors="1%", offset="1mV"))
    resistors = np.array([column.parameter.name == "resistance" for column in variation.columns])
    assert variation.upper[resistors] == pytest.approx(1.01 * variation.nominal[resistors])
    assert variation.lower[resistors] == pytest.approx(0.99 * variation.nominal[resistors])
    assert variation.deviations[resistors] == pytest.approx(0.01 / np.sqrt(3.0) * variation.nominal[resistors])
    assert variation.upper[~resistors] == pytest.approx(1e-3)
    middle = variation.values(np.full((1, len(variation.streams)), 0.5))
    assert middle[0] == pytest.approx(variation.nominal, abs=1e-12)
    assert variation.build(variation.nominal).devices == BOARD.devices


def test_other_nominal_values_have_the_same_spread() -> None:
    variation = vary(BOARD, Tolerances(resistors="1%", capacitors=Normal(tolerance="3%")))
    u = np.random.default_rng(0).uniform(size=(50, len(variation.streams)))
    assert variation.values(u, 2.0 * variation.nominal) == pytest.approx(2.0 * variation.values(u))
    with pytest.raises(hh.InputError, match=r"`nominal` has shape \(1,\)"):
        variation.values(u, [1.0])
    with pytest.raises(hh.InputError, match=r"`probabilities` has shape \(50, 2\): must be \(samples, "):
        variation.values(u[:, :2])


def test_samples_have_the_moments_of_their_distribution() -> None:
    values = draw_factors(BOARD, Tolerances(resistors=Normal(tolerance=0.03)), seed=5, samples=4000).factors
    assert np.mean(values) == pytest.approx(1.0, abs=5 * 0.01 / np.sqrt(values.size))
    assert np.std(values) == pytest.approx(0.01, rel=0.02)


def refusal(call: Any) -> str:
    with pytest.raises(hh.InputError) as refused:
        call()
    return str(refused.value)


def test_what_cannot_be_drawn_is_refused() -> None:
    assert refusal(lambda: Tolerances(resistors=1.5)) == (
        "`Tolerances.resistors` = 1.5: must not be negative, and tolerances below 1 (100%)"
    )
    assert refusal(lambda: Tolerances(resistors="10 Ohm")) == (
        "`Tolerances.resistors` = '10 Ohm': has a unit (ohms): must be a number alone here"
    )
    assert refusal(lambda: Tolerances(offset=1e-3, op_amps={"offset": Uniform(tolerance=1e-3, unit="V")})) == (
        "`Tolerances`: has `offset` and `op_amps['offset']`, which would add up; give one of them"
    )
    assert refusal(lambda: Rule(distribution="1%", kind="resistors")).startswith(
        "`Rule.kind`: kind of part 'resistors' is unknown: must be one of resistor, "
    )
    assert refusal(lambda: Rule(distribution="1%", role="weight")).endswith("; did you mean 'weights'?")
    assert refusal(lambda: Tolerances(rules=("1%",))) == "`Tolerances.rules` holds '1%': must hold Rules"  # type: ignore[arg-type]
    assert refusal(lambda: vary(BOARD, Tolerances(offset=Uniform(tolerance="1%")))) == (
        "`Tolerances.offset`: X_x_0.offset is 0, and the tolerance is a part of it; give an amount, such as "
        "Uniform(tolerance='5mV', unit='V')"
    )
    wide = Tolerances(resistors=Normal(tolerance=0.9, sigmas=1.0))
    assert "is drawn as -" in refusal(lambda: draw_factors(BOARD, wide, seed=0, samples=100))
    assert refusal(lambda: draw_factors(BOARD, TOLERANCES, seed=0, samples=range(0))) == (
        "`samples` = range(0, 0): is empty; nothing would be drawn"
    )
    assert refusal(lambda: draw_factors(BOARD, TOLERANCES, seed=0, samples=-3)) == (
        "`samples` = -3: must be a number of samples from 1, or a range of them from 0"
    )
    assert refusal(lambda: draw(BOARD, TOLERANCES, seed=0, sample=-1)) == (
        "`sample` = -1: must be a whole number from 0"
    )
    assert refusal(lambda: draw(BOARD, TOLERANCES, seed=1.5)) == (  # type: ignore[arg-type]
        "`seed` = 1.5: must be a whole number from 0 to 18446744073709551615"
    )
    offsets = draw_factors(BOARD, Tolerances(offset="1mV"), seed=0, samples=3)
    assert refusal(lambda: offsets.factors) == (
        "`Draws.factors`: X_x_0.offset is 0 nominally and has no factor; take `values`"
    )
    assert refusal(lambda: offsets.circuit(3)) == "`sample` = 3: must be one of range(0, 3)"


def test_a_rule_without_effect_says_so() -> None:
    rules = (Rule(name="R_none_*", distribution="1%"),)
    with pytest.warns(hh.NoEffectWarning) as said:
        draw(BOARD, Tolerances(resistors="1%", op_amps={"slew_rate": "10%"}, rules=rules), seed=0)
    assert str(said[0].message) == (
        "draw: only the rest of the tolerances changes something in this circuit of cell 'inverting_integrator', which "
        "has no such device: `Tolerances.op_amps['slew_rate']` is of op-amps whose model states it, as there are in "
        "inverting_integrator, winner_take_all, active_rc, summing_amplifier, with op_amp= a model that does; "
        "`Tolerances.rules[0]` is of parts that fit it, as there are in none that is known"
    )


def test_tolerances_beside_a_variation_are_refused() -> None:
    with pytest.raises(InputError, match=r"^`tolerances`: the Variation has tolerances of its own; leave it out, or"):
        draw_factors(vary(BOARD, TOLERANCES), TOLERANCES, seed=1, samples=2)
