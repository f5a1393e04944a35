"""A deck as people write it, as devices without subcircuits; each remembers its statement.

Subcircuits that behave as op-amps stay whole, whoever wrote them; all others are taken apart, with their parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from ..circuit import Circuit
from ..ensemble.devices.libraries import INSIDE, Definition, Scope, Words, read_scope
from ..ensemble.devices.vendors import make_polynomial
from ..functions.expressions import Argument, Expression, Number
from ..functions.formula_text import make_table, parse_formula
from ..spice.decks.statements import read_statements
from ..spice.decks.text import OPTIONS, REPLACED
from ..values.errors import InputError
from .devices import GROUND, JUNCTIONS, FlatDeck, FlatDevice, Gives, Kind
from .op_amps import find_pins
from .our_labels import read_labels
from .switch_models import read_switch_model

DEEPEST = 20  # subcircuits within one another
DEFINING = {".macro": ".subckt", ".eom": ".ends", ".params": ".param", ".parameters": ".param"}
KEPT = frozenset({".subckt", ".ends", ".model", ".param", ".func"})
# Statements that say nothing of the network, beside analyses and options.
IGNORED = frozenset({".ic", ".temp"})
WAVES = frozenset({"pulse", "sin", "exp", "pwl", "sffm", "am"})
PULSE = ("low", "high", "delay", "rise", "fall", "width", "period")
# Nodes of semiconductors.
PINS = {"D": 2, "Q": 3, "J": 3, "M": 4}
_LINE = "a line is a delay, and a circuit with delays is not read back: verify it against its graph"
REFUSED: Mapping[str, str] = {
    "l": "an inductor has a state of its own, and no network here has one: leave it out where it is only a filter",
    "k": "coupled inductors have states of their own, and no network here has them",
    **dict.fromkeys("touy", _LINE),
    "w": "a switch that a current controls is not read back: control it by the voltage of its clock, as an S element",
    "a": "a model of XSPICE is not taken apart: write its effect as an E or a B source",
}


def flatten(deck: str | Path | Circuit) -> FlatDeck:
    """Return the devices of a deck, given as text, as a path, or as a Circuit of ours.

    Raises InputError, with the line, for what cannot be read, for a subcircuit or a model that is missing, and for
    devices that no network here has: lines, inductors.
    """
    if isinstance(deck, Circuit):
        return _of_circuit(deck)
    if not isinstance(deck, str | Path):
        raise InputError(f"extract: `source` is a {type(deck).__name__}: must be a deck (text or path) or a Circuit")
    source = read_statements(deck, skip_commands=True)
    lines: list[str] = []
    places: dict[tuple[str, str], str] = {}
    depth: list[str] = []
    shared: set[str] = set()
    for statement in source.statements:
        word = DEFINING.get(statement.word, statement.word)
        if word == ".global":
            shared.update(node.lower() for node in statement.text.split()[1:])
            continue
        if word in REPLACED or word in OPTIONS or word in IGNORED:
            continue
        if word.startswith(".") and word not in KEPT:
            raise InputError(
                f"{statement.where} `{statement.text:.60}`: {word} is not read by extract; write the circuit without it"
            )
        text = statement.text.split(maxsplit=1)
        lines.append(" ".join([word, *text[1:]]))
        if word == ".subckt":
            depth.append(text[1].split()[0].lower() if len(text) > 1 else "")
        elif word == ".ends":
            if not depth:
                raise InputError(f"{statement.where} `{statement.text:.60}`: ends no subcircuit; remove it")
            depth = depth[:-1]
        elif not word.startswith("."):
            places.setdefault((depth[-1] if depth else "", word), statement.where)
    if depth:
        raise InputError(f"deck: subcircuit {depth[-1]} has no `.ends`; add it")
    scope, top = read_scope(lines)
    reading = _Reading(lines, places, frozenset(shared))
    devices = list(_Level(reading, scope.with_parameters({}, {}), top, "", "", {}, 0).devices())
    if not devices:
        raise InputError("deck: holds no device; its first line is a title, devices follow")
    twice = _first_double(devices)
    if twice is not None:
        raise InputError(f"{twice.where}: a second device {twice.name!r}; give it a name of its own")
    return FlatDeck(
        title=source.title or "deck",
        devices=tuple(devices),
        definitions=reading.kept_definitions(),
        models=tuple(reading.models),
        labels=read_labels(source.comments, [device for device in devices if device.kind == "C"]),
        notes=source.notes,
    )


def _of_circuit(circuit: Circuit) -> FlatDeck:
    """Return the devices of a circuit of ours: those of its netlist, the sources of its inputs as inputs."""
    flat = flatten(circuit.netlist("ngspice"))
    inputs = {name.lower() for name in circuit.inputs}
    devices = tuple(as_input(device) if device.name in inputs else device for device in flat.devices)
    labels: dict[str, str] = {}
    for probe in circuit.states:
        for device in flat.of("C"):
            if probe.node.lower() in device.nodes:
                labels.setdefault(device.name, probe.label)
    probes = {probe.node.lower(): probe.label for probe in circuit.states}
    return replace(flat, title=circuit.title, devices=devices, labels=labels, probes=probes)


def _bare(text: str) -> str:
    """Return a formula without the braces or quotes around it; braces within are parentheses."""
    text = text.strip()
    if text[:1] + text[-1:] in ("{}", "''", '""'):
        text = text[1:-1]
    return text.translate(INSIDE)


def as_input(device: FlatDevice) -> FlatDevice:
    """Return a source as an input of the network, whatever it gives."""
    return replace(device, wave=device.wave or "input")


def _first_double(devices: Sequence[FlatDevice]) -> FlatDevice | None:
    seen = set()
    for device in devices:
        if device.name in seen:
            return device
        seen.add(device.name)
    return None


class _Reading:
    """What is found while a deck is taken apart: models that are kept, and which subcircuits are op-amps."""

    def __init__(self, lines: Sequence[str], places: Mapping[tuple[str, str], str], shared: frozenset[str]) -> None:
        self.lines, self.places, self.shared = lines, places, shared
        self.models: dict[str, None] = {}
        self.op_amps: dict[str, tuple[int, ...] | None] = {}

    def pins(self, name: str, definition: Definition) -> tuple[int, ...] | None:
        """Return the places of (plus, minus, output) and of the supplies in a subcircuit; None if it is no op-amp."""
        if name not in self.op_amps:
            self.op_amps[name] = find_pins(name, definition, self.definitions())
        return self.op_amps[name]

    def definitions(self) -> tuple[str, ...]:
        """Return the statements that define something, in their order."""
        depth, found = 0, []
        for line in self.lines:
            word = line.split(maxsplit=1)[0].lower()
            depth += word == ".subckt"
            if depth or word in KEPT:
                found.append(line)
            depth -= word == ".ends"
        return tuple(found)

    def kept_definitions(self) -> tuple[str, ...]:
        """Return the definitions where an op-amp needs them; nothing else does, once a deck is flat."""
        return self.definitions() if any(pins is not None for pins in self.op_amps.values()) else ()


class _Level:
    """The devices of the top of a deck, or of one instance of a subcircuit.

    `path`: of the instance, with a dot behind it. `of`: the name of the subcircuit. `at`: by node of its header, where
    it is.
    """

    def __init__(
        self,
        reading: _Reading,
        scope: Scope,
        lines: Sequence[Words],
        path: str,
        of: str,
        at: Mapping[str, str],
        depth: int,
    ) -> None:
        self.reading, self.scope, self.lines = reading, scope, lines
        self.path, self.of, self.at, self.depth = path, of, at, depth

    def devices(self) -> Iterator[FlatDevice]:
        """Yield the devices, those of subcircuits within among them."""
        if self.depth > DEEPEST:
            raise InputError(f"deck: subcircuit {self.of} is within itself; remove one of the two")
        for words in self.lines:
            try:
                yield from self._read(words)
            except (IndexError, KeyError, ValueError) as error:
                if isinstance(error, InputError) and str(error).startswith(("deck", "subcircuit")):
                    raise
                why = str(error) if isinstance(error, InputError) else "a word is missing"
                raise InputError(f"{self._where(words)} `{words.line:.70}`: {why}") from None

    def _where(self, words: Words) -> str:
        return self.reading.places.get((self.of, words.name), "deck")

    def _node(self, node: str) -> str:
        name = node.lower()
        if name in (GROUND, "gnd"):
            return GROUND
        if name in self.reading.shared:
            return name
        return self.at.get(name, f"{self.path}{name}")

    def _read(self, words: Words) -> Iterator[FlatDevice]:
        letter = words.name[0]
        if letter in REFUSED:
            raise InputError(REFUSED[letter])
        ways: dict[str, Callable[[Words], Iterator[FlatDevice]]] = {
            "r": self._passive,
            "c": self._passive,
            "v": self._source,
            "i": self._source,
            "e": self._controlled,
            "g": self._controlled,
            "f": self._by_current,
            "h": self._by_current,
            "b": self._behaviour,
            "s": self._switch,
            "x": self._instance,
        }
        if letter.upper() in JUNCTIONS:
            yield self._junction(words)
        elif letter in ways:
            yield from ways[letter](words)
        else:
            raise InputError(f"a device {letter.upper()} is not known here; write its effect as R, C, sources, D or Q")

    def _make(self, words: Words, nodes: Sequence[str], **others: object) -> FlatDevice:
        kind = cast(Kind, words.name[0].upper())
        name = f"{self.path}{words.name}"
        return FlatDevice(name=name, kind=kind, nodes=tuple(nodes), where=self._where(words), **others)  # type: ignore[arg-type]

    def _ends(self, words: Words) -> tuple[str, str]:
        return self._node(words.plain[0]), self._node(words.plain[1])

    def _passive(self, words: Words) -> Iterator[FlatDevice]:
        key = words.name[0]
        text = words.keys.get(key, words.plain[2] if len(words.plain) > 2 else "")
        if not text:
            raise InputError("has no value: give one, such as 10k")
        if self.scope.model(text) is not None:
            raise InputError(f"its value comes from the model {text}: give the value itself")
        value = self.scope.number(text)
        for factor in ("m",):
            if factor in words.keys:
                value *= self.scope.number(words.keys[factor]) ** (1.0 if key == "c" else -1.0)
        if not value > 0.0:
            raise InputError(f"its value is {value:g}: must be positive; leave it out where it is a wire")
        yield self._make(words, self._ends(words), value=value)

    def _source(self, words: Words) -> Iterator[FlatDevice]:
        given = [word.lower() for word in words.plain[2:] if word.lower() != "dc"]
        wave = next((k for k, word in enumerate(given) if word in WAVES), None)
        if "ac" in given:
            place = given.index("ac")
            end = next((k for k in range(place + 1, len(given)) if given[k] in WAVES), len(given))
            del given[place : min(end, place + 3)]
            wave = next((k for k, word in enumerate(given) if word in WAVES), None)
        constant = given[:1] if wave is None or wave > 0 else ["0"]
        text = words.keys["dc"] if "dc" in words.keys else constant[0] if constant else "0"
        described = "" if wave is None else " ".join(given[wave:])
        keys: tuple[tuple[str, float], ...] = ()
        if wave is not None and given[wave] == "pulse":
            numbers = self._numbers(given[wave + 1 :])
            keys = tuple(zip(PULSE, numbers, strict=False))
            described = " ".join(["pulse", *map(repr, numbers)])
        yield self._make(words, self._ends(words), value=self.scope.number(text), wave=described, keys=keys)

    def _switch(self, words: Words) -> Iterator[FlatDevice]:
        a, b, *controls = (self._node(node) for node in words.plain[:4])
        name = words.plain[4]
        keys = read_switch_model(name, self.scope)
        model = f"{self.path}{name.lower()}".replace(".", "_")
        listed = " ".join(f"{key}={value!r}" for key, value in keys.items())
        self.reading.models[f".model {model} sw({listed})"] = None
        yield self._make(words, (a, b), sensed=tuple(controls), model=model, keys=tuple(keys.items()))

    def _junction(self, words: Words) -> FlatDevice:
        kind = words.name[0].upper()
        count = PINS[kind]
        rest = [word for word in words.plain[count:] if word.lower() != "off"]
        if kind == "Q" and len(rest) > 1 and self.scope.model(rest[0]) is None and self.scope.model(rest[1]):
            rest = rest[1:]  # the substrate
        if not rest or (model := self.scope.model(rest[0])) is None:
            raise InputError(f"its model {rest[0] if rest else ''!r} is missing: add its `.model`, or include its file")
        values = {}
        for key, text in model.parameters.items():
            try:
                values[key] = self.scope.number(text)
            except InputError:
                continue  # the name of a maker, and the like
        name = f"{self.path}{rest[0].lower()}".replace(".", "_") if self.path else rest[0].lower()
        listed = " ".join(f"{key}={value!r}" for key, value in values.items())
        self.reading.models[f".model {name} {model.kind}({listed})"] = None
        nodes = tuple(self._node(node) for node in words.plain[:count])
        keys = {key: self.scope.number(text) for key, text in words.keys.items() if key in ("area", "m", "w", "l")}
        if len(rest) > 1:
            keys["area"] = self.scope.number(rest[1])
        return self._make(words, nodes, model=name, pins=nodes, keys=tuple(keys.items()))

    def _controlled(self, words: Words) -> Iterator[FlatDevice]:
        rest = list(words.plain[2:])
        what = rest[0].lower() if rest else ""
        formula = next((words.keys[key] for key in ("value", "vol", "cur", "v", "i") if key in words.keys), None)
        if what == "value" and formula is None:
            formula = rest[1]
        if formula is not None:
            yield self._of_formula(words, *self._formula(formula))
        elif what == "poly":
            count = int(self.scope.number(rest[1]))
            nodes = tuple(self._node(node) for node in rest[2 : 2 + 2 * count])
            pairs = [Argument(2 * k) - Argument(2 * k + 1) for k in range(count)]
            yield self._of_formula(words, nodes, make_polynomial(pairs, self._numbers(rest[2 + 2 * count :])))
        elif what == "table" or "table" in words.keys:
            nodes, of = self._formula(words.keys["table"] if "table" in words.keys else rest[1])
            numbers = self._numbers(rest[2:] if what == "table" else rest)
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            yield self._of_formula(words, nodes, make_table(of, points))
        elif what in ("laplace", "freq", "chebyshev"):
            raise InputError(f"a {what.upper()} source has a frequency response: write it as R, C and gains")
        elif len(rest) == 3:
            sensed = (self._node(rest[0]), self._node(rest[1]))
            yield self._make(words, self._ends(words), value=self.scope.number(rest[2]), sensed=sensed)
        else:
            raise InputError(f"its form {' '.join(rest)[:30]!r} is not known; give a gain, POLY, TABLE or VALUE")

    def _of_formula(self, words: Words, sensed: tuple[str, ...], formula: Expression) -> FlatDevice:
        gives: Gives = "voltage" if words.name[0] == "e" or "v" in words.keys else "current"
        name, ends = f"{self.path}{words.name}", self._ends(words)
        return FlatDevice(
            name=name, kind="B", nodes=ends, where=self._where(words), sensed=sensed, formula=formula, gives=gives
        )

    def _behaviour(self, words: Words) -> Iterator[FlatDevice]:
        for key in ("v", "i"):
            if key in words.keys:
                yield self._of_formula(words, *self._formula(words.keys[key]))
                return
        raise InputError("a B source with neither V= nor I=: give one")

    def _by_current(self, words: Words) -> Iterator[FlatDevice]:
        rest = list(words.plain[2:])
        if rest[0].lower() == "poly":
            raise InputError("a POLY of currents is not known here: write it as a B source of voltages")
        control = f"{self.path}{rest[0].lower()}"
        yield self._make(words, self._ends(words), value=self.scope.number(rest[1]), control=control)

    def _formula(self, text: str) -> tuple[tuple[str, ...], Expression]:
        """Return the nodes of a formula, and the formula of their voltages."""
        nodes: dict[str, int] = {}

        def voltage(node: str) -> Expression:
            place = self._node(node)
            return Number(0.0) if place == GROUND else Argument(nodes.setdefault(place, len(nodes)))

        def read(kind: str, terms: Sequence[str]) -> Expression:
            if kind == "i":
                raise InputError(f"I({terms[0]}) in a formula is not known here: sense a voltage")
            first, *others = (voltage(term) for term in terms)
            return first - others[0] if others else first

        found = parse_formula(_bare(text), read, self.scope.names, self.scope.functions)
        return tuple(nodes), found

    def _numbers(self, words: Sequence[str]) -> list[float]:
        return [self.scope.number(word) for word in words]

    def _instance(self, words: Words) -> Iterator[FlatDevice]:
        *places, name = (word for word in words.plain if word.lower() != "params:")
        name = name.lower()
        definition = self.scope.definition(name)
        if definition is None:
            raise InputError(f"the subcircuit {name} is missing: include its file, or add its `.subckt`")
        if len(places) != len(definition.nodes):
            raise InputError(f"has {len(places)} nodes, and {name} {len(definition.nodes)}: give one for each")
        nodes = tuple(self._node(node) for node in places)
        given = {key: self.scope.number(value) for key, value in words.keys.items()}
        pins = self.reading.pins(name, definition)
        if pins is not None:
            yield FlatDevice(
                name=f"{self.path}{words.name}",
                kind="OpAmp",
                nodes=(*(nodes[k] for k in pins[:3]), GROUND),
                where=self._where(words),
                model=name,
                pins=nodes,
                keys=tuple(given.items()),
            )
            return
        at = dict(zip(definition.nodes, nodes, strict=True))
        scope = definition.scope.with_parameters(definition.defaults, given)
        path = f"{self.path}{words.name}."
        yield from _Level(self.reading, scope, definition.lines, path, name, at, self.depth + 1).devices()
