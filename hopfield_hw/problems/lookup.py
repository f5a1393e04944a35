"""What problems and designs say of a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return "`what` 'name' is unknown", the names that there are, and the nearest of them."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what} {name!r:.80} is unknown: must be one of {', '.join(names) or '(none)'}{hint}"
