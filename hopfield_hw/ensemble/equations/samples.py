"""The elements of an ensemble's devices, with their numbers in every sample.

A device is taken apart once, with symbols in place of the values that differ, so that the numbers of its elements are
formulas of these; where how it is made depends on a value, it is taken apart in each sample.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...circuit import Device, Ensemble
from ...circuit.ensemble import ONE_TOPOLOGY
from ...functions.expressions import Expression, as_expression, evaluate
from ...parts import Part
from ...parts.parameters import Parameter, with_values
from ...values.arrays import Array
from ...values.errors import InputError
from ..devices.elements import Coupling, Delay, Element, Formula, Linear, Source, Start, Symbol, split_device
from .programs import split_numbers

Split: TypeAlias = Callable[[Device, Mapping[str, "float | Array"]], Iterable[Element]]


class Sampled(NamedTuple):
    """An element, its numbers in all samples, (numbers, samples), and of a formula what is left without them."""

    element: Element
    numbers: Array
    skeleton: Expression | None = None


def split_samples(ensemble: Ensemble, device: Device, split: Split = split_device) -> list[Sampled]:
    """Return the elements of a device, which `split` gives.

    Raises InputError where it is made of other elements in some sample, and Unrealisable as `split_device` does.
    """
    name = device.name
    if name in ensemble.parts:
        return _one_by_one(ensemble, device, ensemble.parts[name], split)
    changes = ensemble.values.get(name)
    if not changes:
        return _evaluated(list(split(device, ensemble.starts)), [], ensemble.size)
    try:
        symbolic = device._replace(part=_with_symbols(device.part, changes))
        elements = list(split(symbolic, ensemble.starts))
    except TypeError:  # it decides by a value
        columns = {parameter: row.tolist() for parameter, row in changes.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return _one_by_one(ensemble, device, tuple(with_values(device.part, row) for row in rows), split)
    return _evaluated(elements, list(changes.values()), ensemble.size)


def _with_symbols(part: Part, changes: Mapping[Parameter, Array]) -> Part:
    """Return a part with Symbols in place of those of its parameters that differ; it is for `split_device` alone."""
    changed: Any = copy.copy(part)
    for k, parameter in enumerate(changes):
        if parameter.in_model:
            if changed.model is getattr(part, "model", None):
                object.__setattr__(changed, "model", copy.copy(changed.model))
            object.__setattr__(changed.model, parameter.name, Symbol(k))
        else:
            object.__setattr__(changed, parameter.name, Symbol(k))
    found: Part = changed
    return found


def _evaluated(elements: list[Element], values: list[Array], samples: int) -> list[Sampled]:
    found = []
    for element in elements:
        skeleton, constants = _constants(element)
        numbers = np.empty((len(constants), samples))
        for k, constant in enumerate(constants):
            numbers[k] = evaluate(constant, values)
        found.append(Sampled(element, _finite(numbers, element), skeleton))
    return found


def _finite(numbers: Array, element: Element) -> Array:
    if not np.isfinite(numbers).all():
        raise InputError(f"ensemble: {_name(element)}: its values give numbers that are not finite")
    return numbers


def _name(element: Element) -> str:
    return f"node {element.node}" if isinstance(element, Start) else f"device {element.device}"


def _constants(element: Element) -> tuple[Expression | None, tuple[Expression, ...]]:
    if isinstance(element, Linear):
        return None, split_numbers(as_expression(element.value), 0)[1]
    if isinstance(element, Delay):
        both = (split_numbers(as_expression(one), 0)[1] for one in (element.delay, element.initial))
        return None, tuple(number for numbers in both for number in numbers)
    if isinstance(element, Formula):
        return split_numbers(element.formula, len(element.sensed))
    return None, ()


def _one_by_one(ensemble: Ensemble, device: Device, parts: tuple[Part, ...], split: Split) -> list[Sampled]:
    first: list[Sampled] = []
    for sample, part in enumerate(parts):
        own = _evaluated(list(split(device._replace(part=part), ensemble.starts)), [], 1)
        if not first:
            first = [one._replace(numbers=np.repeat(one.numbers, ensemble.size, axis=1)) for one in own]
        _check_alike(own, first, device.name)
        for one, its in zip(first, own, strict=True):
            one.numbers[:, sample] = its.numbers[:, 0]
    return first


def _check_alike(own: list[Sampled], first: list[Sampled], name: str) -> None:
    waves, known_waves = ([s.element for s in its if isinstance(s.element, Source)] for its in (own, first))
    if waves != known_waves:
        raise InputError(f"ensemble: device {name} has another waveform than in the first circuit: sources are shared")
    if list(map(_shape, own)) != list(map(_shape, first)):
        raise InputError(f"ensemble: device {name} is made of other elements than in the first circuit: {ONE_TOPOLOGY}")


def _shape(one: Sampled) -> tuple[Any, ...]:
    """Return what an element has beside its numbers."""
    element = one.element
    if isinstance(element, Linear):
        return ("linear", element.ends, element.sensed, element.is_rate)
    if isinstance(element, Formula):
        return ("formula", element.ends, element.sensed, one.skeleton, element.gives)
    if isinstance(element, Delay):
        return ("delay", element.near, element.far)
    return ("given", element.device if isinstance(element, Coupling) else element.node)
