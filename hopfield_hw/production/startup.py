"""How a board starts: preset to chosen states, reset to 0, or by nothing but the ramp of its supplies.

A preset holds integrator i at X = V_ref R_f / R_r while its two switches are on: one puts R_f across the capacitor, one
takes R_r from a reference to the summing node. A reset has R_f alone. Either way what the synapses give moves it by
R_f sum T v, so R_f is a small part of the leak's resistance. A reset leaves every state near 0, where a memory has an
unstable balance: which way it goes is then said by offsets and by what is unequal, not by the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..board.design import Board
from ..board.realised import reference_volts
from ..circuit import GROUND, Circuit, Device, Origin, Role
from ..graph import Graph, Leak
from ..parts import Resistor, Switch, VoltageSource
from ..parts.series import as_series, nearest
from ..tolerance.distributions import Fixed
from ..tolerance.draws import draw_factors, vary
from ..tolerance.tolerances import Tolerances
from ..values.arrays import Array, positive
from ..values.errors import InputError
from .engines import simulate_board
from .samples import sample_maker
from .tasks import Waves
from .usual import usual_tolerances, without_offsets

How = Literal["preset", "reset", "ramp"]
HOWS = ("preset", "reset", "ramp")
ON, OFF = 50.0, 1e10  # ohms, of an analog switch of CMOS on +-12 V
CONTROL = "preset_control"
PART = 0.05  # R_f, of the leak's resistance
HELD = 20.0  # R_f C, for which a preset lasts
LEAST_REFERENCE = 1e-3  # of the reference: a smaller state needs no resistor
ACCURACY = 1e-3  # of the runs
AWAKE = 0.05  # of the supplies: where a ramp starts, as no model of an op-amp knows less


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A start circuit: `circuit` with it; `held`, until when its switches are on, seconds; `states`, what it holds."""

    circuit: Circuit
    held: float
    states: tuple[float, ...]


def with_preset(board: Board, states: Any = None, *, part: float = PART, series: Any = "E96") -> Preset:
    """Return the board with switches that hold its integrators at states, (n,), volts, and then let go.

    `states`: on the board's scale; those that the board starts at by default. `part`: R_f as a part of the leak's
    resistance. `series`: of the resistors. Raises InputError for a board without leaks or, where a state is not 0,
    without a reference.
    """
    wanted = np.asarray(board.scaled.initial if states is None else states, dtype=np.float64)
    circuit, n = board.circuit, board.network.size
    if wanted.shape != (n,) or not np.isfinite(wanted).all():
        raise InputError(f"with_preset: `states` has shape {wanted.shape}: must be ({n},), finite, volts")
    leaks = board.scaled.resistance
    if not np.isfinite(leaks).all():
        raise InputError("with_preset: a neuron has no leak, whose resistance says how strong a preset must be")
    fraction = float(positive(part, "part", shape=(), unit=""))
    values = as_series(series)
    graph = circuit.graph
    assert isinstance(graph, Graph)
    operator = graph.of_type(Leak)[0]
    leak = operator.name
    devices, held = list(circuit.devices), 0.0
    added, achieved, rails = [], [], set()
    existing = {node for d in circuit.devices for node in d.nodes}
    volts = reference_volts(circuit, "reference_p") if "reference_p" in existing else float("nan")
    for k in range(n):
        (amplifier,) = circuit.devices_from(leak, (k,), Role.OP_AMP)
        summing, output = amplifier.nodes[1], amplifier.nodes[2]
        label = graph.labels(operator)[k]
        across = float(nearest(fraction * leaks[k], values))
        origin = Origin(leak, Role.PRESET, (k,))

        def switched(name: str, ohms: float, end: str, origin: Origin = origin, summing: str = summing) -> list[Device]:
            node = f"{name}_node"
            return [
                Device(f"R_{name}", Resistor(ohms), (end, node), origin),
                Device(f"S_{name}", Switch(ON, OFF), (node, summing, CONTROL, GROUND), origin),
            ]

        added += switched(f"reset_{label}", across, output)
        found = 0.0
        if abs(wanted[k]) > LEAST_REFERENCE * (volts if np.isfinite(volts) else 1.0):
            rail = "reference_p" if wanted[k] > 0.0 else "reference_n"
            if rail not in existing:
                raise InputError(f"with_preset: the board has no {rail}: give a state of 0 or a network with biases")
            rails.add(rail)
            feed = float(nearest((across + ON) * volts / abs(wanted[k]) - ON, values))
            added += switched(f"preset_{label}", feed, rail)
            found = float(np.copysign(volts * (across + ON) / (feed + ON), wanted[k]))
        achieved.append(found)
        held = max(held, HELD * (across + ON) * float(board.scaled.capacitance[k]))
    control = VoltageSource(((0.0, 1.0), (held, 1.0), (held * 1.01, 0.0)))
    added.append(Device(f"V_{CONTROL}", control, (CONTROL, GROUND), Origin(leak, Role.PRESET, ())))
    whole = replace(circuit, devices=(*devices, *added), initial=dict.fromkeys(circuit.initial, 0.0))
    return Preset(circuit=whole, held=held * 1.01, states=tuple(achieved))


