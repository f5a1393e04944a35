"""Lowering: what each cell builds, what it refuses and how it says so, the exact rescaling; ngspice is the judge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from hopfield_hw.cells import CELLS, Fragment, Ideal, InvertingIntegrator
from hopfield_hw.circuit import Circuit, Draft
from hopfield_hw.equations import OdeProgram, solve
from hopfield_hw.functions import (
    Clip,
    Function,
    HardLimiter,
    Identity,
    Logistic,
    PiecewiseLinear,
    Polynomial,
    Softmax,
    Table,
    Tanh,
)
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Edge,
    Graph,
    Hadamard,
    Hold,
    Input,
    Leak,
    Operator,
    Output,
    Quantise,
    Stencil,
    Units,
)
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.parts import Behaviour
from hopfield_hw.spice.transient import simulate
from hopfield_hw.transforms.rescale import rescale_states
from hopfield_hw.values.errors import InputError, Unrealisable
from hopfield_hw.values.measures import nrmse
from hopfield_hw.values.signals import Signal

R, C = 1e4, 1e-7
TAU = R * C
ACCURACY = 1e-4


def loaded(total: float, **others: Any) -> Network:
    """Three neurons, the second of which has weights that add up to `total` / R."""
    weights = np.array([[0.0, 0.3, 0.0], [-0.5, 0.2, 0.3], [0.1, 0.0, 0.0]]) * total / R
    fields = {"resistance": R, "capacitance": C, "gain": Tanh(gain=6.0), "initial": [0.3, -0.2, 0.1], **others}
    return Network(weights=weights, **fields)


def assert_ngspice_agrees(circuit: Circuit, graph: Graph, **others: Any) -> None:
    wave = simulate(circuit, accuracy=ACCURACY, points=401, **others)
    reference = solve(graph, accuracy=ACCURACY, points=401, **others)
    assert nrmse(reference.state.values, wave.state.values) < ACCURACY
    assert nrmse(reference.output.values, wave.output.values) < 10.0 * ACCURACY  # a gain of 6 amplifies the error


# The passive node


def test_leak_is_what_the_weights_leave_of_the_total() -> None:
    rng = np.random.default_rng(3)
    resistance = rng.uniform(0.5e4, 2e4, 5)
    weights = rng.uniform(-1.0, 1.0, (5, 5)) * (rng.uniform(size=(5, 5)) < 0.6) / 2e5
    inputs = rng.uniform(-1.0, 1.0, (5, 2)) / 1e5
    net = Network(weights=weights, resistance=resistance, capacitance=C, bias=1e-6, input_weights=inputs)
    circuit = lower(net.graph(), cell="hopfield_tank")
    for i in range(5):
        conductance = 1.0 / resistance[i] - sum(abs(w) for w in weights[i]) - sum(abs(b) for b in inputs[i])
        assert circuit.device(f"R_x_{i}").value == pytest.approx(1.0 / conductance, rel=1e-12)
        for j in range(5):
            devices = circuit.devices_from("syn", (i, j))
            assert [d.value for d in devices] == ([] if weights[i, j] == 0 else [pytest.approx(1 / abs(weights[i, j]))])


def test_cells_that_do_not_load_keep_the_total() -> None:
    for cell in ("ideal", "inverting_integrator"):
        circuit = lower(loaded(5.0).graph(), cell=cell)
        assert [circuit.device(f"R_x_{i}").value for i in range(3)] == [R] * 3


def test_at_the_limit_there_is_no_leak_resistor() -> None:
    circuit = lower(loaded(1.0).graph(), cell="hopfield_tank")
    assert circuit.devices_from("x", (1,), "resistance") == ()
    assert circuit.device("R_x_0").value == pytest.approx(R / 0.7, rel=1e-12)


def test_no_weight_no_resistor_and_no_rail() -> None:
    circuit = lower(Network(weights=np.zeros((2, 2)), resistance=R, capacitance=C).graph(), cell="hopfield_tank")
    assert sorted(d.name for d in circuit.devices) == ["B_v_0", "B_v_1", "C_x_0", "C_x_1", "R_x_0", "R_x_1"]


def test_an_unrealisable_leak_is_refused_with_its_cure() -> None:
    with pytest.raises(Unrealisable) as caught:
        lower(loaded(2.5, labels=("a", "b", "c")).graph(), cell="hopfield_tank")
    assert str(caught.value) == (
        "hopfield_tank, neuron b of 'x': its weights add up to 250 uS, above 1/R = 100 uS, so its leak would be "
        "negative; the exact cure is to multiply state, weights and bias by s = 0.4 at most and the slope by 1/s, "
        "gain 6 becomes 15: lower(..., rescale=True) or --rescale does it; or use cell='inverting_integrator'"
    )


def test_inputs_load_the_node_too() -> None:
    net = loaded(0.75, input_weights=[[0.0], [-0.5 / R], [0.0]])
    with pytest.raises(Unrealisable, match=re.escape("its weights add up to 125 uS, above 1/R = 100 uS")):
        lower(net.graph(), cell="hopfield_tank")
    with pytest.raises(Unrealisable, match=re.escape("by s = 0.8 at most")):
        lower(net.graph(), cell="hopfield_tank")


@pytest.mark.parametrize("total", [1.5, 7.0, 1.1, 3.3333])
def test_printed_s_works_by_hand(total: float) -> None:
    net = loaded(total)
    with pytest.raises(Unrealisable) as caught:
        lower(net.graph(), cell="hopfield_tank")
    s = float(re.search(r"by s = (\S+) at most", str(caught.value))[1])  # type: ignore[index]
    assert s == pytest.approx(1.0 / total, rel=2e-5)  # six digits
    by_hand = replace(net, weights=net.weights * s, initial=net.initial * s, gain=Tanh(gain=6.0 / s))
    lower(by_hand.graph(), cell="hopfield_tank")


def test_the_factor_is_that_of_the_worst_neuron() -> None:
    """Neuron 0 is 3 times above 1/R, neuron 1 twice, though by more siemens."""
    net = Network(weights=np.diag([3e-4, 2e-3]), resistance=[1e4, 1e3], capacitance=C)
    assert CELLS["hopfield_tank"].rescaling(net.graph()) == {"x": pytest.approx(1.0 / 3.0, rel=1e-15)}
    assert CELLS["hopfield_tank"].rescaling(loaded(0.9).graph()) == {}
    for cell in ("ideal", "inverting_integrator"):
        assert CELLS[cell].rescaling(net.graph()) == {}


def test_no_rescaling_cures_an_integrator() -> None:
    net = Network(weights=[[0.0, 1e-4], [0.0, 0.0]], resistance=[np.inf, R], capacitance=C)
    message = "no rescaling gives a passive node an infinite R: use cell='inverting_integrator'"
    for rescale in (False, True):
        with pytest.raises(Unrealisable, match=f"neuron 0 of 'x'.*{re.escape(message)}"):
            lower(net.graph(), cell="hopfield_tank", rescale=rescale)


# The exact rescaling


@pytest.mark.parametrize(
    "gain",
    [
        Tanh(gain=6.0),
        Logistic(gain=[2.0, 4.0, 6.0]),
        PiecewiseLinear(gain=3.0),
        Table(x=[-0.5, 0.1, 0.6], y=[-1.0, 0.2, 1.0]),
    ],
    ids=lambda gain: gain.kind,
)
def test_rescaling_leaves_the_equation(gain: Any) -> None:
    """x -> s x: the slope is s times as large, and the outputs are the same."""
    net = loaded(4.0, gain=gain, bias=[1e-5, -2e-5, 3e-5], input_weights=[[1.0 / R], [0.0], [-0.5 / R]])
    s, u = 0.15, Signal(times=[0.0], values=[[0.4]])
    plain, scaled = OdeProgram([net.graph()], u), OdeProgram([rescale_states(net.graph(), {"x": s})], u)
    np.testing.assert_allclose(scaled.initial, s * plain.initial, rtol=1e-14)
    for x in np.random.default_rng(4).normal(size=(5, 3)):
        np.testing.assert_allclose(scaled.rhs(0.0, s * x), s * plain.rhs(0.0, x), rtol=1e-11)
        np.testing.assert_allclose(scaled.outputs(0.0, s * x), plain.outputs(0.0, x), rtol=1e-12)


def test_rescaling_leaves_the_outputs() -> None:
    net = loaded(4.0, bias=[1e-5, -2e-5, 3e-5])
    waves = [
        solve(graph, t_stop=9.0 * TAU, accuracy=1e-8, points=101)
        for graph in (net.graph(), rescale_states(net.graph(), {"x": 0.125}))
    ]
    # Both are integrated to 1e-12, a ten-thousandth of the accuracy.
    np.testing.assert_allclose(waves[1].output.values, waves[0].output.values, rtol=0, atol=1e-9)
    np.testing.assert_allclose(waves[1].state.values, 0.125 * waves[0].state.values, rtol=0, atol=1e-9)


def test_rescaling_goes_to_the_limit_and_the_probes_take_it_back(ngspice: str) -> None:
    net = loaded(4.0, bias=[1e-5, -2e-5, 3e-5], input_weights=[[0.2 / R], [1.0 / R], [-0.5 / R]])
    circuit = lower(net.graph(), cell="hopfield_tank", rescale=True)
    s = 1.0 / 5.0
    assert [probe.scale for probe in circuit.states] == pytest.approx([1.0 / s] * 3, rel=1e-15)
    assert list(circuit.initial.values()) == pytest.approx((net.initial * s).tolist(), rel=1e-14)
    assert circuit.devices_from("x", (1,), "resistance") == ()
    assert circuit.device("R_syn_1_0").value == pytest.approx(R / 2.0 / s, rel=1e-15)
    assert circuit.device("R_syn_u_1_0").value == pytest.approx(R / s, rel=1e-15)
    assert circuit.device("I_syn_2").value == pytest.approx(3e-5 * s, rel=1e-15)
    assert circuit.device("B_v_0").part == Behaviour(Tanh(gain=6.0 / s).curve())
    assert circuit.graph_hash == net.graph().hash
    assert_ngspice_agrees(circuit, net.graph(), inputs=0.3)


def two_populations() -> Graph:
    """A bidirectional memory whose two layers need different factors: 1/2 and 1/8."""
    return Graph(
        operators=(
            Leak(name="a", capacitance=[C, C], resistance=[R, R], initial=[0.4, -0.3]),
            Leak(name="b", capacitance=[2 * C], resistance=[R], initial=[0.2]),
            Activate(name="f", size=2, function=Tanh(gain=2.0)),
            Activate(name="g", size=1, function=Logistic(gain=3.0)),
            Affine(name="ab", weights=np.array([[2.0], [-1.0]]) / R, bias=[-1e-4, 0.5e-4]),
            Affine(name="ba", weights=np.array([[5.0, -3.0]]) / R),
            Output(name="o", size=2),
        ),
        edges=tuple(
            Edge(*e) for e in (("a", "f"), ("f", "ba"), ("ba", "b"), ("b", "g"), ("g", "ab"), ("ab", "a"), ("f", "o"))
        ),
    )


@pytest.mark.parametrize("cell", CELLS)
def test_each_population_has_its_own_factor(cell: str, ngspice: str) -> None:
    graph = two_populations()
    factors = {"a": 0.5, "b": 0.125} if cell == "hopfield_tank" else {}
    assert CELLS[cell].rescaling(graph) == pytest.approx(factors)
    circuit = lower(graph, cell=cell, rescale=True)
    assert [probe.label for probe in circuit.states] == ["a_0", "a_1", "b_0"]
    assert_ngspice_agrees(circuit, graph)


def state_output() -> Graph:
    """A network that needs s = 1/3, with an Output on its state."""
    graph = loaded(3.0).graph()
    edges = tuple(Edge("x", "output") if edge.target == "output" else edge for edge in graph.edges)
    return Graph(operators=graph.operators, edges=edges)


@pytest.mark.parametrize("cell", CELLS)
def test_an_output_of_a_state(cell: str, ngspice: str) -> None:
    graph = state_output()
    circuit = lower(graph, cell=cell, rescale=True)
    wave = simulate(circuit, accuracy=ACCURACY, points=201)
    reference = solve(graph, points=201)
    assert nrmse(reference.state.values, wave.output.values) < ACCURACY


# What is refused


def followed_by(operator: Operator) -> Graph:
    graph = loaded(0.5).graph()
    edges = [edge for edge in graph.edges if edge.target != "output"]
    edges += [Edge("v", operator.name, port) for port in operator.ports]
    return Graph(operators=(*graph.operators, operator), edges=(*edges, Edge(operator.name, "output")))


REFUSED_BY_NEURONS: dict[str, Operator] = {
    "Softmax 'soft'": Activate(name="soft", size=3, function=Softmax()),
    "Hadamard 'p'": Hadamard(name="p", size=3),
    "Identity 'line'": Activate(name="line", size=3, function=Identity()),
    "Tanh 'twice'": Activate(name="twice", size=3, function=Tanh()),
    "Affine 'w'": Affine(name="w", weights=np.eye(3)),
    "Hold 'h'": Hold(name="h", clock=Clock(period=1e-3), initial=np.zeros(3)),
    "Quantise 'q'": Quantise(name="q", size=3, levels=4, lower=0.0, upper=1.0),
}


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
@pytest.mark.parametrize("what", REFUSED_BY_NEURONS)
def test_neurons_refuse_what_only_ideal_covers(cell: str, what: str) -> None:
    graph = followed_by(REFUSED_BY_NEURONS[what])
    message = f"cell {cell!r} does not lower {what}; cell='ideal' covers more"
    with pytest.raises(Unrealisable, match=f"^{re.escape(message)}$"):
        lower(graph, cell=cell)
    lower(graph, cell="ideal")


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
def test_neurons_refuse_a_leak_with_other_drivers(cell: str) -> None:
    graph = loaded(0.5).graph()
    direct = Graph(operators=graph.operators, edges=(*graph.edges, Edge("v", "x")))
    message = f"cell {cell!r} does not lower Leak 'x', Tanh 'v', Affine 'syn'; cell='ideal' covers more"
    with pytest.raises(Unrealisable, match=f"^{re.escape(message)}$"):
        lower(direct, cell=cell)


@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "inverting_integrator", "chua_yang"])
def test_a_stencil_is_lowered_as_its_matrix(cell: str) -> None:
    graph = loaded(0.5).graph()
    stencil = Stencil(template=[[1e-5, 0.0, -2e-5]], shape=(1, 3), boundary="fixed", edge=0.5)

    def devices(affine: Affine) -> object:
        operators = tuple(affine if op.name == "syn" else op for op in graph.operators)
        return lower(Graph(operators=operators, edges=graph.edges), cell=cell).devices

    expected = Affine(name="syn", weights=stencil.sparse, bias=[0.5e-5, 0.0, -1e-5])
    assert devices(Affine(name="syn", weights=stencil)) == devices(expected)


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
def test_neurons_refuse_an_output_that_adds_up(cell: str) -> None:
    graph = followed_by(Activate(name="w", size=3, function=Identity()))
    both = Graph(operators=graph.operators, edges=(*graph.edges, Edge("v", "output")))
    message = f"cell {cell!r} does not lower Output 'output', Identity 'w'; cell='ideal' covers more"
    with pytest.raises(Unrealisable, match=f"^{re.escape(message)}$"):
        lower(both, cell=cell)


def test_an_unknown_cell_is_refused() -> None:
    message = f"cell 'tank': must be one of {', '.join(CELLS)}, or a cell object of your own"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        lower(loaded(0.5).graph(), cell="tank")


def test_a_weight_too_small_for_a_resistor_is_refused() -> None:
    net = Network(weights=[[0.0, 1e-310], [0.0, 0.0]], resistance=R, capacitance=C)
    message = "`syn.weights[0, 1]` = 1e-310 S: is too small for a resistor; set it to 0"
    for cell in ("hopfield_tank", "inverting_integrator"):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            lower(net.graph(), cell=cell)


def test_an_open_loop_gain_is_positive() -> None:
    message = "`InvertingIntegrator.op_amp = -1.0 V/V`: must be positive"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        InvertingIntegrator(op_amp=-1.0)


# Cells of one's own


@dataclass(frozen=True)
class Halves:
    """The ideal cell, that also knows two operators at once, and counts what it was asked to build."""

    built: list[tuple[str, ...]]
    name: str = "halves"
    law: str = "that of ideal"

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        singles = {fragment.operators[0]: fragment for fragment in Ideal().fragments(graph)}
        for names in [*((name,) for name in singles), ("x", "syn")]:
            yield Fragment(names, partial(self._build, [singles[name] for name in names]))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        return {}

    def _build(self, parts: list[Fragment], draft: Draft) -> None:
        self.built.append(tuple(part.operators[0] for part in parts))
        for part in parts:
            part.build(draft)


def test_the_largest_pattern_goes_first_and_nothing_is_built_twice() -> None:
    cell = Halves([])
    circuit = lower(loaded(0.5).graph(), cell=cell, title="mine")
    assert cell.built[0] == ("x", "syn")
    assert sorted(name for names in cell.built for name in names) == ["syn", "v", "x"]
    plain = lower(loaded(0.5).graph(), cell="ideal")
    assert sorted(map(str, circuit.devices)) == sorted(map(str, plain.devices))
    assert (circuit.cell, circuit.title) == ("halves", "mine")


# ngspice against the reference, beyond one population


def chain(units: Units) -> Graph:
    """Products, chained Affines, a plain function, sums at ports, an Affine for two, a stencil with a fixed edge."""
    operators = (
        Leak(name="x", capacitance=[1.0, 2.0, 1.5], resistance=[1.0, 0.5, 2.0], initial=[0.3, -0.2, 0.1]),
        Leak(name="y", capacitance=[1.5, 0.7, 1.0], resistance=[np.inf, 2.0, 1.0], initial=[0.1, 0.4, 0.0]),
        Input(name="u", size=3),
        Activate(name="v", size=3, function=Tanh(gain=[3.0, 2.0, 1.0], amplitude=0.8)),
        Activate(name="f", size=3, function=Polynomial(coefficients=[0.1, -0.3, 0.2])),
        Activate(name="g", size=3, function=Clip(lower=[-0.1, -np.inf, 0.0], upper=[np.inf, 0.05, 0.3])),
        Affine(name="inner", weights=[[0.5, -0.2, 0.0], [0.1, 0.4, 0.3], [0.0, 0.0, -1.0]], bias=[0.05, -0.02, 0.0]),
        Affine(name="outer", weights=sp.csr_array([[0.2, 0.0, 0.1], [0.6, 0.1, 0.0], [0.0, -0.7, 0.0]])),
        Affine(name="grid", weights=Stencil(template=[[0.2, -0.1, 0.3]], shape=(1, 3), boundary="fixed", edge=0.6)),
        Hadamard(name="p", size=3),
        Output(name="o", size=3),
        Output(name="z", size=3),
    )
    edges = (
        ("x", "v"),
        ("v", "inner"),
        ("inner", "outer"),
        ("outer", "x"),
        ("u", "x"),
        ("y", "f"),
        ("f", "p", "left"),
        ("x", "p", "left"),
        ("v", "p", "right"),
        ("p", "x"),
        ("p", "o"),
        ("inner", "g"),
        ("u", "g"),
        ("g", "grid"),
        ("grid", "y"),
        ("f", "y"),
        ("y", "z"),
    )
    return Graph(operators=operators, edges=tuple(Edge(*edge) for edge in edges), units=units)


def test_ideal_realises_any_graph(ngspice: str) -> None:
    seconds = 1e-3
    graph = chain(Units(volts_per_unit=2.0, siemens_per_unit=1e-4, seconds_per_unit=seconds))
    drive = Signal(times=np.array([0.0, 2.0, 3.0]) * seconds, values=np.outer([0.0, 1.0, -0.5], [0.3, -0.2, 0.5]))
    assert_ngspice_agrees(lower(graph), graph, inputs=drive, t_stop=4.0 * seconds)


def test_a_network_in_units_of_its_own_is_built_in_si(ngspice: str) -> None:
    net = Network.dimensionless(
        [[0.0, -1.5], [1.2, 0.4]], tau=[1.0, 2.0], gain=Tanh(gain=3.0), bias=[0.2, 0.0], initial=0.1, volts=0.5
    )
    for cell in CELLS:
        circuit = lower(net.graph(), cell=cell, rescale=True)
        assert circuit.time_constant == pytest.approx(2e-3)
        assert_ngspice_agrees(circuit, net.graph(), t_stop=10e-3)


def test_an_integrator_is_realised_by_an_inverting_integrator(ngspice: str) -> None:
    net = Network(
        weights=np.array([[0.0, -1.0], [1.0, -0.2]]) / R,
        resistance=[np.inf, R],
        capacitance=C,
        gain=Tanh(gain=2.0),
        initial=[0.5, 0.0],
    )
    circuit = lower(net.graph(), cell="inverting_integrator")
    assert circuit.devices_from("x", (0,), "resistance") == ()
    assert_ngspice_agrees(circuit, net.graph(), t_stop=10.0 * TAU)


def test_a_hard_limiter_survives_rescaling() -> None:
    net = loaded(4.0, gain=HardLimiter(amplitude=2.0))
    curve: Function = net.gain
    circuit = lower(net.graph(), cell="hopfield_tank", rescale=True)
    assert circuit.device("B_v_0").part == Behaviour(curve.curve())


def test_a_rescaled_netlist_says_so() -> None:
    net = loaded(4.0)
    plain, scaled = (lower(net.graph(), cell=cell, rescale=True) for cell in ("inverting_integrator", "hopfield_tank"))
    (factor,) = {probe.scale for probe in scaled.states}
    assert factor > 1.0
    assert scaled.netlist().splitlines()[2] == f"* rescaled: states are {factor!r} times the voltages of their nodes"
    assert "rescaled" not in plain.netlist()
