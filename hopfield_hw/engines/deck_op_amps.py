"""Which sources of a deck may be ideal op-amps: those of high gain in the difference of two voltages.

An E source with a gain, `POLY(1)` or an expression, or a B source of a voltage; the gain may be a number with a scale
of SPICE, or an expression of parameters, which ngspice is then asked for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .deck_statements import Statement
from .deck_text import number

# What stands for v+ - v- in an expression.
DIFFERENCE = "@"
_VALUE = r"(\{[^}]*\}|'[^']*'|[^\s{}'()=,]+)"
_NODE = r"([^\s(),=]+)"
_LINEAR = re.compile(rf"(\S+)\s+{_NODE}\s+{_NODE}\s+{_NODE}\s+{_NODE}\s+(?:gain\s*=\s*)?{_VALUE}\Z", re.IGNORECASE)
_POLY = re.compile(
    rf"(\S+)\s+{_NODE}\s+{_NODE}\s+poly\s*\(\s*1\s*\)\s*\(?\s*{_NODE}[\s,]+{_NODE}\s*\)?\s+(\S+)\s+{_VALUE}\Z",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(rf"(\S+)\s+{_NODE}\s+{_NODE}\s+(?:value|vol|v)\s*=?\s*(.*)\Z", re.IGNORECASE)
_PAIR = re.compile(
    rf"v\s*\(\s*{_NODE}\s*,\s*{_NODE}\s*\)|\(\s*v\s*\(\s*{_NODE}\s*\)\s*-\s*v\s*\(\s*{_NODE}\s*\)\s*\)", re.IGNORECASE
)
_BARE_PAIR = re.compile(rf"v\s*\(\s*{_NODE}\s*\)\s*-\s*v\s*\(\s*{_NODE}\s*\)", re.IGNORECASE)
_ONE = re.compile(rf"v\s*\(\s*{_NODE}\s*\)", re.IGNORECASE)
# What stands before and after the difference in a multiple of it.
_FACTOR = r"(?:[\w.]+(?:(?<=[\d.]e)[-+]\d+)?|\{[^}]*\})"
_BEFORE = re.compile(rf"\s*[-+]?\s*\(*\s*(?:{_FACTOR}\s*\*\s*)?\(*", re.IGNORECASE)
_AFTER = re.compile(rf"\)*(?:\s*[*/]\s*{_FACTOR})?\s*\)*\s*", re.IGNORECASE)


class Source(NamedTuple):
    """A voltage source, held between two nodes, of the difference of two others.

    `value`: its voltage, an expression in which DIFFERENCE stands for v(plus) - v(minus). `gain`: its slope where
    that is a plain number.
    """

    name: str
    output: tuple[str, str]
    plus: str
    minus: str
    value: str
    gain: float | None


def read_source(statement: Statement) -> Source | None:
    """Return what a statement is as a source of a difference; None for everything else."""
    letter, text = statement.word[:1], statement.text
    if letter not in ("e", "b"):
        return None
    if letter == "e" and (match := _LINEAR.match(text)) is not None:
        name, high, low, plus, minus, gain = match.groups()
        return _linear(name, (high, low), plus, minus, gain)
    if letter == "e" and (match := _POLY.match(text)) is not None:
        name, high, low, plus, minus, offset, gain = match.groups()
        return _linear(name, (high, low), plus, minus, gain) if number(offset) == 0.0 else None
    match = _EXPRESSION.match(text)
    return None if match is None else _expressed(match[1], (match[2], match[3]), _unquoted(match[4]))


def _linear(name: str, output: tuple[str, str], plus: str, minus: str, gain: str) -> Source:
    value = number(gain)
    return Source(name, output, plus, minus, f"({_in_braces(gain, value)})*{DIFFERENCE}", value)


def _in_braces(gain: str, value: float | None) -> str:
    return repr(value) if value is not None else "{" + _unquoted(gain) + "}"


def _expressed(name: str, output: tuple[str, str], expression: str) -> Source | None:
    """Return a source of an expression that is a multiple of a difference; one that bends has limits of its own."""
    for pattern in (_PAIR, _BARE_PAIR, _ONE):
        found = pattern.search(expression)
        if found is None:
            continue
        before, after = expression[: found.start()], expression[found.end() :]
        fits = _BEFORE.fullmatch(before) is not None and _AFTER.fullmatch(after) is not None
        if not fits or (pattern is _BARE_PAIR and (before + after).strip("() ")):
            return None
        plus, minus = [*(node for node in found.groups() if node is not None), "0"][:2]
        return Source(name, output, plus, minus, f"{before}{DIFFERENCE}{after}", None)
    return None


def _unquoted(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and (text[0], text[-1]) in {("{", "}"), ("'", "'"), ('"', '"')}
    return text[1:-1].strip() if quoted else text
