"""What a format cannot reach: the constants of a map that its words bring to an end or wrap, by operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..functions import Clip, HardLimiter, Identity
from ..graph import Activate, Affine, Graph, Hold, Quantise, Sign
from ..values.arrays import Array
from .fixed_point import ActivationTable, QFormat

if TYPE_CHECKING:
    from .lowering import FixedPoint, Step


class Clipped(NamedTuple):
    """Constants of one operator that a format does not reach.

    `what`: weights, initial, levels or table. `outside` of `total` of them; `worst`: the largest error that it makes.
    """

    what: str
    outside: int
    total: int
    format: QFormat
    worst: float

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of it."""
        found = {"what": self.what, "outside": self.outside, "of": self.total}
        return {**found, "format": str(self.format), "worst_error": self.worst}

    def __str__(self) -> str:
        return f"{self.outside} of {self.total} outside {self.format}, the worst by {self.worst:.3g}"


def clipped_constants(graph: Graph, formats: FixedPoint, steps: Mapping[str, Step]) -> dict[str, Clipped]:
    """Return what of a map's constants is outside its formats, by operator; `steps`: what it has become.

    Weights, and what registers start with, are outside where the rounded number does not fit the word. The values of
    functions are where they are more than a step beyond it: the 1 that tanh only approaches is not.
    """
    found = {}
    for operator in graph.operators:
        for what, values, kept, ends in _constants(operator, formats, steps[operator.name]):
            outside = kept.outside(values) & ((values < kept.lower - ends) | (values > kept.upper + ends))
            if np.any(outside):
                errors = np.abs(values - kept.value(kept.quantise(values)))[outside]
                count = int(np.count_nonzero(outside))
                found[operator.name] = Clipped(what, count, values.size, kept, float(errors.max()))
    return found


def _constants(operator: object, formats: FixedPoint, step: Step) -> Iterator[tuple[str, Array, QFormat, float]]:
    """Yield what an operator holds, the format that holds it, and how far beyond its ends counts as within."""
    given = formats.given
    match operator:
        case Affine(exact=False):
            yield "weights", operator.weights.entries().values, formats.weights, 0.0
        case Hold():
            yield "initial", operator.initial, formats.of(operator.name), 0.0
        case Activate(function=HardLimiter() as function):
            yield "levels", np.array([-1.0, 1.0]) * function.amplitude, given, given.step
        case Sign():
            yield "levels", np.array([-1.0, 1.0]) * operator.amplitude, given, given.step
        case Activate(function=Identity() | Clip()):
            return
        case Activate() if isinstance(step.payload, ActivationTable):
            table = step.payload
            x = np.arange(float(table.entries.size)) * table.spacing - 2.0**table.range_bits
            yield "table", np.asarray(operator.function.at(0).value(x)), given, given.step
        case Quantise():
            taken, step_size = formats.of(operator.name), (operator.upper - operator.lower) / (operator.levels - 1)
            reached = np.array([float(operator.value(np.array(end))) for end in (taken.lower, taken.upper)])
            first, last = np.rint((reached - operator.lower) / step_size)
            yield "levels", operator.lower + step_size * np.arange(first, last + 1.0), given, given.step
