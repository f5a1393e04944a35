"""KiCad's own net list, read: nets as sets of pins, and what it has of each component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .sexpr import Tree, every, first, need, word

UNCONNECTED = "unconnected-"


class ListedComponent(NamedTuple):
    """A component as KiCad lists it. `place`: the uuids of its sheets and first symbol, as a board has them."""

    value: str
    footprint: str
    fields: Mapping[str, str]
    place: str
    sheet: str


class NetList(NamedTuple):
    """`nets`: by name its pins as (reference, number); `free`: by name the pin of what is connected to nothing."""

    nets: Mapping[str, frozenset[tuple[str, str]]]
    free: Mapping[str, tuple[str, str]]
    components: Mapping[str, ListedComponent]


def read_net_list(tree: Tree) -> NetList:
    """Return a net list that `export_net_list` gave. Raises InputError for a tree that is none."""
    nets: dict[str, frozenset[tuple[str, str]]] = {}
    free: dict[str, tuple[str, str]] = {}
    for net in every(need(tree, "nets"), "net"):
        name = word(need(net, "name"))
        pins = frozenset((word(need(node, "ref")), word(need(node, "pin"))) for node in every(net, "node"))
        if name.startswith(UNCONNECTED) and len(pins) == 1:
            (free[name],) = pins
        else:
            nets[name] = pins
    return NetList(nets, free, {word(need(c, "ref")): _component(c) for c in every(need(tree, "components"), "comp")})


def _component(tree: Tree) -> ListedComponent:
    sheet, footprint = need(tree, "sheetpath"), first(tree, "footprint")
    fields = {
        word(need(field, "name")): word(field, 2) if len(field) > 2 else ""
        for field in every(first(tree, "fields") or [], "field")
    }
    place = word(need(sheet, "tstamps")) + word(need(tree, "tstamps"))
    return ListedComponent(
        word(need(tree, "value")),
        "" if footprint is None else word(footprint),
        fields,
        place,
        word(need(sheet, "names")),
    )
