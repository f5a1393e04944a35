"""What gradients are of: a voltage at a time, a weighted sum of them, or a smooth function of waveforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...circuit import Circuit
from ...spice.transient import POINTS
from ...values.arrays import Array, freeze
from ...values.errors import InputError
from ...values.grids import uniform_grid
from ...values.names import unknown

# Of times (P,), states (P, n) and outputs (P, m), volts: the value, and its derivatives by states and by outputs.
Margin: TypeAlias = Callable[[Array, Array, Array], tuple[float, Array, Array]]


class At(NamedTuple):
    """A neuron's state, or what an output gives, at a time, seconds: volts."""

    label: str
    time: float
    what: str = "state"

    def __str__(self) -> str:
        return f"{self.what} {self.label} at {self.time:g} s"


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighted:
    """sum_tk (states_tk x_k(t) + outputs_tk y_k(t)): `times` (P,), seconds, and weights (P, n) and (P, m), 0 if None.

    Raises InputError for times that do not increase, and other shapes.
    """

    times: Any
    states: Any = None
    outputs: Any = None

    def __post_init__(self) -> None:
        times = freeze(self.times, "Weighted.times", unit="s")
        if times.ndim != 1 or not times.size or times[0] < 0.0 or np.any(np.diff(times) <= 0.0):
            raise InputError(f"`Weighted.times` = {times!r:.60}: must increase, from 0 s on, and be one at least")
        object.__setattr__(self, "times", times)
        for name in ("states", "outputs"):
            given = getattr(self, name)
            if given is not None:
                found = freeze(given, f"Weighted.{name}")
                if found.ndim != 2 or len(found) != times.size:
                    raise InputError(f"`Weighted.{name}` has shape {found.shape}: must be (times, neurons)")
                object.__setattr__(self, name, found)


Objective: TypeAlias = "At | tuple[Any, ...] | Sequence[Any] | Weighted | Margin"


@dataclass(frozen=True, kw_only=True, eq=False)
class Functionals:
    """J functions of results on one grid. `names`: of them. `is_list`: whether there may be several.

    `times`: (P,). `probes`: which of the circuit's states and then outputs, (K,). `weights`: (J, P, K), by volts of
    the nodes; None for a margin. `margin`: what gives them of waveforms.
    """

    names: tuple[str, ...]
    is_list: bool
    times: Array
    probes: tuple[int, ...]
    scales: Array
    states: int
    weights: Array | None = None
    margin: Margin | None = None

    def evaluate(self, waves: Array) -> tuple[Array, Array]:
        """Return values, (J,), and derivatives by the voltages of nodes, (J, P, K), at voltages (P, K).

        Raises InputError for a margin that gives something else.
        """
        if self.weights is not None:
            return np.einsum("jpk,pk->j", self.weights, waves), self.weights
        assert self.margin is not None
        n = self.states
        scaled = waves * self.scales
        given = self.margin(self.times, scaled[:, :n], scaled[:, n:])
        if not isinstance(given, tuple) or len(given) != 3:
            raise InputError("find_gradients: `objective` must give a value and its derivatives by states and outputs")
        value, *slopes = (np.asarray(one, dtype=np.float64) for one in given)
        shapes = [one.shape for one in slopes]
        right = [(len(scaled), n), (len(scaled), scaled.shape[1] - n)]
        if value.shape != () or shapes != right or not all(np.isfinite(one).all() for one in (value, *slopes)):
            raise InputError(
                f"find_gradients: `objective` gave a value of shape {value.shape} and derivatives {shapes}: must give "
                f"one number and {right}, finite"
            )
        return value.reshape(1), (np.concatenate(slopes, axis=1) * self.scales)[np.newaxis]


def as_functionals(circuit: Circuit, objective: Objective, t_stop: float, points: int | None) -> Functionals:
    """Return an objective of a circuit's results up to `t_stop`, seconds; a margin sees `points` uniform times.

    Raises InputError for labels that the circuit has not, times outside of the run, and other shapes.
    """
    probes = (*circuit.states, *circuit.outputs)
    scales = np.array([probe.scale for probe in probes])
    n = len(circuit.states)
    if callable(objective) and not isinstance(objective, At | Weighted):
        grid = uniform_grid(t_stop, POINTS if points is None else points)
        everything = tuple(range(len(probes)))
        return Functionals(
            names=("margin",), is_list=False, times=grid, probes=everything, scales=scales, states=n, margin=objective
        )
    if points is not None:
        raise InputError("find_gradients: `points` are of an objective that is a function; leave it out")
    names: tuple[str, ...]
    if isinstance(objective, Weighted):
        weights = _weights(objective, n, len(circuit.outputs))
        names, is_list, times = ("weighted sum",), False, np.array(objective.times)
        full = weights[np.newaxis]
    else:
        is_list = not _is_pair(objective)
        if is_list and (isinstance(objective, str) or not isinstance(objective, Sequence)):
            raise InputError(
                f"find_gradients: `objective` = {objective!r:.60}: must be (label, time), a list of them, a "
                "Weighted, or a function"
            )
        given = [_at(one) for one in (objective if is_list else (objective,))]
        if not given:
            raise InputError("find_gradients: `objective` is empty: must be (label, time), or a list of them")
        names = tuple(map(str, given))
        times = np.unique([one.time for one in given])
        full = np.zeros((len(given), times.size, len(probes)))
        for k, one in enumerate(given):
            full[k, np.searchsorted(times, one.time), _find(circuit, one)] = 1.0
    if times[-1] > t_stop:
        raise InputError(f"find_gradients: time {times[-1]:g} s of the objective is after the run's end, {t_stop:g} s")
    used = np.flatnonzero(np.any(full != 0.0, axis=(0, 1)))
    return Functionals(
        names=names,
        is_list=is_list,
        times=times,
        probes=tuple(used.tolist()),
        scales=scales[used],
        states=n,
        weights=np.ascontiguousarray((full * scales)[:, :, used]),
    )


def _is_pair(objective: Any) -> bool:
    return isinstance(objective, tuple) and len(objective) in (2, 3) and isinstance(objective[0], str)


def _at(given: Any) -> At:
    if not _is_pair(given):
        raise InputError(f"find_gradients: `objective` holds {given!r:.60}: must be (label, time), or with 'output'")
    label, time, *what = given
    seconds = float(freeze(time, "time of the objective", shape=(), unit="s"))
    if seconds < 0.0:
        raise InputError(f"find_gradients: time {seconds:g} s of the objective: must not be negative")
    return At(label, seconds, *what)


def _find(circuit: Circuit, one: At) -> int:
    if one.what not in ("state", "output"):
        raise InputError(f"find_gradients: `objective` is of {one.what!r:.40}: must be of 'state' or 'output'")
    first, probes = (0, circuit.states) if one.what == "state" else (len(circuit.states), circuit.outputs)
    labels = [probe.label for probe in probes]
    if one.label not in labels:
        raise InputError(f"find_gradients: {unknown(one.what, one.label, labels)}")
    return first + labels.index(one.label)


def _weights(given: Weighted, n: int, m: int) -> Array:
    found = []
    for name, count in (("states", n), ("outputs", m)):
        own = getattr(given, name)
        if own is not None and own.shape[1] != count:
            raise InputError(f"`Weighted.{name}` has shape {own.shape}: must be ({len(given.times)}, {count})")
        found.append(np.zeros((len(given.times), count)) if own is None else own)
    return np.concatenate(found, axis=1)
