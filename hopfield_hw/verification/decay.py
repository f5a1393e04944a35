"""What is left at the end of a step of what disturbed it on the way: in a stiff network next to nothing.

A disturbance r of dx/dt over a step of h moves the state by phi(h J) r h with phi(z) = (exp(z) - 1)/z and the Jacobian
J of the equation (Hochbruck and Ostermann, Acta Numerica 19:209, 2010, section 2.1). Where h J is small this is r h.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..equations import Along, Growth
from ..values.arrays import Array

# The Jacobian is taken at so many points of a run at most; between them the nearest one counts. Of more states than
# this it is not asked for.
SAMPLES = 48
MOST_STATES = 400
# Steps of which nothing decays by more than this part are left as they are.
SLIGHT = 1.0

Complex = npt.NDArray[np.complex128]


class Decay:
    """The decay within the steps of a run; `times`, (M,), and `states`, (M, all states), as in `Run`.

    `asked`: False for steps that are known to be short.
    """

    def __init__(self, along: Along, times: Array, states: Array, *, asked: bool = True) -> None:
        self._along, self._times, self._states = along, times, states
        self._steps = np.diff(times)
        self.size, self._asked = along.continuous, asked
        self.at = np.unique(np.linspace(0, len(times) - 1, SAMPLES).astype(np.int64))

    @cached_property
    def applies(self) -> bool:
        """Whether anything decays within a step."""
        return bool(self.strong.any())

    @cached_property
    def strong(self) -> npt.NDArray[np.bool_]:
        """Whether something decays within each step, (M - 1,)."""
        if not self._asked or not 0 < self.size <= MOST_STATES:
            return np.zeros(len(self._steps), dtype=np.bool_)
        times, states = self._times, self._states
        leaking = max(float(np.max(rate)) for _, rate in self._along.rates.values())
        bound = np.maximum(Growth(self._along.graph, self._along.inputs).bounds(times, states), 0.0) + 2.0 * leaking
        if not bool(np.any(np.maximum(bound[1:], bound[:-1]) * self._steps > SLIGHT)):
            return np.zeros(len(self._steps), dtype=np.bool_)
        norms = np.array([float(np.max(np.sum(np.abs(jacobian), axis=1))) for jacobian in self._jacobians])
        found: npt.NDArray[np.bool_] = norms[self.nearest] * self._steps > SLIGHT
        return found

    @cached_property
    def nearest(self) -> npt.NDArray[np.int64]:
        """By step, the sample that counts for it."""
        middle = np.arange(len(self._steps)) + 0.5
        return np.clip(np.searchsorted(0.5 * (self.at[1:] + self.at[:-1]), middle), 0, len(self.at) - 1)

    def left(self, block: slice, moved: Array) -> Array:
        """Return what is left at the ends of a block's steps of what moved their states, (steps, n)."""
        if not self.applies:
            return moved
        result = moved.copy()
        for sample, rows in self._groups(block):
            vectors, values, inverse = self._modes[sample]
            part = _phi(values, self._steps[block][rows])
            result[rows] = np.real(((moved[rows] @ inverse.T) * part) @ vectors.T)
        return result

    def own(self, block: slice) -> Array:
        """Return by state what is left of what moves it alone, (steps, n)."""
        result = np.ones((block.stop - block.start, self.size))
        if self.applies:
            for sample, rows in self._groups(block):
                vectors, values, inverse = self._modes[sample]
                result[rows] = np.abs(np.real(_phi(values, self._steps[block][rows]) @ (vectors * inverse.T).T))
        return result

    def _groups(self, block: slice) -> list[tuple[int, npt.NDArray[np.int64]]]:
        nearest = self.nearest[block]
        strong = self.strong[block]
        return [(int(sample), np.flatnonzero((nearest == sample) & strong)) for sample in np.unique(nearest[strong])]

    @cached_property
    def _jacobians(self) -> list[Array]:
        found = []
        for k in self.at.tolist():
            values = self._along.values(self._times[[k]], self._states[[k]])
            found.append(self._along.jacobian({name: value[0] for name, value in values.items()}))
        return found

    @cached_property
    def _modes(self) -> list[tuple[Complex, Complex, Complex]]:
        """Eigenvectors, eigenvalues and the inverse of the vectors, by sample; nothing decays where there is none."""
        found = []
        for jacobian in self._jacobians:
            values, vectors = np.linalg.eig(jacobian)
            try:
                inverse = np.linalg.inv(vectors)
                sound = bool(np.linalg.norm(inverse, 2) * np.linalg.norm(vectors, 2) < 1e8)
            except np.linalg.LinAlgError:
                sound = False
            if not sound:
                vectors, inverse, values = np.eye(self.size), np.eye(self.size), np.diagonal(jacobian)
            found.append((vectors.astype(complex), values.astype(complex), inverse.astype(complex)))
        return found


def _phi(values: Complex, steps: Array) -> Complex:
    """Return phi(h lambda) by step and mode; 1 for modes that do not decay."""
    z = np.multiply.outer(steps, np.where(values.real < 0.0, values, 0.0))
    small = np.abs(z) < 1e-6
    found: Complex = np.where(small, 1.0 + z / 2.0, np.expm1(z) / np.where(small, 1.0, z))
    return found
