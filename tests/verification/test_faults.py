"""Planted faults: each fails, and the devices named include the planted ones."""

from __future__ import annotations

import pytest

from hopfield_hw.designs.design import Design, load_design
from hopfield_hw.designs.export import design_circuit, rescales
from hopfield_hw.values.errors import InputError
from hopfield_hw.verification import Verification, verify
from hopfield_hw.verification.faults import Fault, Planted, parse_fault, plant

# Each kind of fault in each design, in a cell whose netlist has such devices. The two weights of the flip-flop are
# equal, so there a weight and a leak are swapped; in the passive cell these are equal too.
FAULTS = (
    ("flip_flop", "sign:0,1", "hopfield_tank"),
    ("flip_flop", "swap:0,1:0", "inverting_integrator"),
    ("flip_flop", "factor:0,1:2", "hopfield_tank"),
    ("flip_flop", "missing:1,0", "inverting_integrator"),
    ("flip_flop", "capacitor:0:2", "ideal"),
    ("ad_converter_4bit", "sign:0,1", "inverting_integrator"),
    ("ad_converter_4bit", "swap:0,1:2,1", "hopfield_tank"),
    ("ad_converter_4bit", "factor:2,1:2", "hopfield_tank"),
    ("ad_converter_4bit", "missing:1,3", "inverting_integrator"),
    ("ad_converter_4bit", "capacitor:3:2", "hopfield_tank"),
    ("limit_cycle", "sign:0,1", "hopfield_tank"),
    ("limit_cycle", "swap:0,0:0,1", "inverting_integrator"),
    ("limit_cycle", "factor:1,0:2", "hopfield_tank"),
    ("limit_cycle", "missing:1,1", "inverting_integrator"),
    ("limit_cycle", "capacitor:1:2", "ideal"),
    ("digit_memory", "sign:3,7", "hopfield_tank"),
    ("digit_memory", "swap:3,7:19,3", "inverting_integrator"),
    ("digit_memory", "factor:20,41:2", "hopfield_tank"),
    ("digit_memory", "missing:12,50", "ideal"),
    ("digit_memory", "capacitor:33:2", "inverting_integrator"),
)
# The faults move the memory by 2e-2 and more: this is enough to see them, and a third of the steps.
MEMORY_ACCURACY = 1e-3


def planted_in(design: Design, cell: str, fault: str) -> Planted:
    return plant(design_circuit(design, cell).driven(design.inputs), parse_fault(fault))


def judged(design: Design, cell: str, deck: str) -> Verification:
    return verify(
        design.graph(),
        cell=cell,
        t_stop=design.t_stop,
        inputs=design.inputs,
        accuracy=MEMORY_ACCURACY if design.name == "digit_memory" else design.accuracy,
        rescale=rescales(design, cell),
        deck=deck,
    )


def test_each_kind_of_fault_is_planted_in_each_design() -> None:
    assert len(FAULTS) == 20
    assert len({(name, fault.partition(":")[0]) for name, fault, _ in FAULTS}) == 20


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(("name", "fault", "cell"), FAULTS)
def test_a_planted_fault_falls_short_and_is_named(name: str, fault: str, cell: str) -> None:
    design = load_design(name)
    planted = planted_in(design, cell, fault)
    result = judged(design, cell, planted.text)
    named = [device for suspect in result.suspects for device in suspect.devices]
    assert not result.passed
    assert named, result
    assert named[0] in planted.devices, result
    assert set(planted.devices) <= set(named), result


@pytest.mark.usefixtures("ngspice")
def test_the_same_netlist_without_a_fault_passes() -> None:
    design = load_design("flip_flop")
    result = judged(design, "hopfield_tank", design_circuit(design, "hopfield_tank").netlist())
    assert result.passed
    assert result.suspects == ()


# What the fault changes in the netlist, and in the order of its lines: those that go, those that come.
EFFECTS = {
    "a resistor's sign": (
        ("flip_flop", "hopfield_tank", "sign:0,1"),
        ["R_syn_0_1 vn_1 x_0 20000"],
        ["R_syn_0_1 v_1 x_0 20000"],
    ),
    "a sign whose rail is not there": (
        ("limit_cycle", "hopfield_tank", "sign:0,0"),
        ["R_syn_0_0 v_0 x_0 33333.33333333"],
        ["R_syn_0_0 v_0_n x_0 33333.33333333", "E_inv_v_0 v_0_n 0 v_0 0 -1"],
    ),
    "a transconductance's sign": (
        ("flip_flop", "ideal", "sign:1,0"),
        ["G_syn_1_0 0 x_1 v_0 0 -5e-05"],
        ["G_syn_1_0 0 x_1 v_0 0 5e-05"],
    ),
    "a resistor's factor": (
        ("flip_flop", "inverting_integrator", "factor:0,1:4"),
        ["R_syn_0_1 vn_1 x_sum_0 20000"],
        ["R_syn_0_1 vn_1 x_sum_0 5000"],
    ),
    "a transconductance's factor": (
        ("flip_flop", "ideal", "factor:0,1:0.5"),
        ["G_syn_0_1 0 x_0 v_1 0 -5e-05"],
        ["G_syn_0_1 0 x_0 v_1 0 -2.5e-05"],
    ),
    "a swap": (
        ("limit_cycle", "ideal", "swap:0,0:0,1"),
        ["G_syn_0_0 0 x_0 v_0 0 3e-05", "G_syn_0_1 0 x_0 v_1 0 -6e-05"],
        ["G_syn_0_0 0 x_0 v_0 0 -6e-05", "G_syn_0_1 0 x_0 v_1 0 3e-05"],
    ),
    "a device that is missing": (("flip_flop", "ideal", "missing:1,0"), ["G_syn_1_0 0 x_1 v_0 0 -5e-05"], []),
    "a capacitor": (
        ("flip_flop", "ideal", "capacitor:1:2"),
        ["C_x_1 x_1 0 1e-08"],
        ["C_x_1 x_1 0 2e-08"],
    ),
}


