"""What the verification of a board could not have seen: by how much each part may be off before the verdict changes.

To first order a relative change p of a part moves the states by p d(t), with

    C_i dd_i/dt = -d_i / R_i + sum_j T_ij g_j'(x_j) d_j + c_i(t),        d(0) = 0,

along the waveforms that were found; c_i is the current of the part into the summing node i: G v_j of a weight, G w_j of
one from a complement, B_ik u_k of an input, -x_i / R_i of a leak, I_i of a bias, -C_i dx_i/dt of a capacitor, and
sum_j of the complement's weights, into each node, of a resistor of its inverter. Of two resistors that make one value
each counts with its part.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..circuit import Circuit, Device, Role
from ..graph import Activate, Affine, Graph, Input
from ..values.arrays import Array
from ..values.measures import ranges
from ..verification.coverage import MARGIN, NOT_ASKED, NOTHING, Coverage
from ..verification.procedure import output_ranges
from .choice import find_pairs, merge_pairs
from .judgement import BoardVerification
from .realised import Crossbar, read_crossbar

# Numbers in one pass over a run: of more, fewer of its points are taken; beyond the second nothing is asked.
MOST, TOO_MANY = 2e9, 4e10
LEAST_POINTS = 200
# What no value of the network hangs on.
BESIDE = frozenset({Role.SUPPLY, Role.DECOUPLING, Role.COMPENSATION})


def board_coverage(result: BoardVerification) -> Coverage:
    """Return by how much each part may be off before the verdict of a board's verification would change.

    `smallest`: by part the relative change that makes MARGIN times the tolerance, NRMSE of the worst state or output,
    to first order; infinite where the run does not depend on it. `untold`: op-amps, and parts of gain curves and of
    references, of which this equation says nothing. Of a network too large for it nothing is asked.
    """
    board = result.board
    circuit, graph = merge_pairs(board.circuit), result.graph
    crossbar = read_crossbar(circuit)
    states, outputs = result.equation["state"].to_numpy(), result.equation["output"].to_numpy()
    times = result.equation["time"].to_numpy()
    points, n = states.shape
    asked = [d for d in circuit.devices if d.part.physical and d.origin.role not in NOT_ASKED]
    work = points * n * n * max(len(asked), 1)
    if work > TOO_MANY:
        return NOTHING
    stride = max(1, min(int(np.ceil(work / MOST)), points // LEAST_POINTS))
    states, outputs, times = states[::stride], outputs[::stride], times[::stride]
    signals = None if board.inputs is None else board.inputs.sample(times)
    flows = _Flows(graph, crossbar, states, outputs, signals)
    currents = {device.name: flow for device in asked if (flow := flows.of(device)) is not None}
    moved = _respond(flows, times, list(currents.values()))
    extent = np.concatenate([ranges(states), output_ranges(outputs)])
    with np.errstate(divide="ignore"):
        worst = np.max(moved / extent[:, np.newaxis], axis=0, initial=0.0)
        noticed = dict(zip(currents, (MARGIN * result.tolerance / worst).tolist(), strict=True))
    smallest = {name: noticed[value] / part for name, (value, part) in _parts(board.circuit, noticed).items()}
    untold = tuple(
        d.name
        for d in board.circuit.devices
        if d.part.physical and d.name not in smallest and d.origin.role not in NOT_ASKED | BESIDE
    )
    return Coverage(smallest=smallest, untold=untold)


class _Flows:
    """The currents that parts send into the summing nodes along a run, amperes, and the equation's own Jacobian."""

    def __init__(self, graph: Graph, crossbar: Crossbar, states: Array, outputs: Array, inputs: Array | None) -> None:
        self.graph, self.crossbar, self.states, self.outputs, self.inputs = graph, crossbar, states, outputs, inputs
        self.weights = crossbar.positive + crossbar.negative * crossbar.ratios
        (activate,) = graph.of_type(Activate)
        self.slopes: Array = np.broadcast_to(activate.function.derivative(states), states.shape)
        of_inputs = 0.0 if inputs is None or crossbar.inputs is None else inputs @ crossbar.inputs.T
        self.total = outputs @ self.weights.T + crossbar.current + of_inputs - states * crossbar.leak

    def of(self, device: Device) -> tuple[int, Array] | Array | None:
        """Return the node and the current, (P,), or the currents into all nodes, (P, n); None where nobody knows."""
        operator, role, element = self.graph.by_name.get(device.origin.operator), *device.origin[1:]
        conductance = device.part.conductance
        if operator is None or not element:
            return None
        k = element[0]
        if role is Role.WEIGHT and isinstance(operator, Affine) and conductance is not None:
            source = self.graph.drivers(operator)[0]
            if isinstance(source, Input):
                return None if self.inputs is None else (k, conductance * self.inputs[:, element[1]])
            return k, conductance * self.outputs[:, element[1]]
        if role is Role.BIAS:
            return k, np.full(len(self.states), self.crossbar.current[k])
        if role is Role.RESISTANCE and conductance is not None:
            return k, -conductance * self.states[:, k]
        if role is Role.CAPACITANCE:
            return k, -self.total[:, k]
        if role in (Role.INVERTER_IN, Role.INVERTER_FEEDBACK) and k < self.outputs.shape[1]:
            column = self.crossbar.negative[:, k] * self.crossbar.ratios[k]
            return np.asarray(self.outputs[:, k, np.newaxis] * column)
        return None


