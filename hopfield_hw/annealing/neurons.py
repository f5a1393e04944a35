"""The neurons of an annealing circuit: for each dynamics its integrators, amplifiers, multipliers, walls and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ..functions import Clip, DeadZone, PiecewiseLinear, Softmax
from ..functions.rectifiers import LeakyRelu
from ..graph import Activate, Affine, Hadamard, Input, Operator
from ..graph.building import state
from ..values.arrays import Array
from .dynamics import (
    UNBOUNDED,
    AmplitudeCorrection,
    BallisticBifurcation,
    ChaoticAnnealing,
    DiscreteBifurcation,
    Dynamics,
    GainRamp,
    Hysteresis,
)
from .models import GroupedModel, Quadratic, dense_of
from .program import LARGEST_FACTOR, LEAST_FACTOR, scale_of
from .schedules import Constant, Schedule

# Of walls: what pulls a state back, in 1 / (R C); the weight of the product of that and a velocity, which stops it; and
# the volts within which a wall begins, as the knee of a diode.
WALL, BRAKE, KNEE = 50.0, 50.0, 0.01
RESTART = 50.0  # 1 / (R C): of a restart, towards the new start
COMPARATOR = 0.01  # R C: of the node before a Schmitt trigger
COMPARATOR_GAIN = 100.0  # of a comparator: straight from -10 mV to 10 mV; ngspice does not end with much more
SCHEDULED = ("gain", "leak", "coupling", "feedback")


class Neurons:
    """The operators and edges of n neurons, as they are added; F of `dynamics` is the output of `couplings`.

    `noisy`: with an input of noise. `restarted`: with restarts. `tapped`: something else takes F beside the neurons.
    `schedules`: what changes with time, in the order of the elements of the input `schedule`; there `restart` is last.
    """

    def __init__(
        self,
        model: Quadratic | GroupedModel,
        dynamics: Dynamics,
        initial: Array,
        *,
        noisy: bool,
        restarted: bool,
        tapped: bool,
    ) -> None:
        self.model, self.dynamics, self.initial, self.n = model, dynamics, initial, model.size
        self.noisy, self.restarted, self.tapped = noisy, restarted, tapped
        self.lower, self.middle = (-1.0, 0.0) if model.kind == "ising" else (0.0, 0.5)
        found = dynamics.schedules
        self.schedules: dict[str, Schedule] = {
            name: found[name] for name in SCHEDULED if name in found and not isinstance(found[name], Constant)
        }
        self.operators: list[Operator] = []
        self.edges: list[tuple[str, ...]] = []
        names = (*self.schedules, *(["restart"] if restarted else []))
        if names:
            self.operators.append(Input(name="schedule", size=len(names), labels=names))
        self._names = names
        BUILDERS[type(dynamics)](self)
        if noisy:
            self.operators.append(Input(name="noise", size=self.n))
        if restarted:
            self.operators.append(Input(name="start", size=self.n))
        scale = scale_of(model)
        weights, bias = -dense_of(model.couplings) / scale, -model.fields / scale
        self.add(Affine(name="couplings", weights=weights, bias=bias), "digital")

    def add(self, operator: Operator, *sources: str) -> str:
        """Add an operator and what drives it; return its name."""
        self.operators.append(operator)
        self.edges += [(source, operator.name) for source in sources]
        return operator.name

    def scale(self, name: str, source: str, factor: float, bias: float = 0.0) -> str:
        """Return what gives factor * source + bias: a new operator, or the source itself."""
        if factor == 1.0 and bias == 0.0:
            return source
        return self.add(Affine(name=name, weights=factor * np.eye(self.n), bias=bias), source)

    def multiply(self, name: str, left: str, *right: str) -> str:
        """Return a new product, elementwise, of an operator and the sum of others."""
        self.operators.append(Hadamard(name=name, size=self.n))
        self.edges += [(left, name, "left"), *((one, name, "right") for one in right)]
        return name

    def drive(self, target: str, source: str) -> None:
        """Let an operator drive another."""
        self.edges.append((source, target))

    # -- what the dynamics are made of

    def add_place(self, *, leaky: bool) -> None:
        """Add x, which forgets at the rate of the leak where it is the leak's target: by a resistor, or a product."""
        resistive = leaky and "leak" not in self.schedules and self._constant("leak") >= 0.0
        self.add(state("x", self.initial, decay=self._constant("leak") if resistive else 0.0))
        if leaky and not resistive:
            self.drive("x", self.scale("leakage", self.scheduled("leaking", "leak", "x"), -1.0))
        if self.restarted:
            self.add(Affine(name="back", weights=-np.eye(self.n)), "x")
            self.add_restart("x", "start", "back")
        bound = getattr(self.dynamics, "bound", UNBOUNDED)
        if bound < UNBOUNDED:
            self.add_wall("x", -bound, bound)

    def add_drive(self, target: str, force: str) -> None:
        """Let the coupled force and the noise drive a state."""
        source = self.scheduled("force", "coupling", force)
        if self.tapped and source == "couplings":  # currents into a state are of one Affine, a voltage of another
            source = self.add(Affine(name="force", weights=np.eye(self.n)), "couplings")
        self.drive(target, source)
        if self.noisy:
            self.drive(target, "noise")

    def add_wall(self, name: str, lower: float, upper: float) -> str:
        """Pull a state back from behind two walls; return what does, WALL times how far it is behind one."""
        curve = DeadZone(lower=lower, upper=upper, slope=WALL, width=KNEE)
        wall = self.add(Activate(name=f"wall_{name}", size=self.n, function=curve), name)
        self.drive(name, self.add(Affine(name=f"pull_{name}", weights=-np.eye(self.n)), wall))
        return wall

    def add_restart(self, name: str, *deviations: str) -> None:
        """Pull a state to its new start while `restart` is 1; the sum of `deviations` is how far it is from there."""
        product = self.multiply(f"restart_{name}", self._broadcast("restart"), *deviations)
        self.drive(name, self.scale(f"reset_{name}", product, RESTART))

    def scheduled(self, name: str, schedule: str, source: str) -> str:
        """Return the product of a schedule and an operator: a multiplier, or a constant factor."""
        if schedule in self.schedules:
            return self.multiply(name, self._broadcast(schedule), source)
        return self.scale(name, source, self._constant(schedule))

    def _constant(self, schedule: str) -> float:
        """Return the value of a schedule that is constant; 1 for one that the dynamics does not have."""
        found = self.dynamics.schedules.get(schedule)
        return float(found.at(np.zeros(()))) if found is not None else 1.0

    def _broadcast(self, schedule: str) -> str:
        if any(operator.name == schedule for operator in self.operators):
            return schedule
        row = [1.0 if name == schedule else 0.0 for name in self._names]
        return self.add(Affine(name=schedule, weights=np.repeat([row], self.n, axis=0)), "schedule")


