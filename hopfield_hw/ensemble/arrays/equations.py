"""The equations of a plan on arrays: formulas, residual and Jacobian of all samples at once.

Arrays are (rows, blocks, LANES), the last axes those of the samples.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..equations.evaluate import run_program
from ..equations.layout import LANES, Layout
from ..equations.layout import Numbers as Blocks
from ..equations.programs import Program
from ..method import LONGEST_MOVE
from .factors import Elimination, plan_elimination
from .library import Library
from .sums import Piece, add_sums, arrange, in_order

# How full a matrix is that is multiplied as one.
FULL = 0.05


class Formulas(NamedTuple):
    """Formulas of one program: by argument their nodes, and where their parameters are, by parameter."""

    program: Program
    nodes: list[Any]
    parameters: list[slice]
    is_charge: bool


class Numbers(NamedTuple):
    """The numbers of samples, (entries, blocks, LANES): of G and C in the order of their sums, and of formulas."""

    linear: Any
    rates: Any
    parameters: Any


class Couplings(NamedTuple):
    """Crossbars: a full matrix, of those rows and columns, or its entries, and their sums."""

    rows: Any
    columns: Any
    matrix: Any
    pieces: list[Piece]


class Equations(NamedTuple):
    """What the equations of a layout come down to.

    `linear`, `rates`: sums of G v and C v, with the order of their entries. `couplings`: crossbars. `values`: what
    formulas add to which law, with `signs`. `linear_places`, `rate_places`: of the Jacobian, and which entries, in that
    order, are there; `slopes`: what formulas add to it; `entries`: sums of its rows; `diagonal`: where that is.
    `limits`: of moves in a first step, (unknowns, 1, 1).
    """

    library: Library
    layout: Layout
    formulas: list[Formulas]
    linear: list[Piece]
    rates: list[Piece]
    linear_order: Any
    rate_order: Any
    couplings: Couplings
    values: list[Piece]
    signs: Any
    linear_places: tuple[Any, Any]
    rate_places: tuple[Any, Any]
    slopes: list[Piece]
    entries: list[Piece]
    diagonal: Any
    limits: Any
    elimination: Elimination


def plan_equations(library: Library, layout: Layout, blocks: int) -> Equations:
    """Return the equations of a layout, for so many blocks of samples together."""
    g, lanes = layout, blocks * LANES

    def product(starts: Any, columns: Any, places: Any) -> tuple[list[Piece], Any, tuple[Any, Any]]:
        rows, count = np.repeat(np.arange(g.n), np.diff(starts)), len(columns)
        sums = arrange(library, lanes, rows, np.arange(count), columns.astype(np.int64), count)
        (sums,), parts = in_order([sums])
        order = library.xp.concat([library.give(np.zeros(0, np.int64)), *parts])
        _, first = np.unique(library.take_back(order), return_index=True)
        known = np.flatnonzero(places >= 0)
        return sums, order, (library.give(places[known]), library.give(first[known]))

    linear, linear_order, linear_places = product(g.linear_starts, g.linear_columns, g.linear_places)
    rates, rate_order, rate_places = product(g.rate_starts, g.rate_columns, g.rate_places)
    count = len(g.value_rows)
    value, sign = np.nonzero(g.value_rows >= 0)
    laws = g.value_rows[value, sign].astype(np.int64)
    place, slope, is_charge = g.slope_places.astype(np.int64).T
    of_entries, places = np.repeat(np.arange(g.n), np.diff(g.starts)), len(g.columns)
    # Of a slope +1, -1, alpha or -alpha; see `write_jacobian`.
    factor = 2 * is_charge + (g.slope_signs < 0.0)
    return Equations(
        library=library,
        layout=layout,
        formulas=[_formulas(library, layout, k) for k in range(len(g.group))],
        linear=linear,
        rates=rates,
        linear_order=linear_order,
        rate_order=rate_order,
        couplings=_couplings(library, lanes, g),
        values=arrange(library, lanes, laws, value, sign, count),
        signs=library.give(np.array([1.0, -1.0]).reshape(2, 1, 1)),
        linear_places=linear_places,
        rate_places=rate_places,
        slopes=arrange(library, lanes, place, slope, factor, g.slopes),
        entries=arrange(library, lanes, of_entries, np.arange(places), g.columns.astype(np.int64), places),
        diagonal=library.give(g.diagonal),
        limits=library.give(np.where(g.is_current, np.inf, LONGEST_MOVE).reshape(-1, 1, 1)),
        elimination=plan_elimination(library, layout, lanes),
    )


def _couplings(library: Library, lanes: int, g: Layout) -> Couplings:
    row = np.repeat(np.arange(g.n), np.diff(g.coupling_starts))
    rows, i = np.unique(row, return_inverse=True)
    columns, j = np.unique(g.coupling_columns, return_inverse=True)
    if len(g.coupling_values) < FULL * rows.size * columns.size:
        values = np.append(g.coupling_values, 0.0).reshape(-1, 1, 1)
        count, its = len(g.coupling_values), g.coupling_columns.astype(np.int64)
        return Couplings(None, None, library.give(values), arrange(library, lanes, row, np.arange(count), its, count))
    matrix = np.zeros((rows.size, columns.size))
    matrix[i, j] = g.coupling_values
    return Couplings(library.give(rows), library.give(columns), library.give(matrix), [])


def _formulas(library: Library, g: Layout, k: int) -> Formulas:
    first, last, arguments, parameters, rows, count, node, own, to, begin, end, value, behind = g.group[k].tolist()
    ends = g.table_starts.tolist()
    points = list(zip(g.table_x.tolist(), g.table_y.tolist(), strict=True))
    program = Program(
        arguments=arguments,
        parameters=parameters,
        rows=rows,
        code=g.code[first:last],
        value=value,
        last=behind - first,
        slopes=tuple(g.program_slopes[begin:end, 0].tolist()),
        tables=tuple(tuple(points[i:j]) for i, j in pairwise(ends)),
    )
    nodes = g.argument_nodes[node : node + arguments * count].reshape(arguments, count)
    at = [slice(own + j * count, own + (j + 1) * count) for j in range(parameters)]
    return Formulas(program, [library.give(one) for one in nodes], at, to >= g.charges)


def give_numbers(e: Equations, blocks: Blocks, first: int, last: int) -> tuple[Numbers, Any]:
    """Return the numbers of blocks `first` to `last` - 1, and where their unknowns start."""
    its = (blocks.linear, blocks.rates, blocks.parameters, blocks.start)
    linear, rates, parameters, start = (one[first:last].transpose(1, 0, 2) for one in its)
    library, nothing = e.library, np.zeros((1, *start.shape[1:]))

    def ordered(values: Any, order: Any) -> Any:
        return library.xp.take(library.give(np.concatenate([values, nothing])), order, axis=0)

    own = ordered(linear, e.linear_order), ordered(rates, e.rate_order)
    numbers = Numbers(own[0], own[1], library.give(parameters))
    return numbers, library.give(start)


def evaluate_values(e: Equations, parameters: Any, v: Any) -> Any:
    """Return the values of all formulas at voltages v, (values, blocks, LANES)."""
    nothing = e.library.zeros(0, *v.shape[1:])
    found = [_run(e, one, parameters, v, slopes=False)[0] for one in e.formulas]
    return e.library.xp.concat([nothing, *found], axis=0)


def evaluate_charges(e: Equations, parameters: Any, v: Any) -> Any:
    """Return the values of those formulas that give charges."""
    nothing = e.library.zeros(0, *v.shape[1:])
    found = [_run(e, one, parameters, v, slopes=False)[0] for one in e.formulas if one.is_charge]
    return e.library.xp.concat([nothing, *found], axis=0)


def evaluate_slopes(e: Equations, parameters: Any, v: Any) -> tuple[Any, Any]:
    """Return the values of all formulas, and their slopes with a last row of zeros."""
    values, slopes = [e.library.zeros(0, *v.shape[1:])], []
    for one in e.formulas:
        value, its = _run(e, one, parameters, v, slopes=True)
        values.append(value)
        slopes += its
    return e.library.xp.concat(values, axis=0), e.library.xp.concat([*slopes, e.library.zeros(1, *v.shape[1:])], axis=0)


def _run(e: Equations, one: Formulas, parameters: Any, v: Any, slopes: bool) -> tuple[Any, list[Any]]:
    xp = e.library.xp
    rows = [xp.take(v, nodes, axis=0) for nodes in one.nodes] + [parameters[at] for at in one.parameters]
    return run_program(one.program, rows, library=xp, slopes=slopes)


def find_residual(e: Equations, numbers: Numbers, v: Any, values: Any, alpha: Any, base: Any, charge_base: Any) -> Any:
    """Return G v, with crossbars, + i(v) + alpha (C v + q(v)) + base, where base is what the past adds."""
    xp, charges = e.library.xp, e.layout.charges
    result = xp.zeros_like(base)
    add_sums(xp, e.rates, numbers.rates, v, result)
    result = result * alpha + base
    add_sums(xp, e.linear, numbers.linear, v, result)
    rows, columns, matrix, pieces = e.couplings
    add_sums(xp, pieces, matrix, v, result)
    if not pieces:
        product = xp.tensordot(matrix, xp.take(v, columns, axis=0), axes=1)
        result[rows] = xp.take(result, rows, axis=0) + product
    given = [values[:charges], alpha * values[charges:] + charge_base, e.library.zeros(1, *v.shape[1:])]
    add_sums(xp, e.values, xp.concat(given, axis=0), e.signs, result)
    return result


def find_jacobian(e: Equations, numbers: Numbers, slopes: Any, alpha: Any) -> Any:
    """Return the Jacobian of the residual in the pattern of its factors, and a last row of zeros."""
    xp = e.library.xp
    entries = e.library.zeros(e.elimination.entries + 1, *alpha.shape)
    (to, of), (rate_to, of_rate) = e.linear_places, e.rate_places
    entries[to] = xp.take(numbers.linear, of, axis=0)
    entries[rate_to] = xp.take(entries, rate_to, axis=0) + alpha * xp.take(numbers.rates, of_rate, axis=0)
    one = xp.ones_like(alpha)
    add_sums(xp, e.slopes, slopes, xp.stack([one, -one, alpha, -alpha]), entries)
    return entries
