"""The noise of a board at rest: by the linear stochastic equation of its circuit, by `.noise`, and in a transient.

All three have the same white noise, of resistors, junctions and op-amps; see
`hopfield_hw.ensemble.stochastic`. Noise that falls as 1/f,
below the corner of an op-amp's sheet, is in none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from ..circuit import Circuit
from ..ensemble.analyses.stochastic import LinearCircuit, Source, linearise
from ..ensemble.devices.elements import diode_current
from ..functions.expressions import evaluate
from ..parts import Diode, MacroModel, OpAmp, VoltageSource
from ..spice.analyses import Result, find_balance, find_noise, run_transient
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import ConvergenceError, InputError
from ..values.report import Report
from ..values.si_text import format_si
from .additions import start_rails
from .design import Board

NoiseEngine = Literal["equation", "ngspice"]
BEGUN = 0.02  # time constants
NEAR = 0.05  # of the amplitude: a rest farther from what was asked for is another one
BELOW, ABOVE, POINTS = 1e-3, 300.0, 40  # of the slowest rate, of the op-amps' bandwidth; in a decade
SETTLED = 8.0  # time constants before a transient is read
FINER = 40.0  # samples of noise in a period of the highest frequency that is read
ACCURACY = 1e-4
SHOWN = 4
SUPPLY = "V_supply_plus"
JUNCTION, STEP = ".junction", 1e-6  # of a diode: the node behind its resistance; of its slope, volts


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BoardNoise(Report):
    """White noise of a board at rest.

    `rest`: X there, (n,), volts. `rms`: of the noise of each state over all frequencies, (n,), volts. `engine`: what
    found it. `linear`: the linear equation, with densities and shares of parts. `nodes`: of the states.
    """

    rest: Array
    rms: Array
    engine: NoiseEngine
    linear: LinearCircuit = field(repr=False)
    nodes: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)

    def density(self, neuron: int, frequencies: Any) -> Array:
        """Return the density of a state's noise at frequencies, hertz, (F,), V/sqrt(Hz), by the equation."""
        f = np.atleast_1d(freeze(frequencies, "frequencies", unit="Hz"))
        return self.linear.density(self.nodes[self._check(neuron)], f)

    def shares(self, neuron: int) -> dict[str, float]:
        """Return by device what part of the power of a state's noise it makes, the largest first; their sum is 1."""
        return self.linear.shares(self.nodes[self._check(neuron)])

    def _check(self, neuron: int) -> int:
        return whole(neuron, "neuron", 0, len(self.nodes) - 1)

    def rows(self) -> list[tuple[str, str]]:
        worst = int(np.argmax(self.rms))
        most = list(self.shares(worst).items())[:SHOWN]
        return [
            ("noise of states", f"{format_si(float(self.rms[worst]), 'V')} rms at most, of {self.labels[worst]}"),
            ("by", "ngspice, .noise" if self.engine == "ngspice" else "the linear stochastic equation"),
            ("made by", ", ".join(f"{name} {part:.0%}" for name, part in most)),
            ("slowest time constant", format_si(-1.0 / float(self.linear.rates[0]), "s")),
            ("without", "noise that falls as 1/f"),
            *(
                (label, f"{rest:.5g} V, {format_si(float(rms), 'V')} rms")
                for label, rest, rms in zip(self.labels, self.rest, self.rms, strict=True)
            ),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "rest": self.rest.tolist(),
            "rms": self.rms.tolist(),
            "slowest_rate": float(self.linear.rates[0]),
        }


