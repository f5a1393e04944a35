"""From measured waveforms back to the network: weights, leaks, biases and slopes with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions.sigmoids import Tanh
from ..networks.network import Network
from ..values.arrays import Array, freeze, positive
from ..values.errors import InputError
from ..values.proportion import NORMAL_95
from ..values.report import Report
from .identifiability import Known, find_still, judge
from .recordings import Noise, Recording, estimate_noise
from .shooting import Blocks, Parameters, Shot, average, find_step_error, linearise, shoot
from .weak_form import find_start

FAMILIES = ("tanh",)
DURATIONS = 8.0  # units of time that the median recording is long
PIECES = 8  # that each recording is cut into for the first search, which then meets no errors that grow
FIRST_STEPS, MOST_STEPS = 200, 6400  # of integration, for each recording
STEP, FIRST_STEP = 0.25, 1.0  # of integration, by the fastest rate that the states meet; in the first search
STEP_ERROR = 0.2  # chi-square that the steps of integration may add
RATES = (2.0, 6.0, 20.0)  # of all curves, tried in turn where the weak form's own start does not do
GOOD, WORSE = 1.15, 1.5  # chi-square by the expected one: no other start is tried; one solution does worse than pieces
TRIED = 12  # iterations from another slope
VAGUE = 0.5  # a standard error of log slope from which other slopes are tried
LEAST_EIGENVALUE = 1e-14  # of the scaled information


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WaveformFit(Report):
    """A network of n neurons as M recordings tell it, C_i dx_i/dt = -x_i / R_i + sum_j T_ij g_j(x_j) + I_i.

    `weights`: T, (n, n), siemens; `resistance`: R, (n,), ohms (infinite where no leak was found); `bias`: I, (n,),
    amperes; `slopes`: b, (n,), V/V, of g_j(x) = a_j tanh(b_j x / a_j), which rises. `capacitance`, (n,), and
    `amplitude`, (n,), are those given: T[:, j] a_j is all that waveforms know of both.
    `weight_errors`, `resistance_errors`, `bias_errors`, `slope_errors`: standard errors, of the same shapes.
    `covariance`: (n^2 + 3n, n^2 + 3n), of T row by row (siemens), 1 / R (siemens), I (amperes) and b (V/V).
    `chi_square`: per degree of freedom, 1 where the model and the noise explain the samples.
    `identified`: (n, n), which weights are known; of the others, no interval is claimed. `certain`: whether any is.
    `condition`: of the scaled information matrix. `starts`: (M, n), states at the first sample, volts.
    `notes`: what cannot be told first, then what can.
    """

    weights: Array
    resistance: Array
    bias: Array
    slopes: Array
    capacitance: Array
    amplitude: Array
    weight_errors: Array
    resistance_errors: Array
    bias_errors: Array
    slope_errors: Array
    covariance: Array
    chi_square: float
    condition: float
    identified: Any
    certain: bool
    starts: Array
    notes: tuple[str, ...]

    @property
    def weight_intervals(self) -> Array:
        """The 95% intervals of T, (n, n, 2), siemens: from -inf to inf where a weight is not identified."""
        found = _around(self.weights, self.weight_errors)
        found[~self.identified] = (-np.inf, np.inf)
        return found

    @property
    def resistance_intervals(self) -> Array:
        """The 95% intervals of R, (n, 2), ohms, from those of 1 / R: up to inf where no leak is within them."""
        size = self.slopes.size
        square = size * size
        errors = np.sqrt(np.diag(self.covariance)[square : square + size])
        leak = _around(_inverse(self.resistance), errors)
        with np.errstate(divide="ignore"):
            found = np.stack([1.0 / np.maximum(leak[:, 1], 0.0), 1.0 / np.maximum(leak[:, 0], 0.0)], axis=1)
        return found if self.certain else np.broadcast_to([0.0, np.inf], found.shape).copy()

    @property
    def bias_intervals(self) -> Array:
        """The 95% intervals of I, (n, 2), amperes."""
        found = _around(self.bias, self.bias_errors)
        return found if self.certain else np.broadcast_to([-np.inf, np.inf], found.shape).copy()

    @property
    def slope_intervals(self) -> Array:
        """The 95% intervals of b, (n, 2), V/V: of log b, so that they are positive."""
        ratio = np.exp(np.minimum(NORMAL_95 * self.slope_errors / self.slopes, 300.0))
        found = np.stack([self.slopes / ratio, self.slopes * ratio], axis=1)
        return found if self.certain else np.broadcast_to([0.0, np.inf], found.shape).copy()

    def network(self) -> Network:
        """Return the network at the best parameters, known or not, from the first recording's start."""
        return Network(
            weights=self.weights,
            resistance=self.resistance,
            capacitance=self.capacitance,
            gain=Tanh(gain=self.slopes, amplitude=self.amplitude),
            bias=self.bias,
            initial=self.starts[0],
        )

    def rows(self) -> list[tuple[str, str]]:
        return [
            *(("note", note) for note in self.notes),
            ("weights", f"{int(self.identified.sum())} of {self.identified.size} identified"),
            ("chi-square", f"{self.chi_square:.3f} per degree of freedom"),
            ("condition", f"{self.condition:.1e}"),
        ]

    def figures(self) -> dict[str, Any]:
        names = ("weights", "resistance", "bias", "slopes", "capacitance", "amplitude", "identified", "starts")
        errors = ("weight_errors", "resistance_errors", "bias_errors", "slope_errors")
        return {
            "notes": list(self.notes),
            "certain": self.certain,
            "chi_square": self.chi_square,
            "condition": self.condition,
            **{name: getattr(self, name).tolist() for name in (*names, *errors)},
        }


