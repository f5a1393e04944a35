"""A memory of a sequence: delayed weights lead from each pattern to the next (Sompolinsky and Kanter 1986)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Tanh
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..transforms import add_delay_by_edge
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from ..values.names import unknown
from .learning_rules import PAIR_RULES, bipolar_rows, learn


def sequence_memory(
    patterns: Any,
    *,
    tau: float = 6.0,
    stay: float = 0.5,
    step: float = 1.0,
    gain: float = 4.0,
    cyclic: bool = True,
    rule: str = "hebb",
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return a network whose state steps from pattern to pattern, one about every `tau`:

        dx/dt = -x + stay S g(x) + step W g(x(t - tau)),    W = sum_k xi_(k+1) xi_k^T / n,    g(x) = tanh(gain x)

    with S the symmetric memory of the patterns. Until the delay brings a pattern, S holds the one before it; then W
    leads on to the next, as it is the stronger. H. Sompolinsky and I. Kanter, Phys. Rev. Lett. 57:2861 (1986);
    D. Kleinfeld, PNAS 83:9469 (1986).

    `patterns`: (k, n), +1 or -1, in their order; after the last comes the first where `cyclic`, else it stays. `tau`:
    units of time, well above 1 (R C). `rule`: of PAIR_RULES, for S and W: "hebb" for patterns that hardly overlap,
    "projection" for any that are independent. It starts at the first pattern, and was there before t = 0. Output:
    `output` = g(x).

    Raises InputError for fewer than two patterns, a tau or gain that is not positive, and a `step` that is not above
    `stay`, from which no pattern would be left.
    """
    rows = bipolar_rows(patterns, "patterns")
    n = rows.shape[1]
    if len(rows) < 2:
        raise InputError("`patterns` has one row: a sequence has at least two patterns")
    delay = float(positive(tau, "tau", shape=(), unit="units of time"))
    slope = float(positive(gain, "gain", shape=(), unit=""))
    held, led = float(freeze(stay, "stay", shape=())), float(positive(step, "step", shape=(), unit=""))
    if not 0.0 <= held < led:
        raise InputError(f"`stay` = {held:g}: must be from 0 to below `step`, {led:g}, or no pattern is ever left")
    if not isinstance(rule, str) or rule not in PAIR_RULES:
        raise InputError(unknown("rule for pairs", rule, PAIR_RULES))
    targets = np.roll(rows, -1, axis=0)
    if not cyclic:
        targets[-1] = 0.0  # the last one leads nowhere
    onward = PAIR_RULES[rule](rows, targets)
    operators: list[Operator] = [
        # At rest in the first pattern x = (stay S + step W) g: the state that a memory without delay would begin at.
        state("x", held * rows[0] if held > 0.0 else rows[0]),
        Activate(name="v", size=n, function=Tanh(gain=slope)),
        Affine(name="onward", weights=led * onward),
    ]
    edges = [("x", "v"), ("v", "onward"), ("onward", "x")]
    taus: dict[str, float] = {"onward": delay}
    if held > 0.0:
        operators.append(Affine(name="stay", weights=held * learn(rule, rows)))
        edges += [("v", "stay"), ("stay", "x")]
        taus["stay"] = 0.0
    graph = network_graph(operators, edges, outputs=[("output", "v", n)], units=units)
    return add_delay_by_edge(graph, taus)


def visited_patterns(outputs: Array, patterns: Any, *, overlap: float = 0.9) -> tuple[int, ...]:
    """Return the patterns, by number, that outputs (times, n) come to, in their order.

    A pattern is there where xi . y / n is at least `overlap`; one that stays is named once.
    """
    rows = bipolar_rows(patterns, "patterns")
    near = outputs @ rows.T / rows.shape[1]
    found: list[int] = []
    for at in np.where(near.max(axis=1) >= overlap, near.argmax(axis=1), -1).tolist():
        if at >= 0 and at not in found[-1:]:
            found.append(at)
    return tuple(found)
