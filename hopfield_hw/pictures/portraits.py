"""Portraits of a network in the plane of two states or outputs: field and nullclines, energy landscape, basins."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.balance import Balance
from ..analysis.basins import Basins
from ..analysis.energy import energy
from ..analysis.equilibria import Equilibria, find_equilibria
from ..equations import reference_batch, stop_time
from ..functions import Gain
from ..graph import Activate, Graph, HasGraph, Output, as_graph
from ..transforms import in_si
from ..values.arrays import Array, freeze, whole
from ..values.errors import AccuracyError, InputError
from .plots import GOOD, PALE, SPICE, STYLE, Page, axis_factor
from .sheet import FAULT

SIZE = (5.6, 4.6)
PLACE = (0.13, 0.12, 0.62, 0.74)
FINE, COARSE = 201, 21
STARTS = 12
MOST_HALVINGS = 16  # of the time for which a solution that runs away is followed
MARKERS = {"stable": "o", "saddle": "s", "unstable": "D", "marginal": "^", "corner": "v"}
INSIDE = 1e-3  # of the range of an output: its energy may be infinite at the ends


def plot_phase_plane(
    graph: Graph | HasGraph,
    plane: tuple[int, int] = (0, 1),
    *,
    equilibria: Equilibria | None = None,
    low: Any = None,
    high: Any = None,
    rest: Any = None,
    inputs: Any = None,
    starts: Any = None,
    t_stop: Any = None,
) -> Figure:
    """Return the plane of two states: the field, both nullclines, the equilibria by their stability, and solutions.

    Of a network of more states the field and the nullclines are those of a section, the other states at `rest`, (n,)
    volts (the graph's own start by default); equilibria and solutions are then seen from above. `equilibria`: from
    `find_equilibria`, which is called where none are given. `low`, `high`: volts, (2,) or one for both. `starts`:
    (k, 2), volts, of the solutions, on the border by default; they run to `t_stop` as for `reference`, and those that
    run away for a part of it.

    Raises InputError for a graph that is no differential equation, and states that there are not.
    """
    network = in_si(as_graph(graph))
    if network.kind != "ode":
        raise InputError(f"plot_phase_plane: the graph is of the kind {network.kind!r}: must be 'ode'")
    balance = Balance(network, inputs, what="plot_phase_plane")
    i, j = _plane(plane, balance.size, "plane", "states")
    found = find_equilibria(network, inputs) if equilibria is None else equilibria
    # Where nothing is stable a cycle is, and it reaches further.
    wide = balance.reach if found.stable.size else 2.0 * balance.reach
    a, b = _window(found.states[:, [i, j]], low, high, wide)
    base = balance.initial if rest is None else freeze(rest, "rest", shape=(balance.size,))

    def field(points: int) -> tuple[Array, Array, Array, Array]:
        x, y = np.meshgrid(np.linspace(a[0], b[0], points), np.linspace(a[1], b[1], points))
        states = np.tile(base, (x.size, 1))
        states[:, i], states[:, j] = x.ravel(), y.ravel()
        slope = balance.value(states)
        return x, y, slope[:, i].reshape(x.shape), slope[:, j].reshape(x.shape)

    names = network.state_labels
    with style.context(["default", dict(STYLE)]):
        figure, axes = _page()
        x, y, u, v = field(COARSE)
        length = np.maximum(np.hypot(u / (b[0] - a[0]), v / (b[1] - a[1])), 1e-300)
        axes.quiver(x, y, u / length, v / length, angles="xy", color=PALE, width=0.0025, pivot="mid")
        x, y, u, v = field(FINE)
        shown = []
        for k, values, colour in ((i, u, SPICE), (j, v, GOOD)):
            crosses = bool(values.min() < 0.0 < values.max())
            if crosses:
                axes.contour(x, y, values, [0.0], colors=[colour], linewidths=1.5)
            label = f"d x{names[k]}/dt = 0" + ("" if crosses else ": not in view")
            shown.append(Line2D([], [], color=colour, label=label))
        begun = _starts(starts, a, b)
        states = np.tile(base, (len(begun), 1))
        states[:, i], states[:, j] = begun.T
        for path in _solutions(network, states, inputs, t_stop):
            axes.plot(path[:, i], path[:, j], color="black", lw=0.7)
        axes.plot(*begun.T, ".", color="black", ms=3)
        shown.append(Line2D([], [], color="black", lw=0.7, label="solutions"))
        shown += _mark(axes, found.states[:, [i, j]], found.stability)
        section = "" if balance.size == 2 else f": a section of {balance.size} states, solutions seen from above"
        axes.set_title(f"phase plane{section}")
        _finish(axes, a, b, f"state {names[i]} (V)", f"state {names[j]} (V)", shown)
    return figure


def _solutions(network: Graph, states: Array, inputs: Any, t_stop: Any) -> list[Array]:
    """Return solutions from states, (k, n): those that run away as far as they can be followed, to a quarter."""

    def follow(begun: Array, end: Any) -> list[Array]:
        run = reference_batch(network, initial=begun, inputs=inputs, t_stop=end, points=4001)["state"].to_numpy()
        return list(run)

    try:
        return follow(states, t_stop)
    except AccuracyError:
        end = stop_time(network, t_stop)
    found: list[Array] = []
    for k in range(len(states)):
        for halvings in range(0, MOST_HALVINGS, 2):
            try:
                found += follow(states[k : k + 1], end / 2.0**halvings)
            except AccuracyError:
                continue
            break
    return found


def plot_energy_landscape(
    graph: Graph | HasGraph,
    outputs: tuple[int, int] = (0, 1),
    *,
    equilibria: Equilibria | None = None,
    rest: Any = None,
    inputs: Any = None,
) -> Figure:
    """Return the energy over two outputs, with the equilibria: minima are stable, passes are saddles.

    `rest`: (m,), volts, what the other outputs are; their values at zero state by default. `equilibria`: as of
    `plot_phase_plane`.

    Raises InputError for a graph without an energy, and outputs that there are not.
    """
    network = in_si(as_graph(graph))
    low, high, middle = _output_range(network)
    i, j = _plane(outputs, len(low), "outputs", "outputs")
    base = middle if rest is None else freeze(rest, "rest", shape=middle.shape)
    found = find_equilibria(network, inputs) if equilibria is None else equilibria
    margin = INSIDE * (high - low)
    a, b = (low + margin)[[i, j]], (high - margin)[[i, j]]
    x, y = np.meshgrid(np.linspace(a[0], b[0], FINE), np.linspace(a[1], b[1], FINE))
    at = np.tile(base, (*x.shape, 1))
    at[..., i], at[..., j] = x, y
    values = energy(network, at, inputs)
    names = network.labels_of(Output)
    factor, unit = axis_factor(float(np.max(np.abs(values))), "W")
    with style.context(["default", dict(STYLE)]):
        figure, axes = _page()
        # Near the ends the energy may rise without bound, which would hide the rest.
        levels = np.linspace(float(values.min()), float(np.quantile(values, 0.97)), 25) * factor
        drawn = axes.contourf(x, y, values * factor, levels, cmap="viridis", extend="max")
        axes.contour(x, y, values * factor, levels, colors="white", linewidths=0.3, alpha=0.6)
        bar = figure.colorbar(drawn, cax=figure.add_axes((0.8, 0.12, 0.025, 0.5)))
        bar.set_label(f"energy ({unit})")
        shown = _mark(axes, found.outputs[:, [i, j]], found.stability)
        section = "" if len(low) == 2 else f"; a section of {len(low)} outputs"
        axes.set_title(f"energy landscape{section}")
        _finish(axes, low[[i, j]], high[[i, j]], f"output {names[i]} (V)", f"output {names[j]} (V)", shown)
    return figure


def plot_basins(basins: Basins, equilibria: Equilibria) -> Figure:
    """Return the plane of starts, each in the colour of the equilibrium where it ends; white where it is near none.

    `basins`: of `find_basins`, with the `equilibria` it was given. Raises InputError for other objects and
    equilibria.
    """
    if not isinstance(basins, Basins):
        raise InputError(f"`basins` = {basins!r:.60}: must be Basins, of `find_basins`")
    if not isinstance(equilibria, Equilibria):
        raise InputError(f"`equilibria` = {equilibria!r:.60}: must be Equilibria, of `find_equilibria`")
    count = len(equilibria)
    if basins.shares.size != count:
        raise InputError(f"`equilibria` has {count} and `basins` {basins.shares.size}: must be those it was found with")
    reached = np.flatnonzero(basins.shares > 0.0)
    place = np.full(count + 1, np.nan)
    place[reached] = np.arange(reached.size)
    with style.context(["default", dict(STYLE)]):
        figure, axes = _page()
        colours = ListedColormap(colormaps["viridis"](np.linspace(0.25, 0.95, max(reached.size, 1))))
        norm = BoundaryNorm(np.arange(max(reached.size, 1) + 1) - 0.5, colours.N)
        axes.pcolormesh(basins.x, basins.y, place[basins.ends], cmap=colours, norm=norm, shading="nearest")
        i, j = basins.plane
        kinds = _mark(axes, equilibria.states[:, [i, j]], equilibria.stability)
        patches = [
            Line2D([], [], marker="s", ls="", ms=7, color=colours(k), label=f"to {e}: {100.0 * basins.shares[e]:.1f}%")
            for k, e in enumerate(reached.tolist()[:14])
        ]
        for e in reached.tolist()[:14]:
            x, y = equilibria.states[e, [i, j]].tolist()
            axes.annotate(f"{e}", (x, y), xytext=(5, 4), textcoords="offset points")
        away = float(np.mean(basins.ends < 0))
        axes.set_title("basins of attraction" + (f"; {100.0 * away:.1f}% end near none" if away > 0.0 else ""))
        a, b = np.array([basins.x[0], basins.y[0]]), np.array([basins.x[-1], basins.y[-1]])
        _finish(axes, a, b, f"state {i} at the start (V)", f"state {j} at the start (V)", [*patches, *kinds])
    return figure


def _page() -> tuple[Page, Axes]:
    figure = Page(figsize=SIZE)
    return figure, figure.add_axes(PLACE)


def _finish(axes: Axes, low: Array, high: Array, x: str, y: str, shown: list[Line2D]) -> None:
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=x, ylabel=y)
    axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(1.01, 1.02))


def _mark(axes: Axes, at: Array, stability: tuple[str, ...]) -> list[Line2D]:
    """Draw equilibria: full where they are stable, open where not. Returns what the legend has of them."""
    shown = []
    for kind in MARKERS:
        chosen = at[[one == kind for one in stability]]
        if not len(chosen):
            continue
        full = kind == "stable"
        looks: dict[str, Any] = {
            "marker": MARKERS[kind],
            "ls": "",
            "ms": 6.0,
            "mew": 1.2,
            "mec": "black" if full else FAULT,
            "mfc": "black" if full else "white",
        }
        axes.plot(*chosen.T, zorder=5.0, clip_on=False, **looks)
        shown.append(Line2D([], [], label=kind if kind != "corner" else "at a corner", **looks))
    return shown


def _plane(plane: Any, size: int, name: str, what: str) -> tuple[int, int]:
    if not isinstance(plane, list | tuple) or len(plane) != 2 or plane[0] == plane[1]:
        raise InputError(f"`{name}` = {plane!r:.60}: must name two {what}, such as (0, 1)")
    i, j = (whole(k, f"{name}[{m}]", 0, size - 1, f", the {what}") for m, k in enumerate(plane))
    return i, j


def _window(points: Array, low: Any, high: Any, reach: float) -> tuple[Array, Array]:
    """Return the corners of the plane that is shown: around the equilibria, or as they are given."""
    if len(points):
        middle, half = 0.5 * (points.min(axis=0) + points.max(axis=0)), 0.7 * np.ptp(points, axis=0)
    else:
        middle, half = np.zeros(2), np.full(2, reach)
    half = np.maximum(half, 0.5 * max(float(half.max()), reach))
    a = middle - half if low is None else freeze(low, "low", shape=(2,))
    b = middle + half if high is None else freeze(high, "high", shape=(2,))
    if bool(np.any(a >= b)):
        raise InputError("`low` must be below `high` in both states")
    return a, b


def _starts(starts: Any, a: Array, b: Array) -> Array:
    if starts is not None:
        found = freeze(starts, "starts")
        if found.ndim != 2 or found.shape[1] != 2 or not len(found):
            raise InputError(f"`starts` has shape {found.shape}: must be (k, 2), volts")
        return found
    # Along the border, and not on the symmetric places, from which solutions run along separatrices.
    angles = 2.0 * np.pi * (np.arange(STARTS) + 0.37) / STARTS
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    around /= np.max(np.abs(around), axis=1, keepdims=True)
    around[::3] *= 0.25  # some from inside, where a cycle may be
    return np.asarray(0.5 * (a + b) + 0.96 * 0.5 * (b - a) * around)


def _output_range(network: Graph) -> tuple[Array, Array, Array]:
    """Return the ends of each output, and what it is at zero state, (m,)."""
    parts: list[tuple[Array, Array, Array]] = []
    for output in network.of_type(Output):
        for driver in network.drivers(output):
            if not isinstance(driver, Activate) or not isinstance(driver.function, Gain):
                raise InputError(f"plot_energy_landscape: the Output {output.name!r} does not show a gain")
            gain, shape = driver.function, (driver.size,)
            ends = (np.broadcast_to(end, shape) for end in (gain.lower, gain.upper, gain.value(np.zeros(shape))))
            low, high, middle = ends
            parts.append((low, high, middle))
    if not parts:
        raise InputError("plot_energy_landscape: the graph has no Output that shows a gain")
    low, high, middle = (np.concatenate(column) for column in zip(*parts, strict=True))
    return low, high, middle
