"""The order of elimination and the factors of sparse matrices, against dense ones."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from small_circuits import circuit

pytest.importorskip("numba")

from hopfield_hw.circuit import Ensemble
from hopfield_hw.ensemble.equations.layout import LANES, plan
from hopfield_hw.ensemble.equations.ordering import fill_in, order_unknowns
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.ensemble.kernels import lanes
from hopfield_hw.ensemble.kernels.factors import factorise, solve, solve_transposed
from hopfield_hw.ensemble.kernels.packs import Pack
from hopfield_hw.parts import Resistor
from hopfield_hw.values.arrays import Array

NOTHING = plan(build_system(Ensemble.of([circuit(("R", Resistor(1.0), ("out", "0")))])), 1.0).layout


@pytest.mark.parametrize("seed", range(5))
def test_factors_solve_what_a_dense_solver_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    filled = (rng.uniform(size=(n, n)) < 0.08) | np.eye(n, dtype=bool)
    matrix = filled[..., np.newaxis] * rng.normal(size=(n, n, LANES)) + 4.0 * np.eye(n)[..., np.newaxis]
    rows, columns = (axis.astype(np.int32) for axis in np.nonzero(filled))
    order = order_unknowns(rows, columns, n)
    assert sorted(order) == list(range(n))
    place = np.empty(n, dtype=np.int32)
    place[order] = np.arange(n)
    pattern = fill_in(place[rows], place[columns], n)
    factors = np.zeros((pattern.columns.size, LANES))
    for i, j in zip(rows, columns, strict=True):
        factors[pattern.place(int(place[i]), int(place[j]))] = matrix[i, j]
    b = rng.normal(size=(n, LANES))
    x, y = b[order].copy(), b[order].copy()
    g = Pack(NOTHING._replace(n=n, **pattern._asdict()))
    factorise(g, factors, np.zeros(n, np.int32))
    solve(g, factors, x)
    solve_transposed(g, factors, y)
    for lane in range(LANES):
        for found, dense in ((x, matrix[:, :, lane]), (y, matrix[:, :, lane].T)):
            np.testing.assert_allclose(found[place, lane], np.linalg.solve(dense, b[:, lane]), rtol=1e-9, atol=1e-12)


def test_an_arrow_is_eliminated_from_its_tips_and_not_filled_in() -> None:
    n = 30
    tips = np.arange(1, n, dtype=np.int32)
    zeros = np.zeros(n - 1, dtype=np.int32)
    rows, columns = np.concatenate((tips, zeros)), np.concatenate((zeros, tips))
    order = order_unknowns(rows, columns, n)
    assert list(order).index(0) >= n - 2
    place = np.empty(n, dtype=np.int32)
    place[order] = np.arange(n)
    assert fill_in(place[rows], place[columns], n).columns.size == 3 * n - 2
    assert order_unknowns(rows, columns, n, most=3 * n - 2) is not None
    assert order_unknowns(rows, columns, n, most=3 * n - 3) is None
    natural = SimpleNamespace(pattern=fill_in(rows, columns, n))
    assert natural.pattern.columns.size == n * n


def test_kernels_on_disk_are_of_all_their_sources() -> None:
    """A module with kernels, and whatever of the engine it imports, is in what the kernels on disk are known by."""
    folder = Path(lanes.__file__).parent
    sources = {path.relative_to(folder.parent) for path in lanes.list_sources()}
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for dots, name in re.findall(r"^from (\.\.?)([\w.]+) import", text, re.MULTILINE):
            module = Path(*name.split(".")).with_suffix(".py")
            assert (module if dots == ".." else folder.name / module) in sources, f"{path.stem} imports {name}"
    assert factorise._cache._cache_file._source_stamp[1] == lanes.SOURCES


def test_a_pack_is_a_tuple_of_arrays_where_they_are() -> None:
    """Fields are read and written in place; what is no block of memory is refused, not copied."""
    given = Outer(Inner(np.arange(6.0).reshape(2, 3), 4), np.array([True, False]), 2.5, 7)
    assert _read(Pack(given)) == pytest.approx(5.0 + 4 + 2.5 + 7 + 1)
    assert given.inner.rows[0, 1] == -1.0
    with pytest.raises(AssertionError, match=r"Inner\.rows"):
        Pack(Inner(np.zeros((4, 3))[:, ::2], 1))


class Inner(NamedTuple):
    rows: Array
    count: int


class Outer(NamedTuple):
    inner: Inner
    marks: npt.NDArray[np.bool_]
    weight: float
    index: int


@lanes.compiled
def _read(pack: Any) -> Any:
    total = pack.inner.rows[1, 2] + pack.inner.count + pack.weight + pack.index
    pack.inner.rows[0, 1] = -1.0
    for mark in pack.marks:
        if mark:
            total += 1
    return total
