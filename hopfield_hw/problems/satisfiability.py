"""Satisfiability as a polynomial energy: a product of three terms for each clause, by multipliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Hadamard, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import Array, freeze, positive, whole
from ..values.brief import Brief, brief
from ..values.errors import InputError

LITERALS = 3
MOST_VARIABLES = 1_000_000
FLIPS = 20_000  # in which a formula is found satisfiable, or drawn again
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Formula(Brief):
    """A formula of m clauses of three literals, over n variables: at least one literal of each clause must hold.

    `clauses`: (m, 3), whole numbers as DIMACS has them: k for variable k, -k for its negation, k from 1 to n; the three
    variables of a clause differ. `variables`: n.

    Raises InputError for other clauses.
    """

    clauses: Whole
    variables: int

    def __post_init__(self) -> None:
        n = whole(self.variables, "Formula.variables", LITERALS, MOST_VARIABLES)
        given = freeze(self.clauses, "Formula.clauses")
        if given.ndim != 2 or given.shape[1] != LITERALS or not len(given):
            raise InputError(f"`Formula.clauses` has shape {given.shape}: must be (m, 3), at least one clause of three")
        found = np.abs(given)
        bad = (given != np.rint(given)) | (found < 1) | (found > n)
        if bad.any():
            k = int(np.argwhere(bad)[0, 0])
            raise InputError(f"`Formula.clauses[{k}]` = {given[k].tolist()}: literals are whole, +-1 to +-{n}")
        twice = np.any(np.diff(np.sort(found, axis=1), axis=1) == 0, axis=1)
        if twice.any():
            k = int(np.argmax(twice))
            raise InputError(f"`Formula.clauses[{k}]` = {given[k].tolist()}: names a variable twice; three must differ")
        clauses = given.astype(np.int64)
        clauses.flags.writeable = False
        object.__setattr__(self, "clauses", clauses)
        object.__setattr__(self, "variables", n)

    @property
    def index(self) -> Whole:
        """The variable of each literal, (m, 3), from 0 on."""
        return np.abs(self.clauses) - 1

    @property
    def signs(self) -> Array:
        """+1 for a variable, -1 for its negation, (m, 3)."""
        return np.sign(self.clauses).astype(np.float64)

    def unsatisfied(self, signs: Any) -> Any:
        """Return how many clauses do not hold, (...,), of variables (..., n): true where above 0."""
        values = np.where(np.asarray(signs) > 0.0, 1.0, -1.0)
        return np.sum(np.all(values[..., self.index] != self.signs, axis=-1), axis=-1)


def planted(variables: int, clauses: int, *, seed: int) -> tuple[Formula, Array]:
    """Return a random formula with a hidden solution, (n,) of +1 and -1; each of the 7 kinds of clause it allows alike.

    Raises InputError for numbers out of range.
    """
    rng, n, m = _draw(variables, clauses, seed)
    hidden = rng.choice(np.array([-1.0, 1.0]), size=n)
    index, signs = _index(rng, n, m), np.empty((m, LITERALS))
    kinds = rng.integers(1, 8, size=m)  # which literals hold, not none
    for k in range(LITERALS):
        signs[:, k] = np.where(kinds >> k & 1, 1.0, -1.0) * hidden[index[:, k]]
    return Formula(clauses=(index + 1) * signs.astype(np.int64), variables=n), hidden


def uniform(variables: int, clauses: int, *, seed: int, satisfiable: bool = True) -> Formula:
    """Return a formula of clauses drawn uniformly; drawn again until `walk` finds a solution, where `satisfiable`.

    At 4.27 clauses a variable half of them have solutions, and those are hard. Raises InputError for numbers out of
    range, and where of 50 draws none was found satisfiable.
    """
    rng, n, m = _draw(variables, clauses, seed)
    for attempt in range(50):
        signs = rng.choice(np.array([-1, 1]), size=(m, LITERALS))
        formula = Formula(clauses=(_index(rng, n, m) + 1) * signs, variables=n)
        if not satisfiable or walk(formula, seed=attempt, most_flips=FLIPS) is not None:
            return formula
    raise InputError(f"`clauses` = {m} of {n} variables: no satisfiable formula in 50 draws; use fewer, or `planted`")


def walk(formula: Formula, *, seed: int, most_flips: int = 100_000) -> Array | None:
    """Return a solution found by flipping variables of clauses that do not hold, or None: it says nothing then.

    One of the clause's three at random, or, as often, the one that leaves the fewest. B. Selman, H. Kautz and B. Cohen,
    AAAI (1994), with the whole count of clauses in place of the broken ones.
    """
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    index, wanted = formula.index, formula.signs
    x = rng.choice(np.array([-1.0, 1.0]), size=formula.variables)
    held = np.sum(x[index] == wanted, axis=1)
    where = [np.argwhere(index == v) for v in range(formula.variables)]
    for _ in range(whole(most_flips, "most_flips", 1, 10**9)):
        open_clauses = np.flatnonzero(held == 0)
        if not open_clauses.size:
            return x
        three = index[open_clauses[rng.integers(open_clauses.size)]]
        if rng.random() < 0.5:
            chosen = int(three[rng.integers(LITERALS)])
        else:
            chosen = int(three[np.argmin([_change(x, held, wanted, where[v], v) for v in three.tolist()])])
        rows, columns = where[chosen].T
        held[rows] -= np.where(wanted[rows, columns] == x[chosen], 1, -1)
        x[chosen] *= -1.0
    return None


def _change(x: Array, held: Any, wanted: Array, where: Any, v: int) -> int:
    """Return by how many a flip of variable v changes the number of clauses that do not hold."""
    rows, columns = where.T
    true = wanted[rows, columns] == x[v]
    return int(np.sum(true & (held[rows] == 1)) - np.sum(~true & (held[rows] == 0)))


def cubic_network(
    formula: Formula | Any,
    *,
    rate: float = 1.0,
    step: float = 0.5,
    fading: float = 0.02,
    initial: Any = 0.0,
    clause_weights: bool = True,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return a network that lowers sum_c a_c K_c, K_c = prod_k (1 - s_k x_k) / 2, 1 where clause c does not hold:

        dx_i/dt = P(x_i - step d(sum_c a_c K_c)/dx_i) - x_i,    da_c/dt = rate (K_c - fading (a_c - 1)),    a_c(0) = 1

    P clips to [-1, 1]. The integrators a_c make a clause weigh more the longer it does not hold, so that no minimum of
    the energy but a solution keeps the state. Cubic terms as in arXiv:2311.01171; weights that grow on open clauses as
    in M. Ercsey-Ravasz and Z. Toroczkai, Nature Phys. 7:966 (2011). Without `clause_weights` all a_c stay 1.

    `formula`: a Formula, or its clauses. `initial`: x(0), (n,) or one, from -1 to 1; 0 is a point of balance. Output:
    `output` = the clipped drive, whose signs are the variables.

    Raises InputError for values that are not positive, and an initial state out of range.
    """
    if not isinstance(formula, Formula):
        given = freeze(formula, "formula")
        formula = Formula(clauses=given, variables=int(np.abs(given).max(initial=LITERALS)))  # type: ignore[arg-type]
    n, m = formula.variables, len(formula.clauses)
    start = freeze(initial, "initial", shape=(n,))
    if bool(np.any(np.abs(start) > 1.0)):
        raise InputError(f"`initial` holds {start[np.abs(start) > 1.0][0]:g}: must be from -1 to 1")
    size, growth = _positive(step, "step"), _positive(rate, "rate")
    fade = float(freeze(fading, "fading", shape=()))
    if fade < 0.0:
        raise InputError(f"`fading` = {fade:g}: must not be negative")
    rows = np.arange(m)
    operators: list[Operator] = [state("x", start), Activate(name="v", size=n, function=Clip(lower=-1.0, upper=1.0))]
    edges: list[tuple[str, ...]] = [("x", "v"), ("v", "x")]
    for k in range(LITERALS):
        # (1 - s x) / 2: 1 where the literal does not hold.
        literal = np.zeros((m, n))
        literal[rows, formula.index[:, k]] = -0.5 * formula.signs[:, k]
        back = np.zeros((n, m))
        back[formula.index[:, k], rows] = 0.5 * size * formula.signs[:, k]
        operators += [
            Affine(name=f"open_{k}", weights=literal, bias=0.5),
            Hadamard(name=f"others_{k}", size=m),
            Affine(name=f"pull_{k}", weights=back),
        ]
        first, second = (j for j in range(LITERALS) if j != k)
        edges += [("x", f"open_{k}"), (f"open_{first}", f"others_{k}", "left")]
        edges += [(f"open_{second}", f"others_{k}", "right"), (f"pull_{k}", "v")]
    if not clause_weights:
        edges += [(f"others_{k}", f"pull_{k}") for k in range(LITERALS)]
        return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)
    operators += [
        state("a", np.ones(m), decay=growth * fade),
        Hadamard(name="violation", size=m),
        Affine(name="grow", weights=growth * np.eye(m), bias=growth * fade),
    ]
    edges += [("others_0", "violation", "left"), ("open_0", "violation", "right"), ("violation", "grow"), ("grow", "a")]
    for k in range(LITERALS):
        operators.append(Hadamard(name=f"weighted_{k}", size=m))
        edges += [(f"others_{k}", f"weighted_{k}", "left"), ("a", f"weighted_{k}", "right")]
        edges.append((f"weighted_{k}", f"pull_{k}"))
    return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)


