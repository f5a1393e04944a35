"""Tolerances: which distribution for which parts of a circuit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, NamedTuple

from ..circuit import Device
from ..circuit.roles import Role
from ..parts import AD633_TYPICAL, KINDS
from ..parts.parameters import Parameter, find_parameter
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.names import unknown
from .distributions import Distribution, Fixed, Normal, as_distribution

# The errors of a multiplier, and how large they typically are.
AD633_ERRORS: Mapping[str, float] = MappingProxyType(
    {item.name: getattr(AD633_TYPICAL, item.name) for item in fields(AD633_TYPICAL) if item.name != "scale"}
)
EXACT = Fixed()
# By kind, the parameter that a rule is of where it names none.
MAIN: Mapping[str, str] = MappingProxyType(
    {
        "resistor": "resistance",
        "capacitor": "capacitance",
        "transistor": "saturation_current",
        "op_amp": "offset",
        "transconductor": "siemens",
        "switch": "on",
    }
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One distribution for those physical parts that fit all that is given.

    `kind`: a key of `hopfield_hw.parts.KINDS`, such as "resistor". `role`: what a part does, a Role or its text, such
    as "weights". `name`: a pattern of device names, such as "R_syn_3_*", in any case. `parameter`: which value of the
    part; its main one by default, of an op-amp one of its own or of its model. `distribution`: or a tolerance, "1%".

    Raises InputError for an unknown kind or role, and a distribution that is none.
    """

    distribution: Any
    kind: str | None = None
    role: Any = None
    name: str = "*"
    parameter: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise InputError(f"`Rule.kind`: {unknown('kind of part', self.kind, KINDS)}")
        if self.role is not None and self.role not in list(Role):
            raise InputError(f"`Rule.role`: {unknown('role', self.role, [str(role) for role in Role])}")
        for what, text in (("name", self.name), ("parameter", self.parameter)):
            if text is not None and not isinstance(text, str):
                raise InputError(f"`Rule.{what}` = {text!r:.40}: must be a text")
        object.__setattr__(self, "distribution", as_distribution(self.distribution, "Rule.distribution"))

    def parameter_of(self, device: Device) -> Parameter | None:
        """Return which value of a device the rule is of; None where it does not fit."""
        part, role = device.part, device.origin.role
        kind = next((name for name, of in KINDS.items() if type(part) is of), None)
        fits = part.physical and (self.kind is None or kind == self.kind) and (self.role is None or role == self.role)
        if not fits or kind is None or not fnmatchcase(device.name.lower(), self.name.lower()):
            return None
        return find_parameter(part, self.parameter or MAIN.get(kind, ""))


class Applies(NamedTuple):
    """What a field of Tolerances applies to, in words, and cells that have such parts (for most networks)."""

    what: str
    cells: str


_OP_AMPS = "inverting_integrator, winner_take_all, active_rc, summing_amplifier"
APPLIES: Mapping[str, Applies] = MappingProxyType(
    {
        "resistors": Applies("resistors", "hopfield_tank, inverting_integrator, active_rc, summing_amplifier"),
        "capacitors": Applies("capacitors", "every cell"),
        "offset": Applies("op-amps", _OP_AMPS),
        "matching": Applies("transistors", 'ActiveRC(activation="pair")'),
        "multipliers": Applies("multipliers", 'ActiveRC(multiplier="ad633"), for graphs with products'),
        "op_amps": Applies("op-amps whose model states it", f"{_OP_AMPS}, with op_amp= a model that does"),
    }
)


class NamedRule(NamedTuple):
    """A rule with the field of Tolerances that it is from, and what that applies to."""

    label: str
    rule: Rule
    applies: Applies


