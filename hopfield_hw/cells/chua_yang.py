"""The cell of Chua and Yang (IEEE Trans. Circuits Syst. 35:1257, 1988, fig. 3), with transconductors and a clamp."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..functions import PiecewiseLinear
from ..functions.expressions import ARGUMENT, maximum, minimum
from ..graph import Activate, Graph
from ..parts import Behaviour, Transconductor
from ..values.arrays import positive
from ..values.brief import Brief
from .cell import Fragment
from .delay_line import MATCHED_LINE, DelayForm
from .elements import add_amplifier, add_bias, add_leak
from .population import Population, add_transconductors, delay_fragments, populations


@dataclass(frozen=True, kw_only=True)
class ChuaYang(Brief):
    """Capacitor and leak at a node x, a transconductor for each weight, and an output stage that a clamp limits.

    The output stage of a piecewise linear gain, slope b and amplitude a, is a transconductor b / R_y from x into y,
    `output_resistance` R_y from y to ground, and a clamp: `clamp_resistance` r from y to a limiter that follows y
    within -a and a, so that current flows beyond them alone, and y is a + (b x - a) r / (r + R_y) there. Other gains
    are behavioural amplifiers. A transconductor loads nothing.
    """

    output_resistance: float = 1e6
    clamp_resistance: float = 1.0
    delay: DelayForm = MATCHED_LINE
    name: str = "chua_yang"
    law: str = (
        "C_i dx_i/dt = -x_i/R_i + sum_j T_ij y_j + I_i,  y_i = b_i x_i; beyond a_i: a_i + (b_i x_i - a_i) r/(r + R_y)"
    )

    def __post_init__(self) -> None:
        for name in ("output_resistance", "clamp_resistance"):
            value = positive(getattr(self, name), f"ChuaYang.{name}", shape=(), unit="Ohm")
            object.__setattr__(self, name, float(value))

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each population of neurons, and for each delay of what they give."""
        yield from delay_fragments(graph, self.delay)
        for population in populations(graph):
            yield Fragment(population.operators, partial(self._build, population))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: every value is realisable."""
        return {}

    def _build(self, population: Population, draft: Draft) -> None:
        nodes = add_leak(draft, population.leak)
        for affine in population.affines:
            add_transconductors(draft, affine, nodes)
            add_bias(draft, affine, nodes)
        for activate in population.activates:
            if isinstance(activate.function, PiecewiseLinear):
                self._add_output(draft, activate, nodes)
            else:
                add_amplifier(draft, activate, nodes)

    def _add_output(self, draft: Draft, activate: Activate, states: tuple[str, ...]) -> None:
        draft.sketch(activate, Stage.CLAMPED_OUTPUT)
        outputs, limits = draft.nodes(activate), draft.new_nodes(activate, "_clamp")
        size = activate.function.size
        for k, (state, output, limit) in enumerate(zip(states, outputs, limits, strict=True)):
            curve = activate.function if size is None else activate.function.at(k)
            slope, amplitude = (float(value) for value in (curve.params()["gain"], curve.params()["amplitude"]))
            origin, clamp = (Origin(activate.name, role, (k,)) for role in (Role.FUNCTION, Role.CLAMP))
            name = draft.label(activate.name, k)
            part = Transconductor(slope / self.output_resistance)
            draft.add(f"G_{name}", part, (GROUND, output, state, GROUND), origin)
            draft.add_resistor(f"R_{name}", (output, GROUND), self.output_resistance, origin)
            limiter = Behaviour(maximum(-amplitude, minimum(amplitude, ARGUMENT)))
            draft.add(f"B_{name}", limiter, (limit, GROUND, output), origin)
            name = f"R_{activate.name}_clamp{name.removeprefix(activate.name)}"
            draft.add_resistor(name, (output, limit), self.clamp_resistance, clamp)
