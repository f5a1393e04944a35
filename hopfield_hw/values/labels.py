"""Tables with names (of pandas and xarray): matched by their names, never by their places."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from .errors import InputError

Names: TypeAlias = "tuple[str, ...] | None"


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Values with names along their axes; None where an axis has places alone. `units`: what xarray's attrs say."""

    values: Any
    axes: tuple[Names, ...]
    units: str | None = None

    @property
    def named(self) -> bool:
        """Whether an axis has names."""
        return any(names is not None for names in self.axes)

    def take(self, axis: int, order: Sequence[str]) -> Table:
        """Return the table with an axis in an order of its names, which are then left out."""
        names = self.axes[axis]
        axes = (*self.axes[:axis], None, *self.axes[axis + 1 :])
        if names is None:
            return self
        return replace(self, values=np.take(self.values, [names.index(name) for name in order], axis=axis), axes=axes)


def as_table(value: Any) -> Table | None:
    """Return a pandas DataFrame or Series, or an xarray DataArray, as a Table; None for anything else.

    Places count as no names: an index that pandas made by itself, and whole numbers that are the places.
    """
    if isinstance(value, Table):
        return value
    pandas, xarray = sys.modules.get("pandas"), sys.modules.get("xarray")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return Table(values=value.to_numpy(), axes=tuple(_names(axis) for axis in value.axes))
    if xarray is not None and isinstance(value, xarray.DataArray):
        axes = tuple(_names(value.indexes[dim]) if dim in value.indexes else None for dim in value.dims)
        units = value.attrs.get("units")
        return Table(values=value.to_numpy(), axes=axes, units=units if isinstance(units, str) else None)
    return None


def match_labels(
    fields: Mapping[str, Any], kinds: Mapping[str, tuple[str, ...]], given: Mapping[str, Any], what: str
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Return fields whose tables are all in one order, and the names that this order has, by kind.

    `fields`: by name; `kinds`: for each field, what its axes stand for, such as ("neurons", "inputs"). `given`: the
    order of a kind where it is said (None where not). Otherwise it is that of the first table that names the kind; a
    field without names is taken to be in it, where all tables agree on it, or the first one is the first field.

    Raises InputError for names that are there twice, or not in all tables.
    """
    tables = {name: table for name in fields if (table := as_table(fields[name])) is not None}
    tables = {name: _whole(t, kinds[name]) for name, t in tables.items() if len(t.axes) == len(kinds[name])}
    orders: dict[str, tuple[str, ...]] = {}
    for kind in dict.fromkeys(kind for axes in kinds.values() for kind in axes):
        found = [
            (f"`{what}.{name}`", table.axes[k])
            for name, table in tables.items()
            for k, axis in enumerate(kinds[name])
            if axis == kind
        ]
        named = [(where, names) for where, names in found if names is not None]
        if not named:
            continue
        first = next(iter(fields))
        if given.get(kind) is not None:
            order = tuple(str(name) for name in given[kind])
        else:
            order = named[0][1]
            if kind in kinds[first] and named[0][0] != f"`{what}.{first}`" and len({names for _, names in named}) > 1:
                raise InputError(
                    f"{named[0][0]} and others have the {kind} in several orders, and `{what}.{first}` has no names; "
                    "name its rows and columns too, or give the labels"
                )
        for where, names in named:
            _check_names(where, names, order, kind)
        orders[kind] = order
    result = dict(fields)
    for name, table in tables.items():
        for k, kind in enumerate(kinds[name]):
            table = table.take(k, orders.get(kind, ()))
        result[name] = table
    return result, orders


def _names(index: Any) -> Names:
    names = index.tolist()
    return None if names == list(range(len(names))) else tuple(str(name) for name in names)


def _check_names(where: str, names: tuple[str, ...], order: tuple[str, ...], kind: str) -> None:
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise InputError(f"{where} has the name {twice!r:.60} twice along the {kind}: must have each once")
    for name in _different(names, order):
        has = "has" if name in names else "lacks"
        raise InputError(
            f"{where} {has} the name {name!r:.60}: the {kind} are {', '.join(order[:10])!s:.200}; tables must have the "
            "same names (or none: give .to_numpy())"
        )


def _different(names: tuple[str, ...], order: tuple[str, ...]) -> Iterator[str]:
    yield from (name for name in names if name not in order)
    yield from (name for name in order if name not in names)


def _whole(table: Table, kinds: tuple[str, ...]) -> Table:
    """Return a table of neurons by neurons with places as names, where only its other side has names."""
    if len(set(kinds)) == len(kinds) or not table.named:
        return table
    sides = zip(table.axes, np.shape(table.values), strict=True)
    return replace(table, axes=tuple(tuple(str(k) for k in range(n)) if names is None else names for names, n in sides))
