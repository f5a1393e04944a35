"""Every operator with weights in every form, in every machine, against the same network given as a matrix and a bias.

W and the constant of a Stencil are taken here from `np.pad`, cell by cell, and not from the package.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.analysis.amplification import amplification
from hopfield_hw.analysis.cohen_grossberg_energy import cohen_grossberg_energy
from hopfield_hw.analysis.energy import energy, has_energy
from hopfield_hw.cells import CELLS
from hopfield_hw.cli import run as run_command
from hopfield_hw.cli import tracing
from hopfield_hw.designs.design import load_design
from hopfield_hw.equations import DelayProgram, Growth, MapProgram, OdeProgram, decision_margins
from hopfield_hw.equations.asynchronous import run_asynchronous
from hopfield_hw.families import (
    bam,
    cohen_grossberg,
    discrete_bam,
    discrete_hopfield,
    generalised_hopfield,
    static_field,
)
from hopfield_hw.functions import Polynomial, Tanh
from hopfield_hw.graph import (
    Activate,
    Affine,
    Edge,
    Graph,
    Hadamard,
    Input,
    Leak,
    Output,
    Sign,
    Stencil,
    Units,
    Weights,
    parse_graph,
)
from hopfield_hw.graph.weights import BOUNDARIES, freeze_weights
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.icarus import simulate_verilog
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.transforms import add_delay, add_delay_by_edge, add_neutral_delays, in_si, rescale_states
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import Unrealisable
from hopfield_hw.values.signals import Signal
from hopfield_hw.verification.faults import parse_fault, plant

SHAPE = (2, 3)
N = SHAPE[0] * SHAPE[1]
EDGE = 0.7
FORMS = ("dense", "sparse", *BOUNDARIES)
# What `np.pad` calls them.
PADS: Mapping[str, Any] = {"zero": "constant", "fixed": "constant", "periodic": "wrap", "zero_flux": "edge"}
# Of all that is wrong in the last place: sums of up to 12 terms, in other orders.
ROUNDING = {"rtol": 1e-12, "atol": 1e-12}
# Volts other than 1, so that an edge has to be scaled with them.
UNITS = Units(volts_per_unit=0.5, siemens_per_unit=1e-4, seconds_per_unit=1e-3)
TEMPLATE = np.array([[0.1, -0.5, 0.25], [0.4, 0.3, -0.2], [0.0, 0.6, -0.1]])
# W is symmetric with it, whatever lies outside the grid.
SYMMETRIC = np.array([[0.1, -0.5, 0.1], [0.4, 0.3, 0.4], [0.1, -0.5, 0.1]])
WHOLE = np.array([[0.0, -1.0, 1.0], [2.0, 1.0, -1.0], [0.0, 1.0, -2.0]])
BIAS = np.array([0.3, -0.2, 0.1, 0.0, 0.25, -0.15])
START = np.array([0.4, -0.3, 0.2, 0.1, -0.5, 0.6])
SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])
RUN = {"t_stop": 4e-3, "points": 41}

Build = Callable[[Any, Any], Graph]


class Given(NamedTuple):
    """Weights in one form, and the W and c that they mean."""

    weights: Any
    matrix: Array
    constant: Array


def give(form: str, template: Array = TEMPLATE) -> Given:
    """Return weights in a form, and what they mean by the definition."""
    boundary = form if form in PADS else "zero"
    (high, wide), (rows, columns) = (np.array(template.shape) // 2, SHAPE)

    def apply(grid: Array, edge: float = 0.0) -> Array:
        fixed = {"constant_values": edge} if PADS[boundary] == "constant" else {}
        around: Array = np.pad(grid, ((high, high), (wide, wide)), mode=PADS[boundary], **fixed)
        parts = [w * around[p : p + rows, q : q + columns] for (p, q), w in np.ndenumerate(template)]
        return np.sum(parts, axis=0).reshape(-1)

    edge = EDGE if form == "fixed" else 0.0
    matrix = np.stack([apply(cell.reshape(SHAPE)) for cell in np.eye(N)], axis=1)
    weights = {"dense": matrix, "sparse": sp.csr_array(matrix)}.get(form)
    if weights is None:
        weights = Stencil(template=template, shape=SHAPE, boundary=boundary, edge=edge)
    return Given(weights, matrix, apply(np.zeros(SHAPE), edge))


def pair(build: Build, form: str, template: Array = TEMPLATE) -> tuple[Graph, Graph]:
    """Return a network with weights in a form, and the same one with a matrix and a bias."""
    given = give(form, template)
    return build(given.weights, 0.0), build(given.matrix, given.constant)


def build_hopfield(weights: Any, constant: Any) -> Graph:
    return generalised_hopfield(weights, gain=Tanh(gain=2.0), bias=BIAS + constant, initial=START, units=UNITS)


def build_cohen_grossberg(weights: Any, constant: Any, step: float | None = None) -> Graph:
    functions = {
        "amplification": Polynomial(coefficients=[1.0, 0.0, 0.25]),
        "signal": Tanh(gain=1.5),
        "self_signal": Polynomial(coefficients=[0.0, -1.0]),
    }
    # The weights count with a minus there, and so does what they add.
    return cohen_grossberg(weights, bias=BIAS - constant, initial=START, step=step, units=UNITS, **functions)


def build_driven(weights: Any, constant: Any) -> Graph:
    """Return Leaks that Inputs drive through the weights."""
    return Graph(
        operators=(
            Leak(name="x", capacitance=np.ones(N), resistance=np.ones(N), initial=START),
            Activate(name="v", size=N, function=Tanh()),
            Affine(name="syn", weights=-0.3 * np.eye(N)),
            Input(name="u", size=N),
            Affine(name="syn_u", weights=weights, bias=BIAS + constant),
            Output(name="output", size=N),
        ),
        edges=tuple(Edge(*e) for e in ("xv", "vo", "vs", "sx", "ut", "tx") for e in [[NAMES[c] for c in e]]),
        units=UNITS,
    )


NAMES = {"x": "x", "v": "v", "o": "output", "s": "syn", "u": "u", "t": "syn_u"}

ODES: Mapping[str, Build] = {
    "hopfield": build_hopfield,
    "static_field": lambda w, c: static_field(w, bias=BIAS + c, initial=START, units=UNITS),
    "cohen_grossberg": build_cohen_grossberg,
    "bam": lambda w, c: bam(w, bias_x=BIAS + c, initial_x=START, initial_y=START[::-1], units=UNITS),
    "driven": build_driven,
}
DELAYED: Mapping[str, Build] = {
    "delayed": lambda w, c: add_delay(build_hopfield(w, c), 0.5),
    "delayed by edge": lambda w, c: add_delay_by_edge(build_hopfield(w, c), 0.5),
}
MAPS: Mapping[str, Build] = {
    "hopfield": lambda w, c: generalised_hopfield(w, decay=0.5, bias=BIAS + c, initial=START, discrete=True),
    "static_field": lambda w, c: static_field(w, bias=BIAS + c, initial=START, discrete=True),
    "cohen_grossberg": lambda w, c: build_cohen_grossberg(w, c, step=0.1),
    "signs": lambda w, c: discrete_hopfield(w, bias=BIAS + c, initial=SIGNS),
    "bam of signs": lambda w, c: discrete_bam(w, bias_x=BIAS + c, initial_x=SIGNS, initial_y=SIGNS[::-1]),
}
FIELDS = QFormat(word=16, fraction=10)
FORMATS = FixedPoint(signals=FIELDS, weights=QFormat(word=12, fraction=8))

forms = pytest.mark.parametrize("form", FORMS)


def signal_of(graph: Graph, *, changing: bool = False) -> Signal | None:
    size = sum(op.size for op in graph.of_type(Input))
    if not size:
        return None
    held = np.linspace(-0.4, 0.5, size)
    return Signal(times=[0.0, 1e-3], values=[held, 2.0 * held]) if changing else Signal(times=[0.0], values=[held])


# The types themselves


@forms
def test_the_methods_agree_with_the_definition(form: str, rng: np.random.Generator) -> None:
    given = give(form)
    weights = freeze_weights(given.weights, "weights")
    matrix, x = given.matrix, rng.normal(size=(3, 2, N))
    assert (weights.output_size, weights.input_size) == (N, N)
    assert weights.is_sparse == (form != "dense")
    np.testing.assert_allclose(weights.matrix, matrix, **ROUNDING)
    np.testing.assert_allclose(weights.sparse.toarray(), matrix, **ROUNDING)
    np.testing.assert_allclose(weights.compact @ np.eye(N), matrix, **ROUNDING)
    np.testing.assert_allclose(weights.constant, given.constant, **ROUNDING)
    np.testing.assert_allclose(weights.apply(x), x @ matrix.T, **ROUNDING)
    np.testing.assert_allclose(weights.apply(x[0, 0]), matrix @ x[0, 0], **ROUNDING)
    values, rows, columns = weights.entries()
    assert list(zip(rows, columns, strict=True)) == [tuple(place) for place in np.argwhere(matrix)]
    np.testing.assert_allclose(values, matrix[rows, columns], **ROUNDING)
    other = weights.with_values(2.0 * np.abs(values))
    np.testing.assert_allclose(other.matrix, 2.0 * np.abs(matrix), **ROUNDING)
    np.testing.assert_allclose(weights.sizes().matrix, np.abs(matrix), **ROUNDING)
    np.testing.assert_allclose(weights.scale_rows(BIAS).matrix, BIAS[:, np.newaxis] * matrix, **ROUNDING)
    np.testing.assert_allclose(weights.transpose().matrix, matrix.T, **ROUNDING)
    assert not any(np.any(part.constant) for part in (other, weights.sizes(), weights.transpose()))
    larger = weights.scale(3.0, inputs=2.0)
    np.testing.assert_allclose(larger.matrix, 3.0 * matrix, **ROUNDING)
    np.testing.assert_allclose(larger.constant, 6.0 * given.constant, **ROUNDING)
    assert weights.diagonal() is None
    assert not weights.is_symmetric
    assert freeze_weights(give(form, SYMMETRIC).weights, "weights").is_symmetric


@pytest.mark.parametrize("form", ["dense", "sparse", "fixed"])
def test_a_diagonal_is_found(form: str) -> None:
    given = give(form, np.array([[0.5]]))
    found = freeze_weights(given.weights, "weights").diagonal()
    assert found is not None
    assert found.tolist() == [0.5] * N


def test_a_diagonal_has_no_values_beside_it() -> None:
    for shape in ((2, 3), (2, 2)):
        assert freeze_weights(np.ones(shape), "weights").diagonal() is None


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("second", FORMS)
def test_weights_are_the_same_in_the_same_form_alone(first: str, second: str) -> None:
    one, other = (freeze_weights(give(form).weights, "weights") for form in (first, second))
    assert one.is_same(other) == (first == second)
    assert not one.is_same(one.scale(2.0))


# Equations


@forms
@pytest.mark.parametrize("name", ODES)
@pytest.mark.parametrize("changing", [False, True])
def test_differential_equation(name: str, form: str, changing: bool, rng: np.random.Generator) -> None:
    graph, plain = (in_si(one) for one in pair(ODES[name], form))
    inputs = signal_of(graph, changing=changing)
    program, wanted = OdeProgram([graph], inputs), OdeProgram([plain], inputs)
    x = rng.normal(size=(3, program.size))
    scale = np.abs(wanted.rhs(3e-4, x)).max()
    np.testing.assert_allclose(program.rhs(3e-4, x) / scale, wanted.rhs(3e-4, x) / scale, **ROUNDING)
    np.testing.assert_allclose(program.outputs(3e-4, x), wanted.outputs(3e-4, x), **ROUNDING)
    slopes, expected = (sp.csr_array(one.jacobian(3e-4, x[0])).toarray() for one in (program, wanted))
    np.testing.assert_allclose(slopes / np.abs(expected).max(), expected / np.abs(expected).max(), **ROUNDING)


@forms
def test_the_equation_of_a_hopfield_network_is_the_one_of_the_books(form: str) -> None:
    given = give(form)

    def rhs(_: float, x: Array) -> Array:
        return -x + given.matrix @ np.tanh(2.0 * x) + given.constant + BIAS

    wave = hh.reference(build_hopfield(given.weights, 0.0), accuracy=1e-6, **RUN)
    found = solve_ivp(rhs, (0.0, 4.0), START, t_eval=np.linspace(0.0, 4.0, 41), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(wave["state"], 0.5 * found.y.T, rtol=0, atol=2e-6)


@forms
@pytest.mark.parametrize("name", DELAYED)
def test_delay_equation(name: str, form: str, rng: np.random.Generator) -> None:
    graph, plain = (in_si(one) for one in pair(DELAYED[name], form))
    program, wanted = DelayProgram(graph), DelayProgram(plain)
    x, y = rng.normal(size=N), rng.normal(size=N)
    scale = np.abs(wanted.rhs(0.0, x, y)).max()
    np.testing.assert_allclose(program.rhs(0.0, x, y) / scale, wanted.rhs(0.0, x, y) / scale, **ROUNDING)


@forms
def test_neutral_equation(form: str) -> None:
    """z = x - D x(t - tau) - c starts where x does."""
    given = give(form, 0.3 * TEMPLATE)
    graph = add_neutral_delays(build_hopfield(0.1 * np.eye(N), 0.0), [given.weights], [0.5], history=BIAS)
    expected = START - given.matrix @ BIAS - given.constant
    np.testing.assert_allclose(graph.of_type(Leak)[0].initial, expected, **ROUNDING)


@forms
def test_batch(form: str, rng: np.random.Generator) -> None:
    """Draws that differ in bias and start, and where they are dense in their weights."""
    given, starts = give(form), rng.normal(size=(3, N))
    factors = (1.0, 1.0, 1.2) if form == "dense" else (1.0, 1.0, 1.0)
    draws = [build_hopfield(f * given.weights if f != 1.0 else given.weights, 0.1 * k) for k, f in enumerate(factors)]
    plain = [build_hopfield(f * given.matrix, given.constant + 0.1 * k) for k, f in enumerate(factors)]
    found = hh.reference_batch(draws, initial=starts, accuracy=1e-6, **RUN)["state"]
    for k, (graph, start) in enumerate(zip(plain, starts, strict=True)):
        alone = hh.reference_batch(graph, initial=start[np.newaxis], accuracy=1e-6, **RUN)["state"]
        np.testing.assert_allclose(found[k], alone[0], rtol=0, atol=2e-6)


@forms
@pytest.mark.parametrize("name", MAPS)
def test_map(name: str, form: str, rng: np.random.Generator) -> None:
    graph, plain = pair(MAPS[name], form, WHOLE if "signs" in name else TEMPLATE)
    program, wanted = MapProgram([graph]), MapProgram([plain])
    h = np.sign(rng.normal(size=(4, program.size))) if "signs" in name else rng.normal(size=(4, program.size))
    u = np.zeros((5, 4, 0))
    for found, expected in zip(program.step(h, u[0]), wanted.step(h, u[0]), strict=True):
        np.testing.assert_allclose(found, expected, **ROUNDING)
    for found, expected in zip(program.run(h, u), wanted.run(h, u), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    slopes, expected = (sp.csr_array(one.jacobian(h[0], u[0, 0])).toarray() for one in (program, wanted))
    np.testing.assert_allclose(slopes, expected, **ROUNDING)
    for sign, other in zip(graph.of_type(Sign), plain.of_type(Sign), strict=True):
        np.testing.assert_allclose(sign.band, other.band, rtol=1e-9)


@forms
@pytest.mark.parametrize("seed", range(3))
def test_asynchronous_map(form: str, seed: int) -> None:
    given, starts = give(form, WHOLE), np.sign(np.random.default_rng(seed).normal(size=(8, N)))
    found, expected = (
        run_asynchronous(discrete_hopfield(w, bias=c), rng=np.random.default_rng(seed), initial=starts)
        for w, c in ((given.weights, 0.0), (given.matrix, given.constant))
    )
    assert np.array_equal(found.states, expected.states)
    assert np.array_equal(found.sweeps, expected.sweeps)


def test_an_edge_alone_decides_an_asynchronous_map() -> None:
    stencil = Stencil(template=[[1.0, 0.0, 1.0]], shape=(1, 3), boundary="fixed", edge=5.0)
    found = run_asynchronous(discrete_hopfield(stencil, initial=-1.0), rng=np.random.default_rng(0))
    assert found.states.tolist() == [[1.0, 1.0, 1.0]]


# Analysis


@forms
@pytest.mark.parametrize("name", ODES)
def test_growth(name: str, form: str, rng: np.random.Generator) -> None:
    graph, plain = pair(ODES[name], form)
    inputs = signal_of(graph)
    growth, wanted = Growth(graph, inputs), Growth(plain, inputs)
    states = rng.normal(size=(3, sum(leak.output_size for leak in graph.of_type(Leak))))
    at = np.array([0.0, 1e-4, 2e-4]), states
    np.testing.assert_allclose(growth.bounds(*at), wanted.bounds(*at), rtol=1e-12)
    np.testing.assert_allclose(growth.rates(*at), wanted.rates(*at), rtol=1e-9)
    assert growth.first_step(states[0]) == pytest.approx(wanted.first_step(states[0]), rel=1e-12)


@forms
def test_amplification(form: str) -> None:
    """The solver takes its steps by errors that rounding moves, and the figures with them by a little."""
    graph, plain = (amplification(one, t_stop=2e-3) for one in pair(build_hopfield, form))
    assert graph.growth == pytest.approx(plain.growth, rel=1e-3)
    assert (graph.gate, graph.cut) == (plain.gate, plain.cut)


@forms
def test_decision_margins(form: str) -> None:
    graph, plain = pair(MAPS["signs"], form, WHOLE)
    states = np.sign(np.random.default_rng(1).normal(size=(5, N)))
    found, expected = decision_margins(graph, states)["v"], decision_margins(plain, states)["v"]
    assert np.any(expected < 1.0)
    np.testing.assert_allclose(found, expected, **ROUNDING)


@forms
@pytest.mark.parametrize("name", ["hopfield", "bam"])
def test_energy(name: str, form: str, rng: np.random.Generator) -> None:
    graph, plain = pair(ODES[name], form, SYMMETRIC)
    outputs = 0.4 * rng.uniform(-1.0, 1.0, size=(5, graph.of_type(Leak)[0].output_size * len(graph.of_type(Leak))))
    assert has_energy(graph)
    expected = energy(plain, outputs)
    np.testing.assert_allclose(energy(graph, outputs), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_energy_with_inputs(rng: np.random.Generator) -> None:
    graph, plain = pair(build_driven, "fixed")
    inputs, outputs = signal_of(graph), 0.4 * rng.uniform(-1.0, 1.0, size=(5, N))
    expected = energy(plain, outputs, inputs)
    np.testing.assert_allclose(energy(graph, outputs, inputs), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@forms
def test_energy_of_cohen_and_grossberg(form: str, rng: np.random.Generator) -> None:
    graph, plain = pair(build_cohen_grossberg, form, SYMMETRIC)
    states = rng.normal(size=(5, N))
    np.testing.assert_allclose(cohen_grossberg_energy(graph, states), cohen_grossberg_energy(plain, states), rtol=1e-10)


def test_the_energy_of_cohen_and_grossberg_falls_with_an_edge() -> None:
    """What it is for: a forgotten constant shows without any other network beside it."""
    given = give("fixed", 3.0 * SYMMETRIC)
    graph = build_cohen_grossberg(given.weights, 0.0)
    values = cohen_grossberg_energy(graph, hh.reference(graph, t_stop=4e-3, points=401)["state"].to_numpy())
    assert np.all(np.diff(values) <= 1e-9 * np.ptp(values))


# Transforms and text


@forms
def test_rescaled(form: str, rng: np.random.Generator) -> None:
    graph, plain = (rescale_states(in_si(one), {"x": 0.25}) for one in pair(build_hopfield, form))
    x = rng.normal(size=(3, N))
    expected = OdeProgram([plain]).rhs(0.0, x)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(OdeProgram([graph]).rhs(0.0, x) / scale, expected / scale, **ROUNDING)


@forms
def test_text(form: str) -> None:
    graph, plain = pair(build_hopfield, form)
    again = parse_graph(graph.text)
    assert (again.text, again.hash) == (graph.text, graph.hash)
    before, after, matrix = (one.of_type(Affine)[0] for one in (graph, again, plain))
    assert isinstance(after.weights, Weights)
    assert before.weights.is_same(after.weights)
    np.testing.assert_allclose(after.constant, matrix.constant, **ROUNDING)


@forms
def test_unusual_values(form: str) -> None:
    """A bias and an edge of amperes are warned of alike."""

    def say(graph: Graph) -> list[str]:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            hh.lower(graph)
        return [str(one.message) for one in said]

    graph, plain = (say(one) for one in pair(build_hopfield_in_siemens, form))
    assert any(".bias[" in one for one in plain)
    assert graph == plain


def build_hopfield_in_siemens(weights: Any, constant: Any) -> Graph:
    return generalised_hopfield(weights, bias=10.0 * BIAS + constant, initial=START, units=Units())


# Circuits


def shorten(value: object) -> str:
    """Return a value with its numbers to ten digits, as what follows from sums differs in the last ones."""
    return re.sub(r"\d+\.?\d*(e[+-]?\d+)?", lambda found: f"{float(found[0]):.10g}", str(value))


def check_circuit(graph: Graph, plain: Graph, cell: str) -> None:
    """Fail unless two networks have the same devices between the same nodes in a cell, or are refused alike."""
    try:
        expected = hh.lower(plain, cell=cell, rescale=True)
    except Unrealisable as error:
        with pytest.raises(Unrealisable, match=re.escape(str(error)[:20])):
            hh.lower(graph, cell=cell, rescale=True)
        return
    wanted = {device.name: device for device in expected.devices}
    found = {device.name: device for device in hh.lower(graph, cell=cell, rescale=True).devices}
    assert found.keys() == wanted.keys()
    for name, device in found.items():
        assert (device.nodes, device.origin) == (wanted[name].nodes, wanted[name].origin)
        assert shorten(device.value) == shorten(wanted[name].value)


@forms
@pytest.mark.parametrize("name", ODES)
@pytest.mark.parametrize("cell", CELLS)
def test_circuit(cell: str, name: str, form: str) -> None:
    check_circuit(*pair(ODES[name], form), cell)


@pytest.mark.parametrize("edge", [0.0, EDGE])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reader", ["leak", "product"])
def test_circuit_of_a_diagonal(reader: str, cell: str, edge: float) -> None:
    """Neighbours in a column of one cell all lie outside: W is a diagonal, beside which an edge adds a constant."""

    def build(weights: Any, constant: Any) -> Graph:
        units = replace(UNITS, volts_per_unit=1.0)  # else a product has its own unit
        graph = static_field(0.2 * np.eye(N), bias=BIAS, initial=START, units=units)
        into = Affine(name="into", weights=weights, bias=constant)
        if reader == "leak":
            operators, edges = (*graph.operators, into), [edge for edge in graph.edges if edge != Edge("v", "x")]
            return replace(graph, operators=operators, edges=(*edges, Edge("v", "into"), Edge("into", "x")))
        product, shown = Hadamard(name="p", size=N), Output(name="q", size=N)
        edges = [Edge("x", "into"), Edge("into", "p", "left"), Edge("v", "p", "right"), Edge("p", "q")]
        operators = (*graph.operators, into, product, shown)
        return replace(graph, operators=operators, edges=(*graph.edges, *edges))

    stencil = Stencil(template=[[0.1, 0.5, 0.1]], shape=(N, 1), boundary="fixed", edge=edge)
    plain = build(sp.csr_array(0.5 * np.eye(N)), np.full(N, 0.2 * edge))
    check_circuit(build(stencil, np.zeros(N)), plain, cell)


def test_each_cell_takes_a_stencil_with_an_edge() -> None:
    taken = set()
    for cell in CELLS:
        for build in ODES.values():
            try:
                circuit = hh.lower(pair(build, "fixed")[0], cell=cell, rescale=True)
            except Unrealisable:
                continue
            taken.add(cell)
            assert any(device.origin.role == "bias" for device in circuit.devices)
    assert taken == set(CELLS)


DIAGNOSED = [
    *(("ideal", form) for form in FORMS[1:]),
    ("chua_yang", "fixed"),
    ("inverting_integrator", "fixed"),
    ("active_rc", "fixed"),
]


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(("cell", "form"), DIAGNOSED)
def test_diagnosis(cell: str, form: str) -> None:
    """Of a planted fault the device is named, and what a good circuit's run sees is what it sees of the matrix."""
    graph, plain = pair(build_hopfield, form)
    circuit = hh.lower(graph, cell=cell)
    result = hh.verify(graph, cell=cell, t_stop=10e-3)
    assert result.passed, str(result)
    wanted = hh.verify(plain, cell=cell, t_stop=10e-3).coverage.smallest
    assert result.coverage.smallest.keys() == wanted.keys()
    for name, size in result.coverage.smallest.items():
        assert size == pytest.approx(wanted[name], rel=1e-2), name
    planted = plant(circuit, parse_fault("factor:1,2:1.3"))
    found = hh.verify(graph, cell=cell, deck=planted.text, t_stop=10e-3)
    assert found.verdict == "failed"
    assert planted.devices[0] in found.suspects[0].devices, [str(suspect) for suspect in found.suspects]


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("form", ["sparse", "zero", "fixed"])
def test_diagnosis_of_a_bias(form: str) -> None:
    """The current of a bias, in which that of an edge is, is named with what it is and what it should be."""
    graph, plain = pair(build_hopfield, form)
    circuit = hh.lower(graph, cell="ideal")
    (device,) = circuit.devices_from("syn", (1,), "bias")
    lines = circuit.netlist().splitlines()
    (at,) = [k for k, line in enumerate(lines) if line.startswith(f"{device.name} ")]
    value = float(lines[at].split()[-1])
    lines[at] = " ".join([*lines[at].split()[:-1], repr(1.5 * value)])
    deck = "\n".join(lines) + "\n"
    found, expected = (hh.verify(one, cell="ideal", deck=deck, t_stop=10e-3) for one in (graph, plain))
    assert found.verdict == "failed"
    assert found.suspects[0].devices == (device.name,), [str(suspect) for suspect in found.suspects]
    assert str(found.suspects[0]) == str(expected.suspects[0])