def _respond(flows: _Flows, times: Array, currents: list[tuple[int, Array] | Array]) -> Array:
    """Return the RMS over time of what each current, to first order, moves states and outputs by, (2 n, currents).

    Trapezoidal steps, which are stable however fast a mode is.
    """
    crossbar = flows.crossbar
    n, count = crossbar.capacitance.size, len(currents)
    found, sums = np.zeros((n, count)), np.zeros((2 * n, count))
    single = [(c, *flow) for c, flow in enumerate(currents) if isinstance(flow, tuple)]
    columns = np.array([c for c, _, _ in single], dtype=np.int64)
    rows = np.array([row for _, row, _ in single], dtype=np.int64)
    alone = np.array([flow for _, _, flow in single]).reshape(len(single), len(times))
    spread = [(c, flow) for c, flow in enumerate(currents) if not isinstance(flow, tuple)]

    def drive(step: int) -> Array:
        into = np.zeros((n, count))
        into[rows, columns] = alone[:, step]
        for c, flow in spread:
            into[:, c] = flow[step]
        result: Array = into / crossbar.capacitance[:, np.newaxis]
        return result

    def jacobian(step: int) -> Array:
        result: Array = (flows.weights * flows.slopes[step] - np.diag(crossbar.leak)) / crossbar.capacitance[
            :, np.newaxis
        ]
        return result

    before, slope, eye = drive(0), jacobian(0), np.eye(n)
    for step in range(1, len(times)):
        half = 0.5 * (times[step] - times[step - 1])
        after, next_slope = drive(step), jacobian(step)
        found = np.linalg.solve(eye - half * next_slope, found + half * (slope @ found + before + after))
        before, slope = after, next_slope
        sums[:n] += found**2
        sums[n:] += (flows.slopes[step][:, np.newaxis] * found) ** 2
    result: Array = np.sqrt(sums / max(len(times) - 1, 1))
    return result


def _parts(circuit: Circuit, known: Iterable[str]) -> dict[str, tuple[str, float]]:
    """Return by resistor or capacitor the value that it makes, and which part of it: 1 but for two that make one."""
    found = {name: (name, 1.0) for name in known}
    for name, pair in find_pairs(circuit).items():
        if name not in found:
            continue
        parallel = pair[0].nodes == pair[1].nodes
        sizes = [abs(d.part.conductance or 0.0) if parallel else d.part.value or 0.0 for d in pair]
        for device, size in zip(pair, sizes, strict=True):
            found[device.name] = name, size / sum(sizes)
    return found
