"""The equation of a board from its parts, and the board in ngspice judged against it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..benches.gain_curves import LOAD, cut_bench, find_lag, gain_curve
from ..circuit import Circuit, Device, Role
from ..equations import solve
from ..functions import Function
from ..graph import Activate, Graph, Leak
from ..parts import MacroModel, OpAmp, Resistor
from ..spice.transient import AccuracyWarning, Deck, circuit_deck, simulate_deck
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.measures import check_accuracy, nrmse, ranges
from ..values.report import Report
from ..verification.evidence import GROWTH, Settled, Verdict, compare_ends
from ..verification.procedure import output_ranges
from .checklist import rounding_error
from .checks import Check
from .choice import merge_pairs
from .equation import BoardEquation
from .loops import find_loops
from .realised import read_crossbar, reference_volts
from .start import start_at_rest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..pictures.plots import Picture
    from .design import Board

TOLERANCE = 5e-3
LOOSEST = 0.1  # tolerance
TWO = 2.0  # time constants: over less nothing is decided
REST = 1e-6  # of the largest state: what moves less rests
# Of a state's range: one that ends further from where the network ends has decided otherwise. A range counts with this
# part of the largest one at least.
OTHER, LEAST_RANGE = 0.5, 0.1


def board_equation(board: Board, *, curves: Sequence[Function] | None = None) -> BoardEquation:
    """Return the equation of a board with the true curves and poles of its amplifiers, read from its circuit.

    `curves`: measured before, one for all neurons or one for each; by default they are measured here, one for all where
    all neurons have the same gain and parts, and one for each elsewhere.
    """
    circuit, model = merge_pairs(board.circuit), board.model
    graph = board.scaled.graph()
    found = read_crossbar(circuit)
    (activate,) = graph.of_type(Activate)
    (leak,) = graph.of_type(Leak)
    n = leak.output_size
    if curves is None:
        curves = measure_curves(board)
    lag = find_lag(circuit) if board.amplifier.in_parts else 0.0
    into_inputs = 0.0 if found.inputs is None else np.abs(found.inputs).sum(axis=1)
    loads = [_load(circuit, circuit.devices_from(leak.name, (k,), Role.OP_AMP)[0].nodes[2]) for k in range(n)]
    loaded = (1.0 + model.output_resistance / model.load) / (1.0 + model.output_resistance * float(np.mean(loads)))
    integrators = [_find_op_amp(circuit, leak.name, k) for k in range(n)]
    inverters = [_find_op_amp(circuit, activate.name, k, "_inv") for k in range(n)]
    return BoardEquation(
        capacitance=found.capacitance,
        leak=found.leak,
        positive=found.positive,
        negative=found.negative,
        inputs=found.inputs,
        current=found.current + found.bias * np.where(found.current > 0.0, *_reference_errors(circuit, model)),
        conductance=found.positive.sum(axis=1) + found.negative.sum(axis=1) + found.bias + into_inputs,
        curves=tuple(curves),
        pole=1.0 / (2.0 * math.pi * lag) if lag > 0.0 else model.gain_bandwidth,
        ratio=-found.ratios,
        offset=np.array([_offset(one, model) for one in integrators]),
        inverter_offset=np.array([_offset(one, model) + _bias(circuit, one) for one in inverters]),
        bias_current=model.input_current(-1.0),
        gain=model.gain * loaded,
        gain_bandwidth=model.gain_bandwidth * loaded,
        inverter_bandwidth=_inverter_bandwidth(circuit, inverters, -found.ratios, model.gain_bandwidth * loaded),
        slew_rate=model.slew_rate,
        initial=np.asarray(board.scaled.initial),
    )


def _inverter_bandwidth(circuit: Circuit, inverters: Sequence[Device | None], ratios: Array, hertz: float) -> Array:
    """Return by neuron what bandwidth has the lag of the inverter's own and of the capacitor across its feedback."""
    lags = {loop.device.name: loop.lag for loop in find_loops(circuit)}
    own = np.array([0.0 if one is None else lags[one.name] for one in inverters])
    return np.asarray(1.0 / (1.0 / hertz + 2.0 * math.pi * own / (1.0 + ratios)))


