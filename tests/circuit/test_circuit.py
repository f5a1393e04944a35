"""The circuit: names that are safe in a netlist, origins both ways, driven sources, and the text line by line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.cells import CELLS
from hopfield_hw.circuit import Circuit, Device, Origin, Probe, Role
from hopfield_hw.functions import Logistic, PiecewiseLinear, Tanh
from hopfield_hw.functions.expressions import ARGUMENT, Argument
from hopfield_hw.graph import Activate, Affine, Graph, Hadamard, Input, Leak, Output
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.parts import (
    Behaviour,
    Capacitor,
    CurrentSource,
    IdealGain,
    Line,
    OpAmp,
    Part,
    Pulse,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    VoltageGain,
    VoltageSource,
)
from hopfield_hw.spice.dialects import DIALECTS, write
from hopfield_hw.spice.dialects.dialect import WIDTH, wrap
from hopfield_hw.spice.dialects.ngspice import format_transient
from hopfield_hw.spice.transient import circuit_deck
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.signals import Signal

ORIGIN = Origin("x", Role.RESISTANCE, (0,))

NETWORK = Network(
    weights=[[0.0, -2.5e-5], [5e-5, 0.0]],
    resistance=[1e4, 2e4],
    capacitance=[1e-7, 2e-7],
    gain=Tanh(gain=[5.0, 7.0], amplitude=2.0),
    bias=[1e-6, 0.0],
    initial=[0.5, -0.25],
    input_weights=[[0.0], [-1e-6]],
)


def resistor(name: str, *nodes: str, value: Any = 1.0) -> Device:
    return device(name, Resistor(value), *(nodes or ("a", "0")))


def device(name: str, part: Part, *nodes: str) -> Device:
    return Device(name, part, nodes, ORIGIN)


def circuit(*devices: Device, **others: Any) -> Circuit:
    fields: dict[str, Any] = {"title": "t", "cell": "ideal", "graph_hash": "0", "initial": {}, "states": ()}
    return Circuit(devices=devices, **{**fields, "outputs": (), **others})


def refused(message: str, *devices: Device, **others: Any) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        circuit(*devices, **others)


# Text, line by line

# By cell, the blocks after the title and the graph: what names mean, what is shared, and a neuron after the other.
LEGEND = {
    "ideal": ["states: 0 = v(x_0), 1 = v(x_1)", "outputs: 0 = v(v_0), 1 = v(v_1)"],
    "hopfield_tank": ["states: 0 = v(x_0), 1 = v(x_1)", "outputs: 0 = v(v_0), 1 = v(v_1)"],
    "inverting_integrator": ["states: 0 = -v(xn_0), 1 = -v(xn_1)", "outputs: 0 = v(v_0), 1 = v(v_1)"],
}
GOLDEN = {
    "ideal": """\
* inputs
V_u_0 u_0 0 DC 0
*
* neuron 0
C_x_0 x_0 0 1e-07
R_x_0 x_0 0 10000
B_v_0 v_0 0 V=2.0*tanh(5.0/2.0*v(x_0))
G_syn_0_1 0 x_0 v_1 0 -2.5e-05
I_syn_0 0 x_0 1e-06
*
* neuron 1
C_x_1 x_1 0 2e-07
R_x_1 x_1 0 20000
B_v_1 v_1 0 V=2.0*tanh(7.0/2.0*v(x_1))
G_syn_1_0 0 x_1 v_0 0 5e-05
G_syn_u_1_0 0 x_1 u_0 0 -1e-06
""",
    # 1/rho_0 = 100 - 25 = 75 uS; 1/rho_1 = 50 - 50 - 1 < 0 without the halving of the weight below.
    "hopfield_tank": """\
