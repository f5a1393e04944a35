"""Marks of drawings: what a sheet says of itself so that one finds out later whether a person has rearranged it.

A mark stands in the title block as its comment 9, which KiCad keeps and no frame of its own shows. It has a digest of
all places on the sheet, and one of the place of each symbol.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from .sexpr import Quoted, Tree, every, first, number, word

MARKED = 9  # the comment
START = "places as drawn:"
BYTES, SYMBOL_BYTES = 9, 3  # of the digest of a sheet, and of a symbol; 4 letters for 3 bytes
LETTERS = 4
UNIT = 1e-4  # millimetres
LAID = (
    "symbol",
    "sheet",
    "wire",
    "bus",
    "bus_entry",
    "junction",
    "no_connect",
    "label",
    "hierarchical_label",
    "global_label",
    "text",
    "text_box",
    "rectangle",
    "polyline",
    "circle",
    "arc",
    "bezier",
    "image",
    "table",
)
PLACES = ("at", "xy", "start", "end", "mid", "center", "size")


def make_mark(tree: Tree) -> str:
    """Return the mark of a sheet as it is drawn now."""
    symbols = sorted(symbol_mark(item) for item in every(tree, "symbol"))
    return f"{START} {_digest(tuple(_places(tree)), BYTES)} {''.join(symbols)}".rstrip()


def read_mark(tree: Tree) -> tuple[str, frozenset[str]] | None:
    """Return of a sheet's mark the digest of the sheet, and those of its symbols; None where it has no mark."""
    block = first(tree, "title_block") or []
    for item in every(block, "comment"):
        if len(item) > 2 and str(item[1]) == str(MARKED) and word(item, 2).startswith(START):
            parts = word(item, 2)[len(START) :].split()
            symbols = parts[1] if len(parts) > 1 else ""
            return parts[0] if parts else "", frozenset(
                symbols[k : k + LETTERS] for k in range(0, len(symbols), LETTERS)
            )
    return None


def add_to_mark(tree: Tree, symbols: list[Tree]) -> None:
    """Say in a sheet's mark that symbols lie where they were drawn."""
    for item in every(first(tree, "title_block") or [], "comment"):
        if len(item) > 2 and str(item[1]) == str(MARKED) and word(item, 2).startswith(START):
            item[2] = Quoted(word(item, 2) + "".join(sorted(symbol_mark(symbol) for symbol in symbols)))


def is_as_drawn(tree: Tree) -> bool:
    """Whether all things on a sheet lie where its mark says that they were drawn."""
    mark = read_mark(tree)
    return mark is not None and mark[0] == _digest(tuple(_places(tree)), BYTES)


def symbol_mark(item: Tree) -> str:
    """Return the digest of a symbol's place."""
    mirror = first(item, "mirror")
    place = (str(x) for x in (word(first(item, "uuid") or []), *_numbers(first(item, "at") or [])))
    return _digest((*place, "" if mirror is None else word(mirror)), SYMBOL_BYTES)


def _places(tree: Tree) -> Iterator[str]:
    """Yield what of a sheet a person may have changed, in an order that does not follow that of the file."""
    block = first(tree, "title_block") or []
    for item in (*every(tree, "paper"), *(part for part in block if isinstance(part, list))):
        if not (item[0] == "comment" and str(item[1]) == str(MARKED)):
            yield " ".join(str(part) for part in item)
    yield from sorted(" ".join(_item(item)) for kind in LAID for item in every(tree, kind))


def _item(item: Tree) -> Iterator[str]:
    yield str(item[0])
    if item[0] in ("text", "text_box", "label", "hierarchical_label", "global_label"):
        yield repr(str(item[1]))
    for part in item:
        if not isinstance(part, list) or not part:
            continue
        if part[0] in PLACES:
            yield f"{part[0]} {' '.join(map(str, _numbers(part)))}"
        elif part[0] in ("mirror", "uuid", "lib_id"):
            yield word(part)
        elif part[0] == "pts":
            yield from sorted(" ".join(map(str, _numbers(point))) for point in every(part, "xy"))
        elif part[0] == "property":
            yield repr(word(part)) + " ".join(map(str, _numbers(first(part, "at") or [])))
        elif part[0] == "pin" and (at := first(part, "at")) is not None:
            yield word(part) + " ".join(map(str, _numbers(at)))


def _numbers(tree: Tree) -> list[int]:
    return [round(number(tree, k) / UNIT) for k in range(1, len(tree))]


def _digest(parts: tuple[str, ...], size: int) -> str:
    found = hashlib.blake2b("\n".join(parts).encode(), digest_size=size).digest()
    return base64.urlsafe_b64encode(found).decode()
