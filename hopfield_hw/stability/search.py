"""The largest delay that a criterion proves, and ranges of delays put together from short ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..values.arrays import positive
from ..values.errors import InputError
from .bessel_legendre import certify_linear_delay
from .certificate import Certificate, check_delay, round_down, round_up
from .inequality import Inequality
from .semidefinite import largest
from .systems import LinearDelaySystem

# How often a range is halved before a piece of it is given up.
MOST_HALVINGS = 12


def largest_delay(
    certify: Callable[..., Certificate], longest: float, *, shortest: float | None = None, tolerance: float = 1e-4
) -> Certificate:
    """Return the certificate of the largest delay that a criterion proves, by bisection, to a relative tolerance.

    `certify(delay, exactly=...)`: the criterion, for example `lambda h, **how: certify_constant_delay(net, h, **how)`.
    `longest`: seconds, taken to fail: bisection ends there or below. `shortest`: where it begins, `longest`/1000 by
    default. `tolerance`: of `longest`. Candidates are found in float64; what is returned was proved as `exactly` says,
    some tolerances lower where the last one fails. Where the shortest is not proved, its certificate is returned, and
    is not `proved`.

    Raises InputError for delays that are not positive or in the wrong order.
    """
    high = check_delay(longest, "longest")
    low = high / 1000.0 if shortest is None else check_delay(shortest, "shortest")
    if low >= high:
        raise InputError(f"`shortest` = {low:g} s: must be below `longest` = {high:g} s")
    step = float(positive(tolerance, "tolerance", shape=(), unit="")) * high
    found = largest(lambda delay: _is_candidate(certify(delay, exactly=False)), low, high, step)
    while True:
        certificate = certify(found, exactly=True)
        if certificate.proved or found <= low:
            return certificate
        found = max(low, found - step)


def _is_candidate(certificate: Certificate) -> bool:
    """Return whether each inequality has a margin in float64, which is worth a proof and is none."""
    return bool(certificate.inequalities) and all(one.margin > 0.0 for one in certificate.inequalities)


def certify_range(
    system: LinearDelaySystem, shortest: float, longest: float, *, order: int = 3, solver: str | None = None
) -> Certificate:
    """Return whether x'(t) = A x(t) + Ad x(t - h) is stable for each constant h from `shortest` to `longest`.

    The range is halved until each piece has one functional of order N for both of its ends (`certify_linear_delay`), or
    is too short; from 0 the first piece is proved at order 0. The certificate has the inequalities of all pieces.

    Raises InputError for a range that is none, and MissingExtra without cvxpy.
    """
    low, high = check_delay(shortest, "shortest", zero=True), check_delay(longest, "longest")
    if low >= high:
        raise InputError(f"`shortest` = {low:g} s: must be below `longest` = {high:g} s")
    pieces: list[Certificate] = []
    if low == 0.0:
        first = largest_delay(lambda h, **how: certify_linear_delay(system, h, order=0, **how), high, tolerance=0.01)
        pieces.append(first)
        low = first.delays[1]
    waiting: list[tuple[float, float, int]] = [(low, high, 0)]
    while waiting and (not pieces or pieces[-1].proved):
        a, b, depth = waiting.pop()
        piece = certify_linear_delay(system, (a, b), order=order, solver=solver)
        if piece.proved or depth == MOST_HALVINGS:
            pieces.append(piece)
        else:
            middle = float(np.sqrt(a * b))
            waiting += [(middle, b, depth + 1), (a, middle, depth + 1)]
    inequalities: list[Inequality] = []
    matrices: dict[str, Any] = {}
    for k, piece in enumerate(pieces):
        inequalities += piece.inequalities
        matrices |= {f"{name} of piece {k}": value for name, value in piece.matrices.items()}
    proved = all(piece.proved for piece in pieces)
    return Certificate(
        criterion=f"Bessel-Legendre, order {order}, {len(pieces)} pieces",
        claim=f"exponentially stable, for each constant delay from {round_up(shortest, 9)} to "
        f"{round_down(longest, 9)} s",
        system=system,
        inequalities=tuple(inequalities) if proved else pieces[-1].inequalities,
        delays=(shortest, longest),
        matrices=matrices,
        source="Seuret and Gouaisbaut, Syst. Control Lett. 81:1 (2015), theorem 5, at both ends of each piece",
    )
