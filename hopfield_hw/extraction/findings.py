"""What differs from the network that was intended: single faults in words, and the values that are off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..values.report import Report

Kind = Literal[
    "inputs", "extra", "exchanged", "rewired", "value", "missing", "capacitor", "source", "curve", "load", "clock"
]


class Finding(NamedTuple):
    """One fault that would explain what differs, in words.

    `devices`: those at fault; of one that is missing, none. `nodes`: between which something is missing, or where a
    device should go. `left`: of the squares of what differs, the part that its repair leaves. `score`: chi-square of
    what is left, with a penalty for what a fault of its kind may choose; the least is the likeliest. `alternatives`:
    other faults with the same effect, in words.
    """

    kind: Kind
    words: str
    devices: tuple[str, ...]
    nodes: tuple[str, ...]
    left: float
    score: float
    alternatives: tuple[str, ...] = ()

    def __str__(self) -> str:
        others = f" (or the same: {'; '.join(self.alternatives)})" if self.alternatives else ""
        return f"{self.words}{others}"


class Deviation(NamedTuple):
    """A value that is off: its name, such as T[2, 5], what was found and what was intended, in its unit."""

    name: str
    found: float
    intended: float
    unit: str
    size: float

    @property
    def relative(self) -> float:
        """By how much it is off, of what was intended; infinite where that is 0."""
        return self.found / self.intended - 1.0 if self.intended else float("inf")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Differences(Report):
    """How a circuit differs from the network that was intended, and the faults that explain it, the likeliest first.

    `findings`: each explains what the ones before it leave, where `sequence` says that several are there at once;
    `candidates`: all single faults that were weighed, by score. `deviations`: the values that are off by more than the
    tolerance, the most first. `left`: what the findings leave of the squares of what differs.
    """

    findings: tuple[Finding, ...]
    candidates: tuple[Finding, ...]
    deviations: tuple[Deviation, ...]
    tolerance: float
    left: float

    @property
    def agrees(self) -> bool:
        """Whether nothing is off by more than the tolerance."""
        return not self.deviations and not self.findings

    def rows(self) -> list[tuple[str, str]]:
        if self.agrees:
            return [("differences", f"none above {self.tolerance:.1g}")]
        found = [("fault", str(finding)) for finding in self.findings]
        if not found:
            found = [("fault", "no single fault, and no three, explain it")]
        elif self.left > 0.05:
            found.append(("left", f"{self.left:.0%} of what differs is explained by none of them"))
        shown = [("off", format_deviation(each)) for each in self.deviations[:8]]
        if len(self.deviations) > 8:
            shown.append(("off", f"and {len(self.deviations) - 8} more"))
        return [*found, *shown]

    def figures(self) -> dict[str, Any]:
        return {
            "agrees": self.agrees,
            "tolerance": self.tolerance,
            "left": self.left,
            "findings": [finding._asdict() for finding in self.findings],
            "candidates": [finding._asdict() for finding in self.candidates[:8]],
            "deviations": [each._asdict() for each in self.deviations],
        }


def format_deviation(deviation: Deviation) -> str:
    """Return a deviation in words: `effective T[2, 5] is 8% low`."""
    from ..values.si_text import format_si

    name, found, intended = deviation.name, deviation.found, deviation.intended
    values = f"{format_si(found, deviation.unit)}, intended {format_si(intended, deviation.unit)}"
    if not intended:
        return f"{name} is {format_si(found, deviation.unit)}, and should not be there"
    if not found:
        return f"{name} is not there, intended {format_si(intended, deviation.unit)}"
    if found * intended < 0.0:
        return f"{name} has the wrong sign: {values}"
    part = abs(deviation.relative)
    return (
        f"{name} is {found / intended:.3g} times what was intended ({values})"
        if part > 1.0
        else (f"{name} is {part:.2%} {'high' if abs(found) > abs(intended) else 'low'} ({values})")
    )
