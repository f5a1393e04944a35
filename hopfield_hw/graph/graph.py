"""The graph: operators and the edges between them, verified when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from ..values.arrays import positive
from ..values.errors import InputError
from .operators import Delay, Hold, Input, Leak, Operator, Output

if TYPE_CHECKING:
    import networkx as nx

Kind: TypeAlias = Literal["ode", "dde", "map", "sampled", "static"]
O = TypeVar("O", bound=Operator)  # noqa: E741


@runtime_checkable
class HasGraph(Protocol):
    """What says its graph: a Network, a network of a family, a Design, a recurrent cell, or anyone's own object."""

    def graph(self) -> Graph:
        """Return the graph."""
        ...


def as_graph(given: Graph | HasGraph) -> Graph:
    """Return a graph as it is, and the graph of what has a method `graph`. Raises InputError for anything else."""
    if isinstance(given, type):
        raise InputError(f"{given.__name__}: is a class; give an object of it, such as {given.__name__}(...)")
    method = getattr(given, "graph", None)
    graph = method() if callable(method) else given
    if not isinstance(graph, Graph):
        raise InputError(f"{given!r:.60}: must be a Graph, or have a method graph() that gives one, as a Network has")
    return graph


class Edge(NamedTuple):
    """`source` drives `port` of `target`."""

    source: str
    target: str
    port: str = "in"


@dataclass(frozen=True, kw_only=True)
class Units:
    """What one unit of the graph is in volts, siemens and seconds; 1 for a graph in SI units."""

    volts_per_unit: float = 1.0
    siemens_per_unit: float = 1.0
    seconds_per_unit: float = 1.0

    def __post_init__(self) -> None:
        for name, unit in (("volts_per_unit", "V"), ("siemens_per_unit", "S"), ("seconds_per_unit", "s")):
            value = positive(getattr(self, name), f"Units.{name}", shape=(), unit=unit)
            object.__setattr__(self, name, float(value))


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """The one description that every machine runs.

    `operators`: in any order, names unique after case folding.
    `edges`: Edge, or (source, target) or (source, target, port). What drives a port adds up.
    `units`: see Units.

    Raises InputError for an empty graph, colliding names, an edge to nothing, sizes that do not meet, a port that
    nothing drives, a cycle that holds no state (the message prints it), and a Delay in a map.
    """

    operators: tuple[Operator, ...]
    edges: tuple[Edge, ...]
    units: Units = field(default_factory=Units)

    def __post_init__(self) -> None:
        for field_name in ("operators", "edges"):
            if isinstance(given := getattr(self, field_name), str) or not isinstance(given, Iterable):
                raise InputError(f"`Graph.{field_name}` = {given!r:.60}: must be a sequence")
            object.__setattr__(self, field_name, tuple(given))
        for operator in self.operators:
            if not isinstance(operator, Operator):
                raise InputError(f"`Graph.operators` holds {operator!r:.60}: must be operators such as Leak and Affine")
        for edge in self.edges:
            if (
                not isinstance(edge, Sequence)
                or len(edge) not in (2, 3)
                or not all(isinstance(part, str) for part in edge)
            ):
                raise InputError(f"`Graph.edges` holds {edge!r:.60}: must be (source, target) or with a port")
        if not isinstance(self.units, Units):
            raise InputError(f"`Graph.units` = {self.units!r:.60}: must be Units(volts_per_unit=..., ...)")
        object.__setattr__(self, "edges", tuple(Edge(*edge) for edge in self.edges))
        _verify(self)

    def __repr__(self) -> str:
        inputs, outputs = (sum(port.output_size for port in self.of_type(kind)) for kind in (Input, Output))
        states = sum(state.output_size for state in self.states)
        counts = f"operators {len(self.operators)}, states {states}, inputs {inputs}, outputs {outputs}"
        return f"<Graph: {self.kind}, {counts}>"

    @cached_property
    def by_name(self) -> Mapping[str, Operator]:
        """The operators by name."""
        return {operator.name: operator for operator in self.operators}

    @cached_property
    def _drivers(self) -> Mapping[tuple[str, str], tuple[Operator, ...]]:
        drivers: dict[tuple[str, str], list[Operator]] = {}
        for edge in self.edges:
            drivers.setdefault((edge.target, edge.port), []).append(self.by_name[edge.source])
        return {key: tuple(sources) for key, sources in drivers.items()}

    @cached_property
    def _targets(self) -> Mapping[str, tuple[Operator, ...]]:
        targets: dict[str, list[Operator]] = {}
        for edge in self.edges:
            targets.setdefault(edge.source, []).append(self.by_name[edge.target])
        return {key: tuple(found) for key, found in targets.items()}

    def drivers(self, operator: Operator, port: str = "in") -> tuple[Operator, ...]:
        """Return what drives a port of an operator."""
        return self._drivers.get((operator.name, port), ())

    def targets(self, operator: Operator) -> tuple[Operator, ...]:
        """Return what an operator drives."""
        return self._targets.get(operator.name, ())

    def of_type(self, kind: type[O]) -> tuple[O, ...]:
        """Return the operators of one type, in their order."""
        return tuple(operator for operator in self.operators if isinstance(operator, kind))

    @cached_property
    def order(self) -> tuple[Operator, ...]:
        """The operators so that each comes after what drives it; those that hold a state come first."""
        import networkx as nx

        stateless = self._network(without_state=True)
        states = [operator for operator in self.operators if operator.holds_state]
        return (*states, *(self.by_name[name] for name in nx.lexicographical_topological_sort(stateless)))

    @property
    def kind(self) -> Kind:
        """What the graph is: "ode", "dde", "map", "sampled", or "static" where nothing holds a state."""
        leak, delay, hold = (bool(self.of_type(kind)) for kind in (Leak, Delay, Hold))
        if hold:
            return "sampled" if leak else "map"
        if delay:
            return "dde"
        return "ode" if leak else "static"

    def labels(self, operator: Operator) -> tuple[str, ...]:
        """Return the labels of an operator's elements: its own, those of its only driver, or the indices."""
        if operator not in self._labels:
            self._labels[operator] = self._find_labels(operator)
        return self._labels[operator]

    @cached_property
    def _labels(self) -> dict[Operator, tuple[str, ...]]:
        return {}

    def _find_labels(self, operator: Operator) -> tuple[str, ...]:
        seen: set[str] = set()
        at = operator
        while at.name not in seen:
            seen.add(at.name)
            if isinstance(at, Leak | Input) and at.labels is not None:
                return at.labels
            drivers = self.drivers(at) if at.ports == ("in",) else ()
            if isinstance(at, Leak | Input) or len(drivers) != 1 or drivers[0].output_size != operator.output_size:
                break
            at = drivers[0]
        return tuple(str(k) for k in range(operator.output_size))

    def labels_of(self, kind: type[Operator]) -> tuple[str, ...]:
        """Return the labels of all operators of one type, one after the other; `<operator>_<label>` if several."""
        operators = self.of_type(kind)
        if len(operators) == 1:
            return self.labels(operators[0])
        return tuple(f"{operator.name}_{label}" for operator in operators for label in self.labels(operator))

    @cached_property
    def states(self) -> tuple[Leak | Hold, ...]:
        """The operators that hold a state, Leaks before Holds."""
        return (*self.of_type(Leak), *self.of_type(Hold))

    @cached_property
    def state_labels(self) -> tuple[str, ...]:
        """The labels of all states, one after the other; `<operator>_<label>` where several operators hold one."""
        if len(self.states) == 1:
            return self.labels(self.states[0])
        return tuple(f"{state.name}_{label}" for state in self.states for label in self.labels(state))

    @cached_property
    def text(self) -> str:
        """The canonical text: one line an operator or edge, sorted; `parse_graph` reads it back."""
        from .text import format_graph

        return format_graph(self)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the canonical text, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()

    def _network(self, *, without_state: bool) -> nx.DiGraph:
        import networkx as nx

        network = nx.DiGraph()
        keep = dict.fromkeys(op.name for op in self.operators if not (without_state and op.holds_state))
        network.add_nodes_from(keep)
        network.add_edges_from((e.source, e.target) for e in self.edges if e.source in keep and e.target in keep)
        return network