@forms
@pytest.mark.parametrize("item", ["1,4", "bias[0]", "bias[4]"])
def test_trace(item: str, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The value told is the one on the device's line, and that of the network with a matrix."""
    told = []
    for graph in pair(build_hopfield, form):
        design = replace(load_design("flip_flop"), network=graph)
        monkeypatch.setattr(tracing, "load_design", lambda _, given=design: given)
        assert run_command(["trace", "a design", item, "--cell", "ideal", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    found, expected = told
    (device,) = found["devices"]
    assert found["value"] == pytest.approx(expected["value"], rel=1e-12)
    assert found["value"] == pytest.approx(float(device["text"].split()[-1]), rel=1e-12)


# Integers


@forms
@pytest.mark.parametrize("name", MAPS)
def test_integers(name: str, form: str) -> None:
    graph, plain = (lower_to_integers(one, FORMATS) for one in pair(MAPS[name], form, WHOLE))
    for step, other in zip(graph.steps, plain.steps, strict=True):
        assert step._replace(payload=None) == other._replace(payload=None)
        if step.kind == "affine":
            assert np.array_equal(step.payload.weights, other.payload.weights)
            assert np.array_equal(step.payload.bias, other.payload.bias)
    start = np.concatenate([FIELDS.value(values) for values in graph.initial.values()])[np.newaxis]
    found, expected = (FixedMachine(one).run(start, np.zeros((6, 1, 0))) for one in (graph, plain))
    for values, others in zip(found, expected, strict=True):
        assert np.array_equal(values, others)


@forms
def test_clipped_constants(form: str) -> None:
    short = FixedPoint(signals=FIELDS, weights=QFormat(word=5, fraction=4))
    found, expected = (lower_to_integers(one, short).clipped for one in pair(MAPS["hopfield"], form, WHOLE))
    assert "syn" in expected
    assert found == expected


def add_input(graph: Graph) -> Graph:
    """Return a map with an Input, which says in Verilog how many steps there are."""
    operators = (Input(name="u", size=1), Affine(name="syn_u", weights=np.full((N, 1), 0.25)))
    edges = (Edge("u", "syn_u"), Edge("syn_u", "v"))
    return replace(graph, operators=(*graph.operators, *operators), edges=(*graph.edges, *edges))


@pytest.mark.usefixtures("iverilog")
@forms
def test_verilog(form: str) -> None:
    graph, plain = (lower_to_integers(add_input(one), FORMATS) for one in pair(MAPS["signs"], form, WHOLE))
    found, expected = (simulate_verilog(one, {"u": -4000 * np.arange(5)[:, np.newaxis]}) for one in (graph, plain))
    assert np.any(np.ptp(expected["y"], axis=0))
    assert np.array_equal(found["y"], expected["y"])
