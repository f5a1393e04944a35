"""Test benches: what they measure is what models have, a fault is seen, and other structures are measured alike."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles.boyle import boyle

import hopfield_hw as hh
from hopfield_hw.benches import BENCHES, Measurement, Row, measure, offset_circuit
from hopfield_hw.benches.measure import TOLERANCE
from hopfield_hw.parts import IdealGain, MacroModel, OnePole, Subcircuit
from hopfield_hw.parts.data_sheet import FIGURES, find_data_sheet
from hopfield_hw.spice.dialects import DIALECTS, write

TL074 = find_data_sheet("TL074")
LM358 = find_data_sheet("LM358")
ARGUMENTS: dict[str, Any] = {
    "slew": {"length": 1e-6},
    "recovery": {"length": 1e-6},
    "impedance": {"common": True},
}
# A simulator with capacitors of 1 pF at every node, and noise that is a sum: what the benches are closer than.
CLOSE = 0.02


@pytest.mark.parametrize("name", BENCHES)
def test_each_bench_is_a_circuit_that_prints_in_each_dialect(name: str) -> None:
    circuit = BENCHES[name]("TL074", **ARGUMENTS.get(name, {}))
    for dialect in DIALECTS:
        text = write(circuit, dialect)
        assert re.search(r"(?m)^X_amp plus_in minus_in out upper lower tl074_\w{8}", text)
        assert text.count(".subckt") == text.count(".ends") == 1
    assert circuit.title.endswith(": TL074")


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    ("sheet", "supplies"), [(TL074, None), (LM358, None), (LM358, (5.0, 0.0))], ids=["TL074", "LM358", "LM358 on 5 V"]
)
def test_a_part_measures_as_its_sheet_states(sheet: Any, supplies: tuple[float, float] | None) -> None:
    found = measure(sheet.model() if supplies is None else sheet.model(supplies), sheet=sheet)
    assert found.passed
    assert [row.figure for row in found.compared if abs(row.deviation or 0.0) > CLOSE] == []
    compared = {row.figure for row in found.compared}
    swings = {f"swing, {side}{load}" for side in ("lower", "upper") for load in ("", ", 2 kOhm", ", 10 kOhm")}
    assert swings <= compared
    short = {"source_current", "sink_current"}
    converted = {name for name in FIGURES if name.startswith(("headroom", "common_mode_"))}
    converted |= {"load", "least_supply", "most_supply"}  # what a simulation does not show
    stated = set(FIGURES) - converted | {"common_mode_rejection"}
    assert stated - compared == (set() if supplies is None else short)
    assert {"common mode, lower", "beyond common mode"} <= compared


def test_the_table_says_what_was_compared() -> None:
    rows = (
        Row("gain", "V/V", 25e3, 150e3, None, 150e3, 149e3, -0.00667, True),
        Row("recovery", "s", None, None, None, None, 1e-6, None, None),
    )
    good = Measurement(part="TL074", supplies=(15.0, -15.0), table=rows)
    assert good.passed
    assert good.worst is rows[0]
    assert str(good).splitlines()[-2].split() == [
        *("gain", "2.5e+04", "V/V", "1.5e+05", "V/V", "1.5e+05", "V/V", "1.49e+05", "V/V", "-0.67%", "ok")
    ]
    bad = replace(good, table=(rows[0]._replace(deviation=0.06, ok=False), rows[1]))
    assert not bad.passed
    assert dict(bad.rows())["result"] == "beyond 5%"
    nothing = replace(good, table=rows[1:])
    assert not nothing.passed
    assert dict(nothing.rows())["result"] == "not compared"
    assert nothing.worst is None
    assert bad.to_json()["passed"] is False
    assert bad.to_json()["figures"][0]["figure"] == "gain"


def as_library(model: MacroModel) -> Subcircuit:
    """Return a macro-model as a user would have it, by its text alone, with its noise."""
    text = offset_circuit(replace(model, noise=True)).netlist()
    library = re.search(r"(?ms)^\.subckt (\S+) .*^\.ends \S+$", text)
    assert library is not None
    pins = ("plus", "minus", "output", "supply_plus", "supply_minus")
    return Subcircuit(library=library[0] + "\n", name=library[1], pins=pins, supplies=dict(model.supplies))


# What is wrong in a model, figure by figure, and the rows that see it; several at once where rows do not overlap.
FAULTS: dict[str, dict[str, tuple[float, set[str]]]] = {
    "none": {},
    "speed": {
        "slew_rate": (10.4e6, {"slew_rate", "slew_rate, falling"}),
        "offset": (2.4e-3, {"offset"}),
        "supply_current": (1.7e-3, {"supply_current"}),
        "source_current": (48e-3, {"source_current"}),
        "common_mode_minus": (2.0, {"common mode, lower"}),
        "noise_corner": (120.0, {"noise_corner"}),
        "input_resistance": (8e11, {"input_resistance"}),
    },
    "gain": {
        "gain": (120e3, {"gain"}),
        "bias_current": (-30e-12, {"bias_current"}),
        "supply_rejection": (98.0, {"supply_rejection"}),
        "voltage_noise": (22e-9, {"voltage_noise"}),
        "input_capacitance": (4e-12, {"input_capacitance"}),
        "headroom_plus": (1.6, {"swing, upper", "swing, upper, 10 kOhm", "swing, upper, 2 kOhm"}),
    },
    "phase": {
        "phase_margin": (54.0, {"phase_margin"}),
        "offset_current": (4e-12, {"offset_current"}),
        "common_mode_rejection": (98.0, {"common_mode_rejection"}),
        "sink_current": (32e-3, {"sink_current"}),
        "current_noise": (12e-15, {"current_noise"}),
        "differential_capacitance": (2e-12, {"differential_capacitance"}),
        "output_resistance": (150.0, {"output_resistance"}),
    },
    "bandwidth": {"gain_bandwidth": (3.2e6, {"gain_bandwidth"})},
}


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_model_is_seen_by_its_bench(faults: dict[str, tuple[float, set[str]]]) -> None:
    """The text of a model with other figures than the sheet has; the benches see the text alone."""
    changes: dict[str, Any] = {name: value for name, (value, _) in faults.items()}
    found = measure(as_library(replace(TL074.model(), **changes)), sheet=TL074)
    wrong = {row.figure for row in found.compared if not row.ok}
    assert wrong == {row for _, seen in faults.values() for row in seen}
    assert found.passed == (not faults)


@pytest.mark.usefixtures("ngspice")
def test_what_lies_beyond_common_mode_is_told_apart() -> None:
    for beyond in ("reverse", "clamp", "none"):
        model = replace(TL074.model(), beyond_common_mode=beyond, common_mode_plus=1.0)
        found = hh.benches.measure_common_mode(model)
        assert found.beyond == beyond
        assert math.isfinite(found.lower) == (beyond != "none")
        assert math.isfinite(found.upper) == (beyond == "clamp")


# The figures that the structure of 1974 has; its noise is that of its own resistors, and it has no common-mode limits.
OF_BOYLE = (
    *("offset", "bias_current", "offset_current", "gain", "gain_bandwidth", "phase_margin", "slew_rate"),
    *("slew_rate, falling", "output_resistance", "source_current", "sink_current", "supply_current"),
    *("common_mode_rejection", "swing, lower", "swing, upper", "swing, lower, 10 kOhm", "swing, upper, 10 kOhm"),
)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("part", ["OP07", "NE5532"])
def test_a_model_with_a_bipolar_input_stage_measures_alike(part: str) -> None:
    """Both structures are made from one sheet's figures, and the same benches measure them."""
    sheet = find_data_sheet(part)
    ours, theirs = measure(sheet.model(), sheet=sheet), measure(boyle(sheet.model()), sheet=sheet)
    mine = {row.figure: row for row in ours.table}
    for row in theirs.table:
        if row.figure in OF_BOYLE:
            assert abs(row.deviation or 0.0) <= TOLERANCE, row
            assert abs(mine[row.figure].deviation or 0.0) <= CLOSE, mine[row.figure]
    assert {row.figure for row in theirs.compared} >= set(OF_BOYLE)