def measure_curves(board: Board) -> tuple[Function, ...]:
    """Return the true curves of a board's amplifiers: one where all have the same parts, and one for each elsewhere."""
    if not board.amplifier.in_parts:
        return (board.scaled.gain,)
    graph = board.scaled.graph()
    (activate,) = graph.of_type(Activate)
    # States stay within their bounds but for what parts and offsets add; beyond the range of inputs a curve turns back.
    reached = float(np.max(board.reached))
    lowest, highest = board.model.common_mode()
    span = min(1.2 * reached, max(1.01 * reached, min(-lowest, highest)))
    benches = [cut_bench(merge_pairs(board.circuit), element=k) for k in range(activate.size)]
    # Synapses load neurons differently, which an op-amp's own loop takes away.
    parts = {tuple(d.part for d in bench.circuit.devices if d.part.physical and d.name != LOAD) for bench in benches}
    chosen = benches[:1] if len(parts) == 1 else benches
    return tuple(gain_curve(bench, span=span) for bench in chosen)


def _load(circuit: Circuit, node: str) -> float:
    """Return the conductance of the resistors at a node, siemens."""
    return sum(1.0 / d.part.resistance for d in circuit.devices if isinstance(d.part, Resistor) and node in d.nodes)


def _find_op_amp(circuit: Circuit, operator: str, k: int, end: str = "") -> Device | None:
    """Return an integrator's op-amp, or an inverter's, whose inverting input ends in `_inv`; None for none."""
    for device in circuit.devices_from(operator, (k,), Role.OP_AMP):
        if isinstance(device.part, OpAmp) and device.nodes[1].endswith(end):
            return device
    return None


def _offset(device: Device | None, default: MacroModel) -> float:
    """Return the error voltage at an op-amp's input with its inputs at ground: offset, and what its rails add to it."""
    part = None if device is None else device.part
    model = part.model if isinstance(part, OpAmp) and isinstance(part.model, MacroModel) else default
    own = part.offset if isinstance(part, OpAmp) else 0.0
    middle, whole = 0.5 * (model.supply_plus + model.supply_minus), model.supply_plus - model.supply_minus
    return model.offset + own - model.by_common_mode * middle + model.by_supply * (whole - model.nominal_supply)


def _reference_errors(circuit: Circuit, model: MacroModel) -> tuple[float, float]:
    """Return by how much the buffered references are off, volts: the positive one and the negative one."""
    known = {device.name: device for device in circuit.devices if device.origin.role is Role.REFERENCE}
    if "X_reference_p" not in known:
        return 0.0, 0.0
    volts = abs(reference_volts(circuit, "reference_p"))
    plus = _offset(known["X_reference_p"], model) + volts * (model.by_common_mode - 1.0 / model.gain)
    if "X_reference_n" not in known:
        return plus, 0.0
    own = _offset(known["X_reference_n"], model) + _bias(circuit, known["X_reference_n"]) + volts / model.gain
    return plus, 2.0 * own - plus


