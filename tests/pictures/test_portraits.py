"""Pictures of dynamics: what stands on them, with units, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import hopfield_hw as hh
from hopfield_hw.analysis import continue_equilibria, find_basins, find_equilibria
from hopfield_hw.analysis.branches import Diagram
from hopfield_hw.designs import load_design
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import Tanh
from hopfield_hw.graph import Units
from hopfield_hw.pictures.bifurcations import plot_bifurcation
from hopfield_hw.pictures.files import save_figure
from hopfield_hw.pictures.portraits import plot_basins, plot_energy_landscape, plot_phase_plane
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.errors import InputError


def flip_flop(**options: Any) -> hh.Network:
    return hh.Network(
        weights=[[0.0, -5e-5], [-5e-5, 0.0]], resistance=1e4, capacitance=1e-8, gain=Tanh(gain=10.0), **options
    )


def legend(figure: Figure) -> list[str]:
    found = figure.axes[0].get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def marked(figure: Figure, marker: str) -> Any:
    """Return where a marker stands, (k, 2)."""
    lines = [line for line in figure.axes[0].lines if line.get_marker() == marker]
    return np.concatenate([line.get_xydata() for line in lines])


def test_a_phase_plane() -> None:
    found = find_equilibria(flip_flop())
    figure = plot_phase_plane(flip_flop(), equilibria=found)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("state 0 (V)", "state 1 (V)")
    assert legend(figure) == ["d x0/dt = 0", "d x1/dt = 0", "solutions", "stable", "saddle"]
    np.testing.assert_allclose(marked(figure, "o"), found.states[[0, 2]])
    np.testing.assert_allclose(marked(figure, "s"), found.states[[1]], atol=1e-12)
    ends = np.array([line.get_xydata()[-1] for line in axes.lines if len(line.get_xydata()) > 500])
    assert len(ends) == 12
    nearest = np.min(np.max(np.abs(ends[:, np.newaxis] - found.states[[0, 2]]), axis=2), axis=1)
    assert nearest.max() < 1e-3


def test_a_plane_of_solutions_that_run_away_is_drawn() -> None:
    """Fewer than none of a species are infinitely few after a finite time."""
    chosen = load_design("competing_species")
    found = find_equilibria(chosen.graph())
    starts = [[0.5, 0.2], [1.1, 0.2], [-0.1, 0.5]]
    figure = plot_phase_plane(chosen.graph(), equilibria=found, t_stop=chosen.t_stop, starts=starts)
    ends = np.array([line.get_xydata()[-1] for line in figure.axes[0].lines if len(line.get_xydata()) > 500])
    assert np.isfinite(ends).all()
    assert (np.max(np.abs(ends - [0.75, 0.5]), axis=1) < 1e-3).tolist() == [True, True, False]
    with pytest.raises(InputError, match="has no finite time constant R C"):
        plot_phase_plane(chosen.graph(), equilibria=found)


def test_a_nullcline_that_is_not_in_view_is_not_promised() -> None:
    figure = plot_phase_plane(flip_flop(), low=[0.1, 2.0], high=[0.4, 3.0])
    assert legend(figure)[:2] == ["d x0/dt = 0: not in view", "d x1/dt = 0: not in view"]


def test_nullclines_are_where_the_slope_is_zero() -> None:
    figure = plot_phase_plane(flip_flop())
    lines = [
        path
        for c in figure.axes[0].collections
        if hasattr(c, "get_paths") and hasattr(c, "levels")
        for path in c.get_paths()
    ]
    assert len(lines) == 2
    x, y = lines[0].vertices.T
    np.testing.assert_allclose(x, -0.5 * np.tanh(10.0 * y), atol=0.02)


def test_an_energy_landscape_has_its_minima_at_the_stable_states() -> None:
    found = find_equilibria(flip_flop())
    figure = plot_energy_landscape(flip_flop(), equilibria=found)
    assert figure.axes[0].get_xlabel() == "output 0 (V)"
    assert figure.axes[1].get_ylabel() == "energy (uW)"
    np.testing.assert_allclose(marked(figure, "o"), found.outputs[[0, 2]])


def test_basins_say_their_shares() -> None:
    found = find_equilibria(flip_flop())
    figure = plot_basins(find_basins(flip_flop(), found, points=10), found)
    assert any(text.startswith("to 0: ") and text.endswith("%") for text in legend(figure))


def family(gain: float) -> Any:
    return generalised_hopfield([[0.0, -1.0], [-1.0, 0.0]], gain=Tanh(gain=gain), units=Units())


def test_a_bifurcation_diagram_is_dashed_where_it_is_unstable(tmp_path: Any) -> None:
    found = continue_equilibria(family, np.zeros(2), (0.5, 2.0), step=0.1)
    figure = plot_bifurcation(found, 1, parameter="gain (V/V)")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("gain (V/V)", "state 1 (V)")
    assert "branch point" in legend(figure)
    straight = [line for line in axes.lines if np.allclose(line.get_ydata(), 0.0) and line.get_marker() == "None"]
    solid = [line for line in straight if line.get_linestyle() == "-"]
    assert max(line.get_xdata()[-1] for line in solid) == pytest.approx(1.0)
    (dashed,) = [line for line in straight if line.get_linestyle() != "-"]
    assert (dashed.get_xdata()[0], dashed.get_xdata()[-1]) == (pytest.approx(1.0), 2.0)
    save_figure(figure, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def nothing_found() -> Any:
    return find_equilibria(flip_flop(), starts=5)


BAD: dict[str, tuple[Any, str]] = {
    "delay": (
        lambda: plot_phase_plane(add_delay(flip_flop(), 1e-5)),
        "plot_phase_plane: the graph is of the kind 'dde': must be 'ode'",
    ),
    "plane": (
        lambda: plot_phase_plane(flip_flop(), (0, 2)),
        "`plane[1]` = 2: must be a whole number from 0 to 1, the states",
    ),
    "window": (lambda: plot_phase_plane(flip_flop(), low=1.0, high=-1.0), "`low` must be below `high` in both states"),
    "starts": (lambda: plot_phase_plane(flip_flop(), starts=[1.0]), "`starts` has shape (1,): must be (k, 2), volts"),
    "outputs": (
        lambda: plot_energy_landscape(flip_flop(), (0, 0)),
        "`outputs` = (0, 0): must name two outputs, such as (0, 1)",
    ),
    "branches": (lambda: plot_bifurcation(Diagram(branches=())), "`diagram` holds no branch"),
    "others": (
        lambda: plot_basins(
            find_basins(flip_flop(), nothing_found(), points=4),
            find_equilibria(generalised_hopfield([[0.5]], units=Units())),
        ),
        "`equilibria` has 1 and `basins` 3: must be those it was found with",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value) == message


def test_other_objects_are_refused() -> None:
    found = find_equilibria(flip_flop())
    basins = find_basins(flip_flop(), found, points=3)
    with pytest.raises(InputError, match=r"^`basins` = 5: must be Basins, of `find_basins`$"):
        plot_basins(5, found)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^`equilibria` = 5: must be Equilibria, of `find_equilibria`$"):
        plot_basins(basins, 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^`equilibria` = 5: must be Equilibria, of `find_equilibria`$"):
        find_basins(flip_flop(), 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^`diagram` = 5: must be a Diagram, of `continue_equilibria`$"):
        plot_bifurcation(5)  # type: ignore[arg-type]
