"""One node of an ONNX model, and the numbers that go through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...recurrent.layers import Layer
from ...values.errors import InputError

Given: TypeAlias = "Sequence[Any]"  # what a node takes, in its order; None for an input that is left out


class Step(NamedTuple):
    """One node: `inputs` and `outputs` by name, "" for one that is left out; `layer`: of a recurrent node.

    `version`: the opset that its operator was last changed in, up to that of the model. `attributes`: with the defaults
    of that version.
    """

    name: str
    op: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    layer: Layer | None = None

    @property
    def label(self) -> str:
        """The node as messages name it."""
        return label(self.name, self.op)

    def input(self, given: Given, k: int) -> Any:
        """Return what goes into input k; None where it is left out."""
        return given[k] if k < len(given) else None


def label(name: str, op: str) -> str:
    """Return how messages name a node."""
    return f"node {name!r:.80} ({op:.40})"


def numbers(value: Any, what: str) -> Any:
    """Return an array as models hold them: float64 for every float, int64 for every whole number, or truth values.

    Raises InputError for anything else.
    """
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iu":
        return array.astype(np.int64, copy=False)
    try:
        if array.dtype.kind not in "fV":  # V: the short floats of the package ml_dtypes
            raise TypeError(f"{array.dtype}")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: must hold numbers ({error})") from None
