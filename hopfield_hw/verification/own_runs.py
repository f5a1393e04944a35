"""Runs of a circuit from starts, and with inputs, chosen by verify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..circuit import Circuit, Role
from ..graph import Graph, Hold
from ..graph.neutral import direct_links
from ..parts import Capacitor
from ..spice.transient import Waves
from ..values.arrays import Array
from ..values.errors import SimulatorError
from .simulators import Simulator, Wanted
from .starts import Start
from .steps import Run, make_run

STORED = frozenset({Role.MASTER, Role.SLAVE})
JUMPS = 10.0
# What realises a delay only where what is delayed has no jump, as one from its history to another start is.
SMOOTH = frozenset({Role.STAGE, Role.INTERPOLATION})


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnRuns:
    """What it takes to run a circuit once more. `graph`: in SI units; `circuit`: what the simulator should have.

    `off`: by how much a run leaves its equation; its steps are halved until this is small, or they do not help.
    `whole`: as for `measure_waves`.
    """

    graph: Graph
    circuit: Circuit
    simulator: Simulator
    off: Callable[[Run], float]
    t_stop: float
    whole: float
    accuracy: float
    timeout: float

    def from_starts(self, starts: Sequence[Start]) -> list[tuple[Start, Run]]:
        """Return the starts from which the simulator delivers a run, and these runs.

        A circuit that begins elsewhere than it was started is at fault, and what it is off by counts.
        """
        runs = [(start, self._run(start)) for start in starts]
        return [(start, run) for start, run in runs if run is not None]

    def may_start(self) -> bool:
        """Whether the circuit realises its graph from any start."""
        return not any(device.origin.role in SMOOTH for device in self.circuit.devices)

    @property
    def allowance(self) -> float:
        """How many times as far off a run may be.

        The jump from a history to another start comes back where Delays drive Delays, each time as steep as a step.
        """
        return JUMPS if direct_links(self.graph).edges else 1.0

    def drives(self) -> bool:
        """Whether it has the sources of the inputs, so that it can be given others."""
        return all(name.lower() in self.simulator.names for name in self.circuit.inputs)

    def _run(self, start: Start) -> Run | None:
        # A node that holds no charge is not started by `.ic`.
        deck = self.simulator.deck
        strict = all(probe.node.lower() in self.simulator.charged for probe in deck.states)

        def run_of(waves: Waves) -> Run:
            return make_run(self.graph, start.inputs, waves, initial=start.states if strict else None)

        try:
            waves = self.simulator.measure(
                self._initial(start.states),
                start.inputs,
                Wanted(
                    t_stop=self.t_stop,
                    accuracy=self.accuracy,
                    timeout=self.timeout,
                    error=lambda found: self.off(run_of(found)),
                    whole=self.whole,
                ),
            )
        except SimulatorError:
            return None
        return run_of(waves)

    def _initial(self, states: Array) -> dict[str, float]:
        """Return the voltages of the nodes at which states start: those of its capacitors where one is held."""
        volts = {probe: float(x) / probe.scale for probe, x in zip(self.simulator.deck.states, states, strict=True)}
        found = {probe.node: start for probe, start in volts.items()}
        held = [(hold.name, (k,)) for hold in self.graph.of_type(Hold) for k in range(hold.output_size)]
        by_element = dict(zip(held, list(volts.values())[len(volts) - len(held) :], strict=True))
        for device in self.circuit.devices:
            place = (device.origin.operator, device.origin.element)
            if device.origin.role in STORED and isinstance(device.part, Capacitor) and place in by_element:
                found[device.nodes[0]] = by_element[place]
        return found
