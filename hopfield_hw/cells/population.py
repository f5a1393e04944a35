"""The pattern that resistive neurons share: a Leak, the Affines that drive it alone, the gains that it alone drives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role
from ..circuit.draft import Crossings
from ..functions import Gain
from ..graph import Activate, Affine, Delay, Graph, Input, Leak, Operator
from ..parts import Transconductor
from ..values.arrays import Array
from ..values.errors import InputError
from .cell import Fragment
from .delay_line import DelayForm


class Population(NamedTuple):
    """One population of neurons: Leak <- Affine <- (gains of any population, or Inputs), Leak -> Activate.

    A Delay may stand between what drives an Affine and that. A Leak may drive it too, behind a buffer: so a row of
    Leaks, a gamma kernel, is a row of buffered RC sections.
    """

    leak: Leak
    affines: tuple[Affine, ...]
    activates: tuple[Activate, ...]

    @property
    def operators(self) -> tuple[str, ...]:
        """The names of the operators covered."""
        return (self.leak.name, *(op.name for op in (*self.affines, *self.activates)))

    def loading(self) -> Array:
        """Return the sum of |W| into each neuron, (n,), siemens: what the resistors load its node with."""
        total = np.zeros(self.leak.output_size)
        for affine in self.affines:
            values, rows, _ = affine.weights.entries()
            total += np.bincount(rows, weights=np.abs(values), minlength=total.size)
        return total


def populations(graph: Graph) -> tuple[Population, ...]:
    """Return the populations of a graph; a Leak driven by anything but such Affines is not one."""
    found = []
    for leak in graph.of_type(Leak):
        drivers = graph.drivers(leak)
        affines = tuple(driver for driver in drivers if isinstance(driver, Affine) and _is_crossbar(graph, driver))
        if len(affines) == len(drivers):
            targets = graph.targets(leak)
            activates = tuple(op for op in targets if isinstance(op, Activate) and _is_amplifier(graph, op))
            found.append(Population(leak, affines, activates))
    return tuple(found)


def add_crossbar(draft: Draft, affine: Affine, nodes: Iterable[str]) -> None:
    """Add a resistor 1/|W_ij| from rail j, or from its complement where W_ij is negative, to summing node i."""
    (source,) = draft.graph.drivers(affine)
    to = tuple(nodes)
    values, rows, columns = affine.weights.entries()
    if draft.crossbars and values.size:
        # A rail of each element that some weight takes, and its complement.
        rails, places = np.unique(2 * columns + (values < 0.0), return_inverse=True)
        elements = tuple((rails // 2).tolist())
        signs = (rails % 2).tolist()
        ends = tuple(
            draft.invert(source, j) if sign else draft.rail(source, j) for j, sign in zip(elements, signs, strict=True)
        )
        draft.add_crossbar("R", affine, to, ends, Crossings(values, rows, places, elements))
        return
    for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
        rail = draft.rail(source, j) if value > 0.0 else draft.invert(source, j)
        resistance = 1.0 / abs(value)
        if not np.isfinite(resistance):
            raise InputError(f"`{affine.name}.weights[{i}, {j}]` = {value} S: is too small for a resistor; set it to 0")
        origin = Origin(affine.name, Role.WEIGHT, (i, j))
        draft.add_resistor(f"R_{draft.label(affine.name, i, j)}", (rail, to[i]), resistance, origin)


def add_transconductors(
    draft: Draft, affine: Affine, nodes: tuple[str, ...], *, linear_range: float = math.inf
) -> None:
    """Add a transconductor W_ij from rail j, which it does not load, into node i."""
    (source,) = draft.graph.drivers(affine)
    rails = draft.nodes(source)
    for value, i, j in zip(*(part.tolist() for part in affine.weights.entries()), strict=True):
        ports = (GROUND, nodes[i], rails[j], GROUND)
        origin = Origin(affine.name, Role.WEIGHT, (i, j))
        draft.add(f"G_{draft.label(affine.name, i, j)}", Transconductor(value, linear_range), ports, origin)


def _is_crossbar(graph: Graph, affine: Affine) -> bool:
    drivers = graph.drivers(affine)
    if len(graph.targets(affine)) != 1 or len(drivers) != 1:
        return False
    return _is_rail(graph, drivers[0])


def delay_fragments(graph: Graph, form: DelayForm) -> Iterator[Fragment]:
    """Yield one fragment for each Delay of what gains, Inputs or Leaks give.

    Raises InputError if `form` is not a DelayForm.
    """
    if not isinstance(form, DelayForm):
        raise InputError(f"`delay` = {form!r:.60}: must be a form of delay, such as MatchedLine() or AllPass()")
    for delay in graph.of_type(Delay):
        if _is_rail(graph, delay):
            yield Fragment((delay.name,), partial(_build_delay, form, delay))


def _build_delay(form: DelayForm, delay: Delay, draft: Draft) -> None:
    (source,) = draft.graph.drivers(delay)
    form.add(draft, delay, tuple(draft.rail(source, k) for k in range(delay.size)))


def _is_rail(graph: Graph, operator: Operator) -> bool:
    seen: set[str] = set()
    while isinstance(operator, Delay) and operator.name not in seen and len(graph.drivers(operator)) == 1:
        seen.add(operator.name)
        operator = graph.drivers(operator)[0]
    return isinstance(operator, Input | Leak) or (isinstance(operator, Activate) and _is_amplifier(graph, operator))


def _is_amplifier(graph: Graph, activate: Activate) -> bool:
    drivers = graph.drivers(activate)
    return isinstance(activate.function, Gain) and len(drivers) == 1 and isinstance(drivers[0], Leak)
