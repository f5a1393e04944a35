"""Forecasts of a series: one step at a time, free-running, by simulated Verilog, and by a circuit in ngspice."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ..cells import Cell
from ..equations.sequences import Machine, machine_of, run_sequence
from ..graph import Graph
from ..integers.icarus import simulate_verilog
from ..integers.lowering import IntegerProgram
from ..lowering import lower
from ..recurrent import RecurrentCell
from ..spice.transient import simulate
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from ..values.signals import Signal

Stepper: TypeAlias = "Machine | Graph | RecurrentCell"


def forecast(machine: Stepper, series: Any) -> Array:
    """Return y, (T,): y[k] is what the machine says of series[k + 1], having read series[0] to series[k].

    `machine`: of one input and one output; it starts from what its Holds hold. `series`: (T,), scaled as the machine
    was trained. Raises InputError for other shapes and machines.
    """
    return _outputs(run_sequence(machine, _column(series)).outputs)[:, 0]


def roll_out(machine: Stepper, series: Any, *, steps: int) -> Array:
    """Return what the machine makes of the future: (steps,), the first entry follows the end of the series.

    The machine reads the series, (T,), and from then on its own forecasts. Raises InputError for an empty series.
    """
    stepper = machine_of(machine)
    run = run_sequence(stepper, _column(series))
    if not len(run.outputs):
        raise InputError("`series` is empty: must have the steps that the machine reads before it goes on alone")
    last, states, found = _outputs(run.outputs)[-1:], run.states, []
    for _ in range(steps):
        found.append(last[0, 0])
        run = run_sequence(stepper, last, initial=states)
        last, states = run.outputs[:, 0], run.states
    return np.array(found)


def forecast_in_verilog(program: IntegerProgram, series: Any, *, stalls: bool = False) -> Array:
    """Return what `forecast` does, from the Verilog of a program, simulated by Icarus Verilog.

    Raises InputError for a program with other than one input and output of one element; SimulatorMissing without
    Icarus Verilog.
    """
    sources, outputs = program.of_kind("input"), program.of_kind("output")
    if [step.size for step in (*sources, *outputs)] != [1, 1]:
        raise InputError("`program`: must have one input and one output, of one element each")
    (source,), (output,) = sources, outputs
    raw = source.ports[0].format.quantise(_column(series))
    found = simulate_verilog(program, {source.name: raw}, stalls=stalls)[output.name]
    return output.ports[0].format.value(found)[:, 0]


def forecast_in_circuit(graph: Graph, series: Any, *, cell: str | Cell = "ideal", accuracy: float = 1e-3) -> Array:
    """Return what `forecast` does, from the clocked circuit of a graph, simulated by ngspice.

    `graph`: with the units in which it is built, volts_per_unit and seconds_per_unit. `cell`, `accuracy`: of the
    circuit. Raises InputError for an empty series and as `forecast` does; Unrealisable for values that the cell cannot
    build, and a SimulatorError where ngspice does not deliver.
    """
    values = _column(series)
    if not len(values):
        raise InputError("`series` is empty: must have at least one value")
    volts = graph.units.volts_per_unit
    circuit = lower(graph, cell=cell)
    if circuit.clock is None:
        raise InputError(f"the graph is of kind {graph.kind!r}: a forecast takes a map, whose states are Holds alone")
    period = circuit.clock.period
    inputs = Signal.held(volts * values, period)
    wave = simulate(circuit, t_stop=(len(values) - 1) * period or period, inputs=inputs, accuracy=accuracy)
    return _outputs(wave["output"].to_numpy()[: len(values), np.newaxis])[:, 0] / volts


def relative_error(found: Any, actual: Any) -> float:
    """Return the root mean square of found - actual by the standard deviation of `actual`; 1 is the mean's own error.

    Raises InputError for different shapes, and an `actual` that does not vary.
    """
    expected = freeze(actual, "actual")
    error = freeze(found, "found", shape=expected.shape) - expected
    spread = float(np.std(expected)) if expected.size else 0.0
    if spread == 0.0:
        raise InputError("`actual` does not vary: its standard deviation must be above 0")
    return float(np.sqrt(np.mean(error**2))) / spread


def _column(series: Any) -> Array:
    values = freeze(series, "series")
    if values.ndim != 1:
        raise InputError(f"`series` has shape {values.shape}: must be (T,)")
    return values[:, np.newaxis]


def _outputs(outputs: Array) -> Array:
    if outputs.shape[-1] != 1:
        raise InputError(f"the machine has {outputs.shape[-1]} outputs: must have one, the forecast")
    return outputs[:, 0]
