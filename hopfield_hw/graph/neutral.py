"""Cycles through Delays alone: what a neutral equation is made of, d/dt [x - D x(t - tau)] = ..."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from ..values.arrays import SparseArray
from ..values.errors import InputError
from .graph import Graph
from .operators import Affine, Delay, Operator

if TYPE_CHECKING:
    import networkx as nx

# Matrices of more rows are not made dense: their spectral radius is bounded from above, by so many powers.
MANY, POWERS = 500, 200


def direct_links(graph: Graph) -> nx.DiGraph:
    """Return which Delay drives which without a Leak or a Hold between, as edges from Delay to Delay."""
    import networkx as nx

    links = nx.DiGraph()
    for delay in graph.of_type(Delay):
        links.add_node(delay.name)
        links.add_edges_from((delay.name, target) for target in _reach(graph, delay))
    return links


def check_neutral(graph: Graph) -> None:
    """Refuse a neutral graph whose jumps would not die out.

    x = z + sum_k D_k x(t - tau_k) is stable where the spectral radius of D is below 1 for one delay, and where that of
    sum_k |D_k| is for several, whatever the delays are (Hale and Verduyn Lunel, "Introduction to Functional
    Differential Equations" (1993), section 9.6). Of more than 500 states it is that of |D| which counts. Cycles with
    functions or products in them are not judged.

    Raises InputError that names the Delays.
    """
    import networkx as nx

    links = direct_links(graph)
    for names in nx.strongly_connected_components(links):
        if not any(links.has_edge(a, b) for a in names for b in names):
            continue
        delays = [delay for delay in graph.of_type(Delay) if delay.name in names]
        gain = _gain(graph, delays)
        if gain is None:
            continue
        several = len(delays) > 1
        radius = _spectral_radius(abs(gain) if several else gain)
        if radius >= 1.0:
            what = "sum |D_k|" if several else "D"
            named = ", ".join(repr(delay.name) for delay in delays)
            raise InputError(
                f"the cycle through the Delays {named} alone has a spectral radius of {what} = {radius:.4g}: must be "
                "below 1, or jumps never die out; make D smaller, or put a Leak into the cycle"
            )


def _reach(graph: Graph, delay: Delay) -> set[str]:
    found, seen, pending = set(), set(), list(graph.targets(delay))
    while pending:
        operator = pending.pop()
        if isinstance(operator, Delay):
            found.add(operator.name)
        elif not operator.holds_state and operator.name not in seen:
            seen.add(operator.name)
            pending += graph.targets(operator)
    return found


def _gain(graph: Graph, delays: Iterable[Delay]) -> SparseArray | None:
    """Return what drives the delays by what they give, a square matrix; None where that is not linear."""
    names = [delay.name for delay in delays]
    ends = np.cumsum([0, *(graph.by_name[name].output_size for name in names)]).tolist()
    effects: dict[str, SparseArray | None] = {}

    def driven(operator: Operator) -> SparseArray | None:
        total = sp.csr_array((operator.input_size, ends[-1]))
        for source in (source for port in operator.ports for source in graph.drivers(operator, port)):
            if (effect := effects[source.name]) is None:
                return None
            total = total + effect
        return total

    for operator in graph.order:
        effect: SparseArray | None = sp.csr_array((operator.output_size, ends[-1]))
        if operator.name in names:
            first = ends[names.index(operator.name)]
            effect = sp.eye_array(operator.output_size, ends[-1], k=first, format="csr")
        elif not operator.holds_state and ((given := driven(operator)) is None or given.count_nonzero()):
            effect = None
            if isinstance(operator, Affine) and given is not None:
                effect = sp.csr_array(operator.weights.sparse @ given)
        effects[operator.name] = effect
    gains = [gain for name in names if (gain := driven(graph.by_name[name])) is not None]
    return sp.csr_array(sp.vstack(gains)) if len(gains) == len(names) else None


def _spectral_radius(matrix: SparseArray) -> float:
    """Return the largest size of an eigenvalue; for many rows a bound of it, ||A^k||^(1/k) with the sizes for A."""
    if matrix.shape[0] <= MANY:
        return float(np.max(np.abs(np.linalg.eigvals(matrix.toarray()))))
    sizes, sums, total = abs(matrix), np.ones(matrix.shape[0]), 0.0
    for _ in range(POWERS):
        sums = np.asarray(sizes @ sums)
        largest = float(np.max(sums))
        if largest == 0.0:
            return 0.0
        sums, total = sums / largest, total + np.log(largest)
    return float(np.exp(total / POWERS))
