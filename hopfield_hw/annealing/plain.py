"""What `kernels` does, in NumPy: where Numba is not installed, and to hold the machine code against."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .models import States
from .noise import HALF_RANGE, Keys, mix, word
from .program import (
    CLIP,
    COUPLING,
    DENSE,
    FEEDBACK,
    GAIN,
    LARGEST_FACTOR,
    LEAK,
    LEAST_FACTOR,
    NO_ENERGY,
    NOISE,
    POLYNOMIAL,
    SCHMITT,
    SIGN,
    SOFTMAX,
    Force,
    Rules,
    Single,
)


def anneal(
    force: Force,
    rules: Rules,
    table: Single,
    keys: Keys,
    width: int,
    teeth: int,
    every: int,
    best: States,
    hits: npt.NDArray[np.int64],
) -> None:
    """Anneal samples, as `kernels.anneal` does, to rounding in single precision."""
    for first in range(0, len(keys), width):
        part = slice(first, first + width)
        _anneal_block(force, rules, table, keys[part], teeth, every, best[part], hits[part])


def _anneal_block(
    force: Force,
    rules: Rules,
    table: Single,
    keys: Keys,
    teeth: int,
    every: int,
    best: States,
    hits: npt.NDArray[np.int64],
) -> None:
    n, samples, steps = len(force.fields), len(keys), len(table)
    matrix = _matrix(force)
    least = np.full(samples, NO_ENERGY, np.float32)
    counter = 0
    for tooth in range(teeth):
        x = rules.start * _draws(counter, n, keys)
        y = np.full((n, samples), 1.0 if rules.corrected else 0.0, np.float32)
        if rules.output == SCHMITT:
            y = np.where(x > 0.0, np.float32(1.0), rules.lower)
        counter += n
        for t, row in enumerate(table):
            s = _outputs(rules, row[GAIN], force.groups, x, y)
            y = s if rules.output == SCHMITT else y
            f = _force(force, matrix, s)
            if rules.second:
                x, y = _second_order(rules, row, x, y + _noise(rules, row, counter, n, keys), f)
            else:
                if rules.corrected:
                    y = y + rules.rate * rules.step * (rules.target - np.abs(x))
                    y = np.clip(y, LEAST_FACTOR, LARGEST_FACTOR)
                    f = y * f
                looped = row[FEEDBACK] * rules.step * (s - rules.middle) if rules.looped else np.float32(0.0)
                moved = (np.float32(1.0) - row[LEAK] * rules.step) * (x - looped) + row[COUPLING] * f
                x = np.clip(moved, -rules.bound, rules.bound) + _noise(rules, row, counter, n, keys)
            counter += n
            last = tooth == teeth - 1 and t + 1 == steps
            if (every and ((t + 1) % every == 0 or t + 1 == steps)) or last:
                s = _decisions(rules, force.groups, x, y)
                energy = _energies(force, matrix, s)
                better = energy < least if every else np.ones(samples, np.bool_)
                least = np.where(better, energy, least)
                hits[better] = tooth * steps + t + 1
                best[better] = s[:, better].T.astype(np.int8)


def _matrix(force: Force) -> Any:
    if force.form == DENSE:
        return force.matrix[: len(force.fields)]
    if force.form == POLYNOMIAL:
        return None
    n = len(force.fields)
    return sp.csr_array((force.values, force.columns, force.starts), shape=(n, n))


def _force(force: Force, matrix: Any, s: Single) -> Single:
    if force.form != POLYNOMIAL:
        return np.asarray(matrix @ s + force.fields[:, np.newaxis])
    f = np.zeros_like(s)
    for start, stop, value in zip(force.starts[:-1], force.starts[1:], force.values, strict=True):
        neurons = force.columns[start:stop]
        for i in neurons:
            f[i] += value * np.prod(s[neurons[neurons != i]], axis=0)
    return f


def _energies(force: Force, matrix: Any, s: Single) -> Single:
    if force.form != POLYNOMIAL:
        fields = force.fields[:, np.newaxis]
        return np.asarray(-np.sum(s * (0.5 * (matrix @ s) + fields), axis=0))
    energy = np.zeros(s.shape[1], np.float32)
    for start, stop, value in zip(force.starts[:-1], force.starts[1:], force.values, strict=True):
        energy -= value * np.prod(s[force.columns[start:stop]], axis=0)
    return energy


def _outputs(rules: Rules, gain: np.float32, groups: Any, x: Single, y: Single) -> Single:
    if rules.output == SOFTMAX:
        s = np.empty_like(x)
        for first, after in pairwise(groups):
            powers = np.exp(gain * (x[first:after] - np.max(x[first:after], axis=0)))
            s[first:after] = powers / np.sum(powers, axis=0)
        return s
    one = np.float32(1.0)
    if rules.output == CLIP:
        return np.asarray(np.clip(gain * x + rules.middle, rules.lower, one))
    if rules.output == SIGN:
        return np.where(x > 0.0, one, rules.lower)
    return np.where(x < -rules.width, rules.lower, np.where(x > rules.width, one, y))


def _decisions(rules: Rules, groups: Any, x: Single, y: Single) -> Single:
    if rules.output == SOFTMAX:
        s = np.zeros_like(x)
        for first, after in pairwise(groups):
            s[first + np.argmax(x[first:after], axis=0), np.arange(x.shape[1])] = 1.0
        return s
    up = y > 0.5 * (1.0 + rules.lower) if rules.output == SCHMITT else x > 0.0
    return np.where(up, np.float32(1.0), rules.lower)


def _second_order(rules: Rules, row: Single, x: Single, y: Single, f: Single) -> tuple[Single, Single]:
    speed = y - row[LEAK] * rules.step * x + row[COUPLING] * f
    place = x + rules.step * speed
    return np.clip(place, -rules.bound, rules.bound), np.where(np.abs(place) > rules.bound, np.float32(0.0), speed)


def _noise(rules: Rules, row: Single, counter: int, n: int, keys: Keys) -> Any:
    return row[NOISE] * _draws(counter, n, keys) if rules.noisy else np.float32(0.0)


def _draws(counter: int, n: int, keys: Keys) -> Single:
    """Return (n, samples) numbers from -1 to 1."""
    common = word(np.arange(counter, counter + n, dtype=np.uint64))
    return np.asarray(mix(common[:, np.newaxis] ^ keys).astype(np.int32) * HALF_RANGE, dtype=np.float32)
