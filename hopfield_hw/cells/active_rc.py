"""Any graph in parts: inverting summers and integrators, curves, four-quadrant multipliers, sample-and-hold pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from ..circuit import GROUND, Draft, Origin, Role
from ..functions import Softmax
from ..functions.expressions import Argument
from ..graph import Activate, Affine, Graph, Hadamard, Hold, Leak, Operator, Output, Sign
from ..parts import Behaviour, Multiplier, Switch, as_op_amp
from ..values.arrays import positive
from ..values.brief import Brief
from ..values.errors import InputError, Unrealisable
from ..values.si_text import format_si
from .cell import Fragment
from .elements import add_amplifier, add_comparators, curve_of
from .pair import Pair, add_pair, base_scale
from .sample_hold import SampleHold, add_sample_hold
from .summing import Summing, add_affine, add_integrator, add_summer, own_affines

Curve = Literal["exact", "pair"]
Product = Literal["exact", "ad633"]
Builder: TypeAlias = "Callable[[Draft, Any, tuple[Affine, ...]], None]"
DROOP = 1e-4  # of a held voltage in a period, at most
FULL_SCALE = 10.0  # of an AD633, volts


@dataclass(frozen=True, kw_only=True)
class ActiveRC(Brief):
    """Every sum is an op-amp with a resistor for each weight, every state a charge: of an integrator, or sampled.

    A Sign is a comparator, a behavioural source, whose threshold the tie moves. `activation`: "exact", a behavioural
    source, or "pair", a differential pair (see `Pair`; tanh and logistic alone, and no Sign).
    `multiplier`: "exact", or "ad633", a product over 10 V (Analog Devices, AD633 data sheet) with a divider that brings
    it to the unit of the graph, volts_per_unit, of at most 10 V. `on_resistance`, `off_resistance`, `capacitance`:
    of the switches and of what they charge, ohms and farads. `op_amp`: its model, or its gain. `resistance`: of a
    weight of 1, ohms. `reference`: of the biases, volts.

    Recurrent cells become clocked circuits in it, and Hopfield networks inverting integrators.

    Raises Unrealisable for other curves than a pair gives, and a clock so slow that a held voltage droops by more than
    1e-4; InputError for weights whose resistor would be above 1 GOhm.
    """

    activation: Curve = "exact"
    multiplier: Product = "exact"
    pair: Pair = field(default_factory=Pair)
    on_resistance: float = 100.0
    off_resistance: float = 1e12
    capacitance: float = 1e-9
    op_amp: Any = 1e6
    resistance: float = 1e4
    reference: float = 10.0
    name: str = "active_rc"
    law: str = "C_i dx_i/dt = -x_i/R_i + sum_j T_ij v_j + I_i, and x_i[k+1] = F_i(x[k], u[k]) of a clocked graph"

    def __post_init__(self) -> None:
        for what, options in (("activation", get_args(Curve)), ("multiplier", get_args(Product))):
            if not isinstance(getattr(self, what), str) or getattr(self, what) not in options:
                raise InputError(f"`ActiveRC.{what}` = {getattr(self, what)!r:.40}: must be {' or '.join(options)}")
        object.__setattr__(self, "op_amp", as_op_amp(self.op_amp, "ActiveRC.op_amp"))
        units = {"on_resistance": "Ohm", "off_resistance": "Ohm", "resistance": "Ohm", "capacitance": "F"}
        for what, unit in (units | {"reference": "V"}).items():
            value = positive(getattr(self, what), f"ActiveRC.{what}", shape=(), unit=unit)
            object.__setattr__(self, what, float(value))

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        """Return one fragment for each operator, with the Affines whose weights its summer takes in."""
        for operator in graph.order:
            build = self._builder(graph, operator)
            if build is not None:
                taken = _taken_in(graph, operator)
                names = (operator.name, *(affine.name for affine in taken))
                yield Fragment(names, partial(self._build, build, operator, taken))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        """Return nothing: resistors do not load what drives them."""
        return {}

    def _builder(self, graph: Graph, operator: Operator) -> Builder | None:
        match operator:
            case Activate() if isinstance(operator.function, Softmax):
                return None
            case Leak():
                return self._build_leak
            case Affine():
                return self._build_affine
            case Activate():
                return self._build_activate
            case Hold():
                return self._build_hold
            case Output():
                return self._build_output
            case Hadamard():
                return self._build_product
            case Sign():
                return self._build_sign
        return None

    @property
    def _summing(self) -> Summing:
        return Summing(
            op_amp=self.op_amp,
            resistance=float(self.resistance),
            reference=float(self.reference),
        )

    def _build(self, build: Builder, operator: Any, affines: tuple[Affine, ...], draft: Draft) -> None:
        draft.use_op_amps(self.op_amp, self.resistance)
        build(draft, operator, affines)

    def _build_leak(self, draft: Draft, leak: Leak, affines: tuple[Affine, ...]) -> None:
        add_integrator(draft, leak, affines, self._summing)

    def _build_affine(self, draft: Draft, affine: Affine, _: tuple[Affine, ...]) -> None:
        add_affine(draft, affine, draft.nodes(affine), self._summing)

    def _build_output(self, draft: Draft, output: Output, affines: tuple[Affine, ...]) -> None:
        add_summer(draft, output, draft.nodes(output), self._summing, affines=affines)

    def _build_activate(self, draft: Draft, activate: Activate, affines: tuple[Affine, ...]) -> None:
        curves = [curve_of(activate, k) for k in range(activate.size)]
        if self.activation == "pair":
            scale = [base_scale(activate, curve) for curve in curves]
            nodes = self._add_sum(draft, activate, affines, scale=scale)
            for k, (curve, base) in enumerate(zip(curves, nodes, strict=True)):
                add_pair(draft, activate, k, curve, base, self.pair, self._summing)
        else:
            nodes = self._add_sum(draft, activate, affines)
            add_amplifier(draft, activate, nodes)

    def _build_hold(self, draft: Draft, hold: Hold, affines: tuple[Affine, ...]) -> None:
        part = SampleHold(
            switch=Switch(self.on_resistance, self.off_resistance),
            capacitance=self.capacitance,
            op_amp=self.op_amp,
        )
        droop = hold.clock.period / (part.switch.off * part.capacitance)
        if droop > DROOP:
            raise Unrealisable(
                f"Hold {hold.name!r}: in a period of {format_si(hold.clock.period, 's')} its capacitors lose "
                f"{droop:.2g} of their voltage, above {DROOP:g}; take a faster clock, Units(seconds_per_unit=...) "
                "of the graph, or a larger capacitance"
            )
        add_sample_hold(draft, hold, self._add_sum(draft, hold, affines), part)

    def _build_sign(self, draft: Draft, sign: Sign, affines: tuple[Affine, ...]) -> None:
        if self.activation == "pair":
            raise Unrealisable(f"Sign {sign.name!r}: is a comparator, not a differential pair; use activation='exact'")
        drives = self._add_sum(draft, sign, affines)
        add_comparators(draft, sign, drives, self._add_sum(draft, sign, (), port="tie"))

    def _build_product(self, draft: Draft, product: Hadamard, affines: tuple[Affine, ...]) -> None:
        """Add the multipliers; the Affine that takes the unit off a factor is the scale of the multiplier."""
        unit = _unit(affines[0]) if affines else 1.0
        left, right = (self._factors(draft, product, port, affines) for port in product.ports)
        for k, (node, x, y) in enumerate(zip(draft.nodes(product), left, right, strict=True)):
            self._add_multiplier(draft, product, k, (x, y, node), unit)

    def _add_multiplier(
        self, draft: Draft, product: Hadamard, k: int, nodes: tuple[str, str, str], unit: float
    ) -> None:
        x, y, node = nodes
        name = draft.label(product.name, k)
        if self.multiplier == "exact":
            part = Behaviour(Argument(0) * Argument(1) / unit if unit != 1.0 else Argument(0) * Argument(1))
            draft.add(f"B_{name}", part, (node, GROUND, x, y), Origin(product.name, Role.PRODUCT, (k,)))
            return
        if not 0.0 < unit <= FULL_SCALE:
            raise Unrealisable(
                f"Hadamard {product.name!r}: its unit is {unit:g} V, and an AD633 multiplies by "
                f"1/{FULL_SCALE:g} V; give the graph Units(volts_per_unit=...) of at most {FULL_SCALE:g}"
            )
        tap = GROUND
        if unit < FULL_SCALE:
            # W = X Y / 10 V + Z with Z = (1 - unit / 10 V) W.
            tap = f"{product.name}_tap_{draft.graph.labels(product)[k]}"
            draft.claim(tap, product, "tap")
            for place, ends, value, role in (
                ("top", (node, tap), self.resistance, Role.DIVIDER_TOP),
                ("tap", (tap, GROUND), self.resistance * (FULL_SCALE / unit - 1.0), Role.DIVIDER_TAP),
            ):
                draft.add_resistor(f"R_{name}_{place}", ends, float(value), Origin(product.name, role, (k,)))
        draft.add(f"B_{name}", Multiplier(), (node, x, y, tap), Origin(product.name, Role.MULTIPLIER, (k,)))

    def _factors(self, draft: Draft, product: Hadamard, port: str, affines: tuple[Affine, ...]) -> tuple[str, ...]:
        if affines and draft.graph.drivers(product, port) == affines:
            drivers = draft.graph.drivers(affines[0])
            return self._add_sum(draft, affines[0], ()) if len(drivers) > 1 else draft.nodes(drivers[0])
        return self._add_sum(draft, product, (), port=port)

    def _add_sum(
        self,
        draft: Draft,
        operator: Operator,
        affines: tuple[Affine, ...],
        *,
        port: str = "in",
        scale: list[float] | None = None,
    ) -> tuple[str, ...]:
        """Return nodes with the sum of what drives a port; those of its only driver where nothing is to be added."""
        drivers = draft.graph.drivers(operator, port)
        if len(drivers) == 1 and not affines and scale is None:
            return draft.nodes(drivers[0])
        nodes = draft.new_nodes(operator, f"_{port}_sum")
        add_summer(draft, operator, nodes, self._summing, port=port, affines=affines, scale=scale)
        return nodes


def _taken_in(graph: Graph, operator: Operator) -> tuple[Affine, ...]:
    """Return the Affines that one fragment covers with an operator: those of its sum, or the unit of a product."""
    if isinstance(operator, Leak | Activate | Hold | Output | Sign):
        return own_affines(graph, operator)
    if isinstance(operator, Hadamard):
        alone = len(graph.drivers(operator, "left")) == 1  # the multiplier scales the whole of the port
        return tuple(a for a in own_affines(graph, operator, "left") if alone and _unit(a) > 0.0)
    return ()


def _unit(affine: Affine) -> float:
    """Return U of an Affine that is 1/U for every element; 0 for any other."""
    factors = affine.weights.diagonal()
    if factors is None or bool(np.any(affine.constant != 0.0)) or bool(np.any(factors != factors[0])):
        return 0.0
    return float(1.0 / factors[0]) if factors[0] != 0.0 else 0.0
