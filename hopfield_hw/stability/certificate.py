"""A certificate: what is proved of a network, the matrices that prove it, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ..values.arrays import Array, freeze
from ..values.errors import InputError
from .inequality import Inequality

EVERY = float(np.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """What one criterion says of one network; `proved` only where each of its inequalities holds.

    `criterion`: its name. `claim`: what it says where it is proved. `system`: the DelayedNetwork or LinearDelaySystem
    that it is about, whose numbers are taken as exact. `delays`: (shortest, longest), seconds; (0, inf) for all.
    `rate`: the largest rate of change of the delay, s/s; 0 for a constant delay, infinite for any. `matrices`: of the
    proof, by the names of the source. `inequalities`: each as it was found after the solver; whatever the solver said
    of its own success counts for nothing. `figures`: what it says besides (exponential rate, gain). `source`: a paper.
    `proves`: "stability" of one equilibrium, or "convergence" alone, to equilibria of which there may be several.
    `attempts`: of `certify`, a line for each criterion that came before.
    """

    criterion: str
    claim: str
    system: Any
    inequalities: tuple[Inequality, ...]
    source: str
    delays: tuple[float, float] = (0.0, EVERY)
    rate: float = 0.0
    matrices: Mapping[str, Array] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    attempts: tuple[str, ...] = ()
    proves: Literal["stability", "convergence"] = "stability"

    def __post_init__(self) -> None:
        matrices = {name: freeze(np.array(value, dtype=np.float64), name) for name, value in self.matrices.items()}
        object.__setattr__(self, "matrices", MappingProxyType(matrices))
        object.__setattr__(self, "figures", MappingProxyType(dict(self.figures)))

    @property
    def proved(self) -> bool:
        """Whether each inequality was found to hold, and there is at least one."""
        return bool(self.inequalities) and all(one.holds for one in self.inequalities)

    @property
    def margin(self) -> float:
        """The smallest margin of the inequalities, relative; -inf where there is none. Not positive: not proved."""
        least = min((one.margin for one in self.inequalities), default=-np.inf)
        return float(least if self.proved else min(least, 0.0))

    @property
    def is_exact(self) -> bool:
        """Whether each inequality was proved in rational arithmetic."""
        return self.proved and all(one.arithmetic == "exact" for one in self.inequalities)

    @property
    def statement(self) -> str:
        """What is proved, in words; that nothing is, where it is not."""
        if self.proved:
            return self.claim
        failed = [one.name for one in self.inequalities if not one.holds]
        why = f"does not hold: {', '.join(failed[:3])}" if failed else "the solver found no candidate"
        return f"nothing is proved ({why})"

    def __bool__(self) -> bool:
        return self.proved

    def __repr__(self) -> str:
        return f"<Certificate {self.criterion}: {'proved' if self.proved else 'not proved'}, margin {self.margin:.2g}>"

    def __str__(self) -> str:
        lines = [f"{self.criterion}: {self.statement}"]
        for one in self.inequalities:
            sign = "holds" if one.holds else "does not hold"
            lines.append(f"  {one.name} > 0  {sign}, {one.eigenvalue:.3g} of {one.bound:.1g} ({one.arithmetic})")
        for name, value in self.figures.items():
            lines.append(f"  {name}  {round_down(value) if 'rate' in name else round_up(value)}")
        return "\n".join([*lines, f"  {self.source}", *(f"  before: {line}" for line in self.attempts)])


def round_up(value: float, digits: int = 6) -> str:
    """Return a number of so many digits that is not below `value`: of a bound that is not exceeded."""
    return _rounded(value, digits, ROUND_CEILING)


def round_down(value: float, digits: int = 6) -> str:
    """Return a number of so many digits that is not above `value`: of a rate or a delay up to which a proof goes."""
    return _rounded(value, digits, ROUND_FLOOR)


def _rounded(value: float, digits: int, rounding: str) -> str:
    near = f"{value:.{digits}g}"
    if float(near) == value:
        return near  # so it was written, though the binary number may lie a rounding to the other side
    return f"{float(Context(prec=digits, rounding=rounding).create_decimal(Decimal(value))):.{digits}g}"


def check_delay(value: Any, name: str, *, zero: bool = False) -> float:
    """Return a delay in seconds: finite and positive, or 0 where that is allowed. Raises InputError for others."""
    if value is None:
        raise InputError(f"`{name}`: the network has none of its own; give it, seconds")
    delay = float(freeze(value, name, shape=(), unit="s"))
    if delay < 0.0 or (delay == 0.0 and not zero):
        raise InputError(f"`{name}` = {delay:g} s: must be {'at least 0' if zero else 'positive'}")
    return delay
