"""The logistic curve from additions, products and one division: the same bits from NumPy and from machine code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..values.arrays import Array

LOG2_E: Final = 1.4426950408889634
# ln 2 in two parts: the first has 32 bits, so that its products with small whole numbers are exact.
LN2_HIGH: Final = 0.6931471803691238
LN2_LOW: Final = 1.9082149292705877e-10
LIMIT: Final = 40.0  # beyond it the curve is 0 or 1 to 4e-18
OFFSET: Final = 60
# 2^k for k from -OFFSET to OFFSET, all exact.
POWERS: Final = np.ldexp(1.0, np.arange(-OFFSET, OFFSET + 1))
# 1/k! from k = 13 down to 0: exp(r) for |r| below 0.35 to the last bit or two.
TAYLOR: Final = (
    1.6059043836821613e-10,
    2.08767569878681e-09,
    2.505210838544172e-08,
    2.755731922398589e-07,
    2.7557319223985893e-06,
    2.48015873015873e-05,
    0.0001984126984126984,
    0.001388888888888889,
    0.008333333333333333,
    0.041666666666666664,
    0.16666666666666666,
    0.5,
    1.0,
    1.0,
)


def logistic(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)), with a limited to +-LIMIT; `chaotic_kernel.logistic` has the same operations."""
    x = -np.minimum(np.maximum(a, -LIMIT), LIMIT)
    k = np.rint(x * LOG2_E)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    power: Any = TAYLOR[0]
    for coefficient in TAYLOR[1:]:
        power = power * r + coefficient
    result: Array = 1.0 / (1.0 + power * POWERS[k.astype(np.int64) + OFFSET])
    return result
