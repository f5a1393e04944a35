"""Assemblies are their circuits: the same devices, values and nodes, in components, in packages and in ngspice."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from assembled import CIRCUITS, alike, clocked, in_rc, integrators, linear, network, op_amp, write_components

import hopfield_hw as hh
from hopfield_hw.assembly import Assembly, Component, Unit, assemble, check_against_circuit, write_library
from hopfield_hw.assembly.agreement import find_differences
from hopfield_hw.assembly.nets import is_source
from hopfield_hw.assembly.packages import PACKAGES
from hopfield_hw.circuit import Circuit
from hopfield_hw.graph import Clock
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.spice import ngspice as simulator
from hopfield_hw.spice.dialects import Analysis, find_dialect
from hopfield_hw.spice.options import settings_for
from hopfield_hw.values.errors import InputError

BY_UNIT = {  # of op-amp packages, by number of amplifiers, the pins plus, minus, output of each section
    1: [("3", "2", "6")],
    2: [("3", "2", "1"), ("5", "6", "7")],
    4: [("3", "2", "1"), ("5", "6", "7"), ("10", "9", "8"), ("12", "13", "14")],
}


@pytest.fixture(scope="module", params=CIRCUITS)
def made(request: pytest.FixtureRequest) -> tuple[Circuit, Assembly]:
    circuit = CIRCUITS[request.param]()
    return circuit, assemble(circuit)


def test_an_assembly_is_its_circuit(made: tuple[Circuit, Assembly]) -> None:
    circuit, assembly = made
    check_against_circuit(assembly)
    check_against_circuit(assembly, circuit)
    references = [component.reference for component in assembly.components]
    assert len(references) == len(set(references))
    sheets = {unit.sheet for component in assembly.components for unit in component.units}
    assert sheets <= set(assembly.sheets)


def test_every_net_has_two_pins_at_least(made: tuple[Circuit, Assembly]) -> None:
    """What a test point or a connector joins counts: START and inputs are from outside."""
    _, assembly = made
    lonely = [net for net, pins in assembly.nets.items() if len(pins) < 2]
    assert not lonely


def test_packages_have_their_supplies_and_all_of_their_pins(made: tuple[Circuit, Assembly]) -> None:
    _, assembly = made
    for component in assembly.components:
        package = PACKAGES.get(component.symbol)
        if package is None:
            continue
        units = [unit.number for unit in component.units]
        assert units == list(range(1, len(units) + 1))
        pins = [pin for unit in component.units for pin in unit.pins]
        assert len(pins) == len(set(pins))
        volts = {what: assembly.supplies.get(component.pins[pin] or "", 0.0) for pin, what in package.supply.items()}
        if component.symbol not in ("LM13700", "SSM2212"):
            assert volts == {"plus": 12.0, "minus": -12.0} | ({"ground": 0.0} if "ground" in volts else {})
        if component.symbol == "LM13700":
            assert (component.pins["11"], component.pins["6"]) == ("reference_p", "reference_n")
        most = int(component.footprint.removeprefix("SOIC"))
        wanted = {str(k) for k in range(1, most + 1)} - ({"4", "5"} if component.symbol == "SSM2212" else set())
        assert set(pins) == wanted


@pytest.mark.usefixtures("ngspice")
def test_components_simulate_as_the_circuit_does(made: tuple[Circuit, Assembly]) -> None:
    """The deck of the components alone, in references and nets, gives the waveforms of the circuit's own deck."""
    circuit, assembly = made
    dialect = find_dialect("ngspice")
    # Clocked ones have no time constant; two periods are enough.
    end = 2e-3 if circuit.clock is not None else 3e-4
    names = assembly.net_names
    probes = list(dict.fromkeys(probe.node for probe in (*circuit.states, *circuit.outputs)))
    settings = settings_for(1e-3, end, circuit)
    runs = []
    for lines, nodes, initial in (
        ([dialect.write(circuit)], probes, circuit.initial),
        (
            [
                "* components",
                *write_components(assembly),
                *(
                    f"V_{device.name} {names[device.nodes[0]]} 0 {text.split(maxsplit=3)[3]}"
                    for device in circuit.devices
                    if is_source(device, circuit)
                    for text in dialect.format_device(device, {})
                ),
            ],
            [names[node] for node in probes],
            {names[node]: volts for node, volts in circuit.initial.items()},
        ),
    ):
        analysis = Analysis(end, settings.step, settings.reltol, nodes, initial, settings.current)
        deck = "\n".join([*lines, dialect.format_analysis(analysis)])
        plot = simulator.run(deck, t_stop=end, timeout=120.0)
        times = plot.column("time")
        grid = np.linspace(0.05 * end, end, 200)
        runs.append(np.array([np.interp(grid, times, plot.column(f"v({node.lower()})")) for node in nodes]))
    assert np.max(np.abs(runs[0])) > 0.05
    assert np.max(np.abs(runs[0] - runs[1])) < 1e-3


