"""What of a map has to be stepped: the operators that wait for no state, those that make the next one, and the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple


class Phases(NamedTuple):
    """The operators of a map by when they can be evaluated over a whole sequence, each part in the order given.

    `ahead`: of inputs alone, for all steps at once. `during`: what the next state needs, step by step. `after`: what
    no next state needs, for all steps at once again. `kept`: states and operators of `during` that `after` looks at.
    """

    ahead: tuple[str, ...]
    during: tuple[str, ...]
    after: tuple[str, ...]
    kept: frozenset[str]


def phases(drivers: Mapping[str, Collection[str]], states: Collection[str]) -> Phases:
    """Return the phases of a map: by operator, each after what drives it, the names that drive it."""
    moving = set(states)
    for name, sources in drivers.items():
        if not moving.isdisjoint(sources):
            moving.add(name)
    needed: set[str] = set()
    pending = list(states)
    while pending:
        new = set(drivers[pending.pop()]) - needed
        needed |= new
        pending += new
    stateless = [name for name in drivers if name not in states]
    after = tuple(name for name in stateless if name in moving and name not in needed)
    return Phases(
        ahead=tuple(name for name in stateless if name not in moving),
        during=tuple(name for name in stateless if name in moving and name in needed),
        after=after,
        kept=frozenset(source for name in after for source in drivers[name] if source in moving) - frozenset(after),
    )
