"""Whether a project's own libraries and settings are there, and hold what its parts need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..assembly import Assembly
from ..values.errors import InputError
from .project import PRETTY, library_files
from .sexpr import Tree, every, need, read_tree, word, write_tree
from .symbols import LIBRARY


def check_libraries(folder: Path, assembly: Assembly) -> list[str]:
    """Return what is missing or wrong of the files besides the sheets.

    Symbols and footprints may be drawn otherwise, as a person wants them; their pins and pads must be the same.
    """
    return list(_problems(folder, assembly))


def _problems(folder: Path, assembly: Assembly) -> Iterator[str]:
    for path, wanted in library_files(assembly).items():
        try:
            text = (folder / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            yield f"{path} is missing, or cannot be read"
            continue
        if path == f"{LIBRARY}.lib":
            if text != wanted:
                yield f"{path} differs from the models that the parts were chosen with"
            continue
        try:
            if path.endswith(".kicad_pro"):
                yield from check_settings(path, text)
            else:
                yield from compare_library(path, read_tree(text), read_tree(wanted))
        except InputError as error:
            yield f"{path}: {error}"


def check_settings(path: str, text: str) -> Iterator[str]:
    """Yield what is wrong of a project's settings: of what it is named."""
    try:
        content = json.loads(text)
    except ValueError as error:
        yield f"{path} is no JSON: {error}"
        return
    name = content.get("meta", {}).get("filename") if isinstance(content, dict) else None
    if name != path:
        yield f"{path}: is of {name!r}: must name itself in meta.filename"


def merge_table(text: str, wanted: str) -> str:
    """Return a table of libraries with the project's own in it; others stay. The text itself where it is in it.

    Raises InputError for a text that is no table.
    """
    found, own = read_tree(text), read_tree(wanted)
    if found[0] != own[0]:
        raise InputError(f"is a ({found[0]} ...), must be a ({own[0]} ...)")
    rows = every(own, "lib")
    names = {word(need(row, "name")): word(need(row, "uri")) for row in rows}
    present = {word(need(row, "name")): word(need(row, "uri")) for row in every(found, "lib")}
    if names.items() <= present.items():
        return text
    kept = [
        item
        for item in found
        if not (isinstance(item, list) and item[0] == "lib" and word(need(item, "name")) in names)
    ]
    return write_tree([*kept, *rows])


def compare_library(path: str, found: Tree, wanted: Tree) -> Iterator[str]:
    """Yield what a library, or a table of them, lacks of what is wanted of it."""
    if path.endswith("-table"):
        for row in every(wanted, "lib"):
            same = [other for other in every(found, "lib") if need(other, "name") == need(row, "name")]
            if not any(need(other, "uri") == need(row, "uri") for other in same):
                yield f"{path}: library {word(need(row, 'name'))} is not at {word(need(row, 'uri'))}"
    elif path.startswith(PRETTY):
        if _pads(found) != _pads(wanted):
            yield f"{path}: its pads are not those of the part"
    else:
        have = {word(symbol): _pins(symbol) for symbol in every(found, "symbol")}
        for symbol in every(wanted, "symbol"):
            name = word(symbol)
            if name not in have:
                yield f"{path}: symbol {name} is missing"
            elif have[name] != _pins(symbol):
                yield f"{path}: the pins of symbol {name} are not those of the part"


def _pads(tree: Tree) -> list[str]:
    return sorted(word(pad) for pad in every(tree, "pad"))


def _pins(tree: Tree) -> set[tuple[str, str, str, str]]:
    return {
        (word(body).rsplit("_", 2)[-2], word(need(pin, "number")), word(need(pin, "name")), word(pin))
        for body in every(tree, "symbol")
        for pin in every(body, "pin")
    }
