"""The operators of a graph. Each is frozen, has a size, and states its equation.

What drives an operator adds up, as currents do at a node; Hadamard and Sign have two named ports.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..functions import Function
from ..values.arrays import Array, freeze, is_whole, positive
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.names import check_labels, check_name
from ..values.signals import Signal
from .weights import Weights, freeze_weights

# A bound of the rounding of (x - lower) / (upper - lower), more than there ever is.
HALFWAY = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator(Brief, ABC):
    """One vector-valued operator. `name`: letters, digits and underscores, unique in the graph after case folding."""

    name: str
    kind: ClassVar[str]
    ports: ClassVar[tuple[str, ...]] = ("in",)
    holds_state: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_name(self.name, f"{type(self).__name__}.name")

    def _freeze(self, **fields: Any) -> None:
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    @property
    @abstractmethod
    def output_size(self) -> int:
        """Elements that the operator gives."""

    @property
    def input_size(self) -> int:
        """Elements that each of its ports takes."""
        return self.output_size

    @abstractmethod
    def params(self) -> dict[str, Any]:
        """Return the constructor's arguments but the name, as JSON-able values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sized(Operator):
    """An operator whose `size` is given, the same at input and output."""

    size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.size) or self.size < 1:
            raise InputError(f"`{self.name}.size` = {self.size!r}: must be a whole number, at least 1")
        self._freeze(size=int(self.size))

    @property
    def output_size(self) -> int:
        return self.size

    def params(self) -> dict[str, Any]:
        return {"size": self.size}


