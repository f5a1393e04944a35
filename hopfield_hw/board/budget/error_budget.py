"""The error budget of a board: what each imperfection alone contributes, in ngspice and to first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.amplification import amplification
from ...circuit import Circuit
from ...equations import solve
from ...tolerance.draws import draw
from ...tolerance.tolerances import Tolerances
from ...values.arrays import Array, whole
from ...values.errors import InputError
from ...values.measures import check_accuracy, nrmse
from ...values.si_text import format_si
from ..judgement import compare_decisions, output_nrmse
from ..realised import read_crossbar
from .contributions import Contribution, ErrorBudget
from .cures import say_cure
from .first_order import Deviation, FirstOrder, Source
from .imperfections import IMPERFECTIONS, NOMINAL, OF_OP_AMPS, check_names, circuit_with, switch_on, uncompensated
from .measured import STEPS, find_start, run_circuit
from .networks_along import crossbar_of, rates_along, rates_of_crossbar
from .predicted import Place, Run
from .responses import Curves, measure_curves_of, measure_values

if TYPE_CHECKING:
    from ..design import Board

GOAL = 5e-3
MOST_SLEW = 0.5  # of the slew rate: above it the first order says nothing
PARTS = Tolerances(resistors="1%", capacitors="5%")
WARM = 50.0  # degrees Celsius
DRAWS, SEED = 2, 1984
# A limit that is not reached adds nothing, and a capacitor at a virtual ground only through the bandwidth.
SECOND_ORDER = ("swing", "input_impedance")


def error_budget(
    board: Board,
    *,
    only: str | Collection[str] | None = None,
    goal: float = GOAL,
    tolerances: Tolerances = PARTS,
    temperature: float = WARM,
    draws: int = DRAWS,
    seed: int = SEED,
    timeout: float = 600.0,
) -> ErrorBudget:
    """Return what each imperfection alone contributes to the deviation of a board from its ideal equation.

    `only`: the names of those to measure, of `IMPERFECTIONS`, or one of them; all by default. `goal`: the NRMSE that
    the board is to keep, for which the cure is said. `tolerances`: of parts, which are drawn `draws` times from a seed;
    the root mean square counts. `temperature`: degrees Celsius.

    Each op-amp's imperfection is switched on alone in the board's own circuit, all op-amps of which are ideal beside
    that, and held against that circuit with ideal op-amps; capacitors for stability, that circuit against the one
    without them; the curve, the latter against exact amplifiers; and the rounding, exact amplifiers with the board's
    parts against the network on the board's scales. The prediction is the equation of `first_order`, and is refused
    where an output is steeper than half of the slew rate, where the network amplifies differences, and for what ends in
    another state.

    Raises InputError for a name that is none, a goal that is no NRMSE, and no draws, and a SimulatorError where ngspice
    does not deliver.
    """
    chosen = tuple(IMPERFECTIONS) if only is None else (only,) if isinstance(only, str) else tuple(only)
    names = check_names(chosen, IMPERFECTIONS, "only")
    goal, count = check_accuracy(goal, "goal"), whole(draws, "draws", 1, 1000)
    if not names:
        raise InputError("`only` is empty: nothing would be measured; name one of " + ", ".join(IMPERFECTIONS))
    study = _Study(board, timeout)
    found = {name: study.contribute(name) for name in names if name in NOMINAL}
    beside = []
    if "tolerance" in names:
        beside.append(study.tolerance(tolerances, count, seed))
    if "temperature" in names:
        beside.append(study.temperature(temperature))
    ordered = tuple(sorted(found.values(), key=lambda one: -one.states)) or tuple(beside)
    complete = set(found) == set(NOMINAL)
    off = study.whole_deviation
    total = sum((one.deviation.states for one in found.values()), np.zeros_like(off.states))
    predictions = [one.prediction for one in found.values() if one.name not in SECOND_ORDER]
    predicted = None
    if complete and not study.refused and all(one is not None for one in predictions):
        predicted = study.size(sum((one.states for one in predictions if one), np.zeros_like(total)))
    return ErrorBudget(
        contributions=ordered,
        beside=tuple(beside),
        states=study.size(off.states),
        outputs=study.size_of_outputs(off.outputs),
        settled=compare_decisions(study.ideal.states, study.ideal.states + off.states),
        residual=study.size(total - off.states) if complete else math.nan,
        predicted=predicted,
        slew_ratio=study.slew_ratio,
        refused=study.refused,
        growth=study.growth,
        gate=study.gate,
        resolution=study.resolution,
        goal=goal,
        cure=say_cure(board, ordered[0], study.size(off.states), goal),
        tolerances=f"{tolerances}, {count} draws from seed {seed}; {temperature:g} degrees Celsius",
        times=study.times,
        ideal=study.ideal,
        whole=off,
        title=board.title,
    )


class _Study:
    """The runs that contributions share."""

    def __init__(self, board: Board, timeout: float) -> None:
        self.board, self.timeout = board, timeout
        self.graph = board.scaled.graph()
        found = solve(self.graph, t_stop=board.t_stop, inputs=board.inputs, accuracy=1e-5, points=STEPS + 1)
        self.times = found["time"].to_numpy()
        self.ideal = Deviation(found["state"].to_numpy(), found["output"].to_numpy())
        grown = amplification(self.graph, t_stop=board.t_stop, inputs=board.inputs)
        self.growth, self.gate = grown.growth, grown.gate
        self.amplifies = grown.cut

    def run(self, circuit: Circuit, **how: Any) -> Run:
        known = {node for device in circuit.devices for node in device.nodes}
        start = {node: volts for node, volts in self.start.items() if node in known}
        return run_circuit(circuit, self.board.t_stop, self.board.inputs, start=start, timeout=self.timeout, **how)

    @cached_property
    def start(self) -> dict[str, float]:
        """Where the outputs of op-amps start, in all runs."""
        return find_start(switch_on(self.board.circuit, ()), self.board.t_stop, self.board.inputs)

    def size(self, states: Array) -> float:
        return nrmse(self.ideal.states[1:], (self.ideal.states + states)[1:])

    def size_of_outputs(self, outputs: Array) -> float:
        return output_nrmse(self.ideal.outputs[1:], (self.ideal.outputs + outputs)[1:])

    @cached_property
    def base(self) -> Run:
        """The board's circuit with ideal op-amps."""
        return self.run(switch_on(self.board.circuit, ()), whole=self.board.circuit)

    @cached_property
    def plain(self) -> Run:
        """The board's circuit with ideal op-amps and without capacitors for stability."""
        return self.run(uncompensated(switch_on(self.board.circuit, ())))

    @cached_property
    def exact(self) -> Run:
        """The board's parts with exact amplifiers."""
        return self.run(circuit_with(self.board, ("rounding",)))

    @cached_property
    def resolution(self) -> float:
        finer = self.run(switch_on(self.board.circuit, ()), steps=2 * STEPS)
        return self.size(finer.states - self.base.states)

    @cached_property
    def whole_deviation(self) -> Deviation:
        found = self.run(self.board.circuit)
        return Deviation(found.states - self.ideal.states, found.outputs - self.ideal.outputs)

    @cached_property
    def slew_ratio(self) -> float:
        return max(self.base.slopes.values(), default=0.0)

    @cached_property
    def refused(self) -> str:
        if self.slew_ratio > MOST_SLEW:
            return f"not a prediction: the slew ratio is {self.slew_ratio:.2g}, above {MOST_SLEW:g}"
        if self.amplifies:
            return (
                f"not a prediction: the network amplifies a difference {self.growth:.0e}-fold, so that waveforms tell "
                f"up to {format_si(self.gate, 's')} alone"
            )
        return ""

    @cached_property
    def curves(self) -> Curves:
        span = 1.2 * float(np.max(np.abs(self.base.states))) + 1e-3
        return measure_curves_of(self.board.circuit, self.graph, span)

    @cached_property
    def plant(self) -> FirstOrder:
        return FirstOrder(
            times=self.times,
            slopes=self.curves.slopes(self.base.states),
            crossbar=read_crossbar(self.board.circuit),
        )

    @cached_property
    def place(self) -> Place:
        return Place(
            circuit=self.board.circuit,
            graph=self.graph,
            crossbar=self.plant.crossbar,
            curves=self.curves,
            run=self.base,
            responses=self.curves.by_offset(),
        )

    def contribute(self, name: str) -> Contribution:
        if name == "rounding":
            return self._rounding()
        if name == "curve":
            return self._curve()
        if name == "compensation":
            return self._compensation()
        through = OF_OP_AMPS[name].through
        found = self._with((name, *through))
        without = self._with(through)
        deviation = Deviation(found.states - without.states, found.outputs - without.outputs)
        if name in SECOND_ORDER:
            return self._judge(name, deviation, None, without)
        return self._judge(name, deviation, lambda: self.plant.follow([self.place.source(name)])[0], without)

    def _with(self, names: tuple[str, ...]) -> Run:
        if not names:
            return self.base
        if names not in self._runs:
            self._runs[names] = self.run(switch_on(self.board.circuit, names))
        return self._runs[names]

    @cached_property
    def _runs(self) -> dict[tuple[str, ...], Run]:
        return {}

    def _rounding(self) -> Contribution:
        board, run = self.board, self.exact
        deviation = Deviation(run.states - self.ideal.states, run.outputs - self.ideal.outputs)

        def predict() -> Deviation:
            plant = FirstOrder(
                times=self.times,
                slopes=np.asarray(board.scaled.gain.derivative(self.ideal.states)),
                crossbar=crossbar_of(board.scaled),
            )
            u = None if board.inputs is None else board.inputs.sample(self.times)
            before, after = (rates_along(net, self.ideal.states, u) for net in (board.scaled, board.realised))
            source = Source.none(self.ideal.states.shape)
            source.current[:] = (after - before) * plant.crossbar.capacitance
            return plant.follow([source])[0]

        return self._judge("rounding", deviation, predict, None)

    def _curve(self) -> Contribution:
        deviation = Deviation(self.plain.states - self.exact.states, self.plain.outputs - self.exact.outputs)

        def predict() -> Deviation:
            gain = self.board.realised.gain
            plant = FirstOrder(
                times=self.times,
                slopes=np.asarray(gain.derivative(self.exact.states)),
                crossbar=crossbar_of(self.board.realised),
            )
            source = Source.none(self.exact.states.shape)
            source.rails[:] = self.curves.at(self.curves.values, self.exact.states) - gain.value(self.exact.states)
            return plant.follow([source])[0]

        return self._judge("curve", deviation, predict if self.board.amplifier.in_parts else None, self.exact)

    def _compensation(self) -> Contribution:
        deviation = Deviation(self.base.states - self.plain.states, self.base.outputs - self.plain.outputs)
        return self._judge(
            "compensation", deviation, lambda: self.plant.follow([self.place.lag_of_compensation()])[0], self.plain
        )

    def tolerance(self, tolerances: Tolerances, draws: int, seed: int) -> Contribution:
        """Return what tolerances contribute: the root mean square over draws; its waveforms are those of the last."""
        nominal = switch_on(self.board.circuit, ())
        one = []
        for sample in range(draws):
            drawn = draw(nominal, tolerances, seed=seed, sample=sample)
            run = self.run(drawn)
            deviation = Deviation(run.states - self.base.states, run.outputs - self.base.outputs)
            one.append(self._judge("tolerance", deviation, partial(self._predict_drawn, drawn), self.base))
        known = [each for each in one if each.predicted is not None]
        return _mean(one, known)

    def _predict_drawn(self, drawn: Circuit) -> Deviation:
        crossbar = read_crossbar(drawn)
        u = None if self.board.inputs is None else self.board.inputs.sample(self.times)
        values = self.curves.at(self.curves.values, self.base.states)
        before, after = (
            rates_of_crossbar(each, self.base.states, values, u) for each in (self.plant.crossbar, crossbar)
        )
        source = self.place.change_of_curves(measure_values(drawn, self.graph, self.curves.x) - self.curves.values)
        source.current[:] += (after - before) * self.plant.crossbar.capacitance
        return self.plant.follow([source])[0]

    def temperature(self, degrees: float) -> Contribution:
        run = self.run(switch_on(self.board.circuit, ()), temperature=degrees)
        deviation = Deviation(run.states - self.base.states, run.outputs - self.base.outputs)

        def predict() -> Deviation:
            source = self.place.change_of_curves(self.curves.change(temperature=degrees))
            return self.plant.follow([source])[0]

        return self._judge("temperature", deviation, predict, self.base)

    def _judge(
        self, name: str, deviation: Deviation, predict: Callable[[], Deviation] | None, against: Run | None
    ) -> Contribution:
        before = self.ideal.states if against is None else against.states
        settled = compare_decisions(before, before + deviation.states)
        refused = self.refused
        if not refused and predict is None:
            refused = "not a prediction: it is of second order"
        if not refused and settled == "different":
            refused = "not a prediction: with it the board ends in another state"
        found = predict() if predict is not None and not refused else None
        return Contribution(
            name=name,
            what=IMPERFECTIONS[name].what,
            states=self.size(deviation.states),
            outputs=self.size_of_outputs(deviation.outputs),
            predicted=None if found is None else self.size(found.states),
            predicted_outputs=None if found is None else self.size_of_outputs(found.outputs),
            refused=refused,
            settled=settled,
            deviation=deviation,
            prediction=found,
        )


def _mean(all_of: list[Contribution], known: list[Contribution]) -> Contribution:
    """Return the root mean square of contributions; a prediction of those that have one, where all have."""

    def rms(values: list[float]) -> float:
        return math.sqrt(sum(value**2 for value in values) / len(values))

    complete = len(known) == len(all_of)
    return replace(
        all_of[-1],
        states=rms([one.states for one in all_of]),
        outputs=rms([one.outputs for one in all_of]),
        predicted=rms([one.predicted or 0.0 for one in known]) if complete else None,
        predicted_outputs=rms([one.predicted_outputs or 0.0 for one in known]) if complete else None,
        refused=next((one.refused for one in all_of if one.refused), ""),
    )
