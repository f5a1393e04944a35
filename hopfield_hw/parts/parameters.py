"""The parameters of parts: one value of a part by its name, changed, or gathered from many parts of one kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from ..values.arrays import Array
from .op_amp import OpAmp
from .part import Part


class Parameter(NamedTuple):
    """One value of a part, or of its op-amp model where `in_model`."""

    name: str
    in_model: bool = False


def find_parameter(part: Part, name: str) -> Parameter | None:
    """Return a parameter by its name: of an op-amp first that of its model; None where there is no such number."""
    for in_model, owner in ((True, part.model if isinstance(part, OpAmp) else None), (False, part)):
        if is_dataclass(owner) and name in {one.name for one in fields(owner)} and type(getattr(owner, name)) is float:
            return Parameter(name, in_model)
    return None


def value_of(part: Part, parameter: Parameter) -> float:
    """Return the value of a parameter."""
    owner: Any = part.model if parameter.in_model and isinstance(part, OpAmp) else part
    return float(getattr(owner, parameter.name))


def with_values(part: Part, values: Mapping[Parameter, float]) -> Part:
    """Return the part with other values of parameters."""
    own = {parameter.name: value for parameter, value in values.items() if not parameter.in_model}
    inner = {parameter.name: value for parameter, value in values.items() if parameter.in_model}
    whole: Any = part
    if inner:
        own["model"] = replace(whole.model, **inner)
    changed: Part = replace(whole, **own)
    return changed


def gather_values(parts: Sequence[Part]) -> dict[Parameter, Array] | None:
    """Return the parameters in which parts differ from the first, (parts,) each; None where they differ otherwise."""
    found: dict[Parameter, Array] = {}
    if not _gather(parts, False, found):
        return None
    return found


def _gather(owners: Sequence[Any], in_model: bool, found: dict[Parameter, Array]) -> bool:
    first = owners[0]
    others = [owner for owner in owners if owner is not first]
    if not others:
        return True
    if not is_dataclass(first) or any(type(owner) is not type(first) for owner in others):
        return False
    for one in fields(first):
        if not one.init:
            continue
        values = [getattr(owner, one.name) for owner in owners]
        if all(value is values[0] or value == values[0] for value in values):
            continue
        if all(type(value) is float and isfinite(value) for value in values):
            found[Parameter(one.name, in_model)] = np.array(values)
        elif not (isinstance(first, OpAmp) and one.name == "model" and _gather(values, True, found)):
            return False
    return True
