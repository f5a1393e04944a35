"""One of each thing that can be added, from outside the package: what `README.md` says of how to add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import typer

from hopfield_hw import Graph, Network, Tanh
from hopfield_hw.cells import Fragment
from hopfield_hw.cells.elements import add_amplifier, add_bias, add_capacitors
from hopfield_hw.cells.population import Population, populations
from hopfield_hw.circuit import GROUND, Device, Draft, Origin, Role, Stage
from hopfield_hw.cli.reporting import say
from hopfield_hw.functions import Gain
from hopfield_hw.functions.expressions import ARGUMENT, Expression, call
from hopfield_hw.parts import Part
from hopfield_hw.spice.dialects.ngspice import Ngspice
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.arrays import Array


@dataclass(frozen=True, slots=True)
class Conductor(Part):
    """A part: a resistor by its conductance, siemens; negative ones are allowed."""

    siemens: float
    what: ClassVar[str] = "conductor"
    ports = ("a", "b")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"siemens": "S"})

    @property
    def conductance(self) -> float:
        return self.siemens

    def with_conductance(self, siemens: float) -> Self:
        return type(self)(siemens)


class Telling(Ngspice):
    """A dialect: ngspice with conductors, and with a line that says so."""

    name = "telling"

    def write(self, circuit: Any) -> str:
        return super().write(circuit).replace("\n", "\n* told by a dialect from outside\n", 1)

    def format_device(self, device: Device, initial: Mapping[str, float]) -> Iterator[str]:
        if isinstance(device.part, Conductor):
            a, b = device.nodes
            yield f"G_{device.name} {a} {b} {a} {b} {device.part.siemens!r}"
        else:
            yield from super().format_device(device, initial)


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A cell: two transconductors of half the weight each."""

    name: str = "twin"
    law: str = "C_i dx_i/dt = -x_i/R_i + sum_j T_ij v_j + I_i"

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        for population in populations(graph):
            yield Fragment(population.operators, partial(self.build, population))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        return {}

    def build(self, population: Population, draft: Draft) -> None:
        from hopfield_hw.cells.elements import add_leak_resistors
        from hopfield_hw.parts import Transconductance

        leak = population.leak
        nodes = draft.nodes(leak)
        draft.state(leak, nodes)
        draft.sketch(leak, Stage.RC, inputs=population.affines)
        add_capacitors(draft, leak, nodes)
        add_leak_resistors(draft, leak, nodes)
        for affine in population.affines:
            (source,) = draft.graph.drivers(affine)
            rails = draft.nodes(source)
            for value, i, j in zip(*(part.tolist() for part in affine.weights.entries()), strict=True):
                origin = Origin(affine.name, Role.WEIGHT, (i, j))
                ports = (GROUND, nodes[i], rails[j], GROUND)
                for half in ("a", "b"):
                    name = f"G_{draft.label(affine.name, i, j)}_{half}"
                    draft.add(name, Transconductance(0.5 * value), ports, origin)
            add_bias(draft, affine, nodes)
        for activate in population.activates:
            add_amplifier(draft, activate, nodes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hyperbola(Gain):
    """A function: f(x) = a x / sqrt(a^2 + x^2), a gain of slope 1."""

    kind: ClassVar[str] = "hyperbola"
    has_corners = False
    amplitude: float = 1.0

    def value(self, x: Any, out: Array | None = None) -> Array:
        return np.asarray(np.divide(self.amplitude * x, np.hypot(self.amplitude, x), out=out))

    def derivative(self, x: Any) -> Array:
        return np.asarray((self.amplitude / np.hypot(self.amplitude, x)) ** 3)

    def curve(self) -> Expression:
        return self.amplitude * ARGUMENT / call("sqrt", self.amplitude**2 + ARGUMENT * ARGUMENT)

    def scale(self, volts: float) -> Self:
        return type(self)(amplitude=self.amplitude * volts)

    def compress(self, s: float) -> Self:
        raise NotImplementedError

    def inverse(self, y: Any) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(y * self.amplitude / np.sqrt(self.amplitude**2 - y * y))

    def inverse_integral(self, y: Any) -> Array:
        with np.errstate(invalid="ignore"):
            return np.asarray(self.amplitude * (self.amplitude - np.sqrt(self.amplitude**2 - y * y)))

    @property
    def slope(self) -> float:
        return 1.0

    @property
    def lower(self) -> float:
        return -self.amplitude

    @property
    def upper(self) -> float:
        return self.amplitude


def pair(weight: float = -2e-4) -> Network:
    """A family and a problem: two neurons that act on one another alike."""
    return Network(
        weights=[[0.0, weight], [weight, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=Tanh(gain=3.0),
        initial=[0.1, 0.05],
    )


def random_pair(rng: np.random.Generator) -> Network:
    """Return a pair with a random weight."""
    return pair(float(rng.uniform(-3e-4, 3e-4)))


def doubly_delayed(graph: Graph, tau: float) -> Graph:
    """A delayed form: of twice the delay given."""
    return add_delay(graph, 2.0 * tau)


def greet(name: Annotated[str, typer.Argument(help="Whom.")]) -> int:
    """A command."""
    say(f"greetings to {name}")
    return 0
