"""The linear part of a circuit with its states held: modified nodal analysis (Ho, Ruehli and Brennan 1975).

Every capacitor that holds a state is a source of its voltage, whose current is C ds/dt; every nonlinear source gives a
value that is imposed; an op-amp that makes no curve is a nullor. Semiconductors are left out, and with them an op-amp
that drives these alone. What is left is linear,

    M X = P [s; z; u; 1],

so that all voltages and all currents are linear in the states s, in what nonlinear sources give, z, in the inputs, u,
and in the constant sources.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..functions.expressions import Argument, Expression, Negative, Number, Operation, count_arguments, evaluate
from ..values.arrays import Array
from ..values.errors import InputError
from .devices import GROUND, JUNCTIONS, FlatDeck, FlatDevice

# Semiconductors are left out; a conductance from their nodes to ground keeps these from floating, siemens.
LEAST = 1e-15
# A matrix with rows and columns of size 1 whose solution is larger than this is singular.
SINGULAR = 1e13
# Of an op-amp that states none, where gains are finite.
UNKNOWN_GAIN = 1e6
NAMED = 4


class StateCapacitor(NamedTuple):
    """Capacitors in parallel that hold a state: their names, nodes (plus, minus) and capacitance, farads."""

    names: tuple[str, ...]
    nodes: tuple[str, str]
    capacitance: float


class Linear(NamedTuple):
    """sum_k coefficients_k v_k + constant."""

    coefficients: tuple[float, ...]
    constant: float


def linear_form(formula: Expression) -> Linear | None:
    """Return a formula as a linear form of its arguments; None for one that is none."""
    size = count_arguments(formula)
    found = _linear(formula, size)
    return None if found is None else Linear(tuple(found[:-1].tolist()), float(found[-1]))


def _linear(formula: Expression, size: int) -> Array | None:
    """Return coefficients and, last, the constant."""
    unit = np.zeros(size + 1)
    match formula:
        case Number(value):
            unit[-1] = value
            return unit
        case Argument(index):
            unit[index] = 1.0
            return unit
        case Negative(operand):
            inner = _linear(operand, size)
            return None if inner is None else -inner
        case Operation(symbol, left, right):
            a, b = _linear(left, size), _linear(right, size)
            if a is None or b is None:
                return None
            if symbol in ("+", "-"):
                return a + b if symbol == "+" else a - b
            if not np.any(b[:-1]):
                return np.asarray(a * b[-1] if symbol == "*" else a / b[-1])
            return np.asarray(b * a[-1]) if symbol == "*" and not np.any(a[:-1]) else None
    if count_arguments(formula) == 0:
        unit[-1] = float(evaluate(formula, ()))
        return unit
    return None


def _drive_semiconductors_alone(deck: FlatDeck) -> frozenset[str]:
    """Return the op-amps whose outputs are connected to semiconductors alone: with these they are left out."""
    driving = {device.output[0]: device.name for device in deck.op_amps if device.output[0] != GROUND}
    touched = {
        node
        for device in deck.devices
        if device.kind not in (*JUNCTIONS, "C")
        for node in ((*device.inputs, device.output[1]) if device.is_op_amp else (*device.nodes, *device.sensed))
    }
    loaded = {node for device in deck.devices if device.kind in JUNCTIONS for node in device.nodes}
    return frozenset(name for node, name in driving.items() if node in loaded and node not in touched)


class Nodal:
    """The linear part of a deck, solved.

    `states`: the capacitors that are held. `curves`: op-amps whose output is imposed, beside nonlinear sources.
    `ideal`: whether E sources of large gain are nullors; else they have their gain.

    Raises InputError, with nodes, where it has no unique solution.
    """

    def __init__(
        self, deck: FlatDeck, states: Sequence[StateCapacitor], curves: Collection[str] = (), *, ideal: bool = True
    ) -> None:
        self.deck, self.states, self.ideal = deck, tuple(states), ideal
        self.left_out = tuple(device for device in deck.devices if device.kind in JUNCTIONS)
        self._linear: dict[str, Linear] = {}
        self.curves: list[FlatDevice] = []
        self.inputs = [device for device in deck.of("V", "I") if device.wave]
        for device in deck.of("B"):
            assert device.formula is not None
            form = linear_form(device.formula)
            if form is None:
                self.curves.append(device)
            else:
                self._linear[device.name] = form
        self.curves += [device for device in deck.op_amps if device.name in set(curves)]
        self._idle = _drive_semiconductors_alone(deck)
        devices = [
            device
            for device in deck.devices
            if device.kind not in JUNCTIONS and device.kind != "C" and device.name not in self._idle
        ]
        nodes = dict.fromkeys(node for device in deck.devices for node in (*device.nodes, *device.sensed))
        nodes.pop(GROUND, None)
        self.places = {node: k for k, node in enumerate(nodes)}
        self.branches: dict[str, int] = {}
        for device in devices:
            if self._is_branch(device):
                self.branches[device.name] = len(nodes) + len(self.branches)
        first = len(nodes) + len(self.branches)
        self.clamps = range(first, first + len(self.states))
        size = first + len(self.states)
        self.width = len(self.states) + len(self.curves) + len(self.inputs) + 1
        self.matrix = np.zeros((size, size))
        self.imposed = np.zeros((size, self.width))
        self._curve_at = {device.name: len(self.states) + k for k, device in enumerate(self.curves)}
        self._input_at = {d.name: len(self.states) + len(self.curves) + k for k, d in enumerate(self.inputs)}
        for device in devices:
            self._stamp(device)
        for k, state in enumerate(self.states):
            self._hold(self.clamps[k], state.nodes)
            self.imposed[self.clamps[k], k] = 1.0
        # What only capacitors that hold no state, semiconductors, current sources or inputs of op-amps are connected
        # to.
        held = {node for state in self.states for node in state.nodes}
        held |= {node for d in devices if d.kind == "R" or self._is_branch(d) for node in d.nodes if d.kind != "OpAmp"}
        held |= {node for device in deck.op_amps if device.name not in self._idle for node in device.output}
        inputs = {node for device in deck.op_amps for node in device.inputs}
        loose = {node for device in (*self.left_out, *deck.of("C")) for node in device.nodes}
        for node in (loose | inputs) - held:
            if node in self.places:
                self.matrix[self.places[node], self.places[node]] += LEAST

    def _is_branch(self, device: FlatDevice) -> bool:
        if device.kind in ("V", "E", "H", "OpAmp"):
            return True
        return device.kind == "B" and device.gives == "voltage"

    def _add(self, row: str | int, column: str | int, value: float) -> None:
        """Add to the matrix; ground has neither row nor column."""
        i = self.places.get(row) if isinstance(row, str) else row
        j = self.places.get(column) if isinstance(column, str) else column
        if i is not None and j is not None:
            self.matrix[i, j] += value

    def _impose(self, row: str | int, column: int, value: float) -> None:
        i = self.places.get(row) if isinstance(row, str) else row
        if i is not None:
            self.imposed[i, column] += value

    def _hold(self, branch: int, ends: tuple[str, str]) -> None:
        """Add a branch whose current is unknown, and v(plus) - v(minus) to its row."""
        for node, sign in zip(ends, (1.0, -1.0), strict=True):
            self._add(node, branch, sign)
            self._add(branch, node, sign)

    def _current(self, ends: tuple[str, str], column: str | int, value: float) -> None:
        """Add a current value times an unknown from the first node to the second."""
        self._add(ends[0], column, value)
        self._add(ends[1], column, -value)

    def _stamp(self, device: FlatDevice) -> None:
        kind, value, last = device.kind, device.value or 0.0, self.width - 1
        if device.is_op_amp:
            self._stamp_op_amp(device)
            return
        ends = (device.nodes[0], device.nodes[1])
        branch = self.branches.get(device.name)
        match kind:
            case "R":
                for node, sign in zip(ends, (1.0, -1.0), strict=True):
                    self._current(ends, node, sign / value)
            case "V":
                assert branch is not None
                self._hold(branch, ends)
                self._impose(branch, self._input_at.get(device.name, last), 1.0 if device.wave else value)
            case "I":
                column, size = (self._input_at[device.name], 1.0) if device.wave else (last, value)
                self._impose(ends[0], column, -size)
                self._impose(ends[1], column, size)
            case "E":
                assert branch is not None
                self._hold(branch, ends)
                for node, sign in zip(device.sensed, (-1.0, 1.0), strict=True):
                    self._add(branch, node, sign * value)
            case "G":
                for node, sign in zip(device.sensed, (1.0, -1.0), strict=True):
                    self._current(ends, node, sign * value)
            case "F" | "H":
                control = self.branches.get(device.control)
                if control is None:
                    raise InputError(
                        f"{device.where}: {device.name} senses the current of {device.control!r}, which is no source "
                        "of a voltage here: name one"
                    )
                if kind == "F":
                    self._current(ends, control, value)
                else:
                    assert branch is not None
                    self._hold(branch, ends)
                    self._add(branch, control, -value)
            case "B":
                self._stamp_formula(device, ends)

    def _stamp_formula(self, device: FlatDevice, ends: tuple[str, str]) -> None:
        form, last = self._linear.get(device.name), self.width - 1
        if device.gives == "voltage":
            branch = self.branches[device.name]
            self._hold(branch, ends)
            if form is None:
                self._impose(branch, self._curve_at[device.name], 1.0)
            else:
                for node, coefficient in zip(device.sensed, form.coefficients, strict=False):
                    self._add(branch, node, -coefficient)
                self._impose(branch, last, form.constant)
            return
        for node, sign in zip(ends, (-1.0, 1.0), strict=True):
            if form is None:
                self._impose(node, self._curve_at[device.name], sign)
            else:
                self._impose(node, last, sign * form.constant)
        if form is not None:
            for node, coefficient in zip(device.sensed, form.coefficients, strict=False):
                self._current(ends, node, coefficient)

    def _stamp_op_amp(self, device: FlatDevice) -> None:
        """Hold the output at what makes the inputs equal; of a curve, at what is imposed."""
        branch, (plus, minus), (output, ground) = self.branches[device.name], device.inputs, device.output
        for node, sign in ((output, 1.0), (ground, -1.0)):
            self._add(node, branch, sign)
        if device.name in self._curve_at:
            self._add(branch, output, 1.0)
            self._add(branch, ground, -1.0)
            self._impose(branch, self._curve_at[device.name], 1.0)
            return
        self._add(branch, plus, 1.0)
        self._add(branch, minus, -1.0)
        if not self.ideal:
            gain = abs(device.value) if device.value is not None else UNKNOWN_GAIN
            self._add(branch, output, -1.0 / gain)
            self._add(branch, ground, 1.0 / gain)

    @cached_property
    def _scales(self) -> tuple[Array, Array]:
        """Factors of rows and columns that bring the largest entry of each to 1."""
        rows = np.max(np.abs(self.matrix), axis=1)
        rows = 1.0 / np.where(rows > 0.0, rows, 1.0)
        columns = np.max(np.abs(self.matrix * rows[:, np.newaxis]), axis=0)
        return rows, 1.0 / np.where(columns > 0.0, columns, 1.0)

    @cached_property
    def inverse(self) -> Array:
        """The inverse of M. Raises InputError, with nodes, where there is none."""
        rows, columns = self._scales
        scaled = self.matrix * rows[:, np.newaxis] * columns
        try:
            found = np.linalg.inv(scaled)
        except np.linalg.LinAlgError:
            found = np.full_like(scaled, np.inf)
        if not np.all(np.isfinite(found)) or np.max(np.abs(found), initial=0.0) > SINGULAR:
            raise InputError(
                f"deck: nothing determines {', '.join(self.find_free())}: a node floats, sources of voltages are in a "
                "loop, or an op-amp has no feedback; connect it, or name its capacitor in `states`"
            )
        found += found @ (np.eye(len(scaled)) - scaled @ found)
        return np.asarray(found * columns[:, np.newaxis] * rows)

    @cached_property
    def solution(self) -> Array:
        """All voltages and branch currents, (unknowns, columns), for each imposed value of 1."""
        first = self.inverse @ self.imposed
        return np.asarray(first + self.inverse @ (self.imposed - self.matrix @ first))

    def count_free(self, part: float) -> int:
        """Return how many directions nothing determines: singular values below a part of the largest one."""
        rows, columns = self._scales
        sizes = np.linalg.svd(self.matrix * rows[:, np.newaxis] * columns, compute_uv=False)
        return int(np.count_nonzero(sizes <= part * sizes[0]))

    def find_free(self) -> list[str]:
        """Return the nodes and branches that move where nothing is imposed, the most first."""
        rows, columns = self._scales
        free = np.abs(np.linalg.svd(self.matrix * rows[:, np.newaxis] * columns)[2][-1])
        names = {k: f"v({node})" for node, k in self.places.items()}
        names |= {k: f"the current of {name}" for name, k in self.branches.items()}
        names |= {k: f"the current of {'+'.join(s.names)}" for k, s in zip(self.clamps, self.states, strict=True)}
        return [names[k] for k in np.argsort(-free)[:NAMED].tolist() if free[k] > 0.05 * np.max(free)]

    def voltage(self, node: str) -> Array:
        """Return the voltage of a node, (columns,)."""
        place = self.places.get(node)
        return np.zeros(self.width) if place is None else np.asarray(self.solution[place])

    @property
    def currents(self) -> Array:
        """The currents into the capacitors, C ds/dt, (states, columns)."""
        return np.asarray(self.solution[list(self.clamps)])

    def find_turned(self) -> tuple[str, ...]:
        """Return the op-amps whose feedback is positive while states are held.

        Where one volt between its inputs is asked for, what it takes at the output is -1 V times the noise gain in a
        loop of negative feedback.
        """
        found = []
        for device in self.deck.op_amps:
            if device.name in self._curve_at or device.name in self._idle:
                continue
            column = self.inverse[:, self.branches[device.name]]
            volts = [0.0 if (k := self.places.get(node)) is None else float(column[k]) for node in device.output]
            if volts[0] - volts[1] > 0.0:
                found.append(device.name)
        return tuple(found)
