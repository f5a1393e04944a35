"""The command analyze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ..analysis import DelayWindows, Equilibria, find_delay_windows, find_equilibria, linearise_delays, trace_energy
from ..designs import Design
from ..equations import reference
from ..graph import Graph, Leak
from ..stability import Certificate, certify
from ..values.errors import HopfieldHWError, InputError
from ..values.report import plain
from .inputs import load
from .options import PICTURES, Case, DesignName, Json, PlotFile
from .reporting import check_output, emit_result, say_table, warn, working, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Equilibria of which the table has a line; states from which on the search of them is left out unless asked for.
MOST_LINES, MANY = 12, 16
PLANE = 2


def analyze(
    design: DesignName,
    case: Case = None,
    equilibria: Annotated[
        bool | None,
        typer.Option("--equilibria/--no-equilibria", help=f"Look for equilibria; by default up to {MANY} states."),
    ] = None,
    plot: PlotFile = None,
    as_json: Json = False,
) -> int:
    """Find energy, equilibria and certificates of stability of a design.

    --plot FILE.png draws the phase plane of two states, of more a section through the first equilibrium, or the energy
    landscape. What cannot be told is said with its reason; nothing of it is a verdict on a circuit. Exit status 1 says
    that there is no picture.
    """
    if plot is not None:
        check_output(plot, *PICTURES)
    chosen = load(design, case)
    graph = chosen.graph()
    constant = chosen.inputs is None or chosen.inputs.times.size == 1
    inputs = chosen.inputs if constant else None
    size = sum(state.output_size for state in graph.states)
    parts: list[tuple[str, Any]] = []
    with working(f"analysing {chosen.name}"):
        parts.append(("energy", _told(lambda: _energy(graph, chosen))))
        wanted = size <= MANY if equilibria is None else equilibria
        found: Any = f"not looked for: {size} states; ask for it with --equilibria"
        if wanted:
            found = (
                _told(lambda: find_equilibria(graph, inputs)) if constant else "not told: the inputs change with time"
            )
        parts.append(("equilibria", found))
        parts += _certified(_told(lambda: certify(graph)))
        if graph.kind == "dde":
            parts.append(("delay", _told(lambda: _windows(graph, found, inputs))))
    missing: str | None = None
    if plot is not None:
        from ..pictures import save_figure

        try:
            figure = _figure(graph, chosen, found, inputs)
        except HopfieldHWError as error:
            missing = str(error)
        else:
            with written(plot) as part:
                save_figure(figure, part)
    drawn = str(plot) if plot is not None and missing is None else None
    if as_json:
        content: dict[str, Any] = {"status": "done" if missing is None else "failed", "kind": graph.kind}
        content |= {"neurons": size, "plot": drawn, **({} if missing is None else {"no_plot": missing})}
        emit_result({**content, **{name: _figures(part) for name, part in parts}})
    else:
        rows = [("kind", f"{KINDS.get(graph.kind, graph.kind)}, {size} states")]
        rows += [row for name, part in parts for row in _rows(name, part)]
        rows += [("picture in", drawn)] if drawn is not None else []
        say_table(rows, title=chosen.title)
    if missing is not None:
        warn(missing, "error")
    return 0 if missing is None else 1


KINDS = {"ode": "differential equation", "dde": "delay equation", "map": "map", "sampled": "sampled-data system"}


def _told(ask: Any) -> Any:
    """Return what a question gives, or why it has no answer."""
    try:
        return ask()
    except HopfieldHWError as error:
        return f"not told: {error}"


def _certified(found: Any) -> list[tuple[str, Any]]:
    """Return a certificate under the name of what it proves; of stability it is said where that is not proved."""
    if not isinstance(found, Certificate) or not found.proved or found.proves == "stability":
        return [("stability", found)]
    why = f"not told: no criterion of stability holds, of {len(found.attempts)} tried; {found.proves} is proved"
    return [("stability", why), (found.proves, found)]


def _energy(graph: Graph, chosen: Design) -> Any:
    wave = reference(graph, t_stop=chosen.t_stop, inputs=chosen.inputs)
    return trace_energy(graph, wave, chosen.inputs)


def _windows(graph: Graph, found: Any, inputs: Any) -> Any:
    """Return the delays for which the first equilibrium is stable, to first order, where one delay is in all of it."""
    if not isinstance(found, Equilibria) or not len(found):
        raise InputError("no equilibrium is known, about which small signals would tell")
    terms = linearise_delays(graph, found.states[0], inputs)
    if len(terms.delayed) != 1:
        raise InputError(f"{len(terms.delayed)} delays differ; windows are known for one delay in all of the feedback")
    return find_delay_windows(terms.matrix, terms.delayed[0])


def _rows(name: str, part: Any) -> list[tuple[str, str]]:
    if isinstance(part, str):
        return [(name, part)]
    if isinstance(part, Certificate):
        said = [(name, f"{part.criterion}: {part.statement}")]
        if part.proved:
            arithmetic = "exact arithmetic" if part.is_exact else "floating point"
            return [*said, ("", f"margin {part.margin:.2g} in {arithmetic}; {part.source}")]
        return [*said, ("", part.attempts[-1] if part.attempts else "no proof is no sign of instability")]
    if isinstance(part, DelayWindows):
        return [(f"{name}, small signals at equilibrium 0", ""), *part.rows()]
    rows: list[tuple[str, str]] = part.rows()
    shown = rows[: MOST_LINES + 3]
    return [*shown, *([("", f"and {len(rows) - len(shown)} more; --json has all")] if len(rows) > len(shown) else [])]


def _figures(part: Any) -> Any:
    if isinstance(part, str):
        return {"told": False, "why": part}
    if isinstance(part, Certificate):
        return {
            "told": True,
            "criterion": part.criterion,
            "proved": part.proved,
            "statement": part.statement,
            "margin": part.margin,
            "exact": part.is_exact,
            "source": part.source,
            "attempts": list(part.attempts),
        }
    return {"told": True, **plain(part.figures())}


def _figure(graph: Graph, chosen: Design, found: Any, inputs: Any) -> Figure:
    from ..pictures import plot_energy_landscape, plot_phase_plane

    known = found if isinstance(found, Equilibria) else None
    size = sum(state.output_size for state in graph.states)
    if graph.kind != "ode" or size < PLANE:
        raise InputError(
            f"--plot: {chosen.name} is a {KINDS.get(graph.kind, graph.kind)} of {size} states: must be a differential "
            "equation of at least two; leave --plot out"
        )
    if chosen.inputs is not None and inputs is None:
        raise InputError(
            f"--plot: the inputs of {chosen.name} change with time, and a plane of states is of constant ones; leave "
            "--plot out"
        )
    rest = known.states[0] if size > PLANE and known is not None and len(known) else None
    try:
        leaks = graph.of_type(Leak)
        # For 20 time constants; where one is infinite, for as long as the design runs.
        known_end = bool(leaks) and all(bool(np.isfinite(leak.resistance).all()) for leak in leaks)
        end = None if known_end else chosen.t_stop
        return plot_phase_plane(graph, equilibria=known, rest=rest, inputs=inputs, t_stop=end)
    except HopfieldHWError as plane:
        try:
            return plot_energy_landscape(graph, equilibria=known, inputs=inputs)
        except HopfieldHWError as landscape:
            raise InputError(f"--plot: there is no picture of {chosen.name}: {plane}; {landscape}") from None