def _verify(graph: Graph) -> None:
    import networkx as nx

    if not graph.operators:
        raise InputError("`Graph.operators` is empty: must hold at least one operator")
    _verify_names(graph.operators)
    _verify_edges(graph)
    try:
        cycle = nx.find_cycle(graph._network(without_state=True))
    except nx.NetworkXNoCycle:
        cycle = []
    if cycle:
        path = " -> ".join([*(edge[0] for edge in cycle), cycle[0][0]])
        raise InputError(f"`Graph`: the cycle {path} holds no state; put a Leak, a Hold or a Delay into it")
    if graph.kind == "map" and graph.of_type(Delay):
        raise InputError(f"`{graph.of_type(Delay)[0].name}`: a Delay in a map has no meaning; chain Holds instead")


def _verify_names(operators: Iterable[Operator]) -> None:
    seen: dict[str, str] = {}
    for operator in operators:
        if operator.name.lower() in seen:
            raise InputError(
                f"`Graph.operators`: {seen[operator.name.lower()]!r} and {operator.name!r} are one name in SPICE, "
                "which ignores case; rename one of them"
            )
        seen[operator.name.lower()] = operator.name


def _verify_edges(graph: Graph) -> None:
    if len(set(graph.edges)) != len(graph.edges):
        raise InputError("`Graph.edges` holds an edge twice: state each once, and put a factor into an Affine")
    for edge in graph.edges:
        for end in (edge.source, edge.target):
            if end not in graph.by_name:
                raise InputError(f"`Graph.edges`: {tuple(edge)} names {end!r}, which is not an operator")
        source, target = graph.by_name[edge.source], graph.by_name[edge.target]
        if isinstance(source, Output):
            raise InputError(f"`Graph.edges`: {edge.source!r} is an Output and drives nothing; start at what drives it")
        if edge.port not in target.ports:
            allowed = ", ".join(target.ports) if target.ports else "none, it is an Input"
            raise InputError(f"`Graph.edges`: {edge.target!r} has no port {edge.port!r}; its ports: {allowed}")
        if source.output_size != target.input_size:
            raise InputError(
                f"`Graph.edges`: {edge.source!r} gives {source.output_size} elements and {edge.target!r} takes "
                f"{target.input_size}; make the sizes meet"
            )
    for operator in graph.operators:
        for port in operator.ports:
            if not graph.drivers(operator, port) and not isinstance(operator, Leak):
                where = "" if port == "in" else f" port {port!r} of"
                raise InputError(f"`Graph`: nothing drives{where} {operator.name!r}; add an edge to it")
