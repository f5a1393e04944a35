"""Canonical text of a graph, printed and parsed: `parse_graph(graph.text)` is the same graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..functions import Function, function_from
from ..values.errors import InputError
from ..values.signals import Signal
from .graph import Edge, Graph, Units
from .operators import Activate, Affine, Clock, Delay, Hadamard, Hold, Input, Leak, Operator, Output, Quantise, Sign
from .weights import read_weights

HEADER = "hopfield_hw graph 1"
OPERATORS: Mapping[str, type[Operator]] = MappingProxyType(
    {op.kind: op for op in (Input, Affine, Leak, Activate, Hadamard, Sign, Delay, Hold, Quantise, Output)}
)


def format_graph(graph: Graph) -> str:
    """Return the canonical text: header, units, operators by name, edges by source, target and port."""
    units = graph.units
    lines = [HEADER, f"units {units.volts_per_unit!r} {units.siemens_per_unit!r} {units.seconds_per_unit!r}"]
    for operator in sorted(graph.operators, key=lambda op: op.name):
        params = json.dumps(operator.params(), sort_keys=True, separators=(",", ":"))
        lines.append(f"{operator.kind} {operator.name} {params}")
    lines += [f"edge {edge.source} {edge.target} {edge.port}" for edge in sorted(graph.edges)]
    return "\n".join(lines) + "\n"


def parse_graph(text: str) -> Graph:
    """Return the graph that `format_graph` printed. Raises InputError that names the line for anything else."""
    lines = text.splitlines() if isinstance(text, str) else []
    if not lines or lines[0] != HEADER:
        raise InputError(f"graph text, line 1: must be {HEADER!r}")
    operators: list[Operator] = []
    edges: list[Edge] = []
    units = Units()
    for number, line in enumerate(lines[1:], start=2):
        word, _, rest = line.partition(" ")
        try:
            if word == "units":
                volts, siemens, seconds = (float(value) for value in rest.split())
                units = Units(volts_per_unit=volts, siemens_per_unit=siemens, seconds_per_unit=seconds)
            elif word == "edge":
                source, target, port = rest.split()
                edges.append(Edge(source, target, port))
            else:
                name, _, params = rest.partition(" ")
                operators.append(OPERATORS[word](name=name, **_decode(json.loads(params))))
        except InputError as error:
            raise InputError(f"graph text, line {number}: {error}") from None
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise InputError(f"graph text, line {number}: {line[:60]!r} is not a line of a graph") from None
    return Graph(operators=tuple(operators), edges=tuple(edges), units=units)


def _decode(params: dict[str, Any]) -> dict[str, Any]:
    decoders: dict[str, Callable[[Any], Any]] = {
        "weights": read_weights,
        "function": _function,
        "clock": _clock,
        "tau": _signal,
        "history": _signal,
        "labels": _labels,
    }
    return {key: decoders[key](value) if key in decoders else value for key, value in params.items()}


def _function(value: dict[str, Any]) -> Function:
    return function_from(value.pop("kind"), value)


def _clock(value: dict[str, Any]) -> Clock:
    return Clock(**value)


def _labels(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _signal(value: Any) -> Any:
    return Signal(**value) if isinstance(value, dict) else value
