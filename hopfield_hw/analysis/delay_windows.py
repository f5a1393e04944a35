"""For which delays a linear delay system is stable: all crossings of the imaginary axis, in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eig

from ..values.arrays import Array, freeze, positive
from ..values.errors import AccuracyError, InputError
from ..values.report import Report
from ..values.si_text import format_si
from .characteristic import DelayedTerms, delayed_terms, roots_of

MOST_STATES = 20
NEAR_CIRCLE, NEAR_AXIS = 1e-4, 1e-3
POLISH = 12
RESIDUAL = 1e-11
MOST_CROSSINGS = 10_000
# How far a delay is varied to see the roots on both sides of a crossing, of the distance to the next one.
ASIDE = 0.05
# Of the crossings, so many are checked, and none at a delay of so many of the system's own times.
FIRST, LONGEST = 4, 150.0
WITHIN = 10.0  # of the system's own times: the delay at which roots are counted where none cross


class RootAtZeroError(InputError):
    """A + Ad is singular: 0 is a root, which no delay moves."""


class _Crossing(NamedTuple):
    """A root j frequency at the delays (angle + 2 pi k)/frequency; `direction`: +1 to the right as h grows, else -1."""

    frequency: float
    angle: float
    direction: int
    multiplicity: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DelayWindows(Report):
    """When x' = A x + Ad x(t - h) is stable.

    `windows`: the (low, high) of h, seconds, within which all roots are to the left; high may be infinite. `delays`:
    (k,), the critical ones, ascending; `frequencies`: (k,), rad/s, of the roots that cross there; `directions`: (k,),
    +1 where a pair goes to the right as h grows, -1 where it comes back. `unstable_at_zero`: roots to the right at
    h = 0. `checked`: (k, 2), roots to the right just below and just above each delay, by the characteristic roots;
    -1 where they were not computed.
    `agrees`: whether these counts are what the crossings say; where no root crosses, the one at one delay.
    `until`: no window begins beyond this delay; the delays are listed up to it.
    """

    windows: tuple[tuple[float, float], ...]
    delays: Array
    frequencies: Array
    directions: npt.NDArray[np.intp]
    unstable_at_zero: int
    checked: npt.NDArray[np.intp]
    agrees: bool
    until: float

    def rows(self) -> list[tuple[str, str]]:
        if not self.windows:
            said = "for no delay"
        else:
            parts = [f"from {format_si(a, 's')} to {_end(b)}" for a, b in self.windows]
            said = "; ".join(parts)
        found = [
            f"{format_si(h, 's')} {'out' if way > 0 else 'in'}"
            for h, way in zip(self.delays[:6].tolist(), self.directions[:6].tolist(), strict=True)
        ]
        rows = [("stable", said), ("roots cross at", ", ".join(found) or "no delay")]
        return [*rows, ("characteristic roots", "agree" if self.agrees else "do not agree with the crossings")]

    def figures(self) -> dict[str, Any]:
        names = ("windows", "unstable_at_zero", "agrees", "until")
        arrays = ("delays", "frequencies", "directions")
        return {name: getattr(self, name) for name in names} | {name: getattr(self, name).tolist() for name in arrays}


def find_delay_windows(matrix: Any, delayed: Any, *, h_max: Any = None, check: bool = True) -> DelayWindows:
    """Return all delays h at which roots of x'(t) = A x(t) + Ad x(t - h) cross the imaginary axis, and the windows.

    A root j w at h has z = exp(-j w h) on the unit circle, where A + z Ad and -(A + Ad/z)^T have an eigenvalue in
    common: z^2 Ad (+) z (A (+) A) + I (x) Ad^T is singular, a quadratic pencil of Kronecker sums (J. Chen, G. Gu and
    C. N. Nett, Systems and Control Letters 26:21, 1995). Each pair is made exact by Newton's method. The way in which a
    root crosses is the sign of Re d lambda/dh, the same at all delays of one frequency.

    `matrix`: A, `delayed`: Ad, (n, n), 1/s, n up to 20. `h_max`: seconds; by default the delay from which on more roots
    have gone to the right than can ever come back. `check`: whether the roots on both sides of the crossings are
    computed as well: of the first four and of all ends of windows, but for delays above 150 of the system's own times.

    Raises InputError for wrong shapes, more states, and a root at 0 (RootAtZeroError); AccuracyError for a
    root on the axis that is multiple with fewer eigenvectors.
    """
    terms = delayed_terms(matrix, [delayed], [1.0])
    a, late = terms.matrix, freeze(delayed, "delayed")
    n = len(a)
    if n > MOST_STATES:
        raise InputError(f"find_delay_windows: {n} states; at most {MOST_STATES}, as the pencil has 2 n^2 rows")
    size = float(np.linalg.norm(a, 2) + np.linalg.norm(late, 2))
    if size == 0.0 or float(np.linalg.svd(a + late, compute_uv=False)[-1]) <= 1e-13 * size:
        raise RootAtZeroError(
            "find_delay_windows: A + Ad is singular, so 0 is a root at every delay; take that state out"
        )
    crossings = _crossings(a, late, size)
    at_zero = np.linalg.eigvals(a + late)
    # A root on the axis without a delay goes where its direction says.
    count = int(np.sum(at_zero.real > 1e-10 * size))
    count += 2 * sum(c.multiplicity for c in crossings if c.angle == 0.0 and c.direction > 0)
    until = _last(crossings, count) if h_max is None else float(positive(h_max, "h_max", shape=(), unit="s"))
    events = _events(crossings, until)
    windows: list[tuple[float, float]] = []
    counts, opened = [], 0.0 if count == 0 else None
    for h, crossing in events:
        before = count
        count += 2 * crossing.direction * crossing.multiplicity
        counts.append((before, count))
        if before == 0 and count > 0 and opened is not None:
            windows.append((opened, h))
            opened = None
        elif before > 0 and count == 0:
            opened = h
    if opened is not None:
        windows.append((opened, np.inf if not crossings or h_max is None else until))
    delays = np.array([h for h, _ in events])
    ends = {end for window in windows for end in window}
    checked = np.full((len(events), 2), -1, dtype=np.intp)
    agrees = True
    for k, h in enumerate(delays.tolist()):
        if check and h * size < LONGEST and (k < FIRST or h in ends):
            checked[k] = _sides(a, late, delays, k)
            agrees &= tuple(checked[k].tolist()) == counts[k]
    if check and not events:
        h = WITHIN / size if h_max is None else min(WITHIN / size, 0.5 * until)
        agrees = _to_the_right(a, late, h, 4 * n + 4) == count
    return DelayWindows(
        windows=tuple((a, b) for a, b in windows if b > a),
        delays=freeze(delays, "delays"),
        frequencies=freeze(np.array([c.frequency for _, c in events]), "frequencies"),
        directions=np.array([c.direction for _, c in events], dtype=np.intp),
        unstable_at_zero=int(np.sum(at_zero.real > 1e-10 * size)),
        checked=checked,
        agrees=agrees,
        until=until,
    )


def _crossings(a: Array, late: Array, size: float) -> list[_Crossing]:
    n = len(a)
    eye, one = np.eye(n), np.eye(n * n)
    # (A + z Ad) (x) I + I (x) (A + Ad/z), times z.
    second, first, zeroth = np.kron(late, eye), np.kron(a, eye) + np.kron(eye, a), np.kron(eye, late)
    zero = np.zeros_like(one)
    left = np.block([[zero, one], [-zeroth, -first]])
    right = np.block([[one, zero], [zero, second]])
    with np.errstate(all="ignore"):
        z = eig(left, right, right=False)
    z = z[np.isfinite(z)]
    found: list[_Crossing] = []
    for ratio in z[np.abs(np.abs(z) - 1.0) < NEAR_CIRCLE]:
        for value in np.linalg.eigvals(a + late * ratio / abs(ratio)):
            if abs(value.real) > NEAR_AXIS * size or value.imag <= 1e-9 * size:
                continue
            pair = _polish(a, late, float(value.imag), float(-np.angle(ratio)), size)
            if pair is None:
                continue
            w, angle = pair[0], pair[1] % (2.0 * np.pi)
            angle = 0.0 if min(angle, 2.0 * np.pi - angle) < 1e-9 else angle
            if any(abs(c.frequency - w) < 1e-7 * size and abs(c.angle - angle) < 1e-7 for c in found):
                continue
            found += _directed(a, late, w, angle, size)
    return found


def _polish(a: Array, late: Array, w: float, angle: float, size: float) -> tuple[float, float] | None:
    """Return w and w h with j w an eigenvalue of A + Ad exp(-j w h), by Newton's method on u^H Delta v = 0."""
    for _ in range(POLISH):
        delta = 1j * w * np.eye(len(a)) - a - late * np.exp(-1j * angle)
        u, values, vh = np.linalg.svd(delta)
        left, right = u[:, -1].conj(), vh[-1].conj()
        by_w, by_angle = 1j * left @ right, 1j * np.exp(-1j * angle) * (left @ late @ right)
        matrix = np.array([[by_w.real, by_angle.real], [by_w.imag, by_angle.imag]])
        if abs(np.linalg.det(matrix)) < 1e-14 * max(size, 1e-300):
            break
        step = np.linalg.solve(matrix, [-values[-1], 0.0])
        w, angle = w + float(step[0]), angle + float(step[1])
        if abs(step[0]) < 1e-15 * size and abs(step[1]) < 1e-15:
            break
    residual = np.linalg.svd(1j * w * np.eye(len(a)) - a - late * np.exp(-1j * angle), compute_uv=False)[-1]
    return (w, angle) if w > 0.0 and residual <= RESIDUAL * size else None


