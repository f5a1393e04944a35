"""The gain curve as a formula: a behavioural source, which no board has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...circuit import Draft
from ...functions import GAINS, Function
from ...graph import Activate
from ...values.brief import Brief
from ..elements import add_amplifier
from ..summing import Summing


@dataclass(frozen=True, kw_only=True)
class Exact(Brief):
    """v = g(x) by a source whose voltage is a formula: any gain curve, at any load, at once."""

    name: str = "exact"
    curves: tuple[type[Function], ...] = tuple(GAINS.values())
    in_parts: bool = False
    reach: float = 6.0

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add one source for each element."""
        add_amplifier(draft, activate, inputs, inverting=True)
