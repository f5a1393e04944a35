"""What certificates are about: networks with slopes in sectors and one delay, and linear systems with one delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..graph import Graph
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError

FIELDS = ("local", "static")


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearDelaySystem:
    """x'(t) = A x(t) + Ad x(t - h): `matrix` A and `late` Ad, (n, n) each, 1/s.

    Raises InputError for matrices that are not square, of two sizes, or not finite.
    """

    matrix: Any
    late: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", _square(self.matrix, "LinearDelaySystem.matrix"))
        object.__setattr__(self, "late", _square(self.late, "LinearDelaySystem.late", self.size))

    @property
    def size(self) -> int:
        """The number of states, n."""
        return int(self.matrix.shape[0])

    def __repr__(self) -> str:
        return f"<LinearDelaySystem: states {self.size}>"


@dataclass(frozen=True, kw_only=True, eq=False)
class DelayedNetwork:
    """A network of n neurons whose gain curves have slopes in sectors, and whose feedback may come late.

    Local field: x'(t) = -A x(t) + W0 f(x(t)) + W1 f(x(t - h)) + I.
    Static field: x'(t) = -A x(t) + f(W0 x(t) + I) or x'(t) = -A x(t) + f(W1 x(t - h) + I).

    `decay`: the diagonal of A, (n,) or one for all, 1/s, positive. `weights`: W0, (n, n), 1/s in a local field (of an
    electrical network T_ij / C_i), no unit in a static one; None for none. `late_weights`: W1, alike. `lower`, `upper`:
    the least and the largest slope of each f_i anywhere, (n,) or one for all (1/s in a static field). `kind`: "local"
    or "static". `delay`: h in seconds, where it has one. `graph`: the graph that it was read from.

    Certificates take these numbers as exact: what a conversion from siemens and farads rounded (1e-16) is not theirs.

    Raises InputError for a matrix that is not square, other shapes, NaN and infinite values (slopes without a bound
    among them), a decay that is not positive, a lower slope above the upper one, and a static field with both weights.
    """

    decay: Any
    upper: Any
    weights: Any = None
    late_weights: Any = None
    lower: Any = 0.0
    kind: Literal["local", "static"] = "local"
    delay: float | None = None
    graph: Graph | None = None

    def __post_init__(self) -> None:
        if self.kind not in FIELDS:
            raise InputError(f"`DelayedNetwork.kind` = {self.kind!r:.40}: must be one of {', '.join(FIELDS)}")
        given = [value for value in (self.weights, self.late_weights) if value is not None]
        if not given:
            raise InputError("`DelayedNetwork`: has neither `weights` nor `late_weights`; give one, (n, n)")
        n = int(_square(given[0], "DelayedNetwork.weights").shape[0])
        for name in ("weights", "late_weights"):
            value = getattr(self, name)
            matrix = np.zeros((n, n)) if value is None else value
            object.__setattr__(self, name, _square(matrix, f"DelayedNetwork.{name}", n))
        if self.kind == "static" and self.weights.any() and self.late_weights.any():
            raise InputError("`DelayedNetwork`: a static field has either `weights` or `late_weights`, not both")
        object.__setattr__(self, "decay", positive(self.decay, "DelayedNetwork.decay", shape=(n,), unit="1/s"))
        for name in ("lower", "upper"):
            value = freeze(getattr(self, name), f"DelayedNetwork.{name}", shape=(n,), allow_inf=True)
            if not np.isfinite(value).all():
                k = int(np.argmin(np.isfinite(value)))
                raise InputError(
                    f"`DelayedNetwork.{name}[{k}] = {value[k]}`: a slope without a bound, as a hard limiter has: must "
                    "be finite; give a gain curve of finite slope"
                )
            object.__setattr__(self, name, value)
        bad = self.lower > self.upper
        if bad.any():
            k = int(np.argmax(bad))
            raise InputError(
                f"`DelayedNetwork.lower[{k}]` = {self.lower[k]:g} is above `upper[{k}]` = {self.upper[k]:g}: "
                "must be at most that; exchange them"
            )

    def __repr__(self) -> str:
        late = "with" if self.late_weights.any() else "without"
        return f"<DelayedNetwork: neurons {self.size}, {self.kind} field, {late} delay>"

    @property
    def size(self) -> int:
        """The number of neurons, n."""
        return int(self.decay.size)

    @property
    def steepest(self) -> Array:
        """The largest size of a slope, max(|l_i|, |K_i|)."""
        return np.asarray(np.maximum(np.abs(self.lower), np.abs(self.upper)), dtype=np.float64)

    @property
    def has_delay(self) -> bool:
        """Whether any feedback comes late."""
        return bool(self.late_weights.any())

    def linear(self, slopes: Any = None) -> LinearDelaySystem:
        """Return the linear system at given slopes (n,), by default the upper ones: what its exact limits are taken of.

        x' = (-A + W0 D) x + W1 D x(t - h) in a local field, D (W0 and W1) in a static one, D = diag(slopes).
        """
        d = freeze(self.upper if slopes is None else slopes, "slopes", shape=(self.size,))
        side = d[None, :] if self.kind == "local" else d[:, None]
        return LinearDelaySystem(matrix=-np.diag(self.decay) + self.weights * side, late=self.late_weights * side)


def _square(value: Any, name: str, size: int | None = None) -> Array:
    matrix = freeze(value, name)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise InputError(f"`{name}` has shape {matrix.shape}: must be square, (n, n)")
    if size is not None and matrix.shape[0] != size:
        raise InputError(f"`{name}` has shape {matrix.shape}: must have shape {(size, size)}")
    return matrix
