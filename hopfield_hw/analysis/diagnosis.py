"""Which device is at fault: the equation of each neuron, filled in with the waveforms that the circuit gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from ..arrays import Array
from ..circuit import Circuit, Device
from ..engines.options import Settings
from ..engines.transient import Deck, run_once
from ..errors import InputError
from ..graph import Activate, Affine, Graph, Input, Leak, in_si
from ..graph.weights import entries
from ..signals import as_signal
from ..units import format_si
from ..waves import uniform_grid

STARTS = 3  # random initial states, so that the sources do not move alike
WINDOW = 4.0  # time constants
STEPS = 800
POINTS = 401
SEED = 1982
# A neuron is suspect where its equation is off by this part of the worst one, and above what the solver leaves.
SUSPECT_PART = 0.2
NOISE = 1e-5
# Terms are added until they explain this part of the residual, three of them at most.
EXPLAINED = 0.9999
MAX_TERMS = 3
# Named beside the best one: terms that leave at most this times what it leaves.
NEARLY = 2.0
MAX_SUSPECTS = 8


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A term of a neuron's equation that would explain what the circuit did.

    `weight`: the term, such as `syn.weights[3, 7]`; `devices`: what realises it; `explained`: the part of the
    neuron's residual that the best change of it (and of those named with it) takes away; `change`: that change.
    """

    neuron: str
    weight: str
    devices: tuple[str, ...]
    explained: float
    change: str


class _Term(NamedTuple):
    """A candidate: its effect on the integral of the neuron's current, per unit of change, over all runs."""

    operator: str
    role: str
    element: tuple[int, ...]
    effect: Array
    value: float
    unit: str


class _Run(NamedTuple):
    """Waveforms of one run, (time, n), and the integral over time of each."""

    times: Array
    state: Array
    output: Array
    inputs: Array


def diagnose(graph: Graph, circuit: Circuit, deck: Deck, *, inputs: Any = None, timeout: float) -> tuple[Suspect, ...]:
    """Return what is nearest to the fault in a deck that should realise a Hopfield graph.

    The deck runs from a few random initial states. Each neuron's equation, integrated, C_i (x_i - x_i(0)) =
    int (-x_i/R_i + sum_j T_ij v_j + ...) dt, is filled in with the waveforms that ngspice gave: only where a device is
    wrong does it not balance. The terms whose change would restore the balance are named, the best first. Amplifiers
    are judged by v_i = g_i(x_i) directly. Of a deck that has names of its own, whose outputs are not probed, the terms
    alone are named, and its amplifiers are taken to be right.

    Raises InputError for a graph that is not one Leak with its Affines and one Activate.
    """
    network = in_si(graph)
    parts = _parts(network)
    runs = _probe(circuit, deck, parts, inputs, timeout)
    found = [*_amplifiers(network, circuit, parts[1], runs), *_equations(network, circuit, parts[0], runs)]
    return tuple(suspect if deck.outputs else replace(suspect, devices=()) for suspect in found[:MAX_SUSPECTS])


def _parts(network: Graph) -> tuple[Leak, Activate]:
    leaks, activates = network.of_type(Leak), network.of_type(Activate)
    affines = network.of_type(Affine)
    known = all(network.drivers(affine)[0] in (*activates, *network.of_type(Input)) for affine in affines)
    if len(leaks) != 1 or len(activates) != 1 or not known or network.drivers(leaks[0]) != affines:
        raise InputError("diagnose: the graph is not one population of neurons; only the worst neuron can be named")
    return leaks[0], activates[0]


