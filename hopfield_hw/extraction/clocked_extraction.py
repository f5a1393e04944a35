"""What was read back from a clocked circuit: its map from one period of the clock to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..functions import Gain, Identity
from ..graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Operator, Output, Sign
from ..networks import Network
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.si_text import format_si
from .comparison import Frame, Values
from .extraction import WAYS, Extraction, format_span, gain_figures
from .nodal import StateCapacitor
from .views import View

if TYPE_CHECKING:
    from .findings import Differences


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClockedExtraction(Extraction):
    """The map that a clocked circuit implements, of one of two kinds:

        x[k+1] = g(T x[k] + U u[k] + b)                    curves of sums (`is_of_sums`)
        x[k+1] = K x[k] + T g(x[k]) + U u[k] + b           sums of curves

    `weights`: T, (n, n), `input_weights`: U, (n, inputs), and `linear` with `own`: K, are volts per volt; `bias`: b,
    (n,), volts. `gains`: g of each state. `clock`: its period and phase, seconds: a state takes a new value where the
    edge is over that lets it. `bands`: (n,), volts; where above 0, g is a sign that keeps its state while its argument
    is within the band. `capacitance`: (n,), of the capacitors that hold the states. `resistance`: -1/K_ii.
    `scales`, `shifts`: x = scale v + shift of the voltage of its capacitor.

    `sampled`: when, in a period, the capacitors that compute begin to follow, seconds. `copies`: the capacitors that
    states are taken over from, as held = copy_gains v + copy_offsets. `sources`: of the clock. `read_at`: when in a
    period states are held; `latest`: when the clock has begun, seconds. `view`: how its deck is looked at.
    """

    clock: Clock
    is_of_sums: bool
    bands: Array
    view: View
    scales: Array
    shifts: Array
    copies: tuple[StateCapacitor, ...]
    copy_gains: Array
    copy_offsets: Array
    sampled: float
    sources: tuple[str, ...]
    read_at: float
    latest: float

    @property
    def own(self) -> Array:
        """K_ii, (n,): what a state keeps of itself without a curve."""
        with np.errstate(divide="ignore"):
            return np.where(np.isfinite(self.resistance), -1.0 / self.resistance, 0.0)

    @cached_property
    def network(self) -> Network:
        """Raises InputError: a Network is of capacitors and leaks, and a map has neither."""
        raise InputError("extraction: the circuit is clocked, a map, which a Network has no place for; take `.graph()`")

    def graph(self, initial: Any = None) -> Graph:
        """Return the map as a graph with a Hold. `initial`: x[0], (n,), volts; 0 V by default, 1 V of a sign's."""
        n = self.size
        start = np.where(self.bands > 0.0, 1.0, 0.0) if initial is None else np.asarray(initial, dtype=float)
        operators: list[Operator] = [Hold(name="x", clock=self.clock, initial=start), Output(name="output", size=n)]
        edges = [Edge("x", "output")]
        to = "x"
        curves = self._curves()
        if self.is_of_sums:
            operators.append(Affine(name="syn", weights=self.weights, bias=self.bias))
            edges.append(Edge("x", "syn"))
            if len(curves) == 1:
                to = "v"
                operators.append(curves[0][1])
                edges += [Edge("syn", "v"), Edge("v", "x")]
                if isinstance(curves[0][1], Sign):
                    edges.append(Edge("x", "v", "tie"))
            else:
                to = "sum"
                operators.append(Affine(name="sum", weights=np.eye(n)))
                edges.append(Edge("syn", "sum"))
                self._add_split(operators, edges, curves, "sum", "x")
        else:
            if len(curves) == 1:
                operators += [curves[0][1], Affine(name="syn", weights=self.weights, bias=self.bias)]
                edges += [Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x")]
            else:
                operators.append(Affine(name="syn", weights=self.weights, bias=self.bias))
                edges.append(Edge("syn", "x"))
                self._add_split(operators, edges, curves, "x", "syn")
            keep = self.linear + np.diag(self.own)
            if np.any(keep):
                operators.append(Affine(name="keep", weights=keep))
                edges += [Edge("x", "keep"), Edge("keep", "x")]
        if self.input_weights.size:
            operators.append(Input(name="u", size=self.input_weights.shape[1], labels=self.inputs or None))
            operators.append(Affine(name="syn_u", weights=self.input_weights))
            edges += [Edge("u", "syn_u"), Edge("syn_u", to)]
        return Graph(operators=tuple(operators), edges=tuple(edges))

    def _curves(self) -> list[tuple[list[int], Operator]]:
        """Return the curves as operators of the states that they are of: one, where all are of one kind."""
        n = self.size
        if np.all(self.bands > 0.0):
            amplitudes = {float(np.max(gain.upper)) for gain in self.gains if gain is not None}
            if len(amplitudes) == 1:
                return [(list(range(n)), Sign(name="v", size=n, band=self.bands, amplitude=amplitudes.pop()))]
        gain = self._common_gain()
        if gain is not None and not np.any(self.bands):
            return [(list(range(n)), Activate(name="v", size=n, function=gain))]
        found: list[tuple[list[int], Operator]] = []
        for j, each in enumerate(self.gains):
            name, band = f"v_{j}", float(self.bands[j])
            if band:
                assert each is not None
                sign = Sign(name=name, size=1, band=np.array([band]), amplitude=float(np.max(each.upper)))
                found.append(([j], sign))
            else:
                function: Gain | Identity = Identity() if each is None else each
                found.append(([j], Activate(name=name, size=1, function=function)))
        return found

    def _add_split(
        self,
        operators: list[Operator],
        edges: list[Edge],
        curves: list[tuple[list[int], Operator]],
        source: str,
        target: str,
    ) -> None:
        """Add curves of several kinds, each with what takes its state out of a vector and puts it back."""
        for (j,), curve in curves:
            pick, place = np.zeros((1, self.size)), np.zeros((self.size, 1))
            pick[0, j] = place[j, 0] = 1.0
            operators += [Affine(name=f"of_{j}", weights=pick), curve, Affine(name=f"out_{j}", weights=place)]
            edges += [Edge(source, f"of_{j}"), Edge(f"of_{j}", curve.name), Edge(curve.name, f"out_{j}")]
            edges.append(Edge(f"out_{j}", target))
            if isinstance(curve, Sign):
                operators.append(Affine(name=f"tie_{j}", weights=pick))
                edges += [Edge("x", f"tie_{j}"), Edge(f"tie_{j}", curve.name, "tie")]

    def frame(self, intended: Values | None = None) -> Frame:
        """Return how its deck is read: held against values in its own order; against none where not given."""
        n = self.size
        blank = np.ones(n)
        none = Values(
            weights=np.ones((n, n)), conductances=np.ones((n, n)), bias=blank, capacitance=blank, slopes=blank
        )
        return Frame(
            states=self.view.names,
            curves=(),
            owners=self.owners,
            signs=self.signs,
            intended=none if intended is None else intended,
            view=self.view,
        )

    def devices(self, i: int, j: int) -> tuple[str, ...]:
        """Return the devices that make T_ij, by how much of their effect goes there."""
        from .clocked_differences import values_of
        from .sensitivity import devices_of_weight

        self._refuse_places(i, j)
        return devices_of_weight(self, i, j, self.frame(values_of(self)))

    def diff(self, network: Any, tolerance: float = 1e-3) -> Differences:
        """Return in words what differs from the map that was intended, a graph with Holds, a deck or a circuit."""
        from .clocked_differences import find_clocked_differences

        return find_clocked_differences(self, network, tolerance)

    def rows(self) -> list[tuple[str, str]]:
        size = self.size
        law = "x' = g(T x + U u + b)" if self.is_of_sums else "x' = K x + T g(x) + U u + b"
        keep = self.linear + np.diag(self.own)
        shown = [
            ("map", f"{law}, {size} state{'s' * (size != 1)}, {np.count_nonzero(self.weights)} weights"),
            ("found", WAYS[self.way]),
            ("clock", f"period {format_si(self.clock.period, 's')}, phase {format_si(self.clock.phase, 's')}"),
            ("T", format_span(self.weights[self.weights != 0.0], "")),
            *([("K", format_span(keep[keep != 0.0], ""))] if np.any(keep) else []),
            ("b", format_span(self.bias, "V")),
            ("hold", format_span(self.capacitance, "F")),
            ("curves", ", ".join(dict.fromkeys("none" if g is None else type(g).__name__ for g in self.gains))),
        ]
        if self.agreement is not None:
            shown.append(("verified", str(self.agreement)))
        shown += [("unexplained", text) for text in self.unexplained]
        shown += [("note", text) for text in self.notes]
        return shown

    def figures(self) -> dict[str, Any]:
        return {
            "way": self.way,
            "clock": {"period": self.clock.period, "phase": self.clock.phase},
            "curves_of": "sums" if self.is_of_sums else "states",
            "labels": list(self.labels),
            "weights": self.weights.tolist(),
            "keep": (self.linear + np.diag(self.own)).tolist(),
            "bias": self.bias.tolist(),
            "input_weights": self.input_weights.tolist(),
            "capacitance": self.capacitance.tolist(),
            "gains": [gain_figures(gain) for gain in self.gains],
            "bands": self.bands.tolist(),
            "poles": dict(self.poles),
            "agreement": None if self.agreement is None else self.agreement._asdict(),
            "unexplained": list(self.unexplained),
            "notes": list(self.notes),
        }
