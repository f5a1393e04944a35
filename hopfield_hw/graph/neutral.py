"""Cycles through Delays alone: what a neutral equation is made of, d/dt [x - D x(t - tau)] = ..."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError
from .ir import Graph
from .operators import Affine, Delay, Operator
from .weights import linear


def direct_links(graph: Graph) -> nx.DiGraph:
    """Return which Delay drives which without a Leak or a Hold between, as edges from Delay to Delay."""
    links = nx.DiGraph()
    for delay in graph.of_type(Delay):
        links.add_node(delay.name)
        links.add_edges_from((delay.name, target) for target in _reached(graph, delay))
    return links


def check_neutral(graph: Graph) -> None:
    """Refuse a neutral graph whose jumps would not die out.

    x = z + sum_k D_k x(t - tau_k) is stable where the spectral radius of D is below 1 for one delay, and where that of
    sum_k |D_k| is for several, whatever the delays are (Hale and Verduyn Lunel, "Introduction to Functional
    Differential Equations" (1993), section 9.6). Cycles with functions or products in them are not judged.

    Raises InputError that names the Delays.
    """
    links = direct_links(graph)
    for names in nx.strongly_connected_components(links):
        if not any(links.has_edge(a, b) for a in names for b in names):
            continue
        delays = [delay for delay in graph.of_type(Delay) if delay.name in names]
        gain = _gain(graph, delays)
        if gain is None:
            continue
        several = len(delays) > 1
        radius = float(np.max(np.abs(np.linalg.eigvals(np.abs(gain) if several else gain))))
        if radius >= 1.0:
            what = "sum |D_k|" if several else "D"
            named = ", ".join(repr(delay.name) for delay in delays)
            raise InputError(
                f"the cycle through the Delays {named} alone has a spectral radius of {what} = {radius:.4g}: must be "
                "below 1, or jumps never die out; make D smaller, or put a Leak into the cycle"
            )


def _reached(graph: Graph, delay: Delay) -> set[str]:
    found, seen, pending = set(), set(), list(graph.targets(delay))
    while pending:
        operator = pending.pop()
        if isinstance(operator, Delay):
            found.add(operator.name)
        elif not operator.holds_state and operator.name not in seen:
            seen.add(operator.name)
            pending += graph.targets(operator)
    return found


def _gain(graph: Graph, delays: Iterable[Delay]) -> Array | None:
    """Return what drives the delays by what they give, a square matrix; None where that is not linear."""
    names = [delay.name for delay in delays]
    ends = np.cumsum([0, *(graph.by_name[name].output_size for name in names)]).tolist()
    effects: dict[str, Array] = {}

    def driven(operator: Operator) -> Array:
        sources = [source for port in operator.ports for source in graph.drivers(operator, port)]
        return sum((effects[source.name] for source in sources), np.zeros((operator.input_size, ends[-1])))

    for operator in graph.order:
        effect = np.zeros((operator.output_size, ends[-1]))
        if operator.name in names:
            effect = np.eye(operator.output_size, ends[-1], ends[names.index(operator.name)])
        elif isinstance(operator, Affine):
            effect = np.asarray(linear(operator.weights) @ driven(operator))
        elif not operator.holds_state and driven(operator).any():
            effect = np.full_like(effect, np.nan)
        effects[operator.name] = effect
    gain = np.vstack([driven(graph.by_name[name]) for name in names])
    return None if np.isnan(gain).any() else gain