def _probe(circuit: Circuit, deck: Deck, parts: tuple[Leak, Activate], inputs: Any, timeout: float) -> tuple[_Run, ...]:
    leak, activate = parts
    rng = np.random.default_rng(SEED)
    t_stop = WINDOW * circuit.time_constant
    grid = uniform_grid(t_stop, POINTS)
    settings = Settings(t_stop / STEPS, 1e-7)
    reach = max(float(np.max(np.abs(leak.initial))), 0.1)
    starts = [leak.initial, *(rng.uniform(-2.0 * reach, 2.0 * reach, (STARTS, leak.output_size)))]
    runs = []
    for x0 in starts:
        initial = {probe.node: float(x) / probe.scale for probe, x in zip(deck.states, x0, strict=True)}
        waves = run_once(replace(deck, initial=initial), settings, grid, timeout, None)
        output = waves.outputs if deck.outputs else activate.function.value(waves.states)
        runs.append(_Run(grid, waves.states, output, _sampled(inputs, len(circuit.inputs), grid)))
    return tuple(runs)


def _sampled(inputs: Any, size: int, grid: Array) -> Array:
    if size == 0 or inputs is None:
        return np.zeros((grid.size, size))
    signal = as_signal(inputs, "inputs", size)
    return np.stack([signal.at(t) for t in grid.tolist()])


def _amplifiers(network: Graph, circuit: Circuit, activate: Activate, runs: Sequence[_Run]) -> list[Suspect]:
    state = np.concatenate([run.state for run in runs])
    output = np.concatenate([run.output for run in runs])
    wrong = np.sqrt(np.mean((output - activate.function.value(state)) ** 2, axis=0))
    scale = max(float(np.max(np.abs(output))), 1e-12)
    found = []
    for i in np.argsort(-wrong).tolist():
        # A spline between steps misses a steep curve by far less than a wrong amplifier does.
        if wrong[i] > 1e-2 * scale:
            devices = _names(circuit.devices_from(activate.name, (i,), "function"))
            text = f"v differs from g(x) by {format_si(float(wrong[i]), 'V')} RMS"
            found.append(_suspect(network, i, f"{activate.name}.function[{i}]", devices, 1.0, text))
    return found


def _equations(network: Graph, circuit: Circuit, leak: Leak, runs: Sequence[_Run]) -> list[Suspect]:
    residual = np.concatenate([_balance(network, leak, run) for run in runs])
    charge = leak.capacitance * max(float(np.max([np.ptp(run.state) for run in runs])), 1e-12)
    size = np.sqrt(np.mean(residual**2, axis=0)) / charge
    suspects = [i for i in np.argsort(-size).tolist() if size[i] > max(SUSPECT_PART * float(size.max()), NOISE)]
    found: list[Suspect] = []
    for i in suspects[:MAX_SUSPECTS]:
        found += _explain(network, circuit, leak, runs, i, residual[:, i])
    return _interleaved(found)


def _balance(network: Graph, leak: Leak, run: _Run) -> Array:
    current = -run.state / leak.resistance
    for affine in network.of_type(Affine):
        source = run.inputs if isinstance(network.drivers(affine)[0], Input) else run.output
        current = current + source @ np.asarray(_dense(affine)).T + affine.offset
    balance: Array = leak.capacitance * (run.state - run.state[0]) - _integral(run.times, current)
    return balance


def _dense(affine: Affine) -> Array:
    values, rows, columns = entries(affine.weights)
    matrix = np.zeros((affine.output_size, affine.input_size))
    matrix[rows, columns] = values
    return matrix


