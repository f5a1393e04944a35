"""Names that may reach a netlist: refused at the door, never escaped; and what is said of one that is not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from .errors import InputError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
MAX_LENGTH = 64
RESERVED = frozenset(
    {"gnd", "ground", "time", "temper", "hertz", "pi", "all", "none", "control", "endc", "end", "shell"}
)


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return "`what` 'name' is unknown", the names that there are, and the nearest of them."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what} {name!r:.80} is unknown: must be one of {', '.join(names) or '(none)'}{hint}"


def check_name(name: object, what: str) -> str:
    """Return `name` if it is a letter followed by letters, digits and underscores, and not reserved."""
    return _check(name, what, NAME, "a letter, then letters, digits and underscores")


def check_labels(labels: Iterable[object], what: str, size: int) -> tuple[str, ...]:
    """Return `size` labels (letters, digits and underscores), distinct after case folding (SPICE lower-cases names)."""
    if isinstance(labels, str):
        raise InputError(f"`{what}` = {labels!r:.80}: must be a sequence of labels, not one text")
    if not isinstance(labels, Iterable):
        raise InputError(f"`{what}` = {labels!r:.80}: must be a sequence of labels")
    checked = tuple(
        _check(label, f"{what}[{k}]", LABEL, "letters, digits and underscores") for k, label in enumerate(labels)
    )
    if len(checked) != size:
        raise InputError(f"`{what}` has {len(checked)} labels: must have {size}, one for each element")
    seen: dict[str, str] = {}
    for label in checked:
        if label.lower() in seen:
            raise InputError(
                f"`{what}`: {seen[label.lower()]!r} and {label!r} are one name in SPICE, which ignores case; "
                "rename one of them"
            )
        seen[label.lower()] = label
    return checked


def _check(name: object, what: str, pattern: re.Pattern[str], allowed: str) -> str:
    if not isinstance(name, str) or pattern.fullmatch(name) is None or len(name) > MAX_LENGTH:
        raise InputError(f"`{what}` = {name!r:.80}: must be {allowed}, at most {MAX_LENGTH} characters; rename it")
    if name.lower() in RESERVED:
        raise InputError(f"`{what}` = {name!r}: is reserved in SPICE; rename it")
    return name
