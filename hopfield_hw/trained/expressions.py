"""Logical expressions: true, false, not, and, or, xor, as trees, as text, and by chance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from ..values.brief import Brief
from ..values.errors import InputError

# How many parts each word has.
PARTS: Mapping[str, int] = MappingProxyType({"false": 0, "true": 0, "not": 1, "and": 2, "or": 2, "xor": 2})
WORDS = tuple(PARTS)
OPERATORS = tuple(word for word, parts in PARTS.items() if parts)


@dataclass(frozen=True)
class Expression(Brief):
    """A word and its parts, such as Expression("not", (Expression("true"),)).

    Raises InputError for a word that is none of `PARTS`, and for another number of parts than it has.
    """

    word: str
    parts: tuple[Expression, ...] = ()

    def __post_init__(self) -> None:
        if self.word not in PARTS:
            raise InputError(f"`Expression.word` = {self.word!r:.40}: must be one of {', '.join(WORDS)}")
        if len(self.parts) != PARTS[self.word]:
            raise InputError(f"`Expression` {self.word!r} has {len(self.parts)} parts: must have {PARTS[self.word]}")

    def __str__(self) -> str:
        match self.parts:
            case ():
                return self.word
            case (part,):
                return f"({self.word} {part})"
        return f"({self.parts[0]} {self.word} {self.parts[1]})"

    @cached_property
    def depth(self) -> int:
        """0 for true and false, else one more than the deepest part."""
        return 1 + max((part.depth for part in self.parts), default=-1)

    @cached_property
    def truth(self) -> bool:
        """What it evaluates to."""
        match self.word, [part.truth for part in self.parts]:
            case "not", [a]:
                return not a
            case "and", [a, b]:
                return a and b
            case "or", [a, b]:
                return a or b
            case "xor", [a, b]:
                return a != b
        return self.word == "true"

    def nodes(self) -> list[Expression]:
        """Return this and all below it, parts before what they are parts of."""
        return [node for part in self.parts for node in part.nodes()] + [self]


def parse_expression(text: str) -> Expression:
    """Return the expression of a text such as "((not true) or (false xor true))", with a pair of parentheses for each
    operator.

    Raises InputError for any other text.
    """
    tokens = re.findall(r"[()]|[^\s()]+", text)
    parsed, rest = _parse(tokens, text)
    if rest:
        raise InputError(f"`text` = {text!r:.60}: ends at {rest[0]!r:.20}; put parentheses around each operator")
    return parsed


def _parse(tokens: list[str], text: str) -> tuple[Expression, list[str]]:
    match tokens:
        case [("true" | "false") as value, *rest]:
            return Expression(value), rest
        case ["(", "not", *rest]:
            part, rest = _parse(rest, text)
            found = Expression("not", (part,))
        case ["(", *rest]:
            left, rest = _parse(rest, text)
            word = rest[0] if rest else "nothing"
            right, rest = _parse(rest[1:], text)
            found = Expression(word, (left, right))
        case _:
            raise InputError(f"`text` = {text!r:.60}: at {(tokens or ['its end'])[0]!r:.20} must be true, false or (")
    if rest[:1] != [")"]:
        raise InputError(f"`text` = {text!r:.60}: a ) is missing; put parentheses around each operator")
    return found, rest[1:]


def random_expression(depth: int, rng: np.random.Generator) -> Expression:
    """Return an expression of exactly this depth: operators alike often, a second part of any smaller depth."""
    if depth == 0:
        return Expression(str(rng.choice(["false", "true"])))
    word = str(rng.choice(OPERATORS))
    parts = [random_expression(depth - 1, rng)]
    if PARTS[word] == 2:
        parts.insert(int(rng.integers(2)), random_expression(int(rng.integers(depth)), rng))
    return Expression(word, tuple(parts))
