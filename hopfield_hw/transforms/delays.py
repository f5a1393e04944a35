"""Delayed forms of any network: one delay, one for each edge, varying, distributed, neutral. Graph in, graph out.

What is delayed is the feedback: the edges from activations of states to Affines, or from the states themselves where no
activation drives an Affine. Names of what is added begin with the name of what it belongs to: `v_late`, `v_late_0`,
`syn_0`, `v_gamma_1`, `x_total`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..graph import Activate, Affine, Clock, Delay, Edge, Graph, Hold, Leak, Operator, as_graph
from ..graph.building import square
from ..graph.neutral import check_neutral
from ..graph.weights import Weights, diagonal_weights, freeze_weights
from ..networks.network import Network
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import InputError
from ..values.signals import Signal

# Leaks in the row of a gamma kernel: with more it is a delay for all purposes.
MOST_LEAKS = 1000


def add_delay(graph: Graph | Network, tau: float | Signal, *, history: Any = None) -> Graph:
    """Return the network with one delay in its feedback: v_j(t) becomes v_j(t - tau) (Marcus and Westervelt, 1989).

    `tau`: seconds (or the graph's unit of time), positive; a Signal of one element for a delay that varies. In a map it
    is a whole number of periods, and a row of as many Holds. `history`: what is delayed, before t = 0: (n,), or a
    Signal on reversed time; by its name where several things are; what the initial state gives where nothing is said.

    Raises InputError for a graph without feedback, names that `history` has and the feedback has not, and a tau that
    is not a delay, or not one of a map.
    """
    network = as_graph(graph)
    sources = _feedback(network)
    past = _histories(network, sources, history)
    operators, edges = list(network.operators), []
    for edge in network.edges:
        late = edge.target in sources.get(edge.source, ())
        edges.append(edge._replace(source=f"{edge.source}_late") if late else edge)
    for source in sources:
        added, into = _late(network, source, {f"{source}_late": tau}, past[source])
        operators += added
        edges += into
    return replace(network, operators=tuple(operators), edges=tuple(edges))


def add_delay_by_edge(graph: Graph | Network, taus: Mapping[str, Any] | Any, *, history: Any = None) -> Graph:
    """Return the network with a delay for each weight: T_ij v_j(t) becomes T_ij v_j(t - tau_ij).

    `taus`: (n, m), dense or scipy.sparse, seconds, at least 0 (0, or nothing there: no delay), or one number, for the
    one Affine that takes feedback; or by the names of several. There is one Affine for each distinct delay of an
    Affine, and one Delay for each distinct delay of what is delayed, whatever takes it; in a map, one row of Holds for
    all delays of one thing. `history`: as of `add_delay`.

    Raises InputError for a graph without feedback, and for delays that are negative, of the wrong shape, or none of a
    map.
    """
    network = as_graph(graph)
    sources = _feedback(network)
    past = _histories(network, sources, history)
    taking = {name for targets in sources.values() for name in targets}
    affines = [affine for affine in network.of_type(Affine) if affine.name in taking]
    if not isinstance(taus, Mapping):
        if len(affines) != 1:
            raise InputError(f"`taus`: feedback goes to {sorted(taking)}; give a matrix for each, by name")
        taus = {affines[0].name: taus}
    if set(taus) != taking:
        raise InputError(f"`taus` names {sorted(map(str, taus))}: must name what takes feedback, {sorted(taking)}")
    each = {affine.name: _taus(taus[affine.name], affine, network) for affine in affines}
    distinct = sorted(set(np.concatenate(list(each.values())).tolist()) - {0.0})
    operators = {op.name: op for op in network.operators}
    edges = list(network.edges)
    taken: dict[str, dict[str, float | Signal]] = {source: {} for source in sources}
    for affine in affines:
        late, drivers = each[affine.name], [driver.name for driver in network.drivers(affine)]
        operators[affine.name] = replace(affine, weights=_where(affine, late == 0.0), bias=affine.constant)
        for k, tau in enumerate(distinct):
            if not bool(np.any(late == tau)):
                continue
            part = replace(
                affine,
                name=f"{affine.name}_{k}",
                weights=_where(affine, late == tau),
                bias=np.zeros(affine.output_size),
            )
            operators[part.name] = part
            edges += [edge._replace(source=part.name) for edge in network.edges if edge.source == affine.name]
            for driver in drivers:
                if driver in sources:
                    taken[driver][f"{driver}_late_{k}"] = tau
                edges.append(Edge(f"{driver}_late_{k}" if driver in sources else driver, part.name))
    for source, forms in taken.items():
        added, into = _late(network, source, forms, past[source])
        operators |= {operator.name: operator for operator in added}
        edges += into
    return replace(network, operators=tuple(operators.values()), edges=tuple(edges))


def distribute_delay(graph: Graph | Network, mean: float, *, order: int = 1) -> Graph:
    """Return the network whose feedback comes with a gamma-distributed delay: v_j becomes a mean over its past.

    It is int_0^inf k(s) v_j(t - s) ds, k(s) = (m/tau)^m s^(m-1) exp(-m s/tau) / (m - 1)!, exactly a row of m equal
    Leaks of R C = tau/m (the linear chain trick; MacDonald, "Time Lags in Biological Models", 1978). The Leaks start at
    what the initial state gives, so the past is that too.

    `mean`: tau, seconds, positive. `order`: m, from 1 to 1,000.

    Raises InputError for others, a graph without feedback, and a map.
    """
    network = as_graph(graph)
    _refuse_map(network, "a gamma kernel is a row of Leaks")
    tau = float(positive(mean, "mean", shape=(), unit="s"))
    order = whole(order, "order", 1, MOST_LEAKS, ", the Leaks in a row")
    sources = _feedback(network)
    past = _histories(network, sources, None)
    resistance = _typical_resistance(network)
    operators: list[Operator] = list(network.operators)
    edges = [edge for edge in network.edges if edge.target not in sources.get(edge.source, ())]
    for source, targets in sources.items():
        size, before = past[source].size, source
        for k in range(order):
            stage = Leak(
                name=f"{source}_gamma_{k}",
                capacitance=np.full(size, tau / order / resistance),
                resistance=np.full(size, resistance),
                initial=past[source],
            )
            into = Affine(name=f"{source}_into_{k}", weights=_diagonal(network, 1.0 / resistance, size))
            operators += [into, stage]
            edges += [Edge(before, into.name), Edge(into.name, stage.name)]
            before = stage.name
        edges += [Edge(before, target) for target in targets]
    return replace(network, operators=tuple(operators), edges=tuple(edges))


def add_neutral_delays(
    graph: Graph | Network,
    matrices: Sequence[Any],
    taus: Sequence[float],
    *,
    history: Any = None,
    leak: str | None = None,
) -> Graph:
    """Return the neutral form of a network, C d/dt [x - sum_k D_k x(t - tau_k)] = what C dx/dt was.

    The Leak's state becomes z = x - sum_k D_k x(t - tau_k), with R infinite and its leak drawn from x;
    x = z + sum_k D_k x(t - tau_k) is `<leak>_total`. `matrices`: D_k, (n, n) each, dense or scipy.sparse. `taus`:
    tau_k, seconds, positive. `history`: x before t = 0, (n,) constants or a Signal on reversed time; the initial state
    where nothing is said. `leak`: which one, where the graph has several.

    Raises InputError for wrong shapes, a map, and where the jumps would not die out (see
    `graph.neutral.check_neutral`).
    """
    network = as_graph(graph)
    _refuse_map(network, "a neutral equation holds derivatives")
    state = _one_leak(network, leak)
    n = state.output_size
    if any(isinstance(given, str | Mapping) or not np.iterable(given) for given in (matrices, taus)):
        raise InputError("`matrices` and `taus`: must be lists, of one D_k and one tau_k each")
    if len(matrices) != len(taus) or not len(taus):
        raise InputError(f"`matrices` has {len(matrices)} and `taus` {len(taus)}: must have as many, at least one")
    past = state.initial if history is None else history
    d = [_square(matrix, f"matrices[{k}]", n) for k, matrix in enumerate(matrices)]
    late = [Delay(name=f"{state.name}_late_{k}", size=n, tau=tau, history=past) for k, tau in enumerate(taus)]
    total = Affine(name=f"{state.name}_total", weights=_diagonal(network, 1.0, n))
    feeds = [Affine(name=f"{state.name}_neutral_{k}", weights=m) for k, m in enumerate(d)]
    fed = [feed.weights.apply(_before(delay)) + feed.constant for feed, delay in zip(feeds, late, strict=True)]
    start = state.initial - np.sum(fed, axis=0)
    edges = [edge._replace(source=total.name) if edge.source == state.name else edge for edge in network.edges]
    edges.append(Edge(state.name, total.name))
    for delay, feed in zip(late, feeds, strict=True):
        edges += [Edge(total.name, delay.name), Edge(delay.name, feed.name), Edge(feed.name, total.name)]
    added: list[Operator] = [*late, *feeds, total]
    if bool(np.any(np.isfinite(state.resistance))):
        added.append(Affine(name=f"{state.name}_leak", weights=_diagonal(network, -1.0 / state.resistance, n)))
        edges += [Edge(total.name, added[-1].name), Edge(added[-1].name, state.name)]
    held = replace(state, resistance=np.full(n, np.inf), initial=start)
    operators = [held if op.name == state.name else op for op in network.operators]
    result = replace(network, operators=(*operators, *added), edges=tuple(edges))
    check_neutral(result)
    return result


def _refuse_map(graph: Graph, why: str) -> None:
    if graph.kind == "map":
        raise InputError(f"the graph is a map, and {why}: delay it with `add_delay` or `add_delay_by_edge`")


def _feedback(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return by what is fed back the Affines that take it: activations of states, or states where there are none."""
    states = {state.name for state in graph.states}
    activations = [op for op in graph.of_type(Activate) if all(by.name in states for by in graph.drivers(op))]
    late = [op.name for op in activations if any(isinstance(target, Hold) for target in graph.targets(op))]
    if late or graph.of_type(Delay):
        raise InputError(
            "the graph is delayed already: give all delays of its feedback at once, and make it neutral after that"
        )
    for sources in (activations, graph.states):
        taking = {op.name: [to for to in graph.targets(op) if isinstance(to, Affine)] for op in sources}
        if any(taking.values()):
            break
    else:
        raise InputError("the graph has no feedback to delay: no Affine takes a state, or an Activate of states")
    lasting = {name: [to for to in affines if not _keeps(graph, name, to)] for name, affines in taking.items()}
    chosen = lasting if any(lasting.values()) else taking
    return {name: tuple(to.name for to in affines) for name, affines in chosen.items() if affines}


def _keeps(graph: Graph, state: str, affine: Affine) -> bool:
    """Whether an Affine is how each element of a map keeps its own state: that is not feedback."""
    _, rows, columns = affine.weights.entries()
    ends = [end for to in graph.targets(affine) for end in (graph.targets(to) if isinstance(to, Activate) else (to,))]
    return graph.kind == "map" and bool(np.all(rows == columns)) and state in (end.name for end in ends)


def _histories(graph: Graph, sources: Mapping[str, Any], history: Any) -> dict[str, Any]:
    """Return by what is delayed what it was before t = 0: what is given, or what the initial state gives."""
    if not isinstance(history, Mapping):
        if history is not None and len(sources) > 1:
            raise InputError(f"`history`: several things are delayed, {sorted(sources)}; give one for each, by name")
        history = {} if history is None else dict.fromkeys(sources, history)
    if not set(history) <= set(sources):
        raise InputError(f"`history` names {sorted(map(str, history))}: must be of what is delayed, {sorted(sources)}")
    found = {}
    for name in sources:
        operator, value = graph.by_name[name], history.get(name)
        if value is None:
            drivers = graph.drivers(operator) if isinstance(operator, Activate) else [operator]
            at_start = np.sum([driver.initial for driver in drivers if isinstance(driver, Leak | Hold)], axis=0)
            value = operator.function.value(at_start) if isinstance(operator, Activate) else at_start
        elif not isinstance(value, Signal):
            value = freeze(value, f"history of {name!r}", shape=(operator.output_size,))
        found[name] = value
    return found


def _late(
    graph: Graph, source: str, taus: Mapping[str, float | Signal], past: Any
) -> tuple[list[Operator], list[Edge]]:
    """Return what delays one thing, by the name of each delayed form: Delays, or in a map one row of Holds with taps.

    `past`: before t = 0, (n,) constants or a Signal on reversed time.
    """
    size = graph.by_name[source].output_size
    if graph.kind != "map":
        delays: list[Operator] = [Delay(name=name, size=size, tau=tau, history=past) for name, tau in taus.items()]
        return delays, [Edge(source, delay.name) for delay in delays]
    clock = graph.of_type(Hold)[0].clock
    taps = {_periods(tau, clock, source): name for name, tau in taus.items()}
    row: list[Operator] = []
    for steps in range(1, max(taps, default=0) + 1):
        before = past.at(steps * clock.period) if isinstance(past, Signal) else past
        row.append(Hold(name=taps.get(steps, f"{source}_late_step_{steps}"), clock=clock, initial=before))
    return row, [Edge(a, b) for a, b in pairwise([source, *(hold.name for hold in row)])]


def _periods(tau: float | Signal, clock: Clock, source: str) -> int:
    """Return a delay of a map in periods of its clock."""
    if isinstance(tau, Signal):
        raise InputError(f"`tau` of {source!r} varies: must be constant in a map, a whole number of its periods")
    periods = float(positive(tau, f"tau of {source!r}", shape=(), unit="units of time")) / clock.period
    if round(periods) < 1 or abs(periods - round(periods)) > 1e-9 * periods:
        raise InputError(
            f"`tau` of {source!r} = {tau}: the network is a map: must be a whole number of periods of {clock.period:g}"
        )
    return round(periods)


def _where(affine: Affine, chosen: Any) -> Weights:
    """Return the weights with those that are not chosen at 0, of the entries in their order."""
    return affine.weights.with_values(np.where(chosen, affine.weights.entries().values, 0.0))


def _taus(taus: Any, affine: Affine, graph: Graph) -> Array:
    """Return the delay of each entry of the weights, in their order; those of a map are whole periods."""
    _, rows, columns = affine.weights.entries()
    name, shape = f"taus of {affine.name!r}", (affine.output_size, affine.input_size)
    if np.ndim(taus) == 0:
        found = freeze(taus, name, shape=(rows.size,))
    else:
        matrix = freeze_weights(taus, name)
        if (matrix.output_size, matrix.input_size) != shape:
            raise InputError(f"`{name}` has shape {(matrix.output_size, matrix.input_size)}: must have shape {shape}")
        found = np.asarray(matrix.compact[rows, columns])
    if bool(np.any(found < 0.0)):
        k = int(np.argmax(found < 0.0))
        raise InputError(f"`taus[{rows[k]}, {columns[k]}]` = {found[k]} s: must not be negative (0: no delay)")
    if graph.kind == "map":
        distinct, which = np.unique(found, return_inverse=True)
        clock = graph.of_type(Hold)[0].clock
        periods = [_periods(tau, clock, affine.name) if tau else 0 for tau in distinct.tolist()]
        found = clock.period * np.array(periods, dtype=np.float64)[which]
    return found


def _diagonal(graph: Graph, values: Array | float, n: int) -> Weights:
    """Return a diagonal matrix, sparse where any weights of the graph are."""
    is_sparse = any(affine.weights.is_sparse for affine in graph.of_type(Affine))
    return diagonal_weights(np.broadcast_to(values, (n,)), is_sparse=is_sparse)


def _typical_resistance(graph: Graph) -> float:
    """Return the median R of the graph's Leaks, 1 where all are infinite: any R gives the same equation."""
    found = np.concatenate([leak.resistance for leak in graph.of_type(Leak)])
    finite = found[np.isfinite(found)]
    return float(np.median(finite)) if finite.size else 1.0


def _square(value: Any, name: str, n: int) -> Weights:
    matrix, size = square(value, name)
    if size != n:
        raise InputError(f"`{name}` has shape {(size, size)}: must have shape {(n, n)}")
    return matrix


def _one_leak(graph: Graph, name: str | None) -> Leak:
    leaks = graph.of_type(Leak)
    chosen = [leak for leak in leaks if name is None or leak.name == str(name)]
    if len(chosen) != 1:
        raise InputError(f"`leak` = {name!r}: must name one of {', '.join(leak.name for leak in leaks)}")
    return chosen[0]


def _before(delay: Delay) -> Array:
    """Return what a Delay gives at t = 0."""
    if isinstance(delay.history, Signal):
        return delay.history.at(float(delay.tau if isinstance(delay.tau, float) else delay.tau.at(0.0)[0]))
    return delay.history
