"""What runs a circuit that is verified: ngspice, its text; our own engine, its devices."""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import xarray as xr

from ..circuit import Circuit
from ..ensemble.accuracy import FINER, FIRST
from ..ensemble.transient import simulate
from ..ensemble.waves import measure_waves as measure_own_waves
from ..spice.decks.polarity import find_exchanged
from ..spice.decks.statements import Statement, read_statements
from ..spice.transient import AccuracyWarning, Deck, Waves, measure_waves, simulate_waves
from ..values.signals import Signal
from ..version import __version__
from .exchanged import find_exchanged as find_exchanged_inputs

# Where a capacitor starts, whatever `.ic` says of its nodes.
START = re.compile(r"\bic\s*=\s*(?:\{[^}]*\}|'[^']*'|\S+)", re.IGNORECASE)


class Wanted(NamedTuple):
    """What is asked of a run: its length, its accuracy, how many seconds it may take, and what it is off by.

    `whole`: the length of the run whose steps are taken first. Our own engine knows no limit of time.
    """

    t_stop: float
    accuracy: float
    timeout: float
    error: Callable[[Waves], float] | None
    whole: float


@dataclass(frozen=True)
class Simulator(ABC):
    """What runs a circuit. `circuit`: what it should have; `deck`: what it has, as text, its probes and starts.

    `name`: as a report says it.
    """

    circuit: Circuit
    deck: Deck
    name: ClassVar[str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The first words of the deck's statements, lower case: the names of its devices among them."""
        return frozenset(statement.word for statement in self.statements)

    @cached_property
    def charged(self) -> frozenset[str]:
        """The nodes at which there is a capacitor, lower case."""
        words = [statement.text.lower().split() for statement in self.statements]
        return frozenset(node for each in words if each[0].startswith("c") for node in each[1:3])

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements of the deck."""
        return read_statements(self.deck.text).statements

    @abstractmethod
    def simulate(self, wanted: Wanted) -> tuple[xr.Dataset, Waves]:
        """Return the waveforms to an accuracy, self-checked, as `spice.transient.simulate_waves` does."""

    @abstractmethod
    def measure(self, initial: Mapping[str, float], inputs: Signal | None, wanted: Wanted) -> Waves:
        """Return a run from other starts, and with other constant inputs, as `spice.transient.measure_waves` does."""

    @abstractmethod
    def find_exchanged(
        self, *, volts: float, fastest: float, timeout: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return op-amps whose inputs are exchanged, and what could not be told, as `polarity.find_exchanged` does."""


class InNgspice(Simulator):
    """A deck in ngspice."""

    name = "ngspice"

    def simulate(self, wanted: Wanted) -> tuple[xr.Dataset, Waves]:
        t_stop, accuracy, timeout, error, _ = wanted
        return simulate_waves(self.deck, t_stop=t_stop, accuracy=accuracy, timeout=timeout, error=error)

    def measure(self, initial: Mapping[str, float], inputs: Signal | None, wanted: Wanted) -> Waves:
        deck = replace(self.deck, initial={**self.deck.initial, **initial}, text=self._text(inputs))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            return measure_waves(deck, **wanted._asdict())

    def find_exchanged(
        self, *, volts: float, fastest: float, timeout: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return find_exchanged(self.deck, volts=volts, fastest=fastest, timeout=timeout)

    def _text(self, inputs: Signal | None) -> str:
        """Return the text of the deck with capacitors that start where `.ic` says, and constant inputs if they are."""
        volts: dict[str, float] = {}
        if inputs is not None and inputs.times.size == 1:
            names = (name.lower() for name in self.circuit.inputs)
            volts = dict(zip(names, inputs.values[0].tolist(), strict=True))
        lines = ["*"]
        for statement in self.statements:
            if statement.word in volts:
                name, plus, minus = statement.text.split()[:3]
                lines.append(f"{name} {plus} {minus} {volts[statement.word]!r}")
            elif statement.word.startswith("c"):
                lines.append(START.sub("", statement.text))
            else:
                lines += statement.lines
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class InOwnEngine(Simulator):
    """A circuit in our own engine. `inputs`: what drives it; `deck`: its netlist."""

    inputs: Any = None
    name = "ensemble"

    def simulate(self, wanted: Wanted) -> tuple[xr.Dataset, Waves]:
        wave = simulate(self.circuit, inputs=self.inputs, t_stop=wanted.t_stop, accuracy=wanted.accuracy)
        waves = self._run(self.circuit, self.inputs, wave.attrs["tolerance"], wanted)
        return wave.assign_attrs(version=__version__), waves

    def measure(self, initial: Mapping[str, float], inputs: Signal | None, wanted: Wanted) -> Waves:
        circuit = replace(self.circuit, initial={**self.circuit.initial, **initial})
        driven = inputs if inputs is not None and inputs.times.size == 1 else self.inputs
        return self._run(circuit, driven, FIRST / FINER * wanted.accuracy, wanted)

    def _run(self, circuit: Circuit, inputs: Any, tolerance: float, wanted: Wanted) -> Waves:
        t_stop, goal, _, error, _ = wanted
        return measure_own_waves(circuit, inputs=inputs, t_stop=t_stop, tolerance=tolerance, goal=goal, error=error)

    def find_exchanged(
        self, *, volts: float, fastest: float, timeout: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return find_exchanged_inputs(self.circuit.driven(self.inputs), volts=volts, fastest=fastest)
