"""Complete decks: a circuit with its initial state, options and analysis, that a simulator runs as they are."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from ..cells import Cell
from ..circuit import Circuit
from ..graph import Graph, HasGraph
from ..lowering import lower
from ..values.errors import InputError
from ..values.measures import check_accuracy
from .dialects import Analysis, Dialect, find_dialect
from .options import settings_for
from .transient import stop_time

Options = Literal["tight", "everyday"]
EVERYDAY_STEPS, EVERYDAY_STEPS_IN_PERIOD, EVERYDAY_RELTOL = 500, 50, 1e-4


def write_deck(
    circuit: Circuit | Graph | HasGraph,
    dialect: str | Dialect = "ngspice",
    *,
    cell: str | Cell | None = None,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    options: Options = "tight",
) -> str:
    """Return the complete deck of a circuit: title, devices, initial state, what to save, options, analysis, end.

    A network (a Graph, or anything with a method `graph`) is lowered before, in the cell `ideal` or in `cell`.
    `t_stop`, `inputs`, `accuracy`: as for `simulate`. `options`: "tight" are the step and the tolerances with which
    `simulate` usually ends for the accuracy; "everyday" are those of common use, which run in a fraction of the time.
    A deck cannot refine itself: `verify` and `simulate` are the ones that answer for the accuracy. The text depends on
    the circuit alone: no date and no path.

    Raises InputError for unknown dialects, cells and options, and Unrealisable for what the dialect or the cell lacks.
    """
    if options not in get_args(Options):
        raise InputError(f"`options` = {options!r:.40}: must be {' or '.join(get_args(Options))}")
    if not isinstance(circuit, Circuit):
        circuit = lower(circuit, cell="ideal" if cell is None else cell)
    elif cell is not None:
        raise InputError("`cell`: the circuit is lowered already; leave it out, or give the network")
    chosen, end = find_dialect(dialect), stop_time(circuit, t_stop)
    nodes = tuple(probe.node for probe in (*circuit.states, *circuit.outputs))
    if options == "everyday":
        period = math.inf if circuit.clock is None else circuit.clock.period
        step = min(end / EVERYDAY_STEPS, circuit.shortest_delay / 4.0, period / EVERYDAY_STEPS_IN_PERIOD)
        analysis = Analysis(end, step, EVERYDAY_RELTOL, nodes, circuit.initial)
    else:
        goal = check_accuracy(accuracy, "accuracy")
        settings = settings_for(goal, end, circuit).halve()
        analysis = Analysis(end, settings.step, settings.reltol, nodes, circuit.initial, settings.current)
    return chosen.write(circuit.driven(inputs)) + chosen.format_analysis(analysis)