def with_ramp(circuit: Circuit, seconds: float) -> Circuit:
    """Return the circuit with supplies and reference that rise within so many seconds, from 5% of them on."""
    names = ("V_supply_plus", "V_supply_minus", "V_reference_set", "V_reference_p", "V_reference_n")

    def ramped(device: Device) -> Device:
        part = device.part
        if device.name not in names or not isinstance(part, VoltageSource) or not isinstance(part.voltage, float):
            return device
        return device._replace(part=VoltageSource(((0.0, AWAKE * part.voltage), (float(seconds), part.voltage))))

    devices = tuple(ramped(device) for device in circuit.devices)
    return replace(circuit, devices=devices, initial=dict.fromkeys(circuit.initial, 0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """One start of a drawn board: `waves` of ngspice, the signs of its `outputs` at the end, and what was `predicted`.

    `predicted`: signs, (n,), by the static equation from what the start leaves, with the drawn parts. `mode`: signs,
    (n,), of the fastest mode that grows from there, by offsets and drive alone; all 0 where none grows.
    """

    waves: Waves
    outputs: Array
    predicted: Array
    mode: Array

    @property
    def signs(self) -> Array:
        """The signs of the outputs at the end, (n,)."""
        return np.sign(self.outputs)

    @property
    def was_predicted(self) -> bool:
        """Whether all signs are as predicted."""
        return bool(np.array_equal(self.signs, self.predicted))


def simulate_start(
    board: Board,
    how: How,
    *,
    seed: int,
    sample: int = 0,
    tolerances: Tolerances | None = None,
    ramp: float | None = None,
    t_stop: float | None = None,
    middle: float = 0.0,
    points: int = 201,
) -> Start:
    """Return what a drawn board does after a preset to its initial states, a reset, or the ramp of its supplies.

    `tolerances`: `usual_tolerances` by default; the parts of the start circuit vary as others do. `ramp`: seconds, a
    tenth of `t_stop` by default, which is that of the board, counted from where the start ends. `middle`: volts,
    between the two sides of an output. Raises InputError as `with_preset` and `vary` do.
    """
    if how not in HOWS:
        raise InputError(f"simulate_start: `how` = {how!r:.40}: must be one of {', '.join(HOWS)}")
    given = usual_tolerances(board) if tolerances is None else tolerances
    rest = board.t_stop if t_stop is None else float(positive(t_stop, "t_stop", shape=(), unit="s"))
    left = np.zeros(board.network.size)
    if how == "ramp":
        begin = 0.1 * rest if ramp is None else float(positive(ramp, "ramp", shape=(), unit="s"))
        circuit = with_ramp(board.circuit, begin)
    else:
        preset = with_preset(board, None if how == "preset" else left)
        circuit, begin = preset.circuit, preset.held
        left = np.asarray(preset.states)
    which = range(sample, sample + 1)
    whole, plain = (c if isinstance(given.offset, Fixed) else without_offsets(c) for c in (circuit, board.circuit))
    drawn = draw_factors(vary(whole, given), seed=seed, samples=which).circuit(sample)
    # A part has the same value in both, as its random number goes by its name.
    draws = draw_factors(vary(plain, given), seed=seed, samples=which)
    times = np.linspace(0.0, begin + rest, points)
    waves, _ = simulate_board(board, drawn.driven(board.inputs), times, accuracy=ACCURACY)
    outputs = waves.outputs[-1, 0] - middle
    maker = sample_maker(draws)
    equation = maker.make(draws.values)
    _, predicted = equation.run(left, np.linspace(0.0, rest, points), board.inputs)
    rate = equation.derivative(left[np.newaxis], equation.drive(board.inputs, 0.0))[0]
    return Start(
        waves=waves,
        outputs=outputs,
        predicted=np.sign(predicted[-1, 0] - middle),
        mode=_mode(equation.weights[0], equation.leak[0], equation.capacitance[0], _slope(equation, left), left, rate),
    )


def _slope(equation: Any, states: Array) -> Array:
    step = 1e-3 * equation.span
    high, low = (equation.outputs((states + sign * step)[np.newaxis])[0] for sign in (1.0, -1.0))
    return np.asarray((high - low) / (2.0 * step))


def _mode(weights: Array, leak: Array, capacitance: Array, slope: Array, states: Array, rate: Array) -> Array:
    """Return the signs of r (l . (X + F / lambda)), (n,), of the fastest growing mode.

    About X, dX/dt = F + J (x - X): along the right eigenvector r of an eigenvalue lambda > 0, with the left one l and
    l . r = 1, a start grows as exp(lambda t) times that.
    """
    jacobian = (weights * slope - np.diag(leak)) / capacitance[:, np.newaxis]
    values, right = np.linalg.eig(jacobian)
    k = int(np.argmax(values.real))
    if values[k].real <= 0.0:
        return np.zeros(len(states))
    left = np.linalg.inv(right)[k]
    return np.asarray(np.sign((right[:, k] * (left @ (states + rate / values[k]))).real))
