"""What a walk back along the steps of a run is given, works on and returns, as arrays; see `kernels.adjoint`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...values.arrays import Array
from ..devices.elements import Linear
from ..equations.layout import LANES, TABLES, Layout, Plan
from ..equations.programs import CHUNK, compile_formula
from ..equations.samples import Sampled
from ..equations.system import Indices, System
from ..method import HIGHEST, PAST
from ..state import Path, Whole


class Adjoint(NamedTuple):
    """Beside a layout, what a walk back needs.

    `slope_nodes`, `slope_values`: by slope of a formula by an argument, that node, and the formula's value.
    `number_slopes`, `number_values`: by number that a derivative is wanted by, its slope, and the formula's value.
    `element_rows`, `element_nodes`: by linear element that one is wanted by, the rows that it is added to and taken
    from, -1 for none, and the nodes that it senses; from `rates` on they are capacitances. `is_whole`: whether
    the factors have all entries.
    """

    slope_nodes: Indices
    slope_values: Indices
    number_slopes: Indices
    number_values: Indices
    element_rows: Indices
    element_nodes: Indices
    rates: int
    is_whole: bool


class Wanted(NamedTuple):
    """A linear function of results: `grid` of times, places of `probes`, `weights` (times, probes, LANES)."""

    grid: Array
    probes: Indices
    weights: Array


class BackState(NamedTuple):
    """What a walk back works on.

    `lanes`: by lane the sample of the path; `at`: the point that it is at, `last`: its last one; `unsolved`: 1
    where the equation was not solved. `current`: l of the equations, `charge`: mu, and then alpha l + mu; `past`: l of
    the last points, at `slots`; `back`: their beta. `wanted`: -dJ/dv; `left`: what is left of the equation. `weights`:
    by value of a formula, what its change does. `seeds`: of the objective, at this point and those before.
    """

    lanes: Whole
    at: Whole
    last: Whole
    next_out: Whole
    t: Array
    v: Array
    alpha: Array
    back: Array
    past: Array
    slots: Whole
    unsolved: Whole
    wanted: Array
    left: Array
    current: Array
    charge: Array
    sums: Array
    weights: Array
    seeds: Array
    times: Array
    work: Array
    values: Array
    slopes: Array
    registers: Array
    factors: Array
    where: npt.NDArray[np.int32]


class Found(NamedTuple):
    """Derivatives by linear elements, numbers of formulas, corners of sources, and starts of unknowns: (k, LANES)."""

    elements: Array
    numbers: Array
    corners: Array
    start: Array


class Back(NamedTuple):
    """How to walk back: a layout whose formulas have derivatives by numbers too, and by what derivatives are found.

    `elements`: the branches; `numbers`: branch and which number of it.
    """

    layout: Layout
    adjoint: Adjoint
    elements: tuple[int, ...]
    numbers: tuple[tuple[int, int], ...]


def plan_back(system: System, made: Plan, branches: Sequence[Sampled], wanted: Mapping[int, Sequence[int]]) -> Back:
    """Return how to walk back. `wanted`: by branch of the circuit, those of its numbers that derivatives are by."""
    layout, place = made.layout, np.array([made.places[node] for node in system.nodes], dtype=np.int32)
    index = {node: k for k, node in enumerate(system.nodes)}
    order = sorted(range(len(system.groups)), key=lambda k: system.groups[k].kind == "charge")
    code: list[Indices] = []
    program_slopes: list[list[int]] = []
    slope_nodes: list[int] = []
    slope_values: list[int] = []
    number_slopes: list[int] = []
    number_values: list[int] = []
    numbers: list[tuple[int, int]] = []
    table = layout.group.copy()
    lines, tables, slope, widest, extra = 0, 0, 0, layout.widest, layout.slopes
    for row, k in enumerate(order):
        group = system.groups[k]
        arguments, count, value = group.program.arguments, group.nodes.shape[1], int(table[row, 8])
        first = branches[group.members[0]]
        assert first.skeleton is not None
        used = sorted({j for member in group.members for j in wanted.get(member, ())})
        program = compile_formula(first.skeleton, arguments, group.program.parameters, used)
        own = program.code.copy()
        own[np.isin(own[:, 0], TABLES), 3] += tables
        tables += len(program.tables)
        ends = lines + len(own), lines + program.last
        table[row, [0, 1, 4, 9, 11, 12]] = lines, ends[0], program.rows, len(program_slopes), program.value, ends[1]
        for j in range(arguments):
            if program.slopes[j] >= 0:
                program_slopes.append([program.slopes[j], slope])
                slope_nodes += place[group.nodes[j]].tolist()
                slope_values += range(value, value + count)
                slope += count
        for j, at in zip(used, program.slopes[arguments:], strict=True):
            if at >= 0:
                program_slopes.append([at, extra])
                number_slopes += range(extra, extra + count)
                number_values += range(value, value + count)
                numbers += [(member, j) for member in group.members]
                extra += count
        table[row, 10] = len(program_slopes)
        lines, widest = lines + len(own), max(widest, program.rows)
        code.append(own)
    linear = {k: one for k in wanted if isinstance(one := branches[k].element, Linear)}
    elements = sorted(linear, key=lambda k: linear[k].is_rate)
    laws = np.where(system.laws >= 0, place[system.laws], -1)
    adjoint = Adjoint(
        slope_nodes=np.array(slope_nodes, dtype=np.int32),
        slope_values=np.array(slope_values, dtype=np.int32),
        number_slopes=np.array(number_slopes, dtype=np.int32),
        number_values=np.array(number_values, dtype=np.int32),
        element_rows=_pairs([[laws[index[node]] for node in linear[k].ends] for k in elements]),
        element_nodes=_pairs([[place[index[node]] for node in linear[k].sensed] for k in elements]),
        rates=sum(not linear[k].is_rate for k in elements),
        is_whole=made.is_whole and not layout.coupling_columns.size,
    )
    full = layout._replace(
        code=np.concatenate([layout.code[:0], *code]),
        group=table,
        program_slopes=_pairs(program_slopes),
        slopes=extra,
        widest=widest,
    )
    return Back(full, adjoint, tuple(elements), tuple(numbers))


def new_back_state(back: Back, path: Path, lanes: Whole, last: Whole, wanted: Wanted) -> BackState:
    """Return the state at the end of the paths of samples `lanes`, whose last points are `last`, -1 for none."""
    g = back.layout

    def rows(count: int) -> Array:
        return np.zeros((count, LANES))

    return BackState(
        lanes=lanes,
        at=last.copy(),
        last=last,
        next_out=np.full(LANES, wanted.grid.size - 1, dtype=np.int64),
        t=np.zeros(LANES),
        v=rows(g.nodes),
        alpha=np.ones((1, LANES)),
        back=rows(HIGHEST),
        past=np.zeros((HIGHEST, g.n, LANES)),
        slots=np.arange(HIGHEST, dtype=np.int64),
        unsolved=np.zeros(LANES, dtype=np.int64),
        wanted=rows(g.n),
        left=rows(g.n),
        current=rows(g.n),
        charge=rows(g.n),
        sums=rows(g.nodes),
        weights=rows(g.value_rows.shape[0]),
        seeds=np.zeros((PAST, wanted.probes.size, LANES)),
        times=np.zeros(PAST),
        work=np.zeros(PAST),
        values=rows(g.value_rows.shape[0]),
        slopes=rows(g.slopes),
        registers=rows(g.widest * CHUNK),
        factors=rows(g.columns.size),
        where=np.zeros(g.n, dtype=np.int32),
    )


def new_found(back: Back) -> Found:
    """Return derivatives of 0."""
    counts = len(back.elements), len(back.numbers), back.layout.wave_times.size, back.layout.n
    return Found(*(np.zeros((count, LANES)) for count in counts))


def _pairs(rows: Sequence[Sequence[int]]) -> Indices:
    return np.array(rows, dtype=np.int32).reshape(-1, 2)
