"""Problems: functions that return the network that solves one. A new one is one file and one line in PROBLEMS."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..networks.network import Network
from ..values.errors import InputError
from ..values.names import unknown
from .ad_converter import ad_converter
from .answers import Answer, Expected, Oscillation, Recall, Settled, Visited
from .cellular_image import cellular_image
from .complementarity import fathi, kojima_shindo, murty, tridiagonal
from .memory import Patterns, memory, read_patterns

PROBLEMS: Mapping[str, Callable[..., Network]] = MappingProxyType(
    {"ad_converter": ad_converter, "cellular_image": cellular_image, "memory": memory}
)


def build_problem(name: str, arguments: Mapping[str, Any]) -> Network:
    """Return the network of a problem in the table.

    Raises InputError for an unknown problem, an unknown or missing argument, and for what the problem refuses.
    """
    if name not in PROBLEMS:
        raise InputError(unknown("problem", name, PROBLEMS))
    parameters = inspect.signature(PROBLEMS[name]).parameters
    for given in arguments:
        if given not in parameters:
            raise InputError(unknown(f"problem {name!r}: argument", given, parameters))
    needed = [key for key, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    missing = [key for key in needed if key not in arguments]
    if missing:
        raise InputError(f"problem {name!r}: the argument {missing[0]!r} is missing; must have {', '.join(needed)}")
    return PROBLEMS[name](**arguments)


__all__ = [
    "PROBLEMS",
    "Answer",
    "Expected",
    "Oscillation",
    "Patterns",
    "Recall",
    "Settled",
    "Visited",
    "ad_converter",
    "build_problem",
    "cellular_image",
    "fathi",
    "kojima_shindo",
    "memory",
    "murty",
    "read_patterns",
    "tridiagonal",
]