def _directed(a: Array, late: Array, w: float, angle: float, size: float) -> list[_Crossing]:
    """Return the crossings of the roots at j w, one for each way; none for a root that only touches the axis."""
    turned = late * np.exp(-1j * angle)
    delta = 1j * w * np.eye(len(a)) - a - turned
    u, values, vh = np.linalg.svd(delta)
    k = max(int(np.sum(values <= 1e-8 * size)), 1)
    left, right = u[:, -k:].conj().T, vh[-k:].conj().T
    # d lambda/dh at the least such h: -lambda Ad z v = (1 + h Ad z) v d lambda, projected.
    h = (angle if angle > 0.0 else 2.0 * np.pi) / w
    slope = left @ (np.eye(len(a)) + h * turned) @ right
    if float(np.linalg.svd(slope, compute_uv=False)[-1]) <= 1e-12 * max(1.0, h * size):
        raise AccuracyError(
            f"find_delay_windows: the root j {w:.6g} rad/s on the imaginary axis at h = {h:.6g} s is multiple with "
            "fewer eigenvectors, as in a chain of equal stages, so the way in which it crosses is not computed; take "
            "one stage alone, or make the stages differ"
        )
    moves = np.linalg.solve(slope, -1j * w * left @ turned @ right)
    rates = np.linalg.eigvals(moves).real
    found = []
    for way in (1, -1):
        times = int(np.sum(way * rates > 1e-9 * w * w))
        if times:
            found.append(_Crossing(w, angle, way, times))
    return found


