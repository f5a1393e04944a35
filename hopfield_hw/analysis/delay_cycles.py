"""Limit cycles of a delay equation by collocation, with the multipliers of the discretised monodromy operator."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.polynomial import legendre
from numpy.polynomial.chebyshev import chebpts2
from scipy.interpolate import CubicSpline
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs, splu

from ..equations import DelayProgram, integrate_delayed
from ..equations.delay_solution import Solution
from ..functions import HardLimiter
from ..graph import Activate, Graph
from ..values.arrays import Array, freeze
from ..values.errors import AccuracyError, InputError
from .balance import Balance
from .characteristic import Complexes
from .closed import POINTS, Closed, apart, last_round, refuse_equilibrium, rounds, sort_multipliers
from .retarded import RetardedEquation

DEGREE = 6
FIRST, FINER = 14, 1.5  # elements of the first mesh; the next has so many times as many
MOST_ELEMENTS, MOST_UNKNOWNS = 1200, 20_000
ITERATIONS = 30
CONVERGED = 1e-11
AGREED, SAME = 1e-10, 1e-8  # of the period and of the states, from mesh to mesh
FEWEST = 8  # times of a cycle to start from
COUNT = 16  # multipliers beside the trivial one
LARGE, LARGEST = 400, 3000  # a monodromy matrix of more rows is made only where it has to be, and never
RTOL, NOISE = 1e-7, 1e-5  # of the simulated start
PAST = np.linspace(0.0, 1.0, 9)  # of the longest delay: where returns are compared


class Mesh(NamedTuple):
    """Elements of one period, by their ends (L + 1,) from 0 to 1."""

    edges: Array

    @property
    def elements(self) -> int:
        return len(self.edges) - 1

    @property
    def lengths(self) -> Array:
        return np.diff(self.edges)

    @property
    def nodes(self) -> Array:
        """The times of the unknown states, (L m,): the end of the last element is the first of them."""
        local, _, _ = _basis()
        return np.asarray((self.edges[:-1, np.newaxis] + self.lengths[:, np.newaxis] * local[:-1]).ravel())

    def points(self) -> tuple[Array, Array]:
        """Return the Gauss points of all elements, (L m,), and their weights."""
        x, w = legendre.leggauss(DEGREE)
        at = self.edges[:-1, np.newaxis] + self.lengths[:, np.newaxis] * (0.5 + 0.5 * x)
        return at.ravel(), (0.5 * self.lengths[:, np.newaxis] * w).ravel()

    def look(self, times: Array, order: int = 0) -> tuple[npt.NDArray[np.intp], Array]:
        """Return for each time its nodes, (P, m + 1), and their weights in the state, or in its derivative.

        Nodes are counted on beyond the period and before it: node k + L m is node k one period later.
        """
        rounds = np.floor(times)
        within = times - rounds
        element = np.clip(np.searchsorted(self.edges, within, side="right") - 1, 0, self.elements - 1)
        part = (within - self.edges[element]) / self.lengths[element]
        _, fit, slope = _basis()
        weights = legendre.legvander(2.0 * part - 1.0, DEGREE) @ (slope if order else fit)
        if order:
            weights = weights / self.lengths[element][:, np.newaxis]
        first = (element + self.elements * rounds.astype(np.intp)) * DEGREE
        return first[:, np.newaxis] + np.arange(DEGREE + 1), np.asarray(weights)

    def states(self, x: Array, times: Array, order: int = 0) -> Array:
        """Return the states, (P, n), at times in periods, or their derivative by these."""
        nodes, weights = self.look(times, order)
        return np.asarray(np.einsum("kj,kja->ka", weights, x[nodes % len(x)]))

    def finer(self, x: Array, count: int) -> Mesh:
        """Return a mesh of `count` elements on which the next derivative of the solution is spread evenly."""
        _, fit, _ = _basis()
        values = x[(np.arange(self.elements)[:, np.newaxis] * DEGREE + np.arange(DEGREE + 1)) % len(x)]
        highest = np.einsum("j,eja->ea", fit[-1], values) / self.lengths[:, np.newaxis] ** DEGREE
        between = 0.5 * (self.lengths + np.roll(self.lengths, -1))
        jumps = np.linalg.norm(np.roll(highest, -1, axis=0) - highest, axis=1) / between
        density = (0.5 * (jumps + np.roll(jumps, 1))) ** (1.0 / (DEGREE + 1))
        density += 0.3 * float(density @ self.lengths) + 1e-300
        total = np.concatenate([[0.0], np.cumsum(density * self.lengths)])
        edges = np.interp(np.linspace(0.0, total[-1], count + 1), total, self.edges)
        edges[0], edges[-1] = 0.0, 1.0
        return Mesh(edges)


@lru_cache(maxsize=1)
def _basis() -> tuple[Array, Array, Array]:
    """Return the nodes of an element on [0, 1], and what gives Legendre coefficients, and those of the derivative."""
    local = 0.5 + 0.5 * chebpts2(DEGREE + 1)
    fit = np.linalg.inv(legendre.legvander(2.0 * local - 1.0, DEGREE))
    slope = np.zeros_like(fit)
    slope[:-1] = 2.0 * legendre.legder(fit, axis=0)
    return np.asarray(local, dtype=np.float64), np.asarray(fit, dtype=np.float64), slope


class Collocation:
    """x'(s) = T f(x(s), x(s - tau_1/T), ...) with x(s + 1) = x(s), s = t/T, and Newton's method on it."""

    def __init__(self, network: Graph, inputs: Any) -> None:
        balance = Balance(network, inputs, what="find_cycle")
        for op in network.of_type(Activate):
            if isinstance(op.function, HardLimiter):
                raise InputError(
                    f"find_cycle: {op.name!r} is a HardLimiter, which jumps, and the cycles of delay equations are "
                    "computed of what is continuous; take a steep Tanh in its place"
                )
        self._reaches = balance.reaches
        self._equation = RetardedEquation(balance, "find_cycle")
        self._program = DelayProgram(balance.given, balance.inputs)
        self.n, self._lags = self._equation.size, self._equation.lags
        if self.n * DEGREE * FIRST * 2 > MOST_UNKNOWNS:
            raise InputError(
                f"find_cycle: the delay equation has {self.n} states; at most {MOST_UNKNOWNS // (2 * DEGREE * FIRST)}, "
                f"as each takes {DEGREE * FIRST} unknowns or more"
            )

    def guess(self, initial: Any) -> Array:
        """Return the states over a period near the cycle, (p, n)."""
        states = freeze([] if initial is None else initial, "initial")
        if states.ndim != 2 or states.shape[1] != self.n or len(states) < FEWEST:
            raise InputError(
                f"`initial` has shape {states.shape}: with `period` a delay equation takes the states over a period, "
                f"(p, {self.n}) of at least {FEWEST} times, as `states` of another cycle has them"
            )
        return states

    def simulate(self, initial: Any, transient: float | None) -> tuple[Array, float]:
        """Return the states over the last round of a simulated solution, (p, n), and how long it took."""
        length = 50.0 * self._equation.slowest if transient is None else transient
        if initial is None:
            found = self._program.integrate(self._program.initial, 2.0 * length, rtol=RTOL)
        else:
            found = self._from_rest(freeze(initial, "initial", shape=(self.n,)), 2.0 * length)
        longest = float(self._lags[-1])
        late = length + min(longest, 0.5 * length)
        size = max(float(np.max(np.abs(found.state(np.linspace(0.0, length, 101))))), 1e-9)
        end, period = last_round(found.state, min(longest, late) * PAST, late, 2.0 * length, size, NOISE, found.times)
        return found.state(end - period + period * np.linspace(0.0, 1.0, POINTS)), period

    def _from_rest(self, initial: Array, end: float) -> Solution:
        """Return the solution whose past is one state, (n,)."""
        size = max(float(np.max(np.abs(initial))), 1e-6)

        def rhs(t: float, x: Array, z: Array) -> Array:
            return np.asarray(self._equation.value(np.concatenate([x[np.newaxis], z])[np.newaxis])[0])

        lags = self._lags[1:].tolist()
        return integrate_delayed(rhs, lags, lambda t: initial, (0.0, end), rtol=RTOL, atol=RTOL * size)

    def solve(self, states: Array, period: float, points: int) -> Closed:
        """Return the cycle near a guess, once round, on meshes that become finer until two of them agree."""
        if len(states) < FEWEST:
            raise InputError(
                f"the cycle to start from is known at {len(states)} times: must be at least {FEWEST} for a delay "
                "equation; find it with more `points`"
            )
        found, mesh, x = self._refine(states, period)
        count = rounds(lambda times: mesh.states(x, times))
        if count > 1:
            at = np.linspace(0.0, 1.0, POINTS) / count
            found, mesh, x = self._refine(mesh.states(x, at), found.period / count)
        return found._replace(states=mesh.states(x, np.linspace(0.0, 1.0, points)))

    def _refine(self, states: Array, period: float) -> tuple[Closed, Mesh, Array]:
        mesh = Mesh(np.linspace(0.0, 1.0, FIRST + 1))
        closing = np.vstack([states[:-1], states[:1]])
        x = CubicSpline(np.linspace(0.0, 1.0, len(states)), closing, bc_type="periodic")(mesh.nodes)
        first, uniform = period, np.linspace(0.0, 1.0, POINTS)
        before: tuple[Closed, Complexes] | None = None
        while True:
            x, period = self._newton(mesh, x, period, first)
            path = mesh.states(x, uniform)
            extent = refuse_equilibrium(path, self._reaches)
            values = sort_multipliers(self._multipliers(mesh, x, period))
            found = Closed(period, path, values[: COUNT + 1], np.inf, np.inf, False)
            if before is not None:
                last, others = before
                gap = float(np.max(np.abs(path - last.states))) / extent
                change = max(apart(found.multipliers, others), apart(last.multipliers, values))
                found = found._replace(gap=gap, change=change)
                agree = abs(period - last.period) <= AGREED * period and gap <= SAME
                if agree and change <= SAME and abs(values[0] - 1.0) <= SAME:
                    return found, mesh, x
            count = int(FINER * mesh.elements)
            if count > MOST_ELEMENTS or count * DEGREE * self.n > MOST_UNKNOWNS:
                return found, mesh, x
            before, old = (found, values), mesh
            mesh = mesh.finer(x, count)
            x = old.states(x, mesh.nodes)

    def _newton(self, mesh: Mesh, x: Array, period: float, first: float) -> tuple[Array, float]:
        """Return the states at the nodes and the period that solve the equation at the Gauss points of a mesh."""
        at, weights = mesh.points()
        unknowns = x.size
        reference = mesh.states(x, at, 1)
        nodes, basis = mesh.look(at)
        # int x . x_0' ds, by the states at the nodes.
        phase = np.zeros((len(x), self.n))
        np.add.at(phase, nodes % len(x), (weights[:, np.newaxis] * basis)[..., np.newaxis] * reference[:, np.newaxis])
        origin = float(np.sum(phase * x))
        norm = max(float(np.linalg.norm(phase)), 1e-300)
        for _ in range(ITERATIONS):
            size = max(float(np.max(np.abs(x))), 1e-9)
            f, jacobians, late = self._along(mesh, x, period)
            slope = mesh.states(x, at, 1)
            residual = slope - period * f
            # By the period: x(s - tau/T) moves too.
            by_period = -f - np.einsum("pkab,pkb,k->pa", jacobians, late, self._lags) / period
            column = sp.csr_array(by_period.reshape(-1, 1) * (period / size))
            row = sp.csr_array(np.append(phase.ravel() / norm, 0.0)[np.newaxis])
            equations = sp.hstack([self._matrix(mesh, period, jacobians), column], format="csr")
            matrix = sp.csc_matrix(sp.vstack([equations, row]))
            right = np.append(residual.ravel() / size, (float(np.sum(phase * x)) - origin) / (norm * size))
            try:
                step = -splu(matrix).solve(right)
            except RuntimeError:
                break
            change = float(np.max(np.abs(step)))
            part = min(1.0, 0.3 / max(change, 1e-300))
            x = x + part * size * step[:unknowns].reshape(x.shape)
            period = period * (1.0 + part * float(step[-1]))
            if not np.isfinite(period) or not 0.05 * first < period < 20.0 * first:
                break
            if change <= CONVERGED:
                return x, period
        raise AccuracyError("find_cycle: Newton's method does not converge; give a start nearer to the cycle")

    def _along(self, mesh: Mesh, x: Array, period: float) -> tuple[Array, Array, Array]:
        """Return f at the Gauss points, (P, n), its Jacobians (P, K, n, n), and dx/ds at all lags, (P, K, n)."""
        at, _ = mesh.points()
        times = (at[:, np.newaxis] - self._lags / period).ravel()
        shape = (len(at), len(self._lags), self.n)
        f, jacobians = self._equation.jacobians(mesh.states(x, times).reshape(shape))
        return f, jacobians, mesh.states(x, times, 1).reshape(shape)

    def _matrix(self, mesh: Mesh, period: float, jacobians: Array, first: int | None = None) -> sp.csr_array:
        """Return d/dx of x' - T f at the Gauss points by the states at the nodes, (L m n, nodes n).

        The nodes of one period, which is closed; or, with `first`, all from that one on, which is before 0, to the end.
        """
        at, _ = mesh.points()
        total, n = len(at), self.n
        rows, columns, data = [], [], []

        def put(times: Array, order: int, blocks: Array) -> None:
            nodes, weights = mesh.look(times, order)
            nodes = nodes % total if first is None else nodes - first
            shape = (total, DEGREE + 1, n, n)
            rows.append(np.broadcast_to((np.arange(total) * n)[:, np.newaxis, np.newaxis, np.newaxis], shape))
            rows[-1] = rows[-1] + np.arange(n)[:, np.newaxis]
            columns.append((nodes * n)[..., np.newaxis, np.newaxis] + np.zeros((n, 1), dtype=np.intp) + np.arange(n))
            data.append(weights[..., np.newaxis, np.newaxis] * blocks[:, np.newaxis])

        put(at, 1, np.broadcast_to(np.eye(n), (total, n, n)))
        for k, lag in enumerate(self._lags.tolist()):
            put(at - lag / period, 0, -period * jacobians[:, k])
        width = total if first is None else total + 1 - first
        entries = [np.concatenate([part.ravel() for part in parts]) for parts in (data, rows, columns)]
        return sp.csr_array(sp.coo_array((entries[0], (entries[1], entries[2])), shape=(total * n, width * n)))

    def _multipliers(self, mesh: Mesh, x: Array, period: float) -> Complexes:
        """Return the eigenvalues of the map from the states at the nodes before 0 to those one period later."""
        _, jacobians, _ = self._along(mesh, x, period)
        n, total = self.n, len(x)
        first = int(mesh.look(-self._lags[-1:] / period)[0][0, 0])
        first = min(first, 0)
        matrix = sp.csc_array(self._matrix(mesh, period, jacobians, first))
        past = (1 - first) * n
        solver = splu(sp.csc_matrix(matrix[:, past:]))
        before = sp.csr_array(matrix[:, :past])

        def later(v: Array) -> Array:
            """Return the states one period later of those before 0, (past,) or (past, columns)."""
            new = -solver.solve(np.asarray(before @ v))
            return np.concatenate([v, new])[total * n :]

        if past > LARGE:
            operator = LinearOperator((past, past), matvec=lambda v: later(np.asarray(v).ravel()), dtype=np.float64)
            start = np.random.default_rng(0).normal(size=past)
            try:
                return np.asarray(eigs(operator, k=COUNT + 4, v0=start, return_eigenvectors=False), dtype=np.complex128)
            except ArpackError as error:
                if past > LARGEST:
                    raise AccuracyError(
                        f"find_cycle: the multipliers are not computed ({error}); take fewer states, or a delay that "
                        "is shorter beside the period"
                    ) from None
        return np.linalg.eigvals(later(np.eye(past))).astype(np.complex128)
