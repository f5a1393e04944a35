"""Exact limits of linear systems with one delay, which no certificate can pass."""

from __future__ import annotations

import numpy as np

from ..analysis.characteristic import characteristic_roots
from ..analysis.delay_windows import RootAtZeroError, find_delay_windows
from ..values.errors import AccuracyError
from .certificate import check_delay
from .systems import LinearDelaySystem

# On both sides of the end of a window, so far from it, the rightmost root is looked at.
ASIDE = 1e-3


def stable_windows(system: LinearDelaySystem, longest: float) -> tuple[tuple[float, float], ...]:
    """Return the ranges of h in [0, `longest`] in which x'(t) = A x(t) + Ad x(t - h) is exponentially stable.

    Those of `analysis.find_delay_windows`, cut at `longest`, seconds, and checked there by the characteristic roots;
    none where 0 is a root, which no delay moves.

    Raises InputError for a delay that is not positive, and for more states than the crossings are computed of;
    AccuracyError where the characteristic roots do not agree with the crossings, or an eigenvalue is not found.
    """
    return _windows(system, longest, check=True)


def _windows(system: LinearDelaySystem, longest: float, *, check: bool) -> tuple[tuple[float, float], ...]:
    end = check_delay(longest, "longest")
    try:
        found = find_delay_windows(system.matrix, system.late, h_max=end, check=check)
    except RootAtZeroError:
        return ()
    except np.linalg.LinAlgError as error:
        raise AccuracyError(f"stable_windows: the crossings were not found ({error}); scale the system") from None
    if not found.agrees:
        raise AccuracyError(
            "stable_windows: the characteristic roots do not agree with the crossings of the imaginary axis, so no "
            "window is known; look at `analysis.find_delay_windows`, or change `longest`"
        )
    return tuple((a, min(b, end)) for a, b in found.windows if a < end)


def largest_stable_delay(system: LinearDelaySystem, longest: float) -> float:
    """Return the end of the window of delays that begins at 0, seconds; 0 where there is none, `longest` at most.

    The rightmost root is looked at on both sides of an end below `longest`. Raises as `stable_windows` and
    `rightmost_root` do, and AccuracyError where it does not cross the imaginary axis there.
    """
    windows = _windows(system, longest, check=False)
    if not windows or windows[0][0] != 0.0:
        return 0.0
    end = windows[0][1]
    if end < longest:
        before, after = (rightmost_root(system, end * (1.0 + side)).real for side in (-ASIDE, ASIDE))
        if before >= 0.0 or (after <= 0.0 and not _returns(windows, end)):
            raise AccuracyError(
                f"largest_stable_delay: at {end:.6g} s a root should go to the right, but the rightmost one has the "
                f"real part {before:.3g} 1/s just below and {after:.3g} 1/s just above; no limit is known"
            )
    return end


def _returns(windows: tuple[tuple[float, float], ...], end: float) -> bool:
    """Return whether the next window opens so soon that the roots above the end are to the left again."""
    return len(windows) > 1 and windows[1][0] <= end * (1.0 + ASIDE)


def rightmost_root(system: LinearDelaySystem, delay: float) -> complex:
    """Return the characteristic root of x'(t) = A x(t) + Ad x(t - h) with the largest real part, 1/s.

    By `analysis.characteristic_roots`, which shares nothing with the crossings that `stable_windows` rests on. Raises
    InputError as it does, and AccuracyError where it finds no root.
    """
    h = check_delay(delay, "delay", zero=True)
    try:
        if h == 0.0:
            roots = characteristic_roots(system.matrix + system.late).roots
        else:
            roots = characteristic_roots(system.matrix, [system.late], [h]).roots
    except np.linalg.LinAlgError as error:
        raise AccuracyError(f"rightmost_root: the eigenvalues were not found ({error}); scale the system") from None
    if not len(roots):
        raise AccuracyError(f"rightmost_root: no characteristic root was found at the delay {h:.6g} s")
    return complex(roots[0])
