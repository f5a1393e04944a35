"""How the curve of a neuron's amplifier answers to errors: measured by sweeps of it, cut out, with ideal op-amps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...benches.gain_curves import LOAD, Bench, cut_bench
from ...circuit import Circuit
from ...graph import Activate, Graph
from ...parts import OpAmp
from ...values.arrays import Array
from ...values.physics import ROOM
from .imperfections import switch_on

POINTS = 300
KICK = 1e-3  # V: by which an op-amp's input is moved


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """The curves of a circuit's amplifiers with ideal op-amps, and what changes them.

    `x`: (Q,), volts. `values`: by neuron v(x), (n, Q). `op_amps`: by neuron the names of its op-amps and
    of shared ones.
    """

    circuit: Circuit
    graph: Graph
    x: Array
    values: Array
    op_amps: tuple[tuple[str, ...], ...]

    def at(self, table: Array, states: Array) -> Array:
        """Return by neuron a table (n, Q) at its states, (P, n)."""
        return np.stack([np.interp(states[:, k], self.x, row) for k, row in enumerate(table)], axis=1)

    def slopes(self, states: Array) -> Array:
        """Return dv/dx at states, (P, n)."""
        return self.at(np.gradient(self.values, self.x, axis=1), states)

    def by_offset(self) -> list[dict[str, Array]]:
        """Return by neuron and by op-amp dv/de(x), (Q,), as a part."""
        found: dict[object, list[Array]] = {}
        result = []
        for k, names in enumerate(self.op_amps):
            bench = _bench(self.circuit, self.graph, k)
            key = _key(bench)
            if key not in found:
                base = _sweep(bench, switch_on(bench.circuit, ()), self.x)
                kicked = [_sweep(bench, _kick(bench.circuit, name), self.x) for name in names]
                found[key] = [(one - base) / KICK for one in kicked]
            result.append(dict(zip(names, found[key], strict=True)))
        return result

    def change(self, *names: str, temperature: float = ROOM) -> Array:
        """Return by how much v(x) is off with some imperfections of the op-amps, or at a temperature, (n, Q)."""
        return measure_values(self.circuit, self.graph, self.x, names, temperature) - self.values


def measure_curves_of(circuit: Circuit, graph: Graph, span: float) -> Curves:
    """Return the curves of a circuit's amplifiers from -span to span, volts."""
    x = np.linspace(-span, span, POINTS + 1)
    names = []
    for k in range(_activate(graph).size):
        devices = _bench(circuit, graph, k).circuit.devices
        names.append(tuple(d.name for d in devices if isinstance(d.part, OpAmp)))
    values = measure_values(circuit, graph, x)
    return Curves(circuit=circuit, graph=graph, x=x, values=values, op_amps=tuple(names))


def measure_values(
    circuit: Circuit, graph: Graph, x: Array, names: tuple[str, ...] = (), temperature: float = ROOM
) -> Array:
    """Return v(x) of each neuron, (n, Q), with these imperfections of the op-amps alone."""
    found: dict[object, Array] = {}
    rows = []
    for k in range(_activate(graph).size):
        bench = _bench(circuit, graph, k)
        key = _key(bench)
        if key not in found:
            found[key] = _sweep(bench, switch_on(bench.circuit, names), x, temperature)
        rows.append(found[key])
    return np.stack(rows)


def _activate(graph: Graph) -> Activate:
    (activate,) = graph.of_type(Activate)
    return activate


def _bench(circuit: Circuit, graph: Graph, k: int) -> Bench:
    known = circuit if circuit.graph is not None else replace(circuit, graph=graph)
    return cut_bench(known, element=k)


def _key(bench: Bench) -> object:
    """Return what makes benches alike: their parts. A load does nothing to ideal op-amps."""
    return tuple(d.part for d in bench.circuit.devices if d.name != LOAD)


def _sweep(bench: Bench, circuit: Circuit, x: Array, temperature: float = ROOM) -> Array:
    return np.asarray(replace(bench, circuit=circuit).sweep(float(x[0]), float(x[-1]), x.size - 1, temperature)[1])


def _kick(circuit: Circuit, name: str) -> Circuit:
    devices = tuple(
        d._replace(part=replace(d.part, offset=KICK)) if d.name == name and isinstance(d.part, OpAmp) else d
        for d in switch_on(circuit, ()).devices
    )
    return replace(circuit, devices=devices)
