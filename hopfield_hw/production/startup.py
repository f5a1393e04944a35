"""How a board starts: preset to chosen states, reset to 0, or by nothing but the ramp of its supplies.

A preset holds integrator i at X = V_ref R_f / R_r while its two switches are on: one puts R_f across the capacitor, one
takes R_r from a reference to the summing node. A reset has R_f alone. Either way what the synapses give moves it by
R_f sum T v, so R_f is a small part of the leak's resistance. A reset leaves every state near 0, where a memory has an
unstable balance: which way it goes is then said by offsets and by what is unequal, not by the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ..board.design import Board
from ..board.realised import reference_volts
from ..board.resetting import ON, PART
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
from .ramp import states_after_ramp, with_ramp
from .samples import Samples, sample_maker
from .tasks import Waves
from .usual import usual_tolerances, without_offsets

How = Literal["preset", "reset", "ramp"]
OFF = 1e10  # ohms, of an analog switch
CONTROL = "preset_control"
HELD = 20.0  # R_f C, for which a preset lasts
LEAST_REFERENCE = 1e-3  # of the reference: a smaller state needs no resistor
ACCURACY = 1e-3  # of the runs


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Starts:
    """Starts of drawn boards, one a sample: `waves` of ngspice, the `outputs` at their end, (S, n), and `predicted`.

    `left`: the states, (S, n), at which the equation says that the start leaves each board; `found`: those of ngspice.
    `predicted`: signs of outputs, (S, n), by the static equation from `left` on, with the drawn parts. `mode`: (S, n),
    volts, what of the fastest mode that grows is excited there, by states, offsets and drive; 0 where none grows.
    """

    waves: tuple[Waves, ...]
    outputs: Array
    left: Array
    found: Array
    predicted: Array
    mode: Array

    @property
    def signs(self) -> Array:
        """The signs of the outputs at the end, (S, n)."""
        return np.sign(self.outputs)

    @property
    def was_predicted(self) -> Any:
        """Of each sample whether all signs are as predicted, (S,)."""
        return np.all(self.signs == self.predicted, axis=1)


def simulate_starts(
    board: Board,
    how: How,
    *,
    seed: int,
    samples: int | slice | range = 1,
    tolerances: Tolerances | None = None,
    ramp: float | None = None,
    t_stop: float | None = None,
    middle: float = 0.0,
    points: int = 201,
) -> Starts:
    """Return what drawn boards do after a preset to the board's initial states, a reset, or a ramp of the supplies.

    `samples`: how many, or a range of their numbers. `tolerances`: `usual_tolerances` by default; the parts of the
    start circuit vary as others do. `ramp`: seconds, a tenth of `t_stop` by default, which is that of the board,
    counted from where the start ends. `middle`: volts, between the two sides of an output. What a ramp leaves is
    predicted by `states_after_ramp`. Raises InputError as `with_preset` and `vary` do.
    """
    if how not in get_args(How):
        raise InputError(f"simulate_starts: `how` = {how!r:.40}: must be one of {', '.join(get_args(How))}")
    given = usual_tolerances(board) if tolerances is None else tolerances
    rest = board.t_stop if t_stop is None else float(positive(t_stop, "t_stop", shape=(), unit="s"))
    states = np.zeros(board.network.size)
    if how == "ramp":
        begin = 0.1 * rest if ramp is None else float(positive(ramp, "ramp", shape=(), unit="s"))
        circuit = with_ramp(board.circuit, begin)
    else:
        preset = with_preset(board, None if how == "preset" else states)
        circuit, begin = preset.circuit, preset.held
        states = np.asarray(preset.states)
    whole, plain = (c if isinstance(given.offset, Fixed) else without_offsets(c) for c in (circuit, board.circuit))
    # A part has the same value in both, as its random number goes by its name.
    drawn = draw_factors(vary(whole, given), seed=seed, samples=samples)
    draws = draw_factors(vary(plain, given), seed=seed, samples=samples)
    maker = sample_maker(draws)
    left = np.tile(states, (len(draws.samples), 1))
    if how == "ramp":
        left = states_after_ramp(board, maker, draws, begin, ACCURACY)
    times = np.linspace(0.0, begin + rest, points)
    waves = tuple(
        simulate_board(board, drawn.circuit(k).driven(board.inputs), times, accuracy=ACCURACY)[0] for k in drawn.samples
    )
    equation = maker.make(draws.values)
    _, predicted = equation.run(left, np.linspace(0.0, rest, points), board.inputs)
    return Starts(
        waves=waves,
        outputs=np.stack([wave.outputs[-1, 0] - middle for wave in waves]),
        left=left,
        found=np.stack([[np.interp(begin, times, row) for row in wave.states[:, 0].T] for wave in waves]),
        predicted=np.sign(predicted[-1] - middle),
        mode=_modes(equation, left, equation.derivative(left, equation.drive(board.inputs, 0.0))),
    )


def _modes(equation: Samples, states: Array, rates: Array) -> Array:
    """Return r (l . (X + F / lambda)), (S, n), of the fastest growing mode at states X.

    There dX/dt = F + J (x - X): along the right eigenvector r of an eigenvalue lambda > 0, with the left one l and
    l . r = 1, the state moves away from the balance of that mode as exp(lambda t) times that.
    """
    step = 1e-3 * equation.span
    slopes = (equation.outputs(states + step) - equation.outputs(states - step)) / (2.0 * step)
    found = np.zeros_like(states)
    for k, (x, rate) in enumerate(zip(states, rates, strict=True)):
        by_state = (equation.weights[k] * slopes[k] - np.diag(equation.leak[k])) / equation.capacitance[k][
            :, np.newaxis
        ]
        values, right = np.linalg.eig(by_state)
        fastest = int(np.argmax(values.real))
        if values[fastest].real > 0.0:
            left = np.linalg.inv(right)[fastest]
            found[k] = (right[:, fastest] * (left @ (x + rate / values[fastest]))).real
    return found
