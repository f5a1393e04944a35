"""Output-error fitting by shooting: solutions and their sensitivities in one batch, and Levenberg-Marquardt steps.

In units where volts are by neuron of order 1, u_i = x_i / X_i, and times of order 1:

    du_i/dt = -a_i u_i + sum_j W_ij tanh(r_j u_j) + c_i,      theta = (a, W row by row, c, log r), n^2 + 3n numbers.

Samples are averaged between the nodes of the grid of integration, and so is the solution there, as the cubic of its
values and slopes at both nodes: nothing is lost but what changes within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array
from .recordings import Noise, Recording

LEAST_RATE, MOST_RATE = 0.02, 500.0  # of a curve, by the reach of its state: a straight line, and a step
# log r counts as known beforehand to be log 3 within 2 (as if measured): of a slope that samples do not tell it keeps
# the search where they could, and of one known to 10% it takes a thousandth of the interval.
USUAL_RATE, USUAL_SPREAD = 3.0, 2.0
LONGEST_STEP = 1.0  # of log r in one iteration
ITERATIONS, TRIES = 40, 8
ENOUGH = 1e-3  # a fall of chi-square that ends the iterations
NEARLY = 0.1  # a fall of chi-square, the last one, after which a search counts as ended where iterations ran out
SINGULAR = 1e-12  # of a diagonal of ones: what is added where parameters have no effect of their own
CHUNK = 32  # steps whose products are taken at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """M recordings (or pieces of them) averaged over K steps each.

    `step`: (M,). `means`: (M, K, n). `weights`: (M, K, n), 1 / standard deviation, 0 where a step has no sample.
    `averaging`: (M, K, 4), what the mean of a cubic takes of its value and step x slope at the first node, and at the
    second. `expected`: chi-square of the true parameters. `centres`: (M, K), mean times of the samples, from 0.
    """

    step: Array
    means: Array
    weights: Array
    averaging: Array
    expected: float
    centres: Array

    def split(self, pieces: int) -> Blocks:
        """Return each recording in so many equal pieces, as recordings."""
        m, k, n = self.means.shape
        return Blocks(
            step=np.repeat(self.step, pieces),
            means=self.means.reshape(m * pieces, k // pieces, n),
            weights=self.weights.reshape(m * pieces, k // pieces, n),
            averaging=self.averaging.reshape(m * pieces, k // pieces, 4),
            expected=self.expected,
            centres=self.centres.reshape(m * pieces, k // pieces),
        )

    def starts(self, pieces: int) -> Array:
        """Return states at the start of each piece of a recording, (M pieces, n), as the averages have them."""
        m, k, n = self.means.shape
        found = np.empty((m, pieces, n))
        for r in range(m):
            at = self.step[r] * (k // pieces) * np.arange(pieces)
            for i in range(n):
                there = self.weights[r, :, i] > 0.0
                found[r, :, i] = np.interp(at, self.centres[r, there], self.means[r, there, i])
        return found.reshape(m * pieces, n)


def average(
    recordings: Sequence[Recording], noise: Sequence[Noise], steps: int, volts: Array, seconds: float
) -> Blocks:
    """Return recordings as blocks of `steps` steps, in units of `volts`, (n,), and `seconds`.

    The variance of a mean is that of what is new in each sample over their number, and the error that lasts as long as
    a signal stays within one step of the converter, times the blocks for which it stays.
    """
    m, n = len(recordings), recordings[0].size
    means, weights = np.zeros((m, steps, n)), np.zeros((m, steps, n))
    averaging, centres = np.zeros((m, steps, 4)), np.zeros((m, steps))
    expected = 0.0
    for r, (recording, noisy) in enumerate(zip(recordings, noise, strict=True)):
        s = (recording.times - recording.times[0]) / recording.duration * steps
        k = np.minimum(s.astype(int), steps - 1)
        s = s - k
        count = np.bincount(k, minlength=steps)
        some = count > 0
        each = np.maximum(count, 1)
        basis = ((1.0 + 2.0 * s) * (1.0 - s) ** 2, s * (1.0 - s) ** 2, s**2 * (3.0 - 2.0 * s), s**2 * (s - 1.0))
        for q, values in enumerate(basis):
            averaging[r, :, q] = np.bincount(k, values, minlength=steps) / each
        centres[r] = (
            (np.arange(steps) + np.bincount(k, s, minlength=steps) / each) * recording.duration / steps / seconds
        )
        for i in range(n):
            means[r, :, i] = np.bincount(k, recording.states[:, i], minlength=steps) / each
            fresh, lasting = noisy.fresh[i] / each, noisy.lasting[i]
            variance = fresh + lasting * _stays(means[r, :, i], float(noisy.step[i]), some)
            expected += float(((fresh + lasting) / variance)[some].sum())
            means[r, :, i] /= volts[i]
            weights[r, some, i] = volts[i] / np.sqrt(variance[some])
    step = np.array([recording.duration / steps / seconds for recording in recordings])
    return Blocks(step=step, means=means, weights=weights, averaging=averaging, expected=expected, centres=centres)


def _stays(means: Array, step: float, some: npt.NDArray[np.bool_]) -> Array:
    """Return for each block how many in a row are within the same step of a converter, (K,)."""
    if step == 0.0:
        return np.ones(means.size)
    level = np.round(means[some] / step)
    runs = np.concatenate([[0], np.cumsum(np.diff(level) != 0.0)])
    stays = np.ones(means.size)
    stays[some] = np.bincount(runs)[runs]
    return stays


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """theta in its parts: `leak` a, (n,), `weights` W, (n, n), `bias` c, (n,), `rate` r, (n,)."""

    leak: Array
    weights: Array
    bias: Array
    rate: Array

    @classmethod
    def of(cls, theta: Array, n: int) -> Parameters:
        """Return the parts of theta, (n^2 + 3n,)."""
        leak, weights, bias, log_rate = np.split(theta, [n, n + n * n, 2 * n + n * n])
        return cls(leak=leak, weights=weights.reshape(n, n), bias=bias, rate=np.exp(log_rate))

    def joined(self) -> Array:
        """Return theta."""
        return np.concatenate([self.leak, self.weights.ravel(), self.bias, np.log(self.rate)])

    def slope(self, u: Array) -> Array:
        """Return du/dt, (..., n)."""
        return np.asarray(np.tanh(self.rate * u) @ self.weights.T - self.leak * u + self.bias)

    def jacobian(self, u: Array) -> Array:
        """Return d(du/dt)/du, (..., n, n)."""
        steep = self.rate * (1.0 - np.tanh(self.rate * u) ** 2)
        return np.asarray(self.weights * steep[..., None, :] - np.diag(self.leak))


def find_misfit(theta: Array, start: Array, blocks: Blocks) -> float:
    """Return chi-square of solutions from `start`, (M, n); infinite where they leave the range of numbers."""
    parameters = Parameters.of(theta, start.shape[1])
    steps = blocks.means.shape[1]
    h = blocks.step[:, None]
    u, total = start, 0.0
    slope = parameters.slope(u)
    with np.errstate(all="ignore"):
        for k in range(steps):
            new = _advance(parameters, u, slope, h)
            after = parameters.slope(new)
            w = blocks.averaging[:, k, :, None]
            mean = w[:, 0] * u + w[:, 1] * (h * slope) + w[:, 2] * new + w[:, 3] * (h * after)
            total += float((((mean - blocks.means[:, k]) * blocks.weights[:, k]) ** 2).sum())
            u, slope = new, after
    return total if np.isfinite(total) else np.inf


def find_step_error(theta: Array, start: Array, blocks: Blocks) -> float:
    """Return chi-square of the difference that halving the steps of integration makes."""
    parameters = Parameters.of(theta, start.shape[1])
    h = blocks.step[:, None]
    u = fine = start
    total = 0.0
    with np.errstate(all="ignore"):
        for k in range(blocks.means.shape[1]):
            u = _advance(parameters, u, parameters.slope(u), h)
            for _ in range(2):
                fine = _advance(parameters, fine, parameters.slope(fine), 0.5 * h)
            total += float((((u - fine) * blocks.weights[:, k]) ** 2).sum())
    return total if np.isfinite(total) else np.inf


def _advance(parameters: Parameters, u: Array, slope: Array, h: Array) -> Array:
    """Return the state after one step of the classical Runge-Kutta method."""
    k2 = parameters.slope(u + 0.5 * h * slope)
    k3 = parameters.slope(u + 0.5 * h * k2)
    k4 = parameters.slope(u + h * k3)
    return np.asarray(u + h / 6.0 * (slope + 2.0 * (k2 + k3) + k4))


class _Sensitivity:
    """d(du/dt)/d(theta, start) along solutions, of one set of parameters; the fixed parts are written once."""

    def __init__(self, parameters: Parameters, m: int, n: int) -> None:
        self.parameters, self.n = parameters, n
        p = n * n + 3 * n
        self.forcing = np.zeros((m, n, p + n))
        self.leak = np.einsum("mii->mi", self.forcing[:, :, :n])
        self.drive = np.einsum("miij->mij", self.forcing[:, :, n : n + n * n].reshape(m, n, n, n))
        self.rate = self.forcing[:, :, p - n : p]
        np.einsum("mii->mi", self.forcing[:, :, p - 2 * n : p - n])[:] = 1.0

    def slopes(self, u: Array, s: Array) -> tuple[Array, Array]:
        """Return du/dt, (M, n), and d/dt of its sensitivities, (M, n, P), from those, `s`."""
        own = self.parameters
        y = np.tanh(own.rate * u)
        steep = own.rate * (1.0 - y * y)
        jacobian = own.weights * steep[:, None, :]
        np.einsum("mii->mi", jacobian)[:] -= own.leak
        self.leak[:] = -u
        self.drive[:] = y[:, None, :]
        self.rate[:] = own.weights * (steep * u)[:, None, :]
        change = np.matmul(jacobian, s)
        change += self.forcing
        return y @ own.weights.T - own.leak * u + own.bias, change


@dataclass(frozen=True, kw_only=True, eq=False)
class Normal:
    """Normal equations: `theta`, (p, p); `mixed`, (M, p, n); `start`, (M, n, n); gradients of chi-square / 2."""

    theta: Array
    mixed: Array
    start: Array
    theta_gradient: Array
    start_gradient: Array

    def solve(self, damping: float) -> tuple[Array, Array]:
        """Return the steps of theta, (p,), and of the starts, (M, n), with the diagonal times 1 + damping."""
        inner = self.start + damping * _diagonals(self.start)
        gain = np.linalg.solve(inner, np.swapaxes(self.mixed, 1, 2))
        own = np.linalg.solve(inner, self.start_gradient[..., None])
        reduced = self.theta - np.einsum("mpi,miq->pq", self.mixed, gain)
        right = self.theta_gradient - np.einsum("mpi,mi->p", self.mixed, own[..., 0])
        size = np.sqrt(np.diag(self.theta))
        size[size == 0.0] = 1.0  # what has no effect stays
        scaled = reduced / np.outer(size, size) + (damping + SINGULAR) * np.eye(size.size)
        theta = -np.linalg.solve(scaled, right / size) / size
        return theta, -own[..., 0] - gain @ theta

    def information(self) -> Array:
        """Return the information on theta, (p, p), the starts being unknown."""
        size = np.sqrt(np.maximum(np.einsum("mii->mi", self.start), np.finfo(float).tiny))
        inner = np.linalg.pinv(self.start / (size[:, :, None] * size[:, None, :]), rcond=1e-12, hermitian=True)
        scaled = self.mixed / size[:, None, :]
        found: Array = self.theta - np.einsum("mpi,mij,mqj->pq", scaled, inner, scaled, optimize=True)
        return 0.5 * (found + found.T)


def _diagonals(matrices: Array) -> Array:
    return matrices * np.eye(matrices.shape[-1])


def linearise(theta: Array, start: Array, blocks: Blocks) -> Normal:
    """Return the normal equations at parameters and starts, by the derivative of each step of integration."""
    m, n = start.shape
    p, steps = theta.size, blocks.means.shape[1]
    rates = _Sensitivity(Parameters.of(theta, n), m, n)
    h, hs = blocks.step[:, None], blocks.step[:, None, None]
    u = start
    s = np.zeros((m, n, p + n))
    s[:, :, p:] = np.eye(n)
    square, gradient = np.zeros((m, p + n, p + n)), np.zeros((m, p + n))
    rows, residuals = np.empty((m, CHUNK, n, p + n)), np.empty((m, CHUNK, n))
    f1, d1 = rates.slopes(u, s)
    for k in range(steps):
        f2, d2 = rates.slopes(u + 0.5 * h * f1, s + 0.5 * hs * d1)
        f3, d3 = rates.slopes(u + 0.5 * h * f2, s + 0.5 * hs * d2)
        f4, d4 = rates.slopes(u + h * f3, s + hs * d3)
        new, s_new = u + h / 6.0 * (f1 + 2.0 * (f2 + f3) + f4), s + hs / 6.0 * (d1 + 2.0 * (d2 + d3) + d4)
        f5, d5 = rates.slopes(new, s_new)
        w = blocks.averaging[:, k, :, None]
        mean = w[:, 0] * u + w[:, 1] * (h * f1) + w[:, 2] * new + w[:, 3] * (h * f5)
        weight, w4 = blocks.weights[:, k], w[..., None]
        at = k % CHUNK
        residuals[:, at] = (mean - blocks.means[:, k]) * weight
        row = w4[:, 0] * s + w4[:, 1] * hs * d1 + w4[:, 2] * s_new + w4[:, 3] * hs * d5
        np.multiply(row, weight[:, :, None], out=rows[:, at])
        u, s, f1, d1 = new, s_new, f5, d5
        if at == CHUNK - 1 or k == steps - 1:
            flat = rows[:, : at + 1].reshape(m, -1, p + n)
            turned = np.swapaxes(flat, 1, 2)
            square += turned @ flat
            gradient += (turned @ residuals[:, : at + 1].reshape(m, -1, 1))[..., 0]
    return Normal(
        theta=square[:, :p, :p].sum(axis=0),
        mixed=square[:, :p, p:],
        start=square[:, p:, p:],
        theta_gradient=gradient[:, :p].sum(axis=0),
        start_gradient=gradient[:, p:],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """What a search found: `theta`, (p,), `start`, (M, n), chi-square `misfit`, and whether the search `ended`."""

    theta: Array
    start: Array
    misfit: float
    ended: bool


def shoot(theta: Array, start: Array, blocks: Blocks, iterations: int = ITERATIONS) -> Shot:
    """Return parameters and starts of least chi-square near given ones, by Levenberg and Marquardt's method.

    The unknown starts are eliminated from each step (they meet only the parameters). Slopes stay within what can be
    told from a straight line and from a step. `ended`: False where iterations ran out, or numbers did.
    """
    n = start.shape[1]
    damping, ended = 1e-2, False
    usual = np.zeros(theta.size)
    usual[-n:] = USUAL_SPREAD**-2

    def find_total(theta: Array, start: Array) -> float:
        return find_misfit(theta, start, blocks) + float((usual * (theta - np.log(USUAL_RATE)) ** 2).sum())

    misfit = find_total(theta, start)
    for _ in range(iterations):
        if not np.isfinite(misfit):
            break
        with np.errstate(all="ignore"):
            normal = linearise(theta, start, blocks)
        normal = replace(
            normal,
            theta=normal.theta + np.diag(usual),
            theta_gradient=normal.theta_gradient + usual * (theta - np.log(USUAL_RATE)),
        )
        better = None
        for _ in range(TRIES):
            try:
                change, moved = normal.solve(damping)
            except np.linalg.LinAlgError:
                damping = max(10.0 * damping, 1e-6)
                continue
            longest = float(np.abs(change[-n:]).max())
            share = min(1.0, LONGEST_STEP / longest) if np.isfinite(longest) and longest > 0.0 else 1.0
            new = theta + share * change
            new[-n:] = np.clip(new[-n:], np.log(LEAST_RATE), np.log(MOST_RATE))
            found = find_total(new, start + share * moved)
            if found <= misfit:
                better = (new, start + share * moved, found)
                break
            damping *= 6.0
        if better is None:
            ended = True
            break
        fall = misfit - better[2]
        theta, start, misfit = better
        damping = max(damping / 8.0, 1e-9)
        ended = fall < NEARLY
        if fall < ENOUGH:
            break
    return Shot(theta=theta, start=start, misfit=find_misfit(theta, start, blocks), ended=ended)