@pytest.mark.usefixtures("ngspice")
def test_benches_take_a_gain_and_a_phase_of_two_poles_exactly() -> None:
    """A plain text of two poles and an output resistance: every figure has a closed form."""
    first, second, gain, ohms = 10.0, 2e6, 1e5, 100.0
    slow, fast = (1.0 / (2.0 * math.pi * pole * 1e3) for pole in (first, second))
    library = (
        ".subckt two p n vc ve o\nE1 a 0 p n 1e5\nR1 a b 1k\n"
        f"C1 b 0 {slow!r}\nE2 c 0 b 0 1\nR2 c d 1k\nC2 d 0 {fast!r}\n"
        "E3 e 0 d 0 1\nR3 e o 100\nRs vc ve 10k\n.ends\n"
    )
    model = Subcircuit(library=library, name="two", pins=("plus", "minus", "supply_plus", "supply_minus", "output"))
    load = 1e3
    found = hh.benches.measure_open_loop(model, load=load)
    share = load / (load + ohms)
    f = np.geomspace(1e4, 1e7, 20001)
    size = gain * share / np.abs((1 + 1j * f / first) * (1 + 1j * f / second))
    crossing = float(np.exp(np.interp(0.0, -np.log(size), np.log(f))))
    margin = 180.0 - math.degrees(math.atan(crossing / first) + math.atan(crossing / second))
    assert found.gain == pytest.approx(gain * share, rel=1e-6)
    assert found.gain_bandwidth == pytest.approx(gain * share * first, rel=1e-3)
    assert found.crossing == pytest.approx(crossing, rel=1e-3)
    assert found.phase_margin == pytest.approx(margin, abs=0.1)
    assert hh.benches.measure_output_resistance(model, load=load) == pytest.approx(ohms, rel=1e-6)
    assert hh.benches.measure_supply_current(model) == pytest.approx(3e-3, rel=1e-6)


