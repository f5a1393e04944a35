"""How a design says what its network is: a problem, a family, a file, or the values themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..annealing import AnnealingCircuit
from ..families import BUILDERS, FAMILIES, box_problem
from ..functions import Gain, function_from
from ..graph import Graph
from ..networks.network import Network
from ..problems import build_problem
from ..transforms import DELAYS
from ..values.errors import InputError
from ..values.names import unknown
from ..values.signals import Signal

# The key that decides, and the keys that may stand beside it.
FORMS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "problem": frozenset({"arguments", "files"}),
        "family": frozenset({"arguments", "seed"}),
        "file": frozenset(),
        "weights": frozenset(Network.__annotations__),
    }
)


def design_network(table: Mapping[str, Any], folder: Path) -> Network | Graph | AnnealingCircuit:
    """Return the network of the table `network` of a design.toml, with files from its folder."""
    forms = [form for form in FORMS if form in table]
    if len(forms) != 1:
        found = " and ".join(f"`{form}`" for form in forms) or "none"
        raise InputError(f"`network`: must have one of {', '.join(f'`{form}`' for form in FORMS)}, has {found}")
    (form,) = forms
    for key in table:
        if key != form and key not in FORMS[form]:
            raise InputError(f"`network.{key}`: has no meaning beside `{form}`; leave it out")
    if form == "problem":
        files = {
            name: design_file(text, f"network.files.{name}", folder) for name, text in table.get("files", {}).items()
        }
        return build_problem(table["problem"], {**table.get("arguments", {}), **files})
    if form == "family":
        return _family(table["family"], table.get("arguments", {}), table.get("seed"))
    if form == "file":
        return Network.from_json(design_file(table["file"], "network.file", folder))
    missing = [key for key in ("resistance", "capacitance") if key not in table]
    if missing:
        raise InputError(f"`network.{missing[0]}` is missing: `weights` need it; give one number, or one a neuron")
    fields = dict(table)
    if "gain" in fields:
        curve = _function(fields.pop("gain"), "network.gain")
        if not isinstance(curve, Gain):
            raise InputError(f"`network.gain` is of kind {curve.kind!r}: must be a gain curve, such as 'tanh'")
        fields["gain"] = curve
    return Network(**fields)


def add_delays(graph: Graph, table: Mapping[str, Any]) -> Graph:
    """Return a graph with the delays of the table `delay` of a design.toml: `kind`, and the arguments of that function.

    A table of `times` and `values` is a Signal. Raises InputError for an unknown kind, and as that function does.
    """
    given = {key: _signal(value) for key, value in table.items()}
    kind = given.pop("kind", "delayed")
    if kind not in DELAYS:
        raise InputError(unknown("`delay.kind`", kind, DELAYS))
    late: Graph = _call(partial(DELAYS[kind], graph), given, kind)
    return late


def _signal(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return Signal(**value) if set(value) == {"times", "values"} else {key: _signal(one) for key, one in value.items()}


def _family(name: str, arguments: Mapping[str, Any], seed: int | None) -> Network | Graph:
    """Return a network of a family: the one that the arguments say, or the random one of a seed."""
    if seed is not None:
        if arguments:
            raise InputError("`network.arguments`: has no meaning beside `seed`, which draws the network")
        if name not in FAMILIES:
            raise InputError(unknown("`network.family`, with a seed:", name, FAMILIES))
        if seed < 0:
            raise InputError(f"`network.seed` = {seed}: must be 0 or above")
        return FAMILIES[name](np.random.default_rng(seed))
    if name not in BUILDERS:
        raise InputError(unknown("`network.family`", name, BUILDERS))
    parameters = inspect.signature(BUILDERS[name]).parameters
    for given in arguments:
        if given not in parameters:
            raise InputError(unknown(f"family {name!r}: argument", given, parameters))
    missing = [key for key, of in parameters.items() if of.default is inspect.Parameter.empty and key not in arguments]
    if missing:
        raise InputError(f"family {name!r}: the argument {missing[0]!r} is missing")
    return BUILDERS[name](**{key: _argument(key, value) for key, value in arguments.items()})


def _argument(key: str, value: Any) -> Any:
    """Return an argument as Python has it: a table is a function by its kind, or a box problem."""
    if not isinstance(value, Mapping):
        return value
    if key == "problem":
        return _call(box_problem, value, f"network.arguments.{key}")
    return _function(value, f"network.arguments.{key}")


def _function(table: Mapping[str, Any], name: str) -> Any:
    params = dict(table)
    if "kind" not in params:
        raise InputError(f"`{name}.kind` is missing: a function has a kind, such as 'tanh', and its parameters")
    return function_from(params.pop("kind"), params)


def _call(function: Callable[..., Any], table: Mapping[str, Any], name: str) -> Any:
    parameters = inspect.signature(function).parameters
    for key in table:
        if key not in parameters:
            raise InputError(unknown(f"`{name}`: key", key, parameters))
    for key, of in parameters.items():
        if of.default is inspect.Parameter.empty and key not in table:
            raise InputError(f"`{name}.{key}` is missing")
    return function(**table)


def design_file(text: str, name: str, folder: Path) -> Path:
    """Return the path of a file in a design's own folder."""
    path = Path(text)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"`{name}` = {text!r:.80}: must lie in the design's folder; put a copy of it there")
    if not (folder / path).is_file():
        raise InputError(f"`{name}` = {text!r:.80}: there is no such file in the design's folder")
    return folder / path
