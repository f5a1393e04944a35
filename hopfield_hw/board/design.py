"""From a network to a board: scaled, made of parts that can be bought, and checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cells.amplifiers import Amplifier, as_amplifier
from ..cells.inverting_integrator import InvertingIntegrator
from ..circuit import Circuit
from ..equations import solve
from ..functions import Gain, Logistic, PiecewiseLinear, Tanh
from ..graph import as_graph
from ..networks.network import Network
from ..parts import MacroModel, OpAmp, as_op_amp
from ..parts.figures import check_supplies
from ..parts.series import as_series
from ..processes import TIMEOUT
from ..values.arrays import Array, positive
from ..values.errors import InputError, Unrealisable
from ..values.report import Report
from ..values.si_text import format_si
from ..values.signals import Signal, as_signal
from .budget.imperfections import NOMINAL, check_names, circuit_with
from .checklist import check_board, rounding_error
from .checks import Check, check_supply
from .choice import Stock
from .equation import BoardEquation
from .fitting import Choices, fit_circuit
from .judgement import BoardVerification, board_equation, verify_board
from .parts_list import PartsLine, list_parts
from .realised import read_network
from .rounding import Realisation
from .scaling import Bounds, Limits, Scaling, find_bounds, reached_states, usual_reference
from .ways import Way

if TYPE_CHECKING:
    from ..builder_files import BuilderFiles
    from .budget.contributions import ErrorBudget

CURVES: Mapping[type[Gain], str] = {
    Tanh: "differential_pair",
    Logistic: "differential_pair",
    PiecewiseLinear: "piecewise_linear",
}
TIME_CONSTANTS = 20.0
PRECISE = 2e-3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Board(Report):
    """A network as a board.

    `network`: what was asked for, and `scaled`, the same on the board's scales; `realised`: what its parts come to.
    `circuit`: all of its parts. `op_amp`, `amplifier`: what it is made with. `inputs`: on the board's scale, volts.
    `t_stop`: of a run, on the board's time. `checks`: what it holds, and what it does not where it was forced.
    `rounding`: of synapses not of a series. `product`: the op-amp's name, such as TL072, which says its package.
    """

    network: Network
    scaled: Network
    realised: Network = field(repr=False)
    scaling: Scaling
    circuit: Circuit
    op_amp: OpAmp = field(repr=False)
    amplifier: Amplifier = field(repr=False)
    inputs: Signal | None
    t_stop: float
    bounds: Bounds = field(repr=False)
    limits: Limits = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)
    rounding: Realisation | None = field(default=None, repr=False)
    title: str = "board"
    product: str = field(default="", repr=False)

    @property
    def passed(self) -> bool:
        """Whether it has checks, and holds all of them."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def model(self) -> MacroModel:
        """The macro-model of its op-amps."""
        model = self.op_amp.model
        assert isinstance(model, MacroModel)
        return model

    @property
    def reached(self) -> Array:
        """The largest |x| that each state of its parts can reach, volts on the board, (n,); see `find_bounds`."""
        return reached_states(self.realised, self.bounds, self.scaling)

    @property
    def parts(self) -> tuple[PartsLine, ...]:
        """Its parts that are bought, by kind and value."""
        return list_parts(self.circuit.devices)

    def rows(self) -> list[tuple[str, str]]:
        """Return what a table of it shows: its size and verdict, its scales, and each check."""
        model, scaling = self.model, self.scaling
        failed = sum(not check.passed for check in self.checks)
        said = "all checks passed" if self.passed else f"{failed} of {len(self.checks)} checks failed"
        scales = (
            f"states x {scaling.state:g}, outputs x {scaling.output:g}, conductances x {scaling.conductance:.4g}, "
            f"time x {scaling.time:g}"
        )
        return [
            ("board", f"{self.scaled.weights.shape[0]} neurons, {said}"),
            ("op-amps", f"{model.name} on {model.supply_plus:g} V, {model.supply_minus:g} V"),
            ("amplifiers", self.amplifier.name),
            ("scales", scales + ("" if self.inputs is None else f", inputs x {scaling.inputs:g}")),
            ("run", format_si(self.t_stop, "s")),
            ("parts", f"{sum(line.quantity for line in self.parts)}, of {len(self.parts)} values"),
            *(("check", f"{'' if check.passed else 'FAILED: '}{check}") for check in self.checks),
        ]

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of it."""
        model = self.model
        return {
            "title": self.title,
            "neurons": self.scaled.weights.shape[0],
            "passed": self.passed,
            "op_amp": model.name,
            "supplies": [model.supply_plus, model.supply_minus],
            "amplifier": self.amplifier.name,
            "scaling": asdict(self.scaling),
            "t_stop": self.t_stop,
            "checks": [check.figures() for check in self.checks],
            "parts": list(self.parts),
        }

    def equation(self) -> BoardEquation:
        """Return its equation, with the true curves and poles of its amplifiers; see `board_equation`."""
        return board_equation(self)

    def verify(self, **how: Any) -> BoardVerification:
        """Run it in ngspice and judge it against its equation; see `verify_board`."""
        return verify_board(self, **how)

    def error_budget(self, **how: Any) -> ErrorBudget:
        """Return what each imperfection contributes to its deviation from the ideal equation; see `error_budget`."""
        from .budget.error_budget import error_budget

        return error_budget(self, **how)

    def write(self, folder: str | PathLike[str], **how: Any) -> BuilderFiles:
        """Write all that a builder takes away into a folder, and return what was written; see `write_files`."""
        from ..builder_files import write_files

        return write_files(self, folder, **how)

    def with_imperfections(self, *names: str, ideal: bool = False) -> Board:
        """Return the board with these imperfections alone, of `imperfections.NOMINAL`, and `ideal` with none.

        Without "rounding" its parts have the values asked for, without "curve" its amplifiers are exact. Raises
        InputError for an unknown name, and for names beside `ideal`.
        """
        if bool(names) == ideal:
            raise InputError("Board.with_imperfections: give names of imperfections, or `ideal=True` for none")
        chosen = check_names(names, NOMINAL, "with_imperfections")
        return replace(
            self.with_circuit(circuit_with(self, chosen)),
            amplifier=self.amplifier if "curve" in chosen else as_amplifier("exact"),
        )

    def with_circuit(self, circuit: Circuit) -> Board:
        """Return the board with other values of its parts, read back; its checks stay those of the design."""
        return replace(self, circuit=circuit, realised=read_network(circuit, self.scaled))


def design_board(
    network: Network,
    *,
    op_amp: Any = "TL074",
    supplies: tuple[float, float] = (12.0, -12.0),
    series: Any = "E24",
    precise: Any = "E96",
    capacitors: Any = "E6",
    amplifier: Any = None,
    reference: Any = None,
    inputs: Any = None,
    t_stop: Any = None,
    state_scale: float | None = None,
    output_scale: float | None = None,
    input_scale: float | None = None,
    conductance_scale: float | None = None,
    time_scale: float | None = None,
    two_resistors: float | None = None,
    synapses: Way | None = None,
    most_rounding: float | None = None,
    compensated: bool = True,
    limits: Limits | None = None,
    force: bool = False,
    timeout: float = TIMEOUT,
    seed: int | None = None,
    title: str = "board",
) -> Board:
    """Return the board of a network: inverting integrators, amplifiers and inverters in real op-amps and parts.

    `op_amp`: a part with a data sheet, a MacroModel, or an OpAmp of one; `supplies`: its rails, volts. `series`,
    `capacitors`: of values (`hopfield_hw.parts.series`), or a stock; `precise`: of the resistors that shape gain
    curves, of which there are two where one misses by more than 0.2%. `amplifier`: of AMPLIFIERS; by default the one
    for the network's gain. `reference`: of the biases, volts; by default `usual_reference`. `inputs`: a Signal, a
    number, or (m,) constants, volts, as the network has them, and `t_stop`, seconds: of the run in which the board is
    checked; 20 max(R C) by default.

    The scales of states, outputs, inputs, conductances and time (see `Scaling`) are chosen so that outputs keep their
    headroom, resistors their range and outputs their current, and amplifiers are fast and steep enough; a scale that is
    given stays as it is. `two_resistors`: an error of the nearest value, a part, beyond which two are taken.
    `synapses`: how weights are made where not of resistors of the series, `seed` what it draws, `most_rounding` the
    error of all weights that is accepted. `compensated`: capacitors across feedbacks where stability needs them.
    `limits`: see `Limits`. `force`: return a board that fails checks. `timeout`: of the checks in ngspice, seconds.

    Raises InputError for wrong arguments, Unrealisable with the binding constraint and the number that would do, and a
    SimulatorError where ngspice does not deliver.
    """
    if not isinstance(network, Network):
        raise InputError(
            f"design_board: {type(network).__name__}: must be a Network, a continuous network without delays or clocks"
        )
    part = _on_supplies(as_op_amp(op_amp), supplies)
    model = part.model
    assert isinstance(model, MacroModel)
    if not isinstance(limits, Limits | None):
        raise InputError(f"design_board: `limits` = {limits!r:.60}: must be Limits, such as Limits(rounding=0.1)")
    if most_rounding is not None and synapses is None:
        raise InputError(
            "design_board: `most_rounding` is of the way that `synapses` names; give one, or "
            "`limits=Limits(rounding=...)`"
        )
    beyond = np.inf if two_resistors is None else float(positive(two_resistors, "two_resistors", shape=(), unit=""))
    allowed = limits or Limits()
    volts = usual_reference(model) if reference is None else float(positive(reference, "reference", shape=(), unit="V"))
    made_with = _choose_amplifier(network, amplifier)
    resistors, of_capacitors = as_series(series), as_series(capacitors)
    signal = None
    if network.input_weights is not None:
        signal = as_signal(0.0 if inputs is None else inputs, "inputs", network.input_weights.shape[1])
    if network.input_weights is None and inputs is not None:
        raise InputError("design_board: `inputs`: the network has none; leave them out")
    supply = check_supply(model)
    if not supply.passed and not force:
        raise Unrealisable(f"design_board: {supply}")
    end = _stop(network, t_stop)
    bounds = find_bounds(
        network, 0.0 if signal is None else float(np.max(np.abs(signal.values))), _reached(network, signal, end)
    )
    given: dict[str, float | None] = {
        name: None if value is None else float(positive(value, f"{name}_scale", shape=(), unit=""))
        for name, value in (
            ("state", state_scale),
            ("output", output_scale),
            ("inputs", input_scale),
            ("conductance", conductance_scale),
            ("time", time_scale),
        )
    }
    product = op_amp if isinstance(op_amp, str) else model.name
    choices = Choices(
        cell=InvertingIntegrator(
            op_amp=part, amplifier=made_with, reference=volts, resistance=allowed.usual_resistance
        ),
        synaptic=Stock(resistors, allowed.least_resistance, allowed.most_resistance, beyond),
        others=Stock(as_series(precise), allowed.least_resistance, allowed.most_resistance, PRECISE),
        capacitors=of_capacitors,
        limits=allowed,
        synapses=synapses,
        seed=seed,
        most_rounding=most_rounding,
        compensated=compensated,
        product=product,
        title=title,
    )
    scaling, scaled, rounding, circuit, realised = fit_circuit(network, bounds, given, choices)
    board_inputs = None if signal is None else signal.scale(seconds=scaling.time, volts=scaling.inputs)
    checks = check_board(
        circuit,
        model,
        scaled=scaled,
        error=rounding_error(scaled, realised, rounding),
        reached=(reached_states(realised, bounds, scaling), bounds.output * scaling.output),
        run=(end * scaling.time, board_inputs),
        limits=allowed,
        reference=volts if rounding is None else None,
        timeout=timeout,
    )
    board = Board(
        network=network,
        scaled=scaled,
        realised=realised,
        scaling=scaling,
        circuit=circuit,
        op_amp=part,
        amplifier=made_with,
        inputs=board_inputs,
        t_stop=end * scaling.time,
        bounds=bounds,
        limits=allowed,
        checks=checks,
        rounding=rounding,
        title=title,
        product=product,
    )
    failed = [str(check) for check in checks if not check.passed]
    if failed and not force:
        raise Unrealisable(f"design_board: {'; '.join(failed)}")
    return board


def _choose_amplifier(network: Network, amplifier: Any) -> Amplifier:
    if amplifier is not None:
        return as_amplifier(amplifier)
    name = CURVES.get(type(network.gain))
    if name is None:
        raise Unrealisable(
            f"design_board: no amplifier of parts makes a {type(network.gain).__name__}; those that are made: "
            f"{', '.join(kind.__name__ for kind in CURVES)}; or give an `amplifier`"
        )
    return as_amplifier(name)


def _on_supplies(op_amp: OpAmp, supplies: Any) -> OpAmp:
    model = op_amp.model
    if not isinstance(model, MacroModel):
        raise InputError(
            f"design_board: op-amp {model!r:.60}: must be a part with a data sheet, such as 'TL074', or a MacroModel"
        )
    return replace(op_amp, model=model.on(*check_supplies(supplies)))


def _stop(network: Network, t_stop: Any) -> float:
    if t_stop is not None:
        return float(positive(t_stop, "t_stop", shape=(), unit="s"))
    constants = network.resistance * network.capacitance
    finite = constants[np.isfinite(constants)]
    if not finite.size:
        raise InputError("design_board: `t_stop`: no neuron has a leak; say for how long a run is, in seconds")
    return TIME_CONSTANTS * float(finite.max())


def _reached(network: Network, signal: Signal | None, end: float) -> Array | None:
    """Return half as much again as what states without a leak reach in the run; None where all have a leak."""
    if np.isfinite(network.resistance).all():
        return None
    run = solve(as_graph(network), t_stop=end, inputs=signal, accuracy=1e-3)
    return np.asarray(1.5 * np.max(np.abs(run["state"].to_numpy()), axis=0))
