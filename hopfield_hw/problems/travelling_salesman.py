"""The travelling salesman as a network: a neuron for each city and place of the tour (Hopfield and Tank 1985)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats.instances.types import tour_lengths
from ..functions import Clip, Logistic
from ..graph import Activate, Affine, Graph, Hadamard, Input, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..networks.network import Network
from ..values.arrays import Array, first_asymmetry, freeze, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError

MOST_EXACT = 16  # cities: 2^15 sets of 16 fit a table
MOST_CITIES = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class TravellingSalesman(Brief):
    """The shortest tour through n cities: minimise sum_j d[t_j, t_(j+1)] over permutations t, which close.

    `distances`: (n, n), symmetric, at least 0, with 0 on the diagonal; at least three cities.

    Raises InputError for other matrices.
    """

    distances: Array

    def __post_init__(self) -> None:
        d = freeze(self.distances, "distances")
        if d.ndim != 2 or d.shape[0] != d.shape[1] or not 3 <= d.shape[0] <= MOST_CITIES:
            raise InputError(f"`distances` has shape {d.shape}: must be (n, n), of 3 to {MOST_CITIES} cities")
        if (pair := first_asymmetry(d)) is not None:
            i, j = pair
            raise InputError(
                f"`distances[{i}, {j}]` = {d[i, j]:g}, and the way back {d[j, i]:g}: must be symmetric, as "
                "tours both ways are one here"
            )
        if bool(np.any(np.diag(d))) or bool(np.any(d < 0.0)) or not bool(np.any(d)):
            raise InputError("`distances`: must be 0 on the diagonal, at least 0 elsewhere, and not all 0")
        object.__setattr__(self, "distances", d)

    @property
    def size(self) -> int:
        """n, the number of cities."""
        return int(self.distances.shape[0])

    def length(self, tour: Any) -> float:
        """Return the length of a closed tour, (n,) city numbers. Raises InputError for what is no permutation."""
        order = np.asarray(tour)
        if order.shape != (self.size,) or not np.array_equal(np.sort(order), np.arange(self.size)):
            raise InputError(f"`tour` = {tour!r:.60}: must name each of {self.size} cities once, from 0 on")
        return float(tour_lengths(self.distances, order))

    def optimum(self) -> tuple[float, tuple[int, ...]]:
        """Return the least length and a tour that has it, exactly, by dynamic programming over sets of cities.

        M. Held and R. M. Karp, J. SIAM 10:196 (1962). Raises InputError for more than 16 cities.
        """
        if self.size > MOST_EXACT:
            raise InputError(f"optimum: {self.size} cities take too large a table; at most {MOST_EXACT}")
        return _held_karp(self.distances)


def of_points(points: Any) -> TravellingSalesman:
    """Return the problem of points in a plane, (n, 2), or space, with Euclidean distances."""
    places = freeze(points, "points")
    if places.ndim != 2 or len(places) < 3:
        raise InputError(f"`points` has shape {places.shape}: must be (n, 2), at least three of them")
    apart = np.sqrt(np.sum((places[:, np.newaxis] - places) ** 2, axis=-1))
    return TravellingSalesman(distances=apart)


def hopfield_tank(
    problem: TravellingSalesman | Any,
    *,
    a: float = 500.0,
    b: float = 500.0,
    c: float = 200.0,
    d: float = 500.0,
    n: float = 15.0,
    u0: float = 0.02,
    tau: float = 1.0,
    spread: float = 0.1,
    seed: int = 0,
) -> Network:
    """Return the network of J. J. Hopfield and D. W. Tank, Biol. Cybern. 52:141 (1985), as published:

        du_Xi/dt = -u_Xi / tau - a sum_(j != i) V_Xj - b sum_(Y != X) V_Yi - c (sum V - n)
                   - d sum_Y d_XY (V_Y,i+1 + V_Y,i-1),    V = (1 + tanh(u / u0)) / 2

    Neuron X * cities + i is city X at place i. It starts where the V add up to the number of cities, each u off by up
    to `spread` u0. Few starts give a valid tour (15% in G. V. Wilson and G. S. Pawley, Biol. Cybern. 58:63, 1988, who
    could not repeat the paper's 16 of 20): see `optimisation.tours.run_hopfield_tank`. One unit of time is 1 ms as a
    circuit, and a unit of weight 1 uS. `problem`: a TravellingSalesman, or its distances.

    Raises InputError for values that are not positive.
    """
    if not isinstance(problem, TravellingSalesman):
        problem = TravellingSalesman(distances=problem)
    cities = problem.size
    given = {"a": a, "b": b, "c": c, "d": d, "n": n, "u0": u0, "tau": tau}
    a, b, c, d, n, u0, tau = (_positive(value, f"hopfield_tank.{name}") for name, value in given.items())
    same, all_ = np.eye(cities), np.ones((cities, cities))
    ring = np.roll(same, 1, axis=1) + np.roll(same, -1, axis=1)
    weights = -a * np.kron(same, all_ - same) - b * np.kron(all_ - same, same) - c
    weights -= d * np.kron(problem.distances, ring)
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    middle = u0 * np.arctanh(2.0 / cities - 1.0)
    return Network(
        weights=weights,
        resistance=tau,
        capacitance=1.0,
        gain=Logistic(gain=0.5 / u0),
        bias=c * n,
        initial=middle + spread * u0 * rng.uniform(-1.0, 1.0, cities * cities),
        symmetric=True,
        siemens_per_unit=1e-6,
        seconds_per_unit=1e-3,
    )


# Of the weights, whose largest are about 1: what lies beyond is rounding, which differs from one processor to another.
DIGITS = 12


def valid_subspace(
    problem: TravellingSalesman | Any,
    *,
    penalty: float = 1.0,
    step: float | None = None,
    initial: Any = None,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return a network on the subspace of valid tours, with a ramp h(t) as its input:

        dv/dt = P(v - step (F D F v - h F v) - penalty (v - F v - 1/n)) - v,    F = R x R,  R = 1 - 1 1^T / n

    P clips to [0, 1]; F v is v without the means of its rows and columns, so that v - F v - 1/n is how far rows and
    columns are from adding up to 1. D v is the slope of a tour's length, sum_Y d_XY (v_Y,i+1 + v_Y,i-1), over its
    largest eigenvalue in the subspace. With h = -1 the energy is convex, and with h = 1 no point but a corner is at
    rest: ramp it up slowly, as `hh.Signal(times=[0, T], values=[[-1], [1]])` does, over T of some 2,000 time constants.
    S. V. B. Aiyer, M. Niranjan and F. Fallside, IEEE Trans. Neural Netw. 1:204 (1990).

    `step`: 0.5 / n by default, so that the penalty is the stronger. `initial`: (n^2,), 1/n by default, which is a point
    of balance: give each a little of its own. `problem`: a TravellingSalesman, or its distances. Output: `output` = the
    clipped drive, city X at place i in X * n + i.

    Raises InputError for values that are not positive, and an initial state of another size.
    """
    if not isinstance(problem, TravellingSalesman):
        problem = TravellingSalesman(distances=problem)
    n = problem.size
    weight = _positive(penalty, "penalty")
    rate = 0.5 / n if step is None else _positive(step, "step")
    onto = np.kron(*(2 * [np.eye(n) - 1.0 / n]))
    size = n * n
    start = freeze(1.0 / n if initial is None else initial, "initial", shape=(size,))
    keep = np.eye(size) - rate * onto @ slope_matrix(problem) @ onto - weight * (np.eye(size) - onto)
    keep = np.round(keep, DIGITS)
    operators: list[Operator] = [
        Input(name="ramp", size=1),
        state("x", start),
        Affine(name="rate", weights=np.full((size, 1), rate)),
        Affine(name="off_centre", weights=onto),
        Hadamard(name="corners", size=size),
        Affine(name="step", weights=keep, bias=weight / n),
        Activate(name="v", size=size, function=Clip(lower=0.0, upper=1.0)),
    ]
    edges: list[tuple[str, ...]] = [("ramp", "rate"), ("x", "off_centre"), ("x", "step"), ("step", "v"), ("v", "x")]
    edges += [("rate", "corners", "left"), ("off_centre", "corners", "right"), ("corners", "v")]
    return network_graph(operators, edges, outputs=[("output", "v", size)], units=units)


def slope_matrix(problem: TravellingSalesman) -> Array:
    """Return D, (n^2, n^2), of v^T D v / 2, a tour's length over the largest eigenvalue of D among valid tours."""
    ring = np.roll(np.eye(problem.size), 1, axis=1) + np.roll(np.eye(problem.size), -1, axis=1)
    return np.asarray(np.kron(scaled_distances(problem), ring), dtype=np.float64)


def scaled_distances(problem: TravellingSalesman) -> Array:
    """Return the distances over twice the largest eigenvalue of R d R, R = 1 - 1 1^T / n; a ring's largest is 2."""
    centre = np.eye(problem.size) - 1.0 / problem.size
    largest = 2.0 * float(np.abs(np.linalg.eigvalsh(centre @ problem.distances @ centre)).max())
    return problem.distances / largest


def decode(outputs: Array) -> npt.NDArray[np.int64] | None:
    """Return the tour of outputs (n, n), city by place: the cities in their order, or None where it is none.

    It is one where each row and each column has exactly one output above 1/2.
    """
    on = outputs > 0.5
    if not (np.all(on.sum(axis=0) == 1) and np.all(on.sum(axis=1) == 1)):
        return None
    tour: npt.NDArray[np.int64] = np.argmax(on, axis=0).astype(np.int64)
    return tour


def _positive(value: Any, name: str) -> float:
    return float(positive(value, name, shape=(), unit=""))


def _held_karp(distances: Array) -> tuple[float, tuple[int, ...]]:
    """Return the least length and its tour, from city 0; `best[s, j]`: from 0 through the set s of others to j."""
    others = len(distances) - 1
    sets = 1 << others
    away = distances[1:, 1:]
    best = np.full((sets, others), np.inf)
    for j in range(others):
        best[1 << j, j] = distances[0, j + 1]
    members = np.arange(sets)
    counts = np.array([members >> j & 1 for j in range(others)]).sum(axis=0)
    for count in range(2, others + 1):
        chosen = members[counts == count]
        for j in range(others):
            with_j = chosen[(chosen >> j & 1) == 1]
            best[with_j, j] = np.min(best[with_j ^ (1 << j)] + away[:, j], axis=1)
    closed = best[-1] + distances[1:, 0]
    tour, left = [int(np.argmin(closed))], sets - 1
    while left & (left - 1):
        j = tour[-1]
        left ^= 1 << j
        tour.append(int(np.argmin(best[left] + away[:, j])))
    return float(closed.min()), (0, *(j + 1 for j in reversed(tour)))
