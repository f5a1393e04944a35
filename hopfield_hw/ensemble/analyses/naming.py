"""Nodes by the names that ngspice has for them: those within parts are of a subcircuit, `x_amp.gain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...values.arrays import Array
from ...values.errors import InputError
from ...values.names import unknown
from ..equations.system import System


def name_nodes(system: System) -> list[str]:
    """Return the names of all nodes, in their order."""
    return [_name(node) for node in system.nodes]


def find_node(system: System, node: str, what: str) -> int:
    """Return the index of a node, which may be called in any case. Raises InputError for one that is not there."""
    names = name_nodes(system)[:-1]
    name = _name(str(node))
    if name not in names:
        raise InputError(f"{what}: {unknown('node', node, names):.400}")
    return names.index(name)


def begin_at(system: System, guess: Mapping[str, Any] | None, what: str) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return voltages of the unknowns, (unknowns, samples), and which of them are known.

    Those of `guess` are, and else they are what the unknowns start at.

    `guess`: by node, volts, one number or (samples,). `what`: the argument, for the message.

    Raises InputError for a node that is not there, and for what are no finite numbers.
    """
    u, known = system.start.copy(), np.zeros(system.unknowns, dtype=np.bool_)
    row = {name: k for k, name in enumerate(name_nodes(system))}
    if guess is not None and not isinstance(guess, Mapping):
        raise InputError(f"{what} = {guess!r:.60}: must be a dict of volts by node")
    for node, volts in (guess or {}).items():
        name = _name(str(node))
        if name not in row:
            raise InputError(f"{what}: {unknown('node', node, row):.400}")
        try:
            values = np.broadcast_to(np.asarray(volts, dtype=np.float64), (system.samples,))
        except (TypeError, ValueError):
            raise InputError(f"{what}: node {name} = {volts!r:.60}: must be volts, one or of each sample") from None
        if not np.all(np.isfinite(values)):
            raise InputError(f"{what}: node {name} = {volts!r:.60}: must be finite")
        if row[name] < system.unknowns:
            u[row[name]], known[row[name]] = values, True
    return u, known


def _name(node: str) -> str:
    within, low = "." in node, node.lower()
    return low if not within or low.startswith("x") else f"x_{low}"