@pytest.mark.parametrize(
    ("part", "count"),
    [("OP07", 1), ("TL071", 1), ("TL072", 2), ("OPA2134", 2), ("NE5532", 2), ("TL074", 4), ("LM324", 4), ("TL074H", 4)],
)
def test_op_amps_are_packed_by_their_number(part: str, count: int) -> None:
    circuit = integrators(network(3, inputs=1), part=part)
    assembly = assemble(circuit, op_amp=part)
    check_against_circuit(assembly)
    packages = [component for component in assembly.components if component.symbol.startswith("OpAmp")]
    amplifiers = sum(device.part.what == "op-amp" for device in circuit.devices)
    assert len(packages) == -(-amplifiers // count)
    assert {component.value for component in packages} == {part}
    assert [component.reference for component in packages] == [f"U{k + 1}" for k in range(len(packages))]
    for component in packages:
        for unit, (plus, minus, output) in zip(component.units, BY_UNIT[count], strict=False):
            if unit.device:
                nodes = tuple(assembly.net_names[node] for node in circuit.device(unit.device).nodes[:3])
                assert (unit.pins[plus], unit.pins[minus], unit.pins[output]) == nodes
            else:
                assert unit.role == f"spare_{component.reference}_{unit.number}"
                assert (unit.pins[plus], unit.pins[minus]) == ("GND", unit.pins[output])


def test_matched_pairs_share_a_package() -> None:
    circuit = integrators(network(3))
    assembly = assemble(circuit)
    for k in range(3):
        component = assembly.by_reference[f"Q{100 * (k + 1) + 1}"]
        assert component.roles == (f"Q_v_{k}_1", f"Q_v_{k}_2")
        assert component.pins["3"] == component.pins["6"] == f"v_emitter_{k}"
    assert assembly.by_reference["Q1"].roles == ("Q_tail_line", "Q_v_0_tail")


def test_the_same_text_under_another_hash_seed(tmp_path: Path) -> None:
    script = tmp_path / "write.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from assembled import CIRCUITS\n"
        "from hopfield_hw.assembly import assemble, write_bill, write_library\n"
        "for make in CIRCUITS.values():\n"
        "    assembly = assemble(make())\n"
        "    print(assembly.components, assembly.sheets, write_bill(assembly), write_library(assembly))\n",
        encoding="utf-8",
    )
    tests = str(Path(__file__).parent.parent)
    texts = [
        subprocess.run(
            [sys.executable, str(script), tests],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 10_000


def _changed(assembly: Assembly, which: str, **how: Any) -> Assembly:
    components = tuple(
        replace(component, **how) if component.reference == which else component for component in assembly.components
    )
    return replace(assembly, components=components)


def _with_pins(component: Component, pins: dict[str, str | None], unit: int = 1) -> tuple[Unit, ...]:
    return tuple(replace(u, pins={**u.pins, **pins}) if u.number == unit else u for u in component.units)


def test_each_planted_difference_is_named() -> None:
    assembly = assemble(integrators(network(2)))
    resistor = assembly.by_role["R_syn_0_1"][0]
    package, section = assembly.by_role["X_x_1"]
    output = BY_UNIT[4][section.number - 1][2]
    tap = assembly.by_role["R_v_0_tap"][0]
    shunt = assembly.by_role["V_reference_set"][0]
    cases = {
        "a value": _changed(assembly, resistor.reference, value="47k"),
        "a pin": _changed(assembly, resistor.reference, units=_with_pins(resistor, {"1": "v_0"})),
        "a pin of a section": _changed(
            assembly, package.reference, units=_with_pins(package, {output: "v_0"}, section.number)
        ),
        "a drift": _changed(assembly, tap.reference, fields={"Tolerance": "1%"}),
        "not simulated": _changed(assembly, resistor.reference, simulated=False),
        "another model": _changed(assembly, package.reference, fields={**package.fields, "Sim.Name": "tl074_00000000"}),
        "another voltage": _changed(assembly, shunt.reference, fields={**shunt.fields, "Sim.Params": "dc=4"}),
        "one missing": replace(assembly, components=tuple(c for c in assembly.components if c is not resistor)),
        "a supply": _changed(assembly, package.reference, units=_with_pins(package, {"4": "-12V", "11": "+12V"}, 5)),
    }
    for name, changed in cases.items():
        assert next(find_differences(changed, changed.circuit), None) is not None, name
        with pytest.raises(InputError, match="assembly 'integrators' is not its circuit: "):
            check_against_circuit(changed)


def test_a_reference_that_is_there_twice_is_refused() -> None:
    assembly = assemble(integrators(network(2)))
    with pytest.raises(InputError, match="reference 'R102' is there twice; name one otherwise"):
        _changed(assembly, "R201", reference="R102")


def test_the_reset_brings_each_state_to_what_is_applied() -> None:
    """1 kOhm across the capacitor and 1 kOhm from the start: v ends at minus what is applied, and x = -v."""
    assembly = assemble(integrators(network(2)))
    across, unit = assembly.by_role["reset_1"]
    from_start, second = assembly.by_role["preset_1"]
    assert across.symbol == from_start.symbol == "DG442"
    assert across.simulated is False
    sections = PACKAGES["DG442"].sections
    a, b, control = (unit.pins[pin] for pin in sections[unit.number - 1])
    assert (a, control) == ("x_sum_1", "RESET")
    resistor = assembly.by_role["reset_1_resistor"][0]
    assert (resistor.value, set(resistor.pins.values())) == ("1k", {b, "xn_1"})
    a, b, control = (second.pins[pin] for pin in sections[second.number - 1])
    assert (b, control) == ("x_sum_1", "RESET")
    resistor = assembly.by_role["preset_1_resistor"][0]
    assert (resistor.value, set(resistor.pins.values())) == ("1k", {a, "START_1"})
    start = assembly.by_role["connector_start"][0]
    assert dict(start.pins) == {"1": "START_0", "2": "START_1", "3": "GND"}
    pull = assembly.by_role["reset_pull"][0]
    assert set(pull.pins.values()) == {"RESET", "GND"}
    assert assembly.by_reference["J6"].pins["1"] == "+12V"


def test_small_supplies_take_a_4066_whose_reset_is_at_the_lower_rail_when_open() -> None:
    cell = hh.InvertingIntegrator(
        op_amp=op_amp("MCP6002", (2.75, -2.75)), amplifier="differential_pair", reference=2.048
    )
    net = hh.Network(weights=[[0.0, 1e-5], [1e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=2.0))
    assembly = assemble(hh.lower(net.graph(), cell=cell))
    check_against_circuit(assembly)
    switches = [c for c in assembly.components if c.symbol == "CD4066B"]
    assert len(switches) == 1
    assert {assembly.supplies[switches[0].pins[pin] or ""] for pin in ("14", "7")} == {2.75, -2.75}
    assert set(assembly.by_role["reset_pull"][0].pins.values()) == {"RESET", "-2.75V"}
    assert assembly.by_role["V_reference_n"][0].pins == {"1": "GND", "2": "reference_n", "3": None}


def test_clocked_circuits_have_their_clock_on_a_connector_and_switches_in_packages() -> None:
    circuit = in_rc(clocked())
    assembly = assemble(circuit)
    clock = assembly.by_role["connector_clock"][0]
    assert dict(clock.pins) == {"1": "clock_acquire", "2": "clock_transfer", "3": "GND"}
    inside, unit = assembly.by_role["G_x_master_0"]
    assert (inside.symbol, inside.simulated) == ("DG442", True)
    assert unit.pins[PACKAGES["DG442"].sections[unit.number - 1][2]] == "clock_acquire"
    assert circuit.clock == Clock(period=1e-3)
    multiplier = assembly.by_role["B_p_0"][0]
    assert (multiplier.pins["8"], multiplier.pins["2"]) == ("GND", "GND")
    assert assembly.sheets["block_p"] == "Hadamard p"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: hh.lower(linear(), cell="ideal"),
            "assemble: device G_w_0_1, a voltage-controlled current source: a board holds parts alone; choose a cell "
            "of resistors, such as 'inverting_integrator'",
        ),
        (
            lambda: hh.lower(network(2).graph(), cell="inverting_integrator"),
            "an op-amp of an ideal model, IdealGain: a board needs one with supplies; give the cell op_amp='TL074'",
        ),
        (
            lambda: hh.lower(alike(2).graph(), cell=hh.InvertingIntegrator(op_amp="TL074")),
            "a current source: a board holds parts alone; choose an amplifier of parts, such as "
            "InvertingIntegrator(amplifier='differential_pair')",
        ),
        (
            lambda: hh.lower(network(2).graph(), cell="ideal"),
            "assemble: device B_v_0, a behavioural source: a board holds parts alone; choose an amplifier of parts, "
            "such as InvertingIntegrator(amplifier='differential_pair'), or ActiveRC(multiplier='ad633') for products",
        ),
        (
            lambda: integrators(network(50), buffered=False),
            "mA, a LM4040-5.0 at most 10 mA: make the board with design_board, which buffers its reference, or take "
            "larger resistors",
        ),
        (lambda: in_rc(clocked(), (6.0, -6.0)), "its rails must be 8 V to 18 V on either side"),
        (lambda: network(2), "assemble: Network: must be a Board, of design_board, or a Circuit"),
    ],
)
def test_what_no_board_holds_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        assemble(make())
    assert message in str(caught.value)


