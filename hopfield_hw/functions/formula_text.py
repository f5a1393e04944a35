"""Formulas as text, in the notation of SPICE: numbers with suffixes, names, V(a, b) and I(Vx), functions, conditions.

Powers are those of ngspice: x**y, x^y and pow(x, y) are |x|^y, and pwrs(x, y) has the sign of x.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from ..values.errors import InputError
from .expressions import (
    Choice,
    Expression,
    Interpolation,
    Negative,
    Number,
    Operation,
    call,
    evaluate,
    exp,
    maximum,
    minimum,
    tanh,
)

SUFFIXES: Mapping[str, float] = MappingProxyType(
    {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
)
NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpf])?[a-z]*", re.IGNORECASE)
TOKEN = re.compile(
    r"\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[a-z]*|[a-z_]\w*|\*\*|&&|\|\||[<>=!]=|[-+*/^(),?:<>!~&|])", re.IGNORECASE
)
# The least that a logarithm is taken of.
TINY = 1e-300
DEEPEST = 50

Read: TypeAlias = "Callable[[str, tuple[str, ...]], Expression]"


class Macro(NamedTuple):
    """A function that a text defines: its parameters, and its formula."""

    parameters: tuple[str, ...]
    text: str


def parse_number(text: str) -> float | None:
    """Return a number as SPICE writes it: `2.2k`, `1e-12F`, `5meg`; None for what is none."""
    match = NUMBER.fullmatch(text.strip())
    return None if match is None else float(match[1]) * SUFFIXES.get((match[2] or "").lower(), 1.0)


def parse_formula(
    text: str,
    read: Read,
    names: Mapping[str, Expression] = MappingProxyType({}),
    macros: Mapping[str, Macro] = MappingProxyType({}),
    depth: int = 0,
) -> Expression:
    """Return a formula as an expression. `read`: gives V(...) and I(...), by "v" or "i" and what is in the parentheses.

    `names`: what plain names stand for, in lower case. `macros`: functions that are defined beside those known.
    Raises InputError, with the formula, for what is no formula, and for names and functions that are not known.
    """
    if depth > DEEPEST:
        raise InputError(f"formula {text!r:.60}: functions that are defined by themselves")
    parser = _Parser(text, read, names, macros, depth)
    found = parser.choice()
    if parser.at < len(parser.tokens):
        raise InputError(f"formula {text!r:.60}: {parser.tokens[parser.at]!r} is not expected there")
    return found


def number_of(expression: Expression) -> float | None:
    """Return the value of an expression without arguments; None for others."""
    return expression.value if isinstance(expression, Number) else None


class _Parser:
    """Tokens, read from left to right; each method reads what binds more tightly than the one before it."""

    def __init__(
        self, text: str, read: Read, names: Mapping[str, Expression], macros: Mapping[str, Macro], depth: int
    ) -> None:
        self.text, self.read, self.names, self.macros, self.depth = text, read, names, macros, depth
        self.tokens, self.inside = _tokens(text)
        self.at = 0

    def _next(self, *wanted: str) -> str | None:
        """Return the next token and go on, if it is one of these."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def _need(self, token: str) -> None:
        if self._next(token) is None:
            found = repr(self.tokens[self.at]) if self.at < len(self.tokens) else "its end"
            raise InputError(f"formula {self.text!r:.60}: {found} stands where {token!r} must")

    def choice(self) -> Expression:
        condition = self._any()
        if self._next("?") is None:
            return condition
        above = self.choice()
        self._need(":")
        return _if(condition, above, self.choice())

    def _any(self) -> Expression:
        found = self._all()
        while self._next("|", "||"):
            found = _fold(maximum(_truth(found), _truth(self._all())))
        return found

    def _all(self) -> Expression:
        found = self._comparison()
        while self._next("&", "&&"):
            found = _fold(minimum(_truth(found), _truth(self._comparison())))
        return found

    def _comparison(self) -> Expression:
        left = self._sum()
        symbol = self._next("<", ">", "<=", ">=", "==", "!=")
        if symbol is None:
            return left
        right = self._sum()
        if symbol in ("==", "!="):
            same = minimum(_above(left, right, 0.0, 1.0), _above(right, left, 0.0, 1.0))
            return _fold(same if symbol == "==" else 1.0 - same)
        if symbol in (">", "<="):
            return _above(left, right, *((1.0, 0.0) if symbol == ">" else (0.0, 1.0)))
        return _above(right, left, *((1.0, 0.0) if symbol == "<" else (0.0, 1.0)))

    def _sum(self) -> Expression:
        found = self._product()
        while symbol := self._next("+", "-"):
            right = self._product()
            found = _fold(found + right if symbol == "+" else found - right)
        return found

    def _product(self) -> Expression:
        found = self._signed()
        while symbol := self._next("*", "/"):
            right = self._signed()
            found = _fold(found * right if symbol == "*" else found / right)
        return found

    def _signed(self) -> Expression:
        if self._next("-"):
            return _fold(Negative(self._signed()))
        if self._next("+"):
            return self._signed()
        if self._next("!", "~"):
            return _fold(1.0 - _truth(self._signed()))
        base = self._atom()
        return _power(base, self._signed()) if self._next("**", "^") else base

    def _atom(self) -> Expression:
        if self._next("("):
            found = self.choice()
            self._need(")")
            return found
        if self.at == len(self.tokens):
            raise InputError(f"formula {self.text!r:.60}: ends where something must stand")
        token = self.tokens[self.at]
        self.at += 1
        number = parse_number(token)
        if number is not None:
            return Number(number)
        if token in self.inside:
            kind, terms = self.inside[token]
            return self.read(kind, terms)
        if not (token[0].isalpha() or token[0] == "_"):
            raise InputError(f"formula {self.text!r:.60}: {token!r} is not expected there")
        if self._next("("):
            given = [self.choice()]
            while self._next(","):
                given.append(self.choice())
            self._need(")")
            return self._call(token, given)
        if token in self.names:
            return self.names[token]
        raise InputError(f"formula {self.text!r:.60}: the name {token!r} is not known")

    def _call(self, name: str, given: list[Expression]) -> Expression:
        if name in self.macros:
            macro = self.macros[name]
            if len(macro.parameters) == len(given):
                names = {**self.names, **dict(zip(macro.parameters, given, strict=True))}
                return parse_formula(macro.text, self.read, names, self.macros, self.depth + 1)
        elif name in ("table", "pwl"):
            return _table(self.text, given)
        elif name in FUNCTIONS:
            count, function = FUNCTIONS[name]
            if len(given) == count or (count < 0 and len(given) >= -count):
                return _fold(function(*given))
        else:
            raise InputError(f"formula {self.text!r:.60}: the function {name!r} is not known")
        raise InputError(f"formula {self.text!r:.60}: the function {name!r} does not take {len(given)} arguments")


