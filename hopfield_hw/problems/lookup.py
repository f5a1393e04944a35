"""What problems and designs say of a name that is not there, and of a number that is not whole."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..errors import InputError


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return "`what` 'name' is unknown", the names that there are, and the nearest of them."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what} {name!r:.80} is unknown: must be one of {', '.join(names) or '(none)'}{hint}"


def whole(value: object, name: str, low: int, high: int) -> int:
    """Return a whole number from low to high. Raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"`{name}` = {value!r:.60}: must be a whole number from {low} to {high}")
    return value
