"""What a run of samples on arrays works on."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple, TypeVar, cast

from ..equations.layout import LANES
from ..method import HIGHEST, PAST
from .equations import Equations, Numbers
from .factors import Factors


class State(NamedTuple):
    """As the `State` of the kernels, with arrays (rows, blocks, LANES), or (blocks, LANES) for what has no rows.

    `origin`: which block of the run each is. `past`, `charge_past`: (HIGHEST + 1, rows, blocks, LANES);
    `times`: of PAST points. `steps`, `rejected`,
    `iterations`, `factorisations`: counts; those of a block are the same in all of its lanes.
    """

    origin: Any
    numbers: Numbers
    factors: Factors
    factored: Any
    rate: Any
    past: Any
    charge_past: Any
    times: Any
    known: Any
    size: Any
    t: Any
    wanted: Any
    target: Any
    order: Any
    waited: Any
    next_break: Any
    next_out: Any
    active: Any
    status: Any
    steps: Any
    rejected: Any
    iterations: Any
    factorisations: Any


# Points of the past that polynomials are drawn through.
KEPT = HIGHEST + 1
T = TypeVar("T", bound=tuple[Any, ...])


def take(xp: Any, values: T, blocks: Any) -> T:
    """Return those blocks of arrays, and of tuples of them."""
    found = [take(xp, one, blocks) if isinstance(one, tuple) else xp.take(one, blocks, axis=-2) for one in values]
    return cast("T", tuple(found) if type(values) is tuple else type(values)(*found))


def put(values: Any, blocks: Any, new: Any) -> None:
    """Replace those blocks of an array, or of a tuple of them."""
    if isinstance(values, tuple):
        for one, its in zip(values, new, strict=True):
            put(one, blocks, its)
    else:
        values[..., blocks, :] = new


def new_state(e: Equations, numbers: Numbers, start: Any, origin: Any, first: float) -> State:
    """Return the state at the start of a run whose first step is so long, seconds."""
    library, shape = e.library, start.shape[1:]
    rows, m = e.elimination.order.shape[0], e.layout.n - e.elimination.head
    charges = len(e.layout.value_rows) - e.layout.charges

    def count() -> Any:
        return library.full(0, *shape)

    return State(
        origin=origin + count(),
        numbers=numbers,
        factors=Factors(library.zeros(rows, *shape), library.zeros(m, m, *shape)),
        factored=library.zeros(*shape),
        rate=library.full(1.0, *shape),
        past=library.zeros(KEPT, e.layout.nodes, *shape),
        charge_past=library.zeros(KEPT, charges, *shape),
        times=library.zeros(PAST, *shape),
        known=count(),
        size=e.library.xp.abs(start),
        t=library.zeros(*shape),
        wanted=library.full(first, *shape),
        target=library.full(inf, *shape),
        order=library.full(1, *shape),
        waited=count(),
        next_break=count(),
        next_out=count(),
        active=library.full(True, *shape),
        status=count(),
        steps=count(),
        rejected=count(),
        iterations=count(),
        factorisations=count(),
    )


def of_block(xp: Any, marks: Any) -> Any:
    """Return whether any lane of a block is marked, (blocks,)."""
    return xp.any(marks, axis=-1)


def in_lanes(xp: Any, marks: Any) -> Any:
    """Return a mark of each block, (blocks,), as one of each lane."""
    return xp.broadcast_to(marks[:, None], (marks.shape[0], LANES))
