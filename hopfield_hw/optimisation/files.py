"""From a benchmark file to an answer."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from ..formats.instances import find_kind, read_instance
from ..values.errors import InputError
from .annealed import Effort
from .solution import Solution
from .table import SOLVERS


def solve(path: Path | str, effort: Effort | None = None, *, kind: str | None = None, **options: Any) -> Solution:
    """Return an answer to the problem of a benchmark file, judged by the file's own data.

    `kind`: a key of SOLVERS, by default from the suffix. `options`: of that solver, such as `colours`. Raises
    InputError for a file that cannot be read, an option that the solver lacks, and a problem that has no answer.
    """
    place = Path(path)
    solver = SOLVERS[find_kind(place, kind)]
    known = list(inspect.signature(solver).parameters)[2:]
    for name in options:
        if name not in known:
            takes = ", ".join(known) or "none"
            raise InputError(
                f"`{name}`: a problem of the kind {find_kind(place, kind)!r} has no such option, only {takes}"
            )
    return solver(read_instance(place, kind), Effort() if effort is None else effort, **options)
