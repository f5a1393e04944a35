"""Which sources of a deck may be ideal op-amps: those whose voltage follows a difference of two others.

An E source with a gain, `POLY(1)`, `TABLE` or an expression, a B source of a voltage, a G source into resistors, and
XSPICE's `gain` and `limit`. A gain may be a number with a scale of SPICE or an expression of parameters; how large it
is, ngspice is asked. A source in a subcircuit with capacitors or transistors is part of the model of a real op-amp,
which has its own poles and limits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .statements import Statement
from .text import number

# What stands for v+ - v- in an expression.
DIFFERENCE = "@"
# Devices of which models of real op-amps are made: capacitors, inductors, diodes, transistors.
OF_MODELS = frozenset("cldqmj")
_VALUE = r"(\{[^}]*\}|'[^']*'|[^\s{}'()=,]+)"
_NODE = r"([^\s(),=]+)"
_LINEAR = re.compile(rf"(\S+)\s+{_NODE}\s+{_NODE}\s+{_NODE}\s+{_NODE}\s+(?:gain\s*=\s*)?{_VALUE}\Z", re.IGNORECASE)
_POLY = re.compile(
    rf"(\S+)\s+{_NODE}\s+{_NODE}\s+poly\s*\(\s*1\s*\)\s*\(?\s*{_NODE}[\s,]+{_NODE}\s*\)?\s+(\S+)\s+{_VALUE}\Z",
    re.IGNORECASE,
)
_TABLE = re.compile(rf"(\S+)\s+{_NODE}\s+{_NODE}\s+table\s*(\{{[^}}]*\}}|'[^']*')\s*=?(.*)\Z", re.IGNORECASE)
_EXPRESSION = re.compile(rf"(\S+)\s+{_NODE}\s+{_NODE}\s+(?:value|vol|v)\s*=?\s*(.*)\Z", re.IGNORECASE)
_MODEL = re.compile(r"\S+\s+(\S+)\s+(gain|limit)\s*\((.*)\)\s*\Z", re.IGNORECASE)
_PARAMETER = re.compile(rf"(\w+)\s*=\s*{_VALUE}")
_V = rf"v\s*\(\s*{_NODE}\s*\)"
_PAIR = re.compile(
    rf"v\s*\(\s*{_NODE}\s*,\s*{_NODE}\s*\)|\(\s*{_V}\s*-\s*{_V}\s*\)|(?<=[(,])\s*{_V}\s*-\s*{_V}\s*(?=[),])",
    re.IGNORECASE,
)
_WHOLE = re.compile(rf"\s*{_V}\s*-\s*{_V}\s*", re.IGNORECASE)
_ONE = re.compile(_V, re.IGNORECASE)
_ONE_OR_TWO = re.compile(rf"v\s*\(\s*{_NODE}\s*(?:,\s*{_NODE}\s*)?\)", re.IGNORECASE)
_HAS_MEMORY = re.compile(r"\b(?:ddt|idt|sdt|delay)\s*\(", re.IGNORECASE)
# What stands before and after the difference in a multiple of it.
_FACTOR = r"(?:[\w.]+(?:(?<=[\d.]e)[-+]\d+)?|\{[^}]*\})"
_BEFORE = re.compile(rf"\s*[-+]?\s*\(*\s*(?:{_FACTOR}\s*\*\s*)?\(*", re.IGNORECASE)
_AFTER = re.compile(rf"\)*(?:\s*[*/]\s*{_FACTOR})?\s*\)*\s*", re.IGNORECASE)


class Source(NamedTuple):
    """A source, held between two nodes, of the difference of two others.

    `value`: its voltage, an expression in which DIFFERENCE stands for v(plus) - v(minus). `gain`: its slope where
    that is a plain number. `bends`: whether it is not a multiple of the difference, so that it has its own limits.
    `conductance`: of a current source, that of the resistors that it drives, siemens.
    """

    name: str
    output: tuple[str, str]
    plus: str
    minus: str
    value: str
    gain: float | None = None
    bends: bool = False
    conductance: float | None = None


@dataclass
class _Scope:
    """The top of a deck, or one subcircuit: its XSPICE models, what loads its nodes, whether it models a real part."""

    models: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    conductance: dict[str, float] = field(default_factory=dict)
    is_model: bool = False


def read_sources(statements: Sequence[Statement]) -> dict[int, tuple[Source, ...]]:
    """Return by the place of a statement what it may be as a source of a difference, one for each difference in it."""
    scopes: list[_Scope] = [_Scope()]
    within: list[_Scope] = []
    inner = scopes[0]
    for statement in statements:
        if statement.word in (".subckt", ".macro"):
            scopes.append(_Scope())
            inner = scopes[-1]
        within.append(inner)
        _note(statement, inner)
        if statement.word in (".ends", ".eom"):
            inner = scopes[0]
    found = {}
    for k, (statement, scope) in enumerate(zip(statements, within, strict=True)):
        if scope is scopes[0] or not scope.is_model:
            options = tuple(_read(statement, scope, scopes[0].models))
            if options:
                found[k] = options
    return found


def ground_expression(expression: str, held: Collection[str]) -> str:
    """Return an expression in which nodes that are not `held`, lower case, are at 0 V."""

    def volts(match: re.Match[str]) -> str:
        plus, minus = (node is not None and node.lower() in held for node in match.groups())
        if plus:
            return match[0] if minus or match[2] is None else f"v({match[1]})"
        return f"(-v({match[2]}))" if minus else "0"

    return _ONE_OR_TWO.sub(volts, expression)


def _note(statement: Statement, scope: _Scope) -> None:
    """Note what a statement says of the nodes around it."""
    letter, words = statement.word[:1], statement.text.split()
    scope.is_model = scope.is_model or letter in OF_MODELS
    value = number(words[3]) if letter == "r" and len(words) > 3 else None
    if value:
        for node in words[1:3]:
            scope.conductance[node.lower()] = scope.conductance.get(node.lower(), 0.0) + 1.0 / value
    match = _MODEL.match(statement.text) if statement.word == ".model" else None
    if match is not None:
        scope.models[match[1].lower()] = (match[2].lower(), dict(_PARAMETER.findall(match[3])))


def _read(statement: Statement, scope: _Scope, models: Mapping[str, tuple[str, dict[str, str]]]) -> Iterator[Source]:
    letter, text = statement.word[:1], statement.text
    if letter == "g":
        yield from _current(text, scope)
    elif letter == "a":
        yield from _xspice(text, {**models, **scope.models})
    elif letter == "e" and (match := _LINEAR.match(text)) is not None:
        name, high, low, plus, minus, gain = match.groups()
        yield _linear(name, (high, low), plus, minus, gain)
    elif letter == "e" and (match := _POLY.match(text)) is not None:
        name, high, low, plus, minus, offset, gain = match.groups()
        if number(offset) == 0.0:
            yield _linear(name, (high, low), plus, minus, gain)
    elif letter == "e" and (match := _TABLE.match(text)) is not None:
        points = [number(word) for word in re.split(r"[\s(),]+", match[5]) if word]
        if None not in points:
            listed = ",".join(repr(point) for point in points)
            for each in _find_in_expression(match[1], (match[2], match[3]), _unquote(match[4])):
                yield each._replace(value=f"pwl({each.value},{listed})", bends=True)
    elif letter in ("e", "b") and (match := _EXPRESSION.match(text)) is not None:
        yield from _find_in_expression(match[1], (match[2], match[3]), _unquote(match[4]))


def _linear(name: str, output: tuple[str, str], plus: str, minus: str, gain: str) -> Source:
    value = number(gain)
    return Source(name, output, plus, minus, f"({_in_braces(gain, value)})*{DIFFERENCE}", value)


def _in_braces(gain: str, value: float | None) -> str:
    return repr(value) if value is not None else "{" + _unquote(gain) + "}"


def _current(text: str, scope: _Scope) -> Iterator[Source]:
    """Yield a current source into resistors alone, as the source of the voltage that it makes at them."""
    match = _LINEAR.match(text)
    if match is None:
        return
    name, high, low, plus, minus, gain = match.groups()
    ends = [node.lower() for node in (high, low) if node != "0"]
    conductance = sum(scope.conductance.get(node, 0.0) for node in ends)
    if len(ends) == 1 and conductance > 0.0:
        value = number(gain)
        expression = f"({_in_braces(gain, value)})*{DIFFERENCE}/{conductance!r}"
        slope = None if value is None else value / conductance
        yield Source(name, (high, low), plus, minus, expression, slope, conductance=conductance)


def _xspice(text: str, models: Mapping[str, tuple[str, dict[str, str]]]) -> Iterator[Source]:
    words = text.split()
    if len(words) != 4 or words[3].lower() not in models:
        return
    kind, parameters = models[words[3].lower()]
    values = {name.lower(): number(value) for name, value in parameters.items()}
    gain, offset = values.get("gain", 1.0), values.get("in_offset", 0.0)
    if gain is None or offset:
        return
    value, bends = f"{gain!r}*{DIFFERENCE}", kind == "limit"
    if bends:
        value = f"min(max({value},{values.get('out_lower_limit')!r}),{values.get('out_upper_limit')!r})"
    yield Source(words[0], (words[2], "0"), words[1], "0", value, None if bends else gain, bends)


def _find_in_expression(name: str, output: tuple[str, str], expression: str) -> Iterator[Source]:
    """Yield the differences, and the voltages alone, that an expression is of."""
    if _HAS_MEMORY.search(expression):
        return
    whole = _WHOLE.fullmatch(expression)
    pairs = [whole] if whole is not None else list(_PAIR.finditer(expression))
    taken = [range(*match.span()) for match in pairs]
    alone = [match for match in _ONE.finditer(expression) if not any(match.start() in span for span in taken)]
    for match in (*pairs, *alone):
        before, after = expression[: match.start()], expression[match.end() :]
        plus, minus = [*(node for node in match.groups() if node is not None), "0"][:2]
        bends = _BEFORE.fullmatch(before) is None or _AFTER.fullmatch(after) is None
        yield Source(name, output, plus, minus, f"{before}{DIFFERENCE}{after}", bends=bends)


def _unquote(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and (text[0], text[-1]) in {("{", "}"), ("'", "'"), ('"', '"')}
    return text[1:-1].strip() if quoted else text
