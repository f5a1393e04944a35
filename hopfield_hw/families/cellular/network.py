"""Cellular neural networks: a cell for each pixel, all with the same weights to the cells around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...functions import PiecewiseLinear
from ...graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Leak, Output, Sign, Stencil, tie_band
from ...networks.network import Network
from ...values.arrays import Array, freeze, positive
from ...values.brief import Brief
from ...values.errors import InputError
from .images import checked_image
from .templates import Template

if TYPE_CHECKING:
    import xarray as xr

# For how long a network without waves runs by default, in R C; a decision by a drift of 1 takes 2, the tail is 1e-8.
SETTLING = 20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class CellularNetwork(Brief):
    """A template at work on an image (Chua and Yang, IEEE Trans. Circuits Syst. 35:1257, 1988, eqs. 2a and 2b).

    C dx_ij/dt = -x_ij/R + sum_kl A_kl y_i+k,j+l / R + sum_kl B_kl u_i+k,j+l / R + z / R,  y = (|x+1| - |x-1|) / 2

    `template`: see Template; `TEMPLATES` holds those of the literature. `image`: u, (rows, columns), volts, from -1
    (white) to +1 (black). `initial`: x(0), (rows, columns) or one number, volts; by default what the template says.
    `resistance`: R, ohms; `capacitance`: C, farads: those of the paper by default. They set the scale of currents and
    of time alone.

    Raises InputError for an image of another form, beyond -1 and +1, or not finite, an initial state of another shape,
    and for R and C that are not positive.
    """

    template: Template
    image: Any
    initial: Any = None
    resistance: float = 1e3
    capacitance: float = 1e-9

    def __post_init__(self) -> None:
        if not isinstance(self.template, Template):
            raise InputError(f"`CellularNetwork.template` = {self.template!r:.40}: must be a Template, as in TEMPLATES")
        image = checked_image(self.image, "CellularNetwork.image")
        far = np.abs(image) > 1.0
        if far.any():
            found = f"{image[far][0]:g}"
            raise InputError(f"`CellularNetwork.image` holds {found}: must be from -1 (white) to +1 (black); scale it")
        start: Any = self.template.start if self.initial is None else self.initial
        fields = {
            "image": image,
            "initial": freeze(
                image if start is None else start, "CellularNetwork.initial", shape=image.shape, unit="V"
            ),
            "resistance": float(positive(self.resistance, "CellularNetwork.resistance", shape=(), unit="Ohm")),
            "capacitance": float(positive(self.capacitance, "CellularNetwork.capacitance", shape=(), unit="F")),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of the image."""
        rows, columns = np.shape(self.initial)
        return rows, columns

    @property
    def inputs(self) -> Array | None:
        """What drives the graph's Input, (rows * columns,), volts; None where the template has no B."""
        return None if self._stencils[1] is None else self.image.reshape(-1)

    @property
    def t_stop(self) -> float:
        """The time, seconds, in which the template does its work where no wave has to wind its way.

        That is 20 R C, and the template's pace along the longer side.
        """
        return self.resistance * self.capacitance * (SETTLING + self.template.pace * max(self.shape))

    def graph(self, *, driven: bool = True) -> Graph:
        """Return the graph: x (Leak) -> y (Activate) -> A (Affine) -> x, and u (Input) -> B -> x.

        The elements are labelled `row_column`, from 0 on. `driven=False`: the image is a part of the bias, and nothing
        drives the graph from outside.
        """
        n = self.initial.size
        state = Leak(
            name="x",
            capacitance=np.full(n, self.capacitance),
            resistance=np.full(n, self.resistance),
            initial=self.initial.reshape(-1),
            labels=self.labels,
        )
        drive, drive_edges = self._drive("x", self.resistance) if driven else ((), ())
        weights = self._feedback(self.resistance) if driven else self._undriven()
        activate = Activate(name="y", size=n, function=PiecewiseLinear())
        edges = (Edge("x", "y"), Edge("y", "A"), Edge("A", "x"), Edge("y", "output"), *drive_edges)
        return Graph(operators=(state, activate, weights, Output(name="output", size=n), *drive), edges=edges)

    def network(self) -> Network:
        """Return the network of neurons that it is: sparse weights A / R, and the image in the bias."""
        feedback, _ = self._stencils
        return Network(
            weights=feedback.sparse / self.resistance,
            resistance=self.resistance,
            capacitance=self.capacitance,
            gain=PiecewiseLinear(),
            bias=self._undriven().constant,
            initial=self.initial.reshape(-1),
            labels=self.labels,
        )

    def map(self, period: float = 1.0) -> Graph:
        """Return the network in discrete time: y' = sign(sum A y + sum B u + z), all cells at once, each `period`.

        x (Hold) holds the outputs y, +1 or -1, and starts at the signs of `initial`, black where that is 0; a cell
        whose sum is 0 keeps its output (Harrer and Nossek, Int. J. Circuit Theory Appl. 20:453, 1992). A template is
        made for one of the two kinds of time: here a cell holds its colour by A alone. What counts as 0 is taken from
        the template and the image, as `graph.tie_band` says: give the network the image that it is run on.

        Raises InputError for a period that is not positive, seconds.
        """
        start = np.where(self.initial.reshape(-1) >= 0.0, 1.0, -1.0)
        n = start.size
        drive, drive_edges = self._drive("y", 1.0)
        operators = (
            Hold(name="x", clock=Clock(period=period), initial=start),
            Sign(name="y", size=n, band=np.full(n, self._tie_band())),
            self._feedback(1.0),
            Output(name="output", size=n),
            *drive,
        )
        edges = (
            Edge("x", "A"),
            Edge("A", "y"),
            Edge("x", "y", "tie"),
            Edge("y", "x"),
            Edge("x", "output"),
            *drive_edges,
        )
        return Graph(operators=operators, edges=edges)

    def picture(self, wave: xr.Dataset, time: float | None = None) -> Array:
        """Return the outputs of a waveform as an image, (rows, columns): at its end, or at the sample nearest a time.

        Raises InputError for the waveform of another network.
        """
        import xarray as xr

        if not isinstance(wave, xr.Dataset) or "output" not in wave:
            raise InputError(f"`wave` = {wave!r:.60}: must be a waveform with outputs, as from `reference`")
        times = wave["time"].to_numpy()
        k = -1 if time is None else int(np.argmin(np.abs(times - float(freeze(time, "time", shape=(), unit="s")))))
        last: Array = wave["output"].isel(time=k).to_numpy()
        if last.size != self.initial.size:
            raise InputError(f"wave: has {last.size} outputs: must be of this network, with {self.initial.size}")
        return last.reshape(self.shape)

    @property
    def labels(self) -> tuple[str, ...]:
        """`row_column` of each cell, row by row."""
        rows, columns = self.shape
        return tuple(f"{r}_{c}" for r in range(rows) for c in range(columns))

    @property
    def _stencils(self) -> tuple[Stencil, Stencil | None]:
        return self.template.stencils(self.shape)

    def _feedback(self, unit: float) -> Affine:
        """Return A with the bias, both divided by `unit`."""
        feedback, _ = self._stencils
        bias = np.full(self.initial.size, self.template.bias / unit)
        return Affine(name="A", weights=replace(feedback, template=feedback.template / unit), bias=bias)

    def _tie_band(self) -> float:
        """Return the band of ties of the sums that a cell can see, of outputs of +1 and -1, this image and the edge."""
        feedback, control = self._stencils
        sums = [(feedback, np.ones(1))]
        if control is not None:
            sums.append((control, np.unique(np.abs(self.image))))
        terms = [np.outer(part.template, np.append(values, part.edge)).ravel() for part, values in sums]
        most = abs(self.template.bias) + sum(float(np.abs(part.template).sum()) for part, _ in sums)
        return tie_band([self.template.bias, *np.concatenate(terms)], most=most)

    def _undriven(self) -> Affine:
        """Return A over R, with what the image gives by B in its bias."""
        weights, (_, control) = self._feedback(self.resistance), self._stencils
        if control is None:
            return weights
        driven = control.apply(self.image.reshape(-1)) + control.constant
        return replace(weights, bias=weights.bias + driven / self.resistance)

    def _drive(self, target: str, unit: float) -> tuple[tuple[Input, Affine] | tuple[()], tuple[Edge, ...]]:
        """Return the Input of the image and B, divided by `unit`, and what joins them to `target`; () without B."""
        _, control = self._stencils
        if control is None:
            return (), ()
        inputs = Input(name="u", size=self.initial.size, labels=self.labels)
        weights = Affine(name="B", weights=replace(control, template=control.template / unit))
        return (inputs, weights), (Edge("u", "B"), Edge("B", target))
