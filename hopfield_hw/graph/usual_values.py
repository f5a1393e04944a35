"""What electronics is built of: a value far outside of it is warned of, with what was probably meant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..values.errors import UnusualValueWarning, warn
from ..values.si_text import WORDS, format_si
from ..values.signals import Signal
from .graph import Graph, Units
from .operators import Activate, Affine, Delay, Hold, Leak


class Range(NamedTuple):
    """A quantity: its unit, the sizes beyond which nobody builds, what is usual, and which unit may have been given.

    `low` may be 0, where any small value has a use (a state that starts near 0).
    """

    unit: str
    low: float
    high: float
    usual: tuple[float, float]
    inverse: str = ""


# No op-amp drives less than 50 ohms, nor is a resistor of 1 TOhm a neuron's; capacitors of more than 1 mF are for
# supplies, and below 0.1 fF there are wires alone. Op-amps end at some 50 V. A line of 1 ps is shorter than a package,
# and nothing analog delays by more than a second.
RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "resistance": Range("Ohm", 50.0, 1e12, (1e3, 1e7), "S"),
        "capacitance": Range("F", 1e-16, 1e-3, (1e-12, 1e-5)),
        "weights": Range("S", 1e-13, 0.02, (1e-8, 5e-3), "Ohm"),
        "bias": Range("A", 1e-16, 0.1, (1e-8, 5e-3)),
        "initial": Range("V", 0.0, 50.0, (1e-3, 15.0)),
        "amplitude": Range("V", 1e-6, 50.0, (1e-2, 15.0)),
        "inputs": Range("V", 0.0, 50.0, (1e-3, 15.0)),
        "tau": Range("s", 1e-12, 1.0, (1e-9, 1e-2)),
        "period": Range("s", 1e-11, 100.0, (1e-7, 1e-1), "Hz"),
    }
)
POWERS = (9, 6, 3, -3, -6, -9, -12)
# A run of more time constants, or of less of one, has a t_stop in another unit.
MOST_TIME_CONSTANTS, LEAST_TIME_CONSTANTS = 2e4, 1e-6
# What inputs move for at least this part of a run says how long it is to be.
INPUTS_LAST = 1e-3


class Found(NamedTuple):
    """A value of a quantity, and where it stands."""

    quantity: str
    where: str
    value: float


def warn_of_values(graph: Graph, units: Units) -> None:
    """Warn once for each quantity of a graph in SI units that has a value nobody can build with.

    `units`: those that the graph was given in.
    """
    own = "" if units != Units() else "; a network in its own units is Network.dimensionless, or a Graph with Units"
    said: set[str] = set()
    for quantity, where, value in _values(graph):
        message = _unusual(quantity, where, value)
        if message and quantity not in said:
            said.add(quantity)
            warn(f"{message}{own}", UnusualValueWarning)


def warn_of_inputs(signal: Signal) -> None:
    """Warn of inputs that no circuit is driven with."""
    largest = float(np.max(np.abs(signal.values)))
    message = _unusual("inputs", "inputs", largest)
    if message:
        warn(message, UnusualValueWarning)


def warn_of_stop(t_stop: float, time_constant: float, inputs: Any) -> None:
    """Warn of a t_stop that is out of proportion to the time constant, seconds, of what runs."""
    length = t_stop / time_constant
    if not math.isfinite(time_constant) or LEAST_TIME_CONSTANTS <= length <= MOST_TIME_CONSTANTS:
        return
    if isinstance(inputs, Signal) and inputs.times[-1] >= INPUTS_LAST * t_stop:
        return
    fits = [t_stop * 10.0**power for power in POWERS if 1.0 <= t_stop * 10.0**power / time_constant < 1e3]
    meant = f"; was {format_si(fits[0], 's')} meant" if fits else ""
    warn(
        f"`t_stop` = {format_si(t_stop, 's')}: is {length:.3g} time constants of {format_si(time_constant, 's')}; "
        f"usual are 10 to 1000{meant}; t_stop is in seconds",
        UnusualValueWarning,
    )


def _values(graph: Graph) -> Iterator[Found]:
    """Yield of each quantity of each operator the smallest and the largest size."""
    for operator in graph.operators:
        match operator:
            case Leak():
                for quantity in ("resistance", "capacitance"):
                    values = getattr(operator, quantity)
                    yield from _ends(quantity, operator.name, np.argwhere(np.isfinite(values)), values)
                yield from _largest("initial", operator.name, operator.initial)
            case Affine() if any(isinstance(target, Leak) for target in graph.targets(operator)):
                values, rows, columns = operator.weights.entries()
                yield from _largest("weights", operator.name, values, np.stack([rows, columns], axis=1))
                yield from _largest("bias", operator.name, operator.constant)
            case Activate() if "amplitude" in operator.function.params():
                amplitude = np.asarray(getattr(operator.function, "amplitude"))  # noqa: B009  # not every Function's
                yield from _ends("amplitude", operator.name, np.argwhere(np.isfinite(amplitude)), amplitude)
            case Delay():
                tau = operator.tau.values.reshape(-1) if isinstance(operator.tau, Signal) else np.array(operator.tau)
                yield from _ends("tau", operator.name, np.argwhere(np.isfinite(tau)), tau)
            case Hold():
                yield Found("period", f"{operator.name}.clock.period", operator.clock.period)
                yield from _largest("initial", operator.name, operator.initial)


def _ends(quantity: str, name: str, places: Any, values: Any) -> Iterator[Found]:
    if len(places):
        each = values[np.isfinite(values)]
        for k in (int(np.argmin(np.abs(each))), int(np.argmax(np.abs(each)))):
            yield Found(quantity, f"{name}.{quantity}{_index(places[k])}", float(each[k]))


def _largest(quantity: str, name: str, values: Any, places: Any = None) -> Iterator[Found]:
    """Yield the largest size alone, where it is not 0: small weights stand beside large ones."""
    if values.size and np.any(values):
        k = int(np.argmax(np.abs(values)))
        place = np.unravel_index(k, values.shape) if places is None else places[k]
        yield Found(quantity, f"{name}.{quantity}{_index(place)}", float(values.reshape(-1)[k]))


def _index(place: Iterable[Any]) -> str:
    text = ", ".join(str(int(k)) for k in place)
    return f"[{text}]" if text else ""


def _unusual(quantity: str, where: str, value: float) -> str:
    """Return what is said of a value; nothing where it can be built."""
    unit, low, high, usual, inverse = RANGES[quantity]
    size = abs(value)
    if low <= size <= high:
        return ""
    ends = " to ".join(format_si(end, unit) for end in usual)
    said = f"`{where}` = {format_si(value, unit)}: is far outside what electronics is built of (usual: {ends})"
    if inverse and usual[0] <= 1.0 / size <= usual[1]:
        return f"{said}; {WORDS[inverse]}? {WORDS[unit]} are meant: 1/{size:g} = {1.0 / size:g}"
    fits = [format_si(size * 10.0**power, unit) for power in POWERS if usual[0] <= size * 10.0**power <= usual[1]]
    return f"{said}; was {' or '.join(fits)} meant? {WORDS[unit]} are taken" if fits else said
