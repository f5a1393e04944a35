"""Parts: each kind has its ports, refuses wrong values by the name of its device, and says what it is."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from hopfield_hw.circuit import Circuit, Device, Origin, Role
from hopfield_hw.functions.expressions import ARGUMENT, Argument, Expression, evaluate, tanh
from hopfield_hw.parts import (
    AD633_TYPICAL,
    BZX84C6V2,
    KINDS,
    LM13700,
    OP_AMPS,
    Behaviour,
    Capacitor,
    CurrentSource,
    IdealGain,
    Line,
    Multiplier,
    OnePole,
    OpAmp,
    Part,
    Pulse,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
    as_op_amp,
)
from hopfield_hw.values.errors import InputError

MACRO = ".subckt amp p m vp vm o\nE1 o 0 p m 1e5\nR1 vp 0 1e6\nR2 vm 0 1e6\n.ends\n"
# One of each kind, with how many nodes it has.
EXAMPLES: dict[str, tuple[Part, int]] = {
    "resistor": (Resistor(1e3), 2),
    "capacitor": (Capacitor(1e-9), 2),
    "transistor": (Transistor(200.0, 1e-14, 100.0), 3),
    "diode": (BZX84C6V2, 2),
    "op_amp": (OpAmp(), 3),
    "ota": (LM13700, 6),
    "transconductor": (Transconductor(1e-3, 0.5), 4),
    "multiplier": (Multiplier(), 4),
    "switch": (Switch(100.0, 1e9), 4),
    "line": (Line(1e-3, 50.0), 4),
    "voltage_source": (VoltageSource(1.0), 2),
    "current_source": (CurrentSource(-1e-6), 2),
    "voltage_gain": (VoltageGain(-1.0), 4),
    "transconductance": (Transconductance(-1e-3), 4),
    "behaviour": (Behaviour(Argument(0) * Argument(1)), 4),
}
PHYSICAL = {"resistor", "capacitor", "transistor", "diode", "ota", "op_amp", "transconductor", "multiplier", "switch"}

NOT_NEGATIVE = {("diode", "resistance"), ("diode", "capacitance")}


def placed(part: Part, count: int | None = None) -> Circuit:
    """Return a circuit of a part, named "X_1", whose nodes are all driven."""
    nodes = tuple(f"n{k}" for k in range(len(part.ports) if count is None else count))
    origin = Origin("x", Role.WEIGHT, (0,))
    driven = tuple(Device(f"V_{node}", VoltageSource(0.0), (node, "0"), origin) for node in nodes)
    return Circuit(
        title="t",
        cell="c",
        graph_hash="0",
        devices=(*driven, Device("X_1", part, nodes, origin)),
        initial={},
        states=(),
        outputs=(),
    )


def refused(part: Part, message: str) -> None:
    with pytest.raises(InputError) as error:
        placed(part)
    assert str(error.value) == message


def test_there_is_an_example_of_every_kind() -> None:
    assert {kind: type(part) for kind, (part, _) in EXAMPLES.items()} == dict(KINDS)
    assert len({part.what for part, _ in EXAMPLES.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_has_its_ports_and_a_place_among_them(kind: str) -> None:
    part, count = EXAMPLES[kind]
    assert len(part.ports) == len(set(part.ports)) == count
    places = (*part.sensed, *(() if part.held is None else (part.held,)))
    assert all(0 <= place < count for place in places)
    assert part.held not in part.sensed
    assert part.physical == (kind in PHYSICAL)
    assert placed(part).device("X_1").part is part
    for wrong in (count - 1, count + 1):
        with pytest.raises(InputError) as error:
            placed(part, wrong)
        assert str(error.value) == f"device X_1: has {wrong} nodes, a {part.what} has {count}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_is_frozen_and_compared_by_value(kind: str) -> None:
    part, _ = EXAMPLES[kind]
    names = [field.name for field in fields(part)]  # type: ignore[arg-type]
    assert part == replace(part)  # type: ignore[type-var]
    assert hash(part) == hash(replace(part))  # type: ignore[type-var]
    with pytest.raises(AttributeError):
        setattr(part, names[0], 1.0)


NUMBERS = [
    (kind, name, unit)
    for kind, (part, _) in EXAMPLES.items()
    for name, unit in part.units.items()
    if type(getattr(part, name)) is float
]


@pytest.mark.parametrize(("kind", "name", "unit"), NUMBERS, ids=[f"{kind}.{name}" for kind, name, _ in NUMBERS])
def test_every_number_must_be_a_finite_float(kind: str, name: str, unit: str) -> None:
    part: Any = EXAMPLES[kind][0]
    what = "positive and finite" if name in part.positive else "finite"
    for value in (math.nan, math.inf, -math.inf, *((0.0, -1.0) if name in part.positive else ())):
        refused(replace(part, **{name: value}), f"device X_1: {name} = {value} {unit}: must be {what}")
    for wrong in (1, np.float64(1.0), "1k", None):
        message = f"device X_1: {name} = {wrong!r}: must be a float (of Python, not of NumPy)"
        refused(replace(part, **{name: wrong}), message)
    if name not in part.positive and (kind, name) not in NOT_NEGATIVE:
        placed(replace(part, **{name: -0.5}))


@pytest.mark.parametrize(
    ("part", "value", "unit"),
    [
        (Resistor(1e3), 1e3, "Ohm"),
        (Capacitor(1e-9), 1e-9, "F"),
        (VoltageSource(1.5), 1.5, "V"),
        (VoltageSource(((0.0, 1.0), (1.0, 2.0))), None, "V"),
        (CurrentSource(-1e-6), -1e-6, "A"),
        (VoltageGain(-2.0), -2.0, "V/V"),
        (Transconductance(-1e-3), -1e-3, "S"),
        (Transconductor(1e-3, 0.5), 1e-3, "S"),
        (OpAmp(IdealGain(1e5)), 1e5, "V/V"),
        (OpAmp(OnePole(gain=1e6)), 1e6, "V/V"),
        (
            OpAmp(
                Subcircuit(library=MACRO, name="amp", pins=("plus", "minus", "supply_plus", "supply_minus", "output"))
            ),
            None,
            "V/V",
        ),
        (Switch(1.0, 1e9), None, "Ohm"),
        (Multiplier(), None, "V"),
        (Behaviour(ARGUMENT), None, ""),
    ],
    ids=lambda item: item.what if isinstance(item, Part) else None,
)
def test_a_part_says_its_main_value(part: Part, value: float | None, unit: str) -> None:
    device = placed(part).device("X_1")
    assert device.value == part.value == value
    assert part.unit == unit


def test_a_value_and_a_conductance_can_be_changed() -> None:
    for part in (Resistor(1e3), Transconductance(-1e-3), Transconductor(1e-3, 0.5)):
        siemens = part.conductance
        assert siemens is not None
        assert part.with_conductance(2.0 * siemens).conductance == pytest.approx(2.0 * siemens, rel=1e-15)
    assert Resistor(1e3, is_computing=True).with_conductance(1e-2) == Resistor(100.0, is_computing=True)
    assert Transconductor(1e-3, 0.5).with_conductance(-2e-3) == Transconductor(-2e-3, 0.5)
    assert Capacitor(1e-9).with_value(2e-9) == Capacitor(2e-9)
    assert Capacitor(1e-9).conductance is None
    with pytest.raises(InputError, match=r"^a capacitor has no conductance of 0\.001 S$"):
        Capacitor(1e-9).with_conductance(1e-3)
    with pytest.raises(InputError, match=r"^a multiplier has no one value: change its parameters with dataclasses"):
        Multiplier().with_value(2.0)


def test_a_computing_resistor_is_on_no_board() -> None:
    assert Resistor(1.0).physical
    assert not Resistor(1.0, is_computing=True).physical


# What the behavioural ones mean.


def at(expression: Expression, *volts: float) -> float:
    return float(evaluate(expression, volts))


def test_a_switch_goes_from_off_to_on() -> None:
    switch = Switch(on=100.0, off=1e6)
    assert at(switch.current(), 2.0, 1.0, 0.0, 0.0) == pytest.approx(1e-6)
    assert at(switch.current(), 2.0, 1.0, 1.0, 0.0) == pytest.approx(1e-2)
    assert at(switch.current(), 2.0, 1.0, 0.5, 0.0) == pytest.approx((1e-6 + 1e-2) / 2.0)
    assert at(switch.current(), 1.0, 2.0, 1.5, 0.5) == pytest.approx(-1e-2)


def test_a_transconductor_saturates_at_its_range() -> None:
    part = Transconductor(2e-3, 0.5)
    assert at(part.current(), 0.3, 0.1) == pytest.approx(1e-3 * math.tanh(0.4))
    assert at(part.current(), 50.0, 0.0) == pytest.approx(1e-3)
    assert at(part.current(), 1e-6, 0.0) == pytest.approx(2e-9, rel=1e-9)
    linear = Transconductor(2e-3)
    assert linear.is_linear
    assert at(linear.current(), 50.0, 1.0) == pytest.approx(98e-3)
    for wrong in (0.0, -1.0, math.nan):
        refused(Transconductor(1e-3, wrong), f"device X_1: linear_range = {wrong!r} V: must be positive")


def test_a_multiplier_has_the_errors_of_its_data_sheet() -> None:
    x, y, z = 3.0, -4.0, 0.5
    assert at(Multiplier().output(), x, y, z) == pytest.approx(x * y / 10.0 + z)
    assert at(Multiplier(scale=2.0).output(), x, y, z) == pytest.approx(x * y / 2.0 + z)
    part = AD633_TYPICAL

    def bend(v: float) -> float:
        return 2.598 * (v / 10.0) * (1.0 - (v / 10.0) ** 2)

    expected = (1.0 + part.gain) / 10.0 * (x + part.x_offset) * (y + part.y_offset) + z + part.z_offset
    expected += part.x_feedthrough * x + part.y_feedthrough * y
    expected += part.x_nonlinearity * bend(x) * y + part.y_nonlinearity * bend(y) * x
    assert at(part.output(), x, y, z) == pytest.approx(expected, rel=1e-12)
    assert bend(10.0 / math.sqrt(3.0)) == pytest.approx(1.0, abs=1e-3)


def test_a_behaviour_has_a_node_for_each_argument() -> None:
    part = Behaviour(Argument(2) + tanh(Argument(0)))
    assert part.ports == ("plus", "minus", "in_0", "in_1", "in_2")
    assert part.sensed == (2, 3, 4)
    assert (part.held, Behaviour(ARGUMENT, "current").held) == (0, None)
    with pytest.raises(InputError, match=r"^expression 'v\(a\)': must be made of numbers, arguments, operations and"):
        placed(Behaviour("v(a)"))  # type: ignore[arg-type]


def test_a_source_has_a_waveform() -> None:
    for wave in (0.0, ((0.0, 1.0), (1e-3, -1.0)), Pulse(0.0, 1.0, 0.0, 1e-6, 1e-3, 2e-3)):
        placed(VoltageSource(wave))
    for bad in (((0.0, 1.0), (0.0, 2.0)), ((0.0, math.inf),), Pulse(0.0, 1.0, -1.0, 1e-6, 1e-3, 2e-3), ()):
        with pytest.raises(InputError, match=r"^device X_1 = .*: must be increasing \(time, volts\) points of finite"):
            placed(VoltageSource(bad))


# Op-amps.


def test_an_op_amp_is_given_in_many_ways() -> None:
    own = OpAmp(OnePole(gain=1e6), 1e-3)
    user = Subcircuit(library=MACRO, name="amp")
    assert as_op_amp(own) is own
    assert as_op_amp(np.float64(1e5)) == OpAmp(IdealGain(1e5))
    assert as_op_amp(OnePole()) == as_op_amp("one_pole") == OpAmp(OP_AMPS["one_pole"])
    assert as_op_amp("ideal") == OpAmp(IdealGain())
    assert as_op_amp(user).ports == ("plus", "minus", "output", "supply_plus", "supply_minus")
    for wrong, message in (
        (0.0, "`op_amp = 0.0 V/V`: must be positive"),
        (math.nan, "`op_amp = nan`: must be finite; replace missing or infinite values"),
        (
            "one_pol",
            "`op_amp`: op-amp 'one_pol' is unknown: must be one of ideal, one_pole, LM358, LM324, LM358N, LM324N, "
            "MCP6002, MCP6001, MCP6004, NE5532, NE5532A, SA5532, OP07, OP07C, OPA2134, OPA134, OPA4134, TL074, TL071, "
            "TL072, TL074C, TL072C, TL074H, TL071H, TL072H, TL07xH; did you mean 'one_pole'?; or give a gain, a model, "
            "or a Subcircuit",
        ),
    ):
        with pytest.raises(InputError, match=f"^{re.escape(message)}"):
            as_op_amp(wrong)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gain": 0.0}, "`OnePole.gain = 0.0 V/V`: must be positive"),
        ({"gain_bandwidth": -1.0}, "`OnePole.gain_bandwidth = -1.0 Hz`: must be positive"),
        ({"output_resistance": 0.0}, "`OnePole.output_resistance = 0.0 Ohm`: must be positive"),
        ({"lower": 1.0}, "`OnePole`: the swing 1 to 13.5 V must hold 0 V"),
        ({"upper": math.inf}, "`OnePole.upper = inf`: must be finite; replace missing or infinite values"),
        ({"upper": math.nan}, "`OnePole.upper = nan`: must be finite; replace missing or infinite values"),
    ],
)
def test_a_model_that_is_none_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as error:
        OnePole(**changes)
    assert str(error.value) == message


def test_the_elements_of_a_model_are_parts_between_its_ports_and_its_own_nodes() -> None:
    for model in (IdealGain(), OnePole()):
        elements = model.elements()
        names = [element.name for element in elements]
        assert len(set(names)) == len(names)
        for _, part, nodes in elements:
            assert len(nodes) == len(part.ports)
            part.check("inside")
        touched = {node for element in elements for node in element.nodes}
        assert {"plus", "minus", "output"} <= touched
        assert set(model.poles) <= touched
