"""Every cell over random graphs about its pattern: what it builds is what the equations say; the rest it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from oracles import equations
from random_graphs import TAU, random_graph

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit
from hopfield_hw.graph import Graph, Input
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import Unrealisable

# Their values are of the order of 1, in no units.
pytestmark = pytest.mark.filterwarnings("ignore::hopfield_hw.UnusualValueWarning")

STEPS, POINTS = 4, 41
# What a cell is held to, as a part of the largest value: some op-amps have a gain of 1e6, and a clamp 1 ohm.
CLOSE = 1e-3
WHOLE = ["hopfield", "stencil", "static_field", "two_populations", "product", "product_map", "map"]
PATTERN = ["hopfield", "stencil", "two_populations"]
CELLS = {
    "ideal": WHOLE,
    "active_rc": WHOLE,
    "inverting_integrator": PATTERN,
    "hopfield_tank": PATTERN,
    "gm_c": PATTERN,
    "winner_take_all": PATTERN,
    "chua_yang": PATTERN,
    "summing_amplifier": [*PATTERN, "static_field"],
}


def drawn(kind: str, first: int, count: int) -> Iterator[tuple[Graph, dict[str, Array], Array, Array]]:
    """Graphs that stay within bounds, their constant inputs, states, and outputs; by the equations alone."""
    for seed in range(first, first + 3 * count):
        rng = np.random.default_rng([29, seed])
        graph = random_graph(rng, kind)
        size = sum(op.size for op in graph.operators if isinstance(op, Input))
        inputs = equations.inputs_of(graph, rng.uniform(-0.7, 0.7, size))
        if kind in ("map", "product_map"):
            states: Array | None = equations.stepped(graph, inputs, STEPS)
        else:
            states = equations.integrated(graph, np.linspace(0.0, STEPS * TAU, POINTS), inputs)
        if states is None or np.max(np.abs(states)) > 30.0:
            continue
        yield graph, inputs, states, equations.outputs_of(graph, states, inputs)
        count -= 1
        if count == 0:
            return


def apart(found: Array, expected: Array) -> float:
    return float(np.max(np.abs(found - expected), initial=0.0) / max(1.0, np.max(np.abs(expected), initial=0.0)))


def lowered(graph: Graph, cell: str) -> Circuit | str:
    """The circuit, or why there is none."""
    try:
        return hh.lower(graph, cell=cell, rescale=True)
    except Unrealisable as refused:
        return str(refused)


def simulated(circuit: Circuit, inputs: dict[str, Array], steps: int | None) -> tuple[Array, Array]:
    driving = np.concatenate(list(inputs.values())) if inputs else None
    wave = hh.simulate(circuit, t_stop=STEPS * TAU, inputs=driving, points=steps, accuracy=1e-4)
    return wave["state"].to_numpy(), wave["output"].to_numpy()


@pytest.mark.usefixtures("ngspice")
@pytest.mark.filterwarnings("ignore::hopfield_hw.AccuracyWarning")  # of neurons at rest; held to the equations here
@pytest.mark.parametrize(("cell", "kind"), [(cell, kind) for cell, kinds in CELLS.items() for kind in kinds])
def test_a_circuit_is_its_equations_or_is_refused(cell: str, kind: str) -> None:
    built = 0
    for graph, inputs, states, outputs in drawn(kind, 0, 5 if cell in ("ideal", "active_rc") else 8):
        circuit = lowered(graph, cell)
        if isinstance(circuit, str):
            assert cell not in ("ideal", "active_rc"), circuit
            assert re.search("|".join(rf"'{name}'" for name in graph.by_name), circuit), circuit
            continue
        found, given = simulated(circuit, inputs, None if kind in ("map", "product_map") else POINTS)
        assert apart(found, states) < CLOSE, (cell, graph.text)
        # Under `uic` the first sample is not one of the outputs.
        assert apart(given[1:], outputs[1:]) < CLOSE, (cell, graph.text)
        built += 1
    assert built >= 2