@pytest.mark.parametrize(("case", "gone", "come"), EFFECTS.values(), ids=EFFECTS)
def test_a_fault_changes_its_lines_alone(case: tuple[str, str, str], gone: list[str], come: list[str]) -> None:
    name, cell, fault = case
    design = load_design(name)
    before = design_circuit(design, cell).netlist().splitlines()
    after = planted_in(design, cell, fault).text.splitlines()
    assert sorted(set(before) - set(after)) == sorted(gone)
    assert sorted(set(after) - set(before)) == sorted(come)
    assert len(after) == len(before) - len(gone) + len(come)


@pytest.mark.parametrize(
    "text", ["sign:3,7", "swap:0,1:2,3", "swap:0:2,3", "factor:3,7:2", "missing:0,0", "capacitor:5:0.5"]
)
def test_a_fault_is_printed_as_it_is_read(text: str) -> None:
    assert str(parse_fault(text)) == text


FORMS = (
    "must be one of sign:I,J, swap:I,J:K,L, factor:I,J:F, missing:I,J, capacitor:I:F, with indices of neurons from 0 on"
)
REFUSED = {
    "sign:3": f"fault 'sign:3': {FORMS}",
    "sign:-1,2": f"fault 'sign:-1,2': {FORMS}",
    "swap:1,2": f"fault 'swap:1,2': {FORMS}",
    "short:1,2": f"fault 'short:1,2': {FORMS}",
    "": f"fault '': {FORMS}",
    "factor:0,1:0": "fault 'factor:0,1:0': its factor must be a positive number other than 1",
    "factor:0,1:1e999": "fault 'factor:0,1:1e999': its factor must be a positive number other than 1",
    "factor:0,1:1.": "fault 'factor:0,1:1.': its factor must be a positive number other than 1",
    "capacitor:0:..": "fault 'capacitor:0:..': its factor must be a positive number other than 1",
    "sign:2,0": "fault sign:2,0: there is no neuron 2; must be 0 to 1",
    "capacitor:7:2": "fault capacitor:7:2: there is no neuron 7; must be 0 to 1",
    "missing:1,1": "fault missing:1,1: syn.weights[1, 1] is 0, so no device realises it; choose another",
    "swap:0,1:1,0": (
        "fault swap:0,1:1,0: G_syn_0_1 and G_syn_1_0 have the same value, so nothing changes; choose others"
    ),
    "swap:0,1:0": "fault swap:0,1:0: G_syn_0_1 and R_x_0 are not of one kind; choose others",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=REFUSED)
def test_a_fault_that_cannot_be_planted_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        planted_in(load_design("flip_flop"), "ideal", text)
    assert str(refused.value) == message


def test_a_device_that_is_not_there_is_refused() -> None:
    """A fault in a circuit that has lost its device already, though its graph has the weight."""
    fault = Fault("missing", ((0, 1),))
    planted = plant(design_circuit(load_design("flip_flop")), fault)
    assert planted.devices == ("G_syn_0_1",)
    with pytest.raises(InputError) as refused:
        plant(planted.circuit, fault)
    assert str(refused.value).startswith("fault missing:0,1: ")
    assert str(refused.value).endswith("no device realises it; choose another")


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator"])
def test_a_fault_leaves_the_circuit_it_is_planted_in(cell: str) -> None:
    circuit = design_circuit(load_design("limit_cycle"), cell)
    before = circuit.devices
    for text in ("sign:0,1", "swap:0,0:0,1", "factor:1,0:2", "missing:1,1", "capacitor:1:2"):
        planted = plant(circuit, parse_fault(text))
        assert circuit.devices == before
        assert planted.circuit.devices != before
        assert (planted.circuit.states, planted.circuit.initial) == (circuit.states, circuit.initial)
        unchanged = [device for device in before if device.name not in planted.devices]
        assert [device for device in planted.circuit.devices if device in unchanged] == unchanged
