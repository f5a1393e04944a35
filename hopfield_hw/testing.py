"""For users' tests: decks and circuits verified against their equations, and the conformance suite of cells.

The package is a pytest plugin: `assert_matches_ode` is there as a fixture, and can be imported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from .cells import Cell
from .circuit import Circuit
from .functions import Gain, Logistic, Tanh
from .graph import Activate, Graph, as_graph
from .lowering import lower
from .networks.network import Network
from .spice.decks.nodes import Place
from .values.errors import Unrealisable
from .verification import Verification, verify, verify_circuit

CHECK_ACCURACY = 1e-4
_test_folder: ContextVar[Path | None] = ContextVar("_test_folder", default=None)


def assert_matches_ode(
    deck_or_circuit: str | Path | Circuit,
    network: Network | Graph,
    *,
    accuracy: float = 1e-4,
    cell: str | Cell = "ideal",
    nodes: Mapping[str, Place] | None = None,
    t_stop: float | None = None,
    inputs: Any = None,
    timeout: float = 600.0,
) -> Verification:
    """Assert that a deck (text or path) or a Circuit does what a network's differential equation says.

    `accuracy`: the NRMSE that passes. `cell`: the cell whose node names the deck keeps (see `export`); the deck's own
    analysis is replaced, and its sources must be what `inputs` says. `nodes`: for a deck with other names, the node of
    each neuron's state by its label: `"n"` (volts for volts), `"-n"` for the output of an inverting stage, or
    `("n", scale)` where the state is `scale` times the voltage. In a test run by pytest, the path of a deck that is not
    found from the working directory is taken from the folder of the test's file.

    Returns the verification. Raises AssertionError with its table, worst neuron and suspects where the
    verification fails, InputError for a deck that cannot be run, and a SimulatorError where ngspice does not deliver.
    """
    graph = as_graph(network)
    if isinstance(deck_or_circuit, Circuit):
        circuit, deck = deck_or_circuit, None
    else:
        circuit, deck = lower(graph, cell=cell, rescale=True), _beside_test(deck_or_circuit)
    result = verify_circuit(
        graph, circuit, deck=deck, nodes=nodes, t_stop=t_stop, inputs=inputs, accuracy=accuracy, timeout=timeout
    )
    if not result.passed:
        raise AssertionError(f"the circuit does not match its equations\n{result}")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember the folder of the test that runs."""
    token = _test_folder.set(item.path.parent)
    try:
        return (yield)
    finally:
        _test_folder.reset(token)


def _beside_test(deck: str | Path) -> str | Path:
    """Return the path of a deck, taken from the folder of the test where the working directory does not lead to it."""
    folder = _test_folder.get()
    if folder is None or (isinstance(deck, str) and "\n" in deck) or Path(deck).exists():
        return deck
    beside = folder / deck
    return beside if beside.exists() else deck


@pytest.fixture(name="assert_matches_ode")
def _assert_matches_ode() -> Callable[..., Verification]:
    """The function `hopfield_hw.testing.assert_matches_ode`."""
    return assert_matches_ode


def check_cell(
    cell: Cell,
    *,
    rng: np.random.Generator | None = None,
    gain: Gain | None = None,
    equation: Callable[[Circuit, Graph], Graph] | None = None,
    accuracy: float = CHECK_ACCURACY,
) -> None:
    """Run the conformance suite on a cell: names, origins, conventions, and waveforms against the equations.

    For a cell whose amplifiers make few curves, or make them nearly: `gain`, the curve of all neurons, in place of
    tanh of several slopes and a logistic; `equation`, the graph that a circuit is held against, as with measured curves
    (see `benches.gain_curves.with_measured_curves`), in place of the one that it is made from; `accuracy`, the NRMSE.

    Raises AssertionError that names the check a cell fails. It takes a few seconds of ngspice.
    """
    generator = np.random.default_rng(1984) if rng is None else rng
    how = _Against(gain, equation, accuracy)
    _check_text(cell, how)
    _check_origins(cell, _sample(generator, 4, how, with_input=True))
    _check_direction(cell, how)
    for n in (2, 5):
        _verify(cell, _sample(generator, n, how, with_input=True), how, inputs=[0.7, -0.4])
    _check_permutation(cell, _sample(generator, 3, how, with_input=False), generator, how)
    _check_integrator(cell, how)


class _Against(NamedTuple):
    """What the waveforms of a cell are held against; see `check_cell`."""

    gain: Gain | None
    equation: Callable[[Circuit, Graph], Graph] | None
    accuracy: float


