"""A vendor's model as elements: the cards of its library, one by one.

What flows through an element is an unknown where something senses it: a node `NAME#i` of its own, in milliamperes,
whose law is that of the element, v(plus) - v(minus) - f = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

from ...circuit import GROUND
from ...functions.expressions import Argument, Expression, Number, substitute
from ...functions.formula_text import make_table, parse_formula, parse_number
from ...parts import Subcircuit
from ...values.errors import InputError, Unrealisable
from .elements import CURRENT_NODE, Element, Formula, Linear, Start
from .junctions import JUNCTIONS, split_junction
from .libraries import Definition, Words, read_library

CURRENT = 1e-3  # amperes to a volt of the node of a current
LEAST_RESISTANCE = 1e-3  # ohms, of a resistor of 0 Ohm, as in ngspice
DEEPEST = 20  # subcircuits within one another


def split_subcircuit(device: str, model: Subcircuit, nodes: Mapping[str, str]) -> Iterator[Element]:
    """Yield the elements of a vendor's model, with its inner nodes named after the device.

    `nodes`: by pin, where it is. Raises Unrealisable for a card or a function that is not known here.
    """
    scope = read_library(str(model.library), model.name)
    definition = scope.definition(model.name)
    assert definition is not None
    at = {node: nodes[pin] for node, pin in zip(definition.nodes, model.pins, strict=True)}
    yield from _Expansion(model.name, definition, device, at, {}, 0).elements()


class _Expansion:
    """One subcircuit between its nodes: `at`, by node of its header; `given`: its parameters."""

    def __init__(
        self,
        model: str,
        definition: Definition,
        name: str,
        at: Mapping[str, str],
        given: Mapping[str, float],
        depth: int,
    ) -> None:
        self.model, self.name, self.at, self.depth = model, name, at, depth
        self.definition = definition
        self.scope = definition.scope.with_parameters(definition.defaults, given)
        self.sensed = {word.lower() for line in definition.lines for word in line.sensed}
        self.inductors: dict[str, float] = {}

    def elements(self) -> Iterator[Element]:
        if self.depth > DEEPEST:
            raise InputError(f"op-amp {self.model}: its subcircuits are within themselves")
        for words in sorted(self.definition.lines, key=lambda words: words.name[0] == "k"):
            try:
                yield from self._split(words)
            except Unrealisable:
                raise
            except (InputError, IndexError, KeyError) as error:
                why = str(error) if isinstance(error, InputError) else "a word is missing"
                raise self._refuse(words, f"{why}") from None

    def _refuse(self, words: Words, what: str) -> Unrealisable:
        return Unrealisable(
            f"op-amp {self.model}: its library has {words.line!r:.70}, which the engine 'ensemble' does not know "
            f"({what}); run it in ngspice"
        )

    def _node(self, node: str) -> str:
        name = node.lower()
        if name in (GROUND, "gnd"):
            return GROUND
        return self.at.get(name, f"{self.name}.{name}")

    def _inner(self, words: Words) -> str:
        return f"{self.name}.{words.name}"

    def _current(self, name: str) -> str:
        """Return the node of the current through an element."""
        return f"{self.name}.{name.lower()}{CURRENT_NODE}"

    def _split(self, words: Words) -> Iterator[Element]:
        kind = words.name[0]
        if kind in JUNCTIONS:
            nodes = [self._node(node) for node in words.plain]
            yield from split_junction(self._inner(words), words, nodes, self.scope)
            return
        ways: dict[str, Callable[[Words, tuple[str, str]], Iterator[Element]]] = {
            "r": self._resistor,
            "c": self._capacitor,
            "l": self._inductor,
            "k": self._coupling,
            "v": self._voltage,
            "i": self._constant_current,
            "e": self._controlled,
            "g": self._controlled,
            "f": self._by_current,
            "h": self._by_current,
            "b": self._behaviour,
        }
        if kind == "x":
            yield from self._subcircuit(words)
        elif kind in ways:
            ends = (self._node(words.plain[0]), self._node(words.plain[1]))
            yield from ways[kind](words, ends)
        else:
            raise self._refuse(words, f"an element {kind.upper()}")

    def _value(self, words: Words, key: str) -> float:
        """Return the value of an element: its third word, or that of a key; with a model it is a part of its own."""
        if key in words.keys:
            return self.scope.number(words.keys[key])
        model = self.scope.model(words.plain[2]) if len(words.plain) > 2 else None
        if model is not None:
            raise InputError(f"a model {words.plain[2]}")
        value = self.scope.number(words.plain[2])
        if len(words.plain) > 3 and (model := self.scope.model(words.plain[3])) is not None:
            value *= model.numbers(self.scope).get(key, 1.0)
        return value

    def _resistor(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        yield Linear(self._inner(words), ends, ends, 1.0 / (self._value(words, "r") or LEAST_RESISTANCE))

    def _capacitor(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        yield Linear(self._inner(words), ends, ends, self._value(words, "c"), is_rate=True)
        if "ic" in words.keys and self.scope.number(words.keys["ic"]) != 0.0:
            if ends[1] != GROUND:
                raise InputError("IC between two nodes")
            yield Start(ends[0], self.scope.number(words.keys["ic"]))

    def _inductor(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        value = self._value(words, "l")
        if "ic" in words.keys and self.scope.number(words.keys["ic"]) != 0.0:
            raise InputError("IC of an inductor")
        self.inductors[words.name] = value
        current = self._current(words.name)
        yield from self._branch(words.name, ends)
        yield Linear(self._inner(words), (current, GROUND), (current, GROUND), -value * CURRENT, is_rate=True)

    def _coupling(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        first, second = (name.lower() for name in words.plain[:2])
        mutual = self.scope.number(words.plain[2]) * (self.inductors[first] * self.inductors[second]) ** 0.5
        for here, other in ((first, second), (second, first)):
            at, by = self._current(here), self._current(other)
            yield Linear(self._inner(words), (at, GROUND), (by, GROUND), -mutual * CURRENT, is_rate=True)

    def _branch(self, name: str, ends: tuple[str, str]) -> Iterator[Element]:
        """Yield a current that is unknown, from one end to the other, with v(plus) - v(minus) in its law."""
        current = self._current(name)
        yield Linear(f"{self.name}.{name}", ends, (current, GROUND), CURRENT)
        yield Linear(f"{self.name}.{name}", (current, GROUND), ends, 1.0)

    def _hold(
        self, words: Words, ends: tuple[str, str], nodes: tuple[str, ...], formula: Expression
    ) -> Iterator[Element]:
        """Yield what holds a voltage between its ends, with its current as an unknown where something senses it."""
        if words.name not in self.sensed:
            yield Formula(self._inner(words), ends, nodes, formula, "voltage")
            return
        yield from self._branch(words.name, ends)
        current = self._current(words.name)
        yield Formula(self._inner(words), (GROUND, current), nodes, formula, "current")

    def _voltage(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        yield from self._hold(words, ends, (), Number(self._constant(words)))

    def _constant_current(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        yield Formula(self._inner(words), ends, (), Number(self._constant(words)), "current")

    def _constant(self, words: Words) -> float:
        """Return the constant of an independent source; what it has for small signals is nothing here."""
        given = [word for word in words.plain[2:] if word.lower() != "dc"]
        lower = [word.lower() for word in given]
        if "ac" in lower:
            start = lower.index("ac")
            behind = 1 + sum(parse_number(word) is not None for word in given[start + 1 : start + 3])
            constant_first = start > 0
            del given[start : start + (behind if constant_first else min(behind, 2))]
        if len(given) > 1:
            raise InputError(f"a source {given[1].upper()}")
        return self.scope.number(words.keys["dc"] if "dc" in words.keys else given[0] if given else "0")

    def _controlled(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        """Yield an E or a G: with a gain, POLY, VALUE or TABLE."""
        rest = list(words.plain[2:])
        what = rest[0].lower() if rest else ""
        formula = next((words.keys[key] for key in ("value", "vol", "cur") if key in words.keys), None)
        if what == "value":
            formula = rest[1]
        if formula is not None:
            nodes, expression = self._formula(formula)
        elif what == "poly":
            count = int(self.scope.number(rest[1]))
            nodes = tuple(self._node(node) for node in rest[2 : 2 + 2 * count])
            pairs = [Argument(2 * k) - Argument(2 * k + 1) for k in range(count)]
            expression = make_polynomial(pairs, self._numbers(rest[2 + 2 * count :]))
        elif what == "table" or "table" in words.keys:
            nodes, of = self._formula(words.keys["table"] if "table" in words.keys else rest[1])
            numbers = self._numbers(rest[2:] if what == "table" else rest)
            expression = make_table(of, list(zip(numbers[::2], numbers[1::2], strict=True)))
        elif what in ("laplace", "freq", "chebyshev"):
            raise InputError(f"a {what.upper()} source")
        elif len(rest) == 3:
            nodes = (self._node(rest[0]), self._node(rest[1]))
            gain = self.scope.number(rest[2])
            if words.name[0] == "g":
                yield Linear(self._inner(words), ends, (nodes[0], nodes[1]), gain)
                return
            expression = gain * (Argument(0) - Argument(1))
        else:
            raise InputError(f"its form {' '.join(rest)[:30]!r}")
        yield from self._give(words, ends, nodes, expression, words.name[0] == "e")

    def _give(
        self, words: Words, ends: tuple[str, str], nodes: tuple[str, ...], formula: Expression, holds: bool
    ) -> Iterator[Element]:
        if holds:
            yield from self._hold(words, ends, nodes, formula)
        else:
            yield Formula(self._inner(words), ends, nodes, formula, "current")

    def _by_current(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        """Yield an F or an H, of one current or of POLY."""
        rest = list(words.plain[2:])
        if rest[0].lower() == "poly":
            count = int(self.scope.number(rest[1]))
            names, coefficients = rest[2 : 2 + count], self._numbers(rest[2 + count :])
            terms = [CURRENT * Argument(k) for k in range(count)]
            nodes = tuple(self._current(name) for name in names)
            yield from self._give(words, ends, nodes, make_polynomial(terms, coefficients), words.name[0] == "h")
            return
        current, gain = self._current(rest[0]), self.scope.number(rest[1]) * CURRENT
        if words.name[0] == "f":
            yield Linear(self._inner(words), ends, (current, GROUND), gain)
        else:
            yield from self._hold(words, ends, (current,), gain * Argument(0))

    def _behaviour(self, words: Words, ends: tuple[str, str]) -> Iterator[Element]:
        for key, holds in (("v", True), ("i", False)):
            if key in words.keys:
                yield from self._give(words, ends, *self._formula(words.keys[key]), holds)
                return
        raise InputError("a B source with neither V= nor I=")

    def _formula(self, text: str) -> tuple[tuple[str, ...], Expression]:
        """Return the nodes of a formula, and the formula of their voltages."""
        nodes: dict[str, int] = {}

        def voltage(node: str) -> Expression:
            return Number(0.0) if node == GROUND else Argument(nodes.setdefault(node, len(nodes)))

        def read(kind: str, terms: Sequence[str]) -> Expression:
            if kind == "i":
                return CURRENT * voltage(self._current(terms[0]))
            first, *others = (voltage(self._node(term)) for term in terms)
            return first - others[0] if others else first

        found = parse_formula(text.strip("{}'\""), read, self.scope.names, self.scope.functions)
        return tuple(nodes), found

    def _numbers(self, words: Sequence[str]) -> list[float]:
        return [self.scope.number(word) for word in words]

    def _subcircuit(self, words: Words) -> Iterator[Element]:
        nodes = [word for word in words.plain if word.lower() != "params:"]
        *places, name = nodes
        definition = self.scope.definition(name)
        if definition is None:
            raise InputError(f"a subcircuit {name}")
        if len(places) != len(definition.nodes):
            raise InputError(f"{len(places)} nodes of {len(definition.nodes)}")
        at = dict(zip(definition.nodes, (self._node(node) for node in places), strict=True))
        given = {key: self.scope.number(value) for key, value in words.keys.items()}
        yield from _Expansion(self.model, definition, self._inner(words), at, given, self.depth + 1).elements()


def make_polynomial(terms: Sequence[Expression], coefficients: Sequence[float]) -> Expression:
    """Return sum p_k (products of terms), in the order of SPICE: 1, x1, x2, ..., x1^2, x1 x2, ..., x1^3, ...

    Raises InputError where nothing is given.
    """
    if not coefficients:
        raise InputError("a POLY without coefficients")
    total: Expression = Number(float(coefficients[0]))
    left = list(coefficients[1:])
    arguments, degree = [Argument(k) for k in range(len(terms))], 1
    while left:
        for which in combinations_with_replacement(arguments, degree):
            if not left:
                break
            value = left.pop(0)
            if value != 0.0:
                product: Expression = Number(value)
                for one in which:
                    product = product * one
                total = total + product
        degree += 1
    return substitute(total, list(terms))
