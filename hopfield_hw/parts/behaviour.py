"""Behavioural sources: a voltage or a current that a formula of other voltages gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..functions.expressions import Expression, count_arguments
from ..values.errors import InputError
from .part import Part


@dataclass(frozen=True, slots=True)
class Behaviour(Part):
    """v or i = f(v_0, v_1, ...), ideal; `formula` is an expression whose arguments are the voltages of further nodes.

    Its nodes: `plus` and `minus`, between which it holds a voltage, or through which its current flows from the first
    to the second, and one node for each argument.
    """

    formula: Expression
    gives: Literal["voltage", "current"] = "voltage"
    what: ClassVar[str] = "behavioural source"

    @property
    def ports(self) -> tuple[str, ...]:
        return ("plus", "minus", *(f"in_{k}" for k in range(count_arguments(self.formula))))

    @property
    def sensed(self) -> tuple[int, ...]:
        return tuple(range(2, 2 + count_arguments(self.formula)))

    @property
    def held(self) -> int | None:
        return 0 if self.gives == "voltage" else None

    def check(self, name: str) -> None:
        if not isinstance(self.formula, Expression):
            raise InputError(f"device {name}: formula {self.formula!r:.60}: must be an expression")
