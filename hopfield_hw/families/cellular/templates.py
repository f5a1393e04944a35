"""Templates of cellular networks, with their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...graph import Stencil
from ...graph.weights import Boundary, check_boundary, freeze_template
from ...values.arrays import freeze
from ...values.brief import Brief
from ...values.errors import InputError

THEORY = "L. O. Chua and L. Yang, IEEE Trans. Circuits Syst. 35:1257 (1988)"
APPLICATIONS = "L. O. Chua and L. Yang, IEEE Trans. Circuits Syst. 35:1273 (1988)"
BOOK = "L. O. Chua and T. Roska, Cellular Neural Networks and Visual Computing, Cambridge (2002)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Template(Brief):
    """The weights that every cell of a cellular network has; one unit of weight is 1/R (Chua and Yang 1988, eq. 2).

    `feedback`: A, odd by odd, from the outputs around a cell; `control`: B, odd by odd, from the inputs around it (None
    where inputs play no part); `bias`: z. `A[m + p, m' + q]` comes from the cell p rows below and q columns to the
    right. `boundary`: what lies outside the image: "fixed" (cells whose input and output are `edge`; -1 is white),
    "zero", "periodic", or "zero_flux" (copies of the nearest cell of the rim; see Stencil). `start`: the state at
    t = 0, a number, or None for the image itself. `pace`: how long the wave that does the work takes for a pixel, in
    R C; 0 where each cell decides by itself. `citation`: where it comes from.

    Raises InputError for a template of even size or not of two dimensions, values that are not finite, a negative
    pace, and an unknown boundary.
    """

    feedback: Any
    control: Any = None
    bias: float = 0.0
    boundary: Boundary = "fixed"
    edge: float = -1.0
    start: float | None = None
    pace: float = 0.0
    citation: str = ""

    def __post_init__(self) -> None:
        fields: dict[str, Any] = {"feedback": freeze_template(self.feedback, "Template.feedback")}
        if self.control is not None:
            fields["control"] = freeze_template(self.control, "Template.control")
        for name in ("bias", "edge", "pace", "start"):
            if getattr(self, name) is not None or name != "start":
                fields[name] = float(freeze(getattr(self, name), f"Template.{name}", shape=()))
        if fields["pace"] < 0.0:
            raise InputError(f"`Template.pace` = {fields['pace']} R C: must be at least 0")
        check_boundary(self.boundary, "Template.boundary")
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def stencils(self, shape: tuple[int, int]) -> tuple[Stencil, Stencil | None]:
        """Return A and B over an image of `shape`; None for B where it is all zeros or not there."""
        edge = self.edge if self.boundary == "fixed" else 0.0
        feedback = Stencil(template=self.feedback, shape=shape, boundary=self.boundary, edge=edge)
        without_control = self.control is None or not np.any(self.control)
        return feedback, None if without_control else replace(feedback, template=self.control)


ALONE = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]

# What a cell settles at follows from the sign of its drift, R C dx/dt. "least" below is the smallest size that it has
# on binary images for a cell that must change, or must stay. Grey levels can bring it to 0: there the template is
# marginal, and a cell rests between black and white or is decided by rounding.

# A black pixel with k white ones around it drifts at 2k - 1, a white one at most at -1: least 1. Marginal on
# grey images wherever 8 u - (sum of the eight) = 1.
EDGE = Template(
    feedback=ALONE,
    control=[[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    bias=-1.0,
    start=0.0,
    citation=BOOK,
)

# At 2k - 9 for k white ones of eight, and at most -1 for white pixels: least 1. Marginal on grey as the edge.
CORNER = Template(
    feedback=ALONE,
    control=[[-1, -1, -1], [-1, 4, -1], [-1, -1, -1]],
    bias=-5.0,
    start=0.0,
    citation=BOOK,
)

# A pixel with k of its colour among the four beside it is driven from it by 3 - 2k: least 1. Where neighbours
# of both colours are to change, the faster one does. Marginal on grey images where u and the four cancel.
NOISE_REMOVAL = Template(
    feedback=[[0, 1, 0], [1, 2, 1], [0, 1, 0]],
    pace=2.0,
    citation=APPLICATIONS,
)

# All cells start black; white comes in from outside. A white pixel beside k white outputs drifts at 1 - 2k, a
# black one at 1 or more: least 1. Marginal on grey images at u = -3/4, -1/4, 1/4 and 3/4, for k of 1 to 4.
# With 2 in the middle, as it is given too, the white pixels of a hole (k = 0) do not drift at all.
HOLE_FILLING = Template(
    feedback=[[0, 1, 0], [1, 3, 1], [0, 1, 0]],
    control=[[0, 0, 0], [0, 4, 0], [0, 0, 0]],
    bias=-1.0,
    start=1.0,
    pace=2.0,
    citation="T. Matsumoto, L. O. Chua and R. Furukawa, IEEE Trans. Circuits Syst. 37:635 (1990)",
)

# A cell changes where left and right are of other colours, and it has that of the right one: least 1. Grey
# levels grow to black or white by the 2 in the middle while the runs move: marginal nearly everywhere.
CONNECTED_COMPONENTS = Template(
    feedback=[[1, 2, -1]],
    pace=2.0,
    citation="T. Matsumoto, L. O. Chua and H. Suzuki, IEEE Trans. Circuits Syst. 37:633 (1990)",
)

# A white pixel left of white drifts at -3, left of black at 1: least 1. Marginal on grey images at u = 1/2.
SHADOW = Template(
    feedback=[[0, 0, 0], [0, 2, 2], [0, 0, 0]],
    control=[[0, 0, 0], [0, 2, 0], [0, 0, 0]],
    start=1.0,
    pace=1.0,
    citation="T. Matsumoto, L. O. Chua and H. Suzuki, IEEE Trans. Circuits Syst. 37:1070 (1990)",
)

# Linear while no |x| is above 1, so made for grey images: each mean over a wave of k radians a pixel falls as
# exp(-(1 - a(k)) t / (R C)) with the transform a of A. It does not end: t_stop says how far it goes.
DIFFUSION = Template(
    feedback=[[0.1, 0.15, 0.1], [0.15, 0, 0.15], [0.1, 0.15, 0.1]],
    boundary="periodic",
    edge=0.0,
    citation=BOOK,
)