def _add_gain_ramp(neurons: Neurons) -> None:
    """Add s = clip(gain x + s0), or the softmax of gain x over each group."""
    neurons.add_place(leaky=True)
    neurons.add_drive("x", "couplings")
    source = neurons.scheduled("amplified", "gain", "x")
    n, model = neurons.n, neurons.model
    if isinstance(model, GroupedModel):
        neurons.add(Activate(name="digital", size=n, function=Softmax(groups=model.groups)), source)
        return
    if neurons.middle:
        source = neurons.scale("centre", source, 1.0, neurons.middle)
    neurons.add(Activate(name="digital", size=n, function=Clip(lower=neurons.lower, upper=1.0)), source)


def _add_chaotic_annealing(neurons: Neurons) -> None:
    """Add the same with -feedback (s - s0) on x."""
    _add_gain_ramp(neurons)
    deviation = neurons.scale("deviation", "digital", 1.0, -neurons.middle)
    neurons.drive("x", neurons.scale("negative", neurons.scheduled("fed_back", "feedback", deviation), -1.0))


def _add_bifurcation(neurons: Neurons) -> None:
    """Add x' = y and y' = -leak x + coupling F + noise; behind the walls at 1 a wall pulls x back and y is braked."""
    n = neurons.n
    neurons.add_place(leaky=False)
    neurons.add(state("y", np.zeros(n), decay=0.0))
    neurons.drive("x", "y")
    neurons.drive("y", neurons.scale("spring", neurons.scheduled("leaking", "leak", "x"), -1.0))
    neurons.add_drive("y", "couplings")
    wall = neurons.add_wall("x", -1.0, 1.0)
    neurons.add(Activate(name="behind", size=n, function=LeakyRelu(below=-1.0)), wall)
    neurons.drive("y", neurons.scale("brake", neurons.multiply("braked", "behind", "y"), -BRAKE))
    if neurons.restarted:
        neurons.add_restart("y", neurons.scale("still", "y", -1.0))