* inputs
V_u_0 u_0 0 DC 0
*
* neuron 0
C_x_0 x_0 0 1e-07
R_x_0 x_0 0 13333.33333333
R_syn_0_1 vn_1 x_0 40000
I_syn_0 0 x_0 1e-06
B_v_0 v_0 0 V=2.0*tanh(5.0/2.0*v(x_0))
*
* neuron 1
C_x_1 x_1 0 2e-07
R_x_1 x_1 0 41666.66666667
R_syn_1_0 v_0 x_1 40000
R_syn_u_1_0 un_0 x_1 1000000
B_v_1 v_1 0 V=2.0*tanh(7.0/2.0*v(x_1))
E_inv_v_1 vn_1 0 v_1 0 -1
*
* u
E_inv_u_0 un_0 0 u_0 0 -1
""",
    "inverting_integrator": """\
* inputs
V_u_0 u_0 0 DC 0
*
* neuron 0
C_x_0 x_sum_0 xn_0 1e-07
R_x_0 x_sum_0 xn_0 10000
E_x_0 xn_0 0 0 x_sum_0 10000000
R_syn_0_1 vn_1 x_sum_0 40000
I_syn_0 0 x_sum_0 1e-06
B_v_0 v_0 0 V=2.0*tanh(5.0/2.0*(-v(xn_0)))
*
* neuron 1
C_x_1 x_sum_1 xn_1 2e-07
R_x_1 x_sum_1 xn_1 20000
E_x_1 xn_1 0 0 x_sum_1 10000000
R_syn_1_0 v_0 x_sum_1 20000
R_syn_u_1_0 un_0 x_sum_1 1000000
B_v_1 v_1 0 V=2.0*tanh(7.0/2.0*(-v(xn_1)))
R_inv_v_1_in v_1 vn_1_inv 10000
R_inv_v_1_feedback vn_1 vn_1_inv 10000
E_inv_v_1 vn_1 0 0 vn_1_inv 10000000
*
* u
R_inv_u_0_in u_0 un_0_inv 10000
R_inv_u_0_feedback un_0 un_0_inv 10000
E_inv_u_0 un_0 0 0 un_0_inv 10000000
""",
}
TANK_WEIGHTS = [[0.0, -2.5e-5], [2.5e-5, 0.0]]


def words_of(line: str) -> list[str | float]:
    """Return the words of a line, numbers as numbers: their last digit may differ from one libm to another."""
    return [float(word) if re.fullmatch(r"-?\d[\d.]*(e[+-]?\d+)?", word) else word for word in line.split(" ")]


def blocks_of(text: str) -> dict[str, list[list[str | float]]]:
    """Return by heading the lines of a block, in the order of their names: within a block the order is free."""
    blocks = [block.splitlines() for block in re.split(r"^\*\n", text, flags=re.MULTILINE)]
    return {heading: sorted(map(words_of, lines), key=str) for heading, *lines in blocks}


@pytest.mark.parametrize("cell", GOLDEN)
def test_text_line_by_line(cell: str) -> None:
    net = replace(NETWORK, weights=TANK_WEIGHTS) if cell == "hopfield_tank" else NETWORK
    made = lower(net.graph(), cell=cell, title="two neurons")
    head, _, text = made.netlist("ngspice").partition("\n*\n")
    assert head.splitlines() == [
        "* two neurons",
        f"* cell {cell}; graph sha256 {net.graph().hash}",
        *(f"* {line}" for line in LEGEND[cell]),
    ]
    found, expected = blocks_of(text), blocks_of(GOLDEN[cell])
    assert list(found) == list(expected)
    for heading, lines in expected.items():
        assert [words[0] for words in found[heading]] == [words[0] for words in lines]
        for left, right in zip(found[heading], lines, strict=True):
            # A netlist has 13 digits.
            assert left == [pytest.approx(word, rel=1e-12) if isinstance(word, float) else word for word in right]
    assert lower(net.graph(), cell=cell, title="two neurons").netlist() == made.netlist()


def test_numbers_are_exponents_never_suffixes() -> None:
    text = circuit(resistor("R_1", value=1e6), resistor("R_2", value=2e-3)).netlist()
    assert text.splitlines()[2:] == ["*", "* x", "R_1 a 0 1000000", "R_2 a 0 0.002"]


PRODUCT = Argument(0) * Argument(1)


def test_each_part_has_its_own_form() -> None:
    """Within the netlist of a circuit; `tests/spice/test_dialects.py` has those of the other dialects."""
    made = circuit(
        device("V_1", VoltageSource(1.5), "a", "0"),
        device("V_2", VoltageSource(((0.0, 1.0), (1e-3, -2.0))), "b", "0"),
        device("V_3", VoltageSource(Pulse(0.0, 1.0, 1e-3, 1e-6, 2e-3, 4e-3)), "k", "0"),
        device("I_1", CurrentSource(-2e-6), "0", "a"),
        device("C_1", Capacitor(1e-9), "a", "b"),
        device("G_1", Transconductance(-1e-3), "0", "c", "a", "b"),
        device("G_2", Transconductor(2e-3), "0", "c", "a", "b"),
        device("G_3", Transconductor(2e-3, 0.5), "0", "c", "a", "b"),
        device("G_4", Switch(1.0, 1e3), "a", "c", "k", "0"),
        device("E_1", VoltageGain(1e6), "d", "0", "0", "c"),
        device("E_2", OpAmp(IdealGain(1e5)), "a", "c", "g"),
        device("E_3", OpAmp(IdealGain(1e5), 1e-3), "a", "c", "h"),
        device("B_1", Behaviour(PRODUCT), "e", "0", "a", "b"),
        device("B_2", Behaviour(2.0 * ARGUMENT, "current"), "e", "0", "a"),
        device("T_1", Line(1e-3, 50.0, -0.5), "e", "0", "f", "0"),
    )
    assert made.shortest_delay == 1e-3
    assert made.netlist().splitlines()[4:] == [
        "V_1 a 0 DC 1.5",
        "V_2 b 0 PWL(0.0 1.0 0.001 -2.0)",
        "V_3 k 0 PULSE(0.0 1.0 0.001 1e-06 1e-06 0.002 0.004)",
        "I_1 0 a -2e-06",
        "C_1 a b 1e-09",
        "G_1 0 c a b -0.001",
        "G_2 0 c a b 0.002",
        "G_3 0 c cur='0.001*tanh(v(a,b)/0.5)'",
        "G_4 a c cur='(0.001+0.999*v(k))*v(a,c)'",
        "E_1 d 0 0 c 1000000",
        "E_2 g 0 a c 100000",
        "V_E_3_os E_3_os a 0.001",
        "E_3 h 0 E_3_os c 100000",
        "B_1 e 0 V=v(a)*v(b)",
        "B_2 e 0 I=2.0*v(a)",
        "T_1 e 0 f 0 Z0=50 TD=0.001 REL=3.0 IC=-0.5,-0.01,-0.5,0.01",
    ]


def test_analysis_gives_every_state_its_start() -> None:
    text = format_transient({"x_0": 0.5, "x_1": -1.0}, ["x_0", "x_1", "x_0"], t_stop=1e-3, step=1e-6, options=["a=1"])
    assert text.splitlines() == [
        ".ic v(x_0)=0.5 v(x_1)=-1.0",
        ".save v(x_0) v(x_1)",
        ".options a=1",
        ".tran 1e-06 0.001 0 1e-06 uic",
        ".end",
    ]


def test_long_cards_are_continued() -> None:
    words = [f"v(x_{k})" for k in range(100)]
    lines = wrap(".save", words)
    assert lines[0].startswith(".save v(x_0)")
    assert all(line.startswith("+ ") for line in lines[1:])
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(lines).replace("+ ", "").split() == [".save", *words]
    assert wrap(".save", []) == []


# Names


def test_dialects_are_listed_for_an_unknown_one() -> None:
    with pytest.raises(InputError, match=re.escape("dialect 'pspice': must be one of ngspice, ltspice, xyce")):
        write(circuit(), "pspice")


def test_devices_have_plain_names() -> None:
    for name in ("", "R 1", "R_1\n.control", "R.1", "1", "_R"):
        refused(f"device {name!r}: must be a plain name: letters, digits and _, a letter first", resistor(name))
    # Its letter is the matter of a dialect, which puts it before the name.
    assert circuit(resistor("X_1")).netlist().splitlines()[-1] == "R_X_1 a 0 1"


def test_a_device_holds_a_part() -> None:
    refused("device 'R_1': 1.0 is not a part; take one of hopfield_hw.parts", Device("R_1", 1.0, ("a", "0"), ORIGIN))  # type: ignore[arg-type]


def test_nodes_are_plain_names() -> None:
    for node in ("a b", "a\n.include x", "a.b", "1", "00", "", "gnd", "GND"):
        refused(f"device R_1: node {node!r} is not a plain name, or reserved; rename it", resistor("R_1", node, "0"))


def test_devices_that_collide_after_case_folding_are_refused() -> None:
    message = "devices 'R_a' and 'R_A' are one name in SPICE; rename one"
    refused(message, resistor("R_a"), resistor("R_A"))
    refused("devices 'R_a' and 'R_a' are one name in SPICE; rename one", resistor("R_a"), resistor("R_a"))


def test_nodes_that_collide_after_case_folding_are_refused() -> None:
    # In the order of the devices: a message must not depend on the hash seed.
    for k in range(4):
        message = f"nodes 'Na{k}' and 'na{k}' are one name in SPICE; rename one"
        refused(message, resistor("R_1", f"Na{k}", "0"), resistor("R_2", f"na{k}", "0"))


def test_devices_have_the_nodes_of_their_kind() -> None:
    refused("device R_1: has 3 nodes, a resistor has 2", resistor("R_1", "a", "b", "c"))
    message = "device G_1: has 2 nodes, a voltage-controlled current source has 4"
    refused(message, device("G_1", Transconductance(1.0), "a", "0"))


def test_a_node_that_only_controls_is_refused() -> None:
    message = "device G_1: nothing drives its node 'b'"
    refused(message, resistor("R_1"), device("G_1", Transconductance(1.0), "0", "a", "b", "0"))


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator"])
def test_labels_name_nodes_and_devices(cell: str) -> None:
    made = lower(replace(NETWORK, weights=TANK_WEIGHTS, labels=("Left", "9")).graph(), cell=cell)
    nodes = {node for device in made.devices for node in device.nodes}
    assert {"v_Left", "v_9", "u_0"} <= nodes
    assert [probe.label for probe in made.states] == [probe.label for probe in made.outputs] == ["Left", "9"]
    # Devices have the labels of their neurons in their names, so that a reader finds them.
    synapse = "G" if cell == "ideal" else "R"
    names = {"C_x_Left", "C_x_9", "B_v_Left", f"{synapse}_syn_Left_9", f"{synapse}_syn_u_9_0", "I_syn_Left"}
    assert names <= {device.name for device in made.devices}


def leak(name: str, labels: tuple[str, ...] | None = None) -> Leak:
    values = {"capacitance": [1e-7] * 2, "resistance": [1e4] * 2, "initial": [0.0] * 2}
    return Leak(name=name, labels=labels, **values)  # type: ignore[arg-type]


def negative_pair(first: str, second: str, activate: str) -> Graph:
    """Two populations: `first` drives itself by -1/(2 R) through its gain `activate`; `second` is alone."""
    return Graph(
        operators=(
            leak(first),
            Activate(name=activate, size=2, function=Tanh()),
            Affine(name="syn", weights=np.eye(2) * -5e-5),
            leak(second),
        ),
        edges=((first, activate), (activate, "syn"), ("syn", first)),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("graph", "cell"),
    [
        (Graph(operators=(leak("x", ("1_0", "1_1")), leak("x_1")), edges=()), "ideal"),
        (Graph(operators=(leak("x", ("1_0", "1_1")), leak("X_1")), edges=()), "ideal"),
        (negative_pair("x", "vn", "v"), "hopfield_tank"),
        (negative_pair("v", "w", "vn"), "inverting_integrator"),
    ],
    ids=["labels", "case", "complement rail", "inverted state"],
)
def test_nodes_of_two_operators_never_coincide(graph: Graph, cell: str) -> None:
    """Two operators that share a node are shorted: another network, without any error."""
    with pytest.raises(InputError, match="rename"):
        lower(graph, cell=cell)


def test_nodes_of_sums_never_coincide_with_an_operator() -> None:
    """Two drivers of `v` are added up at separate nodes; here an operator has their names."""
    graph = Graph(
        operators=(
            leak("x"),
            Input(name="u", size=2),
            Activate(name="v", size=2, function=Tanh()),
            leak("v_in_sum"),
            Output(name="o", size=2),
        ),
        edges=(("x", "v"), ("u", "v"), ("v", "o")),  # type: ignore[arg-type]
    )
    with pytest.raises(InputError, match="rename"):
        lower(graph, cell="ideal")


# Origins


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator"])
def test_origins_lead_both_ways(cell: str) -> None:
    made = lower(replace(NETWORK, weights=TANK_WEIGHTS).graph(), cell=cell)
    graph = replace(NETWORK, weights=TANK_WEIGHTS).graph()
    for device in made.devices:
        assert made.device(device.name.lower()) is device
        assert made.origin(device.name) == device.origin
        assert device in made.devices_from(device.origin.operator, device.origin.element)
        assert device.origin.operator in graph.by_name
    synapse = "G" if cell == "ideal" else "R"
    assert [d.name for d in made.devices_from("syn", (0, 1))] == [f"{synapse}_syn_0_1"]
    assert [d.name for d in made.devices_from("syn", (0,), "bias")] == ["I_syn_0"]
    assert {d.name for d in made.devices_from("x", (1,))} >= {"C_x_1", "R_x_1"}
    assert [d.name for d in made.devices_from("x", (1,), "capacitance")] == ["C_x_1"]
    assert [d.name for d in made.devices_from("v", (1,), "function")] == ["B_v_1"]
    assert made.devices_from("syn", (1, 1)) == ()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("cell", CELLS)
def test_each_line_of_a_netlist_finds_its_device(cell: str, dialect: str) -> None:
    """Also where a dialect writes an element under another letter, or an offset as a source of its own."""
    gain = PiecewiseLinear(gain=5.0) if cell == "chua_yang" else NETWORK.gain
    made = lower(replace(NETWORK, weights=TANK_WEIGHTS, gain=gain), cell=cell)
    names = {d.name: d._replace(part=replace(d.part, offset=1e-3)) for d in made.devices if isinstance(d.part, OpAmp)}
    made = replace(made, devices=tuple(names.get(device.name, device) for device in made.devices))
    lines = [line.split()[0] for line in made.netlist(dialect).splitlines() if line[:1].isalpha()]
    assert {made.device(line).name for line in lines} == {device.name for device in made.devices}


def test_an_unknown_device_is_refused() -> None:
    made = lower(NETWORK.graph(), title="two neurons")
    message = "'two neurons' has no device 'R_syn_9_9'; `trace` takes a name from the netlist"
    with pytest.raises(InputError, match=re.escape(message)):
        made.origin("R_syn_9_9")


def test_a_product_knows_its_origin() -> None:
    graph = Graph(
        operators=(leak("x"), Hadamard(name="p", size=2), Activate(name="v", size=2, function=Logistic())),
        edges=(("x", "v"), ("x", "p", "left"), ("v", "p", "right"), ("p", "x")),  # type: ignore[arg-type]
    )
    made = lower(graph)
    product = made.device("B_p_1")
    assert (product.part, product.nodes[2:]) == (Behaviour(PRODUCT), ("x_1", "v_1"))
    assert "B_p_1 p_1 0 V=v(x_1)*v(v_1)" in made.netlist().splitlines()
    assert str(made.origin("B_p_1")) == "p.product[1]"


# Driven sources


def test_driven_sets_the_sources_and_leaves_the_circuit() -> None:
    made = lower(NETWORK.graph())
    driven = made.driven(0.75)
    assert made.inputs == ("V_u_0",)
    assert driven.device("V_u_0").value == 0.75
    assert made.device("V_u_0").value == 0.0
    assert made.driven(None) is made
    assert driven.states == made.states
    again = driven.driven(Signal(times=[0.0, 1e-3], values=[[0.0], [2.0]]))
    assert again.device("V_u_0").part == VoltageSource(((0.0, 0.0), (0.001, 2.0)))
    assert "V_u_0 u_0 0 PWL(0.0 0.0 0.001 2.0)" in again.netlist().splitlines()


def test_driven_takes_one_value_for_each_source_in_order() -> None:
    graph = Graph(
        operators=(leak("x"), Input(name="b", size=2), Input(name="a", size=2, labels=("p", "q"))),
        edges=(("a", "x"), ("b", "x")),  # type: ignore[arg-type]
    )
    made = lower(graph).driven([1.0, 2.0, 3.0, 4.0])
    assert made.inputs == ("V_b_0", "V_b_1", "V_a_0", "V_a_1")
    assert [made.device(name).value for name in made.inputs] == [1.0, 2.0, 3.0, 4.0]
    assert made.device("V_a_1").nodes == ("a_q", "0")


def test_driven_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match=re.escape("`inputs` has 2 elements: must have 1")):
        lower(NETWORK.graph()).driven(Signal(times=[0.0], values=[[1.0, 2.0]]))
    with pytest.raises(InputError, match=re.escape("`inputs` has shape (2,): must have shape (1,)")):
        lower(NETWORK.graph()).driven([1.0, 2.0])
    with pytest.raises(InputError, match=re.escape("'hopfield_hw' has no inputs: leave `inputs` out")):
        lower(replace(NETWORK, input_weights=None).graph()).driven(1.0)


# Probes


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator"])
def test_what_is_probed_and_started_is_there(cell: str) -> None:
    made = lower(replace(NETWORK, weights=TANK_WEIGHTS).graph(), cell=cell)
    nodes = {node for device in made.devices for node in device.nodes}
    assert {probe.node for probe in (*made.states, *made.outputs)} | set(made.initial) <= nodes
    assert len(made.initial) == 2
    for probe, x0 in zip(made.states, NETWORK.initial, strict=True):
        assert probe.scale * made.initial[probe.node] == x0
    assert made.time_constant == 4e-3


def test_probes_of_nodes_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="'zz'"):
        circuit(resistor("R_1"), states=(Probe("0", "zz"),))
    with pytest.raises(InputError, match="'zz'"):
        circuit(resistor("R_1"), outputs=(Probe("0", "zz"),))
    with pytest.raises(InputError, match="'zz'"):
        circuit(resistor("R_1"), initial={"zz": 1.0})


# Blocks


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator"])
def test_each_device_is_in_one_block(cell: str) -> None:
    made = lower(replace(NETWORK, weights=TANK_WEIGHTS, labels=("left", "right")).graph(), cell=cell)
    blocks = made.blocks
    assert sorted(device.name for block in blocks for device in block.devices) == sorted(d.name for d in made.devices)
    headings = [block.heading for block in blocks]
    assert headings[:3] == ["inputs", "neuron left", "neuron right"]
    synapse = "G" if cell == "ideal" else "R"
    right = {device.name for device in blocks[2].devices}
    assert {"C_x_right", "B_v_right", f"{synapse}_syn_right_left", f"{synapse}_syn_u_right_0"} <= right
    assert all(heading in made.netlist() for heading in headings)


def test_klu_is_for_dense_circuits_without_switches() -> None:
    rng = np.random.default_rng(0)
    dense = hh.Network(weights=rng.normal(size=(30, 30)) * 1e-4, resistance=1e4, capacitance=1e-7)
    grid = hh.families.CellularNetwork(template=hh.families.TEMPLATES["diffusion"], image=np.zeros((6, 6)))
    many = hh.Network(weights=rng.normal(size=(100, 100)) * 1e-4, resistance=1e4, capacitance=1e-7)
    clocked = hh.transforms.hold_outputs(many, period=1e-3)  # as dense, but it has switches
    for graph, cell, klu in (
        (dense, "ideal", True),
        (dense, "hopfield_tank", True),
        (grid.graph(), "chua_yang", False),
        (clocked, "ideal", False),
    ):
        circuit = hh.lower(graph, cell=cell, rescale=True)
        assert circuit_deck(circuit).klu == klu, circuit.node_count
