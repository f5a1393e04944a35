"""A user's own op-amp model: a `.subckt` of a vendor, with its pins named."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..values.arrays import freeze
from ..values.errors import InputError
from ..values.names import NAME

CARDS = (".subckt", ".ends", ".model", ".param", ".func")
# No A: models of XSPICE can read files and start programs.
ELEMENTS = frozenset("bcdefghijklmqrstvx")
PORTS = ("plus", "minus", "output")
MOST_CHARACTERS = 1_000_000
# The first line of a library that has been read: which file it was.
RECORD = re.compile(r"\* library sha256 ([0-9a-f]{64})")
# How files begin, or have within them, that only one simulator can read.
ENCRYPTED: Mapping[str, str] = MappingProxyType(
    {"$cdnencstart": "PSpice", "ltspice encrypted file": "LTspice", ".prot": "HSPICE", "begin_protected": "a simulator"}
)


@dataclass(frozen=True, kw_only=True)
class Subcircuit:
    """An op-amp model as a vendor gives it.

    `library`: the path of its file, or its text. `name`: of its `.subckt`. `pins`: what each of its nodes is, in their
    order: "plus", "minus", "output" (of the amplifier), and the supplies under names that you choose; or a mapping from
    the nodes of the `.subckt` line to these. `supplies`: the voltage of each supply, volts; by default supply_plus at
    15 V and supply_minus at -15 V. `sha256`: of the file as it was read; netlists carry it in a comment.

    The library may hold .subckt, .ends, .model, .param and .func, with elements within a subcircuit; comments are left
    out. Raises InputError for anything else in it, for an encrypted one, for a subcircuit that is not there, and for
    pins that do not fit.
    """

    library: str | Path = field(repr=False)
    name: str
    pins: Sequence[str] | Mapping[str, str] = ("plus", "minus", "supply_plus", "supply_minus", "output")
    supplies: Mapping[str, Any] = field(default_factory=lambda: {"supply_plus": 15.0, "supply_minus": -15.0})
    sha256: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InputError(f"`Subcircuit.name` = {self.name!r:.60}: must be the name of a .subckt")
        text, digest = _read(self.library)
        statements = tuple(_check(text))
        supplies = {
            str(pin): float(freeze(volts, f"Subcircuit.supplies[{pin!r}]", shape=(), unit="V"))
            for pin, volts in dict(self.supplies).items()
        }
        for pin in supplies:
            if NAME.fullmatch(pin) is None:
                raise InputError(f"`Subcircuit.supplies` names {pin!r:.40}: must be a plain name")
        headers = {words[1].lower(): words for words in map(str.split, statements) if words[0].lower() == ".subckt"}
        if not isinstance(self.pins, Mapping):
            _check_pins(tuple(self.pins), supplies)
        if self.name.lower() not in headers:
            found = ", ".join(words[1] for words in headers.values()) or "none"
            raise InputError(f"`Subcircuit.name` = {self.name!r:.60}: the library has {found}")
        nodes = _header_nodes(headers[self.name.lower()])
        pins = _order(self.pins, nodes, self.name) if isinstance(self.pins, Mapping) else tuple(self.pins)
        _check_pins(pins, supplies)
        if len(nodes) != len(pins):
            raise InputError(
                f"`Subcircuit.pins`: {self.name} has {len(nodes)} nodes, {' '.join(nodes)}, and {len(pins)} pins are "
                "named; name one for each node, in their order"
            )
        object.__setattr__(self, "library", "\n".join((f"* library sha256 {digest}", *statements)))
        object.__setattr__(self, "sha256", digest)
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

    def __repr__(self) -> str:
        return f"<Subcircuit {self.name}: pins {' '.join(self.pins)}, library sha256 {self.sha256[:12]}>"


def _check_pins(pins: Sequence[str], supplies: Mapping[str, float]) -> None:
    needed = sorted((*PORTS, *supplies))
    if sorted(pins) != needed:
        raise InputError(f"`Subcircuit.pins` is {', '.join(pins)}: must name each of {', '.join(needed)} once")


def _order(pins: Mapping[str, str], nodes: Sequence[str], name: str) -> tuple[str, ...]:
    """Return pins, given by node, in the order of the nodes."""
    given = {str(node).lower(): str(pin) for node, pin in pins.items()}
    for node in given:
        if node not in map(str.lower, nodes):
            raise InputError(f"`Subcircuit.pins` names node {node!r:.40}: {name} has {' '.join(nodes)}")
    missing = [node for node in nodes if node.lower() not in given]
    if missing:
        raise InputError(
            f"`Subcircuit.pins` has no pin for node {missing[0]!r:.40} of {name}: must name one for each of "
            f"{' '.join(nodes)}"
        )
    return tuple(given[node.lower()] for node in nodes)


def _read(library: str | Path) -> tuple[str, str]:
    """Return the text of a library and the SHA-256 of its file; of one that was read before, what it was then."""
    if isinstance(library, str) and "\n" in library:
        record = RECORD.match(library)
        _refuse_encrypted(library, "its text")
        return library, record[1] if record else hashlib.sha256(library.encode()).hexdigest()
    path = Path(library)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"`Subcircuit.library` {str(path)!r:.200}: cannot be read ({why})") from None
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"`Subcircuit.library` {path.name!r}: has {len(text)} characters, at most {MOST_CHARACTERS}")
    _refuse_encrypted(text, repr(path.name))
    return text, hashlib.sha256(content).hexdigest()


def _refuse_encrypted(text: str, name: str) -> None:
    remedy = "ask the vendor for a plain one, or make a model from the data sheet (`read_data_sheet`)"
    for mark, reader in ENCRYPTED.items():
        if re.search(rf"(?im)^\W*{re.escape(mark)}", text):
            raise InputError(f"`Subcircuit.library` {name}: is encrypted for {reader} ({mark!r}); {remedy}")
    if "\0" in text:
        raise InputError(f"`Subcircuit.library` {name}: is a binary file, perhaps an encrypted one; {remedy}")


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
