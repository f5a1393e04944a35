"""What was read back from a circuit or a measurement: the network, how sure its values are, and what else was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..functions import Gain, Identity, Table
from ..graph import Activate, Affine, Edge, Graph, Input, Leak, Operator, Output
from ..networks import Network
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.report import Report
from ..values.si_text import format_si
from .devices import FlatDeck
from .families import FamilyFit, find_family
from .nodal import StateCapacitor

if TYPE_CHECKING:
    from .agreement import Agreement
    from .findings import Differences

Way = Literal["structure", "clamped states", "waveforms", "clock phases"]
WAYS: Mapping[Way, str] = {
    "structure": "from the devices: exact, with op-amps as they are stated",
    "clamped states": "from currents into held capacitors, in ngspice, with the devices that make them",
    "waveforms": "from measured waveforms alone",
    "clock phases": "a map, from the devices in each phase of its clock, with op-amps as they are stated",
}


# Networks of so many states are shown weight by weight; of a normal distribution, 95% lies within so many deviations.
FEW, TWO_SIDED = 8, 1.96


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Extraction(Report):
    """The network C_i dx_i/dt = -x_i/R_i + sum_j T_ij g_j(x_j) + sum_k U_ik u_k + I_i that a circuit implements.

    In canonical form: each curve g rises, and is in the volts of the rail that it drives.

    `weights`: T, (n, n), siemens, to i from j. `resistance`: (n,), ohms; infinite for a pure integrator. `capacitance`:
    (n,), farads. `bias`: (n,), amperes. `gains`: g of each state, None where nothing depends on it through a curve.
    `input_weights`: U, (n, inputs), siemens. `linear`: (n, n), siemens, what states pass on to others without a curve.
    `labels`, `inputs`: of states and inputs. `signs`, `offsets`: x_i is its sign times the voltage of its
    capacitor, plus its offset, volts.
    `way`: how it was found. `uncertainty`: by name of a value, one standard deviation in its unit, of its shape; empty
    where values are exact to rounding. `poles`: by name of a capacitor or an op-amp that is fast, its time constant,
    seconds. `additivity`: of the currents at points where several states move, the largest part that one curve of each
    state does not explain; NaN where it was not measured. `swept`: by state between which voltages of its capacitor
    curves were measured; empty where formulas say them. `unexplained`, `notes`: in words.
    """

    weights: Array
    resistance: Array
    capacitance: Array
    bias: Array
    gains: tuple[Gain | None, ...]
    labels: tuple[str, ...]
    signs: Array
    offsets: Array
    way: Way
    input_weights: Array = field(default_factory=lambda: np.zeros((0, 0)))
    inputs: tuple[str, ...] = ()
    linear: Array = field(default_factory=lambda: np.zeros((0, 0)))
    uncertainty: Mapping[str, Array] = field(default_factory=dict)
    poles: Mapping[str, float] = field(default_factory=dict)
    additivity: float = float("nan")
    swept: tuple[tuple[float, float], ...] = ()
    unexplained: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    states: tuple[StateCapacitor, ...] = ()
    deck: FlatDeck | None = None
    curve_op_amps: tuple[str, ...] = ()
    owners: Mapping[str, int] = field(default_factory=dict)
    from_rest: frozenset[str] = frozenset()
    agreement: Agreement | None = None

    @property
    def size(self) -> int:
        """The number of states, n."""
        return len(self.labels)

    @cached_property
    def network(self) -> Network:
        """The network. Raises InputError, with the reason, where a Network has no place for what was found."""
        if np.any(self.linear):
            i, j = (int(k) for k in np.argwhere(self.linear)[0])
            raise InputError(
                f"extraction: state {self.labels[j]} acts on {self.labels[i]} without a curve ({self.linear[i, j]:.4g} "
                "S), which a Network has no place for; take `.graph()`"
            )
        self._refuse_negative_leaks()
        gain = self._common_gain()
        if gain is None:
            kinds = ", ".join(dict.fromkeys(type(g).__name__ for g in self.gains if g is not None))
            raise InputError(f"extraction: its curves are of several kinds ({kinds}); take `.graph()`")
        return Network(
            weights=self.weights,
            resistance=self.resistance,
            capacitance=self.capacitance,
            bias=self.bias,
            gain=gain,
            input_weights=self.input_weights if self.input_weights.size else None,
            labels=self.labels,
        )

    def _refuse_negative_leaks(self) -> None:
        wrong = np.flatnonzero(~(self.resistance > 0.0))
        if wrong.size:
            raise InputError(
                f"extraction: state {self.labels[wrong[0]]} is driven away from 0 V by its own leak "
                f"({self.resistance[wrong[0]]:.4g} Ohm), which a Network has no place for"
            )

    def _common_gain(self) -> Gain | None:
        """Return one gain with the parameters of each state; None where they are of several kinds."""
        given = [gain for gain in self.gains if gain is not None]
        if not given:
            from ..functions import Tanh

            return Tanh()
        kinds = {type(gain) for gain in given}
        if len(kinds) > 1:
            return None
        first = given[0]
        if isinstance(first, Table):
            return first if len(self.gains) == 1 else None
        names = list(first.params())
        filled = [first if gain is None else gain for gain in self.gains]
        values = {name: np.array([float(np.max(getattr(gain, name))) for gain in filled]) for name in names}
        return type(first)(**values)

    def graph(self, initial: Any = None) -> Graph:
        """Return the graph of the network. `initial`: x(0), (n,), volts; 0 V by default.

        Raises InputError for a leak that drives its state away from 0 V.
        """
        n = self.size
        start = np.zeros(n) if initial is None else np.asarray(initial, dtype=float)
        self._refuse_negative_leaks()
        leak = Leak(
            name="x", capacitance=self.capacitance, resistance=self.resistance, initial=start, labels=self.labels
        )
        operators: list[Operator] = [leak]
        edges: list[Edge] = []
        gain = self._common_gain()
        if gain is not None:
            operators += [
                Activate(name="v", size=n, function=gain),
                Affine(name="syn", weights=self.weights, bias=self.bias),
                Output(name="output", size=n),
            ]
            edges += [Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x"), Edge("v", "output")]
        else:
            operators.append(Output(name="output", size=n))
            for j, each in enumerate(self.gains):
                pick, place = np.zeros((1, n)), np.zeros((n, 1))
                pick[0, j] = place[j, 0] = 1.0
                column = self.weights[:, [j]]
                operators += [
                    Affine(name=f"of_{j}", weights=pick),
                    Activate(name=f"v_{j}", size=1, function=Identity() if each is None else each),
                    Affine(name=f"syn_{j}", weights=column, bias=self.bias if j == 0 else None),
                    Affine(name=f"out_{j}", weights=place),
                ]
                edges += [Edge("x", f"of_{j}"), Edge(f"of_{j}", f"v_{j}"), Edge(f"v_{j}", f"syn_{j}")]
                edges += [Edge(f"syn_{j}", "x"), Edge(f"v_{j}", f"out_{j}"), Edge(f"out_{j}", "output")]
        if np.any(self.linear):
            operators.append(Affine(name="straight", weights=self.linear))
            edges += [Edge("x", "straight"), Edge("straight", "x")]
        if self.input_weights.size:
            operators.append(Input(name="u", size=self.input_weights.shape[1], labels=self.inputs or None))
            operators.append(Affine(name="syn_u", weights=self.input_weights))
            edges += [Edge("u", "syn_u"), Edge("syn_u", "x")]
        return Graph(operators=tuple(operators), edges=tuple(edges))

    @cached_property
    def families(self) -> tuple[FamilyFit | None, ...]:
        """Of each measured curve, the family that it is nearest to, with the root mean square deviation from it.

        None where the curve is a family itself, and where none is within 1% of its swing.
        """
        sources = {k: self.deck.by_name.get(name) for name, k in self.owners.items()} if self.deck is not None else {}
        units = [
            "A" if (each := sources.get(k)) is not None and each.gives == "current" else "V" for k in range(self.size)
        ]
        pairs = zip(self.gains, units, strict=True)
        return tuple(find_family(gain, unit) if isinstance(gain, Table) else None for gain, unit in pairs)

    def devices(self, i: int, j: int) -> tuple[str, ...]:
        """Return the devices that make T_ij, by how much of their effect goes there.

        Raises InputError for a network that no deck was read for, and for states that are not there.
        """
        from .differences import intended_values, own_frame
        from .sensitivity import devices_of_weight

        if self.deck is None:
            raise InputError("extraction: from waveforms alone no device is known; give the deck of the board too")
        self._refuse_places(i, j)
        return devices_of_weight(self, i, j, own_frame(self, intended_values(self)))

    def _refuse_places(self, *places: int) -> None:
        for k in places:
            if not 0 <= k < self.size:
                raise InputError(f"extraction: has no state {k}; must be 0 to {self.size - 1}")

    def diff(self, network: Any, tolerance: float = 1e-3) -> Differences:
        """Return in words what differs from the network that was intended; see `hopfield_hw.extraction.differences`."""
        from .differences import find_differences

        return find_differences(self, network, tolerance)

    def rows(self) -> list[tuple[str, str]]:
        size, straight = self.size, np.count_nonzero(self.linear)
        unsure = " (not claimed)" if self.way == "waveforms" and self.unexplained else ""
        shown = [
            (
                "network",
                f"{size} state{'s' * (size != 1)}, {np.count_nonzero(self.weights)} weights"
                + (f", {straight} without a curve" if straight else ""),
            ),
            ("found", WAYS[self.way]),
            *((name + unsure, text) for name, text in self._weight_rows()),
            (f"R{unsure}", format_span(self.resistance, "Ohm")),
            (f"C{unsure}", format_span(self.capacitance, "F")),
            (f"I{unsure}", format_span(self.bias, "A")),
            ("curves", ", ".join(dict.fromkeys("none" if g is None else type(g).__name__ for g in self.gains))),
        ]
        near = [f"{label}: {fit}" for label, fit in zip(self.labels, self.families, strict=True) if fit is not None]
        shown += [("nearest", text) for text in near]
        if self.agreement is not None:
            shown.append(("verified", str(self.agreement)))
        if np.isfinite(self.additivity):
            shown.append(("additivity", f"{self.additivity:.1e} of the largest current is left by one curve a state"))
        shown += [("unexplained", text) for text in self.unexplained]
        shown += [("note", text) for text in _joined(self.notes)]
        return shown

    def _weight_rows(self) -> Iterator[tuple[str, str]]:
        """Yield the weights into each state of a small network, and of a larger one their range."""
        if self.size > FEW:
            yield "T", format_span(self.weights[self.weights != 0.0], "S")
            if np.any(self.linear):
                yield "T without curve", format_span(self.linear[self.linear != 0.0], "S")
            return
        is_known = self.way == "waveforms" and not self.unexplained
        spread = self.uncertainty.get("weights") if is_known else None
        for i, label in enumerate(self.labels):
            said = []
            for j, source in enumerate(self.labels):
                if self.weights[i, j]:
                    within = "" if spread is None else f" +- {format_si(TWO_SIDED * spread[i, j], 'S')}"
                    said.append(f"{format_si(self.weights[i, j], 'S')}{within} from {source}")
                if self.linear.size and self.linear[i, j]:
                    said.append(f"{format_si(self.linear[i, j], 'S')} from {source} without a curve")
            yield f"T to {label}" + (" (95%)" if spread is not None else ""), ", ".join(said) or "none"

    def figures(self) -> dict[str, Any]:
        return {
            "way": self.way,
            "labels": list(self.labels),
            "weights": self.weights.tolist(),
            "resistance": self.resistance.tolist(),
            "capacitance": self.capacitance.tolist(),
            "bias": self.bias.tolist(),
            "input_weights": self.input_weights.tolist(),
            "linear": self.linear.tolist(),
            "gains": [gain_figures(gain) for gain in self.gains],
            "families": [None if fit is None else fit._asdict() for fit in self.families],
            "uncertainty": {name: values.tolist() for name, values in self.uncertainty.items()},
            "poles": dict(self.poles),
            "additivity": self.additivity,
            "agreement": None if self.agreement is None else self.agreement._asdict(),
            "unexplained": list(self.unexplained),
            "notes": list(self.notes),
        }


def _joined(notes: Sequence[str]) -> list[str]:
    """Return notes with those that say the same of several devices as one."""
    names: dict[str, list[str]] = {}
    for note in notes:
        name, _, said = note.partition(" ")
        names.setdefault(said, []).append(name)
    return [f"{', '.join(given)}: each {said}" if given[1:] else f"{given[0]} {said}" for said, given in names.items()]


def gain_figures(gain: Gain | None) -> dict[str, Any] | None:
    return (
        None if gain is None else {"kind": gain.kind, **{k: np.asarray(v).tolist() for k, v in gain.params().items()}}
    )


def format_span(values: Array, unit: str) -> str:
    if not values.size:
        return "none"
    low, high = float(np.min(values)), float(np.max(values))
    return format_si(low, unit) if low == high else f"{format_si(low, unit)} to {format_si(high, unit)}"
