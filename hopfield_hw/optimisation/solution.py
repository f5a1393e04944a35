"""What a solver returns: an answer, its value by the file's own data, and what the verdict on it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array
from ..values.report import Report


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Solution(Report):
    """An answer to the problem of a file.

    `answer`: as `form` says, in the file's order. `value`: what is made least or largest, computed from the file and
    the answer alone. `valid`: whether the answer satisfies all that the file asks for; the value of one that does not
    means nothing. `optimal`: whether nothing better exists, which `rests_on` proves; False says only that this is not
    known. `bound`: no answer is better than this, where one is known. `values`: what each run ended at, (reads,), NaN
    for none, in the terms that `values_of` says, where they are not those of `value`. `best_reads`: the runs that ended
    as good as the answer. `hit_time`: the mean time to it, R C. `processor_time`: seconds. For pictures, `places`: of
    cities, (n, 2); `edges`: of nodes, (m, 2). `more`: further (what, text).
    """

    name: str
    kind: str
    answer: npt.NDArray[Any]
    form: str
    value: float
    what: str
    valid: bool
    rests_on: str
    optimal: bool = False
    bound: float | None = None
    method: str = ""
    values: Array = field(default_factory=lambda: np.zeros(0))
    values_of: str = ""
    best_reads: int = 1
    hit_time: float = math.nan
    processor_time: float = math.nan
    places: Array | None = None
    edges: npt.NDArray[np.int64] | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """ "optimal", "valid" or "invalid"."""
        return "invalid" if not self.valid else "optimal" if self.optimal else "valid"

    def rows(self) -> list[tuple[str, str]]:
        """Return what was found as (what, value) rows."""
        found = [("result", self.verdict)]
        if math.isfinite(self.value):
            found.append((self.what, f"{self.value:.10g}"))
        found.append(("rests on", self.rests_on))
        if self.bound is not None:
            found.append(("bound", f"none is better than {self.bound:.10g}"))
        if self.method:
            found.append(("method", self.method))
        if self.values.size > 1:
            found.append(("runs", f"{self.best_reads} of {self.values.size} ended as good"))
        if math.isfinite(self.hit_time):
            found.append(("time to it", f"{self.hit_time:.3g} R C in the mean"))
        found += list(self.more.items())
        if math.isfinite(self.processor_time):
            found.append(("seconds", f"{self.processor_time:.3g} of the processor"))
        return found

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON has them; the answer in full."""
        return {
            "name": self.name,
            "kind": self.kind,
            "result": self.verdict,
            "value": self.value,
            "what": self.what,
            "rests_on": self.rests_on,
            "bound": self.bound,
            "method": self.method,
            "reads": int(self.values.size),
            "best_reads": self.best_reads,
            "hit_time": self.hit_time,
            "processor_time": self.processor_time,
            "more": dict(self.more),
            "form": self.form,
            "answer": np.asarray(self.answer).tolist(),
        }