def test_op_amps_without_a_known_package_are_refused() -> None:
    circuit = integrators(network(2))
    with pytest.raises(InputError, match=r"op-amp 'TL99' has no data sheet here .* give `op_amp`, one of"):
        assemble(circuit, op_amp="TL99")
    with pytest.raises(InputError, match=r"op-amp 'MCP6001' is in no package .* such as 'MCP6002'"):
        assemble(circuit, op_amp="MCP6001")
    with pytest.raises(InputError, match=r"`op_amp` = 4: must be the name of a part, or a DataSheet"):
        assemble(circuit, op_amp=4)  # type: ignore[arg-type]
    own = replace(find_data_sheet("TL074"), name="OWN", amplifiers=2)
    assert {c.value for c in assemble(circuit, op_amp=own).components if c.symbol == "OpAmp_Dual"} == {"OWN"}


@pytest.mark.parametrize("name", ["", "two words", "1st", "a/b", "x" * 80])
def test_names_of_files_are_checked(name: str) -> None:
    with pytest.raises(InputError, match=r"`assemble\.name`"):
        assemble(integrators(network(2)), name=name)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A memory", "a_memory"),
        ("4-bit A/D converter", "board_4_bit_a_d_converter"),
        ("Memory of 64 neurons that recalls handwritten digits", "memory_of_64_neurons_that_recalls"),
        ("x" * 60, "x" * 40),
        ("°", "board"),
    ],
)
def test_a_name_is_made_from_the_title(title: str, name: str) -> None:
    assert assemble(replace(integrators(network(2)), title=title)).name == name


def test_a_common_line_is_shared() -> None:
    assembly = assemble(integrators(alike(4), common_line=True))
    adder, unit = assembly.by_role["X_syn_line"]
    assert unit.sheet == "power"
    assert assembly.by_role["R_syn_to_2"][1].sheet == "neuron_2"
    references = [assembly.by_role[f"R_syn_from_{k}"][0].reference for k in range(4)]
    assert len(set(references)) == 4
    assert adder.symbol == "OpAmp_Quad"


def test_the_library_has_each_model_once() -> None:
    assembly = assemble(integrators(network(3)))
    text = write_library(assembly)
    defined = [line.split()[1] for line in text.splitlines() if line.startswith((".subckt", ".model"))]
    assert len(defined) == len(set(defined))
    named = {c.fields["Sim.Name"] for c in assembly.components if "Sim.Name" in c.fields}
    assert named <= set(defined)
    assert "/" not in text.splitlines()[0]
