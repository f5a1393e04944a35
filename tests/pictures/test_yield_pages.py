"""Pages of yields and of budgets: what their bars, bins and lines say is what the results hold."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from hopfield_hw.pictures.yields import _edges, plot_yields
from hopfield_hw.production import YieldCurve
from hopfield_hw.tolerance import Yield

mpl.use("Agg")


@pytest.mark.parametrize("margins", [[-1.0, 0.0, 2.0], [0.5], [-0.5, -0.5], [0.0], [1e-9, 3.0], [-2.0, -1.0]])
def test_no_bin_of_margins_holds_both_sides_of_zero(margins: list[float]) -> None:
    known = np.sort(np.array(margins))
    edges = _edges(known)
    counts, _ = np.histogram(known, edges)
    middle = 0.5 * (edges[:-1] + edges[1:])
    assert counts.sum() == known.size
    assert counts[middle > 0.0].sum() == np.sum(known > 0.0)
    assert counts[middle <= 0.0].sum() == np.sum(known <= 0.0)


@pytest.mark.parametrize(
    ("points", "unit", "factor"),
    [
        ((0.01, 0.05, 0.1), "", 100.0),
        ((0.0, 0.02, 0.1), "", 100.0),
        ((0.05,), "", 100.0),
        ((-40.0, 27.0, 85.0), "degrees C", 1.0),
    ],
)
def test_yields_are_drawn_with_their_intervals(points: tuple[float, ...], unit: str, factor: float) -> None:
    yields = tuple(Yield(count=k, trials=100) for k in (100, 97, 60)[: len(points)])
    notes = ("",) * len(points)
    curve = YieldCurve(
        quantity="what", unit=unit, points=points, yields=yields, nominal=0.0, notes=notes, engine="equation"
    )
    axes = plot_yields(curve, title="boards").axes[0]
    (bars,) = axes.containers
    line, _, (collection,) = bars.lines
    np.testing.assert_allclose(np.asarray(line.get_xdata()), factor * np.array(points))
    drawn = [(segment[0, 1], segment[1, 1]) for segment in collection.get_segments()]
    np.testing.assert_allclose(drawn, [one.interval for one in yields])
    assert any(np.allclose(one.get_ydata(), 0.95) for one in axes.lines if len(one.get_xdata()) == 2)
