"""Quadratic programs of binary and continuous variables, as one projection network with a ramp."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..functions import Clip
from ..graph import Activate, Affine, Graph, Hadamard, Input, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import Array, freeze, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.signals import Signal
from .programs import symmetric

MOST_VARIABLES = 1024
MOST_ENUMERATED = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedProgram(Brief):
    """Minimise x^T P x / 2 + q^T x, with x_i = 0 or 1 for i in `binary` and lower_i <= x_i <= upper_i for the others.

    `quadratic`: P, (n, n), symmetric, positive definite among the continuous variables. `linear`: q, (n,). `binary`:
    their numbers. `lower`, `upper`: (n,) or one; 0 and 1 for the binary ones, whatever is given.

    Raises InputError for other matrices, variables that there are not, and limits without a number between.
    """

    quadratic: Array
    linear: Array
    binary: tuple[int, ...]
    lower: Array = -1.0  # type: ignore[assignment]  # (n,)
    upper: Array = 1.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        q = freeze(self.linear, "MixedProgram.linear")
        if q.ndim != 1 or not 1 <= q.size <= MOST_VARIABLES:
            raise InputError(f"`MixedProgram.linear` has shape {q.shape}: must be (n,), of 1 to {MOST_VARIABLES}")
        n = q.size
        p = symmetric(self.quadratic, "MixedProgram.quadratic", n)
        chosen = tuple(whole(k, "MixedProgram.binary", 0, n - 1) for k in self.binary)
        if len(set(chosen)) != len(chosen):
            raise InputError(f"`MixedProgram.binary` = {chosen}: names a variable twice")
        low = np.array(freeze(self.lower, "MixedProgram.lower", shape=(n,)))
        high = np.array(freeze(self.upper, "MixedProgram.upper", shape=(n,)))
        low[list(chosen)], high[list(chosen)] = 0.0, 1.0
        if bool(np.any(low > high)):
            k = int(np.argmax(low > high))
            raise InputError(f"`MixedProgram.lower[{k}]` = {low[k]:g}: must be at most the upper end, {high[k]:g}")
        free = np.setdiff1d(np.arange(n), chosen)
        if free.size and float(np.linalg.eigvalsh(p[np.ix_(free, free)])[0]) <= 0.0:
            raise InputError(
                "`MixedProgram.quadratic`: must be positive definite among the continuous variables, which may "
                "otherwise have several minima for one choice of the binary ones"
            )
        for name, value in (("linear", q), ("quadratic", p), ("binary", chosen)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "lower", freeze(low, "MixedProgram.lower"))
        object.__setattr__(self, "upper", freeze(high, "MixedProgram.upper"))

    @property
    def size(self) -> int:
        """n, the number of variables."""
        return int(self.linear.size)

    def objective(self, x: Any) -> Array:
        """Return x^T P x / 2 + q^T x, (...,), of x (..., n)."""
        return np.asarray(0.5 * np.sum(x * (x @ self.quadratic), axis=-1) + x @ self.linear)

    def optimum(self) -> tuple[float, Array]:
        """Return the least objective and its x, by enumeration of the binary variables, at most 16.

        The continuous ones follow by Newton's method on the box, `scipy.optimize.lsq_linear` of the Cholesky factor.
        """
        from scipy.optimize import lsq_linear

        if len(self.binary) > MOST_ENUMERATED:
            raise InputError(f"optimum: {len(self.binary)} binary variables are too many; at most {MOST_ENUMERATED}")
        chosen = np.array(self.binary, dtype=np.int64)
        free = np.setdiff1d(np.arange(self.size), chosen)
        best, found = np.inf, np.zeros(self.size)
        for bits in itertools.product((0.0, 1.0), repeat=chosen.size):
            x = np.zeros(self.size)
            x[chosen] = bits
            if free.size:
                factor = np.linalg.cholesky(self.quadratic[np.ix_(free, free)])
                slope = self.linear[free] + self.quadratic[np.ix_(free, chosen)] @ x[chosen]
                box = (self.lower[free] - 1e-300, self.upper[free])
                x[free] = lsq_linear(factor.T, -np.linalg.solve(factor, slope), bounds=box, tol=1e-14).x
            value = float(self.objective(x))
            if value < best:
                best, found = value, x
        return best, found


def mixed_network(
    program: MixedProgram, *, step: float | None = None, initial: Any = None, units: Units = CIRCUIT_UNITS
) -> Graph:
    """Return a network whose input, a ramp h(t), drives the binary variables to 0 and 1:

        dx/dt = C(x - step (P x + q - h(t) (x - 1/2) on the binary ones)) - x,    C clips to lower, upper

    At corners h changes the objective by a constant. With h below 0 all is convex; with h above the largest P_ii of the
    binary ones no point within is at rest in them, while the continuous ones stay where their slope is 0. `ramp` gives
    a Signal of both. A search by descent: the corner that it ends at is a local minimum, and others starts may end at
    better ones.

    `step`: 1 over the largest row sum of |P| by default. `initial`: x(0), (n,); the middle of the box by default.
    Output: `output` = the clipped drive, x at rest.

    Raises InputError for what is not a program, a step that is not positive, and an initial state of another size.
    """
    if not isinstance(program, MixedProgram):
        raise InputError(f"`program` = {program!r:.60}: must be a MixedProgram")
    n, p = program.size, program.quadratic
    middle = 0.5 * (program.lower + program.upper)
    start = freeze(middle if initial is None else initial, "initial", shape=(n,))
    largest = float(np.abs(p).sum(axis=1).max()) or 1.0
    rate = 1.0 / largest if step is None else float(positive(step, "step", shape=(), unit=""))
    chosen = np.array(program.binary, dtype=np.int64)
    operators: list[Operator] = [
        state("x", start),
        Affine(name="step", weights=np.eye(n) - rate * p, bias=-rate * program.linear),
        Activate(name="within", size=n, function=Clip(lower=program.lower, upper=program.upper)),
    ]
    edges: list[tuple[str, ...]] = [("x", "step"), ("step", "within"), ("within", "x")]
    if chosen.size:
        pick = np.eye(n)[chosen]
        operators += [
            Input(name="ramp", size=1),
            Affine(name="slope", weights=np.full((chosen.size, 1), rate)),
            Affine(name="off_middle", weights=pick, bias=-0.5),
            Hadamard(name="corners", size=chosen.size),
            Affine(name="apart", weights=pick.T),
        ]
        edges += [("ramp", "slope"), ("x", "off_middle"), ("slope", "corners", "left")]
        edges += [("off_middle", "corners", "right"), ("corners", "apart"), ("apart", "within")]
    return network_graph(operators, edges, outputs=[("output", "within", n)], units=units)


def ramp(program: MixedProgram, *, t_stop: float) -> Signal:
    """Return the ramp of `mixed_network` as a Signal, seconds: convex at first, corners alone from 3/4 of t_stop on."""
    end = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    chosen = np.array(program.binary, dtype=np.int64)
    part = program.quadratic[np.ix_(chosen, chosen)]
    least = float(np.linalg.eigvalsh(program.quadratic)[0])
    high = float(np.abs(part).sum(axis=1).max()) if chosen.size else 1.0
    low = min(least, 0.0) - 0.1 * high
    return Signal(times=np.array([0.0, 0.75, 1.0]) * end, values=np.array([[low], [1.5 * high], [1.5 * high]]))


def with_binary(program: MixedProgram, x: Array) -> MixedProgram:
    """Return the program with its binary variables held where x rounds to: what is left is convex."""
    low, high = np.array(program.lower), np.array(program.upper)
    chosen = list(program.binary)
    low[chosen] = high[chosen] = np.round(x[chosen])
    return replace(program, binary=(), lower=low, upper=high)
