"""All criteria in turn, from the cheapest to the strongest, until one proves stability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import freeze
from ..values.errors import AccuracyError, InputError, MissingExtra
from .bessel_legendre import certify_linear_delay
from .certificate import Certificate, check_delay
from .cohen_grossberg import certify_cohen_grossberg
from .comparison import certify_m_matrix
from .constant_delay import certify_constant_delay
from .contraction import MOST_CORNERS, certify_contraction
from .diagonal_stability import certify_diagonal_stability
from .every_delay import certify_every_delay
from .exact import rightmost_root
from .reading import read_network
from .sector_limit import corners
from .systems import DelayedNetwork, LinearDelaySystem
from .varying_delay import certify_varying_delay

# Orders of the Bessel-Legendre hierarchy, one after the other.
LINEAR_ORDERS = (0, 1, 2, 3, 4, 6)
SECTOR_ORDERS = (0, 1, 2, 3)
# A root so far to the right, of the size of the matrices, leaves nothing to prove.
UNSTABLE = 1e-6
# Neurons up to which a metric of contraction is looked for, which takes seconds: without delay, and with one.
MOST_IN_BOX = {False: 32, True: 16}
# Neurons up to which all corners of the slopes are looked at for such a root.
FEW = 4


def certify(
    network: DelayedNetwork | LinearDelaySystem | Graph | HasGraph,
    delay: float | None = None,
    rate: float | None = None,
) -> Certificate:
    """Return the first certificate of stability that is proved, of criteria from the cheapest to the strongest.

    M-matrix, contraction, diagonal stability, a Lur'e functional for every delay, contraction in a metric that is found
    (of 9 to 32 neurons, to 16 with delay); then, where the delay is known, Bessel-Legendre functionals with sector
    conditions, or free-weighting matrices where it varies; and for a symmetric network without delay the energy of
    Cohen and Grossberg, which says less: that solutions approach equilibria (`proves` is "convergence"). Of a
    LinearDelaySystem the Bessel-Legendre hierarchy. `attempts` has a line for each criterion that came before.

    Where none is proved, the certificate returned is the one of the best margin, with `proved` False: it proves
    nothing, and does not say that the network is unstable either. Where the last line of `attempts` says that a linear
    network with slopes in the sector is, no criterion could hold, as each speaks of that one too.

    `delay`: seconds; that of the graph where it has one. None for a DelayedNetwork without `delay`: every delay is
    meant. `rate`: the largest d'(t) of a delay in [0, `delay`], infinite allowed; None for a constant delay.

    Raises InputError as `read_network` does, and for a rate without a delay or below 0. Without cvxpy its criteria are
    left out, which `attempts` says.
    """
    if isinstance(network, LinearDelaySystem):
        found, steps = None, _linear_steps(network, delay, rate)
    else:
        found = read_network(network, delay)
        if rate is not None and not found.has_delay:
            raise InputError(f"`rate` = {rate!r:.40}: the network has no delay that could change; leave it out")
        steps = _steps(found, rate)
    unstable: str | None = None
    looked = found is None
    best: Certificate | None = None
    attempts: list[str] = []
    for needs_solver, name, step in steps:
        if needs_solver and found is not None and not looked:
            unstable, looked = _instability(found), True
        if unstable is not None and needs_solver:
            continue
        try:
            certificate = step()
        except MissingExtra as error:
            attempts.append(f"{name}: not tried: {error}")
            continue
        except InputError as error:
            attempts.append(f"{name}: does not apply: {error}")
            continue
        if certificate.proved:
            return replace(certificate, attempts=tuple(attempts))
        attempts.append(f"{name}: {certificate.statement}, margin {certificate.margin:.2g}")
        if best is None or certificate.margin > best.margin:
            best = certificate
    if found is not None and not looked:
        unstable = _instability(found)
    if unstable is not None:
        attempts.append(unstable)
    if best is None:
        raise InputError(f"certify: no criterion applies: {'; '.join(attempts)}")
    return replace(best, attempts=tuple(attempts))


_Step: TypeAlias = tuple[bool, str, Callable[[], Certificate]]


def _steps(network: DelayedNetwork, rate: float | None) -> list[_Step]:
    """Return (whether it needs a solver, its name, the criterion) of each that may apply, in their order."""
    mu = 0.0 if rate is None else float(freeze(rate, "rate", shape=(), allow_inf=True))
    if mu < 0.0:
        raise InputError(f"`rate` = {mu:g}: must be at least 0, the bound of d'(t); 0 for a delay that does not grow")
    late = network.has_delay
    steps: list[_Step] = [
        (False, "M-matrix", lambda: certify_m_matrix(network)),
        (False, "contraction in the 1-norm", lambda: certify_contraction(network, norm="1")),
    ]
    if network.size <= MOST_CORNERS:
        steps.append((False, "contraction in the 2-norm", lambda: certify_contraction(network, norm="2")))
    if not late or mu < 1.0:
        steps.append((True, "diagonal stability", lambda: certify_diagonal_stability(network, mu if late else 0.0)))
    if not late or rate is None:
        steps.append((True, "Lur'e functional", lambda: certify_every_delay(network)))
    if MOST_CORNERS < network.size <= MOST_IN_BOX[late]:
        by_box = partial(certify_contraction, network, metric="diagonal")
        steps.append((True, "contraction in the 2-norm by multipliers", by_box))
    if not late:
        steps.append((False, "Cohen-Grossberg", lambda: certify_cohen_grossberg(network)))
    elif network.delay and rate is None:
        steps += [
            (True, f"order {order}", partial(certify_constant_delay, network, order=order)) for order in SECTOR_ORDERS
        ]
    elif network.delay:
        steps += [
            (True, "free-weighting", lambda: certify_varying_delay(network, rate=mu)),
            (True, "with increments", lambda: certify_varying_delay(network, rate=mu, increments=True)),
        ]
    return steps


def _linear_steps(system: LinearDelaySystem, delay: float | None, rate: float | None) -> list[_Step]:
    if rate is not None:
        raise InputError("`rate`: the hierarchy of a LinearDelaySystem is of constant delays; leave it out")
    if delay is None:
        raise InputError("`delay`: a LinearDelaySystem has none of its own; give it, seconds")
    seconds = check_delay(delay, "delay")
    return [
        (True, f"order {order}", partial(certify_linear_delay, system, seconds, order=order)) for order in LINEAR_ORDERS
    ]


def _instability(network: DelayedNetwork) -> str | None:
    """Return that a linear network with slopes at a corner of the sector clearly has a root to the right.

    None where there is none, and for networks so large or delays so long that the roots are not computed.
    """
    for slopes in corners(network) if network.size <= FEW else [network.upper]:
        linear = network.linear(slopes)
        scale = float(np.linalg.norm(linear.matrix) + np.linalg.norm(linear.late))
        try:
            root = rightmost_root(linear, network.delay or 0.0)
        except (InputError, AccuracyError):
            continue
        if root.real > UNSTABLE * scale:
            at = f" at the delay {network.delay:.6g} s" if network.delay else ""
            which = ", ".join(f"{slope:.4g}" for slope in slopes[:8])
            return (
                f"the linear network with the slopes ({which}) is unstable{at}: a root at {root.real:.4g} "
                f"{root.imag:+.4g}i 1/s; no criterion of stability for all slopes in the sector can hold"
            )
    return None