def _bias(circuit: Circuit, device: Device | None) -> float:
    """Return what the bias current of an inverter adds to its error voltage: over both of its resistors in parallel."""
    if device is None or not isinstance(device.part, OpAmp) or not isinstance(device.part.model, MacroModel):
        return 0.0
    model, conductance = device.part.model, _load(circuit, device.nodes[1])
    return model.input_current(-1.0) / conductance if conductance else 0.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BoardVerification(Report):
    """A board in ngspice, with all that its op-amps are, against its equation; and how far both are from the ideal one.

    `nrmse`, `output_nrmse`: ngspice against the equation with the amplifiers' curves and poles, of states and outputs.
    `deviation`, `output_deviation`: ngspice against the network that was asked for. `value_error`: the largest error
    that its parts make of a weight, a bias, a leak or a capacitance. `settled`: whether ngspice and the equation come
    to the same end. `decided`: whether the board ends in the state that the network which was asked for ends in.
    `checks`: of the board.
    """

    board: Board = field(repr=False)
    verdict: Verdict
    reasons: tuple[str, ...]
    nrmse: float
    output_nrmse: float
    deviation: float
    output_deviation: float
    value_error: float
    settled: Settled
    decided: Settled
    tolerance: float
    checks: tuple[Check, ...] = field(repr=False)
    warning: str
    wave: xr.Dataset = field(repr=False)
    equation: xr.Dataset = field(repr=False)
    ideal: xr.Dataset = field(repr=False)

    @property
    def graph(self) -> Graph:
        """The graph of the network on the board's scales."""
        return self.board.scaled.graph()

    @property
    def passed(self) -> bool:
        """Whether the verdict is "passed"."""
        return self.verdict == "passed"

    def rows(self) -> list[tuple[str, str]]:
        """Return what a table of it shows."""
        return [
            ("verdict", f"{self.verdict}{': ' + '; '.join(self.reasons) if self.reasons else ''}"),
            ("against its own equation", f"NRMSE {self.nrmse:.2e} of states, {self.output_nrmse:.2e} of outputs"),
            ("tolerance", f"{self.tolerance:.0e}"),
            (
                "against the ideal network",
                f"NRMSE {self.deviation:.2e} of states, {self.output_deviation:.2e} of outputs",
            ),
            ("largest error of a value", f"{self.value_error:.2%}"),
            ("ends as its own equation", self.settled),
            ("ends as the ideal network", self.decided),
            ("checks", f"{sum(check.passed for check in self.checks)} of {len(self.checks)} passed"),
            *([("warning", self.warning)] if self.warning else []),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of it."""
        names = ("verdict", "reasons", "nrmse", "output_nrmse", "deviation", "output_deviation", "value_error")
        found = {name: getattr(self, name) for name in (*names, "settled", "decided", "tolerance", "warning")}
        return {**found, "passed": self.passed, "checks": [check.figures() for check in self.checks]}

    def plot(self, path: Path | str | None = None, *, picture: Picture | None = None) -> Figure:
        """Return the page of it, and write it where a path is given."""
        from ..pictures.boards import plot_board
        from ..pictures.files import save_figure

        return save_figure(plot_board(self, picture=picture), path)


def verify_board(
    board: Board,
    *,
    accuracy: float = 1e-3,
    tolerance: float = TOLERANCE,
    timeout: float = 600.0,
    deck: Callable[[Circuit], Deck] | None = None,
) -> BoardVerification:
    """Run a board in ngspice and judge it against its equation.

    It has "passed" where states and outputs agree within the tolerance, both settle in the same state, the network that
    was asked for settles there too, and all checks of the design hold. Where nothing is found against it, it is
    "undecided" over less than two time constants, and where no state moves; and where waveforms part but the board's
    equation amplifies small differences. `accuracy`: NRMSE asked of ngspice; `tolerance`: NRMSE, at most LOOSEST.
    `deck`: of the board's circuit, as it starts, what is to run in its place, such as KiCad's own net list.
    Raises InputError for one that is not, and otherwise as `simulate` does.
    """
    limit = check_accuracy(tolerance, "tolerance")
    if limit > LOOSEST:
        raise InputError(f"`tolerance` = {limit:g}: must be at most {LOOSEST:g}, beyond which any waveform would pass")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AccuracyWarning)
        circuit = start_at_rest(board.circuit, board.t_stop, board.inputs)
        made = circuit_deck(circuit, board.inputs) if deck is None else deck(circuit)
        wave = simulate_deck(made, t_stop=board.t_stop, accuracy=accuracy, timeout=timeout)
    times = wave["time"].to_numpy()
    own_equation = board_equation(board)
    states, outputs = own_equation.solve(times, board.inputs)
    equation = wave.copy(data={"state": states, "output": outputs})
    ideal = solve(board.scaled.graph(), t_stop=board.t_stop, inputs=board.inputs, accuracy=1e-4)
    found = wave["state"].to_numpy(), wave["output"].to_numpy()
    own = nrmse(states[1:], found[0][1:]), output_nrmse(outputs[1:], found[1][1:])
    wanted = ideal["state"].to_numpy(), ideal["output"].to_numpy()
    off = nrmse(wanted[0][1:], found[0][1:]), output_nrmse(wanted[1][1:], found[1][1:])
    error = rounding_error(board.scaled, board.realised, board.rounding)
    ends = compare_ends(states, found[0], limit)
    decided = compare_decisions(wanted[0], found[0])
    parted = []
    if not max(own) <= limit:
        parted.append(f"NRMSE {max(own):.1e} against its own equation is above {limit:.0e}")
    if ends == "different":
        parted.append("it settles in another state than its equation")
    growth = own_equation.growth(times, board.inputs) if parted else 1.0
    wrong = [_say_end(board, wanted[0][-1], found[0][-1])] if decided == "different" else []
    verdict, reasons = _judge(board, states, wrong, parted, growth)
    return BoardVerification(
        board=board,
        verdict=verdict,
        reasons=reasons,
        nrmse=own[0],
        output_nrmse=own[1],
        deviation=off[0],
        output_deviation=off[1],
        value_error=error,
        settled=ends,
        decided=decided,
        tolerance=limit,
        checks=board.checks,
        warning="; ".join(str(item.message) for item in caught),
        wave=wave,
        equation=equation,
        ideal=ideal,
    )


def output_nrmse(reference: Array, found: Array) -> float:
    """Return the worst output's RMS difference over its range, or its size where that is more, as `verify` has it."""
    rms = np.sqrt(np.mean((found - reference) ** 2, axis=0))
    return float(np.max(rms / output_ranges(reference), initial=0.0))


def compare_decisions(wanted: Array, found: Array) -> Settled:
    """Return whether waveforms, (P, n), end in the same state, and not only near to it or far from it.

    They do where no state is apart by more than half of its range, or half of a tenth of the largest range.
    """
    extent = ranges(wanted)
    apart = np.abs(found[-1] - wanted[-1]) / np.maximum(extent, LEAST_RANGE * float(np.max(extent)))
    ends = compare_ends(wanted, wanted, 1.0)
    return ends if ends == "not settled" else "same" if float(np.max(apart)) <= OTHER else "different"


def _say_end(board: Board, wanted: Array, found: Array) -> str:
    """Return in words which state ends furthest from where that of the network ends, volts of the board."""
    k = int(np.argmax(np.abs(found - wanted)))
    label = board.network.labels[k] if board.network.labels else k
    return (
        f"it settles in another state than the network that was asked for: neuron {label} at {found[k]:.3g} V in place "
        f"of {wanted[k]:.3g} V"
    )


def _judge(
    board: Board, states: Array, decided: list[str], parted: list[str], growth: float
) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict, and why. `states`: of the equation, (P, n); `decided`: what tells that the board ends in
    another state than the network; `parted`: what tells that ngspice is off the equation, and `growth`, by how much the
    board amplifies small differences."""
    wrong = [*(str(check) for check in board.checks if not check.passed), *decided]
    if not board.checks:
        wrong.append("the board has no checks")
    if wrong:
        return "failed", (*wrong, *parted)
    if parted:
        if growth < GROWTH:
            return "failed", tuple(parted)
        said = f"the board amplifies a difference {growth:.0e}-fold, so that this tells nothing of the board"
        return "undecided", (*parted, said)
    constants = board.realised.resistance * board.realised.capacitance
    longest = float(np.max(constants[np.isfinite(constants)], initial=0.0))
    if board.t_stop < TWO * longest:
        return "undecided", (f"it ran for {board.t_stop / longest:.2g} time constants, and {TWO:g} are the least",)
    if float(np.max(np.ptp(states, axis=0))) <= REST * float(np.max(np.abs(states))):
        return "undecided", ("no state moves; start it elsewhere",)
    return "passed", ()
