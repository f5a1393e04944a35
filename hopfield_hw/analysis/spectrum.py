"""Small signals about a state: eigenvalues of an equation, multipliers of a map, roots of a delay equation."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ..equations import Evaluator
from ..equations.leaks import LeakEquation
from ..graph import Delay, Graph, HasGraph, Leak
from ..values.arrays import Array, freeze, whole
from ..values.errors import AccuracyError, InputError
from ..values.signals import Signal
from .balance import Balance, refuse_neutral
from .characteristic import COUNT, Complexes, DelayedTerms, Roots, delayed_terms, roots_of
from .lure_form import dense


class Spectrum(NamedTuple):
    """`values`: (r,), the rightmost first: eigenvalues or characteristic roots, 1/s; multipliers of a map, the largest
    first. `residuals`: (r,), as parts of the matrix's size. `kind`: "ode", "dde" or "map". `stable`: whether all decay.
    """

    values: Complexes
    residuals: Array
    kind: Literal["ode", "dde", "map"]
    stable: bool


def find_spectrum(graph: Graph | HasGraph, at: Any, inputs: Any = None, *, count: int = COUNT) -> Spectrum:
    """Return the spectrum of the equation linearised about a state.

    `at`: (n,), volts: an equilibrium for what it says to be about stability. `inputs`: constant. `count`: how many
    characteristic roots of a delay equation, which has infinitely many; of others all are given. Several delays are
    taken as they are, a gamma-distributed one as the row of Leaks that it is.

    Raises InputError for a sampled-data system, delays that vary, a neutral equation, and a state of another size;
    AccuracyError where no characteristic root is found.
    """
    balance = Balance(graph, inputs, what="find_spectrum")
    x = freeze(at, "at", shape=(balance.size,))
    wanted = whole(count, "count", 1, 10_000)
    if balance.given.kind == "dde":
        found = _some_roots(linear_terms(balance, x), wanted)
        return Spectrum(found.roots, found.residuals, "dde", bool(np.all(found.roots.real < 0.0)))
    matrix = balance.jacobian(x) + (np.eye(balance.size) if balance.is_map else 0.0)
    values, vectors = np.linalg.eig(matrix)
    size = max(float(np.linalg.norm(matrix, 2)), 1e-300)
    residual = np.linalg.norm(matrix @ vectors - vectors * values, axis=0) / size
    order = np.argsort(-(np.abs(values) if balance.is_map else values.real))
    decay = np.abs(values) < 1.0 if balance.is_map else values.real < 0.0
    kind: Literal["ode", "map"] = "map" if balance.is_map else "ode"
    return Spectrum(values[order].astype(np.complex128), residual[order], kind, bool(np.all(decay)))


def linearise_delays(graph: Graph | HasGraph, at: Any = 0.0, inputs: Any = None) -> DelayedTerms:
    """Return x'(t) = A x(t) + sum_k A_k x(t - tau_k), the equation linearised about a state `at`, (n,), volts.

    Raises InputError as `find_spectrum`, and for a map.
    """
    balance = Balance(graph, inputs, what="linearise_delays")
    if balance.is_map:
        raise InputError("linearise_delays: the graph is a map; its delays are Holds: use find_spectrum")
    return linear_terms(balance, freeze(at, "at", shape=(balance.size,)))


def linear_terms(balance: Balance, x: Array) -> DelayedTerms:
    """Return the linear terms of a differential or delay equation about a state."""
    graph = balance.given
    delays = graph.of_type(Delay)
    if not delays:
        return DelayedTerms(balance.jacobian(x), np.zeros((0, x.size, x.size)), np.zeros(0))
    refuse_neutral(graph, "find_spectrum")
    for delay in delays:
        if isinstance(delay.tau, Signal):
            raise InputError(f"find_spectrum: the Delay {delay.name!r} varies with time; give a constant tau")
    evaluator = Evaluator([graph], (*graph.of_type(Leak), *delays))
    leaks = LeakEquation(evaluator, [graph])
    n = leaks.size
    # What the Delays give at the equilibrium: each what drives it, one after the other along their links.
    state = np.concatenate([x, np.zeros(evaluator.size - n)])
    for _ in delays:
        values = evaluator.evaluate(state, balance.u)
        for delay in delays:
            state[evaluator.slices[delay.name]] = evaluator.driven(values, delay)
    values = evaluator.evaluate(state, balance.u)
    slopes = evaluator.slopes(values)
    now = dense(leaks.jacobian(values))
    drives = {delay.name: dense(evaluator.driven(slopes, delay)) for delay in delays}
    taus, matrices = [], []
    # (what reaches dx/dt, the delay so far): followed back through Delays that drive Delays.
    pending = [(now[:, evaluator.slices[delay.name]], 0.0, delay) for delay in delays]
    while pending:
        matrix, so_far, delay = pending.pop()
        if not matrix.any():
            continue
        assert not isinstance(delay.tau, Signal)
        tau, through = so_far + delay.tau, matrix @ drives[delay.name]
        if through[:, :n].any():
            taus.append(tau)
            matrices.append(through[:, :n])
        pending += [(through[:, evaluator.slices[other.name]], tau, other) for other in delays]
    return delayed_terms(now[:, :n], matrices, np.array(taus))


def _some_roots(terms: DelayedTerms, count: int) -> Roots:
    """Return the rightmost roots. Raises AccuracyError for none, which says nothing about stability."""
    found = roots_of(terms, count)
    if not found.roots.size and len(terms.matrix):
        raise AccuracyError(
            f"characteristic roots: none found of {len(terms.matrix)} states with delays of up to "
            f"{float(terms.taus[-1]):.3g} s, so the stability is not known; take shorter delays, or leave out a "
            "delayed term that is too weak to count"
        )
    return found


def equilibrium_roots(balance: Balance, x: Array, count: int | None = None) -> Complexes:
    """Return eigenvalues, the rightmost characteristic roots, or multipliers at an equilibrium, the largest first."""
    if balance.given.kind == "dde":
        return _some_roots(linear_terms(balance, x), balance.size + 8 if count is None else count).roots
    matrix = balance.jacobian(x) + (np.eye(balance.size) if balance.is_map else 0.0)
    values = np.linalg.eigvals(matrix).astype(np.complex128)
    return values[np.argsort(-(np.abs(values) if balance.is_map else values.real), kind="stable")]
