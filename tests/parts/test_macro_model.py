"""The macro-model of an op-amp: its figures at the door, and what its imperfections do to a network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.functions.expressions import evaluate
from hopfield_hw.parts import Behaviour, MacroModel, Transconductance
from hopfield_hw.parts.figures import IDEAL, UNITS
from hopfield_hw.spice.dialects import DIALECTS
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.measures import nrmse

JFET = MacroModel(
    name="jfet",
    offset=3e-3,
    bias_current=30e-12,
    offset_current=5e-12,
    gain=150e3,
    gain_bandwidth=4e6,
    phase_margin=45.0,
    slew_rate=13e6,
    output_resistance=128.0,
    source_current=40e-3,
    sink_current=40e-3,
    headroom_plus=0.39,
    headroom_minus=0.39,
    headroom_plus_resistance=435.0,
    headroom_minus_resistance=435.0,
    supply_current=1.4e-3,
    common_mode_rejection=86.0,
    supply_rejection=86.0,
    common_mode_minus=3.0,
    beyond_common_mode="reverse",
    input_capacitance=3e-12,
    differential_capacitance=1e-12,
    input_resistance=1e12,
)


def network() -> hh.Network:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 3)) * 3e-5
    return hh.Network(
        weights=weights, resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=4.0), initial=rng.uniform(-0.4, 0.4, 3)
    )


def deviation(model: MacroModel) -> float:
    """Return how far a network in these op-amps is from its equation."""
    circuit = hh.lower(network(), cell="inverting_integrator", op_amp=model)
    wave = hh.simulate(circuit, t_stop=1e-3)
    reference = hh.reference(network(), t_stop=1e-3)
    return nrmse(reference["state"].to_numpy(), wave["state"].to_numpy())


def test_an_ideal_one_follows_the_equation() -> None:
    assert deviation(JFET.only()) < 2e-5


def test_an_offset_shifts_the_balance_as_its_noise_gain_says() -> None:
    """The summing node stands at V_os: x moves by (1 + R sum|T|) V_os, the complement by 2 V_os."""
    model = JFET.only("offset")
    net = replace(network(), weights=np.array([[0.0, 5e-5, 0.0], [2e-5, 0.0, 0.0], [0.0, 0.0, 1e-5]]))
    wave = hh.simulate(hh.lower(net, cell="inverting_integrator", op_amp=model), t_stop=3e-3)
    ideal = hh.reference(net, t_stop=3e-3)
    shift = float(wave["state"][-1, 2] - ideal["state"][-1, 2])
    slope = 1.0 - 0.1 * 4.0 / math.cosh(4.0 * float(ideal["state"][-1, 2])) ** 2
    assert shift == pytest.approx(-1.1 * 3e-3 / slope, rel=0.02)


def test_bandwidth_delays_by_the_noise_gain() -> None:
    """The deviation falls with 1/GBW."""
    slow, fast = (deviation(replace(JFET, gain_bandwidth=f).only("gain_bandwidth")) for f in (1e6, 4e6))
    assert slow / fast == pytest.approx(4.0, rel=0.1)


def test_second_pole_is_where_the_phase_margin_says() -> None:
    crossing = JFET.gain_bandwidth / math.sqrt(1.0 + (1.0 / math.tan(math.radians(JFET.phase_margin))) ** 2)
    assert JFET.second_pole == pytest.approx(crossing, rel=1e-9)  # 45 degrees: the pole lies at the crossing
    assert math.isinf(replace(JFET, phase_margin=90.0).second_pole)


def test_swing_and_common_mode_follow_the_rails() -> None:
    model = JFET.on(12.0, -12.0)
    assert model.swing() == pytest.approx((-11.61, 11.61))
    assert model.swing(1e-3)[1] == pytest.approx(12.0 - 0.39 - 0.435)
    assert model.common_mode() == (-9.0, math.inf)
    assert model.only("offset").common_mode() == (-math.inf, math.inf)


def test_elements_and_text() -> None:
    names = [(type(element.part), element.name) for element in replace(JFET, noise=True).elements()]
    assert len(set(names)) == len(names)
    circuit = hh.lower(network(), cell="inverting_integrator", op_amp=JFET)
    for dialect in DIALECTS:
        text = circuit.netlist(dialect)
        assert text.count(f".subckt {JFET.label} plus minus output supply_plus supply_minus") == 1
    assert replace(JFET, offset=1e-3).label != JFET.label


@pytest.mark.parametrize("name", [name for name in UNITS if name in IDEAL])
def test_each_imperfection_can_be_switched(name: str) -> None:
    limits = ("gain_bandwidth", "output_resistance") if name.endswith("_current") and "s" in name else ()
    one = JFET.only(*{name, *limits})
    assert getattr(one, name) == getattr(JFET, name)
    assert getattr(JFET.only(), name) == IDEAL[name]


def test_bad_figures() -> None:
    for change, message in (
        ({"gain": -1.0}, "`MacroModel.gain` = -1 V/V: must be positive and finite"),
        ({"slew_rate": 0.0}, "`MacroModel.slew_rate` = 0 V/s: must be positive"),
        ({"phase_margin": 120.0}, "`MacroModel.phase_margin` = 120 deg: must be above 0 and at most 90 degrees"),
        ({"offset": math.inf}, "`MacroModel.offset` = inf V: must be finite"),
        ({"name": "a b"}, "`MacroModel.name` = 'a b': must be a plain name: letters, digits and _"),
        ({"beyond_common_mode": "x"}, "`MacroModel.beyond_common_mode` = 'x': must be reverse or clamp or none"),
        (
            {"supply_plus": -14.5},
            "`MacroModel` jfet: supplies of -14.5 V and -15 V leave its output no room: it ends 0.39 V and 0.39 V "
            "from them",
        ),
    ):
        with pytest.raises(InputError) as error:
            replace(JFET, **change)  # type: ignore[arg-type]
        assert str(error.value) == message
    with pytest.raises(InputError, match=r"^`MacroModel.only` 'speed': must be one of offset, bias_current"):
        JFET.only("speed")
    with pytest.raises(InputError, match=r"works in the loop of the amplifier: name gain_bandwidth and output_resis"):
        JFET.only("source_current")


@pytest.mark.parametrize("model", [JFET, JFET.only()], ids=["limited current", "no limit"])
def test_the_output_has_a_conductance_of_its_own(model: MacroModel) -> None:
    """What the rails give follows from the output's own voltage, with the slope 1/Ro: without it a simulator's matrix
    has nothing on its diagonal there, and amplifies rounding where a clamp at the output is off."""
    volts = {"supply_plus": 15.0, "supply_minus": -15.0, "second": 0.0, "output": 0.0, "current": 0.0}
    given = 0.0
    for element in model.elements():
        if element.nodes[:2] not in {("supply_plus", "output"), ("supply_minus", "output")}:
            continue
        step = 1e-3
        currents = []
        for moved in (volts, volts | {"output": step}):
            at = [moved.get(node, 0.0) for node in element.nodes[2:]]
            part = element.part
            if isinstance(part, Transconductance):
                currents.append(part.siemens * (at[0] - at[1]))
            else:
                assert isinstance(part, Behaviour)
                currents.append(float(evaluate(part.formula, at)))
        given += (currents[0] - currents[1]) / step
    assert given == pytest.approx(1.0 / model.output_resistance, rel=1e-3)
