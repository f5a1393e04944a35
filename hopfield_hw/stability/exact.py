"""Exact limits of linear systems with one delay, which no certificate can pass."""

from __future__ import annotations

from ..analysis.characteristic import characteristic_roots
from ..analysis.delay_windows import find_delay_windows
from ..values.errors import InputError
from .certificate import check_delay
from .systems import LinearDelaySystem


def stable_windows(system: LinearDelaySystem, longest: float) -> tuple[tuple[float, float], ...]:
    """Return the ranges of h in [0, `longest`] in which x'(t) = A x(t) + Ad x(t - h) is exponentially stable.

    Those of `analysis.find_delay_windows`, cut at `longest`, seconds; none where 0 is a root, which no delay moves.
    Raises InputError for a delay that is not positive, and for more states than the crossings are computed of.
    """
    end = check_delay(longest, "longest")
    try:
        found = find_delay_windows(system.matrix, system.late, h_max=end, check=False)
    except InputError as error:
        if "0 is a root at every delay" in str(error):
            return ()
        raise
    return tuple((a, min(b, end)) for a, b in found.windows if a < end)


def largest_stable_delay(system: LinearDelaySystem, longest: float) -> float:
    """Return the end of the window of delays that begins at 0, seconds; 0 where there is none, `longest` at most."""
    windows = stable_windows(system, longest)
    return windows[0][1] if windows and windows[0][0] == 0.0 else 0.0


def rightmost_root(system: LinearDelaySystem, delay: float) -> complex:
    """Return the characteristic root of x'(t) = A x(t) + Ad x(t - h) with the largest real part, 1/s.

    By `analysis.characteristic_roots`, which shares nothing with the crossings that `stable_windows` rests on.
    """
    h = check_delay(delay, "delay", zero=True)
    if h == 0.0:
        return complex(characteristic_roots(system.matrix + system.late).roots[0])
    return complex(characteristic_roots(system.matrix, [system.late], [h]).roots[0])
