"""Parts from their tolerances: what is drawn, what stays, and what it does to a trained LSTM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.cells import CELLS
from hopfield_hw.parts import Multiplier, OpAmp, Resistor, Transistor
from hopfield_hw.spice.dialects.dialect import number
from hopfield_hw.tolerance import Tolerances, draw
from hopfield_hw.tolerance.tolerances import APPLIES

PERIOD = 1e-3


def lstm(volts: float = 1.0) -> hh.Graph:
    units = hh.Units(volts_per_unit=volts, seconds_per_unit=PERIOD)
    return replace(hh.trained.mackey_glass().cell.graph(), units=units)


def circuit(volts: float = 2.5) -> hh.Circuit:
    return hh.lower(lstm(volts), cell=hh.ActiveRC(activation="pair", multiplier="ad633"))


def test_no_spread_leaves_a_circuit_as_it_is() -> None:
    nominal = circuit()
    assert draw(nominal, Tolerances(), seed=0).devices == nominal.devices


def test_resistors_lie_uniformly_within_their_tolerance() -> None:
    nominal = circuit()
    drawn = draw(nominal, Tolerances(resistors=0.01), seed=1)
    ratios = np.array(
        [
            new.part.resistance / old.part.resistance
            for old, new in zip(nominal.devices, drawn.devices, strict=True)
            if isinstance(old.part, Resistor) and isinstance(new.part, Resistor)
        ]
    )
    assert np.all(np.abs(ratios - 1.0) <= 0.01)
    assert np.std(ratios - 1.0) == pytest.approx(0.01 / np.sqrt(3.0), rel=0.15)
    assert len(set(ratios.tolist())) == ratios.size
    others = [pair for pair in zip(nominal.devices, drawn.devices, strict=True) if pair[0].name[0] != "R"]
    assert all(old == new for old, new in others)


def test_an_offset_is_in_series_with_the_input_that_does_not_invert() -> None:
    nominal = circuit()
    drawn = draw(nominal, Tolerances(offset=1e-3), seed=2)
    amplifiers = [device for device in nominal.devices if isinstance(device.part, OpAmp)]
    volts = {d.name: d.part.offset for d in drawn.devices if isinstance(d.part, OpAmp)}
    assert list(volts) == [device.name for device in amplifiers]
    assert np.std(list(volts.values())) == pytest.approx(1e-3, rel=0.2)
    # A source between the node and the input, in the netlist; no further device in the circuit.
    first = amplifiers[0]
    plus, minus, output = first.nodes
    lines = drawn.netlist().splitlines()
    at = f"{first.name}_os"
    assert f"V_{at} {at} {plus} {number(volts[first.name])}" in lines
    assert f"{first.name} {output} 0 {at} {minus} 1000000" in lines
    assert f"{first.name} {output} 0 {plus} {minus} 1000000" in nominal.netlist().splitlines()


R, T, OFFSET = 1e4, 2.5e-5, 1e-3


def moved(net: hh.Network, cell: str, amplifier: str) -> list[float]:
    """Return where the states rest, volts, of a network that rests at 0 when its op-amps have no offset."""
    nominal = hh.lower(net, cell=cell)
    assert isinstance(nominal.device(amplifier).part, OpAmp)
    devices = tuple(
        d._replace(part=replace(d.part, offset=OFFSET)) if isinstance(d.part, OpAmp) and d.name == amplifier else d
        for d in nominal.devices
    )
    rests = [
        hh.simulate(built, t_stop=3e-3)["state"].to_numpy()[-1]
        for built in (nominal, replace(nominal, devices=devices))
    ]
    assert np.max(np.abs(rests[0])) < 1e-6
    found: list[float] = rests[1].tolist()
    return found


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    ("cell", "sign"), [("inverting_integrator", -1.0), ("active_rc", 1.0), ("summing_amplifier", -1.0)]
)
def test_an_offset_moves_a_neuron_by_the_noise_gain_of_its_op_amp(cell: str, sign: float) -> None:
    """(s - e)/R + T (0 - e) = 0 at its summing node, of an input at 0 V: s = (1 + R T) e at its output, x or -x."""
    net = hh.Network(
        weights=[[0.0]], input_weights=[[T]], resistance=R, capacitance=1e-8, gain=hh.Tanh(gain=1.0), initial=[0.0]
    )
    (rest,) = moved(net, cell, "E_x_0")
    assert rest == pytest.approx(sign * (1.0 + R * T) * OFFSET, rel=1e-3)


@pytest.mark.usefixtures("ngspice")
def test_an_offset_of_a_common_line_moves_every_neuron() -> None:
    """L = 4 e - 3 x at the line of three neurons of small x, and x/R = T (x + L): x = 4 R T e / (1 + 2 R T)."""
    weights = -T * (np.ones((3, 3)) - np.eye(3))
    net = hh.Network(weights=weights, resistance=R, capacitance=1e-8, gain=hh.Tanh(gain=1.0), initial=[0.0] * 3)
    rests = moved(net, "winner_take_all", "E_syn_line")
    assert rests == pytest.approx([4.0 * R * T * OFFSET / (1.0 + 2.0 * R * T)] * 3, rel=1e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_every_op_amp_of_a_cell_has_an_offset_of_its_own(cell: str) -> None:
    net = hh.Network(
        weights=-T * (np.ones((3, 3)) - np.eye(3)), resistance=R, capacitance=1e-8, gain=hh.Tanh(), initial=[0.0] * 3
    )
    nominal = hh.lower(net, cell=cell)
    names = [device.name for device in nominal.devices if isinstance(device.part, OpAmp)]
    listed = cell in (*APPLIES["offset"].cells.split(", "), "winner_take_all")
    assert bool(names) == listed
    if not names:
        return
    drawn = draw(nominal, Tolerances(offset=1e-3), seed=6)
    volts = [drawn.device(name).part.offset for name in names]  # type: ignore[attr-defined]
    assert len(set(volts)) == len(names)
    assert all(0.0 < abs(value) < 6e-3 for value in volts)
    assert [device.name for device in drawn.devices] == [device.name for device in nominal.devices]
    lines = drawn.netlist().splitlines()
    assert all(any(line.startswith(f"V_{name}_os ") for line in lines) for name in names)


def test_transistors_and_multipliers_have_errors_of_their_own() -> None:
    drawn = draw(circuit(), Tolerances(matching=0.02, multipliers=1.0), seed=3)
    currents = [d.part.saturation_current for d in drawn.devices if isinstance(d.part, Transistor)]
    assert np.std(np.log(currents)) == pytest.approx(0.02, rel=0.35)
    products = [d.part for d in drawn.devices if isinstance(d.part, Multiplier)]
    assert np.std([part.gain for part in products]) == pytest.approx(0.0025, rel=0.6)
    assert all(part.scale == 10.0 for part in products)
    assert len({part.x_offset for part in products}) == len(products) == 12


def test_the_same_seed_draws_the_same_parts_and_each_its_own() -> None:
    nominal, spread = circuit(), Tolerances(resistors=0.01)
    first, again, other = (draw(nominal, spread, seed=seed).devices for seed in (4, 4, 5))
    assert first == again != other
    fewer = replace(nominal, devices=tuple(d for d in nominal.devices if d.name != "R_w_i_0_0"))
    names = {device.name: device for device in draw(fewer, spread, seed=4).devices}
    assert all(names[device.name] == device for device in first if device.name in names)


@pytest.mark.usefixtures("ngspice")
def test_parts_that_are_not_exact_cost_the_lstm_decibels() -> None:
    """A few draws of 1% and 1 mV; tests/verify_clocked.py has the distribution over 100 steps."""
    steps = 25
    forecaster = hh.trained.mackey_glass()
    graph = lstm()
    inputs = hh.Signal.held(forecaster.scale.normalise(forecaster.test)[: steps + 1], PERIOD)
    nominal = hh.lower(graph, cell=hh.ActiveRC(activation="pair"))
    expected = hh.reference(graph, t_stop=steps * PERIOD, inputs=inputs)["output"].to_numpy()

    def decibels(built: hh.Circuit) -> float:
        found = hh.simulate(built, t_stop=steps * PERIOD, inputs=inputs, accuracy=1e-2)["output"].to_numpy()
        return 10.0 * float(np.log10(np.sum(expected**2) / np.sum((found - expected) ** 2)))

    spread = Tolerances(resistors=0.01, offset=1e-3)
    drawn = [decibels(draw(nominal, spread, seed=seed)) for seed in range(3)]
    assert all(5.0 < value < 40.0 for value in drawn)
    assert decibels(nominal) > 50.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resistors": -0.01}, "`Tolerances.resistors` = -0.01: must not be negative, and tolerances below 1 (100%)"),
        ({"capacitors": 1.0}, "`Tolerances.capacitors` = 1: must not be negative, and tolerances below 1 (100%)"),
        ({"offset": np.nan}, "`Tolerances.offset = nan`: must be finite; replace missing or infinite values"),
    ],
)
def test_a_spread_that_is_none_is_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        Tolerances(**fields)
    assert str(refused.value) == message


TWO = hh.Network(
    weights=[[0, -5e-5], [-5e-5, 0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=10.0), initial=[0.1, 0.05]
)


@pytest.mark.parametrize(
    ("cell", "spread", "idle", "rest"),
    [
        ("gm_c", Tolerances(resistors=0.05), ["resistors"], False),
        ("gm_c", Tolerances(resistors=0.05, capacitors=0.1), ["resistors"], True),
        ("hopfield_tank", Tolerances(offset=5e-3), ["offset"], False),
        ("ideal", Tolerances(resistors=0.05, offset=5e-3, matching=0.1), ["offset", "matching"], True),
        ("active_rc", Tolerances(matching=0.1, multipliers=1.0), ["matching", "multipliers"], False),
    ],
)
def test_a_spread_without_effect_says_so(cell: str, spread: Tolerances, idle: list[str], rest: bool) -> None:
    nominal = hh.lower(TWO, cell=cell)
    with pytest.warns(hh.NoEffectWarning) as said:
        drawn = draw(nominal, spread, seed=0)
    (message,) = (str(one.message) for one in said)
    change = "only the rest of the tolerances changes something" if rest else "nothing changes"
    assert message.startswith(
        f"draw: {change} in this circuit of cell {cell!r}, which has no such device: `Tolerances."
    )
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
            drawn = draw(nominal, Tolerances(**{field: 0.01}), seed=0)
            assert drawn.devices != nominal.devices
    for field, name in (("matching", 'ActiveRC(activation="pair")'), ("multipliers", 'ActiveRC(multiplier="ad633")')):
        assert name in APPLIES[field].cells
        assert draw(circuit(), Tolerances(**{field: 0.1}), seed=0).devices != circuit().devices
