"""A system as flat arrays that the kernels walk through: unknowns in their order, samples in blocks of LANES."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...parts.sources import Pulse, Waveform
from ...values.arrays import Array
from ..devices.elements import CURRENT_NODE
from .ordering import Pattern, fill_in, order_unknowns
from .programs import CODES
from .system import Indices, Matrix, System

# Samples that are computed side by side, in the registers of a processor.
LANES = 8
# With fewer weak entries than this for each unknown the factors have all, where they have not FILL times as many then.
FEW, FILL = 1.0, 3.0
LARGEST = 20_000_000  # entries of factors
# Corners that are no further apart are one; a part of their time.
APART = 1e-12
TABLES = (CODES["table"], CODES["slope"])


class Layout(NamedTuple):
    """Where everything is, for all samples alike. A place is an index of nodes, in the order of elimination.

    `n`: unknowns; `nodes`: all nodes. `linear_*`, `rate_*`: of G and C the first entry of each row, and columns; their
    places in the factors, -1 for none. `coupling_*`: of crossbars, which are not in the factors. `group_*`: by group of
    formulas, its first and behind its last instruction, its arguments, parameters, rows, formulas, the first of its
    argument nodes, of its parameters, of its values, and of its slopes, the row of the value, and what is behind its
    last instruction. `slope_row`, `slope_first`: by slope of a program. `value_rows`: by value the rows that it is
    added to and taken from. `charges`, `charge_groups`: where the values and the groups that are charges begin.
    `slope_*`: places in the factors, of which slope, with which sign, and whether of a charge. `wave_*`: corners of
    sources. `differential`: which nodes errors are of: those with a capacitance, and those of lines. `breaks`: when
    waveforms have corners. `ports`: of lines, (2 lines, 3): both nodes, and that of what comes out, which follow those
    of sources. `is_current`: which unknowns are currents.
    """

    n: int
    nodes: int
    linear_starts: Indices
    linear_columns: Indices
    linear_places: Indices
    rate_starts: Indices
    rate_columns: Indices
    rate_places: Indices
    coupling_starts: Indices
    coupling_columns: Indices
    coupling_values: Array
    code: Indices
    group: Indices
    argument_nodes: Indices
    program_slopes: Indices
    value_rows: Indices
    charges: int
    charge_groups: int
    slope_places: Indices
    slope_signs: Array
    table_starts: Indices
    table_x: Array
    table_y: Array
    starts: Indices
    columns: Indices
    diagonal: Indices
    wave_starts: Indices
    wave_times: Array
    wave_volts: Array
    breaks: Array
    ports: Indices
    is_current: npt.NDArray[np.bool_]
    differential: Array
    slopes: int
    widest: int


class Numbers(NamedTuple):
    """The numbers of samples in blocks: (blocks, entries, LANES). `delays`, `before`: of lines, seconds and volts."""

    linear: Array
    rates: Array
    parameters: Array
    start: Array
    delays: Array
    before: Array


class Plan(NamedTuple):
    """What the kernels run: where everything is, its numbers, by node its place, whether the factors have all entries.

    Entries that they lack cost iterations of Newton's method alone: residuals are those of the whole circuit.
    `currents`: the places of currents of sources.
    """

    layout: Layout
    numbers: Numbers
    places: dict[str, int]
    samples: int
    is_whole: bool
    currents: tuple[int, ...] = ()


def plan(system: System, t_stop: float, *, with_weak: bool = False) -> Plan:
    """Return a system as the kernels take it, for runs up to `t_stop`, seconds.

    `with_weak`: whether the factors have what weights alone add, where that is so much that it counts.
    """
    n, every = system.unknowns, len(system.nodes)
    place, pattern, is_whole = _order(system, with_weak)
    order = np.argsort(place[:n])
    linear, rates = (_rows(matrix, place, pattern, n) for matrix in (system.linear, system.rates))
    coupling = system.coupling[order]
    groups = sorted(system.groups, key=lambda group: group.kind == "charge")
    code, group_table, argument_nodes, program_slopes = [], [], [], []
    value_rows, slope_places, slope_signs, parameters = [], [], [], []
    tables: list[tuple[tuple[float, float], ...]] = []
    at = {"code": 0, "node": 0, "parameter": 0, "value": 0, "slope": 0, "program slope": 0}
    charges = 0
    for group in groups:
        program, count = group.program, group.nodes.shape[1]
        own = program.code.copy()
        of_table = np.isin(own[:, 0], TABLES)
        own[of_table, 3] += len(tables)
        tables += program.tables
        used = [k for k, row in enumerate(program.slopes) if row >= 0]
        kind = group.kind == "charge"
        group_table.append(
            [
                at["code"],
                at["code"] + len(own),
                program.arguments,
                program.parameters,
                program.rows,
                count,
                at["node"],
                at["parameter"],
                at["value"],
                at["program slope"],
                at["program slope"] + len(used),
                program.value,
                at["code"] + program.last,
            ]
        )
        code.append(own)
        argument_nodes.append(place[group.nodes].reshape(-1))
        parameters.append(group.numbers.reshape(-1, system.samples))
        laws = np.where(group.rows >= 0, place[group.rows], -1)
        value_rows.append(laws.T)
        charges += 0 if kind else count
        for k in used:
            program_slopes.append([program.slopes[k], at["slope"]])
            for e in range(count):
                column = int(place[group.nodes[k, e]])
                for row, sign in zip(laws[:, e].tolist(), (1.0, -1.0), strict=True):
                    if row >= 0 and column < n:
                        slope_places.append([pattern.place(row, column), at["slope"] + e, int(kind)])
                        slope_signs.append(sign)
            at["slope"] += count
        at["code"] += len(own)
        at["node"] += group.nodes.size
        at["parameter"] += program.parameters * count
        at["value"] += count
        at["program slope"] += len(used)
    start = np.zeros((n, system.samples))
    start[place[:n]] = system.start
    moving = np.zeros(every)
    moving[place[system.rates.columns]] = 1.0
    for group in groups:
        if group.kind == "charge":
            moving[place[group.nodes]] = 1.0
    moving[place[system.ports[:, :2]]] = 1.0
    is_current = np.zeros(n, dtype=np.bool_)
    measured = {*system.currents}
    is_current[place[:n]] = [node.endswith(CURRENT_NODE) or node in measured for node in system.nodes[:n]]
    waves = [corners_of(wave, t_stop) for wave in system.waveforms]
    breaks = np.unique(np.array([t for wave in waves if len(wave) > 1 for t, _ in wave], dtype=np.float64))
    breaks = breaks[np.diff(breaks, append=np.inf) > APART * breaks]
    layout = Layout(
        n=n,
        nodes=every,
        linear_starts=linear[0],
        linear_columns=linear[1],
        linear_places=linear[2],
        rate_starts=rates[0],
        rate_columns=rates[1],
        rate_places=rates[2],
        coupling_starts=coupling.indptr.astype(np.int32),
        coupling_columns=place[coupling.indices],
        coupling_values=coupling.data,
        code=_stack(code, 6),
        group=_stack([np.array(group_table, dtype=np.int32)], 13),
        argument_nodes=_flat(argument_nodes),
        program_slopes=_stack([np.array(program_slopes, dtype=np.int32)], 2),
        value_rows=_stack(value_rows, 2),
        charges=charges,
        charge_groups=sum(group.kind != "charge" for group in groups),
        slope_places=_stack([np.array(slope_places, dtype=np.int32)], 3),
        slope_signs=np.array(slope_signs),
        table_starts=np.cumsum([0, *(len(points) for points in tables)]).astype(np.int32),
        table_x=np.array([x for points in tables for x, _ in points]),
        table_y=np.array([y for points in tables for _, y in points]),
        starts=pattern.starts,
        columns=pattern.columns,
        diagonal=pattern.diagonal,
        wave_starts=np.cumsum([0, *(len(wave) for wave in waves)]).astype(np.int32),
        wave_times=np.array([t for wave in waves for t, _ in wave]),
        wave_volts=np.array([v for wave in waves for _, v in wave]),
        breaks=breaks[(breaks > 0.0) & (breaks < (1.0 - APART) * t_stop)],
        ports=place[system.ports],
        is_current=is_current,
        differential=moving[:n].copy(),
        slopes=at["slope"],
        widest=max([group.program.rows for group in groups], default=1),
    )
    numbers = Numbers(
        linear=_lanes(linear[3]),
        rates=_lanes(rates[3]),
        parameters=_lanes(np.concatenate(parameters) if parameters else np.zeros((0, system.samples))),
        start=_lanes(start),
        delays=_lanes(system.delays),
        before=_lanes(system.before),
    )
    places = {node: int(place[k]) for k, node in enumerate(system.nodes)}
    return Plan(layout, numbers, places, system.samples, is_whole, tuple(places[name] for name in system.currents))


def _order(system: System, with_weak: bool) -> tuple[Indices, Pattern, bool]:
    """Return the place of each node, the pattern of the factors, and whether that has the weak entries too."""
    n = system.unknowns

    def arrange(is_whole: bool, most: float) -> tuple[Indices, Pattern, bool] | None:
        rows, columns = system.entries(with_weak=is_whole)
        order = order_unknowns(rows, columns, n, most)
        if order is None:
            return None
        place = np.arange(len(system.nodes), dtype=np.int32)
        place[order] = np.arange(n, dtype=np.int32)
        return place, fill_in(place[rows], place[columns], n), is_whole

    strong = arrange(False, np.inf)
    assert strong is not None
    if not with_weak and len(system.weak) >= FEW * n:
        return strong
    return arrange(True, LARGEST if with_weak else FILL * strong[1].columns.size) or strong


def _rows(matrix: Matrix, place: Indices, pattern: Pattern, n: int) -> tuple[Indices, Indices, Indices, Array]:
    """Return a matrix row by row in the order of elimination: starts, columns, places in the factors, values."""
    rows, columns = place[matrix.rows], place[matrix.columns]
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n)))).astype(np.int32)
    places = [pattern.find(i, j) if j < n else -1 for i, j in zip(rows.tolist(), columns.tolist(), strict=True)]
    return starts, columns, np.array(places, dtype=np.int32), matrix.values[order]


def _lanes(values: Array) -> Array:
    """Return values of samples, (entries, samples), in blocks; the last one is filled up with the first sample."""
    entries, samples = values.shape
    blocks = -(-samples // LANES)
    filled = np.concatenate([values, np.repeat(values[:, :1], blocks * LANES - samples, axis=1)], axis=1)
    return np.ascontiguousarray(filled.reshape(entries, blocks, LANES).transpose(1, 0, 2))


def corners_of(wave: Waveform, t_stop: float) -> list[tuple[float, float]]:
    """Return the corners of a waveform up to `t_stop`; one for a constant."""
    if isinstance(wave, Pulse):
        corners = [(0.0, wave.first)]
        begin, k = wave.delay, 0
        while begin <= t_stop:
            times = np.cumsum([begin, wave.edge, wave.width, wave.edge]).tolist()
            corners += zip(times, (wave.first, wave.second, wave.second, wave.first), strict=True)
            k += 1
            begin = wave.delay + k * wave.period
        found = dict(corners)
        return sorted(found.items())
    if isinstance(wave, float):
        return [(0.0, wave)]
    return list(wave)


def _stack(parts: list[npt.NDArray[np.int32]], width: int) -> Indices:
    """Return parts with rows of this width as one array; none of no parts."""
    nothing = np.zeros((0, width), dtype=np.int32)
    return np.concatenate([nothing, *(part.reshape(-1, width).astype(np.int32) for part in parts)])


def _flat(parts: list[Indices]) -> Indices:
    return np.concatenate([np.zeros(0, dtype=np.int32), *parts])