def _sample(rng: np.random.Generator, n: int, how: _Against, *, with_input: bool) -> Network:
    curve = Tanh(gain=rng.uniform(1.0, 8.0, n)) if n % 2 else Logistic(gain=4.0, amplitude=2.0)
    return Network(
        weights=rng.normal(size=(n, n)) * 1e-4 / np.sqrt(n),
        resistance=rng.uniform(5e3, 2e4, n),
        capacitance=rng.uniform(5e-8, 2e-7, n),
        gain=curve if how.gain is None else how.gain,
        bias=rng.normal(size=n) * 3e-5,
        initial=rng.uniform(-1.0, 1.0, n),
        input_weights=rng.normal(size=(n, 2)) * 5e-5 if with_input else None,
    )


def _require(condition: bool, cell: Cell, message: str) -> None:
    if not condition:
        raise AssertionError(f"cell {cell.name!r}: {message}")


def _check_text(cell: Cell, how: _Against) -> None:
    _require(bool(cell.name) and cell.name.isidentifier(), cell, "`name` must be a plain name")
    _require(bool(cell.law), cell, "`law` must state the equation that the devices realise")
    graph = _sample(np.random.default_rng(0), 3, how, with_input=False).graph()
    same = lower(graph, cell=cell, rescale=True).netlist() == lower(graph, cell=cell, rescale=True).netlist()
    _require(same, cell, "lowering the same graph twice must give the same netlist")


def _check_origins(cell: Cell, network: Network) -> None:
    graph = network.graph()
    circuit = lower(graph, cell=cell, rescale=True)
    for i, j in np.argwhere(network.weights != 0.0).tolist():
        _require(bool(circuit.devices_from("syn", (i, j))), cell, f"no device comes from syn.weights[{i}, {j}]")
    for device in circuit.devices:
        known = any(name == device.origin.operator for name in graph.by_name)
        _require(known, cell, f"{device.name} comes from {device.origin.operator!r}, which is not in the graph")
    _require(len(circuit.states) == network.size, cell, "every neuron's state must be probed")


def _check_direction(cell: Cell, how: _Against) -> None:
    gain = Tanh() if how.gain is None else how.gain
    network = Network(weights=[[0.0, 0.0], [4e-5, 0.0]], resistance=1e4, capacitance=1e-7, gain=gain, bias=[5e-5, 0.0])
    result = _verify(cell, network, how)
    settled = result.wave["state"].to_numpy()[-1]
    graph = network.graph() if how.equation is None else _against(cell, network, how)[1]
    (activate,) = graph.of_type(Activate)
    expected = [0.5, 0.4 * float(activate.function.value(0.5))]
    close = bool(np.allclose(settled, expected, rtol=max(1e-3, 10.0 * how.accuracy)))
    _require(close, cell, f"with 0 -> 1 alone connected it settles at {settled}, not {expected}")


def _check_permutation(cell: Cell, network: Network, rng: np.random.Generator, how: _Against) -> None:
    order = rng.permutation(network.size)
    gain = network.gain
    if gain.size is not None:
        gain = Tanh(gain=np.broadcast_to(gain.slope, (network.size,))[order])
    permuted = replace(
        network,
        weights=network.weights[np.ix_(order, order)],
        gain=gain,
        **{name: getattr(network, name)[order] for name in ("resistance", "capacitance", "bias", "initial")},
    )
    first, second = (_verify(cell, each, how).wave["state"].to_numpy() for each in (network, permuted))
    apart = float(np.max(np.abs(first[:, order] - second)) / np.ptp(first))
    _require(apart <= 10 * how.accuracy, cell, f"permuted neurons give answers that are {apart:.1e} apart")


def _check_integrator(cell: Cell, how: _Against) -> None:
    gain = Tanh() if how.gain is None else how.gain
    network = Network(
        weights=[[0.0, -1e-4], [1e-4, 0.0]], resistance=np.inf, capacitance=1e-7, gain=gain, initial=[0.5, 0.0]
    )
    try:
        _verify(cell, network, how, t_stop=5e-3)
    except Unrealisable:
        return  # a cell may refuse an infinite R, by name


def _against(cell: Cell, network: Network, how: _Against) -> tuple[Circuit, Graph]:
    graph = network.graph()
    circuit = lower(graph, cell=cell, rescale=True)
    return circuit, graph if how.equation is None else how.equation(circuit, graph)


def _verify(cell: Cell, network: Network, how: _Against, **arguments: Any) -> Verification:
    if how.equation is None:
        result = verify(network.graph(), cell=cell, rescale=True, accuracy=how.accuracy, **arguments)
    else:
        circuit, graph = _against(cell, network, how)
        result = verify_circuit(graph, circuit, accuracy=how.accuracy, **arguments)
    _require(result.passed, cell, f"does not match its equations\n{result}")
    return result
