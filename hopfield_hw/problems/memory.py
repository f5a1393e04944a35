"""Associative memory: patterns stored in symmetric weights, recalled from a part of them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..functions import Tanh
from ..networks.network import Network
from ..values.arrays import Array, freeze, positive, whole
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.names import unknown
from .learning_rules import RULES


@dataclass(frozen=True, kw_only=True, eq=False)
class Patterns(Brief):
    """Patterns of +1 and -1: a label for each, and `values`, (patterns, pixels)."""

    labels: tuple[str, ...]
    values: Array

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of a picture: a square, or the upright rectangle nearest to one; one row of a prime."""
        pixels = int(self.values.shape[1])
        columns = next(k for k in range(math.isqrt(pixels), 0, -1) if pixels % k == 0)
        return (pixels // columns, columns) if columns > 1 else (1, pixels)

    def index(self, label: object) -> int:
        """Return the row of a label. Raises InputError for one that is not there."""
        if label not in self.labels:
            raise InputError(unknown("pattern", label, self.labels))
        return self.labels.index(str(label))

    def distances(self, signs: Array) -> dict[str, int]:
        """Return by label how many pixels differ from a pattern of signs, (pixels,)."""
        return dict(zip(self.labels, np.sum(self.values != signs, axis=1).tolist(), strict=True))


def read_patterns(path: Path) -> Patterns:
    """Return the patterns of a CSV file: a label, then the grey levels of one picture a line; `#` begins a comment.

    Levels above the middle of the file's range, or on it, are +1, the others -1. Raises InputError for a file that
    cannot be read, for lines of different lengths, for what is not a number, and for labels that are there twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); give a CSV file of patterns") from None
    rows = list(csv.reader(line for line in lines if line.strip() and not line.startswith("#")))
    labels = tuple(row[0].strip() for row in rows)
    if not rows or len(rows[0]) < 2 or len({len(row) for row in rows}) != 1:
        raise InputError(f"{path.name}: must hold lines of one length, each a label and the levels of its pixels")
    if len(set(labels)) != len(labels):
        raise InputError(f"{path.name}: the labels are {', '.join(labels)}: must differ; rename one")
    try:
        levels = np.array([row[1:] for row in rows], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path.name}: must hold numbers after each label ({error})") from None
    if not np.all(np.isfinite(levels)):
        raise InputError(f"{path.name}: holds NaN or infinite levels: must be finite")
    values = np.where(levels >= 0.5 * (levels.min() + levels.max()), 1.0, -1.0)
    return Patterns(labels=labels, values=freeze(values, path.name))


def corrupt(pattern: Array, flipped: int, seed: int) -> Array:
    """Return a pattern with the signs of `flipped` pixels changed; a seed says which."""
    result = pattern.copy()
    result[np.random.default_rng(seed).permutation(pattern.size)[:flipped]] *= -1.0
    return result


def memory(
    *,
    patterns: Path,
    recall: str,
    flipped: int,
    seed: int,
    rule: str = "projection",
    siemens: float = 4e-4,
    resistance: Any = 1e3,
    capacitance: Any = 1e-7,
    gain: float = 10.0,
    start: float = 0.1,
) -> Network:
    """Return a memory of the patterns in a file that starts at one of them, corrupted (Hopfield, PNAS 81:3088, 1984).

    T = `siemens` W, with W by the `rule`, of RULES; x_i(0) = `start` volts times the corrupted pixel of `recall`,
    `flipped` of whose pixels a `seed` chooses. A passive summing node needs R_i sum_j |T_ij| of at most 1.

    Raises InputError for an unknown rule or pattern, for more flipped pixels than there are, and for values that are
    not positive.
    """
    if rule not in tuple(RULES):
        raise InputError(unknown("memory: rule", rule, RULES))
    if not isinstance(patterns, Path):
        raise InputError(f"`memory.patterns` = {patterns!r:.60}: must be a Path; a design.toml has it in network.files")
    stored = read_patterns(patterns)
    wanted = stored.values[stored.index(recall)]
    count = whole(flipped, "memory.flipped", 0, wanted.size)
    volts = float(positive(start, "memory.start", shape=(), unit="V"))
    return Network(
        weights=RULES[rule](stored.values) * float(positive(siemens, "memory.siemens", shape=(), unit="S")),
        resistance=resistance,
        capacitance=capacitance,
        gain=Tanh(gain=gain),
        initial=volts * corrupt(wanted, count, whole(seed, "memory.seed", 0, 2**63 - 1)),
        symmetric=True,
    )
