"""What a run of a block of samples is given, what it works on, and what it returns, as arrays.

The last dimension of an array is that of the LANES samples of the block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array
from .equations.layout import LANES, Layout
from .equations.programs import CHUNK
from .method import HIGHEST, PAST

PENDING = 1024  # pieces of the past of lines that have yet to begin

Whole = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


class Options(NamedTuple):
    """How a block is run.

    `t_stop`: seconds. `grid`: times that results are wanted at. `probes`: places of the nodes that are. `tolerance`: of
    a step, as a part of each node's largest voltage; `nothing`: beside it, volts. `first`, `longest`: steps, seconds.
    `most`: steps.
    """

    t_stop: float
    grid: Array
    probes: npt.NDArray[np.int32]
    tolerance: float
    nothing: float
    first: float
    longest: float
    most: int


class Path(NamedTuple):
    """The accepted points of samples, the start first, as far as there is room.

    `voltages`: of the unknowns, (room, n, samples), of the first samples of the block. `steps`: (room, 6, samples), the
    time, alpha, beta_1 to beta_3, and how many points results up to there are drawn through.
    """

    voltages: Array
    steps: Array


def no_path() -> Path:
    """Return one without room."""
    return Path(np.zeros((0, 0, 0)), np.zeros((0, 6, 0)))


class Outcome(NamedTuple):
    """What a run of a block gives.

    `waves`: (times, probes, LANES); NaN from where a sample fails. `counts`: steps, rejected ones, iterations and
    factorisations. `status`: by lane, 0, or why it ended. `taken`: the times of the steps, (room, LANES), as far as
    there is room; the rest stays as it is. `path`: the way that the samples took.
    """

    waves: Array
    counts: Whole
    status: Whole
    taken: Array
    path: Path


class State(NamedTuple):
    """What a run of a block works on.

    `v`: voltages of all nodes; `past`, `charge_past`: those, and charges, at the last PAST points, at `times` (LANES,
    PAST), the latest first; `slots`: where they are, and which one is free; `known`: how many of them count.
    `predicted`: of the unknowns, by the order of the step, `lower`, `higher`: by those next to it. `size`: the largest
    voltage of each unknown so far. `now`: the time of the step that is tried, `h` its length, `wanted` that of the
    next. `order`, `waited`: of the method, and steps since it changed. `alpha`, `beta`, `gamma`: weights (see
    `kernels.steps`); `factored`: alpha of the factors, 0 for none that count. `norm`, `before`, `rate`: of Newton's
    moves, in units of the tolerance. `constants`, `errors`: of the lower order, this one and the higher one, (3,
    LANES).

    Of lines (see `kernels.delays`): `history`, (points, ports, LANES), what entered them, at `history_times`, in
    `pieces`, of which so many were `written`; `shares` of points; whether it `jumps` where the piece begins; `pending`:
    when further ones begin, on which of the `levels`, and how many are `waiting`; `longest`: steps. `target`: where the
    step that is tried must end, as a result is wanted there.
    """

    v: Array
    past: Array
    charge_past: Array
    slots: Whole
    times: Array
    known: Whole
    predicted: Array
    lower: Array
    higher: Array
    summed: Array
    base: Array
    charge_base: Array
    size: Array
    weights: Array
    values: Array
    slopes: Array
    registers: Array
    moves: Array
    factors: Array
    where: npt.NDArray[np.int32]
    t: Array
    now: Array
    h: Array
    wanted: Array
    order: Whole
    waited: Whole
    next_break: Whole
    next_out: Whole
    ended: Whole
    active: Marks
    converged: Marks
    accepted: Marks
    alpha: Array
    beta: Array
    gamma: Array
    factored: Array
    correction: Array
    norm: Array
    before: Array
    rate: Array
    constants: Array
    errors: Array
    work: Array
    history: Array
    history_times: Array
    pieces: Whole
    written: Whole
    shares: Array
    jumps: Marks
    pending: Array
    levels: Whole
    waiting: Whole
    longest: Array
    target: Array


def new_state(layout: Layout, first: float, room: int) -> State:
    """Return the state at the start of a run whose first step is so long, seconds, with room for the past of lines."""
    n, every = layout.n, layout.nodes
    ports = layout.ports.shape[0]
    room = room if ports else 0
    values = layout.value_rows.shape[0]
    charges = values - layout.charges

    def rows(count: int) -> Array:
        return np.zeros((count, LANES))

    def whole(value: int) -> Whole:
        return np.full(LANES, value, dtype=np.int64)

    return State(
        v=rows(every),
        past=np.zeros((PAST + 1, every, LANES)),
        charge_past=np.zeros((PAST + 1, charges, LANES)),
        slots=np.arange(PAST + 1, dtype=np.int64),
        times=np.zeros((LANES, PAST)),
        known=whole(0),
        predicted=rows(n),
        lower=rows(n),
        higher=rows(n),
        summed=rows(every),
        base=rows(n),
        charge_base=rows(charges),
        size=rows(n),
        weights=rows(n),
        values=rows(values),
        slopes=rows(layout.slopes),
        registers=rows(layout.widest * CHUNK),
        moves=rows(n),
        factors=rows(layout.columns.size),
        where=np.zeros(n, dtype=np.int32),
        t=np.zeros(LANES),
        now=np.zeros(LANES),
        h=np.full(LANES, first),
        wanted=np.full(LANES, first),
        order=whole(1),
        waited=whole(0),
        next_break=whole(0),
        next_out=whole(0),
        ended=whole(0),
        active=np.ones(LANES, dtype=np.bool_),
        converged=np.zeros(LANES, dtype=np.bool_),
        accepted=np.zeros(LANES, dtype=np.bool_),
        alpha=np.ones((1, LANES)),
        beta=rows(HIGHEST),
        gamma=rows(PAST),
        factored=np.zeros(LANES),
        correction=np.ones(LANES),
        norm=np.zeros(LANES),
        before=np.zeros(LANES),
        rate=np.ones(LANES),
        constants=rows(3),
        errors=rows(3),
        work=np.zeros(max(PAST, LANES)),
        history=np.zeros((room, ports, LANES)),
        history_times=rows(room),
        pieces=np.zeros((room, LANES), dtype=np.int64),
        written=whole(0),
        shares=np.zeros(4),
        jumps=np.zeros(LANES, dtype=np.bool_),
        pending=rows(PENDING if ports else 0),
        levels=np.zeros((PENDING if ports else 0, LANES), dtype=np.int64),
        waiting=whole(0),
        longest=np.zeros(LANES),
        target=np.full(LANES, np.inf),
    )
