"""The text of a vendor's library, read: subcircuits within one another, models, parameters and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...functions.expressions import Expression, Number
from ...functions.formula_text import Macro, number_of, parse_formula, parse_number
from ...values.errors import InputError

LISTS = "dqjmzt"  # elements whose IC is a list
BRACES = re.compile(r"\{[^{}]*\}|'[^']*'|\"[^\"]*\"")
# What is in a formula until the end of its line.
OPEN = re.compile(r"(?i)\b(value|vol|cur|v|i)\s*=\s*(?!['\"\s]|\{(?![^{}]*\}\s*[-+*/^?<>=!&|]))(.*)$")
INSIDE = str.maketrans("{}", "()")
CONTROLS = re.compile(r"(?i)(?<![\w.])i\s*\(\s*([^()\s]+)\s*\)")


class Words(NamedTuple):
    """An element of a library: its line, its name in lower case, its words, those of `key=value`, what it senses."""

    line: str
    name: str
    plain: tuple[str, ...]
    keys: Mapping[str, str]
    sensed: tuple[str, ...]


class Model(NamedTuple):
    """A `.model`: its type, in lower case, and the text of its parameters."""

    kind: str
    parameters: Mapping[str, str]

    def numbers(self, scope: Scope) -> dict[str, float]:
        """Return its parameters as numbers."""
        return {key: scope.number(text) for key, text in self.parameters.items()}


@dataclass(frozen=True)
class Scope:
    """What names mean at some place of a library: `values` of parameters, and what is defined there or around it."""

    values: Mapping[str, float] = field(default_factory=dict)
    functions: Mapping[str, Macro] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    parameters: tuple[tuple[str, str], ...] = ()
    around: Scope | None = None

    @property
    def names(self) -> Mapping[str, Expression]:
        """Parameters as expressions."""
        known: dict[str, float] = {"temper": 27.0, "temp": 27.0, "pi": 3.141592653589793}
        return {name: Number(value) for name, value in (known | dict(self.values)).items()}

    def number(self, text: str) -> float:
        """Return a number, or that of a formula of parameters. Raises InputError for others."""
        plain = parse_number(text)
        if plain is not None:
            return plain
        value = number_of(parse_formula(text.strip("{}'\""), _refuse, self.names, self.functions))
        if value is None:
            raise InputError(f"formula {text!r:.60}: must be a number")
        return value

    def model(self, name: str) -> Model | None:
        """Return a model; None for one that is not there."""
        found = self.models.get(name.lower())
        return self.around.model(name) if found is None and self.around is not None else found

    def definition(self, name: str) -> Definition | None:
        """Return a subcircuit; None for one that is not there."""
        found = self.definitions.get(name.lower())
        return self.around.definition(name) if found is None and self.around is not None else found

    def with_parameters(self, defaults: Mapping[str, str], given: Mapping[str, float]) -> Scope:
        """Return the scope with values: those of a header unless they are given, then those of `.param`."""
        outer = self.around.with_parameters({}, {}) if self.around is not None else Scope()
        found = replace(self, values=outer.values, functions={**outer.functions, **self.functions})
        for name, text in defaults.items():
            value = given[name] if name in given else found.number(text)
            found = replace(found, values={**found.values, name: value})
        found = replace(found, values={**found.values, **given})
        for name, text in self.parameters:
            found = replace(found, values={**found.values, name: found.number(text)})
        return found


class Definition(NamedTuple):
    """A subcircuit: nodes and parameters of its header, in lower case, its lines, and what is defined in it."""

    nodes: tuple[str, ...]
    defaults: Mapping[str, str]
    lines: tuple[Words, ...]
    scope: Scope


def read_library(text: str, name: str) -> Scope:
    """Return what a library defines. Raises InputError for a statement that does not fit."""
    try:
        scope, _ = read_scope([line for line in text.split("\n") if line and not line.startswith("*")])
    except InputError as error:
        raise InputError(f"`Subcircuit.library`: {error}") from None
    if scope.definition(name) is None:
        raise InputError(f"`Subcircuit.library`: has no subcircuit {name}")
    return scope


def read_scope(statements: Sequence[str]) -> tuple[Scope, tuple[Words, ...]]:
    """Return what statements define, and the elements that are in no subcircuit.

    Raises InputError, with the statement, for one that does not fit.
    """
    scope, lines, rest = _read(statements, None)
    if rest:
        raise InputError(f"{rest[0]!r:.60} follows a `.ends` without its `.subckt`")
    return scope, lines


def _read(statements: Sequence[str], around: Scope | None) -> tuple[Scope, tuple[Words, ...], Sequence[str]]:
    """Return what stands up to the next `.ends`: its scope, its elements, and the statements behind it."""
    functions: dict[str, Macro] = {}
    models: dict[str, Model] = {}
    definitions: dict[str, Definition] = {}
    parameters: list[tuple[str, str]] = []
    lines = []
    scope = Scope({}, functions, models, definitions, (), around)
    waiting: Sequence[str] = statements
    inner: list[tuple[str, Words, Sequence[str]]] = []
    while waiting:
        line, *waiting = waiting
        card = line.split()[0].lower()
        if card == ".ends":
            break
        if card == ".subckt":
            depth, end = 1, 0
            while depth:
                if end == len(waiting):
                    raise InputError(f"{line!r:.60} has no `.ends`")
                word = waiting[end].split()[0].lower()
                depth += {".subckt": 1, ".ends": -1}.get(word, 0)
                end += 1
            inner.append((line, split_words(line), waiting[:end]))
            waiting = waiting[end:]
        elif card == ".model":
            name, model = _read_model(line)
            models[name] = model
        elif card == ".param":
            keys = split_words(f"x {line.split(None, 1)[1]}").keys
            parameters += keys.items()
        elif card == ".func":
            match = re.fullmatch(r"(?i)\.func\s+(\w+)\s*\(([^()]*)\)\s*=?\s*(.*)", line)
            if match is None:
                raise InputError(f"{line!r:.60} is no function")
            terms = tuple(term.strip().lower() for term in match[2].split(",") if term.strip())
            functions[match[1].lower()] = Macro(terms, match[3].strip("{}'\""))
        else:
            lines.append(split_words(line))
    scope = replace(scope, parameters=tuple(parameters))
    for _, words, body in inner:
        name, *nodes = (word.lower() for word in words.plain if word.lower() != "params:")
        own, its, _ = _read(body, scope)
        definitions[name] = Definition(tuple(nodes), words.keys, its, own)
    return scope, tuple(lines), waiting


def split_words(line: str) -> Words:
    """Return the words of a line: parentheses and commas are blanks, a formula in braces is one word.

    The voltages that a semiconductor or a line starts with, `IC=0.65,1`, are one word too, "0.65,1".
    """
    groups: list[str] = []

    def kept(match: re.Match[str]) -> str:
        groups.append(match[0])
        return f" \0{len(groups) - 1}\0 "

    def restored(word: str) -> str:
        return re.sub("\0([0-9]+)\0", lambda match: groups[int(match[1])], word)

    name, _, rest = line.partition(" ")
    rest = flatten_braces(rest)
    if name[0].lower() in "begh":
        rest = OPEN.sub(lambda match: f"{match[1]}={{{match[2].translate(INSIDE)}}}", rest)
    rest = re.sub(r"\s*=\s*", "=", BRACES.sub(kept, rest))
    plain: list[str] = []
    keys: dict[str, str] = {}
    listing = False
    for word in re.sub(r"[(),]", " ", rest).split():
        key, equals, value = word.partition("=")
        if listing and not equals and (parse_number(word) is not None or word.startswith("\0")):
            keys["ic"] += f",{restored(word)}"
            continue
        listing = key.lower() == "ic" and bool(value) and name[0].lower() in LISTS
        if not equals:
            plain.append(restored(word))
        elif value:
            keys[key.lower()] = restored(value)
        elif key.startswith("\0"):
            plain.append(restored(key))
        elif key:
            raise InputError(f"{line!r:.60} has nothing for {key}")
    sensed = [match[1] for group in groups for match in CONTROLS.finditer(group)]
    if name[0].lower() in "fh" and len(plain) > 3:
        count = int(parse_number(plain[3]) or 0) if plain[2].lower() == "poly" else 1
        first = 4 if plain[2].lower() == "poly" else 2
        sensed += plain[first : first + count]
    return Words(line, name.lower(), tuple(plain), keys, tuple(sensed))


def flatten_braces(text: str) -> str:
    """Return a text with braces within braces or quotes as parentheses, which mean the same there."""
    found, depth, quote = [], 0, ""
    for letter in text:
        if letter in "'\"" and not (depth and not quote):
            quote = "" if letter == quote else quote or letter
        depth += letter == "{"
        inside = bool(quote) or depth > 1
        found.append({"{": "(", "}": ")"}.get(letter, letter) if inside else letter)
        depth -= letter == "}"
    return "".join(found)


def _read_model(line: str) -> tuple[str, Model]:
    words = split_words(f"x {line.split(None, 1)[1]}")
    name, kind = (word.lower() for word in words.plain[:2])
    if len(words.plain) > 2:
        raise InputError(f"{line!r:.60} has {words.plain[2]!r}, which is no parameter")
    return name, Model(kind, words.keys)


def _refuse(kind: str, terms: tuple[str, ...]) -> Expression:
    raise InputError(f"{kind.upper()}({', '.join(terms)}) is no number")