def _tokens(text: str) -> tuple[list[str], dict[str, tuple[str, tuple[str, ...]]]]:
    """Return the tokens of a text, in lower case, and what is read of the circuit, V(a, b) or I(Vx), by its token."""
    inside: dict[str, tuple[str, tuple[str, ...]]] = {}

    def noted(match: re.Match[str]) -> str:
        terms = tuple(re.split(r"[\s,]+", match[2].strip().lower()))
        token = f"_read_{len(inside)}"
        inside[token] = (match[1].lower(), terms)
        return f" {token} "

    rest = re.sub(r"(?<![\w.])([vi])\s*\(([^()]*)\)", noted, text, flags=re.IGNORECASE).lower()
    tokens, at = [], 0
    while rest[at:].strip():
        match = TOKEN.match(rest, at)
        if match is None:
            raise InputError(f"formula {text!r:.60}: {rest[at:].strip()[:10]!r} is not expected there")
        tokens.append(match[1])
        at = match.end()
    return tokens, inside


def _fold(expression: Expression) -> Expression:
    """Return an expression whose operands are numbers as the number that it is."""
    match expression:
        case Operation("/", Number(), Number(0.0)):
            return expression
        case Negative(Number()) | Operation(_, Number(), Number()) | Choice(Number(), Number(), Number(), Number()):
            return _number(expression)
    operands = getattr(expression, "arguments", None)
    if operands and all(isinstance(one, Number) for one in operands):
        return _number(expression)
    return expression