def _add_ballistic(neurons: Neurons) -> None:
    _add_bifurcation(neurons)
    neurons.add(Activate(name="digital", size=neurons.n, function=Clip(lower=-1.0, upper=1.0)), "x")


def _add_discrete(neurons: Neurons) -> None:
    _add_bifurcation(neurons)
    neurons.add(Activate(name="digital", size=neurons.n, function=PiecewiseLinear(gain=COMPARATOR_GAIN)), "x")


def _add_amplitude_correction(neurons: Neurons) -> None:
    """Add e' = rate (target - |x|) between its walls, and the product of e and the force."""
    dynamics, n = neurons.dynamics, neurons.n
    assert isinstance(dynamics, AmplitudeCorrection)
    neurons.add_place(leaky=True)
    neurons.add(Activate(name="digital", size=n, function=Clip(lower=-1.0, upper=1.0)), "x")
    neurons.add(Activate(name="amplitude", size=n, function=LeakyRelu(below=-1.0)), "x")
    neurons.add(state("e", np.ones(n), decay=0.0))
    neurons.drive("e", neurons.scale("correction", "amplitude", -dynamics.rate, dynamics.rate * dynamics.target))
    neurons.add_wall("e", float(LEAST_FACTOR), float(LARGEST_FACTOR))
    neurons.add_drive("x", neurons.multiply("corrected", "e", "couplings"))
    if neurons.restarted:
        neurons.add_restart("e", neurons.scale("from_one", "e", -1.0, 1.0))


def _add_hysteresis(neurons: Neurons) -> None:
    """Add a comparator with positive feedback: its node follows x + width s, and s is the sign of it."""
    dynamics, n = neurons.dynamics, neurons.n
    assert isinstance(dynamics, Hysteresis)
    neurons.add_place(leaky=True)
    neurons.add_drive("x", "couplings")
    start = np.where(neurons.initial > 0.0, 1.0, -1.0)
    neurons.add(state("comparator", dynamics.width * start + neurons.initial, tau=COMPARATOR), "x")
    name = "trigger" if neurons.middle else "digital"
    neurons.add(Activate(name=name, size=n, function=PiecewiseLinear(gain=COMPARATOR_GAIN)), "comparator")
    neurons.drive("comparator", neurons.scale("hysteresis", name, dynamics.width))
    if neurons.middle:
        neurons.add(Affine(name="digital", weights=0.5 * np.eye(n), bias=0.5), name)


BUILDERS: Mapping[type[Dynamics], Callable[[Neurons], None]] = MappingProxyType(
    {
        GainRamp: _add_gain_ramp,
        ChaoticAnnealing: _add_chaotic_annealing,
        BallisticBifurcation: _add_ballistic,
        DiscreteBifurcation: _add_discrete,
        AmplitudeCorrection: _add_amplitude_correction,
        Hysteresis: _add_hysteresis,
    }
)