def board_noise(board: Board, *, at: Any = None, engine: NoiseEngine = "equation") -> BoardNoise:
    """Return the noise of a board's states at a stable equilibrium.

    With "equation" the rms is that of Lyapunov's equation, A S + S A^T + B B^T / 2 = 0 for dx = A x dt + B dW of the
    circuit linearised there (see `hopfield_hw.ensemble.stochastic`); with "ngspice" it is the integral of `.noise` of
    the same circuit, whose macro-models have resistors that only compute and yet make noise there: some percent at the
    output of an op-amp beyond its bandwidth. `at`: states near it, (n,), on the board's scale, volts; by default where
    the board settles by its own equation. Inputs stay at what they are at the end of the board's run.

    Raises InputError for wrong arguments, for an equilibrium that is not stable or not near `at`, and as `linearise`.
    """
    if engine not in get_args(NoiseEngine):
        raise InputError(f"board_noise: `engine` = {engine!r:.40}: must be {' or '.join(get_args(NoiseEngine))}")
    rest = _find_rest(board, at, "board_noise")
    probes = rest.circuit.states
    nodes = tuple(probe.node for probe in probes)
    scales = np.array([abs(probe.scale) for probe in probes])
    if engine == "equation":
        rms = np.sqrt(np.diag(rest.linear.voltage_covariance(nodes)))
    else:
        noisy = replace(rest.circuit, devices=tuple(_white(d.part, d) for d in rest.circuit.devices))
        band = (BELOW * -rest.linear.rates[0] / (2.0 * math.pi), ABOVE * board.model.gain_bandwidth)
        rms = np.array([_integrate(noisy, node, band, rest.volts) for node in nodes])
    return BoardNoise(
        rest=rest.states,
        rms=scales * rms,
        engine=engine,
        linear=rest.linear,
        nodes=nodes,
        labels=tuple(probe.label for probe in probes),
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NoiseRun(Report):
    """The noise of a board's states in a transient, up to a frequency, beside that of the linear equation.

    `rms`, `predicted`: in the band from `lowest` to `highest`, hertz, (n,), volts. `error`: the relative standard
    deviation that `rms` has by chance, 1 / sqrt(4 (highest - lowest) duration).
    """

    rms: Array
    predicted: Array
    lowest: float
    highest: float
    error: float
    seed: int

    def rows(self) -> list[tuple[str, str]]:
        band = f"{format_si(self.lowest, 'Hz')} to {format_si(self.highest, 'Hz')}"
        return [
            ("noise in a transient", f"of {band}, to {self.error:.1%} by chance, seed {self.seed}"),
            *(
                (f"{k}", f"{format_si(float(a), 'V')} rms, {format_si(float(b), 'V')} by the linear equation")
                for k, (a, b) in enumerate(zip(self.rms, self.predicted, strict=True))
            ),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "rms": self.rms.tolist(),
            "predicted": self.predicted.tolist(),
            "band": [self.lowest, self.highest],
            "error": self.error,
            "seed": self.seed,
        }


def simulate_noise(
    board: Board, *, seed: int, at: Any = None, highest: Any = None, periods: int = 100, amplified: float = 1.0
) -> NoiseRun:
    """Return the noise of a board's states in a transient of ngspice: the whole circuit, with all that bends.

    Every source of noise of the linear equation is a current source there, of normal values on straight lines between
    times that are 1 / (40 highest) apart, drawn from `seed`. `highest`: the frequency up to which the waveforms are
    read, hertz; by default that of the fastest R C. `periods`: of it, how long they are read. `amplified`: by how much
    all noise is larger than it is, for what only large noise does. `at`: as `board_noise`, as is what is raised.
    """
    key = whole(seed, "seed", 0, 2**63 - 1)
    count = whole(periods, "periods", 10, 100_000)
    factor = float(positive(amplified, "amplified", shape=(), unit=""))
    rest = _find_rest(board, at, "simulate_noise")
    fastest = 1.0 / (2.0 * math.pi * _fastest(board))
    top = fastest if highest is None else float(positive(highest, "highest", shape=(), unit="Hz"))
    step = 1.0 / (FINER * top)
    before = math.ceil(SETTLED / -float(rest.linear.rates[0]) / step)
    read = math.ceil(count / top / step)
    cards = _noise_sources(list(_outside(rest)), step, before + read, np.random.default_rng(key), factor)
    probes = rest.circuit.states
    run = run_transient(
        rest.circuit,
        (before + read) * step,
        step=step,
        initial=rest.volts,
        probes=tuple(f"v({probe.node})" for probe in probes),
        accuracy=ACCURACY,
        sources=tuple(cards),
    )
    times = step * np.arange(before, before + read)
    frequencies = np.arange(1, count + 1) / (read * step)
    rms, predicted = [], []
    for probe in probes:
        wave = np.interp(times, run.axis, np.real(run.voltage(probe.node)))
        lines = np.fft.rfft(wave - wave.mean())[1 : count + 1] / read
        rms.append(abs(probe.scale) * math.sqrt(2.0 * float(np.sum(np.abs(lines) ** 2))))
        density = rest.linear.density(probe.node, frequencies)
        predicted.append(abs(probe.scale) * factor * math.sqrt(float(np.sum(density**2)) / (read * step)))
    return NoiseRun(
        rms=np.array(rms),
        predicted=np.array(predicted),
        lowest=float(frequencies[0]),
        highest=float(frequencies[-1]),
        error=0.5 / math.sqrt(count),
        seed=key,
    )


class _Rest(NamedTuple):
    """A board at rest: its circuit with constant inputs, all node voltages, its states, and the linear equation."""

    circuit: Circuit
    volts: Mapping[str, float]
    states: Array
    linear: LinearCircuit


def _find_rest(board: Board, at: Any, where: str) -> _Rest:
    if not isinstance(board, Board):
        raise InputError(f"{where}: {type(board).__name__}: must be a Board, as design_board returns")
    n = board.network.size
    if at is None:
        start = board.equation().solve(np.array([0.0, board.t_stop]), board.inputs)[0][-1]
    else:
        start = freeze(at, "at", shape=(n,), unit="V")
    circuit = board.circuit
    if board.inputs is not None:
        circuit = circuit.driven(board.inputs.at(board.t_stop))
    guess = dict(start_rails(circuit, replace(board.realised, initial=start)).initial)
    guess |= {p.node: float(x) / p.scale for p, x in zip(circuit.states, start, strict=True)}
    # The voltages within op-amps are not known: they are there as soon as the states begin to move.
    begin = partial(run_transient, circuit, BEGUN * _fastest(board), accuracy=ACCURACY)
    try:
        begun = begin(initial=guess)
    except ConvergenceError:
        # Transistors are nearer to where they work at any balance than at 0 V.
        begun = begin(initial=_last(find_balance(circuit, guess=guess)) | {k.lower(): v for k, v in guess.items()})
    volts = _last(find_balance(circuit, guess=_last(begun)))
    states = np.array([p.scale * volts[p.node.lower()] for p in circuit.states])
    reach = float(np.max(board.reached))
    off = float(np.max(np.abs(states - start)))
    if off > NEAR * reach:
        raise InputError(
            f"{where}: `at`: the nearest equilibrium that ngspice finds is {off:.3g} V away, at "
            f"{np.array2string(states, precision=4)} V; give states near one"
        )
    linear = linearise(circuit, volts)
    if not linear.rates[0] < 0.0:
        raise InputError(
            f"{where}: `at` = {np.array2string(states, precision=4)} V is no stable equilibrium: a deviation grows at "
            f"{linear.rates[0]:.3g} 1/s, and noise with it; give one where the board stays"
        )
    return _Rest(circuit, volts, states, linear)


def _fastest(board: Board) -> float:
    """Return the least R C, seconds; of a board without leaks, the time of its run."""
    constants = board.realised.resistance * board.realised.capacitance
    return float(np.min(constants[np.isfinite(constants)], initial=board.t_stop))


def _last(result: Result) -> dict[str, float]:
    """Return the last voltages of all nodes."""
    return {name[2:-1]: float(np.real(v[-1])) for name, v in result.values.items() if name.startswith("v(")}


def _white(part: Any, device: Any) -> Any:
    """Return a device that makes white noise in ngspice; a supply is the source that noise may be referred to."""
    if isinstance(part, OpAmp) and isinstance(part.model, MacroModel):
        return device._replace(part=replace(part, model=replace(part.model, noise=True, noise_corner=0.0)))
    if isinstance(part, VoltageSource) and device.name == SUPPLY:
        return device._replace(part=replace(part, alternating=1.0))
    return device


def _integrate(circuit: Circuit, node: str, band: tuple[float, float], guess: Mapping[str, float]) -> float:
    found = find_noise(circuit, node, SUPPLY, band, points=POINTS, guess=guess)
    return math.sqrt(float(np.trapezoid(np.real(found.voltage(node)) ** 2, found.axis)))


def _outside(rest: _Rest) -> Iterator[Source]:
    """Yield sources between nodes that a netlist has: those at the junction of a diode as one across all of it.

    A current i into a junction of slope g behind a resistance R is i / (1 + R g) at its ends, and one through the
    resistance i R g / (1 + R g).
    """
    whole: dict[str, float] = {}
    for source in rest.linear.sources:
        part = rest.circuit.device(source.device).part
        if not isinstance(part, Diode) or not part.resistance:
            yield source
            continue
        (inner,) = (node for node in source.ends if node.endswith(JUNCTION))
        anode, cathode = rest.circuit.device(source.device).nodes
        v = rest.linear.balance[inner] - rest.linear.balance.get(cathode.lower(), 0.0)
        current = diode_current(part)
        slope = float(evaluate(current, [v + STEP, 0.0]) - evaluate(current, [v - STEP, 0.0])) / (2.0 * STEP)
        ratio = part.resistance * slope
        seen = source.density * (ratio if source.ends[1] == inner else 1.0) / (1.0 + ratio)
        if source.ends[1] == inner:
            whole[source.device] = seen
        else:
            yield Source(source.device, (anode, cathode), math.hypot(seen, whole[source.device]))


def _noise_sources(
    sources: Sequence[Source], step: float, count: int, rng: np.random.Generator, factor: float
) -> Iterator[str]:
    """Yield current sources of white noise: of samples at a distance T the one-sided density is 2 T times the square.

    They begin at 0, as the board does.
    """
    for k, source in enumerate(sources):
        values = rng.normal(scale=factor * source.density / math.sqrt(2.0 * step), size=count)
        points = " ".join(f"{(j + 1) * step:.9g} {value:.6g}" for j, value in enumerate(values.tolist()))
        yield f"I_noise_{k} {source.ends[0]} {source.ends[1]} PWL(0 0 {points})"
