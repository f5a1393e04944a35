"""Four-quadrant multipliers: the exact one, and the errors of an AD633."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ..functions.expressions import Argument, Expression, Number
from .part import Part


@dataclass(frozen=True, slots=True)
class Multiplier(Part):
    """W = (1 + e)(X + x0)(Y + y0)/U + Z + z0 + fx X + fy Y + nx c(X) Y + ny c(Y) X, of the voltages at x, y and z.

    `scale`: U, volts. The errors, all 0 by default: `gain` e, offsets in volts, feedthrough fx and fy, and
    nonlinearity nx and ny as parts of the full scale of 10 V (c(X) is a cubic of X / 10 V with a peak of 1, and 0 at
    both ends).
    """

    scale: float = 10.0
    gain: float = 0.0
    x_offset: float = 0.0
    y_offset: float = 0.0
    z_offset: float = 0.0
    x_feedthrough: float = 0.0
    y_feedthrough: float = 0.0
    x_nonlinearity: float = 0.0
    y_nonlinearity: float = 0.0
    what: ClassVar[str] = "multiplier"
    ports = ("w", "x", "y", "z")
    units: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "scale": "V",
            "gain": "",
            "x_offset": "V",
            "y_offset": "V",
            "z_offset": "V",
            "x_feedthrough": "",
            "y_feedthrough": "",
            "x_nonlinearity": "",
            "y_nonlinearity": "",
        }
    )
    positive: ClassVar[frozenset[str]] = frozenset({"scale"})

    @property
    def sensed(self) -> tuple[int, ...]:
        return (1, 2, 3)

    @property
    def held(self) -> int:
        return 0

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> None:
        return None

    def output(self) -> Expression:
        """Return W as an expression of the voltages at x, y and z; errors of 0 are left out."""
        x, y, z = (Argument(k) for k in range(3))
        left, right = (v + offset if offset else v for v, offset in ((x, self.x_offset), (y, self.y_offset)))
        result = Number((1.0 + self.gain) / self.scale) * left * right + z
        if self.z_offset:
            result = result + self.z_offset
        for v, other, through, bend in (
            (x, y, self.x_feedthrough, self.x_nonlinearity),
            (y, x, self.y_feedthrough, self.y_nonlinearity),
        ):
            if through:
                result = result + through * v
            if bend:
                # t - t^3 is 0 at both ends of the range and has its peak, 2/(3 sqrt 3), between.
                t = 0.1 * v
                result = result + bend * 2.598 * t * (1.0 - t * t) * other
        return result


# Typical errors (Analog Devices, AD633 data sheet, specifications at 25 degrees Celsius); parts of full scale.
AD633_TYPICAL = Multiplier(
    gain=0.0025,
    x_offset=5e-3,
    y_offset=5e-3,
    z_offset=5e-3,
    x_feedthrough=0.003,
    y_feedthrough=0.001,
    x_nonlinearity=0.004,
    y_nonlinearity=0.001,
)