@dataclass(frozen=True, kw_only=True)
class Tolerances(Brief):
    """How parts are distributed about their values; without a field they are exact.

    `resistors`, `capacitors`: a distribution, or a tolerance in which values are uniform, 0.01 or "1%".
    `offset`: of op-amps, added to what they have: a distribution with a unit, or a standard deviation of a normal, 1e-3
    or "1mV". `matching`: of the saturation currents of transistors: a distribution, or the standard deviation of a
    normal, a part. `multipliers`: standard deviations of the errors of multipliers, in units of what the data sheet of
    an AD633 calls typical. `op_amps`: by field of an op-amp's model a distribution, such as MinTypMax of its sheet, or
    a tolerance: {"gain_bandwidth": "30%", "slew_rate": MinTypMax(minimum=8e6, typical=13e6)}.
    `rules`: for some parts alone, by kind, role or name; a later rule goes before an earlier one, and all before the
    fields.

    Raises InputError for negative or infinite values, tolerances of 100% or more, and `offset` given twice.
    """

    resistors: Any = EXACT
    capacitors: Any = EXACT
    offset: Any = EXACT
    matching: Any = EXACT
    multipliers: Any = 0.0
    op_amps: Mapping[str, Any] = field(default_factory=dict)
    rules: Iterable[Rule] = ()

    def __post_init__(self) -> None:
        for name in ("resistors", "capacitors", "offset", "matching"):
            unit = "V" if name == "offset" else ""
            given = as_distribution(
                getattr(self, name), f"Tolerances.{name}", unit=unit, is_deviation=name in ("offset", "matching")
            )
            object.__setattr__(self, name, given)
        scale = as_distribution(self.multipliers, "Tolerances.multipliers", unit="1", is_deviation=True)
        object.__setattr__(self, "multipliers", scale.tolerance if isinstance(scale, Normal) else 0.0)
        if not isinstance(self.op_amps, Mapping):
            raise InputError(f"`Tolerances.op_amps` = {self.op_amps!r:.60}: must be distributions by field of a model")
        models = {
            str(name): as_distribution(given, f"Tolerances.op_amps[{name!r}]") for name, given in self.op_amps.items()
        }
        object.__setattr__(self, "op_amps", models)
        rules = (self.rules,) if isinstance(self.rules, Rule) else tuple(self.rules)
        for rule in rules:
            if not isinstance(rule, Rule):
                raise InputError(f"`Tolerances.rules` holds {rule!r:.60}: must hold Rules")
        object.__setattr__(self, "rules", rules)
        if "offset" in models and not isinstance(self.offset, Fixed):
            raise InputError("`Tolerances`: has `offset` and `op_amps['offset']`, which would add up; give one of them")

    @property
    def named_rules(self) -> tuple[NamedRule, ...]:
        """All rules that change something, the last the strongest, each with the field that it is from."""
        found: list[tuple[str, Rule, Applies]] = []
        for name, kind in (("resistors", "resistor"), ("capacitors", "capacitor"), ("matching", "transistor")):
            found.append((name, Rule(distribution=getattr(self, name), kind=kind), APPLIES[name]))
        if self.multipliers:
            for name, size in AD633_ERRORS.items():
                error = Normal(tolerance=self.multipliers * size, sigmas=1.0, unit="1")
                rule = Rule(distribution=error, kind="multiplier", parameter=name)
                found.append(("multipliers", rule, APPLIES["multipliers"]))
        found.append(("offset", Rule(distribution=self.offset, kind="op_amp"), APPLIES["offset"]))
        for name, given in self.op_amps.items():
            rule = Rule(distribution=given, kind="op_amp", parameter=name)
            found.append((f"op_amps[{name!r}]", rule, APPLIES["op_amps"]))
        changing = [one for one in found if not isinstance(one[1].distribution, Fixed)]
        changing += [
            (f"rules[{k}]", rule, Applies("parts that fit it", "none that is known"))
            for k, rule in enumerate(self.rules)
        ]
        return tuple(NamedRule(*one) for one in changing)


def is_relative(distribution: Distribution) -> bool:
    """Whether a distribution's deviation is a part of the nominal value."""
    inner = getattr(distribution, "own", distribution)
    return getattr(inner, "unit", None) == "" and hasattr(inner, "tolerance")
