"""The linear stochastic equation of a circuit at a point of balance.

With G and C the slopes of currents and charges at the balance (see `equations.system`), small deviations of the
voltages follow

    C dv/dt + G v = sum_s n_s w_s(t),

w_s white noise that enters at n_s, of one-sided density 1 (A^2/Hz in n_s^2). C is singular. From the left, what it
does not see gives the voltages that follow at once; what is left is dx = A x dt + B dW with voltages v = P x + D w,
whose covariance at rest solves Lyapunov's equation

    A S + S A^T + B B^T / 2 = 0

(C. W. Gardiner, Handbook of Stochastic Methods, section 4.4.6; the half is that of one-sided densities). The noise is
that of `noise_sources` without what rises as 1/f, whose power has no end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_continuous_lyapunov

from ...circuit import Circuit, Ensemble
from ...values.arrays import Array
from ...values.errors import InputError, Unrealisable
from ..equations.system import build_system
from .balance import find_balances
from .naming import begin_at, name_nodes
from .noise_sources import NoiseSource, find_noise_sources
from .stamps import Slopes, Stamps

NO_CAPACITANCE = 1e-9  # of the singular values of C, whose rows and columns have the size 1
FEEDTHROUGH = 1e-6  # of the largest noise at once: less is of rounding
EVEN = 12  # rounds in which rows and columns are given the size 1
SAME = 1e-3  # V and parts of a voltage: a balance farther from the one that is given is another one


class Source(NamedTuple):
    """White noise: the device it comes from, the nodes between which its current flows, and its density, A/sqrt(Hz)."""

    device: str
    ends: tuple[str, str]
    density: float


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearCircuit:
    """dx = A x dt + B dW and v = P x + D w of a circuit at a balance; see the head of this module.

    `drift`: A, (r, r), 1/s. `diffusion`: B, (r, sources). `nodes`: by node, the row of `voltages`, P, (nodes, r), and
    of `at_once`, D, (nodes, sources), V/sqrt(Hz): noise that no capacitor holds back. `sources`: what makes noise.
    `balance`: by node, volts. Nodes within parts are called as in ngspice: `x_amp.gain`.
    """

    drift: Array
    diffusion: Array
    nodes: Mapping[str, int] = field(repr=False)
    voltages: Array = field(repr=False)
    at_once: Array = field(repr=False)
    sources: tuple[Source, ...] = field(repr=False)
    balance: Mapping[str, float] = field(repr=False)

    @cached_property
    def rates(self) -> Array:
        """The real parts of the eigenvalues of A, 1/s, the largest first; at rest noise is bounded where all fall."""
        return np.sort(np.linalg.eigvals(self.drift).real)[::-1]

    @cached_property
    def covariance(self) -> Array:
        """S, (r, r): of x at rest. Without meaning where a rate is not negative."""
        return np.asarray(solve_continuous_lyapunov(self.drift, -0.5 * self.diffusion @ self.diffusion.T))

    def voltage_covariance(self, nodes: Sequence[str]) -> Array:
        """Return the covariance of voltages of nodes, (k, k), V^2.

        Raises InputError for a node that is not there, and for one whose white noise no capacitor holds back.
        """
        rows = self._rows(nodes)
        for node in nodes:
            if not self.is_bounded(node):
                raise InputError(
                    f"noise: node {node}: no capacitor holds back its white noise, so that its power has no end; give "
                    "its op-amp an output that limits its current, or ask for a density"
                )
        p = self.voltages[rows]
        return np.asarray(p @ self.covariance @ p.T)

    def is_bounded(self, node: str) -> bool:
        """Return whether the noise of a node has a finite power."""
        (row,) = self._rows([node])
        scale = float(np.max(np.abs(self.at_once), initial=0.0))
        return float(np.max(np.abs(self.at_once[row]), initial=0.0)) <= FEEDTHROUGH * scale

    def density(self, node: str, frequencies: Array) -> Array:
        """Return the one-sided density of a node's noise, (F,), V/sqrt(Hz): |P (2 pi i f - A)^-1 B + D|."""
        (row,) = self._rows([node])
        one = np.eye(len(self.drift))
        found = np.empty(len(frequencies))
        for k, f in enumerate(np.asarray(frequencies).tolist()):
            # From the left: one solve for all sources.
            left = np.linalg.solve((2j * math.pi * f * one - self.drift).T, self.voltages[row])
            found[k] = np.linalg.norm(left @ self.diffusion + self.at_once[row])
        return found

    def shares(self, node: str) -> dict[str, float]:
        """Return by device the part of a node's power of noise that it makes, the largest first; their sum is 1."""
        (row,) = self._rows([node])
        p = self.voltages[row]
        weight = solve_continuous_lyapunov(self.drift.T, -0.5 * np.outer(p, p))
        powers = np.einsum("rs,rt,ts->s", self.diffusion, weight, self.diffusion)
        found: dict[str, float] = {}
        for source, power in zip(self.sources, powers.tolist(), strict=True):
            found[source.device] = found.get(source.device, 0.0) + power
        whole = sum(found.values())
        return {name: found[name] / whole for name in sorted(found, key=lambda name: -found[name])}

    def _rows(self, nodes: Sequence[str]) -> list[int]:
        for node in nodes:
            if node.lower() not in self.nodes:
                raise InputError(f"noise: {node!r:.60} is no node of the circuit that may move")
        return [self.nodes[node.lower()] for node in nodes]


