"""Where a network settles, and whether it has."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..equations import TIMEOUT, solve
from ..graph import Graph, as_graph
from ..networks.network import Network
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import format_si


class Settling(NamedTuple):
    """`state`, (n,), and `output`, (m,), at the end of a run, volts.

    `settled`: whether no state moved by more than `moved_at_most` over the last tenth of the run; `moved`: how far the
    one did that moved most, both as a part of the largest state.
    """

    state: Array
    output: Array
    settled: bool
    moved: float
    moved_at_most: float
    t_stop: float

    def __str__(self) -> str:
        said = "settled" if self.settled else "did not settle"
        moved = f"the state moved by {self.moved:.1e} of its size over the last tenth, and {self.moved_at_most:.0e}"
        return f"{said} within {format_si(self.t_stop, 's')}: {moved} is allowed"


def settle(
    graph: Graph | Network,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-6,
    method: Any = "auto",
    timeout: float = TIMEOUT,
) -> Settling:
    """Run the reference, and say where the network is at the end and whether it has settled to `accuracy`.

    The arguments are those of `reference`. Nothing can tell a network that settles later from one that never does:
    where `settled` is False, run it for longer, change its parameters, or doubt that there is an answer.

    Raises InputError for a graph without a state, and for less than one step of a map; else as `reference`.
    """
    if not as_graph(graph).states:
        raise InputError("settle: the graph holds no state that could settle; it has a Leak or a Hold where one does")
    wave = solve(graph, t_stop=t_stop, inputs=inputs, accuracy=accuracy, method=method, timeout=timeout)
    states, times = wave["state"].to_numpy(), wave["time"].to_numpy()
    if len(times) < 2:
        raise InputError(f"`t_stop` = {t_stop} s: is shorter than a step of the map; run it for several")
    late = states[times >= 0.9 * times[-1]] if len(times) > 20 else states[-2:]
    moved = float(np.max(np.ptp(late, axis=0)) / max(float(np.max(np.abs(states))), 1e-300))
    return Settling(states[-1], wave["output"].to_numpy()[-1], moved <= accuracy, moved, accuracy, float(times[-1]))
