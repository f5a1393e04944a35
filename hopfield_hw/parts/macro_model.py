"""The macro-model of an op-amp from the figures of its data sheet.

The differential voltage d = v(plus) - v(minus) + offset + what common mode and supplies add drives

    C da/dt = gm d / sqrt(1 + (d/d0)^2) - a/r - clamp,   b + db/dt / w2 = a,
    i = limit((b - v(output)) / Ro),

with gm/C = 2 pi GBW (1 + Ro/RL), gm r = A0 (1 + Ro/RL), gm d0/C = slew rate (1 + Ro/RL), and w2 from the phase margin:
tan(90 deg - PM) = fu/f2 at the crossing fu = GBW/sqrt(1 + (fu/f2)^2). The structure is that of G. R. Boyle, B. M. Cohn,
D. O. Pederson and J. E. Solomon, IEEE J. Solid-State Circuits SC-9:353 (1974), with smooth functions in place of
transistors: a square root for the pair that saturates, parabolas for the clamps, a tanh for the current limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias
from zlib import crc32

from ..functions.expressions import Argument, Expression, call, maximum, minimum, tanh
from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.names import NAME
from ..values.physics import FOUR_K_T
from ..values.si_text import UNITS as TEXT_UNITS
from .behaviour import Behaviour
from .figures import IDEAL, SUPPLIES, UNITS, check_figure
from .op_amp import GROUND, Element, OpAmpModel
from .part import Part
from .passive import Capacitor, Resistor
from .sources import CurrentSource, Transconductance

Beyond: TypeAlias = Literal["reverse", "clamp", "none"]
BEYOND: tuple[Beyond, ...] = ("reverse", "clamp", "none")
MILLI = 1e-3  # S: inner stages carry a current of 1 mA for 1 V, on 1 kOhm
KILO = 1e3
GAIN_NODE = 1e-9  # F: of the dominant pole; any value gives the same amplifier
# How far the clamp of the gain node gives way, volts, before it takes all of the slew current; well above the tolerance
# of a simulator times the rails, without which it would find a false point of balance.
CLAMP_WIDTH = 0.05
# What an amplifier without a slew rate would slew with, as a multiple of gm x 1 V: the strength of its clamp.
STRONG = 10.0
# What an input below the range of a part that reverses its phase adds, V for each volt.
REVERSAL, REVERSAL_WIDTH = 40.0, 0.2
# Small capacitors at nodes that a loop closes through: without them Newton's method jumps.
LIMITER_NODE, OUTPUT_NODE = 1e-12, 2e-12
CLASS_AB = 0.1  # of the supply current: the part that flows through the output stage
NO_LIMIT = 1e3  # A, and more: no current limit
# Noise that falls as 1/f: low-pass noises, two in a decade, hertz.
SLOWEST, FASTEST, IN_DECADE = 1e-2, 1e6, 2


@dataclass(frozen=True, kw_only=True)
class MacroModel(OpAmpModel):
    """An op-amp by the figures of its data sheet; see the head of this module.

    `name`: of the part. `offset`, `bias_current` (into the inputs), `offset_current`. `gain`, `gain_bandwidth`,
    `slew_rate`: at `load`, ohms. `phase_margin`: degrees, at the crossing. `output_resistance`: of the open loop.
    `source_current`, `sink_current`: of a short circuit at the nominal supply. `headroom_plus`, `headroom_minus`: of
    the output from each rail without load, volts, and the ohms by which it grows with the load's current.
    `supply_current`: of one amplifier. `common_mode_rejection`, `supply_rejection`: dB. `common_mode_plus`,
    `common_mode_minus`: how far within each rail the input range ends (negative: beyond it), and what lies there,
    `beyond_common_mode`: "reverse" (the output goes to the upper rail), "clamp" (the input follows no more), "none".
    `voltage_noise`, `noise_corner`, `current_noise`: where `noise` is set, which an analysis of noise needs and a
    transient does not. `input_capacitance`: of each input to ground; `differential_capacitance` and
    `input_resistance`: between them. `supply_plus`, `supply_minus`: the rails, V; `nominal_supply`: the sheet's whole
    supply, at which offset and currents are stated; `least_supply`, `most_supply`: the whole supply that it works from,
    which no simulation knows. An infinite slew rate, current or resistance is one without limit; headroom of minus
    infinity is an output without limits.

    Raises InputError for figures that cannot be, and rails that leave the output no room.
    """

    name: str = "op_amp"
    offset: float = 0.0
    bias_current: float = 0.0
    offset_current: float = 0.0
    gain: float = 1e5
    gain_bandwidth: float = 1e6
    phase_margin: float = 60.0
    slew_rate: float = math.inf
    output_resistance: float = 100.0
    source_current: float = math.inf
    sink_current: float = math.inf
    headroom_plus: float = 1.5
    headroom_minus: float = 1.5
    headroom_plus_resistance: float = 0.0
    headroom_minus_resistance: float = 0.0
    supply_current: float = 1e-3
    common_mode_rejection: float = math.inf
    supply_rejection: float = math.inf
    common_mode_plus: float = 0.0
    common_mode_minus: float = 0.0
    beyond_common_mode: Beyond = "none"
    voltage_noise: float = 0.0
    noise_corner: float = 0.0
    current_noise: float = 0.0
    input_capacitance: float = 0.0
    differential_capacitance: float = 0.0
    input_resistance: float = math.inf
    load: float = 2e3
    supply_plus: float = 15.0
    supply_minus: float = -15.0
    nominal_supply: float = 30.0
    least_supply: float = 0.0
    most_supply: float = math.inf
    noise: bool = False
    poles: ClassVar[tuple[str, ...]] = ("gain", "second")

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or NAME.fullmatch(self.name) is None:
            raise InputError(f"`MacroModel.name` = {self.name!r:.60}: must be a plain name: letters, digits and _")
        if self.beyond_common_mode not in BEYOND:
            raise InputError(
                f"`MacroModel.beyond_common_mode` = {self.beyond_common_mode!r:.40}: must be {' or '.join(BEYOND)}"
            )
        for name, unit in UNITS.items():
            known = unit if unit in TEXT_UNITS else ""
            value = float(freeze(getattr(self, name), f"MacroModel.{name}", shape=(), unit=known, allow_inf=True))
            check_figure(name, value, unit)
            object.__setattr__(self, name, value)
        low, high = self.swing()
        if not low < high:
            raise InputError(
                f"`MacroModel` {self.name}: supplies of {self.supply_plus:g} V and {self.supply_minus:g} V leave its "
                f"output no room: it ends {self.headroom_plus:g} V and {self.headroom_minus:g} V from them"
            )

    def on(self, supply_plus: float, supply_minus: float) -> MacroModel:
        """Return the op-amp on other rails, volts."""
        return replace(self, supply_plus=supply_plus, supply_minus=supply_minus)

    def only(self, *names: str) -> MacroModel:
        """Return the op-amp with these imperfections alone; all other figures are ideal. With none, an ideal one.

        "common_mode" stands for what lies beyond its limits. Raises InputError for another name, and for a limit of the
        current without the bandwidth and the output resistance, in whose loop it works.
        """
        known = (*IDEAL, "common_mode")
        for name in names:
            if name not in known:
                raise InputError(f"`MacroModel.only` {name!r:.60}: must be one of {', '.join(known)}")
        limits = {"source_current", "sink_current"} & set(names)
        if limits and not {"gain_bandwidth", "output_resistance"} <= set(names):
            raise InputError(
                f"`MacroModel.only` {', '.join(sorted(limits))}: a limit of the current works in the loop of the "
                "amplifier: name gain_bandwidth and output_resistance too"
            )
        ideal: dict[str, Any] = {name: value for name, value in IDEAL.items() if name not in names}
        beyond = self.beyond_common_mode if "common_mode" in names else "none"
        return replace(self, **ideal, beyond_common_mode=beyond)

    def swing(self, current: float = 0.0) -> tuple[float, float]:
        """Return the lowest and the highest output, volts, while it gives a current, amperes, to a load."""
        up, down = max(current, 0.0), max(-current, 0.0)
        return (
            self.supply_minus + self.headroom_minus + self.headroom_minus_resistance * down,
            self.supply_plus - self.headroom_plus - self.headroom_plus_resistance * up,
        )

    def common_mode(self) -> tuple[float, float]:
        """Return the lowest and the highest voltage at the inputs, volts; infinite where nothing lies beyond."""
        if self.beyond_common_mode == "none":
            return -math.inf, math.inf
        low = self.supply_minus + self.common_mode_minus
        return low, (self.supply_plus - self.common_mode_plus if self.beyond_common_mode == "clamp" else math.inf)

    @property
    def by_common_mode(self) -> float:
        """What common mode adds to the input's error, V/V: 10^(-CMRR/20)."""
        return _ratio(self.common_mode_rejection)

    @property
    def by_supply(self) -> float:
        """What the whole supply beyond the nominal one adds to the input's error, V/V."""
        return _ratio(self.supply_rejection)

    def input_current(self, sign: float) -> float:
        """Return the current into the non-inverting input, for a sign of +1, or the inverting one, -1; amperes."""
        return self.bias_current + sign * self.offset_current / 2.0

    @property
    def second_pole(self) -> float:
        """The frequency of the second pole, hertz; infinite for a phase margin of 90 degrees."""
        ratio = math.tan(math.radians(90.0 - self.phase_margin))
        return math.inf if ratio < 1e-9 else self.gain_bandwidth / (ratio * math.sqrt(1.0 + ratio * ratio))

    @property
    def supplies(self) -> Mapping[str, float]:
        return MappingProxyType({name: getattr(self, name) for name in SUPPLIES})

    @cached_property
    def label(self) -> str:
        """The name of its subcircuit: of the part, with a checksum of the figures."""
        figures = repr([getattr(self, field.name) for field in fields(self)])
        return f"{self.name.lower()}_{crc32(figures.encode()):08x}"

    def elements(self) -> tuple[Element, ...]:
        return (*self._inputs(), *self._difference(), *self._gain_stage(), *self._output_stage(), *self._noise())

    def _inputs(self) -> Iterator[Element]:
        # The sheet's offset current is that of a balance, where the offset drives a current between the inputs.
        apart = self.offset_current / 2.0
        if math.isfinite(self.input_resistance):
            apart = apart + self.offset / self.input_resistance
        for sign, pin in ((1.0, "plus"), (-1.0, "minus")):
            if current := self.bias_current + sign * apart:
                yield Element(f"bias_{pin}", CurrentSource(current), (pin, "supply_minus"))
            if self.input_capacitance:
                yield Element(f"input_{pin}", Capacitor(self.input_capacitance), (pin, GROUND))
        if math.isfinite(self.input_resistance):
            yield Element("input", Resistor(self.input_resistance, is_computing=True), ("plus", "minus"))
        if self.differential_capacitance:
            yield Element("input", Capacitor(self.differential_capacitance), ("plus", "minus"))

    def _difference(self) -> Iterator[Element]:
        """Yield what makes d, volts, at the node `difference`: 1 mA on 1 kOhm for each volt."""
        into = (GROUND, "difference")
        yield Element("difference", Transconductance(MILLI), (*into, "plus", "minus"))
        yield Element("difference", Resistor(KILO, is_computing=True), ("difference", GROUND))
        by_supply = self.by_supply
        if shift := self.offset - by_supply * self.nominal_supply:
            yield Element("offset", CurrentSource(MILLI * shift), into)
        if by_common := self.by_common_mode:
            half = MILLI * by_common / 2.0
            yield Element("common_plus", Transconductance(half), (*into, "plus", "supply_minus"))
            yield Element("common_minus", Transconductance(half), (*into, "minus", "supply_plus"))
        if by_supply:
            yield Element("supply", Transconductance(MILLI * by_supply), (*into, *SUPPLIES))
        pin, lower, upper = Argument(0), Argument(1), Argument(2)
        below, above = lower + self.common_mode_minus - pin, pin - upper + self.common_mode_plus
        for sign, name in ((1.0, "plus"), (-1.0, "minus")):
            if self.beyond_common_mode == "clamp":
                formula = sign * MILLI * (maximum(below, 0.0) - maximum(above, 0.0))
                rails: tuple[str, ...] = ("supply_minus", "supply_plus")
            elif self.beyond_common_mode == "reverse":
                formula, rails = MILLI * REVERSAL * _ramp(below, REVERSAL_WIDTH), ("supply_minus",)
            else:
                continue
            yield Element(f"beyond_{name}", Behaviour(formula, "current"), (*into, name, *rails))

    def _gain_stage(self) -> Iterator[Element]:
        """Yield the stage that saturates, its pole, and the clamps that hold it within the swing."""
        loaded = 1.0 + self.output_resistance / self.load
        siemens = 2.0 * math.pi * self.gain_bandwidth * GAIN_NODE * loaded
        into, d = (GROUND, "gain"), Argument(0)
        if self.slew_rate == math.inf:
            most = STRONG * siemens
            yield Element("gain", Transconductance(siemens), (*into, "difference", GROUND))
        else:
            most = self.slew_rate * GAIN_NODE * loaded
            part = (siemens / most) * d
            shape = siemens * d / call("sqrt", 1.0 + part * part)
            yield Element("gain", Behaviour(shape, "current"), (*into, "difference"))
        halves = 2.0 * self.gain * loaded / siemens
        for side, rail in zip(("upper", "lower"), SUPPLIES, strict=True):
            yield Element(f"gain_{side}", Resistor(halves, is_computing=True), ("gain", rail))
        yield Element("gain", Capacitor(GAIN_NODE), ("gain", GROUND))
        strength = most / CLAMP_WIDTH**2
        for sign, name, supply, room, ohms, limit in (
            (1.0, "upper", Argument(1), self.headroom_plus, self.headroom_plus_resistance, self.source_current),
            (-1.0, "lower", Argument(2), self.headroom_minus, self.headroom_minus_resistance, self.sink_current),
        ):
            if math.isinf(room):
                continue
            ends: tuple[str, ...] = ("gain", GROUND, "gain", *SUPPLIES)
            # Both clamps off without supplies: a simulator orders its matrix there, and with clamps on in an order that
            # amplifies rounding once they are off.
            reached = minimum(room + CLAMP_WIDTH, 0.5 * (Argument(1) - Argument(2)))
            beyond = sign * (Argument(0) - supply) + reached
            # The output stage drops Ro for each ampere; the clamp gives what the sheet's headroom takes beside that.
            if ohms != self.output_resistance:
                given = sign * Argument(3)
                given = minimum(given, KILO * limit / 2.0) if limit < NO_LIMIT else given
                beyond, ends = beyond + MILLI * (ohms - self.output_resistance) * given, (*ends, "current")
            over = maximum(beyond, 0.0)
            yield Element(f"clamp_{name}", Behaviour(sign * strength * over * over, "current"), ends)

    def _output_stage(self) -> Iterator[Element]:
        """Yield the second pole, the output's current in mA at the node `current`, and what the rails give."""
        yield Element("second", Transconductance(MILLI), (GROUND, "second", "gain", GROUND))
        yield Element("second", Resistor(KILO, is_computing=True), ("second", GROUND))
        if self.second_pole != math.inf:
            yield Element("second", Capacitor(MILLI / (2.0 * math.pi * self.second_pole)), ("second", GROUND))
        yield Element("current", Resistor(KILO, is_computing=True), ("current", GROUND))
        drive = (Argument(0) - Argument(1)) / self.output_resistance
        into = (GROUND, "current")
        if max(self.source_current, self.sink_current) < NO_LIMIT:
            limited = self._limit(drive)
            yield Element("limit", Behaviour(limited, "current"), (*into, "second", "output"))
            yield Element("current", Capacitor(LIMITER_NODE), ("current", GROUND))
            yield Element("output", Capacitor(OUTPUT_NODE), ("output", GROUND))
            half: Part = Behaviour(0.5 * limited, "current")
        else:
            yield Element("limit", Transconductance(1.0 / self.output_resistance), (*into, "second", "output"))
            half = Transconductance(0.5 / self.output_resistance)
        # From the drive itself, not from `current`: the output then has a conductance of its own in a simulator's
        # matrix, without which rounding is amplified where a diode at the output is off.
        for side, rail in zip(("upper", "lower"), SUPPLIES, strict=True):
            yield Element(f"rail_{side}", half, (rail, "output", "second", "output"))
        # In class AB, what one rail gives to the load and what the other takes from it: half of it, and half of |i|.
        through, i = CLASS_AB * self.supply_current, Argument(0)
        quiet, least = self.supply_current - through / 2.0, KILO * through
        formula = quiet * tanh(Argument(1) - Argument(2)) + 0.5 * MILLI * call("sqrt", i * i + least * least)
        yield Element("supply", Behaviour(formula, "current"), (*SUPPLIES, "current", *SUPPLIES))

    def _limit(self, drive: Expression) -> Expression:
        """Return the output's current, amperes: a tanh whose ends give the sheet's short circuits, and slope 1/Ro at 0.

        A sheet's short circuit is at half of the nominal supply, where the drive is known, so the ends are solved for.
        """
        up = self._end(self.source_current, self.headroom_plus, self.headroom_plus_resistance)
        down = self._end(self.sink_current, self.headroom_minus, self.headroom_minus_resistance)
        middle, half = (up - down) / 2.0, (up + down) / 2.0
        tilt = middle / half
        slope = 1.0 / (half * (1.0 - tilt * tilt))
        if not tilt:
            return half * tanh(slope * drive)
        return half * tanh(slope * drive - math.atanh(tilt)) + middle

    def _end(self, current: float, headroom: float, ohms: float) -> float:
        if math.isinf(headroom):
            return current
        room = self.nominal_supply / 2.0 - headroom - (ohms - self.output_resistance) * current / 2.0
        drive = room / self.output_resistance
        if not drive > current:
            return 50.0 * current
        from scipy.optimize import brentq

        return float(brentq(lambda end: end * math.tanh(drive / end) - current, current, 50.0 * current + drive))

    def _noise(self) -> Iterator[Element]:
        """Yield resistors whose thermal noise is that of the inputs; 1/f is a sum of low-pass noises."""
        if not self.noise:
            return
        into = (GROUND, "difference")
        density = max(self.voltage_noise**2 - FOUR_K_T * KILO, 0.0)  # less what the resistor of d has itself
        if density:
            yield Element("noise", Resistor(density / FOUR_K_T, is_computing=True), ("noise", GROUND))
            yield Element("noise", Transconductance(MILLI), (*into, "noise", GROUND))
        if self.voltage_noise and self.noise_corner:
            decades = math.log10(FASTEST / SLOWEST)
            step = math.log(10.0) / IN_DECADE
            for k in range(round(decades * IN_DECADE) + 1):
                corner = SLOWEST * 10.0 ** (k / IN_DECADE)
                ohms = self.voltage_noise**2 * self.noise_corner * 2.0 * step / (math.pi * corner) / FOUR_K_T
                node = f"flicker_{k}"
                yield Element(node, Resistor(ohms, is_computing=True), (node, GROUND))
                yield Element(node, Capacitor(1.0 / (2.0 * math.pi * corner * ohms)), (node, GROUND))
                yield Element(node, Transconductance(MILLI), (*into, node, GROUND))
        left = self.current_noise**2 - FOUR_K_T / self.input_resistance  # less what that resistor has itself
        if left > 0.0:
            siemens = math.sqrt(left / (FOUR_K_T * KILO))
            for pin in ("plus", "minus"):
                yield Element(f"noise_{pin}", Resistor(KILO, is_computing=True), (f"noise_{pin}", GROUND))
                yield Element(f"noise_{pin}", Transconductance(siemens), (pin, GROUND, f"noise_{pin}", GROUND))


def _ramp(x: Expression, width: float) -> Expression:
    """Return 0 for x < 0 and x for large x, with a parabola of this width between."""
    over = minimum(maximum(x, 0.0), width)
    return over * over / (2.0 * width) + maximum(x - width, 0.0)


def _ratio(decibels: float) -> float:
    return 0.0 if math.isinf(decibels) else 10.0 ** (-decibels / 20.0)
