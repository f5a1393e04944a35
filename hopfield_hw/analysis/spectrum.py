"""Small signals about a state: eigenvalues of an equation, multipliers of a map, roots of a delay equation."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ..equations import Evaluator
from ..equations.leaks import LeakEquation
from ..graph import Delay, Graph, HasGraph, Leak
from ..values.arrays import Array, dense, freeze, whole
from ..values.errors import AccuracyError, InputError
from ..values.signals import Signal
from .balance import Balance, refuse_neutral
from .characteristic import COUNT, Complexes, DelayedTerms, Roots, delayed_terms, roots_of
from .small_signals import ROUNDINGS, Outcome, SmallSignals, judge_matrix, judge_terms

EPS = float(np.finfo(np.float64).eps)
# Roundings of the state, of its size, that its residual does not show; by how much of its size it is moved at most.
STATE_ROUNDINGS, MOST_MOVED = 8, 1e-3


class Spectrum(NamedTuple):
    """`values`: (r,), the rightmost first: eigenvalues or characteristic roots, 1/s; multipliers of a map, the largest
    first. `residuals`: (r,), as parts of the matrix's size. `kind`: "ode", "dde" or "map". `outcome`: "stable" where
    all decay, "unstable" where one grows, "undecided" where rounding could have moved one over the border.
    """

    values: Complexes
    residuals: Array
    kind: Literal["ode", "dde", "map"]
    outcome: Outcome

    @property
    def stable(self) -> bool:
        """Whether all decay for certain."""
        return self.outcome == "stable"


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
        terms = linear_terms(balance, x)
        found = _some_roots(terms, wanted)
        return Spectrum(found.roots, found.residuals, "dde", judge_terms(terms, found.roots).outcome)
    matrix = balance.jacobian(x) + (np.eye(balance.size) if balance.is_map else 0.0)
    values, vectors = np.linalg.eig(matrix)
    size = max(float(np.linalg.norm(matrix, 2)), 1e-300)
    residual = np.linalg.norm(matrix @ vectors - vectors * values, axis=0) / size
    order = np.argsort(-(np.abs(values) if balance.is_map else values.real))
    kind: Literal["ode", "map"] = "map" if balance.is_map else "ode"
    outcome = judge_matrix(matrix, is_map=balance.is_map, terms=_leak_rate(balance)).outcome
    return Spectrum(values[order].astype(np.complex128), residual[order], kind, outcome)


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


def judge_equilibrium(balance: Balance, x: Array) -> SmallSignals:
    """Return what small signals about an equilibrium do, given how well the equilibrium itself is known."""
    error = _state_error(balance, x)
    if balance.given.kind == "dde":
        terms = linear_terms(balance, x)
        return judge_terms(terms, _some_roots(terms, balance.size + 8).roots, error=error)
    matrix = balance.jacobian(x) + (np.eye(balance.size) if balance.is_map else 0.0)
    return judge_matrix(matrix, is_map=balance.is_map, terms=_leak_rate(balance), error=error)


def _leak_rate(balance: Balance) -> float:
    """Return the largest 1/(R C), which the feedback's slope may cancel in the Jacobian; 1 of a map."""
    if balance.is_map:
        return 1.0
    leaks = balance.graph.of_type(Leak)
    return max((float(np.max(1.0 / (leak.resistance * leak.capacitance))) for leak in leaks), default=0.0)


def _state_error(balance: Balance, x: Array) -> float:
    """Return by how much the Jacobian changes where the state moves as far as the residual and rounding let it.

    That is |f| over the least singular value, along its direction. A singular Jacobian is undecided by itself.
    """
    jacobian = balance.jacobian(x)
    _, singular, right = np.linalg.svd(jacobian)
    size = float(singular[0]) + _leak_rate(balance)
    if singular[-1] <= ROUNDINGS * len(x) * EPS * size:
        return 0.0
    residual = float(np.linalg.norm(balance.value(x))) + STATE_ROUNDINGS * EPS * size * balance.reach
    step = right[-1] * min(residual / float(singular[-1]), MOST_MOVED * balance.reach)
    return max(_jacobian_change(balance, x, x + step), _jacobian_change(balance, x, x - step))


def _jacobian_change(balance: Balance, x: Array, moved: Array) -> float:
    if balance.given.kind != "dde":
        return float(np.linalg.norm(balance.jacobian(moved) - balance.jacobian(x), 2))
    here, there = linear_terms(balance, x), linear_terms(balance, moved)
    changes = [there.matrix - here.matrix]
    if len(here.delayed) == len(there.delayed):
        changes += list(there.delayed - here.delayed)
    return float(sum(np.linalg.norm(one, 2) for one in changes))