def _explain(
    network: Graph, circuit: Circuit, leak: Leak, runs: Sequence[_Run], i: int, residual: Array
) -> list[Suspect]:
    terms = _terms(network, leak, runs, i)
    total = float(residual @ residual)
    chosen: list[_Term] = []
    found: list[Suspect] = []
    while len(chosen) < MAX_TERMS:
        left = [_left([*chosen, term], residual)[0] for term in terms]
        order = np.argsort(left).tolist()
        best = left[order[0]]
        near = [k for k in order if left[k] <= NEARLY * best or left[k] <= (1.0 - EXPLAINED) * total]
        for k in near[: MAX_SUSPECTS // 2]:
            change = float(_left([*chosen, terms[k]], residual)[1][-1])
            found.append(_described(network, circuit, i, terms[k], change, 1.0 - left[k] / total))
        chosen.append(terms[order[0]])
        if best <= (1.0 - EXPLAINED) * total:
            break
    return found


def _terms(network: Graph, leak: Leak, runs: Sequence[_Run], i: int) -> list[_Term]:
    def over(effect: Iterable[Array]) -> Array:
        return np.concatenate(list(effect))

    conductance = float(1.0 / leak.resistance[i])
    terms = [
        _Term(
            leak.name,
            "capacitance",
            (i,),
            over(run.state[0, i] - run.state[:, i] for run in runs),
            float(leak.capacitance[i]),
            "F",
        ),
        _Term(
            leak.name,
            "resistance",
            (i,),
            over(_integral(run.times, -run.state[:, i]) for run in runs),
            conductance,
            "S",
        ),
    ]
    for affine in network.of_type(Affine):
        weights = _dense(affine)[i]
        from_input = isinstance(network.drivers(affine)[0], Input)
        for j in range(affine.input_size):
            sources = [(run.inputs if from_input else run.output)[:, j] for run in runs]
            plain = over(_integral(run.times, source) for run, source in zip(runs, sources, strict=True))
            terms.append(_Term(affine.name, "weights", (i, j), plain, float(weights[j]), "S"))
            if weights[j] != 0.0:
                # A resistor loads a passive node too: removing or changing it acts through rail - x.
                sign = float(np.sign(weights[j]))
                loaded = over(
                    _integral(run.times, source - sign * run.state[:, i])
                    for run, source in zip(runs, sources, strict=True)
                )
                terms.append(_Term(affine.name, "weights", (i, j), loaded, float(weights[j]), "S"))
        ramp = over(run.times for run in runs)
        terms.append(_Term(affine.name, "bias", (i,), ramp, float(affine.offset[i]), "A"))
    return [term for term in terms if float(term.effect @ term.effect) > 0.0]


def _left(terms: Sequence[_Term], residual: Array) -> tuple[float, Array]:
    matrix = np.stack([term.effect / np.linalg.norm(term.effect) for term in terms], axis=1)
    scaled = np.linalg.lstsq(matrix, residual, rcond=None)[0]
    rest = residual - matrix @ scaled
    return float(rest @ rest), scaled / np.array([np.linalg.norm(term.effect) for term in terms])


def _described(network: Graph, circuit: Circuit, i: int, term: _Term, change: float, explained: float) -> Suspect:
    devices = _names(circuit.devices_from(term.operator, term.element, term.role))
    weight = f"{term.operator}.{term.role}[{', '.join(str(k) for k in term.element)}]"
    text = f"{format_si(term.value, term.unit)} acts as {format_si(term.value + change, term.unit)}"
    return _suspect(network, i, weight, devices, explained, text)


def _suspect(network: Graph, i: int, weight: str, devices: tuple[str, ...], explained: float, change: str) -> Suspect:
    neuron = network.labels_of(Leak)[i]
    return Suspect(neuron=neuron, weight=weight, devices=devices, explained=explained, change=change)


def _names(devices: Iterable[Device]) -> tuple[str, ...]:
    return tuple(device.name for device in devices)


def _interleaved(suspects: Sequence[Suspect]) -> list[Suspect]:
    """Return the suspects, each weight once, so that the best ones of each neuron come before further ones."""
    by_neuron: dict[str, list[Suspect]] = {}
    for suspect in suspects:
        same = by_neuron.setdefault(suspect.neuron, [])
        if all(suspect.weight != other.weight for other in same):
            same.append(suspect)
    ranks = max((len(same) for same in by_neuron.values()), default=0)
    return [same[rank] for rank in range(ranks) for same in by_neuron.values() if rank < len(same)]


def _integral(times: Array, values: Array) -> Array:
    result: Array = CubicSpline(times, values, axis=0).antiderivative()(times)
    return result