def _around(values: Array, errors: Array) -> Array:
    return np.stack([values - NORMAL_95 * errors, values + NORMAL_95 * errors], axis=-1)


def _inverse(resistance: Array) -> Array:
    return np.asarray(1.0 / resistance)  # 0 for infinity


def fit_waveforms(
    recordings: Sequence[Recording], *, capacitance: Any, family: str = "tanh", amplitude: Any = 1.0
) -> WaveformFit:
    """Return the network that recordings of all its states tell, each a transient from another start.

        C_i dx_i/dt = -x_i / R_i + sum_j T_ij g_j(x_j) + I_i,      g_j(x) = a_j tanh(b_j x / a_j)

    T, R, I, b and the starts are unknown; `capacitance` C, (n,) or one, farads, and `amplitude` a, (n,) or one, volts,
    are given. Least squares on the weak form give a start, and least squares on the waveforms themselves the answer
    (output error: solutions by the classical Runge-Kutta method with forward sensitivities, Levenberg-Marquardt).
    Each channel's noise, and the step of its converter, are estimated from the samples, and weigh them. The noise is
    taken to be new in each sample, but what a converter rounds. The search begins where b |x| / a is usual and holds
    slopes that samples do not tell near it, weakly. Standard errors are those of the linear problem at the answer, by
    samples alone, widened by the square root of chi-square where that is above 1.

    Raises InputError for no recordings, others than `Recording`, different numbers of neurons, a capacitance or an
    amplitude that is not positive, another `family`, and states of which none moves.
    """
    given = _checked(recordings)
    n = given[0].size
    if family not in FAMILIES:
        raise InputError(f"`family` = {family!r:.40}: must be one of {', '.join(FAMILIES)}")
    c = positive(capacitance, "capacitance", shape=(n,), unit="F")
    a = positive(amplitude, "amplitude", shape=(n,), unit="V")
    noise = [estimate_noise(one) for one in given]
    if find_still(given, noise).all():
        raise InputError(
            "`recordings`: no state moves by more than its noise in any of them: must have transients; start from "
            "other states than those of rest"
        )
    reach = np.max([np.abs(one.states).max(axis=0) for one in given], axis=0)
    volts = np.where(reach > 0.0, reach, 1.0)
    seconds = float(np.median([one.duration for one in given])) / DURATIONS
    found, blocks = _search(given, noise, volts, seconds)
    own = Parameters.of(found.theta, n)
    freedom = max(blocks.expected - found.theta.size - found.start.size, 1.0)
    chi_square = found.misfit / freedom
    covariance, condition = _covariance(linearise(found.theta, found.start, blocks).information())
    siemens = c / seconds  # of a rate of 1 in a unit of time
    # From theta = (a, W, c, log r) to (T, 1/R, I, b), each in its order a factor of its own.
    slopes = own.rate * a / volts
    factors = np.concatenate([np.outer(siemens * volts, 1.0 / a).ravel(), siemens, siemens * volts, slopes])
    order = np.concatenate([np.arange(n, n + n * n), np.arange(n), np.arange(n + n * n, found.theta.size)])
    covariance = covariance[np.ix_(order, order)] * np.outer(factors, factors) * max(chi_square, 1.0)
    errors = np.split(np.sqrt(np.diag(covariance)), np.cumsum([n * n, n, n]))
    leak = own.leak * siemens
    ohms = 1.0 / np.where(leak > 0.0, leak, 1.0)
    resistance = np.where(leak > 0.0, ohms, np.inf)
    resistance_errors = np.where(leak > 0.0, errors[1] * ohms**2, np.inf)
    weights = own.weights * np.outer(siemens * volts, 1.0 / a)
    judged = judge(
        given,
        noise,
        Known(
            weights=weights,
            weight_errors=errors[0].reshape(n, n),
            leak=leak,
            slope_errors=errors[3] / slopes,
            drive=slopes / a,
            chi_square=chi_square,
            condition=condition,
            ended=found.ended,
            pieces=len(found.start) // len(given),
        ),
    )
    return WaveformFit(
        weights=freeze(weights, "weights"),
        resistance=freeze(resistance, "resistance", allow_inf=True),
        bias=freeze(own.bias * siemens * volts, "bias"),
        slopes=freeze(slopes, "slopes"),
        capacitance=c,
        amplitude=a,
        weight_errors=freeze(errors[0].reshape(n, n), "weight_errors"),
        resistance_errors=freeze(resistance_errors, "resistance_errors", allow_inf=True),
        bias_errors=freeze(errors[2], "bias_errors"),
        slope_errors=freeze(errors[3], "slope_errors"),
        covariance=freeze(covariance, "covariance"),
        chi_square=float(chi_square),
        condition=float(condition),
        identified=judged.identified,
        certain=judged.certain,
        starts=freeze(found.start[:: len(found.start) // len(given)] * volts, "starts"),
        notes=judged.notes,
    )


def _checked(recordings: Any) -> tuple[Recording, ...]:
    if not isinstance(recordings, Recording | Sequence):
        raise InputError(f"`recordings` = {recordings!r:.60}: must be a sequence of Recording(times=..., states=...)")
    given = (recordings,) if isinstance(recordings, Recording) else tuple(recordings)
    if not given:
        raise InputError(
            "`recordings` is empty: must have one Recording at least, and better one for each of many starts"
        )
    for k, one in enumerate(given):
        if not isinstance(one, Recording):
            raise InputError(f"`recordings[{k}]` = {one!r:.60}: must be a Recording(times=..., states=...)")
        if one.size != given[0].size:
            raise InputError(
                f"`recordings[{k}]` has {one.size} channels and the first {given[0].size}: all must have the same "
                "neurons in the same order"
            )
    return given


def _covariance(information: Array) -> tuple[Array, float]:
    """Return the inverse of the information, and the condition of the information with a diagonal of ones."""
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    largest = float(size.max())
    size = np.maximum(size, 1e-12 * largest if largest > 0.0 else 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    values = np.maximum(values, LEAST_EIGENVALUE * max(float(values[-1]), 1.0))
    return np.asarray((vectors / values) @ vectors.T / np.outer(size, size)), float(values[-1] / values[0])


def _search(
    recordings: Sequence[Recording], noise: Sequence[Noise], volts: Array, seconds: float
) -> tuple[Shot, Blocks]:
    """Return the best parameters and the averages that they are the best for.

    First of short pieces with starts of their own, which no growth of errors can spoil, then of whole recordings.
    Where those cannot be followed as well (errors that grow a thousandfold), the pieces' answer is kept.
    """
    n, still = volts.size, find_still(recordings, noise)
    coarse = average(recordings, noise, FIRST_STEPS, volts, seconds)
    blocks = average(recordings, noise, _steps(find_start(coarse), coarse, still, FIRST_STEP), volts, seconds)
    pieces, starts = blocks.split(PIECES), blocks.starts(PIECES)
    best: Shot | None = None
    for rate in (None, *RATES):
        tried = shoot(find_start(coarse, rate).joined(), starts, pieces)
        if best is None or tried.misfit < 0.999 * best.misfit:
            best = tried
        if best.misfit < GOOD * blocks.expected:
            break
    assert best is not None
    steps = _steps(Parameters.of(best.theta, n), blocks, still, STEP)
    blocks = average(recordings, noise, steps, volts, seconds)
    whole = shoot(best.theta, best.start[::PIECES], blocks)
    whole = _try_slopes(whole, blocks, still)
    while steps < MOST_STEPS and find_step_error(whole.theta, whole.start, blocks) > STEP_ERROR:
        steps *= 2
        blocks = average(recordings, noise, steps, volts, seconds)
        whole = shoot(whole.theta, whole.start, blocks)
    if whole.misfit <= WORSE * blocks.expected:
        return whole, blocks
    pieces = blocks.split(PIECES)
    again = shoot(best.theta, best.start, pieces)
    return (again, pieces) if WORSE * again.misfit < whole.misfit else (whole, blocks)


def _steps(parameters: Parameters, blocks: Blocks, still: Any, step: float) -> int:
    """Return how many steps a recording needs, each of `step` by the fastest rate that its states meet.

    It is a multiple of the pieces.
    """
    rates = np.abs(parameters.jacobian(blocks.means)[..., ~still]).sum(axis=-1).max(axis=-1)
    fastest = float(np.quantile(rates[blocks.weights.max(axis=-1) > 0.0], 0.95))
    wanted = float((blocks.step * blocks.means.shape[1]).max()) * fastest / step
    return PIECES * int(np.ceil(np.clip(wanted, FIRST_STEPS, MOST_STEPS) / PIECES))


def _try_slopes(shot: Shot, blocks: Blocks, still: Any) -> Shot:
    """Return the better of an answer and those from other slopes of curves whose slope it hardly knows.

    Where a search goes too far, a curve is a step for all samples, or a straight line, and little moves its slope.
    """
    n = shot.start.shape[1]
    covariance, _ = _covariance(linearise(shot.theta, shot.start, blocks).information())
    for j in np.flatnonzero((np.sqrt(np.diag(covariance))[-n:] > VAGUE) & ~still):
        at = shot.theta.size - n + j
        for rate in RATES if shot.theta[at] > np.log(RATES[0]) else RATES[1:2]:
            if abs(np.log(rate) - shot.theta[at]) < VAGUE:
                continue
            theta = shot.theta.copy()
            theta[n + j : n + n * n : n] *= np.tanh(0.5 * np.exp(theta[at])) / np.tanh(0.5 * rate)
            theta[at] = np.log(rate)
            tried = shoot(theta, shot.start, blocks, iterations=TRIED)
            if tried.misfit < shot.misfit - 1.0:
                shot = tried
    return shot if shot.ended else shoot(shot.theta, shot.start, blocks)
