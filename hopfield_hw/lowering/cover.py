"""Lowering: a graph is covered with the patterns of a cell, and becomes a circuit."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import Any

from ..cells import CELLS, Cell, Fragment
from ..circuit import GROUND, Circuit, Draft, Origin, Role
from ..graph import Activate, Graph, HasGraph, Input, Operator, Output, as_graph
from ..graph.usual_values import warn_of_values
from ..parts import VoltageSource, as_op_amp
from ..transforms import in_si
from ..transforms.rescale import rescale_states
from ..values.errors import InputError, Unrealisable

__all__ = ["find_cell", "lower"]


def find_cell(cell: str | Cell) -> Cell:
    """Return a cell of the table by its name, or anyone's own cell as it is."""
    if isinstance(cell, type):
        raise InputError(f"cell {cell.__name__}: is a class; give an object of it, such as {cell.__name__}()")
    if not isinstance(cell, str):
        missing = [name for name in ("name", "law", "fragments", "rescaling") if not hasattr(cell, name)]
        if missing:
            raise InputError(f"cell {cell!r:.60}: has no `{missing[0]}`; give a name ({', '.join(CELLS)}), or a Cell")
        return cell
    if cell not in CELLS:
        raise InputError(f"cell {cell!r:.60}: must be one of {', '.join(CELLS)}, or a cell object of your own")
    return CELLS[cell]


def lower(
    graph: Graph | HasGraph,
    *,
    cell: str | Cell = "ideal",
    op_amp: Any = None,
    rescale: bool = False,
    crossbars: bool = False,
    title: str = "hopfield_hw",
) -> Circuit:
    """Return the circuit of a graph, or of anything with a method `graph` (a Network), in the topology of a cell.

    The cell's fragments cover the graph, the largest first. `op_amp`: of the cell, where it has op-amps: a gain, a
    model such as `OnePole`, a name of `parts.OP_AMPS`, or a user's `Subcircuit`; the cell's own by default.
    `rescale=True` applies the exact rescaling that the cell asks for (x -> s x and so on); the circuit's probes then
    give the state of the graph as before. `crossbars=True`: the weights of an Affine are one device, a Crossbar, where
    the cell has a resistor or a transconductance for each; a netlist has these all the same.

    A value far outside what electronics can be built of (ohms for siemens, 10 for 10 nF; R = 1 Ohm and C = 1 F of a
    normalised network too, whose units belong into `Network.dimensionless` or `Units`) is warned of
    (UnusualValueWarning), once for each quantity: a circuit is to be built. The reference takes any value.

    Raises InputError for an unknown cell, and an op-amp where the cell has none; Unrealisable for values that the cell
    cannot build, and for operators that it does not cover, by name.
    """
    chosen, graph = _equip(find_cell(cell), op_amp), as_graph(graph)
    given = network = in_si(graph)
    factors = dict(chosen.rescaling(network)) if rescale else {}
    network = rescale_states(network, factors)
    draft = Draft(network, factors, crossbars=crossbars)
    fragments = _cover(network, chosen)
    for source in network.of_type(Input):
        for k, node in enumerate(draft.nodes(source)):
            origin = Origin(source.name, Role.INPUT, (k,))
            draft.add(f"V_{draft.label(source.name, k)}", VoltageSource(0.0), (node, GROUND), origin)
    for fragment in fragments:
        fragment.build(draft)
    circuit = draft.circuit(title, chosen.name, graph)
    warn_of_values(given, graph.units)
    return circuit


def _equip(cell: Cell, op_amp: Any) -> Cell:
    """Return a cell with another op-amp, checked. Raises InputError for a cell without one."""
    if op_amp is None:
        return cell
    known = [name for name, one in CELLS.items() if hasattr(one, "op_amp")]
    part = as_op_amp(op_amp)
    delay = getattr(cell, "delay", None)
    changed: dict[str, Any] = {"op_amp": part} if hasattr(cell, "op_amp") else {}
    if hasattr(delay, "op_amp") and is_dataclass(delay) and not isinstance(delay, type):
        changed["delay"] = replace(delay, op_amp=part)
    if not changed:
        raise InputError(f"`op_amp`: cell {cell.name!r} has no op-amp; leave it out, or take {', '.join(known)}")
    made: Any = cell
    equipped: Cell = replace(made, **changed)
    return equipped


def _cover(graph: Graph, cell: Cell) -> list[Fragment]:
    left = {op.name: op for op in graph.operators if not isinstance(op, Input) and not _is_probe(graph, op)}
    chosen = []
    for fragment in sorted(cell.fragments(graph), key=lambda found: -len(found.operators)):
        if all(name in left for name in fragment.operators):
            chosen.append(fragment)
            for name in fragment.operators:
                del left[name]
    if left:
        names = ", ".join(_describe(op) for op in left.values())
        hint = "no circuit has it yet" if cell.name == "ideal" else "cell='ideal' covers more"
        raise Unrealisable(f"cell {cell.name!r} does not lower {names}; {hint}")
    return chosen


def _is_probe(graph: Graph, operator: Operator) -> bool:
    """Whether an Output has one driver, whose nodes it reads; those of several have to be added up."""
    return isinstance(operator, Output) and len(graph.drivers(operator)) == 1


def _describe(operator: Operator) -> str:
    kind = type(operator.function).__name__ if isinstance(operator, Activate) else type(operator).__name__
    return f"{kind} {operator.name!r}"
