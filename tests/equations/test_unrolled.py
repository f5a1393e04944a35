"""Whole sequences at once against one step after the other: random maps, cells and networks, ragged and reversed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from random_maps import random_map

from hopfield_hw.equations import MapProgram, unrolled
from hopfield_hw.equations.sequences import run_sequence, run_steps
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.functions import Logistic, Softmax, Tanh
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Output, Stencil
from hopfield_hw.graph.phases import phases
from hopfield_hw.networks.network import Network
from hopfield_hw.recurrent import GRU, LSTM, RNN
from hopfield_hw.transforms import discretise
from hopfield_hw.values.arrays import Array

# Both sum the same products in another order: some roundings of the largest number that they sum.
ROUNDING = 1e-12


def assert_the_same(graph: Graph, rng: np.random.Generator, *, steps: int = 20, batch: int = 3) -> None:
    program = MapProgram([graph])
    u = rng.normal(size=(steps, batch, program.input_size))
    h = program.initial + 0.1 * rng.normal(size=(batch, program.size))
    lengths = rng.integers(0, steps + 1, size=batch)
    for running in (None, np.arange(steps)[:, np.newaxis] < lengths):
        for reverse in (False, True):
            found = program.run(h, u, running, reverse=reverse)
            expected = run_steps(program, h, u, running, reverse=reverse)
            where = np.ones((steps, batch), dtype=bool) if running is None else running
            assert_close(found[0][where], expected[0][where])
            assert_close(found[1], expected[1])


def assert_close(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(
        found, expected, rtol=0.0, atol=ROUNDING * max(1.0, float(np.abs(expected).max(initial=0.0)))
    )


@pytest.mark.parametrize("seed", range(120))
def test_random_maps(seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    assert_the_same(random_map(rng), rng)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LSTM, {}),
        (LSTM, {"peepholes": np.linspace(-1.0, 1.0, 15), "clip": 1.5}),
        (LSTM, {"input_forget": True}),
        (GRU, {}),
        (GRU, {"linear_before_reset": True}),
        (RNN, {"output_weights": np.ones((2, 5)), "output_activation": Tanh()}),
    ],
)
def test_cells(kind: Any, options: Any, batch: int, rng: np.random.Generator) -> None:
    rows = len(kind.gates) * 5
    w, r, b = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 5)), rng.normal(size=2 * rows)
    cell = kind(input_weights=w, recurrent_weights=r, bias=b, **options)
    assert_the_same(cell.graph(), rng, batch=batch)


def test_networks_stencils_and_softmax(rng: np.random.Generator) -> None:
    weights = rng.normal(size=(6, 6))
    assert_the_same(discrete_hopfield(np.sign(weights + weights.T)), rng)
    net = Network.dimensionless(weights, gain=Tanh(), initial=rng.normal(size=6), volts=1.0)
    assert_the_same(discretise(net, step=0.1), rng)
    grid = Stencil(template=rng.normal(size=(3, 3)), shape=(2, 3), boundary="fixed", edge=0.5)
    operators = (
        Input(name="u", size=6),
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(6)),
        Affine(name="a", weights=grid),
        Affine(name="b", weights=sp.csr_array(np.eye(6))),
        Activate(name="f", size=6, function=Softmax(groups=(2, 4))),
        Output(name="y", size=6),
    )
    edges = (Edge("x", "a"), Edge("u", "b"), Edge("a", "f"), Edge("b", "f"), Edge("f", "x"), Edge("a", "y"))
    assert_the_same(Graph(operators=operators, edges=edges), rng)


def test_inputs_that_an_activation_takes_as_they_are(rng: np.random.Generator) -> None:
    operators = (
        Input(name="u", size=6),
        Hold(name="x", clock=Clock(period=1.0), initial=np.zeros(6)),
        Affine(name="r", weights=rng.normal(size=(6, 6))),
        Affine(name="d", weights=sp.csr_array(np.diag(rng.normal(size=6))), bias=rng.normal(size=6)),
        Activate(name="f", size=6, function=Logistic(gain=0.7, amplitude=1.5)),
        Output(name="y", size=6),
    )
    edges = (Edge("u", "f"), Edge("u", "d"), Edge("d", "f"), Edge("x", "r"), Edge("r", "f"), Edge("f", "x"))
    assert_the_same(Graph(operators=operators, edges=(*edges, Edge("x", "y"))), rng)


def test_many_parts_are_one(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sequences longer than what is held at once, a part of one step, and none."""
    graph = LSTM(input_weights=rng.normal(size=(8, 3)), recurrent_weights=rng.normal(size=(8, 2))).graph()
    x = rng.normal(size=(37, 2, 3))
    whole = run_sequence(graph, x, lengths=[37, 11], reverse=True)
    for numbers in (1, 200):
        monkeypatch.setattr(unrolled, "NUMBERS", numbers)
        parts = run_sequence(graph, x, lengths=[37, 11], reverse=True)
        np.testing.assert_allclose(parts.outputs, whole.outputs, rtol=0.0, atol=1e-15)
        np.testing.assert_allclose(parts.states["c"], whole.states["c"], rtol=0.0, atol=1e-15)
    assert run_sequence(graph, np.zeros((0, 2, 3))).outputs.shape == (0, 2, 2)


def test_the_phases_of_a_cell() -> None:
    found = phases({"h": ["f"], "x": [], "w": ["x"], "r": ["h"], "f": ["w", "r"], "v": ["f"], "y": ["v", "w"]}, ["h"])
    assert found == (("x", "w"), ("r", "f"), ("v", "y"), frozenset({"f"}))
