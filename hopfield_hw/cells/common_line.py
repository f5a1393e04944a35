"""A common line: neurons that inhibit one another alike do so over one inverting adder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role
from ..graph import Activate, Affine, Graph
from ..parts import OpAmp

# Weights off the diagonal count as equal within this part of the largest one.
ALIKE = 1e-12


def add_common_line(draft: Draft, affine: Affine, w: float, summing: Sequence[str], op_amp: OpAmp) -> None:
    """Add the adder of all rails, which gives -sum_j v_j, and a resistor 1/w from it to each summing node."""
    (source,) = draft.graph.drivers(affine)
    name = affine.name
    total, line = f"{name}_total", f"{name}_line"
    for node, role in ((total, "total"), (line, "line")):
        draft.claim(node, affine, role)
    draft.add_resistor(f"R_{name}_fb", (total, line), 1.0 / w, Origin(name, Role.FEEDBACK, (0,)))
    draft.add_op_amp(f"{name}_line", op_amp, (GROUND, total), line, Origin(name, Role.OP_AMP, (0,)))
    for k, (rail, node) in enumerate(zip(draft.nodes(source), summing, strict=True)):
        label = draft.suffix(source.name, k)
        draft.add_resistor(f"R_{name}_from{label}", (rail, total), 1.0 / w, Origin(name, Role.COMMON, (k,)))
        draft.add_resistor(f"R_{name}_to{label}", (line, node), 1.0 / w, Origin(name, Role.COMMON_LINE, (k,)))


def common_inhibition(graph: Graph, affine: Affine) -> float | None:
    """Return w where an Affine of three neurons or more has T_ij = -w < 0 everywhere off the diagonal; else None."""
    n = affine.output_size
    if n != affine.input_size or n < 3 or not isinstance(graph.drivers(affine)[0], Activate):
        return None
    values, rows, columns = affine.weights.entries()
    off = values[rows != columns]
    if off.size < n * (n - 1):
        return None
    w = -float(off[0])
    alike = bool(np.all(np.abs(off + w) <= ALIKE * abs(w)))
    return w if w > 0.0 and alike else None
