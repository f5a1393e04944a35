"""What files of benchmark problems hold, as plain arrays; nothing here says how a problem is solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ...values.arrays import Array, SparseArray, freeze, freeze_sparse
from ...values.brief import Brief
from ...values.errors import InputError

INFINITE = 1e20  # bounds from here on are none, as files of MATLAB have them

Integers: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedGraph(Brief):
    """An undirected graph. `edges`: (m, 2), nodes from 0, each pair once; `weights`: (m,)."""

    name: str
    size: int
    edges: Integers
    weights: Array

    @property
    def couplings(self) -> SparseArray:
        """The weights as a symmetric matrix, (n, n), with a zero diagonal."""
        (rows, columns), n = self.edges.T, self.size
        upper = sp.csr_array((self.weights, (rows, columns)), shape=(n, n))
        return freeze_sparse(upper + upper.T, "couplings")


@dataclass(frozen=True, kw_only=True, eq=False)
class Qubo(Brief):
    """The function sum_i linear_i x_i + sum_k quadratic_k x_i x_j of x in {0, 1}^n, to be made least.

    `linear`: (n,). `pairs`: (m, 2), with i < j, each once; `quadratic`: (m,), the whole coefficient of x_i x_j.
    """

    name: str
    size: int
    linear: Array
    pairs: Integers
    quadratic: Array

    def values(self, states: Any) -> Array:
        """Return the function of states (..., n) of 0 and 1."""
        x = np.asarray(states, dtype=np.float64)
        left, right = self.pairs.T
        return np.asarray(x @ self.linear + (x[..., left] * x[..., right]) @ self.quadratic)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cities(Brief):
    """Cities of a travelling salesman. `distances`: (n, n), symmetric; `places`: (n, 2), or None where none are given.

    `rounded`: whether distances are whole numbers by the rule of the file.
    """

    name: str
    distances: Array
    places: Array | None = None
    rounded: bool = True

    @property
    def size(self) -> int:
        """The number of cities."""
        return int(self.distances.shape[0])

    def length(self, tour: Any) -> float:
        """Return the length of a closed tour, a permutation of the cities from 0."""
        return float(tour_lengths(self.distances, np.asarray(tour, dtype=np.int64)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Clauses(Brief):
    """A formula in conjunctive normal form: each clause is a tuple of literals, +k or -k for variable k from 1."""

    name: str
    size: int
    clauses: tuple[tuple[int, ...], ...]

    def satisfied(self, states: Any) -> npt.NDArray[np.bool_]:
        """Return by clause, (..., m), whether states (..., n) of +1 (true) and -1 satisfy it."""
        signs = np.asarray(states)
        held = [np.any(signs[..., np.abs(c) - 1] * np.sign(c) > 0, axis=-1) for c in map(np.array, self.clauses)]
        return np.stack(held, axis=-1) if held else np.zeros((*signs.shape[:-1], 0), dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramData(Brief):
    """The program: least of x^T P x / 2 + q^T x + r, with low <= A x <= high and lower <= x <= upper.

    `hessian`: P, (n, n); `linear`: q, (n,); `constraints`: A, (m, n); infinite bounds are none. `whole`: (n,), whether
    a variable must be a whole number. A problem to be made largest is held with its signs turned, and `sign` is -1.
    """

    name: str
    hessian: SparseArray
    linear: Array
    constant: float
    constraints: SparseArray
    low: Array
    high: Array
    lower: Array
    upper: Array
    whole: npt.NDArray[np.bool_] = field(repr=False)
    sign: float = 1.0

    @property
    def size(self) -> int:
        """The number of variables."""
        return int(self.linear.size)


def tour_lengths(distances: Array, tours: Integers) -> Array:
    """Return the lengths of closed tours, (...,): sum_j d[t_j, t_(j+1)]; tours are (..., n), from 0."""
    return np.asarray(distances[tours, np.roll(tours, -1, axis=-1)].sum(axis=-1))


def make_graph(name: str, size: int, edges: Mapping[tuple[int, int], float]) -> WeightedGraph:
    """Return a graph of edges with their weights. Raises InputError where there is none."""
    if not edges:
        raise InputError(f"{name}: the graph has no edge; there is nothing to solve")
    pairs = np.array(list(edges), dtype=np.int64)
    pairs.flags.writeable = False
    weights = freeze(np.array(list(edges.values()), dtype=np.float64), "weights")
    return WeightedGraph(name=name, size=size, edges=pairs, weights=weights)


def make_program(
    name: str, hessian: Any, linear: Any, constant: float, constraints: Any, bounds: tuple[Any, ...], **more: Any
) -> ProgramData:
    """Return a program of arrays; `bounds`: low, high, lower, upper, of which INFINITE and beyond are none."""
    n = int(np.size(linear))
    matrix, rows = freeze_sparse(hessian, f"{name}: P"), freeze_sparse(constraints, f"{name}: A")
    low, high, lower, upper = (_bound(np.ravel(each), name) for each in bounds)
    whole = np.asarray(more.pop("whole", np.zeros(n, dtype=np.bool_)), dtype=np.bool_)
    return ProgramData(
        name=name,
        hessian=matrix,
        linear=freeze(np.ravel(linear), f"{name}: q"),
        constant=float(constant),
        constraints=rows,
        low=low,
        high=high,
        lower=lower,
        upper=upper,
        whole=whole,
        **more,
    )


def _bound(values: Array, name: str) -> Array:
    opened = np.where(np.abs(values) >= INFINITE, np.copysign(np.inf, values), values)
    return freeze(opened, f"{name}: bounds", allow_inf=True)


Instance: TypeAlias = WeightedGraph | Qubo | Cities | Clauses | ProgramData