class Quadratised(NamedTuple):
    """v^T Q v + q^T v + offset over 0/1 variables v: the formula's, then one more for each clause.

    Least over the last ones it is the number of clauses that do not hold. `couplings`: Q, symmetric, 0 on its diagonal.
    """

    couplings: Array
    linear: Array
    offset: float

    def __repr__(self) -> str:
        return brief(self)

    def energy(self, v: Array) -> Array:
        """Return the value, (...,), of v, (..., n + m)."""
        value: Array = np.sum(v * (v @ self.couplings), axis=-1) + v @ self.linear + self.offset
        return value


def quadratise(formula: Formula) -> Quadratised:
    """Return the formula with a product less: y z_2 + z_0 z_1 - 2 y (z_0 + z_1) + 3 y in place of z_0 z_1 z_2.

    z_k is 1 where literal k does not hold, and y, a variable more for each clause, stands for z_0 z_1. I. G. Rosenberg,
    Cahiers Centre Etudes Rech. Oper. 17:71 (1975).
    """
    n, m = formula.variables, len(formula.clauses)
    couplings, linear, offset = np.zeros((n + m, n + m)), np.zeros(n + m), 0.0
    for c, (literals, signs) in enumerate(zip(formula.index.tolist(), formula.signs.tolist(), strict=True)):
        # A term as (variable, constant, slope): y = 0 + 1 v, z = 1 - v or 0 + v.
        z = [(v, 1.0, -1.0) if s > 0.0 else (v, 0.0, 1.0) for v, s in zip(literals, signs, strict=True)]
        y = (n + c, 0.0, 1.0)
        for (i, a, b), (j, d, e), weight in ((y, z[2], 1.0), (z[0], z[1], 1.0), (y, z[0], -2.0), (y, z[1], -2.0)):
            offset += weight * a * d
            linear[i] += weight * b * d
            linear[j] += weight * a * e
            couplings[i, j] += 0.5 * weight * b * e
            couplings[j, i] += 0.5 * weight * b * e
        linear[n + c] += 3.0
    return Quadratised(couplings, linear, offset)


def _draw(variables: int, clauses: int, seed: int) -> tuple[np.random.Generator, int, int]:
    n = whole(variables, "variables", LITERALS, MOST_VARIABLES)
    m = whole(clauses, "clauses", 1, MOST_VARIABLES)
    return np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1)), n, m


def _index(rng: np.random.Generator, n: int, m: int) -> Whole:
    """Return three different variables for each clause."""
    return np.array([rng.choice(n, LITERALS, replace=False) for _ in range(m)], dtype=np.int64)


def _positive(value: Any, name: str) -> float:
    return float(positive(value, name, shape=(), unit=""))
