"""Models whose least energy is looked for, each over its own values: +-1, 0/1, or one of a group."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ..values.arrays import Array, freeze, freeze_sparse, whole
from ..values.brief import Brief
from ..values.errors import InputError

Couplings: TypeAlias = Any  # a read-only array, or a csr_array of scipy.sparse: their stubs have no common type
States: TypeAlias = npt.NDArray[np.int8]
# Whole numbers below these are exact in sums of floating point, in any order.
EXACT_SINGLE = 2**24
LARGEST = 10_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Model(Brief, ABC):
    """What a network anneals: an energy of `size` neurons."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What its values are: "ising" (+-1), "binary" (0/1) or "grouped" (of each group of neurons one is 1)."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of neurons, n."""

    @property
    def state_size(self) -> int:
        """The elements of one state: one a neuron, or one a group."""
        return self.size

    def energies(self, states: Any) -> Array:
        """Return the energies, (reads,), of states, (reads, state_size); exact where all coefficients are whole.

        Raises InputError for states of another shape, and for values that the model does not have.
        """
        array = np.asarray(states)
        if array.ndim != 2 or array.shape[1] != self.state_size:
            raise InputError(f"`states` has shape {array.shape}: must be (reads, {self.state_size})")
        if array.dtype.kind not in "iuf":
            raise InputError(f"`states` holds values of type {array.dtype}: must be whole numbers")
        wrong = self._strange(array)
        if wrong.any():
            raise InputError(f"`states` holds {array[wrong].flat[0]}: must be {self._allowed()}")
        return self.energies_of(array)

    @abstractmethod
    def energies_of(self, states: npt.NDArray[Any]) -> Array:
        """Return the energies of states that are known to be the model's."""

    def _strange(self, states: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        return np.asarray((states != 1) & (states != (-1 if self.kind == "ising" else 0)))

    def _allowed(self) -> str:
        return "-1 or 1" if self.kind == "ising" else "0 or 1"


@dataclass(frozen=True, kw_only=True, eq=False)
class Quadratic(Model, ABC):
    """E = sum_{i<j} J_ij s_i s_j + sum_i h_i s_i + offset, as dimod writes it.

    `couplings`: J, (n, n), symmetric with a diagonal of 0, an array or one of scipy.sparse. `fields`: h, (n,) or one
    for all, 0 by default. `offset`: a number.
    Raises InputError for couplings that are not square, not symmetric, or have a diagonal.
    """

    couplings: Couplings
    fields: Any = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        name = type(self).__name__
        couplings = symmetric(self.couplings, f"{name}.couplings")
        object.__setattr__(self, "couplings", couplings)
        object.__setattr__(self, "fields", freeze(self.fields, f"{name}.fields", shape=(couplings.shape[0],)))
        object.__setattr__(self, "offset", float(freeze(self.offset, f"{name}.offset", shape=())))

    @property
    def size(self) -> int:
        return int(self.couplings.shape[0])

    def energies_of(self, states: npt.NDArray[Any]) -> Array:
        # Quarters are exact in single precision too while no sum of them reaches 2^24, and that is faster.
        kind = np.float32 if self._fits_single() else np.float64
        numbers: Any = np.ascontiguousarray(states, dtype=kind)
        couplings = self.couplings.astype(kind)
        product = (couplings @ numbers.T).T if sp.issparse(couplings) else numbers @ couplings
        halves = np.einsum("ri,ri->r", np.ascontiguousarray(product), numbers).astype(np.float64)
        linear = numbers @ self.fields.astype(kind)
        return np.asarray(0.5 * halves + linear + self.offset)

    def _fits_single(self) -> bool:
        quarters = 4.0 * np.concatenate([entries_of(self.couplings), self.fields])
        return bool(np.all(quarters == np.rint(quarters)) and np.abs(quarters).sum() < EXACT_SINGLE)

    @classmethod
    def _of_bqm(cls, bqm: Any, vartype: str) -> Self:
        if bqm.vartype.name != vartype:
            raise InputError(
                f"`bqm` is {bqm.vartype.name}: {cls.__name__} must have {vartype}; nothing is converted in silence: "
                f"give bqm.change_vartype({vartype!r}, inplace=False)"
            )
        n = bqm.num_variables
        linear, (row, column, value), offset = bqm.to_numpy_vectors(variable_order=list(bqm.variables))[:3]
        both = (np.concatenate([value, value]), (np.concatenate([row, column]), np.concatenate([column, row])))
        return cls(couplings=sp.csr_array(both, shape=(n, n)), fields=linear, offset=float(offset))


@dataclass(frozen=True, kw_only=True, eq=False)
class IsingModel(Quadratic):
    """E = sum_{i<j} J_ij s_i s_j + sum_i h_i s_i + offset over s_i = +-1. See `Quadratic` for the fields."""

    @property
    def kind(self) -> str:
        return "ising"

    @classmethod
    def max_cut(cls, weights: Any) -> Self:
        """Return the model whose energy is minus the cut, -sum_{i<j} w_ij (1 - s_i s_j) / 2, of edge weights (n, n).

        Raises InputError for weights that are not symmetric or have a diagonal.
        """
        w = symmetric(weights, "weights")
        return cls(couplings=0.5 * w, offset=-0.25 * float(w.sum()))

    @classmethod
    def from_bqm(cls, bqm: Any) -> Self:
        """Return the model of a dimod.BinaryQuadraticModel of SPIN, its variables in their order there.

        Raises InputError for one of BINARY.
        """
        return cls._of_bqm(bqm, "SPIN")

    def to_binary(self) -> BinaryModel:
        """Return the model over x = (1 + s) / 2 with the same energies."""
        totals = np.asarray(self.couplings.sum(axis=1)).reshape(-1)
        return BinaryModel(
            couplings=4.0 * self.couplings,
            fields=2.0 * self.fields - 2.0 * totals,
            offset=self.offset + 0.5 * float(totals.sum()) - float(self.fields.sum()),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class BinaryModel(Quadratic):
    """E = sum_{i<j} Q_ij x_i x_j + sum_i q_i x_i + offset over x_i = 0 or 1 (QUBO). See `Quadratic` for the fields.

    It runs in a network of outputs between 0 and 1. `to_ising` converts it, where that is wanted.
    """

    @property
    def kind(self) -> str:
        return "binary"

    @classmethod
    def from_matrix(cls, matrix: Any, offset: float = 0.0) -> Self:
        """Return the model of min x^T Q x, Q (n, n) symmetric: an entry beside the diagonal counts twice.

        Raises InputError for a matrix that is not symmetric.
        """
        q = _matrix(matrix, "matrix")
        _refuse_asymmetric(q, "matrix", "(Q + Q^T) / 2, which has the same energies")
        diagonal = np.array(q.diagonal())
        beside = q - (sp.diags_array(diagonal).tocsr() if sp.issparse(q) else np.diag(diagonal))
        return cls(couplings=2.0 * beside, fields=diagonal, offset=offset)

    @classmethod
    def from_bqm(cls, bqm: Any) -> Self:
        """Return the model of a dimod.BinaryQuadraticModel of BINARY, its variables in their order there.

        Raises InputError for one of SPIN.
        """
        return cls._of_bqm(bqm, "BINARY")

    def to_ising(self) -> IsingModel:
        """Return the model over s = 2 x - 1 with the same energies."""
        totals = np.asarray(self.couplings.sum(axis=1)).reshape(-1)
        return IsingModel(
            couplings=0.25 * self.couplings,
            fields=0.5 * self.fields + 0.25 * totals,
            offset=self.offset + 0.5 * float(self.fields.sum()) + 0.125 * float(totals.sum()),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupedModel(Model):
    """E = sum_{a<b} J_ab v_a v_b + sum_a h_a v_a + offset, where of each group of neurons one is 1 and the rest are 0.

    `groups`: the number of neurons in each group, (m,); neurons stand group by group. `couplings`: J, (n, n),
    symmetric, with a diagonal of 0. `fields`: h, (n,) or one for all. A state says which one of each group is 1, (m,).
    Raises InputError for couplings that are not symmetric, and where the groups do not add up to n.
    """

    couplings: Couplings
    groups: tuple[int, ...]
    fields: Any = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        couplings = sp.csr_array(symmetric(self.couplings, "GroupedModel.couplings"))
        groups = tuple(whole(size, "GroupedModel.groups", 1, 126) for size in self.groups)
        if sum(groups) != couplings.shape[0]:
            raise InputError(
                f"`GroupedModel.groups` add up to {sum(groups)}: must be {couplings.shape[0]}, as the couplings have"
            )
        object.__setattr__(self, "couplings", freeze_sparse(couplings, "GroupedModel.couplings"))
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "fields", freeze(self.fields, "GroupedModel.fields", shape=(couplings.shape[0],)))
        object.__setattr__(self, "offset", float(freeze(self.offset, "GroupedModel.offset", shape=())))

    @property
    def kind(self) -> str:
        return "grouped"

    @property
    def size(self) -> int:
        return int(self.couplings.shape[0])

    @property
    def state_size(self) -> int:
        return len(self.groups)

    @property
    def starts(self) -> npt.NDArray[np.int32]:
        """Where each group starts, and n, (m + 1,)."""
        return np.concatenate([[0], np.cumsum(self.groups)]).astype(np.int32)

    @classmethod
    def colouring(cls, adjacency: Any, colours: int) -> Self:
        """Return the model whose energy is the number of edges between vertices of one colour.

        `adjacency`: (m, m), symmetric; any number but 0 is an edge. Raises InputError for loops.
        """
        count = whole(colours, "colours", 1, 126)
        pattern = sp.csr_array(symmetric(adjacency, "adjacency"), copy=True)
        pattern.data[:] = 1.0
        couplings = sp.csr_array(sp.kron(pattern, sp.eye_array(count), format="csr"))
        return cls(couplings=couplings, groups=(count,) * pattern.shape[0])

    def _strange(self, states: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        return np.asarray((states < 0) | (states >= np.array(self.groups)) | (states != np.rint(states)))

    def _allowed(self) -> str:
        return "a neuron of its group, from 0 to below the group's size"

    def energies_of(self, states: npt.NDArray[Any]) -> Array:
        hot = np.zeros((len(states), self.size))
        np.put_along_axis(hot, states.astype(np.intp) + self.starts[:-1], 1.0, axis=1)
        product: Any = (self.couplings @ hot.T).T
        halves = np.einsum("ri,ri->r", product, hot)
        return np.asarray(0.5 * halves + hot @ self.fields + self.offset)


def entries_of(matrix: Couplings) -> Array:
    """Return the numbers of a matrix in one row, of a sparse one those that are there."""
    return np.ravel(matrix) if isinstance(matrix, np.ndarray) else np.asarray(matrix.data)


def dense_of(matrix: Couplings) -> Array:
    """Return a matrix as an array."""
    return matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix.toarray())


def symmetric(value: Any, name: str) -> Couplings:
    """Return a read-only symmetric matrix with a diagonal of 0, dense or sparse as given, or raise InputError."""
    matrix = _matrix(value, name)
    _refuse_asymmetric(matrix, name, "J + J^T, where each pair stands there once")
    diagonal = matrix.diagonal()
    if np.any(diagonal):
        k = int(np.flatnonzero(diagonal)[0])
        raise InputError(
            f"`{name}[{k}, {k}]` = {diagonal[k]:g}: must be 0 on the diagonal; s^2 = 1 belongs to the offset, x^2 = x "
            "to the fields"
        )
    return matrix


def _matrix(value: Any, name: str) -> Couplings:
    matrix = freeze_sparse(value, name) if sp.issparse(value) else freeze(value, name)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"`{name}` has shape {matrix.shape}: must be (n, n)")
    return matrix


def _refuse_asymmetric(matrix: Couplings, name: str, cure: str) -> None:
    apart = matrix - matrix.T
    rows, columns = apart.nonzero()
    if rows.size:
        i, j = int(rows[0]), int(columns[0])
        raise InputError(
            f"`{name}[{i}, {j}]` = {matrix[i, j]:g} but [{j}, {i}] = {matrix[j, i]:g}: must be symmetric, as an energy "
            f"knows pairs alone; give {cure}"
        )


def edges_matrix(n: int, edges: Iterable[tuple[int, int, float]]) -> Couplings:
    """Return the symmetric weights, (n, n), of edges (i, j, weight); an edge given twice adds up.

    Raises InputError for ends outside 0 to n - 1, and for loops.
    """
    size = whole(n, "n", 0, LARGEST)
    rows = list(edges)
    for i, j, _ in rows:
        if not (0 <= i < size and 0 <= j < size) or i == j:
            raise InputError(f"edge ({i}, {j}): must join two different vertices of 0 to {size - 1}")
    from_, to = (np.array([row[k] for row in rows], dtype=np.intp) for k in (0, 1))
    weights = np.array([row[2] for row in rows], dtype=np.float64)
    entries = (np.tile(weights, 2), (np.concatenate([from_, to]), np.concatenate([to, from_])))
    return freeze_sparse(sp.csr_array(entries, shape=(size, size)), "edges")
