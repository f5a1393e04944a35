"""Verification: a graph's circuit in a simulator, verified against the graph's differential equation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from ..cells import Cell
from ..circuit import Circuit
from ..graph import Graph, HasGraph, as_graph
from ..lowering import lower
from ..spice.decks.nodes import Place
from ..values.errors import InputError
from .engines import SINGLE, Engine, compare_engines
from .procedure import judge_circuit
from .report import Verification


def verify(
    graph: Graph | HasGraph,
    *,
    cell: str | Cell = "ideal",
    op_amp: Any = None,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    tolerance: float | None = None,
    rescale: bool = False,
    deck: str | Path | None = None,
    title: str = "hopfield_hw",
    timeout: float = 600.0,
    engine: Engine = "ngspice",
) -> Verification:
    """Compile a graph (or what has a method `graph`), run its circuit and the reference, and say how far apart.

    The verdict is "passed" where whole waveforms of the states agree, the circuit also follows its equation step by
    step, from its own state, within the tolerance in each time constant, and its outputs are those of its states; a
    network that amplifies small errors is judged without the first. It is "undecided" where nothing can be said: over
    less than two time constants, or where the network's own growth takes both machines to different ends. Everything
    else has "failed".

    `accuracy`: NRMSE that both machines aim at. `tolerance`: the NRMSE that passes; the accuracy by default.
    `deck`: text or path of a netlist to judge in place of the compiled one (edited by hand, say); it keeps the
    nodes of the compiled one. `engine`: what runs the circuit: "ngspice"; "ensemble", our own, which needs no ngspice
    and takes no deck, and to which `timeout` is nothing; "both", which are held against the equation and against each
    other. The other arguments are those of `lower`, `simulate` and `reference`.

    Raises InputError for wrong input, Unrealisable for values that the cell cannot build, and a SimulatorError where
    ngspice does not deliver.
    """
    start, graph = time.perf_counter(), as_graph(graph)
    circuit = lower(graph, cell=cell, op_amp=op_amp, rescale=rescale, title=title)
    return verify_circuit(
        graph,
        circuit,
        t_stop=t_stop,
        inputs=inputs,
        accuracy=accuracy,
        tolerance=tolerance,
        deck=deck,
        timeout=timeout,
        compiled=time.perf_counter() - start,
        engine=engine,
    )


def verify_circuit(
    graph: Graph,
    circuit: Circuit,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    tolerance: float | None = None,
    deck: str | Path | None = None,
    nodes: Mapping[str, Place] | None = None,
    timeout: float = 600.0,
    compiled: float = 0.0,
    engine: Engine = "ngspice",
) -> Verification:
    """Verify an existing circuit (or a deck with its nodes) against a graph; see `verify`.

    `nodes`: for a deck with its own nodes, the one of each neuron's state by its label: `"n"`, `"-n"` for an
    inverted one, or `("n", scale)`. Its outputs are then not looked at: they count as what the graph gives for the
    states.
    """
    if engine not in get_args(Engine):
        raise InputError(f"verify: `engine` = {engine!r:.40}: must be {', '.join(get_args(Engine)[:-1])} or both")
    if engine != "ngspice" and (deck is not None or nodes is not None):
        raise InputError(f"verify: `engine` = {engine!r}: a deck is read by ngspice alone; leave `engine` out")
    how: dict[str, Any] = {
        "t_stop": t_stop,
        "inputs": inputs,
        "accuracy": accuracy,
        "tolerance": tolerance,
        "deck": deck,
        "nodes": nodes,
        "timeout": timeout,
        "compiled": compiled,
    }
    if engine == "both":
        one, other = (judge_circuit(graph, circuit, engine=each, **how) for each in SINGLE)
        return compare_engines(one, other)
    return judge_circuit(graph, circuit, engine=engine, **how)
