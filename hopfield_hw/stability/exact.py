"""Exact limits of linear systems with one delay: where roots cross the imaginary axis, and the windows between."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.linalg

from ..values.arrays import Array, whole
from ..values.errors import InputError
from .certificate import check_delay
from .systems import LinearDelaySystem

# A candidate z counts as on the unit circle, and a root as imaginary, to this relative distance before it is polished.
NEAR = 1e-6
# A crossing is taken where Newton's method has brought the equation down to this, relative to the matrices.
RESIDUAL = 1e-9
# Two crossings closer than this, relative, are one.
SAME = 1e-6
LARGEST = 24  # states: the pencil has 2 n^2 rows


class Crossing(NamedTuple):
    """Roots +-i `frequency` (rad/s) at `delay` (s); `direction`: pairs that turn right as h grows, less left."""

    delay: float
    frequency: float
    direction: int


def find_crossings(system: LinearDelaySystem, longest: float) -> tuple[Crossing, ...]:
    """Return all delays in (0, `longest`] at which x'(t) = A x(t) + Ad x(t - h) has imaginary roots, in order.

    With z = exp(-i w h) an imaginary root i w of A + z Ad and its conjugate give det[(A + z Ad) (+) (A + Ad / z)] = 0,
    a Kronecker sum: a quadratic eigenvalue problem in z, of n^2 rows, of which the |z| = 1 are kept (J. Chen, G. Gu and
    C. N. Nett, Syst. Control Lett. 26:107, 1995). Each pair (w, h) is then brought to the characteristic equation by
    Newton's method. The direction is the sign of Re ds/dh. A root at 0 does not depend on h: see `stable_windows`.

    Raises InputError for more than 24 states.
    """
    a, late, n = system.matrix, system.late, system.size
    if n > LARGEST:
        raise InputError(f"the exact limit of {n} states: must be at most {LARGEST}")
    end = check_delay(longest, "longest")
    identity = np.eye(n)
    scale = float(np.linalg.norm(a) + np.linalg.norm(late)) or 1.0
    first, middle, last = (
        np.kron(late, identity) / scale,
        (np.kron(a, identity) + np.kron(identity, a)) / scale,
        np.kron(identity, late) / scale,
    )
    zero, one = np.zeros_like(middle), np.eye(n * n)
    left = np.block([[zero, one], [-last, -middle]])
    right = np.block([[one, zero], [zero, first]])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = scipy.linalg.eigvals(left, right)
    found = found[np.isfinite(found)]
    crossings: list[Crossing] = []
    for z in found[np.abs(np.abs(found) - 1.0) < 1e-3]:
        for root in np.linalg.eigvals(a + late * (z / abs(z))):
            if root.imag > NEAR * scale and abs(root.real) < 1e-2 * scale:
                crossings += _on_branch(system, float(root.imag), complex(z / abs(z)), end, scale)
    crossings.sort()
    kept: list[Crossing] = []
    for one_crossing in crossings:
        close = [k for k in kept[-4:] if _same(k, one_crossing)]
        if not close:
            kept.append(one_crossing)
    return tuple(kept)


def stable_windows(system: LinearDelaySystem, longest: float) -> tuple[tuple[float, float], ...]:
    """Return the ranges of h in [0, `longest`] in which x'(t) = A x(t) + Ad x(t - h) is exponentially stable.

    The roots to the right are those of A + Ad at h = 0, and two more or two less at each crossing. A root at 0 leaves
    no window. Raises InputError as `find_crossings` does.
    """
    total = system.matrix + system.late
    end = check_delay(longest, "longest")
    scale = float(np.linalg.norm(system.matrix) + np.linalg.norm(system.late)) or 1.0
    if float(np.linalg.svd(total, compute_uv=False)[-1]) < 1e-12 * scale:
        return ()
    unstable = int(np.sum(np.linalg.eigvals(total).real >= 0.0))
    windows: list[tuple[float, float]] = []
    start = 0.0
    for crossing in find_crossings(system, end):
        if unstable == 0 and crossing.delay > start:
            windows.append((start, crossing.delay))
        unstable += 2 * crossing.direction
        start = crossing.delay
    if unstable == 0 and end > start:
        windows.append((start, end))
    return tuple(windows)


def largest_stable_delay(system: LinearDelaySystem, longest: float) -> float:
    """Return the end of the window of delays that begins at 0, seconds; 0 where there is none, `longest` at most."""
    windows = stable_windows(system, longest)
    return windows[0][1] if windows and windows[0][0] == 0.0 else 0.0


def rightmost_root(system: LinearDelaySystem, delay: float, *, points: int = 40) -> complex:
    """Return the characteristic root of x'(t) = A x(t) + Ad x(t - h) with the largest real part, 1/s.

    Eigenvalues of the generator on Chebyshev points of [-h, 0] (D. Breda, S. Maset and R. Vermiglio, SIAM J. Sci.
    Comput. 27:482, 2005). `points`: from 4 to 400; roots up to a size of some points/(2 h) are found. It shares nothing
    with `find_crossings`, which it checks.
    """
    h, n = check_delay(delay, "delay", zero=True), system.size
    if h == 0.0:
        roots = np.linalg.eigvals(system.matrix + system.late)
    else:
        m = whole(points, "points", 4, 400)
        generator = np.kron(_chebyshev(m) * (2.0 / h), np.eye(n))
        generator[:n] = 0.0
        generator[:n, :n], generator[:n, -n:] = system.matrix, system.late
        roots = np.linalg.eigvals(generator)
    return complex(roots[np.argmax(roots.real)])


def _chebyshev(m: int) -> Array:
    """Return the matrix that differentiates polynomials on the points cos(k pi / m) (Trefethen 2000, chapter 6)."""
    nodes = np.cos(np.pi * np.arange(m + 1) / m)
    weights = np.concatenate(([2.0], np.ones(m - 1), [2.0])) * (-1.0) ** np.arange(m + 1)
    gaps = nodes[:, None] - nodes[None, :]
    matrix: Array = np.outer(weights, 1.0 / weights) / (gaps + np.eye(m + 1))
    return matrix - np.diag(matrix.sum(axis=1))


def _on_branch(system: LinearDelaySystem, frequency: float, z: complex, end: float, scale: float) -> list[Crossing]:
    """Return the crossings of one pair (w, z) with h up to `end`: h = (-arg z + 2 pi k) / w."""
    w, angle = frequency, float((-np.angle(z)) % (2.0 * np.pi))
    if int(np.sum(np.linalg.svd(_matrix(system, w, angle), compute_uv=False) < NEAR * scale)) < 2:
        w, angle = _polish(system, w, angle, scale)  # a root that is several at once is well-conditioned as it is
    left, values, right = np.linalg.svd(_matrix(system, w, angle))
    null = values < max(RESIDUAL * scale, NEAR * scale * (int(np.sum(values < NEAR * scale)) > 1))
    if not null.any() or not w > 0.0:
        return []
    angle %= 2.0 * np.pi
    u, v = left[:, null], right[null].conj().T
    # s' = -s L / (U^H V + h L), L = U^H Ad V e^{-sh}: the real part of 1/s' does not depend on h.
    speed = 1j * w * (u.conj().T @ system.late @ v) * np.exp(-1j * angle)
    inverse = -np.asarray(scipy.linalg.eigvals(u.conj().T @ v, speed), dtype=np.complex128).real
    turning = np.abs(inverse[np.isfinite(inverse)]) * w > 1e-12
    direction = int(np.sum(np.sign(inverse[np.isfinite(inverse)])[turning]))
    count = int(np.floor((end * w - angle) / (2.0 * np.pi)))
    found = [Crossing((angle + 2.0 * np.pi * k) / w, w, direction) for k in range(max(0, count + 1))]
    return [one for one in found if one.delay > 0.0]


def _matrix(system: LinearDelaySystem, w: float, angle: float) -> npt.NDArray[np.complex128]:
    return np.asarray(1j * w * np.eye(system.size) - system.matrix - system.late * np.exp(-1j * angle))


def _polish(system: LinearDelaySystem, w: float, angle: float, scale: float) -> tuple[float, float]:
    """Return (w, w h) after Newton's method for (i w - A - Ad e^{-i angle}) v = 0, v of length 1 and fixed phase."""
    n = system.size
    v = np.linalg.svd(_matrix(system, w, angle))[2][-1].conj()
    for _ in range(20):
        matrix = _matrix(system, w, angle)
        residual = matrix @ v
        by_w, by_angle = 1j * v, 1j * (system.late @ v) * np.exp(-1j * angle)
        real = np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])
        columns = np.stack([np.concatenate([one.real, one.imag]) for one in (by_w, by_angle)], axis=1)
        norm = np.stack([np.concatenate([v.real, v.imag]), np.concatenate([-v.imag, v.real])])
        try:
            step = np.linalg.solve(
                np.block([[real, columns], [norm, np.zeros((2, 2))]]),
                -np.concatenate([residual.real, residual.imag, [0.0, 0.0]]),
            )
        except np.linalg.LinAlgError:
            break
        v = v + step[:n] + 1j * step[n : 2 * n]
        v = v / np.linalg.norm(v)
        w, angle = w + float(step[-2]), angle + float(step[-1])
        if max(abs(float(step[-2])) / scale, abs(float(step[-1]))) < 1e-14:
            break
    return w, angle


def _same(a: Crossing, b: Crossing) -> bool:
    return (
        abs(a.delay - b.delay) <= SAME * max(a.delay, b.delay) and abs(a.frequency - b.frequency) <= SAME * b.frequency
    )
