"""Dynamics that anneal: differential equations whose coefficients follow schedules, as circuits can have them.

Time is in units of R C, and states are in units of a gain's saturation. F is the force on the digital value of a
neuron, F(s) = -(dE/ds) / scale, where `scale` is the root mean square over neurons of sqrt(sum_j J_ij^2), so that one
set of numbers serves models of any size. W is a Wiener process, one for each neuron. Outputs are between -1 and 1,
s = clip(v), or between 0 and 1 for 0/1 models, s = clip(v + 1/2); in a group they are a softmax.

Scheme: Euler-Maruyama with a constant step h. An increment of W is uniform on (-sqrt(3 h), sqrt(3 h)): mean 0 and
variance h, as the simplified weak scheme of order 1 asks for (P. E. Kloeden and E. Platen, Numerical Solution of
Stochastic Differential Equations, 1992, section 14.1). Second order: the velocity first, then the place with the new
velocity (semi-implicit Euler). `largest_step` says up to which step that follows the equation; presets go beyond it
where neurons are saturated. `annealing_graph` has each equation as a circuit, with soft walls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from ..values.arrays import positive
from ..values.brief import Brief
from ..values.errors import InputError
from .noise import ROOT_3
from .program import CLIP, COLUMNS, COUPLING, FEEDBACK, GAIN, LEAK, NOISE, SCHMITT, SIGN, SOFTMAX, Program, Rules
from .schedules import Constant, Schedule, as_schedule

UNBOUNDED = 1e9
MOST_STEPS = 100_000_000
OFF = Constant(value=0.0)
UNIT = Constant(value=1.0)
SCHEDULE = {"schedule": True}  # of a field that takes a schedule, a number or a pair (start, stop)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dynamics(Brief, ABC):
    """An annealing differential equation, with its duration and its step.

    `t_stop`: of one anneal, in R C. `step`: h, in R C; the nearest step that divides t_stop is taken.
    `start`: x(0) is uniform on (-start, start). `kinds`: of the models that it anneals.
    """

    t_stop: float
    step: float
    start: float = 0.1
    kinds: ClassVar[tuple[str, ...]] = ("ising",)

    def __post_init__(self) -> None:
        name = type(self).__name__
        for each in fields(self):
            value, where = getattr(self, each.name), f"{name}.{each.name}"
            if each.metadata.get("schedule"):
                object.__setattr__(self, each.name, as_schedule(value, where))
            else:
                object.__setattr__(self, each.name, float(positive(value, where, shape=(), unit="")))
        if not self.step <= self.t_stop <= MOST_STEPS * self.step:
            raise InputError(
                f"`{name}.step` = {self.step:g}: must be at most t_stop = {self.t_stop:g}, and at least its "
                f"{MOST_STEPS:.0e}th part"
            )

    @property
    def steps(self) -> int:
        """The number of steps of one anneal."""
        return max(1, round(self.t_stop / self.step))

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The schedules by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.metadata.get("schedule")}

    @abstractmethod
    def program(self, kind: str) -> Program:
        """Return what the kernels run for a kind of model. Raises InputError for a kind that is not among `kinds`."""

    def _program(self, kind: str, *, output: int = CLIP, bound: float = UNBOUNDED, **more: Any) -> Program:
        name = type(self).__name__
        if kind not in self.kinds:
            raise InputError(
                f"`{name}` does not anneal models of kind {kind!r}: must be one of {', '.join(self.kinds)}; take "
                "GainRamp, or convert the model (to_ising, to_binary)"
            )
        n, zero = self.steps, kind != "ising"
        step = self.t_stop / n
        found = self.schedules
        table = np.zeros((n, COLUMNS))
        table[:, LEAK] = found.get("leak", UNIT).values(n)
        table[:, GAIN] = found.get("gain", UNIT).values(n)
        table[:, COUPLING] = step * found.get("coupling", UNIT).values(n)
        noise, feedback = found.get("noise", OFF).values(n), found.get("feedback", OFF).values(n)
        table[:, NOISE] = ROOT_3 * np.sqrt(step) * noise
        table[:, FEEDBACK] = feedback
        numbers = {"start": self.start, "rate": 0.0, "target": 0.0, "width": 0.0} | more
        rules = Rules(
            output=SOFTMAX if kind == "grouped" else output,
            second=isinstance(self, BallisticBifurcation),
            corrected=isinstance(self, AmplitudeCorrection),
            noisy=bool(np.any(noise)),
            looped=bool(np.any(feedback)),
            step=np.float32(step),
            bound=np.float32(bound),
            lower=np.float32(0.0 if zero else -1.0),
            middle=np.float32(0.5 if zero else 0.0),
            **{key: np.float32(value) for key, value in numbers.items()},
        )
        return Program(rules, table.astype(np.float32))


@dataclass(frozen=True, kw_only=True, eq=False)
class GainRamp(Dynamics):
    """dx = (-leak x + F(s)) dt + noise dW, s = clip(gain x): Hopfield's network whose gain rises from below threshold.

    For groups s is the softmax of gain x. J. J. Hopfield, PNAS 81:3088 (1984). Parts for each neuron: a summing
    integrator, a gain that a voltage sets (an OTA), a clip, and a source of noise where there is noise.
    `bound`: on |x|, as the rails of the integrator; applied before the noise of a step.
    """

    gain: Schedule = field(default=UNIT, metadata=SCHEDULE)
    noise: Schedule = field(default=OFF, metadata=SCHEDULE)
    leak: Schedule = field(default=UNIT, metadata=SCHEDULE)
    bound: float = UNBOUNDED
    kinds: ClassVar[tuple[str, ...]] = ("ising", "binary", "grouped")

    def program(self, kind: str) -> Program:
        return self._program(kind, bound=self.bound)


@dataclass(frozen=True, kw_only=True, eq=False)
class BallisticBifurcation(Dynamics):
    """dx = y dt, dy = (-leak x + coupling F(x)) dt + noise dW, with walls at |x| = 1, where y = 0.

    Ballistic simulated bifurcation: H. Goto et al., Science Advances 7:eabe7953 (2021). Parts for each neuron: two
    integrators, a ramped gain, a clamp, and a switch that discharges the second integrator.
    """

    leak: Schedule = field(default=UNIT, metadata=SCHEDULE)
    coupling: Schedule = field(default=UNIT, metadata=SCHEDULE)
    noise: Schedule = field(default=OFF, metadata=SCHEDULE)

    def program(self, kind: str) -> Program:
        return self._program(kind, bound=1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class DiscreteBifurcation(BallisticBifurcation):
    """As `BallisticBifurcation`, with the force of the signs, F(sgn x) (Goto et al. 2021): a comparator a neuron."""

    def program(self, kind: str) -> Program:
        return self._program(kind, output=SIGN, bound=1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class AmplitudeCorrection(Dynamics):
    """dx = (-leak x + coupling e F(clip x)) dt + noise dW, |x| <= bound; de/dt = rate (target - |x|), 0.05 <= e <= 20.

    Each neuron's factor e on its force grows until its amplitude is the target, so that no minimum with unequal
    amplitudes is stable: T. Leleu, Y. Yamamoto, P. L. McMahon and K. Aihara, Phys. Rev. Lett. 122:040607 (2019), whose
    equation for e is proportional to e and to the square of x; this one has a rectifier and an integrator in its place.
    Parts for each neuron: a summing integrator, a clip, a rectifier, an integrator and a multiplier.
    """

    leak: Schedule = field(default=UNIT, metadata=SCHEDULE)
    coupling: Schedule = field(default=UNIT, metadata=SCHEDULE)
    noise: Schedule = field(default=OFF, metadata=SCHEDULE)
    rate: float = 0.1
    target: float = 1.0
    bound: float = 1.0

    def program(self, kind: str) -> Program:
        return self._program(kind, bound=self.bound, rate=self.rate, target=self.target)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChaoticAnnealing(Dynamics):
    """dx = (-leak x + coupling F(s) - feedback (s - s0)) dt, s = clip(gain x): negative self-feedback that fades.

    s0 is the middle of the outputs, 0 or 1/2. With large steps it is chaotic at first: L. Chen and K. Aihara, Neural
    Networks 8:915 (1995), whose map has a logistic output. Parts for each neuron: those of `GainRamp`, a multiplier.
    """

    gain: Schedule = field(default=UNIT, metadata=SCHEDULE)
    feedback: Schedule = field(default=OFF, metadata=SCHEDULE)
    coupling: Schedule = field(default=UNIT, metadata=SCHEDULE)
    leak: Schedule = field(default=UNIT, metadata=SCHEDULE)
    noise: Schedule = field(default=OFF, metadata=SCHEDULE)
    bound: float = UNBOUNDED
    kinds: ClassVar[tuple[str, ...]] = ("ising", "binary")

    def program(self, kind: str) -> Program:
        return self._program(kind, bound=self.bound)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hysteresis(Dynamics):
    """dx = (-leak x + F(s)) dt + noise dW, where s goes to its upper value at x = width and to the lower at -width.

    Parts for each neuron: a summing integrator, a Schmitt trigger, a source of noise.
    """

    width: float
    noise: Schedule = field(default=OFF, metadata=SCHEDULE)
    leak: Schedule = field(default=UNIT, metadata=SCHEDULE)
    bound: float = UNBOUNDED
    kinds: ClassVar[tuple[str, ...]] = ("ising", "binary")

    def program(self, kind: str) -> Program:
        return self._program(kind, output=SCHMITT, bound=self.bound, width=self.width)
