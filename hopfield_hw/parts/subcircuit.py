"""A user's own op-amp model: a `.subckt` of a vendor, with its pins named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.names import NAME

CARDS = (".subckt", ".ends", ".model", ".param", ".func")
# No A: models of XSPICE can read files and start programs.
ELEMENTS = frozenset("bcdefghijklmqrstvx")
PORTS = ("plus", "minus", "output")
MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Subcircuit:
    """An op-amp model as a vendor gives it.

    `library`: the path of its file, or its text. `name`: of its `.subckt`. `pins`: what each of its nodes is, in their
    order: "plus", "minus", "output" (of the amplifier), and the supplies under names that you choose. `supplies`: the
    voltage of each supply, volts; by default supply_plus at 15 V and supply_minus at -15 V.

    The library may hold .subckt, .ends, .model, .param and .func, with elements within a subcircuit; comments are left
    out. Raises InputError for anything else in it, for a subcircuit that is not there, and for pins that do not fit.
    """

    library: str | Path = field(repr=False)
    name: str
    pins: Sequence[str] = ("plus", "minus", "supply_plus", "supply_minus", "output")
    supplies: Mapping[str, Any] = field(default_factory=lambda: {"supply_plus": 15.0, "supply_minus": -15.0})

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InputError(f"`Subcircuit.name` = {self.name!r:.60}: must be the name of a .subckt")
        text = _read(self.library)
        statements = tuple(_check(text))
        pins = tuple(self.pins)
        supplies = {
            str(pin): float(freeze(volts, f"Subcircuit.supplies[{pin!r}]", shape=(), unit="V"))
            for pin, volts in dict(self.supplies).items()
        }
        needed = sorted((*PORTS, *supplies))
        if sorted(pins) != needed:
            raise InputError(f"`Subcircuit.pins` is {', '.join(pins)}: must name each of {', '.join(needed)} once")
        for pin in supplies:
            if NAME.fullmatch(pin) is None:
                raise InputError(f"`Subcircuit.supplies` names {pin!r:.40}: must be a plain name")
        headers = {words[1].lower(): words for words in map(str.split, statements) if words[0].lower() == ".subckt"}
        if self.name.lower() not in headers:
            found = ", ".join(words[1] for words in headers.values()) or "none"
            raise InputError(f"`Subcircuit.name` = {self.name!r:.60}: the library has {found}")
        nodes = _header_nodes(headers[self.name.lower()])
        if len(nodes) != len(pins):
            raise InputError(
                f"`Subcircuit.pins`: {self.name} has {len(nodes)} nodes, {' '.join(nodes)}, and {len(pins)} pins are "
                "named; name one for each node, in their order"
            )
        object.__setattr__(self, "library", "\n".join(statements))
        object.__setattr__(self, "pins", pins)
        object.__setattr__(self, "supplies", supplies)

    @property
    def defined(self) -> tuple[str, ...]:
        """The names, in lower case, that the library gives to subcircuits and models that are not within another."""
        depth, names = 0, []
        for statement in str(self.library).split("\n"):
            word, *rest = statement.lower().split()
            if depth == 0 and rest and word in (".subckt", ".model"):
                names.append(rest[0])
            depth += {".subckt": 1, ".ends": -1}.get(word, 0)
        return tuple(names)

    def __hash__(self) -> int:
        return hash((self.library, self.name, self.pins))


def _read(library: str | Path) -> str:
    if isinstance(library, str) and "\n" in library:
        return library
    path = Path(library)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"`Subcircuit.library` {str(path)!r:.200}: cannot be read ({why})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"`Subcircuit.library` {path.name!r}: has {len(text)} characters, at most {MOST_CHARACTERS}")
    return text


def _check(text: str) -> Iterator[str]:
    """Yield the statements of a library, on one line each, without comments."""
    depth = 0
    for statement in _statements(text):
        word = statement.split()[0].lower()
        if word.startswith("."):
            if word not in CARDS:
                raise InputError(f"`Subcircuit.library` has {word!r:.40}: may hold {', '.join(CARDS)}; take it out")
            depth += {".subckt": 1, ".ends": -1}.get(word, 0)
            if depth < 0 or (word == ".subckt" and len(statement.split()) < 2):
                raise InputError(f"`Subcircuit.library`: {statement!r:.60} does not fit the statements before it")
        elif word[0] not in ELEMENTS or depth == 0:
            raise InputError(
                f"`Subcircuit.library` has {statement!r:.60}: must be an element within a .subckt, or a card of "
                f"{', '.join(CARDS)}"
            )
        yield statement
    if depth != 0:
        raise InputError("`Subcircuit.library`: a .subckt has no .ends")


def _statements(text: str) -> list[str]:
    found: list[str] = []
    for line in text.splitlines():
        kept = re.split(r";|\s\$\s|//", line, maxsplit=1)[0].strip()
        if not kept or kept.startswith("*"):
            continue
        if not kept.isprintable() or "`" in kept or "\ufffd" in kept:
            raise InputError(f"`Subcircuit.library` has {kept!r:.60}: must be printable text without backticks")
        if kept.startswith("+") and found:
            found[-1] += f" {kept[1:].strip()}"
        else:
            found.append(kept)
    return found


def _header_nodes(words: Sequence[str]) -> list[str]:
    nodes = []
    for word in re.sub(r"\s*=\s*", "=", " ".join(words[2:])).split():
        if "=" in word or word.lower().startswith("param"):
            break
        nodes.append(word)
    return nodes
