"""What a board is for: tasks, each with a margin that is positive where a board does it.

A task sees the waveforms of many boards, on the board's scale: `times` (P,), `states` and `outputs` (P, S, n). A board
that has not come to rest at the end, or whose run broke off, is undecided: its margin is NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..problems import Expected, Oscillation, Recall, Settled, Visited
from ..values.arrays import Array, freeze, positive
from ..values.brief import Brief
from ..values.errors import InputError, Unrealisable
from ..values.signals import Signal, as_signal

if TYPE_CHECKING:
    from ..board.design import Board

TINY = 1e-300
REST = 0.01  # of an output's swing: what may still move in the last tenth of a run that is at rest
LATE = 0.9


class Waves(NamedTuple):
    """Waveforms of boards: `times` (P,), `states` and `outputs` (P, S, n), seconds and volts; `swing` of outputs."""

    times: Array
    states: Array
    outputs: Array
    swing: float

    def at_rest(self) -> Any:
        """Return which boards no longer move, (S,): outputs within 1% of the swing over the last tenth of the run."""
        late = self.outputs[self.times >= LATE * self.times[-1]]
        return np.max(np.abs(late - late[-1]), axis=(0, 2)) <= REST * self.swing

    def settling(self) -> Array:
        """Return from when on outputs stay within 1% of the swing about their last value, (S,), s; NaN where not."""
        off = np.max(np.abs(self.outputs - self.outputs[-1]), axis=2) > REST * self.swing
        last = np.where(off.any(axis=0), len(self.times) - 1 - np.argmax(off[::-1], axis=0), -1)
        found = self.times[np.minimum(last + 1, len(self.times) - 1)]
        return np.where(self.at_rest(), found, np.nan)


class Task(Brief, ABC):
    """What a board is for."""

    @property
    def must_rest(self) -> bool:
        """Whether a board that still moves at the end is undecided."""
        return True

    @abstractmethod
    def margins(self, waves: Waves, run: int) -> Array:
        """Return the margin of each board, (S,), in the run of that number."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """The unit of the margin, "" for none."""

    def slopes(self, waves: Waves, run: int) -> Array:
        """Return d(margin)/d(outputs) of one board, (P, n), of the entry that is the least one.

        Raises Unrealisable for a margin that has no derivative.
        """
        raise Unrealisable(f"task {type(self).__name__}: its margin has no derivative; judge samples of boards instead")

    def runs(self, board: Board) -> tuple[Signal | None, ...]:
        """Return the inputs of each run that it takes; one with the board's own by default."""
        return (board.inputs,)

    def judge(self, waves: Waves, run: int = 0) -> Array:
        """Return margins, (S,), NaN where undecided."""
        found = np.asarray(self.margins(waves, run), dtype=np.float64)
        known = np.isfinite(waves.outputs).all(axis=(0, 2))
        if self.must_rest:
            known &= waves.at_rest()
        return np.where(known, found, np.nan)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pattern(Task):
    """The signs of the outputs at rest equal a pattern. Margin: the least output with its right sign, volts.

    `signs`: (n,), +1 and -1, 0 where an output does not matter. `middle`: volts, what is between + and -.
    """

    signs: Array
    middle: float = 0.0

    def __post_init__(self) -> None:
        signs = freeze(self.signs, "Pattern.signs")
        if signs.ndim != 1 or not np.isin(signs, (-1.0, 0.0, 1.0)).all() or not signs.any():
            raise InputError("`Pattern.signs`: must be +1, -1 or 0 for each output, and not all 0")
        object.__setattr__(self, "signs", signs)

    @property
    def unit(self) -> str:
        return "V"

    def margins(self, waves: Waves, run: int) -> Array:
        return _least(waves.outputs[-1] - self.middle, self.signs)

    def slopes(self, waves: Waves, run: int) -> Array:
        return _least_slopes(waves.outputs - self.middle, self.signs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Code(Task):
    """A converter's outputs at rest are the right bits, for each of several inputs. Margin: as for Pattern.

    `inputs`: (runs, m), volts on the board's scale. `bits`: (runs, n), 0 and 1. `middle`: volts, between 0 and 1.
    """

    inputs: Array
    bits: Array
    middle: float

    def __post_init__(self) -> None:
        inputs, bits = freeze(self.inputs, "Code.inputs", unit="V"), freeze(self.bits, "Code.bits")
        if inputs.ndim == 1:
            inputs = freeze(inputs[:, np.newaxis], "Code.inputs")
        if inputs.ndim != 2 or bits.ndim != 2 or len(inputs) != len(bits) or not len(bits):
            raise InputError(
                f"`Code`: {len(inputs)} inputs and bits of shape {bits.shape}: must be one row of bits each"
            )
        if not np.isin(bits, (0.0, 1.0)).all():
            raise InputError("`Code.bits`: must be 0 and 1")
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "bits", bits)

    @property
    def unit(self) -> str:
        return "V"

    def runs(self, board: Board) -> tuple[Signal | None, ...]:
        return tuple(as_signal(row, "Code.inputs", self.inputs.shape[1]) for row in self.inputs)

    def margins(self, waves: Waves, run: int) -> Array:
        return _least(waves.outputs[-1] - self.middle, 2.0 * self.bits[run] - 1.0)

    def slopes(self, waves: Waves, run: int) -> Array:
        return _least_slopes(waves.outputs - self.middle, 2.0 * self.bits[run] - 1.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Optimum(Task):
    """What the outputs at rest decode to is as good as the best. Margin: best + tolerance - its objective.

    `objective`: of outputs on the board's scale, (S, n), the value of what they decode to, (S,), the less the better;
    NaN or infinite where it decodes to nothing. `best`: the least. `tolerance`: positive.
    """

    objective: Callable[[Array], Array]
    best: float
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", float(positive(self.tolerance, "Optimum.tolerance", shape=(), unit="")))

    @property
    def unit(self) -> str:
        return ""

    def margins(self, waves: Waves, run: int) -> Array:
        value = np.asarray(self.objective(waves.outputs[-1]), dtype=np.float64)
        if value.shape != (waves.outputs.shape[1],):
            raise InputError(f"`Optimum.objective` gave shape {value.shape}: must give ({waves.outputs.shape[1]},)")
        worst = np.float64(-1e300)
        return np.where(np.isfinite(value), self.best + self.tolerance - value, worst)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Mask(Task):
    """Waveforms of the outputs stay near the nominal ones. Margin: `band` less the NRMSE (the worst output's).

    `times`: (P,), seconds, and `outputs`, (P, n), volts: the nominal waveforms, linear between.
    """

    times: Array
    outputs: Array
    band: float
    must_rest: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        times, outputs = freeze(self.times, "Mask.times", unit="s"), freeze(self.outputs, "Mask.outputs", unit="V")
        if times.ndim != 1 or outputs.ndim != 2 or len(outputs) != times.size or np.any(np.diff(times) <= 0.0):
            raise InputError(
                f"`Mask`: times {times.shape} and outputs {outputs.shape}: must be (P,), rising, and (P, n)"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "outputs", outputs)
        object.__setattr__(self, "band", float(positive(self.band, "Mask.band", shape=(), unit="")))

    @property
    def unit(self) -> str:
        return ""

    def margins(self, waves: Waves, run: int) -> Array:
        off, spans = self._off(waves)
        return np.asarray(self.band - np.max(np.sqrt(np.mean(off**2, axis=0)) / spans, axis=1))

    def slopes(self, waves: Waves, run: int) -> Array:
        off, spans = self._off(waves)
        each = np.sqrt(np.mean(off[:, 0] ** 2, axis=0))
        k = int(np.argmax(each / spans))
        found = np.zeros_like(off[:, 0])
        found[:, k] = -off[:, 0, k] / (len(off) * max(each[k], TINY) * spans[k])
        return found

    def _off(self, waves: Waves) -> tuple[Array, Array]:
        """Return how far outputs are off, (P, S, n), and the span of each, (n,), volts."""
        wanted = np.stack([np.interp(waves.times, self.times, column) for column in self.outputs.T], axis=1)
        spans = np.ptp(wanted, axis=0)
        return waves.outputs - wanted[:, np.newaxis, :], np.where(spans > 0.0, spans, waves.swing)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Answered(Task):
    """What a design expects (`Expected`): its `check` passes. Margin: for outputs at the end, their tolerance less how
    far they are off, volts of the design; else +1 or -1.

    `seconds`, `state_volts`, `output_volts`: the scales from the design to the board.
    """

    expected: Expected
    seconds: float
    state_volts: float
    output_volts: float
    labels: tuple[str, ...]

    @property
    def must_rest(self) -> bool:
        """Whether a board that still moves is undecided: for outputs at rest, not for those that move by design."""
        return isinstance(self.expected, Settled | Recall)

    @property
    def unit(self) -> str:
        return "V" if isinstance(self.expected, Settled) else ""

    def margins(self, waves: Waves, run: int) -> Array:
        expected = self.expected
        if isinstance(expected, Settled):
            off = np.abs(waves.outputs[-1] / self.output_volts - np.asarray(expected.outputs))
            return np.asarray(expected.tolerance - np.max(off, axis=1))
        return np.array([self._check(waves, k) for k in range(waves.outputs.shape[1])])

    def slopes(self, waves: Waves, run: int) -> Array:
        if not isinstance(self.expected, Settled):
            return super().slopes(waves, run)
        off = waves.outputs[-1, 0] / self.output_volts - np.asarray(self.expected.outputs)
        k = int(np.argmax(np.abs(off)))
        found = np.zeros_like(waves.outputs[:, 0])
        found[-1, k] = -np.sign(off[k]) / self.output_volts
        return found

    def _check(self, waves: Waves, k: int) -> float:
        import xarray as xr

        if not np.isfinite(waves.outputs[:, k]).all():
            return np.nan
        axes = ("time", "neuron")
        wave = xr.Dataset(
            {
                "state": (axes, waves.states[:, k] / self.state_volts),
                "output": (axes, waves.outputs[:, k] / self.output_volts),
            },
            coords={"time": waves.times / self.seconds, "neuron": list(self.labels)},
        )
        return 1.0 if all(answer.ok for answer in self.expected.check(wave)) else -1.0


def task_of(board: Board, expected: Expected) -> Task:
    """Return the task of a board from what its design expects.

    A Recall is a Pattern: which wrong pattern is nearest does not matter to it. Raises InputError for anything else
    than an Expected.
    """
    if not isinstance(expected, Settled | Recall | Visited | Oscillation):
        raise InputError(f"task_of: {expected!r:.60}: must be what a design expects, or give a task of board.tasks")
    if isinstance(expected, Recall):
        return Pattern(signs=expected.patterns.values[expected.patterns.index(expected.pattern)])
    scaling = board.scaling
    labels = board.network.labels or tuple(str(k) for k in range(board.network.size))
    return Answered(
        expected=expected, seconds=scaling.time, state_volts=scaling.state, output_volts=scaling.output, labels=labels
    )


def code_task(board: Board, inputs: Any, codes: Any) -> Code:
    """Return the task of a converter: `codes`, (runs,), whole numbers, at `inputs`, (runs,) or (runs, m), volts of the
    design; bit i has the weight 2^i, and 0 and 1 are divided at half of the output's swing.
    """
    given = freeze(inputs, "inputs", unit="V")
    numbers = np.asarray(codes)
    if numbers.ndim != 1 or len(numbers) != len(given) or not np.issubdtype(numbers.dtype, np.integer):
        raise InputError("`code_task`: codes must be whole numbers, one for each input")
    n = board.network.size
    if np.any(numbers < 0) or np.any(numbers >= 2**n):
        raise InputError(f"`code_task`: codes must be from 0 to {2**n - 1}, as there are {n} bits")
    bits = (numbers[:, np.newaxis] >> np.arange(n)) & 1
    ends = np.asarray(board.scaled.gain.lower), np.asarray(board.scaled.gain.upper)
    middle = float(np.mean(0.5 * (ends[0] + ends[1])))
    return Code(inputs=given * board.scaling.inputs, bits=bits.astype(np.float64), middle=middle)


def _least(outputs: Array, signs: Array) -> Array:
    if len(signs) != outputs.shape[1]:
        raise InputError(f"task: has {len(signs)} signs for {outputs.shape[1]} outputs")
    return np.asarray(np.min(np.where(signs != 0.0, outputs * signs, np.inf), axis=1))


def _least_slopes(outputs: Array, signs: Array) -> Array:
    """Return the derivatives of the least output at the end, of one board, by outputs (P, 1, n)."""
    k = int(np.argmin(np.where(signs != 0.0, outputs[-1, 0] * signs, np.inf)))
    found = np.zeros_like(outputs[:, 0])
    found[-1, k] = signs[k]
    return found
