"""The table of problems. A new one is one file and one line here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..values.errors import InputError
from ..values.names import unknown
from ..values.tables import LazyTable

if TYPE_CHECKING:
    from ..networks import Network

PROBLEMS: LazyTable[Callable[..., Network]] = LazyTable(
    __package__,
    {
        "ad_converter": (".ad_converter:ad_converter", "A/D converter of an input in volts (Tank and Hopfield 1986)"),
        "cellular_image": (".cellular_image:cellular_image", "cellular network that processes a PNG file"),
        "decomposition": (
            ".decomposition:decomposition",
            "signal as a sum of parts, each there or not (Tank and Hopfield 1986)",
        ),
        "memory": (".memory:memory", "associative memory of the patterns in a file, started at a corrupted one"),
    },
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
