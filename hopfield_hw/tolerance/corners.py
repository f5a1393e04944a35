"""The worst case of a margin over a box of values: at one corner where that is proved, else among all corners."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError
from ..values.report import Report
from .sensitivity import Margins, as_box, evaluate, names_of, sensitivities

Basis = Literal["monotone: given", "monotone: proved", "all corners"]

CHUNK = 4096  # corners looked at together
MOST_CORNERS = 2**16
NOTED = 8


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WorstCase(Report):
    """The least margin that was found, and what it is.

    `margin` at `values`, (m,), a corner of the box. `basis`: "monotone: given" or "monotone: proved": the margin is
    monotone in every value, so this corner is the worst of the whole box. "all corners": in the values `open` the sign
    was not known, and each corner of these was looked at: it is the worst of the box where the margin is monotone,
    concave or linear in each of them by itself, and of the corners alone elsewhere.
    `signs`: (m,), +1 where the margin rises with a value, -1 where it falls, 0 for the open ones. `corners`: how many
    were looked at. `linear`: the margin of the linear worst case, nominal - sum_k |s_k| (half of the box), and
    `resolved` the margin itself at its corner: `off` = linear - resolved is how far it was off.
    `evaluations`: boards looked at.
    """

    names: tuple[str, ...]
    margin: float
    values: Array
    basis: Basis
    signs: Array
    corners: int
    nominal: float
    linear: float
    resolved: float
    evaluations: int

    @property
    def open(self) -> tuple[str, ...]:
        """The names of the values whose sign was not known."""
        return tuple(name for name, sign in zip(self.names, self.signs, strict=True) if sign == 0.0)

    @property
    def off(self) -> float:
        """linear - resolved."""
        return self.linear - self.resolved

    def rows(self) -> list[tuple[str, str]]:
        said = [("worst case", f"{self.margin:.5g} (nominal {self.nominal:.5g})"), ("basis", self.basis)]
        if self.open:
            few = ", ".join(self.open[:NOTED]) + (", ..." if len(self.open) > NOTED else "")
            said.append(("sign not known", f"{few}: {self.corners} corners"))
        return [*said, ("linear worst case", f"{self.linear:.5g}, there {self.resolved:.5g}, off by {self.off:.3g}")]

    def figures(self) -> dict[str, Any]:
        return {
            "margin": self.margin,
            "basis": self.basis,
            "corners": self.corners,
            "nominal": self.nominal,
            "linear": self.linear,
            "resolved": self.resolved,
            "open": list(self.open),
        }


def worst_case(
    margin: Margins,
    nominal: Any,
    lower: Any,
    upper: Any,
    *,
    signs: Any = None,
    gradient_bounds: Callable[[Array, Array], tuple[Any, Any]] | None = None,
    gradient_change: Any = None,
    most_corners: int = MOST_CORNERS,
    names: Sequence[str] = (),
) -> WorstCase:
    """Return the least margin over the box lower <= p <= upper of m values.

    `margin(values)`: (samples,) of values (samples, m). One value at a time by its sign is right only where the margin
    is monotone in it over the whole box. That is taken from one of:

    - `signs`: (m,), +1 or -1 as the caller knows them, 0 where not;
    - `gradient_bounds(lower, upper)`: two (m,) arrays between which the gradient lies over the whole box, as interval
      arithmetic gives them: proved where both have one sign;
    - `gradient_change`: (m,), how far each component of the gradient can be from that at the nominal values, over the
      box: proved where a central difference within the box is at least twice that, as the difference is a mean of
      the component over the box and so within the change of the nominal one, and every value of it within the change
      of that. All up to rounding.

    Values without a proved sign are enumerated, 2^k corners, up to `most_corners`.

    Raises InputError where more corners would be needed, for a box that does not hold the nominal values, for more than
    one of the three, and for signs or bounds that are none.
    """
    point, low, high = as_box(nominal, lower, upper)
    if sum(given is not None for given in (signs, gradient_bounds, gradient_change)) > 1:
        raise InputError("`worst_case`: give one of `signs`, `gradient_bounds` and `gradient_change`")
    most = whole(most_corners, "most_corners", 1, 2**30)
    slopes = sensitivities(margin, point, low, high, names=names)
    known = np.zeros(point.size)
    basis: Basis = "monotone: proved"
    if signs is not None:
        known = freeze(signs, "signs", shape=point.shape)
        if not np.isin(known, (-1.0, 0.0, 1.0)).all():
            raise InputError("`signs`: must be +1, -1, or 0 where a sign is not known")
        basis = "monotone: given"
    elif gradient_bounds is not None:
        ends = [freeze(end, "gradient_bounds", shape=point.shape, allow_inf=True) for end in gradient_bounds(low, high)]
        if np.any(ends[0] > ends[1]):
            raise InputError("`gradient_bounds`: gave a lower bound above the upper one")
        known = np.where(ends[0] >= 0.0, 1.0, np.where(ends[1] <= 0.0, -1.0, 0.0))
    elif gradient_change is not None:
        change = freeze(gradient_change, "gradient_change", shape=point.shape, allow_inf=True)
        if np.any(change < 0.0):
            raise InputError("`gradient_change`: must not be negative")
        difference = _within(margin, point, low, high)
        known = np.where(np.abs(difference) >= 2.0 * change, np.where(difference < 0.0, -1.0, 1.0), 0.0)
    known = np.where(high > low, known, 1.0)
    places = np.flatnonzero(known == 0.0)
    if places.size and (places.size > 62 or 2**places.size > most):
        raise InputError(
            f"worst_case: the sign of {places.size} values is not known, so 2^{places.size} corners are to be "
            f"looked at, more than `most_corners` = {most}; give `signs` or bounds of the "
            "gradient, or fewer values that matter"
        )
    base = np.where(known > 0.0, low, high)
    least, corner, count = np.inf, base, 0
    for rows in _corners(base, low, high, places):
        found = evaluate(margin, rows)
        k = int(np.argmin(found))
        count += len(rows)
        if found[k] < least:
            least, corner = float(found[k]), rows[k]
    half = np.where(slopes.derivative > 0.0, point - low, high - point)
    linear_corner = np.where(slopes.derivative > 0.0, low, high)
    resolved = float(evaluate(margin, linear_corner[None])[0])
    return WorstCase(
        names=names_of(names, point.size),
        margin=least,
        values=freeze(corner, "values"),
        basis="all corners" if places.size else basis,
        signs=freeze(known, "signs"),
        corners=count,
        nominal=slopes.margin,
        linear=slopes.margin - float(np.abs(slopes.derivative) @ half),
        resolved=resolved,
        evaluations=4 * point.size + 2 + count + (2 * point.size if gradient_change is not None else 0),
    )


def _within(margin: Margins, point: Array, low: Array, high: Array) -> Array:
    """Return differences across the box, each with the other values nominal."""
    size = point.size
    rows = np.tile(point, (2 * size, 1))
    rows[np.arange(size), np.arange(size)] = high
    rows[size + np.arange(size), np.arange(size)] = low
    found = evaluate(margin, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(high > low, (found[:size] - found[size:]) / (high - low), 0.0))


def _corners(base: Array, low: Array, high: Array, places: Any) -> Iterator[Array]:
    total = 2**places.size
    for start in range(0, total, CHUNK):
        numbers = np.arange(start, min(start + CHUNK, total))
        rows = np.tile(base, (numbers.size, 1))
        bits = (numbers[:, None] >> np.arange(places.size)) & 1
        rows[:, places] = np.where(bits == 1, high[places], low[places])
        yield rows
