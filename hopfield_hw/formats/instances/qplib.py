"""QPLIB files (F. Furini et al., Math. Program. Comput. 11:237, 2019): quadratic objective, linear constraints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from ...values.arrays import Array
from ...values.errors import InputError
from .lines import MOST_NODES, Line, read_lines, take_first
from .types import ProgramData, make_program

OBJECTIVES, VARIABLES, CONSTRAINTS = "LDCQ", "CBMIG", "NBLDCQ"


class _Reader:
    """Takes lines in their order; `#` begins a comment within a line, `!` a line of one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = iter(line for line in read_lines(path, ("!", "#", "%")))

    def line(self) -> Line:
        line = take_first(self.lines, self.path)
        words = line.words
        for k, word in enumerate(words):
            if word.startswith(("#", "!")):
                words = words[:k]
                break
        return line._replace(words=words)

    def count(self, what: str, low: int = 0) -> int:
        return self.line().whole(0, low, MOST_NODES, what)

    def entries(self, count: int, sizes: tuple[int, ...]) -> tuple[list[list[int]], list[float]]:
        """Return indices, from 0, and values of so many lines `i ... value`."""
        places, values = [], []
        for _ in range(count):
            line = self.line()
            if len(line.words) != len(sizes) + 1:
                line.refuse(f"must be {len(sizes)} indices and a value")
            places.append([line.whole(k, 1, size, "an index") - 1 for k, size in enumerate(sizes)])
            values.append(line.value(len(sizes), "a value"))
        return places, values

    def vector(self, size: int) -> Array:
        """Return a vector: its usual value, how many differ, and those."""
        found = np.full(size, self.line().value(0, "the usual value"))
        places, values = self.entries(self.count("how many differ"), (size,))
        for (k,), value in zip(places, values, strict=True):
            found[k] = value
        return found

    def matrix(self, count: int, n: int) -> sp.csr_array:
        """Return a symmetric matrix of its lower triangle."""
        places, values = self.entries(count, (n, n))
        rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
        pairs = {(min(i, j), max(i, j)) for i, j in places}
        if len(pairs) < len(places):
            raise InputError(f"{self.path.name}: an entry of P is there twice, or on both sides of the diagonal")
        one = sp.csr_array((np.array(values, dtype=np.float64), (rows, columns)), shape=(n, n))
        return sp.csr_array(one + one.T - sp.diags_array(one.diagonal()))


def read_qplib(path: Path) -> ProgramData:
    """Return the program of a `.qplib` file with a quadratic or linear objective and linear constraints.

    Raises InputError, with the line, for quadratic constraints and for what does not fit the format.
    """
    reader = _Reader(path)
    name = reader.line().words[0]
    kind = reader.line()
    word = kind.words[0].upper()
    if len(word) != 3 or word[0] not in OBJECTIVES or word[1] not in VARIABLES or word[2] not in CONSTRAINTS:
        kind.refuse("must be three letters: objective, variables, constraints, as in `CCL`")
    if word[2] in "DCQ":
        kind.refuse("has quadratic constraints: must be linear")
    sense = reader.line()
    if sense.words[0].lower() not in ("minimize", "maximize"):
        sense.refuse("must be minimize or maximize")
    sign = 1.0 if sense.words[0].lower() == "minimize" else -1.0
    n = reader.count("the number of variables", 1)
    m = reader.count("the number of constraints") if word[2] not in "NB" else 0
    hessian = sp.csr_array((n, n))
    if word[0] != "L":
        hessian = reader.matrix(reader.count("the number of entries"), n)
    linear = reader.vector(n)
    constant = reader.line().value(0, "a constant")
    rows = sp.csr_array((m, n))
    if m:
        places, values = reader.entries(reader.count("the number of entries"), (m, n))
        i, j = np.array(places, dtype=np.int64).reshape(-1, 2).T
        rows = sp.csr_array((np.array(values, dtype=np.float64), (i, j)), shape=(m, n))
    infinite = reader.line().value(0, "the value that stands for infinity")
    low, high = (reader.vector(m), reader.vector(m)) if m else (np.zeros(0), np.zeros(0))
    whole = np.full(n, word[1] in "BI")
    if word[1] == "B":
        lower, upper = np.zeros(n), np.ones(n)
    else:
        lower, upper = reader.vector(n), reader.vector(n)
    if word[1] in "MG":
        whole = reader.vector(n) != 0.0
    bounds = tuple(np.where(np.abs(b) >= infinite, np.copysign(np.inf, b), b) for b in (low, high, lower, upper))
    return make_program(name, sign * hessian, sign * linear, sign * constant, rows, bounds, whole=whole, sign=sign)
