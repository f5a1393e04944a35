"""How far inputs drive a network from its equilibrium: input-to-state stability by a matrix inequality."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ..graph import Graph, HasGraph
from ..values.arrays import Array, positive
from ..values.errors import InputError
from .certificate import EVERY, Certificate, check_delay, round_down, round_up
from .inequality import Inequality, multiply
from .reading import read_network
from .sectors import both, field, in_units, integrals, network_data, sector, selectors, square, stack
from .semidefinite import Problem, Unknown, minimise, solve, verify
from .systems import DelayedNetwork

NORMS = ("2", "inf")
# By how much the square of the least gain that the solver finds is raised, until there is room for a proof.
ROOM = (1e-4, 1e-3, 1e-2, 1e-1)
# Rates that are tried for the largest input, as parts of twice the decay of the linear network.
RATES = (0.15, 0.35, 0.5, 0.65, 0.85)
SOURCE = "Sontag and Wang, Syst. Control Lett. 24:351 (1995)"


def certify_input_to_state(
    network: DelayedNetwork | Graph | HasGraph,
    delay: float | None = None,
    *,
    norm: Literal["2", "inf"] = "2",
    rate: float | None = None,
    solver: str | None = None,
    exactly: bool = True,
) -> Certificate:
    """Return the least gain gamma, in seconds, from an input u in x' = -A x + W0 f(x) + W1 f(x(t - h)) + I + u to x.

    x is measured from the equilibrium of the constant I, volts; u in volts per second (currents over C). With

        V = x^T P x + 2 sum_i [a_i int (f_i - l_i s) ds + b_i int (k_i s - f_i) ds] + int_{t-h}^t w [x; f]^T Q [x; f],

    the S-procedure for slopes in sectors, and c > 0, one of two is proved, |.| the Euclidean norm:

    - `norm` "2": V' <= c (gamma^2 |u|^2 - |x|^2) with w = 1, so that int |x|^2 <= gamma^2 int |u|^2 from the
      equilibrium, for every constant delay. Of a linear network without delay the least gamma is its H-infinity norm
      (bounded real lemma; S. Boyd, L. El Ghaoui, E. Feron and V. Balakrishnan, Linear Matrix Inequalities in System and
      Control Theory, 1994, sections 6.3 and 8.1).
    - `norm` "inf": V >= c |x|^2 and V' <= alpha (c gamma^2 |u|^2 - V) with w = exp(alpha (s - t)), so that |x| comes
      below gamma sup |u|, and c |x|^2 <= V(0) exp(-alpha t) + c gamma^2 sup |u|^2 until then, for every constant delay
      up to h. alpha is `rate`, 1/s, or where it is None the best of some.

    Each is an inequality of input-to-state stability (E. D. Sontag and Y. Wang, Syst. Control Lett. 24:351, 1995; with
    delay, P. Pepe and Z.-P. Jiang, Syst. Control Lett. 55:1006, 2006). gamma is the least one of this V to 5%, most
    often to 5e-5; where it is proved, an input may be any function, not small ones alone. In a static field,
    x' = -A x + f(W x + I) + u.

    `delay`: seconds; that of the graph where it has one; `norm` "inf" needs one where there are late weights.
    `solver`, `exactly`: as of `certify_every_delay`.

    Raises InputError for another norm, a rate that is not positive or is given with `norm` "2", and as `read_network`
    does; MissingExtra without cvxpy.
    """
    found = read_network(network, delay)
    if norm not in NORMS:
        raise InputError(f"`norm` = {norm!r:.40}: must be one of {', '.join(NORMS)}")
    if norm == "2":
        if rate is not None:
            raise InputError("`rate`: is of norm='inf' alone; leave it out")
        rates = [0.0]
    elif rate is not None:
        rates = [float(positive(rate, "rate", shape=(), unit="1/s"))]
    else:
        rates = _rates(found)
    late = 0.0
    if norm == "inf" and found.has_delay:
        late = check_delay(found.delay, "delay", zero=True)
    gain, best, inequalities, matrices = _least(found, rates, late, solver, exactly=exactly)
    proved = bool(inequalities) and all(one.holds for one in inequalities)
    figures = {"L2 gain, s": gain} if norm == "2" else {"gain of the largest input, s": gain, "rate, 1/s": best}
    inside = "one equilibrium for each constant input, and input-to-state stability: "
    if norm == "2":
        claim = inside + f"from it the L2 norm of x is at most {round_up(gain)} s times that of the input"
        claim += ", for every constant delay" if found.has_delay else ""
    else:
        claim = inside + f"|x| comes below {round_up(gain)} s times the largest |u|, at the rate {round_down(best)} 1/s"
        claim += f", for every constant delay up to {round_down(late, 9)} s" if found.has_delay else ""
    return Certificate(
        criterion="input-to-state, L2 gain" if norm == "2" else "input-to-state, largest input",
        claim=claim,
        system=found,
        inequalities=inequalities,
        delays=(0.0, EVERY if norm == "2" else late) if found.has_delay else (0.0, EVERY),
        matrices=matrices,
        figures=figures if proved else {},
        source=SOURCE,
    )


def _rates(network: DelayedNetwork) -> list[float]:
    """Return rates to try, 1/s: parts of twice the decay of the linear network at either end of the sector."""
    decays = []
    for slopes in (network.lower, network.upper):
        linear = network.linear(slopes)
        decays.append(-float(np.max(np.linalg.eigvals(linear.matrix + linear.late).real)))
    decay = min(decays)
    return [2.0 * decay * part for part in RATES] if decay > 0.0 else []


def _least(
    network: DelayedNetwork, rates: list[float], late: float, solver: str | None, *, exactly: bool
) -> tuple[float, float, tuple[Inequality, ...], dict[str, Array]]:
    """Return the least gain that is proved, its rate, the inequalities and the matrices; those of no proof if none."""
    found = []
    for rate in rates:
        least = minimise(input_problem(network, None, rate, late), "gain", "level", solver)
        if least is not None and least > 0.0:
            found.append((least, rate))
    inequalities: tuple[Inequality, ...] = ()
    matrices: dict[str, Array] = {}
    gain, rate = np.inf, 0.0
    unit = 1.0 / float(np.max(network.decay))
    for least, rate in sorted(found)[:1]:
        for room in ROOM:
            gain = float(np.sqrt(least * (1.0 + room))) * unit
            problem = input_problem(network, gain, rate, late)
            values = solve(problem, solver)
            inequalities = verify(problem, values, exactly=exactly)
            matrices = {} if values is None else problem.matrices(values)
            if inequalities and all(one.margin > 0.0 if not exactly else one.holds for one in inequalities):
                break
    return gain, rate, inequalities, matrices


def input_problem(network: DelayedNetwork, gain: float | None, rate: float, delay: float) -> Problem:
    """Return the inequalities of `certify_input_to_state`, in units of time of the fastest decay.

    `gain`: gamma, seconds; None for one more unknown, "gain", c gamma^2 in these units. `rate`: alpha, 1/s; 0 for the
    L2 gain. A gain curve of one slope has no variable of its own: f = L y + (K - L) phi, with phi of the others alone.
    """
    n, late = network.size, network.has_delay
    curved = np.flatnonzero(network.lower < network.upper)
    unknowns = [Unknown("P", "symmetric", n), Unknown("above", "diagonal", n), Unknown("below", "diagonal", n)]
    unknowns += [Unknown("T0", "diagonal", n), Unknown("level", "diagonal", 1)]
    if late:
        unknowns += [Unknown("T1", "diagonal", n), Unknown("Q", "symmetric", 2 * n)]
    if gain is None:
        unknowns.append(Unknown("gain", "diagonal", 1))
    ends = np.cumsum([0, n, curved.size, *((n, curved.size) if late else ()), n])

    def build(found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        data = in_units(network, given)
        unit = _identity(int(ends[-1]), data["A"])
        parts = [unit[a:b] for a, b in pairwise(ends.tolist())]
        x, u = parts[0], parts[-1]
        spread = (data["K"] - data["L"])[:, curved]
        y_matrix = data["W1" if late else "W0"] if network.kind == "static" else x[:, :n]
        y = multiply(y_matrix, x)
        f = multiply(data["L"], y) + multiply(spread, parts[1])
        f_late, y_late = f, y
        if late:
            y_late = multiply(y_matrix, parts[2])
            f_late = multiply(data["L"], y_late) + multiply(spread, parts[3])
        change = field(network, data, x, f, f_late)[1] + u
        alpha = given["rate"][0] * given["time"][0]
        total = both(x, found["P"], change) + square(x, found["P"]) * alpha + sector(f, y, data, found["T0"])
        total = total + integrals(f, y, multiply(y_matrix, change) + y * alpha, data, found["above"], found["below"])
        if late:
            total = total + square(stack(x, f), found["Q"])
            total = total - square(stack(parts[2], f_late), found["Q"]) * given["fade"][0]
            total = total + sector(f_late, y_late, data, found["T1"])
        level = found["level"][0, 0]
        in_time = given["gain"][0] / given["time"][0]
        squared = level * in_time * in_time if gain is not None else found["gain"][0, 0]
        each = multiply(u.T, u) * squared
        bounded = found["P"]
        if rate:
            bounded, each = bounded - _identity(n, data["A"]) * level, each * alpha
        else:
            each = each - multiply(x.T, x) * level
        matrices = {"P - c" if rate else "P": bounded, "c": found["level"], "-V'": each - total}
        return matrices | ({"Q": found["Q"]} if late else {})

    data = network_data(network, float(1.0 / np.max(network.decay)))
    # exp(-alpha h) rounded down, so that the weight of V fades no faster than that.
    fade = float(np.exp(-rate * delay)) * (1.0 - 1e-12)
    data |= {"rate": np.array([rate]), "gain": np.array([gain or 0.0]), "fade": np.array([fade if rate else 1.0])}
    return Problem(tuple(unknowns), build, data)


def _identity(n: int, like: Any) -> Any:
    return selectors(1, n, like)[0]