@dataclass(frozen=True, kw_only=True, eq=False)
class Input(Sized):
    """u(t) or u[k], (size,): a voltage source, or an input port. `labels`: one for each element."""

    labels: tuple[str, ...] | None = None
    kind: ClassVar[str] = "input"
    ports: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels is not None:
            self._freeze(labels=check_labels(self.labels, f"{self.name}.labels", self.size))

    @property
    def input_size(self) -> int:
        return 0

    def params(self) -> dict[str, Any]:
        return {"size": self.size, "labels": _as_list(self.labels)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine(Operator):
    """y = W x + c, with c = b + what a fixed edge of W adds; `weights[i, j]` is from j to i.

    `weights`: (n, m), an array, one of scipy.sparse, or a Stencil (held as Dense, Sparse or Stencil); siemens where it
    drives a Leak. `bias`: b, (n,) or one for all, amperes there; 0 by default.
    `exact`: the numbers are those of an equation, as the 1 of 1 - z is, and not weights: fixed point holds them as they
    are, whatever the format of the weights.
    """

    weights: Weights
    bias: Array = None  # type: ignore[assignment]  # (n,) from the start
    exact: bool = False
    kind: ClassVar[str] = "affine"

    if TYPE_CHECKING:  # what is taken is more than what is held

        def __init__(self, *, name: str, weights: Any, bias: Any = None, exact: bool = False) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = freeze_weights(self.weights, f"{self.name}.weights")
        outputs, inputs = weights.output_size, weights.input_size
        if outputs == 0 or inputs == 0:
            raise InputError(f"`{self.name}.weights` has shape {(outputs, inputs)}: must not be empty")
        bias = 0.0 if self.bias is None else self.bias
        if not isinstance(self.exact, bool):
            raise InputError(f"`{self.name}.exact` = {self.exact!r:.40}: must be true or false")
        self._freeze(weights=weights, bias=freeze(bias, f"{self.name}.bias", shape=(outputs,)))

    @cached_property
    def constant(self) -> Array:
        """c, all that is added to W x, (n,): the bias, and what a fixed edge of the weights adds."""
        return freeze(self.bias + self.weights.constant, f"{self.name}.constant")

    @property
    def output_size(self) -> int:
        return self.weights.output_size

    @property
    def input_size(self) -> int:
        return self.weights.input_size

    def params(self) -> dict[str, Any]:
        numbers = {"weights": {self.weights.form: self.weights.content()}, "bias": self.bias.tolist()}
        return numbers | {"exact": True} if self.exact else numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Leak(Operator):
    """C dx/dt = -x/R + i: a capacitor and a leak at a summing node.

    `capacitance`: (n,), farads, positive. `resistance`: (n,), ohms, positive; infinite for a pure integrator.
    `initial`: (n,), volts. `labels`: one for each element.
    """

    capacitance: Array
    resistance: Array
    initial: Array
    labels: tuple[str, ...] | None = None
    kind: ClassVar[str] = "leak"
    holds_state: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = freeze(self.capacitance, f"{self.name}.capacitance", unit="F").shape
        if len(shape) != 1 or shape[0] == 0:
            raise InputError(f"`{self.name}.capacitance` has shape {shape}: must be one row of at least one element")
        self._freeze(
            capacitance=positive(self.capacitance, f"{self.name}.capacitance", shape=shape, unit="F"),
            resistance=positive(self.resistance, f"{self.name}.resistance", shape=shape, unit="Ohm", allow_inf=True),
            initial=freeze(self.initial, f"{self.name}.initial", shape=shape, unit="V"),
        )
        if self.labels is not None:
            self._freeze(labels=check_labels(self.labels, f"{self.name}.labels", shape[0]))

    @property
    def output_size(self) -> int:
        return int(self.capacitance.size)

    def params(self) -> dict[str, Any]:
        return {
            "capacitance": self.capacitance.tolist(),
            "resistance": self.resistance.tolist(),
            "initial": self.initial.tolist(),
            "labels": _as_list(self.labels),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Activate(Sized):
    """y = f(x), elementwise (or softmax over groups): an amplifier, or a table."""

    function: Function
    kind: ClassVar[str] = "activate"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.function, type):
            kind = self.function.__name__
            raise InputError(f"`{self.name}.function` is the class {kind}: give an object of it, such as {kind}()")
        if not isinstance(self.function, Function):
            raise InputError(f"`{self.name}.function` = {self.function!r:.60}: must be a Gain or a Function")
        if self.function.size is not None and self.function.size != self.size:
            raise InputError(f"`{self.name}.function` is for {self.function.size} elements: must be for {self.size}")

    def params(self) -> dict[str, Any]:
        return {"size": self.size, "function": {"kind": self.function.kind, **self.function.params()}}


@dataclass(frozen=True, kw_only=True, eq=False)
class Hadamard(Sized):
    """y = left * right, elementwise: a four-quadrant multiplier. Ports: `left`, `right`."""

    kind: ClassVar[str] = "hadamard"
    ports: ClassVar[tuple[str, ...]] = ("left", "right")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sign(Sized):
    """y = a sgn(d) where |d| > band, else a sgn(t): a sign whose ties are decided. Ports: `in` for d, `tie` for t.

    With the state of a neuron at `tie` a drive of 0 keeps it. sgn(0) is 1. The band is what counts as 0, in every
    machine: a comparator whose threshold the state moves. `tie_band` gives it from weights.

    `amplitude`: a, positive. `band`: positive, (n,) or one for all; in the unit of what drives it.
    """

    band: Array
    amplitude: float = 1.0
    kind: ClassVar[str] = "sign"
    ports: ClassVar[tuple[str, ...]] = ("in", "tie")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._freeze(
            band=positive(self.band, f"{self.name}.band", shape=(self.size,), unit="V"),
            amplitude=float(positive(self.amplitude, f"{self.name}.amplitude", shape=(), unit="V")),
        )

    def value(self, drive: Array, tie: Array) -> Array:
        """Return y, (..., n), of what drives the two ports."""
        decided = np.abs(drive) > self.band
        return np.where(np.where(decided, drive, tie) >= 0.0, self.amplitude, -self.amplitude)

    def params(self) -> dict[str, Any]:
        return {"size": self.size, "band": self.band.tolist(), "amplitude": self.amplitude}


@dataclass(frozen=True, kw_only=True, eq=False)
class Delay(Sized):
    """y(t) = x(t - tau), with y(t) = history(t - tau) before t = tau.

    `tau`: seconds, positive: one for all elements, or a Signal of one element for a delay that changes with time.
    `history`: a Signal on reversed time (its time s is -t), or (size,) constants.
    """

    tau: float | Signal
    history: Signal | Array
    kind: ClassVar[str] = "delay"
    holds_state: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.tau, Signal):
            if self.tau.size != 1 or bool(np.any(self.tau.values <= 0.0)):
                found = f"{self.tau.size} elements, the least {self.tau.values.min()}"
                raise InputError(f"`{self.name}.tau` has {found}: must have one, positive at every time")
        else:
            self._freeze(tau=float(positive(self.tau, f"{self.name}.tau", shape=(), unit="s")))
        if isinstance(self.history, Signal):
            if self.history.size != self.size:
                raise InputError(f"`{self.name}.history` has {self.history.size} elements: must have {self.size}")
        else:
            self._freeze(history=freeze(self.history, f"{self.name}.history", shape=(self.size,), unit="V"))

    def params(self) -> dict[str, Any]:
        return {"size": self.size, "tau": _signal_params(self.tau), "history": _signal_params(self.history)}


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Edges at t_k = phase + k * period, seconds; period positive, phase from 0 to below the period."""

    period: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        period = float(positive(self.period, "Clock.period", shape=(), unit="s"))
        phase = float(freeze(self.phase, "Clock.phase", shape=(), unit="s"))
        if not 0.0 <= phase < period:
            raise InputError(f"`Clock.phase` = {phase} s: must be from 0 to below the period, {period} s")
        object.__setattr__(self, "period", period)
        object.__setattr__(self, "phase", phase)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hold(Operator):
    """y(t) = the left limit x(t_k-) on [t_k, t_k+1): a sample-and-hold pair, or a register. `initial`: (n,)."""

    clock: Clock
    initial: Array
    kind: ClassVar[str] = "hold"
    holds_state: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        initial = freeze(self.initial, f"{self.name}.initial", unit="V")
        if initial.ndim != 1 or initial.size == 0:
            raise InputError(f"`{self.name}.initial` has shape {initial.shape}: must be one row, not empty")
        if not isinstance(self.clock, Clock):
            raise InputError(f"`{self.name}.clock` = {self.clock!r:.60}: must be a Clock(period=..., phase=...)")
        self._freeze(initial=initial)

    @property
    def output_size(self) -> int:
        return int(self.initial.size)

    def params(self) -> dict[str, Any]:
        clock = {"period": self.clock.period, "phase": self.clock.phase}
        return {"clock": clock, "initial": self.initial.tolist()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantise(Sized):
    """y = the nearest of `levels` equal steps from `lower` to `upper`, saturating: an A/D and D/A converter pair.

    Level k is lower + k (upper - lower) / (levels - 1), k from 0. Halfway between two levels the even k is taken, in
    every machine; "halfway" is meant exactly, of the numbers that `lower`, `upper` and x are in binary.
    """

    levels: int
    lower: float
    upper: float
    kind: ClassVar[str] = "quantise"

    def __post_init__(self) -> None:
        super().__post_init__()
        lower = float(freeze(self.lower, f"{self.name}.lower", shape=(), unit="V"))
        upper = float(freeze(self.upper, f"{self.name}.upper", shape=(), unit="V"))
        if not is_whole(self.levels) or self.levels < 2:
            raise InputError(f"`{self.name}.levels` = {self.levels!r}: must be a whole number, at least 2")
        if lower >= upper:
            raise InputError(f"`{self.name}` ranges from {lower} to {upper}: lower must be below upper")
        self._freeze(levels=int(self.levels), lower=lower, upper=upper)

    def value(self, x: Array) -> Array:
        """Return the nearest level; halfway goes to the even one."""
        last, extent = self.levels - 1, self.upper - self.lower
        inside = np.clip(x, self.lower, self.upper)
        place = (inside - self.lower) * last / extent
        nearest = np.asarray(np.rint(place))
        # Where rounding could take a number to the other side of a halfway point, the ratio is taken exactly.
        close = np.abs(np.abs(place - nearest) - 0.5) <= HALFWAY * last
        if close.any():
            numbers, at = np.unique(inside[close], return_inverse=True)
            exact = [round((Fraction(v) - Fraction(self.lower)) / self._extent * last) for v in numbers.tolist()]
            nearest[close] = np.array(exact, dtype=np.float64)[at]
        return self.lower + extent / last * nearest

    @property
    def _extent(self) -> Fraction:
        return Fraction(self.upper) - Fraction(self.lower)

    def params(self) -> dict[str, Any]:
        return {"size": self.size, "levels": self.levels, "lower": self.lower, "upper": self.upper}


@dataclass(frozen=True, kw_only=True, eq=False)
class Output(Sized):
    """A probed node, or an output port."""

    kind: ClassVar[str] = "output"


def _as_list(labels: tuple[str, ...] | None) -> list[str] | None:
    return None if labels is None else list(labels)


def _signal_params(value: float | Signal | Array) -> Any:
    if isinstance(value, Signal):
        return {"times": value.times.tolist(), "values": value.values.tolist()}
    return np.asarray(value).tolist()