@pytest.mark.usefixtures("ngspice")
def test_recovery_takes_what_the_slew_rate_takes() -> None:
    """From the rail the way to a tenth of it is slewed; the clamp gives the rail up at once."""
    model = TL074.model()
    found = hh.benches.measure_recovery(model, slew=model.slew_rate)
    way = 0.1 * model.swing()[1]
    assert way / model.slew_rate < found.left < 3.0 * way / model.slew_rate
    assert found.settled > model.swing()[1] / model.slew_rate


@pytest.mark.usefixtures("ngspice")
def test_an_amplifier_without_gain_is_told() -> None:
    library = ".subckt dead p n vc ve o\nR1 o 0 1k\nR2 p n 1meg\nR3 vc ve 1meg\n.ends\n"
    model = Subcircuit(library=library, name="dead")
    with pytest.raises(hh.SimulatorError) as told:
        hh.benches.measure_open_loop(model)
    assert str(told.value) == "Open loop: subcircuit dead: its gain does not fall through 1 between 1 mHz and 1 GHz"


@pytest.mark.parametrize(
    ("op_amp", "message"),
    [
        (
            IdealGain(),
            "bench: IdealGain has no supplies; give a part of `hopfield-hw parts`, a MacroModel or a Subcircuit",
        ),
        (
            OnePole(),
            "bench: OnePole has no supplies; give a part of `hopfield-hw parts`, a MacroModel or a Subcircuit",
        ),
        (
            Subcircuit(
                library=".subckt a 1 2 3 4\nE1 3 0 1 2 1\n.ends\n",
                name="a",
                pins=("plus", "minus", "output", "vc"),
                supplies={"vc": 5.0},
            ),
            "bench: the supplies are 5 V alone: must be two rails",
        ),
    ],
    ids=["ideal", "one pole", "one supply"],
)
def test_what_has_no_rails_is_refused(op_amp: Any, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        measure(op_amp)
    assert str(refused.value) == message