def linearise(circuit: Circuit, balance: Mapping[str, float]) -> LinearCircuit:
    """Return the linear stochastic equation of a circuit at a balance. `balance`: voltages of nodes, by name.

    The balance is made exact first; nodes within parts may be left out.

    Raises InputError for voltages that are no balance, and for a circuit in which something is undetermined, and
    Unrealisable for a part whose equations or whose noise are not known.
    """
    alone = Ensemble(circuit=circuit, size=1)
    stamps = Stamps(build_system(alone))
    names = name_nodes(stamps.system)
    found = find_balances(stamps, *begin_at(stamps.system, balance, "noise: `balance`"))
    if found.failures:
        raise InputError(f"noise: {circuit.title!r}: {found.failures[0]}")
    for name, volts in zip(names, found.voltages[:, 0].tolist(), strict=False):
        off = abs(volts - balance.get(name, volts))
        if off > SAME * (1.0 + abs(volts)):
            raise InputError(
                f"noise: `balance`: node {name} = {balance[name]:.6g} V: the balance that is found from there is at "
                f"{volts:.6g} V; give voltages of one"
            )
    sources = find_noise_sources(alone, stamps.system, found.voltages)
    return reduce_sample(stamps, found.voltages, sources, 0)


def reduce_sample(stamps: Stamps, voltages: Array, sources: Sequence[NoiseSource], sample: int) -> LinearCircuit:
    """Return the equation of a sample at its balance, of all balances (nodes, samples), without what follows at once.

    Raises InputError where a node is undetermined, and Unrealisable for a circuit with lines.
    """
    system = stamps.system
    if system.ports.size:
        raise Unrealisable("noise: the circuit has transmission lines, whose equation has no end; ask for a density")
    index = {node: k for k, node in enumerate(system.nodes)}
    names = name_nodes(system)
    at = stamps.at(voltages[:, [sample]], np.array([sample]))
    white = [source for source in sources if not source.flickers]
    entries = np.zeros((system.unknowns, len(white)))
    densities = [math.sqrt(float(source.power[sample])) for source in white]
    for s, (source, density) in enumerate(zip(white, densities, strict=True)):
        for node, sign in zip(source.ends, (-1.0, 1.0), strict=True):
            law = int(system.laws[index[node]])
            if law >= 0:
                entries[law, s] += sign * density
    drift, diffusion, moving, at_once = _reduce(stamps, at, entries)
    return LinearCircuit(
        drift=drift,
        diffusion=diffusion,
        nodes={name: k for k, name in enumerate(names[: system.unknowns])},
        voltages=moving,
        at_once=at_once,
        sources=tuple(
            Source(source.device, (names[index[source.ends[0]]], names[index[source.ends[1]]]), density)
            for source, density in zip(white, densities, strict=True)
        ),
        balance=dict(zip(names[:-1], voltages[:-1, sample].tolist(), strict=True)),
    )


def _reduce(stamps: Stamps, at: Slopes, entries: Array) -> tuple[Array, Array, Array, Array]:
    """Return A, B, P and D. With C = U S V^T, what U and V have for no S follows at once."""
    c, g = stamps.dense(at.capacitances)[0], stamps.dense(at.conductances)[0]
    by_row, by_column = np.ones(len(c)), np.ones(len(c))
    for _ in range(EVEN):
        size = np.abs(c) * by_row[:, np.newaxis] * by_column
        by_row /= np.sqrt(_or_one(np.max(size, axis=1, initial=0.0)))
        by_column /= np.sqrt(_or_one(np.max(size, axis=0, initial=0.0)))
    bare = ~np.any(c != 0.0, axis=1)
    by_row[bare] = 1.0 / _or_one(np.max(np.abs(g[bare]), axis=1, initial=0.0))
    u, weights, vt = np.linalg.svd(c * by_row[:, np.newaxis] * by_column)
    slow = weights > NO_CAPACITANCE
    left, right = u.T * by_row, by_column[:, np.newaxis] * vt.T
    g, entries = left @ g @ right, left @ entries
    fast = ~slow
    try:
        # What follows at once: y = follow x + jump w.
        follow = -np.linalg.solve(g[np.ix_(fast, fast)], g[np.ix_(fast, slow)])
        jump = np.linalg.solve(g[np.ix_(fast, fast)], entries[fast])
    except np.linalg.LinAlgError:
        raise InputError("noise: the circuit has a node that nothing determines at its balance") from None
    by_weight = 1.0 / weights[slow][:, np.newaxis]
    return (
        -by_weight * (g[np.ix_(slow, slow)] + g[np.ix_(slow, fast)] @ follow),
        by_weight * (entries[slow] - g[np.ix_(slow, fast)] @ jump),
        right[:, slow] + right[:, fast] @ follow,
        right[:, fast] @ jump,
    )


def _or_one(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(sizes > 0.0, sizes, 1.0)
