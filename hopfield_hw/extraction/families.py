"""Which family of curves a measured curve is near: with its swing, its slope, where its middle is, and how near.

Each family is fitted by least squares, y = level + f(x - at), with f odd of amplitude a and slope b at zero, to points
at equal distances; the root mean square of what is left is given as a part of the swing of the curve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from ..functions import Algebraic, Arctan, PiecewiseLinear, Sigmoid, Softsign, Table, Tanh
from ..values.arrays import Array
from ..values.si_text import format_si

ODD: tuple[type[Sigmoid], ...] = (Tanh, PiecewiseLinear, Arctan, Algebraic, Softsign)
# Deviations, parts of the swing: of what is near a family, and of what is a straight line.
NEAR, STRAIGHT = 1e-2, 1e-3
# What a curve may be nearer to another family than to a line, for it to be a line.
ALIKE = 1.05
# A curve from 0 V, to this part of its swing, that is a tanh about its middle is a logistic.
FROM_ZERO = 1e-2
POINTS = 401
# A family with one side beyond what was measured has an amplitude of so many swings at most.
WIDEST = 3.0


class FamilyFit(NamedTuple):
    """A family near a measured curve.

    `kind`: its name, `linear` for a straight line. `amplitude`: half of its swing, volts (amperes of a current); of a
    logistic all of it, of a line half of what was measured. `slope`: at its middle. `at`, `level`: its
    middle, volts of the state and of the curve. `deviation`: root mean square, a part of the swing measured. `unit`: of
    the curve.
    """

    kind: str
    amplitude: float
    slope: float
    at: float
    level: float
    deviation: float
    unit: str = "V"

    def __str__(self) -> str:
        about = (
            ""
            if abs(self.at) * self.slope < NEAR * self.amplitude
            else f" about {format_si(float(f'{self.at:.3g}'), 'V')}"
        )
        return (
            f"{self.kind}, {format_si(float(f'{self.amplitude:.4g}'), self.unit)}, gain {self.slope:.3g}{about}, "
            f"within {100.0 * self.deviation:.2g}%"
        )


def find_family(table: Table, unit: str = "V") -> FamilyFit | None:
    """Return the family nearest to a measured curve; None where none is within a part `NEAR` of its swing."""
    x = np.linspace(table.x[0], table.x[-1], POINTS)
    y = table.value(x)
    swing = float(np.ptp(y))
    if not swing > 0.0:
        return None
    line = np.polynomial.Polynomial.fit(x, y, 1).convert()
    off = float(np.sqrt(np.mean((line(x) - y) ** 2))) / swing
    level, slope = (float(each) for each in line.coef)
    straight = FamilyFit("linear", 0.5 * swing, slope, 0.0, level, off, unit)
    if off <= STRAIGHT:
        return straight
    fits = [_fit(family, x, y) for family in ODD]
    best = min(fits, key=lambda fit: fit.deviation)._replace(unit=unit)
    best = straight if off <= ALIKE * best.deviation else best
    if not best.deviation <= NEAR:
        return None
    if best.kind == Tanh.kind and abs(best.level - best.amplitude) < FROM_ZERO * swing:
        return best._replace(kind="logistic", amplitude=2.0 * best.amplitude, level=0.0)
    return best


def _fit(family: type[Sigmoid], x: Array, y: Array) -> FamilyFit:
    swing, width = float(np.ptp(y)), float(np.ptp(x))
    slopes = np.gradient(y, x)
    middle = float(np.interp(0.5 * (y[0] + y[-1]), y, x))

    def given(values: Array) -> Array:
        amplitude, slope, at, level = 0.5 * swing * values[0], swing / width * values[1], width * values[2], values[3]
        return np.asarray(level * swing + family(gain=float(slope), amplitude=float(amplitude)).value(x - at))

    def residual(values: Array) -> Array:
        return (given(values) - y) / swing

    first = np.array(
        [1.0, max(float(np.max(slopes)) * width / swing, 1.0), middle / width, 0.5 * (y[0] + y[-1]) / swing]
    )
    reach = np.max(np.abs([first[2], *(x[[0, -1]] / width)])) + 1.0
    height = np.max(np.abs(y)) / swing + 1.0
    bounds = ([0.1, 1e-3, -reach, -height], [WIDEST, 1e6, reach, height])
    found = least_squares(residual, first, bounds=bounds, x_scale=[1.0, first[1], 1.0, 1.0])
    amplitude, slope, at, level = found.x
    return FamilyFit(
        family.kind,
        float(0.5 * swing * amplitude),
        float(swing / width * slope),
        float(width * at),
        float(level * swing),
        float(np.sqrt(np.mean(found.fun**2))),
    )
