"""Parts from their tolerances: what is drawn, what stays, and what it does to a trained LSTM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Spread, sample
from hopfield_hw.board.tolerance import APPLIES
from hopfield_hw.circuit import Multiplier, Transistor

PERIOD = 1e-3


def lstm(volts: float = 1.0) -> hh.Graph:
    units = hh.Units(volts_per_unit=volts, seconds_per_unit=PERIOD)
    return replace(hh.trained.mackey_glass().cell.graph(), units=units)


def circuit(volts: float = 2.5) -> hh.Circuit:
    return hh.lower(lstm(volts), cell=hh.ActiveRC(activation="pair", multiplier="ad633"))


def test_no_spread_leaves_a_circuit_as_it_is() -> None:
    nominal = circuit()
    assert sample(nominal, Spread(), rng=np.random.default_rng(0)).devices == nominal.devices


def test_resistors_lie_uniformly_within_their_tolerance() -> None:
    nominal = circuit()
    drawn = sample(nominal, Spread(resistors=0.01), rng=np.random.default_rng(1))
    ratios = np.array(
        [new.value / old.value for old, new in zip(nominal.devices, drawn.devices, strict=True) if old.name[0] == "R"]
    )
    assert np.all(np.abs(ratios - 1.0) <= 0.01)
    assert np.std(ratios - 1.0) == pytest.approx(0.01 / np.sqrt(3.0), rel=0.15)
    assert len(set(ratios.tolist())) == ratios.size
    assert all(old == new for old, new in zip(nominal.devices, drawn.devices, strict=True) if old.name[0] != "R")


def test_an_offset_is_a_source_before_the_input_that_does_not_invert() -> None:
    nominal = circuit()
    drawn = sample(nominal, Spread(offset=1e-3), rng=np.random.default_rng(2))
    amplifiers = [device for device in nominal.devices if device.origin.role == "op_amp"]
    sources = [device for device in drawn.devices if device.origin.role == "offset" and device.name[0] == "V"]
    assert len(sources) == len(amplifiers) == len(drawn.devices) - len(nominal.devices)
    volts = np.array([source.value for source in sources])
    assert np.std(volts) == pytest.approx(1e-3, rel=0.2)
    first = amplifiers[0]
    assert drawn.device(first.name).nodes == (*first.nodes[:2], f"{first.name[2:]}_os", first.nodes[3])
    assert drawn.device(f"V_{first.name[2:]}_os").nodes == (f"{first.name[2:]}_os", first.nodes[2])


def test_transistors_and_multipliers_have_errors_of_their_own() -> None:
    drawn = sample(circuit(), Spread(matching=0.02, multipliers=1.0), rng=np.random.default_rng(3))
    currents = [d.value.saturation_current for d in drawn.devices if isinstance(d.value, Transistor)]
    assert np.std(np.log(currents)) == pytest.approx(0.02, rel=0.35)
    products = [d.value for d in drawn.devices if isinstance(d.value, Multiplier)]
    assert np.std([part.gain for part in products]) == pytest.approx(0.0025, rel=0.6)
    assert all(part.unit == 10.0 for part in products)
    assert len({part.x_offset for part in products}) == len(products) == 12


def test_the_same_seed_draws_the_same_parts_and_each_its_own() -> None:
    nominal, spread = circuit(), Spread(resistors=0.01)
    first, again, other = (sample(nominal, spread, rng=np.random.default_rng(seed)).devices for seed in (4, 4, 5))
    assert first == again != other
    fewer = replace(nominal, devices=tuple(d for d in nominal.devices if d.name != "R_w_i_0_0"))
    names = {device.name: device for device in sample(fewer, spread, rng=np.random.default_rng(4)).devices}
    assert all(names[device.name] == device for device in first if device.name in names)


@pytest.mark.usefixtures("ngspice")
def test_parts_that_are_not_exact_cost_the_lstm_decibels() -> None:
    """A few draws of 1% and 1 mV; tests/verify_clocked.py has the distribution over 100 steps."""
    steps = 25
    forecaster = hh.trained.mackey_glass()
    graph = lstm()
    inputs = hh.Signal.held(forecaster.scale.scaled(forecaster.test)[: steps + 1], PERIOD)
    nominal = hh.lower(graph, cell=hh.ActiveRC(activation="pair"))
    expected = hh.reference(graph, t_stop=steps * PERIOD, inputs=inputs)["output"].to_numpy()

    def decibels(built: hh.Circuit) -> float:
        found = hh.simulate(built, t_stop=steps * PERIOD, inputs=inputs, accuracy=1e-2)["output"].to_numpy()
        return 10.0 * float(np.log10(np.sum(expected**2) / np.sum((found - expected) ** 2)))

    spread = Spread(resistors=0.01, offset=1e-3)
    drawn = [decibels(sample(nominal, spread, rng=np.random.default_rng(seed))) for seed in range(3)]
    assert all(5.0 < value < 40.0 for value in drawn)
    assert decibels(nominal) > 50.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resistors": -0.01}, "`Spread.resistors` = -0.01: must not be negative, and tolerances below 1"),
        ({"capacitors": 1.0}, "`Spread.capacitors` = 1: must not be negative, and tolerances below 1"),
        ({"offset": np.nan}, "`Spread.offset = nan`: must be finite; replace missing or infinite values"),
    ],
)
def test_a_spread_that_is_none_is_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        Spread(**fields)
    assert str(refused.value) == message


TWO = hh.Network(
    weights=[[0, -5e-5], [-5e-5, 0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=10.0), initial=[0.1, 0.05]
)


@pytest.mark.parametrize(
    ("cell", "spread", "idle", "rest"),
    [
        ("gm_c", Spread(resistors=0.05), ["resistors"], False),
        ("gm_c", Spread(resistors=0.05, capacitors=0.1), ["resistors"], True),
        ("hopfield_tank", Spread(offset=5e-3), ["offset"], False),
        ("ideal", Spread(resistors=0.05, offset=5e-3, matching=0.1), ["offset", "matching"], True),
        ("active_rc", Spread(matching=0.1, multipliers=1.0), ["matching", "multipliers"], False),
    ],
)
def test_a_spread_without_effect_says_so(cell: str, spread: Spread, idle: list[str], rest: bool) -> None:
    nominal = hh.lower(TWO, cell=cell)
    with pytest.warns(hh.NoEffectWarning) as said:
        drawn = sample(nominal, spread, rng=np.random.default_rng(0))
    (message,) = (str(one.message) for one in said)
    change = "only the rest of the spread changes something" if rest else "nothing changes"
    assert message.startswith(f"sample: {change} in this circuit of cell {cell!r}, which has no such device: `Spread.")
    named = [name for name in APPLIES if f".{name}`" in message]
    assert named == idle
    assert (drawn.devices != nominal.devices) == rest
    assert said[0].filename == __file__


def test_the_cells_that_are_named_have_such_devices() -> None:
    """Each field of a spread changes something in the cells that its warning names, and says nothing there."""
    amplifiers = {field: APPLIES[field].cells.split(", ") for field in ("resistors", "offset")}
    for field, names in amplifiers.items():
        for name in names:
            nominal = hh.lower(TWO, cell=name)
            drawn = sample(nominal, Spread(**{field: 0.01}), rng=np.random.default_rng(0))
            assert drawn.devices != nominal.devices
    for field, name in (("matching", 'ActiveRC(activation="pair")'), ("multipliers", 'ActiveRC(multiplier="ad633")')):
        assert name in APPLIES[field].cells
        assert sample(circuit(), Spread(**{field: 0.1}), rng=np.random.default_rng(0)).devices != circuit().devices
