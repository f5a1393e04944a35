"""The weak form: least squares without derivatives of noisy samples, as the start of a search.

With a test function p that vanishes at both ends of a window, integration by parts turns

    du_i/dt = -a_i u_i + sum_j W_ij tanh(r_j u_j) + c_i     into

    -int p' u_i dt = -a_i int p u_i dt + sum_j W_ij int p tanh(r_j u_j) dt + c_i int p dt,

which is linear in a, W and c (Messenger and Bortz, Multiscale Modeling and Simulation 19:1474, 2021). The rates r are
found by least squares on what is left (variable projection: Golub and Pereyra, SIAM J. Numer. Anal. 10:413, 1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from ..values.arrays import Array
from .shooting import Blocks, Parameters

POWER = 4  # of the test function (1 - s^2)^POWER
PARTS = 16  # windows that a recording is long
OVERLAP = 4  # windows that share a point
SMALLEST = 1e-4  # singular values, by the largest, that least squares keeps
BOUNDS = (0.1, 60.0)  # of rates
TRIED = np.geomspace(0.5, 30.0, 13)  # rates of all curves at first


@dataclass(frozen=True, kw_only=True, eq=False)
class WeakForm:
    """Windows of M recordings: `test`, (Q, L), and `slope`, (Q, L), the test function and its derivative times dt.

    `samples`: (Q, L, n), the states in each window.
    """

    test: Array
    slope: Array
    samples: Array

    @classmethod
    def of(cls, blocks: Blocks) -> WeakForm:
        """Return the windows of averaged recordings, put on an even grid."""
        m, k, n = blocks.means.shape
        length = max(8, k // PARTS) + 1
        s = np.linspace(-1.0, 1.0, length)
        bump, fall = (1.0 - s**2) ** POWER, -2.0 * POWER * s * (1.0 - s**2) ** (POWER - 1)
        tests, slopes, windows = [], [], []
        for r in range(m):
            some = blocks.weights[r].max(axis=1) > 0.0
            even = (np.arange(k) + 0.5) * blocks.step[r]
            states = np.stack([np.interp(even, blocks.centres[r, some], blocks.means[r, some, i]) for i in range(n)], 1)
            for first in range(0, k - length + 1, max(1, length // OVERLAP)):
                tests.append(bump * blocks.step[r])
                slopes.append(fall * 2.0 / (length - 1))
                windows.append(states[first : first + length])
        return cls(test=np.array(tests), slope=np.array(slopes), samples=np.array(windows))

    def solve(self, rate: Array) -> tuple[Parameters, Array]:
        """Return the parameters of least squares at rates, (n,), and what is left of each equation, (Q, n)."""
        n = rate.size
        linear = -np.einsum("ql,qln->qn", self.test, self.samples)
        curved = np.einsum("ql,qln->qn", self.test, np.tanh(rate * self.samples))
        right = -np.einsum("ql,qln->qn", self.slope, self.samples)
        constant = self.test.sum(axis=1)[:, None]
        leak, weights, bias, left = np.zeros(n), np.zeros((n, n)), np.zeros(n), np.zeros_like(right)
        for i in range(n):
            matrix = np.concatenate([linear[:, i : i + 1], curved, constant], axis=1)
            size = np.linalg.norm(matrix, axis=0) + np.finfo(float).tiny
            found = np.linalg.lstsq(matrix / size, right[:, i], rcond=SMALLEST)[0] / size
            leak[i], weights[i], bias[i] = found[0], found[1:-1], found[-1]
            left[:, i] = matrix @ found - right[:, i]
        return Parameters(leak=leak, weights=weights, bias=bias, rate=rate), left


def find_start(blocks: Blocks, rate: float | None = None) -> Parameters:
    """Return parameters by the weak form, with a rate for all curves, or with rates that are searched for."""
    form = WeakForm.of(blocks)
    n = form.samples.shape[2]
    if rate is not None:
        return form.solve(np.full(n, rate))[0]
    best = float(TRIED[np.argmin([(form.solve(np.full(n, one))[1] ** 2).sum() for one in TRIED])])

    def find_left(log_rate: Array) -> Array:
        return form.solve(np.exp(log_rate))[1].ravel()

    found = scipy.optimize.least_squares(
        find_left,
        np.full(n, np.log(best)),
        bounds=(np.log(BOUNDS[0]), np.log(BOUNDS[1])),
        diff_step=np.full(n, 1e-3),
        max_nfev=30,
    )
    return form.solve(np.exp(found.x))[0]