def _number(expression: Expression) -> Expression:
    value = float(evaluate(expression, []))
    return Number(value) if math.isfinite(value) else expression


def _above(left: Expression, right: Expression, above: float, otherwise: float) -> Expression:
    return _fold(Choice(left, right, Number(above), Number(otherwise)))


def _truth(value: Expression) -> Expression:
    """Return 1 for what is true, that is not 0, and 0 for what is false."""
    match value:
        case Choice(_, _, Number(1.0 | 0.0), Number(1.0 | 0.0)) | Number(1.0 | 0.0):
            return value
    return _above(call("abs", value), Number(0.0), 1.0, 0.0)


def _if(condition: Expression, above: Expression, otherwise: Expression) -> Expression:
    match _truth(condition):
        case Number(value):
            return above if value else otherwise
        case Choice(left, right, Number(1.0), Number(0.0)):
            return Choice(left, right, above, otherwise)
        case truth:
            return Choice(truth, Number(0.5), above, otherwise)


def _power(base: Expression, exponent: Expression) -> Expression:
    """Return |x|^y."""
    size, power = _fold(call("abs", base)), number_of(exponent)
    if power is not None and power == round(power) and 0.0 <= power <= 8.0:
        found: Expression = Number(1.0)
        for k in range(int(power)):
            found = _fold(found * (base if power % 2 == 0 else size)) if k else (base if power % 2 == 0 else size)
        return found
    if power == 0.5:
        return _fold(call("sqrt", size))
    return _fold(exp(_fold(exponent * _log(size))))


def _log(x: Expression) -> Expression:
    return _fold(call("log", _fold(maximum(x, TINY))))


def _signed_power(base: Expression, exponent: Expression) -> Expression:
    return _fold(call("sign", base)) * _power(base, exponent)


def _table(text: str, given: Sequence[Expression]) -> Expression:
    numbers = [number_of(one) for one in given[1:]]
    pairs = [(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=False) if x is not None and y is not None]
    if len(numbers) % 2 or len(numbers) < 4 or 2 * len(pairs) != len(numbers):
        raise InputError(f"formula {text!r:.60}: a table takes pairs of numbers, two at least")
    return make_table(given[0], pairs)


def make_table(of: Expression, points: Sequence[tuple[float, float]]) -> Expression:
    """Return straight lines between points, flat beyond them. Raises InputError for points that do not increase."""
    moments = [x for x, _ in points]
    if moments != sorted(set(moments)) or len(points) < 2:
        raise InputError("a table takes two points or more, that increase")
    return Interpolation(of, tuple(points))


def _limit(x: Expression, a: Expression, b: Expression) -> Expression:
    return minimum(maximum(x, _fold(minimum(a, b))), _fold(maximum(a, b)))


# By name, how many arguments a function takes, at least so many of a negative number, and what it is.
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Expression]]] = MappingProxyType(
    {
        "abs": (1, lambda x: call("abs", x)),
        "sqrt": (1, lambda x: call("sqrt", x)),
        "exp": (1, exp),
        "ln": (1, _log),
        "log": (1, _log),
        "log10": (1, lambda x: _fold(_log(x) / math.log(10.0))),
        "tanh": (1, tanh),
        "sinh": (1, lambda x: 0.5 * (exp(x) - exp(Negative(x)))),
        "cosh": (1, lambda x: 0.5 * (exp(x) + exp(Negative(x)))),
        "atan": (1, lambda x: call("arctan", x)),
        "arctan": (1, lambda x: call("arctan", x)),
        "floor": (1, lambda x: call("floor", x)),
        "ceil": (1, lambda x: call("ceil", x)),
        "sgn": (1, lambda x: call("sign", x)),
        "u": (1, lambda x: _above(x, Number(0.0), 1.0, 0.0)),
        "stp": (1, lambda x: _above(x, Number(0.0), 1.0, 0.0)),
        "uramp": (1, lambda x: maximum(x, 0.0)),
        "min": (-2, minimum),
        "max": (-2, maximum),
        "pow": (2, _power),
        "pwr": (2, _power),
        "pwrs": (2, _signed_power),
        "limit": (3, _limit),
        "if": (3, _if),
        "ternary_fcn": (3, _if),
    }
)