def _last(crossings: list[_Crossing], count: int) -> float:
    """Return a delay from which on there are roots to the right for ever; the longest of one round each if none."""
    out = sum(c.frequency * c.multiplicity for c in crossings if c.direction > 0)
    back = sum(c.frequency * c.multiplicity for c in crossings if c.direction < 0)
    total = sum(c.multiplicity for c in crossings)
    longest = max((2.0 * np.pi / c.frequency for c in crossings), default=0.0)
    if out <= back:
        return 2.0 * longest
    return float(2.0 * np.pi * total / (out - back) + longest)


def _events(crossings: list[_Crossing], until: float) -> list[tuple[float, _Crossing]]:
    rounds = sum(until * c.frequency / (2.0 * np.pi) for c in crossings)
    if rounds > MOST_CROSSINGS:
        raise InputError(
            f"find_delay_windows: roots cross {rounds:.3g} times before {until:.3g} s; give a smaller h_max"
        )
    found = []
    for c in crossings:
        first = 1 if c.angle == 0.0 else 0
        last = int(np.floor((until * c.frequency - c.angle) / (2.0 * np.pi)))
        found += [((c.angle + 2.0 * np.pi * k) / c.frequency, c) for k in range(first, last + 1)]
    return sorted(found, key=lambda event: event[0])


def _sides(a: Array, late: Array, delays: Array, k: int) -> tuple[int, int]:
    """Return how many roots are to the right just below and just above a critical delay."""
    h = float(delays[k])
    below = float(delays[k - 1]) if k else 0.0
    above = float(delays[k + 1]) if k + 1 < len(delays) else h + (h - below)
    counts = []
    for at in (h - ASIDE * (h - below), h + ASIDE * (above - h)):
        counts.append(_to_the_right(a, late, at, 4 * len(a) + 4 + 4 * (k + 1)))
    return counts[0], counts[1]


def _to_the_right(a: Array, late: Array, h: float, most: int) -> int:
    roots = roots_of(DelayedTerms(a, late[np.newaxis], np.array([h])), most).roots
    if not roots.size:
        raise AccuracyError(f"find_delay_windows: no characteristic root is found at h = {h:.6g} s; use check=False")
    return int(np.sum(roots.real > 0.0))


def _end(h: float) -> str:
    return "every longer one" if np.isinf(h) else format_si(h, "s")
