"""S-expressions as KiCad 9 writes them: lists of tokens, quoted texts and numbers.

    tree = read_tree('(wire (pts (xy 0 1.27) (xy 2.54 1.27)) (uuid "..."))')
    first(tree, "pts"), every(tree, "xy"), write_tree(tree)

A tree is a list: its name, then what it holds. A token is a `str`, a text in quotes a `Quoted`; a number to write is an
`int` or a `float` (millimetres with at most 4 decimals), and a number that was read a token, as it was written.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ..values.errors import InputError

Tree = list[Any]

DECIMALS = 4  # of a length: KiCad counts in 1e-4 mm
# The lists whose own lists stand on one line.
PACKED = frozenset({"pts"})
# A bracket, a text in quotes, a token, or a quote that none closes: what is between them is blank.
TOKEN = re.compile(r'(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()"]+)|(")', re.S)
OPEN, CLOSE, TEXT, WORD, UNCLOSED = range(1, 6)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Quoted(str):
    """A text that is written in quotes."""

    __slots__ = ()


def write_tree(tree: Tree, depth: int = 0) -> str:
    """Return a tree as text, each inner list on a line of its own behind tabs.

    Raises InputError for what a file cannot hold: a number that is not finite, a token with blanks or brackets in it.
    """
    tabs = "\t" * depth
    if not any(isinstance(item, list) for item in tree):
        return f"{tabs}({' '.join(_atom(item) for item in tree)})\n"
    if tree[0] in PACKED:
        inner = " ".join(write_tree(item).strip() for item in tree[1:])
        return f"{tabs}({tree[0]}\n{tabs}\t{inner}\n{tabs})\n"
    start = next(k for k, item in enumerate(tree) if isinstance(item, list))
    lines = [f"{tabs}({' '.join(_atom(item) for item in tree[:start])}\n"]
    for item in tree[start:]:
        lines.append(write_tree(item, depth + 1) if isinstance(item, list) else f"{tabs}\t{_atom(item)}\n")
    return "".join(lines) + f"{tabs})\n"


def read_tree(text: str) -> Tree:
    """Return the one tree of a text. Raises InputError, with line and column, for a text that is none."""
    stack: list[tuple[int, Tree]] = [(0, [])]
    top = stack[0][1]
    for found in TOKEN.finditer(text):
        kind = found.lastindex
        if kind == OPEN:
            if len(stack) == 1 and top:
                raise InputError(f"{_place(text, found.start())}: a second expression; a file holds one")
            top = []
            stack.append((found.start(), top))
        elif len(stack) == 1:
            what = "a bracket closes that was not opened" if kind == CLOSE else f"{found[0]!r:.40} outside all brackets"
            raise InputError(f"{_place(text, found.start())}: {what}; remove it")
        elif kind == CLOSE:
            if not top:
                raise InputError(f"{_place(text, found.start())}: brackets hold nothing; name what they hold")
            stack.pop()
            stack[-1][1].append(top)
            top = stack[-1][1]
        elif kind == UNCLOSED:
            raise InputError(f"{_place(text, found.start())}: a text in quotes has no end; close it")
        else:
            top.append(found[WORD] if kind == WORD else Quoted(_unescaped(found[TEXT])))
    if len(stack) > 1:
        raise InputError(f"{_place(text, stack[-1][0])}: a bracket opens that is never closed; the file is cut off")
    if not stack[0][1]:
        raise InputError("line 1, column 1: no expression; the file is empty")
    tree = stack[0][1][0]
    return tree  # type: ignore[no-any-return]


def first(tree: Tree, name: str) -> Tree | None:
    """Return the first list of that name directly in a tree."""
    return next(iter(every(tree, name)), None)


def need(tree: Tree, name: str) -> Tree:
    """Return the first list of that name. Raises InputError where there is none."""
    found = first(tree, name)
    if found is None:
        raise InputError(f"({tree[0]} ...) has no ({name} ...): the file is not one that KiCad writes")
    return found


def every(tree: Tree, name: str) -> list[Tree]:
    """Return the lists of that name directly in a tree."""
    return [item for item in tree if isinstance(item, list) and item and item[0] == name]


def word(tree: Tree, k: int = 1) -> str:
    """Return the k-th item of a list as a text. Raises InputError where there is none."""
    if len(tree) <= k or isinstance(tree[k], list):
        raise InputError(f"({tree[0]} ...) has no text or number at place {k}: the file is not one that KiCad writes")
    return str(tree[k])


def number(tree: Tree, k: int = 1) -> float:
    """Return the k-th item of a list as a number. Raises InputError where it is none."""
    text = word(tree, k)
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"({tree[0]} ...) has {text!r:.40} at place {k}: must be a number")
    return found


def _atom(item: object) -> str:
    match item:
        case Quoted():
            text = item.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
            return '"' + text.replace("\t", "\\t") + '"'
        case bool():
            raise InputError(f"{item!r} in an S-expression: must be the token yes or no")
        case int() | float():
            if not math.isfinite(item):
                raise InputError(f"{item!r} in an S-expression: must be finite")
            shown = f"{item:.{DECIMALS}f}".rstrip("0").rstrip(".")
            return "0" if shown == "-0" else shown
        case str():
            found = TOKEN.fullmatch(item)
            if found is None or found.lastindex != WORD:
                raise InputError(
                    f"{item!r:.40} as a token of an S-expression: must be without blanks, brackets, quotes"
                )
            return item
        case _:
            raise InputError(f"{item!r:.40} in an S-expression: must be a list, a text or a number")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text, flags=re.S)


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"
